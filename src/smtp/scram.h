/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_SCRAM_H
#define SMTP_SCRAM_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/outcome.h"

/* What is said of the channel below (RFC 5802 6, gs2-cbind-flag). */
enum scram_binding {
	SCRAM_UNABLE, /* 'n': there is none to bind to, or it is not wanted */
	SCRAM_ABLE,   /* 'y': we could, but the server seems not to */
	SCRAM_BOUND,  /* 'p': bound to it */
};

/* Who logs in, in UTF-8 and prepared (RFC 4013); where to. */
struct scram_request {
	const char *mechanism; /* "SCRAM-SHA-256", with -PLUS or without */
	const char *user;
	const char *authzid; /* NULL: the user's own */
	enum scram_binding binding;
	const char *binding_type;   /* SCRAM_BOUND: "tls-exporter" … */
	struct view binding_octets; /* and what that says of the channel */
	const char *nonce;          /* NULL: a random one */
};

/*
 * The client's side of one SCRAM exchange (RFC 5802, RFC 7677). The messages
 * are in clear here, not yet in base64; what is appended to `out` is a secret.
 */
struct scram;

bool scram_is_one(const char *mechanism);

struct scram *scram_new(const struct scram_request *request);
void scram_free(struct scram *s); /* NULL is fine */

/* client-first-message */
void scram_begin(const struct scram *s, struct buf *out);

/*
 * client-final-message, on the server's first. The password is prepared too.
 * -1: CAUSE_AUTH 5.7.8, if the server's nonce is not made from ours, if it has
 * an extension that we must know, or an iteration count under 4096 (RFC 7677 4)
 * or over a million (a second, more or less); CAUSE_PROTOCOL 5.5.0 if it cannot
 * be read.
 */
int scram_answer(struct scram *s, struct view server_first,
		 const char *password, struct buf *out, struct outcome *o);

/* Has the server proved that it knows the password? -1: CAUSE_AUTH 5.7.8: it
 * has not, or it reports an error. */
int scram_verify(const struct scram *s, struct view server_final,
		 struct outcome *o);

#endif
