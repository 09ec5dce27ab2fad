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

#define NAMES_SHOWN 8 /* of a certificate for somebody else */

/* ---------------------------------------------------------------- the words */

/* What a refusal is made from. */
struct case_file {
	const struct trust *trust;
	const struct chain *chain;
	gnutls_session_t session;
	unsigned status; /* GNUTLS_CERT_… */
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

static int refuse_revoked(const struct case_file *f, struct outcome *o)
{
	return refuse(f, 0, o,
		      "has been revoked by its issuer, or one above it has");
}

static int refuse_expired(const struct case_file *f, struct outcome *o)
{
	time_t now = time(NULL), end = (time_t)-1;
	char *date;
	size_t i;

	for (i = 0; i < f->chain->n; i++) {
		end = gnutls_x509_crt_get_expiration_time(f->chain->p[i]);
		if (end < now)
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
	time_t now = time(NULL), begin = (time_t)-1;
	char *date, *today;
	size_t i;

	for (i = 0; i < f->chain->n; i++) {
		begin = gnutls_x509_crt_get_activation_time(f->chain->p[i]);
		if (begin > now)
			break;
	}
	if (i == f->chain->n)
		return refuse(f, i, o, "is not yet valid");
	date = certificate_date(begin);
	today = certificate_date(now);
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
		      "is not meant for a server (its key purpose is another)");
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
	{GNUTLS_CERT_NOT_ACTIVATED, refuse_future},
	{GNUTLS_CERT_EXPIRED, refuse_expired},
	{GNUTLS_CERT_INSECURE_ALGORITHM, refuse_weak},
	{GNUTLS_CERT_PURPOSE_MISMATCH, refuse_purpose},
	{~0u, refuse_otherwise},
};

static int judge(const struct case_file *f, struct outcome *o)
{
	size_t i = 0;

	if (f->status == 0) {
		if (certificate_is_for(f->chain->p[0], &f->trust->name))
			return 0;
		return refuse_name(f, o);
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
	struct case_file f = {t, &chain, session, 0};
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
