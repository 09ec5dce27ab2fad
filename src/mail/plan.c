/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What must be done so that a message fits the way to its server: here it is
 * decided, in one walk through the body, and measured; mail/content does it.
 * A part is judged when its end is reached, and by then its size as
 * quoted-printable is known, as the encoder itself has counted along.
 */
#include "mail/plan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "mail/media.h"
#include "mail/parts.h"

#define SCRATCH_LIMIT (16u << 20) /* octets; above what one piece can become */

/* What the octets of a stretch are like. */
struct facts {
	bool eightbit;
	bool nul;
	bool bare_cr;
	bool bare_lf;
	uint64_t octets;
	uint64_t line;    /* octets of the last line so far */
	uint64_t longest; /* octets of a line, without CRLF */
	struct utf8 utf8;
};

struct planner {
	const struct message *m;
	const struct carriage *way;
	enum reencode reencode;
	struct plan *p;
	struct rewrite top;     /* what becomes of the message's header */
	size_t n_parts;         /* that are changed */
	uint64_t planned;       /* octets of the body that have their spans */
	struct buf header;      /* of the part the walk is in */
	struct facts facts;     /* of its octets */
	struct encoder counter; /* of what they would be encoded */
	uint64_t counted;
	bool may_be_base64; /* nothing speaks against that for them */
	struct buf scratch;
};

/* -------------------------------------------------------------------- facts */

/* A CR and its LF come in the same piece. */
static void note_lines(struct facts *f, struct view piece)
{
	const char *lf;

	while ((lf = memchr(piece.p, '\n', piece.n)) != NULL) {
		f->line += (uint64_t)(lf - piece.p);
		if (lf > piece.p && lf[-1] == '\r')
			f->line--;
		if (f->line > f->longest)
			f->longest = f->line;
		f->line = 0;
		piece = view_skip(piece, (size_t)(lf - piece.p) + 1);
	}
	f->line += piece.n;
	if (f->line > f->longest)
		f->longest = f->line;
}

/* What the message has nowhere need not be looked for. */
static void note_octets(struct planner *pl, struct view piece)
{
	const struct message *m = pl->m;
	struct facts *f = &pl->facts;

	f->octets += piece.n;
	if (m->body_8bit) {
		f->eightbit = f->eightbit || view_has_8bit(piece);
		utf8_feed(&f->utf8, piece);
	}
	if (m->nul_line)
		f->nul = f->nul || memchr(piece.p, '\0', piece.n);
	if (m->bare_cr_line)
		f->bare_cr = f->bare_cr || view_has_bare_cr(piece);
	if (m->bare_lf_line)
		f->bare_lf = f->bare_lf || view_has_bare_lf(piece);
	if (m->longest_line > PLAN_LINE_MAX)
		note_lines(f, piece);
}

/* Are there octets that no text has? */
static bool is_no_text(const struct facts *f)
{
	return f->nul || f->bare_cr || f->bare_lf;
}

static bool is_binary(const struct facts *f)
{
	return is_no_text(f) || f->longest > PLAN_LINE_MAX;
}

/* Must these octets be encoded? (Where the way is binary nothing must.) */
static bool must_change(const struct planner *pl)
{
	return is_binary(&pl->facts) ||
		(pl->facts.eightbit && !pl->way->eightbit);
}

static const char *what_is_wrong(const struct facts *f)
{
	if (f->nul)
		return "a NUL octet";
	if (f->bare_cr)
		return "a CR that does not end a line";
	if (f->bare_lf)
		return "an LF without its CR";
	if (f->longest > PLAN_LINE_MAX)
		return "a line of over 998 octets";
	return "8-bit data";
}

/* -------------------------------------------------------------------- spans */

static void add_span(struct planner *pl, const struct span *span)
{
	struct plan *p = pl->p;

	if (p->n_spans == p->spans_cap) {
		p->spans_cap = p->spans_cap * 2 + 4;
		p->spans = memory_resize(p->spans, p->spans_cap,
					 sizeof(*p->spans));
	}
	p->spans[p->n_spans++] = *span;
	p->body_size += span->size;
	pl->planned = span->at + span->n;
}

/* Everything up to there goes as it is. */
static void add_copy(struct planner *pl, uint64_t end)
{
	struct span span = {
		.kind = SPAN_COPY,
		.at = pl->planned,
		.n = end - pl->planned,
		.size = end - pl->planned,
	};

	if (span.n)
		add_span(pl, &span);
}

/* A part may have got spans; there were so many before. */
static int count_part(struct planner *pl, size_t n_spans, struct outcome *o)
{
	pl->n_parts += pl->p->n_spans > n_spans;
	if (pl->n_parts <= PLAN_PARTS_MAX)
		return 0;
	return fail(o, CAUSE_CONTENT, "5.6.3",
		    "more than %u parts of the message would have to be "
		    "encoded for this server",
		    PLAN_PARTS_MAX);
}

