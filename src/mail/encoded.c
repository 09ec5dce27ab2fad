/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fields in ASCII. A field is read as words with blanks between them; words
 * that must be encoded are gathered with the blanks that separate them, as
 * readers drop blanks between encoded words (RFC 2047 6.2). How an encoded
 * word looks is for base/encode.
 */
#include "mail/encoded.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/memory.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/media.h"

#define LINE_WIDTH  76u        /* octets, RFC 2047 2 */
#define COLUMN_FAR  200u       /* columns beyond it are not told apart */
#define FIELD_LIMIT (1u << 30) /* octets; above all that can come */

/* A text in which words are being encoded. */
struct coder {
	struct buf *out;
	struct view gap;    /* blanks in front of the next word, as written */
	struct view before; /* the same in front of `run` */
	struct buf run;     /* words to be encoded, decoded and unfolded */
	bool is_open;       /* there is a run */
	bool is_utf8;       /* the run is UTF-8 */
	bool after_encoded; /* an encoded word was written last */
	bool line_has_one;  /* there is one in the line */
	size_t ahead;       /* octets that must follow a `<` in its line */
	bool is_tight;      /* a blank is needed ahead of an encoded word */
};

static void coder_init(struct coder *c, struct buf *out)
{
	*c = (struct coder){.out = out, .run = BUF_INIT(FIELD_LIMIT)};
	c->gap = c->before = VIEW("");
}

static size_t column_of(const struct buf *b)
{
	size_t n = 0;

	while (n < b->n && n < COLUMN_FAR && b->p[b->n - n - 1] != '\n')
		n++;
	return n;
}

/* Blanks without the line ends among them. */
static void add_unfolded(struct buf *out, struct view v)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (v.p[i] != '\r' && v.p[i] != '\n')
			buf_add_char(out, v.p[i]);
}

/* Write the blanks in front of what has n octets. A line with an encoded word
 * has at most 76 (RFC 2047 2), so it may have to end ahead of them. */
static void coder_write_gap(struct coder *c, size_t n)
{
	bool folds = c->gap.n && memchr(c->gap.p, '\n', c->gap.n);

	if (c->line_has_one && c->gap.n && !folds &&
	    column_of(c->out) + c->gap.n + n > LINE_WIDTH) {
		buf_add_text(c->out, "\r\n");
		folds = true;
	}
	buf_add_view(c->out, c->gap);
	if (folds)
		c->line_has_one = false;
	c->gap = VIEW("");
}

/*
 * The run as encoded words, behind the blanks that were in front of it. If the
 * line has no room, it ends ahead of those blanks rather than behind them.
 */
static void coder_flush(struct coder *c)
{
	struct buf words = BUF_INIT(FIELD_LIMIT);
	struct view v, blanks = c->before;
	const struct view fold = VIEW("\r\n ");

	if (!c->is_open)
		return;
	encode_words(&words, buf_view(&c->run), column_of(c->out) + blanks.n);
	v = buf_view(&words);
	if (v.n > fold.n && !memcmp(v.p, fold.p, fold.n)) {
		v = view_skip(v, fold.n);
		if (blanks.n && !memchr(blanks.p, '\n', blanks.n))
			buf_add_text(c->out, "\r\n");
	}
	buf_add_view(c->out, blanks);
	buf_add_view(c->out, v);
	buf_release(&words);
	buf_clear(&c->run);
	c->is_open = false;
	c->after_encoded = true;
	c->line_has_one = true;
}

/* Begin a run behind `gap`; behind an encoded word the gap is part of it. */
static void coder_open(struct coder *c, bool is_utf8)
{
	if (c->after_encoded && c->gap.n) {
		c->before = VIEW(" ");
		add_unfolded(&c->run, c->gap);
	} else {
		c->before = !c->gap.n && c->is_tight ? VIEW(" ") : c->gap;
	}
	c->is_open = true;
	c->is_utf8 = is_utf8;
}

