/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Replies: bytes in, a value out. What a reply means at a step is here too, in
 * one table; what follows from it is the caller's.
 */
#include "smtp/reply.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* The status that a bare code stands for (RFC 5321 4.2.3, RFC 4954 6,
 * RFC 7504). The first row that fits counts; STEP_ANY fits every step. */
#define STEP_ANY (-1)

static const struct {
	int code;
	int step;
	const char *status;
} meanings[] = {
	{421, STEP_ANY, "4.3.2"},      {450, STEP_ANY, "4.2.0"},
	{451, STEP_ANY, "4.3.0"},      {452, STEP_ANY, "4.3.1"},
	{454, STEP_ANY, "4.7.0"},      {500, STEP_ANY, "5.5.2"},
	{501, STEP_ANY, "5.5.4"},      {502, STEP_ANY, "5.5.1"},
	{503, STEP_ANY, "5.5.1"},      {504, STEP_ANY, "5.5.4"},
	{521, STEP_ANY, "5.3.2"},      {530, STEP_ANY, "5.7.0"},
	{534, STEP_ANY, "5.7.9"},      {535, STEP_ANY, "5.7.8"},
	{538, STEP_ANY, "5.7.11"},     {550, STEP_RCPT, "5.1.1"},
	{550, STEP_MAIL, "5.7.1"},     {550, STEP_DATA, "5.7.1"},
	{550, STEP_CONTENT, "5.7.1"},  {551, STEP_ANY, "5.1.6"},
	{552, STEP_RCPT, "5.2.2"},     {552, STEP_ANY, "5.3.4"},
	{553, STEP_RCPT, "5.1.3"},     {553, STEP_MAIL, "5.1.7"},
	{554, STEP_GREETING, "5.3.2"}, {555, STEP_ANY, "5.5.4"},
	{556, STEP_ANY, "5.1.10"},
};

static const enum cause causes[] = {
	[STEP_GREETING] = CAUSE_CONNECT, [STEP_EHLO] = CAUSE_PROTOCOL,
	[STEP_STARTTLS] = CAUSE_TLS,     [STEP_AUTH] = CAUSE_AUTH,
	[STEP_MAIL] = CAUSE_SENDER,      [STEP_RCPT] = CAUSE_RECIPIENT,
	[STEP_DATA] = CAUSE_CONTENT,     [STEP_CONTENT] = CAUSE_CONTENT,
	[STEP_OTHER] = CAUSE_PROTOCOL,
};

/* One line of a reply: its code, whether more follow, its text. */
struct line {
	int code;
	bool last;
	struct view text;
};

static const char not_a_reply[] = "what it sent is not an SMTP reply";
static const char long_line[] = "it sent a reply line of over 4096 octets";
static const char long_reply[] = "it sent a reply of over 65536 octets";
static const char mixed_codes[] = "it sent a reply whose lines disagree";

/* Can these octets begin a reply? Tells garbage from a reply that is still on
 * its way, before a line end has come. */
static bool may_begin_reply(struct view v)
{
	size_t i;

	for (i = 0; i < v.n && i < 3; i++)
		if (!text_is_digit(v.p[i]))
			return false;
	if (v.n > 0 && (v.p[0] < '2' || v.p[0] > '5'))
		return false;
	return v.n <= 3 || (v.p[3] && strchr(" -\r\n", v.p[3]));
}

/* Cut one line off the input: its octets, 0 if it is not complete, -1. */
static ptrdiff_t cut_line(struct view input, struct line *line,
			  const char **why)
{
	const char *end;
	size_t n;

	if (!may_begin_reply(input)) {
		*why = not_a_reply;
		return -1;
	}
	end = memchr(input.p, '\n', input.n);
	n = end ? (size_t)(end - input.p) : input.n;
	if (n > REPLY_LINE_LIMIT) {
		*why = long_line;
		return -1;
	}
	if (!end)
		return 0;
	line->text = view_trim(view_make(input.p, n));
	line->code = (input.p[0] - '0') * 100 + (input.p[1] - '0') * 10 +
		(input.p[2] - '0');
	line->last = input.p[3] != '-';
	line->text = view_skip(line->text, 4);
	return (ptrdiff_t)n + 1;
}

/* One to three digits at the start of v: how many. */
static size_t count_digits(struct view v)
{
	size_t n = 0;

	while (n < v.n && n < 4 && text_is_digit(v.p[n]))
		n++;
	return n <= 3 ? n : 0;
}

/* The octets of an enhanced status code at the start of v; 0 if there is none
 * (RFC 2034 4). */
