/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a person does to entries of the queue: look at them, hold them, let them
 * go, have them tried, remove them. Which ones is asked first without a lock;
 * then each is locked, and asked again, as it may have changed meanwhile.
 */
#include "app/manage.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "app/exitcode.h"
#include "app/listing.h"
#include "app/queues.h"
#include "app/report.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "mail/store.h"
#include "queue/server.h"
#include "queue/spool.h"

#define BUSY_SECONDS 5   /* to wait, all in all, for what is being sent */
#define BUSY_STEP_MS 100 /* between two looks */
#define LINES_LIMIT  (64u << 20)
#define HELD_BY_HAND "by hand"

/* Of a body, octets: to be read at once, and of a line without an end. */
#define PIECE_OCTETS    (32u << 10)
#define LINE_OCTETS_MAX (256u << 10)

/* An id of the command line: there may be as many as messages. */
struct named {
	const char *id;
	bool is_found;
};

struct manager {
	const struct request *request;
	struct named *ids; /* sorted */
	size_t n_ids;
	struct selectors words; /* the others of the command line */
	struct spool *spool;    /* the queue at hand */
	int64_t now;
	struct deadline busy_until; /* once something was busy */
	bool has_waited;
	size_t done; /* entries that were changed */
	bool met;    /* one that is meant was there */
	int code;    /* the first that is not EX_OK */
	/* Do it to an entry, and say so; it is taken, but for a mere look. */
	int (*act)(struct manager *m, struct entry *e, struct outcome *o);
	bool only_looks;
	bool removes; /* says how many, in the end */
};

static void note_code(struct manager *m, int code)
{
	if (m->code == EX_OK)
		m->code = code;
}

static void note_failure(struct manager *m, struct outcome *o)
{
	report_failure(NULL, o);
	note_code(m, exitcode_of(o));
	outcome_release(o);
}

static int say_only(const struct entry *e, const char *words)
{
	printf("%s %s\n", e->id, words);
	return 0;
}

/* --------------------------------------------------------- which are meant */

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->id,
		      ((const struct named *)b)->id);
}

/* NULL: it is not named. */
static struct named *find_id(const struct manager *m, const char *id)
{
	const struct named key = {.id = id};

	return m->n_ids
		? bsearch(&key, m->ids, m->n_ids, sizeof(key), compare_ids)
		: NULL;
}

/* Where there are ids the files of others need not be read. */
static bool may_be_meant(const struct manager *m, const char *id)
{
	return !m->n_ids || find_id(m, id);
}

static bool is_meant(const struct manager *m, const struct entry *e)
{
	return selectors_choose(&m->words, e) &&
		selectors_choose(&m->request->queue.selectors, e);
}

static void note_met(struct manager *m, const char *id)
{
	struct named *named = find_id(m, id);

	m->met = true;
	if (named)
		named->is_found = true;
}

static int read_words(struct manager *m, struct outcome *o)
{
	const struct strings *words = &m->request->recipients;
	size_t i;

	m->ids = memory_alloc(words->n * sizeof(*m->ids));
	for (i = 0; i < words->n; i++)
		if (spool_time_of(words->p[i]) >= 0)
			m->ids[m->n_ids++].id = words->p[i];
		else if (!selectors_add_word(&m->words, view_of(words->p[i])))
			return fail(o, CAUSE_USAGE, "5.5.4",
				    "'%s' names nothing in the queue: an id, "
				    "all, held, recipient:TEXT, sender:TEXT, "
				    "account:NAME or id:TEXT does",
				    words->p[i]);
	if (m->n_ids)
		qsort(m->ids, m->n_ids, sizeof(*m->ids), compare_ids);
	return 0;
}

/* Words that named nothing, as they were given. */
static void say_missing(struct manager *m)
{
	const struct strings *words = &m->request->recipients;
	const struct named *named;
	size_t i;

	for (i = 0; i < words->n; i++) {
		named = find_id(m, words->p[i]);
		if (!named || named->is_found)
			continue;
		report_line("%s: there is no such message in the queue",
			    named->id);
		note_code(m, EX_UNAVAILABLE);
	}
	if (!m->met && m->code == EX_OK) {
		report_line("nothing in the queue is like that");
		note_code(m, EX_UNAVAILABLE);
	}
}

/* ----------------------------------------------------- one after the other */

/* As spool_take, but wait a little for who has it. 0 also: it is being sent,
 * which is said. */
static int take(struct manager *m, const char *id, struct entry *e,
		struct outcome *o)
{
	struct entry look = ENTRY_INIT;
	int rc;

	for (;;) {
		rc = spool_take(m->spool, id, e, o);
		if (rc)
			return rc;
		entry_release(e);
		*e = ENTRY_INIT;
		rc = spool_read(m->spool, id, &look, o);
		entry_release(&look);
		look = ENTRY_INIT;
		if (rc <= 0)
			return rc;
		if (!m->has_waited)
			m->busy_until = deadline_in(BUSY_SECONDS);
		m->has_waited = true;
		if (deadline_passed(m->busy_until)) {
			report_line("message %s is being sent right now, so "
				    "nothing was done to it; try again",
				    id);
			note_code(m, EX_TEMPFAIL);
			return 0;
		}
		poll(NULL, 0, BUSY_STEP_MS);
	}
}

