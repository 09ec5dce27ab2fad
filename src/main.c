/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pick the mode from name and options, run it, return its code. */
#include <signal.h>
#include <sysexits.h>

#include "app/addresses.h"
#include "app/check.h"
#include "app/cmdline.h"
#include "app/exitcode.h"
#include "app/logline.h"
#include "app/mailq.h"
#include "app/manage.h"
#include "app/newaliases.h"
#include "app/probe.h"
#include "app/report.h"
#include "app/runqueue.h"
#include "app/serve.h"
#include "app/submit.h"
#include "app/verify.h"
#include "app/words.h"
#include "base/file.h"
#include "base/memory.h"

/* A failure before any mode could run. Returns the exit code. */
static int refuse(const struct request *r, const struct outcome *o)
{
	report_failure(NULL, o);
	logline_write_early(o, r->syslog_tag, r->as_sendmail);
	return exitcode_of(o);
}

static int refuse_later(const struct request *r)
{
	struct outcome o = OUTCOME_INIT;
	int code;

	fail(&o, CAUSE_FEATURE, "5.3.3", "%s is not yet in this version",
	     r->later);
	code = refuse(r, &o);
	outcome_release(&o);
	return code;
}

/* One row a mode. */
static int (*const modes[])(const struct request *r) = {
	[MODE_SUBMIT] = submit,
	[MODE_SERVE] = serve,
	[MODE_VERIFY] = verify,
	[MODE_ADDRESSES] = addresses,
	[MODE_ALIASES] = newaliases,
	[MODE_QUEUE_RUN] = runqueue,
	[MODE_QUEUE_LIST] = mailq,
	[MODE_QUEUE_COUNT] = mailq_count,
	[MODE_QUEUE_SHOW] = manage,
	[MODE_QUEUE_HOLD] = manage,
	[MODE_QUEUE_RELEASE] = manage,
	[MODE_QUEUE_REMOVE] = manage,
	[MODE_QUEUE_RETRY] = manage,
	[MODE_CHECK] = check,
	[MODE_PROBE] = probe,
	[MODE_HELP] = words_help,
	[MODE_VERSION] = words_version,
	[MODE_HOST_STATUS] = words_host_status,
	[MODE_LIST_OPTIONS] = words_options,
	[MODE_LIST_SETTINGS] = words_settings,
	[MODE_LATER] = refuse_later,
};

int main(int argc, char **argv)
{
	struct request request = REQUEST_INIT;
	struct outcome o = OUTCOME_INIT;
	size_t i;
	int code;

	if (file_open_standard_streams() < 0)
		return EX_OSERR;
	memory_close_process();
	file_part_standard_error();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ,
	       SIG_IGN); /* a file over the limit is an error as well */
	if (cmdline_parse(argc, argv, &request, &o) == 0) {
		for (i = 0; i < request.warnings.n; i++)
			report_line("warning: %s", request.warnings.p[i]);
		code = modes[request.mode](&request);
	} else {
		code = refuse(&request, &o);
	}
	outcome_release(&o);
	cmdline_release(&request);
	return code;
}
