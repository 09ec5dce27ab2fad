/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_SETTING_H
#define CONF_SETTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "conf/account.h"

/* How a setting's argument is read and where it goes. */
enum setting_type {
	SETTING_BOOL,    /* bool, by choices; without them on, off */
	SETTING_NUMBER,  /* unsigned, from 1 to max; empty: 0 */
	SETTING_SECONDS, /* unsigned: 30, 5m; off is TIMEOUT_NONE */
	SETTING_TEXT,    /* char * */
	SETTING_PATH,    /* char *: `~` and $HOME expanded */
	SETTING_COMMAND, /* char *, for the shell, which reads `#` */
	SETTING_CHOICE,  /* an enum, by the row's choices */
	SETTING_SPECIAL, /* the row's own functions */
};

/* A word and the enum value it stands for. */
struct setting_choice {
	const char *word;
	int value;
};

struct setting {
	const char *name; /* "tls_starttls"; `--tls-starttls` */
	enum setting_type type;
	size_t offset;              /* in struct account */
	unsigned max;               /* of a number */
	const char *fallback;       /* our default, as it would be written; or
				   NULL: unset */
	const char *msmtp_fallback; /* default in msmtp's own files where it
					   differs; else NULL */
	const struct setting_choice *choices; /* ends with word NULL */
	const char *bare;     /* what no argument means ("on"); NULL: the
				   default */
	const char *argument; /* for --help: "HOST", "on|off" */
	const char *help;     /* one line */
	bool needs_value;     /* an empty argument is an error */
	bool may_be_off;      /* of a text: "off" is none; of seconds:
				 TIMEOUT_NONE */
	bool secret;          /* no long option; the file must be private */
	bool shielded;        /* conf/shield is between it and the account */
	const char *instead;  /* an old name: what to write today; a warning,
				   no default of its own */
	const char *wanted;   /* what a value must be, in words; NULL: the
				   type says it */
	bool (*check)(struct view value); /* of a text; NULL: any */
	/* SETTING_SPECIAL: false where the value is not what it wants. */
	bool (*set)(struct account *a, struct view value);
	void (*print)(const struct account *a, struct buf *out);
};

/* In conf/rows.c. */
extern const struct setting settings[];
extern const size_t settings_n;

/* The row of that name (`_` and `-` are the same), or NULL. */
const struct setting *setting_find(struct view name);

/* How many letters a slip may get wrong: a third, at most three. Two letters
 * in the wrong order are two. */
size_t setting_slips(struct view name);

/* The nearest known name for "did you mean", else the shortest that begins so;
 * or NULL. */
const char *setting_nearest(struct view name);

/*
 * Read one argument into an account; no argument (empty) is the row's `bare`,
 * or puts the default back. -1: CAUSE_CONFIG 5.3.5; the text names the
 * setting and says what is allowed.
 */
int setting_apply(const struct setting *row, struct account *a,
		  struct view value, struct outcome *o);

/* Every default: ours, or those of msmtp's own files. */
void setting_apply_defaults(struct account *a, bool as_msmtp);

/* Is it an account's text, which account_release frees? */
bool setting_is_text(const struct setting *row);

/* May the argument be left out on the command line (`--tls`)? */
bool setting_has_bare_form(const struct setting *row);

/* Has it a long option? */
bool setting_has_option(const struct setting *row);

/* How it would be written in a file; secrets as "*". Empty if unset. */
void setting_print(const struct setting *row, const struct account *a,
		   struct buf *out);

#endif
