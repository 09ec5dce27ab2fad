/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parts of a transaction: what the message and the policy ask of the
 * server, the commands, and what their answers mean for whom (RFC 5321 3.3).
 * When each is said is transaction.c's and batch.c's.
 */
#include "smtp/exchange.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct exchange exchange_make(struct session *s, const struct submission *m,
			      const struct transaction_policy *policy,
			      struct result *results)
{
	return (struct exchange){
		.s = s,
		.m = m,
		.policy = policy,
		.results = results,
		.n = m->envelope->n_recipients,
		.chunking = policy->chunking &&
			capabilities_has(&s->capabilities, CAP_CHUNKING),
	};
}

static bool server_has(const struct exchange *x, enum capability one)
{
	return capabilities_has(&x->s->capabilities, one);
}

/* An address that is not ASCII must be carried as it is (RFC 6531 3.1), and
 * only then is SMTPUTF8 asked for: the next server may not have it. */
static int choose_utf8(struct exchange *x, struct outcome *o)
{
	const char *address = envelope_utf8_address(x->m->envelope);

	if (!address && x->policy->reencode != REENCODE_OFF)
		address = content_utf8_address(x->m->content);
	if (!address)
		return 0;
	if (!x->policy->smtputf8)
		return fail(o, CAUSE_FEATURE, "5.6.7",
			    "%s needs SMTPUTF8, and smtputf8 is off", address);
	x->smtputf8 = server_has(x, CAP_SMTPUTF8);
	x->utf8 = x->smtputf8 || server_has(x, CAP_UTF8SMTP);
	if (x->utf8)
		return 0;
	return fail(o, CAUSE_FEATURE, "5.6.7",
		    "%s needs SMTPUTF8, which the server does not offer",
		    address);
}

static int fit_content(struct exchange *x, struct outcome *o)
{
	const struct carriage way = {
		.eightbit = server_has(x, CAP_8BITMIME),
		.binary = x->chunking && server_has(x, CAP_BINARYMIME),
		.utf8 = x->utf8,
	};

	return content_fit(x->m->content, &way, x->policy->reencode, o);
}

/* RFC 1870 6.2 */
static int check_size(const struct exchange *x, struct outcome *o)
{
	uint64_t limit = x->s->capabilities.size_limit;
	uint64_t size = content_size(x->m->content);

	if (!limit || size <= limit)
		return 0;
	return fail(o, CAUSE_CONTENT, "5.3.4",
		    "the message has %" PRIu64 " octets; the server takes at "
		    "most %" PRIu64,
		    size, limit);
}

/* RFC 8689 4.2.1: only by TLS that is verified (conf/ sees to that), and to a
 * server that does the same. */
static int check_tls(const struct exchange *x, struct outcome *o)
{
	if (!x->policy->requiretls ||
	    (stream_tls(x->s->stream) && server_has(x, CAP_REQUIRETLS)))
		return 0;
	return fail(o, CAUSE_FEATURE, "5.7.30",
		    "the message requires TLS all the way, and the server does "
		    "not offer REQUIRETLS");
}

static const char *deliver_by(const struct exchange *x)
{
	const char *by = x->m->deliver_by ? x->m->deliver_by
					  : x->policy->deliverby;

	return by && *by ? by : NULL;
}

/* RFC 2852 4: with mode R nothing may be sent that might come too late. */
static int check_deliver_by(const struct exchange *x, struct outcome *o)
{
	const char *by = deliver_by(x);
	long least = (long)x->s->capabilities.deliver_by_min;
	long time = by ? strtol(by, NULL, 10) : 0; /* seconds */

	if (!by || !strpbrk(by, "Rr"))
		return 0;
	if (time <= 0)
		return fail(o, CAUSE_FEATURE, "5.4.7",
			    "the time within which it had to be delivered is "
			    "over");
	if (!server_has(x, CAP_DELIVERBY))
		return fail(o, CAUSE_FEATURE, "5.3.3",
			    "the server does not offer DELIVERBY");
	if (time >= least)
		return 0;
	return fail(o, CAUSE_FEATURE, "5.3.3",
		    "the server promises no delivery within less than %ld "
		    "seconds",
		    least);
}

int exchange_prepare(struct exchange *x, struct outcome *o)
{
	if (check_tls(x, o) == 0 && check_deliver_by(x, o) == 0 &&
	    choose_utf8(x, o) == 0 && fit_content(x, o) == 0 &&
	    check_size(x, o) == 0)
		return 0;
	outcome_set_host(o, x->s->host);
	return -1;
}

/* ---- Commands ---- */

struct command *exchange_reset(struct command *c)
{
	command_line(c, "RSET", "RSET", STEP_OTHER);
	c->barrier = false;
	c->vital = true;
	return c + 1;
}

struct command *exchange_envelope(struct exchange *x, struct command *c)
{
	const struct envelope *e = x->m->envelope;
	const struct capabilities *server = &x->s->capabilities;
	const struct mail_facts facts = {
		.size = content_size(x->m->content),
		.form = content_form(x->m->content),
		.use_smtputf8 = x->smtputf8,
		.by_bdat = x->chunking,
		.require_tls = x->policy->requiretls,
		.deliver_by = deliver_by(x),
		.parameters = x->policy->mail_parameter,
	};
	size_t i;

	x->mail = c;
	command_mail(c++, e, &facts, server);
	x->rcpts = c;
	for (i = 0; i < x->n; i++)
		command_rcpt(c++, e, &e->recipients[i], server,
			     x->policy->rcpt_parameter);
	return c;
}

