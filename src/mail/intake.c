/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one pass over the input. It comes in blocks; each is cut into pieces, a
 * piece being a line or what the block holds of one. Pieces go to the header
 * until that ends, then to the body. There a block is looked at as a whole
 * first, and most hold nothing for which it would have to be cut. What fields
 * mean is for mail/field, where the body stays for mail/store.
 */
#include "mail/intake.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "mail/octets.h"
#include "mail/plan.h"
#include "mail/source.h"

#define OUT_SIZE (512u << 10) /* octets of body stored at once */
#define HELD_MAX 2u           /* octets that wait for the next block */

_Static_assert(OUT_SIZE >= HELD_MAX + INTAKE_BLOCK + 2, "it takes any piece");

struct intake {
	struct message *m;
	struct intake_policy policy;
	struct buf mbox_line; /* a "From " line until what follows it shows
				   whether it is one */
	size_t line_start;    /* offset in the header of its last line */
	uint64_t line_n;      /* octets of the body's last line so far */
	uint64_t line;        /* number of the input's line */
	bool line_open;       /* a piece of this line was taken before */
	bool in_body;         /* the header has ended */
	bool at_end;          /* no more input comes */
	bool ended;           /* a lone dot has ended the message */
	bool block_is_odd;    /* its pieces are to be looked at for CR, NUL */
	size_t held;          /* octets in front of `block` */
	size_t out_n;         /* octets in `out` */
	bool begun;           /* something was read */
	struct source source; /* where the input comes from */
	uint64_t block_at;    /* where in it `block` begins */
	char *block;          /* in `room`, as the kernel likes it */
	char room[HELD_MAX + MEMORY_LINE + INTAKE_BLOCK];
	char out[OUT_SIZE];
};

static void note_length(struct message *m, uint64_t n)
{
	if (n > PLAN_LINE_MAX && n > m->longest_line)
		m->longest_line = n;
}

/* RFC 5321 2.3.8: CR and LF never stand alone on the wire; nor does NUL. */
static void note_line(struct message *m, struct view line, uint64_t number)
{
	if (!m->nul_line && memchr(line.p, '\0', line.n))
		m->nul_line = number;
	if (!m->bare_cr_line && memchr(line.p, '\r', line.n))
		m->bare_cr_line = number;
}

/* ---------------------------------------------------------------- the body */

static int flush_body(struct intake *in, struct outcome *o)
{
	size_t n = in->out_n;

	in->out_n = 0;
	return store_append(in->m->body, in->out, n, o);
}

static int take_body(struct intake *in, struct view piece, bool complete,
		     struct outcome *o)
{
	in->m->body_8bit = in->m->body_8bit || view_has_8bit(piece);
	if (piece.n + 2 > OUT_SIZE - in->out_n && flush_body(in, o) < 0)
		return -1;
	memcpy(in->out + in->out_n, piece.p, piece.n);
	in->out_n += piece.n;
	in->line_n += piece.n;
	if (!complete)
		return 0;
	memcpy(in->out + in->out_n, "\r\n", 2);
	in->out_n += 2;
	note_length(in->m, in->line_n);
	in->line_n = 0;
	return 0;
}

/* Only what is over the limit matters, and what ends within it need not be cut
 * into its lines to see that they do as well. A line's end has `end` octets. */
static void measure_lines(struct intake *in, struct view block, size_t end)
{
	const size_t most = PLAN_LINE_MAX + end;
	const char *lf;

	while (block.n) {
		lf = in->line_n ? NULL
				: memrchr(block.p, '\n',
					  block.n < most ? block.n : most);
		if (!lf) {
			lf = memchr(block.p, '\n', block.n);
			in->line_n += lf ? (size_t)(lf - block.p) : block.n;
			if (!lf)
				return;
			note_length(in->m, in->line_n - (end - 1));
			in->line_n = 0;
		}
		block = view_skip(block, (size_t)(lf - block.p) + 1);
	}
}

/* Each line lacks its CR. */
static int add_with_cr(struct intake *in, struct view block, struct outcome *o)
{
	bool cr_told = false;

	while (block.n) {
		in->out_n = octets_add_cr(&block, &cr_told, in->out, OUT_SIZE);
		if (flush_body(in, o) < 0)
			return -1;
	}
	return 0;
}

