/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_NEWALIASES_H
#define APP_NEWALIASES_H

#include "app/cmdline.h"

/*
 * -bi, newaliases: read the account's alias file, print how many aliases it
 * has, and say on standard error what is wrong, by line. There is no database
 * to be built. Returns 0, or 78 if anything is.
 */
int newaliases(const struct request *r);

#endif
