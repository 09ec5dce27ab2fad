/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_TICKET_H
#define NET_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * TLS sessions to go on with, kept between runs: each a file of its own in
 * $XDG_CACHE_HOME/postrider, else ~/.cache/postrider. A ticket is a comfort:
 * nothing here fails, it is only not there. Whoever can read one can pose as
 * that server to us until it ends, so a file that is not this user's alone, or
 * no plain file, is not used.
 *
 * A file: "PRTICKT1"; SHA-256 of its name's octets and of what follows;
 * checked, expires (64 bits each, most significant octet first); the length of
 * `verified` (32 bits); verified; the session.
 */
#define TICKET_NAME_SIZE 32    /* octets: a digest of all it rests on */
#define TICKET_LASTS     86400 /* seconds since the certificate was checked */

struct ticket {
	int64_t checked;    /* when the certificate was; seconds since 1970 */
	int64_t expires;    /* when it does, or an issuer's; INT64_MAX: never */
	char *verified;     /* by what it was checked */
	struct buf session; /* GnuTLS's octets, a secret */
};

#define TICKET_LIMIT (128u << 10) /* octets; the chain is in it */
#define TICKET_INIT  ((struct ticket){.session = BUF_INIT_SECRET(TICKET_LIMIT)})

/* Is there a file? It may still be too old, or gone a moment later. */
bool ticket_is_there(const char name[TICKET_NAME_SIZE]);

/* Take it away: each goes to one process only (RFC 8446 C.4). false: there is
 * none, or it is not to be used any more, or not yet. Released in every case.
 */
bool ticket_take(const char name[TICKET_NAME_SIZE], struct ticket *t);

/* Keep it, in place of any other of that name. What is older than any ticket
 * may be is cleared away on the way, if `tidy`. */
void ticket_save(const char name[TICKET_NAME_SIZE], const struct ticket *t,
		 bool tidy);

void ticket_release(struct ticket *t);

#endif
