/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One session, many messages. Three ways: by BDAT flights of whole messages;
 * by DATA a chain, in which each message goes with the envelope of the next;
 * else one by one. Messages are settled in the order in which they were given,
 * so those that wait for that stand in a line.
 */
#include "smtp/batch.h"

#include <stdlib.h>

#include "base/memory.h"
#include "smtp/command.h"
#include "smtp/exchange.h"
#include "smtp/pipeline.h"

#define FIRST_WINDOW  4u         /* messages in the first flight */
#define FLIGHT_LIMIT  (4u << 20) /* octets, as far as several go */
#define ENVELOPE_COST 512u       /* octets of memory a command may take */

/* A message that was given and is not settled yet. */
struct item {
	struct item *next;
	struct run *run;
	struct delivery *d;
	struct exchange x;
	bool is_in_flight;
	struct command *opener;  /* DATA, once it is in a flight */
	struct command *content; /* BDAT or the message, the same */
	struct command *behind; /* RSET behind its BDAT; NULL: it is the last */
	bool is_over;           /* its fate is known */
};

struct run {
	struct session *s;
	const struct batch *b;
	struct transaction_policy policy;
	struct item *first, *last; /* the line; NULL: it is empty */
	size_t n;                  /* in the line */
	struct item *held;         /* the last, for the next flight; or NULL */
	bool is_drained;           /* there are no more */
	size_t window;             /* messages that the next flight may have */
	bool all_well;             /* each of the flight was taken so far */
	struct item *due;          /* DATA was answered 354: it is next; or NULL
				    */
	bool owes_dot;             /* the same, but nobody is left to get it */
	struct command *commands;  /* of the last flight */
	size_t n_commands;
};

/* ---- The line ---- */

static struct item *add_item(struct run *r, struct delivery *d)
{
	struct item *i = memory_alloc(sizeof(*i));

	i->run = r;
	i->d = d;
	i->x = exchange_make(r->s, &d->submission, &r->policy, d->results);
	if (r->last)
		r->last->next = i;
	else
		r->first = i;
	r->last = i;
	r->n++;
	return i;
}

static void settle_first(struct run *r)
{
	struct item *i = r->first;

	r->first = i->next;
	if (!r->first)
		r->last = NULL;
	r->n--;
	r->b->settled(r->b->context, i->d);
	free(i);
}

/* What is no answer to what was said, such as 250 to DATA, is no judgement. */
static void spare(struct outcome *o)
{
	if (o->cause == CAUSE_PROTOCOL)
		outcome_make_temporary(o);
}

/* Its fate is known: it is settled once those before it are. */
static void finish(struct item *i)
{
	struct run *r = i->run;
	size_t k;

	spare(&i->d->outcome);
	for (k = 0; k < i->x.n; k++)
		spare(&i->d->results[k].outcome);
	exchange_end(&i->x, &i->d->outcome);
	i->is_over = true;
	while (r->first && r->first->is_over)
		settle_first(r);
}

/* What can't be prepared fails by itself. NULL: there are no more, or no more
 * than these may be held. */
static struct item *take(struct run *r)
{
	struct item *i = r->held;
	struct delivery *d;

	r->held = NULL;
	if (i)
		return i;
	while (!r->is_drained && r->n < BATCH_MAX) {
		d = r->b->next(r->b->context);
		r->is_drained = !d;
		if (!d)
			return NULL;
		i = add_item(r, d);
		if (exchange_prepare(&i->x, &d->outcome) == 0)
			return i;
		finish(i);
	}
	return NULL;
}

/* ---- The end of the session ---- */

/* It failed, and not the message, unless that can't be read. */
static void blame_session(struct item *i)
{
	if (!i->x.body.unreadable)
		outcome_make_temporary(&i->d->outcome);
}

/* 421 ends the session, and answers nothing else. */
static bool has_answer(const struct command *c)
{
	return c && c->n_answered && c->replies[0].code != 421;
}

/* The answer to its chunk is its own. */
static void judge_chunk(struct item *i)
{
	if (exchange_find_takers(&i->x, &i->d->outcome) == 0)
		exchange_judge_content(&i->x, i->content);
	finish(i);
}

/* It was taken, it seems. But RSET behind it was refused, or behind the last
 * one there was a reply too many, so that may have been said of another. */
