/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GNU SASL behind one door, with the mechanisms that it lacks beside it. User
 * and password are prepared (RFC 4013) here, once, for all of them.
 */
#include "smtp/sasl.h"

#include <gsasl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/memory.h"
#include "base/text.h"
#include "smtp/bearer.h"

#define TOKEN_LIMIT     (128u << 10) /* octets of a message with a token */
#define COMPLAINT_LIMIT 1024u        /* octets of a complaint that are shown */
#define SERVICE         "smtp"       /* RFC 4954 3 */

struct sasl {
	const struct sasl_identity *identity;
	const struct mechanism *mechanism;
	const struct tls *tls; /* to bind to; NULL: nothing */
	Gsasl *library;
	Gsasl_session *exchange;        /* GNU SASL's; NULL: not its */
	const struct bearer_form *form; /* ours; NULL: not ours */
	unsigned steps;                 /* of ours so far */
	bool is_done;
	char *complaint;
	struct outcome password_failure; /* why there is no password */
};

/* ------------------------------------------------------ what is asked of us */

/*
 * RFC 4013, as a query: what is not assigned yet is let through. What is no
 * text at all (a password of octets) stays as it is. Allocated, a secret.
 */
static char *prepare(const char *text)
{
	char *prepared = NULL, *copy;

	if (gsasl_saslprep(text, GSASL_ALLOW_UNASSIGNED, &prepared, NULL) !=
	    GSASL_OK)
		return memory_dup(text);
	copy = memory_dup(prepared);
	memory_wipe(prepared, strlen(prepared));
	gsasl_free(prepared);
	return copy;
}

static int set_text(Gsasl_session *x, Gsasl_property p, const char *text)
{
	char *prepared;
	int rc;

	if (!text)
		return GSASL_NO_CALLBACK;
	prepared = prepare(text);
	rc = gsasl_property_set(x, p, prepared);
	memory_free_secret(prepared);
	return rc;
}

static const char *get_password(struct sasl *s)
{
	const struct sasl_identity *id = s->identity;

	return id->password(id->context, &s->password_failure);
}

static int set_password(struct sasl *s, Gsasl_session *x)
{
	const char *password = get_password(s);

	return password ? set_text(x, GSASL_PASSWORD, password)
			: GSASL_NO_PASSWORD;
}

/* Only one of the two types fits a session: TLS 1.3 has no tls-unique, and for
 * what is older that one is what servers know. */
static int set_binding(const struct sasl *s, Gsasl_session *x, Gsasl_property p)
{
	struct buf octets = BUF_INIT_SECRET(1024);
	struct buf text = BUF_INIT_SECRET(2048);
	Gsasl_property fits = GSASL_CB_TLS_UNIQUE;
	int rc = GSASL_NO_CALLBACK;
	bool has = s->tls && tls_channel_binding(s->tls, "tls-unique", &octets);

	if (s->tls && !has) {
		fits = GSASL_CB_TLS_EXPORTER;
		has = tls_channel_binding(s->tls, "tls-exporter", &octets);
	}
	if (has && p == fits) {
		encode_base64(&text, buf_view(&octets));
		rc = gsasl_property_set(x, p, text.p);
	}
	buf_release(&octets);
	buf_release(&text);
	return rc;
}

/* GNU SASL asks for what a mechanism needs, when it needs it. */
static int provide(Gsasl *library, Gsasl_session *x, Gsasl_property p)
{
	struct sasl *s = gsasl_callback_hook_get(library);
	const struct sasl_identity *id = s->identity;

	switch (p) {
	case GSASL_AUTHID: return set_text(x, p, id->user);
	case GSASL_AUTHZID: return set_text(x, p, id->authzid);
	case GSASL_PASSWORD: return set_password(s, x);
	case GSASL_REALM: return set_text(x, p, id->realm);
	case GSASL_SERVICE: return gsasl_property_set(x, p, SERVICE);
	case GSASL_HOSTNAME: return gsasl_property_set(x, p, id->host);
	case GSASL_ANONYMOUS_TOKEN:
		return gsasl_property_set(x, p, id->user ? id->user : "");
	case GSASL_CB_TLS_UNIQUE:
	case GSASL_CB_TLS_EXPORTER: return set_binding(s, x, p);
	default: return GSASL_NO_CALLBACK;
	}
}

/* GNU SASL frees its copy without wiping it. */
static void wipe_password(Gsasl_session *x)
{
	const char *copy = gsasl_property_fast(x, GSASL_PASSWORD);

	if (copy)
		memory_wipe((char *)(uintptr_t)copy, strlen(copy));
}

/* ------------------------------------------------------------- the exchange */

struct sasl *sasl_new(const struct sasl_identity *identity, struct outcome *o)
{
	struct sasl *s = memory_alloc(sizeof(*s));
	int rc = gsasl_init(&s->library);

