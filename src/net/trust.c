/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether a server is the one that the user meant: what the policy names is
 * loaded here, and asked of the server's certificate. The verdict on a chain of
 * signatures is net/verdict's.
 */
#include "net/trust.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "net/verdict.h"

/* ------------------------------------------------------------------ loading */

/* A file that GnuTLS could not use: the system's reason, else GnuTLS's. */
static int fail_file(const char *setting, const char *path, int rc,
		     struct outcome *o)
{
	const char *why = rc < 0 ? gnutls_strerror(rc)
				 : "there is no certificate in it";

	if (access(path, R_OK) < 0)
		why = strerror(errno);
	return fail(o, CAUSE_CONFIG, "5.3.5", "%s %s: %s", setting, path, why);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A list for what is trusted, empty. */
static int set_list(struct trust *t, struct outcome *o)
{
	gnutls_x509_trust_list_t list;

	if (gnutls_x509_trust_list_init(&list, 0) < 0)
		return fail(o, CAUSE_SYSTEM, "4.3.0", "cannot set up GnuTLS");
	gnutls_certificate_set_trust_list(t->credentials, list, 0);
	return 0;
}

static int load_store(struct trust *t, struct outcome *o)
{
	int n;

	if (!strcmp(t->store, "system")) {
		n = gnutls_certificate_set_x509_system_trust(t->credentials);
		if (n > 0)
			return 0;
		return fail(
			o, CAUSE_CONFIG, "5.3.5",
			"this system has no trusted certificates; install its "
			"ca-certificates, or set tls_trust_file");
	}
	if (is_folder(t->store))
		n = gnutls_certificate_set_x509_trust_dir(
			t->credentials, t->store, GNUTLS_X509_FMT_PEM);
	else
		n = gnutls_certificate_set_x509_trust_file(
			t->credentials, t->store, GNUTLS_X509_FMT_PEM);
	return n > 0 ? 0 : fail_file("tls_trust_file", t->store, n, o);
}

static int load_crl(struct trust *t, const char *path, struct outcome *o)
{
	int rc;

	if (!path)
		return 0;
	rc = crls_load(&t->crls, path);
	return rc < 0 ? fail_file("tls_crl_file", path, rc, o) : 0;
}

static bool parse_fingerprint(struct trust *t, const char *text)
{
	size_t n = 0; /* hex digits */
	int value;

	for (; *text; text++) {
		if (*text == ':' || text_is_space(*text))
			continue;
		value = text_hex_value(*text);
		if (value < 0 || n == 2 * sizeof(t->fingerprint))
			return false;
		t->fingerprint[n / 2] =
			(char)((t->fingerprint[n / 2] << 4 | value) & 0xff);
		n++;
	}
	t->fingerprint_size = n / 2;
	t->algorithm = n == 64 ? GNUTLS_DIG_SHA256
		: n == 40      ? GNUTLS_DIG_SHA1
		: n == 32      ? GNUTLS_DIG_MD5
			       : GNUTLS_DIG_UNKNOWN;
	return t->algorithm != GNUTLS_DIG_UNKNOWN;
}

/* The name is needed where it is checked; elsewhere only for SNI. */
static int load_name(struct trust *t, const struct tls_policy *policy,
		     struct outcome *o)
{
	const char *name = policy->host_override;

