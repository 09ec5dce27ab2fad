/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_BATCH_H
#define SMTP_BATCH_H

#include <stdbool.h>

#include "base/outcome.h"
#include "smtp/session.h"
#include "smtp/transaction.h"

/* One of several messages that one session carries. */
struct delivery {
	struct submission submission;
	struct result *results; /* one a recipient, initialised; filled */
	struct outcome outcome; /* of the whole, as of transaction_run */
	bool goes_alone; /* a session has ended with it before: nothing is said
			    ahead of its replies, so none shares its fate */
	bool is_untried; /* the session ended before anything of it was said, or
			    where certainly nobody has it and nobody was
			    refused: another may carry it */
};

/* Where the messages come from. */
struct batch {
	void *context;
	/* The next one, or NULL: there are no more. It stays until settled. */
	struct delivery *(*next)(void *context);
	/* Its fate is known. Called once for each that `next` gave, in that
	 * order, as soon as its last reply is there; in a flight of several,
	 * as soon as the next reply says that it was its own. */
	void (*settled)(void *context, struct delivery *d);
};

/*
 * Hand over one message after the other, each as transaction_run does with
 * `partial on`, in as few round trips as the server permits: with CHUNKING and
 * PIPELINING whole messages follow each other, a bounded number of them
 * unacknowledged (BATCH_MAX); by DATA the next MAIL goes behind the message
 * (RFC 2920 3.1). RSET stands between them wherever an earlier one might have
 * left its transaction open: no recipient ever gets what is another's.
 *
 * Returns 0 if `next` had no more. -1: the session has ended; `o` says why,
 * and all that were given have been settled.
 */
#define BATCH_MAX 256u
int batch_run(struct session *s, const struct batch *b,
	      const struct transaction_policy *policy, struct outcome *o);

#endif
