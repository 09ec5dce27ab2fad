/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_MECHANISM_H
#define SMTP_MECHANISM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* What somebody gets who listens, or who poses as the server; weaker later. */
enum strength {
	STRENGTH_BOUND,      /* nothing, even if TLS ends in the middle */
	STRENGTH_PROOF,      /* nothing */
	STRENGTH_SEARCHABLE, /* something to try passwords on */
	STRENGTH_SHOWN,      /* the password, or the token */
};

/* A SASL mechanism as it is used by SMTP (RFC 4954). */
struct mechanism {
	const char *name;
	enum strength strength;
	bool client_first;   /* has an initial response */
	bool mutual;         /* the server has to prove that it knows us */
	bool by_name;        /* only if the user names it */
	bool needs_no_user;  /* who we are shows elsewhere */
	bool by_certificate; /* taken unasked only if there is one of ours */
	bool by_ticket;      /* the same, of Kerberos */
};

/* In the order in which they are taken, the strongest first. */
extern const struct mechanism mechanisms[];
extern const size_t mechanisms_n;

/* In any case; NULL: no such one. */
const struct mechanism *mechanism_find(struct view name);

#endif
