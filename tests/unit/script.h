/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_SCRIPT_H
#define TESTS_UNIT_SCRIPT_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "net/stream.h"

/*
 * A server that follows a script, in a process of its own at the other end of
 * a socket pair. Each turn: it reads octets until it has as many as `hear`,
 * compares them, and says `say`. After the last turn ({0}) it reads until the
 * end.
 */
struct turn {
	const char *hear; /* NULL: nothing, it speaks first */
	const char *say;  /* hang_up: not a word more */
};

static const char hang_up[] = "";

struct script {
	struct stream *stream;
	pid_t child;
};

/* Exactly n octets, as long as they match `want`; false at the first that
 * does not. */
static inline bool script_hear(int fd, const char *want)
{
	size_t n = strlen(want), got = 0;
	char c;

	while (got < n) {
		if (read(fd, &c, 1) != 1 || c != want[got])
			return false;
		got++;
	}
	return true;
}

static inline void script_follow(int fd, const struct turn *turns)
{
	char rest[512];
	ssize_t got;
	size_t i;

	for (i = 0; turns[i].hear || turns[i].say; i++) {
		if (turns[i].hear && !script_hear(fd, turns[i].hear))
			_exit((int)i + 1);
		if (turns[i].say == hang_up)
			_exit(0);
		if (send(fd, turns[i].say, strlen(turns[i].say), MSG_NOSIGNAL) <
		    0)
			_exit(100);
	}
	while ((got = read(fd, rest, sizeof(rest))) > 0)
		if (got != 6 || memcmp(rest, "QUIT\r\n", 6) != 0)
			_exit(101);
	_exit(0);
}

/* `room`: octets that the kernel keeps of what is said to it; 0: its own way.
 */
static inline struct stream *
script_start_narrow(struct script *s, const struct turn *turns, int room)
{
	struct connection c = CONNECTION_INIT;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	if (room &&
	    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) < 0)
		abort();
	s->child = fork();
	if (s->child == 0) {
		close(pair[0]);
		script_follow(pair[1], turns);
	}
	close(pair[1]);
	if (fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0)
		abort();
	c.fd = pair[0];
	c.peer = memory_dup("script");
	s->stream = stream_new(&c, "mx");
	return s->stream;
}

static inline struct stream *script_start(struct script *s,
					  const struct turn *turns)
{
	return script_start_narrow(s, turns, 0);
}

/* 0: all was as in the script; k: turn k heard something else; 101: something
 * but QUIT came at the end. The stream must have been closed. */
static inline int script_end(struct script *s)
{
	int status;

	if (waitpid(s->child, &status, 0) < 0 || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

#endif