/* A block whose lines all end alike. */
static int take_text(struct intake *in, struct view block, size_t lines,
		     bool has_lf, struct outcome *o)
{
	const struct stretch text = {
		.at = in->block_at + (uint64_t)(block.p - in->block),
		.n = block.n,
		.size = block.n + (has_lf ? lines : 0),
		.has_lf = has_lf,
	};

	measure_lines(in, block, has_lf ? 1 : 2);
	if (in->out_n && flush_body(in, o) < 0)
		return -1;
	if (store_refer(in->m->body, &in->source, &text))
		return 0;
	if (has_lf)
		return add_with_cr(in, block, o);
	return store_append(in->m->body, block.p, block.n, o);
}

/* -------------------------------------------------------------- the header */

enum line_kind {
	LINE_UNKNOWN,   /* too little of it has been seen */
	LINE_FIELD,     /* begins a field or goes on with one */
	LINE_MBOX,      /* "From someone at some time" */
	LINE_SEPARATOR, /* the empty one */
	LINE_TEXT,      /* none of these: the body begins with it */
};

/* Of the body alone is it told what octets and lines it has. */
static void forget_header(struct intake *in)
{
	in->m->nul_line = in->m->bare_cr_line = 0;
	in->in_body = true;
}

static enum line_kind kind_of(const struct intake *in, struct view line,
			      bool complete)
{
	if (!complete && line.n <= FIELD_NAME_LIMIT)
		return LINE_UNKNOWN;
	if (!line.n)
		return in->mbox_line.n ? LINE_TEXT : LINE_SEPARATOR;
	if (in->line_start && text_is_space(line.p[0]))
		return LINE_FIELD;
	if (field_begins(line))
		return LINE_FIELD;
	if (!in->line_start && !in->mbox_line.n && line.n <= FIELD_NAME_LIMIT &&
	    !strncmp(line.p, "From ", 5))
		return LINE_MBOX;
	return LINE_TEXT;
}

/* No field followed it, so it is the body's first line. */
static int take_mbox_line(struct intake *in, struct outcome *o)
{
	note_line(in->m, buf_view(&in->mbox_line), 1);
	return take_body(in, buf_view(&in->mbox_line), true, o);
}

/* What was taken for the header's last line, and the mbox line that no field
 * follows, are the body's. A line with a NUL among fields is no text that
 * somebody wrote: what follows may be fields, Bcc among them. */
static int begin_body(struct intake *in, bool complete, struct outcome *o)
{
	struct buf *header = &in->m->header;
	struct view line = view_skip(buf_view(header), in->line_start);
	bool was_mbox = in->mbox_line.n > 0;
	/* what was certainly seen of it, however it came */
	size_t decides = line.n < FIELD_NAME_LIMIT ? line.n : FIELD_NAME_LIMIT;

	if (in->line_start && memchr(line.p, '\0', decides))
		return fail(o, CAUSE_CONTENT, "5.6.0",
			    "line %" PRIu64 " of the message, in its header, "
			    "holds a NUL octet",
			    in->line);
	forget_header(in);
	if (was_mbox && take_mbox_line(in, o) < 0)
		return -1;
	note_line(in->m, line, in->line);
	if (take_body(in, line, complete, o) < 0)
		return -1;
	buf_truncate(header, in->line_start);
	return 0;
}

static int add_to_header(struct intake *in, struct view v, struct outcome *o)
{
	struct buf *header = &in->m->header;

	buf_add_view(header, v);
	if (header->overflow)
		return fail(o, CAUSE_CONTENT, "5.3.4",
			    "the header has more than %u MiB",
			    MESSAGE_HEADER_LIMIT >> 20);
	return 0;
}

static int end_header_line(struct intake *in, struct outcome *o)
{
	if (add_to_header(in, VIEW("\r\n"), o) < 0)
		return -1;
	in->line_start = in->m->header.n;
	return 0;
}

static int take_header(struct intake *in, struct view piece, bool complete,
		       struct outcome *o)
{
	struct view line;

