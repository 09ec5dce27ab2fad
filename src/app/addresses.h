/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_ADDRESSES_H
#define APP_ADDRESSES_H

#include "app/cmdline.h"

/*
 * -bt: read lines from standard input, each a list of addresses as a header
 * field has them, and print how each reads; what can't be read is said on
 * standard output, too. No configuration is needed. Returns the exit code.
 */
int addresses(const struct request *r);

#endif
