/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_DISPATCH_H
#define APP_DISPATCH_H

#include "app/job.h"
#include "app/link.h"
#include "base/outcome.h"

/*
 * A job whose content is made goes its way: to the server now (job_send), to
 * the queue, or, where the account has one, to the queue if it may work later.
 * `results` and `queue_id` tell. 0: every recipient has it or is queued. -1: o
 * is what is to be told of the others: job_send's, or why it could not be
 * queued; CAUSE_CONFIG 5.3.5 where a queue is asked for and there is none.
 */
int dispatch(struct job *job, struct link *l, struct outcome *o);

/*
 * After that, when the caller has been told: what can be done in the
 * background. A message that was to be sent there is; over a session that has
 * just carried one goes what else is due in the queue. The caller ends now;
 * in the child this returns when all is done, and it ends as well.
 */
void dispatch_afterwards(struct job *job, struct link *l);

#endif
