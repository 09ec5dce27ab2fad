/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one wrapper around malloc. Running out of memory while handing over a
 * message is a temporary failure of this machine; nothing was sent for good
 * that could not be sent again, so the process ends with EX_TEMPFAIL.
 */
#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

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

void memory_free_secret(char *text)
{
	if (text)
		memory_wipe(text, strlen(text));
	free(text);
}
