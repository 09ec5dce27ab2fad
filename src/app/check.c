/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration's own words about itself. */
#include "app/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/connect.h"
#include "app/exitcode.h"
#include "app/report.h"
#include "conf/config.h"
#include "mail/address.h"
#include "net/socks.h"
#include "net/tls.h"
#include "queue/place.h"

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
	printf("%zu error%s, %zu warning%s\n", f->errors,
	       f->errors == 1 ? "" : "s", f->warnings,
	       f->warnings == 1 ? "" : "s");
	strings_release(&names);
}

static void find_failure(struct findings *f, const char *account,
			 struct outcome *o)
{
	if (!outcome_is_failure(o))
		return;
	outcome_add_context(o, "account '%s'", account);
	print_finding(f, true, o->text);
	outcome_release(o);
}

/* Say that there is one; could it be asked for the server? */
static void try_proxy(const struct account *a, struct outcome *o)
{
	struct socks_request ignored = SOCKS_REQUEST_INIT;
	char *proxy = dial_proxy_name(&a->dial);

	if (proxy) {
		printf("proxy of account %s: %s\n", a->name, proxy);
		socks_prepare(&ignored, &a->dial, o);
	}
	socks_request_release(&ignored);
	free(proxy);
}

/* Could mail be kept there? */
static void try_queue(const struct account *a, struct outcome *o)
{
	char *path;

	if (a->queue.when == QUEUEING_OFF)
		return;
	path = place_path(a->queue.dir);
	place_check(path, o);
	free(path);
}

/* What only shows when it is used: files that are named, addresses. */
static void try_account(const struct account *a, struct findings *f)
{
	struct outcome o = OUTCOME_INIT;
	struct address from = ADDRESS_INIT, local = ADDRESS_INIT;

	try_proxy(a, &o);
	find_failure(f, a->name, &o);
	if (a->tls.on)
		tls_free(connect_load_tls(a, &o));
	find_failure(f, a->name, &o);
	connect_check_dane(a, &o);
	find_failure(f, a->name, &o);
	if (a->secret.password_file &&
	    access(a->secret.password_file, R_OK) < 0)
		fail_errno(&o, CAUSE_CONFIG, "5.3.5", "password_file %s",
			   a->secret.password_file);
	find_failure(f, a->name, &o);
	try_queue(a, &o);
	find_failure(f, a->name, &o);
	if (a->identity.from && !account_from_is_pattern(a))
		address_parse(view_of(a->identity.from), &from, &o);
	find_failure(f, a->name, &o);
	if (a->local.local_to &&
	    address_parse(view_of(a->local.local_to), &local, &o) < 0)
		outcome_add_context(&o, "local_to");
	find_failure(f, a->name, &o);
	address_release(&from);
	address_release(&local);
}

/* Accounts that can't be used have been reported already. */
static void try_accounts(struct config *c, struct findings *f)
{
	struct strings names = STRINGS_INIT;
	struct outcome ignored = OUTCOME_INIT;
	const struct account *a;
	size_t i, usable = 0;

	config_names(c, &names);
	for (i = 0; i < names.n; i++) {
		a = config_choose(c, names.p[i], NULL, &ignored);
		if (!a)
			continue;
		usable++;
		try_account(a, f);
	}
	if (!usable && !f->errors)
		print_finding(f, true,
			      "no account names a server: set host in one");
	outcome_release(&ignored);
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

	if (c) {
		try_accounts(c, &findings);
		print_summary(c, &findings);
	}
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
