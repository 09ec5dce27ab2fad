/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lists of revoked certificates. GnuTLS believes any list that it is given, or
 * else only those that a trusted certificate has signed, and none of an
 * intermediate's; so each is verified here, when the chain is there to do it
 * with.
 */
#include "net/crl.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* ------------------------------------------------------------------ loading */

int crls_load(struct crls *lists, const char *path)
{
	gnutls_datum_t text = {NULL, 0};
	int rc = gnutls_load_file(path, &text);

	*lists = CRLS_INIT;
	if (rc < 0)
		return rc;
	rc = gnutls_x509_crl_list_import2(&lists->p, &lists->n, &text,
					  GNUTLS_X509_FMT_PEM, 0);
	gnutls_free(text.data);
	if (rc >= 0)
		return lists->n ? 0 : GNUTLS_E_NO_CERTIFICATE_FOUND;
	*lists = CRLS_INIT;
	return rc;
}

void crls_release(struct crls *lists)
{
	unsigned i;

	for (i = 0; i < lists->n; i++)
		gnutls_x509_crl_deinit(lists->p[i]);
	gnutls_free(lists->p);
	*lists = CRLS_INIT;
}

/* ------------------------------------------------------ who has signed them */

enum standing {
	OF_NOBODY, /* that is known */
	FORGED,
	GENUINE,
};

struct inquiry {
	const struct crls *lists;
	gnutls_x509_trust_list_t trusted;
	const struct chain *chain;
	enum standing *standing;    /* of each list */
	bool is_on_way[CHAIN_MOST]; /* what there is to look up */
};

/* Key identifiers are only there to tell namesakes apart: a list that names
 * another key of its issuer's is not this one's. */
static bool is_issuer_of(gnutls_x509_crt_t c, gnutls_x509_crl_t list)
{
	unsigned char its[64], wanted[64];
	size_t n = sizeof(its), most = sizeof(wanted);

	if (!gnutls_x509_crl_check_issuer(list, c))
		return false;
	if (gnutls_x509_crt_get_subject_key_id(c, its, &n, NULL) < 0 ||
	    gnutls_x509_crl_get_authority_key_id(list, wanted, &most, NULL) < 0)
		return true;
	return n == most && !memcmp(its, wanted, n);
}

/* One that nobody vouches for, and that the server has sent along, must not
 * vouch for a list. */
static bool is_vouched_for(const struct inquiry *q, size_t i)
{
	gnutls_x509_crt_t way[CHAIN_MOST];
	unsigned n = 0, status = 0;
	size_t k;

	way[n++] = q->chain->p[i];
	for (k = 0; k < q->chain->n; k++)
		if (!gnutls_x509_crt_equals(q->chain->p[k], way[0]))
			way[n++] = q->chain->p[k];
	return gnutls_x509_trust_list_verify_crt2(q->trusted, way, n, NULL, 0,
						  0, &status, NULL) >= 0 &&
		status == 0;
}

/* Has it signed the list? GnuTLS looks at the dates as well, whatever its
 * flags; here they are judged later. */
static bool has_signed(gnutls_x509_crt_t c, gnutls_x509_crl_t list)
{
	const unsigned dates = GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED |
		GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE;
	unsigned status = 0;

	if (gnutls_x509_crl_verify(list, &c, 1, 0, &status) < 0)
		return false;
	if (status & dates)
		status &= ~(dates | GNUTLS_CERT_INVALID);
	return status == 0;
}

/* `i` is the certificate's place in the chain; its length: one of `trusted`. */
static void try_issuer(struct inquiry *q, gnutls_x509_crt_t c, size_t i)
{
	unsigned k;

	for (k = 0; k < q->lists->n; k++) {
		if (q->standing[k] == GENUINE ||
		    !is_issuer_of(c, q->lists->p[k]))
			continue;
		if (i < q->chain->n && !is_vouched_for(q, i))
			return;
		q->standing[k] = has_signed(c, q->lists->p[k]) ? GENUINE
							       : FORGED;
	}
}

static void find_issuers(struct inquiry *q)
{
	gnutls_x509_trust_list_iter_t at = NULL;
	gnutls_x509_crt_t c;
	size_t i;

	for (i = 0; i < q->chain->n; i++)
		try_issuer(q, q->chain->p[i], i);
	while (gnutls_x509_trust_list_iter_get_ca(q->trusted, &at, &c) == 0) {
		try_issuer(q, c, q->chain->n);
		gnutls_x509_crt_deinit(c);
	}
	gnutls_x509_trust_list_iter_deinit(at);
}

/* ------------------------------------------------------------ what they say */