	if (!name && t->host[0])
		name = t->host;
	if (!name && t->by != TRUST_BY_STORE)
		return 0;
	if (!name)
		return fail(
			o, CAUSE_CONFIG, "5.3.5",
			"no name to check the server's certificate against: "
			"set host or tls_host_override");
	t->wanted = memory_dup(name);
	return peer_name_parse(&t->name, name, o);
}

/* All at once, in place of what there may be. */
static int load_issuers(struct trust *t, struct outcome *o)
{
	if (t->by == TRUST_BY_STORE &&
	    (set_list(t, o) < 0 || load_store(t, o) < 0 ||
	     load_crl(t, t->crl, o) < 0))
		return -1;
	t->is_put_off = false;
	return 0;
}

/* The lists in a CRL file may be of any of the issuers, so all are needed. */
static bool read_bundle(struct trust *t)
{
	const char *path = t->store;

	if (!strcmp(path, "system"))
		path = SYSTEM_TRUST_FILE;
	return t->by == TRUST_BY_STORE && !t->crl &&
		bundle_read(&t->bundle, path);
}

/* Nobody's trust is loaded that is not asked: the system's takes a while. */
static enum trust_by choose(const struct tls_policy *policy)
{
	if (policy->fingerprint)
		return policy->pin ? TRUST_BY_BOTH : TRUST_BY_FINGERPRINT;
	if (policy->pin)
		return TRUST_BY_PIN;
	return policy->certcheck ? TRUST_BY_STORE : TRUST_ANYTHING;
}

int trust_load(struct trust *t, const struct tls_policy *policy,
	       const char *host, const struct tls_owner *owner,
	       struct outcome *o)
{
	const char *store = policy->trust_file;

	t->by = choose(policy);
	t->host = memory_dup(host ? host : "");
	t->store = memory_dup(store ? store : "system");
	t->crl = memory_dup(policy->crl_file);
	if (gnutls_certificate_allocate_credentials(&t->credentials) < 0)
		return fail(o, CAUSE_SYSTEM, "4.3.0", "cannot set up GnuTLS");
	if (policy->fingerprint && !parse_fingerprint(t, policy->fingerprint))
		return fail(
			o, CAUSE_CONFIG, "5.3.5",
			"tls_fingerprint must have 64 (SHA-256), 40 (SHA-1) or "
			"32 (MD5) hexadecimal digits");
	if (policy->pin && !pins_parse(&t->pins, policy->pin))
		return fail(
			o, CAUSE_CONFIG, "5.3.5",
			"tls_pin must be SHA-256 digests of public keys, with "
			"blanks between them: each 64 hexadecimal digits, or "
			"base64");
	if (load_name(t, policy, o) < 0 ||
	    identity_load(&t->identity, t->credentials, policy, owner, o) < 0)
		return -1;
	if (!t->is_put_off && owner)
		t->is_put_off = read_bundle(t);
	return t->is_put_off ? 0 : load_issuers(t, o);
}

void trust_prepare(struct trust *t)
{
	if (t->bundle.octets.n)
		bundle_parse(&t->bundle);
}

int trust_load_all(struct trust *t, struct outcome *o)
{
	return t->is_put_off ? load_issuers(t, o) : 0;
}

void trust_release(struct trust *t)
{
	if (t->credentials)
		gnutls_certificate_free_credentials(t->credentials);
	free(t->store);
	free(t->crl);
	bundle_release(&t->bundle);
	crls_release(&t->crls);
	free(t->host);
	free(t->wanted);
	peer_name_release(&t->name);
	pins_release(&t->pins);
	identity_release(&t->identity);
	*t = TRUST_INIT;
}

const char *trust_words(const struct trust *t)
{
	switch (t->by) {
	case TRUST_BY_STORE: return t->store;
	case TRUST_BY_FINGERPRINT: return "fingerprint";
	case TRUST_BY_PIN: return "pin";
	case TRUST_BY_BOTH: return "fingerprint+pin";
	case TRUST_ANYTHING: break;
	}
	return "unchecked";
}

const char *trust_server(const struct trust *t)
{
	return t->host[0] ? t->host : t->wanted ? t->wanted : "the server";
}

/* ---------------------------------------------------------------- the check */

/* The server's own certificate (DER); NULL: it has shown none. */
static const gnutls_datum_t *shown(gnutls_session_t session)
{
	unsigned n = 0;
	const gnutls_datum_t *sent = gnutls_certificate_get_peers(session, &n);

	return n ? sent : NULL;
}

/* The certificate itself is what is known, so its name, its dates and who has
 * issued it do not matter. */
static int check_by_fingerprint(const struct trust *t, gnutls_session_t session,
				struct outcome *o)
{
	const gnutls_datum_t *der = shown(session);
	char digest[sizeof(t->fingerprint)];
	size_t size = sizeof(digest);
	char *theirs;

