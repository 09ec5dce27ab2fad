/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLSA records and a server's certificates: which agree (RFC 6698, RFC 7671).
 * Where the records come from, and that they are signed, is net/dane's affair;
 * the usual check, which two of the four usages ask for as well, net/trust's.
 * Signatures, dates and constraints of a chain are judged by GnuTLS.
 */
#include "net/tlsa.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/gnutls.h"
#include "base/memory.h"
#include "net/certificate.h"
#include "net/der.h"

#define RECORD_HEAD   3 /* octets in front of the data */
#define OCTETS_SHOWN  8 /* of a record's data, in words */
#define RECORDS_SHOWN 6
#define NAMES_SHOWN   8
#define STEPS_MOST    16 /* issuers above a chain that are looked at */

/* -------------------------------------------------------------- the records */

static gnutls_datum_t datum(struct view v)
{
	return (gnutls_datum_t){(unsigned char *)v.p, (unsigned)v.n};
}

static bool is_certificate(struct view der)
{
	gnutls_datum_t d = datum(der);
	gnutls_x509_crt_t c;
	bool is;

	if (gnutls_x509_crt_init(&c) < 0)
		return false;
	is = gnutls_x509_crt_import(c, &d, GNUTLS_X509_FMT_DER) == 0;
	gnutls_x509_crt_deinit(c);
	return is;
}

static bool is_key(struct view der)
{
	gnutls_datum_t d = datum(der);
	gnutls_pubkey_t key;
	bool is;

	if (gnutls_pubkey_init(&key) < 0)
		return false;
	is = gnutls_pubkey_import(key, &d, GNUTLS_X509_FMT_DER) == 0;
	gnutls_pubkey_deinit(key);
	return is;
}

static bool is_data_usable(const struct tlsa *r)
{
	switch (r->matching) {
	case TLSA_SHA256: return r->data.n == 32;
	case TLSA_SHA512: return r->data.n == 64;
	case TLSA_FULL: break;
	}
	return r->selector == TLSA_CERT ? is_certificate(r->data)
					: is_key(r->data);
}

bool tlsa_parse(struct tlsa *r, struct view rdata)
{
	const unsigned char *head = (const unsigned char *)rdata.p;

	if (rdata.n <= RECORD_HEAD || head[0] > DANE_EE || head[1] > TLSA_KEY ||
	    head[2] > TLSA_SHA512)
		return false;
	r->usage = (enum tlsa_usage)head[0];
	r->selector = (enum tlsa_selector)head[1];
	r->matching = (enum tlsa_matching)head[2];
	r->data = view_skip(rdata, RECORD_HEAD);
	return is_data_usable(r);
}

void tlsa_set_add(struct tlsa_set *set, struct view rdata)
{
	struct tlsa r;

	if (!tlsa_parse(&r, rdata)) {
		set->unusable++;
		return;
	}
	set->p = memory_resize(set->p, set->n + 1, sizeof(*set->p));
	set->p[set->n++] = r;
}

static bool is_outdone(const struct tlsa_set *set, const struct tlsa *r)
{
	size_t i;

	if (r->matching == TLSA_FULL)
		return false;
	for (i = 0; i < set->n; i++)
		if (set->p[i].usage == r->usage &&
		    set->p[i].selector == r->selector &&
		    set->p[i].matching > r->matching)
			return true;
	return false;
}

/* The strongest is never outdone, so it stays to outdo the rest. */
void tlsa_set_choose(struct tlsa_set *set)
{
	size_t i, n = 0;

	for (i = 0; i < set->n; i++)
		if (!is_outdone(set, &set->p[i]))
			set->p[n++] = set->p[i];
	set->n = n;
}

void tlsa_set_release(struct tlsa_set *set)
{
	free(set->p);
	*set = TLSA_SET_INIT;
}

/* -------------------------------------------------- a record, a certificate */

