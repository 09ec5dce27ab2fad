/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Comparing, trimming, matching and making bytes printable. ASCII rules only:
 * protocols do not follow the user's locale.
 */
#include "base/text.h"

#include <stdint.h>
#include <string.h>

bool text_is_space(char c)
{
	return c == ' ' || c == '\t';
}

bool text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool text_is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool text_is_control(char c)
{
	return (unsigned char)c < 32 || c == 127;
}

char text_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

char text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

int text_hex_value(char c)
{
	if (text_is_digit(c))
		return c - '0';
	c = text_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool view_equal(struct view a, struct view b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool view_equal_nocase(struct view a, struct view b)
{
	size_t i;

	if (a.n != b.n)
		return false;
	for (i = 0; i < a.n; i++)
		if (text_lower(a.p[i]) != text_lower(b.p[i]))
			return false;
	return true;
}

bool view_starts_nocase(struct view v, struct view prefix)
{
	if (v.n < prefix.n)
		return false;
	return view_equal_nocase(view_make(v.p, prefix.n), prefix);
}

static bool is_blank(char c)
{
	return text_is_space(c) || c == '\r' || c == '\n';
}

struct view view_trim(struct view v)
{
	while (v.n && is_blank(v.p[0]))
		v = view_skip(v, 1);
	while (v.n && is_blank(v.p[v.n - 1]))
		v.n--;
	return v;
}

/* Eight octets at a time: bodies are large. */
uint64_t view_hash(struct view v)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	size_t i;

	for (i = 0; i < v.n; i++)
		hash = (hash ^ (unsigned char)v.p[i]) * UINT64_C(1099511628211);
	return hash;
}

bool view_has_8bit(struct view v)
{
	uint64_t word, bits = 0;
	size_t i;

	for (i = 0; i + sizeof(word) <= v.n; i += sizeof(word)) {
		memcpy(&word, v.p + i, sizeof(word));
		bits |= word;
	}
	for (; i < v.n; i++)
		bits |= (unsigned char)v.p[i];
	return (bits & UINT64_C(0x8080808080808080)) != 0;
}

bool view_has_control(struct view v)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (text_is_control(v.p[i]) && v.p[i] != '\t')
			return true;
	return false;
}

