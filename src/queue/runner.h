/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_RUNNER_H
#define QUEUE_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"
#include "queue/entry.h"
#include "queue/feed.h"
#include "queue/policy.h"
#include "queue/select.h"
#include "queue/spool.h"

/*
 * One run over the queue: finds what is due, brings it lane by lane to
 * somebody who delivers, notes what became of it, and queues the reports that
 * are due. How anything is delivered it does not know.
 */

/* What the deliverer says of a lane. */
struct lane {
	const struct queue_policy *policy; /* must last until `end` */
	struct reporter by;                /* of reports; its names too */
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
	 * more; nothing is asked of the feed before there is one. -1: there is
	 * none, or it ended; `o` says why, and `proof` (else NULL, allocated)
	 * tells the login that was refused.
	 */
	int (*deliver)(void *context, struct feed *f, char **proof,
		       struct outcome *o);
	void (*end)(void *context);
	/* Something was settled: so many of so many. May be NULL. */
	void (*watch)(void *context, size_t done, size_t all);
};

struct run {
	bool everything; /* also what is not due, and lanes that are stopped */
	bool asks_servers; /* also those that are left alone for now; not lanes
			      that are stopped */
	bool has_session;  /* there is one with only_lane: nothing that is known
			     of its server matters */
	int64_t ends;      /* clock_ms() from which on no message is begun; 0:
			      never */
	struct selectors selectors;
	const char *only_lane;  /* NULL: every lane */
	unsigned share, shares; /* this process has every `shares`-th message,
				   from `share` on; shares 0: all */
};

/* What a run did. */
struct run_result {
	struct feed_count count;
	struct outcome worst; /* of a lane that could not be used, or of an
				 entry that could not be read */
	struct outcome own;   /* the worst of CAUSE_CONFIG and CAUSE_SYSTEM: no
			       server that is away hides it */
};

#define RUN_RESULT_INIT ((struct run_result){0})

/* -1: CAUSE_SYSTEM, the queue can't be read or written. */
int runner_run(struct spool *s, const struct run *run,
	       const struct deliverer *d, struct run_result *result,
	       struct outcome *o);

/* How many messages a run would take up now. -1 as runner_run. */
int runner_count(struct spool *s, const struct run *run, size_t *messages,
		 struct outcome *o);

void run_result_release(struct run_result *r);

#endif
