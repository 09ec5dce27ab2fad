/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/outcome.h"
#include "net/dial.h"

/* A place to connect to (or from), port included. */
struct endpoint {
	struct sockaddr_storage at;
	socklen_t n; /* octets of it that count */
};

struct endpoints {
	struct endpoint *p;
	size_t n;
};

#define ENDPOINTS_INIT ((struct endpoints){0})
#define ENDPOINTS_MOST 64 /* of one name; the rest is dropped */

/*
 * The addresses of a host for TCP, families interleaved beginning with the
 * preferred one, otherwise in the resolver's order (RFC 8305 4). The host may
 * be a literal address or an IDN. `list` must be empty. -1: CAUSE_RESOLVE 5.4.4
 * (no such host) or 4.4.3 (no answer, or none before the deadline),
 * CAUSE_CONFIG 5.3.5 for a name that can't be one.
 */
int resolve_host(const char *host, unsigned port, enum family prefer,
		 struct deadline deadline, struct endpoints *list,
		 struct outcome *o);

/* A literal address, without any look-up; false if it is none. */
bool resolve_literal(const char *host, unsigned port, struct endpoint *a);

/* "192.0.2.1", and with the port "192.0.2.1:587" or "[2001:db8::1]:587".
 * Allocated. */
char *endpoint_text(const struct endpoint *a);
char *endpoint_text_port(const struct endpoint *a);

void endpoints_release(struct endpoints *list);

/* This machine's name if it looks fully qualified (it holds a dot), else
 * "localhost"; no DNS look-up is made. Allocated. */
char *resolve_own_name(void);

#endif