	if (add_to_header(in, piece, o) < 0)
		return -1;
	line = view_skip(buf_view(&in->m->header), in->line_start);
	switch (kind_of(in, line, complete)) {
	case LINE_UNKNOWN: break;
	case LINE_FIELD:
		buf_clear(&in->mbox_line);
		if (complete)
			return end_header_line(in, o);
		break;
	case LINE_MBOX:
		buf_add_view(&in->mbox_line, line);
		buf_truncate(&in->m->header, 0);
		break;
	case LINE_SEPARATOR: forget_header(in); break;
	case LINE_TEXT: return begin_body(in, complete, o);
	}
	return 0;
}

/* --------------------------------------------------------------- the input */

static bool is_lone_dot(const struct intake *in, struct view piece,
			bool complete)
{
	return in->policy.dot_ends && !in->line_open && piece.n == 1 &&
		piece.p[0] == '.' && (complete || in->at_end);
}

static int take_piece(struct intake *in, struct view piece, bool complete,
		      struct outcome *o)
{
	int rc;

	if (in->block_is_odd)
		note_line(in->m, piece, in->line);
	if (is_lone_dot(in, piece, complete)) {
		in->ended = true;
		return 0;
	}
	in->line_open = !complete;
	rc = in->in_body ? take_body(in, piece, complete, o)
			 : take_header(in, piece, complete, o);
	in->line += complete;
	return rc;
}

/* In a binary body that is an octet like any other. */
static bool is_bare_lf(struct intake *in, struct view before)
{
	if (!in->policy.binary || !in->in_body ||
	    (before.n && before.p[before.n - 1] == '\r'))
		return false;
	if (!in->m->bare_lf_line)
		in->m->bare_lf_line = in->line;
	return true;
}

/* The next piece of the block, which then begins behind it. */
static int take_next(struct intake *in, struct view *block, struct outcome *o)
{
	const char *lf = memchr(block->p, '\n', block->n);
	struct view piece =
		view_make(block->p, lf ? (size_t)(lf - block->p) : block->n);
	bool is_bare = lf && is_bare_lf(in, piece);

	*block = view_skip(*block, piece.n + 1);
	if (is_bare)
		piece.n++;
	else if (lf && piece.n && piece.p[piece.n - 1] == '\r')
		piece.n--;
	return take_piece(in, piece, lf && !is_bare, o);
}

/* A block of the body that need not be cut: 1, or 0 if it must be. */
static int take_whole(struct intake *in, struct view block, struct outcome *o)
{
	struct octets found = octets_look(block, '\0');
	bool has_end = block.p[block.n - 1] != '\r';
	int rc;

	if (!found.has_nul && !found.has_odd && has_end) {
		rc = take_text(in, block, found.lines, false, o);
	} else if (!found.has_nul && !found.has_cr && !in->policy.binary) {
		rc = take_text(in, block, found.lines, true, o);
	} else {
		in->block_is_odd = true;
		return 0;
	}
	in->m->body_8bit = in->m->body_8bit || found.has_8bit;
	in->line += found.lines;
	in->line_open = block.p[block.n - 1] != '\n';
	return rc < 0 ? -1 : 1;
}

/* Where a lone dot may be the end, every line is looked at. */
static int take_block(struct intake *in, struct view block, struct outcome *o)
{
	bool is_looked_at = in->policy.dot_ends;
	int rc = 0;

	if (!in->in_body || is_looked_at)
		in->block_is_odd = memchr(block.p, '\r', block.n) ||
			memchr(block.p, '\0', block.n);
	while (rc == 0 && block.n && !in->ended) {
		if (in->in_body && !is_looked_at) {
			is_looked_at = true;
			rc = take_whole(in, block, o);
		} else {
			rc = take_next(in, &block, o);
		}
	}
	return rc < 0 ? -1 : 0;
}

/* How many octets at the block's end only the next block can explain: a CR,
 * and what may become a lone dot. */
static size_t count_held(const struct intake *in, struct view block)
{
	size_t n = block.n && block.p[block.n - 1] == '\r' ? 1 : 0;

	if (in->policy.dot_ends && block.n > n &&
	    block.p[block.n - n - 1] == '.') {
		if (block.n == n + 1 ? !in->line_open
				     : block.p[block.n - n - 2] == '\n')
			n++;
	}
	return n;
}

