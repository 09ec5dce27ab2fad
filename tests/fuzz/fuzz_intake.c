/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bodies of any size, wherever they are cut: they are what a look at each octet
 * says. The input is a recipe, as what is long enough to meet the borders of
 * blocks is more than a fuzzer would come to: how it is fed, and then pairs of
 * what is repeated and how often.
 */
#include "mail/intake.h"

#include <stdint.h>
#include <stdlib.h>

#include "input.h"
#include "seen.h"

#define LIMIT  (600u << 10) /* octets of a message */
#define HEADER "A: b\n\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IN(text)                       \
	{                              \
		text, sizeof(text) - 1 \
	}

static const struct view pieces[] = {
	IN("x"),
	IN("\n"),
	IN("\r\n"),
	IN("\r"),
	IN("."),
	IN("\x80"),
	IN("\0"),
	IN("\r\r\n"),
	IN("\n.\n"),
	IN("ab\n"),
	IN("ab\r\n"),
	IN("y\n\r"),
	IN("a line of text, as long as those that people write\n"),
	IN("a line of text, as long as those that people write\r\n"),
};

#define N_PIECES (sizeof(pieces) / sizeof(pieces[0]))

/* Under 240 times, or thousands. */
static void add_piece(uint8_t which, uint8_t times, struct buf *out)
{
	struct view piece = pieces[which % N_PIECES];
	struct buf many = BUF_INIT(LIMIT);
	size_t i, n = times < 240 ? 1 : 1024;

	for (i = 0; i < n; i++)
		buf_add_view(&many, piece);
	n = times < 240 ? times : times - 239;
	for (i = 0; i < n && out->n + many.n <= LIMIT; i++)
		buf_add_view(out, buf_view(&many));
	buf_release(&many);
}

/* Cut at `first`, and then a hundred times each `step` octets; 0: it is read
 * from a file. */
static bool feed(struct view v, size_t first, size_t step,
		 const struct intake_policy *policy, struct message *m)
{
	struct outcome o = OUTCOME_INIT;
	struct intake *in;
	size_t n = first < v.n ? first : v.n, cuts = 0;
	int rc;

	if (!step)
		return read_message_by(policy, v, m);
	in = intake_new(m, policy);
	rc = intake_take(in, view_make(v.p, n), &o);
	for (v = view_skip(v, n); rc == 0 && v.n; v = view_skip(v, n)) {
		n = step < v.n && cuts++ < 100 ? step : v.n;
		rc = intake_take(in, view_make(v.p, n), &o);
	}
	if (rc == 0)
		rc = intake_end(in, &o);
	intake_free(in);
	outcome_release(&o);
	return rc == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct intake_policy policy = {false};
	struct buf input = BUF_INIT(LIMIT);
	struct seen s = SEEN_INIT;
	struct message m = MESSAGE_INIT;
	size_t i;

	if (size < 4)
		return 0;
	policy.dot_ends = data[0] & 1;
	buf_add_text(&input, HEADER);
	for (i = 4; i + 1 < size; i += 2)
		add_piece(data[i], data[i + 1], &input);
	see(&s, view_skip(buf_view(&input), sizeof(HEADER) - 1), 3,
	    policy.dot_ends);
	require(feed(buf_view(&input), data[2] | (size_t)data[3] << 8,
		     (size_t)data[1] << (data[0] >> 4), &policy, &m));
	require(seen_differs(&s, &m)[0] == '\0');
	message_release(&m);
	seen_release(&s);
	buf_release(&input);
	return 0;
}
