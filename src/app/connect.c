/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Puts the rooms together: an account's policies go each to its room, and a
 * session comes back.
 */
#include "app/connect.h"

#include <stdio.h>
#include <stdlib.h>

#include "conf/secret.h"
#include "net/dial.h"
#include "net/stream.h"
#include "net/tls.h"

static int get_secret(void *context, struct buf *secret, struct outcome *o)
{
	return secret_get(context, secret, o);
}

const char *connect_name(const struct account *a)
{
	if (a->dial.tunnel)
		return a->dial.host ? a->dial.host : "tunnel";
	if (a->dial.socket)
		return a->dial.socket;
	return a->dial.host;
}

void connect_print_proxy(const struct account *a, const char *before,
			 const char *after)
{
	char *proxy = dial_proxy_name(&a->dial);

	if (proxy)
		printf("%s%s%s", before, proxy, after);
	free(proxy);
}

/* The name in the certificate: a tunnel or socket may still name a host. */
struct tls *connect_load_tls(const struct account *a, struct outcome *o)
{
	const char *name = a->dial.host ? a->dial.host : "localhost";

	return tls_new(&a->tls, name, o);
}

struct session *connect_account(const struct account *a,
				const struct trace *trace,
				const struct connect_observer *observer,
				struct outcome *o)
{
	/* secret_get only reads the account */
	struct auth_secret secret = {get_secret, (void *)a};
	struct session_request request = {
		.policy = &a->session,
		.tls = &a->tls,
		.auth = &a->auth,
		.secret = &secret,
		.trace = trace,
		.port = a->dial.socket || a->dial.tunnel ? 0 : a->dial.port,
	};
	struct connection connection = CONNECTION_INIT;
	struct tls *tls = NULL;

	if (observer) {
		request.on_capabilities = observer->on_capabilities;
		request.context = observer->context;
	}
	if (a->tls.on) {
		tls = connect_load_tls(a, o);
		if (!tls)
			return NULL;
	}
	if (dial(&a->dial, session_deadline(&a->session, WAIT_CONNECT), trace,
		 &connection, o) < 0) {
		tls_free(tls);
		outcome_set_host(o, connect_name(a));
		return NULL;
	}
	return session_open(stream_new(&connection, connect_name(a)), tls,
			    &request, o);
}
