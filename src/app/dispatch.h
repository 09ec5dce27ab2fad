/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_DISPATCH_H
#define APP_DISPATCH_H

#include "app/job.h"
#include "app/link.h"
#include "base/outcome.h"
#include "base/strings.h"

/*
 * A job whose content is made goes its way: to the server now (job_send), to
 * the queue, or, where the account has one, to the queue if it may work later.
 * `results` and `queue_id` tell. 0: every recipient has it or is queued. -1: o
 * is what is to be told of the others: job_send's, or why it could not be
 * queued; CAUSE_CONFIG 5.3.5 where a queue is asked for and there is none.
 * Whom -bs speaks for hears one answer for all recipients: where some have the
 * message, or it waits for them, it is 0, and a report tells the sender of
 * those who refused it (job.reports_refusals).
 */
int dispatch(struct job *job, struct link *l, struct outcome *o);

/* What of the queue is to be sent in the background, once all is said. */
struct errands {
	struct strings ids;
	struct strings paths; /* of the queues that they are in */
};

#define ERRANDS_INIT ((struct errands){0})

/* A job that was dispatched: is there anything to be done for it then? */
void dispatch_note(const struct job *job, struct errands *errands);
void errands_release(struct errands *errands);

/*
 * After the last one, when the caller has been told: what can be done in the
 * background. The errands are, if there are any; else what is due in the queue
 * goes over the session that has just carried `job`. The caller ends now; in
 * the child this returns when all is done, and it ends as well.
 */
void dispatch_afterwards(const struct job *job, const struct errands *errands,
			 struct link *l);

#endif
