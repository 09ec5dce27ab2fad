/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_PATTERN_H
#define CONF_PATTERN_H

#include <stdbool.h>

#include "base/buf.h"

/* What the substitutions stand for. A member that is NULL is asked of the
 * system when it is needed. */
struct pattern_facts {
	const char *user;      /* %U: $USER, $LOGNAME, the login name */
	const char *host;      /* %H: $HOSTNAME, the system's name */
	const char *canonical; /* %C: %H as the resolver knows it */
	const char *mailname;  /* %M: the first line of /etc/mailname */
	const char *full_name; /* %F: the name in the password database */
};

/* The text with its substitutions made; other `%` stay. Allocated. */
char *pattern_expand(const char *text, const struct pattern_facts *known);

/* The user's name, as %U. Allocated; never NULL. */
char *pattern_user(const struct pattern_facts *known);

/*
 * Is `sender` one of those that `from` stands for? `*` and `?` are wildcards,
 * case is ignored, and user+detail@domain is also user@domain.
 */
bool pattern_matches_sender(struct view from, struct view sender);

#endif
