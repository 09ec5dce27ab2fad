/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_CHANNEL_H
#define SMTP_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define CHANNEL_LINE_MAX 4096u /* octets of a command line with its end */

/*
 * Where a client speaks to us: two descriptors of any kind, which may be one
 * socket, and which are left as they are. Answers leave when the next input has
 * to be waited for, so they leave together (RFC 2920 3.2). Every wait ends.
 */
struct channel {
	int in, out;
	struct buf input;
	size_t consumed; /* octets of it that are done with */
	struct buf output;
	bool ended;   /* no more input comes */
	bool expired; /* the client was silent for too long */
	bool broken;  /* it takes no answers any more */
};

#define CHANNEL_INIT(in_fd, out_fd)                               \
	((struct channel){.in = (in_fd),                          \
			  .out = (out_fd),                        \
			  .input = BUF_INIT(CHANNEL_INPUT_LIMIT), \
			  .output = BUF_INIT(CHANNEL_OUTPUT_LIMIT)})
#define CHANNEL_INPUT_LIMIT  (128u << 10) /* octets */
#define CHANNEL_OUTPUT_LIMIT (128u << 10)

/* Have at least n octets of input (at most 64 KiB); false: the input ended
 * first, what is left of it can still be had. */
bool channel_fill(struct channel *c, size_t n);

/* The input that is there. Good until the next channel_fill or _line. */
struct view channel_input(const struct channel *c);
void channel_consume(struct channel *c, size_t n);

enum channel_line {
	CHANNEL_END,      /* no more input */
	CHANNEL_LINE,     /* here it is */
	CHANNEL_TOO_LONG, /* it was, and is thrown away */
};

/* Is there, at this moment, input that was not taken? Also at its end. */
bool channel_has_more(struct channel *c);

/* The next line, with the CRLF or LF that ends it, consumed; good until the
 * next call. An unfinished one at the end of the input is none. */
enum channel_line channel_line(struct channel *c, struct view *line);

void channel_put(struct channel *c, struct view octets);
void channel_flush(struct channel *c);

void channel_release(struct channel *c);

#endif
