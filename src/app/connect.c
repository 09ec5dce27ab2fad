/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Puts the rooms together: an account's policies go each to its room, and a
 * session comes back.
 */
#include "app/connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/proof.h"
#include "base/memory.h"
#include "conf/secret.h"
#include "net/dane.h"
#include "net/dial.h"
#include "net/early.h"
#include "net/resume.h"
#include "net/stream.h"
#include "net/tls.h"

#define PEER_LIMIT (64u << 10) /* octets of words about a server */

/* What a mechanism makes of a password is at most that much longer: twice, and
 * with names and numbers beside it. */
#define BESIDE_SECRET 256u /* octets */

struct secret_request {
	const struct account *account;
	const struct buf *known; /* NULL or empty: it is not */
	bool was_made;
	bool is_kept; /* it is needed once more after the login */
	struct buf kept;
	size_t length; /* octets of the secret */
};

static int get_secret(void *context, struct buf *secret, struct outcome *o)
{
	struct secret_request *request = context;
	int rc = 0;

	memory_watch_heap();
	if (request->known && request->known->n)
		buf_add_view(secret, buf_view(request->known));
	else
		rc = secret_get(request->account, secret, o);
	request->was_made = true;
	request->length = secret->n;
	if (request->is_kept) {
		buf_clear(&request->kept);
		buf_add_view(&request->kept, buf_view(secret));
	}
	return rc;
}

static int get_key_secret(void *context, const char *what, struct buf *secret,
			  struct outcome *o)
{
	return secret_get_key(context, what, secret, o);
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
static struct tls *load_tls(const struct account *a, struct tls_owner *owner,
			    struct outcome *o)
{
	const char *name = a->dial.host ? a->dial.host : "localhost";

	return tls_new(&a->tls, name, owner, o);
}

struct tls *connect_load_tls(const struct account *a, struct outcome *o)
{
	return load_tls(a, NULL, o);
}

static void add_part(struct buf *peer, const char *name, const char *value)
{
	buf_printf(peer, "%s %zu %s\n", name, value ? strlen(value) : 0,
		   value ? value : "-");
}

/*
 * Sessions that may go on in each other's place: with one server, by one way,
 * as one user. By another proxy a server would learn from a ticket that it is
 * the same user.
 */
static void describe_peer(const struct account *a, struct buf *peer)
{
	add_part(peer, "host", a->dial.host);
	add_part(peer, "socket", a->dial.socket);
	add_part(peer, "tunnel", a->dial.tunnel);
	add_part(peer, "proxy", a->dial.proxy.host);
	add_part(peer, "proxy user", a->dial.proxy.user);
	add_part(peer, "source", a->dial.source_ip);
	add_part(peer, "user", a->auth.user);
	buf_printf(peer, "ports %u %u\n", a->dial.port, a->dial.proxy.port);
}

/* The host that DNS may be asked about; NULL behind a tunnel or socket, and
 * where a proxy looks up names in our place. */
static const char *direct_host(const struct account *a)
{
	return a->dial.tunnel || a->dial.socket || a->dial.proxy.host
		? NULL
		: a->dial.host;
}

int connect_check_dane(const struct account *a, struct outcome *o)
{
	return dane_check_policy(&a->tls, direct_host(a), o);
}

/* What it takes for TLS, so that what is wrong with it is known before anybody
 * is called. Signed DNS is asked meanwhile: it is awaited at the handshake. */
static int prepare_tls(const struct account *a, struct tls_owner *owner,
		       struct tls **tls, struct outcome *o)
{
	struct dane_query *dane;

	if (!a->tls.on)
		return connect_check_dane(a, o);
	if (dane_begin(&a->tls, direct_host(a), a->dial.port,
		       session_deadline(&a->session, WAIT_CONNECT), &dane,
		       o) < 0)
		return -1;
	*tls = load_tls(a, owner, o);
	if (*tls) {
		tls_use_dane(*tls, dane);
		return 0;
	}
	dane_free(dane);
	return -1;
}

/* The server has refused us, and will do so again. */
static void leave_proof(const struct secret_request *wanted, char **proof,
			const struct outcome *o)
{
	if (!proof || o->cause != CAUSE_AUTH || !o->reply_code ||
	    outcome_is_temporary(o))
		return;
	free(*proof);
	*proof = proof_make(wanted->account, buf_view(&wanted->kept));
}

/* With STARTTLS, and in clear, it is the server that does. */
static bool speaks_first(const struct account *a)
{
	return a->dial.fast_open && a->tls.on && !a->tls.starttls &&
		direct_host(a);
}

static struct session *connect_once(const struct account *a,
				    const struct session_request *request,
				    struct tls_owner *owner, struct outcome *o)
{
	struct dial_call call = {request->trace, request->stages, VIEW("")};
	struct connection connection = CONNECTION_INIT;
	struct tls *tls = NULL;

