/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The way of one message, from the request to the exit code. Begin here.
 *
 *   request ─► configuration ─► message ─► envelope ─► account ─► header
 *           ─► session ─► transaction ─► report, log, exit code
 */
#include "app/submit.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/connect.h"
#include "app/dryrun.h"
#include "app/exitcode.h"
#include "app/logline.h"
#include "app/report.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "conf/config.h"
#include "mail/content.h"
#include "mail/edit.h"
#include "mail/intake.h"
#include "mail/message.h"

/* All that one submission holds, and gives back at its end. */
struct job {
	const struct request *request;
	struct config *config;
	struct account *account; /* belongs to config */
	struct message message;
	struct envelope envelope;
	struct buf header; /* as it goes on the wire */
	struct content *content;
	struct result *results; /* one a recipient, once connected */
	char *tls;              /* for the log */
	const char *mechanism;  /* for the log; static text */
	int64_t started;        /* clock_ms() */
};

static int load_configuration(struct job *job, struct outcome *o)
{
	struct config_request request = {
		.file = job->request->config_file,
		.overrides = job->request->overrides,
		.n_overrides = job->request->n_overrides,
	};

	job->config = config_load(&request, o);
	return job->config ? 0 : -1;
}

/* Nobody to send to: said before a person has typed a message. */
static int check_recipients(const struct request *r, struct outcome *o)
{
	if (r->recipients.n || r->recipients_from_header)
		return 0;
	return fail(o, CAUSE_USAGE, "5.1.3",
		    "no recipients; name them, or use -t to take those of the "
		    "message");
}

static int read_message(struct job *job, struct outcome *o)
{
	struct intake_policy policy = {
		.dot_ends = !job->request->ignore_dots && isatty(STDIN_FILENO),
	};

	return intake_read(STDIN_FILENO, &policy, &job->message, o);
}

/* By name, else by the sender that -f or the header gives. A header that
 * can't be read chooses nothing; it is no reason to fail. */
static int choose_account(struct job *job, struct outcome *o)
{
	const struct request *r = job->request;
	struct address from = ADDRESS_INIT;
	struct outcome ignored = OUTCOME_INIT;
	const char *sender = r->sender;

	if (!r->account && !sender &&
	    envelope_sender_from_header(&job->message, &from, &ignored) == 0)
		sender = from.mailbox;
	job->account = config_choose(job->config, r->account, sender, o);
	address_release(&from);
	outcome_release(&ignored);
	return job->account ? 0 : -1;
}

/* The user's login name; NULL if this uid has none. */
static const char *login_name(void)
{
	const struct passwd *user = getpwuid(getuid());

	return user ? user->pw_name : NULL;
}

/* The account's address, unless that is a pattern. */
static const char *own_from(const struct account *a)
{
	return account_from_is_pattern(a) ? NULL : a->identity.from;
}

/* What says who the sender is: -f, else the account's address, else the
 * message, else the login name. `from` holds the message's own while it is
 * needed. */
static int find_sender(const struct job *job, struct address *from,
		       const char **sender, struct outcome *o)
{
	const struct request *r = job->request;
	const char *own = own_from(job->account);
	bool is_free = !own || job->account->identity.allow_from_override;

	*sender = is_free && r->sender ? r->sender : own;
	if (*sender && !(is_free && r->sender_from_header))
		return 0;
	if (envelope_sender_from_header(&job->message, from, o) < 0)
		return -1;
	if (from->mailbox)
		*sender = from->mailbox;
	if (!*sender)
		*sender = login_name();
	if (!*sender)
		return fail(o, CAUSE_SENDER, "5.1.7",
			    "no sender: set from, or use -f");
	return 0;
}

static int settle_sender(struct job *job, struct outcome *o)
{
	struct address from = ADDRESS_INIT;
	const char *sender = NULL;
	int rc = find_sender(job, &from, &sender, o);

	if (rc == 0)
		rc = envelope_set_sender(&job->envelope, view_of(sender),
					 &job->account->local, o);
	address_release(&from);
	return rc;
}

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

/* What the command line wishes wins over the account. */
static int settle_dsn(struct job *job, struct outcome *o)
{
	const struct request *r = job->request;
	struct envelope *e = &job->envelope;

	e->notify = r->notify ? r->notify : job->account->dsn.notify;
	e->ret = r->ret != RETURN_UNSET ? r->ret : job->account->dsn.ret;
	e->body_type = r->body_type;
	if (r->envid)
		return envelope_set_envid(e, view_of(r->envid), o);
	return 0;
}

static int make_envelope(struct job *job, struct outcome *o)
{
	if (settle_sender(job, o) < 0 || settle_recipients(job, o) < 0)
		return -1;
	return settle_dsn(job, o);
}

/* The address for a From that the message lacks: the sender, unless that is
 * the null reverse-path. */
static const char *own_address(const struct job *job)
{
	const char *own = own_from(job->account);

	if (job->envelope.sender.mailbox[0])
		return job->envelope.sender.mailbox;
	return own ? own : "MAILER-DAEMON";
}

