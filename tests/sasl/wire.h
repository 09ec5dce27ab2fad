/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SASL_WIRE_H
#define SASL_WIRE_H

#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "base/buf.h"
#include "sasl/options.h"

/* What all connections share: the certificate, the versions, the tickets. */
struct tls_server {
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priorities;
	gnutls_datum_t ticket_key;
	bool asks_client; /* for a certificate */
};

/* false: GnuTLS said why, and it has been printed. */
bool tls_server_init(struct tls_server *server, const struct options *o);
void tls_server_release(struct tls_server *server);

/* One connection. Every wait ends after WIRE_SECONDS. */
#define WIRE_SECONDS 20

struct wire {
	int fd;
	gnutls_session_t tls; /* NULL: in clear */
	struct buf in;        /* read, not yet taken */
};

#define WIRE_INIT(descriptor) \
	((struct wire){(descriptor), NULL, BUF_INIT(1u << 20)})

void wire_release(struct wire *w); /* says goodbye, closes */

int wire_secure(struct wire *w, const struct tls_server *server);

/* A line without its CRLF; -1: the connection is over. */
int wire_read_line(struct wire *w, struct buf *line);

/* Lines (LF between them), each with a CRLF. */
void wire_say(struct wire *w, const char *lines);

/* The data both ends must agree on for -PLUS, in base64, with one bit
 * `flipped`; false: this connection has none of that kind. */
bool wire_binding(const struct wire *w, gnutls_channel_binding_t kind,
		  bool flipped, struct buf *out);

/* The common name of the client's certificate, if it is one of the authority;
 * else it stays empty. */
void wire_client_name(const struct wire *w, struct buf *name);

#endif
