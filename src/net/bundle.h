/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_BUNDLE_H
#define NET_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/gnutls.h"
#include "net/der.h"

/*
 * A file of trusted certificates in PEM, as systems have them with 150 in it,
 * and which of them a chain needs. GnuTLS takes most of a submission's time to
 * read all of them, so it is given that one alone (net/trust).
 *
 * It judges by it as it would by all, as a list of trusted certificates is
 * asked by name only: for those whose subject is, octet by octet, the issuer or
 * the subject of one that the server has sent. So what has another name makes
 * no difference, and there must be exactly one that has not. Whatever could
 * make one (more than one of a name; one that was sent itself, or whose key or
 * name was; one that does not end the way up) is a doubt, and so is a file that
 * GnuTLS might read otherwise.
 */
struct bundle {
	struct buf octets; /* the file's; of certificates, once it is parsed */
	bool is_odd;       /* it was parsed, and is in doubt */
	struct bundle_entry *p;
	size_t n; /* 0: it was not parsed */
};

struct bundle_entry {
	struct view der;
	struct der_names names;
};

#define BUNDLE_LIMIT (4u << 20) /* octets of a file; a larger one is a doubt */
#define BUNDLE_INIT  ((struct bundle){.octets = BUF_INIT(BUNDLE_LIMIT)})

/* Read a file. false: it can't be read, is no regular file, or there is no
 * certificate in PEM in it; then nothing is held. */
bool bundle_read(struct bundle *b, const char *path);

/*
 * Find the certificates in what was read: PEM (RFC 7468), with any text between
 * them, but nothing else in PEM. false: there are none, or it is in doubt, and
 * nothing is held any more. Each is decoded, but only looked at as far as its
 * names: what is damaged behind them is noticed only by who imports it.
 */
bool bundle_parse(struct bundle *b);
void bundle_release(struct bundle *b);

/* The only one of them that a chain (DER, as the server has sent it) has to do
 * with. NULL: there is none, or a doubt. */
const struct bundle_entry *bundle_find(const struct bundle *b,
				       const gnutls_datum_t *chain, size_t n);

#endif
