/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who we are for the server, if it asks: our certificate and its key. GnuTLS
 * reads them, from files or tokens. It would say a PIN from a URI again and
 * again until the token locks, so the URI it gets has none.
 */
#include "net/identity.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/gnutls.h"
#include "base/memory.h"
#include "base/text.h"

#define URI_LIMIT (64u << 10) /* octets */

static bool is_uri(const char *text)
{
	return view_starts_nocase(view_of(text), VIEW("pkcs11:"));
}

/* --------------------------------------------------------------- the secret */

static int ask(struct identity *id, const char *label)
{
	const struct tls_owner *owner = id->owner;
	struct buf what = BUF_INIT(1024);
	int rc;

	if (!owner || !owner->get_secret) {
		id->is_unasked = true;
		return -1;
	}
	if (label && label[0])
		buf_printf(&what, "the PIN of the token %s", label);
	else
		buf_printf(&what, "the password of %s", id->key);
	rc = owner->get_secret(owner->context, what.p, &id->secret, &id->why);
	buf_release(&what);
	return rc;
}

/* One more wrong one would lock it; who knows the right one can say so to
 * another program, which sets the count back. */
static int refuse_last_try(struct identity *id, const char *label)
{
	return fail(&id->why, CAUSE_AUTH, "5.7.8",
		    "the token %s is locked after one more wrong PIN, so none "
		    "is said to it; log in to it by another program first "
		    "(p11tool --login)",
		    label);
}

/* Called by GnuTLS for a token (again, if what it got was wrong), and for an
 * encrypted key, which has no label. */
static int give_secret(void *context, int attempt, const char *url,
		       const char *label, unsigned flags, char *pin, size_t max)
{
	struct identity *id = context;

	(void)url;
	if (attempt > 0 || (flags & GNUTLS_PIN_WRONG))
		id->is_wrong = true;
	if (id->is_wrong || outcome_is_failure(&id->why))
		return -1;
	if (flags & GNUTLS_PIN_FINAL_TRY)
		return refuse_last_try(id, label);
	if (!id->secret.n && ask(id, label) < 0)
		return -1;
	if (id->secret.n >= max)
		return fail(&id->why, CAUSE_CONFIG, "5.3.5",
			    "the password of %s is longer than the %zu octets "
			    "that GnuTLS takes",
			    id->key, max - 1);
	memcpy(pin, id->secret.p, id->secret.n + 1);
	return 0;
}

/* ------------------------------------------------------------------ the URI */

static bool add_decoded(struct buf *out, struct view v)
{
	int high, low;

	for (; v.n; v = view_skip(v, 1)) {
		if (v.p[0] != '%') {
			buf_add_char(out, v.p[0]);
			continue;
		}
		high = v.n > 2 ? text_hex_value(v.p[1]) : -1;
		low = v.n > 2 ? text_hex_value(v.p[2]) : -1;
		if (high < 0 || low < 0 || !(high << 4 | low))
			return false;
		buf_add_char(out, (char)(high << 4 | low));
		v = view_skip(v, 2);
	}
	return true;
}

/* One part of the URI's query. */
static int take_part(struct identity *id, struct view part, struct buf *uri,
		     bool is_first, struct outcome *o)
{
	static const struct view value = VIEW("pin-value=");

	if (view_starts_nocase(part, VIEW("pin-source=")))
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "a PKCS #11 URI has a pin-source, which is not "
			    "taken: say tls_key_passwordeval");
	if (!view_starts_nocase(part, value)) {
		buf_add_char(uri, is_first ? '?' : '&');
		buf_add_view(uri, part);
		return 0;
	}
	buf_clear(&id->secret);
	if (add_decoded(&id->secret, view_skip(part, value.n)))
		return 0;
	return fail(o, CAUSE_CONFIG, "5.3.5",
		    "a PKCS #11 URI has a pin-value with a broken %%");
}

/* What GnuTLS is given: a file's name as it is, a URI without its PIN. */
static int prepare(struct identity *id, const char *text, struct buf *out,
		   struct outcome *o)
{
	size_t n = is_uri(text) ? strcspn(text, "?") : strlen(text);
	struct view rest = view_of(text + n);
	size_t before, size;

