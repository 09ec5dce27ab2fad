/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_ANSWER_H
#define SMTP_ANSWER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "smtp/channel.h"
#include "smtp/reply.h"

/* One line, in printable ASCII and not too long: "250 2.1.0 …". */
void answer(struct channel *c, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, and whether it is the last of several. */
void answer_line(struct channel *c, int code, bool is_last, struct view text);

/* A failure: what the server upstream said of it, or a code that its status
 * stands for (RFC 3463, RFC 5321 4.2.3). */
void answer_failure(struct channel *c, const struct outcome *o);

/* A reply of somebody else's, line by line, its status in each. */
void answer_reply(struct channel *c, const struct reply *r);

#endif
