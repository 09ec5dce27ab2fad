/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_PROBE_H
#define APP_PROBE_H

#include "app/cmdline.h"

/*
 * --probe: connect as the account says, without authenticating, and print on
 * standard output what the server offers before and after TLS, the TLS
 * version, cipher and certificates with dates and fingerprints, mechanisms and
 * limits. A certificate that does not verify is shown as well, and is a
 * failure. Returns the exit code.
 */
int probe(const struct request *r);

#endif
