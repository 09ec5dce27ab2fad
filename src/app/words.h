/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_WORDS_H
#define APP_WORDS_H

#include "app/cmdline.h"

/*
 * The modes that only print: what they have to say, on standard output.
 * Return 0, or EX_IOERR if it could not be written.
 */
int words_help(const struct request *r);
int words_version(const struct request *r);
int words_host_status(const struct request *r);
int words_options(const struct request *r);
int words_settings(const struct request *r);

#endif
