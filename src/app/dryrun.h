/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_DRYRUN_H
#define APP_DRYRUN_H

#include "base/outcome.h"
#include "conf/account.h"
#include "mail/content.h"
#include "mail/envelope.h"

/*
 * --dry-run: on standard output, where the message would go and how, the
 * envelope, and the message as it would be handed over (LF line ends).
 * Contacts nobody. -1: could not be written.
 */
int dryrun_print(const struct account *a, const struct envelope *e,
		 struct content *content, struct outcome *o);

#endif
