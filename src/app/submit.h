/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_SUBMIT_H
#define APP_SUBMIT_H

#include "app/cmdline.h"

/*
 * Read a message from standard input and submit it, or with --dry-run tell
 * what would be. Reports and logs what happened. Returns the exit code.
 */
int submit(const struct request *r);

#endif
