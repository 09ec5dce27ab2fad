/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way of one message, from the request to the exit code. Begin here.
 *
 *   request ─► configuration ─► message ─► envelope ─► account ─► header
 *           ─► session ─► transaction ─► report, log, exit code
 */
#include "app/submit.h"

#include <unistd.h>

#include "app/connect.h"
#include "app/dispatch.h"
#include "app/dryrun.h"
#include "app/exitcode.h"
#include "app/job.h"
#include "app/logline.h"
#include "app/queues.h"
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
			connect_name(job->account), &job->stages,
			&unwritten) < 0)
		report_failure(NULL, &unwritten);
	if (job->account)
		job_log(job, o);
	else
		logline_write_early(o, job->request->syslog_tag,
				    job->request->as_sendmail);
	outcome_release(&unwritten);
}

/* Somebody is looking: that mail has been waiting is worth a line. */
static void warn_of_old(const struct job *job)
{
	struct strings paths = STRINGS_INIT;

	if (job->account->queue.when == QUEUEING_OFF || !isatty(STDERR_FILENO))
		return;
	queues_paths(job->request, job->config, &paths);
	queues_warn_old(&paths);
	strings_release(&paths);
}

/* Send it, or queue it; say what happened; and go on with what can be done
 * once the caller is gone. Returns the exit code. */
static int deliver(struct job *job, struct outcome *o)
{
	struct link link = LINK_INIT;
	struct errands errands = ERRANDS_INIT;
	struct traffic traffic;
	int code;

	if (traffic_open(&traffic, job->request, o) == 0) {
		link.trace = traffic_trace(&traffic);
		dispatch(job, &link, o);
	}
	if (job->account->queue.when == QUEUEING_OFF)
		link_close(&link); /* nothing will follow */
	tell(job, o);
	warn_of_old(job);
	code = exitcode_of(o);
	dispatch_note(job, &errands);
	dispatch_afterwards(job, &errands, &link);
	link_close(&link);
	errands_release(&errands);
	traffic_close(&traffic);
	return code;
}

static int print_only(struct job *job, struct outcome *o)
{
	if (dryrun_print(job->account, &job->envelope, job->content, o) < 0)
		report_failure(NULL, o);
	return exitcode_of(o);
}

int submit(const struct request *r)
{
	struct job job;
	struct outcome o = OUTCOME_INIT;
	int code;

	job_init(&job, r);
	if (prepare(&job, &o) < 0) {
		tell(&job, &o);
		code = exitcode_of(&o);
	} else {
		code = r->dry_run ? print_only(&job, &o) : deliver(&job, &o);
	}
	outcome_release(&o);
	config_free(job.config);
	job_release(&job);
	return code;
}
