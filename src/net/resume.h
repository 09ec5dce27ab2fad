/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_RESUME_H
#define NET_RESUME_H

#include <stdbool.h>

#include "base/gnutls.h"
#include "net/ticket.h"
#include "net/tls.h"
#include "net/trust.h"

/* Going on with a TLS session of an earlier run (RFC 8446 2.2, RFC 5077). */
struct resume {
	bool is_wanted;   /* tickets are asked for, used and kept */
	bool has_offered; /* the server was shown one */
	char name[TICKET_NAME_SIZE];
	int64_t begun;        /* the handshake; seconds since 1970 */
	struct ticket ticket; /* the one shown */
};

#define RESUME_INIT ((struct resume){.ticket = TICKET_INIT})

/* A name for what a server was found to be: a digest over everything that the
 * trust in it rests on, so that what was learnt under other settings, for
 * another name or with other files is not even found. false: there is none. */
bool resume_name(const struct tls_policy *policy, const char *host,
		 const char *peer, char name[TICKET_NAME_SIZE]);

/*
 * Decide whether, and compute the ticket's name, by resume_name. Not
 * wanted where nothing was checked; with a certificate of our own, as its key
 * has to prove itself each time; and with DANE, as its records may change.
 */
void resume_plan(struct resume *r, const struct tls_policy *policy,
		 const char *host, const char *peer);
void resume_release(struct resume *r);

/* Does it look as if no certificate will be shown? */
bool resume_is_likely(const struct resume *r);

/* Right before the handshake: show the server the ticket, if there is one. */
void resume_offer(struct resume *r, gnutls_session_t session);

/* At the end of a session that was accepted: keep the ticket that the server
 * has sent. */
void resume_keep(const struct resume *r, gnutls_session_t session,
		 const struct trust *trust);

#endif
