/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_KEYRING_H
#define CONF_KEYRING_H

#include "base/buf.h"
#include "base/outcome.h"

/*
 * The desktop's keyring (freedesktop.org's Secret Service), where configure
 * has found libsecret; else conf/keyring_none.c has these.
 */

/* Does "nothing there" mean more than "built without"? */
extern const bool keyring_is_built;

/*
 * The password of the entry with the attributes host, service "smtp" and user,
 * as msmtp has them. 1: `out` (a secret buf) has it, or overflows; 0: there is
 * no such entry, no keyring, no session bus, or no libsecret on this machine;
 * -1: it has not answered within a minute, maybe as nobody unlocked it
 * (CAUSE_AUTH 4.7.0). Nothing is started that is not there: no bus, no
 * desktop.
 */
int keyring_find(const char *host, const char *user, struct buf *out,
		 struct outcome *o);

#endif
