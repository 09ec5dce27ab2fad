/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The file a message comes from, read for a second time. Its times tell whether
 * somebody has written to it; as who maps it into memory can do so unseen, the
 * octets are judged as well, so that nothing reaches the server that may not.
 */
#include "mail/source.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "mail/octets.h"

#define BLOCK_SIZE (64u << 10) /* octets without CR read at once */

struct reader {
	struct source source; /* the descriptor is ours */
	struct stretch text;
	uint64_t offset; /* of the next octet, with CRLF … */
	uint64_t at;     /* … and where in the file that is */
	char before;     /* the octet ahead of it */
	bool cr_told;    /* has_lf: the CR of the LF there was read */
	char *block;     /* has_lf: what is in the file */
};

static int64_t milliseconds(struct timespec t)
{
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What was changed within the last tick can change again unnoticed. */
static bool is_still(const struct stat *status)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return milliseconds(now) - milliseconds(status->st_ctim) > SOURCE_STILL;
}

struct source source_of(int fd, uint64_t least)
{
	struct source s = SOURCE_NONE;
	off_t at;

	if (fstat(fd, &s.was) < 0 || !S_ISREG(s.was.st_mode) ||
	    (uint64_t)s.was.st_size <= least || !is_still(&s.was))
		return s;
	at = lseek(fd, 0, SEEK_CUR);
	if (at < 0)
		return s;
	s.at = (uint64_t)at;
	s.fd = fd;
	return s;
}

/* ------------------------------------------------------------------ reading */

static void rewind_to_begin(struct reader *r)
{
	r->offset = 0;
	r->at = r->text.at;
	r->before = '\n';
	r->cr_told = false;
}

struct reader *reader_new(const struct source *s, const struct stretch *text)
{
	int fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 3);
	struct reader *r;

	if (fd < 0)
		return NULL;
	r = memory_alloc(sizeof(*r));
	r->source = *s;
	r->source.fd = fd;
	r->text = *text;
	if (text->has_lf)
		r->block = memory_alloc_aligned(BLOCK_SIZE);
	rewind_to_begin(r);
	return r;
}

void reader_free(struct reader *r)
{
	if (!r)
		return;
	close(r->source.fd);
	free(r->block);
	free(r);
}

void reader_extend(struct reader *r, const struct stretch *text)
{
	r->text = *text;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* To a log, say, more is written all the time: what was there still is. */
static bool is_unchanged(const struct source *s)
{
	struct stat now;

	if (fstat(s->fd, &now) < 0 || now.st_size < s->was.st_size)
		return false;
	return now.st_size > s->was.st_size ||
		(is_same_time(now.st_mtim, s->was.st_mtim) &&
		 is_same_time(now.st_ctim, s->was.st_ctim));
}

static bool is_as_it_was(const struct reader *r, struct view v)
{
	struct octets found = octets_look(v, r->before);

	return !found.has_nul &&
		(r->text.has_lf ? !found.has_cr : !found.has_odd);
}

/* What is in the file from `at` on, at most n octets of the text. */
static ptrdiff_t read_file(const struct reader *r, char *bytes, size_t n,
			   struct outcome *o)
{
	uint64_t left = r->text.n - (r->at - r->text.at);
	ptrdiff_t got = file_read_at(r->source.fd, bytes,
				     n < left ? n : (size_t)left, r->at);

	if (got < 0)
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
				  "cannot read the message's file");
	if (!is_unchanged(&r->source) ||
	    !is_as_it_was(r, view_make(bytes, (size_t)got)))
		return fail(o, CAUSE_SYSTEM, "4.3.0",
			    "the file with the message was changed while it "
			    "was being sent");
	return got;
}

static ptrdiff_t read_crlf(struct reader *r, char *bytes, size_t n,
			   struct outcome *o)
{
	ptrdiff_t got = read_file(r, bytes, n, o);

	if (got > 0)
		r->at += (uint64_t)got;
	return got;
}

/* All that there is room for: as what follows on it would be of odd sizes. */
static ptrdiff_t read_lf(struct reader *r, char *bytes, size_t n,
			 struct outcome *o)
{
	ptrdiff_t got = 1;
	size_t done = 0, room;
	struct view rest;

	while (done < n && got > 0) {
		room = n - done < BLOCK_SIZE ? n - done : BLOCK_SIZE;
		got = read_file(r, r->block, room, o);
		if (got < 0)
			return -1;
		rest = view_make(r->block, (size_t)got);
		done += octets_add_cr(&rest, &r->cr_told, bytes + done,
				      n - done);
		r->at += (uint64_t)got - rest.n;
	}
	return (ptrdiff_t)done;
}

static ptrdiff_t read_next(struct reader *r, char *bytes, size_t n,
			   struct outcome *o)
{
	ptrdiff_t got = r->text.has_lf ? read_lf(r, bytes, n, o)
				       : read_crlf(r, bytes, n, o);

	if (got > 0) {
		r->offset += (uint64_t)got;
		r->before = bytes[got - 1];
	}
	return got;
}

/* With CRLF that is a place in the file, and the octet ahead of it. */
static ptrdiff_t seek_crlf(struct reader *r, uint64_t offset)
{
	rewind_to_begin(r);
	r->offset += offset;
	r->at += offset;
	if (!offset)
		return 1;
	return file_read_at(r->source.fd, &r->before, 1, r->at - 1);
}

/* With LF it is found only by going there. */
static ptrdiff_t seek_lf(struct reader *r, uint64_t offset, char *bytes,
			 size_t n, struct outcome *o)
{
	ptrdiff_t got = 1;
	uint64_t left;

	if (offset < r->offset)
		rewind_to_begin(r);
	while (got > 0 && r->offset < offset) {
		left = offset - r->offset;
		got = read_next(r, bytes, n < left ? n : (size_t)left, o);
	}
	return got;
}

ptrdiff_t reader_read(struct reader *r, uint64_t offset, void *bytes, size_t n,
		      struct outcome *o)
{
	ptrdiff_t got = 1;

	if (!n)
		return 0;
	if (offset != r->offset)
		got = r->text.has_lf ? seek_lf(r, offset, bytes, n, o)
				     : seek_crlf(r, offset);
	if (got < 0 && !outcome_is_failure(o))
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
				  "cannot read the message's file");
	return got > 0 ? read_next(r, bytes, n, o) : got;
}
