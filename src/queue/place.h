/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_PLACE_H
#define QUEUE_PLACE_H

#include <stdbool.h>

#include "base/outcome.h"
#include "base/strings.h"

/*
 * The path of the queue: `dir` if it is given (absolute), else
 * $XDG_STATE_HOME/postrider/queue (if that is absolute, and this user's or
 * still to be made), else
 * ~/.local/state/postrider/queue, where the home is a directory of this user's;
 * else LOCALSTATEDIR/spool/postrider/UID. Allocated.
 */
char *place_path(const char *dir);

/* The usual place, as above without `dir`, and each other of the three where
 * there is a queue of this user's: it was the usual one when the home was not
 * there, or XDG_STATE_HOME another. Two may be the same. */
void place_add_usual(struct strings *paths);

/*
 * Open the directory. Every component is opened without following a link that
 * somebody else may have put there, and must belong to this user or root; what
 * others may write to must be sticky; the last one must be this user's, and
 * nobody else's to look into. Missing ones below what belongs to this user (or
 * in the sticky shared directory) are made, 0700, and made durable. Returns the
 * descriptor; -1: CAUSE_SYSTEM (4.3.0, 5.3.2 …), naming the component and what
 * to do. Without `create`, where it is missing: -1 and an empty outcome.
 */
int place_open(const char *path, bool create, struct outcome *o);

/* Could it be opened, or made, and written to? Nothing is changed. -1 as
 * place_open. */
int place_check(const char *path, struct outcome *o);

/* LOCALSTATEDIR/spool/postrider: each user's queue is below, named by uid. */
const char *place_shared(void);

#endif
