/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_REWRITE_H
#define MAIL_REWRITE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/outcome.h"

/* What a header must say differently, and what it may hold. */
struct rewrite {
	const char *encoding;  /* Content-Transfer-Encoding; NULL: as it is */
	const char *charset;   /* add "Content-Type: text/plain" with this
				  charset; NULL: do not */
	bool add_mime_version; /* RFC 2045 4 */
	bool to_ascii;         /* no octet over 127 may be left */
	bool keep_utf8;        /* unless it is UTF-8 (RFC 6532) */
};

/*
 * Append a header (without the empty line) as it must be: fields in ASCII where
 * that is asked for (mail/encoded), lines over 998 octets folded (mail/fold),
 * every Content-Transfer-Encoding replaced by one; the rest octet by octet.
 * Added fields stand at the end. Failures: CAUSE_CONTENT 5.6.0, naming the
 * field: a NUL or a CR that ends no line is in it, or a line that cannot be
 * folded.
 */
int rewrite_header(struct view header, const struct rewrite *r, struct buf *out,
		   struct outcome *o);

/* Only refuse what rewrite_header refuses for a NUL or a CR. */
int rewrite_check(struct view header, struct outcome *o);

/* Is there a line of more than 998 octets (RFC 5322 2.1.1)? */
bool rewrite_has_long_line(struct view header);

#endif
