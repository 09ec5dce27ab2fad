/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One run: what is due, sorted by lane; then lane by lane, as long as its
 * server works. What becomes of each message is queue/feed's.
 */
#include "queue/runner.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/ending.h"
#include "base/memory.h"
#include "queue/feed.h"
#include "queue/schedule.h"
#include "queue/server.h"

/* Sessions in a row that may end without one message being settled. */
#define STRIKES_MAX 2u

/* The messages of one lane that are to be sent. */
struct share {
	char *lane;
	struct picks picks; /* as they are to be sent */
	/* while they are chosen: */
	struct picks left;  /* what was settled, but not told or removed: first
			       of all, so that a report of it that is there goes
			       only when it is known to be there */
	struct picks fresh; /* never tried */
	struct picks tried; /* goes wrong again, maybe: in nobody's way */
};

struct runner {
	struct spool *spool;
	const struct run *run;
	const struct deliverer *d;
	struct run_result *result;
	struct share *shares; /* one a lane */
	size_t n_shares;
	size_t done, all; /* messages, for who watches */
	int64_t now;
};

/* Of several processes the first one says what all of them find out. */
static bool follows(const struct runner *r)
{
	return r->run->share > 0;
}

static void keep(struct runner *r, const struct outcome *o)
{
	outcome_keep_worst(&r->result->worst, o);
	if (o->cause == CAUSE_CONFIG || o->cause == CAUSE_SYSTEM)
		outcome_keep_worst(&r->result->own, o);
}

/* ---------------------------------------------------------------- choosing */

/* It was settled, and what follows from that is still to be done. */
static bool is_left(const struct entry *e)
{
	return !entry_waiting(e) || entry_has_untold(e);
}

static bool is_due(const struct run *run, const struct entry *e, int64_t now)
{
	return run->everything || schedule_is_due(e, now);
}

/* Does this run concern it? */
static bool is_meant(const struct run *run, const struct entry *e)
{
	if (e->held && !selectors_name_held(&run->selectors))
		return false;
	return selectors_choose(&run->selectors, e);
}

static struct share *find_share(struct runner *r, char *lane)
{
	size_t i;

	for (i = 0; i < r->n_shares; i++) {
		if (strcmp(r->shares[i].lane, lane))
			continue;
		free(lane);
		return &r->shares[i];
	}
	r->shares =
		memory_resize(r->shares, r->n_shares + 1, sizeof(*r->shares));
	r->shares[r->n_shares] = (struct share){.lane = lane};
	return &r->shares[r->n_shares++];
}

static struct picks *place_of(struct share *share, const struct entry *e)
{
	if (is_left(e))
		return &share->left;
	return e->attempts ? &share->tried : &share->fresh;
}

static void choose_one(struct runner *r, const char *id)
{
	struct entry e = ENTRY_INIT;
	struct outcome o = OUTCOME_INIT;
	struct pick pick = {.attempts = 0};
	char *lane;

	if (spool_read(r->spool, id, &e, &o) > 0 && is_meant(r->run, &e) &&
	    (is_left(&e) || is_due(r->run, &e, r->now))) {
		lane = entry_lane(&e);
		if (r->run->only_lane && strcmp(r->run->only_lane, lane)) {
			free(lane);
		} else {
			memcpy(pick.id, e.id, sizeof(pick.id));
			pick.attempts = e.attempts;
			picks_add(place_of(find_share(r, lane), &e), &pick);
		}
	}
	/* one that can't be read is in nobody's way, but must be seen */
	if (!follows(r) && outcome_is_failure(&o))
		keep(r, &o);
	outcome_release(&o);
	entry_release(&e);
}

static void put_in_order(struct share *share)
{
	struct picks *const parts[] = {&share->left, &share->fresh,
				       &share->tried};
	size_t part, i;

	for (part = 0; part < sizeof(parts) / sizeof(parts[0]); part++) {
		for (i = 0; i < parts[part]->n; i++)
			picks_add(&share->picks, &parts[part]->p[i]);
		picks_release(parts[part]);
	}
}

