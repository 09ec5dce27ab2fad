/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What Content-Type and Content-Transfer-Encoding say, read as leniently as
 * mail readers do: this decides what is done to a part, and a part must not be
 * lost for a missing semicolon. Where the parts are is for mail/parts.
 */
#include "mail/media.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define SEGMENTS_MAX 99u /* of a parameter, RFC 2231 3 */

/* ------------------------------------------------------------------ reading */

/* Comments (nested), blanks and line ends (RFC 5322 3.2.2). */
static struct view skip_cfws(struct view v)
{
	size_t depth = 0;
	char c;

	while (v.n) {
		c = v.p[0];
		if (!depth && c != '(' && !text_is_space(c) && c != '\r' &&
		    c != '\n')
			break;
		if (c == '(')
			depth++;
		else if (c == ')' && depth)
			depth--;
		v = view_skip(v, c == '\\' ? 2 : 1);
	}
	return v;
}

/* RFC 2045 5.1 */
static bool is_token(char c)
{
	return c > ' ' && c < 127 && !strchr("()<>@,;:\\\"/[]?=", c);
}

static size_t token_length(struct view v)
{
	size_t n = 0;

	while (n < v.n && is_token(v.p[n]))
		n++;
	return n;
}

static struct view take_token(struct view *v)
{
	struct view token = view_make(v->p, token_length(*v));

	*v = view_skip(*v, token.n);
	return token;
}

size_t media_quoted_length(struct view v)
{
	size_t n = 1;

	while (n < v.n && v.p[n] != '"')
		n += v.p[n] == '\\' ? 2 : 1;
	return n < v.n ? n + 1 : v.n;
}

static size_t blanks_length(struct view v)
{
	size_t n = 0;

	while (n < v.n &&
	       (text_is_space(v.p[n]) || v.p[n] == '\r' || v.p[n] == '\n'))
		n++;
	return n;
}

/* Behind blanks: is it no more of a value that has no quotes? Before the next
 * parameter the semicolon may have been forgotten. */
static bool ends_value(struct view v)
{
	size_t n = token_length(v);

	return !v.n || v.p[0] == ';' || v.p[0] == '(' ||
		(n && n < v.n && v.p[n] == '=');
}

/* People write values with blanks and without quotes. Whether there are line
 * ends among the blanks must make no difference. */
static size_t value_length(struct view v)
{
	size_t n = 0, blanks;

	if (v.n && v.p[0] == '"')
		return media_quoted_length(v);
	while (n < v.n && v.p[n] != ';') {
		blanks = blanks_length(view_skip(v, n));
		if (blanks && ends_value(view_skip(v, n + blanks)))
			break;
		n += blanks ? blanks : 1;
	}
	return n;
}

bool media_next_parameter(struct view *rest, struct parameter *p)
{
	struct view v = skip_cfws(*rest);

	while (v.n && v.p[0] == ';')
		v = skip_cfws(view_skip(v, 1));
	p->before = view_make(rest->p, (size_t)(v.p - rest->p));
	p->name = take_token(&v);
	v = skip_cfws(v);
	if (!p->before.n || !p->name.n || !v.n || v.p[0] != '=')
		return false;
	v = skip_cfws(view_skip(v, 1));
	p->value = view_make(v.p, value_length(v));
	*rest = view_skip(v, p->value.n);
	return true;
}

void media_unquote(struct view value, struct buf *out)
{
	bool quoted = value.n && value.p[0] == '"';
	size_t i;

	for (i = quoted; i < value.n && !(quoted && value.p[i] == '"'); i++) {
		if (quoted && value.p[i] == '\\' && i + 1 < value.n)
			i++;
		if (value.p[i] != '\r' && value.p[i] != '\n')
			buf_add_char(out, value.p[i]);
	}
}

/* ----------------------------------------------------------------- boundary */

/* RFC 2231 4: `charset'language'`, where the first segment has it, and octets
 * as %XX. */
static void add_extended(struct view v, bool is_first, struct buf *out)
{
	const char *quote;
	size_t i;

	for (i = 0; is_first && i < 2; i++) {
		quote = memchr(v.p, '\'', v.n);
		if (quote)
			v = view_skip(v, (size_t)(quote - v.p) + 1);
	}
	for (i = 0; i < v.n; i++) {
		if (v.p[i] == '%' && i + 2 < v.n &&
		    text_hex_value(v.p[i + 1]) >= 0 &&
		    text_hex_value(v.p[i + 2]) >= 0) {
			buf_add_char(out,
				     (char)(text_hex_value(v.p[i + 1]) * 16 +
					    text_hex_value(v.p[i + 2])));
			i += 2;
		} else {
			buf_add_char(out, v.p[i]);
		}
	}
}

/* `name`, `name*` (it is whole), or that segment: `name*0`, `name*0*` … */
static bool is_segment(struct view found, struct view name,
		       unsigned long long number, bool *is_whole)
{
	unsigned long long n = 0;
	struct view suffix = view_skip(found, name.n);

	if (!view_starts_nocase(found, name))
		return false;
	if (suffix.n && suffix.p[suffix.n - 1] == '*')
		suffix.n--;
	*is_whole = !suffix.n;
	if (!suffix.n)
		return number == 0;
	return suffix.p[0] == '*' &&
		text_to_number(view_skip(suffix, 1), SEGMENTS_MAX, &n) &&
		n == number;
}

