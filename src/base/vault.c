/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs of grains in chunks of pages. What is free and what is not is written
 * down outside of the pages, since those are wiped in a child; the newest
 * chunk is looked through, behind where the last run was found, and what does
 * not fit it gets a new one. The parts that the sanitizers can't see, as no
 * malloc made them, are poisoned by hand.
 */
#include "base/vault.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef WITH_SANITIZERS
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

#define GRAIN        64u   /* octets */
#define CHUNK_GRAINS 1024u /* 64 KiB: what old kernels let everybody lock */

struct chunk {
	struct chunk *older;
	char *pages;
	size_t n_grains;
	size_t n_used; /* runs in use */
	size_t next;   /* where to look first */
	uint32_t run[];
	/* [i]: how many grains the run has that begins at i; 0: free */
};

static struct chunk *newest;

/* Each of these may be more than the kernel knows or allows: then it is done
 * without. */
static void protect(void *pages, size_t size)
{
	if (mlock2(pages, size, MLOCK_ONFAULT) < 0 && errno == ENOSYS)
		(void)mlock(pages, size); /* before Linux 4.4 */
	(void)madvise(pages, size, MADV_DONTDUMP);
	(void)madvise(pages, size, MADV_WIPEONFORK);
}

static struct chunk *chunk_new(size_t n_grains)
{
	size_t n_runs = n_grains > CHUNK_GRAINS ? 1 : n_grains;
	struct chunk *c = calloc(1, sizeof(*c) + n_runs * sizeof(c->run[0]));

	if (!c)
		return NULL;
	c->n_grains = n_grains;
	c->pages = mmap(NULL, n_grains * GRAIN, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->pages == MAP_FAILED) {
		free(c);
		return NULL;
	}
	protect(c->pages, n_grains * GRAIN);
	ASAN_POISON_MEMORY_REGION(c->pages, n_grains * GRAIN);
	return c;
}

static void chunk_add(struct chunk *c)
{
	/* the one that is looked through stays first */
	if (newest && c->n_grains > CHUNK_GRAINS) {
		c->older = newest->older;
		newest->older = c;
	} else {
		c->older = newest;
		newest = c;
	}
}

static void chunk_drop(struct chunk *c)
{
	struct chunk **place = &newest;

	while (*place != c)
		place = &(*place)->older;
	*place = c->older;
	ASAN_UNPOISON_MEMORY_REGION(c->pages, c->n_grains * GRAIN);
	munmap(c->pages, c->n_grains * GRAIN);
	free(c);
}

/* Where so many grains in a row are free between two places; `end` if
 * nowhere. */
static size_t find_free(const struct chunk *c, size_t start, size_t end,
			size_t want)
{
	size_t i = start, n = 0;

	while (i < end && n < want) {
		n = c->run[i] ? 0 : n + 1;
		i += c->run[i] ? c->run[i] : 1;
	}
	return n == want ? i - n : end;
}

/* NULL where it does not fit. */
static void *chunk_take(struct chunk *c, size_t want, size_t size)
{
	size_t at;

	if (c->n_grains > CHUNK_GRAINS) {
		at = 0; /* all of it is one run */
	} else {
		at = find_free(c, c->next, c->n_grains, want);
		if (at == c->n_grains)
			at = find_free(c, 0, c->n_grains, want);
		if (at == c->n_grains)
			return NULL;
		c->next = at + want;
	}
	c->run[at] = (uint32_t)want;
	c->n_used++;
	ASAN_UNPOISON_MEMORY_REGION(c->pages + at * GRAIN, size);
	return c->pages + at * GRAIN;
}

void *vault_alloc(size_t size)
{
	size_t want = size / GRAIN + 1;
	struct chunk *c;
	void *p = NULL;

	if (want > UINT32_MAX)
		return NULL;
	if (newest && want <= CHUNK_GRAINS && newest->n_grains <= CHUNK_GRAINS)
		p = chunk_take(newest, want, size);
	if (p)
		return p;
	c = chunk_new(want > CHUNK_GRAINS ? want : CHUNK_GRAINS);
	if (!c)
		return NULL;
	chunk_add(c);
	return chunk_take(c, want, size);
}

static struct chunk *chunk_of(const void *p)
{
	uintptr_t at = (uintptr_t)p;
	struct chunk *c;

	for (c = newest; c; c = c->older)
		if (at >= (uintptr_t)c->pages &&
		    at < (uintptr_t)c->pages + c->n_grains * GRAIN)
			return c;
	return NULL;
}

/* One that is empty is kept, since the next secret is not far. */
bool vault_free(void *p)
{
	struct chunk *c = chunk_of(p);
	size_t at, size;

	if (!c)
		return false;
	at = (size_t)((char *)p - c->pages) / GRAIN;
	size = c->run[at] * (size_t)GRAIN;
	ASAN_UNPOISON_MEMORY_REGION(p, size);
	explicit_bzero(p, size);
	ASAN_POISON_MEMORY_REGION(p, size);
	c->run[at] = 0;
	c->n_used--;
	if (!c->n_used && (c != newest || c->n_grains > CHUNK_GRAINS))
		chunk_drop(c);
	return true;
}

size_t vault_count(void)
{
	const struct chunk *c;
	size_t n = 0;

	for (c = newest; c; c = c->older)
		n += c->n_used;
	return n;
}
