/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_LINK_H
#define APP_LINK_H

#include <stdbool.h>

#include "base/outcome.h"
#include "base/trace.h"
#include "conf/account.h"
#include "smtp/session.h"

/* The session with an account's server, kept from one message to the next. */
struct link {
	const struct trace *trace; /* NULL: nobody looks on */
	struct session *session;   /* NULL: none is open */
	char *account;             /* whose it is: the account's name */
	char *tls; /* version, cipher, verified how; NULL: in clear. It
			   stays when the login fails. */
	struct stages stages; /* where its time went, until somebody takes it;
				 also of a session that could not be had */
	bool is_reused;       /* the session has carried a message before */
	bool wants_proof;     /* of a login that is refused (app/proof) */
	char *proof;          /* NULL: there was none */
	const struct buf *secret; /* of the next login; NULL or empty: it is
				     fetched */
};

#define LINK_INIT ((struct link){0})

/*
 * Have a session with the account's server: the one that is open, if it is
 * with this account and still of use, else a new one. The account must stay
 * where it is; it may be filled anew, even as another, before the next call.
 * -1: as connect_account.
 */
int link_open(struct link *l, const struct account *a, struct outcome *o);

/* Would link_open have nothing to open? */
bool link_is_open(const struct link *l, const struct account *a);

void link_close(struct link *l); /* back to LINK_INIT, but for the trace and
				    what is wanted */

/* Another process goes on with the session: here nothing more is said. */
void link_leave(struct link *l);

#endif