/* Has it issued one that matters? */
static bool is_about_way(const struct inquiry *q, gnutls_x509_crl_t list)
{
	gnutls_datum_t its, theirs;
	bool is_same = false;
	size_t i;

	if (gnutls_x509_crl_get_raw_issuer_dn(list, &its) < 0)
		return true;
	for (i = 0; i < q->chain->n && !is_same; i++) {
		if (!q->is_on_way[i] ||
		    gnutls_x509_crt_get_raw_issuer_dn(q->chain->p[i], &theirs) <
			    0)
			continue;
		is_same = its.size == theirs.size &&
			!memcmp(its.data, theirs.data, its.size);
		gnutls_free(theirs.data);
	}
	gnutls_free(its.data);
	return is_same;
}

static time_t revocation_date(gnutls_x509_crl_t list, gnutls_x509_crt_t c)
{
	unsigned char wanted[128], serial[128];
	size_t most = sizeof(wanted), n = sizeof(serial);
	gnutls_x509_crl_iter_t at = NULL;
	time_t when = (time_t)-1, date = (time_t)-1;

	if (gnutls_x509_crt_get_serial(c, wanted, &most) < 0)
		return when;
	while (gnutls_x509_crl_iter_crt_serial(list, &at, serial, &n, &date) >=
	       0) {
		if (n == most && !memcmp(serial, wanted, n))
			when = date;
		n = sizeof(serial);
	}
	gnutls_x509_crl_iter_deinit(at);
	return when;
}

static bool is_any_revoked(const struct inquiry *q, gnutls_x509_crl_t list,
			   struct crl_finding *found)
{
	size_t i;

	for (i = 0; i < q->chain->n; i++)
		if (q->is_on_way[i] &&
		    gnutls_x509_crt_check_revocation(q->chain->p[i], &list,
						     1) != 0) {
			found->at = i;
			found->date = revocation_date(list, q->chain->p[i]);
			return true;
		}
	return false;
}

static bool is_at_fault(const struct inquiry *q, unsigned k,
			enum crl_fault fault, time_t now,
			struct crl_finding *found)
{
	gnutls_x509_crl_t list = q->lists->p[k];

	if (fault == CRL_FORGED)
		return q->standing[k] == FORGED;
	if (fault == CRL_UNKNOWN)
		return q->standing[k] == OF_NOBODY;
	if (q->standing[k] != GENUINE)
		return false;
	if (fault == CRL_REVOKED)
		return is_any_revoked(q, list, found);
	found->date = fault == CRL_OLD ? gnutls_x509_crl_get_next_update(list)
				       : gnutls_x509_crl_get_this_update(list);
	if (found->date == (time_t)-1) /* it does not say until when */
		return false;
	return is_about_way(q, list) &&
		(fault == CRL_OLD ? found->date < now
				  : found->date > now + CLOCKS_DIFFER);
}

static bool is_any_genuine(const struct inquiry *q)
{
	unsigned k;

	for (k = 0; k < q->lists->n; k++)
		if (q->standing[k] == GENUINE)
			return true;
	return false;
}

static char *issuer_words(gnutls_x509_crl_t list)
{
	gnutls_datum_t dn = {NULL, 0};

	gnutls_x509_crl_get_issuer_dn3(list, &dn, 0);
	return certificate_words(&dn);
}

static void look(const struct inquiry *q, time_t now, struct crl_finding *found)
{
	enum crl_fault fault;
	unsigned k;

	for (fault = CRL_FORGED; fault <= CRL_UNKNOWN; fault++) {
		if (fault == CRL_UNKNOWN && is_any_genuine(q))
			return;
		for (k = 0; k < q->lists->n; k++) {
			if (!is_at_fault(q, k, fault, now, found))
				continue;
			found->fault = fault;
			found->issuer = issuer_words(q->lists->p[k]);
			return;
		}
	}
}

void crls_check(const struct crls *lists, gnutls_x509_trust_list_t trusted,
		const struct chain *chain, time_t now,
		struct crl_finding *found)
{
	struct inquiry q = {.lists = lists, .trusted = trusted, .chain = chain};

	*found = (struct crl_finding){.date = (time_t)-1};
	if (!lists->n)
		return;
	q.standing = memory_alloc(lists->n * sizeof(*q.standing));
	find_issuers(&q);
	chain_way(chain, q.is_on_way);
	look(&q, now, found);
	free(q.standing);
}

/* -------------------------------------------------------------------- words */

const char *crl_fault_words(enum crl_fault fault)
{
	switch (fault) {
	case CRL_FORGED: return "is not signed by that issuer";
	case CRL_OLD: return "was good until";
	case CRL_EARLY: return "was made in the future,";
	case CRL_UNKNOWN:
		return "cannot be verified, as that issuer is neither trusted "
		       "nor one of this server's";
	case CRL_REVOKED:
	case CRL_NO_FAULT: break;
	}
	return "is no good";
}

const char *crl_remedy(enum crl_fault fault)
{
	switch (fault) {
	case CRL_FORGED: return "it may be forged; fetch it anew";
	case CRL_OLD: return "fetch that issuer's new one";
	case CRL_EARLY:
		return "this machine's clock may be wrong, else fetch another";
	default: return "fetch the list of this server's issuer";
	}
}
