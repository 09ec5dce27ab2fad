/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Octets in the clothes that protocols and reports want: base64, hex, xtext,
 * encoded words, JSON. Nothing here knows what the octets mean.
 */
#include "base/encode.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/gnutls.h"
#include "base/memory.h"
#include "base/text.h"

#define RANDOM_MAX 32u /* octets */

static const char hex_digits[] = "0123456789ABCDEF";

/* Both sides of base64 may be secrets: GnuTLS's copy is wiped. */
static void take_datum(struct buf *out, gnutls_datum_t *datum)
{
	buf_add(out, datum->data, datum->size);
	memory_wipe(datum->data, datum->size);
	gnutls_free(datum->data);
}

static gnutls_datum_t datum_of(struct view v)
{
	return (gnutls_datum_t){
		.data = (unsigned char *)(uintptr_t)v.p,
		.size = (unsigned)v.n,
	};
}

void encode_base64(struct buf *out, struct view v)
{
	gnutls_datum_t from = datum_of(v), to = {NULL, 0};

	if (!v.n)
		return;
	if (v.n > INT_MAX / 2 || !library_has_gnutls() ||
	    gnutls_base64_encode2(&from, &to) < 0)
		out->overflow = true;
	else
		take_datum(out, &to);
}

static bool is_base64_digit(char c)
{
	return text_is_alpha(c) || text_is_digit(c) || c == '+' || c == '/';
}

/* GnuTLS skips what it does not know, so the form is checked here. */
static bool is_base64(struct view v)
{
	size_t i, digits = v.n;

	if (v.n % 4 || v.n > INT_MAX / 2)
		return false;
	while (digits && v.n - digits < 2 && v.p[digits - 1] == '=')
		digits--;
	for (i = 0; i < digits; i++)
		if (!is_base64_digit(v.p[i]))
			return false;
	return true;
}

bool decode_base64(struct buf *out, struct view v)
{
	gnutls_datum_t from = datum_of(v), to = {NULL, 0};

	if (!is_base64(v))
		return false;
	if (!v.n)
		return true;
	if (!library_has_gnutls() || gnutls_base64_decode2(&from, &to) < 0)
		return false;
	take_datum(out, &to);
	return true;
}

static void add_hex(struct buf *out, char c)
{
	unsigned char octet = (unsigned char)c;

	buf_add_char(out, hex_digits[octet >> 4]);
	buf_add_char(out, hex_digits[octet & 15]);
}

void encode_hex(struct buf *out, struct view v, char separator)
{
	size_t i;

	for (i = 0; i < v.n; i++) {
		if (i && separator)
			buf_add_char(out, separator);
		add_hex(out, v.p[i]);
	}
}

bool encode_random(struct buf *out, size_t octets)
{
	char bytes[RANDOM_MAX];

	if (octets > sizeof(bytes) || getentropy(bytes, octets) < 0)
		return false;
	encode_hex(out, view_make(bytes, octets), '\0');
	return true;
}

void encode_xtext(struct buf *out, struct view v)
{
	size_t i;

	for (i = 0; i < v.n; i++) {
		if (v.p[i] > ' ' && v.p[i] < 127 && v.p[i] != '+' &&
		    v.p[i] != '=') {
			buf_add_char(out, v.p[i]);
		} else {
			buf_add_char(out, '+');
			add_hex(out, v.p[i]);
		}
	}
}