/* RFC 2231 3: the segments come in any order. Does another follow this one? */
static bool add_segment(struct view rest, struct view name,
			unsigned long long number, struct buf *out)
{
	struct buf value = BUF_INIT(rest.n);
	struct parameter p;
	bool is_whole = false, is_found = false;

	while (!is_found && media_next_parameter(&rest, &p))
		is_found = is_segment(p.name, name, number, &is_whole);
	if (!is_found)
		return false;
	media_unquote(p.value, &value);
	if (p.name.p[p.name.n - 1] == '*')
		add_extended(buf_view(&value), number == 0, out);
	else
		buf_add_view(out, buf_view(&value));
	buf_release(&value);
	return !is_whole;
}

/* RFC 2046 5.1.1: a blank at its end is none of its own. */
static void find_boundary(struct media *m, struct view parameters)
{
	struct buf *b = &m->boundary;
	unsigned long long n = 0;

	while (n < SEGMENTS_MAX &&
	       add_segment(parameters, VIEW("boundary"), n, b))
		n++;
	while (b->n && (text_is_space(b->p[b->n - 1])))
		buf_truncate(b, b->n - 1);
	if (b->overflow)
		buf_truncate(b, 0);
}

/* --------------------------------------------------------------------- kind */

static const struct {
	const char *type, *subtype; /* "*": any */
	enum media_kind kind;
} kinds[] = {
	{"text", "*", MEDIA_TEXT},
	{"multipart", "digest", MEDIA_DIGEST},
	{"multipart", "signed", MEDIA_SIGNED},
	{"multipart", "*", MEDIA_MULTIPART},
	{"message", "rfc822", MEDIA_MESSAGE},
	{"message", "news", MEDIA_MESSAGE},
	{"message", "global", MEDIA_OTHER},
	{"message", "global-headers", MEDIA_OTHER},
	{"message", "global-delivery-status", MEDIA_OTHER},
	{"message", "global-disposition-notification", MEDIA_OTHER},
	{"message", "*", MEDIA_FIXED},
};

static enum media_kind find_kind(struct view type, struct view subtype)
{
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (view_equal_nocase(type, view_of(kinds[i].type)) &&
		    (kinds[i].subtype[0] == '*' ||
		     view_equal_nocase(subtype, view_of(kinds[i].subtype))))
			return kinds[i].kind;
	return MEDIA_OTHER;
}

bool media_is_composite(const struct media *m)
{
	return m->kind == MEDIA_MULTIPART || m->kind == MEDIA_DIGEST ||
		m->kind == MEDIA_SIGNED || m->kind == MEDIA_MESSAGE;
}

static bool take_type(struct view *body, struct view *type,
		      struct view *subtype)
{
	*body = skip_cfws(*body);
	*type = take_token(body);
	*body = skip_cfws(*body);
	if (!body->n || body->p[0] != '/')
		return false;
	*body = skip_cfws(view_skip(*body, 1));
	*subtype = take_token(body);
	return type->n && subtype->n;
}

size_t media_type_length(struct view body)
{
	struct view rest = body, type, subtype;

	return take_type(&rest, &type, &subtype) ? body.n - rest.n : 0;
}

size_t media_token_length(struct view body)
{
	struct view rest = skip_cfws(body);

	return take_token(&rest).n ? body.n - rest.n : 0;
}

void media_parse(struct media *m, struct view body)
{
	struct view type, subtype;

	buf_clear(&m->boundary);
	m->kind = MEDIA_OTHER;
	if (take_type(&body, &type, &subtype))
		m->kind = find_kind(type, subtype);
	if (!media_is_composite(m) || m->kind == MEDIA_MESSAGE)
		return;
	find_boundary(m, body);
	if (!m->boundary.n)
		m->kind = MEDIA_OTHER;
}

void media_release(struct media *m)
{
	buf_release(&m->boundary);
}

/* ----------------------------------------------------------------- encoding */

/* The first of a kind is its name; the others are written by mistake. */
static const struct {
	const char *word;
	enum encoding encoding;
} encodings[] = {
	{"7bit", ENCODING_7BIT},     {"8bit", ENCODING_8BIT},
	{"binary", ENCODING_BINARY}, {"quoted-printable", ENCODING_QP},
	{"base64", ENCODING_BASE64}, {"7-bit", ENCODING_7BIT},
	{"8-bit", ENCODING_8BIT},    {"7bits", ENCODING_7BIT},
	{"8bits", ENCODING_8BIT},    {"ascii", ENCODING_7BIT},
	{"us-ascii", ENCODING_7BIT}, {"utf-8", ENCODING_8BIT},
	{"utf8", ENCODING_8BIT},     {"iso-8859-1", ENCODING_8BIT},
	{"none", ENCODING_7BIT},     {"", ENCODING_7BIT},
};

#define N_ENCODINGS (sizeof(encodings) / sizeof(encodings[0]))

enum encoding media_encoding(struct view body)
{
	struct view word, rest;
	size_t i;

	body = skip_cfws(body);
	word = take_token(&body);
	rest = skip_cfws(body);
	if (rest.n && (rest.n == body.n || !word.n) && rest.p[0] != ';')
		return ENCODING_UNKNOWN;
	for (i = 0; i < N_ENCODINGS; i++)
		if (view_equal_nocase(word, view_of(encodings[i].word)))
			return encodings[i].encoding;
	return ENCODING_UNKNOWN;
}

const char *media_encoding_name(enum encoding encoding)
{
	size_t i;

	for (i = 0; i < N_ENCODINGS; i++)
		if (encodings[i].encoding == encoding)
			return encodings[i].word;
	return "";
}

bool media_is_identity(enum encoding encoding)
{
	return encoding == ENCODING_7BIT || encoding == ENCODING_8BIT ||
		encoding == ENCODING_BINARY;
}
