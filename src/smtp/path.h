/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_PATH_H
#define SMTP_PATH_H

#include <stdbool.h>

#include "base/buf.h"
#include "mail/envelope.h"

/* What a client said behind MAIL or RCPT (RFC 5321 4.1.1.2, 4.1.1.3). */
struct path {
	char *mailbox; /* without brackets and source route; "": null */
	/* MAIL */
	enum dsn_return ret;
	char *envid; /* decoded; or NULL */
	enum body_type body_type;
	/* RCPT */
	unsigned notify;
	char *orcpt; /* type and xtext, as it was given; or NULL */
};

#define PATH_INIT ((struct path){0})

/* What is wrong with such a line. */
enum path_fault {
	PATH_FINE = 0,
	PATH_SYNTAX,    /* no path at all */
	PATH_UNKNOWN,   /* a parameter that is none of ours */
	PATH_PARAMETER, /* a parameter's value */
};

/*
 * Read "FROM:<path> parameters" or "TO:…", as `keyword` says. Blanks behind the
 * colon and a missing pair of brackets are forgiven, as every server does. On a
 * fault `word` is what it is about. The mailbox is not looked at.
 */
enum path_fault path_parse(struct view text, struct view keyword,
			   struct path *p, struct view *word);
void path_release(struct path *p);

/* The argument of VRFY or EXPN without what may stand behind the address
 * (RFC 6531 3.7.4.2). */
struct view path_without_smtputf8(struct view argument);

#endif
