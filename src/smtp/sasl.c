/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GNU SASL behind one door, with our own mechanisms beside it: what it does not
 * do as it should, and PLAIN, for which it would not be worth loading. User and
 * password are prepared (RFC 4013) here, once, for all of them.
 */
#include "smtp/sasl.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/memory.h"
#include "base/text.h"
#include "smtp/bearer.h"
#include "smtp/gsasl.h"
#include "smtp/scram.h"

#define TOKEN_LIMIT        (128u << 10) /* octets of a message with a token */
#define NTLM_CHALLENGE_MIN 32u          /* octets, without the server's name */
#define SERVICE            "smtp"       /* RFC 4954 3 */

struct sasl {
	const struct sasl_identity *identity;
	const struct mechanism *mechanism;
	Gsasl *library;                 /* NULL: not needed yet */
	Gsasl_session *exchange;        /* GNU SASL's; NULL: not its */
	const struct bearer_form *form; /* ours; NULL: not ours */
	struct scram *scram;            /* ours; NULL: not ours */
	unsigned steps;                 /* of ours so far */
	bool is_done;
	char *complaint;
	struct outcome password_failure; /* why there is no password */
};

/* ------------------------------------------------------ what is asked of us */

char *sasl_prepare(const char *text)
{
	char *prepared = NULL, *copy;

	/* ASCII is as it should be, or none of it is to be had. */
	if (!view_has_8bit(view_of(text)) ||
	    gsasl_saslprep(text, GSASL_ALLOW_UNASSIGNED, &prepared, NULL) !=
		    GSASL_OK)
		return memory_dup_secret(text, strlen(text));
	copy = memory_dup_secret(prepared, strlen(prepared));
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
	prepared = sasl_prepare(text);
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

/* libntlm takes the domain from behind an `@` alone. */
static int set_user(const struct sasl *s, Gsasl_session *x)
{
	const struct sasl_identity *id = s->identity;
	struct buf full = BUF_INIT(TOKEN_LIMIT);
	int rc;

	if (!id->realm || !id->user || strchr(id->user, '@') ||
	    strcmp(s->mechanism->name, "NTLM") != 0)
		return set_text(x, GSASL_AUTHID, id->user);
	buf_printf(&full, "%s@%s", id->user, id->realm);
	rc = set_text(x, GSASL_AUTHID, full.p);
	buf_release(&full);
	return rc;
}

/* GNU SASL asks for what a mechanism needs, when it needs it. */
static int provide(Gsasl *library, Gsasl_session *x, Gsasl_property p)
{
	struct sasl *s = gsasl_callback_hook_get(library);
	const struct sasl_identity *id = s->identity;

	switch (p) {
	case GSASL_AUTHID: return set_user(s, x);
	case GSASL_AUTHZID:
		return set_text(x, p,
				s->mechanism->by_ticket ? id->authzid_of_ticket
							: id->authzid);
	case GSASL_PASSWORD: return set_password(s, x);
	case GSASL_REALM: return set_text(x, p, id->realm);
	case GSASL_SERVICE: return gsasl_property_set(x, p, SERVICE);
	case GSASL_HOSTNAME: return gsasl_property_set(x, p, id->host);
	case GSASL_ANONYMOUS_TOKEN:
		return gsasl_property_set(x, p, id->user ? id->user : "");
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

/* As it travels; a secret. */
static char *in_base64(struct view said)
{
	struct buf coded = BUF_INIT_SECRET(3 * TOKEN_LIMIT);

	encode_base64(&coded, said);
	return buf_detach(&coded);
}

static int fail_sasl(const struct sasl *s, int error, struct outcome *o)
{
	const char *name = s->mechanism->name;

	if (outcome_is_failure(&s->password_failure)) {
		outcome_copy(o, &s->password_failure);
		return -1;
	}
	if (error == GSASL_GSSAPI_INIT_SEC_CONTEXT_ERROR)
		return fail(o, CAUSE_AUTH, "5.7.8",
			    "%s: Kerberos has no ticket for this server; klist "
			    "shows what there is, kinit gets one",
			    name);
	return fail(o, CAUSE_AUTH, "5.7.8", "%s: %s", name,
		    gsasl_strerror(error));
}

/* ------------------------------------------------------------------- SCRAM */

/* Only one of the two types fits a session: TLS 1.3 has no tls-unique, and for
 * what is older that one is what servers know (RFC 9266 3). */
static const char *find_binding(const struct tls *tls, struct buf *octets)
{
	if (tls && tls_channel_binding(tls, "tls-unique", octets))
		return "tls-unique";
	if (tls && tls_channel_binding(tls, "tls-exporter", octets))
		return "tls-exporter";
	return NULL;
}

bool sasl_can_bind(const struct tls *tls)
{
	struct buf octets = BUF_INIT_SECRET(1024);
	bool can = find_binding(tls, &octets) != NULL;

	buf_release(&octets);
	return can;
}

static int begin_scram(struct sasl *s, const struct tls *tls, struct outcome *o)
{
	const struct sasl_identity *id = s->identity;
	struct buf octets = BUF_INIT_SECRET(1024);
	char *user = sasl_prepare(id->user);
	char *authzid = id->authzid ? sasl_prepare(id->authzid) : NULL;
	struct scram_request r = {
		.mechanism = s->mechanism->name,
		.user = user,
		.authzid = authzid,
		.binding_type = find_binding(tls, &octets),
		.binding_octets = buf_view(&octets),
	};
	bool is_bound = s->mechanism->strength == STRENGTH_BOUND;
	int rc = 0;

	if (r.binding_type)
		r.binding = is_bound ? SCRAM_BOUND : SCRAM_ABLE;
	if (is_bound && !r.binding_type)
		rc = fail(o, CAUSE_AUTH, "5.7.4",
			  "%s: this session has no TLS channel to bind to",
			  r.mechanism);
	else
		s->scram = scram_new(&r);
	memory_free_secret(user);
	memory_free_secret(authzid);
	buf_release(&octets);
	return rc;
}

/* RFC 5802 2.2: what cannot be prepared is no password for SCRAM. */
static int answer_scram(struct sasl *s, struct view challenge, struct buf *out,
			struct outcome *o)
{
	const char *password = get_password(s);
	char *prepared;
	int rc;

	if (!password)
		return fail_sasl(s, GSASL_NO_PASSWORD, o);
	if (!view_is_utf8(view_of(password)))
		return fail(o, CAUSE_AUTH, "5.7.8",
			    "%s: the password must be text in UTF-8 for it; "
			    "auth plain takes any octets",
			    s->mechanism->name);
	prepared = sasl_prepare(password);
	rc = scram_answer(s->scram, challenge, prepared, out, o);
	memory_free_secret(prepared);
	return rc;
}

/* The three messages: ours, ours on the server's, nothing on its proof. */
static int step_scram(struct sasl *s, const struct buf *heard, char **response,
		      struct outcome *o)
{
	struct buf plain = BUF_INIT_SECRET(2 * TOKEN_LIMIT);
	unsigned step = s->steps;
	int rc = 0;

	if (step == 0)
		scram_begin(s->scram, &plain);
	else if (step == 1)
		rc = answer_scram(s, buf_view(heard), &plain, o);
	else
		rc = scram_verify(s->scram, buf_view(heard), o);
	if (rc == 0) {
		s->is_done = step >= 2;
		s->steps++;
		*response = in_base64(buf_view(&plain));
	}
	buf_release(&plain);
	return rc;
}

/* ------------------------------------------------------------- the exchange */

struct sasl *sasl_new(const struct sasl_identity *identity)
{
	struct sasl *s = memory_alloc(sizeof(*s));

	s->identity = identity;
	return s;
}

/* Most logins go without. */
static int need_library(struct sasl *s, struct outcome *o)
{
	int rc;

	if (s->library)
		return 0;
	if (library_load_gsasl(o) < 0)
		return -1;
	rc = gsasl_init(&s->library);
	if (rc != GSASL_OK) {
		s->library = NULL;
		return fail(o, CAUSE_SYSTEM, "4.3.0",
			    "cannot set up GNU SASL: %s", gsasl_strerror(rc));
	}
	gsasl_callback_hook_set(s->library, s);
	gsasl_callback_set(s->library, provide);
	return 0;
}

static void end(struct sasl *s)
{
	if (s->exchange) {
		wipe_password(s->exchange);
		gsasl_finish(s->exchange);
	}
	s->exchange = NULL;
	scram_free(s->scram);
	s->scram = NULL;
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
	if (s->library)
		gsasl_done(s->library);
	free(s);
}

static bool is_plain(const struct mechanism *m)
{
	return !strcmp(m->name, "PLAIN");
}

bool sasl_can(struct sasl *s, const struct mechanism *m)
{
	struct outcome ignored = OUTCOME_INIT;
	bool can = bearer_find(m->name) || scram_is_one(m->name) || is_plain(m);

	if (!can)
		can = need_library(s, &ignored) < 0 ||
			gsasl_client_support_p(s->library, m->name);
	outcome_release(&ignored);
	return can;
}

int sasl_begin(struct sasl *s, const struct mechanism *m, const struct tls *tls,
	       struct outcome *o)
{
	int rc;

	end(s);
	s->mechanism = m;
	s->form = bearer_find(m->name);
	if (s->form || is_plain(m))
		return 0;
	if (scram_is_one(m->name))
		return begin_scram(s, tls, o);
	if (need_library(s, o) < 0)
		return -1;
	rc = gsasl_client_start(s->library, m->name, &s->exchange);
	return rc == GSASL_OK ? 0 : fail_sasl(s, rc, o);
}

/*
 * Is the server's message all there, with the name that it says it has? libntlm
 * takes its word for it, and would answer with what lies behind it in memory.
 */
static bool is_ntlm_whole(struct view message)
{
	const unsigned char *p = (const unsigned char *)message.p;
	size_t n, at;

	if (message.n < NTLM_CHALLENGE_MIN)
		return false;
	n = p[12] | (size_t)p[13] << 8;
	at = p[16] | (size_t)p[17] << 8 | (size_t)p[18] << 16 |
		(size_t)p[19] << 24;
	return at <= message.n && n <= message.n - at;
}

/* The server's complaint about the token, for people. */
static void keep_complaint(struct sasl *s, const char *challenge)
{
	struct buf json = BUF_INIT(TOKEN_LIMIT);
	struct buf shown = BUF_INIT(5 * TOKEN_LIMIT);

	if (decode_base64(&json, view_of(challenge)) && json.n) {
		text_add_printable(&shown, view_trim(buf_view(&json)));
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
	char *user = sasl_prepare(id->authzid ? id->authzid : id->user);
	struct bearer b = {user, id->host, id->port, token};
	struct buf plain = BUF_INIT_SECRET(TOKEN_LIMIT);
	int rc = 0;

	if (!token) {
		rc = fail_sasl(s, GSASL_NO_PASSWORD, o);
	} else if (!bearer_is_token(token)) {
		rc = fail(o, CAUSE_AUTH, "5.7.8",
			  "%s wants an OAuth token, and this is none: it has "
			  "blanks or other than ASCII letters in it",
			  s->mechanism->name);
	} else {
		s->form->add(&b, &plain);
		*response = in_base64(buf_view(&plain));
	}
	memory_free_secret(user);
	buf_release(&plain);
	return rc;
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

/* RFC 4616 2: all of it at once. */
static int step_plain(struct sasl *s, char **response, struct outcome *o)
{
	const struct sasl_identity *id = s->identity;
	const char *password = s->steps++ ? NULL : get_password(s);
	const char *texts[] = {id->authzid ? id->authzid : "", id->user,
			       password};
	struct buf plain = BUF_INIT_SECRET(2 * TOKEN_LIMIT);
	char *prepared;
	size_t i;

	if (s->is_done)
		return fail_sasl(s, GSASL_MECHANISM_CALLED_TOO_MANY_TIMES, o);
	if (!password)
		return fail_sasl(s, GSASL_NO_PASSWORD, o);
	for (i = 0; i < 3; i++) {
		if (i)
			buf_add_char(&plain, '\0');
		prepared = sasl_prepare(texts[i]);
		buf_add_text(&plain, prepared);
		memory_free_secret(prepared);
	}
	*response = in_base64(buf_view(&plain));
	s->is_done = true;
	buf_release(&plain);
	return 0;
}

/* GNU SASL reads some challenges to a NUL behind them, which its own decoder of
 * base64 does not put there; a buf has one. */
static int step_library(struct sasl *s, const struct buf *heard, bool is_first,
			char **response, struct outcome *o)
{
	char *said = NULL;
	size_t n = 0;
	int rc = gsasl_step(s->exchange, is_first ? NULL : heard->p, heard->n,
			    &said, &n);

	if (rc == GSASL_OK || rc == GSASL_NEEDS_MORE) {
		*response = in_base64(view_make(said, n));
		s->is_done = rc == GSASL_OK;
		rc = 0;
	} else {
		rc = fail_sasl(s, rc, o);
	}
	if (said)
		memory_wipe(said, n);
	gsasl_free(said);
	return rc;
}

int sasl_step(struct sasl *s, const char *challenge, char **response,
	      struct outcome *o)
{
	struct buf heard = BUF_INIT(TOKEN_LIMIT);
	bool is_ntlm = !strcmp(s->mechanism->name, "NTLM");
	int rc;

	if (s->form)
		return step_bearer(s, challenge, response, o);
	if (challenge && !decode_base64(&heard, view_of(challenge)))
		rc = fail(o, CAUSE_PROTOCOL, "5.5.0",
			  "%s: the server's challenge is not base64",
			  s->mechanism->name);
	else if (s->scram)
		rc = step_scram(s, &heard, response, o);
	else if (is_plain(s->mechanism))
		rc = step_plain(s, response, o);
	else if (challenge && is_ntlm && !is_ntlm_whole(buf_view(&heard)))
		rc = fail(o, CAUSE_PROTOCOL, "5.5.0",
			  "NTLM: the server's challenge cannot be read");
	else
		rc = step_library(s, &heard, !challenge, response, o);
	buf_release(&heard);
	return rc;
}

bool sasl_is_done(const struct sasl *s)
{
	return s->is_done;
}

const char *sasl_complaint(const struct sasl *s)
{
	return s->complaint;
}