/* RFC 2047 2: will readers take it for one? */
static bool is_encoded_word(struct view v)
{
	const char *mark;
	size_t i, marks = 0;

	if (v.n < 8 || memcmp(v.p, "=?", 2) || memcmp(v.p + v.n - 2, "?=", 2))
		return false;
	for (i = 0; i < v.n; i++)
		marks += v.p[i] == '?';
	mark = memchr(v.p + 2, '?', v.n - 4);
	return marks == 4 && mark && mark[2] == '?' && strchr("bBqQ", mark[1]);
}

/* A word as it was written, and what it says. */
static void coder_word(struct coder *c, struct view raw, struct view text)
{
	bool is_utf8 = view_is_utf8(text);
	bool is_theirs = is_encoded_word(raw);

	if (view_has_8bit(text)) {
		if (c->is_open && c->is_utf8 != is_utf8)
			coder_flush(c);
		if (c->is_open)
			add_unfolded(&c->run, c->gap);
		else
			coder_open(c, is_utf8);
		buf_add_view(&c->run, text);
	} else if (c->is_open && is_theirs) {
		add_unfolded(&c->run, c->gap);
		coder_flush(c);
		c->gap = VIEW(" ");
		coder_write_gap(c, raw.n);
		buf_add_view(c->out, raw);
	} else {
		coder_flush(c);
		coder_write_gap(c, raw.n);
		buf_add_view(c->out, raw);
		c->after_encoded = is_theirs;
	}
	c->gap = VIEW("");
	c->is_tight = false;
}

/* What stands for itself between words: punctuation, an address. */
static void coder_special(struct coder *c, struct view v)
{
	coder_flush(c);
	if (c->after_encoded && !c->gap.n && v.p[0] != ')')
		c->gap = VIEW(" ");
	coder_write_gap(c, v.n + (v.p[0] == '<' ? c->ahead : 0));
	buf_add_view(c->out, v);
	c->after_encoded = false;
	c->is_tight = v.p[0] != '(';
}

static void coder_end(struct coder *c)
{
	coder_flush(c);
	buf_add_view(c->out, c->gap);
	buf_release(&c->run);
}

/* --------------------------------------------------------------------- text */

static bool is_blank(char c)
{
	return text_is_space(c) || c == '\r' || c == '\n';
}

static size_t blanks_length(struct view v)
{
	size_t n = 0;

	while (n < v.n && is_blank(v.p[n]))
		n++;
	return n;
}

static struct view take(struct view *v, size_t n)
{
	struct view taken = view_make(v->p, n);

	*v = view_skip(*v, n);
	return taken;
}

/* RFC 5322 3.2.5 unstructured. */
static void code_text(struct view v, struct buf *out)
{
	struct coder c;
	struct view word;
	size_t n;

	coder_init(&c, out);
	while (v.n) {
		c.gap = take(&v, blanks_length(v));
		for (n = 0; n < v.n && !is_blank(v.p[n]); n++)
			;
		word = take(&v, n);
		if (word.n)
			coder_word(&c, word, word);
	}
	coder_end(&c);
}

/* ---------------------------------------------------------------- addresses */

/* A comment with its parentheses; its end was seen when it was parsed. */
static size_t comment_length(struct view v)
{
	size_t n = 0, depth = 0;

	while (n < v.n) {
		if (v.p[n] == '(')
			depth++;
		if (v.p[n] == ')' && --depth == 0)
			return n + 1;
		n += v.p[n] == '\\' ? 2 : 1;
	}
	return v.n;
}

/* RFC 5322 3.2.2: words and escapes between parentheses, nested. */
static void code_comment(struct view v, struct buf *out)
{
	struct coder c;
	struct buf text = BUF_INIT(FIELD_LIMIT);
	size_t n;

	coder_init(&c, out);
	while (v.n) {
		c.gap = take(&v, blanks_length(v));
		buf_clear(&text);
		for (n = 0; n < v.n && !is_blank(v.p[n]) && v.p[n] != '(' &&
		     v.p[n] != ')';
		     n++) {
			if (v.p[n] == '\\' && n + 1 < v.n)
				n++;
			buf_add_char(&text, v.p[n]);
		}
		if (n)
			coder_word(&c, take(&v, n), buf_view(&text));
		else if (v.n)
			coder_special(&c, take(&v, 1));
	}
	coder_end(&c);
	buf_release(&text);
}

