/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_ENCODED_H
#define MAIL_ENCODED_H

#include "base/buf.h"
#include "mail/field.h"

/*
 * Append a field in ASCII, with its name and final CRLF, so that it decodes to
 * what it was:
 *   - addresses: names and comments become encoded words, domains A-labels;
 *   - parameters (Content-Type, Content-Disposition): RFC 2231;
 *   - other structured fields: comments become encoded words;
 *   - everything else: words with octets over 127 become encoded words (RFC
 *     2047), with the blanks between them.
 * What is not UTF-8 is labelled unknown-8bit (RFC 1428). What is ASCII already
 * stays as it is, octet by octet. A field whose syntax can't be read, and one
 * with an address that only SMTPUTF8 can carry, is taken as text. The field
 * holds neither NUL nor bare CR.
 */
void encoded_field(const struct field *f, struct buf *out);

/*
 * The first address in a header's address fields that only SMTPUTF8 can carry
 * (its local-part is not ASCII); allocated, or NULL. A word without a domain is
 * none: it is where a name was meant.
 */
char *encoded_utf8_address(struct view header);

#endif
