/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_CERTIFICATE_H
#define NET_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "base/gnutls.h"
#include "base/outcome.h"
#include "net/tls.h"

/* Whom a certificate has to be for: a host name or an address. */
struct peer_name {
	char *dns;            /* A-labels, lower case; NULL: an address */
	unsigned char ip[16]; /* in network order */
	size_t ip_size;       /* octets of ip: 4, 16; 0: a name */
};

#define PEER_NAME_INIT ((struct peer_name){0})

/* Understand a host as the user wrote it (IDN, IPv4, IPv6 with or without its
 * zone). -1: CAUSE_CONFIG 5.3.5. */
int peer_name_parse(struct peer_name *name, const char *host,
		    struct outcome *o);
void peer_name_release(struct peer_name *name);

/*
 * Is the certificate for that name (RFC 6125, RFC 9525)? Only its
 * subjectAltName counts, never a common name: a host name matches a dNSName, an
 * address an iPAddress. `*` stands for exactly one whole label, the leftmost,
 * in front of at least two others.
 */
bool certificate_is_for(gnutls_x509_crt_t c, const struct peer_name *name);

bool certificate_is_self_signed(gnutls_x509_crt_t c);

/* Its key, or how it was signed (unless by itself, which nobody relies on), is
 * below 112 bits of strength. */
bool certificate_is_weak(gnutls_x509_crt_t c);

/* Do its name constraints, if it has any, let it vouch for that host (RFC 5280
 * 4.2.1.10)? */
bool certificate_permits(gnutls_x509_crt_t c, const struct peer_name *name);

/* Has it a subjectAltName with anything in it? */
bool certificate_has_alt_names(gnutls_x509_crt_t c);

/* Who it says it is: the subject, or its names where that is empty. All these
 * words are printable and allocated. */
char *certificate_subject(gnutls_x509_crt_t c);
char *certificate_issuer(gnutls_x509_crt_t c);

/* What GnuTLS has allocated, which is freed. */
char *certificate_words(gnutls_datum_t *d);

/* Such words, cut down to what a line has room for; the longer ones freed. */
char *certificate_shorten(char *words);

/* DNS names and addresses of the subjectAltName, comma-separated, at most so
 * many, and about a line of them (more are shown as "…"; 0: no limit); empty if
 * there are none. */
char *certificate_names(gnutls_x509_crt_t c, size_t most);

/* ISO 8601 in UTC: "2030-01-31T12:00:00Z". */
char *certificate_date(time_t t);

/* "AA:BB:…" of the certificate's DER form; empty if GnuTLS lacks the hash. */
char *certificate_fingerprint(const gnutls_datum_t *der,
			      gnutls_digest_algorithm_t algorithm);

void certificate_describe(const gnutls_datum_t *der,
			  struct tls_certificate *facts);
void certificate_release(struct tls_certificate *facts);

/* Seconds that the clocks of who made something and ours may be apart. */
#define CLOCKS_DIFFER 86400

/* The certificates that the server has sent, its own first. */
struct chain {
	gnutls_x509_crt_t *p;
	size_t n;
};

#define CHAIN_INIT ((struct chain){0})
#define CHAIN_MOST 32 /* what comes behind that is not looked at */

/* false if there is none, or one of them can't be read. */
bool chain_import(struct chain *chain, gnutls_session_t session);
void chain_release(struct chain *chain);

/* The end of what the server has sent, going up from its own certificate;
 * certificates may come in any order, or go round in a circle. */
size_t chain_top(const struct chain *chain);

/* Those that can be met going up from the server's own, which is one of them.
 * Where there is more than one way, all are taken: who chooses what is sent
 * must not choose what is looked at. */
void chain_way(const struct chain *chain, bool is_on_way[CHAIN_MOST]);

/* The facts of each; NULL if there is none. */
struct tls_certificate *chain_describe(gnutls_session_t session, size_t *n);

#endif
