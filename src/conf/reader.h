/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_READER_H
#define CONF_READER_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "conf/config.h"
#include "conf/definition.h"

/* How files are read. */
struct reader_policy {
	const struct config_request *request; /* for on_finding */
	bool as_msmtp;   /* msmtp's defaults and comments */
	bool must_exist; /* named by the user */
};

/*
 * Add the accounts that a file defines, with the files it includes. 1: it was
 * read; 0: it is not there (or out of reach), and need not be; -1: CAUSE_CONFIG
 * 5.3.5 "file:line: …". With on_finding only a file that cannot be opened
 * fails; all else is told there.
 */
int reader_read_file(struct definition_list *list, const char *path,
		     const struct reader_policy *policy, struct outcome *o);

/* The same from text; `include` and `eval` are errors in it. */
int reader_read_text(struct definition_list *list, struct view text,
		     const char *name, const struct reader_policy *policy,
		     struct outcome *o);

/* Tell --check, if it asks. */
void reader_tell(const struct config_request *request, bool is_error,
		 const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
