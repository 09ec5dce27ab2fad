/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SASL over SMTP (RFC 4954): which mechanisms to try, how their messages
 * travel, and what a refusal means. That nothing weaker than need be is said is
 * decided here; what mechanisms say is smtp/sasl's.
 */
#include "smtp/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "smtp/mechanism.h"
#include "smtp/sasl.h"
#include "smtp/session.h"

#define ROUNDS_LIMIT       16   /* challenges of one exchange */
#define COMMAND_LINE_LIMIT 510u /* RFC 5321 4.5.3.1.4, without CRLF */
#define SECRET_LIMIT       (64u << 10)
#define COMPLAINT_SHOWN    1024 /* octets of what is said of a token */

#define APPLICATION_PASSWORD                                             \
	"make an application password in the account's settings at the " \
	"provider, and use that"
#define OAUTH                                                                 \
	"it wants OAuth: set auth xoauth2, and a passwordeval that prints a " \
	"token"

/* All attempts to log in on one session. */
struct login {
	struct session *session;
	const struct auth_policy *policy;
	const struct auth_secret *secret;
	struct buf password; /* or token, once a mechanism has needed it */
	bool has_password;
	struct sasl *sasl;
	const struct mechanism *mechanism; /* of the attempt under way */
};

/* How an attempt ended. */
enum verdict {
	VERDICT_DONE,
	VERDICT_UNABLE,  /* the mechanism needs what we have not; not a word
			    was said */
	VERDICT_REFUSED, /* by the server, which may take another mechanism */
	VERDICT_OVER,    /* so that no other need be tried */
};

/* --------------------------------------------------------------- policies */

bool auth_is_known(struct view mechanism)
{
	return mechanism_find(mechanism) != NULL;
}

bool auth_is_wanted(const struct auth_policy *policy)
{
	if (policy->want == AUTH_AUTO)
		return policy->user != NULL;
	return policy->want != AUTH_OFF;
}

/* The i-th mechanism that the policy lets us think of; NULL behind the last. */
static const struct mechanism *candidate(const struct auth_policy *policy,
					 size_t i)
{
	const struct strings *names = &policy->mechanisms;

	if (policy->want != AUTH_NAMED)
		return i < mechanisms_n ? &mechanisms[i] : NULL;
	return i < names->n ? mechanism_find(view_of(names->p[i])) : NULL;
}

bool auth_needs_user(const struct auth_policy *policy)
{
	const struct mechanism *m;
	size_t i;

	if (!auth_is_wanted(policy))
		return false;
	if (policy->want != AUTH_NAMED)
		return true;
	for (i = 0; (m = candidate(policy, i)); i++)
		if (!m->needs_no_user)
			return true;
	return false;
}

/* -------------------------------------------------------------- the choice */

static bool is_offered(const struct session *s, const struct mechanism *m)
{
	return strings_has_nocase(&s->capabilities.mechanisms,
				  view_of(m->name));
}

static bool offers_binding(const struct session *s)
{
	const struct mechanism *m;

	for (m = mechanisms; m < mechanisms + mechanisms_n; m++)
		if (m->strength == STRENGTH_BOUND && is_offered(s, m))
			return true;
	return false;
}

/* In clear nothing that shows the password is used, and what lets it be
 * searched for only if the user names it (RFC 4954 4, RFC 8314 5). */
static bool is_safe(const struct login *l, const struct mechanism *m)
{
	if (stream_tls(l->session->stream))
		return true;
	if (m->strength == STRENGTH_SEARCHABLE)
		return l->policy->want == AUTH_NAMED;
	return m->strength != STRENGTH_SHOWN;
}

/* Where MIT's library keeps tickets by default. Without any it is not even
 * asked, as it looks up the server's name in its own time. */
static bool has_ticket(void)
{
	char path[64];

	if (getenv("KRB5CCNAME"))
		return true;
	snprintf(path, sizeof(path), "/tmp/krb5cc_%lu",
		 (unsigned long)geteuid());
	return access(path, R_OK) == 0;
}

static bool is_usable(const struct login *l, const struct mechanism *m)
{
	const struct session *s = l->session;

	if (!is_offered(s, m) || !is_safe(l, m) || !sasl_can(l->sasl, m))
		return false;
	if (m->strength == STRENGTH_BOUND &&
	    !sasl_can_bind(stream_tls(s->stream)))
		return false;
	if (l->policy->want == AUTH_NAMED)
		return true;
	return !m->by_name && (!m->by_certificate || s->has_certificate) &&
		(!m->by_ticket || (s->is_direct && has_ticket()));
}

/* May m follow on one that the server refused? Down a list that the user made
 * in any case; else only to what is as strong. */
