/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GnuTLS never sees a descriptor that takes no more. Were it left with half a
 * record, and then read a request for new keys, it could not finish either; so
 * it always hands over whole records, and what must wait waits here. It is also
 * how several records leave in one write.
 */
#include "net/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

void wire_init(struct wire *w)
{
	w->fd = -1;
	w->records = BUF_INIT(PTRDIFF_MAX);
}

static ssize_t push(gnutls_transport_ptr_t p, const giovec_t *iov, int n)
{
	struct wire *w = p;
	size_t before = w->records.n;
	int i;

	for (i = 0; i < n; i++)
		buf_add(&w->records, iov[i].iov_base, iov[i].iov_len);
	return (ssize_t)(w->records.n - before);
}

static ssize_t receive(struct wire *w)
{
	ssize_t rc;

	if (w->fd < 0) {
		errno = EAGAIN;
		return -1;
	}
	rc = recv(w->fd, w->in, sizeof(w->in), 0);
	if (rc < 0 && errno != EAGAIN && errno != EINTR)
		w->error = errno;
	if (rc > 0 && !w->has_heard) {
		w->has_heard = true;
		w->first = (unsigned char)w->in[0];
	}
	w->taken = 0;
	w->got = rc > 0 ? (size_t)rc : 0;
	return rc;
}

/* GnuTLS asks for five octets, then for the record that they announce; so the
 * kernel is asked for what there is. */
static ssize_t pull(gnutls_transport_ptr_t p, void *bytes, size_t n)
{
	struct wire *w = p;
	ssize_t rc;

	if (!wire_has_input(w)) {
		rc = receive(w);
		if (rc <= 0)
			return rc;
	}
	if (n > w->got - w->taken)
		n = w->got - w->taken;
	memcpy(bytes, w->in + w->taken, n);
	w->taken += n;
	return (ssize_t)n;
}

/* GnuTLS wants one beside its own pull. We wait for ourselves, so for it there
 * is always something; a read then says EAGAIN. */
static int pull_timeout(gnutls_transport_ptr_t p, unsigned ms)
{
	(void)p;
	(void)ms;
	return 1;
}

void wire_attach(struct wire *w, gnutls_session_t session)
{
	gnutls_transport_set_ptr(session, w);
	gnutls_transport_set_vec_push_function(session, push);
	gnutls_transport_set_pull_function(session, pull);
	gnutls_transport_set_pull_timeout_function(session, pull_timeout);
}

int wire_send(struct wire *w)
{
	ssize_t n;
	int rc = 0;

	if (w->cannot_send) {
		errno = EPIPE;
		return -1;
	}
	while (rc == 0 && w->sent < w->records.n) {
		n = send(w->fd, w->records.p + w->sent, w->records.n - w->sent,
			 MSG_NOSIGNAL);
		if (n >= 0)
			w->sent += (size_t)n;
		else if (errno == EAGAIN)
			return -1;
		else if (errno != EINTR)
			rc = -1;
	}
	if (rc < 0) {
		w->error = errno;
		w->cannot_send = true;
	}
	buf_clear(&w->records); /* sent, or never to be */
	w->sent = 0;
	return rc;
}

bool wire_wants_write(const struct wire *w)
{
	return !w->cannot_send && w->sent < w->records.n;
}

bool wire_has_input(const struct wire *w)
{
	return w->taken < w->got;
}

void wire_release(struct wire *w)
{
	buf_release(&w->records);
}
