/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SASL over SMTP (RFC 4954). GNU SASL knows the mechanisms; this file knows
 * which of them to take, how their messages travel, and that no password is
 * said in clear.
 */
#include "smtp/auth.h"

#include <gsasl.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "smtp/session.h"

#define ROUNDS_LIMIT       16   /* challenges of one exchange */
#define COMMAND_LINE_LIMIT 510u /* RFC 5321 4.5.3.1.4, without CRLF */

/* In order of strength: the first that the server offers is taken. */
static const struct mechanism {
	const char *name;
	bool client_first; /* has an initial response */
	bool clear;        /* shows the password to who listens */
	bool weak;   /* who listens can search for the password: in clear only
			by name */
	bool mutual; /* the server proves that it knows it as well */
} mechanisms[] = {
	{.name = "SCRAM-SHA-256", .client_first = true, .mutual = true},
	{.name = "SCRAM-SHA-1", .client_first = true, .mutual = true},
	{.name = "PLAIN", .client_first = true, .clear = true},
	{.name = "LOGIN", .clear = true},
	{.name = "CRAM-MD5", .weak = true},
};

#define N_MECHANISMS (sizeof(mechanisms) / sizeof(mechanisms[0]))

/* One exchange under way. */
struct exchange {
	struct session *session;
	const struct auth_policy *policy;
	const struct auth_secret *secret;
	const struct mechanism *mechanism;
	Gsasl *library;
	Gsasl_session *sasl;
	struct outcome secret_failure; /* why there is no password */
	bool proven;                   /* GNU SASL has seen all it needs */
};

static const struct mechanism *find(struct view name)
{
	size_t i;

	for (i = 0; i < N_MECHANISMS; i++)
		if (view_equal_nocase(view_of(mechanisms[i].name), name))
			return &mechanisms[i];
	return NULL;
}

bool auth_is_known(struct view mechanism)
{
	return find(mechanism) != NULL;
}

bool auth_is_wanted(const struct auth_policy *policy)
{
	if (policy->want == AUTH_AUTO)
		return policy->user != NULL;
	return policy->want != AUTH_OFF;
}

static bool is_offered(const struct session *s, const struct mechanism *m)
{
	return strings_has_nocase(&s->capabilities.mechanisms,
				  view_of(m->name));
}

static void join(struct buf *out, const struct strings *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		buf_printf(out, "%s%s", i ? " " : "", list->p[i]);
}

static void fail_nothing_offered(const struct session *s, struct outcome *o)
{
	struct buf offered = BUF_INIT(REPLY_LIMIT);
	bool in_clear = !stream_tls(s->stream);

	join(&offered, &s->capabilities.mechanisms);
	if (!offered.n)
		fail(o, CAUSE_AUTH, "5.7.4",
		     "the server does not offer authentication%s; nothing was "
		     "sent",
		     in_clear ? " without TLS" : "");
	else
		fail(o, CAUSE_AUTH, "5.7.4",
		     "no usable authentication mechanism; the server offers "
		     "%s%s",
		     offered.p,
		     in_clear ? ", and without TLS none that gives the "
				"password away is used"
			      : "");
	buf_release(&offered);
}

/* In clear nothing that shows the password is used, and what lets it be
 * searched for only if the user names it (RFC 4954 4, RFC 8314 5). */
static bool is_usable(const struct mechanism *m, const struct session *s,
		      bool is_named)
{
	if (stream_tls(s->stream))
		return true;
	return !m->clear && (is_named || !m->weak);
}

static const struct mechanism *choose_named(const struct session *s,
					    const char *name, struct outcome *o)
{
	const struct mechanism *m = find(view_of(name));

	if (m && !is_usable(m, s, true))
		fail(o, CAUSE_AUTH, "5.7.4",
		     "%s would show the password: it is not used without TLS; "
		     "set tls on",
		     m->name);
	else if (m && is_offered(s, m))
		return m;
	else
		fail_nothing_offered(s, o);
	return NULL;
}

/* The mechanism to use, or NULL. */
static const struct mechanism *choose(const struct session *s,
				      const struct auth_policy *policy,
				      struct outcome *o)
{
	size_t i;

	if (policy->want == AUTH_NAMED)
		return choose_named(s, policy->mechanisms.p[0], o);
	for (i = 0; i < N_MECHANISMS; i++)
		if (is_offered(s, &mechanisms[i]) &&
		    is_usable(&mechanisms[i], s, false))
			return &mechanisms[i];
	fail_nothing_offered(s, o);
	return NULL;
}

static int provide_password(struct exchange *x)
{
	struct buf password = BUF_INIT_SECRET(64u << 10);
	int rc = GSASL_NO_PASSWORD;

	if (!x->secret || !x->secret->get)
		fail(&x->secret_failure, CAUSE_AUTH, "5.7.8",
		     "there is no password");
	else if (x->secret->get(x->secret->context, &password,
				&x->secret_failure) == 0)
		rc = gsasl_property_set(x->sasl, GSASL_PASSWORD, password.p);
	buf_release(&password);
	return rc;
}

/* GNU SASL asks for what a mechanism needs, when it needs it. */
static int provide(Gsasl *library, Gsasl_session *sasl, Gsasl_property property)
{
	struct exchange *x = gsasl_session_hook_get(sasl);

	(void)library;
	switch (property) {
	case GSASL_AUTHID:
		return gsasl_property_set(sasl, property, x->policy->user);
	case GSASL_PASSWORD: return provide_password(x);
	default: return GSASL_NO_CALLBACK;
	}
}

