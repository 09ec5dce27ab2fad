/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_FEED_H
#define TESTS_UNIT_FEED_H

#include <stdbool.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "unit.h"

/*
 * A client's octets as a descriptor to read from, and one for what it is told.
 * In pieces, each read returns one of `step` octets; a process of its own hands
 * them over.
 */
struct feed {
	int in, out;
	pid_t child; /* 0: there is none */
};

static inline int feed_file(struct view v)
{
	int fd = memfd_create("feed", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, v.p, v.n), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* step 0: as a file, whose reads return as much as is asked for. */
static inline struct feed feed_start(struct view v, size_t step)
{
	struct feed f = {.out = feed_file(VIEW(""))};
	int pair[2];

	if (!step) {
		f.in = feed_file(v);
		return f;
	}
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	f.in = pair[0];
	f.child = fork();
	assert_true(f.child >= 0);
	if (f.child == 0) {
		close(pair[0]);
		for (; v.n; v = view_skip(v, step))
			if (send(pair[1], v.p, v.n < step ? v.n : step,
				 MSG_NOSIGNAL) < 0)
				break;
		_exit(0);
	}
	close(pair[1]);
	return f;
}

/* What was said, as `out` had it from its beginning. */
static inline void feed_said(const struct feed *f, struct buf *said)
{
	off_t n = lseek(f->out, 0, SEEK_END);
	char *room;

	assert_true(n >= 0);
	buf_clear(said);
	room = buf_room(said, (size_t)n + 1);
	assert_non_null(room);
	assert_int_equal(pread(f->out, room, (size_t)n, 0), n);
	said->n = (size_t)n;
	said->p[said->n] = '\0';
}

static inline void feed_end(struct feed *f)
{
	close(f->in);
	close(f->out);
	if (f->child)
		assert_int_equal(waitpid(f->child, NULL, 0), f->child);
}

#endif
