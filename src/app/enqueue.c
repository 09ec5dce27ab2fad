/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a job to an entry of the queue: by what account, for whom. */
#include "app/enqueue.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "conf/setting.h"
#include "queue/place.h"
#include "queue/schedule.h"
#include "queue/spool.h"

#define LINE_LIMIT (64u << 10) /* octets of a setting */
#define LIST_LIMIT (64u << 20) /* octets of events */

/* As it is found from anywhere. Links stay: they may lead elsewhere by then. */
static void add_absolute(struct buf *out, const char *name)
{
	char here[PATH_MAX];

	if (name[0] != '/' && getcwd(here, sizeof(here)))
		buf_printf(out, "%s/", here);
	buf_add_text(out, name);
}

/* Where a queue run finds it again; a descriptor is this process's alone. What
 * has no such name (a pipe, a file that is gone) keeps the one it was given, so
 * that it is never taken for the usual configuration. */
static char *config_path(const struct request *r)
{
	const char *name = r->config_file;
	struct buf path = BUF_INIT(LINE_LIMIT);
	char *file = NULL;

	if (!name)
		return NULL;
	if (!strncmp(name, "/dev/", 5) || !strncmp(name, "/proc/", 6))
		file = realpath(name, NULL);
	if (file)
		return file;
	add_absolute(&path, name);
	return buf_detach(&path);
}

/* Does it stand for no file, whatever there is in this directory? It is among
 * those of "FILE|system". */
static bool is_word(const struct setting *row, const char *value)
{
	const char *word = row->argument ? strchr(row->argument, '|') : NULL;

	return (row->may_be_off &&
		view_equal_nocase(view_of(value), VIEW("off"))) ||
		(word && !strcmp(word + 1, value));
}

/* A file that is here is named so that it is found from anywhere. */
static void add_setting(struct entry *e, const struct override *one)
{
	const struct setting *row = setting_find(view_of(one->name));
	struct buf line = BUF_INIT(LINE_LIMIT);
	const char *value = one->value ? one->value : "";

	buf_add_text(&line, one->name);
	if (one->value)
		buf_add_char(&line, ' ');
	if (row && row->type == SETTING_PATH && !is_word(row, value) &&
	    access(value, F_OK) == 0)
		add_absolute(&line, value);
	else
		buf_add_text(&line, value);
	strings_add(&e->settings, buf_view(&line));
	buf_release(&line);
}

/* What says which server it goes to, and how. */
static void describe_way(const struct job *job, struct entry *e)
{
	const struct request *r = job->request;
	size_t i;

	e->config_file = config_path(r);
	e->account = memory_dup(job->account->name);
	for (i = 0; i < r->n_overrides; i++)
		add_setting(e, &r->overrides[i]);
}

char *enqueue_lane(const struct job *job)
{
	struct entry e = ENTRY_INIT;
	char *lane;

	describe_way(job, &e);
	lane = entry_lane(&e);
	entry_release(&e);
	return lane;
}

bool enqueue_takes(const struct job *job, size_t recipient)
{
	const struct result *r;

	if (!job->results)
		return true;
	r = &job->results[recipient];
	if (r->fate == FATE_WITHHELD)
		return true;
	return r->fate == FATE_FAILED &&
		(job->was_unreached || outcome_is_temporary(&r->outcome));
}

bool enqueue_is_refused(const struct job *job, size_t recipient)
{
	return job->results && job->results[recipient].fate == FATE_FAILED &&
		!enqueue_takes(job, recipient);
}

static bool comes_along(const struct job *job, size_t recipient)
{
	return enqueue_takes(job, recipient) ||
		(job->reports_refusals && enqueue_is_refused(job, recipient));
}

/* The job's envelope, less those who need it no more. It shares all texts with
 * the job: only its array is its own. */
static struct envelope open_envelope(const struct job *job)
{
	struct envelope open = job->envelope;
	size_t i;

