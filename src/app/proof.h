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

/* Would a login today be the one that it is of? `secret` (a secret buf) has
 * then what was fetched for that; it is empty where there was no need or no
 * way. */
bool proof_is_of_today(const struct account *a, const char *proof,
		       struct buf *secret);

#endif
