/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_IDNA_H
#define BASE_IDNA_H

#include "base/buf.h"
#include "base/outcome.h"

/*
 * A host or mail domain in its ASCII form: U-labels become A-labels (IDNA 2008,
 * RFC 5891, with UTS 46 non-transitional mapping), everything lower case, one
 * final dot dropped. Checks RFC 5321 4.1.2 / RFC 1123 2.1 syntax: labels of
 * letters, digits, hyphens and (as found in the wild) underscores, 1–63 octets,
 * at most 253 in all. Returns an allocated string, or NULL with CAUSE_CONFIG
 * 5.1.3 and words that name the domain; callers set cause and status.
 */
char *idna_to_ascii(struct view domain, struct outcome *o);

/* The same of a host that was configured: CAUSE_CONFIG 5.3.5. */
char *idna_host_to_ascii(const char *host, struct outcome *o);

/* GNU IDN2's. Like the conversion of what is not ASCII it loads it
 * (library_need). */
const char *idna_version(void);

#endif