	open.recipients = memory_resize(NULL, open.n_recipients + 1,
					sizeof(*open.recipients));
	open.n_recipients = 0;
	for (i = 0; i < job->envelope.n_recipients; i++)
		if (comes_along(job, i))
			open.recipients[open.n_recipients++] =
				job->envelope.recipients[i];
	return open;
}

/* What its server said of each. Where it could not be asked that is known of
 * the server, not of the message. */
static void add_answers(const struct job *job, struct entry *e,
			struct buf *lines)
{
	int64_t now = time(NULL);
	struct progress p = {.at = now};
	size_t i, n = 0;

	if (!job->results || job->was_unreached)
		return;
	for (i = 0; i < job->envelope.n_recipients; i++) {
		if (!comes_along(job, i))
			continue;
		p.standing = enqueue_is_refused(job, i) ? STANDING_REFUSED
							: STANDING_WAITING;
		outcome_copy(&p.answer, &job->results[i].outcome);
		entry_note_answer(e, n++, &p, lines);
	}
	outcome_release(&p.answer);
	if (entry_waiting(e))
		schedule_put_off(e, now, false, lines);
	else
		entry_note_attempt(e, now, 0, lines);
}

static int add(struct spool *s, struct job *job, struct entry *e,
	       struct outcome *o)
{
	struct content *content =
		content_new(buf_view(&job->header), &job->message);
	struct buf unread = BUF_INIT(LIST_LIMIT);
	int rc;

	e->progress = memory_alloc((e->envelope.n_recipients + 1) *
				   sizeof(*e->progress));
	add_answers(job, e, &unread);
	rc = spool_add(s, e, content, job->header.n, o);
	buf_release(&unread);
	content_free(content);
	return rc;
}

static void note_queued(struct job *job, const struct entry *e)
{
	bool was_tried = job->results != NULL;
	size_t i;

	if (!was_tried)
		job->results = job_new_results(job->envelope.n_recipients);
	for (i = 0; i < job->envelope.n_recipients; i++)
		if (!was_tried || enqueue_takes(job, i))
			job->results[i].fate = FATE_QUEUED;
	job->queue_id = memory_dup(e->id);
}

/* All that the job has lent it stays the job's. */
static void release(struct entry *e)
{
	size_t i;

	for (i = 0; e->progress && i < e->envelope.n_recipients; i++)
		outcome_release(&e->progress[i].answer);
	free(e->envelope.recipients);
	e->envelope = ENVELOPE_INIT;
	e->message = MESSAGE_INIT;
	entry_release(e);
}

/* A configuration that comes by a pipe can't be read again, nor can one that
 * has no name any more or none that is good from elsewhere. */
static int check_config_file(const struct request *r, struct outcome *o)
{
	char *path = config_path(r);
	char *file = path && path[0] == '/' ? realpath(path, NULL) : NULL;
	struct stat status;
	bool is_file = file && stat(path, &status) == 0 &&
		S_ISREG(status.st_mode);

	free(path);
	free(file);
	if (!r->config_file || is_file)
		return 0;
	return fail(o, CAUSE_CONFIG, "5.3.5",
		    "%s is no file that a queue run could read again, so "
		    "nothing can be queued with it",
		    r->config_file);
}

int enqueue(struct job *job, const char *hold, struct outcome *o)
{
	char *path = place_path(job->account->queue.dir);
	struct spool *s = NULL;
	struct entry e = ENTRY_INIT;
	int rc = -1;

	if (check_config_file(job->request, o) == 0)
		s = spool_open(path, true, o);
	free(path);
	if (!s)
		return -1;
	e.created = time(NULL);
	e.envelope = open_envelope(job);
	e.message = job->message;
	e.held = memory_dup(hold);
	describe_way(job, &e);
	rc = add(s, job, &e, o);
	if (rc == 0)
		note_queued(job, &e);
	release(&e);
	spool_close(s);
	return rc;
}