/* What a part's header is in the end counts as body (RFC 6152 1). */
static void note_header(struct planner *pl, const struct buf *header)
{
	if (pl->way->eightbit && view_has_8bit(buf_view(header)))
		pl->p->form = FORM_8BIT;
}

/* The part's header, with the empty line that may be missing behind it. */
static int add_header(struct planner *pl, const struct part *part,
		      const struct rewrite *r, struct outcome *o)
{
	struct span span = {
		.kind = SPAN_HEADER,
		.at = part->header_at,
		.n = part->body_at - part->header_at,
		.rewrite = *r,
	};

	buf_clear(&pl->scratch);
	if (rewrite_header(buf_view(&pl->header), r, &pl->scratch, o) < 0)
		return -1;
	note_header(pl, &pl->scratch);
	span.size = pl->scratch.n + 2;
	add_copy(pl, part->header_at);
	add_span(pl, &span);
	return 0;
}

static void add_encoded(struct planner *pl, const struct part *part,
			enum transfer transfer)
{
	struct span span = {
		.kind = SPAN_ENCODE,
		.at = part->body_at,
		.n = part->body_n,
		.size = transfer == TRANSFER_BASE64
			? encoder_base64_size(part->body_n)
			: pl->counted,
		.transfer = transfer,
	};
	struct span line_end = {
		.kind = SPAN_LINE_END,
		.at = part->body_at + part->body_n,
		.size = 2,
	};
	bool is_base64 = transfer == TRANSFER_BASE64 ||
		transfer == TRANSFER_BASE64_AGAIN;

	add_copy(pl, part->body_at);
	add_span(pl, &span);
	if (part->is_last && (is_base64 || pl->facts.line))
		add_span(pl, &line_end);
}

/* ---------------------------------------------------------------- decisions */

/* A header in ASCII is asked for where the way takes no other. */
static bool header_must_change(const struct planner *pl, struct view header)
{
	return rewrite_has_long_line(header) ||
		(!pl->way->eightbit && view_has_8bit(header));
}

static bool must_stay(const struct planner *pl, const struct part *part)
{
	return part->is_signed && pl->reencode != REENCODE_ON;
}

static int refuse_signed(const char *what, struct outcome *o)
{
	return fail(o, CAUSE_FEATURE, "5.6.3",
		    "a signed part holds %s, which this server does not take; "
		    "encoding it would break the signature ('reencode on' "
		    "does it all the same)",
		    what);
}

/* The least encoding that the label of what holds parts may claim (RFC 2045
 * 6.4); NULL: it may stay. */
static const char *clamp_label(const struct planner *pl,
			       const struct part *part)
{
	bool is_over = part->encoding == ENCODING_BINARY ||
		(part->encoding == ENCODING_8BIT && !pl->way->eightbit);

	if (!is_over || must_stay(pl, part))
		return NULL;
	return media_encoding_name(pl->way->eightbit ? ENCODING_8BIT
						     : ENCODING_7BIT);
}

/* Where no empty line parts a header from what follows, what is made of that
 * might read as more of the header. */
static bool lacks_separator(const struct part *part)
{
	return part->body_at == part->header_at + part->header_n;
}

/* The header must say r, and what is behind it changes, or may; the message's
 * own is looked at last. */
static int plan_header(struct planner *pl, const struct part *part,
		       struct rewrite r, bool changes, struct outcome *o)
{
	r.to_ascii = !pl->way->eightbit;
	if (part->is_top) {
		pl->top = r;
		return 0;
	}
	if (!r.encoding && !(changes && lacks_separator(part)) &&
	    !header_must_change(pl, buf_view(&pl->header))) {
		note_header(pl, &pl->header);
		return 0;
	}
	if (must_stay(pl, part))
		return refuse_signed("a header with 8-bit data or long lines",
				     o);
	return add_header(pl, part, &r, o);
}

/* How its octets would be encoded, if they must be. */
static enum transfer natural_transfer(const struct part *part)
{
	switch (part->encoding) {
	case ENCODING_QP: return TRANSFER_QP_AGAIN;
	case ENCODING_BASE64: return TRANSFER_BASE64_AGAIN;
	default: return TRANSFER_QP;
	}
}

/* The lines of boundaries go as they are, so they must be printable ASCII (RFC
 * 2046 5.1.1). */
static int begin_composite(struct planner *pl, const struct part *part,
			   struct outcome *o)
{
	struct rewrite label = {.encoding = clamp_label(pl, part)};
	struct view boundary = buf_view(&part->media->boundary);
	size_t n_spans = pl->p->n_spans;

