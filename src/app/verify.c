/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where mail would go, found the way that submit finds it. */
#include "app/verify.h"

#include <stdio.h>

#include "app/connect.h"
#include "app/exitcode.h"
#include "app/job.h"
#include "app/report.h"

static void print_mailboxes(const struct job *job, const char *name)
{
	const struct account *a = job->account;
	const struct envelope *e = &job->envelope;
	size_t i;

	for (i = 0; i < e->n_recipients; i++) {
		printf("%s: %s by account %s, %s", name,
		       e->recipients[i].address.mailbox,
		       a->name && *a->name ? a->name : "(command line)",
		       connect_name(a));
		if (!a->dial.socket && !a->dial.tunnel)
			printf(":%u", a->dial.port);
		connect_print_proxy(a, " by the proxy ", "");
		printf("\n");
	}
}

static void keep_worst(struct outcome *worst, struct outcome *o)
{
	if (outcome_is_failure(o) &&
	    (!outcome_is_failure(worst) || outcome_is_temporary(worst)))
		outcome_copy(worst, o);
	outcome_release(o);
}

/* What is wrong with one says nothing about the others. */
static void verify_argument(struct job *job, const char *text,
			    struct outcome *worst)
{
	struct outcome o = OUTCOME_INIT;

	envelope_release(&job->envelope);
	if (envelope_add_recipients(&job->envelope, view_of(text),
				    &job->account->local, &o) < 0)
		report_failure(text, &o);
	else
		print_mailboxes(job, text);
	keep_worst(worst, &o);
}

static void verify_header(struct job *job, struct outcome *worst)
{
	struct outcome o = OUTCOME_INIT;

	envelope_release(&job->envelope);
	if (envelope_add_from_header(&job->envelope, &job->message,
				     &job->account->local, &o) < 0)
		report_failure(NULL, &o);
	else
		print_mailboxes(job, "the message");
	keep_worst(worst, &o);
}

static int prepare(struct job *job, struct outcome *o)
{
	if (job_check_recipients(job->request, o) < 0)
		return -1;
	job->config = cmdline_load_config(job->request, o);
	if (!job->config)
		return -1;
	if (job->request->recipients_from_header && job_read(job, o) < 0)
		return -1;
	return job_choose_account(job, o);
}

int verify(const struct request *r)
{
	struct outcome o = OUTCOME_INIT;
	struct job job;
	size_t i;
	int code;

	job_init(&job, r);
	if (prepare(&job, &o) < 0) {
		report_failure(NULL, &o);
	} else {
		for (i = 0; i < r->recipients.n; i++)
			verify_argument(&job, r->recipients.p[i], &o);
		if (r->recipients_from_header)
			verify_header(&job, &o);
		if (!outcome_is_failure(&o) && report_flush(&o) < 0)
			report_failure(NULL, &o);
	}
	code = exitcode_of(&o);
	config_free(job.config);
	job_release(&job);
	outcome_release(&o);
	return code;
}
