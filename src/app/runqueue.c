/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * -q and its like: which queues, by how many processes, as whom and how often.
 * What is done with each message is queue/runner's and app/carrier's.
 */
#include "app/runqueue.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "app/carrier.h"
#include "app/exitcode.h"
#include "app/gate.h"
#include "app/progress.h"
#include "app/queues.h"
#include "app/report.h"
#include "app/traffic.h"
#include "app/users.h"
#include "base/apart.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/ending.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "queue/runner.h"

/* One queue, as one of several processes side by side. */
struct part {
	const struct request *request;
	const char *path;
	unsigned share, shares;
	struct gate *gate;
};

/* A timer's run is no place to complain of servers that are away. */
static bool is_silent(const struct request *r)
{
	return r->queue.only_due && !isatty(STDERR_FILENO);
}

static void say_deferred(size_t n)
{
	report_line("%zu %s; mailq says why", n,
		    n == 1 ? "message could not be sent now and waits on"
			   : "messages could not be sent now and wait on");
}

static int tell(const struct request *r, const struct run_result *result,
		const struct outcome *o)
{
	const struct outcome *worst;

	if (outcome_is_failure(o)) {
		report_failure(NULL, o);
		return exitcode_of(o);
	}
	if (!outcome_is_failure(&result->worst)) {
		if (!result->count.deferred || r->queue.only_due)
			return 0;
		if (!r->queue.interval)
			say_deferred(result->count.deferred);
		return EX_TEMPFAIL;
	}
	worst = is_silent(r) ? &result->own : &result->worst;
	if (!outcome_is_failure(worst))
		return 0;
	report_failure(NULL, worst);
	return exitcode_of(worst);
}

static void choose(const struct part *part, struct run *run)
{
	const struct selectors *chosen = &part->request->queue.selectors;

	*run = (struct run){
		.everything = !part->request->queue.only_due &&
			!part->request->queue.interval,
		.ends = part->request->queue.ends,
		.selectors = *chosen, /* which stay the request's */
		.share = part->share,
		.shares = part->shares,
	};
}

static int run_part(const struct part *part)
{
	struct outcome o = OUTCOME_INIT;
	struct run_result result = RUN_RESULT_INIT;
	struct progress_bar bar = PROGRESS_BAR_INIT;
	struct link link = LINK_INIT;
	struct carrier carrier = {
		.base = part->request,
		.link = &link,
		.gate = part->gate,
		.watch = progress_watch,
		.watch_context = &bar,
	};
	const struct deliverer d = carrier_deliverer(&carrier);
	struct traffic traffic;
	struct spool *s = NULL;
	struct run run;
	int code;

	ending_watch();
	choose(part, &run);
	if (!part->share)
		progress_start(&bar);
	if (traffic_open(&traffic, part->request, &o) == 0) {
		link.trace = traffic_trace(&traffic);
		s = spool_open(part->path, false, &o);
	}
	if (s)
		runner_run(s, &run, &d, &result, &o);
	progress_end(&bar);
	code = tell(part->request, &result, &o);
	spool_close(s);
	link_close(&link);
	traffic_close(&traffic);
	run_result_release(&result);
	outcome_release(&o);
	ending_obey();
	return code;
}

/* A password is typed once, for the first of them; two that read what is typed
 * would get half of it each. */
static void work_on_part(const void *context, int fd)
{
	const struct part *part = context;
	struct buf code = BUF_INIT(16);

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* it ends as the first does */
	gate_follow(part->gate);
	buf_printf(&code, "%d", run_part(part));
	file_write_all(fd, code.p, code.n);
	buf_release(&code);
}

/* ---------------------------------------------------------- several at once */

static int code_of(struct child_job *job)
{
	struct buf said = BUF_INIT(16);
	struct outcome ignored = OUTCOME_INIT;
	unsigned long long code = EX_SOFTWARE;

	if (child_finish(job, &said, DEADLINE_NEVER, &ignored) == 0)
		text_to_number(buf_view(&said), 255, &code);
	outcome_release(&ignored);
	buf_release(&said);
	return (int)code;
}

static int run_path(const struct request *r, const char *path, unsigned n)
{
	struct gate gate = GATE_INIT;
	struct part part = {r, path, 0, n, &gate};
	struct child_job *jobs = memory_alloc(n * sizeof(*jobs));
	struct outcome o = OUTCOME_INIT;
	int worst;
	unsigned i;

	for (i = 1; i < n; i++) {
		part.share = i;
		if (gate_prepare(&gate, &o) < 0 ||
		    child_begin(work_on_part, &part, &jobs[i], &o) < 0)
			report_failure(NULL, &o);
		gate_lead(&gate);
		outcome_release(&o);
	}
	part.share = 0;
	worst = run_part(&part);
	gate_release(&gate);
	for (i = 1; i < n; i++)
		worst = exitcode_worse(
			worst, jobs[i].pid ? code_of(&jobs[i]) : EX_TEMPFAIL);
	free(jobs);
	return worst;
}

/* How many sessions any of the accounts wants side by side. */
static void count_connections(void *context, const struct account *a)
{
	unsigned *most = context;

	if (a->queue.connections > *most)
		*most = a->queue.connections;
}

/* The configuration is given back before anything is run: each lane reads its
 * own. */
static int run_own(const struct request *r)
{
	struct strings paths = STRINGS_INIT;
	struct outcome o = OUTCOME_INIT;
	struct config *config = cmdline_load_config(r, &o);
	unsigned connections = 1;
	int code = 0;
	size_t i;

	/* what is queued says itself where it goes */
	if (!config && !config_is_missing(&o)) {
		report_failure(NULL, &o);
		code = exitcode_of(&o);
	}
	if (config)
		config_visit(config, count_connections, &connections);
	queues_paths(r, config, &paths);
	config_free(config);
	for (i = 0; i < paths.n; i++)
		code = exitcode_worse(code,
				      run_path(r, paths.p[i], connections));
	strings_release(&paths);
	outcome_release(&o);
	return code;
}

static int run_once(const struct request *r)
{
	return r->queue.all_users ? users_run(r, run_own) : run_own(r);
}

/* ---------------------------------------------------------- every so often */

static void run_apart(const void *context, int fd)
{
	(void)fd;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	run_once(context);
}

static void sleep_until(struct deadline d)
{
	struct timespec nap;
	int left;

	while ((left = deadline_left(d)) > 0) {
		nap = (struct timespec){left / 1000, left % 1000 * 1000000L};
		nanosleep(&nap, NULL);
	}
}

/* Each run is a process of its own, so nothing grows, and what the
 * configuration says today counts. What was missed is not made up for. */
static _Noreturn void run_for_ever(const struct request *r)
{
	struct buf nothing = BUF_INIT(1);
	struct outcome o = OUTCOME_INIT;
	struct deadline next;

	for (;;) {
		next = deadline_in(r->queue.interval);
		if (child_call(run_apart, r, &nothing, DEADLINE_NEVER, &o) < 0)
			report_failure(NULL, &o);
		outcome_release(&o);
		sleep_until(next);
	}
}

static int run_often(const struct request *r)
{
	struct outcome o = OUTCOME_INIT;
	int part, code;

	if (r->queue.foreground)
		run_for_ever(r);
	part = apart_start(&o);
	if (part > 0)
		run_for_ever(r);
	if (part < 0)
		report_failure(NULL, &o);
	code = exitcode_of(&o);
	outcome_release(&o);
	return code;
}

int runqueue(const struct request *r)
{
	return r->queue.interval ? run_often(r) : run_once(r);
}
