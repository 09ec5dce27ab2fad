/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The walk through a body. It goes from line to line where lines matter, in
 * headers and where a boundary may stand, and in large steps where they do not.
 * What a part's octets are like, and what is done about it, the visitor knows.
 */
#include "mail/parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "mail/field.h"

/* A multipart that the walk is in. */
struct level {
	struct buf boundary;
	enum media_kind kind;
	bool is_signed; /* it, or one around it */
};

struct walk {
	const struct store *body;
	const struct part_visitor *visitor;
	struct level *levels; /* from the outermost to the innermost */
	size_t n_levels;
	struct part part; /* the one the walk is in */
	struct media media;
	struct buf header; /* the part's, as far as it was read */
	bool in_header;    /* lines go there */
	bool at_line_start;
	bool line_end_due; /* a CRLF was read that may be a boundary's */
	uint64_t offset;   /* of the next octet to be looked at */
	struct view ahead; /* octets from there on, in `block` */
	bool at_end;       /* the body has no more than `ahead` */
	char block[PARTS_LOOK_AHEAD + PARTS_BLOCK];
};

/* ------------------------------------------------------------------ reading */

/* Have PARTS_LOOK_AHEAD octets ready, or all there are. */
static int look_ahead(struct walk *w, struct outcome *o)
{
	ptrdiff_t got;

	while (w->ahead.n < PARTS_LOOK_AHEAD && !w->at_end) {
		memmove(w->block, w->ahead.p, w->ahead.n);
		got = store_read(w->body, w->offset + w->ahead.n,
				 w->block + w->ahead.n,
				 sizeof(w->block) - w->ahead.n, o);
		if (got < 0)
			return -1;
		w->at_end = got == 0;
		w->ahead = view_make(w->block, w->ahead.n + (size_t)got);
	}
	return 0;
}

static void advance(struct walk *w, size_t n)
{
	w->offset += n;
	w->ahead = view_skip(w->ahead, n);
}

/* The line that begins here, up to and with its LF, or what is ahead of it. */
static struct view line_ahead(const struct walk *w)
{
	const char *lf = memchr(w->ahead.p, '\n', w->ahead.n);

	return view_make(w->ahead.p,
			 lf ? (size_t)(lf - w->ahead.p) + 1 : w->ahead.n);
}

static bool is_line_end(struct view v)
{
	return v.n == 2 && v.p[0] == '\r' && v.p[1] == '\n';
}

/* --------------------------------------------------------------- boundaries */

/* Is the line that boundary (RFC 2046 5.1.1)? It closes its multipart if two
 * more dashes are behind it. */
static bool is_boundary(struct view line, const struct buf *boundary,
			bool *closes)
{
	struct view rest = view_skip(line, 2);

	if (rest.n < boundary->n || memcmp(rest.p, boundary->p, boundary->n))
		return false;
	rest = view_skip(rest, boundary->n);
	*closes = rest.n >= 2 && rest.p[0] == '-' && rest.p[1] == '-';
	if (*closes)
		rest = view_skip(rest, 2);
	while (rest.n && text_is_space(rest.p[0]))
		rest = view_skip(rest, 1);
	return !rest.n || is_line_end(rest);
}

/* The number, from 1, of the level whose boundary the next line is; 0: none. An
 * outer one ends the inner ones, closed or not. */
static size_t find_boundary(const struct walk *w, bool *closes)
{
	struct view line;
	size_t i;

	if (!w->n_levels || w->ahead.n < 2 || w->ahead.p[0] != '-' ||
	    w->ahead.p[1] != '-')
		return 0;
	line = line_ahead(w);
	if (line.n > PARTS_LOOK_AHEAD ||
	    (!w->at_end && line.p[line.n - 1] != '\n'))
		return 0;
	for (i = w->n_levels; i > 0; i--)
		if (is_boundary(line, &w->levels[i - 1].boundary, closes))
			return i;
	return 0;
}

