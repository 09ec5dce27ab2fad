/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_ENQUEUE_H
#define APP_ENQUEUE_H

#include "app/job.h"
#include "base/outcome.h"
#include "queue/entry.h"

/*
 * Put a job whose content is made into its account's queue, for those of its
 * recipients that have not got it and may still: all, if it was not tried.
 * Their fate is FATE_QUEUED then, and queue_id is set. `hold`: why it is to be
 * held; NULL: it is not. -1 as spool_open and spool_add; nothing is queued.
 */
int enqueue(struct job *job, const char *hold, struct outcome *o);

/* Would enqueue take this recipient along, to be tried again? */
bool enqueue_takes(const struct job *job, size_t recipient);

/* Was it refused for good? Such a one is taken along too, for a report to the
 * sender, if the job says so (reports_refusals); its fate stays. */
bool enqueue_is_refused(const struct job *job, size_t recipient);

/* The lane (entry_lane) that the job's messages are in; allocated. */
char *enqueue_lane(const struct job *job);

#endif
