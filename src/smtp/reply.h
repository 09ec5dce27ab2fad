/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/outcome.h"

#define REPLY_LINE_LIMIT 4096u       /* octets of one line; RFC 5321 says 512 */
#define REPLY_LIMIT      (64u << 10) /* octets of a whole reply */

/* At which step a reply was given: decides what a bare code means. */
enum step {
	STEP_GREETING,
	STEP_EHLO,
	STEP_STARTTLS,
	STEP_AUTH,
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,    /* DATA, before the message */
	STEP_CONTENT, /* end of data, or BDAT */
	STEP_OTHER,
};

/* One reply of the server (RFC 5321 4.2). */
struct reply {
	int code;        /* 200–599; 0: none yet */
	char status[12]; /* enhanced status code of the last line that had
				   one (RFC 2034), class as the code's; or "" */
	struct buf text; /* the lines' texts as the server sent them,
				   without codes, joined by LF */
	size_t taken;    /* octets of the lines so far, until the last comes */
};

#define REPLY_INIT ((struct reply){.text = BUF_INIT(REPLY_LIMIT)})

/*
 * Parse the reply at the start of `input`. Returns the octets it takes; 0 if it
 * is not complete yet; -1 if no reply can begin like this, its lines disagree
 * about the code, or it is over a limit (`why` then says which, in words).
 * After a 0, once there is more of the input, the same `reply` goes on where it
 * was, as a server may send it octet by octet; after anything else it begins
 * anew.
 * A line may end in CRLF or LF. Leading enhanced status codes are cut off the
 * text into status, whether announced or not: servers send them either way.
 */
ptrdiff_t reply_parse(struct view input, struct reply *reply, const char **why);

int reply_class(const struct reply *reply); /* 2, 3, 4 or 5 */

/*
 * The reply's enhanced status code, or the one that its code means at that
 * step (RFC 5321 4.2.3, RFC 3463, RFC 4954 6).
 */
const char *reply_status(const struct reply *reply, enum step step);

/*
 * Record a refusal: cause by step, status by reply_status, code and host; the
 * text is "CODE status words" on one printable line. Returns -1.
 * A reply that is no refusal (2xx, 3xx where another was due) is
 * CAUSE_PROTOCOL 5.5.0.
 */
int reply_fail(const struct reply *reply, enum step step, const char *host,
	       const char *verb, struct outcome *o);

/* Keep only what people read of the text (1 KiB): replies are held until all of
 * a flight is answered, and a flight may have very many. */
void reply_trim(struct reply *reply);

/* What the server said as one line, "250 2.0.0 words", not made printable. */
void reply_add_words(const struct reply *reply, struct buf *out);

void reply_copy(struct reply *to, const struct reply *from);
void reply_clear(struct reply *reply);
void reply_release(struct reply *reply);

#endif