static bool is_doubtful(const struct item *i)
{
	return command_class(i->content) == 2 &&
		(!i->behind || has_answer(i->behind));
}

static void cut_off(struct item *i, const struct outcome *why)
{
	struct outcome *o = &i->d->outcome;
	bool is_answered = has_answer(i->content);

	if (is_answered && !is_doubtful(i)) {
		judge_chunk(i);
		return;
	}
	outcome_copy(o, why);
	blame_session(i);
	o->uncertain = is_answered || (i->content && i->content->has_left);
	exchange_cut(&i->x, o);
	i->d->is_untried = i->x.is_untried;
	finish(i);
}

/* The first of the line is never over. */
static int cut_all(struct run *r, const struct outcome *why)
{
	while (r->first)
		cut_off(r->first, why);
	return -1;
}

/* It ended behind an answer, so that says nothing of those who wait. */
static int find_ended(struct run *r, struct outcome *o)
{
	fail(o, CAUSE_CONNECT, "4.4.2",
	     "the session ended behind another message");
	outcome_set_host(o, r->s->host);
	return cut_all(r, o);
}

/* ---- Flights ---- */

static void forget_commands(struct run *r)
{
	size_t i;

	for (i = 0; i < r->n_commands; i++)
		command_release(&r->commands[i]);
	free(r->commands);
	r->commands = NULL;
	r->n_commands = 0;
}

static int carry_alone(struct run *r, struct item *i, struct outcome *o)
{
	int rc = transaction_carry(&i->x, &i->d->outcome);

	if (rc < 0) {
		outcome_copy(o, &i->d->outcome);
		blame_session(i);
	}
	i->d->is_untried = i->x.is_untried;
	finish(i);
	return rc < 0 ? cut_all(r, o) : 1;
}

static bool goes_alone(const struct item *i)
{
	return i->d->goes_alone ||
		(i->x.chunking && content_size(i->x.m->content) > EAGER_LIMIT);
}

static size_t most_commands(const struct item *i)
{
	return i->x.n + 3; /* RSET MAIL RCPT… BDAT */
}

/* Choose what flies. Returns the most commands that it needs. */
static size_t gather(struct run *r, struct item *first)
{
	struct item *i;
	uint64_t cost = 0;
	size_t n = 0, n_commands = 0;

	for (i = first; i; i = n < r->window ? take(r) : NULL) {
		cost += content_size(i->x.m->content) +
			ENVELOPE_COST * most_commands(i);
		if (n && (goes_alone(i) || cost > FLIGHT_LIMIT)) {
			r->held = i;
			break;
		}
		i->is_in_flight = true;
		n_commands += most_commands(i);
		n++;
	}
	return n_commands;
}

static void on_chunk(void *context)
{
	const struct item *i = context;
	struct run *r = i->run;
	bool is_taken = command_class(i->content) == 2;

	r->s->dirty = !is_taken;
	r->all_well &= is_taken;
}

/* RSET was accepted, so the answer before was that to the chunk. */
static void on_reset(void *context)
{
	judge_chunk(context);
}

static struct command *write_reset(struct item *before, struct command *c)
{
	struct command *end = exchange_reset(c);

	if (before) {
		before->behind = c;
		c->on_answer = on_reset;
		c->context = before;
	}
	return end;
}

/* Whether the message before is taken is not known here, and if it is not its
 * transaction may be open (RFC 3030 4); so RSET stands between any two. A MAIL
 * that is refused must not keep back the message behind its own. */
static void write_flight(struct run *r)
{
	struct command *c = r->commands;
	struct item *i, *before = NULL;

	for (i = r->first; i; i = i->next) {
		if (!i->is_in_flight)
			continue;
		if (before || r->s->dirty)
			c = write_reset(before, c);
		before = i;
		c = exchange_envelope(&i->x, c);
		i->x.mail->essential = false;
		i->content = c;
		c = exchange_chunk(&i->x, c, 1);
		i->content->on_answer = on_chunk;
		i->content->context = i;
	}
	r->n_commands = (size_t)(c - r->commands);
}

/* Messages by BDAT, in one flight: no answer is waited for before all is said.
 */
