/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The queues, listed one after the other: each entry is read, printed and
 * forgotten, so memory grows with nothing but the ids. Nothing is locked, and
 * nothing is made where there is no queue.
 */
#include "app/mailq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/exitcode.h"
#include "app/listing.h"
#include "app/queues.h"
#include "app/report.h"
#include "base/memory.h"
#include "queue/server.h"

struct lister {
	const struct request *request;
	bool counts; /* print nothing but a number */
	int64_t now;
	size_t paths; /* how many queues there are */
	/* of the queue at hand */
	struct spool *spool;
	bool is_named; /* its path is printed */
	char *lane;    /* which `server` is known for, or NULL */
	struct server server;
	/* of all of them */
	size_t there, listed, held;
	uint64_t octets;
	struct buf line;
	struct outcome worst;
};

static void note_failure(struct lister *l, struct outcome *o)
{
	report_failure(NULL, o);
	if (!outcome_is_failure(&l->worst))
		outcome_copy(&l->worst, o);
	outcome_release(o);
}

/* Entries of one lane mostly come one after the other. */
static const struct server *find_server(struct lister *l, const struct entry *e)
{
	char *lane = entry_lane(e);

	if (l->lane && !strcmp(l->lane, lane)) {
		free(lane);
		return &l->server;
	}
	server_release(&l->server);
	l->server = SERVER_INIT;
	free(l->lane);
	l->lane = lane;
	server_read(l->spool, lane, &l->server);
	return &l->server;
}

/* What stands ahead of the first entry, and of the first of each queue. */
static void add_headings(struct lister *l)
{
	if (!l->listed)
		listing_add_heading(&l->line);
	if (l->paths > 1 && !l->is_named)
		buf_printf(&l->line, "In %s:\n", spool_path(l->spool));
	l->is_named = true;
}

static void list_entry(struct lister *l, const struct entry *e)
{
	const struct server *sv;

	if (l->counts) {
		l->listed++;
		return;
	}
	buf_clear(&l->line);
	sv = find_server(l, e);
	if (l->request->report == REPORT_JSON) {
		listing_add_json(&l->line, spool_path(l->spool), e, sv, l->now);
	} else {
		add_headings(l);
		listing_add_text(&l->line, e, sv, l->now);
	}
	fwrite(l->line.p, 1, l->line.n, stdout);
	l->listed++;
	l->held += e->held != NULL;
	l->octets += e->size;
}

static void look_at(struct lister *l, const char *id)
{
	struct entry e = ENTRY_INIT;
	struct outcome o = OUTCOME_INIT;
	int rc = spool_read(l->spool, id, &e, &o);

	if (rc < 0) {
		l->there++;
		note_failure(l, &o);
	} else if (rc > 0) {
		l->there++;
		if (selectors_choose(&l->request->queue.selectors, &e))
			list_entry(l, &e);
	}
	entry_release(&e);
}

/* A number needs no look at the files, unless there is something to choose. */
static bool is_only_names(const struct lister *l)
{
	return l->counts && !l->request->queue.selectors.n;
}

static void list_queue(struct lister *l, const char *path)
{
	struct strings ids = STRINGS_INIT;
	struct outcome o = OUTCOME_INIT;
	size_t i;

	l->is_named = false;
	l->spool = spool_open(path, false, &o);
	if (l->spool && spool_list(l->spool, &ids, &o) == 0) {
		if (is_only_names(l))
			l->listed += ids.n;
		else
			for (i = 0; i < ids.n && !ferror(stdout); i++)
				look_at(l, ids.p[i]);
	}
	if (outcome_is_failure(&o))
		note_failure(l, &o);
	strings_release(&ids);
	spool_close(l->spool);
	server_release(&l->server);
	l->server = SERVER_INIT;
	free(l->lane);
	l->lane = NULL;
}

static void print_total(const struct lister *l)
{
	struct buf size = BUF_INIT(32);

	if (!l->there && !outcome_is_failure(&l->worst)) {
		printf("Mail queue is empty\n");
		return;
	}
	listing_add_size(&size, l->octets);
	printf("%zu message%s, %s", l->listed, l->listed == 1 ? "" : "s",
	       size.p);
	if (l->held)
		printf(", %zu held", l->held);
	if (l->listed < l->there)
		printf(", of %zu in the queue", l->there);
	printf("\n");
	buf_release(&size);
}

static int list_all(const struct request *r, bool counts)
{
	struct lister l = {
		.request = r,
		.counts = counts,
		.now = (int64_t)time(NULL),
		.server = SERVER_INIT,
		.line = BUF_INIT(LISTING_LIMIT),
		.worst = OUTCOME_INIT,
	};
	struct strings paths = STRINGS_INIT;
	struct outcome o = OUTCOME_INIT;
	size_t i;
	int code;

	queues_find(r, &paths);
	l.paths = paths.n;
	for (i = 0; i < paths.n; i++)
		list_queue(&l, paths.p[i]);
	if (counts)
		printf("%zu\n", l.listed);
	else if (r->report != REPORT_JSON)
		print_total(&l);
	if (report_flush(&o) < 0)
		note_failure(&l, &o);
	code = exitcode_of(&l.worst);
	outcome_release(&l.worst);
	buf_release(&l.line);
	strings_release(&paths);
	return code;
}

int mailq(const struct request *r)
{
	return list_all(r, false);
}

int mailq_count(const struct request *r)
{
	return list_all(r, true);
}
