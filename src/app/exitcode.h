/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_EXITCODE_H
#define APP_EXITCODE_H

#include "base/outcome.h"

/*
 * The exit code of an outcome: sysexits(3) from the cause, where it is ours
 * alone, else from the enhanced status code (RFC 3463). The one table.
 */
int exitcode_of(const struct outcome *o);

/* Of two runs that go for one: what failed for good is worse than what may be
 * right next time, and the first counts. */
int exitcode_worse(int first, int second);

#endif
