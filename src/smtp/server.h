/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_SERVER_H
#define SMTP_SERVER_H

#include "base/outcome.h"
#include "mail/address.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "smtp/reply.h"

/* A transaction on its way in. All of it belongs to the owner. */
struct letter {
	struct envelope *envelope;
	struct message *message; /* MESSAGE_INIT until the content comes */
	const struct local_policy *local;
};

/* Who stands behind the server, and does what it only speaks of. */
struct server_owner {
	void *context;
	/* MAIL: begin anew, from `sender` ("": null). -1 refuses it. */
	int (*begin)(void *context, const char *sender, struct letter *letter,
		     struct outcome *o);
	/* The content of what was begun is complete: 0 and `reply` is the last
	 * word on it, or -1. `received`: for a Received field, without date. */
	int (*submit)(void *context, const char *received, struct reply *reply,
		      struct outcome *o);
	/* What was begun ends here, without submit: it was refused, or the
	 * client has left. */
	void (*give_up)(void *context, const struct outcome *why);
	/* EXPN: as aliases_expand. */
	int (*expand)(void *context, struct view name,
		      struct address_list *list, struct outcome *o);
};

/*
 * Serve one client on two descriptors until it says QUIT, goes, or is silent
 * for five minutes: RFC 5321 as a submission server without authentication
 * (RFC 6409), with PIPELINING, SIZE, 8BITMIME, BINARYMIME, CHUNKING, SMTPUTF8,
 * DSN and ENHANCEDSTATUSCODES. Lines of the dialogue may end in LF alone; the
 * content ends with CRLF.CRLF, unless the DATA before it ended in LF alone.
 *
 * Returns 0 if every message that was handed over was accepted, and none was
 * begun and left. -1: o is the failure of one that was not (the worst), or says
 * that the client left in the middle of one (CAUSE_CONNECT 4.4.2).
 */
int server_run(int in, int out, const char *name,
	       const struct server_owner *owner, struct outcome *o);

#endif