	if (a->tls.on)
		stages_enter(request->stages, STAGE_TLS);
	if (prepare_tls(a, owner, &tls, o) < 0)
		return NULL;
	if (speaks_first(a))
		call.first = tls_first_words(tls);
	if (dial(&a->dial, session_deadline(&a->session, WAIT_CONNECT), &call,
		 &connection, o) < 0) {
		tls_free(tls);
		outcome_set_host(o, connect_name(a));
		return NULL;
	}
	if (connection.n_said)
		tls_was_said(tls, connection.n_said);
	return session_open(stream_new(&connection, connect_name(a)), tls,
			    request, o);
}

/* A ticket that the server does not like, or EHLO before its greeting, must not
 * make a submission fail: nothing was said but that. */
static struct session *connect_twice(const struct account *a,
				     const struct session_request *request,
				     struct tls_owner *owner, struct outcome *o)
{
	struct session *s = connect_once(a, request, owner, o);

	if (s || !(owner->is_ticket_bad || request->early->has_failed))
		return s;
	if (owner->is_ticket_bad)
		owner->peer = NULL;
	request->early->is_wanted = false;
	outcome_release(o);
	return connect_once(a, request, owner, o);
}

/* What a server says of PIPECONNECT is believed where it has proved who it is,
 * and by the account with which it has. */
static bool make_early_name(const struct account *a,
			    const struct tls_owner *owner,
			    char name[TICKET_NAME_SIZE])
{
	return a->session.pipe_connect && owner->peer && a->tls.on &&
		tls_is_verified(&a->tls) &&
		resume_name(&a->tls, a->dial.host, owner->peer, name);
}

/* As connect_twice, with what is known of the server, and will be. */
static struct session *connect_known(const struct account *a,
				     struct session_request *request,
				     struct tls_owner *owner, struct outcome *o)
{
	struct session_early early = {0};
	char name[TICKET_NAME_SIZE];
	bool has_name = make_early_name(a, owner, name);
	struct session *s;

	early.is_wanted = has_name && early_is_known(name);
	request->early = &early;
	s = connect_twice(a, request, owner, o);
	if (s && early.has_failed)
		early_distrust(name);
	else if (s && has_name)
		early_note(name, s->takes_early);
	request->early = NULL;
	return s;
}

struct session *connect_account(const struct account *a,
				const struct trace *trace,
				const struct connect_observer *observer,
				struct outcome *o)
{
	struct secret_request wanted = {
		.account = a,
		.known = observer ? observer->secret : NULL,
		.is_kept = observer && observer->proof,
		.kept = BUF_INIT_SECRET(SECRET_LIMIT),
	};
	struct auth_secret secret = {get_secret, &wanted};
	struct session_request request = {
		.policy = &a->session,
		.tls = &a->tls,
		.auth = &a->auth,
		.secret = &secret,
		.trace = trace,
		.port = a->dial.socket || a->dial.tunnel ? 0 : a->dial.port,
		.is_direct = direct_host(a) != NULL,
	};
	struct buf peer = BUF_INIT(PEER_LIMIT);
	struct tls_owner owner = {get_key_secret, (void *)a, NULL, false};
	struct session *s;

	if (observer) {
		request.on_capabilities = observer->on_capabilities;
		request.stages = observer->stages;
		request.context = observer->context;
	}
	describe_peer(a, &peer);
	if (!peer.overflow)
		owner.peer = peer.p;
	s = connect_known(a, &request, &owner, o);
	stages_leave(request.stages);
	if (!s && observer)
		leave_proof(&wanted, observer->proof, o);
	buf_release(&wanted.kept);
	if (wanted.was_made)
		memory_scrub(2 * wanted.length + BESIDE_SECRET);
	buf_release(&peer);
	return s;
}
