/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Now, or later: what the account, the call and the server's answer make of
 * a message. */
#include "app/dispatch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/carrier.h"
#include "app/enqueue.h"
#include "app/proof.h"
#include "app/report.h"
#include "base/apart.h"
#include "base/ending.h"
#include "conf/secret.h"
#include "queue/place.h"
#include "queue/runner.h"
#include "queue/server.h"

static const char *option_of(const struct request *r)
{
	return r->hold ? "-Q" : "-odq or -odd";
}

/* Does it go to the queue without being tried? -1: it should, and can't. */
static int is_for_later(const struct job *job, struct outcome *o)
{
	const struct request *r = job->request;
	enum queueing queueing = job->account->queue.when;
	bool wants = r->hold || r->delivery == DELIVERY_LATER;

	if (wants && queueing == QUEUEING_OFF)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "%s: this account has no queue; set queue on",
			    option_of(r));
	if (wants)
		return 1;
	if (r->delivery == DELIVERY_BACKGROUND)
		return queueing != QUEUEING_OFF;
	return r->delivery == DELIVERY_UNSET && queueing == QUEUEING_ONLY;
}

static void tell_queued(const struct job *job, const char *why)
{
	if (job->request->mode != MODE_SERVE && isatty(STDERR_FILENO))
		report_line("queued as %s%s%s", job->queue_id, why ? ": " : "",
			    why ? why : "");
}

static bool has_refusals(const struct job *job)
{
	size_t i;

	for (i = 0; i < job->envelope.n_recipients; i++)
		if (enqueue_is_refused(job, i))
			return true;
	return false;
}

/* A client of -bs that hears of one refusal takes all for refused, and sends to
 * all again. So the sender is told of it by mail, if there is one. */
static bool is_for_a_report(const struct job *job)
{
	bool is_with_any = false;
	size_t i;

	if (job->request->mode != MODE_SERVE || !has_refusals(job) ||
	    !job->envelope.sender.mailbox[0])
		return false;
	for (i = 0; i < job->envelope.n_recipients; i++)
		is_with_any |= job->results[i].fate == FATE_DELIVERED ||
			(job->account->transaction.partial &&
			 enqueue_takes(job, i));
	return is_with_any;
}

/* Everybody or nobody, unless that is past: by LMTP, which answers for each at
 * the end, one may have it whatever the others got. */
static bool may_be_queued(const struct job *job)
{
	bool is_partial = job->account->transaction.partial;
	bool any = false, all = true;
	size_t i;

	for (i = 0; i < job->envelope.n_recipients; i++) {
		is_partial |= job->results[i].fate == FATE_DELIVERED;
		any |= enqueue_takes(job, i);
		all &= !enqueue_is_refused(job, i);
	}
	return any && (all || is_partial);
}

/* So that a queue run does not ask again at once. */
static void note_server(const struct job *job, const struct outcome *o)
{
	char *path = place_path(job->account->queue.dir);
	struct outcome ignored = OUTCOME_INIT;
	struct spool *s = spool_open(path, false, &ignored);
	char *lane = enqueue_lane(job);
	struct server server = SERVER_INIT;

	if (s) {
		server_read(s, lane, &server);
		server_note_failure(s, lane, &server, o, job->proof,
				    time(NULL));
		server_release(&server);
	}
	free(lane);
	spool_close(s);
	outcome_release(&ignored);
	free(path);
}

/* It did not reach everybody. What may work later is queued. */
static int queue_the_rest(struct job *job, struct outcome *o)
{
	struct outcome why = OUTCOME_INIT;
	const struct outcome *left;

	if (enqueue(job, NULL, &why) < 0) {
		outcome_add_context(&why, "it could not be queued");
		report_failure(NULL, &why);
		outcome_release(&why);
		return -1;
	}
	if (job->was_unreached && !job->was_unasked)
		note_server(job, o);
	tell_queued(job, o->text);
	left = job->reports_refusals
		? NULL
		: result_worst(job->results, job->envelope.n_recipients);
	if (left)
		outcome_copy(o, left);
	else
		outcome_release(o);
	return left ? -1 : 0;
}

