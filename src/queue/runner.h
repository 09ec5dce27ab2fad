/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_RUNNER_H
#define QUEUE_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"
#include "queue/entry.h"
#include "queue/policy.h"
#include "queue/select.h"
#include "queue/spool.h"

/*
 * One run over the queue: finds what is due, brings it lane by lane to
 * somebody who delivers, notes what became of it, and queues the reports that
 * are due. How anything is delivered it does not know.
 */

/* The messages of a lane, one by one, for who delivers. */
struct feed;

/* The next one, locked and read, or NULL. It stays until it is settled. */
struct entry *feed_next(struct feed *f);

/*
 * Its progress has the new answers (and `at`) of those who waited, as far as
 * there are any: note them, have the reports queued, remove it if nobody waits
 * any more. It is gone then.
 */
void feed_settle(struct feed *f, struct entry *e);

/* Nothing was said of it to the server: it goes back as it was, to be the next
 * one again. Several are given back in the reverse order. */
void feed_give_back(struct feed *f, struct entry *e);

/* What the deliverer says of a lane. */
struct lane {
	const struct queue_policy *policy; /* must last until `end` */
	const char *host;                  /* our name, for reports; the same */
};

struct deliverer {
	void *context;
	/* Who delivers for the lane of this entry? -1: nobody can (the
	 * configuration does not say). */
	int (*begin)(void *context, const struct entry *e, struct lane *lane,
		     struct outcome *o);
	/* Would a login today be the same as the one that gave this proof? */
	bool (*is_same_login)(void *context, const char *proof);
	/*
	 * Have a session and deliver what the feed gives until it gives no
	 * more. -1: there is none, or it ended; `o` says why, and `proof` (else
	 * NULL, allocated) tells the login that was refused.
	 */
	int (*deliver)(void *context, struct feed *f, char **proof,
		       struct outcome *o);
	void (*end)(void *context);
	/* Something was settled: so many of so many. May be NULL. */
	void (*watch)(void *context, size_t done, size_t all);
};

struct run {
	bool everything; /* also what is not due, and lanes that are stopped */
	struct selectors selectors;
	const char *only_lane;  /* NULL: every lane */
	unsigned share, shares; /* this process has every `shares`-th message,
				   from `share` on; shares 0: all */
};

/* What a run did. */
struct run_result {
	size_t delivered, deferred, failed; /* messages; partly is deferred */
	size_t left;          /* messages that were due, and are still there */
	struct outcome worst; /* of a lane that could not be used */
};

#define RUN_RESULT_INIT ((struct run_result){0})

/* -1: CAUSE_SYSTEM, the queue can't be read or written. */
int runner_run(struct spool *s, const struct run *run,
	       const struct deliverer *d, struct run_result *result,
	       struct outcome *o);

/* How many messages a run would take up now, and of how many lanes. */
int runner_count(struct spool *s, const struct run *run, size_t *messages,
		 size_t *lanes, struct outcome *o);

void run_result_release(struct run_result *r);

#endif