	buf_add(out, text, n);
	before = out->n;
	while (rest.n) {
		rest = view_skip(rest, 1);
		size = strcspn(rest.p, "&");
		if (size &&
		    take_part(id, view_make(rest.p, size), out,
			      out->n == before, o) < 0)
			return -1;
		rest = view_skip(rest, size);
	}
	return 0;
}

/* ---------------------------------------------------------------- the words */

static bool is_certificate_at_fault(const char *place)
{
	gnutls_x509_crt_t c;
	bool is_there;

	if (!is_uri(place))
		return access(place, R_OK) < 0;
	if (gnutls_x509_crt_init(&c) < 0)
		return false;
	is_there = gnutls_x509_crt_import_url(c, place, 0) == 0;
	gnutls_x509_crt_deinit(c);
	return !is_there;
}

static const char *reason(const char *place, int rc)
{
	if (!is_uri(place))
		return access(place, R_OK) < 0 ? strerror(errno)
					       : gnutls_strerror(rc);
	if (rc == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ||
	    rc == GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE)
		return "no token has that; p11tool --list-all shows what "
		       "there is";
	if (rc == GNUTLS_E_UNIMPLEMENTED_FEATURE)
		return "this GnuTLS does without PKCS #11";
	return gnutls_strerror(rc);
}

static int fail_load(const struct identity *id, const char *certificate,
		     const char *key, int rc, struct outcome *o)
{
	if (outcome_is_failure(&id->why)) {
		outcome_copy(o, &id->why);
		outcome_add_context(o, "tls_key_file %s", key);
		return -1;
	}
	if (id->is_wrong || rc == GNUTLS_E_PKCS11_PIN_LOCKED)
		return fail(o, CAUSE_AUTH, "5.7.8", "tls_key_file %s: %s", key,
			    rc == GNUTLS_E_PKCS11_PIN_LOCKED
				    ? "the token's PIN is locked"
				    : "the PIN is wrong; it was said once");
	if (id->secret.n && rc == GNUTLS_E_DECRYPTION_FAILED)
		return fail(o, CAUSE_AUTH, "5.7.8",
			    "tls_key_file %s: the password is wrong", key);
	if (is_certificate_at_fault(certificate))
		return fail(o, CAUSE_CONFIG, "5.3.5", "tls_cert_file %s: %s",
			    certificate, reason(certificate, rc));
	return fail(o, CAUSE_CONFIG, "5.3.5", "tls_key_file %s: %s", key,
		    reason(key, rc));
}

/* ------------------------------------------------------------------ loading */

static int load(struct identity *id,
		gnutls_certificate_credentials_t credentials,
		const char *certificate, const char *key, struct outcome *o)
{
	int rc;

	id->key = key;
	gnutls_certificate_set_pin_function(credentials, give_secret, id);
	rc = gnutls_certificate_set_x509_key_file2(
		credentials, certificate, key, GNUTLS_X509_FMT_PEM, NULL, 0);
	if (rc < 0 && !id->is_unasked)
		rc = fail_load(id, certificate, key, rc, o);
	id->key = "the key";
	return rc < 0 && !id->is_unasked ? -1 : 0;
}

int identity_load(struct identity *id,
		  gnutls_certificate_credentials_t credentials,
		  const struct tls_policy *policy,
		  const struct tls_owner *owner, struct outcome *o)
{
	struct buf certificate = BUF_INIT(URI_LIMIT), key = BUF_INIT(URI_LIMIT);
	int rc = -1;

	if (!policy->cert_file && !policy->key_file)
		return 0;
	if (!policy->cert_file)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "tls_key_file is set, but no tls_cert_file");
	id->owner = owner;
	if (prepare(id, policy->cert_file, &certificate, o) == 0 &&
	    prepare(id, policy->key_file ? policy->key_file : policy->cert_file,
		    &key, o) == 0)
		rc = load(id, credentials, certificate.p, key.p, o);
	buf_release(&certificate);
	buf_release(&key);
	return rc;
}

void identity_release(struct identity *id)
{
	buf_release(&id->secret);
	outcome_release(&id->why);
	*id = IDENTITY_INIT;
}
