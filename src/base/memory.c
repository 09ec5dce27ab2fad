/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one wrapper around malloc and the vault. Running out of memory while
 * handing over a message is a temporary failure of this machine; nothing was
 * sent for good that could not be sent again, so the process ends with
 * EX_TEMPFAIL.
 */
#include "base/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/vault.h"

/* What glibc's malloc keeps of freed blocks, size by size, and does not
 * overwrite even if told to: so many of each, up to this size. */
#define KEPT_BLOCKS 16u
#define KEPT_SIZE   1032u /* octets */

#define STACK_LEFT (64u << 10) /* octets of the stack that are looked after */

#ifdef WITH_SANITIZERS
#define MAY_BE_DUMPED 1L
#else
#define MAY_BE_DUMPED 0L
#endif

static _Noreturn void out_of_memory(void)
{
	static const char text[] = "postrider: out of memory; try again\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(EX_TEMPFAIL);
}

void *memory_alloc(size_t size)
{
	void *p = calloc(1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *memory_resize(void *p, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		out_of_memory();
	p = realloc(p, count && size ? count * size : 1);
	if (!p)
		out_of_memory();
	return p;
}

void *memory_alloc_aligned(size_t size)
{
	void *p = aligned_alloc(MEMORY_LINE,
				size / MEMORY_LINE * MEMORY_LINE + MEMORY_LINE);

	if (!p)
		out_of_memory();
	return p;
}

char *memory_align(char *p)
{
	size_t over = (uintptr_t)p % MEMORY_LINE;

	return over ? p + MEMORY_LINE - over : p;
}

char *memory_dup(const char *text)
{
	return text ? memory_dup_n(text, strlen(text)) : NULL;
}

char *memory_dup_n(const char *bytes, size_t n)
{
	char *p = memory_alloc(n + 1);

	if (n)
		memcpy(p, bytes, n);
	return p;
}

void memory_wipe(void *p, size_t n)
{
	if (p && n)
		explicit_bzero(p, n);
}

void *memory_alloc_secret(size_t size)
{
	void *p = vault_alloc(size);

	if (!p)
		out_of_memory();
	return p;
}

char *memory_dup_secret(const char *bytes, size_t n)
{
	char *p = memory_alloc_secret(n + 1);

	if (n)
		memcpy(p, bytes, n);
	return p;
}

void memory_free_secret(void *p)
{
	if (!p || vault_free(p))
		return;
	memory_wipe(p, strlen(p));
	free(p);
}

void memory_close_process(void)
{
	(void)prctl(PR_SET_DUMPABLE, MAY_BE_DUMPED, 0L, 0L, 0L);
}

#ifdef M_PERTURB
static void overwrite_freed(int octet)
{
	(void)mallopt(M_PERTURB, octet);
}
#else
static void overwrite_freed(int octet)
{
	(void)octet;
}
#endif

void memory_watch_heap(void)
{
	overwrite_freed(0xff);
}

static void scrub_blocks(size_t size)
{
	void *blocks[KEPT_BLOCKS];
	size_t i;

	for (i = 0; i < KEPT_BLOCKS; i++) {
		blocks[i] = memory_resize(NULL, size, 1);
		memory_wipe(blocks[i], size);
	}
	for (i = 0; i < KEPT_BLOCKS; i++)
		free(blocks[i]);
}

/* What functions that have returned have left below us: GnuTLS's HMAC keeps a
 * key there, a little disguised. */
static void __attribute__((noinline)) scrub_stack(void)
{
	char left[STACK_LEFT];

	memory_wipe(left, sizeof(left));
}

void memory_scrub(size_t longest)
{
	const size_t step = 2 * sizeof(void *);
	size_t size, most = longest < KEPT_SIZE ? longest : KEPT_SIZE;

	scrub_stack();
	for (size = step + sizeof(void *); size < most + step; size += step)
		scrub_blocks(size);
	overwrite_freed(0);
}
