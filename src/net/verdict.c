/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is wrong with a chain that GnuTLS has judged, in one line: which
 * certificate, which check, which names or dates, and what can be done. The
 * name is judged here, with net/certificate's eyes.
 */
#include "net/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "net/certificate.h"
#include "net/crl.h"
#include "net/staple.h"

#define NAMES_SHOWN  8      /* of a certificate for somebody else */
#define STAPLE_LASTS 259200 /* seconds, if it has no end; GnuTLS's limit */

/* ---------------------------------------------------------------- the words */

/* What a refusal is made from. */
struct case_file {
	const struct trust *trust;
	const struct chain *chain;
	gnutls_session_t session;
	unsigned status; /* GNUTLS_CERT_… */
	time_t now;
};

static bool is_sent(const struct case_file *f, gnutls_x509_crt_t c)
{
	size_t i;

	for (i = 0; i < f->chain->n; i++)
		if (f->chain->p[i] == c)
			return true;
	return false;
}

/* "the certificate of mail.example.org (CN=…)", or the one of the chain that is
 * at fault, or the trusted one above it. */
static void add_which(struct buf *text, const struct case_file *f,
		      gnutls_x509_crt_t c)
{
	const char *host = trust_server(f->trust);
	char *subject = c ? certificate_shorten(certificate_subject(c)) : NULL;

	if (!c)
		buf_printf(text, "a trusted certificate (%s) above that of %s",
			   f->trust->store, host);
	else if (c == f->chain->p[0])
		buf_printf(text, "the certificate of %s (%s)", host, subject);
	else if (is_sent(f, c))
		buf_printf(text, "the certificate of an issuer (%s) of %s",
			   subject, host);
	else
		buf_printf(text,
			   "a trusted certificate (%s, of %s) above that of %s",
			   subject, f->trust->store, host);
	free(subject);
}

