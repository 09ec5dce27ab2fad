/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_SECRET_H
#define CONF_SECRET_H

#include "base/buf.h"
#include "base/outcome.h"
#include "conf/account.h"

#define SECRET_LIMIT (64u << 10) /* octets; OAuth tokens are long */

/*
 * The account's password, from the first source that has one: passwordeval,
 * password, password_file, systemd's credential, ~/.netrc and its like
 * (machine HOST login USER password …), the keyring, the terminal (/dev/tty,
 * echo off). `out` must be a secret buf. -1: CAUSE_AUTH 5.7.8 when there is
 * none (the text lists where one can be put), CAUSE_CONFIG 5.3.5 when a source
 * is broken; those behind it are not asked then.
 */
int secret_get(const struct account *a, struct buf *out, struct outcome *o);

/*
 * The password of the account's own TLS key, or the PIN of the token it is in:
 * by tls_key_passwordeval, else from the terminal. `what` says which, for
 * people ("the PIN of the token X"). The rest as above.
 */
int secret_get_key(const struct account *a, const char *what, struct buf *out,
		   struct outcome *o);

#endif