/* The octets that a selector stands for; to be freed by GnuTLS. */
static bool select_octets(gnutls_x509_crt_t c, enum tlsa_selector selector,
			  gnutls_datum_t *out)
{
	gnutls_pubkey_t key;
	bool is_there = false;

	*out = (gnutls_datum_t){NULL, 0};
	if (selector == TLSA_CERT)
		return gnutls_x509_crt_export2(c, GNUTLS_X509_FMT_DER, out) ==
			0;
	if (gnutls_pubkey_init(&key) < 0)
		return false;
	if (gnutls_pubkey_import_x509(key, c, 0) == 0)
		is_there = gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER,
						 out) == 0;
	gnutls_pubkey_deinit(key);
	return is_there;
}

/* What a record of that kind would hold for the certificate. */
static void add_data(struct buf *out, gnutls_x509_crt_t c,
		     enum tlsa_selector selector, enum tlsa_matching matching)
{
	gnutls_digest_algorithm_t hash =
		matching == TLSA_SHA256 ? GNUTLS_DIG_SHA256 : GNUTLS_DIG_SHA512;
	gnutls_datum_t octets;
	char digest[64];

	if (!select_octets(c, selector, &octets))
		return;
	if (matching == TLSA_FULL)
		buf_add(out, octets.data, octets.size);
	else if (gnutls_hash_fast(hash, octets.data, octets.size, digest) == 0)
		buf_add(out, digest, gnutls_hash_get_len(hash));
	gnutls_free(octets.data);
}

bool tlsa_matches(const struct tlsa *r, gnutls_x509_crt_t c)
{
	struct buf own = BUF_INIT(1 << 20);
	bool matches;

	add_data(&own, c, r->selector, r->matching);
	matches = own.n && own.n == r->data.n &&
		!memcmp(own.p, r->data.p, own.n);
	buf_release(&own);
	return matches;
}

/* -------------------------------------------------------------------- words */

void tlsa_add_words(struct buf *text, const struct tlsa *r)
{
	struct view data = r->data;

	if (data.n > OCTETS_SHOWN)
		data.n = OCTETS_SHOWN;
	buf_printf(text, "%d %d %d ", (int)r->usage, (int)r->selector,
		   (int)r->matching);
	encode_hex(text, data, '\0');
	if (data.n < r->data.n)
		buf_add_text(text, "…");
}

static const char *server(const struct trust *t)
{
	return t->host[0] ? t->host : "the server";
}

/* "3 1 1 HEX", whole: what to publish if that certificate is right. */
static void add_own(struct buf *text, gnutls_x509_crt_t c)
{
	struct buf data = BUF_INIT(64);

	add_data(&data, c, TLSA_KEY, TLSA_SHA256);
	buf_add_text(text, "3 1 1 ");
	encode_hex(text, buf_view(&data), '\0');
	buf_release(&data);
}

static void add_records(struct buf *text, const struct tlsa_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		if (i)
			buf_add_text(text, ", ");
		if (i == RECORDS_SHOWN) {
			buf_add_text(text, "…");
			break;
		}
		tlsa_add_words(text, &set->p[i]);
	}
}

/* No record has let it pass; `why` is of the last one that matched, if any. */
static int refuse(const struct tlsa_case *c, const struct chain *chain,
		  const char *why, struct outcome *o)
{
	const char *host = server(c->trust);
	char *subject = certificate_subject(chain->p[0]);
	struct buf text = BUF_INIT(4096);

	buf_printf(&text, "the certificate of %s (%s) ", host, subject);
	if (why[0]) {
		buf_printf(&text,
			   "is refused: a TLSA record of %s matches, "
			   "but %s",
			   c->owner, why);
	} else {
		buf_printf(&text, "is not what signed DNS says: %s has TLSA ",
			   c->owner);
		add_records(&text, c->set);
		buf_add_text(&text, ", and it would be ");
		add_own(&text, chain->p[0]);
	}
	fail(o, CAUSE_TLS, "4.7.5", "%s", text.p);
	outcome_set_host(o, host);
	buf_release(&text);
	free(subject);
	return -1;
}

