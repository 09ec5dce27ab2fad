/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_CONNECT_H
#define APP_CONNECT_H

#include "base/outcome.h"
#include "base/trace.h"
#include "conf/account.h"
#include "smtp/session.h"

/* Who wants to see what the server offers, before and after TLS. */
struct connect_observer {
	void (*on_capabilities)(void *context, const struct session *s,
				bool secured);
	void *context;
	struct stages *stages; /* where the time goes; none is under way
				  afterwards. NULL: not wanted */
	char **proof; /* where a login that was refused for good leaves its
			 proof (app/proof), allocated; NULL: not wanted */
	const struct buf *secret; /* of the login, where it is known already;
				     NULL or empty: it is fetched */
};

/*
 * From an account to a session that is ready for MAIL: trust, connection,
 * greeting, TLS, authentication. The only such sequence. The account must
 * outlive the session. `observer` may be NULL. NULL: the outcome says which
 * step failed.
 */
struct session *connect_account(const struct account *a,
				const struct trace *trace,
				const struct connect_observer *observer,
				struct outcome *o);

/* Load what the account's TLS settings name, without asking for the password
 * of a key; NULL as tls_new. */
struct tls *connect_load_tls(const struct account *a, struct outcome *o);

/* Can what the account says of DANE be done? -1: CAUSE_CONFIG 5.3.5. */
int connect_check_dane(const struct account *a, struct outcome *o);

/* The server's name for people: host, socket or tunnel. */
const char *connect_name(const struct account *a);

/* On standard output: the proxy that would be used, between these words;
 * nothing where there is none. */
void connect_print_proxy(const struct account *a, const char *before,
			 const char *after);

#endif
