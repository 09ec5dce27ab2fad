/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_PLAN_H
#define MAIL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "mail/message.h"
#include "mail/rewrite.h"
#include "mail/transfer.h"

#define PLAN_PARTS_MAX 10000u /* parts of a message that are changed */
#define PLAN_LINE_MAX  998u   /* octets of a line, RFC 5321 4.5.3.1.6 */

/* What the way to the server takes. */
struct carriage {
	bool eightbit; /* octets over 127 in the body: 8BITMIME, RFC 6152 */
	bool binary;   /* any octets, lines of any length: BINARYMIME and
			  CHUNKING, RFC 3030 */
	bool utf8;     /* UTF-8 in the header: SMTPUTF8, RFC 6531 */
};

/* May the content be encoded where the way demands it? */
enum reencode {
	REENCODE_AUTO = 0, /* yes, but for signed parts */
	REENCODE_ON,       /* signed parts as well */
	REENCODE_OFF,      /* no: it goes as it is, or not at all */
};

/* What a body is made of (RFC 6152, 3030); the worst decides. */
enum body_form { FORM_7BIT = 0, FORM_8BIT, FORM_BINARY };

/* What becomes of a stretch of the stored body. */
enum span_kind {
	SPAN_COPY,     /* it goes as it is */
	SPAN_HEADER,   /* a part's header (with its empty line) is rewritten */
	SPAN_ENCODE,   /* its octets are encoded */
	SPAN_LINE_END, /* nothing of the body: a CRLF is put in */
};

struct span {
	enum span_kind kind;
	uint64_t at;            /* where it begins in the body */
	uint64_t n;             /* octets of the body */
	uint64_t size;          /* octets on the wire */
	enum transfer transfer; /* SPAN_ENCODE: how */
	struct rewrite rewrite; /* SPAN_HEADER: how */
};

/*
 * How a message goes over the wire: its header, and its body as a run of spans
 * that leaves no octet out. Memory does not depend on the message's size.
 */
struct plan {
	bool new_header; /* `header` replaces the one that was given */
	struct buf header;
	struct span *spans; /* none: the body goes as it is */
	size_t n_spans;
	size_t spans_cap;
	uint64_t body_size; /* octets on the wire */
	enum body_form form;
	bool header_8bit; /* UTF-8 is left in the header */
};

#define PLAN_INIT ((struct plan){.header = BUF_INIT(2 * MESSAGE_HEADER_LIMIT)})

/*
 * Decide. The body is looked at again only if something in it does not fit the
 * way. In the header octets over 127 become ASCII unless the way has `utf8`,
 * and long lines are folded; of the body each part that does not fit is
 * encoded: base64 if a NUL or bare CR is in it, for 8-bit data what is smaller,
 * for long lines quoted-printable if it is text, else base64. MIME fields are
 * added to a message that has none.
 * Failures: CAUSE_CONTENT 5.6.0 (a NUL, a bare CR or a run too long for a line
 * in the header), CAUSE_FEATURE 5.6.3 (it would have to be changed and must
 * not: it is signed, of a type or an encoding that forbids it, or `reencode` is
 * off), CAUSE_SYSTEM. The words say what and where.
 */
int plan_make(const struct message *m, struct view header,
	      const struct carriage *way, enum reencode reencode,
	      struct plan *p, struct outcome *o);

void plan_release(struct plan *p);

#endif
