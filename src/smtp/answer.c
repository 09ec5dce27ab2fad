/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How the server's side answers: in its own words, with a failure, or with a
 * reply that it was given itself.
 */
#include "smtp/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define TEXT_MAX 400u /* octets of a line that we word */

void answer_line(struct channel *c, int code, bool is_last, struct view text)
{
	char number[8];

	snprintf(number, sizeof(number), "%03d%c", code, is_last ? ' ' : '-');
	channel_put(c, view_of(number));
	channel_put(c, text);
	channel_put(c, VIEW("\r\n"));
}

void answer(struct channel *c, int code, const char *format, ...)
{
	struct buf line = BUF_INIT(4 * TEXT_MAX);
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	text_add_printable(&line, view_of(text));
	answer_line(c, code, true, buf_view(&line));
	buf_release(&line);
}

/* What a failure of ours is in the protocol's words; rows in order. */
static int code_of(const struct outcome *o)
{
	static const struct {
		const char *status;
		int code;
	} rows[] = {
		{"4.3.1", 452}, {"4.7.*", 454}, {"4.*", 451},
		{"5.1.3", 501}, {"5.1.7", 501}, {"5.1.*", 550},
		{"5.3.4", 552}, {"5.6.7", 553}, {"5.7.*", 550},
	};
	size_t i;

	if (o->reply_code >= 400)
		return o->reply_code;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (text_matches(view_of(rows[i].status), view_of(o->status)))
			return rows[i].code;
	return 554;
}

/* The words of a failure; a server's begin with its code and status. */
static struct view words_of(const struct outcome *o)
{
	struct view text = view_of(o->text);
	struct view rest = text, word;

	if (!o->reply_code)
		return text;
	view_next_word(&rest);
	text = view_trim(rest);
	word = view_next_word(&rest);
	return view_equal(word, view_of(o->status)) ? view_trim(rest) : text;
}

void answer_failure(struct channel *c, const struct outcome *o)
{
	struct view words = words_of(o);
	const char *more =
		o->uncertain ? " (the message may have been delivered)" : "";

	answer(c, code_of(o), "%s %.*s%s", o->status,
	       words.n < TEXT_MAX ? (int)words.n : (int)TEXT_MAX, words.p,
	       more);
}

void answer_reply(struct channel *c, const struct reply *r)
{
	struct view rest = buf_view(&r->text), one;
	struct buf line = BUF_INIT(REPLY_LINE_LIMIT * 4);
	const char *lf;

	do {
		lf = memchr(rest.p, '\n', rest.n);
		one = view_make(rest.p, lf ? (size_t)(lf - rest.p) : rest.n);
		rest = view_skip(rest, one.n + 1);
		buf_clear(&line);
		if (r->status[0])
			buf_printf(&line, "%s ", r->status);
		text_add_printable(&line, one);
		answer_line(c, r->code, !lf, buf_view(&line));
	} while (lf);
	buf_release(&line);
}
