/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DSNWORDS_H
#define MAIL_DSNWORDS_H

#include "base/buf.h"
#include "base/outcome.h"
#include "mail/dsn.h"

/* What a delivery status notification says to people. */

/* Its subject, ASCII. */
const char *dsnwords_subject(const struct dsn *d);

/*
 * Its text, in lines that end in CRLF: which message, whose, why, and what
 * happens next. Printable, in UTF-8. `is_whole`: the message follows, not its
 * header alone. -1: as edit_add_time.
 */
int dsnwords_text(const struct dsn *d, bool is_whole, struct buf *out,
		  struct outcome *o);

#endif
