/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_GATE_H
#define APP_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"

/*
 * Of several processes at one queue the first goes ahead: the others follow it
 * into a lane once it has a session there. So what is wrong with a server is
 * found out by one, a login that is refused is tried by one, and a server that
 * has room for one session has it for the one that tells how the run went.
 */
struct gate {
	int *out; /* of the first: one to each of the others */
	size_t n;
	int in;        /* of another: from the first; -1: this is the first */
	uint64_t lane; /* where the first was seen to have a session; 0: none */
};

#define GATE_INIT ((struct gate){.in = -1})

/* Before each of the others is made, and then in it, and in the first. -1:
 * CAUSE_SYSTEM, and it must not be made. */
int gate_prepare(struct gate *g, struct outcome *o);
void gate_follow(struct gate *g);
void gate_lead(struct gate *g);

/* The first one says whether it has a session in that lane. */
void gate_tell(struct gate *g, const char *lane, bool has_session);

/* May this process have one there? Waits until the first has said so, or has
 * ended. NULL is open. */
bool gate_is_open(struct gate *g, const char *lane);

/* The first has no more to say, so nobody waits any longer. */
void gate_release(struct gate *g);

#endif
