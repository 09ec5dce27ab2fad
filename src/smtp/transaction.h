/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_TRANSACTION_H
#define SMTP_TRANSACTION_H

#include <stdbool.h>

#include "base/outcome.h"
#include "mail/content.h"
#include "mail/envelope.h"
#include "smtp/session.h"

/* What a message may ask of the protocol. */
struct transaction_policy {
	bool partial;  /* one refused recipient does not stop the others */
	bool defer;    /* one that is refused for now (4xx) does not, as there
			  is a queue for it */
	bool chunking; /* BDAT where the server offers it */
	enum reencode reencode;
	bool smtputf8;   /* it may be asked for where an address needs it */
	bool requiretls; /* every hop must use TLS (RFC 8689) */
	char *deliverby; /* by-value of RFC 2852: "120;R"; NULL: any time */
	char *mail_parameter; /* esmtp-params for MAIL (RFC 5321 4.1.2), of
				 extensions that we don't know; NULL: none */
	char *rcpt_parameter; /* the same for every RCPT */
};

/* One message to hand over. */
struct submission {
	const struct envelope *envelope;
	struct content *content; /* is put in a form that the server takes */
	const char *deliver_by;  /* NULL: the policy's; "": none */
};

/* What became of the recipients. */
enum fate {
	FATE_FAILED = 0, /* the outcome says why */
	FATE_DELIVERED,  /* the server took responsibility */
	FATE_WITHHELD,   /* not refused, but nothing was sent */
	FATE_QUEUED,     /* it will be tried again; the outcome says why it had
			    to be, if it was tried */
};

struct result {
	enum fate fate;
	struct outcome outcome; /* failed: why; withheld: that it was */
	struct reply reply;     /* delivered: the server's last word */
};

/*
 * Submit one message in as few round trips as the server permits: MAIL, every
 * RCPT and DATA (or BDAT with the message) in one flight. `results` has one
 * initialised entry for each recipient and is filled in every case.
 *
 * partial off: unless every recipient is accepted, nothing is sent (DESIGN:
 * exit 0 is everybody, exit non-zero is nobody). With `defer` those who are
 * refused for now (4xx) stop nobody. partial on: each stands alone.
 * What the server can't take is encoded (mail/plan) or refused before MAIL:
 * 5.6.7 an address needs SMTPUTF8, 5.6.3 and 5.6.0 the content, 5.3.4 the size
 * that it would have on the wire; 5.7.30 and 5.3.3 what the policy asks for and
 * the server lacks.
 *
 * Returns 0 if every recipient was delivered. -1: not all; o holds the failure
 * of the message or session as a whole, if it was one (else the worst
 * recipient's). The session can go on with another message unless ended.
 */
int transaction_run(struct session *s, const struct submission *m,
		    const struct transaction_policy *policy,
		    struct result *results, struct outcome *o);

/* The same for one that is prepared (smtp/exchange.h), up to where everybody's
 * results would be made of it. 0: it was answered, and if `o` is a failure that
 * was the answer; -1: the conversation failed. */
struct exchange;
int transaction_carry(struct exchange *x, struct outcome *o);

/* The worst (outcome_is_worse) of those that failed; NULL: none did. */
const struct outcome *result_worst(const struct result *results, size_t n);

void result_release(struct result *r);
#define RESULT_INIT ((struct result){.reply = REPLY_INIT})

#endif
