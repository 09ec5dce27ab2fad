/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_SOCKS_H
#define NET_SOCKS_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/outcome.h"
#include "net/dial.h"

/* All that a SOCKS5 proxy is told (RFC 1928, RFC 1929), so that what cannot be
 * asked for is known before anybody is connected to. */
struct socks_request {
	struct buf methods; /* how we can log in */
	struct buf login;   /* user and password; empty: none is offered */
	struct buf connect; /* where we want to go */
};

#define SOCKS_REQUEST_INIT                                          \
	((struct socks_request){BUF_INIT(8), BUF_INIT_SECRET(1024), \
				BUF_INIT(512)})

/*
 * Ask for policy's host and port as policy's proxy wants it. A name is for the
 * proxy to look up, in A-labels; nobody here is asked about it. CAUSE_CONFIG
 * 5.3.5: a host that is no name (or one over 253 octets), an IPv6 address with
 * a zone, a user or password that RFC 1929 has no room for (1–255 octets).
 */
int socks_prepare(struct socks_request *r, const struct dial_policy *policy,
		  struct outcome *o);

/*
 * Ask the proxy behind fd (non-blocking). When 0 is returned the next octet
 * that comes is the host's: not one of them has been read. The words of a
 * failure name neither proxy nor host, which the caller knows.
 *
 *   CAUSE_CONNECT   4.4.1  it cannot reach the host (refused, unreachable,
 *                          unknown: SOCKS does not tell the last two apart,
 *                          so it may all be different later), or is silent
 *                   4.4.2  it has hung up
 *                   5.7.1  its rules forbid it, today and tomorrow
 *   CAUSE_FEATURE   5.3.3  it makes no connections, or takes no such address
 *   CAUSE_AUTH      5.7.4  it wants a login that we do not have
 *                   5.7.8  it does not believe user and password
 *   CAUSE_PROTOCOL  5.5.0  it does not speak SOCKS5
 */
int socks_connect(int fd, const struct socks_request *r,
		  struct deadline deadline, struct outcome *o);

void socks_request_release(struct socks_request *r);

#endif
