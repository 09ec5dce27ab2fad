/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_FOLD_H
#define MAIL_FOLD_H

#include <stdbool.h>

#include "base/buf.h"

#define FOLD_LINE_MAX   998u /* octets without CRLF, RFC 5322 2.1.1 */
#define FOLD_LINE_WIDTH 78u  /* what it recommends */

/*
 * Append a field (with its final CRLF) whose lines are too long with more line
 * ends in it: each ahead of a blank that is there already, so that unfolding
 * gives the field back; lines up to FOLD_LINE_MAX are left as they are. With
 * `at_commas`, for address lists, a blank is added behind a comma where that
 * alone helps. False: a run without blanks is longer than a line may be;
 * nothing is appended.
 */
bool fold_field(struct view field, bool at_commas, struct buf *out);

#endif
