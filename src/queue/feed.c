/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What becomes of an entry that was tried: its events, its reports, its end.
 * The order is what makes it safe: first the answers are on disk, then the
 * report is, then that it was told, and only then the entry goes.
 */
#include "queue/feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/ending.h"
#include "base/memory.h"
#include "queue/schedule.h"

#define ROOM_PER_ANSWER 512u        /* octets of an event, as a rule */
#define LINES_LIMIT     (64u << 20) /* octets of events noted at once */

void picks_add(struct picks *list, const struct pick *one)
{
	if (list->n == list->cap) {
		list->cap = list->cap * 2 + 16;
		list->p = memory_resize(list->p, list->cap, sizeof(*list->p));
	}
	list->p[list->n++] = *one;
}

void picks_release(struct picks *list)
{
	free(list->p);
	*list = PICKS_INIT;
}

static void note_trouble(struct feed *f, struct outcome *o)
{
	if (outcome_is_failure(o) && !outcome_is_failure(&f->trouble))
		outcome_copy(&f->trouble, o);
	outcome_release(o);
}

static void drop(struct entry *e)
{
	entry_release(e);
	free(e);
}

/* ------------------------------------------------------ the end of an entry */

static bool any_refused(const struct entry *e)
{
	size_t i;

	for (i = 0; i < e->envelope.n_recipients; i++)
		if (e->progress[i].standing == STANDING_REFUSED)
			return true;
	return false;
}

/* Everybody has it and nobody wants to be told: nothing is to be noted. */
static bool is_plainly_done(const struct entry *e)
{
	size_t i;

	for (i = 0; i < e->envelope.n_recipients; i++)
		if (e->progress[i].standing != STANDING_DELIVERED ||
		    (envelope_notify_of(&e->envelope, i) & NOTIFY_SUCCESS &&
		     !e->progress[i].server_tells))
			return false;
	return true;
}

static int append(struct feed *f, struct entry *e, struct buf *lines)
{
	struct outcome o = OUTCOME_INIT;
	int rc = spool_note(e, lines, &o);

	note_trouble(f, &o);
	buf_clear(lines);
	return rc;
}

static int remove_entry(struct feed *f, struct entry *e)
{
	struct outcome o = OUTCOME_INIT;
	int rc = spool_remove(f->spool, e, &o);

	if (rc == 0)
		f->has_removed = true;
	note_trouble(f, &o);
	return rc;
}

/* There is nobody to tell of a failure: it stays, for people to see. */
static void keep(struct feed *f, struct entry *e, int64_t now)
{
	struct buf lines = BUF_INIT(LINES_LIMIT);

	entry_note_hold(e,
			e->is_report ? "this report can't be delivered"
				     : "it can't be delivered, and there is no "
				       "sender to tell",
			now, &lines);
	append(f, e, &lines);
	buf_release(&lines);
}

/* They are wanted in any case: whoever wants the messages wants their end. */
static void add_made(struct feed *f, const struct strings *ids)
{
	struct pick pick = {.is_made = true};
	size_t i;

	for (i = 0; i < ids->n; i++) {
		snprintf(pick.id, sizeof(pick.id), "%s", ids->p[i]);
		picks_add(&f->made, &pick);
	}
}

/* What was noted has been written: tell who is to be told, and let it go if
 * that was all. */
static void conclude(struct feed *f, struct entry *e, int64_t now)
{
	struct outcome o = OUTCOME_INIT;
	struct strings made = STRINGS_INIT;
	int rc = notice_send(f->spool, e, f->policy, &f->by,
			     schedule_is_late(e, f->policy, now), now, &made,
			     &o);

	/* one that is not noted waits until the message is looked at again, so
	 * that it is not made twice */
	if (rc >= 0)
		add_made(f, &made);
	strings_release(&made);
	note_trouble(f, &o);
	if (rc < 0 || entry_waiting(e))
		return;
	if (rc > 0)
		keep(f, e, now);
	else
		remove_entry(f, e);
}

static void count(struct feed *f, const struct entry *e)
{
	if (entry_waiting(e))
		f->count.deferred++;
	else if (!any_refused(e))
		f->count.delivered++;
}

/* ------------------------------------------------------------- giving it up */

static void spell_days(unsigned seconds, struct buf *out)
{
	if (seconds >= 2 * 86400)
		buf_printf(out, "%u days", seconds / 86400);
	else if (seconds >= 2 * 3600)
		buf_printf(out, "%u hours", seconds / 3600);
	else
		buf_printf(out, "%u minutes", seconds / 60);
}

/* Those who still wait will not get it. RFC 3463 3.5: X.4.7. */
static void give_up(struct feed *f, struct entry *e, int64_t now,
		    struct buf *lines)
{
	struct buf age = BUF_INIT(64);
	struct progress p;
	size_t i;