/* One quoted string at the front of v. */
static size_t quoted_length(struct view v)
{
	size_t n = 1;

	while (n < v.n && v.p[n] != '"')
		n += v.p[n] == '\\' ? 2 : 1;
	return n < v.n ? n + 1 : v.n;
}

static bool is_special(char c)
{
	return c && strchr("(),:;<>@", c) != NULL;
}

/* A word of a phrase: atoms and quoted strings with no blank between them. */
static void code_phrase_word(struct coder *c, struct view *v, struct buf *text)
{
	const char *begin = v->p;
	struct view raw;

	buf_clear(text);
	while (v->n && !is_blank(v->p[0]) && !is_special(v->p[0])) {
		if (v->p[0] == '"')
			media_unquote(take(v, quoted_length(*v)), text);
		else
			buf_add_view(text, take(v, 1));
	}
	raw = view_make(begin, (size_t)(v->p - begin));
	coder_word(c, raw, buf_view(text));
}

/* What is around addresses: names, comments, groups, brackets, routes. */
static void code_between(struct coder *c, struct view v)
{
	struct buf text = BUF_INIT(FIELD_LIMIT);
	struct view comment;

	while (v.n) {
		if (is_blank(v.p[0]))
			c->gap = take(&v, blanks_length(v));
		if (!v.n)
			break;
		if (v.p[0] == '(') {
			comment = take(&v, comment_length(v));
			coder_special(c, view_make(comment.p, 0));
			code_comment(comment, c->out);
			c->is_tight = true;
		} else if (is_special(v.p[0])) {
			coder_special(c, take(&v, 1));
		} else {
			code_phrase_word(c, &v, &text);
		}
	}
	buf_release(&text);
}

static bool needs_utf8(const struct address_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->p[i].needs_utf8)
			return true;
	return false;
}

static void code_list(struct view v, const struct address_list *list,
		      struct buf *out)
{
	struct coder c;
	size_t i;

	coder_init(&c, out);
	for (i = 0; i < list->n; i++) {
		const struct address *a = &list->p[i];

		c.ahead = a->written.n + 1;
		code_between(&c, take(&v, (size_t)(a->written.p - v.p)));
		coder_special(&c,
			      view_has_8bit(a->written) ? view_of(a->mailbox)
							: a->written);
		v = view_skip(v, a->written.n);
	}
	code_between(&c, v);
	coder_end(&c);
}

/* False: it can't be read, or needs SMTPUTF8; nothing was appended. */
static bool code_addresses(struct view v, struct buf *out)
{
	struct address_list list = ADDRESS_LIST_INIT;
	struct outcome ignored = OUTCOME_INIT;
	bool ok = address_list_parse(v, &list, &ignored) == 0 &&
		!needs_utf8(&list);

	if (ok)
		code_list(v, &list, out);
	address_list_release(&list);
	outcome_release(&ignored);
	return ok;
}

/* --------------------------------------------------------------- parameters */

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
	size_t room = LINE_WIDTH > frame + 20 ? LINE_WIDTH - frame : 20;
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
 * one (`name*1`): only what is not ASCII changes. */
static void add_again(struct view name, struct view value, struct buf *out)
{
	bool is_extended = name.p[name.n - 1] == '*';
	bool is_first = !is_extended && name.n >= 2 &&
		!memcmp(name.p + name.n - 2, "*0", 2);
	size_t i;

	buf_add_view(out, name);
	buf_add_text(out, is_extended ? "=" : "*=");
	if (is_first)
		buf_printf(out, "%s''",
			   view_is_utf8(value) ? "utf-8" : "unknown-8bit");
	if (!is_extended) {
		add_percent(value, out);
		return;
	}
	for (i = 0; i < value.n; i++)
		if (view_has_8bit(view_make(value.p + i, 1)))
			add_percent(view_make(value.p + i, 1), out);
		else
			buf_add_char(out, value.p[i]);
}

