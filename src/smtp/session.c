/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From an open stream to a session that is ready for MAIL. Program order is
 * protocol order; the one sequence serves submission, probe and queue.
 */
#include "smtp/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "net/resolve.h"

#define HIDDEN_LEAST  8u           /* octets of a secret */
#define SECRETS_LIMIT (256u << 10) /* octets of all of them */

struct deadline session_deadline(const struct session_policy *policy,
				 enum wait wait)
{
	unsigned limit = policy->waits[wait] != TIMEOUT_BY_RFC
		? policy->waits[wait]
		: policy->timeout;
	static const unsigned seconds[] = {
		[WAIT_CONNECT] = 30,    [WAIT_GREETING] = 300,
		[WAIT_MAIL] = 300,      [WAIT_RCPT] = 300,
		[WAIT_DATA_INIT] = 120, [WAIT_DATA_BLOCK] = 180,
		[WAIT_DATA_END] = 600,
	};

	if (limit == TIMEOUT_NONE)
		return DEADLINE_NEVER;
	return deadline_in(limit == TIMEOUT_BY_RFC ? seconds[wait] : limit);
}

bool session_is_idle(struct session *s)
{
	return !s->ended && stream_is_quiet(s->stream);
}

bool session_pipelines(const struct session *s)
{
	if (s->policy->pipelining == PIPELINING_AUTO)
		return capabilities_has(&s->capabilities, CAP_PIPELINING);
	return s->policy->pipelining == PIPELINING_ON;
}

char *session_own_name(const struct session_policy *policy)
{
	if (policy->domain)
		return memory_dup(policy->domain);
	return resolve_own_name();
}

/* Run one command and keep its reply. */
static int run_one(struct session *s, struct command *c, struct reply *reply,
		   struct outcome *o)
{
	int rc = pipeline_run(s, c, 1, o);

	if (rc == 0)
		reply_copy(reply, &c->replies[0]);
	command_release(c);
	return rc;
}

int session_ask(struct session *s, const char *verb, const char *line,
		enum step step, struct reply *reply, struct outcome *o)
{
	struct command c;

	command_line(&c, verb, line, step);
	return run_one(s, &c, reply, o);
}

int session_ask_secret(struct session *s, const char *verb, struct view line,
		       const char *shown, struct reply *reply,
		       struct outcome *o)
{
	struct command c;

	command_line(&c, verb, line.p, STEP_AUTH);
	c.shown = memory_dup(shown);
	return run_one(s, &c, reply, o);
}

void session_hide(struct session *s, struct view secret)
{
	if (secret.n < HIDDEN_LEAST ||
	    s->secrets.n + secret.n + 1 > SECRETS_LIMIT)
		return;
	buf_add_view(&s->secrets, secret);
	buf_add_char(&s->secrets, '\0');
}

bool session_is_hidden(const struct session *s, struct view said)
{
	const char *secret = s->secrets.p;
	size_t n;

	for (; secret < s->secrets.p + s->secrets.n; secret += n + 1) {
		n = strlen(secret);
		if (memmem(said.p, said.n, secret, n))
			return true;
	}
	return false;
}

void session_forget_hidden(struct session *s)
{
	buf_release(&s->secrets);
}

/* A server that waits for TLS says nothing to one that waits for words. */
static void hint_at_implicit_tls(bool starttls, struct outcome *o)
{
	if (starttls && o->cause == CAUSE_CONNECT)
		outcome_add_hint(o,
				 "if this port speaks TLS from the start, "
				 "set tls_starttls off");
}

/* It has nothing to say: the server speaks first. */
static void await_greeting(struct command *c)
{
	command_line(c, "the greeting", "", STEP_GREETING);
	memory_free_secret(c->line);
	c->line = NULL;
}

static int take_greeting(struct session *s, const struct reply *reply,
			 struct outcome *o)
{
	struct buf printable = BUF_INIT(4 * REPLY_LIMIT);

