/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_AUTH_H
#define SMTP_AUTH_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "base/strings.h"

enum auth_want {
	AUTH_AUTO = 0, /* on when a user is set */
	AUTH_OFF,
	AUTH_ON,    /* the strongest both sides can do */
	AUTH_NAMED, /* those that are named, in that order */
};

/* Whether and how to authenticate (RFC 4954). */
struct auth_policy {
	enum auth_want want;
	struct strings mechanisms; /* AUTH_NAMED: "SCRAM-SHA-256", ... */
	char *user;                /* authentication identity; NULL: none */
	char *authzid;     /* authorization identity; NULL: the user's own */
	char *ntlm_domain; /* NULL: none */
};

/*
 * Where the password, or the token, comes from. Asked once, at the moment a
 * mechanism needs it; `secret` is a secret buf. NULL get: there is none.
 */
struct auth_secret {
	int (*get)(void *context, struct buf *secret, struct outcome *o);
	void *context;
};

/* Is this a mechanism we know? For the configuration's check. */
bool auth_is_known(struct view mechanism);

/* Will this policy authenticate, and does it take a user to do so? */
bool auth_is_wanted(const struct auth_policy *policy);
bool auth_needs_user(const struct auth_policy *policy);

struct session;

/*
 * Authenticate on a session whose capabilities are known (RFC 4954, with the
 * initial response where the mechanism has one and it fits the command line).
 *
 * Of the mechanisms that the server offers the strongest we can do, or of those
 * that are named the first that it offers. If the server refuses that one, the
 * next that is as strong (smtp/mechanism), or the next that is named; if it was
 * shown password or token and says that they are wrong, none. Never without
 * TLS what would show them, and what lets them be searched for only by name.
 *
 * CAUSE_AUTH: 5.7.4 (nothing in common, not offered, no TLS), the server's own
 * code (535 5.7.8 …) of the first that was refused, 5.7.8 (no password found);
 * what get() says.
 */
int auth_run(struct session *s, const struct auth_policy *policy,
	     const struct auth_secret *secret, struct outcome *o);

#endif
