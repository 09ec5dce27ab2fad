/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_RECEIVE_H
#define SMTP_RECEIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/outcome.h"
#include "mail/intake.h"
#include "smtp/channel.h"

/*
 * The content as DATA brings it: lines with dots doubled, up to the lone dot
 * (RFC 5321 4.5.2). Only CRLF makes a line here, so that no other octets can
 * pass for the end; with `bare_lf` LF does. What the intake refuses (o) is read
 * to its end all the same. False: the client left before the end.
 */
bool receive_stuffed(struct channel *c, struct intake *in, bool bare_lf,
		     struct outcome *o);

/* The n octets behind a BDAT (RFC 3030 2), as above; `in` NULL: they are thrown
 * away. */
bool receive_chunk(struct channel *c, struct intake *in, uint64_t n,
		   struct outcome *o);

#endif
