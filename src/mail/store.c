/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a body waits: the front of what does not fit in memory is in a file,
 * the rest in memory, which by then is the file's write buffer. So nothing is
 * written before it must be, and then in pieces as large as the limit.
 *
 * While all of it is in the file that it was read from, line by line, that is
 * the file, and nothing is written at all.
 */
#include "mail/store.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/memory.h"

#define DIRECT     (32u << 10) /* octets that are worth a write of their own */
#define BLOCK_SIZE (64u << 10) /* octets moved at once */

struct store {
	struct buf memory; /* the last octets: those that are not in the file */
	uint64_t filed;    /* octets in the file */
	uint64_t begin;    /* where in the file the first of them is */
	int fd;            /* the file; -1: none yet */
	bool is_borrowed;  /* it is somebody else's */
	struct reader *reader;   /* in place of `fd`, of the source; or NULL */
	struct stretch mirrored; /* what of it is in the source as well */
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
	reader_free(s->reader);
	buf_release(&s->memory);
	free(s);
}

uint64_t store_size(const struct store *s)
{
	return s->filed + s->memory.n;
}

static int fail_shrunk(struct outcome *o)
{
	return fail(o, CAUSE_SYSTEM, "4.3.0", "the message's file has shrunk");
}

/* ------------------------------------------------------------------ writing */

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

/* What was to stay in the source moves to a file of ours, as what follows is
 * not there and does not fit in memory. */
static int leave_source(struct store *s, struct outcome *o)
{
	struct reader *reader = s->reader;
	uint64_t size = s->filed;
	char *block = memory_alloc_aligned(BLOCK_SIZE);
	ptrdiff_t got = 1;
	size_t n;

	s->reader = NULL;
	s->filed = 0;
	while (s->filed < size && got > 0) {
		n = size - s->filed < BLOCK_SIZE ? (size_t)(size - s->filed)
						 : BLOCK_SIZE;
		got = reader_read(reader, s->filed, block, n, o);
		if (got > 0 && write_out(s, block, (size_t)got, o) < 0)
			got = -1;
	}
	if (!got)
		fail_shrunk(o);
	reader_free(reader);
	free(block);
	return got > 0 ? 0 : -1;
}

/* Memory is too small for what comes. What it holds goes first. */
static int spill(struct store *s, struct outcome *o)
{
	if (s->reader && leave_source(s, o) < 0)
		return -1;
	if (s->memory.n && write_out(s, s->memory.p, s->memory.n, o) < 0)
		return -1;
	buf_clear(&s->memory);
	return 0;
}

int store_append(struct store *s, const void *bytes, size_t n,
		 struct outcome *o)
{
	if (n > s->memory.limit - s->memory.n && spill(s, o) < 0)
		return -1;
	if (n > s->memory.limit || (s->fd >= 0 && !s->memory.n && n >= DIRECT))
		return write_out(s, bytes, n, o);
	buf_add(&s->memory, bytes, n);
	return 0;
}

/* Is it all in the source, up to there? */
static bool is_mirrored(const struct store *s, const struct stretch *text)
{
	const struct stretch *m = &s->mirrored;

	return store_size(s) == m->size && text->at == m->at + m->n &&
		text->has_lf == m->has_lf && s->fd < 0;
}

bool store_refer(struct store *s, const struct source *source,
		 const struct stretch *text)
{
	if (!store_size(s))
		s->mirrored = (struct stretch){.at = text->at,
					       .has_lf = text->has_lf};
	if (source->fd < 0 || !is_mirrored(s, text))
		return false;
	s->mirrored.n += text->n;
	s->mirrored.size += text->size;
	if (!s->reader && s->mirrored.size > s->memory.limit) {
		s->reader = reader_new(source, &s->mirrored);
		if (s->reader)
			buf_release(&s->memory);
	}
	if (!s->reader)
		return false;
	reader_extend(s->reader, &s->mirrored);
	s->filed = s->mirrored.size;
	return true;
}

/* ------------------------------------------------------------------ reading */

static ptrdiff_t read_file(const struct store *s, uint64_t offset, void *bytes,
			   size_t n, struct outcome *o)
{
	ptrdiff_t got;

	if (n > s->filed - offset)
		n = (size_t)(s->filed - offset);
	if (s->reader)
		got = reader_read(s->reader, offset, bytes, n, o);
	else
		got = file_read_at(s->fd, bytes, n, s->begin + offset);
	if (got < 0 && !s->reader)
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
				  "cannot read the message's file");
	if (!got && n)
		return fail_shrunk(o);
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
