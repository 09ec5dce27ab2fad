/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_CHECK_H
#define APP_CHECK_H

#include "app/cmdline.h"

/*
 * --check: read the configuration and print every error and warning with file
 * and line, then the files read and the accounts found. Returns 0 or
 * EX_CONFIG.
 */
int check(const struct request *r);

#endif
