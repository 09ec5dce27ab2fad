/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_STORE_H
#define MAIL_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"

/*
 * A message body: written once from front to end, then only read. Up to
 * `memory_limit` octets stay in memory; what is longer moves to an unlinked
 * temporary file, so memory does not grow with the message.
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

uint64_t store_size(const struct store *s); /* octets */

/* Up to n octets from `offset` into `bytes`: how many (0 at the end), -1. */
ptrdiff_t store_read(const struct store *s, uint64_t offset, void *bytes,
		     size_t n, struct outcome *o);

#endif
