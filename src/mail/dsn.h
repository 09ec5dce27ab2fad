/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DSN_H
#define MAIL_DSN_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "mail/envelope.h"
#include "mail/message.h"

/* Action of RFC 3464 2.3.3. */
enum dsn_action { DSN_FAILED, DSN_DELAYED, DSN_RELAYED };

/* One recipient that is reported. */
struct dsn_recipient {
	const struct recipient *recipient;
	const struct outcome *answer; /* the last: status, reply_code, host and
					 text. reply_code 0: not the words of
					 a server */
	int64_t last_attempt;         /* seconds since 1970; 0: none */
	int64_t retry_until;          /* delayed: when it will be given up */
};

struct dsn {
	enum dsn_action action;
	const char *id;     /* of the message in the queue, for people */
	const char *host;   /* Reporting-MTA; also the right side of
			       Message-ID */
	const char *domain; /* that of MAILER-DAEMON; NULL: the host */
	const char *to;     /* the mailbox that it goes to */
	int64_t now;        /* seconds since 1970 */
	int64_t arrived;    /* when the message was queued */
	const struct envelope *envelope; /* the message's */
	const struct dsn_recipient *recipients;
	size_t n;
	struct view header; /* the message's, as it goes on the wire */
	const struct message *message; /* whose body may be returned */
};

/* A message over so many octets is returned without its body. */
#define DSN_RETURN_MAX (512u << 10)

/*
 * Compose a delivery status notification: multipart/report (RFC 6522) of a
 * text for people, message/delivery-status (RFC 3464), and of a failure the
 * message itself, but its header alone where RET=HDRS was asked for (RFC 3461
 * 4.3), it is too large, it is what could not be sent (CAUSE_CONTENT or
 * CAUSE_FEATURE without a server's answer, but 5.6.7), or the report is no
 * failure. Where an address is not ASCII there is
 * message/global-delivery-status, where the header is not, message/global or
 * message/global-headers (RFC 6533). It says Auto-Submitted: auto-replied (RFC
 * 3834 3.1.7) and refers to the message's id. Into a MESSAGE_INIT, which is to
 * be released in every case. -1 as intake_take, and store_read of the body.
 */
int dsn_compose(const struct dsn *d, struct message *m, struct outcome *o);

#endif
