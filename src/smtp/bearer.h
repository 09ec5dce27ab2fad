/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_BEARER_H
#define SMTP_BEARER_H

#include <stdbool.h>

#include "base/buf.h"

/* Who bears a token, and where it is shown. */
struct bearer {
	const char *user;
	const char *host;
	unsigned port; /* 0: not known */
	const char *token;
};

/* A mechanism that is nothing but a token in OAuth 2.0's sense. */
struct bearer_form {
	const char *name;
	/* What says all: appended as it is, not yet in base64. */
	void (*add)(const struct bearer *b, struct buf *out);
	const char *regret; /* the answer to an error, in base64 */
};

/* OAUTHBEARER (RFC 7628) or XOAUTH2 (Google's and Microsoft's); NULL: it is
 * neither. */
const struct bearer_form *bearer_find(const char *mechanism);

/* Printable ASCII without blanks (RFC 6750 2.1, RFC 6749 A.12): nothing that
 * ends it early. */
bool bearer_is_token(const char *token);

#endif
