/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_POLICY_H
#define QUEUE_POLICY_H

/* off: exit codes tell; on: what may work later is queued; only: all is. */
enum queueing { QUEUEING_OFF = 0, QUEUEING_ON, QUEUEING_ONLY };

/* What the queue does with an account's mail. */
struct queue_policy {
	enum queueing when;
	char *dir;            /* NULL: the usual place (queue/place) */
	unsigned lifetime;    /* seconds until a message is given up */
	unsigned warn;        /* seconds until its sender is told that it is
				 late; UINT_MAX: never */
	unsigned connections; /* sessions side by side; 0: one */
	char *bounce_to;      /* who gets reports in place of the sender */
};

#endif
