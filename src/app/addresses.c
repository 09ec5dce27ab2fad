/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How addresses read: the parser's own words about what a person types. */
#include "app/addresses.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/exitcode.h"
#include "app/report.h"
#include "base/text.h"
#include "mail/address.h"

static void print_address(const struct address *a)
{
	const char *domain = a->has_domain ? a->mailbox + a->local_n + 1 : NULL;

	printf("%s: local-part %.*s", a->mailbox, (int)a->local_n, a->mailbox);
	if (domain)
		printf(", domain %s", domain);
	else
		printf(", no domain: a local name");
	printf("%s\n", a->needs_utf8 ? ", needs SMTPUTF8" : "");
}

static void print_line(struct view line)
{
	struct address_list list = ADDRESS_LIST_INIT;
	struct outcome o = OUTCOME_INIT;
	size_t i;

	if (address_list_parse(line, &list, &o) < 0)
		printf("%s\n", o.text);
	for (i = 0; i < list.n; i++)
		print_address(&list.p[i]);
	if (!list.n && !outcome_is_failure(&o))
		printf("there is no address in it\n");
	address_list_release(&list);
	outcome_release(&o);
}

static void prompt(void)
{
	if (isatty(STDIN_FILENO)) {
		printf("> ");
		fflush(stdout);
	}
}

int addresses(const struct request *r)
{
	struct outcome o = OUTCOME_INIT;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int code;

	(void)r;
	prompt();
	while ((n = getline(&line, &size, stdin)) > 0) {
		if (view_trim(view_make(line, (size_t)n)).n)
			print_line(view_trim(view_make(line, (size_t)n)));
		prompt();
	}
	if (ferror(stdin))
		fail_errno(&o, CAUSE_INPUT, "5.3.0",
			   "cannot read from standard input");
	else
		report_flush(&o);
	if (outcome_is_failure(&o))
		report_failure(NULL, &o);
	code = exitcode_of(&o);
	outcome_release(&o);
	free(line);
	return code;
}
