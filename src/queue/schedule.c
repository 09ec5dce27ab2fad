/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When to try again, when to tell, when to give up. Only numbers here. */
#include "queue/schedule.h"

#include <limits.h>
#include <unistd.h>

/* Clocks are set right by some seconds all the time. */
#define SLACK 60 /* seconds */
/* What is ahead by more was no time zone, but a wrong clock. */
#define AHEAD 86400 /* seconds */

unsigned schedule_wait(unsigned attempts, unsigned most, uint32_t random)
{
	unsigned wait = SCHEDULE_FIRST;

	while (attempts-- > 1 && wait < most)
		wait *= 2;
	if (wait > most)
		wait = most;
	return wait - wait / 4 + random % (wait / 2 + 1);
}

unsigned schedule_draw(unsigned attempts, unsigned most)
{
	uint32_t random;

	if (getentropy(&random, sizeof(random)) < 0)
		random = 0;
	return schedule_wait(attempts, most, random);
}

bool schedule_has_come(int64_t noted, int64_t due, int64_t now)
{
	return due <= now || noted > now + SLACK ||
		due > now + 2 * (int64_t)SCHEDULE_MOST;
}

bool schedule_is_due(const struct entry *e, int64_t now)
{
	return schedule_has_come(e->last_attempt, e->next_attempt, now);
}

static bool is_credible(int64_t when, int64_t now)
{
	return when >= ENTRY_OLDEST && when <= now + AHEAD;
}

int64_t schedule_since(const struct entry *e, int64_t now)
{
	if (is_credible(e->created, now))
		return e->created;
	return is_credible(e->seen, now) ? e->seen : now;
}

bool schedule_wants_note(const struct entry *e, int64_t now)
{
	return now >= ENTRY_OLDEST && !is_credible(e->created, now) &&
		!is_credible(e->seen, now);
}

bool schedule_may_be_old(int64_t when, int64_t age, int64_t now)
{
	return when > now + AHEAD || now - when >= age;
}

bool schedule_is_over(const struct entry *e, const struct queue_policy *policy,
		      int64_t last, int64_t now)
{
	int64_t end = schedule_since(e, now) + policy->lifetime;

	return now >= end && last >= end && last <= now + SLACK;
}

bool schedule_is_late(const struct entry *e, const struct queue_policy *policy,
		      int64_t now)
{
	return policy->warn != UINT_MAX &&
		now >= schedule_since(e, now) + policy->warn;
}

void schedule_put_off(struct entry *e, int64_t now, bool has_moved,
		      struct buf *line)
{
	unsigned in_vain = has_moved ? 1 : e->attempts + 1;

	entry_note_attempt(e, now, now + schedule_draw(in_vain, SCHEDULE_MOST),
			   line);
}
