/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_SERVER_H
#define QUEUE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/outcome.h"
#include "queue/spool.h"

/*
 * What is remembered of the server of a lane (entry_lane) that could not be
 * used: a small file "server.DIGEST" in the queue. It is advice, so it is
 * not synced; without it the server is tried.
 */
struct server {
	unsigned failures; /* in a row */
	int64_t last;      /* when it was tried, 0: never; wall clock */
	int64_t next;      /* when it may be tried again */
	char *proof;       /* of the login that was refused: it stops the lane
			      as long as a login would be the same; NULL: it is
			      not stopped */
	struct outcome why;
};

#define SERVER_INIT ((struct server){0})

/* Is anything known, in the queue with that path? Costs one call of the system,
 * so that it can be asked before each message. */
bool server_is_known(const char *path, const char *lane);

/* What is known; SERVER_INIT where nothing is. */
void server_read(const struct spool *s, const char *lane, struct server *sv);

/* It failed once more: count, choose `next`, write it down. `proof` may be
 * NULL. Errors are of no consequence. */
void server_note_failure(const struct spool *s, const char *lane,
			 struct server *sv, const struct outcome *why,
			 const char *proof, int64_t now);

/* It works: forget it. */
void server_forget(const struct spool *s, const char *lane);

/* May it be tried now, as far as time goes? */
bool server_is_due(const struct server *sv, int64_t now);

void server_release(struct server *sv);

#endif