	if (view_has_8bit(boundary) || view_has_control(boundary))
		return fail(o, CAUSE_FEATURE, "5.6.3",
			    "parts would have to be encoded for this server, "
			    "and the boundary between them is not printable "
			    "ASCII");
	if (plan_header(pl, part, label, !must_stay(pl, part), o) < 0)
		return -1;
	return count_part(pl, n_spans, o);
}

static int begin_part(void *context, const struct part *part,
		      struct view header, struct outcome *o)
{
	struct planner *pl = context;

	pl->facts = (struct facts){0};
	pl->counter = ENCODER_INIT(natural_transfer(part));
	pl->counted = 0;
	pl->may_be_base64 = !part->is_filler &&
		media_is_identity(part->encoding);
	buf_clear(&pl->header);
	buf_add_view(&pl->header, header);
	if (rewrite_check(header, o) < 0) {
		outcome_add_context(o, "in the header of a part");
		return -1;
	}
	if (part->is_filler || !media_is_composite(part->media))
		return 0;
	return begin_composite(pl, part, o);
}

static void count(struct planner *pl)
{
	pl->counted += pl->scratch.n;
	buf_clear(&pl->scratch);
}

/* Need the octets of quoted-printable be counted no more? (Where there are so
 * many 8-bit ones, the counting would be most of the work.) */
static bool is_base64_for_sure(const struct planner *pl)
{
	const struct facts *f = &pl->facts;
	uint64_t most = encoder_base64_size(store_size(pl->m->body)) + 2;

	return pl->may_be_base64 &&
		(is_no_text(f) ||
		 (f->eightbit && !pl->way->eightbit && pl->counted > most));
}

static void take_octets(void *context, struct view piece)
{
	struct planner *pl = context;

	note_octets(pl, piece);
	if (is_base64_for_sure(pl))
		return;
	buf_clear(&pl->scratch);
	encoder_feed(&pl->counter, piece, &pl->scratch);
	count(pl);
}

/* RFC 2045 6.4: what a part may be that must be encoded. */
static int check_change(const struct planner *pl, const struct part *part,
			struct outcome *o)
{
	const char *what = what_is_wrong(&pl->facts);

	if (must_stay(pl, part))
		return refuse_signed(what, o);
	if (part->is_filler)
		return 0;
	if (part->encoding == ENCODING_UNKNOWN)
		return fail(o, CAUSE_FEATURE, "5.6.3",
			    "a part with an unknown "
			    "Content-Transfer-Encoding holds %s, which this "
			    "server does not take",
			    what);
	if (part->media->kind == MEDIA_FIXED &&
	    media_is_identity(part->encoding))
		return fail(o, CAUSE_FEATURE, "5.6.3",
			    "a part of a message type that must not be encoded "
			    "holds %s, which this server does not take",
			    what);
	return 0;
}

static enum transfer choose_transfer(const struct planner *pl,
				     const struct part *part)
{
	const struct facts *f = &pl->facts;
	uint64_t base64 = encoder_base64_size(f->octets) +
		(part->is_last ? 2 : 0); /* the line end behind it */

	if (part->is_filler || !media_is_identity(part->encoding))
		return pl->counter.kind;
	if (is_no_text(f))
		return TRANSFER_BASE64;
	if (f->eightbit && !pl->way->eightbit)
		return base64 < pl->counted ? TRANSFER_BASE64 : TRANSFER_QP;
	return part->media->kind == MEDIA_TEXT ? TRANSFER_QP : TRANSFER_BASE64;
}

/* What the header must say of a part that is encoded. One that says nothing is
 * text in ASCII (RFC 2045 5.2), unless it can't be. */
static struct rewrite make_label(const struct planner *pl,
				 const struct part *part)
{
	enum transfer transfer = choose_transfer(pl, part);
	struct rewrite r = {0};

	if (!media_is_identity(part->encoding))
		return r;
	r.encoding = media_encoding_name(
		transfer == TRANSFER_QP ? ENCODING_QP : ENCODING_BASE64);
	r.add_mime_version = part->is_message && !part->has_version;
	if (part->has_type)
		return r;
	if (pl->facts.eightbit)
		r.charset = utf8_is_valid(&pl->facts.utf8) ? "utf-8"
							   : "unknown-8bit";
	else if (part->is_message)
		r.charset = "us-ascii";
	return r;
}

static int end_part(void *context, const struct part *part, struct outcome *o)
{
	struct planner *pl = context;
	bool changes = must_change(pl);
	struct rewrite label = {0};
	size_t n_spans = pl->p->n_spans;

	buf_clear(&pl->scratch);
	encoder_finish(&pl->counter, &pl->scratch);
	count(pl);
	if (changes) {
		if (check_change(pl, part, o) < 0)
			return -1;
		label = make_label(pl, part);
	} else if (pl->facts.eightbit) {
		pl->p->form = FORM_8BIT;
	}
	if (!part->is_filler && plan_header(pl, part, label, changes, o) < 0)
		return -1;
	if (changes)
		add_encoded(pl, part, choose_transfer(pl, part));
	return count_part(pl, n_spans, o);
}

