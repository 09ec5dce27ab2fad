/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_EDIT_H
#define MAIL_EDIT_H

#include <stdbool.h>
#include <time.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "mail/envelope.h"
#include "mail/message.h"

/* auto: add the field if it is missing; on: replace it; off: leave it. */
enum edit_when { EDIT_AUTO = 0, EDIT_ON, EDIT_OFF };

struct edit_policy {
	enum edit_when set_from;     /* msmtp's set_from_header */
	enum edit_when set_date;     /* auto or off */
	enum edit_when set_msgid;    /* auto or off */
	enum edit_when set_to;       /* auto, on or off; see below */
	bool remove_bcc;             /* Bcc and Resent-Bcc */
	bool undisclosed_recipients; /* replace To, Cc, Bcc */
	bool rewrite_header;         /* give local names there a home */
};

/* What the added fields are made of. */
struct edit_facts {
	time_t now;
	const char *full_name; /* for From; UTF-8 or any bytes; may be NULL */
	const char *from;      /* mailbox for From; the envelope's sender if
				   NULL */
	const char *host;      /* right side of Message-ID when the sender has
				   no domain */
	const char *received;  /* what a Received field on top says, without its
				 date (RFC 5321 4.4); NULL: none is added */
	const struct local_policy *local; /* where local names live */
};

/*
 * The header as it goes on the wire, without the empty line: the message's own
 * fields as they are, in order, less those to be removed, and behind them the
 * missing ones: Date (RFC 5322 3.3, local time with its zone), Message-ID
 * (random, from the sender's domain), From (3.6.2, name encoded as RFC 2047
 * when it is not ASCII; none for the null sender, unless facts has one). set_to
 * adds "To: undisclosed-recipients:;" when there is neither To, Cc nor Bcc,
 * on puts it in place of To; undisclosed_recipients removes To, Cc and Bcc and
 * adds it. In a resent message the Resent- block is left as it is, but for
 * Resent-Bcc. rewrite_header: names without a domain are replaced where they
 * stand, in To, Cc and Reply-To by what the envelope made of them, in From and
 * Sender by the name at maildomain, else by the sender; what has no home, and
 * fields that can't be read, stay. Failures: CAUSE_SENDER 5.1.7 (facts' from
 * is no address), CAUSE_SYSTEM, CAUSE_CONTENT 5.3.4 (more than `header` may
 * hold).
 */
int edit_header(const struct message *m, const struct envelope *e,
		const struct edit_policy *policy,
		const struct edit_facts *facts, struct buf *header,
		struct outcome *o);

/* RFC 5322 3.3: a date in local time with its zone, and CRLF. CAUSE_SYSTEM. */
int edit_add_time(time_t when, struct buf *out, struct outcome *o);

#endif
