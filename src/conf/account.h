/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_ACCOUNT_H
#define CONF_ACCOUNT_H

#include <stdbool.h>

#include "mail/edit.h"
#include "mail/envelope.h"
#include "net/dial.h"
#include "net/tls.h"
#include "queue/policy.h"
#include "smtp/auth.h"
#include "smtp/session.h"
#include "smtp/transaction.h"

/* Where the password is (conf/secret). */
struct secret_policy {
	char *password;            /* itself, behind conf/shield */
	char *passwordeval;        /* a command that prints it */
	char *password_file;       /* a file whose first line it is */
	char *password_credential; /* systemd's; NULL: "postrider.ACCOUNT" */
	bool keyring;              /* may the desktop's be asked? */
	char *key_passwordeval;    /* prints the password of tls.key_file */
};

/* Who the mail is from. */
struct identity_policy {
	char *from; /* reverse-path; may be a pattern: `*`, `?` */
	char *from_full_name;
	bool allow_from_override; /* may -f and From say otherwise? */
	bool auto_from;           /* USER@maildomain when nothing else says */
};

struct log_policy {
	char *logfile;     /* NULL: none; "-": standard output */
	char *time_format; /* strftime; NULL: ISO 8601 */
	int syslog;        /* facility of syslog(3); 0: none */
};

struct dsn_policy {
	unsigned notify; /* enum dsn_notify */
	enum dsn_return ret;
};

/*
 * With whom, and how: made of the policy structs of the rooms below and filled
 * from the rows of conf/setting.
 */
struct account {
	char *name;
	struct dial_policy dial;
	struct tls_policy tls;
	struct session_policy session;
	struct auth_policy auth;
	struct transaction_policy transaction;
	struct edit_policy edit;
	struct local_policy local;
	struct secret_policy secret;
	struct identity_policy identity;
	struct log_policy log;
	struct dsn_policy dsn;
	struct queue_policy queue;
};

#define ACCOUNT_INIT ((struct account){0})

/* Secrets are wiped. */
void account_release(struct account *a);

/* Is `from` a pattern, which says no sender by itself? */
bool account_from_is_pattern(const struct account *a);

#endif
