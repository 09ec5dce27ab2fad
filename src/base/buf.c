/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Growing strings with a limit. Growth doubles, so that a series of appends
 * costs linear time; the limit keeps hostile input from costing memory.
 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

char buf_empty[1];

void buf_release(struct buf *b)
{
	if (b->cap && b->secret)
		memory_free_secret(b->p);
	else if (b->cap)
		free(b->p);
	b->p = buf_empty;
	b->n = 0;
	b->cap = 0;
	b->overflow = false;
}

void buf_clear(struct buf *b)
{
	if (b->secret)
		memory_wipe(b->p, b->cap);
	b->n = 0;
	b->overflow = false;
	if (b->cap)
		b->p[0] = '\0';
}

void buf_truncate(struct buf *b, size_t n)
{
	if (n >= b->n)
		return;
	b->n = n;
	b->p[n] = '\0';
}

/* A secret may not be left behind by realloc, so it moves by hand. */
static void grow(struct buf *b, size_t cap)
{
	char *p;

	if (b->secret) {
		p = memory_alloc_secret(cap);
		memcpy(p, b->p, b->n + 1); /* one that is empty has its NUL */
		if (b->cap)
			memory_free_secret(b->p);
		b->p = p;
	} else { /* not cleared: it is about to be filled */
		b->p = memory_resize(b->cap ? b->p : NULL, cap, 1);
		b->p[b->n] = '\0';
	}
	b->cap = cap;
}

char *buf_room(struct buf *b, size_t n)
{
	size_t need, cap;

	if (b->n > b->limit || n > b->limit - b->n) {
		b->overflow = true;
		return NULL;
	}
	need = b->n + n + 1;
	if (need > b->cap) {
		cap = b->cap ? b->cap * 2 : 64;
		if (cap < need)
			cap = need;
		grow(b, cap);
	}
	return b->p + b->n;
}

void buf_add(struct buf *b, const void *bytes, size_t n)
{
	char *room;

	if (!n)
		return;
	room = buf_room(b, n);
	if (!room)
		return;
	memcpy(room, bytes, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void buf_add_view(struct buf *b, struct view v)
{
	buf_add(b, v.p, v.n);
}

void buf_add_text(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_add_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	char *room;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n <= 0)
		return;
	room = buf_room(b, (size_t)n);
	if (!room)
		return;
	va_start(args, format);
	vsnprintf(room, (size_t)n + 1, format, args);
	va_end(args);
	b->n += (size_t)n;
}

void buf_consume(struct buf *b, size_t n)
{
	if (!b->cap || !n)
		return;
	if (n > b->n)
		n = b->n;
	memmove(b->p, b->p + n, b->n - n + 1);
	b->n -= n;
}

char *buf_detach(struct buf *b)
{
	char *p = b->cap ? b->p : memory_dup(""); /* memory_free_secret takes
						     both */

	b->p = buf_empty;
	b->n = 0;
	b->cap = 0;
	b->overflow = false;
	return p;
}
