/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A list that owns its strings. It doubles as it grows, so that adding costs
 * amortised constant time.
 */
#include "base/strings.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"

void strings_add(struct strings *list, struct view text)
{
	if (list->n == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 8;
		list->p = memory_resize(list->p, list->cap, sizeof(*list->p));
	}
	list->p[list->n++] = memory_dup_n(text.p, text.n);
}

bool strings_has_nocase(const struct strings *list, struct view text)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (view_equal_nocase(view_of(list->p[i]), text))
			return true;
	return false;
}

void strings_copy(struct strings *to, const struct strings *from)
{
	size_t i;

	if (to == from)
		return;
	strings_release(to);
	for (i = 0; i < from->n; i++)
		strings_add(to, view_of(from->p[i]));
}

void strings_release(struct strings *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		free(list->p[i]);
	free(list->p);
	*list = STRINGS_INIT;
}
