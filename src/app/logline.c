/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One line a submission. Every value that is more than plain word characters is
 * quoted and escaped, so nothing in a message or reply can forge a field.
 */
#include "app/logline.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "app/exitcode.h"
#include "app/report.h"
#include "base/file.h"
#include "base/text.h"

#define VALUE_LIMIT      (64u << 10) /* octets of a value; the rest goes */
#define LINE_LIMIT       (4u << 20)  /* octets; more than all values together */
#define LOCK_PATIENCE_MS 5000

static bool is_plain(struct view v)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (!text_is_alpha(v.p[i]) && !text_is_digit(v.p[i]) &&
		    !strchr("@._-+/:%<>,[]", v.p[i]))
			return false;
	return v.n > 0;
}

static void add_value(struct buf *out, struct view value)
{
	struct buf printable = BUF_INIT(LINE_LIMIT);
	size_t i;

	if (value.n > VALUE_LIMIT)
		value.n = VALUE_LIMIT;
	if (is_plain(value)) {
		buf_add_view(out, value);
		return;
	}
	text_add_printable(&printable, value);
	buf_add_char(out, '"');
	for (i = 0; i < printable.n; i++) {
		if (printable.p[i] == '"' || printable.p[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, printable.p[i]);
	}
	buf_add_char(out, '"');
	buf_release(&printable);
}

static void add_pair(struct buf *out, const char *key, const char *value)
{
	if (!value)
		return;
	buf_printf(out, "%s%s=", out->n ? " " : "", key);
	add_value(out, view_of(value));
}

static void add_number(struct buf *out, const char *key, uint64_t value)
{
	buf_printf(out, "%s%s=%" PRIu64, out->n ? " " : "", key, value);
}

static const char *status_of(const struct result *r)
{
	switch (r->fate) {
	case FATE_DELIVERED: return reply_status(&r->reply, STEP_CONTENT);
	case FATE_WITHHELD: return "withheld";
	case FATE_QUEUED: return "queued";
	default: return r->outcome.status;
	}
}

/* a@b,c@d; with what became of each behind a colon where that differs; of very
 * many the first, and how many more there are. */
static void add_recipients(struct buf *out, const struct logline *l)
{
	struct buf list = BUF_INIT(LINE_LIMIT);
	size_t i, n = l->envelope->n_recipients;
	bool differ = false;

	for (i = 1; l->results && i < n; i++)
		differ |= strcmp(status_of(&l->results[i]),
				 status_of(&l->results[0])) != 0;
	for (i = 0; i < n && list.n < VALUE_LIMIT - 1024; i++) {
		buf_printf(&list, "%s%s", i ? "," : "",
			   l->envelope->recipients[i].address.mailbox);
		if (differ)
			buf_printf(&list, ":%s", status_of(&l->results[i]));
	}
	add_pair(out, "recipients", list.p);
	if (i < n)
		add_number(out, "more", n - i);
	buf_release(&list);
}

/* What was in the way: of the whole, else of the first that was queued or that
 * a report is about. */
static const struct outcome *why_of(const struct logline *l)
{
	size_t i;

	for (i = 0; l->results && !outcome_is_failure(l->outcome) &&
	     i < l->envelope->n_recipients;
	     i++)
		if (l->results[i].fate == FATE_QUEUED ||
		    l->results[i].fate == FATE_FAILED)
			return &l->results[i].outcome;
	return l->outcome;
}

/* What the server said last: its refusal, or its word of acceptance. */
static void add_reply(struct buf *out, const struct logline *l)
{
	struct buf words = BUF_INIT(LINE_LIMIT);

	const struct outcome *why = why_of(l);

	if (outcome_is_failure(why)) {
		add_pair(out, why->reply_code ? "reply" : "error", why->text);
	} else if (l->results && l->envelope->n_recipients &&
		   l->results[0].fate == FATE_DELIVERED) {
		reply_add_words(&l->results[0].reply, &words);
		add_pair(out, "reply", words.p);
	}
	buf_release(&words);
}

/* resolve:0.002,connect:0.031: seconds, of what was entered. */
static void add_stages(struct buf *out, const struct stages *s)
{
	struct buf list = BUF_INIT(1024);
	int i;

	for (i = STAGE_NONE + 1; s && i < STAGE_N; i++)
		if (s->seen[i])
			buf_printf(&list, "%s%s:%" PRId64 ".%03" PRId64,
				   list.n ? "," : "", stage_name((enum stage)i),
				   s->us[i] / 1000000, s->us[i] / 1000 % 1000);
	add_pair(out, "stages", list.n ? list.p : NULL);
	buf_release(&list);
}

void logline_format(const struct logline *l, struct buf *out)
{
	add_pair(out, "id", l->id);
	add_pair(out, "queue", l->queue_id);
	add_pair(out, "account", l->account->name);
	add_pair(out, "host", l->host);
	add_pair(out, "tls", l->tls ? l->tls : "off");
	add_pair(out, "auth", l->mechanism ? l->mechanism : "off");
	if (l->mechanism)
		add_pair(out, "user", l->account->auth.user);
	add_pair(out, "from", l->envelope->sender.mailbox);
	add_recipients(out, l);
	add_number(out, "size", l->size);
	add_pair(out, "status",
		 outcome_is_failure(why_of(l)) ? why_of(l)->status : "2.0.0");
	add_reply(out, l);
	if (why_of(l)->uncertain)
		add_pair(out, "uncertain", "yes");
	buf_printf(out, " elapsed=%" PRId64 ".%03" PRId64, l->elapsed_ms / 1000,
		   l->elapsed_ms % 1000);
	add_stages(out, l->stages);
	add_number(out, "exitcode", (uint64_t)l->exit_code);
}

static void add_time(const char *format, struct buf *out)
{
	time_t now = time(NULL);
	struct tm local;
	char text[256];

	if (!format)
		format = "%Y-%m-%dT%H:%M:%S%z";
	if (localtime_r(&now, &local) &&
	    strftime(text, sizeof(text), format, &local) > 0)
		add_pair(out, "time", text);
}

/* Whole lines only, also when several write at once. */
static int append_locked(int fd, const struct buf *line)
{
	struct timespec nap = {0, 50 * 1000 * 1000};
	int waited;

	for (waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += 50) {
		if (errno != EWOULDBLOCK || waited >= LOCK_PATIENCE_MS)
			break; /* better unlocked than not at all */
		nanosleep(&nap, NULL);
	}
	return file_write_all(fd, line->p, line->n);
}

static void write_file(const struct log_policy *policy, const struct buf *text)
{
	struct buf line = BUF_INIT(LINE_LIMIT);
	int fd, rc;

	add_time(policy->time_format, &line);
	buf_printf(&line, "%s%s\n", line.n ? " " : "", text->p);
	if (strcmp(policy->logfile, "-") == 0) {
		rc = file_write_all(STDOUT_FILENO, line.p, line.n);
	} else {
		fd = open(policy->logfile,
			  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
				  O_NONBLOCK,
			  0600);
		rc = fd < 0 ? -1 : append_locked(fd, &line);
		if (fd >= 0 && close(fd) < 0)
			rc = -1;
	}
	if (rc < 0)
		report_line("warning: cannot write to the log %s: %s",
			    policy->logfile, strerror(errno));
	buf_release(&line);
}

static void write_syslog(const char *tag, int facility, bool is_failure,
			 const struct buf *text)
{
	openlog(tag ? tag : "postrider", LOG_PID, facility);
	syslog(is_failure ? LOG_ERR : LOG_INFO, "%s", text->p);
	closelog();
}

void logline_write_early(const struct outcome *o, const char *syslog_tag,
			 bool as_sendmail)
{
	struct buf text = BUF_INIT(LINE_LIMIT);

	if (!as_sendmail || !outcome_is_failure(o))
		return;
	add_pair(&text, "status", o->status);
	add_pair(&text, "error", o->text);
	add_number(&text, "uid", getuid());
	add_number(&text, "exitcode", (uint64_t)exitcode_of(o));
	write_syslog(syslog_tag, LOG_MAIL, true, &text);
	buf_release(&text);
}

void logline_write(const struct logline *l)
{
	const struct log_policy *policy = &l->account->log;
	struct buf text = BUF_INIT(LINE_LIMIT);

	if (!policy->logfile && !policy->syslog)
		return;
	logline_format(l, &text);
	if (policy->logfile &&
	    !(l->keep_stdout && strcmp(policy->logfile, "-") == 0))
		write_file(policy, &text);
	if (policy->syslog)
		write_syslog(l->syslog_tag, policy->syslog,
			     outcome_is_failure(l->outcome), &text);
	buf_release(&text);
}
