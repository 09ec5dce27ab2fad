/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which account a message goes by.
 */
#include "conf/choose.h"

#include <stdlib.h>

#define NAMES_LIMIT 1024u /* octets of account names in a message */

static bool is_hidden(const struct definition_list *list,
		      const struct definition *d)
{
	return definition_find(list, 0, view_of(d->name)) != d;
}

void choose_names(const struct definition_list *list, struct strings *names)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (!is_hidden(list, &list->p[i]))
			strings_add(names, view_of(list->p[i].name));
}

static bool is_for_sender(const struct definition *d, const char *sender,
			  const struct pattern_facts *facts)
{
	const char *from = definition_get(d, "from");
	char *expanded;
	bool matches;

	if (!from || !*from)
		return false;
	if (!strchr(from, '%'))
		return pattern_matches_sender(view_of(from), view_of(sender));
	expanded = pattern_expand(from, facts);
	matches = pattern_matches_sender(view_of(expanded), view_of(sender));
	free(expanded);
	return matches;
}

static const struct definition *
find_for_sender(const struct definition_list *list, const char *sender,
		const struct pattern_facts *facts)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (is_for_sender(&list->p[i], sender, facts) &&
		    !is_hidden(list, &list->p[i]))
			return &list->p[i];
	return NULL;
}

static void fail_none(const struct definition_list *list, const char *name,
		      struct outcome *o)
{
	struct strings names = STRINGS_INIT;
	struct buf known = BUF_INIT(NAMES_LIMIT);
	size_t i;

	choose_names(list, &names);
	for (i = 0; i < names.n && !known.overflow; i++)
		buf_printf(&known, "%s%s", i ? ", " : "", names.p[i]);
	fail(o, CAUSE_CONFIG, "5.3.5", "no account '%s'; there %s %s%s", name,
	     names.n == 1 ? "is" : "are", names.n ? known.p : "none",
	     known.overflow ? " …" : "");
	buf_release(&known);
	strings_release(&names);
}

const struct definition *choose_definition(const struct definition_list *list,
					   const char *name, const char *sender,
					   const struct pattern_facts *facts,
					   struct outcome *o)
{
	const struct definition *d = NULL;

	if (!name && sender && *sender)
		d = find_for_sender(list, sender, facts);
	if (!d)
		d = definition_find(list, 0, view_of(name ? name : "default"));
	if (!d && !name && list->n == 1)
		d = list->p;
	if (!d)
		fail_none(list, name ? name : "default", o);
	return d;
}
