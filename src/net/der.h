/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_DER_H
#define NET_DER_H

#include <stdbool.h>

#include "base/buf.h"

/* Take one DER element (X.690 8.1) off `from`: its octets, head included, and
 * what is within. false: there is none, or it does not end there. */
bool der_read(struct view *from, struct view *whole, struct view *within);

/* The names in a certificate, octet by octet as they are, heads included. */
struct der_names {
	struct view issuer;
	struct view subject;
};

/* Walk a certificate (RFC 5280 4.1), and nothing behind it, just far enough for
 * its names. Whether the rest is one is not looked at. */
bool der_find_names(struct view certificate, struct der_names *names);

#endif
