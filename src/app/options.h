/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "app/cmdline.h"
#include "base/buf.h"
#include "base/outcome.h"

enum option_argument {
	ARGUMENT_NONE = 0,
	ARGUMENT_REQUIRED, /* joined or apart: -fA, -f A, --from=A */
	ARGUMENT_JOINED,   /* may be absent, never apart: -d0.1 */
};

enum option_kind {
	OPTION_NOTHING = 0, /* accepted for sendmail's callers */
	OPTION_FLAG,        /* a bool of the request, at offset */
	OPTION_TEXT,        /* a char * of the request, at offset */
	OPTION_MODE,        /* the request's mode */
	OPTION_GROUP,       /* the argument's first letter is an option */
	OPTION_CALL,        /* the row's function */
};

/* For --help. */
enum option_section {
	SECTION_HIDDEN = 0,
	SECTION_MESSAGE,
	SECTION_ACCOUNT,
	SECTION_MODE,
	SECTION_QUEUE,
	SECTION_ACCEPTED, /* no effect */
	SECTION_LATER,
};

struct option_context;

/* One option that somebody can type. Long ones belong to the name postrider. */
struct option {
	const char *group; /* letters before its own: "od" in -odq; NULL:
				   none */
	char letter;       /* 0: it has only a name */
	const char *name;  /* "account": --account; NULL: none */
	enum option_kind kind;
	enum option_argument argument;
	const char *metavar; /* the argument's name in --help */
	size_t offset;       /* in struct request */
	enum mode mode;      /* OPTION_MODE */
	bool ours; /* refused under sendmail's names: it names a file to
			   read, runs something, or is not sendmail's */
	enum option_section section;
	const char *help;
	int (*call)(struct option_context *c, char *value);
};

extern const struct option options[];
extern const size_t options_n;

/* The arguments that have not been looked at. */
struct arguments {
	char **p;
	int n;
};

/* What the rows' functions need. */
struct option_context {
	struct request *request;
	struct arguments *rest;
	const struct option *row;     /* of the option at hand */
	const struct option *entries; /* --queue-hold or its like; or NULL */
	struct outcome *o;
	const char *program; /* "sendmail": the last part of argv[0] */
	char spelled[32];    /* the option at hand, as a person writes it */
	char *daemon;        /* -bd or -bD */
	bool runs_queue;     /* -q in any form */
	bool ended_options;  /* by --: what follows may begin with a dash */
};

const struct option *option_find(const char *group, char letter);
const struct option *option_find_name(struct view name);

/* "-odq"; for a row with a name only "--account". */
void option_spell(const struct option *row, struct buf *out);

/* The row is meant: do what it does. `value` as its argument wants. */
int option_apply(const struct option *row, struct option_context *c,
		 char *value);

/* The next of them, which is the option's; NULL: there is none. */
char *option_next_argument(struct arguments *a);

/* CAUSE_USAGE, the option in front. Returns -1. */
int option_fail(struct option_context *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A setting from the command line. */
void option_override(struct request *r, const char *name, const char *value);

#endif
