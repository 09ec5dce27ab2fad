/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finding the row of an option, and doing what it says.
 */
#include "app/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/option_calls.h"
#include "base/memory.h"
#include "base/text.h"

int option_fail(struct option_context *c, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return fail(c->o, CAUSE_USAGE, "5.5.4", "%s %s", c->spelled, text);
}

char *option_next_argument(struct arguments *a)
{
	if (a->n < 1)
		return NULL;
	a->n--;
	return *a->p++;
}

void option_override(struct request *r, const char *name, const char *value)
{
	r->overrides = memory_resize(r->overrides, r->n_overrides + 1,
				     sizeof(*r->overrides));
	r->overrides[r->n_overrides++] = (struct override){name, value};
}

const struct option *option_find(const char *group, char letter)
{
	const struct option *row;

	for (row = options; row < options + options_n; row++)
		if (row->letter && row->letter == letter &&
		    !strcmp(row->group ? row->group : "", group))
			return row;
	return NULL;
}

const struct option *option_find_name(struct view name)
{
	const struct option *row;

	for (row = options; row < options + options_n; row++)
		if (row->name && view_equal(view_of(row->name), name))
			return row;
	return NULL;
}

void option_spell(const struct option *row, struct buf *out)
{
	if (row->letter)
		buf_printf(out, "-%s%c", row->group ? row->group : "",
			   row->letter);
	else
		buf_printf(out, "--%s", row->name);
}

static void set_mode(const struct option *row, struct option_context *c)
{
	enum mode *mode = &c->request->mode;

	if (*mode == MODE_HELP || *mode == MODE_VERSION)
		return;
	*mode = row->mode;
	if (*mode != MODE_LATER)
		return;
	free(c->request->later);
	c->request->later = memory_dup(c->spelled);
}

int option_apply(const struct option *row, struct option_context *c,
		 char *value)
{
	void *place = (char *)c->request + row->offset;

	c->row = row;
	switch (row->kind) {
	case OPTION_FLAG: *(bool *)place = true; break;
	case OPTION_TEXT: *(char **)place = value; break;
	case OPTION_MODE: set_mode(row, c); break;
	case OPTION_CALL: return row->call(c, value);
	case OPTION_GROUP:
	case OPTION_NOTHING: break;
	}
	return 0;
}