	spell_days(f->policy->lifetime, &age);
	for (i = 0; i < e->envelope.n_recipients; i++) {
		if (e->progress[i].standing != STANDING_WAITING)
			continue;
		p = (struct progress){.standing = STANDING_REFUSED, .at = now};
		outcome_copy(&p.answer, &e->progress[i].answer);
		if (!outcome_is_failure(&p.answer))
			fail(&p.answer, CAUSE_CONNECT, "5.4.7", "no answer");
		snprintf(p.answer.status, sizeof(p.answer.status), "5.4.7");
		outcome_add_context(
			&p.answer, "given up after %s; the last answer", age.p);
		entry_note_answer(e, i, &p, lines);
		outcome_release(&p.answer);
	}
	buf_release(&age);
}

/* ----------------------------------------------------------------- the feed */

/* Of a run that ended between an answer and what follows from it, or of who
 * queued it. True: that was all. */
static bool finish_left(struct feed *f, struct entry *e)
{
	if (e->held || (entry_waiting(e) && !entry_has_untold(e)))
		return false;
	conclude(f, e, time(NULL));
	return !entry_waiting(e);
}

/* It came by a clock that was wrong: from now on it ages. */
static void note_seen(struct feed *f, struct entry *e)
{
	struct buf line = BUF_INIT(LINES_LIMIT);
	int64_t now = time(NULL);

	if (schedule_wants_note(e, now)) {
		entry_note_seen(e, now, &line);
		append(f, e, &line);
	}
	buf_release(&line);
}

static bool is_wanted(const struct feed *f, const struct pick *pick,
		      const struct entry *e)
{
	if (!entry_waiting(e) || e->attempts != pick->attempts)
		return false;
	return pick->is_made ? !e->held : f->is_wanted(f->context, e);
}

/* Will the entry go once everybody has it? Not if others are left who wait, or
 * whose refusal or success is told. */
static bool may_stay(const struct entry *e)
{
	size_t i;

	for (i = 0; i < e->envelope.n_recipients; i++)
		if (e->progress[i].standing == STANDING_REFUSED ||
		    envelope_notify_of(&e->envelope, i) & NOTIFY_SUCCESS)
			return true;
	return entry_waiting(e) > 1;
}

/* If it could not be noted who has it, they would get it again with each run.
 */
static int reserve(const struct entry *e, struct outcome *o)
{
	if (!may_stay(e))
		return 0;
	return spool_reserve(e, entry_waiting(e) * ROOM_PER_ANSWER, o);
}

static void look_again_later(struct feed *f, const struct pick *pick)
{
	struct pick again = *pick;

	if (pick->was_busy)
		return;
	again.was_busy = true;
	picks_add(&f->busy, &again);
}

/* Locked and still to be sent; NULL: it is gone, or another's, or another has
 * tried it. */
static struct entry *take(struct feed *f, const struct pick *pick)
{
	struct entry *e = memory_alloc(sizeof(*e));
	struct outcome o = OUTCOME_INIT;
	int rc;

	*e = ENTRY_INIT;
	rc = spool_take(f->spool, pick->id, e, &o);
	if (rc > 0)
		note_seen(f, e);
	else if (rc == 0 && e->id)
		look_again_later(f, pick);
	if (rc > 0 && !finish_left(f, e) && is_wanted(f, pick, e) &&
	    reserve(e, &o) == 0)
		return e;
	note_trouble(f, &o);
	drop(e);
	return NULL;
}

bool feed_has_more(const struct feed *f)
{
	if (ending_is_asked() || (f->ends && clock_ms() >= f->ends))
		return false;
	return f->n_returned || f->next < f->picks->n ||
		f->next_busy < f->busy.n || f->next_made < f->made.n;
}

/* Reports come last, as they follow from the others. */
static struct pick next_pick(struct feed *f)
{
	if (f->next < f->picks->n)
		return f->picks->p[f->next++];
	if (f->next_busy < f->busy.n)
		return f->busy.p[f->next_busy++];
	return f->made.p[f->next_made++];
}

struct entry *feed_next(struct feed *f)
{
	struct pick pick;
	struct entry *e = NULL;

	if (f->n_returned && feed_has_more(f)) {
		e = f->returned[0];
		f->n_returned--;
		memmove(f->returned, f->returned + 1,
			f->n_returned * sizeof(*f->returned));
	}
	while (!e && feed_has_more(f)) {
		pick = next_pick(f);
		e = take(f, &pick);
	}
	if (e) {
		f->n_given++;
		ending_hold();
	}
	return e;
}

void feed_give_back(struct feed *f, struct entry *e)
{
	f->returned = memory_resize(f->returned, f->n_returned + 1,
				    sizeof(*f->returned));
	f->returned[f->n_returned++] = e;
	ending_let_go();
}

