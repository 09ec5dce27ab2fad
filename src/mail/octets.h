/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_OCTETS_H
#define MAIL_OCTETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* What a stretch of a body is made of. */
struct octets {
	bool has_8bit; /* one over 127 */
	bool has_nul;
	bool has_cr;
	bool has_odd; /* a CR that no LF follows, an LF that no CR precedes */
	size_t lines; /* LFs */
};

/*
 * Look at all of it, at the speed of memory. `before` is the octet ahead of the
 * stretch; a CR at its end is not odd, as nobody knows what follows.
 */
struct octets octets_look(struct view v, char before);

/*
 * Text whose lines end in LF, on its way into one whose lines end in CRLF: as
 * much of `from`, which then begins behind it, as fits. `cr_told` is kept from
 * one call to the next, false at first: the CR of the next LF was written, for
 * which there was no more room. Returns the octets written.
 */
size_t octets_add_cr(struct view *from, bool *cr_told, char *to, size_t room);

#endif
