/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_FIELD_H
#define MAIL_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* The header fields that submission looks at (one row each in field.c). */
enum field_id {
	FIELD_OTHER = 0,
	FIELD_FROM,
	FIELD_SENDER,
	FIELD_TO,
	FIELD_CC,
	FIELD_BCC,
	FIELD_DATE,
	FIELD_MESSAGE_ID,
	FIELD_RESENT_FROM,
	FIELD_RESENT_SENDER,
	FIELD_RESENT_TO,
	FIELD_RESENT_CC,
	FIELD_RESENT_BCC,
	FIELD_RESENT_DATE,
	FIELD_RESENT_MESSAGE_ID,
	FIELD_RETURN_PATH,
	FIELD_RECEIVED,
	FIELD_MIME_VERSION,
	FIELD_CONTENT_TYPE,
	FIELD_CONTENT_TRANSFER_ENCODING,
	FIELD_CONTENT_DISPOSITION,
	FIELD_REPLY_TO,
	FIELD_MAIL_REPLY_TO,
	FIELD_MAIL_FOLLOWUP_TO,
	FIELD_DISPOSITION_NOTIFICATION_TO,
	FIELD_RETURN_RECEIPT_TO,
	FIELD_ERRORS_TO,
	FIELD_IDS, /* how many there are */
};

/* What a field is for; a set of bits. */
enum field_role {
	ROLE_ORIGIN = 1 << 0,    /* holds the author's or sender's address */
	ROLE_RECIPIENT = 1 << 1, /* holds recipients (-t) */
	ROLE_RESENT = 1 << 2,    /* belongs to a Resent- block */
	ROLE_BLIND = 1 << 3,     /* must not arrive: Bcc, Resent-Bcc */
	ROLE_TRACE = 1 << 4,     /* Return-Path, Received */
	ROLE_MIME = 1 << 5,
	ROLE_ADDRESS = 1 << 6,    /* an address-list (RFC 5322 3.4) */
	ROLE_PARAMETERS = 1 << 7, /* a value and parameters (RFC 2045 5.1) */
	ROLE_TOKENS = 1 << 8, /* other tokens, with comments (RFC 5322 3.2) */
};

/* A slice of the header block (RFC 5322 2.2). */
struct field {
	enum field_id id;
	unsigned roles;   /* enum field_role */
	struct view raw;  /* all of it, with its final CRLF */
	struct view name; /* as written, without blanks before the colon */
	struct view body; /* behind the colon, still folded, no final CRLF */
};

/* The colon must be among so many octets (RFC 5322 2.1.1: lines have 998). */
#define FIELD_NAME_LIMIT 998u

/*
 * Does a field begin here? `line` may be cut off: its first FIELD_NAME_LIMIT
 * octets decide.
 */
bool field_begins(struct view line);

/*
 * Cut the field at the start of `header` (lines end in CRLF): its first line
 * and the folded lines after it. Returns false if the first line is no field
 * (no name of printable ASCII, no colon; blanks before the colon are allowed,
 * RFC 5322 4.5). A name that no row has is FIELD_OTHER, and ROLE_RESENT if it
 * begins with "Resent-".
 */
bool field_cut(struct view header, struct field *f);

/* The first field of a header that has that name, in any case; false: none. */
bool field_find(struct view header, struct view name, struct field *f);

/* The usual spelling of a field's name: "Message-ID". */
const char *field_name(enum field_id id);

#endif
