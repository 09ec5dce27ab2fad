/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_PIN_H
#define NET_PIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/gnutls.h"

/* Pins: SHA-256 of a certificate's SubjectPublicKeyInfo (as in RFC 7469). */
#define PIN_SIZE 32 /* octets */

struct pins {
	struct buf digests; /* one behind the other */
};

#define PINS_LIMIT (1u << 16) /* octets of digests */
#define PINS_INIT  ((struct pins){BUF_INIT(PINS_LIMIT)})

/* Understand pins with blanks between them, each in hex (colons allowed) or in
 * base64. false: one of them is none, or there is none. Released in every
 * case. */
bool pins_parse(struct pins *pins, const char *text);
void pins_release(struct pins *pins);

/* Is the key of this certificate (DER) one of them? */
bool pins_have(const struct pins *pins, const gnutls_datum_t *der);

/* A certificate's pin in base64, as tls_pin takes it; empty if the certificate
 * can't be read. Allocated. */
char *pin_text(const gnutls_datum_t *der);

#endif
