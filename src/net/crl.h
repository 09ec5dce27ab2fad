/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_CRL_H
#define NET_CRL_H

#include <stddef.h>
#include <time.h>

#include "base/gnutls.h"
#include "net/certificate.h"

/* Lists of revoked certificates (RFC 5280 5), as a file has them. */
struct crls {
	gnutls_x509_crl_t *p;
	unsigned n;
};

#define CRLS_INIT ((struct crls){0})

/* Read a file of them, PEM. <0: GnuTLS's error; one without any is none. */
int crls_load(struct crls *lists, const char *path);
void crls_release(struct crls *lists);

enum crl_fault {
	CRL_NO_FAULT,
	CRL_FORGED,  /* a list is not signed by whom it says */
	CRL_REVOKED, /* a certificate of the chain is on a list */
	CRL_OLD,     /* a list about the chain is out of date */
	CRL_EARLY,   /* … or made in the future */
	CRL_UNKNOWN, /* no issuer of any of the lists is known */
};

struct crl_finding {
	enum crl_fault fault;
	size_t at;    /* CRL_REVOKED: which of the chain */
	time_t date;  /* of the revocation, the list's end or its beginning;
		       * (time_t)-1: not said */
	char *issuer; /* of the list, printable, allocated; NULL: no fault */
};

/*
 * What is wrong with a chain that `trusted` vouches for, or with the lists: the
 * first of enum crl_fault. Only what its
 * issuer has signed is believed; the issuer is one of `trusted`, or of the
 * chain and vouched for. Who is on a list stays so when it is out of date. A
 * list about others' certificates may be old, and one whose issuer is not
 * known, as it belongs to other servers, is passed over as long as the issuer
 * of another is.
 */
void crls_check(const struct crls *lists, gnutls_x509_trust_list_t trusted,
		const struct chain *chain, time_t now,
		struct crl_finding *found);

/* "the list of SOMEBODY …", with the date behind it if that is at fault; and
 * what can be done. */
const char *crl_fault_words(enum crl_fault fault);
const char *crl_remedy(enum crl_fault fault);

#endif