static bool may_follow(const struct login *l, const struct mechanism *refused,
		       const struct mechanism *m)
{
	return !refused || l->policy->want == AUTH_NAMED ||
		m->strength <= refused->strength;
}

static void join(struct buf *out, const struct strings *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		buf_printf(out, "%s%s", i ? " " : "", list->p[i]);
}

static void fail_not_offered(const struct session *s, struct outcome *o)
{
	const char *when = "";

	if (!stream_tls(s->stream))
		when = " without TLS";
	else if (s->had_auth_in_clear)
		when = " under TLS, though it did before";
	fail(o, CAUSE_AUTH, "5.7.4",
	     "the server does not offer authentication%s; nothing was sent",
	     when);
}

/* Why nothing that the server offers will do. */
static void fail_nothing_usable(const struct login *l, struct outcome *o)
{
	const struct session *s = l->session;
	const struct mechanism *m;
	struct buf offered = BUF_INIT(REPLY_LIMIT);
	const char *hint = "";
	size_t i;

	join(&offered, &s->capabilities.mechanisms);
	if (!offered.n) {
		fail_not_offered(s, o);
		goto done;
	}
	for (i = 0; (m = candidate(l->policy, i)); i++) {
		if (l->policy->want != AUTH_NAMED || !is_offered(s, m))
			continue;
		if (!sasl_can(l->sasl, m))
			hint = "; this system's GNU SASL cannot do what is "
			       "asked for";
		else if (!is_safe(l, m))
			hint = "; what is asked for would show the password: "
			       "it is not used without TLS; set tls on";
		else if (m->strength == STRENGTH_BOUND)
			hint = "; this TLS session has nothing to bind to";
	}
	if (!*hint && !stream_tls(s->stream))
		hint = ", and without TLS none that gives the password away "
		       "is used";
	fail(o, CAUSE_AUTH, "5.7.4",
	     "no usable authentication mechanism; the server offers %s%s",
	     offered.p, hint);
done:
	buf_release(&offered);
}

/* ------------------------------------------------------------- the exchange */

static const char *get_password(void *context, struct outcome *o)
{
	struct login *l = context;
	const struct auth_secret *secret = l->secret;
	char *prepared;

	if (l->has_password)
		return l->password.p;
	if (!secret || !secret->get) {
		fail(o, CAUSE_AUTH, "5.7.8", "there is no password");
		return NULL;
	}
	if (secret->get(secret->context, &l->password, o) < 0)
		return NULL;
	l->has_password = true;
	session_hide(l->session, buf_view(&l->password));
	prepared = sasl_prepare(l->password.p);
	session_hide(l->session, view_of(prepared));
	memory_free_secret(prepared);
	return l->password.p;
}

/* AUTH NAME, with the initial response where there is one and the line may be
 * that long; `=` stands for an empty one (RFC 4954 4). What did not fit stays
 * in *initial. */
static int begin(struct login *l, char **initial, struct reply *reply,
		 struct outcome *o)
{
	struct buf line = BUF_INIT_SECRET(2 * COMMAND_LINE_LIMIT);
	struct buf shown = BUF_INIT(2 * COMMAND_LINE_LIMIT);
	int rc;

	if (*initial)
		session_hide(l->session, view_of(*initial));
	buf_printf(&line, "AUTH %s", l->mechanism->name);
	buf_add_view(&shown, buf_view(&line));
	if (*initial && line.n + 1 + strlen(*initial) <= COMMAND_LINE_LIMIT) {
		buf_add_char(&line, ' ');
		buf_add_text(&line, **initial ? *initial : "=");
		buf_add_text(&shown, " *");
		memory_free_secret(*initial);
		*initial = NULL;
	}
	rc = session_ask_secret(l->session, "AUTH", buf_view(&line), shown.p,
				reply, o);
	buf_release(&line);
	buf_release(&shown);
	return rc;
}

/* Give up in the middle: `*`, and the server's 501 (RFC 4954 4). */
static void cancel(struct login *l)
{
	struct outcome ignored = OUTCOME_INIT;
	struct reply reply = REPLY_INIT;

	session_ask(l->session, "AUTH", "*", STEP_AUTH, &reply, &ignored);
	outcome_release(&ignored);
	reply_release(&reply);
}

/* Answer challenges until the server stops asking. `pending`: the initial
 * response that did not fit the command line. Takes it over. */
static int answer_challenges(struct login *l, char *pending,
			     struct reply *reply, struct outcome *o)
{
	int round, rc = 0;

