/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One message: MAIL, every RCPT, the content, in as few flights as the server
 * and the wish "everybody or nobody" permit; then one result a recipient.
 * Answers are judged here, in the order of RFC 5321 3.3; pipeline.c only
 * carries them.
 */
#include "smtp/transaction.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "smtp/body.h"
#include "smtp/command.h"
#include "smtp/pipeline.h"

/* A message up to this size goes out before its recipients are accepted; a
 * larger one waits for them, which is one turn more and never a large message
 * for nothing. */
#define EAGER_LIMIT (1u << 20) /* octets */

struct transaction {
	struct session *s;
	const struct submission *m;
	const struct transaction_policy *policy;
	struct result *results;
	size_t n;                 /* recipients, so results as well */
	struct command *commands; /* [RSET] MAIL RCPT… [DATA | BDAT] */
	size_t n_commands;
	struct command *mail, *rcpts; /* within commands */
	struct command *opener; /* DATA or BDAT in the first flight, or NULL */
	struct body body;
	bool chunking; /* it goes by BDAT */
	bool utf8;     /* addresses and header may hold UTF-8 … */
	bool smtputf8; /* … and MAIL says so; not to UTF8SMTP (RFC 5336) */
};

static bool server_has(const struct transaction *t, enum capability one)
{
	return capabilities_has(&t->s->capabilities, one);
}

/* An address that is not ASCII must be carried as it is (RFC 6531 3.1), and
 * only then is SMTPUTF8 asked for: the next server may not have it. */
static int choose_utf8(struct transaction *t, struct outcome *o)
{
	const char *address = envelope_utf8_address(t->m->envelope);

	if (!address && t->policy->reencode != REENCODE_OFF)
		address = content_utf8_address(t->m->content);
	if (!address)
		return 0;
	if (!t->policy->smtputf8)
		return fail(o, CAUSE_FEATURE, "5.6.7",
			    "%s needs SMTPUTF8, and smtputf8 is off", address);
	t->smtputf8 = server_has(t, CAP_SMTPUTF8);
	t->utf8 = t->smtputf8 || server_has(t, CAP_UTF8SMTP);
	if (t->utf8)
		return 0;
	return fail(o, CAUSE_FEATURE, "5.6.7",
		    "%s needs SMTPUTF8, which the server does not offer",
		    address);
}

static int fit_content(struct transaction *t, struct outcome *o)
{
	const struct carriage way = {
		.eightbit = server_has(t, CAP_8BITMIME),
		.binary = t->chunking && server_has(t, CAP_BINARYMIME),
		.utf8 = t->utf8,
	};

	return content_fit(t->m->content, &way, t->policy->reencode, o);
}

/* RFC 1870 6.2 */
static int check_size(const struct transaction *t, struct outcome *o)
{
	uint64_t limit = t->s->capabilities.size_limit;
	uint64_t size = content_size(t->m->content);

	if (!limit || size <= limit)
		return 0;
	return fail(o, CAUSE_CONTENT, "5.3.4",
		    "the message has %" PRIu64 " octets; the server takes at "
		    "most %" PRIu64,
		    size, limit);
}

/* RFC 8689 4.2.1: only by TLS that is verified (conf/ sees to that), and to a
 * server that does the same. */
static int check_tls(const struct transaction *t, struct outcome *o)
{
	if (!t->policy->requiretls ||
	    (stream_tls(t->s->stream) && server_has(t, CAP_REQUIRETLS)))
		return 0;
	return fail(o, CAUSE_FEATURE, "5.7.30",
		    "the message requires TLS all the way, and the server does "
		    "not offer REQUIRETLS");
}

/* RFC 2852 4: with mode R nothing may be sent that might come too late. */
static int check_deliver_by(const struct transaction *t, struct outcome *o)
{
	const char *by = t->policy->deliverby;
	unsigned least = t->s->capabilities.deliver_by_min;
	bool is_offered = server_has(t, CAP_DELIVERBY);

	if (!by || !strpbrk(by, "Rr") ||
	    (is_offered && strtoul(by, NULL, 10) >= least))
		return 0;
	if (!is_offered)
		return fail(o, CAUSE_FEATURE, "5.3.3",
			    "the server does not offer DELIVERBY");
	return fail(o, CAUSE_FEATURE, "5.3.3",
		    "the server promises no delivery within less than %u "
		    "seconds",
		    least);
}

/* What can be known, and done, before a word is said. */
static int prepare_content(struct transaction *t, struct outcome *o)
{
	if (check_tls(t, o) == 0 && check_deliver_by(t, o) == 0 &&
	    choose_utf8(t, o) == 0 && fit_content(t, o) == 0 &&
	    check_size(t, o) == 0)
		return 0;
	outcome_set_host(o, t->s->host);
	return -1;
}

/* ---- What became of whom ---- */

static void set_failure(struct result *r, const struct outcome *why,
			enum fate fate)
{
	r->fate = fate;
	outcome_copy(&r->outcome, why);
}

