/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_FUZZ_DECODE_H
#define TESTS_FUZZ_DECODE_H

/*
 * Decoders of the tests' own, written from the RFCs and without a look at what
 * encodes: small, slow, and forgiving as receivers are.
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/buf.h"

/* The value of a hex digit in either case (RFC 2045 6.7 lets receivers take
 * both), or -1. */
static inline int hex_digit(int c)
{
	static const char digits[] = "0123456789ABCDEF0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)((at - digits) % 16) : -1;
}

static inline bool is_hex_pair(struct view v)
{
	return v.n >= 2 && hex_digit(v.p[0]) >= 0 && hex_digit(v.p[1]) >= 0;
}

/* Octets of the line that v begins with, less its CRLF. */
static inline size_t line_length(struct view v)
{
	size_t n = 0;

	while (n < v.n &&
	       !(v.p[n] == '\r' && n + 1 < v.n && v.p[n + 1] == '\n'))
		n++;
	return n;
}

static inline size_t without_blanks(struct view line)
{
	while (line.n &&
	       (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
		line.n--;
	return line.n;
}

/*
 * RFC 2045 6.7: blanks at the end of a line were put there on the way, also
 * behind a soft line break's `=`; a `=` that begins neither is itself.
 */
static inline void decode_qp(struct view in, struct buf *out)
{
	struct view line;
	size_t i, n;
	bool soft, ends;

	while (in.n) {
		n = line_length(in);
		line = view_make(in.p, n);
		line.n = without_blanks(line);
		ends = n < in.n;
		soft = line.n && line.p[line.n - 1] == '=';
		line.n -= soft;
		for (i = 0; i < line.n; i++) {
			if (line.p[i] == '=' &&
			    is_hex_pair(view_skip(line, i + 1))) {
				buf_add_char(out,
					     (char)(hex_digit(line.p[i + 1])
							    << 4 |
						    hex_digit(line.p[i + 2])));
				i += 2;
			} else {
				buf_add_char(out, line.p[i]);
			}
		}
		if (ends && !soft)
			buf_add_text(out, "\r\n");
		in = view_skip(in, n + 2);
	}
}

static inline int base64_digit(int c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
				     "opqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* RFC 2045 6.8: what is not in the alphabet is skipped; `=` ends it. */
static inline void decode_b64(struct view in, struct buf *out)
{
	unsigned long bits = 0;
	unsigned n = 0;
	size_t i;

	for (i = 0; i < in.n && in.p[i] != '='; i++) {
		int digit = base64_digit(in.p[i]);

		if (digit < 0)
			continue;
		bits = (bits << 6 | (unsigned)digit) & 0xffffff;
		n += 6;
		if (n >= 8) {
			n -= 8;
			buf_add_char(out, (char)(bits >> n & 0xff));
		}
	}
}

/* RFC 5322 2.2.3: a line end ahead of a blank is taken out. */
static inline void unfold(struct view in, struct buf *out)
{
	size_t i;

	for (i = 0; i < in.n; i++) {
		if (in.p[i] == '\r' && i + 2 < in.n && in.p[i + 1] == '\n' &&
		    (in.p[i + 2] == ' ' || in.p[i + 2] == '\t'))
			i++;
		else
			buf_add_char(out, in.p[i]);
	}
}

/* Octets up to the next `?`; blanks and what is no ASCII end them too. */
static inline size_t word_field(struct view v)
{
	size_t n = 0;

	while (n < v.n && v.p[n] > 0 && !strchr(" \t\r\n?", v.p[n]))
		n++;
	return n;
}

/* An encoded word as it is written. */
struct coded_word {
	size_t n; /* octets in all; 0: it is none */
	struct view charset;
	char encoding; /* Q or B, in either case */
	struct view text;
};

/* RFC 2047 2, but that receivers do not look at what a token may hold. */
static inline struct coded_word cut_word(struct view v)
{
	struct coded_word w = {0};
	struct view fields[3], rest = view_skip(v, 2);
	size_t i;

	if (v.n < 8 || v.p[0] != '=' || v.p[1] != '?')
		return w;
	for (i = 0; i < 3; i++) {
		fields[i] = view_make(rest.p, word_field(rest));
		rest = view_skip(rest, fields[i].n);
		if (!rest.n || rest.p[0] != '?')
			return w;
		rest = view_skip(rest, 1);
	}
	if (!rest.n || rest.p[0] != '=' || fields[1].n != 1 ||
	    !strchr("bBqQ", fields[1].p[0]))
		return w;
	w.charset = fields[0];
	w.encoding = fields[1].p[0];
	w.text = fields[2];
	w.n = (size_t)(rest.p + 1 - v.p);
	return w;
}

static inline void decode_word(const struct coded_word *w, struct buf *out)
{
	struct view text = w->text;
	size_t i;

	if (w->encoding == 'b' || w->encoding == 'B') {
		decode_b64(text, out);
		return;
	}
	for (i = 0; i < text.n; i++) {
		if (text.p[i] == '=' && is_hex_pair(view_skip(text, i + 1))) {
			buf_add_char(out,
				     (char)(hex_digit(text.p[i + 1]) << 4 |
					    hex_digit(text.p[i + 2])));
			i += 2;
		} else {
			buf_add_char(out,
				     text.p[i] == '_' ? (char)' ' : text.p[i]);
		}
	}
}

static inline size_t blanks_at(struct view v)
{
	size_t n = 0;

	while (n < v.n && (v.p[n] == ' ' || v.p[n] == '\t'))
		n++;
	return n;
}

/*
 * Unfolded text as a reader sees it (RFC 2047 6.2): the words decoded, blanks
 * between two of them gone, the rest as it is. A word stands at the start,
 * behind a blank or behind one of `before`, and ends likewise at one of
 * `behind` (in comments and phrases, parentheses and the like).
 */
static inline void decode_words(struct view in, const char *before,
				const char *behind, struct buf *out)
{
	bool after_word = false, may_begin = true;
	struct coded_word w;
	struct view rest;
	size_t blanks;

	while (in.n) {
		blanks = blanks_at(in);
		rest = view_skip(in, blanks);
		w = cut_word(rest);
		if (!may_begin && !blanks)
			w.n = 0;
		if (w.n < rest.n && rest.p[w.n] != ' ' && rest.p[w.n] != '\t' &&
		    !(rest.p[w.n] && strchr(behind, rest.p[w.n])))
			w.n = 0;
		if (!w.n || !after_word)
			buf_add(out, in.p, blanks);
		after_word = w.n > 0;
		if (w.n) {
			decode_word(&w, out);
			may_begin = false;
		} else if (rest.n) {
			may_begin = rest.p[0] && strchr(before, rest.p[0]);
			buf_add_char(out, rest.p[0]);
			w.n = 1;
		}
		in = view_skip(rest, w.n);
	}
}

#endif