/* ------------------------------------------------- a login that was refused */

/* The lane of a message, if something is known of its server: mostly nothing
 * is. */
struct memory {
	struct spool *spool; /* NULL: nothing is known */
	char *lane;
	struct server server;
};

static void recall(const struct job *job, struct memory *m)
{
	char *path = place_path(job->account->queue.dir);
	struct outcome ignored = OUTCOME_INIT;

	*m = (struct memory){.lane = enqueue_lane(job)};
	if (server_is_known(path, m->lane))
		m->spool = spool_open(path, false, &ignored);
	if (m->spool)
		server_read(m->spool, m->lane, &m->server);
	outcome_release(&ignored);
	free(path);
}

static void forget(struct memory *m)
{
	server_release(&m->server);
	spool_close(m->spool);
	free(m->lane);
}

/* A server that has refused the login is not asked with the same one again: so
 * many a failure locks an account. */
static bool is_stopped(const struct job *job, const struct memory *m,
		       struct buf *secret, struct outcome *o)
{
	if (!m->server.proof ||
	    !proof_is_of_today(job->account, m->server.proof, secret))
		return false;
	outcome_copy(o, &m->server.why);
	outcome_add_context(o,
			    "this login was refused before, and is tried "
			    "again once it is another one, or with -q");
	return true;
}

static int send_or_queue(struct job *job, struct link *l,
			 const struct memory *m, struct outcome *o)
{
	int rc = job_send(job, l, o);

	if (m->server.failures && !job->was_unreached)
		server_forget(m->spool, m->lane); /* it works */
	job->reports_refusals = rc < 0 && is_for_a_report(job);
	if (rc == 0 || !(job->reports_refusals || may_be_queued(job)))
		return rc;
	return queue_the_rest(job, o);
}

static int try_with_queue(struct job *job, struct link *l, struct outcome *o)
{
	struct buf secret = BUF_INIT_SECRET(SECRET_LIMIT);
	struct memory m = {.spool = NULL};
	int rc;

	if (!link_is_open(l, job->account))
		recall(job, &m);
	l->wants_proof = true;
	if (job->request->delivery != DELIVERY_NOW &&
	    is_stopped(job, &m, &secret, o)) {
		job_leave_unasked(job, o);
		rc = queue_the_rest(job, o);
	} else {
		l->secret = &secret;
		rc = send_or_queue(job, l, &m, o);
		l->secret = NULL;
	}
	forget(&m);
	buf_release(&secret);
	return rc;
}

static int try_now(struct job *job, struct link *l, struct outcome *o)
{
	return job->account->queue.when == QUEUEING_OFF
		? job_send(job, l, o)
		: try_with_queue(job, l, o);
}

int dispatch(struct job *job, struct link *l, struct outcome *o)
{
	int later = is_for_later(job, o);

	if (later < 0)
		return -1;
	if (!later)
		return try_now(job, l, o);
	if (enqueue(job, job->request->hold, o) < 0)
		return -1;
	tell_queued(job, job->request->hold ? "held" : NULL);
	return 0;
}

/* --------------------------------------------------- and in the background */

void dispatch_note(const struct job *job, struct errands *errands)
{
	char *path;
	size_t i;

	if (!job->queue_id ||
	    !(job->request->delivery == DELIVERY_BACKGROUND ||
	      job->reports_refusals))
		return;
	strings_add(&errands->ids, view_of(job->queue_id));
	path = place_path(job->account->queue.dir);
	for (i = 0; i < errands->paths.n; i++)
		if (!strcmp(errands->paths.p[i], path))
			break;
	if (i == errands->paths.n)
		strings_add(&errands->paths, view_of(path));
	free(path);
}

