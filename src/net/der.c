/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * As much of DER as it takes to find something in a certificate that GnuTLS
 * would have to read whole. What it means is for GnuTLS to say; what another
 * reader could take for something else is not read at all.
 */
#include "net/der.h"

#define INTEGER  0x02
#define SEQUENCE 0x30
#define VERSIONS 0xa0 /* [0], RFC 5280 4.1 */

/* Octets of the head, and of what is within; X.690 8.1.3, 10.1. */
static bool read_head(struct view v, size_t *head, size_t *n)
{
	const unsigned char *p = (const unsigned char *)v.p;
	size_t i;

	if (v.n < 2)
		return false;
	*head = 2;
	*n = p[1];
	if (*n < 0x80)
		return true;
	*head += *n & 0x7f;
	if (*head == 2 || *head > 6 || v.n < *head || !p[2])
		return false;
	for (*n = 0, i = 2; i < *head; i++)
		*n = *n << 8 | p[i];
	return *n >= 0x80;
}

bool der_read(struct view *from, struct view *whole, struct view *within)
{
	size_t head, n;

	if (!read_head(*from, &head, &n) || n > from->n - head)
		return false;
	*whole = view_make(from->p, head + n);
	*within = view_make(from->p + head, n);
	*from = view_skip(*from, head + n);
	return true;
}

static bool take(struct view *from, unsigned char tag, struct view *whole,
		 struct view *within)
{
	return from->n && (unsigned char)from->p[0] == tag &&
		der_read(from, whole, within);
}

static bool skip(struct view *from, unsigned char tag)
{
	struct view whole, within;

	return take(from, tag, &whole, &within);
}

static bool skip_version(struct view *from)
{
	struct view whole, within;

	if (from->n && (unsigned char)from->p[0] != VERSIONS)
		return true;
	return take(from, VERSIONS, &whole, &within) &&
		skip(&within, INTEGER) && !within.n;
}

bool der_find_names(struct view certificate, struct der_names *names)
{
	struct view whole, within, at;

	return take(&certificate, SEQUENCE, &whole, &within) &&
		!certificate.n && take(&within, SEQUENCE, &whole, &at) &&
		skip_version(&at) && skip(&at, INTEGER) && /* serial number */
		skip(&at, SEQUENCE) &&                     /* algorithm */
		take(&at, SEQUENCE, &names->issuer, &whole) &&
		skip(&at, SEQUENCE) && /* validity */
		take(&at, SEQUENCE, &names->subject, &whole) &&
		skip(&at, SEQUENCE); /* public key */
}
