/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_ENCODE_H
#define BASE_ENCODE_H

#include <stdbool.h>

#include "base/buf.h"

/* RFC 4648 4, without line breaks; GnuTLS does the work. */
void encode_base64(struct buf *out, struct view v);

/* false (and nothing appended) if v is not base64. Empty decodes to empty. */
bool decode_base64(struct buf *out, struct view v);

/* Upper-case hex digits, `separator` between octets if it is not NUL. */
void encode_hex(struct buf *out, struct view v, char separator);

/* So many random octets (at most 32) in the same digits; false: there is no
 * randomness. */
bool encode_random(struct buf *out, size_t octets);

/* xtext, RFC 3461 4. */
void encode_xtext(struct buf *out, struct view v);
bool decode_xtext(struct buf *out, struct view v); /* false: v is none */

/* saslname, RFC 5801 4, RFC 5802 5.1: what would end it is written as a code.
 */
void encode_sasl_name(struct buf *out, const char *name);

/* Valid UTF-8 in ASCII: each character beyond that as \x{HEX}, RFC 6533 3. */
void encode_code_points(struct buf *out, struct view v);

/*
 * Text for an unstructured field or a display name as RFC 2047 encoded words:
 * charset utf-8 if v is valid UTF-8, else unknown-8bit; B or Q, whichever is
 * shorter; each word at most 75 octets and never inside a character; further
 * words on folded lines ("\r\n "). `column`: octets already on the line.
 */
void encode_words(struct buf *out, struct view v, size_t column);

/* A JSON string with its quotes (RFC 8259 7); invalid UTF-8 becomes U+FFFD. */
void encode_json(struct buf *out, struct view v);

/* A further member of an object, `, "name": "value"`; NULL is null. */
void encode_json_member(struct buf *out, const char *name, const char *value);

#endif
