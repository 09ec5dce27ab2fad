/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_VAULT_H
#define BASE_VAULT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Pages for secrets: in memory only (as far as RLIMIT_MEMLOCK allows; they are
 * never swapped out then), absent from core dumps, and zeros in a child from
 * fork on. For base/memory, which all others use.
 */

/* Zeroed; NULL when there is no memory. */
void *vault_alloc(size_t size);

/* Wipes it all, then gives it back; false: this is no memory of the vault. */
bool vault_free(void *p);

/* How many are in use, for tests. */
size_t vault_count(void);

#endif
