/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way of one message, from the request to the exit code. Begin here.
 *
 *   request ─► configuration ─► message ─► envelope ─► account ─► header
 *           ─► session ─► transaction ─► report, log, exit code
 */
#include "app/submit.h"

#include "app/connect.h"
#include "app/dryrun.h"
#include "app/exitcode.h"
#include "app/job.h"
#include "app/logline.h"
#include "app/report.h"
#include "app/traffic.h"

static int settle_recipients(struct job *job, struct outcome *o)
{
	const struct request *r = job->request;
	const struct local_policy *local = &job->account->local;
	size_t i;

	for (i = 0; i < r->recipients.n; i++)
		if (envelope_add_recipients(&job->envelope,
					    view_of(r->recipients.p[i]), local,
					    o) < 0)
			return -1;
	if (r->recipients_from_header &&
	    envelope_add_from_header(&job->envelope, &job->message, local, o) <
		    0)
		return -1;
	if (!job->envelope.n_recipients)
		return fail(o, CAUSE_USAGE, "5.1.3",
			    "no recipients: the message names none in To, Cc "
			    "or Bcc");
	return 0;
}

static int make_envelope(struct job *job, struct outcome *o)
{
	if (job_settle_sender(job, job->request->sender, o) < 0 ||
	    settle_recipients(job, o) < 0)
		return -1;
	return job_settle_dsn(job, o);
}

/* Everything up to the point where the server is needed. */
static int prepare(struct job *job, struct outcome *o)
{
	if (job_check_recipients(job->request, o) < 0)
		return -1;
	job->config = cmdline_load_config(job->request, o);
	if (!job->config || job_read(job, o) < 0 ||
	    job_choose_account(job, o) < 0 || make_envelope(job, o) < 0)
		return -1;
	return job_make_content(job, o);
}

static int send_message(struct job *job, struct outcome *o)
{
	struct traffic traffic;
	struct link link = LINK_INIT;
	int rc = traffic_open(&traffic, job->request, o);

	if (rc == 0) {
		link.trace = traffic_trace(&traffic);
		rc = job_send(job, &link, o);
	}
	link_close(&link);
	traffic_close(&traffic);
	return rc;
}

/* Say what happened, where it belongs. */
static void tell(const struct job *job, const struct outcome *o)
{
	struct outcome unwritten = OUTCOME_INIT;

	if (job->results)
		report_results(&job->envelope, job->results);
	else if (outcome_is_failure(o))
		report_failure(NULL, o);
	if (job->results && job->request->report == REPORT_JSON &&
	    report_json(&job->envelope, job->results,
			connect_name(job->account), &unwritten) < 0)
		report_failure(NULL, &unwritten);
	if (job->account)
		job_log(job, o);
	else
		logline_write_early(o, job->request->syslog_tag,
				    job->request->as_sendmail);
	outcome_release(&unwritten);
}

int submit(const struct request *r)
{
	struct job job;
	struct outcome o = OUTCOME_INIT;
	int code, rc;

	job_init(&job, r);
	rc = prepare(&job, &o);
	if (rc == 0 && r->dry_run) {
		rc = dryrun_print(job.account, &job.envelope, job.content, &o);
		if (rc < 0)
			report_failure(NULL, &o);
	} else {
		if (rc == 0)
			send_message(&job, &o);
		tell(&job, &o);
	}
	code = exitcode_of(&o);
	outcome_release(&o);
	config_free(job.config);
	job_release(&job);
	return code;
}
