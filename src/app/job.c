/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The steps of one message that every mode shares: who it is from, its header,
 * its submission, its line in the log.
 */
#include "app/job.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/connect.h"
#include "app/exitcode.h"
#include "app/logline.h"
#include "app/report.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "mail/edit.h"
#include "mail/intake.h"

void job_init(struct job *job, const struct request *r)
{
	*job = (struct job){
		.request = r,
		.message = MESSAGE_INIT,
		.envelope = ENVELOPE_INIT,
		.header = BUF_INIT(2 * MESSAGE_HEADER_LIMIT),
		.started = clock_ms(),
	};
}

static void release_results(struct job *job)
{
	size_t i;

	for (i = 0; job->results && i < job->envelope.n_recipients; i++)
		result_release(&job->results[i]);
	free(job->results);
	job->results = NULL;
}

void job_release(struct job *job)
{
	release_results(job);
	free(job->tls);
	free(job->proof);
	free(job->queue_id);
	content_free(job->content);
	buf_release(&job->header);
	envelope_release(&job->envelope);
	message_release(&job->message);
}

/* ----------------------------------------------------- message and account */

int job_check_recipients(const struct request *r, struct outcome *o)
{
	if (r->recipients.n || r->recipients_from_header)
		return 0;
	return fail(o, CAUSE_USAGE, "5.1.3",
		    "no recipients; name them, or use -t to take those of the "
		    "message");
}

int job_read(struct job *job, struct outcome *o)
{
	struct intake_policy policy = {
		.dot_ends = !job->request->ignore_dots && isatty(STDIN_FILENO),
	};

	return intake_read(STDIN_FILENO, &policy, &job->message, o);
}

int job_choose_account(struct job *job, struct outcome *o)
{
	const struct request *r = job->request;
	struct address from = ADDRESS_INIT;
	struct outcome ignored = OUTCOME_INIT;
	const char *sender = r->sender;

	if (!r->account && !sender &&
	    envelope_sender_from_header(&job->message, &from, &ignored) == 0)
		sender = from.mailbox;
	job->account = cmdline_choose_account(r, job->config, sender, o);
	address_release(&from);
	outcome_release(&ignored);
	return job->account ? 0 : -1;
}

/* -------------------------------------------------------------- the sender */

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

/* `from` holds the message's own while it is needed. */
static int find_sender(const struct job *job, const char *given,
		       struct address *from, const char **sender,
		       struct outcome *o)
{
	const char *own = own_from(job->account);
	bool is_free = !own || job->account->identity.allow_from_override;

