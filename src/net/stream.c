/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The octets between us and the server: two queues, one descriptor, and the
 * only loop that waits for it. What the octets mean, and how much may be
 * queued, is the callers' affair; how they are protected is net/tls's.
 *
 * Output passes through here with credentials in it, so its queue is wiped.
 */
#include "net/stream.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/child.h"
#include "base/memory.h"

#define PIECE (16u << 10) /* octets moved at once; a full TLS record */

struct stream {
	struct connection connection;
	char *host;        /* for messages */
	struct tls *tls;   /* NULL: in clear */
	struct buf out;    /* the first `sent` octets are the kernel's */
	size_t sent;       /* octets */
	struct view lent;  /* what follows them, in the caller's memory */
	struct buf in;     /* the first `consumed` octets are done with */
	size_t consumed;   /* octets */
	bool input_ended;  /* no more will come */
	bool output_ended; /* no more will be taken */
	char *why;         /* what broke it; NULL: nothing, or a plain close */
};

struct stream *stream_new(struct connection *c, const char *host)
{
	struct stream *s = memory_alloc(sizeof(*s));

	s->connection = *c;
	*c = CONNECTION_INIT;
	s->host = memory_dup(host ? host : "");
	s->out = BUF_INIT_SECRET(PTRDIFF_MAX);
	s->in = BUF_INIT(STREAM_INPUT_LIMIT);
	s->lent = VIEW("");
	return s;
}

void stream_free(struct stream *s)
{
	if (!s)
		return;
	connection_close(&s->connection);
	tls_free(s->tls);
	buf_release(&s->out);
	buf_release(&s->in);
	free(s->host);
	free(s->why);
	free(s);
}

const char *stream_host(const struct stream *s)
{
	return s->host;
}

const struct tls *stream_tls(const struct stream *s)
{
	return s->tls;
}

/* --------------------------------------------------------------- the queues */

/* What was sent goes when it is at least as much as what was not, so that
 * each octet is moved once at most. */
static void queue(struct stream *s, struct view bytes)
{
	if (s->sent && s->sent >= s->out.n - s->sent) {
		buf_consume(&s->out, s->sent);
		s->sent = 0;
	}
	buf_add_view(&s->out, bytes);
}

void stream_put(struct stream *s, struct view bytes)
{
	stream_keep(s);
	queue(s, bytes);
}

void stream_keep(struct stream *s)
{
	struct view lent = s->lent;

	s->lent = VIEW("");
	if (lent.n)
		queue(s, lent);
}

void stream_lend(struct stream *s, struct view bytes)
{
	s->lent = bytes;
}

bool stream_borrows(const struct stream *s)
{
	return s->lent.n > 0;
}

size_t stream_unsent(const struct stream *s)
{
	return s->out.n - s->sent + s->lent.n;
}

struct view stream_input(const struct stream *s)
{
	return view_skip(buf_view(&s->in), s->consumed);
}

void stream_consume(struct stream *s, size_t n)
{
	s->consumed += n;
	if (s->consumed < s->in.n)
		return;
	buf_clear(&s->in);
	s->consumed = 0;
}

static bool is_full(const struct stream *s)
{
	return stream_input(s).n >= STREAM_INPUT_LIMIT;
}

/* ------------------------------------------------------------ moving octets */

static void note_reason(struct stream *s)
{
	const char *words;

	if (s->why)
		return;
	words = s->tls && errno == EPIPE ? tls_error(s->tls) : strerror(errno);
	s->why = memory_dup(words);
}

/* What is to be written next. As long as more is to come only full TLS records
 * leave. */
static struct view next_to_write(const struct stream *s, size_t low)
{
	struct view v = view_skip(buf_view(&s->out), s->sent);

	if (!v.n)
		v = s->lent;
	if (s->tls && low && v.n > PIECE)
		v.n -= v.n % PIECE;
	return v;
}

/* With MSG_MORE the kernel fills its segments from what follows at once. */
static ptrdiff_t write_some(struct stream *s, struct view v)
{
	int more = stream_unsent(s) > v.n ? MSG_MORE : 0;

	if (s->tls)
		return tls_write(s->tls, v.p, v.n);
	return send(s->connection.fd, v.p, v.n, MSG_NOSIGNAL | more);
}

static void note_written(struct stream *s, size_t n)
{
	if (s->sent < s->out.n)
		s->sent += n;
	else
		s->lent = view_skip(s->lent, n);
	if (s->sent && s->sent == s->out.n) {
		buf_clear(&s->out);
		s->sent = 0;
	}
}

static ptrdiff_t read_some(struct stream *s, char *bytes, size_t n)
{
	if (s->tls)
		return tls_read(s->tls, bytes, n);
	return recv(s->connection.fd, bytes, n, 0);
}

/* Send until no more than `low` octets are left or the kernel takes no
 * more. */
static void send_out(struct stream *s, size_t low)
{
	ptrdiff_t n;

	while (!s->output_ended && stream_unsent(s) > low) {
		n = write_some(s, next_to_write(s, low));
		if (n >= 0) {
			note_written(s, (size_t)n);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR) {
			note_reason(s);
			s->output_ended = true;
		}
	}
}

