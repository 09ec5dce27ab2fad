/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parameters in ASCII: each is written in the one form of RFC 2045 and RFC 2231
 * that every reader reads as this one did. Reading is mail/media's.
 */
#include "mail/parameter.h"

#include <string.h>

#include "base/encode.h"
#include "base/text.h"
#include "mail/coder.h"
#include "mail/media.h"

/* RFC 2231 7 attribute-char. */
static bool is_attribute_char(char c)
{
	return text_is_alpha(c) || text_is_digit(c) ||
		(c && strchr("!#$&+-.^_`{|}~", c));
}

/* Octets at the front of v whose coded form fits the room; at least one. */
static size_t fitting(struct view v, size_t room)
{
	size_t n = 0, coded = 0;

	while (n < v.n) {
		coded += is_attribute_char(v.p[n]) ? 1 : 3;
		if (coded > room && n)
			break;
		n++;
	}
	return n;
}

static void add_percent(struct view v, struct buf *out)
{
	size_t i;

	for (i = 0; i < v.n; i++) {
		if (is_attribute_char(v.p[i])) {
			buf_add_char(out, v.p[i]);
		} else {
			buf_add_char(out, '%');
			encode_hex(out, view_make(v.p + i, 1), '\0');
		}
	}
}

/* RFC 2231 3, 4: `name*=charset''…`, or numbered segments of it, one a line.
 * One parameter of a field may have segments, so that those of two with the
 * same name are not taken for one. */
static void add_extended(struct view name, struct view value, bool *may_segment,
			 struct buf *out)
{
	const char *charset = view_is_utf8(value) ? "utf-8" : "unknown-8bit";
	const size_t frame = name.n + 8; /* "*NN*=" and "; " */
	size_t room = CODER_LINE_WIDTH > frame + 20 ? CODER_LINE_WIDTH - frame
						    : 20;
	size_t i, n = *may_segment ? fitting(value, room - 14) : value.n;
	bool is_whole = n == value.n;

	for (i = 0; i == 0 || value.n; i++) {
		if (i) {
			buf_add_text(out, ";\r\n ");
			n = fitting(value, room);
		}
		buf_add_view(out, name);
		if (!is_whole)
			buf_printf(out, "*%zu", i);
		buf_add_text(out, "*=");
		if (i == 0)
			buf_printf(out, "%s''", charset);
		add_percent(view_make(value.p, n), out);
		value = view_skip(value, n);
	}
	*may_segment = *may_segment && is_whole;
}

/* The value is one already that RFC 2231 extends (`name*`), or a segment of
 * one (`name*1`). */
static void add_again(struct view name, struct view value, struct buf *out)
{
	bool is_extended = name.p[name.n - 1] == '*';
	bool is_first = !is_extended && name.n >= 2 &&
		!memcmp(name.p + name.n - 2, "*0", 2);
	struct view one;

	buf_add_view(out, name);
	buf_add_text(out, is_extended ? "=" : "*=");
	if (is_first)
		buf_printf(out, "%s''",
			   view_is_utf8(value) ? "utf-8" : "unknown-8bit");
	for (; value.n; value = view_skip(value, 1)) {
		one = view_make(value.p, 1);
		if (is_extended && (one.p[0] == '%' || one.p[0] == '\''))
			buf_add_view(out, one);
		else
			add_percent(one, out);
	}
}

/* RFC 2045 5.1: a token, or octets in quotes. */
static void add_value(struct view value, struct buf *out)
{
	bool is_token = value.n > 0;
	size_t i;

	for (i = 0; i < value.n; i++)
		is_token = is_token &&
			(is_attribute_char(value.p[i]) ||
			 strchr("*'%", value.p[i]));
	if (is_token) {
		buf_add_view(out, value);
		return;
	}
	buf_add_char(out, '"');
	for (i = 0; i < value.n; i++) {
		if (value.p[i] == '"' || value.p[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, value.p[i]);
	}
	buf_add_char(out, '"');
}

static void code_parameter(const struct parameter *p, bool *may_segment,
			   struct buf *out)
{
	struct buf value = BUF_INIT(CODER_FIELD_LIMIT);
	bool is_8bit = view_has_8bit(p->value);

	if (!memchr(p->before.p, ';', p->before.n))
		buf_add_char(out, ';');
	coder_write_tokens(p->before, out);
	if (is_8bit && coder_column(out) + p->name.n + 30 > CODER_LINE_WIDTH &&
	    !memchr(p->before.p, '\n', p->before.n))
		buf_add_text(out, "\r\n ");
	media_unquote(p->value, &value);
	if (p->name.p[p->name.n - 1] == '*' ||
	    (is_8bit && memchr(p->name.p, '*', p->name.n))) {
		add_again(p->name, buf_view(&value), out);
	} else if (is_8bit) {
		add_extended(p->name, buf_view(&value), may_segment, out);
	} else {
		buf_add_view(out, p->name);
		buf_add_char(out, '=');
		if (p->value.n && p->value.p[0] == '"')
			buf_add_view(out, p->value);
		else
			add_value(buf_view(&value), out);
	}
	buf_release(&value);
}

/* What could not be read stays as a comment, where it means nothing else. */
static void code_rest(struct view v, struct buf *out)
{
	struct buf text = BUF_INIT(CODER_FIELD_LIMIT);

	while (v.n && (coder_is_blank(v.p[0]) || v.p[0] == ';'))
		v = view_skip(v, 1);
	coder_add_unfolded(&text, view_trim(v));
	if (text.n) {
		buf_add_text(out, "\r\n (");
		encode_words(out, buf_view(&text), 2);
		buf_add_char(out, ')');
	}
	buf_release(&text);
}

bool parameter_write_ascii(enum field_id id, struct view v, struct buf *out)
{
	size_t n = id == FIELD_CONTENT_TYPE ? media_type_length(v)
					    : media_token_length(v);
	bool may_segment = true;
	struct parameter p;

	if (!n)
		return false;
	coder_write_tokens(coder_take(&v, n), out);
	while (media_next_parameter(&v, &p))
		code_parameter(&p, &may_segment, out);
	code_rest(v, out);
	return true;
}
