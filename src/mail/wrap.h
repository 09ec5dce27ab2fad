/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_WRAP_H
#define MAIL_WRAP_H

#include "base/buf.h"

#define WRAP_COLUMNS  75u  /* of a line; quoted-printable leaves it whole */
#define WRAP_WORD_MAX 900u /* octets; a longer word is cut in two */

/*
 * Append text as lines of words that fit in WRAP_COLUMNS characters, where
 * words are that short; further lines begin with `indent`. The last line is
 * not ended. What separates words becomes one blank, a control character (CR
 * and LF among them) what text_add_printable makes of it.
 */
void wrap_text(struct buf *out, struct view text, const char *indent);

#endif
