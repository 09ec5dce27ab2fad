/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Bytes and words, independent of any locale. */

bool text_is_space(char c); /* SP, TAB */
bool text_is_digit(char c);
bool text_is_alpha(char c);   /* ASCII */
bool text_is_control(char c); /* 0–31 and 127 */
char text_lower(char c);      /* ASCII only */
char text_upper(char c);
int text_hex_value(char c); /* 0–15, in either case; -1: no hex digit */

bool view_equal(struct view a, struct view b);
bool view_equal_nocase(struct view a, struct view b); /* ASCII */
bool view_starts_nocase(struct view v, struct view prefix);
struct view view_trim(struct view v); /* SP, TAB, CR, LF at both ends */
bool view_has_8bit(struct view v);
bool view_has_control(struct view v); /* other than TAB */
bool view_has_bare_cr(struct view v); /* one that no LF follows */
bool view_has_bare_lf(struct view v); /* one that no CR precedes */
bool view_is_utf8(struct view v);     /* RFC 3629, no surrogates */
uint64_t view_hash(struct view v);    /* FNV-1a; whoever wants can find
					 two with the same */

/* The same for a text that comes in pieces. */
struct utf8 {
	unsigned left; /* octets that its last character still lacks */
	unsigned char low, high; /* bounds of the next of them */
	bool bad;                /* it is no UTF-8 */
};

#define UTF8_INIT ((struct utf8){0})

void utf8_feed(struct utf8 *u, struct view piece);
bool utf8_is_valid(const struct utf8 *u); /* and no character is cut off */

/* Octets of the UTF-8 character that v begins with; 0: none begins here. */
size_t utf8_length(struct view v);

/* The number of the one character that `v` is, of valid UTF-8. */
unsigned utf8_code_point(struct view v);

/*
 * Split the next word off v: skips leading SP/TAB, returns the run up to the
 * next SP/TAB (empty at the end) and moves v behind it.
 */
struct view view_next_word(struct view *v);

/* Cut off the first line, which is given without its LF or CRLF. */
struct view view_next_line(struct view *v);

/* Wildcards: `*` any run, `?` any octet; ASCII case ignored; linear space,
 * at most |pattern|·|text| time. */
bool text_matches(struct view pattern, struct view text);

/* A decimal number in [0, max]; false if it is anything else. */
bool text_to_number(struct view v, unsigned long long max,
		    unsigned long long *value);

/*
 * A duration in seconds: a number, or numbers with a unit each (s, m, h, d, w:
 * 1h30m); false if it is anything else or over max.
 */
bool text_to_seconds(struct view v, unsigned long long max,
		     unsigned long long *seconds);

/* Append v so that a terminal or a log shows it as one line: controls, what
 * changes the direction of text or hides in it, and invalid UTF-8 become
 * `\xHH`; other UTF-8 stays. */
void text_add_printable(struct buf *b, struct view v);

/*
 * For "did you mean": the edit distance of two words, ASCII case ignored,
 * counted up to `most` + 1.
 */
size_t text_distance(struct view a, struct view b, size_t most);

#endif