/* Everybody whose fate is open shares it. An outcome with a cause marks those
 * who have been settled. */
static void fail_rest(struct transaction *t, const struct outcome *why)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->results[i].fate == FATE_FAILED &&
		    !outcome_is_failure(&t->results[i].outcome))
			set_failure(&t->results[i], why, FATE_FAILED);
}

static bool is_accepted(const struct transaction *t, size_t i)
{
	return command_class(&t->rcpts[i]) == 2;
}

static size_t count_accepted(const struct transaction *t)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++)
		n += is_accepted(t, i);
	return n;
}

/* Note each refused recipient. Was there any? */
static bool judge_recipients(struct transaction *t)
{
	bool any = false;
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (!command_class(&t->rcpts[i]) || is_accepted(t, i))
			continue;
		reply_fail(&t->rcpts[i].replies[0], STEP_RCPT, t->s->host,
			   t->rcpts[i].verb, &t->results[i].outcome);
		any = true;
	}
	return any;
}

/* One was refused and the others shall not get it either; it says nothing
 * against them. */
static void withhold_rest(struct transaction *t)
{
	struct outcome why = OUTCOME_INIT;
	size_t i;

	fail(&why, CAUSE_RECIPIENT, "4.0.0",
	     "not sent: another recipient was refused");
	outcome_set_host(&why, t->s->host);
	for (i = 0; i < t->n; i++)
		if (!outcome_is_failure(&t->results[i].outcome))
			set_failure(&t->results[i], &why, FATE_WITHHELD);
	outcome_release(&why);
}

static void settle(struct transaction *t, size_t i, const struct reply *reply)
{
	struct result *r = &t->results[i];
	bool is_own = t->s->policy->lmtp; /* about this recipient alone */

	if (reply_class(reply) == 2) {
		r->fate = FATE_DELIVERED;
		reply_copy(&r->reply, reply);
	} else {
		reply_fail(reply, is_own ? STEP_RCPT : STEP_CONTENT, t->s->host,
			   "the message", &r->outcome);
	}
}

/* The replies behind the content: one for all, or LMTP's one for each accepted
 * recipient (RFC 2033 4.2). Those that did not come leave the fate open. */
static void judge_content(struct transaction *t, const struct command *c)
{
	size_t i, answer = 0;

	for (i = 0; i < t->n; i++) {
		if (!is_accepted(t, i))
			continue;
		if (answer < c->n_answered)
			settle(t, i, &c->replies[answer]);
		if (t->s->policy->lmtp)
			answer++;
	}
}

/* ---- The flights ---- */

/* May the content, or the request to send it, go before the recipients'
 * replies are known? Only if it can reach nobody whom a refusal would have to
 * stop, and, for BDAT, if the number of replies does not depend on them. */
static bool opens_early(const struct transaction *t)
{
	if (!session_pipelines(t->s) || (!t->policy->partial && t->n > 1))
		return false;
	if (!t->chunking)
		return true;
	return !t->s->policy->lmtp &&
		content_size(t->m->content) <= EAGER_LIMIT;
}

static size_t replies_due(const struct transaction *t)
{
	return t->s->policy->lmtp ? count_accepted(t) : 1;
}

/* BDAT with all of the message, in one chunk (RFC 3030 2). */
static void prepare_chunk(struct transaction *t, struct command *c,
			  size_t n_replies)
{
	uint64_t size = content_size(t->m->content);

	content_rewind(t->m->content);
	body_for_bdat(&t->body, t->m->content, size);
	command_bdat(c, &t->body, size, true, n_replies);
}

static void prepare_data(struct command *c)
{
	command_line(c, "DATA", "DATA", STEP_DATA);
	c->essential = true;
}

static void prepare_envelope(struct transaction *t)
{
	const struct envelope *e = t->m->envelope;
	struct mail_facts facts = {
		.size = content_size(t->m->content),
		.form = content_form(t->m->content),
		.use_smtputf8 = t->smtputf8,
		.by_bdat = t->chunking,
		.require_tls = t->policy->requiretls,
		.deliver_by = t->policy->deliverby,
		.parameters = t->policy->mail_parameter,
	};
	struct command *c = memory_resize(NULL, t->n + 3, sizeof(*c));
	size_t i;

	t->commands = c;
	if (t->s->dirty) {
		command_line(c, "RSET", "RSET", STEP_OTHER);
		c++->barrier = false;
	}
	t->mail = c;
	command_mail(c++, e, &facts, &t->s->capabilities);
	t->rcpts = c;
	for (i = 0; i < t->n; i++)
		command_rcpt(c++, e, &e->recipients[i], &t->s->capabilities,
			     t->policy->rcpt_parameter);
	if (opens_early(t)) {
		t->opener = c++;
		if (t->chunking)
			prepare_chunk(t, t->opener, 1);
		else
			prepare_data(t->opener);
	}
	t->n_commands = (size_t)(c - t->commands);
}

