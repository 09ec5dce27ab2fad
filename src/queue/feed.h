/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_FEED_H
#define QUEUE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "queue/entry.h"
#include "queue/notice.h"
#include "queue/policy.h"
#include "queue/spool.h"

/* How many messages a run has brought where. */
struct feed_count {
	size_t delivered; /* all recipients are */
	size_t deferred;  /* some wait */
};

/* A message that was chosen. */
struct pick {
	char id[SPOOL_ID_LENGTH + 1];
	unsigned attempts; /* when it was chosen: another has tried it since if
			      there are more */
	bool is_made;      /* a report of this very run, or it goes on */
	bool was_busy;     /* it is looked at once more */
};

struct picks {
	struct pick *p;
	size_t n;
	size_t cap;
};

#define PICKS_INIT ((struct picks){0})

void picks_add(struct picks *list, const struct pick *one);
void picks_release(struct picks *list);

/*
 * The messages of one lane, one by one, for who delivers: each is locked, read,
 * given out, answered, and then settled or given back.
 */
struct feed {
	struct spool *spool;
	const struct queue_policy *policy;
	struct reporter by; /* of reports */
	int64_t ends; /* clock_ms() from which on no more is given; 0: never */
	const struct picks *picks;
	size_t next;       /* of the picks: not yet looked at */
	struct picks busy; /* another process had them: it may have ended by
			      the time that the others are done */
	size_t next_busy;  /* of these: not yet looked at again */
	struct picks made; /* reports of this run, and what goes on: they go at
			      its end */
	size_t next_made;  /* of these: not yet looked at */
	struct entry **returned; /* given back, to be given again, in order */
	size_t n_returned;
	size_t n_given;   /* given out since the session began */
	size_t n_settled; /* … and settled */
	/* Is it still to be sent, now that it is locked, and nothing of it is
	 * left to be told? */
	bool (*is_wanted)(void *context, const struct entry *e);
	/* One more was settled; may be NULL. */
	void (*watch)(void *context);
	void *context;
	struct feed_count count;
	bool has_removed;
	struct outcome trouble; /* the first failure of the queue itself */
};

/* Is there more to be given? */
bool feed_has_more(const struct feed *f);

/* The next one, or NULL. It is the caller's until it is settled or given
 * back. */
struct entry *feed_next(struct feed *f);

/*
 * Note recipients' answers (`n` of them, for the recipients named by `which`),
 * durably; have the reports queued that are due; take the entry off the queue
 * if nobody waits any more, else put down when it is tried again; or go on with
 * it in this run, if these were not all who wait, and some have got it. The
 * entry is gone then.
 */
void feed_settle(struct feed *f, struct entry *e, const size_t *which,
		 const struct progress *answers, size_t n);

/* The same where nobody could be asked, for that reason. */
void feed_put_off(struct feed *f, struct entry *e, const struct outcome *why);

/* Nothing was said of it to a server: it is the next to be given out, behind
 * others that were given back before it. */
void feed_give_back(struct feed *f, struct entry *e);

/*
 * The server can't be asked, for that reason; `last` is when that was so before
 * (0: never). Those whose time is over are given up, those that are late
 * reported.
 */
void feed_tell_stuck(struct feed *f, const struct outcome *why, int64_t last);

void feed_release(struct feed *f);

#endif
