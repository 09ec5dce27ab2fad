/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_NETRC_H
#define CONF_NETRC_H

#include <stdbool.h>

#include "base/buf.h"

/* For whom a password is looked for. */
struct netrc_query {
	const char *machine;
	unsigned port; /* 0: none, so that no entry with a port is meant */
	const char *login;
};

/*
 * The password that the text of a netrc or authinfo file has: of the first
 * entry for this machine and login (or whose login is not said), else of
 * `default`. An entry that says a port is for that one alone. False if it has
 * none. `password` must be a secret buf; it overflows where the password does.
 */
bool netrc_find(struct view text, const struct netrc_query *query,
		struct buf *password);

#endif
