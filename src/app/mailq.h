/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_MAILQ_H
#define APP_MAILQ_H

#include "app/cmdline.h"

/* -bp: list what is queued, as text or JSON, on standard output; selectors
 * (-qR …) choose. -bP: only how many. Both return the exit code: 0, or why a
 * queue could not be read. */
int mailq(const struct request *r);
int mailq_count(const struct request *r);

#endif
