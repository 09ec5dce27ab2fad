/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_CAPABILITY_H
#define SMTP_CAPABILITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/strings.h"
#include "smtp/reply.h"

/* The service extensions that we make use of; one row each. */
enum capability {
	CAP_8BITMIME = 1 << 0,            /* RFC 6152 */
	CAP_AUTH = 1 << 1,                /* RFC 4954 */
	CAP_BINARYMIME = 1 << 2,          /* RFC 3030 */
	CAP_CHUNKING = 1 << 3,            /* RFC 3030 */
	CAP_DSN = 1 << 4,                 /* RFC 3461 */
	CAP_ENHANCEDSTATUSCODES = 1 << 5, /* RFC 2034 */
	CAP_PIPELINING = 1 << 6,          /* RFC 2920 */
	CAP_SIZE = 1 << 7,                /* RFC 1870 */
	CAP_SMTPUTF8 = 1 << 8,            /* RFC 6531 */
	CAP_STARTTLS = 1 << 9,            /* RFC 3207 */
	CAP_UTF8SMTP = 1 << 10,           /* RFC 5336, before SMTPUTF8 */
	CAP_DELIVERBY = 1 << 11,          /* RFC 2852 */
	CAP_REQUIRETLS = 1 << 12,         /* RFC 8689 */
	CAP_PIPECONNECT = 1 << 13,        /* draft-harris-early-pipe */
};

/* What a server said it can do, in its last EHLO. */
struct capabilities {
	bool extended;             /* it answered EHLO (or LHLO), not HELO */
	unsigned set;              /* enum capability */
	uint64_t size_limit;       /* octets; 0: no limit given */
	unsigned deliver_by_min;   /* seconds; 0: no minimum given */
	struct strings mechanisms; /* AUTH's, as sent */
	struct strings lines;      /* every line as sent, for the probe */
};

#define CAPABILITIES_INIT ((struct capabilities){0})

bool capabilities_has(const struct capabilities *c, enum capability one);

/* Read them from the reply to EHLO (RFC 5321 4.1.1.1), replacing all. */
void capabilities_parse(struct capabilities *c, const struct reply *ehlo);

/* Forget everything (RFC 3207 4.2). */
void capabilities_release(struct capabilities *c);

#endif
