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

/* In ASCII, as a client need not know of more (RFC 6531 3.7.4.1), and within
 * RFC 5321 4.5.3.1.5. */
void answer_line(struct channel *c, int code, bool is_last, struct view text)
{
	struct buf line = BUF_INIT(2 * TEXT_MAX);
	size_t i;

	buf_printf(&line, "%03d%c", code, is_last ? ' ' : '-');
	for (i = 0; i < text.n && i < TEXT_MAX; i++)
		buf_add_char(&line,
			     text.p[i] < ' ' || text.p[i] > '~' ? '?'
								: text.p[i]);
	buf_add_text(&line, "\r\n");
	channel_put(c, buf_view(&line));
	buf_release(&line);
}

void answer(struct channel *c, int code, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	answer_line(c, code, true, view_of(text));
}

/* What a failure of ours is in the protocol's words; rows in order. */
static int code_of(const struct outcome *o)
{
	static const struct {
		const char *status;
		int code;
	} rows[] = {
		{"4.3.1", 452}, {"4.7.*", 454}, {"4.*", 451},   {"5.1.3", 501},
		{"5.1.7", 501}, {"5.5.4", 501}, {"5.1.*", 550}, {"5.3.4", 552},
		{"5.6.7", 553}, {"5.7.*", 550},
	};
	size_t i;

	if (o->reply_code == 421) /* that would end this channel */
		return 451;
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
	struct buf line = BUF_INIT(2 * REPLY_LINE_LIMIT);
	const char *lf;

	do {
		lf = memchr(rest.p, '\n', rest.n);
		one = view_make(rest.p, lf ? (size_t)(lf - rest.p) : rest.n);
		rest = view_skip(rest, one.n + 1);
		buf_clear(&line);
		buf_printf(&line, "%s ", reply_status(r, STEP_CONTENT));
		buf_add_view(&line, one);
		answer_line(c, r->code, !lf, buf_view(&line));
	} while (lf);
	buf_release(&line);
}
