/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_NOTICE_H
#define QUEUE_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/outcome.h"
#include "base/strings.h"
#include "queue/entry.h"
#include "queue/policy.h"
#include "queue/spool.h"

/* Who says it. */
struct reporter {
	const char *host;   /* this machine's name */
	const char *domain; /* where its mail is from; NULL: the host */
};

/*
 * Tell the sender what has become of recipients, as NOTIFY wishes (RFC 3461
 * 4.1): those that are refused, those that are late (if is_late), those that
 * were delivered to a server without DSN where success was asked for. Queues
 * one report a kind (mail/dsn) through the same lane, to the sender or
 * policy's bounce_to; then notes in `e` who was told, durably. Where nobody is
 * to be told (NOTIFY=NEVER) that counts as told. `made` gets the ids of the
 * reports; NULL is fine.
 *
 * Returns 0: all who are to know have been told. 1: somebody failed for good
 * and there is nobody to tell (a report, or another message with the null
 * reverse-path; RFC 5321 6.1): the entry must stay, held. -1: as spool_add.
 */
int notice_send(struct spool *s, struct entry *e,
		const struct queue_policy *policy, const struct reporter *by,
		bool is_late, int64_t now, struct strings *made,
		struct outcome *o);

#endif
