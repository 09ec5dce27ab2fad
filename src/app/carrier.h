/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_CARRIER_H
#define APP_CARRIER_H

#include "app/cmdline.h"
#include "app/gate.h"
#include "app/link.h"
#include "conf/config.h"
#include "queue/runner.h"

/*
 * Delivers for the queue: a lane's account is found as the entry says, its
 * session opened, and entry after entry brought there. The configuration is
 * read anew for each lane, so secrets are those of today.
 */
struct carrier {
	const struct request *base; /* -v, -L and the like */
	struct link *link;
	struct gate *gate; /* of several side by side; or NULL */
	void (*watch)(void *context, size_t done, size_t all); /* or NULL */
	void *watch_context;
	/* of the lane at hand */
	char *lane;
	struct request request;
	struct strings words; /* of its settings */
	struct config *config;
	const struct account *account;
	char *host;   /* our name */
	char *domain; /* of our mail; NULL: none is known */
	struct feed *feed;
};

struct deliverer carrier_deliverer(struct carrier *c);

#endif