	for (round = 0; rc == 0 && reply->code == 334; round++) {
		if (round == ROUNDS_LIMIT)
			rc = fail(o, CAUSE_PROTOCOL, "5.5.0",
				  "the server never stops asking in AUTH %s",
				  l->mechanism->name);
		else if (!pending)
			rc = sasl_step(l->sasl, reply->text.p, &pending, o);
		if (rc < 0) {
			cancel(l);
			break;
		}
		session_hide(l->session, view_of(pending));
		rc = session_ask_secret(l->session, "AUTH", view_of(pending),
					"*", reply, o);
		memory_free_secret(pending);
		pending = NULL;
	}
	memory_free_secret(pending);
	return rc;
}

/* The proof that a mutual mechanism needs may come with the 235, as its last
 * word, from servers that save a turn. */
static bool has_proof(struct login *l, const struct reply *reply)
{
	struct outcome ignored = OUTCOME_INIT;
	const char *last = strrchr(reply->text.p, ' ');
	char *response = NULL;

	if (!l->mechanism->mutual || sasl_is_done(l->sasl))
		return true;
	last = last ? last + 1 : reply->text.p;
	if (*last)
		sasl_step(l->sasl, last, &response, &ignored);
	memory_free_secret(response);
	outcome_release(&ignored);
	return sasl_is_done(l->sasl);
}

/* ---------------------------------------------------- what a refusal means */

/* What is known to help, by what the server says (text_matches). */
static const struct {
	const char *reply;
	const char *hint;
} hints[] = {
	{"*application-specific password*", APPLICATION_PASSWORD},
	{"*application password*", APPLICATION_PASSWORD},
	{"*app password*", APPLICATION_PASSWORD},
	{"*InvalidSecondFactor*", APPLICATION_PASSWORD},
	{"*BadCredentials*", APPLICATION_PASSWORD},
	{"* 5.7.139 *", OAUTH},
	{"*XOAUTH2*", OAUTH},
	{"*basic authentication is disabled*", OAUTH},
	{"*SmtpClientAuthentication is disabled*",
	 "whoever administers the mailbox must allow SMTP AUTH for it"},
};

static const char *known_hint(const struct reply *reply)
{
	struct buf words = BUF_INIT(2 * REPLY_LIMIT);
	const char *hint = NULL;
	size_t i;

	reply_add_words(reply, &words);
	for (i = 0; !hint && i < sizeof(hints) / sizeof(hints[0]); i++)
		if (text_matches(view_of(hints[i].reply), buf_view(&words)))
			hint = hints[i].hint;
	buf_release(&words);
	return hint;
}

/* A server that keeps only digests of passwords can't do what it offers. */
static bool may_lack_password(const struct login *l)
{
	const struct mechanism *plain = mechanism_find(VIEW("PLAIN"));

	return l->mechanism->strength != STRENGTH_SHOWN &&
		!l->mechanism->needs_no_user &&
		stream_tls(l->session->stream) && is_offered(l->session, plain);
}

/* Taken because there was a certificate, or a ticket. */
static bool was_taken_unasked(const struct login *l)
{
	return l->policy->want != AUTH_NAMED && l->mechanism->needs_no_user;
}

static void add_hint(const struct login *l, const struct reply *reply,
		     struct outcome *o)
{
	const char *complaint = sasl_complaint(l->sasl);
	const char *known = known_hint(reply);
	struct buf words = BUF_INIT(4096);
	bool is_hidden;

	if (complaint) {
		is_hidden = session_is_hidden(l->session, view_of(complaint));
		buf_printf(&words, "of the token it says: %.*s",
			   COMPLAINT_SHOWN,
			   is_hidden ? SESSION_HIDDEN : complaint);
		outcome_add_hint(o, words.p);
	}
	if (known)
		outcome_add_hint(o, known);
	else if (reply->code == 432)
		outcome_add_hint(o,
				 "auth plain, once, makes the server know "
				 "the password");
	else if (was_taken_unasked(l))
		outcome_add_hint(o,
				 "it was taken as there is a certificate "
				 "or a ticket; auth plain takes the "
				 "password");
	else if (may_lack_password(l))
		outcome_add_hint(o,
				 "if the password is right, the server may "
				 "not have it in the form for this; "
				 "auth plain may do");
	buf_release(&words);
}

/* Is there sense in another mechanism (RFC 4954 4, 6)? If the server has seen
 * what we know and says that it is wrong, it would be so again. */
static enum verdict judge(const struct login *l, const struct reply *reply)
{
	bool is_wrong = reply->code == 535 &&
		l->mechanism->strength == STRENGTH_SHOWN;
	bool is_refusal = reply->code == 504 || reply->code == 534 ||
		reply->code == 535;

	if (l->session->ended || is_wrong || !is_refusal)
		return VERDICT_OVER;
	return VERDICT_REFUSED;
}