/* It has left while we waited for it. */
static void tell_gone(struct manager *m, const char *id)
{
	report_line("message %s was sent meanwhile, so nothing was done to it",
		    id);
	if (m->n_ids)
		note_code(m, EX_UNAVAILABLE);
}

/* It was meant when it was looked at: take it, look again, do it. */
static void act_on(struct manager *m, const char *id)
{
	struct entry e = ENTRY_INIT;
	struct outcome o = OUTCOME_INIT;
	int rc = take(m, id, &e, &o);

	if (rc > 0 && is_meant(m, &e))
		m->act(m, &e, &o);
	else if (rc == 0 && m->has_waited && !deadline_passed(m->busy_until))
		tell_gone(m, id);
	if (outcome_is_failure(&o))
		note_failure(m, &o);
	entry_release(&e);
}

static void look_at(struct manager *m, const char *id)
{
	struct entry e = ENTRY_INIT;
	struct outcome o = OUTCOME_INIT;

	if (spool_read_whole(m->spool, id, &e, &o) > 0)
		m->act(m, &e, &o);
	if (outcome_is_failure(&o))
		note_failure(m, &o);
	entry_release(&e);
}

/* Only ids say what is meant, so it need not be read to know that it is. */
static bool is_named(const struct manager *m)
{
	return m->n_ids && !m->words.n && !m->request->queue.selectors.n;
}

/* What can't be read can still be removed, by its id. If it can be after all,
 * or somebody has it, it is a message like any other. */
static void remove_unread(struct manager *m, const char *id, struct outcome *o)
{
	struct entry e = ENTRY_INIT;
	int rc;

	outcome_release(o);
	rc = spool_take(m->spool, id, &e, o);
	if (rc < 0) {
		outcome_release(o);
		if (!e.id)
			e.id = memory_dup(id);
		if (spool_remove(m->spool, &e, o) == 0) {
			m->done++;
			say_only(&e, "removed; it could not be read");
		}
	}
	entry_release(&e);
	if (rc >= 0)
		act_on(m, id);
}

static void consider(struct manager *m, const char *id)
{
	struct entry e = ENTRY_INIT;
	struct outcome o = OUTCOME_INIT;
	bool is_one = false;

	if (!may_be_meant(m, id))
		return;
	if (spool_read(m->spool, id, &e, &o) > 0)
		is_one = is_meant(m, &e);
	entry_release(&e);
	if (outcome_is_failure(&o)) {
		note_met(m, id);
		if (m->removes && is_named(m))
			remove_unread(m, id, &o);
		if (outcome_is_failure(&o))
			note_failure(m, &o);
	} else if (is_one) {
		note_met(m, id);
		m->only_looks ? look_at(m, id) : act_on(m, id);
	}
}

static void go_through(struct manager *m, const char *path)
{
	struct strings ids = STRINGS_INIT;
	struct outcome o = OUTCOME_INIT;
	size_t i, before = m->done;

	m->spool = spool_open(path, false, &o);
	if (m->spool && spool_list(m->spool, &ids, &o) == 0)
		for (i = 0; i < ids.n; i++)
			consider(m, ids.p[i]);
	if (m->spool && m->done > before && !outcome_is_failure(&o))
		spool_sync(m->spool, &o);
	if (outcome_is_failure(&o))
		note_failure(m, &o);
	strings_release(&ids);
	spool_close(m->spool);
	m->spool = NULL;
}

static int go_on(struct manager *m)
{
	struct strings paths = STRINGS_INIT;
	struct outcome o = OUTCOME_INIT;
	size_t i;

	m->now = (int64_t)time(NULL);
	if (read_words(m, &o) == 0) {
		queues_find(m->request, &paths);
		for (i = 0; i < paths.n; i++)
			go_through(m, paths.p[i]);
		if (m->removes)
			printf("%zu message%s removed\n", m->done,
			       m->done == 1 ? "" : "s");
		say_missing(m);
		if (report_flush(&o) < 0)
			note_failure(m, &o);
	} else {
		note_failure(m, &o);
	}
	strings_release(&paths);
	selectors_release(&m->words);
	free(m->ids);
	return m->code;
}

/* ------------------------------------------------------------- the changes */

/* Put the event behind it, and say what has become of it. */
static int note(struct manager *m, struct entry *e, struct buf *line,
		const char *words, struct outcome *o)
{
	int rc = spool_note(e, line, o);

	buf_release(line);
	if (rc < 0)
		return -1;
	m->done++;
	printf("%s %s\n", e->id, words);
	return 0;
}

static int hold(struct manager *m, struct entry *e, struct outcome *o)
{
	struct buf line = BUF_INIT(LINES_LIMIT);
	const char *reason = m->request->hold;

	if (e->held && !reason)
		return say_only(e, "is held already");
	entry_note_hold(e, reason ? reason : HELD_BY_HAND, m->now, &line);
	return note(m, e, &line, "held", o);
}

