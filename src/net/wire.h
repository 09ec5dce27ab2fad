/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_WIRE_H
#define NET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/gnutls.h"

#define WIRE_INPUT (17u << 10) /* octets: a full record */

/* What is between GnuTLS and a non-blocking descriptor. */
struct wire {
	int fd;              /* -1: not yet connected */
	bool has_heard;      /* the server has sent something */
	unsigned char first; /* its first octet */
	int error;           /* errno of what broke the connection; or 0 */
	struct buf records;  /* to be sent, encrypted */
	size_t sent;         /* octets of them that the kernel has */
	bool cannot_send;    /* sending has failed; what waits is lost */
	size_t got, taken;   /* octets in `in`, and of them GnuTLS's */
	char in[WIRE_INPUT];
};

/* One that is all zero, for a descriptor that is not known yet. */
void wire_init(struct wire *w);

/* Make it the session's transport; it must stay where it is. */
void wire_attach(struct wire *w, gnutls_session_t session);

/* Send what waits: 0 when all of it is the kernel's, else -1 and errno; no
 * SIGPIPE from a connection that is gone. */
int wire_send(struct wire *w);

bool wire_wants_write(const struct wire *w);

/* Is there input that GnuTLS has not asked for yet? The descriptor will not
 * tell. */
bool wire_has_input(const struct wire *w);

void wire_release(struct wire *w);

#endif
