/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_CODER_H
#define MAIL_CODER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define CODER_LINE_WIDTH  76u        /* octets, RFC 2047 2 */
#define CODER_FIELD_LIMIT (1u << 30) /* octets; above all that can come */

/*
 * A field's body being written in ASCII, from front to end. Words with octets
 * over 127 are gathered, with the blanks between them, and become encoded words
 * (RFC 2047); everything else is written as it is.
 */
struct coder {
	struct buf *out;
	struct view gap;    /* blanks in front of the next word, as written */
	struct view before; /* the same in front of `run` */
	struct buf run;     /* words to be encoded, decoded and unfolded */
	bool is_open;       /* there is a run */
	bool is_utf8;       /* the run is UTF-8 */
	bool after_encoded; /* an encoded word was written last */
	bool line_has_one;  /* there is one in the line */
	size_t ahead;       /* octets that must follow a `<` in its line */
	bool is_tight;      /* a blank is needed ahead of an encoded word */
};

void coder_init(struct coder *c, struct buf *out);

/* What stands for itself between words: punctuation, an address. */
void coder_special(struct coder *c, struct view v);

/* A stretch of tokens (RFC 5322 3.2): phrases, comments, punctuation. */
void coder_tokens(struct coder *c, struct view v);

void coder_end(struct coder *c);

/* Octets on the last line of b; what is far from its start is not told. */
size_t coder_column(const struct buf *b);

/* All of it at once: unstructured text (RFC 5322 3.2.5); tokens. */
void coder_write_text(struct view v, struct buf *out);
void coder_write_tokens(struct view v, struct buf *out);

bool coder_is_blank(char c); /* of a folded text: SP, TAB, CR, LF */

/* Split the first n octets off v. */
struct view coder_take(struct view *v, size_t n);

/* Blanks without the line ends among them. */
void coder_add_unfolded(struct buf *out, struct view v);

#endif
