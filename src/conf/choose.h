/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_CHOOSE_H
#define CONF_CHOOSE_H

#include "base/outcome.h"
#include "conf/definition.h"

/*
 * The account to use: the one called `name`; without a name the first one
 * whose `from` stands for `sender` (which may be NULL), else "default", else
 * the only one there is. One that has a namesake before it is hidden.
 * NULL: CAUSE_CONFIG 5.3.5, naming those that there are.
 */
const struct definition *choose_definition(const struct definition_list *list,
					   const char *name, const char *sender,
					   const struct pattern_facts *facts,
					   struct outcome *o);

/* The names of those that are not hidden, in order. */
void choose_names(const struct definition_list *list, struct strings *names);

#endif