static int make_content(struct job *job, struct outcome *o)
{
	char *host = session_own_name(&job->account->session);
	const char *name = job->request->full_name;
	struct edit_facts facts = {
		.now = time(NULL),
		.full_name = name ? name
				  : job->account->identity.from_full_name,
		.from = own_address(job),
		.host = host,
		.local = &job->account->local,
	};
	int rc = edit_header(&job->message, &job->envelope, &job->account->edit,
			     &facts, &job->header, o);

	free(host);
	if (rc == 0)
		job->content =
			content_new(buf_view(&job->header), &job->message);
	return rc;
}

/* The session (version and cipher) and by what it was verified. */
static char *describe_tls(const struct session *s)
{
	struct tls_facts facts = TLS_FACTS_INIT;
	struct buf text = BUF_INIT(1024);

	tls_describe(stream_tls(s->stream), false, &facts);
	buf_printf(&text, "%s %s", facts.cipher, facts.verified);
	tls_facts_release(&facts);
	return buf_detach(&text);
}

/* For the log, also of a session that then fails to log in. */
static void note_tls(void *context, const struct session *s, bool secured)
{
	struct job *job = context;

	if (secured)
		job->tls = describe_tls(s);
}

/* A wish that the server can't grant is said to a person who watches. */
static void mention_missing_dsn(const struct job *job, const struct session *s)
{
	const struct envelope *e = &job->envelope;
	bool wished = e->notify || e->ret != RETURN_UNSET || e->envid;

	if (wished && !capabilities_has(&s->capabilities, CAP_DSN) &&
	    isatty(STDERR_FILENO))
		report_line("%s does not offer DSN: sent without the delivery "
			    "notifications asked for",
			    s->host);
}

static struct result *new_results(size_t n)
{
	struct result *results = memory_resize(NULL, n, sizeof(*results));
	size_t i;

	for (i = 0; i < n; i++)
		results[i] = RESULT_INIT;
	return results;
}

/* Nobody got it, all for the same reason. */
static void fail_all(struct job *job, const struct outcome *o)
{
	size_t i;

	for (i = 0; i < job->envelope.n_recipients; i++)
		outcome_copy(&job->results[i].outcome, o);
}

static int send_message(struct job *job, struct outcome *o)
{
	const struct account *a = job->account;
	struct submission submission = {
		.envelope = &job->envelope,
		.content = job->content,
	};
	bool is_verbose = job->request->verbose;
	const struct trace *trace = is_verbose ? &report_trace : NULL;
	struct connect_observer observer = {note_tls, job};
	struct session *s;
	int rc;

	job->results = new_results(job->envelope.n_recipients);
	s = connect_account(a, trace, &observer, o);
	if (!s) {
		fail_all(job, o);
		return -1;
	}
	job->mechanism = s->mechanism;
	mention_missing_dsn(job, s);
	rc = transaction_run(s, &submission, &a->transaction, job->results, o);
	session_close(s);
	return rc;
}

/* Everything up to the point where the server is needed. */
static int prepare(struct job *job, struct outcome *o)
{
	if (check_recipients(job->request, o) < 0 ||
	    load_configuration(job, o) < 0 || read_message(job, o) < 0 ||
	    choose_account(job, o) < 0 || make_envelope(job, o) < 0)
		return -1;
	return make_content(job, o);
}

static char *message_id(const struct job *job)
{
	struct view rest = buf_view(&job->header);
	struct field f;

	for (; field_cut(rest, &f); rest = view_skip(rest, f.raw.n))
		if (f.id == FIELD_MESSAGE_ID)
			return memory_dup_n(view_trim(f.body).p,
					    view_trim(f.body).n);
	return NULL;
}

static void write_log(const struct job *job, const struct outcome *o)
{
	char *id = message_id(job);
	struct logline line = {
		.account = job->account,
		.envelope = &job->envelope,
		.results = job->results,
		.outcome = o,
		.host = connect_name(job->account),
		.id = id,
		.tls = job->tls,
		.mechanism = job->mechanism,
		.syslog_tag = job->request->syslog_tag,
		.size = job->content ? content_size(job->content) : 0,
		.elapsed_ms = clock_ms() - job->started,
		.exit_code = exitcode_of(o),
	};

	logline_write(&line);
	free(id);
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
		write_log(job, o);
	else
		logline_write_early(o, job->request->syslog_tag,
				    job->request->as_sendmail);
	outcome_release(&unwritten);
}

static void release(struct job *job)
{
	size_t i;

	for (i = 0; job->results && i < job->envelope.n_recipients; i++)
		result_release(&job->results[i]);
	free(job->results);
	free(job->tls);
	content_free(job->content);
	buf_release(&job->header);
	envelope_release(&job->envelope);
	message_release(&job->message);
	config_free(job->config);
}

int submit(const struct request *r)
{
	struct job job = {
		.request = r,
		.message = MESSAGE_INIT,
		.envelope = ENVELOPE_INIT,
		.header = BUF_INIT(2 * MESSAGE_HEADER_LIMIT),
		.started = clock_ms(),
	};
	struct outcome o = OUTCOME_INIT;
	int code, rc;

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
	release(&job);
	return code;
}
