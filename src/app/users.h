/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_USERS_H
#define APP_USERS_H

#include "app/cmdline.h"
#include "base/outcome.h"

/*
 * Call work(r) as each user who has a queue: in the shared place (queue/place),
 * or in the usual one below the home. Each in a process of its own, with the
 * user's ids and groups, HOME, USER and LOGNAME, and of our environment PATH,
 * TZ and LANG. Returns the exit code of the worst; EX_NOPERM for all but root.
 */
int users_run(const struct request *r, int (*work)(const struct request *r));

#endif