/* Two digits, in upper case alone; -1: they are none. */
static int hex_octet(struct view v)
{
	int high, low;

	if (v.n < 2 || text_upper(v.p[0]) != v.p[0] ||
	    text_upper(v.p[1]) != v.p[1])
		return -1;
	high = text_hex_value(v.p[0]);
	low = text_hex_value(v.p[1]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool decode_xtext(struct buf *out, struct view v)
{
	size_t i;
	int octet;

	for (i = 0; i < v.n; i++) {
		if (v.p[i] <= ' ' || v.p[i] >= 127 || v.p[i] == '=')
			return false;
		if (v.p[i] != '+') {
			buf_add_char(out, v.p[i]);
			continue;
		}
		octet = hex_octet(view_skip(v, i + 1));
		if (octet < 0)
			return false;
		buf_add_char(out, (char)octet);
		i += 2;
	}
	return !out->overflow;
}

void encode_sasl_name(struct buf *out, const char *name)
{
	for (; *name; name++) {
		if (*name == ',')
			buf_add_text(out, "=2C");
		else if (*name == '=')
			buf_add_text(out, "=3D");
		else
			buf_add_char(out, *name);
	}
}

void encode_code_points(struct buf *out, struct view v)
{
	struct view one;

	for (; v.n; v = view_skip(v, one.n)) {
		one = view_make(v.p, utf8_length(v));
		if (one.n == 1)
			buf_add_char(out, v.p[0]);
		else
			buf_printf(out, "\\x{%X}", utf8_code_point(one));
	}
}

/* RFC 2047 2: the most that a word, and a line with one, may have. */
#define RANDOM_MAX     32u /* octets */
#define WORD_MAX       75
#define LINE_MAX_WORDS 76
/* Octets of a word besides charset and text: "=?", "?B?" and "?=". */
#define WORD_FRAME 7

/* How encoded words are written for one text. */
struct word_style {
	const char *charset;
	bool base64; /* B, else Q */
	bool utf8;   /* characters, not octets, must stay whole */
};

/* RFC 2047 5 (3): what may stand for itself even in a phrase. */
static bool is_q_literal(char c)
{
	return text_is_alpha(c) || text_is_digit(c) ||
		(c && strchr("!*+-/", c));
}

static size_t q_length(struct view v)
{
	size_t i, n = 0;

	for (i = 0; i < v.n; i++)
		n += is_q_literal(v.p[i]) || v.p[i] == ' ' ? 1 : 3;
	return n;
}

static size_t coded_length(const struct word_style *style, struct view v)
{
	return style->base64 ? (v.n + 2) / 3 * 4 : q_length(v);
}

static void add_q(struct buf *out, struct view v)
{
	size_t i;

	for (i = 0; i < v.n; i++) {
		if (v.p[i] == ' ') {
			buf_add_char(out, '_');
		} else if (is_q_literal(v.p[i])) {
			buf_add_char(out, v.p[i]);
		} else {
			buf_add_char(out, '=');
			add_hex(out, v.p[i]);
		}
	}
}

static void add_word(struct buf *out, const struct word_style *style,
		     struct view v)
{
	buf_printf(out, "=?%s?%c?", style->charset, style->base64 ? 'B' : 'Q');
	if (style->base64)
		encode_base64(out, v);
	else
		add_q(out, v);
	buf_add_text(out, "?=");
}

/* How many octets of v, whole characters, fit a word with so much room. */
static size_t fitting(const struct word_style *style, struct view v,
		      size_t room)
{
	size_t n = 0, next, coded = 0;
	struct view one;

	while (n < v.n) {
		one = view_skip(v, n);
		next = style->utf8 ? utf8_length(one) : 1;
		one = view_make(one.p, next);
		coded += style->base64 ? 0 : q_length(one);
		if (style->base64)
			coded = (n + next + 2) / 3 * 4;
		if (coded > room)
			break;
		n += next;
	}
	return n;
}

void encode_words(struct buf *out, struct view v, size_t column)
{
	struct word_style style = {.utf8 = view_is_utf8(v)};
	size_t frame, room, n;

	style.charset = style.utf8 ? "utf-8" : "unknown-8bit";
	style.base64 = (v.n + 2) / 3 * 4 < q_length(v);
	frame = WORD_FRAME + strlen(style.charset);
	while (v.n) {
		room = column < LINE_MAX_WORDS ? LINE_MAX_WORDS - column : 0;
		if (room > WORD_MAX)
			room = WORD_MAX;
		n = room > frame ? fitting(&style, v, room - frame) : 0;
		/* what would all fit a line of its own is not torn */
		if (n < v.n && column > 1 &&
		    coded_length(&style, v) <= WORD_MAX - frame)
			n = 0;
		if (n)
			add_word(out, &style, view_make(v.p, n));
		v = view_skip(v, n);
		if (v.n)
			buf_add_text(out, "\r\n ");
		column = 1;
	}
}

static void add_json_control(struct buf *out, char c)
{
	static const char names[] = "\bb\ff\nn\rr\tt";
	const char *name = c ? strchr(names, c) : NULL;

	if (name && (name - names) % 2 == 0)
		buf_printf(out, "\\%c", name[1]);
	else
		buf_printf(out, "\\u%04x", (unsigned)(unsigned char)c);
}

void encode_json(struct buf *out, struct view v)
{
	size_t n;

	buf_add_char(out, '"');
	for (; v.n; v = view_skip(v, n)) {
		n = utf8_length(v);
		if (!n) {
			buf_add_text(out, "\xef\xbf\xbd");
			n = 1;
		} else if (v.p[0] == '"' || v.p[0] == '\\') {
			buf_add_char(out, '\\');
			buf_add_char(out, v.p[0]);
		} else if (text_is_control(v.p[0])) {
			add_json_control(out, v.p[0]);
		} else {
			buf_add(out, v.p, n);
		}
	}
	buf_add_char(out, '"');
}

void encode_json_member(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, ", \"%s\": ", name);
	if (value)
		encode_json(out, view_of(value));
	else
		buf_add_text(out, "null");
}
