/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the queues are that a configuration speaks of. */
#include "app/queues.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "app/listing.h"
#include "app/report.h"
#include "queue/place.h"
#include "queue/schedule.h"
#include "queue/spool.h"

#define OLD_SECONDS 86400 /* what waits longer is worth a word */
#define OLDEST_MAX  10    /* entries that are looked at, of each queue */

/* By another name, too: /home may be a link. */
static bool is_same(const char *a, const char *b)
{
	struct stat one, other;

	if (!strcmp(a, b))
		return true;
	return stat(a, &one) == 0 && stat(b, &other) == 0 &&
		one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

static void add_path(struct strings *paths, const char *path)
{
	size_t i;

	for (i = 0; i < paths->n; i++)
		if (is_same(paths->p[i], path))
			return;
	strings_add(paths, view_of(path));
}

static void add_usual(struct strings *paths)
{
	struct strings usual = STRINGS_INIT;
	size_t i;

	place_add_usual(&usual);
	for (i = 0; i < usual.n; i++)
		add_path(paths, usual.p[i]);
	strings_release(&usual);
}

static void add_account(void *context, const struct account *a)
{
	if (a->queue.dir)
		add_path(context, a->queue.dir);
}

void queues_paths(const struct request *r, struct config *config,
		  struct strings *paths)
{
	size_t i;

	add_usual(paths);
	if (config)
		config_visit(config, add_account, paths);
	for (i = 0; i < r->n_overrides; i++)
		if (!strcmp(r->overrides[i].name, "queue_dir") &&
		    r->overrides[i].value)
			add_path(paths, r->overrides[i].value);
}

void queues_find(const struct request *r, struct strings *paths)
{
	struct outcome o = OUTCOME_INIT;
	struct config *config = cmdline_load_config(r, &o);

	if (!config && !config_is_missing(&o))
		report_failure(NULL, &o);
	queues_paths(r, config, paths);
	config_free(config);
	outcome_release(&o);
}

/* What is to be said of all queues. */
struct old {
	int64_t before; /* what was queued until then is old */
	size_t waiting;
	int64_t since; /* the oldest of these */
	size_t failed; /* could not be delivered, nobody could be told */
};

static void note_waiting(struct old *old, int64_t when)
{
	if (!old->waiting++ || when < old->since)
		old->since = when;
}

/* One of the oldest: what a person holds is no news to that person. */
static void look_at_oldest(const struct spool *s, const char *id,
			   struct old *old)
{
	struct entry e = ENTRY_INIT;
	struct outcome ignored = OUTCOME_INIT;
	int64_t when = spool_time_of(id);

	if (spool_read(s, id, &e, &ignored) > 0) {
		if (when < ENTRY_OLDEST) /* by a clock that was wrong */
			when = schedule_since(&e, (int64_t)time(NULL));
		if (listing_is_undeliverable(&e))
			old->failed++;
		else if (!e.held && when <= old->before)
			note_waiting(old, when);
	}
	entry_release(&e);
	outcome_release(&ignored);
}

static void find_old(const char *path, struct old *old)
{
	struct strings ids = STRINGS_INIT;
	struct outcome ignored = OUTCOME_INIT;
	struct spool *s = spool_open(path, false, &ignored);
	size_t i;

	if (s && spool_list(s, &ids, &ignored) < 0)
		strings_release(&ids);
	for (i = 0; i < ids.n && i < OLDEST_MAX; i++)
		look_at_oldest(s, ids.p[i], old);
	for (; i < ids.n && spool_time_of(ids.p[i]) <= old->before; i++)
		note_waiting(old, spool_time_of(ids.p[i]));
	strings_release(&ids);
	spool_close(s);
	outcome_release(&ignored);
}

void queues_warn_old(const struct strings *paths)
{
	struct old old = {.before = (int64_t)time(NULL) - OLD_SECONDS};
	struct buf line = BUF_INIT(1024);
	size_t i;

	for (i = 0; i < paths->n; i++)
		find_old(paths->p[i], &old);
	if (old.waiting) {
		buf_printf(&line,
			   "%zu message%s in the queue for over a day, "
			   "since ",
			   old.waiting, old.waiting == 1 ? " is" : "s are");
		listing_add_time(&line, old.since);
	}
	if (old.failed)
		buf_printf(&line,
			   "%s%zu message%s could not be delivered, and "
			   "nobody could be told",
			   line.n ? "; " : "", old.failed,
			   old.failed == 1 ? "" : "s");
	if (line.n)
		report_line("%s; see mailq (postrider -bp)", line.p);
	buf_release(&line);
}
