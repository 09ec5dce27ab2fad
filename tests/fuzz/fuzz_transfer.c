/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever the octets, and however they are cut: what is encoded decodes to
 * them, in lines that mail can carry. The first octet says how, the second how
 * it is cut.
 */
#include "mail/transfer.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/text.h"
#include "decode.h"

#define LIMIT (64u << 20) /* octets of anything compared */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static bool is_qp(enum transfer kind)
{
	return kind == TRANSFER_QP || kind == TRANSFER_QP_AGAIN;
}

/* In pieces of which the seed decides; 0: in one. */
static void encode(enum transfer kind, struct view in, unsigned seed,
		   struct buf *out)
{
	struct encoder e = ENCODER_INIT(kind);
	size_t n = seed ? 0 : in.n;

	for (; in.n; in = view_skip(in, n)) {
		if (seed) {
			seed = seed * 1103515245u + 12345u;
			n = (seed >> 16) % (1u << (seed >> 24) % 13);
		}
		encoder_feed(&e, view_make(in.p, n < in.n ? n : in.n), out);
	}
	encoder_finish(&e, out);
	require(!out->overflow);
}

static void check_qp_line(struct view line, enum transfer kind)
{
	size_t i;

	/* those that were there may stay */
	require(kind == TRANSFER_QP_AGAIN || without_blanks(line) == line.n);
	for (i = 0; i + 1 < line.n; i++)
		require(line.p[i] != '=' ||
			is_hex_pair(view_skip(line, i + 1)));
}

static void check_lines(struct view out, enum transfer kind)
{
	bool after_soft = false;
	struct view line;
	size_t i, n;

	for (; out.n; out = view_skip(out, n + 2)) {
		n = line_length(out);
		line = view_make(out.p, n);
		require(n <= TRANSFER_LINE_MAX && (n || is_qp(kind)));
		for (i = 0; i < n; i++)
			require((line.p[i] >= ' ' && line.p[i] < 127) ||
				line.p[i] == '\t');
		if (is_qp(kind))
			check_qp_line(line, kind);
		else
			require(n == TRANSFER_LINE_MAX || n == out.n);
		require(!after_soft || n < 2 || memcmp(line.p, "--", 2));
		after_soft = n && line.p[n - 1] == '=' && is_qp(kind);
	}
	require(!after_soft || kind == TRANSFER_QP_AGAIN);
}

static void decode(enum transfer kind, struct view in, struct buf *out)
{
	if (is_qp(kind))
		decode_qp(in, out);
	else
		decode_b64(in, out);
}

/* Base64 again: its digits, and nothing else. */
static void check_digits(struct view in, struct view out)
{
	size_t i, n = 0;

	for (i = 0; i < in.n; i++) {
		if (base64_digit(in.p[i]) < 0 && in.p[i] != '=')
			continue;
		while (n < out.n && (out.p[n] == '\r' || out.p[n] == '\n'))
			n++;
		require(n < out.n && out.p[n] == in.p[i]);
		n++;
	}
	require(n == out.n);
}

/* So many blanks in a row that they are text even at a line's end. */
static bool has_many_blanks(struct view v)
{
	size_t i, n = 0;

	for (i = 0; i < v.n && n < 900; i++)
		n = v.p[i] == ' ' || v.p[i] == '\t' ? n + 1 : 0;
	return n >= 900;
}

static void try_kind(enum transfer kind, struct view in, unsigned seed)
{
	struct buf whole = BUF_INIT(LIMIT), pieces = BUF_INIT(LIMIT);
	struct buf wanted = BUF_INIT(LIMIT), got = BUF_INIT(LIMIT);

	encode(kind, in, 0, &whole);
	encode(kind, in, seed + 1, &pieces);
	require(view_equal(buf_view(&whole), buf_view(&pieces)));
	check_lines(buf_view(&whole), kind);
	decode(kind, buf_view(&whole), &got);
	if (kind == TRANSFER_QP || kind == TRANSFER_BASE64)
		buf_add_view(&wanted, in);
	else
		decode(kind, in, &wanted);
	require(view_equal(buf_view(&got), buf_view(&wanted)) ||
		(kind == TRANSFER_QP_AGAIN && has_many_blanks(in)));
	if (kind == TRANSFER_BASE64)
		require(whole.n == encoder_base64_size(in.n));
	if (kind == TRANSFER_BASE64_AGAIN)
		check_digits(in, buf_view(&whole));
	buf_release(&whole);
	buf_release(&pieces);
	buf_release(&wanted);
	buf_release(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum transfer kinds[] = {
		TRANSFER_QP,
		TRANSFER_BASE64,
		TRANSFER_QP_AGAIN,
		TRANSFER_BASE64_AGAIN,
	};

	if (size < 2)
		return 0;
	try_kind(kinds[data[0] % 4],
		 view_make((const char *)data + 2, size - 2), data[1]);
	return 0;
}
