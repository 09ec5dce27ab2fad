/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_TLSA_H
#define NET_TLSA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/gnutls.h"
#include "base/outcome.h"
#include "net/trust.h"

/* Whose certificate a record is about (RFC 6698 2.1.1, names of RFC 7218). */
enum tlsa_usage {
	PKIX_TA = 0, /* an issuer on the way to a trusted one */
	PKIX_EE,     /* the server's own, which must be trusted as well */
	DANE_TA,     /* an issuer, whoever trusts it */
	DANE_EE,     /* the server's own, and nothing else of it matters */
};

enum tlsa_selector { TLSA_CERT = 0, TLSA_KEY /* SubjectPublicKeyInfo */ };
enum tlsa_matching { TLSA_FULL = 0, TLSA_SHA256, TLSA_SHA512 };

struct tlsa {
	enum tlsa_usage usage;
	enum tlsa_selector selector;
	enum tlsa_matching matching;
	struct view data; /* somebody else's octets */
};

struct tlsa_set {
	struct tlsa *p;
	size_t n;
	size_t unusable; /* records that are not in it */
};

#define TLSA_SET_INIT ((struct tlsa_set){0})

/* Understand RDATA (RFC 6698 2.1). false: it cannot be used, as its usage,
 * selector or matching type is unknown, or its data cannot be what it says. */
bool tlsa_parse(struct tlsa *r, struct view rdata);

/* Take one more record, whose octets must stay where they are. */
void tlsa_set_add(struct tlsa_set *set, struct view rdata);

/* Of the digests for one usage and selector only those by the strongest
 * algorithm count (RFC 7671 9). Once, when all are in. */
void tlsa_set_choose(struct tlsa_set *set);
void tlsa_set_release(struct tlsa_set *set);

/* Is it about this very certificate, whatever it is used for? */
bool tlsa_matches(const struct tlsa *r, gnutls_x509_crt_t c);

/* "3 1 1 ABCD…", long data cut short. */
void tlsa_add_words(struct buf *text, const struct tlsa *r);

/* What is judged. */
struct tlsa_case {
	const struct tlsa_set *set; /* at least one record */
	const char *owner;          /* "_587._tcp.mail.example.org" */
	struct trust *trust;        /* what else is asked of a certificate */
	const char *alias; /* one more name it may be for; NULL: none */
};

/*
 * Does what the server has shown agree with one of the records (RFC 7671 5)?
 *
 *   3  its own certificate matches; neither name nor dates matter
 *   2  it is for the name, in date, and its chain leads to a certificate, in
 *      the chain or whole in the record, that matches; or to a key that is
 *      whole in the record
 *   1  its own matches, and the usual check (trust_check) passes
 *   0  the usual check passes, and an issuer on that way matches
 *
 * Where the user wants no check of certificates there is no usual one; 0 and 1
 * then are as 2 and 3 (RFC 7672 3.1.3). -1: CAUSE_TLS 4.7.5 naming the records
 * and what was shown.
 */
int tlsa_check(const struct tlsa_case *c, gnutls_session_t session,
	       struct outcome *o);

#endif