/* ----------------------------------------------------- the way to an anchor */

/* What keeps a chain from being one, the worst first. */
static const struct {
	unsigned status;
	const char *words;
} faults[] = {
	{GNUTLS_CERT_EXPIRED, "it, or one above it, has expired"},
	{GNUTLS_CERT_NOT_ACTIVATED, "it, or one above it, is not yet valid"},
	{GNUTLS_CERT_PURPOSE_MISMATCH, "it is not meant for a server"},
	{GNUTLS_CERT_INSECURE_ALGORITHM,
	 "it, or one above it, uses an algorithm that is too weak"},
	{~0u, "no signatures lead from it to what the record names"},
};

static void note_fault(struct buf *why, unsigned status)
{
	size_t i = 0;

	while (!(faults[i].status & status))
		i++;
	buf_clear(why);
	buf_add_text(why, faults[i].words);
}

/* Does it lead there, for a server, in date? 0, or GNUTLS_CERT_… */
static unsigned judge_way(const struct chain *chain, gnutls_x509_crt_t anchor)
{
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER,
	};
	unsigned flags = GNUTLS_PROFILE_TO_VFLAGS(GNUTLS_PROFILE_MEDIUM);
	gnutls_x509_trust_list_t list;
	unsigned status = 0;

	if (gnutls_x509_trust_list_init(&list, 0) < 0)
		return GNUTLS_CERT_INVALID;
	if (gnutls_x509_trust_list_add_cas(list, &anchor, 1, 0) != 1 ||
	    gnutls_x509_trust_list_verify_crt2(list, chain->p,
					       (unsigned)chain->n, &purpose, 1,
					       flags, &status, NULL) < 0)
		status |= GNUTLS_CERT_INVALID;
	gnutls_x509_trust_list_deinit(list, 0); /* the anchor is not its own */
	return status;
}

static bool leads_to(const struct chain *chain, gnutls_x509_crt_t anchor,
		     struct buf *why)
{
	unsigned status = judge_way(chain, anchor);

	if (status)
		note_fault(why, status);
	return status == 0;
}

static bool is_for_name(const struct tlsa_case *c, const struct chain *chain,
			struct buf *why)
{
	struct peer_name alias = {.dns = (char *)c->alias};
	char *names;

	if (certificate_is_for(chain->p[0], &c->trust->name) ||
	    (c->alias && certificate_is_for(chain->p[0], &alias)))
		return true;
	names = certificate_names(chain->p[0], NAMES_SHOWN);
	buf_clear(why);
	buf_printf(why, "it is not for %s, but for %s", c->trust->wanted,
		   names[0] ? names : "no name at all");
	free(names);
	return false;
}

/* What the issuer has signed is the first part of a certificate (RFC 5280
 * 4.1); has that key? */
static bool is_signed_by(gnutls_x509_crt_t c, gnutls_pubkey_t key)
{
	int algorithm = gnutls_x509_crt_get_signature_algorithm(c);
	struct view rest, whole, within;
	gnutls_datum_t der, tbs;
	char octets[4096];
	size_t n = sizeof(octets);
	bool is = false;

	if (algorithm < 0 ||
	    !gnutls_sign_is_secure2((gnutls_sign_algorithm_t)algorithm,
				    GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS) ||
	    gnutls_x509_crt_get_signature(c, octets, &n) < 0 ||
	    !select_octets(c, TLSA_CERT, &der))
		return false;
	rest = view_make((char *)der.data, der.size);
	if (der_read(&rest, &whole, &within) &&
	    der_read(&within, &whole, &rest)) {
		gnutls_datum_t signature = {(unsigned char *)octets,
					    (unsigned)n};

		tbs = datum(whole);
		is = gnutls_pubkey_verify_data2(
			     key, (gnutls_sign_algorithm_t)algorithm, 0, &tbs,
			     &signature) >= 0;
	}
	gnutls_free(der.data);
	return is;
}