/* What is around values: in comments there may be anything. */
static void code_around(struct view v, struct buf *out)
{
	struct coder c;

	if (!view_has_8bit(v)) {
		buf_add_view(out, v);
		return;
	}
	coder_init(&c, out);
	code_between(&c, v);
	coder_end(&c);
}

static void code_parameter(const struct parameter *p, bool *may_segment,
			   struct buf *out)
{
	struct buf value = BUF_INIT(FIELD_LIMIT);

	media_unquote(p->value, &value);
	code_around(p->before, out);
	if (column_of(out) + p->name.n + 30 > LINE_WIDTH &&
	    !memchr(p->before.p, '\n', p->before.n))
		buf_add_text(out, "\r\n ");
	if (memchr(p->name.p, '*', p->name.n))
		add_again(p->name, buf_view(&value), out);
	else
		add_extended(p->name, buf_view(&value), may_segment, out);
	buf_release(&value);
}

/* A value that had quotes may have lost them: what parts it from the next
 * parameter must be there. False, and nothing appended: it has no type. */
static bool code_parameters(struct view v, struct buf *out)
{
	struct view type = take(&v, media_type_length(v));
	const char *semicolon = memchr(v.p, ';', v.n);
	struct view head =
		take(&v, semicolon ? (size_t)(semicolon - v.p) : v.n);
	struct view rest;
	const char *begin;
	struct parameter p;
	bool was_coded = false, may_segment = true;

	if (!type.n && view_has_8bit(head) && !memchr(head.p, '(', head.n))
		return false;
	code_around(type, out);
	code_around(head, out);
	for (begin = v.p; media_next_parameter(&v, &p); begin = v.p) {
		if (was_coded && !memchr(p.before.p, ';', p.before.n))
			buf_add_char(out, ';');
		was_coded = view_has_8bit(p.value);
		if (was_coded)
			code_parameter(&p, &may_segment, out);
		else
			code_around(view_make(begin, (size_t)(v.p - begin)),
				    out);
	}
	rest = view_trim(v);
	if (was_coded && rest.n && rest.p[0] != ';')
		buf_add_char(out, ';');
	code_around(v, out);
	return true;
}

/* ----------------------------------------------------------------- contract */

void encoded_field(const struct field *f, struct buf *out)
{
	bool done = false;

	if (!view_has_8bit(f->raw)) {
		buf_add_view(out, f->raw);
		return;
	}
	buf_add(out, f->raw.p, (size_t)(f->body.p - f->raw.p));
	if (f->roles & ROLE_ADDRESS)
		done = code_addresses(f->body, out);
	else if (f->roles & ROLE_PARAMETERS)
		done = code_parameters(f->body, out);
	if (!done && f->roles & ROLE_TOKENS)
		code_around(f->body, out);
	else if (!done)
		code_text(f->body, out);
	buf_add_text(out, "\r\n");
}

char *encoded_utf8_address(struct view header)
{
	struct outcome ignored = OUTCOME_INIT;
	char *found = NULL;
	struct field f;
	size_t i;

	while (!found && field_cut(header, &f)) {
		struct address_list list = ADDRESS_LIST_INIT;

		header = view_skip(header, f.raw.n);
		if (!(f.roles & ROLE_ADDRESS) || !view_has_8bit(f.raw))
			continue;
		if (address_list_parse(f.body, &list, &ignored) == 0)
			for (i = 0; i < list.n && !found; i++)
				if (list.p[i].needs_utf8)
					found = memory_dup(list.p[i].mailbox);
		address_list_release(&list);
	}
	outcome_release(&ignored);
	return found;
}