static size_t status_length(struct view v)
{
	size_t subject, detail, n;

	if (v.n < 5 || !strchr("245", v.p[0]) || v.p[1] != '.')
		return 0;
	subject = count_digits(view_skip(v, 2));
	n = 2 + subject;
	if (!subject || n >= v.n || v.p[n] != '.')
		return 0;
	detail = count_digits(view_skip(v, n + 1));
	n += 1 + detail;
	if (!detail || (n < v.n && !text_is_space(v.p[n])))
		return 0;
	return n;
}

static void add_line(struct reply *reply, const struct line *line)
{
	struct view text = line->text;
	size_t n = line->code / 100 == 3 ? 0 : status_length(text);

	if (n) {
		snprintf(reply->status, sizeof(reply->status), "%d%.*s",
			 line->code / 100, (int)n - 1, text.p + 1);
		text = view_trim(view_skip(text, n));
	}
	if (reply->code)
		buf_add_char(&reply->text, '\n');
	reply->code = line->code;
	buf_add_view(&reply->text, text);
}

ptrdiff_t reply_parse(struct view input, struct reply *reply, const char **why)
{
	struct line line = {0};
	size_t used = reply->taken;
	ptrdiff_t n;

	if (!used)
		reply_clear(reply);
	reply->taken = 0;
	do {
		n = cut_line(view_skip(input, used), &line, why);
		if (n < 0)
			return n;
		if (n == 0 && input.n <= REPLY_LIMIT) {
			reply->taken = used;
			return 0;
		}
		used += (size_t)n;
		if (n == 0 || used > REPLY_LIMIT) {
			*why = long_reply;
			return -1;
		}
		if (reply->code && reply->code != line.code) {
			*why = mixed_codes;
			return -1;
		}
		add_line(reply, &line);
	} while (!line.last);
	return (ptrdiff_t)used;
}

int reply_class(const struct reply *reply)
{
	return reply->code / 100;
}

const char *reply_status(const struct reply *reply, enum step step)
{
	size_t i;

	if (reply->status[0])
		return reply->status;
	for (i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].code == reply->code &&
		    (meanings[i].step == STEP_ANY ||
		     meanings[i].step == (int)step))
			return meanings[i].status;
	switch (reply_class(reply)) {
	case 4: return "4.0.0";
	case 5: return "5.0.0";
	default: return "2.0.0";
	}
}

void reply_add_words(const struct reply *reply, struct buf *out)
{
	size_t i;

	buf_printf(out, "%d", reply->code);
	if (reply->status[0])
		buf_printf(out, " %s", reply->status);
	if (reply->text.n)
		buf_add_char(out, ' ');
	for (i = 0; i < reply->text.n; i++)
		buf_add_char(out,
			     reply->text.p[i] == '\n' ? ' ' : reply->text.p[i]);
}

/* Which command it was, where the line would not tell otherwise. */
static void add_verb(struct buf *out, enum step step, const char *verb,
		     bool is_refusal)
{
	if (!is_refusal)
		buf_printf(out, " (unexpected in reply to %s)", verb);
	else if (step != STEP_RCPT && step != STEP_GREETING)
		buf_printf(out, " (in reply to %s)", verb);
}

int reply_fail(const struct reply *reply, enum step step, const char *host,
	       const char *verb, struct outcome *o)
{
	struct buf words = BUF_INIT(REPLY_LIMIT * 2);
	bool is_refusal = reply_class(reply) >= 4;
	enum cause cause = is_refusal ? causes[step] : CAUSE_PROTOCOL;
	const char *status = is_refusal ? reply_status(reply, step) : "5.5.0";

	reply_add_words(reply, &words);
	add_verb(&words, step, verb, is_refusal);
	fail(o, cause, status, "%s", words.p);
	o->reply_code = reply->code;
	outcome_set_host(o, host);
	buf_release(&words);
	return -1;
}

#define TRIMMED 1024u /* octets */

void reply_trim(struct reply *reply)
{
	struct buf kept = BUF_INIT(REPLY_LIMIT);
	size_t n = reply->text.n < TRIMMED ? reply->text.n : TRIMMED;

	buf_add(&kept, reply->text.p, n);
	buf_release(&reply->text);
	reply->text = kept;
}

void reply_copy(struct reply *to, const struct reply *from)
{
	reply_clear(to);
	to->code = from->code;
	memcpy(to->status, from->status, sizeof(to->status));
	buf_add_view(&to->text, buf_view(&from->text));
}

void reply_clear(struct reply *reply)
{
	reply->code = 0;
	reply->taken = 0;
	reply->status[0] = '\0';
	buf_clear(&reply->text);
}

void reply_release(struct reply *reply)
{
	reply_clear(reply);
	buf_release(&reply->text);
}
