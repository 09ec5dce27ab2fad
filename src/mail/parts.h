/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_PARTS_H
#define MAIL_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "mail/media.h"
#include "mail/store.h"

#define PARTS_DEPTH_MAX  100u        /* multiparts within multiparts */
#define PARTS_HEADER_MAX (1u << 20)  /* octets of a part's header */
#define PARTS_BLOCK      (64u << 10) /* octets read at once */
#define PARTS_LOOK_AHEAD 1000u       /* octets of a line that show what it is */

/*
 * A stretch of a body: a part (RFC 2046 5.1), or the text around parts that
 * nobody is meant to see (a multipart's preamble and epilogue). Places are
 * offsets in the body's store, in octets.
 */
struct part {
	bool is_top;     /* the message itself; its header is not in the body */
	bool is_filler;  /* preamble or epilogue: no header */
	bool is_message; /* its header is a message's (in message/rfc822) */
	bool is_signed;  /* it is within a multipart/signed */
	uint64_t header_at;
	uint64_t header_n; /* without the empty line */
	uint64_t body_at;  /* behind the empty line, if there is one */
	uint64_t body_n;   /* without the line end ahead of a boundary; known
			      only to `end` */
	bool is_last;      /* it ends where the message ends */
	bool has_type;     /* there is a Content-Type */
	bool has_version;  /* there is a MIME-Version */
	enum encoding encoding;
	const struct media *media;
};

/*
 * What is told while a body is walked. Every stretch is begun; those without
 * parts in them (leaves and filler) then get their octets, in order and in
 * pieces that never part a CR from its LF, and an end. Line ends ahead of
 * boundaries and the boundaries themselves are told to nobody.
 */
struct part_visitor {
	/* header: as it lies in the body, without the empty line; good until
	 * it returns. Empty for the top and for filler. -1 ends the walk. */
	int (*begin)(void *context, const struct part *p, struct view header,
		     struct outcome *o);
	void (*octets)(void *context, struct view piece);
	int (*end)(void *context, const struct part *p, struct outcome *o);
	void *context;
};

/*
 * Walk a body once, from front to end, in bounded memory and linear time. What
 * it is, its header says. Boundaries are those of RFC 2046 5.1.1: the whole
 * line, blanks at its end aside. Fails as store_read does, with CAUSE_CONTENT
 * 5.6.3 at more than PARTS_DEPTH_MAX levels or PARTS_HEADER_MAX octets, and
 * when the visitor does.
 */
int parts_walk(const struct store *body, struct view header,
	       const struct part_visitor *visitor, struct outcome *o);

#endif
