/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_RUNQUEUE_H
#define APP_RUNQUEUE_H

#include "app/cmdline.h"

/*
 * -q, --queue-run: send what waits in the queues of the configuration, once or
 * every so often. Returns the exit code: 0 if nothing is left that was to be
 * sent now, else that of what is in the way.
 */
int runqueue(const struct request *r);

#endif
