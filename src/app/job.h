/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_JOB_H
#define APP_JOB_H

#include <stdint.h>

#include "app/cmdline.h"
#include "app/link.h"
#include "base/outcome.h"
#include "base/stages.h"
#include "conf/account.h"
#include "conf/config.h"
#include "mail/content.h"
#include "mail/envelope.h"
#include "mail/message.h"
#include "smtp/transaction.h"

/*
 * One message on its way: all that a submission holds, and gives back at its
 * end. Every mode that submits makes one and takes it through these steps.
 */
struct job {
	const struct request *request;
	struct config *config;         /* not the job's own */
	const struct account *account; /* belongs to config; NULL: not chosen */
	struct message message;
	struct envelope envelope;
	const char *received; /* for a Received field on top; NULL: none */
	struct buf header;    /* as it goes on the wire */
	struct content *content;
	struct result *results; /* one a recipient, once it was tried */
	bool was_unreached;     /* its server could not be used */
	bool was_unasked;       /* … and was not asked */
	bool reports_refusals;  /* the queue tells the sender of recipients who
				   refused it */
	char *proof;            /* of a login that was refused (app/proof) */
	char *queue_id;         /* where it is queued; NULL: it is not */
	char *tls;              /* for the log */
	const char *mechanism;  /* for the log; static text */
	int64_t started;        /* clock_ms() */
	struct stages stages;   /* where the time went, its session's as well */
};

void job_init(struct job *job, const struct request *r);
void job_release(struct job *job);

/* Nobody to send to, neither named nor in the message (-t)? Said before a
 * person has typed a message. CAUSE_USAGE 5.1.3. */
int job_check_recipients(const struct request *r, struct outcome *o);

/* Read the message from standard input. -1 as intake_read. */
int job_read(struct job *job, struct outcome *o);

/* By name, else by the sender that -f or the header gives. A header that can't
 * be read chooses nothing; it is no reason to fail. -1 as config_choose. */
int job_choose_account(struct job *job, struct outcome *o);

/* What says who the sender is: `given` (-f or MAIL; may be NULL), else the
 * account's address, else the message, else the login name; where the account
 * lets none be given, its address. CAUSE_SENDER 5.1.7. */
int job_settle_sender(struct job *job, const char *given, struct outcome *o);

/* What the command line wishes of reports and body type, else the account. */
int job_settle_dsn(struct job *job, struct outcome *o);

/* Message and envelope are complete: make the header and with it the content.
 * -1 as edit_header. */
int job_make_content(struct job *job, struct outcome *o);

/*
 * Submit it by the link. `results` is filled in every case. Returns 0 if every
 * recipient was delivered; -1 as transaction_run or link_open. A session that
 * had carried other messages and turns out to be gone is opened anew, once.
 */
int job_send(struct job *job, struct link *l, struct outcome *o);

/* The same without a call, where it is known that it would be in vain: nobody
 * got it, for that reason. */
void job_leave_unasked(struct job *job, const struct outcome *o);

/* One for each recipient, without a word. */
struct result *job_new_results(size_t n);

/* Put what became of it in the log. */
void job_log(const struct job *job, const struct outcome *o);

#endif
