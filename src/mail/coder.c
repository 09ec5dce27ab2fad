/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one way from words to encoded words. Readers drop blanks between encoded
 * words (RFC 2047 6.2), so those become part of the words; where one ends and
 * other text begins there is a blank. How a word looks is for base/encode.
 */
#include "mail/coder.h"

#include <string.h>

#include "base/encode.h"
#include "base/text.h"
#include "mail/media.h"
#include "mail/scan.h"

#define COLUMN_FAR 200u /* columns beyond it are not told apart */

void coder_init(struct coder *c, struct buf *out)
{
	*c = (struct coder){.out = out, .run = BUF_INIT(CODER_FIELD_LIMIT)};
	c->gap = c->before = VIEW("");
}

size_t coder_column(const struct buf *b)
{
	size_t n = 0;

	while (n < b->n && n < COLUMN_FAR && b->p[b->n - n - 1] != '\n')
		n++;
	return n;
}

/* Blanks without the line ends among them. */
void coder_add_unfolded(struct buf *out, struct view v)
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
	    coder_column(c->out) + c->gap.n + n > CODER_LINE_WIDTH) {
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
	struct buf words = BUF_INIT(CODER_FIELD_LIMIT);
	struct view v, blanks = c->before;
	const struct view fold = VIEW("\r\n ");

	if (!c->is_open)
		return;
	encode_words(&words, buf_view(&c->run),
		     coder_column(c->out) + blanks.n);
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
		coder_add_unfolded(&c->run, c->gap);
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
			coder_add_unfolded(&c->run, c->gap);
		else
			coder_open(c, is_utf8);
		buf_add_view(&c->run, text);
	} else if (c->is_open && is_theirs) {
		coder_add_unfolded(&c->run, c->gap);
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
void coder_special(struct coder *c, struct view v)
{
	coder_flush(c);
	if (c->after_encoded && !c->gap.n && v.p[0] != ')')
		c->gap = VIEW(" ");
	coder_write_gap(c, v.n + (v.p[0] == '<' ? c->ahead : 0));
	buf_add_view(c->out, v);
	c->after_encoded = false;
	c->is_tight = v.p[0] != '(';
}

void coder_end(struct coder *c)
{
	coder_flush(c);
	buf_add_view(c->out, c->gap);
	buf_release(&c->run);
}

/* --------------------------------------------------------------------- text */

bool coder_is_blank(char c)
{
	return text_is_space(c) || c == '\r' || c == '\n';
}

static size_t blanks_length(struct view v)
{
	size_t n = 0;

	while (n < v.n && coder_is_blank(v.p[n]))
		n++;
	return n;
}

struct view coder_take(struct view *v, size_t n)
{
	struct view taken = view_make(v->p, n);

	*v = view_skip(*v, n);
	return taken;
}

/* RFC 5322 3.2.5 unstructured. */
void coder_write_text(struct view v, struct buf *out)
{
	struct coder c;
	struct view word;
	size_t n;

	coder_init(&c, out);
	while (v.n) {
		c.gap = coder_take(&v, blanks_length(v));
		for (n = 0; n < v.n && !coder_is_blank(v.p[n]); n++)
			;
		word = coder_take(&v, n);
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

/* RFC 5322 3.2.2: words and escapes between parentheses, nested. Has the line
 * an encoded word now? */
static bool code_comment(struct view v, struct buf *out)
{
	struct coder c;
	struct buf text = BUF_INIT(CODER_FIELD_LIMIT);
	size_t n;

	coder_init(&c, out);
	while (v.n) {
		c.gap = coder_take(&v, blanks_length(v));
		buf_clear(&text);
		for (n = 0; n < v.n && !coder_is_blank(v.p[n]) &&
		     v.p[n] != '(' && v.p[n] != ')';
		     n++) {
			if (v.p[n] == '\\' && n + 1 < v.n)
				n++;
			buf_add_char(&text, v.p[n]);
		}
		if (n)
			coder_word(&c, coder_take(&v, n), buf_view(&text));
		else if (v.n)
			coder_special(&c, coder_take(&v, 1));
	}
	coder_end(&c);
	buf_release(&text);
	return c.line_has_one;
}

static bool is_special(char c)
{
	return c && strchr("(),:;<>@", c) != NULL;
}

/* Octets of an atom or an encoded word, as scan_words takes it; else of what
 * is none, one. */
static size_t atom_length(struct view v)
{
	size_t n = scan_encoded_word(v);

	if (!n)
		while (n < v.n && scan_is_atext(v.p[n]))
			n++;
	return n ? n : 1;
}

/* A word of a phrase: atoms and quoted strings with no blank between them. */
static void code_phrase_word(struct coder *c, struct view *v, struct buf *text)
{
	const char *begin = v->p;
	struct view raw;

	buf_clear(text);
	while (v->n && !coder_is_blank(v->p[0]) && !is_special(v->p[0])) {
		if (v->p[0] == '"')
			media_unquote(coder_take(v, media_quoted_length(*v)),
				      text);
		else
			buf_add_view(text, coder_take(v, atom_length(*v)));
	}
	raw = view_make(begin, (size_t)(v->p - begin));
	coder_word(c, raw, buf_view(text));
}

/* What is around addresses: names, comments, groups, brackets, routes. */
void coder_tokens(struct coder *c, struct view v)
{
	struct buf text = BUF_INIT(CODER_FIELD_LIMIT);
	struct view comment;

	while (v.n) {
		if (coder_is_blank(v.p[0]))
			c->gap = coder_take(&v, blanks_length(v));
		if (!v.n)
			break;
		if (v.p[0] == '(') {
			comment = coder_take(&v, comment_length(v));
			coder_special(c, view_make(comment.p, 0));
			if (code_comment(comment, c->out))
				c->line_has_one = true;
			c->is_tight = true;
		} else if (is_special(v.p[0])) {
			coder_special(c, coder_take(&v, 1));
		} else {
			code_phrase_word(c, &v, &text);
		}
	}
	buf_release(&text);
}

/* What is around values: in comments there may be anything. */
void coder_write_tokens(struct view v, struct buf *out)
{
	struct coder c;

	if (!view_has_8bit(v)) {
		buf_add_view(out, v);
		return;
	}
	coder_init(&c, out);
	coder_tokens(&c, v);
	coder_end(&c);
}
