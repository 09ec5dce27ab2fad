/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include <sys/types.h>

#include "base/clock.h"
#include "base/outcome.h"
#include "base/trace.h"

enum family { FAMILY_ANY = 0, FAMILY_IPV4, FAMILY_IPV6 };

/* A SOCKS5 server on the way (RFC 1928). */
struct proxy_policy {
	char *host;     /* NULL: none */
	unsigned port;  /* 0: 1080 */
	char *user;     /* RFC 1929; NULL: it asks for none */
	char *password; /* NULL: empty */
};

/* How to reach the server. Exactly one of host, socket and tunnel counts; in
 * the order tunnel, socket, host. */
struct dial_policy {
	char *host;      /* name (also IDN), IPv4 or IPv6 address */
	unsigned port;   /* 1–65535 */
	char *socket;    /* path of a unix socket */
	char *tunnel;    /* command whose stdin and stdout are the server */
	char *source_ip; /* local address to bind; NULL: any */
	enum family prefer_family;
	struct proxy_policy proxy; /* for host only */
};

/* An open connection. */
struct connection {
	int fd;      /* non-blocking, close-on-exec; -1: none */
	pid_t child; /* the tunnel's process; 0: none */
	char *peer;  /* "192.0.2.1:587", "/run/lmtp", "command"; for words */
};

#define CONNECTION_INIT ((struct connection){.fd = -1})

/*
 * Connect. Names are resolved by the system's resolver, A and AAAA, and tried
 * as RFC 8305 says (families interleaved, the next attempt 250 ms after the
 * last, the first that answers wins), all within one deadline. TCP_NODELAY is
 * set. Failures: CAUSE_RESOLVE 5.4.4 (no such host), 4.4.3 (no answer);
 * CAUSE_CONNECT 4.4.1 (refused, unreachable, timed out: the text names the
 * address of the last attempt and how many were tried); CAUSE_CONFIG 5.3.5
 * (a bad source_ip or host name).
 */
int dial(const struct dial_policy *policy, struct deadline deadline,
	 const struct trace *trace, struct connection *c, struct outcome *o);

void connection_close(struct connection *c);

#endif
