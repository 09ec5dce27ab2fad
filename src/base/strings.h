/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_STRINGS_H
#define BASE_STRINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* A list of strings that it owns. */
struct strings {
	char **p;
	size_t n;
	size_t cap;
};

#define STRINGS_INIT ((struct strings){0})

void strings_add(struct strings *list, struct view text);
bool strings_has_nocase(const struct strings *list, struct view text);
void strings_copy(struct strings *to, const struct strings *from);
void strings_release(struct strings *list);

#endif
