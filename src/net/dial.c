/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Getting a connection: a command, a unix socket, or TCP to the first of a
 * host's addresses that answers (RFC 8305, "happy eyeballs"), be it the server
 * or a proxy on the way. This race is the only place where several things are
 * under way at once. What is said over the connection is not known here.
 */
#include "net/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/child.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/resolve.h"
#include "net/socks.h"

#define PROXY_PORT    1080 /* RFC 1928 3 */
#define ATTEMPT_DELAY 250  /* ms, RFC 8305 5 */
#define BACKLOG_DELAY 50   /* ms between looks at a busy unix socket */

/* The attempts to reach one host. */
struct race {
	const struct dial_policy *policy;
	const struct trace *trace;
	struct view first; /* to go with the first SYN */
	size_t n_said;     /* octets of it that did, or follow at once */
	const struct endpoint *source; /* to bind to; NULL: any */
	struct endpoints list;
	struct pollfd *attempts; /* one for each address; fd -1: not open */
	size_t next;             /* the first address not yet tried */
	size_t open;             /* attempts under way */
	size_t last;             /* the address whose failure came last */
	int error;               /* errno of that failure */
	struct deadline turn;    /* when the next attempt is due */
};

/* -------------------------------------------------------------------- words */

static void add_place(struct buf *text, const char *host, unsigned port)
{
	buf_printf(text, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
}

/* Why, to stand behind a colon: "connection refused". */
static void add_reason(struct buf *text, int error)
{
	const char *reason = error == ETIMEDOUT ? "timed out" : strerror(error);

	buf_add_char(text, text_lower(reason[0]));
	buf_add_text(text, reason + 1);
}

static int fail_connect(const char *where, int error, const char *tried,
			struct outcome *o)
{
	struct buf reason = BUF_INIT(256);

	add_reason(&reason, error);
	fail(o, CAUSE_CONNECT, "4.4.1", "cannot connect to %s: %s%s", where,
	     reason.p, tried);
	buf_release(&reason);
	return -1;
}

static int fail_race(const struct race *r, struct outcome *o)
{
	const struct dial_policy *policy = r->policy;
	char *last = endpoint_text(&r->list.p[r->last]);
	struct buf where = BUF_INIT(1024);
	struct buf tried = BUF_INIT(1024);

	add_place(&where, policy->host, policy->port);
	if (r->next > 1)
		buf_printf(&tried, " (tried %zu addresses, last %s)", r->next,
			   last);
	else if (strcmp(last, policy->host) != 0)
		buf_printf(&tried, " (tried %s)", last);
	fail_connect(where.p, r->error, tried.p, o);
	outcome_set_host(o, policy->host);
	buf_release(&where);
	buf_release(&tried);
	free(last);
	return -1;
}

static void note_failure(const struct race *r, size_t i, int error)
{
	struct buf reason = BUF_INIT(256);
	char *to;

	if (!r->trace)
		return;
	to = endpoint_text_port(&r->list.p[i]);
	add_reason(&reason, error);
	trace_note(r->trace, "cannot connect to %s: %s", to, reason.p);
	buf_release(&reason);
	free(to);
}

/* ----------------------------------------------------------------- the race */

/* Attempt i has failed; the next one need not wait for its turn. */
static void lose(struct race *r, size_t i, int error)
{
	if (r->attempts[i].fd >= 0) {
		close(r->attempts[i].fd);
		r->attempts[i].fd = -1;
		r->open--;
	}
	r->last = i;
	r->error = error;
	r->turn = deadline_in_ms(0);
	note_failure(r, i, error);
}

static int bind_source(const struct race *r, int fd, struct outcome *o)
{
	if (!r->source)
		return 0;
	if (bind(fd, (const struct sockaddr *)&r->source->at, r->source->n) < 0)
		return fail_errno(o, CAUSE_CONFIG, "5.3.5",
				  "source_ip %s cannot be used on this machine",
				  r->policy->source_ip);
	return 0;
}

/*
 * RFC 7413: with a cookie of that address the kernel puts off connecting until
 * there is something to say, and sends it with the SYN. From there on it is a
 * connection under way like any other; if the SYN is not answered, or the data
 * in it are not taken, the kernel sends both again in the usual order.
 */
static int connect_fast(struct race *r, int fd, const struct endpoint *a)
{
	int on = 1;
	ssize_t n;

	setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)&a->at, a->n) < 0)
		return -1;
	n = send(fd, r->first.p, r->first.n, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	r->n_said = (size_t)n;
	return 0;
}

static int connect_to(struct race *r, size_t i, int fd)
{
	const struct endpoint *a = &r->list.p[i];

	if (i == 0 && r->first.n)
		return connect_fast(r, fd, a);
	return connect(fd, (const struct sockaddr *)&a->at, a->n);
}

