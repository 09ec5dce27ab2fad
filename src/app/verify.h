/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_VERIFY_H
#define APP_VERIFY_H

#include "app/cmdline.h"

/*
 * -bv: for each recipient of the command line, and with -t of the message on
 * standard input, print the mailboxes that its mail would go to, by which
 * account and server. Nobody is asked, nothing sent. Returns 0, or the worst
 * exit code of those that have none.
 */
int verify(const struct request *r);

#endif
