/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_MANAGE_H
#define APP_MANAGE_H

#include "app/cmdline.h"

/*
 * --queue-show, -hold, -release, -remove, -retry: what the request's words
 * name (ids and selectors; see selectors_add_word) is printed or changed, and
 * each is named on standard output. Return the exit code: 0; EX_USAGE for a
 * word that reads as neither; EX_UNAVAILABLE where nothing is named by one;
 * EX_TEMPFAIL where a message is being sent right now.
 */
int manage_show(const struct request *r);
int manage_hold(const struct request *r);
int manage_release(const struct request *r);
int manage_remove(const struct request *r);
int manage_retry(const struct request *r);

#endif