	if (reply->code != 220)
		return reply_fail(reply, STEP_GREETING, s->host, "the greeting",
				  o);
	text_add_printable(&printable, buf_view(&reply->text));
	s->greeting = buf_detach(&printable);
	return 0;
}

static int greet(struct session *s, bool starttls, struct outcome *o)
{
	struct reply reply = REPLY_INIT;
	struct command c;
	int rc;

	stages_enter(s->stages, STAGE_GREETING);
	await_greeting(&c);
	rc = run_one(s, &c, &reply, o);
	if (rc < 0)
		hint_at_implicit_tls(starttls, o);
	else
		rc = take_greeting(s, &reply, o);
	reply_release(&reply);
	return rc;
}

static const char *hello_verb(const struct session *s)
{
	return s->policy->lmtp ? "LHLO" : "EHLO";
}

static void make_hello(struct command *c, const char *verb, const char *name)
{
	struct buf line = BUF_INIT(1024);

	buf_printf(&line, "%s %s", verb, name);
	command_line(c, verb, line.p, STEP_EHLO);
	buf_release(&line);
}

static int say_hello(struct session *s, const char *verb, const char *name,
		     struct reply *reply, struct outcome *o)
{
	struct command c;

	make_hello(&c, verb, name);
	return run_one(s, &c, reply, o);
}

/* What the server answers to EHLO (LHLO in LMTP); HELO only where it rejects
 * EHLO for good (RFC 5321 3.2). */
static int take_hello(struct session *s, const char *name, struct reply *reply,
		      struct outcome *o)
{
	const char *verb = hello_verb(s);

	if (reply->code == 250) {
		capabilities_parse(&s->capabilities, reply);
		return 0;
	}
	if (reply_class(reply) == 5 && !s->policy->lmtp) {
		verb = "HELO";
		if (say_hello(s, verb, name, reply, o) < 0)
			return -1;
	}
	if (reply->code == 250)
		return 0;
	return reply_fail(reply, STEP_EHLO, s->host, verb, o);
}

static int hello(struct session *s, struct outcome *o)
{
	struct reply reply = REPLY_INIT;
	char *name = session_own_name(s->policy);
	int rc;

	stages_enter(s->stages, STAGE_GREETING);
	capabilities_release(&s->capabilities);
	rc = say_hello(s, hello_verb(s), name, &reply, o);
	if (rc == 0)
		rc = take_hello(s, name, &reply, o);
	free(name);
	reply_release(&reply);
	return rc;
}

/* PIPECONNECT: EHLO does not wait for the greeting, so both answers come
 * together. */
static int hello_early(struct session *s, struct outcome *o)
{
	struct command both[2];
	char *name = session_own_name(s->policy);
	int rc;

	stages_enter(s->stages, STAGE_GREETING);
	await_greeting(&both[0]);
	make_hello(&both[1], hello_verb(s), name);
	both[1].ahead = true;
	rc = pipeline_run(s, both, 2, o);
	if (rc == 0)
		rc = take_greeting(s, &both[0].replies[0], o);
	if (rc == 0)
		rc = take_hello(s, name, &both[1].replies[0], o);
	command_release(&both[0]);
	command_release(&both[1]);
	free(name);
	return rc;
}

/* Greeting and EHLO. */
static int meet(struct session *s, bool starttls, struct session_early *early,
		struct outcome *o)
{
	int rc;

	if (early && early->is_wanted) {
		rc = hello_early(s, o);
		early->has_failed = rc < 0;
		return rc;
	}
	if (greet(s, starttls, o) < 0)
		return -1;
	return hello(s, o);
}

static int secure(struct session *s, struct tls *tls, struct outcome *o)
{
	struct deadline deadline = session_deadline(s->policy, WAIT_GREETING);
	int rc;

	stages_enter(s->stages, STAGE_TLS);
	rc = stream_start_tls(s->stream, tls, deadline, o);
	if (rc < 0)
		s->ended = true; /* whoever is there must hear nothing more */
	else
		trace_note(s->trace, "secured by TLS");
	return rc;
}