void errands_release(struct errands *errands)
{
	strings_release(&errands->ids);
	strings_release(&errands->paths);
}

static bool has_delivered(const struct job *job)
{
	size_t i;

	for (i = 0; job->results && i < job->envelope.n_recipients; i++)
		if (job->results[i].fate == FATE_DELIVERED)
			return true;
	return false;
}

/* A tunnel's command is this process's child, and can't be handed on. */
static bool can_hand_on(const struct job *job, const struct link *l)
{
	return job->account && !job->account->dial.tunnel &&
		link_is_open(l, job->account);
}

/* May there be anything in the queue to go over this session? Asked before the
 * queue is opened. */
static bool is_worth_a_look(const struct job *job, const struct link *l)
{
	return can_hand_on(job, l) && has_delivered(job) &&
		job->account->queue.when != QUEUEING_OFF;
}

/* What a process in the background does. */
struct chore {
	const struct request *request;
	const struct strings *paths; /* of queues */
	struct run run;              /* in each of them */
};

static void run_queue(const char *path, const struct run *run,
		      const struct deliverer *d)
{
	struct run_result result = RUN_RESULT_INIT;
	struct outcome o = OUTCOME_INIT;
	struct spool *s = spool_open(path, false, &o);

	if (s)
		runner_run(s, run, d, &result, &o);
	spool_close(s);
	run_result_release(&result);
	outcome_release(&o);
}

static void run_apart(const struct chore *chore, struct link *l)
{
	struct outcome o = OUTCOME_INIT;
	struct carrier carrier = {
		.base = chore->request,
		.link = l,
	};
	const struct deliverer d = carrier_deliverer(&carrier);
	int part = apart_start(&o);
	size_t i;

	if (part == 0)
		link_leave(l);
	else if (part > 0) /* who stops a service ends what it leaves behind */
		ending_watch();
	for (i = 0; part > 0 && i < chore->paths->n; i++)
		run_queue(chore->paths->p[i], &chore->run, &d);
	outcome_release(&o);
}

/* What was queued to be sent at once, by whatever accounts. */
static void do_errands(const struct errands *errands, const struct job *job,
		       struct link *l)
{
	struct chore chore = {
		.request = job->request,
		.paths = &errands->paths,
		.run = {.asks_servers = true},
	};
	size_t i;

	for (i = 0; i < errands->ids.n; i++)
		selectors_add(&chore.run.selectors, SELECT_EXACT_ID, false,
			      view_of(errands->ids.p[i]));
	if (!can_hand_on(job, l))
		link_close(l);
	run_apart(&chore, l);
	selectors_release(&chore.run.selectors);
}

static bool is_anything_due(const char *path, const struct run *run)
{
	struct outcome ignored = OUTCOME_INIT;
	struct spool *s = spool_open(path, false, &ignored);
	size_t n = 0;

	if (s) {
		server_forget(s, run->only_lane); /* it works */
		if (runner_count(s, run, &n, &ignored) < 0)
			n = 0;
	}
	spool_close(s);
	outcome_release(&ignored);
	return n > 0;
}

/* What else is due goes over the session that has just carried one. */
static void use_session(const struct job *job, struct link *l)
{
	char *path = place_path(job->account->queue.dir);
	char *lane = enqueue_lane(job);
	struct strings paths = STRINGS_INIT;
	const struct chore chore = {
		.request = job->request,
		.paths = &paths,
		.run = {.only_lane = lane, .has_session = true},
	};

	strings_add(&paths, view_of(path));
	if (is_anything_due(path, &chore.run))
		run_apart(&chore, l);
	strings_release(&paths);
	free(lane);
	free(path);
}

void dispatch_afterwards(const struct job *job, const struct errands *errands,
			 struct link *l)
{
	if (errands->ids.n)
		do_errands(errands, job, l);
	else if (is_worth_a_look(job, l))
		use_session(job, l);
}
