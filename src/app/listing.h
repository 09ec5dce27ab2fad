/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_LISTING_H
#define APP_LISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "queue/entry.h"
#include "queue/server.h"

/*
 * How an entry of the queue looks to people and to programs. What comes from
 * elsewhere (addresses, reasons, a server's words) is made printable, or is a
 * JSON string.
 */
#define LISTING_LIMIT (64u << 20) /* octets; an entry's recipients are many */

/* Is it kept though nobody waits any more: failed for good, and there is
 * nobody to tell? */
bool listing_is_undeliverable(const struct entry *e);

/* Some lines: id, size, age and sender; how it goes on; each recipient that
 * waits, with its last answer. `sv`: what is known of its server. */
void listing_add_text(struct buf *out, const struct entry *e,
		      const struct server *sv, int64_t now);

/* The heading of these. */
void listing_add_heading(struct buf *out);

/* One line with one object (schema in postrider(1)); `path`: the queue. */
void listing_add_json(struct buf *out, const char *path, const struct entry *e,
		      const struct server *sv, int64_t now);

/* What its file says of it: "name: value" lines, and one line for each
 * recipient. */
void listing_add_envelope(struct buf *out, const struct entry *e);

/* "held: why", "due now", "in 12 min", "stopped, login refused: …". */
void listing_add_prospect(struct buf *out, const struct entry *e,
			  const struct server *sv, int64_t now);

void listing_add_size(struct buf *out, uint64_t octets); /* "1.2 KiB" */
void listing_add_span(struct buf *out, int64_t seconds); /* "12 min" */
void listing_add_time(struct buf *out, int64_t when); /* local, with its zone */

#endif