/* Begin with the next address. -1 only if no address can be tried. */
static int begin_next(struct race *r, struct outcome *o)
{
	size_t i = r->next++;
	int fd = socket(r->list.p[i].at.ss_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	r->turn = deadline_in_ms(ATTEMPT_DELAY);
	if (fd < 0) {
		lose(r, i, errno);
		return 0;
	}
	if (bind_source(r, fd, o) < 0) {
		close(fd);
		return -1;
	}
	r->attempts[i].fd = fd;
	r->attempts[i].events = POLLOUT;
	r->open++;
	if (connect_to(r, i, fd) < 0 && errno != EINPROGRESS && errno != EINTR)
		lose(r, i, errno);
	return 0;
}

/* Is one of them through? Its index, or list.n. */
static size_t take_winner(struct race *r)
{
	size_t i;

	for (i = 0; i < r->next; i++) {
		socklen_t size = sizeof(int);
		int error = 0;

		if (r->attempts[i].fd < 0 || !r->attempts[i].revents)
			continue;
		if (getsockopt(r->attempts[i].fd, SOL_SOCKET, SO_ERROR, &error,
			       &size) < 0)
			error = errno;
		if (!error)
			return i;
		lose(r, i, error);
	}
	return r->list.n;
}

/* Every attempt that is still open comes too late. */
static int fail_late(struct race *r, struct outcome *o)
{
	size_t i;

	for (i = 0; i < r->next; i++)
		if (r->attempts[i].fd >= 0)
			lose(r, i, ETIMEDOUT);
	return fail_race(r, o);
}

static bool is_next_due(const struct race *r)
{
	return r->next < r->list.n && (!r->open || deadline_passed(r->turn));
}

static int wait_for_attempts(const struct race *r, struct deadline deadline)
{
	if (r->next < r->list.n)
		deadline = deadline_sooner(deadline, r->turn);
	return poll(r->attempts, r->next, deadline_left(deadline));
}

/* Run it: the index of the winner, which stays open, or -1. */
static ptrdiff_t race_run(struct race *r, struct deadline deadline,
			  struct outcome *o)
{
	size_t winner;
	int rc;

	for (;;) {
		while (is_next_due(r))
			if (begin_next(r, o) < 0)
				return -1;
		if (!r->open)
			return fail_race(r, o);
		rc = wait_for_attempts(r, deadline);
		if (rc < 0 && errno != EINTR)
			return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
					  "waiting for a connection");
		winner = rc > 0 ? take_winner(r) : r->list.n;
		if (winner < r->list.n)
			return (ptrdiff_t)winner;
		if (deadline_passed(deadline))
			return fail_late(r, o);
	}
}

/* --------------------------------------------------------- the four ways in */

/* Leave only the addresses that can be reached from the source's family. */
static int keep_family(struct race *r, struct outcome *o)
{
	size_t i, n = 0;

	for (i = 0; i < r->list.n; i++)
		if (r->list.p[i].at.ss_family == r->source->at.ss_family)
			r->list.p[n++] = r->list.p[i];
	r->list.n = n;
	if (n)
		return 0;
	fail(o, CAUSE_CONFIG, "5.3.5",
	     "source_ip %s cannot reach %s, which has no %s address",
	     r->policy->source_ip, r->policy->host,
	     r->source->at.ss_family == AF_INET6 ? "IPv6" : "IPv4");
	outcome_set_host(o, r->policy->host);
	return -1;
}

static int find_addresses(struct race *r, struct endpoint *source,
			  struct deadline deadline, struct outcome *o)
{
	const struct dial_policy *policy = r->policy;

	if (policy->source_ip) {
		if (!resolve_literal(policy->source_ip, 0, source))
			return fail(o, CAUSE_CONFIG, "5.3.5",
				    "source_ip %s is no IPv4 or IPv6 address",
				    policy->source_ip);
		r->source = source;
	}
	if (resolve_host(policy->host, policy->port, policy->prefer_family,
			 deadline, &r->list, o) < 0)
		return -1;
	return r->source ? keep_family(r, o) : 0;
}

/* The winner's descriptor goes to c, all others are closed. */
static void finish(struct race *r, ptrdiff_t winner, struct connection *c)
{
	size_t i;
	int on = 1;

	if (winner >= 0) {
		c->fd = r->attempts[winner].fd;
		c->peer = endpoint_text_port(&r->list.p[winner]);
		r->attempts[winner].fd = -1;
		c->n_said = winner == 0 ? r->n_said : 0;
		/* A flight is one write; it must not wait for an ACK. */
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	}
	for (i = 0; i < r->next; i++)
		if (r->attempts[i].fd >= 0)
			close(r->attempts[i].fd);
	free(r->attempts);
	endpoints_release(&r->list);
}

static int dial_host(const struct dial_policy *policy, struct deadline deadline,
		     const struct dial_call *call, struct connection *c,
		     struct outcome *o)
{
	struct race r = {.policy = policy, .trace = call->trace};
	struct endpoint source;
	ptrdiff_t winner = -1;
	size_t i;
	int rc;

	if (policy->fast_open)
		r.first = call->first;
	stages_enter(call->stages, STAGE_RESOLVE);
	rc = find_addresses(&r, &source, deadline, o);
	if (rc == 0) {
		stages_enter(call->stages, STAGE_CONNECT);
		r.attempts = memory_alloc(r.list.n * sizeof(*r.attempts));
		for (i = 0; i < r.list.n; i++)
			r.attempts[i].fd = -1;
		winner = race_run(&r, deadline, o);
	}
	finish(&r, winner, c);
	return winner < 0 ? -1 : 0;
}