/* Where the next input goes, and how much of it may. */
static char *input_room(struct stream *s, size_t *size)
{
	size_t space;

	buf_consume(&s->in, s->consumed);
	s->consumed = 0;
	space = STREAM_INPUT_LIMIT - s->in.n;
	*size = space < PIECE ? space : PIECE;
	return buf_room(&s->in, *size);
}

/* Take in all there is, up to the limit. Was there any? */
static bool take_in(struct stream *s)
{
	bool any = false;
	ptrdiff_t n;
	size_t size;
	char *room;

	while (!s->input_ended && !is_full(s)) {
		room = input_room(s, &size);
		n = read_some(s, room, size);
		if (n > 0) {
			s->in.n += (size_t)n;
			s->in.p[s->in.n] = '\0';
			any = true;
		} else if (n < 0 && errno == EAGAIN) {
			break;
		} else if (n == 0 || errno != EINTR) {
			if (n < 0)
				note_reason(s);
			s->input_ended = true;
		}
	}
	/* An error in sending may not show in receiving. */
	if (s->output_ended && !is_full(s))
		s->input_ended = true;
	return any;
}

/* ------------------------------------------------------------------ waiting */

/* Wait until something can be moved; false: the deadline came first. A peer
 * that moves, but never enough, does not get past it either. */
static bool await(const struct stream *s, size_t low, struct deadline deadline)
{
	struct pollfd wait = {.fd = s->connection.fd};
	int rc;

	if (deadline_passed(deadline))
		return false;
	if (!is_full(s))
		wait.events |= POLLIN;
	if (stream_unsent(s) > low || (s->tls && tls_wants_write(s->tls)))
		wait.events |= POLLOUT;
	do
		rc = poll(&wait, 1, deadline_left(deadline));
	while (rc < 0 && errno == EINTR);
	return rc != 0;
}

static int fail_late(const struct stream *s, struct outcome *o)
{
	if (stream_unsent(s))
		fail(o, CAUSE_CONNECT, "4.4.2",
		     "%s has stopped taking in what we send: timed out",
		     s->host);
	else
		fail(o, CAUSE_CONNECT, "4.4.2", "%s does not answer: timed out",
		     s->host);
	outcome_set_host(o, s->host);
	return -1;
}

static int fail_full(const struct stream *s, struct outcome *o)
{
	fail(o, CAUSE_PROTOCOL, "5.5.0",
	     "%s has sent %u octets that make no reply", s->host,
	     STREAM_INPUT_LIMIT);
	outcome_set_host(o, s->host);
	return -1;
}

int stream_progress(struct stream *s, size_t low, struct deadline deadline,
		    struct outcome *o)
{
	bool is_sending = stream_unsent(s) > 0;

	for (;;) {
		send_out(s, low);
		if (take_in(s))
			return 1;
		if (is_sending && stream_unsent(s) <= low)
			return 1;
		if (s->input_ended || s->connection.fd < 0)
			return 0;
		if (is_full(s) && (!is_sending || s->output_ended))
			return fail_full(s, o);
		if (!await(s, low, deadline))
			return fail_late(s, o);
	}
}

bool stream_is_quiet(struct stream *s)
{
	take_in(s);
	return !stream_input(s).n && !s->input_ended;
}

/* A command in place of the server may have failed for reasons of its own. */
static void add_tunnel(const struct stream *s, struct outcome *o)
{
	struct buf hint = BUF_INIT(512);
	char *words;

	if (s->connection.child <= 0)
		return;
	words = child_end_words(s->connection.child);
	if (words) {
		buf_printf(&hint, "the tunnel's command %s", words);
		outcome_add_hint(o, hint.p);
	}
	buf_release(&hint);
	free(words);
}

int stream_lost(const struct stream *s, struct outcome *o)
{
	if (s->why)
		fail(o, CAUSE_CONNECT, "4.4.2", "lost the connection to %s: %s",
		     s->host, s->why);
	else
		fail(o, CAUSE_CONNECT, "4.4.2", "%s closed the connection",
		     s->host);
	add_tunnel(s, o);
	outcome_set_host(o, s->host);
	return -1;
}

/* ------------------------------------------------------------ begin and end */

int stream_start_tls(struct stream *s, struct tls *t, struct deadline deadline,
		     struct outcome *o)
{
	tls_free(s->tls);
	s->tls = t;
	if (tls_handshake(t, s->connection.fd, deadline, o) == 0)
		return 0;
	if (o->cause == CAUSE_CONNECT) /* lost in the middle of it */
		add_tunnel(s, o);
	/* Neither TLS nor clear text any more: nothing may follow. */
	s->input_ended = true;
	s->output_ended = true;
	return -1;
}

void stream_abandon(struct stream *s)
{
	s->output_ended = true;
}

void stream_leave(struct stream *s)
{
	if (s->connection.fd >= 0)
		close(s->connection.fd);
	free(s->connection.peer);
	s->connection = CONNECTION_INIT;
	s->input_ended = true;
	s->output_ended = true;
}

void stream_close(struct stream *s)
{
	if (s->connection.fd < 0)
		return;
	send_out(s, 0);
	if (s->tls && !s->output_ended)
		tls_bye(s->tls);
	s->input_ended = true;
	s->output_ended = true;
	connection_close(&s->connection);
}
