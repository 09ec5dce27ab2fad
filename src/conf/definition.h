/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_DEFINITION_H
#define CONF_DEFINITION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/outcome.h"
#include "base/strings.h"
#include "conf/account.h"
#include "conf/config.h"
#include "conf/pattern.h"
#include "conf/setting.h"

/* A setting, as a file has it. */
struct definition_entry {
	const struct setting *row;
	char *value;      /* a secret: behind conf/shield */
	const char *file; /* not owned */
	unsigned line;
};

/*
 * An account as it was written: what it sets, in order, each setting once.
 * Only the account that is used becomes a struct account.
 */
struct definition {
	char *name;
	const char *file; /* not owned; where it begins */
	unsigned line;    /* 0: it has no line of its own */
	bool as_msmtp;    /* msmtp's defaults */
	struct definition_entry *p;
	size_t n, cap;
	size_t before; /* in its chain: the place behind the next; 0: none */
};

/* Those of all files, the user's before the system's. There may be thousands,
 * so those whose names have the same hash are chained, the last one first. */
struct definition_list {
	struct definition *p;
	size_t n, cap;
	size_t *chains; /* `cap` places behind the last of each; 0: none */
	struct strings files; /* that were read; entries point into it */
};

#define DEFINITION_LIST_INIT ((struct definition_list){0})

/* A new empty one at the end; takes over the name. Good until the next. */
struct definition *definition_add(struct definition_list *list, char *name);

/* The first of that name at or behind `start`, or NULL. */
struct definition *definition_find(const struct definition_list *list,
				   size_t start, struct view name);

void definition_list_release(struct definition_list *list);

void definition_set(struct definition *d, const struct definition_entry *e);

/* Inherit: what `from` sets is set in `to` as well. */
void definition_merge(struct definition *to, const struct definition *from);

/* The value as written, or NULL. */
const char *definition_get(const struct definition *d, const char *name);

void definition_release(struct definition *d); /* secrets are wiped */

/* How a definition becomes an account. */
struct definition_build {
	const struct override *overrides;
	size_t n_overrides;
	const struct pattern_facts *facts; /* NULL: the system's */
	bool keep_patterns; /* for --check: %C would ask the resolver */
};

/*
 * The account: defaults, settings, overrides, then what follows from them
 * (port, substitutions), then whether it makes sense. `a` is initialised.
 * CAUSE_CONFIG 5.3.5, or CAUSE_FEATURE 5.3.3 for what is not yet in this
 * version; the text begins with "file:line: ".
 */
int definition_to_account(const struct definition *d,
			  const struct definition_build *how, struct account *a,
			  struct outcome *o);

#endif