/* Nobody is left, but DATA was answered 354: an empty message goes to nobody
 * (RFC 2920 3.1). */
static void send_nothing(struct transaction *t)
{
	struct outcome ignored = OUTCOME_INIT;
	struct reply reply = REPLY_INIT;

	if (!t->s->ended)
		session_ask(t->s, "the message", ".", STEP_CONTENT, &reply,
			    &ignored);
	outcome_release(&ignored);
	reply_release(&reply);
}

/* The message behind a 354. */
static int send_stuffed(struct transaction *t, struct outcome *o)
{
	struct command c;
	int rc;

	content_rewind(t->m->content);
	body_for_data(&t->body, t->m->content);
	command_body(&c, &t->body, replies_due(t));
	rc = pipeline_run(t->s, &c, 1, o);
	judge_content(t, &c);
	command_release(&c);
	return rc;
}

static int send_by_data(struct transaction *t, struct outcome *o)
{
	struct command own, *data = t->opener;
	int rc = 0;

	if (!data) {
		data = &own;
		prepare_data(data);
		rc = pipeline_run(t->s, data, 1, o);
	}
	if (rc == 0 && data->replies[0].code == 354)
		rc = send_stuffed(t, o);
	else if (rc == 0)
		rc = reply_fail(&data->replies[0], STEP_DATA, t->s->host,
				"DATA", o);
	if (data == &own)
		command_release(data);
	return rc;
}

static int send_by_bdat(struct transaction *t, struct outcome *o)
{
	struct command c;
	int rc;

	if (t->opener) {
		judge_content(t, t->opener);
		return 0;
	}
	prepare_chunk(t, &c, replies_due(t));
	rc = pipeline_run(t->s, &c, 1, o);
	judge_content(t, &c);
	command_release(&c);
	return rc;
}

static bool is_refusal(const struct command *c)
{
	return command_class(c) >= 4;
}

static int refuse_sender(const struct transaction *t, struct outcome *o)
{
	return reply_fail(&t->mail->replies[0], STEP_MAIL, t->s->host,
			  t->mail->verb, o);
}

/* Who is left to get it? 0: somebody; -1: o, or each recipient's own outcome,
 * says why nobody. */
static int find_takers(struct transaction *t, struct outcome *o)
{
	if (command_class(t->mail) != 2)
		return refuse_sender(t, o);
	if (!judge_recipients(t))
		return 0;
	if (!t->policy->partial)
		withhold_rest(t);
	return t->policy->partial && count_accepted(t) ? 0 : -1;
}

/* MAIL and RCPT have their answers: go on, or leave it. */
static int judge_envelope(struct transaction *t, struct outcome *o)
{
	if (find_takers(t, o) == 0)
		return 0;
	if (t->opener && !t->chunking && t->opener->n_answered &&
	    t->opener->replies[0].code == 354)
		send_nothing(t);
	return -1;
}

static int run_flights(struct transaction *t, struct outcome *o)
{
	int rc;

	prepare_envelope(t);
	rc = pipeline_run(t->s, t->commands, t->n_commands, o);
	t->s->dirty = true;
	if (rc < 0) { /* what was answered before the end still counts */
		if (command_class(t->mail) == 2)
			judge_recipients(t);
		else if (is_refusal(t->mail))
			refuse_sender(t, o);
		return -1;
	}
	if (judge_envelope(t, o) < 0)
		return -1;
	rc = t->chunking ? send_by_bdat(t, o) : send_by_data(t, o);
	if (rc == 0)
		t->s->dirty = false;
	return rc;
}

static void release(struct transaction *t)
{
	size_t i;

	for (i = 0; i < t->n_commands; i++)
		command_release(&t->commands[i]);
	free(t->commands);
}

/* The worst of the recipients' failures; permanent is worse than temporary. */
static const struct outcome *worst(const struct transaction *t)
{
	const struct outcome *found = NULL;
	size_t i;

	for (i = 0; i < t->n; i++) {
		const struct outcome *o = &t->results[i].outcome;

		if (t->results[i].fate != FATE_FAILED)
			continue;
		if (!found ||
		    (outcome_is_temporary(found) && !outcome_is_temporary(o)))
			found = o;
	}
	return found;
}

int transaction_run(struct session *s, const struct submission *m,
		    const struct transaction_policy *policy,
		    struct result *results, struct outcome *o)
{
	struct transaction t = {
		.s = s,
		.m = m,
		.policy = policy,
		.results = results,
		.n = m->envelope->n_recipients,
		.chunking = policy->chunking &&
			capabilities_has(&s->capabilities, CAP_CHUNKING),
	};
	const struct outcome *found;

	if (prepare_content(&t, o) == 0) {
		run_flights(&t, o);
		release(&t);
	}
	if (outcome_is_failure(o))
		fail_rest(&t, o);
	found = worst(&t);
	if (!found)
		return 0;
	outcome_copy(o, found);
	return -1;
}

void result_release(struct result *r)
{
	outcome_release(&r->outcome);
	reply_release(&r->reply);
}
