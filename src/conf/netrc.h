/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_NETRC_H
#define CONF_NETRC_H

#include <stdbool.h>

#include "base/buf.h"

/*
 * The password that the text of a netrc file has for this machine and login:
 * of the first entry with both (or whose login is not said), else of
 * `default`. False if it has none. `password` must be a secret buf.
 */
bool netrc_find(struct view text, const char *machine, const char *login,
		struct buf *password);

#endif
