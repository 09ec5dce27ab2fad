/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_KEYSECRET_H
#define CONF_KEYSECRET_H

#include "base/buf.h"
#include "base/outcome.h"
#include "conf/account.h"

/*
 * The password of the account's own TLS key, or the PIN of the token it is in:
 * by tls_key_passwordeval, else from the terminal. `what` says which, for
 * people ("the PIN of the token X"). `out` must be a secret buf. -1: CAUSE_AUTH
 * 5.7.8 when there is none, CAUSE_CONFIG 5.3.5 when the command is broken.
 */
int keysecret_get(const struct account *a, const char *what, struct buf *out,
		  struct outcome *o);

#endif
