/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_PROOF_H
#define APP_PROOF_H

#include <stdbool.h>

#include "base/buf.h"
#include "conf/account.h"

/*
 * What tells, later, whether a login that was refused would be the same again:
 * a salted digest (PBKDF2, RFC 8018 5.2) of all that the account says of its
 * server and login, and of the secret. From it neither can be had.
 */
char *proof_make(const struct account *a, struct view secret); /* allocated */

/* Is it of that account and secret? */
bool proof_fits(const struct account *a, struct view secret, const char *proof);

#endif
