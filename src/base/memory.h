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

/*
 * To where no line of a cache begins the kernel copies large blocks four times
 * slower (with processors whose `rep movsb` is like that). So what is read into
 * begins there: memory that is not zeroed, or the first such place at or behind
 * p, less than a line away.
 */
#define MEMORY_LINE 64u /* octets */
void *memory_alloc_aligned(size_t size);
char *memory_align(char *p);

/* Overwrite a secret so that the compiler can't leave it out. */
void memory_wipe(void *p, size_t n);

/*
 * For secrets that stay for more than a call: memory that is not swapped out
 * (where RLIMIT_MEMLOCK allows), that no core dump has, and that is given back
 * by memory_free_secret alone. After a fork it holds zeros in the child, so
 * who goes on there has to fetch its secrets itself.
 */
void *memory_alloc_secret(size_t size);               /* zeroed */
char *memory_dup_secret(const char *bytes, size_t n); /* adds the final NUL */

/* Wipe a secret and free it: one of the above, all of it, or a malloc'ed text
 * up to its NUL. NULL is fine. */
void memory_free_secret(void *p);

/*
 * Libraries free their copies of a secret without wiping them, and leave more
 * on the stack. Between these two calls what is freed is overwritten (by glibc
 * alone), and at the end what malloc has put aside for its next calls, blocks
 * for texts of up to so many octets, and the stack below the caller.
 */
void memory_watch_heap(void);
void memory_scrub(size_t longest);

/*
 * No core dump of this process, and no debugger of this user's (ptrace(2), the
 * files in /proc): for main, at the start. Programs that it runs are as any
 * other. With the sanitizers it does nothing, as they look for leaks by
 * ptrace.
 */
void memory_close_process(void);

#endif
