/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * As much of DER as it takes to find something in a certificate that GnuTLS
 * would have to read whole. What it means is for GnuTLS to say.
 */
#include "net/der.h"

#define SEQUENCE 0x30
#define NUMBERED 0xa0 /* [0], the version; RFC 5280 4.1 */

bool der_read(struct view *from, struct view *whole, struct view *within)
{
	const unsigned char *p = (const unsigned char *)from->p;
	size_t head = 2, n, i;

	if (from->n < 2)
		return false;
	n = p[1];
	if (n & 0x80) {
		head += n & 0x7f;
		if (head == 2 || head > 6 || from->n < head)
			return false;
		for (n = 0, i = 2; i < head; i++)
			n = n << 8 | p[i];
	}
	if (n > from->n - head)
		return false;
	*whole = view_make(from->p, head + n);
	*within = view_make(from->p + head, n);
	*from = view_skip(*from, head + n);
	return true;
}

static bool enter(struct view *from, struct view *within)
{
	struct view whole;

	return from->n && (unsigned char)from->p[0] == SEQUENCE &&
		der_read(from, &whole, within);
}

static bool take_name(struct view *from, struct view *name)
{
	struct view within;

	return from->n && (unsigned char)from->p[0] == SEQUENCE &&
		der_read(from, name, &within);
}

bool der_find_names(struct view certificate, struct der_names *names)
{
	struct view signed_part, at, whole, within;

	if (!enter(&certificate, &signed_part) || certificate.n ||
	    !enter(&signed_part, &at))
		return false;
	if (at.n && (unsigned char)at.p[0] == NUMBERED &&
	    !der_read(&at, &whole, &within))
		return false;
	return der_read(&at, &whole, &within) &&  /* serial number */
		der_read(&at, &whole, &within) && /* algorithm */
		take_name(&at, &names->issuer) && /**/
		der_read(&at, &whole, &within) && /* validity */
		take_name(&at, &names->subject);
}