static bool is_strong(gnutls_pubkey_t key)
{
	unsigned bits = 0;
	int algorithm = gnutls_pubkey_get_pk_algorithm(key, &bits);

	return algorithm >= 0 &&
		gnutls_pk_bits_to_sec_param((gnutls_pk_algorithm_t)algorithm,
					    bits) >= GNUTLS_SEC_PARAM_MEDIUM;
}

/* A bare key is the anchor (RFC 7671 5.2.3): what it has signed is as good. */
static bool leads_to_key(const struct chain *chain, struct view spki,
			 struct buf *why)
{
	gnutls_datum_t d = datum(spki);
	gnutls_pubkey_t key;
	bool leads = false;
	size_t i;

	if (gnutls_pubkey_init(&key) < 0)
		return false;
	if (gnutls_pubkey_import(key, &d, GNUTLS_X509_FMT_DER) == 0 &&
	    is_strong(key))
		for (i = 0; i < chain->n && !leads; i++)
			leads = is_signed_by(chain->p[i], key) &&
				leads_to(chain, chain->p[i], why);
	gnutls_pubkey_deinit(key);
	return leads;
}

/* The record itself is the anchor. It has matched if the chain's signatures
 * lead to it, whatever else is wrong. */
static bool leads_to_record(const struct chain *chain, struct view der,
			    struct buf *why)
{
	gnutls_datum_t d = datum(der);
	unsigned status = GNUTLS_CERT_SIGNER_NOT_FOUND;
	gnutls_x509_crt_t c;

	if (gnutls_x509_crt_init(&c) < 0)
		return false;
	if (gnutls_x509_crt_import(c, &d, GNUTLS_X509_FMT_DER) == 0 &&
	    !gnutls_x509_crt_equals(c, chain->p[0]))
		status = judge_way(chain, c);
	gnutls_x509_crt_deinit(c);
	if (status && !(status & GNUTLS_CERT_SIGNER_NOT_FOUND))
		note_fault(why, status);
	return status == 0;
}

/* ---------------------------------------------------------- the four usages */

static bool agrees_dane_ee(const struct tlsa *r, const struct chain *chain)
{
	return tlsa_matches(r, chain->p[0]);
}

/* The server's own certificate is no issuer. */
static bool agrees_dane_ta(const struct tlsa_case *c, const struct tlsa *r,
			   const struct chain *chain, struct buf *why)
{
	bool leads = false;
	size_t i;

	for (i = 1; i < chain->n && !leads; i++)
		leads = !gnutls_x509_crt_equals(chain->p[i], chain->p[0]) &&
			tlsa_matches(r, chain->p[i]) &&
			leads_to(chain, chain->p[i], why);
	if (!leads && r->matching == TLSA_FULL)
		leads = r->selector == TLSA_CERT
			? leads_to_record(chain, r->data, why)
			: leads_to_key(chain, r->data, why);
	return leads && is_for_name(c, chain, why);
}

static bool passes_usual_check(const struct tlsa_case *c,
			       gnutls_session_t session, struct buf *why)
{
	struct outcome o = OUTCOME_INIT;
	int rc = trust_check(c->trust, session, &o);

	if (rc < 0) {
		buf_clear(why);
		buf_printf(why, "the usual check fails: %s", o.text);
	}
	outcome_release(&o);
	return rc == 0;
}

/* Is it trusted itself, or by way of others in the chain? */
static bool is_trusted(const struct trust *t, const struct chain *chain,
		       gnutls_x509_crt_t issuer)
{
	gnutls_x509_crt_t way[CHAIN_MOST + 1];
	gnutls_x509_trust_list_t list = NULL;
	unsigned n = 0, status = 0;
	size_t i;

	way[n++] = issuer;
	for (i = 1; i < chain->n; i++)
		if (!gnutls_x509_crt_equals(chain->p[i], issuer))
			way[n++] = chain->p[i];
	gnutls_certificate_get_trust_list(t->credentials, &list);
	return list &&
		gnutls_x509_trust_list_verify_crt2(list, way, n, NULL, 0, 0,
						   &status, NULL) >= 0 &&
		!status;
}

