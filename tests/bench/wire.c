/* Reads and writes in large pieces, with a buffer of its own below TLS, so that
 * a record costs no system call: the server must not be what is measured. */
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

void wire_init(struct wire *w, int fd)
{
	memset(w, 0, sizeof(*w));
	w->fd = fd;
	w->raw = malloc(WIRE_BLOCK);
	w->in = malloc(WIRE_BLOCK);
	w->now = w->gap_behind = "connect";
	if (!w->raw || !w->in)
		abort();
}

void wire_release(struct wire *w)
{
	if (w->tls)
		gnutls_deinit(w->tls);
	free(w->raw);
	free(w->in);
	close(w->fd);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* From the socket.  A wait that the end of the connection ends is no gap: the
 * client had nothing more to say. */
static ssize_t receive(struct wire *w, char *to, size_t room)
{
	double begun = seconds();
	ssize_t got;

	do
		got = recv(w->fd, to, room, 0);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return got;
	if (w->received && seconds() - begun > w->gap) {
		w->gap = seconds() - begun;
		w->gap_behind = w->now;
	}
	w->received += (size_t)got;
	return got;
}

static ssize_t pull(gnutls_transport_ptr_t self, void *to, size_t room)
{
	struct wire *w = self;
	ssize_t got;

	if (w->raw_at == w->raw_end) {
		got = receive(w, w->raw, WIRE_BLOCK);
		if (got <= 0)
			return got;
		w->raw_at = 0;
		w->raw_end = (size_t)got;
	}
	if (room > w->raw_end - w->raw_at)
		room = w->raw_end - w->raw_at;
	memcpy(to, w->raw + w->raw_at, room);
	w->raw_at += room;
	return (ssize_t)room;
}

static ssize_t push(gnutls_transport_ptr_t self, const void *data,
		    size_t length)
{
	struct wire *w = self;
	ssize_t sent = send(w->fd, data, length, MSG_NOSIGNAL);

	if (sent > 0)
		w->sent += (size_t)sent;
	return sent;
}

int wire_start_tls(struct wire *w, gnutls_certificate_credentials_t who,
		   const gnutls_datum_t *ticket_key)
{
	int rc;

	gnutls_init(&w->tls, GNUTLS_SERVER);
	gnutls_set_default_priority(w->tls);
	gnutls_credentials_set(w->tls, GNUTLS_CRD_CERTIFICATE, who);
	if (ticket_key)
		gnutls_session_ticket_enable_server(w->tls, ticket_key);
	gnutls_transport_set_ptr(w->tls, w);
	gnutls_transport_set_pull_function(w->tls, pull);
	gnutls_transport_set_pull_timeout_function(w->tls,
						   gnutls_system_recv_timeout);
	gnutls_transport_set_push_function(w->tls, push);
	w->now = "TLS";
	do
		rc = gnutls_handshake(w->tls);
	while (rc < 0 && !gnutls_error_is_fatal(rc));
	return rc;
}

void wire_say(struct wire *w, const char *text)
{
	size_t length = strlen(text);

	if (w->out_length + length > sizeof(w->out))
		wire_flush(w);
	memcpy(w->out + w->out_length, text, length);
	w->out_length += length;
}

int wire_flush(struct wire *w)
{
	size_t done = 0;
	ssize_t sent;

	while (done < w->out_length) {
		if (w->tls)
			sent = gnutls_record_send(w->tls, w->out + done,
						  w->out_length - done);
		else
			sent = push(w, w->out + done, w->out_length - done);
		if (sent <= 0)
			return -1;
		done += (size_t)sent;
	}
	w->out_length = 0;
	return 0;
}

bool wire_more(struct wire *w)
{
	ssize_t got;

	if (wire_flush(w) < 0)
		return false;
	if (w->at) {
		memmove(w->in, w->in + w->at, w->end - w->at);
		w->end -= w->at;
		w->at = 0;
	}
	if (w->end == WIRE_BLOCK)
		return false;
	do
		got = w->tls ? gnutls_record_recv(w->tls, w->in + w->end,
						  WIRE_BLOCK - w->end)
			     : receive(w, w->in + w->end, WIRE_BLOCK - w->end);
	while (w->tls && got < 0 && !gnutls_error_is_fatal((int)got));
	if (got <= 0)
		return false;
	w->end += (size_t)got;
	return true;
}
