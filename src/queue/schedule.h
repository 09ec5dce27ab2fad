/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/entry.h"
#include "queue/policy.h"

/*
 * When a message is tried again: a minute after the first attempt, then twice
 * as long each time up to four hours, each up to a quarter longer or shorter so
 * that what came together does not come back together. Times are wall clock
 * seconds. A clock that was set back can't keep a message waiting: what was
 * noted in the future counts as long ago.
 */
#define SCHEDULE_FIRST       60u    /* seconds */
#define SCHEDULE_MOST        14400u /* for a message */
#define SCHEDULE_MOST_SERVER 1800u  /* for a server that can't be reached */

/* Seconds to wait after `attempts` (from 1) in vain; `random` is any number. */
unsigned schedule_wait(unsigned attempts, unsigned most, uint32_t random);

/* The same with a number that is drawn. */
unsigned schedule_draw(unsigned attempts, unsigned most);

/* Is something due that was noted at `noted`, to be done at `due`? */
bool schedule_has_come(int64_t noted, int64_t due, int64_t now);

bool schedule_is_due(const struct entry *e, int64_t now);

/* When its age counts from: `created`, unless that was by a clock that must
 * have been wrong (before ENTRY_OLDEST, or over a day ahead); then from when it
 * was first seen by another, which is now if it was not. */
int64_t schedule_since(const struct entry *e, int64_t now);

/* Is that to be noted (entry_note_seen), so that it ages? */
bool schedule_wants_note(const struct entry *e, int64_t now);

/* What came at `when`, by its id: can it be so many seconds old? */
bool schedule_may_be_old(int64_t when, int64_t age, int64_t now);

/*
 * Is it time to give the message up, after an attempt in vain that follows one
 * at `last` (0: none)? Only when that one was made after the lifetime's end as
 * well: so a machine that slept for a week tries twice.
 */
bool schedule_is_over(const struct entry *e, const struct queue_policy *policy,
		      int64_t last, int64_t now);

/* Is it so late that the sender is to be told? */
bool schedule_is_late(const struct entry *e, const struct queue_policy *policy,
		      int64_t now);

/* It was tried now: note when it is tried again (entry_note_attempt).
 * has_moved: some have got it, so the others may soon; a server may take but so
 * many recipients at a time (RFC 5321 4.5.3.1.10). */
void schedule_put_off(struct entry *e, int64_t now, bool has_moved,
		      struct buf *line);

#endif
