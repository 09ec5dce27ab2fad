/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_CONTENT_H
#define MAIL_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "mail/message.h"
#include "mail/plan.h"

/*
 * What goes over the wire for one message, as a run of octets that is pulled:
 * the edited header, the empty line, the body. It ends in CRLF. Neither
 * dot-stuffing nor the final dot is part of it.
 */
struct content;

/* header (the edited one, without the empty line) and message must outlive
 * it. Until content_fit it goes as it was written. */
struct content *content_new(struct view header, const struct message *m);
void content_free(struct content *c); /* NULL is fine */

/* As given to content_new. */
const struct message *content_message(const struct content *c);

/* An address in the header that only SMTPUTF8 can carry, or NULL. */
const char *content_utf8_address(struct content *c);

/*
 * Put it in a form that the way takes; see mail/plan.h for what that changes
 * and how it fails. It may be called again, for another way, and begins at the
 * front then.
 */
int content_fit(struct content *c, const struct carriage *way,
		enum reencode reencode, struct outcome *o);

uint64_t content_size(const struct content *c); /* octets in all (RFC 1870) */
enum body_form content_form(const struct content *c); /* with UTF-8 in the
							 header: 8-bit */

/*
 * The next piece, at most `most` octets of it: 1 and a view that is good until
 * the next call, 0 at the end, -1.
 */
int content_next(struct content *c, uint64_t most, struct view *piece,
		 struct outcome *o);

void content_rewind(struct content *c);

#endif
