/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Quoted-printable and base64, written as the octets come. Quoted-printable
 * is ours (no library at hand streams it); base64 is GnuTLS's, cut into lines
 * here. Which part gets which is for mail/plan.
 */
#include "mail/transfer.h"

#include <string.h>

#include "base/encode.h"
#include "base/text.h"

#define QP_COLUMNS    (TRANSFER_LINE_MAX - 1) /* room for the soft break's = */
#define BASE64_OCTETS 57u                     /* of input, to fill a line */

/* --------------------------------------------------------- quoted-printable */

/* Where the next octets go; room was made for all of them. */
struct qp {
	struct encoder *e;
	char *p;
};

/* Room for every octet as `=XX`, soft breaks among them included. */
static struct qp qp_begin(struct encoder *e, struct view in, struct buf *out)
{
	size_t most = 4 * (in.n + e->held_n) + 16;

	return (struct qp){e, buf_room(out, most)};
}

static void qp_end(const struct qp *qp, struct buf *out)
{
	out->n = (size_t)(qp->p - out->p);
	out->p[out->n] = '\0';
}

static void qp_line_end(struct qp *qp)
{
	*qp->p++ = '\r';
	*qp->p++ = '\n';
	qp->e->column = 0;
}

/* A soft line break where `n` more octets would not fit. Was one needed? */
static bool qp_make_room(struct qp *qp, size_t n)
{
	if (qp->e->column + n <= QP_COLUMNS)
		return false;
	*qp->p++ = '=';
	qp_line_end(qp);
	return true;
}

static void qp_add_coded(struct qp *qp, char c)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char octet = (unsigned char)c;

	qp_make_room(qp, 3);
	*qp->p++ = '=';
	*qp->p++ = digits[octet >> 4];
	*qp->p++ = digits[octet & 15];
	qp->e->column += 3;
}

/* A line of our own making does not look like a boundary. */
static void qp_add_plain(struct qp *qp, char c)
{
	if (qp_make_room(qp, 1) && c == '-') {
		qp_add_coded(qp, c);
		return;
	}
	*qp->p++ = c;
	qp->e->column++;
}

/* RFC 2045 6.7 (2): what stands for itself anywhere. */
static bool is_plain(char c)
{
	return c > ' ' && c < 127 && c != '=';
}

/*
 * Held until what follows shows what it is: a blank, which may end a line (RFC
 * 2045 6.7 (3)); a CR, which may be part of a line end; a `-` at the start of a
 * line, which may look like a boundary's. No line begins with two of these:
 * what is encoded behind them could complete one.
 */
static bool is_held(const struct encoder *e, char c)
{
	return text_is_space(c) || c == '\r' || (c == '-' && !e->column);
}

static void qp_release(struct qp *qp, bool coded)
{
	char c = qp->e->held[0];

	if (!qp->e->held_n)
		return;
	qp->e->held_n = 0;
	if (c == '\r' || coded)
		qp_add_coded(qp, c);
	else
		qp_add_plain(qp, c);
}

static void qp_add(struct qp *qp, char c)
{
	struct encoder *e = qp->e;

	if (c == '\n' && e->held_n && e->held[0] == '\r') {
		e->held_n = 0;
		qp_line_end(qp);
		return;
	}
	qp_release(qp, c == (e->held[0] == '-' ? '-' : '\r'));
	if (is_held(e, c)) {
		e->held[0] = c;
		e->held_n = 1;
	} else if (is_plain(c)) {
		qp_add_plain(qp, c);
	} else {
		qp_add_coded(qp, c);
	}
}

/* Octets at the front that stand for themselves and fit the line. */
static size_t qp_run(const struct encoder *e, struct view in)
{
	size_t n = 0;

	if (e->held_n || !e->column || e->column >= QP_COLUMNS)
		return 0;
	if (in.n > QP_COLUMNS - e->column)
		in.n = QP_COLUMNS - e->column;
	while (n < in.n && is_plain(in.p[n]))
		n++;
	return n;
}

static void feed_qp(struct encoder *e, struct view in, struct buf *out)
{
	struct qp qp = qp_begin(e, in, out);
	size_t n;

	if (!qp.p)
		return;
	while (in.n) {
		n = qp_run(e, in);
		memcpy(qp.p, in.p, n);
		qp.p += n;
		e->column += n;
		if (n < in.n)
			qp_add(&qp, in.p[n++]);
		in = view_skip(in, n);
	}
	qp_end(&qp, out);
}

static void finish_qp(struct encoder *e, struct buf *out)
{
	struct qp qp = qp_begin(e, VIEW(""), out);

	if (!qp.p)
		return;
	qp_release(&qp, true);
	qp_end(&qp, out);
}

