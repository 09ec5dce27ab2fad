/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GNU SASL's server side with one account. It is told of a channel binding
 * only where -PLUS is offered; so it refuses a client that says `y` though
 * there was one to bind to (RFC 5802 6).
 */
#include "sasl/exchange.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct by_hand by_hand[] = {
	{"OAUTHBEARER", true, bearer_step},
	{"XOAUTH2", true, xoauth2_step},
	{"NTLM", true, ntlm_step},
};

static bool is_equal(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

bool exchange_may_act_for(const struct exchange *x, const char *authcid,
			  const char *authzid)
{
	if (!authzid || !*authzid || is_equal(authzid, authcid))
		return true;
	return is_equal(authzid, x->options->authzid);
}

enum verdict exchange_refuse(struct exchange *x, enum verdict verdict,
			     const char *why)
{
	if (!x->why.n)
		buf_add_text(&x->why, why);
	return verdict;
}

/* PLAIN and LOGIN: the octets must be the account's. */
static int validate(const struct exchange *x, Gsasl_session *s)
{
	const char *user = gsasl_property_fast(s, GSASL_AUTHID);
	const char *authzid = gsasl_property_fast(s, GSASL_AUTHZID);

	if (is_equal(user, x->options->user) &&
	    is_equal(gsasl_property_fast(s, GSASL_PASSWORD),
		     x->options->password) &&
	    exchange_may_act_for(x, user, authzid))
		return GSASL_OK;
	return GSASL_AUTHENTICATION_ERROR;
}

/* The client's certificate says who it is. */
static int validate_external(struct exchange *x, Gsasl_session *s)
{
	buf_clear(&x->authcid);
	wire_client_name(x->wire, &x->authcid);
	if (x->authcid.n &&
	    exchange_may_act_for(x, x->authcid.p,
				 gsasl_property_fast(s, GSASL_AUTHZID)))
		return GSASL_OK;
	return GSASL_AUTHENTICATION_ERROR;
}

/* A user who is not there has a password that nobody knows. */
static int give_password(const struct exchange *x, Gsasl_session *s)
{
	bool is_known = is_equal(gsasl_property_fast(s, GSASL_AUTHID),
				 x->options->user);

	return gsasl_property_set(s, GSASL_PASSWORD,
				  is_known ? x->options->password
					   : "nobody knows it");
}

static int give_binding(const struct exchange *x, Gsasl_session *s,
			Gsasl_property property)
{
	gnutls_channel_binding_t kind = property == GSASL_CB_TLS_UNIQUE
		? GNUTLS_CB_TLS_UNIQUE
		: GNUTLS_CB_TLS_EXPORTER;
	struct buf text = BUF_INIT(1024);
	int rc = GSASL_NO_CALLBACK;

	if (x->options->mechanisms && strstr(x->options->mechanisms, "-PLUS") &&
	    wire_binding(x->wire, kind, x->options->tamper_binding, &text))
		rc = gsasl_property_set(s, property, text.p);
	buf_release(&text);
	return rc;
}

static int give(Gsasl_session *s, Gsasl_property property, const char *value)
{
	return value ? gsasl_property_set(s, property, value)
		     : GSASL_NO_CALLBACK;
}

static int provide(Gsasl *library, Gsasl_session *s, Gsasl_property property)
{
	struct exchange *x = gsasl_session_hook_get(s);

	(void)library;
	switch (property) {
	case GSASL_PASSWORD: return give_password(x, s);
	case GSASL_CB_TLS_UNIQUE:
	case GSASL_CB_TLS_EXPORTER: return give_binding(x, s, property);
	case GSASL_VALIDATE_SIMPLE: return validate(x, s);
	case GSASL_VALIDATE_EXTERNAL: return validate_external(x, s);
	case GSASL_VALIDATE_ANONYMOUS: return GSASL_OK;
	case GSASL_SERVICE: return give(s, property, "smtp");
	case GSASL_HOSTNAME: return give(s, property, "mail.example.org");
	case GSASL_REALM: return give(s, property, x->options->realm);
	case GSASL_QOPS: return give(s, property, "qop-auth");
	case GSASL_SCRAM_ITER: return give(s, property, x->options->iterations);
	default: return GSASL_NO_CALLBACK;
	}
}

void exchange_init(struct exchange *x, const struct options *o,
		   const struct wire *w, struct view mechanism)
{
	size_t i;
	int rc;

	*x = (struct exchange){.options = o, .wire = w};
	x->authcid = x->authzid = x->gs2 = x->why = x->note =
		BUF_INIT(64u << 10);
	snprintf(x->mechanism, sizeof(x->mechanism), "%.*s", (int)mechanism.n,
		 mechanism.p);
	for (i = 0; i < sizeof(by_hand) / sizeof(by_hand[0]); i++)
		if (strcasecmp(by_hand[i].name, x->mechanism) == 0)
			x->by_hand = &by_hand[i];
	if (x->by_hand)
		return;
	gsasl_init(&x->library);
	gsasl_callback_set(x->library, provide);
	gsasl_callback_hook_set(x->library, x);
	rc = gsasl_server_start(x->library, x->mechanism, &x->sasl);
	if (rc == GSASL_OK)
		gsasl_session_hook_set(x->sasl, x);
	else
		buf_add_text(&x->why, gsasl_strerror(rc));
}

void exchange_release(struct exchange *x)
{
	if (x->sasl)
		gsasl_finish(x->sasl);
	if (x->library)
		gsasl_done(x->library);
	buf_release(&x->authcid);
	buf_release(&x->authzid);
	buf_release(&x->gs2);
	buf_release(&x->why);
	buf_release(&x->note);
}

bool exchange_is_client_first(const struct exchange *x)
{
	if (x->by_hand)
		return x->by_hand->client_first;
	return strcasecmp(x->mechanism, "LOGIN") != 0 &&
		strcasecmp(x->mechanism, "CRAM-MD5") != 0 &&
		strcasecmp(x->mechanism, "DIGEST-MD5") != 0;
}

static void note_property(struct exchange *x, Gsasl_property property,
			  struct buf *out)
{
	const char *value = gsasl_property_fast(x->sasl, property);

	if (value && !out->n)
		buf_add_text(out, value);
}

/* PLAIN's authorization identity, for GNU SASL puts the user there if it is
 * empty; the digest-uri of DIGEST-MD5; the gs2 header of SCRAM (RFC 5801 4). */
static void note_words(struct exchange *x, struct view in)
{
	const char *uri, *end;

	if (strcasecmp(x->mechanism, "PLAIN") == 0) {
		buf_add_text(&x->note, in.p);
	} else if (strcasecmp(x->mechanism, "DIGEST-MD5") == 0) {
		uri = strstr(in.p, "digest-uri=\"");
		end = uri ? strchr(uri + 12, '"') : NULL;
		if (end && !x->note.n)
			buf_add(&x->note, uri + 12, (size_t)(end - uri) - 12);
	} else if (strncasecmp(x->mechanism, "SCRAM-", 6) == 0 && in.n &&
		   !x->gs2.n && (end = strchr(in.p, ',')) &&
		   (end = strchr(end + 1, ','))) {
		buf_add(&x->gs2, in.p, (size_t)(end - in.p) + 1);
	}
}

/* What GNU SASL cannot prepare is compared as it is: PLAIN's password may be
 * octets, or hold characters that are newer than SASLprep. */
static bool is_account(const struct exchange *x, struct view in)
{
	struct buf wanted = BUF_INIT(64u << 10);
	bool yes;

	buf_add_char(&wanted, '\0');
	buf_add(&wanted, x->options->user, strlen(x->options->user) + 1);
	buf_add_text(&wanted, x->options->password);
	yes = in.n == wanted.n && memcmp(in.p, wanted.p, in.n) == 0;
	buf_release(&wanted);
	return yes;
}

static int ask_library(struct exchange *x, struct view in, char **said,
		       size_t *n)
{
	int rc;

	/* RFC 4505 2: it may be empty, which GNU SASL does not know. */
	if (strcasecmp(x->mechanism, "ANONYMOUS") == 0 && !in.n)
		return GSASL_OK;
	rc = gsasl_step(x->sasl, in.p, in.n, said, n);
	if (rc == GSASL_SASLPREP_ERROR &&
	    strcasecmp(x->mechanism, "PLAIN") == 0 && is_account(x, in))
		rc = GSASL_OK;
	return rc;
}

static enum verdict library_step(struct exchange *x, struct view in,
				 struct buf *out)
{
	char *said = NULL;
	size_t n = 0;
	int rc;

	if (!x->sasl)
		return VERDICT_REFUSED;
	note_words(x, in);
	rc = ask_library(x, in, &said, &n);
	if (rc == GSASL_OK || rc == GSASL_NEEDS_MORE)
		buf_add(out, said, n);
	gsasl_free(said);
	note_property(x, GSASL_AUTHID, &x->authcid);
	note_property(x, GSASL_ANONYMOUS_TOKEN, &x->authcid);
	note_property(x, GSASL_AUTHZID, &x->authzid);
	if (rc == GSASL_NEEDS_MORE)
		return VERDICT_MORE;
	if (rc != GSASL_OK)
		return exchange_refuse(x, VERDICT_REFUSED, gsasl_strerror(rc));
	if (!exchange_may_act_for(x, x->authcid.p, x->authzid.p))
		return exchange_refuse(x, VERDICT_REFUSED, "for somebody else");
	return VERDICT_DONE;
}

enum verdict exchange_step(struct exchange *x, struct view in, struct buf *out)
{
	enum verdict v;

	buf_clear(out);
	if (x->by_hand)
		v = x->by_hand->step(x, in, out);
	else
		v = library_step(x, in, out);
	x->round++;
	return v;
}
