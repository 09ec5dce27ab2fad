/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_CONFIG_H
#define CONF_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/outcome.h"
#include "base/strings.h"
#include "conf/account.h"
#include "conf/pattern.h"

/* A setting given on the command line: it wins over every file. */
struct override {
	const char *name;  /* the setting's */
	const char *value; /* NULL: no argument was given */
};

struct config_request {
	const char *file; /* -C; NULL: search as below */
	const struct override *overrides;
	size_t n_overrides;
	/* What %U and the others stand for; NULL: the system is asked. */
	const struct pattern_facts *facts;
	/* --check wants every finding; NULL: the first error ends it, warnings
	 * are dropped. `text` begins with "file:line: ". With it a broken
	 * file still gives a config, of what was understood. */
	void (*on_finding)(void *context, bool is_error, const char *text);
	void *context;
};

/* All accounts that the files define. */
struct config;

/*
 * Read the configuration: -C FILE, else $XDG_CONFIG_HOME/postrider/config,
 * ~/.postriderrc (the first that exists) and $(sysconfdir)/postrider.conf; if
 * none of these exists msmtp's (~/.msmtprc, $XDG_CONFIG_HOME/msmtp/config,
 * /etc/msmtprc). An account of the user's file hides one of the system's with
 * the same name. With a server (host, socket, tunnel) among the overrides no
 * file is needed, and unless FILE or an account is named none is read.
 * What is referred to in the request must outlive the config.
 * NULL: CAUSE_CONFIG 5.3.5, "file:line: what is wrong; what to do".
 */
struct config *config_load(const struct config_request *request,
			   struct outcome *o);
void config_free(struct config *c); /* NULL is fine */

/* Did config_load fail because there is no file at all? */
bool config_is_missing(const struct outcome *o);

/*
 * The same from the text of one file, called `name` in messages. Touches no
 * file and runs no command: `include` and `eval` are errors in it.
 */
struct config *config_parse(struct view text, const char *name,
			    const struct config_request *request,
			    struct outcome *o);

/*
 * Choose: by name (-a); else by the sender's address (`from`, wildcards, the
 * first account that matches); else "default"; else the only one. With a
 * server among the overrides and neither -C nor a name: none of them, only
 * what the command line says. The returned account has the
 * overrides in it and belongs to the config. NULL: CAUSE_CONFIG 5.3.5, with
 * the accounts there are.
 */
struct account *config_choose(struct config *c, const char *name,
			      const char *from, struct outcome *o);

/* Show each account that can be chosen by name; it is there only for the
 * call. */
void config_visit(struct config *c,
		  void (*visit)(void *context, const struct account *a),
		  void *context);

/* The files that were read, the accounts' names: for --check, for messages. */
const struct strings *config_files(const struct config *c);
void config_names(const struct config *c, struct strings *names);

#endif
