/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_IDENTITY_H
#define NET_IDENTITY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/gnutls.h"
#include "base/outcome.h"
#include "net/tls.h"

/* What our own certificate and key, in files or in a token, may ask for while
 * they are loaded and used. Must stay where it is. */
struct identity {
	const struct tls_owner *owner; /* who is asked */
	const char *key;               /* the key's file, for words */
	struct buf secret;  /* password or PIN, once it is known; a secret */
	bool is_wrong;      /* it was refused: never said twice */
	bool is_unasked;    /* it is needed, and there is nobody to be asked */
	struct outcome why; /* why there is none */
};

#define IDENTITY_SECRET_LIMIT (64u << 10) /* octets */
#define IDENTITY_INIT \
	((struct identity){.secret = BUF_INIT_SECRET(IDENTITY_SECRET_LIMIT)})

/*
 * Load our own certificate and its key, if the policy names one; files in PEM
 * or PKCS #11 URIs (RFC 7512), for which GnuTLS then loads the modules of the
 * system. A password or PIN is that of the URI (pin-value), else asked for, and
 * said to a token once. -1: CAUSE_CONFIG 5.3.5 naming the setting, the file
 * and the fault, CAUSE_AUTH 5.7.8 for a wrong PIN or password; what the owner
 * says. Without an owner to be asked it is no failure that a key needs a
 * password: the rest was looked at then.
 */
int identity_load(struct identity *id,
		  gnutls_certificate_credentials_t credentials,
		  const struct tls_policy *policy,
		  const struct tls_owner *owner, struct outcome *o);
void identity_release(struct identity *id);

#endif