static int fail_sasl(struct exchange *x, int error, struct outcome *o)
{
	if (outcome_is_failure(&x->secret_failure)) {
		outcome_copy(o, &x->secret_failure);
		return -1;
	}
	return fail(o, CAUSE_AUTH, "5.7.8", "%s: %s", x->mechanism->name,
		    gsasl_strerror(error));
}

/* One step: the server's words in, ours out (base64 on both sides). */
static int step(struct exchange *x, const char *challenge, char **response,
		struct outcome *o)
{
	int rc = gsasl_step64(x->sasl, challenge, response);

	if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE)
		return fail_sasl(x, rc, o);
	x->proven = rc == GSASL_OK;
	return 0;
}

/* AUTH NAME, with the initial response where it has one and the line may be
 * that long; `=` stands for an empty one (RFC 4954 4). */
static int begin(struct exchange *x, char **initial, struct reply *reply,
		 struct outcome *o)
{
	struct buf line = BUF_INIT_SECRET(2 * COMMAND_LINE_LIMIT);
	struct buf shown = BUF_INIT(2 * COMMAND_LINE_LIMIT);
	int rc = -1;

	buf_printf(&line, "AUTH %s", x->mechanism->name);
	buf_add_view(&shown, buf_view(&line));
	if (x->mechanism->client_first) {
		if (step(x, NULL, initial, o) < 0)
			goto done;
		if (line.n + 1 + strlen(*initial) <= COMMAND_LINE_LIMIT) {
			buf_printf(&line, " %s", **initial ? *initial : "=");
			buf_add_text(&shown, " *");
			memory_free_secret(*initial);
			*initial = NULL;
		}
	}
	rc = session_ask_secret(x->session, "AUTH", buf_view(&line), shown.p,
				reply, o);
done:
	buf_release(&line);
	buf_release(&shown);
	return rc;
}

/* Give up in the middle: `*`, and the server's 501 (RFC 4954 4). */
static void cancel(struct exchange *x)
{
	struct outcome ignored = OUTCOME_INIT;
	struct reply reply = REPLY_INIT;

	session_ask(x->session, "AUTH", "*", STEP_AUTH, &reply, &ignored);
	outcome_release(&ignored);
	reply_release(&reply);
}

/* Answer challenges until the server stops asking. `pending`: the initial
 * response that did not fit the command line. Takes it over. */
static int answer_challenges(struct exchange *x, char *pending,
			     struct reply *reply, struct outcome *o)
{
	int round, rc = 0;

	for (round = 0; rc == 0 && reply->code == 334; round++) {
		if (round == ROUNDS_LIMIT)
			rc = fail(o, CAUSE_PROTOCOL, "5.5.0",
				  "the server never stops asking in AUTH %s",
				  x->mechanism->name);
		else if (!pending)
			rc = step(x, reply->text.p, &pending, o);
		if (rc < 0) {
			cancel(x);
			break;
		}
		rc = session_ask_secret(x->session, "AUTH", view_of(pending),
					"*", reply, o);
		memory_free_secret(pending);
		pending = NULL;
	}
	memory_free_secret(pending);
	return rc;
}

static int converse(struct exchange *x, struct outcome *o)
{
	struct reply reply = REPLY_INIT;
	char *initial = NULL;
	int rc = begin(x, &initial, &reply, o);

	if (rc < 0)
		memory_free_secret(initial);
	else
		rc = answer_challenges(x, initial, &reply, o);
	if (rc == 0 && reply.code != 235)
		rc = reply_fail(&reply, STEP_AUTH, x->session->host, "AUTH", o);
	if (rc == 0 && x->mechanism->mutual && !x->proven)
		rc = fail(
			o, CAUSE_AUTH, "5.7.8",
			"the server accepted the login but did not prove that "
			"it knows the password (%s)",
			x->mechanism->name);
	reply_release(&reply);
	return rc;
}

/* GNU SASL frees its copy without wiping it. */
static void wipe_password(Gsasl_session *sasl)
{
	const char *copy = gsasl_property_fast(sasl, GSASL_PASSWORD);

	if (copy)
		memory_wipe((char *)(uintptr_t)copy, strlen(copy));
}

static int run_exchange(struct exchange *x, struct outcome *o)
{
	int rc = gsasl_init(&x->library);

	if (rc != GSASL_OK)
		return fail_sasl(x, rc, o);
	gsasl_callback_set(x->library, provide);
	rc = gsasl_client_start(x->library, x->mechanism->name, &x->sasl);
	if (rc != GSASL_OK) {
		rc = fail_sasl(x, rc, o);
		goto done;
	}
	gsasl_session_hook_set(x->sasl, x);
	rc = converse(x, o);
	wipe_password(x->sasl);
	gsasl_finish(x->sasl);
done:
	gsasl_done(x->library);
	outcome_release(&x->secret_failure);
	return rc;
}

int auth_run(struct session *s, const struct auth_policy *policy,
	     const struct auth_secret *secret, struct outcome *o)
{
	struct exchange x = {
		.session = s,
		.policy = policy,
		.secret = secret,
		.mechanism = choose(s, policy, o),
	};

	if (!x.mechanism)
		return -1;
	if (!policy->user)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "auth is on, but no user is set");
	if (run_exchange(&x, o) < 0)
		return -1;
	s->mechanism = x.mechanism->name;
	return 0;
}