/* ----------------------------------------------------------------- contract */

/* What the body needs of the way, as it is. */
static enum body_form form_of(const struct message *m, bool lines_count)
{
	if (m->nul_line || m->bare_cr_line || m->bare_lf_line ||
	    (lines_count && m->longest_line > PLAN_LINE_MAX))
		return FORM_BINARY;
	return m->body_8bit ? FORM_8BIT : FORM_7BIT;
}

static bool fits(enum body_form form, const struct carriage *way)
{
	return form == FORM_7BIT || way->binary ||
		(form == FORM_8BIT && way->eightbit);
}

static int walk_body(struct planner *pl, struct view header, struct outcome *o)
{
	const struct part_visitor visitor = {begin_part, take_octets, end_part,
					     pl};

	pl->p->form = FORM_7BIT;
	pl->p->body_size = 0;
	if (parts_walk(pl->m->body, header, &visitor, o) < 0)
		return -1;
	if (pl->p->n_spans)
		add_copy(pl, store_size(pl->m->body));
	else
		pl->p->body_size = store_size(pl->m->body);
	return 0;
}

/* The line that is no text, and why. */
static int refuse_binary(const struct message *m, struct outcome *o)
{
	uint64_t line = m->bare_lf_line;
	const char *what = "an LF without its CR";

	if (m->nul_line) {
		line = m->nul_line;
		what = "a NUL octet";
	} else if (m->bare_cr_line) {
		line = m->bare_cr_line;
		what = "a CR that does not end it";
	}
	return fail(o, CAUSE_FEATURE, "5.6.3",
		    "line %" PRIu64 " of the message holds %s, and reencode is "
		    "off",
		    line, what);
}

/* Nothing may be encoded: it goes as it is or not at all. Long lines do. */
static int plan_nothing(struct planner *pl, struct view header,
			struct outcome *o)
{
	const struct message *m = pl->m;

	pl->p->form = form_of(m, pl->way->binary);
	if (view_has_8bit(header) && !pl->way->eightbit && !pl->way->binary)
		return fail(o, CAUSE_FEATURE, "5.6.3",
			    "the header holds 8-bit data, which this server "
			    "does not take, and reencode is off");
	if (fits(pl->p->form, pl->way))
		return 0;
	if (pl->p->form == FORM_BINARY)
		return refuse_binary(m, o);
	return fail(o, CAUSE_FEATURE, "5.6.3",
		    "the message holds 8-bit data, which this server does not "
		    "take, and reencode is off");
}

/* The message's own header, once it is known what it must say. */
static int plan_top(struct planner *pl, struct view header, struct outcome *o)
{
	struct rewrite *r = &pl->top;
	struct plan *p = pl->p;

	r->to_ascii = true;
	r->keep_utf8 = pl->way->utf8;
	if (!r->encoding && !rewrite_has_long_line(header) &&
	    (!view_has_8bit(header) || (r->keep_utf8 && view_is_utf8(header))))
		return 0;
	p->new_header = true;
	return rewrite_header(header, r, &p->header, o);
}

static int plan_all(struct planner *pl, struct view header, struct outcome *o)
{
	struct plan *p = pl->p;

	if (rewrite_check(header, o) < 0)
		return -1;
	p->body_size = store_size(pl->m->body);
	p->form = form_of(pl->m, true);
	if (pl->reencode == REENCODE_OFF)
		return plan_nothing(pl, header, o);
	if (!fits(p->form, pl->way) && walk_body(pl, header, o) < 0)
		return -1;
	return plan_top(pl, header, o);
}

int plan_make(const struct message *m, struct view header,
	      const struct carriage *way, enum reencode reencode,
	      struct plan *p, struct outcome *o)
{
	struct planner pl = {
		.m = m,
		.way = way,
		.reencode = reencode,
		.p = p,
		.header = BUF_INIT(PARTS_HEADER_MAX),
		.scratch = BUF_INIT(SCRATCH_LIMIT),
	};
	int rc = plan_all(&pl, header, o);

	p->header_8bit =
		view_has_8bit(p->new_header ? buf_view(&p->header) : header);
	/* without 8BITMIME it can only be declared as binary */
	if (p->form == FORM_8BIT && !way->eightbit && way->binary)
		p->form = FORM_BINARY;
	buf_release(&pl.header);
	buf_release(&pl.scratch);
	return rc;
}

void plan_release(struct plan *p)
{
	buf_release(&p->header);
	free(p->spans);
	*p = PLAN_INIT;
}
