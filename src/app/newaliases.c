/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The alias file, looked at as a whole. */
#include "app/newaliases.h"

#include <stdio.h>
#include <sysexits.h>

#include "app/exitcode.h"
#include "app/report.h"
#include "mail/alias.h"

static void print_fault(void *context, const char *text)
{
	(void)context;
	report_line("%s", text);
}

/* How many faults it has; -1: it can't be read, or its size not be told. */
static int check_file(const char *path, size_t *faults, struct outcome *o)
{
	struct aliases *a = aliases_read(path, o);
	size_t n;

	if (!a)
		return -1;
	n = aliases_count(a);
	*faults = aliases_check(a, print_fault, NULL);
	aliases_free(a);
	printf("%s: %zu alias%s\n", path, n, n == 1 ? "" : "es");
	return report_flush(o);
}

int newaliases(const struct request *r)
{
	struct outcome o = OUTCOME_INIT;
	struct config *c = cmdline_load_config(r, &o);
	const struct account *a = NULL;
	size_t faults = 0;
	int code;

	if (c)
		a = cmdline_choose_account(r, c, r->sender, &o);
	if (a && a->local.aliases)
		check_file(a->local.aliases, &faults, &o);
	else if (a)
		printf("no alias file is configured\n");
	if (outcome_is_failure(&o))
		report_failure(NULL, &o);
	code = faults ? EX_CONFIG : exitcode_of(&o);
	outcome_release(&o);
	config_free(c);
	return code;
}