/* How the attempt went. */
struct course {
	bool has_moved; /* some have got it */
	bool goes_on;   /* and others were not asked yet */
};

static void go_on(struct feed *f, const struct entry *e)
{
	struct pick pick = {.attempts = e->attempts, .is_made = true};

	snprintf(pick.id, sizeof(pick.id), "%s", e->id);
	picks_add(&f->made, &pick);
}

/* Its answers stand in `lines`. */
static void settle(struct feed *f, struct entry *e, struct course c,
		   struct buf *lines)
{
	int64_t now = time(NULL), last = e->last_attempt;

	f->n_settled++;
	if (is_plainly_done(e)) {
		/* what has to stay must not be sent again */
		if (remove_entry(f, e) < 0)
			append(f, e, lines);
		count(f, e);
	} else {
		if (entry_waiting(e) && !c.goes_on &&
		    schedule_is_over(e, f->policy, last, now))
			give_up(f, e, now, lines);
		if (entry_waiting(e))
			schedule_put_off(e, now, c.has_moved, lines);
		else
			entry_note_attempt(e, now, 0, lines);
		if (!c.goes_on)
			count(f, e);
		if (append(f, e, lines) == 0) {
			conclude(f, e, now);
			if (c.goes_on)
				go_on(f, e);
		}
	}
	drop(e);
	ending_let_go();
	if (f->watch)
		f->watch(f->context);
}

void feed_settle(struct feed *f, struct entry *e, const size_t *which,
		 const struct progress *answers, size_t n)
{
	struct buf lines = BUF_INIT(LINES_LIMIT);
	struct course c = {.has_moved = false};
	bool are_all = n == entry_waiting(e);
	size_t i;

	for (i = 0; i < n; i++) {
		entry_note_answer(e, which[i], &answers[i], &lines);
		c.has_moved |= answers[i].standing == STANDING_DELIVERED;
	}
	c.goes_on = c.has_moved && !are_all;
	settle(f, e, c, &lines);
	buf_release(&lines);
}

/* ------------------------------------------------------------ nothing moves */

/* The answer of all who wait is that nobody can be asked. */
static void note_stuck(struct entry *e, const struct outcome *why, int64_t now,
		       struct buf *lines)
{
	struct progress p = {.standing = STANDING_WAITING, .at = now};
	size_t i;

	outcome_copy(&p.answer, why);
	for (i = 0; i < e->envelope.n_recipients; i++)
		if (e->progress[i].standing == STANDING_WAITING)
			entry_note_answer(e, i, &p, lines);
	outcome_release(&p.answer);
}

void feed_put_off(struct feed *f, struct entry *e, const struct outcome *why)
{
	struct buf lines = BUF_INIT(LINES_LIMIT);

	note_stuck(e, why, time(NULL), &lines);
	settle(f, e, (struct course){.has_moved = false}, &lines);
	buf_release(&lines);
}

static bool is_told_late(const struct entry *e)
{
	size_t i;

	for (i = 0; i < e->envelope.n_recipients; i++)
		if (e->progress[i].standing == STANDING_WAITING &&
		    !(e->progress[i].told & TOLD_DELAYED))
			return false;
	return true;
}

static void tell_stuck(struct feed *f, struct entry *e,
		       const struct outcome *why, int64_t last, int64_t now)
{
	bool is_over = schedule_is_over(e, f->policy, last, now);
	bool is_late = schedule_is_late(e, f->policy, now);
	struct buf lines = BUF_INIT(LINES_LIMIT);

	if (is_over || (is_late && !is_told_late(e))) {
		note_stuck(e, why, now, &lines);
		if (is_over)
			give_up(f, e, now, &lines);
		if (append(f, e, &lines) == 0)
			conclude(f, e, now);
	}
	buf_release(&lines);
}

/* Can it be late or over? Its id says when it came. */
static bool may_be_late(const struct feed *f, const char *id, int64_t now)
{
	unsigned soonest = f->policy->warn < f->policy->lifetime
		? f->policy->warn
		: f->policy->lifetime;

	return schedule_may_be_old(spool_time_of(id), soonest, now);
}

void feed_tell_stuck(struct feed *f, const struct outcome *why, int64_t last)
{
	int64_t now = time(NULL);
	struct entry *e;
	size_t i;

	feed_release(f); /* they are among the picks */
	for (i = 0; i < f->picks->n; i++) {
		if (!may_be_late(f, f->picks->p[i].id, now))
			continue;
		e = take(f, &f->picks->p[i]);
		if (!e)
			continue;
		tell_stuck(f, e, why, last, now);
		drop(e);
	}
}

void feed_release(struct feed *f)
{
	size_t i;

	for (i = 0; i < f->n_returned; i++)
		drop(f->returned[i]);
	free(f->returned);
	f->returned = NULL;
	f->n_returned = 0;
}
