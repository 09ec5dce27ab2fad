/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_INTAKE_H
#define MAIL_INTAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "mail/message.h"

#define INTAKE_BLOCK (256u << 10) /* octets read and looked at at once */

struct intake_policy {
	bool dot_ends; /* a lone dot ends the input (a terminal, no -i) */
	bool binary;   /* each octet of a body that is no text is kept: only
			  CRLF ends its lines (RFC 3030 3) */
};

/*
 * A message on its way in, once, into a MESSAGE_INIT, which is to be released
 * in every case. Memory use does not depend on the size of the body. Failures:
 * CAUSE_INPUT (unreadable), CAUSE_SYSTEM (cannot store), CAUSE_CONTENT 5.3.4
 * (header over a limit), 5.6.0 (behind fields a line that is none and holds a
 * NUL).
 */
struct intake;

/* Read all of it from fd to the end. */
int intake_read(int fd, const struct intake_policy *policy, struct message *m,
		struct outcome *o);

/* The same in pieces, as they come: */
struct intake *intake_new(struct message *m,
			  const struct intake_policy *policy);
int intake_take(struct intake *in, struct view octets, struct outcome *o);
int intake_end(struct intake *in, struct outcome *o); /* that was all */
void intake_free(struct intake *in);                  /* NULL is fine */

#endif
