/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever the message and the way to its server (the first octet says which):
 * if it goes, it fits the way, it is as long as was said, and who reads it gets
 * the parts that were there, octet by octet.
 */
#include "mail/content.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "decode.h"
#include "input.h"
#include "mail/message.h"
#include "mail/parts.h"

#define LIMIT (64u << 20) /* octets of anything compared */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---------------------------------------------------------------- the parts */

/* A part without parts, as a reader has it. */
struct leaf {
	struct buf raw;     /* header and octets as they were sent */
	struct buf decoded; /* octets that they mean */
	bool is_signed;
};

struct leaves {
	struct leaf *p;
	size_t n;
	struct buf octets; /* of the part the walk is in */
};

static int begin(void *context, const struct part *p, struct view header,
		 struct outcome *o)
{
	struct leaves *l = context;
	struct leaf *leaf;

	(void)o;
	buf_clear(&l->octets);
	if (p->is_filler)
		return 0;
	l->p = memory_resize(l->p, l->n + 1, sizeof(*l->p));
	leaf = &l->p[l->n++];
	*leaf = (struct leaf){BUF_INIT(LIMIT), BUF_INIT(LIMIT), p->is_signed};
	if (p->is_signed)
		buf_add_view(&leaf->raw, header);
	return 0;
}

static void octets(void *context, struct view piece)
{
	struct leaves *l = context;

	buf_add_view(&l->octets, piece);
}

static int end(void *context, const struct part *p, struct outcome *o)
{
	struct leaves *l = context;
	struct leaf *leaf = l->n ? &l->p[l->n - 1] : NULL;

	(void)o;
	if (p->is_filler)
		return 0;
	buf_add_view(&leaf->raw, buf_view(&l->octets));
	if (p->encoding == ENCODING_QP)
		decode_qp(buf_view(&l->octets), &leaf->decoded);
	else if (p->encoding == ENCODING_BASE64)
		decode_b64(buf_view(&l->octets), &leaf->decoded);
	else
		buf_add_view(&leaf->decoded, buf_view(&l->octets));
	return 0;
}

static int list_leaves(const struct message *m, struct leaves *l)
{
	const struct part_visitor visitor = {begin, octets, end, l};
	struct outcome o = OUTCOME_INIT;
	int rc;

	*l = (struct leaves){.octets = BUF_INIT(LIMIT)};
	rc = parts_walk(m->body, buf_view(&m->header), &visitor, &o);
	outcome_release(&o);
	return rc;
}

static void leaves_release(struct leaves *l)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		buf_release(&l->p[i].raw);
		buf_release(&l->p[i].decoded);
	}
	free(l->p);
	buf_release(&l->octets);
}

/* So many blanks in a row are text, even at the end of a quoted-printable
 * line, where readers would drop them. */
static bool has_many_blanks(struct view v)
{
	size_t i, n = 0;

	for (i = 0; i < v.n && n < 900; i++)
		n = v.p[i] == ' ' || v.p[i] == '\t' ? n + 1 : 0;
	return n >= 900;
}

static void check_leaves(const struct message *was, const struct message *is,
			 enum reencode reencode)
{
	struct leaves a, b;
	size_t i;

	/* what was not looked at may have more levels than are looked at */
	if (list_leaves(was, &a) == 0) {
		require(list_leaves(is, &b) == 0);
		require(a.n == b.n);
		for (i = 0; i < a.n; i++) {
			require(view_equal(buf_view(&a.p[i].decoded),
					   buf_view(&b.p[i].decoded)) ||
				has_many_blanks(buf_view(&a.p[i].raw)));
			if (a.p[i].is_signed && reencode != REENCODE_ON)
				require(view_equal(buf_view(&a.p[i].raw),
						   buf_view(&b.p[i].raw)));
		}
		leaves_release(&b);
	}
	leaves_release(&a);
}

/* ------------------------------------------------------- what is on the way */

static void pull(struct content *c, uint64_t most, struct buf *out)
{
	struct outcome o = OUTCOME_INIT;
	struct view piece;
	int rc;

	while ((rc = content_next(c, most, &piece, &o)) > 0) {
		require(piece.n > 0 && piece.n <= most);
		buf_add_view(out, piece);
	}
	require(rc == 0 && out->n == content_size(c));
	require(out->n >= 2 && !memcmp(out->p + out->n - 2, "\r\n", 2));
}

static uint64_t longest_line(struct view v)
{
	uint64_t longest = 0;
	size_t n;

	for (; v.n; v = view_skip(v, n + 2)) {
		n = line_length(v);
		longest = n > longest ? n : longest;
	}
	return longest;
}

