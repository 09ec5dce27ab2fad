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
#include "net/staple.h"

#define NAMES_SHOWN   8      /* of a certificate for somebody else */
#define CLOCKS_DIFFER 86400  /* seconds, at most */
#define STAPLE_LASTS  259200 /* seconds, if it has no end; GnuTLS's limit */

/* ---------------------------------------------------------------- the words */

/* What a refusal is made from. */
struct case_file {
	const struct trust *trust;
	const struct chain *chain;
	gnutls_session_t session;
	unsigned status; /* GNUTLS_CERT_… */
	time_t now;
};

/* "the certificate of mail.example.org (CN=…)", or the one of the chain that is
 * at fault; what is behind the chain (i == n) is one of the store's. */
static void add_which(struct buf *text, const struct case_file *f, size_t i)
{
	const char *host = trust_server(f->trust);
	char *subject;

	if (i >= f->chain->n) {
		buf_printf(text, "a trusted certificate (%s) above that of %s",
			   f->trust->store, host);
		return;
	}
	subject = certificate_subject(f->chain->p[i]);
	if (i)
		buf_printf(text, "the certificate of an issuer (%s) of %s",
			   subject, host);
	else
		buf_printf(text, "the certificate of %s (%s)", host, subject);
	free(subject);
}

/* "Which certificate" and then the words. */
static int refuse(const struct case_file *f, size_t i, struct outcome *o,
		  const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static int refuse(const struct case_file *f, size_t i, struct outcome *o,
		  const char *format, ...)
{
	struct buf text = BUF_INIT(4096);
	char words[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	add_which(&text, f, i);
	fail(o, CAUSE_TLS, "4.7.5", "%s %s", text.p, words);
	outcome_set_host(o, trust_server(f->trust));
	buf_release(&text);
	return -1;
}

static char *own_fingerprint(gnutls_session_t session)
{
	unsigned n = 0;
	const gnutls_datum_t *sent = gnutls_certificate_get_peers(session, &n);

	return certificate_fingerprint(sent, GNUTLS_DIG_SHA256);
}

/* ----------------------------------------------- one refusal for each check */

/* By what the server has stapled, or by tls_crl_file. */
static int refuse_revoked(const struct case_file *f, struct outcome *o)
{
	struct staple s = {0};
	char *date;
	size_t i;

	for (i = 0; i < f->chain->n && !s.is_revoked; i++)
		staple_get(f->session, i, &s);
	if (!s.is_revoked)
		return refuse(f, 0, o,
			      "has been revoked by its issuer, or one above it "
			      "has (tls_crl_file); whoever runs the server "
			      "must get another");
	date = certificate_date(s.revoked);
	refuse(f, i - 1, o,
	       "was revoked by its issuer on %s%s%s, as the server's own OCSP "
	       "response says; whoever runs the server must get another",
	       date, s.reason ? ", because " : "", s.reason ? s.reason : "");
	free(date);
	return -1;
}

static int refuse_expired(const struct case_file *f, struct outcome *o)
{
	time_t end = (time_t)-1;
	char *date;
	size_t i;

	for (i = 0; i < f->chain->n; i++) {
		end = gnutls_x509_crt_get_expiration_time(f->chain->p[i]);
		if (end < f->now)
			break;
	}
	if (i == f->chain->n)
		return refuse(f, i, o, "has expired");
	date = certificate_date(end);
	refuse(f, i, o, "expired on %s; whoever runs the server must renew it",
	       date);
	free(date);
	return -1;
}

static int refuse_future(const struct case_file *f, struct outcome *o)
{
	time_t begin = (time_t)-1;
	char *date, *today;
	size_t i;

	for (i = 0; i < f->chain->n; i++) {
		begin = gnutls_x509_crt_get_activation_time(f->chain->p[i]);
		if (begin > f->now)
			break;
	}
	if (i == f->chain->n)
		return refuse(f, i, o, "is not yet valid");
	date = certificate_date(begin);
	today = certificate_date(f->now);
	refuse(f, i, o,
	       "is not yet valid: it begins on %s, and this machine's clock "
	       "says %s",
	       date, today);
	free(date);
	free(today);
	return -1;
}

static bool is_self_signed(gnutls_x509_crt_t c)
{
	return gnutls_x509_crt_check_issuer(c, c) != 0;
}

static size_t find_issuer(const struct chain *chain, size_t of)
{
	size_t i;

	for (i = 0; i < chain->n; i++)
		if (i != of &&
		    gnutls_x509_crt_check_issuer(chain->p[of], chain->p[i]))
			break;
	return i;
}

/* The end of what the server has sent, going up from its own certificate;
 * certificates may come in any order, or go round in a circle. */
static size_t find_top(const struct chain *chain)
{
	size_t top = 0, issuer, steps;

	for (steps = 0; steps < chain->n; steps++) {
		if (is_self_signed(chain->p[top]))
			break;
		issuer = find_issuer(chain, top);
		if (issuer == chain->n)
			break;
		top = issuer;
	}
	return top;
}

static int refuse_unknown(const struct case_file *f, struct outcome *o)
{
	const struct trust *t = f->trust;
	size_t top = find_top(f->chain);
	char *issuer, *fingerprint;

	if (top == 0 && is_self_signed(f->chain->p[0])) {
		fingerprint = own_fingerprint(f->session);
		refuse(f, 0, o,
		       "is self-signed and not among the trusted ones (%s); "
		       "if it is the right one, say tls_fingerprint %s",
		       t->store, fingerprint);
		free(fingerprint);
		return -1;
	}
	issuer = certificate_issuer(f->chain->p[top]);
	if (is_self_signed(f->chain->p[top]))
		refuse(f, 0, o,
		       "has the issuer %s, who is not among the trusted ones "
		       "(%s); tls_trust_file can name a file with that "
		       "issuer's certificate",
		       issuer, t->store);
	else
		refuse(f, 0, o,
		       "leads to the issuer %s, who is not among the trusted "
		       "ones (%s), and the server does not send that issuer's "
		       "certificate; it is unknown, or an intermediate one is "
		       "missing there; tls_trust_file can name a file with "
		       "it",
		       issuer, t->store);
	free(issuer);
	return -1;
}

static bool is_weak(gnutls_x509_crt_t c)
{
	int sign = gnutls_x509_crt_get_signature_algorithm(c);
	unsigned bits = 0;
	int key = gnutls_x509_crt_get_pk_algorithm(c, &bits);

	if (key >= 0 &&
	    gnutls_pk_bits_to_sec_param((gnutls_pk_algorithm_t)key, bits) <
		    GNUTLS_SEC_PARAM_MEDIUM)
		return true;
	return sign >= 0 && !is_self_signed(c) &&
		!gnutls_sign_is_secure2((gnutls_sign_algorithm_t)sign,
					GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS);
}

static int refuse_weak(const struct case_file *f, struct outcome *o)
{
	gnutls_x509_crt_t c;
	unsigned bits = 0;
	int sign, key;
	size_t i;

	for (i = 0; i < f->chain->n; i++)
		if (is_weak(f->chain->p[i]))
			break;
	if (i == f->chain->n)
		return refuse(f, i, o, "uses an algorithm that is too weak");
	c = f->chain->p[i];
	sign = gnutls_x509_crt_get_signature_algorithm(c);
	key = gnutls_x509_crt_get_pk_algorithm(c, &bits);
	return refuse(
		f, i, o,
		"uses an algorithm that is too weak: a key %s of %u bits, "
		"signed by %s",
		gnutls_pk_get_name((gnutls_pk_algorithm_t)key), bits,
		gnutls_sign_get_name((gnutls_sign_algorithm_t)sign));
}

static int refuse_purpose(const struct case_file *f, struct outcome *o)
{
	return refuse(f, 0, o,
		      "is not meant for a server (its key purpose is another); "
		      "whoever runs the server must get one for that");
}

static int refuse_signature(const struct case_file *f, struct outcome *o)
{
	return refuse(f, 0, o,
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
		return refuse(f, 0, o,
			      "was signed by one that may not sign "
			      "certificates");
	subject = certificate_subject(f->chain->p[i]);
	refuse(f, 0, o,
	       "was signed with a certificate (%s) that is no authority's and "
	       "may not sign others",
	       subject);
	free(subject);
	return -1;
}

static int refuse_constraints(const struct case_file *f, struct outcome *o)
{
	char *names = certificate_names(f->chain->p[0], NAMES_SHOWN);

	refuse(f, 0, o,
	       "breaks a constraint of its issuers', who may sign only for "
	       "certain names, or so many levels deep; it is for: %s",
	       names[0] ? names : "no name");
	free(names);
	return -1;
}

static int refuse_critical(const struct case_file *f, struct outcome *o)
{
	return refuse(f, 0, o,
		      "holds an extension that is critical and that GnuTLS "
		      "does not know, or one above it does, so what it allows "
		      "is not known");
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

/* The staple's words, or those of tls_crl_file, are old. */
static int refuse_stale(const struct case_file *f, struct outcome *o)
{
	struct staple s;
	size_t i = find_stale(f, &s);
	char *date;

	if (i == f->chain->n)
		return refuse(f, 0, o,
			      "cannot be checked for revocation: the list of "
			      "tls_crl_file is older than it says it may be; "
			      "get the issuer's new one");
	date = certificate_date(s.ends == (time_t)-1 ? s.made : s.ends);
	refuse(f, i, o,
	       "has an OCSP response stapled to it that is out of date (%s "
	       "%s); whoever runs the server must renew it, or this machine's "
	       "clock is wrong",
	       s.ends == (time_t)-1 ? "it was made on" : "it ended on", date);
	free(date);
	return -1;
}

static int refuse_early_list(const struct case_file *f, struct outcome *o)
{
	return refuse(f, 0, o,
		      "cannot be checked for revocation: the list of "
		      "tls_crl_file was made in the future; this machine's "
		      "clock may be wrong");
}

static int refuse_staple(const struct case_file *f, struct outcome *o)
{
	return refuse(f, 0, o,
		      "has an OCSP response stapled to it that is about "
		      "another certificate, or not signed by the issuer; "
		      "whoever runs the server must renew it");
}

/* RFC 7633. */
static int refuse_unstapled(const struct case_file *f, struct outcome *o)
{
	return refuse(f, 0, o,
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
		return refuse(f, 0, o,
			      "is not known to its issuer, as the OCSP "
			      "response says that is stapled to it; it may be "
			      "forged");
	if (!s.is_there || s.made <= f->now + CLOCKS_DIFFER)
		return 0;
	date = certificate_date(s.made);
	refuse(f, 0, o,
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
	refuse(f, 0, o, "does not verify: %s",
	       words.data ? (char *)words.data : "no reason given");
	gnutls_free(words.data);
	return -1;
}

static int refuse_name(const struct case_file *f, struct outcome *o)
{
	const struct trust *t = f->trust;
	char *names = certificate_names(f->chain->p[0], NAMES_SHOWN);

	if (names[0])
		refuse(f, 0, o, "is not for the name %s; it is for: %s",
		       t->wanted, names);
	else
		refuse(f, 0, o,
		       "is for no name at all, so not for the name %s: it has "
		       "no subjectAltName, and a common name (CN) does not "
		       "count",
		       t->wanted);
	free(names);
	return -1;
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
	{GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE, refuse_early_list},
	{~0u, refuse_otherwise},
};

static int judge(const struct case_file *f, struct outcome *o)
{
	size_t i = 0;

	if (f->status == 0) {
		if (!certificate_is_for(f->chain->p[0], &f->trust->name))
			return refuse_name(f, o);
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
			  "the certificate of %s cannot be verified: %s",
			  trust_server(t), gnutls_strerror(rc));
		outcome_set_host(o, trust_server(t));
		goto done;
	}
	rc = judge(&f, o);
done:
	chain_release(&chain);
	return rc;
}