static bool uses_proxy(const struct dial_policy *policy)
{
	return policy->proxy.host && policy->host && !policy->socket &&
		!policy->tunnel;
}

/* The same way, as far as the proxy. */
static struct dial_policy way_to_proxy(const struct dial_policy *policy)
{
	struct dial_policy way = *policy;

	way.host = policy->proxy.host;
	way.port = policy->proxy.port ? policy->proxy.port : PROXY_PORT;
	way.fast_open = false; /* what is said first is not for the proxy */
	return way;
}

char *dial_proxy_name(const struct dial_policy *policy)
{
	struct buf name = BUF_INIT(1024);
	struct dial_policy way;

	if (!uses_proxy(policy))
		return NULL;
	way = way_to_proxy(policy);
	add_place(&name, way.host, way.port);
	return buf_detach(&name);
}

/* The proxy is there: have it connect. */
static int pass_proxy(const struct socks_request *request, const char *target,
		      struct deadline deadline, struct connection *c,
		      struct outcome *o)
{
	struct buf peer = BUF_INIT(2048);
	int rc = socks_connect(c->fd, request, deadline, o);

	buf_printf(&peer, "%s by the proxy %s", target, c->peer);
	if (rc < 0) {
		outcome_add_context(o, "cannot reach %s", peer.p);
		connection_close(c);
	} else {
		free(c->peer);
		c->peer = buf_detach(&peer);
	}
	buf_release(&peer);
	return rc;
}

static int dial_proxy(const struct dial_policy *policy,
		      struct deadline deadline, const struct dial_call *call,
		      struct connection *c, struct outcome *o)
{
	struct socks_request request = SOCKS_REQUEST_INIT;
	struct dial_policy way = way_to_proxy(policy);
	struct buf target = BUF_INIT(1024);
	int rc;

	add_place(&target, policy->host, policy->port);
	rc = socks_prepare(&request, policy, o);
	if (rc == 0) {
		rc = dial_host(&way, deadline, call, c, o);
		if (rc < 0)
			outcome_add_context(o, "cannot reach %s by the proxy",
					    target.p);
	}
	if (rc == 0) {
		trace_note(call->trace, "connected to the proxy %s", c->peer);
		rc = pass_proxy(&request, target.p, deadline, c, o);
	}
	if (rc < 0)
		outcome_set_host(o, policy->host);
	socks_request_release(&request);
	buf_release(&target);
	return rc;
}

/* A unix socket whose queue is full cannot be waited for by poll(). */
static int connect_unix(int fd, const struct sockaddr_un *to,
			struct deadline deadline)
{
	struct deadline look;

	while (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -1;
		if (deadline_passed(deadline)) {
			errno = ETIMEDOUT;
			return -1;
		}
		look = deadline_in_ms(BACKLOG_DELAY);
		look = deadline_sooner(look, deadline);
		poll(NULL, 0, deadline_left(look));
	}
	return 0;
}

static int dial_unix(const char *path, struct deadline deadline,
		     struct connection *c, struct outcome *o)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	int fd, error;

	if (n >= sizeof(to.sun_path))
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "socket %s: the path is longer than %zu octets",
			    path, sizeof(to.sun_path) - 1);
	memcpy(to.sun_path, path, n);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
				  "cannot make a socket");
	if (connect_unix(fd, &to, deadline) < 0) {
		error = errno;
		close(fd);
		return fail_connect(path, error, "", o);
	}
	c->fd = fd;
	c->peer = memory_dup(path);
	return 0;
}

static int dial_tunnel(const char *command, struct connection *c,
		       struct outcome *o)
{
	c->fd = child_connect(command, &c->child, o);
	if (c->fd < 0)
		return -1;
	c->peer = memory_dup("command");
	return 0;
}

int dial(const struct dial_policy *policy, struct deadline deadline,
	 const struct dial_call *call, struct connection *c, struct outcome *o)
{
	static const struct dial_call nobody = {0};
	int rc;

	*c = CONNECTION_INIT;
	if (!call)
		call = &nobody;
	if (policy->tunnel || policy->socket)
		stages_enter(call->stages, STAGE_CONNECT);
	if (policy->tunnel)
		rc = dial_tunnel(policy->tunnel, c, o);
	else if (policy->socket)
		rc = dial_unix(policy->socket, deadline, c, o);
	else if (uses_proxy(policy))
		rc = dial_proxy(policy, deadline, call, c, o);
	else if (policy->host)
		rc = dial_host(policy, deadline, call, c, o);
	else
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "no server is named: set host, socket or tunnel");
	if (rc == 0)
		trace_note(call->trace, "connected to %s", c->peer);
	return rc;
}

void connection_close(struct connection *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->child)
		child_end(c->child);
	free(c->peer);
	*c = CONNECTION_INIT;
}
