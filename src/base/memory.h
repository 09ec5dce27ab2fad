/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/*
 * Memory that never fails to be there: when the system has none left, the
 * program ends with EX_TEMPFAIL (75) and one line on stderr, so that the
 * caller of sendmail tries again. These are the only places that allocate.
 */
void *memory_alloc(size_t size);                         /* zeroed */
void *memory_resize(void *p, size_t count, size_t size); /* overflow-checked */
char *memory_dup(const char *text);                      /* NULL gives NULL */
char *memory_dup_n(const char *bytes, size_t n); /* adds the final NUL */

/* Overwrite a secret so that the compiler can't leave it out. */
void memory_wipe(void *p, size_t n);

/* Wipe a NUL-terminated secret and free it; NULL is fine. */
void memory_free_secret(char *text);

#endif
