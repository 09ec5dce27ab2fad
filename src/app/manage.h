/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_MANAGE_H
#define APP_MANAGE_H

#include "app/cmdline.h"

/*
 * --queue-show, -hold, -release, -remove, -retry: what the request's words
 * name (ids and selectors; see selectors_add_word) is printed or changed, and
 * each is named on standard output. Returns the exit code: 0; EX_USAGE for a
 * word that reads as neither; EX_UNAVAILABLE where nothing is named by one;
 * EX_TEMPFAIL where a message is being sent right now.
 */
int manage(const struct request *r);

#endif