/* It failed for good and was kept: those whom it failed for wait again. */
static void revive(struct manager *m, struct entry *e, struct buf *line)
{
	struct progress p;
	size_t i;

	for (i = 0; i < e->envelope.n_recipients; i++) {
		if (e->progress[i].standing != STANDING_REFUSED)
			continue;
		p = (struct progress){.standing = STANDING_WAITING,
				      .at = m->now};
		outcome_copy(&p.answer, &e->progress[i].answer);
		entry_note_answer(e, i, &p, line);
		outcome_release(&p.answer);
	}
	entry_note_retry(e, m->now, line);
}

static int release(struct manager *m, struct entry *e, struct outcome *o)
{
	struct buf line = BUF_INIT(LINES_LIMIT);

	if (!e->held)
		return say_only(e, "is not held");
	if (listing_is_undeliverable(e))
		revive(m, e, &line);
	entry_note_release(e, m->now, &line);
	return note(m, e, &line, "released", o);
}

static int retry(struct manager *m, struct entry *e, struct outcome *o)
{
	struct buf line = BUF_INIT(LINES_LIMIT);
	char *lane;

	if (e->held)
		return say_only(e, "is held; --queue-release lets it go");
	lane = entry_lane(e);
	server_forget(m->spool, lane); /* it is asked as well */
	free(lane);
	entry_note_retry(e, m->now, &line);
	return note(m, e, &line, "will be tried with the next run", o);
}

static int remove_entry(struct manager *m, struct entry *e, struct outcome *o)
{
	if (spool_remove(m->spool, e, o) < 0)
		return -1;
	m->done++;
	return say_only(e, "removed");
}

/* ---------------------------------------------------------------- the look */

/* As a file of text has it, LF at the ends of lines; printable on a terminal,
 * where a message could else do what it wants. */
static void print_piece(struct view v, bool is_printable)
{
	struct buf out = BUF_INIT(LINES_LIMIT);
	struct view line;
	const char *lf;

	while (v.n) {
		lf = memchr(v.p, '\n', v.n);
		line = view_make(v.p, lf ? (size_t)(lf - v.p) : v.n);
		v = view_skip(v, line.n + (lf != NULL));
		if (lf && line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (is_printable)
			text_add_printable(&out, line);
		else
			buf_add_view(&out, line);
		if (lf)
			buf_add_char(&out, '\n');
	}
	fwrite(out.p, 1, out.n, stdout);
	buf_release(&out);
}

/* Print the whole lines of what has come, and all of it at the end or where a
 * line has none. */
static void print_lines(struct buf *come, bool is_end, bool is_printable)
{
	const char *lf = memrchr(come->p, '\n', come->n);
	size_t n = lf ? (size_t)(lf + 1 - come->p) : 0;

	if (is_end || (!lf && come->n > LINE_OCTETS_MAX))
		n = come->n;
	print_piece(view_make(come->p, n), is_printable);
	buf_consume(come, n);
}

static int print_body(const struct store *body, bool is_printable,
		      struct outcome *o)
{
	struct buf come = BUF_INIT(LINE_OCTETS_MAX + 2 * PIECE_OCTETS);
	uint64_t offset = 0;
	ptrdiff_t n;

	while (!ferror(stdout)) {
		n = store_read(body, offset, buf_room(&come, PIECE_OCTETS),
			       PIECE_OCTETS, o);
		if (n <= 0)
			break;
		come.n += (size_t)n;
		come.p[come.n] = '\0';
		offset += (uint64_t)n;
		print_lines(&come, false, is_printable);
	}
	print_lines(&come, true, is_printable);
	buf_release(&come);
	return outcome_is_failure(o) ? -1 : 0;
}

static int show(struct manager *m, struct entry *e, struct outcome *o)
{
	struct buf head = BUF_INIT(LISTING_LIMIT);
	bool is_printable = isatty(STDOUT_FILENO);

	if (m->done++)
		printf("\n");
	listing_add_envelope(&head, e);
	buf_add_char(&head, '\n');
	fwrite(head.p, 1, head.n, stdout);
	buf_release(&head);
	print_piece(buf_view(&e->message.header), is_printable);
	printf("\n");
	return e->message.body ? print_body(e->message.body, is_printable, o)
			       : 0;
}

/* --------------------------------------------------------------- the modes */

static const struct {
	enum mode mode;
	int (*act)(struct manager *m, struct entry *e, struct outcome *o);
	bool only_looks, removes;
} modes[] = {
	{MODE_QUEUE_SHOW, show, true, false},
	{MODE_QUEUE_HOLD, hold, false, false},
	{MODE_QUEUE_RELEASE, release, false, false},
	{MODE_QUEUE_REMOVE, remove_entry, false, true},
	{MODE_QUEUE_RETRY, retry, false, false},
};

int manage(const struct request *r)
{
	struct manager m = {.request = r};
	size_t i;

	for (i = 0; modes[i].mode != r->mode; i++)
		;
	m.act = modes[i].act;
	m.only_looks = modes[i].only_looks;
	m.removes = modes[i].removes;
	return go_on(&m);
}