/* --------------------------------------------- quoted-printable, once more */

static bool is_hex(char c)
{
	return text_is_digit(c) ||
		(text_lower(c) >= 'a' && text_lower(c) <= 'f');
}

/* More blanks in a row than this are text, whatever follows them. */
#define BLANKS_MAX 900u

/* Blanks at the front of v, so many at most. */
static size_t count_blanks(struct view v)
{
	size_t n = 0;

	while (n < v.n && n < BLANKS_MAX && text_is_space(v.p[n]))
		n++;
	return n;
}

static bool is_line_end(struct view v)
{
	return v.n >= 2 && v.p[0] == '\r' && v.p[1] == '\n';
}

/*
 * `=` at the front of v: an octet, a soft line break (blanks may precede its
 * line end, RFC 2045 6.7 (3)), or an `=` that means nothing else. Returns how
 * much of v it takes; 0: more must be seen, unless `at_end`.
 */
static size_t again_equals(struct qp *qp, struct view v, bool at_end)
{
	struct view behind = view_skip(v, 1);
	size_t blanks = count_blanks(behind);
	struct view rest = view_skip(behind, blanks);

	if (behind.n >= 2 && is_hex(behind.p[0]) && is_hex(behind.p[1])) {
		qp_make_room(qp, 3);
		memcpy(qp->p, v.p, 3);
		qp->p += 3;
		qp->e->column += 3;
		return 3;
	}
	if (is_line_end(rest)) {
		qp->e->was_soft = true;
		return 1 + blanks + 2;
	}
	if (!rest.n && at_end) /* the line end behind the part is its own */
		return v.n;
	if (!at_end && (rest.n < 2 && (!rest.n || rest.p[0] == '\r')))
		return 0;
	if (!at_end && behind.n < 2 && is_hex(behind.p[0]))
		return 0;
	qp_add_coded(qp, '=');
	return 1;
}

/*
 * Blanks at the front of v: they mean nothing at a line's end (RFC 2045 6.7
 * (3)), but readers differ there, so they stay if the line holds them. A soft
 * line break gives the blank in front of it a meaning, and is taken out.
 */
static size_t again_blanks(struct qp *qp, struct view v, bool at_end)
{
	size_t i, n = count_blanks(v);
	struct view rest = view_skip(v, n);
	bool undecided = !rest.n || (rest.n < 2 && rest.p[0] == '\r');
	bool ends = rest.n ? is_line_end(rest) : at_end;

	if (n >= BLANKS_MAX) {
		n = BLANKS_MAX;
		ends = false;
	} else if (undecided && !at_end) {
		return 0;
	}
	if (ends && qp->e->column + n > TRANSFER_LINE_MAX)
		return n;
	for (i = 0; i < n; i++) {
		if (!ends && i + 1 == n &&
		    (n == BLANKS_MAX || rest.p[0] == '=')) {
			qp_add_coded(qp, v.p[i]);
			break;
		}
		if (!ends)
			qp_make_room(qp, 1);
		*qp->p++ = v.p[i];
		qp->e->column++;
	}
	return n;
}

/* A `-` that begins a line, as in qp_add. */
static size_t again_dash(struct qp *qp, struct view v, bool at_end)
{
	if (v.n < 2 && !at_end)
		return 0;
	if (v.n >= 2 && (v.p[1] == '-' || v.p[1] == '='))
		qp_add_coded(qp, '-');
	else
		qp_add_plain(qp, '-');
	return 1;
}

static size_t again_one(struct qp *qp, struct view v, bool at_end)
{
	qp->e->was_soft = false;
	if (v.p[0] == '=')
		return again_equals(qp, v, at_end);
	if (text_is_space(v.p[0]))
		return again_blanks(qp, v, at_end);
	if (v.p[0] == '-' && !qp->e->column)
		return again_dash(qp, v, at_end);
	if (v.p[0] == '\r' && v.n < 2 && !at_end)
		return 0;
	if (is_line_end(v)) {
		qp_line_end(qp);
		return 2;
	}
	if (is_plain(v.p[0]))
		qp_add_plain(qp, v.p[0]);
	else
		qp_add_coded(qp, v.p[0]);
	return 1;
}

/* What can't be decided yet is held: BLANKS_MAX and a few more octets. */
static void again(struct encoder *e, struct view in, bool at_end,
		  struct buf *out)
{
	struct qp qp = qp_begin(e, in, out);
	size_t used = 1;