static int push_level(struct walk *w, struct outcome *o)
{
	bool is_signed = w->part.is_signed || w->media.kind == MEDIA_SIGNED;
	struct level *level;

	if (w->n_levels == PARTS_DEPTH_MAX)
		return fail(o, CAUSE_CONTENT, "5.6.3",
			    "the message has more than %u multiparts within "
			    "each other",
			    PARTS_DEPTH_MAX);
	w->levels =
		memory_resize(w->levels, w->n_levels + 1, sizeof(*w->levels));
	level = &w->levels[w->n_levels++];
	*level = (struct level){BUF_INIT(MEDIA_BOUNDARY_MAX), w->media.kind,
				is_signed};
	buf_add_view(&level->boundary, buf_view(&w->media.boundary));
	return 0;
}

static void pop_levels(struct walk *w, size_t n)
{
	while (w->n_levels > n)
		buf_release(&w->levels[--w->n_levels].boundary);
}

/* ---------------------------------------------------------------- stretches */

/* A new one begins at the next octet. */
static void begin_part(struct walk *w)
{
	bool is_signed = w->n_levels && w->levels[w->n_levels - 1].is_signed;

	w->part = (struct part){
		.is_signed = is_signed,
		.header_at = w->offset,
		.body_at = w->offset,
		.media = &w->media,
	};
	w->media.kind = MEDIA_TEXT;
	w->line_end_due = false;
}

static void begin_header(struct walk *w, bool is_message)
{
	begin_part(w);
	w->part.is_message = is_message;
	buf_clear(&w->header);
	w->in_header = true;
}

static int begin_filler(struct walk *w, struct outcome *o)
{
	begin_part(w);
	w->part.is_filler = true;
	return w->visitor->begin(w->visitor->context, &w->part, VIEW(""), o);
}

static int end_stretch(struct walk *w, struct outcome *o)
{
	w->part.is_last = w->at_end && !w->ahead.n;
	if (w->line_end_due && w->part.is_last)
		w->visitor->octets(w->visitor->context, VIEW("\r\n"));
	w->part.body_n = w->offset - w->part.body_at;
	if (w->line_end_due && !w->part.is_last)
		w->part.body_n -= 2;
	w->line_end_due = false;
	return w->visitor->end(w->visitor->context, &w->part, o);
}

/* What the header says of the part. In a digest a part that says nothing is a
 * message (RFC 2046 5.1.5). */
static void read_fields(struct walk *w, struct view header)
{
	struct part *p = &w->part;
	struct field f;
	bool has_encoding = false;

	for (; field_cut(header, &f); header = view_skip(header, f.raw.n)) {
		if (f.id == FIELD_MIME_VERSION)
			p->has_version = true;
		if (f.id == FIELD_CONTENT_TYPE && !p->has_type) {
			media_parse(&w->media, f.body);
			p->has_type = true;
		}
		if (f.id == FIELD_CONTENT_TRANSFER_ENCODING && !has_encoding) {
			p->encoding = media_encoding(f.body);
			has_encoding = true;
		}
	}
	if (!p->has_type && !p->is_top && !p->is_message && w->n_levels &&
	    w->levels[w->n_levels - 1].kind == MEDIA_DIGEST)
		w->media.kind = MEDIA_MESSAGE;
	/* what is encoded as a whole has no parts to be seen */
	if (media_is_composite(&w->media) && !media_is_identity(p->encoding))
		w->media.kind = MEDIA_OTHER;
}

/* The header is known, the body begins at the next octet: what is in it? */
static int begin_body(struct walk *w, struct view header, struct outcome *o)
{
	const struct part_visitor *v = w->visitor;

	w->in_header = false;
	w->at_line_start = true;
	w->part.header_n = w->part.is_top ? 0 : header.n;
	w->part.body_at = w->offset;
	read_fields(w, header);
	if (v->begin(v->context, &w->part, w->part.is_top ? VIEW("") : header,
		     o) < 0)
		return -1;
	if (w->media.kind == MEDIA_MESSAGE) {
		begin_header(w, true);
		return 0;
	}
	if (!media_is_composite(&w->media))
		return 0;
	return push_level(w, o) < 0 ? -1 : begin_filler(w, o);
}