/* Ask for TLS and wrap the stream in it. RFC 3207. Takes over tls. */
static int start_tls(struct session *s, struct tls *tls, struct outcome *o)
{
	struct reply reply = REPLY_INIT;
	int rc = -1;

	if (!capabilities_has(&s->capabilities, CAP_STARTTLS)) {
		fail(o, CAUSE_TLS, "5.7.4",
		     "the server does not offer STARTTLS; nothing was sent. If "
		     "it speaks TLS from the start, set tls_starttls off");
		goto done;
	}
	stages_enter(s->stages, STAGE_TLS);
	if (session_ask(s, "STARTTLS", "STARTTLS", STEP_STARTTLS, &reply, o) <
	    0)
		goto done;
	if (reply.code != 220) {
		reply_fail(&reply, STEP_STARTTLS, s->host, "STARTTLS", o);
		goto done;
	}
	if (stream_input(s->stream).n) { /* injected ahead of the handshake */
		s->ended = true;
		fail(o, CAUSE_TLS, "4.7.5",
		     "the server, or somebody on the way, sent data behind the "
		     "reply to STARTTLS and before TLS began");
		goto done;
	}
	rc = secure(s, tls, o);
	tls = NULL;
done:
	tls_free(tls);
	reply_release(&reply);
	return rc;
}

/* The sequence itself. Takes over tls. */
static int open_steps(struct session *s, struct tls *tls,
		      const struct session_request *request, struct outcome *o)
{
	const struct tls_policy *policy = request->tls;

	if (tls && !policy->starttls && secure(s, tls, o) < 0)
		return -1;
	if (meet(s, tls && policy->starttls, request->early, o) < 0) {
		if (tls && policy->starttls)
			tls_free(tls);
		return -1;
	}
	if (request->on_capabilities)
		request->on_capabilities(request->context, s,
					 tls && !policy->starttls);
	s->takes_early = capabilities_has(&s->capabilities, CAP_PIPECONNECT);
	if (tls && policy->starttls) {
		s->had_auth_in_clear = s->capabilities.mechanisms.n > 0;
		if (start_tls(s, tls, o) < 0 || hello(s, o) < 0)
			return -1;
		s->takes_early &=
			capabilities_has(&s->capabilities, CAP_PIPECONNECT);
		if (request->on_capabilities)
			request->on_capabilities(request->context, s, true);
	}
	if (!auth_is_wanted(request->auth))
		return 0;
	stages_enter(s->stages, STAGE_AUTH);
	return auth_run(s, request->auth, request->secret, o);
}

struct session *session_open(struct stream *stream, struct tls *tls,
			     const struct session_request *request,
			     struct outcome *o)
{
	struct session *s = memory_alloc(sizeof(*s));

	s->stream = stream;
	s->secrets = BUF_INIT_SECRET(SECRETS_LIMIT);
	s->policy = request->policy;
	s->trace = request->trace;
	s->stages = request->stages;
	s->host = memory_dup(stream_host(stream));
	s->port = request->port;
	s->is_direct = request->is_direct;
	s->has_certificate = tls && request->tls->cert_file;
	if (open_steps(s, tls, request, o) == 0)
		return s;
	if (!o->host)
		outcome_set_host(o, s->host);
	session_close(s);
	return NULL;
}

void session_leave(struct session *s)
{
	s->ended = true;
	stream_leave(s->stream);
}

void session_close(struct session *s)
{
	if (!s)
		return;
	if (!s->ended) {
		stream_put(s->stream, VIEW("QUIT\r\n"));
		trace_line(s->trace, TRACE_SENT, VIEW("QUIT"));
	}
	stream_close(s->stream);
	stream_free(s->stream);
	capabilities_release(&s->capabilities);
	free(s->host);
	free(s->greeting);
	buf_release(&s->secrets);
	free(s);
}
