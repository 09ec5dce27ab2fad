/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_SOURCE_H
#define MAIL_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/outcome.h"

/*
 * The file that a message is read from. A large body need not be copied to
 * another; but the file is not ours, so whatever is read of it again is looked
 * at again: it must be as it was, or longer, and its lines must end as before.
 */
struct source {
	int fd;          /* -1: there is none, or it is no such file */
	uint64_t at;     /* where reading goes on */
	struct stat was; /* as it was when it was found */
};

#define SOURCE_NONE  ((struct source){.fd = -1})
#define SOURCE_STILL 100 /* ms; over a tick, by which files' times go */

/* Is it a regular file of over `least` octets to which nothing was written just
 * now, so nothing since its first octets were read? */
struct source source_of(int fd, uint64_t least);

/* Text in a source, which has no NUL and one kind of line end. */
struct stretch {
	uint64_t at;   /* where in the file it begins */
	uint64_t n;    /* octets there */
	uint64_t size; /* octets with CRLF for every line end */
	bool has_lf;   /* its lines end in LF; else in CRLF */
};

/* To read such text, with CRLF, by a descriptor of its own; NULL: there is
 * none. */
struct reader;
struct reader *reader_new(const struct source *s, const struct stretch *text);
void reader_free(struct reader *r); /* NULL is fine */

/* The text is longer, and is now this one. */
void reader_extend(struct reader *r, const struct stretch *text);

/* Up to n octets from `offset` on (of the text with CRLF): how many, or -1
 * (CAUSE_SYSTEM): unreadable, or changed. Fast where it goes on from the last
 * call. */
ptrdiff_t reader_read(struct reader *r, uint64_t offset, void *bytes, size_t n,
		      struct outcome *o);

#endif