/* One of those that the store has, above what the server has sent? */
static bool is_above(const struct trust *t, const struct tlsa *r,
		     const struct chain *chain, size_t from, struct buf *why)
{
	gnutls_x509_crt_t at = chain->p[from], up;
	gnutls_x509_trust_list_t list = NULL;
	bool leads = false;
	int steps;

	gnutls_certificate_get_trust_list(t->credentials, &list);
	for (steps = 0; list && !leads && steps < STEPS_MOST; steps++) {
		/* what comes from the list without a flag stays its own */
		if (gnutls_x509_trust_list_get_issuer(list, at, &up, 0) < 0 ||
		    up == at)
			break;
		leads = tlsa_matches(r, up) && leads_to(chain, up, why);
		at = up;
	}
	return leads;
}

/* The store is to be asked for what is in no chain. */
static bool has_store(const struct tlsa_case *c, struct buf *why)
{
	struct outcome o = OUTCOME_INIT;
	bool has = trust_load_all(c->trust, &o) == 0;

	if (!has) {
		buf_clear(why);
		buf_add_text(why, o.text);
	}
	outcome_release(&o);
	return has;
}

static bool agrees_pkix_ta(const struct tlsa_case *c, const struct tlsa *r,
			   const struct chain *chain, struct buf *why)
{
	size_t i;

	if (!has_store(c, why))
		return false;
	for (i = 1; i < chain->n; i++) {
		if (gnutls_x509_crt_equals(chain->p[i], chain->p[0]) ||
		    !tlsa_matches(r, chain->p[i]) ||
		    !leads_to(chain, chain->p[i], why))
			continue;
		if (is_trusted(c->trust, chain, chain->p[i]))
			return true;
		buf_clear(why);
		buf_printf(why,
			   "the issuer that it names is not among the trusted "
			   "ones (%s)",
			   c->trust->store);
	}
	for (i = 0; i < chain->n; i++)
		if (is_above(c->trust, r, chain, i, why))
			return true;
	return false;
}

static bool agrees(const struct tlsa_case *c, const struct tlsa *r,
		   const struct chain *chain, gnutls_session_t session,
		   struct buf *why)
{
	bool is_usual = c->trust->by != TRUST_ANYTHING;

	if (is_usual && r->usage == PKIX_TA)
		return agrees_pkix_ta(c, r, chain, why) &&
			passes_usual_check(c, session, why);
	if (is_usual && r->usage == PKIX_EE)
		return agrees_dane_ee(r, chain) &&
			passes_usual_check(c, session, why);
	if (r->usage == DANE_TA || r->usage == PKIX_TA)
		return agrees_dane_ta(c, r, chain, why);
	return agrees_dane_ee(r, chain);
}

int tlsa_check(const struct tlsa_case *c, gnutls_session_t session,
	       struct outcome *o)
{
	struct buf why = BUF_INIT(2048);
	struct chain chain = CHAIN_INIT;
	bool has_agreed = false;
	size_t i;
	int rc = 0;

	if (!chain_import(&chain, session)) {
		rc = fail(o, CAUSE_TLS, "4.7.5",
			  "%s has shown no certificate that can be read",
			  server(c->trust));
		outcome_set_host(o, server(c->trust));
		goto done;
	}
	for (i = 0; i < c->set->n && !has_agreed; i++)
		has_agreed = agrees(c, &c->set->p[i], &chain, session, &why);
	if (!has_agreed)
		rc = refuse(c, &chain, why.p, o);
done:
	chain_release(&chain);
	buf_release(&why);
	return rc;
}
