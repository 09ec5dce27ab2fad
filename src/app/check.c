/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration's own words about itself. */
#include "app/check.h"

#include <stdio.h>
#include <sysexits.h>

#include "app/exitcode.h"
#include "app/report.h"
#include "conf/config.h"

struct findings {
	size_t errors;
	size_t warnings;
};

static void print_finding(void *context, bool is_error, const char *text)
{
	struct findings *f = context;

	if (is_error)
		f->errors++;
	else
		f->warnings++;
	report_line("%s: %s", is_error ? "error" : "warning", text);
}

static void print_list(const char *title, const struct strings *list)
{
	size_t i;

	printf("%s:", title);
	for (i = 0; i < list->n; i++)
		printf(" %s", list->p[i]);
	printf("%s\n", list->n ? "" : " none");
}

static void print_summary(const struct config *c, const struct findings *f)
{
	struct strings names = STRINGS_INIT;

	config_names(c, &names);
	print_list("files", config_files(c));
	print_list("accounts", &names);
	printf("%zu errors, %zu warnings\n", f->errors, f->warnings);
	strings_release(&names);
}

int check(const struct request *r)
{
	struct findings findings = {0};
	struct config_request request = {
		.file = r->config_file,
		.overrides = r->overrides,
		.n_overrides = r->n_overrides,
		.on_finding = print_finding,
		.context = &findings,
	};
	struct outcome o = OUTCOME_INIT;
	struct config *c = config_load(&request, &o);
	int code = EX_OK;

	if (c)
		print_summary(c, &findings);
	if (c && report_flush(&o) < 0)
		report_failure(NULL, &o);
	else if (!c && !findings.errors) /* nothing to find anything in */
		report_failure(NULL, &o);
	if (outcome_is_failure(&o))
		code = exitcode_of(&o);
	else if (findings.errors)
		code = EX_CONFIG;
	outcome_release(&o);
	config_free(c);
	return code;
}
