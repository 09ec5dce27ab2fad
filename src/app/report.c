/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is told to people and programs: lines on stderr, JSON on standard
 * output, the dialogue. Everything printed is made printable first.
 */
#include "app/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/exitcode.h"
#include "base/encode.h"
#include "base/text.h"

static void print_line(struct view raw)
{
	struct buf line = BUF_INIT(REPORT_LINE_LIMIT);

	text_add_printable(&line, raw);
	buf_add_char(&line, '\n');
	fwrite(line.p, 1, line.n, stderr);
	buf_release(&line);
}

void report_line(const char *format, ...)
{
	char text[8192];
	struct buf line = BUF_INIT(REPORT_LINE_LIMIT);
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buf_printf(&line, REPORT_NAME "%s", text);
	print_line(buf_view(&line));
	buf_release(&line);
}

/* What to make of it: lasting or not, and whether it may have arrived. */
static const char *advice(const struct outcome *o)
{
	if (o->uncertain)
		return "; the message may have been delivered all the same";
	if (outcome_is_temporary(o) && !o->reply_code && o->cause != CAUSE_TLS)
		return "; it may work later";
	return "";
}

/* Who said it, or whom it is about, unless the words tell already. */
static void add_host(struct buf *line, const struct outcome *o)
{
	if (o->reply_code)
		buf_printf(line, "%s said: ", o->host);
	else if (o->host && o->text && !strstr(o->text, o->host))
		buf_printf(line, "%s: ", o->host);
}

void report_failure(const char *who, const struct outcome *o)
{
	struct buf line = BUF_INIT(REPORT_LINE_LIMIT);

	if (who)
		buf_printf(&line, "%s: ", who);
	add_host(&line, o);
	buf_add_text(&line, o->text ? o->text : "failed");
	buf_add_text(&line, advice(o));
	if (o->cause != CAUSE_USAGE && !o->reply_code)
		buf_printf(&line, " (%s)", o->status);
	report_line("%s", line.p);
	buf_release(&line);
}

static bool is_same_failure(const struct outcome *a, const struct outcome *b)
{
	return a->cause == b->cause && strcmp(a->status, b->status) == 0 &&
		a->text && b->text && strcmp(a->text, b->text) == 0;
}

/* Did all fail, for one reason that is no recipient's own? */
static bool is_whole_failure(const struct envelope *e,
			     const struct result *results)
{
	size_t i;

	for (i = 0; i < e->n_recipients; i++)
		if (results[i].fate != FATE_FAILED ||
		    results[i].outcome.cause == CAUSE_RECIPIENT ||
		    !is_same_failure(&results[i].outcome, &results[0].outcome))
			return false;
	return e->n_recipients > 0;
}

void report_results(const struct envelope *e, const struct result *results)
{
	size_t i, withheld = 0;

	if (is_whole_failure(e, results)) {
		report_failure(NULL, &results[0].outcome);
		return;
	}
	for (i = 0; i < e->n_recipients; i++) {
		if (results[i].fate == FATE_FAILED)
			report_failure(e->recipients[i].address.mailbox,
				       &results[i].outcome);
		withheld += results[i].fate == FATE_WITHHELD;
	}
	if (withheld)
		report_line("not sent to %zu other%s either: partial is off",
			    withheld, withheld == 1 ? "" : "s");
}

/* Milliseconds of each stage; null: it was not reached. */
static void add_stages(struct buf *out, const struct stages *s)
{
	int i;

	buf_add_text(out, ", \"stages_ms\": {");
	for (i = STAGE_NONE + 1; i < STAGE_N; i++) {
		buf_printf(out, "%s\"%s\": ", i > STAGE_NONE + 1 ? ", " : "",
			   stage_name((enum stage)i));
		if (s->seen[i])
			buf_printf(out, "%" PRId64 ".%03" PRId64,
				   s->us[i] / 1000, s->us[i] % 1000);
		else
			buf_add_text(out, "null");
	}
	buf_add_text(out, "}");
}

/* An object that is not yet closed. */
static void add_result(struct buf *out, const struct recipient *recipient,
		       const struct result *r, const char *host)
{
	static const char *const fates[] = {
		[FATE_FAILED] = "failed",
		[FATE_DELIVERED] = "delivered",
		[FATE_WITHHELD] = "withheld",
		[FATE_QUEUED] = "queued",
	};
	const struct outcome *o = &r->outcome;
	bool delivered = r->fate == FATE_DELIVERED;
	struct buf words = BUF_INIT(REPORT_LINE_LIMIT);

	if (delivered)
		reply_add_words(&r->reply, &words);
	else
		buf_add_text(&words, o->text ? o->text : "");
	buf_add_text(out, "{\"recipient\": ");
	encode_json(out, view_of(recipient->address.mailbox));
	encode_json_member(out, "result", fates[r->fate]);
	encode_json_member(out, "status",
			   delivered ? reply_status(&r->reply, STEP_CONTENT)
				     : o->status);
	buf_printf(out, ", \"reply_code\": %d",
		   delivered ? r->reply.code : o->reply_code);
	encode_json_member(out, "host", o->host ? o->host : host);
	encode_json_member(out, "text", words.p);
	encode_json_member(out, "cause", cause_name(o->cause));
	buf_printf(out, ", \"uncertain\": %s, \"exit_code\": %d",
		   o->uncertain ? "true" : "false",
		   r->fate == FATE_QUEUED ? 0 : exitcode_of(o));
	buf_release(&words);
}

int report_json(const struct envelope *e, const struct result *results,
		const char *host, const struct stages *stages,
		struct outcome *o)
{
	struct buf line = BUF_INIT(REPORT_LINE_LIMIT);
	size_t i;

	for (i = 0; i < e->n_recipients; i++) {
		buf_clear(&line);
		add_result(&line, &e->recipients[i], &results[i], host);
		add_stages(&line, stages);
		buf_add_text(&line, "}\n");
		fwrite(line.p, 1, line.n, stdout);
	}
	buf_release(&line);
	if (report_flush(o) == 0)
		return 0;
	outcome_add_context(o, "the report is not complete");
	return -1;
}

int report_flush(struct outcome *o)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	return fail(o, CAUSE_SYSTEM, "5.3.0",
		    "cannot write to standard output: %s", strerror(errno));
}

void report_add_dialogue(struct buf *out, enum trace_kind kind,
			 struct view line)
{
	static const char *const marks[] = {
		[TRACE_SENT] = "--> ",
		[TRACE_RECEIVED] = "<-- ",
		[TRACE_NOTE] = "=== ",
	};

	buf_add_text(out, marks[kind]);
	text_add_printable(out, line);
	buf_add_char(out, '\n');
}
