/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/outcome.h"

/* Open /dev/null on whichever of 0, 1, 2 is closed, so that no socket or file
 * becomes a standard stream; reading from such a standard input fails. Done
 * before anything else. -1: could not. */
int file_open_standard_streams(void);

/* inetd makes the client's socket standard error as well: what is said there
 * would be taken for part of the dialogue, so it goes to /dev/null. */
void file_part_standard_error(void);

/* Like read(), but never EINTR, and waits where fd is non-blocking. */
ptrdiff_t file_read(int fd, void *bytes, size_t n);

/* Read all of an open file into out (its limit bounds the size). Returns 0, or
 * -1 with CAUSE_SYSTEM; too large is a failure too. */
int file_read_fd(int fd, const char *name, struct buf *out, struct outcome *o);

/* As pread(), openat() and fsync(), whatever the signals; files are opened
 * close-on-exec. */
ptrdiff_t file_read_at(int fd, void *bytes, size_t n, uint64_t offset);
int file_open_at(int dir, const char *name, int flags, mode_t mode);
int file_sync(int fd);

/* Write everything, whatever the signals; -1 and errno, ETIMEDOUT when a pipe
 * or the like has taken nothing for five seconds. */
int file_write_all(int fd, const void *bytes, size_t n);

/*
 * A new file without a name for reading and writing, close-on-exec, in
 * $TMPDIR, else /var/tmp, else /tmp (O_TMPFILE, or mkstemp and unlink where
 * the file system has none). Returns the descriptor, or -1 with CAUSE_SYSTEM.
 */
int file_temporary(struct outcome *o);

/* The user's home: $HOME if it is an absolute path owned by this user, else
 * the password database's; NULL if there is none. Allocated. */
char *file_home(void);

/* `~`, `~/x`, `$HOME/x`, `${HOME}/x` at the start of a path. Allocated. */
char *file_expand(struct view path);

#endif
