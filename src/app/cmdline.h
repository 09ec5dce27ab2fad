/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_CMDLINE_H
#define APP_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/outcome.h"
#include "base/strings.h"
#include "conf/config.h"
#include "mail/envelope.h"
#include "queue/select.h"
#include "smtp/session.h"

enum mode {
	MODE_SUBMIT = 0,    /* a message on standard input */
	MODE_SERVE,         /* -bs: SMTP on standard input and output */
	MODE_VERIFY,        /* -bv: where mail to addresses goes */
	MODE_ADDRESSES,     /* -bt: how addresses on standard input read */
	MODE_ALIASES,       /* -bi, -I, newaliases: check the alias file */
	MODE_QUEUE_RUN,     /* -q, --queue-run */
	MODE_QUEUE_LIST,    /* -bp, mailq */
	MODE_QUEUE_COUNT,   /* -bP */
	MODE_QUEUE_SHOW,    /* --queue-show */
	MODE_QUEUE_HOLD,    /* --queue-hold */
	MODE_QUEUE_RELEASE, /* --queue-release */
	MODE_QUEUE_REMOVE,  /* --queue-remove */
	MODE_QUEUE_RETRY,   /* --queue-retry */
	MODE_CHECK,         /* --check, -bC */
	MODE_PROBE,         /* --probe, --serverinfo, -S */
	MODE_HELP,          /* --help */
	MODE_VERSION,       /* --version, -d0.1 */
	MODE_HOST_STATUS,   /* -bh, -bH: none is kept */
	MODE_LIST_OPTIONS,  /* --list-options: for the checks */
	MODE_LIST_SETTINGS, /* --list-settings */
	MODE_LATER,         /* asked for what is not yet in this version */
};

enum report_format { REPORT_TEXT = 0, REPORT_JSON };

/* -od: when a message is sent. */
enum delivery_mode {
	DELIVERY_UNSET = 0,  /* as the account has it */
	DELIVERY_NOW,        /* i */
	DELIVERY_BACKGROUND, /* b: once it is in the queue, by a child */
	DELIVERY_LATER,      /* q, d: by the next queue run */
};

/* How the queue is to be run. */
struct queue_request {
	unsigned interval; /* seconds between runs; 0: once */
	bool foreground;   /* an interval does not mean the background */
	bool only_due;     /* --queue-run: no more than the schedule wants */
	bool all_users;    /* --all-users: as each of them */
	int64_t ends;      /* clock_ms() from which on no message is begun; 0:
			      never */
	struct selectors selectors;
};

/* What is asked: the command line, understood. */
struct request {
	enum mode mode;
	bool as_sendmail;        /* called as sendmail, mailq or newaliases */
	char *later;             /* MODE_LATER: the option, as it was given */
	char *config_file;       /* -C */
	char *account;           /* -a */
	char *sender;            /* -f, -r, --from; NULL: not given */
	bool sender_from_header; /* --read-envelope-from */
	char *full_name;         /* -F */
	char *syslog_tag;        /* -L */
	bool recipients_from_header; /* -t */
	bool ignore_dots;            /* -i, -oi */
	bool verbose;                /* -v */
	char *traffic_log;           /* -X; NULL: none */
	unsigned waits[WAIT_N]; /* -O Timeout.…, as session_policy.waits */
	enum delivery_mode delivery; /* -od */
	char *hold; /* -Q: why it is to be held; NULL: it is not */
	struct queue_request queue;
	bool dry_run; /* --dry-run, --pretend, -P */
	enum report_format report;
	unsigned notify;            /* -N; enum dsn_notify */
	enum dsn_return ret;        /* -R */
	char *envid;                /* -V */
	enum body_type body_type;   /* -B */
	struct override *overrides; /* settings given as long options */
	size_t n_overrides;
	struct strings recipients; /* of --queue-hold and the like: which */
	struct strings warnings;   /* said on stderr first of all */
};

#define REQUEST_INIT ((struct request){0})

/*
 * Understand argv (argc may be 0). Options end at the first argument that is
 * none, or at `--`. -1: CAUSE_USAGE, naming the option and what it wants.
 * The request keeps pointers into argv.
 */
int cmdline_parse(int argc, char **argv, struct request *r, struct outcome *o);
void cmdline_release(struct request *r);

/* The configuration as the request wants it; to be freed before the request is
 * released. NULL as config_load. */
struct config *cmdline_load_config(const struct request *r, struct outcome *o);

/* The account that the request names, else the sender's; what the command line
 * says of it is in it. NULL as config_choose. */
struct account *cmdline_choose_account(const struct request *r,
				       struct config *c, const char *sender,
				       struct outcome *o);

/* --help, --list-options, --list-settings: append to out. */
void cmdline_print_help(struct buf *out);
void cmdline_print_options(struct buf *out);
void cmdline_print_settings(struct buf *out);

#endif