/* No LF but behind a CR; a CR elsewhere and NUL are for binary ways alone. */
static void check_octets(struct view v, bool is_binary)
{
	size_t i;

	for (i = 0; i < v.n; i++) {
		require(v.p[i] != '\n' || (i && v.p[i - 1] == '\r'));
		require(is_binary || v.p[i] != '\r' ||
			(i + 1 < v.n && v.p[i + 1] == '\n'));
		require(is_binary || v.p[i]);
	}
}

static void check_header(struct view header, const struct carriage *way,
			 enum reencode reencode)
{
	check_octets(header, false);
	if (reencode == REENCODE_OFF)
		return;
	require(longest_line(header) <= PLAN_LINE_MAX);
	require(!view_has_8bit(header) || (way->utf8 && view_is_utf8(header)));
}

/* The form that is declared is the one that it has. */
static void check_body(const struct content *c, const struct message *is,
		       struct view body, const struct carriage *way,
		       enum reencode reencode)
{
	enum body_form form = content_form(c);
	bool is_long = longest_line(body) > PLAN_LINE_MAX;

	check_octets(body, way->binary);
	require(!view_has_8bit(body) || way->eightbit || way->binary);
	require(!is_long || way->binary || reencode == REENCODE_OFF);
	if (is->nul_line || is->bare_cr_line || (is_long && way->binary))
		require(form == FORM_BINARY);
	else if (view_has_8bit(body))
		require(form == (way->eightbit ? FORM_8BIT : FORM_BINARY));
	else
		require(form ==
			(view_has_8bit(buf_view(&is->header)) ? FORM_8BIT
							      : FORM_7BIT));
}

/* What goes out is what goes out if it is taken in again. */
static void check_settled(const struct message *is, struct view sent,
			  const struct carriage *way, enum reencode reencode)
{
	struct content *c = content_new(buf_view(&is->header), is);
	struct outcome o = OUTCOME_INIT;
	struct buf again = BUF_INIT(LIMIT);

	require(content_fit(c, way, reencode, &o) == 0);
	pull(c, UINT64_MAX, &again);
	require(view_equal(buf_view(&again), sent));
	content_free(c);
	buf_release(&again);
}

static void check_sent(struct content *c, const struct message *was,
		       const struct carriage *way, enum reencode reencode)
{
	struct buf sent = BUF_INIT(LIMIT), again = BUF_INIT(LIMIT);
	struct message is = MESSAGE_INIT;
	struct view body;

	pull(c, UINT64_MAX, &sent);
	content_rewind(c);
	pull(c, 1 + sent.n / 7, &again);
	require(view_equal(buf_view(&sent), buf_view(&again)));
	require(read_message(buf_view(&sent), &is));
	body = view_skip(buf_view(&sent), is.header.n + 2);
	require(!memcmp(sent.p, is.header.p, is.header.n));
	require(!memcmp(body.p - 2, "\r\n", 2));
	require(body.n == store_size(is.body));
	check_header(buf_view(&is.header), way, reencode);
	check_body(c, &is, body, way, reencode);
	check_leaves(was, &is, reencode);
	check_settled(&is, buf_view(&sent), way, reencode);
	message_release(&is);
	buf_release(&sent);
	buf_release(&again);
}

static void check_refused(const struct outcome *o)
{
	require(o->cause == CAUSE_CONTENT || o->cause == CAUSE_FEATURE);
	require(!strcmp(o->status, "5.6.0") || !strcmp(o->status, "5.6.3"));
	require(o->text && *o->text && !strpbrk(o->text, "\r\n"));
}

static void try_way(const struct message *m, const struct carriage *way,
		    enum reencode reencode)
{
	struct content *c = content_new(buf_view(&m->header), m);
	struct outcome o = OUTCOME_INIT;

	if (content_fit(c, way, reencode, &o) == 0) {
		require(!outcome_is_failure(&o));
		check_sent(c, m, way, reencode);
	} else {
		check_refused(&o);
	}
	outcome_release(&o);
	content_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum reencode modes[] = {REENCODE_AUTO, REENCODE_ON,
					      REENCODE_OFF, REENCODE_AUTO};
	struct message m = MESSAGE_INIT;
	struct carriage way;

	if (!size)
		return 0;
	way = (struct carriage){
		.eightbit = data[0] & 1,
		.binary = data[0] & 2,
		.utf8 = data[0] & 4,
	};
	if (read_message(view_make((const char *)data + 1, size - 1), &m))
		try_way(&m, &way, modes[data[0] >> 3 & 3]);
	message_release(&m);
	return 0;
}
