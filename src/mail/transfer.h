/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_TRANSFER_H
#define MAIL_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define TRANSFER_LINE_MAX 76u /* octets of an encoded line, RFC 2045 6.7, 6.8 */

/* What becomes of the octets of a part. */
enum transfer {
	TRANSFER_QP,           /* octets become quoted-printable */
	TRANSFER_BASE64,       /* octets become base64 */
	TRANSFER_QP_AGAIN,     /* quoted-printable that is at odds with RFC 2045
				  (long lines, 8-bit) becomes what decodes to
				  the same */
	TRANSFER_BASE64_AGAIN, /* the same for base64 */
};

/*
 * A content transfer encoding being written, fed in pieces of any size. Its
 * lines have at most TRANSFER_LINE_MAX octets of printable ASCII and end in
 * CRLF, but the last: what has no CRLF at its end gets none, and base64 never
 * does. No line that begins behind a line end of its own (a soft line break)
 * looks like a boundary.
 */
struct encoder {
	enum transfer kind;
	size_t column;   /* octets on the line so far */
	bool was_soft;   /* the input's last line end was a soft one */
	size_t held_n;   /* octets in `held` */
	char held[1024]; /* input that what follows it decides about */
};

#define ENCODER_INIT(transfer_kind) ((struct encoder){.kind = (transfer_kind)})

void encoder_feed(struct encoder *e, struct view in, struct buf *out);
void encoder_finish(struct encoder *e, struct buf *out);

/* Octets of base64 with its line ends, but for the last. */
unsigned long long encoder_base64_size(unsigned long long octets);

#endif