static int choose(struct runner *r, struct outcome *o)
{
	struct strings ids = STRINGS_INIT;
	int rc = spool_list(r->spool, &ids, o);
	size_t i;

	for (i = 0; rc == 0 && i < ids.n; i++)
		choose_one(r, ids.p[i]);
	for (i = 0; i < r->n_shares; i++) {
		put_in_order(&r->shares[i]);
		r->all += r->shares[i].picks.n;
	}
	strings_release(&ids);
	return rc;
}

static void release(struct runner *r)
{
	size_t i;

	for (i = 0; i < r->n_shares; i++) {
		free(r->shares[i].lane);
		picks_release(&r->shares[i].picks);
	}
	free(r->shares);
}

/* ------------------------------------------------------------------- a lane */

/* The lane at hand. */
struct way {
	struct runner *r;
	const struct share *share;
	struct lane lane;
	struct server server;
	struct feed feed;
};

/* It may have changed since it was chosen. */
static bool is_wanted(void *context, const struct entry *e)
{
	const struct way *w = context;

	return is_meant(w->r->run, e) && is_due(w->r->run, e, w->r->now);
}

static void watch(void *context)
{
	struct way *w = context;

	if (++w->r->done > w->r->all)
		w->r->all = w->r->done; /* a report of this run */
	if (w->r->d->watch)
		w->r->d->watch(w->r->d->context, w->r->done, w->r->all);
}

/* Nothing can be said to the server: those who wait too long hear of it. */
static void stand_still(struct way *w, const struct outcome *why, int64_t last)
{
	keep(w->r, why);
	feed_tell_stuck(&w->feed, why, last);
}

static void note_failure(struct way *w, const struct outcome *why,
			 const char *proof)
{
	int64_t last = w->server.last;

	server_note_failure(w->r->spool, w->share->lane, &w->server, why, proof,
			    time(NULL));
	stand_still(w, why, last);
}

/* The first message that this session was to carry may be what ends it: it is
 * put off, so that it does not stand before the others for ever. */
static void put_off_first(struct way *w, const struct outcome *why)
{
	struct entry *e = feed_next(&w->feed);

	if (e)
		feed_put_off(&w->feed, e, why);
}

/* There is no session beside the first process's: a server may have no room for
 * more. That one brings what waits, or says why it can't; nothing is left in
 * our hands. */
static bool is_spare(const struct way *w)
{
	return follows(w->r) && !w->feed.n_given && !w->feed.n_returned;
}

/* Sessions, one after the other, as long as each brings something along. */
static void run_sessions(struct way *w)
{
	const struct deliverer *d = w->r->d;
	struct outcome o = OUTCOME_INIT;
	unsigned strikes = 0;
	char *proof = NULL;
	int rc;

	for (;;) {
		w->feed.n_given = w->feed.n_settled = 0;
		rc = d->deliver(d->context, &w->feed, &proof, &o);
		if (rc == 0 && w->feed.n_given && feed_has_more(&w->feed))
			continue; /* the last ones have left reports */
		if (rc == 0 || ending_is_asked())
			break;
		if (w->feed.n_settled)
			strikes = 0;
		else if (!w->feed.n_given || ++strikes == STRIKES_MAX)
			break;
		else
			put_off_first(w, &o);
		outcome_release(&o);
		free(proof);
		proof = NULL;
	}
	if (rc < 0 && !is_spare(w))
		note_failure(w, &o, proof);
	else if (rc == 0 && w->server.failures)
		server_forget(w->r->spool, w->share->lane);
	free(proof);
	outcome_release(&o);
}

/* The login was refused, and would be the same again. */
static bool is_stopped(struct way *w)
{
	const struct deliverer *d = w->r->d;

	return w->server.proof && d->is_same_login(d->context, w->server.proof);
}

static void run_open_lane(struct way *w)
{
	const struct run *run = w->r->run;
	bool is_free = run->everything || run->has_session;
	bool stopped, due;

	server_read(w->r->spool, w->share->lane, &w->server);
	stopped = !is_free && is_stopped(w);
	due = is_free || run->asks_servers || w->server.proof ||
		server_is_due(&w->server, w->r->now);
	if (!stopped && due)
		run_sessions(w);
	else if (stopped && !follows(w->r))
		stand_still(w, &w->server.why, w->r->now);
	else if (!follows(w->r))
		keep(w->r, &w->server.why);
	server_release(&w->server);
}

