/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_SERVE_H
#define APP_SERVE_H

#include "app/cmdline.h"

/*
 * -bs: an SMTP server on standard input and output. Each message is submitted
 * at its end, and what the server upstream says is what the client hears; the
 * session with it is kept for the next. Returns the exit code: 0 if all that
 * was handed over was accepted.
 */
int serve(const struct request *r);

#endif
