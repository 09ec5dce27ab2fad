/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_ALIAS_H
#define MAIL_ALIAS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "mail/address.h"

/* Where aliases are if nobody says otherwise; this one need not exist. */
#define ALIAS_FILE "/etc/aliases"

/*
 * An alias file as aliases(5) describes it: `name: member, member …`, lines
 * that begin with white space go on with the one before, `#` begins a comment
 * line, names are in quotes where they must be and in any case. `default` is
 * what every name has that has no entry. A member is an address, another name,
 * `\name` (no alias any more) or `:include:/file` with members in it, line by
 * line. Programs and files are no mailboxes here and refused.
 */
struct aliases;

/* Who is told of what is wrong; `text` begins with "file:line: ". */
typedef void alias_fault(void *context, const char *text);

/* Read the file. What is wrong in an entry counts only once it is asked for.
 * NULL: CAUSE_CONFIG 5.3.5, it can't be read. */
struct aliases *aliases_read(const char *path, struct outcome *o);
void aliases_free(struct aliases *a); /* NULL is fine */

size_t aliases_count(const struct aliases *a);

/*
 * The mailboxes that a local name stands for, appended to `list`, each once:
 * addresses, and local names that have no entry, or that name themselves. A
 * name without an entry (and without `default`) gives itself.
 * Returns 1 if there was an entry, 0 if not, -1: CAUSE_CONFIG 5.3.5 (a member
 * is no mailbox, "file:line: …"), 5.4.6 (a loop: the names).
 */
int aliases_expand(struct aliases *a, struct view name,
		   struct address_list *list, struct outcome *o);

/* Look at every entry, and into what it includes; returns the number of
 * faults. */
size_t aliases_check(struct aliases *a, alias_fault *on_fault, void *context);

#endif