/* Whatever it is, it ends here. */
static int end_part(struct walk *w, struct outcome *o)
{
	while (w->in_header)
		if (begin_body(w, buf_view(&w->header), o) < 0)
			return -1;
	return end_stretch(w, o);
}

static int take_boundary(struct walk *w, size_t level, bool closes,
			 struct outcome *o)
{
	if (end_part(w, o) < 0)
		return -1;
	advance(w, line_ahead(w).n);
	w->at_line_start = true;
	pop_levels(w, closes ? level - 1 : level);
	if (closes)
		return begin_filler(w, o);
	begin_header(w, false);
	return 0;
}

/* ------------------------------------------------------------------ walking */

/* More of the line that the header has begun already, or a line of its own. */
static int take_header(struct walk *w, struct outcome *o)
{
	struct view line = line_ahead(w);
	bool is_empty = w->at_line_start && is_line_end(line);
	bool goes_on = !w->at_line_start ||
		(w->header.n && text_is_space(line.p[0])) || field_begins(line);

	if (is_empty)
		advance(w, line.n);
	if (is_empty || !goes_on)
		return begin_body(w, buf_view(&w->header), o);
	buf_add_view(&w->header, line);
	if (w->header.overflow)
		return fail(o, CAUSE_CONTENT, "5.6.3",
			    "the header of a part has more than %u octets",
			    PARTS_HEADER_MAX);
	w->at_line_start = line.p[line.n - 1] == '\n';
	advance(w, line.n);
	return 0;
}

/* Octets up to the next line that might be a boundary. */
static struct view find_run(const struct walk *w)
{
	struct view run = w->ahead;
	const char *lf = NULL;

	if (w->n_levels)
		lf = memmem(run.p, run.n, "\n--", 3);
	if (lf)
		run.n = (size_t)(lf - run.p) + 1;
	else if (!w->at_end && run.p[run.n - 1] == '\r')
		run.n--;
	return run;
}

static void take_octets(struct walk *w)
{
	const struct part_visitor *v = w->visitor;
	struct view run = find_run(w), told = run;

	if (w->line_end_due)
		v->octets(v->context, VIEW("\r\n"));
	w->at_line_start = run.n >= 2 && run.p[run.n - 2] == '\r' &&
		run.p[run.n - 1] == '\n';
	w->line_end_due = w->at_line_start;
	if (w->at_line_start)
		told.n -= 2;
	if (told.n)
		v->octets(v->context, told);
	advance(w, run.n);
}

static int walk_body(struct walk *w, struct outcome *o)
{
	bool closes = false;
	size_t level = 0;

	for (;;) {
		if (look_ahead(w, o) < 0)
			return -1;
		if (!w->ahead.n)
			return end_part(w, o);
		if (w->at_line_start)
			level = find_boundary(w, &closes);
		if (w->at_line_start && level) {
			if (take_boundary(w, level, closes, o) < 0)
				return -1;
		} else if (w->in_header) {
			if (take_header(w, o) < 0)
				return -1;
		} else {
			take_octets(w);
		}
	}
}

int parts_walk(const struct store *body, struct view header,
	       const struct part_visitor *visitor, struct outcome *o)
{
	struct walk *w = memory_alloc(sizeof(*w));
	int rc;

	w->body = body;
	w->visitor = visitor;
	w->media = MEDIA_INIT;
	w->header = BUF_INIT(PARTS_HEADER_MAX);
	w->ahead = view_make(w->block, 0);
	begin_part(w);
	w->part.is_top = w->part.is_message = true;
	rc = begin_body(w, header, o);
	if (rc == 0)
		rc = walk_body(w, o);
	pop_levels(w, 0);
	free(w->levels);
	media_release(&w->media);
	buf_release(&w->header);
	free(w);
	return rc;
}
