/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_OUTCOME_H
#define BASE_OUTCOME_H

#include <stdbool.h>

/* What kind of thing went wrong; the enhanced status code says the rest. */
enum cause {
	CAUSE_NONE = 0,
	CAUSE_USAGE,     /* the command line */
	CAUSE_CONFIG,    /* the configuration, or a secret in it */
	CAUSE_INPUT,     /* standard input could not be read */
	CAUSE_SYSTEM,    /* this machine: files, memory, processes */
	CAUSE_RESOLVE,   /* the server's name */
	CAUSE_CONNECT,   /* reaching the server, or losing it */
	CAUSE_TLS,       /* handshake or certificate */
	CAUSE_AUTH,      /* credentials */
	CAUSE_PROTOCOL,  /* the server does not speak (E)SMTP */
	CAUSE_FEATURE,   /* the server, or we, lack what is needed */
	CAUSE_SENDER,    /* the reverse-path was refused */
	CAUSE_RECIPIENT, /* one forward-path was refused */
	CAUSE_CONTENT,   /* the message itself was refused */
};

/*
 * What became of one attempt; {0} (or OUTCOME_INIT) is success. Whoever finds
 * the failure fills it, once; callers may add context. Release it always.
 */
struct outcome {
	enum cause cause;
	char status[12]; /* RFC 3463 "5.1.1"; a leading '4': may work later */
	bool uncertain;  /* lost after the last octet: may be delivered */
	int reply_code;  /* 0 unless the server said it */
	char *host;      /* who said it, or whom it is about; may be NULL */
	char *text;      /* one printable line; NULL on success */
};

#define OUTCOME_INIT ((struct outcome){0})

/*
 * Record a failure and return -1. The text becomes one printable line.
 * status: "C.S.D" of RFC 3463. Anything already in o is dropped.
 */
int fail(struct outcome *o, enum cause cause, const char *status,
	 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same for a failed system call: ": strerror(errno)" is appended, and the
 * status is 4.3.1 where a resource ran out (ENOSPC, EMFILE, ENOMEM …), else
 * the one given. */
int fail_errno(struct outcome *o, enum cause cause, const char *status,
	       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Put "what: " in front of the text. */
void outcome_add_context(struct outcome *o, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Put "; hint" behind it. */
void outcome_add_hint(struct outcome *o, const char *hint);

void outcome_set_host(struct outcome *o, const char *host);
void outcome_copy(struct outcome *to, const struct outcome *from);
void outcome_release(struct outcome *o); /* back to OUTCOME_INIT */

/* Whatever the class of its status: it may work later. */
void outcome_make_temporary(struct outcome *o);

/* Of several failures the first one that is permanent counts, else the first.
 */
bool outcome_is_worse(const struct outcome *o, const struct outcome *than);
void outcome_keep_worst(struct outcome *worst, const struct outcome *o);

bool outcome_is_failure(const struct outcome *o);
bool outcome_is_temporary(const struct outcome *o); /* status "4…" */

/* "CONNECT" → "connect": the word used in the log and the JSON report. */
const char *cause_name(enum cause cause);

#endif
