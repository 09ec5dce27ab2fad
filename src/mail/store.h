/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_STORE_H
#define MAIL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"
#include "mail/source.h"

/*
 * A message body: written once from front to end, then only read. Up to
 * `memory_limit` octets stay in memory; what is longer moves to an unlinked
 * temporary file, or stays in the file it was read from, so memory does not
 * grow with the message.
 */
struct store;

struct store *store_new(size_t memory_limit);
/* A body that is there already: `n` octets from `offset` on of an open file,
 * which stays the caller's and must last as long. Only for reading. */
struct store *store_of_file(int fd, uint64_t offset, uint64_t n);

void store_free(struct store *s); /* NULL is fine */

/* -1: CAUSE_SYSTEM (disk full is 4.3.1). */
int store_append(struct store *s, const void *bytes, size_t n,
		 struct outcome *o);

/*
 * The same for text that lies in the source (mail/source.h) behind what was
 * appended before, if all of that does as well and its lines end alike: true,
 * and it stays there. False: it must be appended, next, as it may be short
 * enough for memory.
 */
bool store_refer(struct store *s, const struct source *source,
		 const struct stretch *text);

uint64_t store_size(const struct store *s); /* octets */

/* Up to n octets from `offset` into `bytes`: how many (0 at the end), -1. */
ptrdiff_t store_read(const struct store *s, uint64_t offset, void *bytes,
		     size_t n, struct outcome *o);

#endif
