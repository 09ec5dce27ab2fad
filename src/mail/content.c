/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The octets of a message in the order of the wire: header, empty line, and the
 * body span by span, as the plan says. What is shown where it lies costs
 * nothing; stored octets come through a block of memory, encoded ones through a
 * second. Nothing is decided here.
 */
#include "mail/content.h"

#include <stdlib.h>

#include "base/memory.h"
#include "mail/encoded.h"

#define BLOCK_SIZE (256u << 10) /* octets of body read at once */
#define OUT_LIMIT  (16u << 20)  /* octets; above what a block can become */

static const struct view separator = {"\r\n", 2};

struct content {
	struct view header; /* as it was given */
	const struct message *m;
	struct plan plan;
	char *utf8_address;
	bool address_is_known;
	struct view ready;      /* octets to be told next */
	bool header_told;       /* what comes first was begun … */
	bool separator_told;    /* … and this */
	size_t span;            /* the number of the span being told */
	uint64_t offset;        /* in it: octets of the body that were read */
	struct encoder encoder; /* of that span */
	struct buf out;         /* what was made of its octets */
	char *block;
	size_t block_size; /* octets; no more than there are */
};

struct content *content_new(struct view header, const struct message *m)
{
	struct content *c = memory_alloc(sizeof(*c));

	c->header = header;
	c->m = m;
	c->plan = PLAN_INIT;
	c->plan.body_size = store_size(m->body);
	c->out = BUF_INIT(OUT_LIMIT);
	c->block_size = BLOCK_SIZE;
	if (c->plan.body_size < BLOCK_SIZE)
		c->block_size = (size_t)c->plan.body_size;
	c->block = memory_alloc_aligned(c->block_size);
	return c;
}

void content_free(struct content *c)
{
	if (!c)
		return;
	plan_release(&c->plan);
	buf_release(&c->out);
	free(c->utf8_address);
	free(c->block);
	free(c);
}

const struct message *content_message(const struct content *c)
{
	return c->m;
}

const char *content_utf8_address(struct content *c)
{
	if (!c->address_is_known)
		c->utf8_address = encoded_utf8_address(c->header);
	c->address_is_known = true;
	return c->utf8_address;
}

int content_fit(struct content *c, const struct carriage *way,
		enum reencode reencode, struct outcome *o)
{
	plan_release(&c->plan);
	content_rewind(c);
	return plan_make(c->m, c->header, way, reencode, &c->plan, o);
}

static struct view header_of(const struct content *c)
{
	return c->plan.new_header ? buf_view(&c->plan.header) : c->header;
}

uint64_t content_size(const struct content *c)
{
	return header_of(c).n + separator.n + c->plan.body_size;
}

enum body_form content_form(const struct content *c)
{
	if (c->plan.form == FORM_7BIT && c->plan.header_8bit)
		return FORM_8BIT;
	return c->plan.form;
}

void content_rewind(struct content *c)
{
	c->ready = VIEW("");
	c->header_told = c->separator_told = false;
	c->span = 0;
	c->offset = 0;
}

/* ----------------------------------------------------------------- the body */

/* Up to `most` octets of the span into the block; an empty piece at its end. */
static int read_block(struct content *c, const struct span *s, uint64_t most,
		      struct view *piece, struct outcome *o)
{
	uint64_t n = s->n - c->offset;
	ptrdiff_t got = 0;

	if (n > most)
		n = most;
	if (n > c->block_size)
		n = c->block_size;
	if (n)
		got = store_read(c->m->body, s->at + c->offset, c->block,
				 (size_t)n, o);
	if (got < 0)
		return -1;
	if (n && !got)
		return fail(o, CAUSE_SYSTEM, "4.3.0",
			    "the stored message is shorter than it was");
	c->offset += (uint64_t)got;
	*piece = view_make(c->block, (size_t)got);
	return 0;
}

/* The header of a part; it was read and rewritten once already, so it fits. */
static int make_header(struct content *c, const struct span *s,
		       struct outcome *o)
{
	struct buf header = BUF_INIT(s->n);
	struct view piece;
	int rc;

	do {
		rc = read_block(c, s, BLOCK_SIZE, &piece, o);
		buf_add_view(&header, piece);
	} while (rc == 0 && piece.n);
	if (rc == 0)
		rc = rewrite_header(buf_view(&header), &s->rewrite, &c->out, o);
	buf_add_view(&c->out, separator);
	buf_release(&header);
	return rc;
}

static int make_encoded(struct content *c, const struct span *s,
			struct outcome *o)
{
	struct view piece;

	if (!c->offset)
		c->encoder = ENCODER_INIT(s->transfer);
	if (read_block(c, s, BLOCK_SIZE, &piece, o) < 0)
		return -1;
	encoder_feed(&c->encoder, piece, &c->out);
	if (c->offset == s->n)
		encoder_finish(&c->encoder, &c->out);
	return 0;
}

/* Have something ready of that span; nothing, if there is no more of it. */
static int make_ready(struct content *c, const struct span *s, uint64_t most,
		      struct outcome *o)
{
	int rc = 0;

	buf_clear(&c->out);
	switch (s->kind) {
	case SPAN_COPY: return read_block(c, s, most, &c->ready, o);
	case SPAN_HEADER: rc = make_header(c, s, o); break;
	case SPAN_ENCODE: rc = make_encoded(c, s, o); break;
	case SPAN_LINE_END: buf_add_view(&c->out, separator); break;
	}
	c->ready = buf_view(&c->out);
	return rc;
}

static bool is_over(const struct content *c, const struct span *s)
{
	return c->offset == s->n;
}

/* 0 when there is no more. */
static int next_of_body(struct content *c, uint64_t most, struct outcome *o)
{
	const struct span whole = {
		.kind = SPAN_COPY,
		.n = store_size(c->m->body),
	};
	const struct span *spans = c->plan.n_spans ? c->plan.spans : &whole;
	size_t n = c->plan.n_spans ? c->plan.n_spans : 1;

	while (!c->ready.n && c->span < n) {
		if (make_ready(c, &spans[c->span], most, o) < 0)
			return -1;
		if (is_over(c, &spans[c->span])) {
			c->span++;
			c->offset = 0;
		}
	}
	return c->ready.n > 0;
}

int content_next(struct content *c, uint64_t most, struct view *piece,
		 struct outcome *o)
{
	int rc = 1;

	if (!c->ready.n && !c->header_told) {
		c->ready = header_of(c);
		c->header_told = true;
	}
	if (!c->ready.n && !c->separator_told) {
		c->ready = separator;
		c->separator_told = true;
	}
	if (!c->ready.n)
		rc = next_of_body(c, most, o);
	if (rc <= 0)
		return rc;
	*piece = c->ready;
	if (piece->n > most)
		piece->n = (size_t)most;
	c->ready = view_skip(c->ready, piece->n);
	return 1;
}
