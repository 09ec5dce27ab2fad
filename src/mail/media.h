/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_MEDIA_H
#define MAIL_MEDIA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* RFC 2046 has boundaries of 70 octets; longer ones are seen. */
#define MEDIA_BOUNDARY_MAX 250u

/* What a Content-Type says, as far as it decides how a part is encoded. */
enum media_kind {
	MEDIA_TEXT,      /* text: its lines are lines */
	MEDIA_OTHER,     /* any octets; message/global (RFC 6532 3.7) as well */
	MEDIA_MULTIPART, /* RFC 2046 5.1 */
	MEDIA_DIGEST,    /* multipart/digest: its parts are messages unless they
			    say otherwise */
	MEDIA_SIGNED,  /* multipart/signed: not to be changed (RFC 1847 2.1) */
	MEDIA_MESSAGE, /* message/rfc822: a header and a body of its own */
	MEDIA_FIXED,   /* other message types: no encoding is allowed (RFC 2046
			    5.2) */
};

struct media {
	enum media_kind kind;
	struct buf boundary; /* of a multipart, never empty there */
};

#define MEDIA_INIT ((struct media){MEDIA_TEXT, BUF_INIT(MEDIA_BOUNDARY_MAX)})

/*
 * Read the body of a Content-Type field (RFC 2045 5.1, comments and folding
 * included; boundary in RFC 2231's forms too). What can't be read, and a
 * multipart without a boundary, is MEDIA_OTHER: RFC 2045 5.2 would have it
 * text, but octets are the safer choice.
 */
void media_parse(struct media *m, struct view body);
bool media_is_composite(const struct media *m); /* parts are in it */

/* Octets of a Content-Type's body up to the end of type and subtype; 0: they
 * can't be read. */
size_t media_type_length(struct view body);

/* The same of a field whose value is one word (Content-Disposition). */
size_t media_token_length(struct view body);
void media_release(struct media *m);

/* What a Content-Transfer-Encoding says (RFC 2045 6.1). */
enum encoding {
	ENCODING_7BIT, /* or none, or a word that is meant to be it */
	ENCODING_8BIT,
	ENCODING_BINARY,
	ENCODING_QP,
	ENCODING_BASE64,
	ENCODING_UNKNOWN, /* octets of who knows what form */
};

/* From a field's body; comments are allowed, case is ignored. */
enum encoding media_encoding(struct view body);
/* "quoted-printable" … */
const char *media_encoding_name(enum encoding encoding);
/* 7bit, 8bit or binary: the octets are the part's own. */
bool media_is_identity(enum encoding encoding);

/*
 * A parameter of a structured field (RFC 2045 5.1). `value` is as written, with
 * its quotes and escapes.
 */
struct parameter {
	struct view before; /* from the end of the last to the name: `; ` */
	struct view name;
	struct view value;
};

/*
 * Split the next parameter off `rest`, which is behind the field's value; false
 * at the end and where none can be read.
 */
bool media_next_parameter(struct view *rest, struct parameter *p);

/* Octets of the quoted string that v begins with, its quotes among them; all
 * there is if it does not end. */
size_t media_quoted_length(struct view v);

/* The value without quotes and escapes. */
void media_unquote(struct view value, struct buf *out);

#endif
