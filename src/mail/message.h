/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "mail/field.h"
#include "mail/store.h"

#define MESSAGE_HEADER_LIMIT (64u << 20)  /* octets of header block */
#define MESSAGE_MEMORY_LIMIT (512u << 10) /* octets of body kept in memory */
#define MESSAGE_FIELDS_LIMIT (1u << 22)   /* fields of a header */

/*
 * A message as it was written, but for line ends: every line ends in CRLF
 * (LF and CRLF are line ends; the last line gets one if it had none). The body
 * of one that is binary keeps its LFs, and its end unless it might be text.
 * Immutable once read. A leading mbox "From " line is dropped if a header field
 * follows it. The header ends at the first empty line, or ahead of the first
 * line that is no field, which then is the body's first; so if the first line
 * is none, all of it is body and the header is empty.
 */
struct message {
	struct buf header;    /* header block without the empty line */
	struct field *fields; /* slices of it, in order */
	size_t n_fields;
	struct store *body; /* behind the empty line */
	/* of the body alone */
	bool body_8bit;        /* an octet over 127 */
	uint64_t nul_line;     /* number (from 1) in the input of the first
				    line that holds a NUL; 0: none */
	uint64_t bare_cr_line; /* the same for a CR that ends no line, */
	uint64_t bare_lf_line; /* and an LF (binary only) */
	uint64_t longest_line; /* octets, without CRLF, if it is longer than
				    RFC 5321 4.5.3.1.6 permits (998); or 0 */
};

#define MESSAGE_INIT \
	((struct message){.header = BUF_INIT(MESSAGE_HEADER_LIMIT)})

/* The first field of that kind, or NULL. */
const struct field *message_field(const struct message *m, enum field_id id);

/* Make `fields` of the header. False: there are more than
 * MESSAGE_FIELDS_LIMIT. */
bool message_index(struct message *m);

void message_release(struct message *m);

#endif
