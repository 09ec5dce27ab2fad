/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include <stdbool.h>

#include "base/buf.h"
#include "conf/account.h"

/* Is it of that form? */
bool value_check_name(struct view value);      /* without blanks */
bool value_check_file_name(struct view value); /* one component of a path */
bool value_check_absolute(struct view value);  /* a path, `~` in front is one */
bool value_check_mailbox(struct view value);   /* with a domain */
bool value_check_ip(struct view value);
bool value_check_fingerprint(struct view value);
bool value_check_pins(struct view value);
bool value_check_parameters(struct view value); /* RFC 5321 4.1.2, less those
						   that we write ourselves */
bool value_check_deliver_by(struct view value); /* RFC 2852 4, by-value */

/* auth: on, off, auto or the names of SASL mechanisms. */
bool value_set_auth(struct account *a, struct view value);
void value_print_auth(const struct account *a, struct buf *out);

/* dsn_notify: off, or RFC 3461 4.1. */
bool value_set_notify(struct account *a, struct view value);
void value_print_notify(const struct account *a, struct buf *out);

#endif
