/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a body waits: the front of what does not fit in memory is in a file,
 * the rest in memory, which by then is the file's write buffer. So nothing is
 * written before it must be, and then in pieces as large as the limit.
 */
#include "mail/store.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/memory.h"

struct store {
	struct buf memory; /* the last octets: those that are not in the file */
	uint64_t filed;    /* octets in the file */
	uint64_t begin;    /* where in the file the first of them is */
	int fd;            /* the file; -1: none yet */
	bool is_borrowed;  /* it is somebody else's */
};

struct store *store_new(size_t memory_limit)
{
	struct store *s = memory_alloc(sizeof(*s));

	s->memory = BUF_INIT(memory_limit);
	s->fd = -1;
	return s;
}

struct store *store_of_file(int fd, uint64_t offset, uint64_t n)
{
	struct store *s = store_new(0);

	s->fd = fd;
	s->begin = offset;
	s->filed = n;
	s->is_borrowed = true;
	return s;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	if (s->fd >= 0 && !s->is_borrowed)
		close(s->fd);
	buf_release(&s->memory);
	free(s);
}

static int write_out(struct store *s, const void *bytes, size_t n,
		     struct outcome *o)
{
	if (s->fd < 0)
		s->fd = file_temporary(o);
	if (s->fd < 0)
		return -1;
	if (file_write_all(s->fd, bytes, n) < 0)
		return fail_errno(
			o, CAUSE_SYSTEM, "4.3.0",
			"cannot write the message to a temporary file");
	s->filed += n;
	return 0;
}

int store_append(struct store *s, const void *bytes, size_t n,
		 struct outcome *o)
{
	const char *p = bytes;
	size_t part = s->memory.limit - s->memory.n;

	if (n > part) { /* fill, then empty the memory */
		buf_add(&s->memory, p, part);
		if (s->memory.n &&
		    write_out(s, s->memory.p, s->memory.n, o) < 0)
			return -1;
		buf_clear(&s->memory);
		p += part;
		n -= part;
	}
	if (n > s->memory.limit)
		return write_out(s, p, n, o);
	buf_add(&s->memory, p, n);
	return 0;
}

uint64_t store_size(const struct store *s)
{
	return s->filed + s->memory.n;
}

static ptrdiff_t read_file(const struct store *s, uint64_t offset, void *bytes,
			   size_t n, struct outcome *o)
{
	ptrdiff_t got;

	if (n > s->filed - offset)
		n = (size_t)(s->filed - offset);
	got = file_read_at(s->fd, bytes, n, s->begin + offset);
	if (got < 0)
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
				  "cannot read the message's file");
	if (!got && n)
		return fail(o, CAUSE_SYSTEM, "4.3.0",
			    "the message's file has shrunk");
	return got;
}

ptrdiff_t store_read(const struct store *s, uint64_t offset, void *bytes,
		     size_t n, struct outcome *o)
{
	struct view rest;

	if (offset < s->filed)
		return read_file(s, offset, bytes, n, o);
	offset -= s->filed;
	if (offset >= s->memory.n)
		return 0;
	rest = view_skip(buf_view(&s->memory), (size_t)offset);
	if (n > rest.n)
		n = rest.n;
	memcpy(bytes, rest.p, n);
	return (ptrdiff_t)n;
}
