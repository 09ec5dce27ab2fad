/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_LOGLINE_H
#define APP_LOGLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/stages.h"
#include "conf/account.h"
#include "mail/envelope.h"
#include "smtp/transaction.h"

/* What one submission leaves in the log. Members may be NULL or 0 where the
 * submission ended before they were known. */
struct logline {
	const struct account *account;
	const struct envelope *envelope;
	const struct result *results;
	const struct outcome *outcome; /* of the whole */
	const char *host;
	const char *id;         /* the message's Message-ID */
	const char *queue_id;   /* its id in the queue; NULL: it is in none */
	const char *tls;        /* version, cipher, verified how */
	const char *mechanism;  /* SASL */
	const char *syslog_tag; /* -L; NULL: "postrider" */
	uint64_t size;          /* octets on the wire */
	int64_t elapsed_ms;
	const struct stages *stages; /* where the time went */
	int exit_code;
	bool keep_stdout; /* a dialogue goes there: no log to it */
};

/*
 * Write one line of key=value pairs to the account's logfile and to syslog, as
 * its log policy says. A log that can't be written is a warning on stderr and
 * changes nothing else.
 */
void logline_write(const struct logline *l);

/*
 * Called as sendmail, often by what has no standard error (at, sudo): a failure
 * before there is an account, so before a log is known, goes to syslog. Does
 * nothing if the outcome is none, or under another name.
 */
void logline_write_early(const struct outcome *o, const char *syslog_tag,
			 bool as_sendmail);

/* The line itself, without time and line end: for the unit test. */
void logline_format(const struct logline *l, struct buf *out);

#endif
