/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines over a socket, in clear or by GnuTLS, and what TLS knows of itself. */
#include "sasl/wire.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/encode.h"

static bool is_good(int rc, const char *what)
{
	if (rc < 0)
		fprintf(stderr, "peer: %s: %s\n", what, gnutls_strerror(rc));
	return rc >= 0;
}

static const char *priority_string(const struct options *o)
{
	if (!o->tls)
		return "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
	return o->tls[2] == '2' ? "NORMAL:-VERS-ALL:+VERS-TLS1.2"
				: "NORMAL:-VERS-ALL:+VERS-TLS1.3";
}

bool tls_server_init(struct tls_server *server, const struct options *o)
{
	gnutls_certificate_credentials_t c;

	server->asks_client = o->ca != NULL;
	if (!is_good(gnutls_certificate_allocate_credentials(&c), "memory"))
		return false;
	server->credentials = c;
	return is_good(gnutls_certificate_set_x509_key_file(
			       c, o->cert, o->key, GNUTLS_X509_FMT_PEM),
		       o->cert) &&
		is_good(!o->ca ? 0
			       : gnutls_certificate_set_x509_trust_file(
					 c, o->ca, GNUTLS_X509_FMT_PEM),
			"--ca") &&
		is_good(gnutls_priority_init(&server->priorities,
					     priority_string(o), NULL),
			"priorities") &&
		is_good(gnutls_session_ticket_key_generate(&server->ticket_key),
			"tickets");
}

void tls_server_release(struct tls_server *server)
{
	if (server->credentials)
		gnutls_certificate_free_credentials(server->credentials);
	if (server->priorities)
		gnutls_priority_deinit(server->priorities);
	gnutls_free(server->ticket_key.data);
}

int wire_secure(struct wire *w, const struct tls_server *server)
{
	int rc;

	gnutls_init(&w->tls, GNUTLS_SERVER);
	gnutls_priority_set(w->tls, server->priorities);
	gnutls_credentials_set(w->tls, GNUTLS_CRD_CERTIFICATE,
			       server->credentials);
	gnutls_session_ticket_enable_server(w->tls, &server->ticket_key);
	if (server->asks_client)
		gnutls_certificate_server_set_request(w->tls,
						      GNUTLS_CERT_REQUEST);
	gnutls_transport_set_int(w->tls, w->fd);
	do {
		rc = gnutls_handshake(w->tls);
	} while (rc == GNUTLS_E_INTERRUPTED ||
		 rc == GNUTLS_E_WARNING_ALERT_RECEIVED);
	if (rc == 0)
		return 0;
	gnutls_deinit(w->tls);
	w->tls = NULL;
	return -1;
}

void wire_release(struct wire *w)
{
	if (w->tls) {
		gnutls_bye(w->tls, GNUTLS_SHUT_WR);
		gnutls_deinit(w->tls);
	}
	close(w->fd);
	buf_release(&w->in);
}

/* More octets into `in`; -1: there are none. */
static int fill(struct wire *w)
{
	char *room = buf_room(&w->in, 4096);
	ssize_t n;

	if (!room)
		return -1;
	do {
		n = w->tls ? gnutls_record_recv(w->tls, room, 4096)
			   : recv(w->fd, room, 4096, 0);
	} while (w->tls && n == GNUTLS_E_INTERRUPTED);
	if (n <= 0)
		return -1;
	w->in.n += (size_t)n;
	w->in.p[w->in.n] = '\0';
	return 0;
}

int wire_read_line(struct wire *w, struct buf *line)
{
	const char *end;
	size_t n;

	buf_clear(line);
	while (!(end = memchr(w->in.p, '\n', w->in.n)))
		if (fill(w) < 0)
			return -1;
	n = (size_t)(end - w->in.p);
	buf_add(line, w->in.p, n && end[-1] == '\r' ? n - 1 : n);
	buf_consume(&w->in, n + 1);
	return 0;
}

/* A client that has gone is noticed when it is read from. */
void wire_say(struct wire *w, const char *lines)
{
	struct buf out = BUF_INIT(1u << 20);
	size_t sent = 0;
	ssize_t n = 1;

	for (; *lines; lines++)
		if (*lines == '\n')
			buf_add_text(&out, "\r\n");
		else
			buf_add_char(&out, *lines);
	buf_add_text(&out, "\r\n");
	while (sent < out.n && n > 0) {
		n = w->tls
			? gnutls_record_send(w->tls, out.p + sent, out.n - sent)
			: send(w->fd, out.p + sent, out.n - sent, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
	}
	buf_release(&out);
}

bool wire_binding(const struct wire *w, gnutls_channel_binding_t kind,
		  bool flipped, struct buf *out)
{
	bool is_new = w->tls &&
		gnutls_protocol_get_version(w->tls) >= GNUTLS_TLS1_3;
	gnutls_datum_t data = {NULL, 0};

	if (!w->tls || is_new != (kind == GNUTLS_CB_TLS_EXPORTER))
		return false;
	if (gnutls_session_channel_binding(w->tls, kind, &data) < 0)
		return false;
	if (flipped)
		data.data[data.size / 2] ^= 1;
	encode_base64(out, view_make((char *)data.data, data.size));
	gnutls_free(data.data);
	return true;
}

void wire_client_name(const struct wire *w, struct buf *name)
{
	const gnutls_datum_t *list;
	gnutls_x509_crt_t crt;
	unsigned n = 0, status = 1;
	char text[256];
	size_t size = sizeof(text);

	if (!w->tls || !(list = gnutls_certificate_get_peers(w->tls, &n)) ||
	    !n || gnutls_certificate_verify_peers2(w->tls, &status) < 0 ||
	    status)
		return;
	gnutls_x509_crt_init(&crt);
	if (gnutls_x509_crt_import(crt, list, GNUTLS_X509_FMT_DER) == 0 &&
	    gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0,
					  0, text, &size) == 0)
		buf_add(name, text, size);
	gnutls_x509_crt_deinit(crt);
}
