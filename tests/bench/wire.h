/* The octets of one connection at the server, plain or under TLS, and the
 * longest time that the client let it wait. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>

enum { WIRE_BLOCK = 1 << 18 };

struct wire {
	int fd;
	gnutls_session_t tls; /* NULL: in clear */
	char *raw;            /* from the socket, not yet taken by TLS */
	size_t raw_at, raw_end;
	char *in; /* decrypted, not yet taken */
	size_t at, end;
	char out[1 << 14]; /* replies not yet sent */
	size_t out_length;
	unsigned long long received, sent; /* octets on the socket */
	double gap;             /* seconds of the longest wait for the client */
	const char *gap_behind; /* what had been answered last then */
	const char *now;        /* what is being answered */
};

void wire_init(struct wire *w, int fd);
void wire_release(struct wire *w);

/* Be a TLS server from here on; without a key no session can go on. */
int wire_start_tls(struct wire *w, gnutls_certificate_credentials_t who,
		   const gnutls_datum_t *ticket_key);

/* Put a reply behind those not yet sent; they go when input is awaited. */
void wire_say(struct wire *w, const char *text);

/* Wait for more input behind that which is there; false at its end. */
bool wire_more(struct wire *w);

int wire_flush(struct wire *w);

#endif
