/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_SASL_H
#define SMTP_SASL_H

#include <stdbool.h>

#include "base/outcome.h"
#include "net/tls.h"
#include "smtp/mechanism.h"

/* Who logs in where, and with what. */
struct sasl_identity {
	const char *user;    /* authentication identity; NULL: none */
	const char *authzid; /* authorization identity; NULL: the user's own */
	/* The same with Kerberos, whose ticket has a name of its own. */
	const char *authzid_of_ticket;
	const char *realm; /* NTLM's domain; NULL: none */
	const char *host;  /* the server's name */
	unsigned port;     /* its port; 0: not known */
	/* Gives the password or token, when a mechanism needs it; it stays
	 * where it is. NULL: there is none, and o says why. */
	const char *(*password)(void *context, struct outcome *o);
	void *context;
};

/* What mechanisms say, without how it travels. One exchange at a time. */
struct sasl;

/* User or password as it is said: RFC 4013, as a query, so that what is not
 * assigned yet is let through. What is no text at all stays as it is. A secret
 * text of its own. */
char *sasl_prepare(const char *text);

struct sasl *sasl_new(const struct sasl_identity *identity);
void sasl_free(struct sasl *s); /* NULL is fine */

/* Can this system's GNU SASL do it? If that can't even be loaded, sasl_begin
 * says so. */
bool sasl_can(struct sasl *s, const struct mechanism *m);

/* Has the channel something to bind to? NULL: there is none. */
bool sasl_can_bind(const struct tls *tls);

/*
 * Begin an exchange. `tls`: the channel that it is bound to, or could be: then
 * SCRAM tells the server that it would have been (RFC 5802 6), so it is NULL
 * when binding is offered and not wanted. -1: CAUSE_AUTH 5.7.8, or
 * CAUSE_SYSTEM without GNU SASL.
 */
int sasl_begin(struct sasl *s, const struct mechanism *m, const struct tls *tls,
	       struct outcome *o);

/*
 * The server's words in (NULL: it has said nothing yet), ours out: base64 both,
 * *response allocated and a secret. -1: CAUSE_AUTH 5.7.8, or what password()
 * says.
 */
int sasl_step(struct sasl *s, const char *challenge, char **response,
	      struct outcome *o);

/* Has the mechanism seen all it needs; of a mutual one, the server's proof? */
bool sasl_is_done(const struct sasl *s);

/* What the server had to say of a token, on one printable line, however long;
 * NULL: nothing. */
const char *sasl_complaint(const struct sasl *s);

#endif
