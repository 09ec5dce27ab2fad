/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Line ends for lines that have too few. A field is unfolded by taking its line
 * ends away (RFC 5322 2.2.3), so putting them ahead of blanks changes nothing.
 */
#include "mail/fold.h"

#include <string.h>

#include "base/text.h"

/* Where in the field's syntax a place is; commas in quotes part nothing. */
struct place {
	size_t depth; /* of comments */
	bool in_quotes;
	bool is_escaped;
};

static void place_pass(struct place *at, char c)
{
	if (at->is_escaped) {
		at->is_escaped = false;
		return;
	}
	if (c == '\\')
		at->is_escaped = true;
	else if (c == '"' && !at->depth)
		at->in_quotes = !at->in_quotes;
	else if (c == '(' && !at->in_quotes)
		at->depth++;
	else if (c == ')' && !at->in_quotes && at->depth)
		at->depth--;
}

struct folding {
	struct buf *out;
	struct view line; /* without its CRLF */
	size_t from;      /* no line ends before it: there the name is */
	size_t begin;     /* of what is not written yet */
	size_t candidate; /* the last place where the line could end; 0: none */
	size_t text_end;  /* behind the line's last octet that is no blank */
	bool after_comma; /* what is not written needs a blank in front */
};

/* Write the line up to the candidate, and end it. */
static void end_line(struct folding *f)
{
	if (f->after_comma)
		buf_add_char(f->out, ' ');
	buf_add(f->out, f->line.p + f->begin, f->candidate - f->begin);
	buf_add_text(f->out, "\r\n");
	f->after_comma = !text_is_space(f->line.p[f->candidate]);
	f->begin = f->candidate;
	f->candidate = 0;
}

/* A place where the line may end: the first of a run of blanks, with text on
 * both sides; with at_commas also behind a comma. */
static bool is_candidate(const struct folding *f, size_t i, bool at_commas)
{
	const char *p = f->line.p;

	if (i <= f->begin || i < f->from || i >= f->text_end ||
	    text_is_space(p[i - 1]))
		return false;
	return text_is_space(p[i]) || (at_commas && p[i - 1] == ',');
}

/* Does what lies between `begin` and i still fit a line of that width? */
static bool fits(const struct folding *f, size_t i, size_t width)
{
	return i - f->begin + f->after_comma <= width;
}

static bool fold_line(struct folding *f, bool at_commas, struct place *at)
{
	bool commas;
	size_t i;

	f->text_end = f->line.n;
	while (f->text_end && text_is_space(f->line.p[f->text_end - 1]))
		f->text_end--;
	for (i = 0; i < f->line.n; i++) {
		if (f->candidate && !fits(f, i + 1, FOLD_LINE_WIDTH))
			end_line(f);
		commas = at_commas && !at->in_quotes && !at->depth;
		if (is_candidate(f, i, commas))
			f->candidate = i;
		if (f->candidate && !fits(f, i + 1, FOLD_LINE_WIDTH))
			end_line(f);
		if (!fits(f, i + 1, FOLD_LINE_MAX))
			return false;
		place_pass(at, f->line.p[i]);
	}
	if (f->after_comma)
		buf_add_char(f->out, ' ');
	buf_add(f->out, f->line.p + f->begin, f->line.n - f->begin);
	buf_add_text(f->out, "\r\n");
	return true;
}

static void pass_line(struct view line, struct place *at)
{
	size_t i;

	for (i = 0; i < line.n; i++)
		place_pass(at, line.p[i]);
}

static bool fold_lines(struct view field, bool at_commas, struct buf *out)
{
	struct folding f = {.out = out};
	struct place at = {0};
	const char *lf, *colon = memchr(field.p, ':', field.n);
	size_t n, from = colon ? (size_t)(colon - field.p) + 1 : 0;

	for (; field.n; from = 0) {
		lf = memchr(field.p, '\n', field.n);
		n = lf ? (size_t)(lf - field.p) + 1 : field.n;
		f = (struct folding){
			.out = out, .line = {field.p, n}, .from = from};
		field = view_skip(field, n);
		if (n <= FOLD_LINE_MAX + 2) {
			buf_add_view(out, f.line);
			pass_line(f.line, &at);
			continue;
		}
		f.line.n -= 2;
		if (!fold_line(&f, at_commas, &at))
			return false;
	}
	return true;
}

bool fold_field(struct view field, bool at_commas, struct buf *out)
{
	size_t begin = out->n;

	if (fold_lines(field, false, out))
		return true;
	buf_truncate(out, begin);
	if (at_commas && fold_lines(field, true, out))
		return true;
	buf_truncate(out, begin);
	return false;
}