	s->identity = identity;
	if (rc != GSASL_OK) {
		fail(o, CAUSE_SYSTEM, "4.3.0", "cannot set up GNU SASL: %s",
		     gsasl_strerror(rc));
		free(s);
		return NULL;
	}
	gsasl_callback_hook_set(s->library, s);
	gsasl_callback_set(s->library, provide);
	return s;
}

static void end(struct sasl *s)
{
	if (s->exchange) {
		wipe_password(s->exchange);
		gsasl_finish(s->exchange);
	}
	s->exchange = NULL;
	s->form = NULL;
	s->steps = 0;
	s->is_done = false;
	free(s->complaint);
	s->complaint = NULL;
	outcome_release(&s->password_failure);
}

void sasl_free(struct sasl *s)
{
	if (!s)
		return;
	end(s);
	gsasl_done(s->library);
	free(s);
}

bool sasl_can(const struct sasl *s, const struct mechanism *m)
{
	return bearer_find(m->name) ||
		gsasl_client_support_p(s->library, m->name);
}

static int fail_sasl(const struct sasl *s, int error, struct outcome *o)
{
	if (outcome_is_failure(&s->password_failure)) {
		outcome_copy(o, &s->password_failure);
		return -1;
	}
	fail(o, CAUSE_AUTH, "5.7.8", "%s: %s", s->mechanism->name,
	     gsasl_strerror(error));
	if (error == GSASL_SASLPREP_ERROR)
		outcome_add_hint(o,
				 "user and password must be text in UTF-8 "
				 "for it; auth plain takes any octets");
	if (error == GSASL_GSSAPI_INIT_SEC_CONTEXT_ERROR)
		outcome_add_hint(o,
				 "is there a Kerberos ticket? klist shows "
				 "it, kinit gets one");
	return -1;
}

int sasl_begin(struct sasl *s, const struct mechanism *m, const struct tls *tls,
	       struct outcome *o)
{
	int rc;

	end(s);
	s->mechanism = m;
	s->tls = tls;
	s->form = bearer_find(m->name);
	if (s->form)
		return 0;
	rc = gsasl_client_start(s->library, m->name, &s->exchange);
	return rc == GSASL_OK ? 0 : fail_sasl(s, rc, o);
}

/* The server's complaint about the token, for people. */
static void keep_complaint(struct sasl *s, const char *challenge)
{
	struct buf json = BUF_INIT(TOKEN_LIMIT);
	struct buf shown = BUF_INIT(4 * COMPLAINT_LIMIT);
	struct view text;

	if (decode_base64(&json, view_of(challenge)) && json.n) {
		text = view_trim(buf_view(&json));
		if (text.n > COMPLAINT_LIMIT)
			text.n = COMPLAINT_LIMIT;
		text_add_printable(&shown, text);
		free(s->complaint);
		s->complaint = buf_detach(&shown);
	}
	buf_release(&json);
	buf_release(&shown);
}

static int show_token(struct sasl *s, char **response, struct outcome *o)
{
	const struct sasl_identity *id = s->identity;
	const char *token = get_password(s);
	struct bearer b = {id->authzid ? id->authzid : id->user, id->host,
			   id->port, token};
	struct buf plain = BUF_INIT_SECRET(TOKEN_LIMIT);
	struct buf coded = BUF_INIT_SECRET(2 * TOKEN_LIMIT);

	if (!token)
		return fail_sasl(s, GSASL_NO_PASSWORD, o);
	if (!bearer_is_token(token))
		return fail(o, CAUSE_AUTH, "5.7.8",
			    "%s wants an OAuth token, and this is none: it has "
			    "blanks or other than ASCII letters in it",
			    s->mechanism->name);
	s->form->add(&b, &plain);
	encode_base64(&coded, buf_view(&plain));
	*response = buf_detach(&coded);
	buf_release(&plain);
	return 0;
}

static int step_bearer(struct sasl *s, const char *challenge, char **response,
		       struct outcome *o)
{
	if (s->steps++ == 0) {
		s->is_done = true;
		return show_token(s, response, o);
	}
	keep_complaint(s, challenge);
	*response = memory_dup(s->form->regret);
	return 0;
}

int sasl_step(struct sasl *s, const char *challenge, char **response,
	      struct outcome *o)
{
	int rc;

	if (s->form)
		return step_bearer(s, challenge, response, o);
	rc = gsasl_step64(s->exchange, challenge, response);
	if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE)
		return fail_sasl(s, rc, o);
	s->is_done = rc == GSASL_OK;
	return 0;
}

bool sasl_is_done(const struct sasl *s)
{
	return s->is_done;
}

const char *sasl_complaint(const struct sasl *s)
{
	return s->complaint;
}