	if (der && gnutls_fingerprint(t->algorithm, der, digest, &size) == 0 &&
	    size == t->fingerprint_size &&
	    !memcmp(digest, t->fingerprint, size))
		return 0;
	theirs = der ? certificate_fingerprint(der, GNUTLS_DIG_SHA256)
		     : memory_dup("none");
	fail(o, CAUSE_TLS, "4.7.5",
	     "the certificate of %s does not match tls_fingerprint; the "
	     "SHA-256 fingerprint of the one it has shown is %s",
	     trust_server(t), theirs);
	outcome_set_host(o, trust_server(t));
	free(theirs);
	return -1;
}

/* The same for the key, whatever the certificate around it. That the server
 * has the private one the handshake proves. */
static int check_by_pin(const struct trust *t, gnutls_session_t session,
			struct outcome *o)
{
	const gnutls_datum_t *der = shown(session);
	char *theirs;

	if (der && pins_have(&t->pins, der))
		return 0;
	theirs = der ? pin_text(der) : memory_dup("none");
	fail(o, CAUSE_TLS, "4.7.5",
	     "the public key of %s does not match tls_pin; the pin of the one "
	     "it has shown is %s",
	     trust_server(t), theirs);
	outcome_set_host(o, trust_server(t));
	free(theirs);
	return -1;
}

/* It was, or is now. */
static bool has_bundle(struct trust *t)
{
	return (t->bundle.octets.n || t->bundle.is_odd || read_bundle(t)) &&
		bundle_parse(&t->bundle);
}

/* Trust the only one that the chain has to do with, and no other. */
static bool load_one(struct trust *t, gnutls_session_t session,
		     struct outcome *o)
{
	const struct bundle_entry *e;
	const gnutls_datum_t *sent;
	gnutls_datum_t der;
	unsigned n = 0;

	sent = gnutls_certificate_get_peers(session, &n);
	e = has_bundle(t) ? bundle_find(&t->bundle, sent, n) : NULL;
	if (!e || set_list(t, o) < 0)
		return false;
	der.data = (unsigned char *)e->der.p;
	der.size = (unsigned)e->der.n;
	return gnutls_certificate_set_x509_trust_mem(t->credentials, &der,
						     GNUTLS_X509_FMT_DER) == 1;
}

/* What passes with one passes with all, see net/bundle.h. Whatever does not is
 * judged, and put into words, with all there. */
static bool passes_with_one(struct trust *t, gnutls_session_t session)
{
	struct outcome ignored = OUTCOME_INIT;
	bool passes = load_one(t, session, &ignored) &&
		verdict_by_store(t, session, &ignored) == 0;

	bundle_release(&t->bundle);
	outcome_release(&ignored);
	return passes;
}

static int check_by_store(struct trust *t, gnutls_session_t session,
			  struct outcome *o)
{
	if (t->is_put_off && passes_with_one(t, session))
		return 0;
	if (trust_load_all(t, o) < 0)
		return -1;
	return verdict_by_store(t, session, o);
}

int trust_check(struct trust *t, gnutls_session_t session, struct outcome *o)
{
	switch (t->by) {
	case TRUST_BY_STORE: return check_by_store(t, session, o);
	case TRUST_BY_FINGERPRINT: return check_by_fingerprint(t, session, o);
	case TRUST_BY_PIN: return check_by_pin(t, session, o);
	case TRUST_BY_BOTH:
		if (check_by_fingerprint(t, session, o) < 0)
			return -1;
		return check_by_pin(t, session, o);
	case TRUST_ANYTHING: break;
	}
	return 0;
}