	if (!qp.p)
		return;
	for (; in.n && used; in = view_skip(in, used))
		used = again_one(&qp, in, at_end);
	memmove(e->held, in.p, in.n);
	e->held_n = in.n;
	qp_end(&qp, out);
}

/* What is held and what comes are looked at together: the held octets and as
 * much of the new ones as decides about them, then the rest. */
static void feed_again(struct encoder *e, struct view in, struct buf *out)
{
	char both[2 * sizeof(e->held)];
	size_t held = e->held_n, n;

	while (held && in.n) {
		n = in.n < sizeof(e->held) ? in.n : sizeof(e->held);
		memcpy(both, e->held, held);
		memcpy(both + held, in.p, n);
		again(e, view_make(both, held + n), false, out);
		in = view_skip(in, n);
		held = e->held_n;
	}
	if (in.n)
		again(e, in, false, out);
}

static void finish_again(struct encoder *e, struct buf *out)
{
	char held[sizeof(e->held)];
	size_t n = e->held_n;

	memcpy(held, e->held, n);
	again(e, view_make(held, n), true, out);
	if (e->was_soft)
		buf_add_text(out, "=\r\n");
}

/* ------------------------------------------------------------------- base64 */

/* Digits in lines; a line end comes only when more follows. */
static void add_lines(struct encoder *e, struct view digits, struct buf *out)
{
	size_t n;

	while (digits.n) {
		if (e->column == TRANSFER_LINE_MAX) {
			buf_add_text(out, "\r\n");
			e->column = 0;
		}
		n = TRANSFER_LINE_MAX - e->column;
		if (n > digits.n)
			n = digits.n;
		buf_add(out, digits.p, n);
		e->column += n;
		digits = view_skip(digits, n);
	}
}

static void add_base64(struct encoder *e, struct view in, struct buf *out)
{
	struct buf digits = BUF_INIT(out->limit);

	encode_base64(&digits, in);
	add_lines(e, buf_view(&digits), out);
	buf_release(&digits);
}

static void hold(struct encoder *e, struct view v)
{
	memcpy(e->held + e->held_n, v.p, v.n);
	e->held_n += v.n;
}

/* Whole lines at once; what is left waits for more. */
static void feed_base64(struct encoder *e, struct view in, struct buf *out)
{
	size_t n = e->held_n ? BASE64_OCTETS - e->held_n : 0;

	if (n > in.n)
		n = in.n;
	hold(e, view_make(in.p, n));
	in = view_skip(in, n);
	if (e->held_n == BASE64_OCTETS) {
		add_base64(e, view_make(e->held, e->held_n), out);
		e->held_n = 0;
	}
	n = in.n - in.n % BASE64_OCTETS;
	add_base64(e, view_make(in.p, n), out);
	hold(e, view_skip(in, n));
}

static void finish_base64(struct encoder *e, struct buf *out)
{
	add_base64(e, view_make(e->held, e->held_n), out);
	e->held_n = 0;
}

static bool is_base64_digit(char c)
{
	return text_is_alpha(c) || text_is_digit(c) || c == '+' || c == '/' ||
		c == '=';
}

/* RFC 2045 6.8: what is no digit is to be ignored. */
static void feed_base64_again(struct encoder *e, struct view in,
			      struct buf *out)
{
	size_t i = 0, n;

	while (i < in.n) {
		for (n = 0; i + n < in.n && is_base64_digit(in.p[i + n]); n++)
			;
		add_lines(e, view_make(in.p + i, n), out);
		i += n + 1;
	}
}

/* ----------------------------------------------------------------- contract */

void encoder_feed(struct encoder *e, struct view in, struct buf *out)
{
	switch (e->kind) {
	case TRANSFER_QP: feed_qp(e, in, out); break;
	case TRANSFER_BASE64: feed_base64(e, in, out); break;
	case TRANSFER_QP_AGAIN: feed_again(e, in, out); break;
	case TRANSFER_BASE64_AGAIN: feed_base64_again(e, in, out); break;
	}
}

void encoder_finish(struct encoder *e, struct buf *out)
{
	switch (e->kind) {
	case TRANSFER_QP: finish_qp(e, out); break;
	case TRANSFER_BASE64: finish_base64(e, out); break;
	case TRANSFER_QP_AGAIN: finish_again(e, out); break;
	case TRANSFER_BASE64_AGAIN: break;
	}
}

unsigned long long encoder_base64_size(unsigned long long octets)
{
	unsigned long long digits = (octets + 2) / 3 * 4;

	if (!digits)
		return 0;
	return digits + (digits - 1) / TRANSFER_LINE_MAX * 2;
}
