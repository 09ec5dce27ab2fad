/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_SCAN_H
#define MAIL_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define SCAN_PART_LIMIT 2048u /* octets of a part while it is looked at */

/* What may turn out to be a local-part: words with dots between them. */
struct words {
	struct buf text;   /* without quotes and escapes */
	size_t n;          /* words */
	bool after_dot;    /* the last thing was a dot */
	bool quoted;       /* one of the words was a quoted string */
	const char *fault; /* why it is no local-part; NULL: none yet */
	const char *begin; /* where the first stands in the text; NULL: none */
	const char *end;   /* behind the last */
};

/*
 * A text with addresses, being read from front to end: the lexical part of
 * RFC 5322 3.2 and 4, RFC 5321 4.1.2 and RFC 6532. Linear time, no recursion,
 * bounded memory. Functions that return bool return false when the text
 * cannot be parsed; `fault` then says why.
 */
struct scan {
	struct view rest; /* what is still to be read */
	bool strict;      /* the envelope's form: no blanks, comments,
				   folding */
	bool in_group;    /* behind a group's colon */
	struct words words;
	struct buf domain;      /* ASCII, or a literal with its brackets */
	const char *domain_end; /* behind it in the text */
	struct buf detail;      /* a fault's words if they are not constant */
	const char *fault;
};

void scan_init(struct scan *s, struct view text, bool strict);
void scan_release(struct scan *s);

/* Note the fault, unless there is one already; returns false. */
bool scan_refuse(struct scan *s, const char *fault);

/* The next character; NUL at the end (and for a NUL, which fits nothing). */
char scan_peek(const struct scan *s);
void scan_skip(struct scan *s, size_t n);
bool scan_char(struct scan *s, char c); /* skips it if it is the next */

/* RFC 5322 3.2.3 atext, with RFC 6532 3.2's octets over 127. */
bool scan_is_atext(char c);

/*
 * Octets of an encoded word at the start of v (RFC 2047 2), or 0. Senders put
 * commas, brackets and 8-bit characters in its text, though they should not, so
 * up to the mark that ends it all is one piece.
 */
size_t scan_encoded_word(struct view v);

/* Comments and folding blanks (none when strict). */
bool scan_cfws(struct scan *s);

/*
 * Collect words up to the character that says what they are (one of `,;:<>@`,
 * which stays) or the end. What only a name may hold is read, and noted in
 * words.fault.
 */
bool scan_words(struct scan *s);

/*
 * What follows an `@`: into `domain`, as A-labels, or as an address literal in
 * one form (RFC 5321 4.1.3).
 */
bool scan_domain(struct scan *s);

#endif
