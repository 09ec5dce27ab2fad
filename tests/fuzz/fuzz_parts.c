/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever the message: the stretches of its body follow each other, what is
 * told of them is what is stored there, what lies between them is boundaries
 * and empty lines, and a body in a file is no other than one in memory.
 */
#include "mail/parts.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "decode.h"
#include "input.h"
#include "mail/message.h"

#define LIMIT (64u << 20) /* octets of anything compared */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct listener {
	struct view body;
	struct buf story;  /* everything that was told */
	uint64_t at;       /* behind what was told */
	bool is_open;      /* octets may come */
	bool is_composite; /* what began last has parts or a message in it */
	bool ended;        /* the message's last octet was told */
};

static struct view slice(const struct listener *l, uint64_t at, uint64_t n)
{
	require(at <= l->body.n && n <= l->body.n - at);
	return view_make(l->body.p + at, (size_t)n);
}

/* Nothing, or one line with a boundary, and the line end that is its own. */
static void check_gap(const struct listener *l, uint64_t until)
{
	struct view gap = slice(l, l->at, until - l->at);

	if (!gap.n)
		return;
	require(!l->is_composite);
	if (gap.p[0] == '\r')
		gap = view_skip(gap, 2);
	else
		require(!l->at || l->body.p[l->at - 1] == '\n');
	require(gap.n > 2 && gap.p[0] == '-' && gap.p[1] == '-');
	require(line_length(gap) + 2 == gap.n);
}

static void check_header(const struct listener *l, const struct part *p,
			 struct view header)
{
	struct view rest = slice(l, p->header_at, p->body_at - p->header_at);

	require(header.n == p->header_n);
	require(!memcmp(rest.p, header.p, header.n));
	rest = view_skip(rest, header.n);
	require(!rest.n || (rest.n == 2 && !memcmp(rest.p, "\r\n", 2)));
	while (header.n) {
		struct field f;

		require(field_cut(header, &f));
		header = view_skip(header, f.raw.n);
	}
}

static int begin(void *context, const struct part *p, struct view header,
		 struct outcome *o)
{
	struct listener *l = context;

	(void)o;
	require(!l->is_open && !l->ended);
	require(p->is_top == !l->story.n);
	require(!p->is_top || (!p->header_n && !p->body_at));
	require(!p->is_filler || (!p->header_n && p->body_at == p->header_at));
	require(p->header_at >= l->at && p->body_at >= p->header_at);
	check_gap(l, p->header_at);
	check_header(l, p, header);
	l->at = p->body_at;
	l->is_composite = !p->is_filler && media_is_composite(p->media);
	l->is_open = !l->is_composite;
	buf_printf(&l->story, "(%d%d%d%d %d %d ", p->is_top, p->is_filler,
		   p->is_message, p->is_signed, (int)p->encoding,
		   p->is_filler ? -1 : (int)p->media->kind);
	buf_add_view(&l->story, header);
	return 0;
}

static void octets(void *context, struct view piece)
{
	struct listener *l = context;

	require(l->is_open && piece.n);
	require(view_equal(slice(l, l->at, piece.n), piece));
	/* a CR and its LF are not parted */
	require(piece.p[0] != '\n');
	l->at += piece.n;
	buf_add_view(&l->story, piece);
}

static int end(void *context, const struct part *p, struct outcome *o)
{
	struct listener *l = context;

	(void)o;
	require(l->is_open && p->body_at + p->body_n == l->at);
	require(!p->is_last || l->at == l->body.n);
	l->ended = p->is_last;
	l->is_open = false;
	buf_printf(&l->story, " %d)", p->is_last);
	return 0;
}

static int walk(struct view header, struct view body, size_t memory,
		struct buf *story)
{
	struct listener l = {.body = body, .story = BUF_INIT(LIMIT)};
	const struct part_visitor visitor = {begin, octets, end, &l};
	struct outcome o = OUTCOME_INIT;
	struct store *s = store_new(memory);
	int rc;

	require(store_append(s, body.p, body.n, &o) == 0);
	rc = parts_walk(s, header, &visitor, &o);
	require((rc < 0) == outcome_is_failure(&o));
	require(rc == 0 ? l.ended : !strcmp(o.status, "5.6.3"));
	buf_add_view(story, buf_view(&l.story));
	outcome_release(&o);
	buf_release(&l.story);
	store_free(s);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t memories[] = {0, 1, 13, 4096};
	struct buf body = BUF_INIT(LIMIT), story = BUF_INIT(LIMIT);
	struct message m = MESSAGE_INIT;
	size_t i;

	if (read_message(view_make((const char *)data, size), &m)) {
		struct view header = buf_view(&m.header);
		int rc;

		read_body(&m, &body);
		rc = walk(header, buf_view(&body), LIMIT, &story);
		for (i = 0; i < sizeof(memories) / sizeof(memories[0]); i++) {
			struct buf other = BUF_INIT(LIMIT);

			require(walk(header, buf_view(&body), memories[i],
				     &other) == rc);
			require(view_equal(buf_view(&story), buf_view(&other)));
			buf_release(&other);
		}
	}
	message_release(&m);
	buf_release(&body);
	buf_release(&story);
	return 0;
}
