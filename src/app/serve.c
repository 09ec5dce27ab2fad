/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stands behind the SMTP server of -bs: chooses the account by the sender that
 * MAIL names, and takes each message the way that submit goes.
 */
#include "app/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/dispatch.h"
#include "app/exitcode.h"
#include "app/job.h"
#include "app/logline.h"
#include "app/report.h"
#include "app/traffic.h"
#include "mail/alias.h"
#include "net/resolve.h"
#include "smtp/server.h"

struct service {
	const struct request *request;
	struct config *config;
	struct link link;
	struct job job; /* the one at hand */
	struct errands errands;
};

static int begin(void *context, const char *sender, struct letter *letter,
		 struct outcome *o)
{
	struct service *s = context;
	struct job *job = &s->job;

	job_release(job);
	job_init(job, s->request);
	job->config = s->config;
	job->account = cmdline_choose_account(s->request, s->config, sender, o);
	if (!job->account || job_settle_sender(job, sender, o) < 0 ||
	    job_settle_dsn(job, o) < 0)
		return -1;
	*letter = (struct letter){
		.envelope = &job->envelope,
		.message = &job->message,
		.local = &job->account->local,
	};
	return 0;
}

/* The client hears of the whole: the worst, and who it was about. */
static void name_recipient(const struct job *job, struct outcome *o)
{
	size_t i;

	for (i = 0; job->results && i < job->envelope.n_recipients; i++) {
		const struct outcome *one = &job->results[i].outcome;

		if (o->cause != CAUSE_RECIPIENT ||
		    one->cause != CAUSE_RECIPIENT ||
		    strcmp(one->text, o->text) != 0)
			continue;
		outcome_add_hint(o,
				 job->envelope.recipients[i].address.mailbox);
		return;
	}
}

/* The server's word, or ours where it is kept here for now. */
static void take_answer(const struct job *job, struct reply *reply)
{
	if (job->results[0].fate == FATE_DELIVERED) {
		reply_copy(reply, &job->results[0].reply);
		return;
	}
	reply_clear(reply);
	reply->code = 250;
	memcpy(reply->status, "2.0.0", sizeof("2.0.0"));
	buf_printf(&reply->text, "queued as %s", job->queue_id);
}

static int submit_letter(void *context, const char *received,
			 struct reply *reply, struct outcome *o)
{
	struct service *s = context;
	struct job *job = &s->job;
	int rc;

	job->received = received;
	rc = job_make_content(job, o);
	if (rc == 0)
		rc = dispatch(job, &s->link, o);
	dispatch_note(job, &s->errands);
	job_log(job, o);
	job->received = NULL;
	if (rc == 0)
		take_answer(job, reply);
	else if (job->envelope.n_recipients > 1)
		name_recipient(job, o);
	return rc;
}

static void note_given_up(void *context, const struct outcome *why)
{
	struct service *s = context;

	job_log(&s->job, why);
}

static int expand(void *context, struct view name, struct address_list *list,
		  struct outcome *o)
{
	struct service *s = context;
	const struct account *a = s->job.account;
	struct aliases *aliases;
	size_t i;
	int rc;

	if (!a) /* choosing would be in the way of an open transaction */
		a = cmdline_choose_account(s->request, s->config, NULL, o);
	if (!a)
		return -1;
	if (!a->local.aliases)
		return 0;
	aliases = aliases_read(a->local.aliases, o);
	if (!aliases)
		return -1;
	rc = aliases_expand(aliases, name, list, o);
	for (i = 0; rc > 0 && i < list->n; i++)
		if (envelope_settle_local(&list->p[i], &a->local, o) < 0)
			rc = -1;
	aliases_free(aliases);
	return rc;
}

/* RFC 5321 3.1: a server that can't work says so at once. */
static void refuse_to_serve(const struct request *r, const char *name,
			    const struct outcome *o)
{
	printf("%d %s %s %s\r\n", outcome_is_temporary(o) ? 421 : 554,
	       o->status, name, o->text);
	fflush(stdout);
	report_failure(NULL, o);
	logline_write_early(o, r->syslog_tag, r->as_sendmail);
}

int serve(const struct request *r)
{
	struct service s = {
		.request = r,
	};
	struct traffic traffic;
	const struct server_owner owner = {&s, begin, submit_letter,
					   note_given_up, expand};
	struct outcome o = OUTCOME_INIT;
	char *name = resolve_own_name();
	int code;

	job_init(&s.job, r);
	if (traffic_open(&traffic, r, &o) == 0)
		s.config = cmdline_load_config(r, &o);
	s.link.trace = traffic_trace(&traffic);
	if (s.config)
		server_run(STDIN_FILENO, STDOUT_FILENO, name, &owner, &o);
	else
		refuse_to_serve(r, name, &o);
	code = exitcode_of(&o);
	dispatch_afterwards(&s.job, &s.errands, &s.link);
	link_close(&s.link);
	traffic_close(&traffic);
	errands_release(&s.errands);
	job_release(&s.job);
	config_free(s.config);
	free(name);
	outcome_release(&o);
	return code;
}
