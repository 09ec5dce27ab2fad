/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/outcome.h"
#include "base/strings.h"

enum tls_version { TLS_1_2 = 0, TLS_1_3 };

/* Does signed DNS say whose certificate is right (RFC 7671, RFC 7673)? */
enum dane {
	DANE_OFF = 0,
	DANE_ON,   /* where there are such records they decide */
	DANE_ONLY, /* there must be some */
};

/* What is asked of a TLS session. */
struct tls_policy {
	bool on;
	bool starttls;    /* false: TLS from the first octet (RFC 8314) */
	bool certcheck;   /* false: any certificate; with a warning */
	char *trust_file; /* PEM; NULL or "system": the system's store */
	char *crl_file;   /* PEM; NULL: none */
	char *cert_file;  /* our certificate (chain), PEM; NULL: none */
	char *key_file;   /* its key, PEM; NULL: in cert_file. Both may be
			     PKCS #11 URIs (RFC 7512) */
	/* Of the server's certificate, in hex, colons allowed: SHA-256 (64
	 * digits), SHA-1 (40) or MD5 (32); replaces every other check. */
	char *fingerprint;
	/* SHA-256 of the server's public key (SubjectPublicKeyInfo), in hex or
	 * base64, several with blanks between them: one of them must be it;
	 * replaces every other check but the fingerprint. */
	char *pin;
	enum dane dane;
	bool resume;         /* keep session tickets, and use them */
	char *priorities;    /* GnuTLS priority string; NULL: default */
	char *host_override; /* name in certificate and SNI; NULL: host */
	enum tls_version min_version;
	unsigned min_dh_bits; /* 0: GnuTLS's default */
};

/* Has the server to prove who it is, by its certificate or its key? */
bool tls_is_verified(const struct tls_policy *policy);

/* What whoever wants a session gives beside the policy; all of it may be NULL.
 * It must last until the handshake is over. */
struct tls_owner {
	/* The password of a key, the PIN of a token; asked for only if there is
	 * need. `what` is for people: "the PIN of the token X". NULL: a
	 * key that needs one is left out (for a check of the settings). */
	int (*get_secret)(void *context, const char *what, struct buf *secret,
			  struct outcome *o);
	void *context;
	/* With whom and as whom, in any words that tell sessions apart which
	 * must not go on in each other's place; NULL: no tickets. */
	const char *peer;
	/* Set if the handshake broke off after a ticket was shown, and not
	 * because of the certificate: without the ticket it may work. */
	bool is_ticket_bad;
};

/* One TLS session to be: credentials and trust loaded, not yet connected. */
struct tls;

/*
 * Load what the policy names. `host` is the name the user configured, against
 * which the certificate is checked (RFC 6125; IDN, IP literals; never CN).
 * `owner` may be NULL. NULL: CAUSE_CONFIG 5.3.5 naming the setting, the file
 * and the fault; what get_secret says.
 *
 * If the policy says `resume` the session may go on with an earlier one
 * (net/resume), whose certificate was checked by the same policy, at most a day
 * ago; never with a certificate of our own, nor with DANE. What is needed only
 * for a certificate is then loaded when there is one.
 */
struct tls *tls_new(const struct tls_policy *policy, const char *host,
		    struct tls_owner *owner, struct outcome *o);
void tls_free(struct tls *t); /* NULL is fine */

/* Take over a question to signed DNS (net/dane.h); NULL: none. Its answer is
 * waited for before the handshake. */
struct dane_query;
void tls_use_dane(struct tls *t, struct dane_query *d);

/*
 * What we say first, ClientHello, to be sent before there is a descriptor for
 * tls_handshake; good until then. Empty where it can't be known yet: signed DNS
 * may have another name for the server. Then tls_was_said, if octets of it are
 * on their way on that descriptor.
 */
struct view tls_first_words(struct tls *t);
void tls_was_said(struct tls *t, size_t n);

/*
 * Handshake on a non-blocking descriptor and verify. CAUSE_TLS 4.7.5: the text
 * says which check failed, of which certificate, and with which names or
 * dates; CAUSE_CONNECT 4.4.2 when lost or too late; what dane_await says.
 * Nothing was sent but the handshake. Its last message may still wait, to leave
 * in one segment with what is said first: tls_write, tls_read and tls_bye send
 * it, and only then does the server know that we agree.
 */
int tls_handshake(struct tls *t, int fd, struct deadline deadline,
		  struct outcome *o);

/*
 * Move octets after the handshake, without blocking: how many; 0 at a clean
 * end (close_notify); -1 with errno EAGAIN (call again when the descriptor is
 * ready), EPIPE for a connection lost or a TLS error, whose words are
 * tls_error(). Reading gives at most one record (16 KiB), writing takes a few;
 * what was written is the kernel's. After EAGAIN the next tls_write must begin
 * with the octets that this one began with, and be given no fewer. Read until
 * EAGAIN before waiting: what was decrypted already makes no descriptor ready.
 */
ptrdiff_t tls_read(struct tls *t, void *bytes, size_t n);
ptrdiff_t tls_write(struct tls *t, const void *bytes, size_t n);
const char *tls_error(const struct tls *t);

/* Something of TLS's own or of the user's waits for room to be written. */
bool tls_wants_write(const struct tls *t);

/* Say close_notify if that needs no waiting; keep a ticket for next time. */
void tls_bye(struct tls *t);

/* What was agreed, for the log and the probe. */
struct tls_certificate {
	char *subject, *issuer;
	char *names; /* DNS names and addresses, comma-separated */
	char *valid_from, *valid_until; /* ISO 8601, UTC */
	char *sha256; /* fingerprint, AA:BB:…, for tls_fingerprint */
	char *sha1;
	char *pin; /* of its public key, base64, for tls_pin */
};

struct tls_facts {
	char *version;   /* "TLS1.3" */
	char *cipher;    /* GnuTLS's description of the session */
	char *verified;  /* "system", a file's name, "fingerprint",
			   "pin", "fingerprint+pin", "dane", "unchecked" */
	bool is_resumed; /* it went on; `verified` is how it was in the first */
	struct tls_certificate *chain; /* as sent, the server's own first */
	size_t n_chain;
};

#define TLS_FACTS_INIT ((struct tls_facts){0})

/* with_chain: also the certificates. After the handshake only. */
void tls_describe(const struct tls *t, bool with_chain, struct tls_facts *f);
void tls_facts_release(struct tls_facts *f);

/* Octets for SASL channel binding "tls-exporter" (RFC 9266) or "tls-unique"
 * (RFC 5929); false if this session has none of that type. */
bool tls_channel_binding(const struct tls *t, const char *type,
			 struct buf *out);

#endif
