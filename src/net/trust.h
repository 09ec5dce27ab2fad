/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_TRUST_H
#define NET_TRUST_H

#include "base/gnutls.h"
#include "base/outcome.h"
#include "net/bundle.h"
#include "net/certificate.h"
#include "net/crl.h"
#include "net/identity.h"
#include "net/pin.h"
#include "net/tls.h"

/* What a server's certificate has to prove. */
enum trust_by {
	TRUST_BY_STORE,       /* issued by one we trust, and for the name */
	TRUST_BY_FINGERPRINT, /* be that very certificate */
	TRUST_BY_PIN,         /* have one of these keys */
	TRUST_BY_BOTH,        /* that certificate, and one of these keys */
	TRUST_ANYTHING,       /* nothing */
};

struct trust {
	enum trust_by by;
	gnutls_certificate_credentials_t credentials; /* trust, ours */
	bool is_put_off;       /* store and crl are loaded when needed */
	char *store;           /* "system", or the file's name */
	struct bundle bundle;  /* what is in it, until a chain is there */
	char *crl;             /* the file's name; NULL: none */
	struct crls crls;      /* what is in it */
	char *host;            /* as the user wrote it, for messages */
	char *wanted;          /* the name in the certificate, as written */
	struct peer_name name; /* the same, understood */
	gnutls_digest_algorithm_t algorithm; /* of the fingerprint */
	char fingerprint[32];
	size_t fingerprint_size; /* octets */
	struct pins pins;
	struct identity identity; /* ours */
};

#define TRUST_INIT                             \
	((struct trust){.bundle = BUNDLE_INIT, \
			.crls = CRLS_INIT,     \
			.pins = PINS_INIT,     \
			.identity = IDENTITY_INIT})

/*
 * Load the files that the policy names. -1: CAUSE_CONFIG 5.3.5 naming the
 * setting, the file and the fault; what the owner (may be NULL) says who was
 * asked for a secret. Released in every case.
 *
 * With an owner, so for a submission, a store that is a plain PEM file
 * (net/bundle.h) is read, but no certificate of it is loaded yet.
 */
int trust_load(struct trust *t, const struct tls_policy *policy,
	       const char *host, const struct tls_owner *owner,
	       struct outcome *o);
void trust_release(struct trust *t);

/* For when the server is waited for: what there is to do of the check without
 * its certificate. Nothing fails here. */
void trust_prepare(struct trust *t);

/* Load all that was put off; for who asks the store itself. -1 as above. */
int trust_load_all(struct trust *t, struct outcome *o);

/*
 * Judge what the server has shown in this session. -1: CAUSE_TLS 4.7.5; one
 * line: which certificate, which check, which names or dates, what to do. What
 * was put off may fail now. The lists of tls_crl_file are verified here, where
 * the chain is that they are about; one that is forged, that is about the chain
 * and not of now, or a file of lists whose issuers are all unknown, is refused
 * like a bad certificate (net/crl.h).
 *
 * Of a store that was read but not loaded it takes the one certificate that the
 * chain needs. Unless there is just one, and the verdict is good, it loads all
 * and judges again: what is refused, and in which words, is as if all had been
 * there from the start.
 */
int trust_check(struct trust *t, gnutls_session_t session, struct outcome *o);

/* How it was judged, for the log: the store, "fingerprint", "pin",
 * "fingerprint+pin", "unchecked". */
const char *trust_words(const struct trust *t);

/* Who the server is in messages. */
const char *trust_server(const struct trust *t);

#endif
