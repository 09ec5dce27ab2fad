/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_CONTENT_H
#define MAIL_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "mail/store.h"

/*
 * What goes over the wire for one message, as a run of octets that is pulled:
 * the edited header, the empty line, the body. It ends in CRLF. Neither
 * dot-stuffing nor the final dot is part of it.
 */
struct content;

/* header (without the empty line) and body must outlive it. */
struct content *content_new(struct view header, const struct store *body);
void content_free(struct content *c); /* NULL is fine */

uint64_t content_size(const struct content *c); /* octets in all (RFC 1870) */

/*
 * The next piece, at most `most` octets of it: 1 and a view that is good until
 * the next call, 0 at the end, -1.
 */
int content_next(struct content *c, uint64_t most, struct view *piece,
		 struct outcome *o);

void content_rewind(struct content *c);

#endif