bool view_has_bare_lf(struct view v)
{
	const char *at = v.p, *end = v.p + v.n;
	const char *lf;

	while ((lf = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (lf == v.p || lf[-1] != '\r')
			return true;
		at = lf + 1;
	}
	return false;
}

bool view_has_bare_cr(struct view v)
{
	const char *cr;

	for (; (cr = memchr(v.p, '\r', v.n)) != NULL;
	     v = view_skip(v, (size_t)(cr - v.p) + 1))
		if (cr + 1 == v.p + v.n || cr[1] != '\n')
			return true;
	return false;
}

/* The first octet of a character says how many follow, and what the next may
 * be: the bounds of RFC 3629 4. */
static void begin_character(struct utf8 *u, unsigned char c)
{
	u->low = 0x80;
	u->high = 0xbf;
	if (c < 0x80)
		return;
	if (c < 0xc2 || c > 0xf4)
		u->bad = true;
	u->left = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	if (c == 0xe0)
		u->low = 0xa0;
	else if (c == 0xed)
		u->high = 0x9f;
	else if (c == 0xf0)
		u->low = 0x90;
	else if (c == 0xf4)
		u->high = 0x8f;
}

void utf8_feed(struct utf8 *u, struct view piece)
{
	unsigned char c;
	size_t i;

	for (i = 0; i < piece.n && !u->bad; i++) {
		c = (unsigned char)piece.p[i];
		if (!u->left) {
			begin_character(u, c);
			continue;
		}
		u->bad = c < u->low || c > u->high;
		u->low = 0x80;
		u->high = 0xbf;
		u->left--;
	}
}

bool utf8_is_valid(const struct utf8 *u)
{
	return !u->bad && !u->left;
}

bool view_is_utf8(struct view v)
{
	struct utf8 u = UTF8_INIT;

	utf8_feed(&u, v);
	return utf8_is_valid(&u);
}

size_t utf8_length(struct view v)
{
	struct utf8 u = UTF8_INIT;
	size_t n = 0;

	do
		utf8_feed(&u, view_make(v.p + n, n < v.n));
	while (!u.bad && n++ < v.n && u.left);
	return utf8_is_valid(&u) ? n : 0;
}

struct view view_next_word(struct view *v)
{
	struct view word;
	size_t n = 0;

	while (v->n && text_is_space(v->p[0]))
		*v = view_skip(*v, 1);
	while (n < v->n && !text_is_space(v->p[n]))
		n++;
	word = view_make(v->p, n);
	*v = view_skip(*v, n);
	return word;
}

struct view view_next_line(struct view *v)
{
	const char *lf = memchr(v->p, '\n', v->n);
	struct view line = view_make(v->p, lf ? (size_t)(lf - v->p) : v->n);

	*v = view_skip(*v, line.n + 1);
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

bool text_matches(struct view pattern, struct view text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;

	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			mark = t;
		} else if (p < pattern.n &&
			   (pattern.p[p] == '?' ||
			    text_lower(pattern.p[p]) ==
				    text_lower(text.p[t]))) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1; /* let the last star eat one more */
			t = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

bool text_to_number(struct view v, unsigned long long max,
		    unsigned long long *value)
{
	unsigned long long n = 0, digit;
	size_t i;

	if (!v.n)
		return false;
	for (i = 0; i < v.n; i++) {
		if (!text_is_digit(v.p[i]))
			return false;
		digit = (unsigned long long)(v.p[i] - '0');
		if (digit > max || n > (max - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*value = n;
	return true;
}

/* What a letter behind a number makes of it; 0: no unit. */
static unsigned long seconds_of(char letter)
{
	switch (text_lower(letter)) {
	case 's': return 1;
	case 'm': return 60;
	case 'h': return 3600;
	case 'd': return 86400;
	case 'w': return 604800;
	default: return 0;
	}
}

bool text_to_seconds(struct view v, unsigned long long max,
		     unsigned long long *seconds)
{
	unsigned long long n, sum = 0;
	unsigned long unit;
	size_t digits;

	if (text_to_number(v, max, seconds))
		return true;
	if (!v.n)
		return false;
	while (v.n) {
		for (digits = 0; digits < v.n; digits++)
			if (!text_is_digit(v.p[digits]))
				break;
		unit = digits < v.n ? seconds_of(v.p[digits]) : 0;
		if (!unit ||
		    !text_to_number(view_make(v.p, digits), (max - sum) / unit,
				    &n))
			return false;
		sum += n * unit;
		v = view_skip(v, digits + 1);
	}
	*seconds = sum;
	return true;
}

unsigned utf8_code_point(struct view v)
{
	static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	unsigned code = (unsigned char)v.p[0] & first[v.n];
	size_t i;

	for (i = 1; i < v.n; i++)
		code = code << 6 | ((unsigned char)v.p[i] & 0x3f);
	return code;
}

/* Does it drive a terminal, end a line, turn the text round or hide? */
static bool is_unprintable(unsigned code)
{
	static const struct {
		unsigned first, last;
	} ranges[] = {
		{0, 31},          {0x7f, 0x9f},
		{0xad, 0xad},     {0x61c, 0x61c},
		{0x200b, 0x200f}, {0x2028, 0x202e},
		{0x2060, 0x206f}, {0xfeff, 0xfeff},
		{0xfff9, 0xfffb}, {0xe0000, 0xe007f},
	};
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

void text_add_printable(struct buf *b, struct view v)
{
	size_t i, n;

	for (; v.n; v = view_skip(v, n)) {
		n = utf8_length(v);
		if (n && !is_unprintable(utf8_code_point(view_make(v.p, n)))) {
			buf_add(b, v.p, n);
			continue;
		}
		n = n ? n : 1;
		for (i = 0; i < n; i++)
			buf_printf(b, "\\x%02X", (unsigned char)v.p[i]);
	}
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

size_t text_distance(struct view a, struct view b, size_t most)
{
	size_t row[65]; /* row[j]: distance of a's first i and b's first j */
	size_t i, j, corner, above;

	if (a.n > 64 || b.n > 64)
		return most + 1;
	for (j = 0; j <= b.n; j++)
		row[j] = j;
	for (i = 1; i <= a.n; i++) {
		corner = row[0];
		row[0] = i;
		for (j = 1; j <= b.n; j++) {
			above = row[j];
			if (text_lower(a.p[i - 1]) != text_lower(b.p[j - 1]))
				corner++;
			row[j] = least(corner, above + 1, row[j - 1] + 1);
			corner = above;
		}
	}
	return row[b.n] > most ? most + 1 : row[b.n];
}