/* "Which certificate" and then the words. NULL: one of the store's. */
static int refuse(const struct case_file *f, gnutls_x509_crt_t c,
		  struct outcome *o, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int refuse(const struct case_file *f, gnutls_x509_crt_t c,
		  struct outcome *o, const char *format, ...)
{
	struct buf text = BUF_INIT(8192);
	char words[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	add_which(&text, f, c);
	fail(o, CAUSE_TLS, "4.7.5", "%s %s", text.p, words);
	outcome_set_host(o, trust_server(f->trust));
	buf_release(&text);
	return -1;
}

static gnutls_x509_crt_t own(const struct case_file *f)
{
	return f->chain->p[0];
}

/* The first on the way up that is bad, of those sent or else of those trusted
 * above them; NULL: there is none. */
static gnutls_x509_crt_t find_bad(const struct case_file *f,
				  bool (*is_bad)(const struct case_file *f,
						 gnutls_x509_crt_t c))
{
	gnutls_x509_trust_list_t list = NULL;
	bool is_on_way[CHAIN_MOST];
	gnutls_x509_crt_t issuer;
	size_t i;

	chain_way(f->chain, is_on_way);
	for (i = 0; i < f->chain->n; i++)
		if (is_on_way[i] && is_bad(f, f->chain->p[i]))
			return f->chain->p[i];
	gnutls_certificate_get_trust_list(f->trust->credentials, &list);
	/* what comes from the list without a flag stays its own */
	for (i = 0; list && i < f->chain->n; i++)
		if (is_on_way[i] &&
		    gnutls_x509_trust_list_get_issuer(list, f->chain->p[i],
						      &issuer, 0) >= 0 &&
		    is_bad(f, issuer))
			return issuer;
	return NULL;
}

/* What can be done about a bad one. */
static const char *remedy(const struct case_file *f, gnutls_x509_crt_t c)
{
	if (c && is_sent(f, c))
		return "whoever runs the server must get another";
	return "its successor has to be among the trusted ones (this system's "
	       "ca-certificates, or tls_trust_file)";
}

static char *own_fingerprint(gnutls_session_t session)
{
	unsigned n = 0;
	const gnutls_datum_t *sent = gnutls_certificate_get_peers(session, &n);

	return certificate_fingerprint(sent, GNUTLS_DIG_SHA256);
}

/* ----------------------------------------------- one refusal for each check */

/* By what the server has stapled. */
static int refuse_revoked(const struct case_file *f, struct outcome *o)
{
	struct staple s = {0};
	char *date;
	size_t i;

	for (i = 0; i < f->chain->n && !s.is_revoked; i++)
		staple_get(f->session, i, &s);
	if (!s.is_revoked)
		return refuse(f, own(f), o,
			      "has been revoked by its issuer, or one above it "
			      "has; whoever runs the server must get another");
	date = certificate_date(s.revoked);
	refuse(f, f->chain->p[i - 1], o,
	       "was revoked by its issuer on %s%s%s, as the server's own OCSP "
	       "response says; whoever runs the server must get another",
	       date, s.reason ? ", because " : "", s.reason ? s.reason : "");
	free(date);
	return -1;
}

static bool has_expired(const struct case_file *f, gnutls_x509_crt_t c)
{
	return gnutls_x509_crt_get_expiration_time(c) < f->now;
}

static int refuse_expired(const struct case_file *f, struct outcome *o)
{
	gnutls_x509_crt_t c = find_bad(f, has_expired);
	char *date;

	if (!c)
		return refuse(f, c, o, "has expired; %s", remedy(f, c));
	date = certificate_date(gnutls_x509_crt_get_expiration_time(c));
	refuse(f, c, o, "expired on %s; %s", date,
	       is_sent(f, c) ? "whoever runs the server must renew it"
			     : remedy(f, c));
	free(date);
	return -1;
}

static bool is_early(const struct case_file *f, gnutls_x509_crt_t c)
{
	return gnutls_x509_crt_get_activation_time(c) > f->now;
}

static int refuse_future(const struct case_file *f, struct outcome *o)
{
	gnutls_x509_crt_t c = find_bad(f, is_early);
	char *date, *today;

	if (!c)
		return refuse(f, c, o,
			      "is not yet valid; this machine's clock may be "
			      "wrong");
	date = certificate_date(gnutls_x509_crt_get_activation_time(c));
	today = certificate_date(f->now);
	refuse(f, c, o,
	       "is not yet valid: it begins on %s, and this machine's clock "
	       "says %s",
	       date, today);
	free(date);
	free(today);
	return -1;
}

static int refuse_unknown(const struct case_file *f, struct outcome *o)
{
	const struct trust *t = f->trust;
	size_t top = chain_top(f->chain);
	char *issuer, *fingerprint;

	if (top == 0 && certificate_is_self_signed(own(f))) {
		fingerprint = own_fingerprint(f->session);
		refuse(f, own(f), o,
		       "is self-signed and not among the trusted ones (%s); "
		       "if it is the right one, say tls_fingerprint %s",
		       t->store, fingerprint);
		free(fingerprint);
		return -1;
	}
	issuer = certificate_shorten(certificate_issuer(f->chain->p[top]));
	if (certificate_is_self_signed(f->chain->p[top]))
		refuse(f, own(f), o,
		       "has the issuer %s, who is not among the trusted ones "
		       "(%s); tls_trust_file can name a file with that "
		       "issuer's certificate",
		       issuer, t->store);
	else
		refuse(f, own(f), o,
		       "leads to the issuer %s, who is not among the trusted "
		       "ones (%s), and the server does not send that issuer's "
		       "certificate; it is unknown, or an intermediate one is "
		       "missing there; tls_trust_file can name a file with "
		       "it",
		       issuer, t->store);
	free(issuer);
	return -1;
}

static bool is_weak(const struct case_file *f, gnutls_x509_crt_t c)
{
	(void)f;
	return certificate_is_weak(c);
}

static int refuse_weak(const struct case_file *f, struct outcome *o)
{
	gnutls_x509_crt_t c = find_bad(f, is_weak);
	unsigned bits = 0;
	int sign, key;

	if (!c)
		return refuse(f, c, o, "uses an algorithm that is too weak; %s",
			      remedy(f, c));
	sign = gnutls_x509_crt_get_signature_algorithm(c);
	key = gnutls_x509_crt_get_pk_algorithm(c, &bits);
	return refuse(
		f, c, o,
		"uses an algorithm that is too weak: a key %s of %u bits, "
		"signed by %s; %s",
		gnutls_pk_get_name((gnutls_pk_algorithm_t)key), bits,
		gnutls_sign_get_name((gnutls_sign_algorithm_t)sign),
		remedy(f, c));
}

static bool is_for_others(const struct case_file *f, gnutls_x509_crt_t c)
{
	(void)f;
	return !gnutls_x509_crt_check_key_purpose(c, GNUTLS_KP_TLS_WWW_SERVER,
						  0);
}

static int refuse_purpose(const struct case_file *f, struct outcome *o)
{
	gnutls_x509_crt_t c = find_bad(f, is_for_others);

	return refuse(f, c ? c : own(f), o,
		      "is not meant for a server (its key purpose is another); "
		      "whoever runs the server must get one for that");
}

static int refuse_signature(const struct case_file *f, struct outcome *o)
{
	return refuse(f, own(f), o,
		      "does not verify: its signature, or that of an issuer's, "
		      "is broken; it may be forged");
}

/* One that has signed another is no authority, or may not sign. */
static int refuse_issuer(const struct case_file *f, struct outcome *o)
{
	unsigned is_authority;
	char *subject;
	size_t i;

	for (i = 1; i < f->chain->n; i++)
		if (gnutls_x509_crt_get_basic_constraints(
			    f->chain->p[i], NULL, &is_authority, NULL) < 0 ||
		    !is_authority)
			break;
	if (i >= f->chain->n)
		return refuse(f, own(f), o,
			      "was signed by one that may not sign "
			      "certificates; whoever runs the server must get "
			      "one from an authority");
	subject = certificate_shorten(certificate_subject(f->chain->p[i]));
	refuse(f, own(f), o,
	       "was signed with a certificate (%s) that is no authority's and "
	       "may not sign others; whoever runs the server must get one from "
	       "an authority",
	       subject);
	free(subject);
	return -1;
}

static int refuse_constraints(const struct case_file *f, struct outcome *o)
{
	char *names = certificate_names(own(f), NAMES_SHOWN);

	refuse(f, own(f), o,
	       "breaks a constraint of its issuers', who may sign only for "
	       "certain names, or so many levels deep; it is for: %s; whoever "
	       "runs the server must get one from another issuer",
	       names[0] ? names : "no name");
	free(names);
	return -1;
}

/* GnuTLS looks at the names that the certificate has: a wildcard is none of
 * those that are excluded, and yet stands for them. */
static bool forbids_name(const struct case_file *f, gnutls_x509_crt_t c)
{
	return c != own(f) && !certificate_permits(c, &f->trust->name);
}

static int refuse_critical(const struct case_file *f, struct outcome *o)
{
	return refuse(f, own(f), o,
		      "holds an extension that is critical and that GnuTLS "
		      "does not know, or one above it does, so what it allows "
		      "is not known; whoever runs the server must get one "
		      "without it");
}

/* The first staple that is not of now. */
static size_t find_stale(const struct case_file *f, struct staple *s)
{
	time_t end;
	size_t i;

	for (i = 0; i < f->chain->n; i++) {
		staple_get(f->session, i, s);
		end = s->ends == (time_t)-1 ? s->made + STAPLE_LASTS : s->ends;
		if (s->is_there && end < f->now)
			break;
	}
	return i;
}

static int refuse_stale(const struct case_file *f, struct outcome *o)
{
	struct staple s;
	size_t i = find_stale(f, &s);
	char *date;

	if (i == f->chain->n)
		return refuse(f, own(f), o,
			      "cannot be checked for revocation: what the "
			      "server shows of that is out of date; whoever "
			      "runs it must renew it");
	date = certificate_date(s.ends == (time_t)-1 ? s.made : s.ends);
	refuse(f, f->chain->p[i], o,
	       "has an OCSP response stapled to it that is out of date (%s "
	       "%s); whoever runs the server must renew it, or this machine's "
	       "clock is wrong",
	       s.ends == (time_t)-1 ? "it was made on" : "it ended on", date);
	free(date);
	return -1;
}

static int refuse_staple(const struct case_file *f, struct outcome *o)
{
	return refuse(f, own(f), o,
		      "has an OCSP response stapled to it that is about "
		      "another certificate, or not signed by the issuer; "
		      "whoever runs the server must renew it");
}

/* RFC 7633. */
static int refuse_unstapled(const struct case_file *f, struct outcome *o)
{
	return refuse(f, own(f), o,
		      "demands that the server staples an OCSP response to it "
		      "(must-staple), and there is none; whoever runs the "
		      "server must turn that on (OCSP stapling), or get a "
		      "certificate without that demand");
}

/*
 * A response that GnuTLS lets pass and that yet says nothing good: the issuer
 * knows of no such certificate, or it is of a time to come, by more than
 * clocks differ.
 */
static int check_staple(const struct case_file *f, struct outcome *o)
{
	struct staple s;
	char *date;

	staple_get(f->session, 0, &s);
	if (s.is_there && s.is_unknown)
		return refuse(f, own(f), o,
			      "is not known to its issuer, as the OCSP "
			      "response says that is stapled to it; it may be "
			      "forged");
	if (!s.is_there || s.made <= f->now + CLOCKS_DIFFER)
		return 0;
	date = certificate_date(s.made);
	refuse(f, own(f), o,
	       "has an OCSP response stapled to it that was made in the "
	       "future (%s); this machine's clock may be wrong",
	       date);
	free(date);
	return -1;
}

/* Anything else that GnuTLS knows, in its words. */
static int refuse_otherwise(const struct case_file *f, struct outcome *o)
{
	gnutls_datum_t words = {NULL, 0};

	gnutls_certificate_verification_status_print(f->status, GNUTLS_CRT_X509,
						     &words, 0);
	refuse(f, own(f), o,
	       "does not verify: %s; whoever runs the server must mend that",
	       words.data ? (char *)words.data : "no reason given");
	gnutls_free(words.data);
	return -1;
}

static int refuse_name(const struct case_file *f, struct outcome *o)
{
	static const char to_do[] =
		"whoever runs the server must get one for it, or "
		"tls_host_override has to say which name is meant";
	const struct trust *t = f->trust;
	char *names = certificate_names(own(f), NAMES_SHOWN);

	if (names[0])
		refuse(f, own(f), o,
		       "is not for the name %s; it is for: %s; %s", t->wanted,
		       names, to_do);
	else
		refuse(f, own(f), o,
		       "is for no name at all, so not for the name %s: %s, and "
		       "a common name (CN) does not count; %s",
		       t->wanted,
		       certificate_has_alt_names(own(f))
			       ? "its subjectAltName names no host"
			       : "it has no subjectAltName",
		       to_do);
	free(names);
	return -1;
}

/* ------------------------------------------------ the lists of tls_crl_file */

static int refuse_list(const struct case_file *f,
		       const struct crl_finding *found, struct outcome *o)
{
	bool is_dated = found->fault == CRL_OLD || found->fault == CRL_EARLY;
	char *date = certificate_date(found->date);

	if (found->fault == CRL_REVOKED)
		refuse(f, f->chain->p[found->at], o,
		       "was revoked on %s, as the list of %s says "
		       "(tls_crl_file); whoever runs the server must get "
		       "another",
		       date, found->issuer);
	else
		refuse(f, own(f), o,
		       "cannot be checked for revocation: the list of %s in "
		       "tls_crl_file %s %s%s%s; %s",
		       found->issuer, f->trust->crl,
		       crl_fault_words(found->fault), is_dated ? " " : "",
		       is_dated ? date : "", crl_remedy(found->fault));
	free(date);
	return -1;
}

static int check_lists(const struct case_file *f, struct outcome *o)
{
	gnutls_x509_trust_list_t trusted = NULL;
	struct crl_finding found;
	int rc;

	gnutls_certificate_get_trust_list(f->trust->credentials, &trusted);
	crls_check(&f->trust->crls, trusted, f->chain, f->now, &found);
	if (found.fault == CRL_NO_FAULT)
		return 0;
	found.issuer = certificate_shorten(found.issuer);
	rc = refuse_list(f, &found, o);
	free(found.issuer);
	return rc;
}

/* -------------------------------------------------------------- the verdict */

/* The first row that applies gives the words. */
static const struct {
	unsigned status;
	int (*refuse)(const struct case_file *f, struct outcome *o);
} verdicts[] = {
	{GNUTLS_CERT_REVOKED, refuse_revoked},
	{GNUTLS_CERT_SIGNER_NOT_FOUND, refuse_unknown},
	{GNUTLS_CERT_SIGNATURE_FAILURE, refuse_signature},
	{GNUTLS_CERT_NOT_ACTIVATED, refuse_future},
	{GNUTLS_CERT_EXPIRED, refuse_expired},
	{GNUTLS_CERT_INSECURE_ALGORITHM, refuse_weak},
	{GNUTLS_CERT_SIGNER_NOT_CA, refuse_issuer},
	{GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, refuse_constraints},
	{GNUTLS_CERT_PURPOSE_MISMATCH, refuse_purpose},
	{GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS, refuse_critical},
	{GNUTLS_CERT_INVALID_OCSP_STATUS, refuse_staple},
	{GNUTLS_CERT_MISSING_OCSP_STATUS, refuse_unstapled},
	{GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED, refuse_stale},
	{~0u, refuse_otherwise},
};

static int judge(const struct case_file *f, struct outcome *o)
{
	size_t i = 0;

	if (f->status == 0) {
		if (check_lists(f, o) < 0)
			return -1;
		if (!certificate_is_for(f->chain->p[0], &f->trust->name))
			return refuse_name(f, o);
		if (find_bad(f, forbids_name))
			return refuse_constraints(f, o);
		return check_staple(f, o);
	}
	while (!(verdicts[i].status & f->status))
		i++;
	return verdicts[i].refuse(f, o);
}

int verdict_by_store(const struct trust *t, gnutls_session_t session,
		     struct outcome *o)
{
	gnutls_typed_vdata_st server_auth = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)GNUTLS_KP_TLS_WWW_SERVER,
	};
	struct chain chain;
	struct case_file f = {t, &chain, session, 0, time(NULL)};
	int rc;

	if (!chain_import(&chain, session)) {
		rc = fail(o, CAUSE_TLS, "4.7.5",
			  "%s has shown no certificate that can be read",
			  trust_server(t));
		outcome_set_host(o, trust_server(t));
		goto done;
	}
	rc = gnutls_certificate_verify_peers(session, &server_auth, 1,
					     &f.status);
	if (rc < 0) {
		rc = fail(o, CAUSE_TLS, "4.7.5",
			  "the certificate of %s cannot be verified (%s); "
			  "whoever runs the server must mend what it shows",
			  trust_server(t), gnutls_strerror(rc));
		outcome_set_host(o, trust_server(t));
		goto done;
	}
	rc = judge(&f, o);
done:
	chain_release(&chain);
	return rc;
}
