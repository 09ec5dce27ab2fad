/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/outcome.h"
#include "base/stages.h"
#include "base/trace.h"

enum family { FAMILY_ANY = 0, FAMILY_IPV4, FAMILY_IPV6 };

/* A SOCKS5 server on the way (RFC 1928). */
struct proxy_policy {
	char *host;     /* NULL: none */
	unsigned port;  /* 0: 1080 */
	char *user;     /* RFC 1929; NULL: no login */
	char *password; /* goes with user, 1–255 octets each */
};

/* How to reach the server. Exactly one of host, socket and tunnel counts; in
 * the order tunnel, socket, host. */
struct dial_policy {
	char *host;      /* name (also IDN), IPv4 or IPv6 address */
	unsigned port;   /* 1–65535 */
	char *socket;    /* path of a unix socket */
	char *tunnel;    /* command whose stdin and stdout are the server */
	char *source_ip; /* local address to bind; NULL: any. Addresses of the
			    other family cannot be reached from it, whatever
			    family is preferred */
	enum family prefer_family; /* this one first, the other soon after */
	bool fast_open;            /* call.first may go with SYN (RFC 7413) */
	struct proxy_policy proxy; /* for host only */
};

/* An open connection. */
struct connection {
	int fd;        /* non-blocking, close-on-exec; -1: none */
	pid_t child;   /* the tunnel's process; 0: none */
	char *peer;    /* for words: "192.0.2.1:587", "/run/lmtp", "command",
			"mail.example.org:587 by the proxy 127.0.0.1:1080" */
	size_t n_said; /* octets of call.first that are the kernel's already */
};

#define CONNECTION_INIT ((struct connection){.fd = -1})

/* What goes along with it; all of it may be NULL. */
struct dial_call {
	const struct trace *trace; /* who looks on */
	struct stages *stages; /* RESOLVE and CONNECT; in the last of them when
			   dial returns */
	struct view first; /* what we say first; empty where the server does */
};

/*
 * Connect. Names are resolved by the system's resolver, A and AAAA, and tried
 * as RFC 8305 says (families interleaved, the next attempt 250 ms after the
 * last, the first that answers wins), all within one deadline. TCP_NODELAY is
 * set. Failures: CAUSE_RESOLVE 5.4.4 (no such host), 4.4.3 (no answer);
 * CAUSE_CONNECT 4.4.1 (refused, unreachable, timed out: the text names the
 * address of the last attempt and how many were tried); CAUSE_CONFIG 5.3.5
 * (a bad source_ip or host name).
 *
 * With a proxy (SOCKS5) all of that, prefer_family and source_ip too, is about
 * the proxy; it is asked for the host within the same deadline, and nothing
 * else ever is: no resolver here sees the host's name. How that fails is in
 * net/socks.h; each text names the host and the proxy.
 *
 * With fast_open, to a host without a proxy, `first` goes with the SYN to the
 * first address if that has given us a cookie before (the kernel keeps them),
 * and it is asked for one. It is still the race as above: what was said to an
 * address that does not win was said in vain, and is to be said again.
 *
 * `call` may be NULL.
 */
int dial(const struct dial_policy *policy, struct deadline deadline,
	 const struct dial_call *call, struct connection *c, struct outcome *o);

/* The proxy that dial would use, "127.0.0.1:1080", allocated; NULL: none. */
char *dial_proxy_name(const struct dial_policy *policy);

void connection_close(struct connection *c);

#endif