static void add_counts(struct runner *r, struct feed *f)
{
	r->result->count.delivered += f->count.delivered;
	r->result->count.deferred += f->count.deferred;
	if (outcome_is_failure(&f->trouble))
		keep(r, &f->trouble);
}

/* Of `n` processes side by side each begins with messages of its own, and goes
 * on with what the others have not got to. */
static void divide(const struct runner *r, const struct share *share,
		   unsigned connections, struct picks *picks)
{
	unsigned n = r->run->shares < connections ? r->run->shares
						  : connections;
	unsigned round;
	size_t i;

	if (n > share->picks.n)
		n = (unsigned)share->picks.n;
	if (n < 2)
		n = 1;
	for (round = 0; r->run->share < n && round < n; round++)
		for (i = (r->run->share + round) % n; i < share->picks.n;
		     i += n)
			picks_add(picks, &share->picks.p[i]);
}

static void run_with(struct way *w)
{
	struct picks picks = PICKS_INIT;
	struct outcome unsynced = OUTCOME_INIT;

	divide(w->r, w->share, w->lane.policy->connections, &picks);
	w->feed = (struct feed){
		.spool = w->r->spool,
		.policy = w->lane.policy,
		.by = w->lane.by,
		.ends = w->r->run->ends,
		.picks = &picks,
		.is_wanted = is_wanted,
		.watch = watch,
		.context = w,
	};
	if (picks.n)
		run_open_lane(w);
	if (w->feed.has_removed && spool_sync(w->r->spool, &unsynced) < 0)
		keep(w->r, &unsynced);
	outcome_release(&unsynced);
	add_counts(w->r, &w->feed);
	feed_release(&w->feed);
	outcome_release(&w->feed.trouble);
	picks_release(&w->feed.busy);
	picks_release(&w->feed.made);
	picks_release(&picks);
}

static void run_lane(struct runner *r, const struct share *share)
{
	struct way w = {.r = r, .share = share};
	struct outcome o = OUTCOME_INIT;
	struct entry e = ENTRY_INIT;
	size_t i = 0;

	while (i < share->picks.n) { /* any that is still there will do */
		entry_release(&e);
		outcome_release(&o);
		if (spool_read(r->spool, share->picks.p[i++].id, &e, &o) > 0)
			break;
	}
	if (e.id && r->d->begin(r->d->context, &e, &w.lane, &o) == 0) {
		run_with(&w);
		r->d->end(r->d->context);
	} else if (!follows(r) && outcome_is_failure(&o)) {
		keep(r, &o);
	}
	outcome_release(&o);
	entry_release(&e);
}

int runner_run(struct spool *s, const struct run *run,
	       const struct deliverer *d, struct run_result *result,
	       struct outcome *o)
{
	struct runner r = {
		.spool = s,
		.run = run,
		.d = d,
		.result = result,
		.now = time(NULL),
	};
	int rc;
	size_t i;

	spool_clean(s);
	rc = choose(&r, o);
	for (i = 0; rc == 0 && i < r.n_shares && !ending_is_asked(); i++)
		if (!run->ends || clock_ms() < run->ends)
			run_lane(&r, &r.shares[i]);
	release(&r);
	return rc;
}

int runner_count(struct spool *s, const struct run *run, size_t *messages,
		 struct outcome *o)
{
	struct run_result ignored = RUN_RESULT_INIT;
	struct runner r = {
		.spool = s,
		.run = run,
		.result = &ignored,
		.now = time(NULL),
	};
	int rc = choose(&r, o);

	*messages = r.all;
	release(&r);
	run_result_release(&ignored);
	return rc;
}

void run_result_release(struct run_result *result)
{
	outcome_release(&result->worst);
	outcome_release(&result->own);
	*result = RUN_RESULT_INIT;
}