	*sender = is_free && given ? given : own;
	if (*sender && !(is_free && job->request->sender_from_header))
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

/* A name without a domain is a user here; without maildomain the account's own
 * address is where who answers is read. What begins with "-" is no name, but
 * what has become of somebody's quoting. */
static bool is_homeless(const struct job *job, const char *sender)
{
	struct address a = ADDRESS_INIT;
	struct outcome ignored = OUTCOME_INIT;
	bool is_name = !job->account->local.maildomain && sender[0] != '-' &&
		address_parse(view_of(sender), &a, &ignored) == 0 &&
		!a.has_domain;

	address_release(&a);
	outcome_release(&ignored);
	return is_name;
}

int job_settle_sender(struct job *job, const char *given, struct outcome *o)
{
	const char *own = own_from(job->account);
	struct address from = ADDRESS_INIT;
	const char *sender = NULL;
	int rc = find_sender(job, given, &from, &sender, o);

	if (rc == 0 && own && sender != own && is_homeless(job, sender))
		sender = own;
	if (rc == 0)
		rc = envelope_set_sender(&job->envelope, view_of(sender),
					 &job->account->local, o);
	address_release(&from);
	return rc;
}

int job_settle_dsn(struct job *job, struct outcome *o)
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

/* ------------------------------------------------------------- the content */

/* The address for a From that the message lacks: the sender, unless that is
 * the null reverse-path. */
static const char *own_address(const struct job *job)
{
	const char *own = own_from(job->account);

	if (job->envelope.sender.mailbox[0])
		return job->envelope.sender.mailbox;
	return own ? own : "MAILER-DAEMON";
}

int job_make_content(struct job *job, struct outcome *o)
{
	char *host = session_own_name(&job->account->session);
	const char *name = job->request->full_name;
	struct edit_facts facts = {
		.now = time(NULL),
		.full_name = name ? name
				  : job->account->identity.from_full_name,
		.from = own_address(job),
		.host = host,
		.received = job->received,
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

/* ---------------------------------------------------------- the submission */

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

struct result *job_new_results(size_t n)
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

void job_leave_unasked(struct job *job, const struct outcome *o)
{
	release_results(job);
	job->results = job_new_results(job->envelope.n_recipients);
	job->was_unreached = job->was_unasked = true;
	fail_all(job, o);
}

static int try_once(struct job *job, struct link *l, struct outcome *o)
{
	const struct account *a = job->account;
	struct transaction_policy policy = a->transaction;
	struct submission submission = {
		.envelope = &job->envelope,
		.content = job->content,
	};
	int rc;

	release_results(job);
	job->results = job_new_results(job->envelope.n_recipients);
	policy.defer = a->queue.when != QUEUEING_OFF;
	job->was_unreached = link_open(l, a, o) < 0;
	stages_take(&job->stages, &l->stages);
	if (job->was_unreached) {
		fail_all(job, o);
		return -1;
	}
	mention_missing_dsn(job, l->session);
	stages_enter(&job->stages, STAGE_MESSAGE);
	rc = transaction_run(l->session, &submission, &policy, job->results, o);
	stages_leave(&job->stages);
	return rc;
}

/* A server may end a session that was idle for too long at any time, also while
 * we speak (421). It is tried again only where certainly nobody got it. */
static bool was_idle_too_long(const struct job *job, const struct link *l,
			      const struct outcome *o)
{
	size_t i;

	if (!l->session || !l->is_reused || !l->session->ended ||
	    l->session->left || !outcome_is_temporary(o) || o->uncertain)
		return false;
	for (i = 0; i < job->envelope.n_recipients; i++)
		if (job->results[i].fate == FATE_DELIVERED ||
		    job->results[i].outcome.uncertain)
			return false;
	return true;
}

int job_send(struct job *job, struct link *l, struct outcome *o)
{
	int rc = try_once(job, l, o);

	if (rc < 0 && was_idle_too_long(job, l, o)) {
		outcome_release(o);
		link_close(l);
		rc = try_once(job, l, o);
	}
	free(job->tls);
	job->tls = memory_dup(l->tls);
	free(job->proof);
	job->proof = memory_dup(l->proof);
	if (l->session)
		job->mechanism = l->session->mechanism;
	return rc;
}

/* ----------------------------------------------------------------- the log */

static char *message_id(const struct job *job)
{
	struct field f;

	if (!field_find(buf_view(&job->header), VIEW("Message-ID"), &f))
		return NULL;
	return memory_dup_n(view_trim(f.body).p, view_trim(f.body).n);
}

void job_log(const struct job *job, const struct outcome *o)
{
	char *id = message_id(job);
	struct logline line = {
		.account = job->account,
		.envelope = &job->envelope,
		.results = job->results,
		.outcome = o,
		.host = connect_name(job->account),
		.id = id,
		.queue_id = job->queue_id,
		.tls = job->tls,
		.mechanism = job->mechanism,
		.syslog_tag = job->request->syslog_tag,
		.size = job->content ? content_size(job->content) : 0,
		.elapsed_ms = clock_ms() - job->started,
		.stages = &job->stages,
		.exit_code = exitcode_of(o),
		.keep_stdout = job->request->mode == MODE_SERVE,
	};

	logline_write(&line);
	free(id);
}
