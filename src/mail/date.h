/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include <time.h>

#include "base/buf.h"
#include "base/outcome.h"

/* Append the time as Date and its like have it, in local time with its zone
 * (RFC 5322 3.3). -1: CAUSE_SYSTEM. */
int date_add(struct buf *out, time_t when, struct outcome *o);

#endif
