/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One message: MAIL, every RCPT, the content, in as few flights as the server
 * and the wish "everybody or nobody" permit; then one result a recipient. What
 * is said and what answers mean is exchange.c's; pipeline.c only carries them.
 */
#include "smtp/transaction.h"

#include <stdlib.h>

#include "base/memory.h"
#include "smtp/command.h"
#include "smtp/exchange.h"
#include "smtp/pipeline.h"

struct transaction {
	struct exchange *x;
	struct command *commands; /* [RSET] MAIL RCPT… [DATA | BDAT] */
	size_t n_commands;
	struct command *opener; /* DATA or BDAT in the first flight, or NULL */
};

/* May the content, or the request to send it, go before the recipients'
 * replies are known? DATA always: without its content it delivers nothing. A
 * chunk only if it can reach nobody whom a refusal would have to stop, and if
 * the number of replies does not depend on them. */
static bool opens_early(const struct exchange *x)
{
	if (!session_pipelines(x->s))
		return false;
	if (!x->chunking)
		return true;
	return (x->policy->partial || x->n == 1) && !x->s->policy->lmtp &&
		content_size(x->m->content) <= EAGER_LIMIT;
}

static size_t replies_due(const struct exchange *x)
{
	return x->s->policy->lmtp ? exchange_accepted(x) : 1;
}

static void prepare_flight(struct transaction *t)
{
	struct command *c = memory_resize(NULL, t->x->n + 3, sizeof(*c));

	t->commands = c;
	if (t->x->s->dirty)
		c = exchange_reset(c);
	c = exchange_envelope(t->x, c);
	if (opens_early(t->x)) {
		t->opener = c;
		c = t->x->chunking ? exchange_chunk(t->x, c, 1)
				   : exchange_data(c);
	}
	t->n_commands = (size_t)(c - t->commands);
}

/* Nobody is left, but DATA was answered 354: an empty message goes to nobody
 * (RFC 2920 3.1). */
static void send_nothing(struct session *s)
{
	struct outcome ignored = OUTCOME_INIT;
	struct reply reply = REPLY_INIT;

	if (!s->ended)
		session_ask(s, "the message", ".", STEP_CONTENT, &reply,
			    &ignored);
	outcome_release(&ignored);
	reply_release(&reply);
}

/* Where all is well, and by the end of DATA in any case (RFC 5321 4.1.1.4), the
 * transaction is over; a BDAT that was refused leaves it open (RFC 3030 4). */
static bool leaves_open(const struct command *content)
{
	size_t i;

	if (!content->line)
		return false;
	for (i = 0; i < content->n_answered; i++)
		if (reply_class(&content->replies[i]) != 2)
			return true;
	return false;
}

static void judge_content(struct exchange *x, const struct command *content)
{
	exchange_judge_content(x, content);
	x->s->dirty = leaves_open(content);
}

/* The content in a flight of its own. */
static int send_content(struct exchange *x, struct outcome *o)
{
	struct command c;
	int rc;

	if (x->chunking)
		exchange_chunk(x, &c, replies_due(x));
	else
		exchange_stuffed(x, &c, replies_due(x));
	rc = pipeline_run(x->s, &c, 1, o);
	judge_content(x, &c);
	command_release(&c);
	return rc;
}

static int send_by_data(struct transaction *t, struct outcome *o)
{
	struct command own, *data = t->opener;
	struct session *s = t->x->s;
	int rc = 0;

	if (!data) {
		data = &own;
		exchange_data(data);
		rc = pipeline_run(s, data, 1, o);
	}
	if (rc == 0 && data->replies[0].code == 354)
		rc = send_content(t->x, o);
	else if (rc == 0)
		reply_fail(&data->replies[0], STEP_DATA, s->host, "DATA", o);
	if (data == &own)
		command_release(data);
	return rc;
}

static int send_by_bdat(struct transaction *t, struct outcome *o)
{
	if (!t->opener)
		return send_content(t->x, o);
	judge_content(t->x, t->opener);
	return 0;
}

/*
 * Nobody shall get it. If DATA was answered 354 all the same the server waits
 * for the content, and who was accepted would get whatever comes, if only the
 * dot. So nothing comes: a connection that ends before the dot delivers nothing
 * (RFC 5321 4.1.1.10), and there is no other way out of DATA.
 */
static void leave(struct transaction *t)
{
	struct session *s = t->x->s;

	if (!t->opener || t->x->chunking || !t->opener->n_answered ||
	    t->opener->replies[0].code != 354)
		return;
	if (exchange_accepted(t->x))
		s->left = s->ended = true;
	else
		send_nothing(s);
}

static int run_flights(struct transaction *t, struct outcome *o)
{
	int rc = pipeline_run(t->x->s, t->commands, t->n_commands, o);

	t->x->s->dirty = true;
	if (rc < 0)
		return -1;
	if (exchange_find_takers(t->x, o) < 0) {
		leave(t);
		return 0;
	}
	return t->x->chunking ? send_by_bdat(t, o) : send_by_data(t, o);
}

int transaction_carry(struct exchange *x, struct outcome *o)
{
	struct transaction t = {.x = x};
	int rc;
	size_t i;

	prepare_flight(&t);
	rc = run_flights(&t, o);
	if (rc < 0)
		rc = exchange_cut(x, o);
	for (i = 0; i < t.n_commands; i++)
		command_release(&t.commands[i]);
	free(t.commands);
	x->mail = x->rcpts = NULL;
	return rc;
}

int transaction_run(struct session *s, const struct submission *m,
		    const struct transaction_policy *policy,
		    struct result *results, struct outcome *o)
{
	struct exchange x = exchange_make(s, m, policy, results);

	if (exchange_prepare(&x, o) == 0)
		transaction_carry(&x, o);
	return exchange_end(&x, o);
}

const struct outcome *result_worst(const struct result *results, size_t n)
{
	const struct outcome *found = NULL;
	size_t i;

	for (i = 0; i < n; i++)
		if (results[i].fate == FATE_FAILED &&
		    (!found || outcome_is_worse(&results[i].outcome, found)))
			found = &results[i].outcome;
	return found;
}

void result_release(struct result *r)
{
	outcome_release(&r->outcome);
	reply_release(&r->reply);
}