struct command *exchange_data(struct command *c)
{
	command_line(c, "DATA", "DATA", STEP_DATA);
	c->essential = true;
	return c + 1;
}

struct command *exchange_stuffed(struct exchange *x, struct command *c,
				 size_t n_replies)
{
	content_rewind(x->m->content);
	body_for_data(&x->body, x->m->content);
	command_body(c, &x->body, n_replies);
	return c + 1;
}

struct command *exchange_chunk(struct exchange *x, struct command *c,
			       size_t n_replies)
{
	uint64_t size = content_size(x->m->content);

	content_rewind(x->m->content);
	body_for_bdat(&x->body, x->m->content, size);
	command_bdat(c, &x->body, size, true, n_replies);
	return c + 1;
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
static void fail_rest(struct exchange *x, const struct outcome *why)
{
	size_t i;

	for (i = 0; i < x->n; i++)
		if (x->results[i].fate == FATE_FAILED &&
		    !outcome_is_failure(&x->results[i].outcome))
			set_failure(&x->results[i], why, FATE_FAILED);
}

static bool is_accepted(const struct exchange *x, size_t i)
{
	return command_class(&x->rcpts[i]) == 2;
}

size_t exchange_accepted(const struct exchange *x)
{
	size_t i, n = 0;

	for (i = 0; i < x->n; i++)
		n += is_accepted(x, i);
	return n;
}

/* 421 ends the session and says nothing of the message or recipient. */
static bool has_answer(const struct command *c)
{
	return c->n_answered && c->replies[0].code != 421;
}

/* Note each refused recipient. Was there any? */
static bool judge_recipients(struct exchange *x)
{
	bool any = false;
	size_t i;

	for (i = 0; i < x->n; i++) {
		if (!has_answer(&x->rcpts[i]) || is_accepted(x, i))
			continue;
		reply_fail(&x->rcpts[i].replies[0], STEP_RCPT, x->s->host,
			   x->rcpts[i].verb, &x->results[i].outcome);
		any = true;
	}
	return any;
}

/* One was refused and the others shall not get it either; it says nothing
 * against them. */
static void withhold_rest(struct exchange *x)
{
	struct outcome why = OUTCOME_INIT;
	size_t i;

	fail(&why, CAUSE_RECIPIENT, "4.0.0",
	     "not sent: another recipient was refused");
	outcome_set_host(&why, x->s->host);
	for (i = 0; i < x->n; i++)
		if (!outcome_is_failure(&x->results[i].outcome))
			set_failure(&x->results[i], &why, FATE_WITHHELD);
	outcome_release(&why);
}

static void settle(struct exchange *x, size_t i, const struct reply *reply)
{
	struct result *r = &x->results[i];
	bool is_own = x->s->policy->lmtp; /* about this recipient alone */

	if (reply_class(reply) == 2) {
		r->fate = FATE_DELIVERED;
		reply_copy(&r->reply, reply);
	} else {
		reply_fail(reply, is_own ? STEP_RCPT : STEP_CONTENT, x->s->host,
			   "the message", &r->outcome);
	}
}

void exchange_judge_content(struct exchange *x, const struct command *c)
{
	size_t i, answer = 0;

	for (i = 0; i < x->n; i++) {
		if (!is_accepted(x, i))
			continue;
		if (answer < c->n_answered && c->replies[answer].code != 421)
			settle(x, i, &c->replies[answer]);
		if (x->s->policy->lmtp)
			answer++;
	}
}

static int refuse_sender(const struct exchange *x, struct outcome *o)
{
	return reply_fail(&x->mail->replies[0], STEP_MAIL, x->s->host,
			  x->mail->verb, o);
}

/* Do the refusals leave the others alone? With `defer` those that may be
 * lifted do: who is refused for now gets it from the queue. */
static bool may_go_on(const struct exchange *x)
{
	size_t i;

	if (x->policy->partial || !x->policy->defer)
		return x->policy->partial;
	for (i = 0; i < x->n; i++)
		if (outcome_is_failure(&x->results[i].outcome) &&
		    !outcome_is_temporary(&x->results[i].outcome))
			return false;
	return true;
}

int exchange_find_takers(struct exchange *x, struct outcome *o)
{
	if (command_class(x->mail) != 2)
		return refuse_sender(x, o);
	if (!judge_recipients(x))
		return 0;
	if (may_go_on(x))
		return exchange_accepted(x) ? 0 : -1;
	withhold_rest(x);
	return -1;
}

/* Was nobody's fate settled? What was must not be forgotten: a server that ends
 * the session after so many refusals would never get to the others. */
static bool is_open(const struct exchange *x)
{
	size_t i;

	for (i = 0; i < x->n; i++)
		if (x->results[i].fate == FATE_DELIVERED ||
		    outcome_is_failure(&x->results[i].outcome))
			return false;
	return true;
}

int exchange_cut(struct exchange *x, struct outcome *o)
{
	if (x->mail && has_answer(x->mail)) {
		if (command_class(x->mail) >= 4) {
			refuse_sender(x, o);
			return 0;
		}
		if (command_class(x->mail) == 2)
			judge_recipients(x);
	}
	x->is_untried = is_open(x) && !o->uncertain && !x->body.unreadable;
	return -1;
}

int exchange_end(struct exchange *x, struct outcome *o)
{
	const struct outcome *found;

	if (outcome_is_failure(o))
		fail_rest(x, o);
	found = result_worst(x->results, x->n);
	if (!found)
		return 0;
	outcome_copy(o, found);
	return -1;
}
