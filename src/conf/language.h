/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_LANGUAGE_H
#define CONF_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/strings.h"

/*
 * The configuration language: a command at the start of a line, its argument
 * behind it. `#` at the start of a line or behind a blank begins a comment,
 * except in double quotes and where the argument is a shell command.
 */
struct language {
	struct view rest; /* lines not read yet */
	unsigned line;    /* number of the line last read, from 1 */
	bool as_msmtp;    /* comments are whole lines only */
};

/* One line that says something. */
struct command_line {
	struct view command;
	struct view rest; /* the unread argument: see below */
};

/* The next line that says something; false at the end. */
bool language_next(struct language *l, struct command_line *c);

/*
 * The argument: without the comment behind it, blanks at its ends, and the
 * double quotes around it. May be empty. False if its quote is not closed.
 */
bool language_argument(const struct language *l, const struct command_line *c,
		       struct view *argument);

/* The argument of a command that is the shell's to read: `#` is its own. */
struct view language_shell_argument(const struct command_line *c);

/*
 * The argument of `account`: NAME [: PARENT[,PARENT…]]. False if it is not of
 * this form: no name, an empty parent, or text behind the name.
 */
bool language_account(struct view argument, struct view *name,
		      struct strings *parents);

#endif
