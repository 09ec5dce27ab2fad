/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_BODY_H
#define SMTP_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "mail/content.h"

/*
 * The message on its way out, in the form that DATA or BDAT wants: pulled in
 * pieces, so that its size costs no memory.
 */
struct body {
	struct content *content; /* not owned */
	uint64_t left;           /* BDAT: octets still to send in this chunk */
	bool stuffed; /* DATA: dots doubled, final dot (RFC 5321 4.5.2) */
	bool at_line_start;
	bool ended;       /* all of it, with the final dot, was given out */
	bool unreadable;  /* a piece could not be had */
	struct view rest; /* of the piece being stuffed */
};

void body_for_data(struct body *b, struct content *content);
void body_for_bdat(struct body *b, struct content *content, uint64_t size);

/* The next piece: 1 and a view good until the next call, 0 at the end, -1. */
int body_next(struct body *b, struct view *piece, struct outcome *o);

/* Was all of it given out? From then on the server may answer. */
bool body_is_over(const struct body *b);

#endif