/* Does it end where it ends, without a line's end? */
static bool ends_as_is(const struct intake *in)
{
	const struct message *m = in->m;

	return in->in_body && in->policy.binary &&
		(m->nul_line || m->bare_cr_line || m->bare_lf_line ||
		 m->longest_line > PLAN_LINE_MAX || in->line_n > PLAN_LINE_MAX);
}

/* The last line may lack its end, the header its body. */
static int finish(struct intake *in, struct outcome *o)
{
	in->block_is_odd = false;
	if (in->line_open && ends_as_is(in))
		note_length(in->m, in->line_n);
	else if (in->line_open && take_piece(in, VIEW(""), true, o) < 0)
		return -1;
	if (!in->in_body) {
		forget_header(in);
		if (in->mbox_line.n && take_mbox_line(in, o) < 0)
			return -1;
	}
	return flush_body(in, o);
}

/* ---------------------------------------------------------------- contract */

struct intake *intake_new(struct message *m, const struct intake_policy *policy)
{
	struct intake *in = memory_resize(NULL, 1, sizeof(*in));

	/* to clear the rest takes longer than a short message does */
	memset(in, 0, offsetof(struct intake, room));
	in->m = m;
	in->block = memory_align(in->room + HELD_MAX);
	in->policy = *policy;
	in->mbox_line = BUF_INIT(FIELD_NAME_LIMIT);
	in->line = 1;
	in->source = SOURCE_NONE;
	m->body = store_new(MESSAGE_MEMORY_LIMIT);
	return in;
}

void intake_free(struct intake *in)
{
	if (!in)
		return;
	buf_release(&in->mbox_line);
	free(in);
}

/* So many octets were put behind those that are held. */
static int take_in(struct intake *in, size_t n, struct outcome *o)
{
	struct view block = view_make(in->block - in->held, in->held + n);

	in->held = count_held(in, block);
	block.n -= in->held;
	if (take_block(in, block, o) < 0)
		return -1;
	memmove(in->block - in->held, block.p + block.n, in->held);
	in->block_at += n;
	return 0;
}

int intake_take(struct intake *in, struct view octets, struct outcome *o)
{
	size_t n;

	while (octets.n) {
		n = octets.n < INTAKE_BLOCK ? octets.n : INTAKE_BLOCK;
		memcpy(in->block, octets.p, n);
		octets = view_skip(octets, n);
		if (take_in(in, n, o) < 0)
			return -1;
	}
	return 0;
}

int intake_end(struct intake *in, struct outcome *o)
{
	in->at_end = true;
	if (take_block(in, view_make(in->block - in->held, in->held), o) < 0 ||
	    finish(in, o) < 0)
		return -1;
	if (!message_index(in->m))
		return fail(o, CAUSE_CONTENT, "5.3.4",
			    "the header has more than %u fields",
			    MESSAGE_FIELDS_LIMIT);
	return 0;
}

/* Its first block was read: what is short is not asked for a source. */
static void find_source(struct intake *in, int fd)
{
	in->source = source_of(fd, MESSAGE_MEMORY_LIMIT);
	in->block_at = in->source.at - INTAKE_BLOCK;
}

/* 1: there may be more, 0: the input has ended. */
static int read_block(struct intake *in, int fd, struct outcome *o)
{
	ptrdiff_t got = file_read(fd, in->block, INTAKE_BLOCK);

	if (got < 0)
		return fail_errno(
			o, CAUSE_INPUT, "5.3.0",
			"cannot read the message from standard input");
	if (!got)
		return 0;
	if (!in->begun && got == INTAKE_BLOCK)
		find_source(in, fd);
	in->begun = true;
	if (take_in(in, (size_t)got, o) < 0)
		return -1;
	return !in->ended;
}

int intake_read(int fd, const struct intake_policy *policy, struct message *m,
		struct outcome *o)
{
	struct intake *in = intake_new(m, policy);
	int more;

	do
		more = read_block(in, fd, o);
	while (more > 0);
	if (more == 0)
		more = intake_end(in, o);
	intake_free(in);
	return more;
}
