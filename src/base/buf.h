/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Bytes that belong to somebody else, only read. p is never NULL. */
struct view {
	const char *p;
	size_t n; /* octets */
};

/* For tables and literals: VIEW("Bcc"). */
#define VIEW(literal) ((struct view){(literal), sizeof(literal) - 1})

static inline struct view view_of(const char *text)
{
	return (struct view){text ? text : "", text ? strlen(text) : 0};
}

static inline struct view view_make(const char *p, size_t n)
{
	return (struct view){p ? p : "", p ? n : 0};
}

/* The rest of v after its first n octets (all of it if it is shorter). */
static inline struct view view_skip(struct view v, size_t n)
{
	if (n > v.n)
		n = v.n;
	return (struct view){v.p + n, v.n - n};
}

/*
 * A growing string of bytes. Invariants: p is never NULL; p[n] is always NUL;
 * n never exceeds the limit it was born with. What would exceed it is dropped
 * whole and sets `overflow`, which stays set until buf_clear: so a series of
 * appends needs one look, where the bytes leave.
 */
struct buf {
	char *p;
	size_t n;      /* octets in use */
	size_t cap;    /* octets allocated; 0: p is a constant empty string */
	size_t limit;  /* most octets it may hold */
	bool overflow; /* something did not fit */
	bool secret;   /* in memory_alloc_secret's memory; so it is wiped */
};

extern char buf_empty[1];

#define BUF_INIT(limit_octets) \
	((struct buf){buf_empty, 0, 0, (limit_octets), false, false})
/* For passwords and what is made from them. */
#define BUF_INIT_SECRET(limit_octets) \
	((struct buf){buf_empty, 0, 0, (limit_octets), false, true})

void buf_release(struct buf *b);            /* back to BUF_INIT, same limit */
void buf_clear(struct buf *b);              /* empty; keeps the memory */
void buf_truncate(struct buf *b, size_t n); /* n <= b->n */

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_add_view(struct buf *b, struct view v);
void buf_add_text(struct buf *b, const char *text);
void buf_add_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Room for at least n more octets at b->p + b->n, which the caller then fills
 * and adds to b->n; NULL (and overflow) where the limit forbids it. */
char *buf_room(struct buf *b, size_t n);

/* Drop the first n octets. */
void buf_consume(struct buf *b, size_t n);

/* Give the bytes away as a malloc'ed, NUL-terminated string, for free(); of a
 * secret buf for memory_free_secret. b is empty afterwards. */
char *buf_detach(struct buf *b);

static inline struct view buf_view(const struct buf *b)
{
	return (struct view){b->p, b->n};
}

#endif
