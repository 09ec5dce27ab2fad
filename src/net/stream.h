/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/outcome.h"
#include "net/dial.h"
#include "net/tls.h"

/*
 * A buffered duplex stream of octets, in clear or over TLS. Writing never
 * blocks reading: while output waits for the peer, input is taken in as far as
 * its bounded buffer goes, so two sides that both pipeline cannot lock each
 * other up. Every wait has a deadline.
 */
struct stream;

/* Takes over the connection; `host` is used in messages. */
struct stream *stream_new(struct connection *c, const char *host);
void stream_free(struct stream *s); /* closes; NULL is fine */

const char *stream_host(const struct stream *s);

/* Queue octets for the peer (copied; nothing is sent yet). */
void stream_put(struct stream *s, struct view bytes);

/* Queue octets behind those that are not copied, for they are many. They must
 * stay as they are until stream_borrows is false; before that nothing else is
 * lent, and stream_keep copies what has not left. */
void stream_lend(struct stream *s, struct view bytes);
bool stream_borrows(const struct stream *s);
void stream_keep(struct stream *s);

/* Octets queued and not yet handed to the kernel. The caller keeps this
 * within bounds by calling stream_progress. */
size_t stream_unsent(const struct stream *s);

/*
 * Move what can be moved: returns as soon as the output is down to `low`
 * octets or fewer, or new input has arrived, whichever is first. 1: at least
 * one of the two; 0: the peer has closed (or broken) the connection and no
 * more input will come; what it said before is still readable; -1: deadline
 * passed (CAUSE_CONNECT 4.4.2).
 *
 * With nothing queued it waits for input. With something queued, but no more
 * than `low`, it does not wait: so `low` > 0 means that more output is to come
 * (16 KiB or above lets it leave in full TLS records), 0 sends the rest.
 *
 * Input that nobody consumes stops being taken in at STREAM_INPUT_LIMIT; to
 * wait for more of it then is a failure (CAUSE_PROTOCOL 5.5.0).
 */
#define STREAM_INPUT_LIMIT (256u << 10) /* octets */
int stream_progress(struct stream *s, size_t low, struct deadline deadline,
		    struct outcome *o);

/* The input that has arrived and was not consumed. Good until the next call. */
struct view stream_input(const struct stream *s);
void stream_consume(struct stream *s, size_t n);

/* Has the peer said nothing and not hung up, as one that waits for us? Looks,
 * and does not wait. */
bool stream_is_quiet(struct stream *s);

/* After stream_progress returned 0: why, as an outcome ("closed the
 * connection", "connection reset by peer", a TLS error), and how a tunnel's
 * command ended; 4.4.2. Returns -1. */
int stream_lost(const struct stream *s, struct outcome *o);

/* Hand TLS over to the stream (kept until stream_free) and shake hands.
 * Unsent output must be none. Input that came before the handshake was asked
 * for is the caller's to refuse (stream_input). */
int stream_start_tls(struct stream *s, struct tls *t, struct deadline deadline,
		     struct outcome *o);
const struct tls *stream_tls(const struct stream *s); /* NULL: in clear */

/* Nothing that is queued leaves any more, not even when it is closed: a message
 * that was given up must not arrive after all. */
void stream_abandon(struct stream *s);

/* After a fork, where the other process goes on with it: close it here without
 * a word. */
void stream_leave(struct stream *s);

/* Write what the kernel takes at once, say close_notify, close; no waiting but
 * for a tunnel's process (child_end). */
void stream_close(struct stream *s);

#endif