static int fly(struct run *r, struct item *first, struct outcome *o)
{
	int rc;

	r->commands =
		memory_resize(NULL, gather(r, first), sizeof(*r->commands));
	write_flight(r);
	r->all_well = true;
	rc = pipeline_run(r->s, r->commands, r->n_commands, o);
	if (rc < 0) {
		cut_all(r, o);
	} else {
		judge_chunk(r->first); /* the last that was answered */
		if (r->first && r->first->is_in_flight) /* it was stopped */
			rc = find_ended(r, o);
	}
	forget_commands(r);
	if (r->all_well && r->window < BATCH_MAX)
		r->window *= 2;
	return rc < 0 ? -1 : 1;
}

/* ---- The chain ---- */

static void on_message(void *context)
{
	struct item *i = context;

	i->run->s->dirty = false; /* RFC 5321 4.1.1.4 */
	exchange_judge_content(&i->x, i->content);
	finish(i);
}

/* The end of what DATA began. */
static struct command *write_content(struct run *r, struct command *c)
{
	struct item *i = r->due;

	if (i) {
		i->content = c;
		c = exchange_stuffed(&i->x, c, 1);
		i->content->barrier = false; /* RFC 2920 3.1 */
		i->content->on_answer = on_message;
		i->content->context = i;
	} else if (r->owes_dot) {
		command_line(c, "the message", ".", STEP_CONTENT);
		c++->barrier = false;
	}
	return c;
}

static struct command *write_opening(struct run *r, struct item *next,
				     struct command *c)
{
	if (r->s->dirty && !r->due)
		c = exchange_reset(c);
	c = exchange_envelope(&next->x, c);
	next->opener = c;
	return exchange_data(c);
}

/* Its envelope is answered: it is due, or over. */
static void judge_opening(struct run *r, struct item *i)
{
	const struct command *data = i->opener;
	bool is_wanted = data->n_answered && data->replies[0].code == 354;
	struct outcome *o = &i->d->outcome;
	bool has_takers = exchange_find_takers(&i->x, o) == 0;

	r->s->dirty = true;
	if (has_takers && is_wanted) {
		r->due = i;
		return;
	}
	if (has_takers)
		reply_fail(&data->replies[0], STEP_DATA, r->s->host, "DATA", o);
	r->owes_dot = is_wanted && !exchange_accepted(&i->x);
	if (is_wanted && !r->owes_dot) /* the dot would reach somebody */
		r->s->left = r->s->ended = true;
	finish(i);
}

/*
 * One turn by DATA: the message whose 354 has come, or the dot in place of one
 * that nobody is to get, and the envelope of the next; either may be missing.
 */
static int turn(struct run *r, struct item *next, struct outcome *o)
{
	size_t most = 1 + (next ? most_commands(next) : 0);
	struct command *c = memory_resize(NULL, most, sizeof(*c)), *end = c;
	int rc;

	end = write_content(r, end);
	if (next)
		end = write_opening(r, next, end);
	r->due = NULL;
	r->owes_dot = false;
	rc = pipeline_run(r->s, c, (size_t)(end - c), o);
	if (rc < 0)
		cut_all(r, o);
	else if (next && !next->x.mail->n_answered) /* it was stopped */
		rc = find_ended(r, o);
	else if (next)
		judge_opening(r, next);
	forget_commands(r); /* the envelope of the one that was due */
	r->commands = c;
	r->n_commands = (size_t)(end - c);
	return rc < 0 ? -1 : 1;
}

/* ---- */

/* 1: there may be more; 0: there is not; -1: the session has ended. */
static int step(struct run *r, struct outcome *o)
{
	struct item *next = take(r);
	bool is_over = !next && !r->due && !r->owes_dot;

	if (is_over || (r->s->ended && !r->first))
		return 0;
	if (r->s->ended)
		return find_ended(r, o);
	if (!session_pipelines(r->s) || r->s->policy->lmtp)
		return carry_alone(r, next, o);
	if (next && goes_alone(next)) {
		if (!r->due && !r->owes_dot)
			return carry_alone(r, next, o);
		r->held = next;
		next = NULL;
	}
	if (next && next->x.chunking)
		return fly(r, next, o);
	return turn(r, next, o);
}

int batch_run(struct session *s, const struct batch *b,
	      const struct transaction_policy *policy, struct outcome *o)
{
	struct run r = {
		.s = s, .b = b, .policy = *policy, .window = FIRST_WINDOW};
	int rc;

	r.policy.partial = true;
	do
		rc = step(&r, o);
	while (rc > 0);
	forget_commands(&r);
	o->uncertain = false; /* that is each message's own */
	return rc;
}
