/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lines, commands, arguments, comments and quotes: the form of a
 * configuration file. What the commands mean is conf/config's and the rows'.
 */
#include "conf/language.h"

#include "base/text.h"

bool language_next(struct language *l, struct command_line *c)
{
	struct view line;

	while (l->rest.n) {
		line = view_trim(view_next_line(&l->rest));
		l->line++;
		if (!line.n || line.p[0] == '#')
			continue;
		c->command = view_next_word(&line);
		c->rest = line;
		return true;
	}
	return false;
}

/* A quote that opens the argument is closed by one with only blanks or a
 * comment behind it. */
static bool cut_quoted(struct view v, struct view *inside)
{
	struct view behind;
	size_t i;

	for (i = 1; i < v.n; i++) {
		if (v.p[i] != '"')
			continue;
		behind = view_skip(v, i + 1);
		if (behind.n && !text_is_space(behind.p[0]))
			continue;
		behind = view_trim(behind);
		if (behind.n && behind.p[0] != '#')
			continue;
		*inside = view_make(v.p + 1, i - 1);
		return true;
	}
	return false;
}

static struct view cut_comment(struct view v)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (v.p[i] == '#' && (i == 0 || text_is_space(v.p[i - 1])))
			return view_trim(view_make(v.p, i));
	return v;
}

bool language_argument(const struct language *l, const struct command_line *c,
		       struct view *argument)
{
	struct view v = view_trim(c->rest);

	if (l->as_msmtp)
		*argument = language_shell_argument(c);
	else if (v.n && v.p[0] == '"')
		return cut_quoted(v, argument);
	else
		*argument = cut_comment(v);
	return true;
}

struct view language_shell_argument(const struct command_line *c)
{
	struct view v = view_trim(c->rest);

	if (v.n > 1 && v.p[0] == '"' && v.p[v.n - 1] == '"')
		v = view_make(v.p + 1, v.n - 2);
	return v;
}

static struct view split_at(struct view *v, char separator)
{
	const char *end = memchr(v->p, separator, v->n);
	size_t n = end ? (size_t)(end - v->p) : v->n;
	struct view part = view_trim(view_make(v->p, n));

	*v = view_skip(*v, n + 1);
	return part;
}

static bool is_account_name(struct view v)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (text_is_space(v.p[i]) || text_is_control(v.p[i]) ||
		    v.p[i] == ',' || v.p[i] == ':')
			return false;
	return v.n != 0;
}

bool language_account(struct view argument, struct view *name,
		      struct strings *parents)
{
	bool has_parents = memchr(argument.p, ':', argument.n) != NULL;
	bool ends_in_comma = argument.n && argument.p[argument.n - 1] == ',';
	struct view parent;

	*name = split_at(&argument, ':');
	if (!is_account_name(*name) || ends_in_comma)
		return false;
	if (has_parents && !argument.n)
		return false;
	while (argument.n) {
		parent = split_at(&argument, ',');
		if (!is_account_name(parent))
			return false;
		strings_add(parents, parent);
	}
	return true;
}
