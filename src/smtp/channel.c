/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Input and output of the server's side. The descriptors are somebody else's
 * (a terminal, a pipe, inetd's socket), so they stay blocking: nothing is read
 * or written unless poll() has said that it will not block.
 */
#include "smtp/channel.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"

#define PATIENCE 300u        /* seconds, RFC 5321 4.5.3.2.7 */
#define PIECE    (64u << 10) /* octets read at once */

static bool wait_for(int fd, short what)
{
	struct deadline deadline = deadline_in(PATIENCE);
	struct pollfd wait = {.fd = fd, .events = what};
	int rc;

	do
		rc = poll(&wait, 1, deadline_left(deadline));
	while (rc < 0 && errno == EINTR);
	return rc != 0;
}

struct view channel_input(const struct channel *c)
{
	return view_skip(buf_view(&c->input), c->consumed);
}

void channel_consume(struct channel *c, size_t n)
{
	c->consumed += n;
	if (c->consumed < c->input.n)
		return;
	buf_clear(&c->input);
	c->consumed = 0;
}

static void read_some(struct channel *c)
{
	ssize_t got;

	buf_consume(&c->input, c->consumed);
	c->consumed = 0;
	if (!wait_for(c->in, POLLIN)) {
		c->expired = c->ended = true;
		return;
	}
	got = read(c->in, buf_room(&c->input, PIECE), PIECE);
	if (got > 0) {
		c->input.n += (size_t)got;
		c->input.p[c->input.n] = '\0';
	} else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
		c->ended = true;
	}
}

bool channel_fill(struct channel *c, size_t n)
{
	while (channel_input(c).n < n && !c->ended) {
		channel_flush(c);
		if (!c->ended)
			read_some(c);
	}
	return channel_input(c).n >= n;
}

bool channel_has_more(struct channel *c)
{
	struct pollfd look = {.fd = c->in, .events = POLLIN};
	char octet;

	if (channel_input(c).n)
		return true;
	return poll(&look, 1, 0) > 0 && read(c->in, &octet, 1) > 0;
}

/* The rest of a line that is too long. */
static enum channel_line skip_line(struct channel *c)
{
	struct view v;
	const char *lf;

	do {
		v = channel_input(c);
		lf = memchr(v.p, '\n', v.n);
		channel_consume(c, lf ? (size_t)(lf - v.p) + 1 : v.n);
	} while (!lf && channel_fill(c, 1));
	return lf ? CHANNEL_TOO_LONG : CHANNEL_END;
}

enum channel_line channel_line(struct channel *c, struct view *line)
{
	struct view v = channel_input(c);
	const char *lf;

	while ((lf = memchr(v.p, '\n', v.n)) == NULL) {
		if (v.n >= CHANNEL_LINE_MAX)
			return skip_line(c);
		if (!channel_fill(c, v.n + 1))
			return CHANNEL_END;
		v = channel_input(c);
	}
	*line = view_make(v.p, (size_t)(lf - v.p) + 1);
	if (line->n > CHANNEL_LINE_MAX)
		return skip_line(c);
	c->consumed += line->n; /* and not channel_consume: it stays readable */
	return CHANNEL_LINE;
}

void channel_put(struct channel *c, struct view octets)
{
	if (c->output.n + octets.n > CHANNEL_OUTPUT_LIMIT)
		channel_flush(c);
	buf_add_view(&c->output, octets);
}

/* Whoever has gone reads no answers and sends no more. */
void channel_flush(struct channel *c)
{
	struct view left = buf_view(&c->output);
	ssize_t done;

	while (left.n && !c->broken) {
		if (!wait_for(c->out, POLLOUT)) {
			c->broken = c->ended = true;
			break;
		}
		/* of a pipe that much is free */
		done = write(c->out, left.p,
			     left.n < PIPE_BUF ? left.n : PIPE_BUF);
		if (done > 0) {
			left = view_skip(left, (size_t)done);
		} else if (errno != EINTR && errno != EAGAIN) {
			c->broken = c->ended = true;
			break;
		}
	}
	buf_clear(&c->output);
}

void channel_release(struct channel *c)
{
	buf_release(&c->input);
	buf_release(&c->output);
}
