/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_STAPLE_H
#define NET_STAPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/gnutls.h"

/*
 * What the server has stapled to its handshake about one certificate of its
 * chain (RFC 6960, by RFC 6066 8). Whether it is signed by whom it has to be is
 * GnuTLS's to check; these are its words.
 */
struct staple {
	bool is_there;      /* and can be read */
	bool is_revoked;    /* the certificate */
	bool is_unknown;    /* its issuer knows of no such certificate */
	time_t made;        /* when this was true; (time_t)-1: not said */
	time_t ends;        /* from when on there is a newer one; or -1 */
	time_t revoked;     /* when; or -1 */
	const char *reason; /* why it was revoked; NULL: not said */
};

/* About certificate i of the chain, 0 being the server's own. */
void staple_get(gnutls_session_t session, size_t i, struct staple *s);

#endif