/* 235 is the end of it, if the server has proved itself. */
static enum verdict conclude(struct login *l, const struct reply *reply,
			     struct outcome *o)
{
	if (reply->code != 235) {
		reply_fail(reply, STEP_AUTH, l->session->host, "AUTH", o);
		add_hint(l, reply, o);
		return judge(l, reply);
	}
	if (has_proof(l, reply))
		return VERDICT_DONE;
	fail(o, CAUSE_AUTH, "5.7.8",
	     "the server accepted the login but did not prove that it knows "
	     "the password (%s)",
	     l->mechanism->name);
	return VERDICT_OVER;
}

/* ------------------------------------------------------------- the attempts */

/* The channel to name in SCRAM. If the server offers to bind, and the user has
 * named a form that does not, it must not be told that it lacks something (RFC
 * 5802 6). */
static const struct tls *channel(const struct login *l)
{
	const struct session *s = l->session;

	if (l->mechanism->strength != STRENGTH_BOUND && offers_binding(s))
		return NULL;
	return stream_tls(s->stream);
}

static enum verdict attempt(struct login *l, struct outcome *o)
{
	struct reply reply = REPLY_INIT;
	enum verdict verdict = VERDICT_OVER;
	char *initial = NULL;
	int rc;

	if (sasl_begin(l->sasl, l->mechanism, channel(l), o) < 0)
		return VERDICT_OVER;
	if (l->mechanism->client_first &&
	    sasl_step(l->sasl, NULL, &initial, o) < 0)
		return l->mechanism->needs_no_user ? VERDICT_UNABLE
						   : VERDICT_OVER;
	rc = begin(l, &initial, &reply, o);
	if (rc == 0)
		rc = answer_challenges(l, initial, &reply, o);
	else
		memory_free_secret(initial);
	if (rc == 0)
		verdict = conclude(l, &reply, o);
	reply_release(&reply);
	return verdict;
}

/*
 * Is this told rather than what was told of the attempts before it? That a
 * mechanism was not for us only if there was nothing else; the first refusal,
 * as the strongest was taken first; but before that what may be otherwise
 * later, and what did not come from the server.
 */
static bool is_telling(enum verdict verdict, const struct outcome *why,
		       bool was_refused, const struct outcome *told)
{
	switch (verdict) {
	case VERDICT_DONE: return false;
	case VERDICT_UNABLE: return !outcome_is_failure(told);
	case VERDICT_REFUSED: return !was_refused;
	case VERDICT_OVER: break;
	}
	return !was_refused || !why->reply_code || outcome_is_temporary(why);
}

static int log_in(struct login *l, struct outcome *o)
{
	const struct mechanism *m, *refused = NULL;
	enum verdict verdict = VERDICT_UNABLE;
	struct outcome why = OUTCOME_INIT;
	size_t i;

	for (i = 0; (m = candidate(l->policy, i)); i++) {
		if (verdict == VERDICT_DONE || verdict == VERDICT_OVER)
			break;
		if (!is_usable(l, m) || !may_follow(l, refused, m))
			continue;
		l->mechanism = m;
		verdict = attempt(l, &why);
		if (is_telling(verdict, &why, refused != NULL, o))
			outcome_copy(o, &why);
		if (verdict == VERDICT_REFUSED)
			refused = m;
		outcome_release(&why);
	}
	if (verdict == VERDICT_DONE) {
		outcome_release(o);
		l->session->mechanism = l->mechanism->name;
		return 0;
	}
	if (!outcome_is_failure(o))
		fail_nothing_usable(l, o);
	return -1;
}

int auth_run(struct session *s, const struct auth_policy *policy,
	     const struct auth_secret *secret, struct outcome *o)
{
	struct login l = {
		.session = s,
		.policy = policy,
		.secret = secret,
		.password = BUF_INIT_SECRET(SECRET_LIMIT),
	};
	bool is_named = policy->want == AUTH_NAMED;
	struct sasl_identity identity = {
		.user = policy->user,
		.authzid = policy->authzid,
		.authzid_of_ticket = policy->authzid || is_named
			? policy->authzid
			: policy->user,
		.realm = policy->ntlm_domain,
		.host = s->host,
		.port = s->port,
		.password = get_password,
		.context = &l,
	};
	int rc;

	if (auth_needs_user(policy) && !policy->user)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "auth is on, but no user is set");
	if (!is_named && stream_tls(s->stream) && offers_binding(s) &&
	    !sasl_can_bind(stream_tls(s->stream)))
		return fail(o, CAUSE_AUTH, "5.7.4",
			    "the server binds logins to the TLS session, and "
			    "this session has nothing to bind to: somebody may "
			    "be in the middle (auth with the name of a "
			    "mechanism goes on all the same)");
	l.sasl = sasl_new(&identity);
	rc = log_in(&l, o);
	sasl_free(l.sasl);
	buf_release(&l.password);
	session_forget_hidden(s);
	return rc;
}
