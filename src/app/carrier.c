/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From an entry to a delivery and back: the account that it was queued for, the
 * recipients that still wait, and what the server said of each.
 */
#include "app/carrier.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/job.h"
#include "app/proof.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "conf/secret.h"
#include "queue/schedule.h"
#include "smtp/batch.h"

#define WORDS_LIMIT (64u << 10) /* octets of a server's words */
#define SURE_MOST   100u        /* recipients at once (RFC 5321 4.5.3.1.8) */

/* One entry on its way. What of the job is the entry's stays the entry's. */
struct parcel {
	struct delivery delivery; /* first: a delivery is its parcel */
	struct job job;
	struct entry *entry;
	size_t *which; /* of the entry's recipients, for each of the job's */
	char *deliver_by;
};

/* ------------------------------------------------------------- the account */

/* "name value" as an override has it; the entry's texts don't last. */
static void add_override(struct carrier *c, const char *setting)
{
	const char *blank = strchr(setting, ' ');
	size_t n = blank ? (size_t)(blank - setting) : strlen(setting);

	strings_add(&c->words, view_make(setting, n));
	strings_add(&c->words, view_of(blank ? blank + 1 : ""));
	c->request.overrides = memory_resize(c->request.overrides,
					     c->request.n_overrides + 1,
					     sizeof(*c->request.overrides));
	c->request.overrides[c->request.n_overrides++] = (struct override){
		.name = c->words.p[c->words.n - 2],
		.value = blank ? c->words.p[c->words.n - 1] : NULL,
	};
}

/* What was asked when it was queued, as far as it concerns the way. */
static void make_request(struct carrier *c, const struct entry *e)
{
	size_t i;

	c->request = (struct request){
		.mode = c->base->mode,
		.as_sendmail = c->base->as_sendmail,
		.syslog_tag = c->base->syslog_tag,
		.verbose = c->base->verbose,
		.config_file = memory_dup(e->config_file),
		.account = memory_dup(e->account),
	};
	memcpy(c->request.waits, c->base->waits, sizeof(c->request.waits));
	for (i = 0; i < e->settings.n; i++)
		add_override(c, e->settings.p[i]);
}

static void end(void *context)
{
	struct carrier *c = context;

	link_close(c->link); /* its session has policies of the account */
	free(c->lane);
	free(c->host);
	free(c->domain);
	config_free(c->config);
	free(c->request.config_file);
	free(c->request.account);
	free(c->request.overrides);
	strings_release(&c->words);
	c->lane = c->host = c->domain = NULL;
	c->config = NULL;
	c->account = NULL;
	c->request = REQUEST_INIT;
}

/* The machine's name is often nobody's domain; that of the account's own
 * address is. */
static char *find_domain(const struct account *a)
{
	struct address from = ADDRESS_INIT;
	struct outcome ignored = OUTCOME_INIT;
	char *domain = NULL;

	if (a->identity.from &&
	    address_parse(view_of(a->identity.from), &from, &ignored) == 0 &&
	    from.has_domain)
		domain = memory_dup(from.mailbox + from.local_n + 1);
	address_release(&from);
	outcome_release(&ignored);
	return domain ? domain : memory_dup(a->local.maildomain);
}

static int begin(void *context, const struct entry *e, struct lane *lane,
		 struct outcome *o)
{
	struct carrier *c = context;

	make_request(c, e);
	c->config = cmdline_load_config(&c->request, o);
	if (c->config)
		c->account = cmdline_choose_account(
			&c->request, c->config, e->envelope.sender.mailbox, o);
	if (!c->account) {
		end(c);
		return -1;
	}
	c->lane = entry_lane(e);
	c->host = session_own_name(&c->account->session);
	c->domain = find_domain(c->account);
	*lane = (struct lane){&c->account->queue, {c->host, c->domain}};
	return 0;
}

static bool is_same_login(void *context, const char *proof)
{
	struct carrier *c = context;
	struct buf secret = BUF_INIT_SECRET(SECRET_LIMIT);
	bool is_same = proof_is_of_today(c->account, proof, &secret);

	buf_release(&secret);
	return is_same;
}

/* ---------------------------------------------------------- an entry's way */

/* Has a session ended with it before? RFC 3463 3.5: X.4.2 is a connection that
 * was lost. */
static bool has_ended_one(const struct outcome *answer)
{
	return (answer->cause == CAUSE_CONNECT &&
		!strcmp(answer->status, "4.4.2")) ||
		answer->cause == CAUSE_PROTOCOL;
}

static bool is_suspect(const struct entry *e)
{
	size_t i;

	for (i = 0; e->attempts && i < e->envelope.n_recipients; i++)
		if (e->progress[i].standing == STANDING_WAITING &&
		    has_ended_one(&e->progress[i].answer))
			return true;
	return false;
}

/* A server that takes but so many recipients may end the session when it has
 * refused too many, and then nobody has got it, each time. */
static bool is_crowd(const struct entry *e)
{
	const struct outcome *answer;
	bool was_refused = false, was_left = false;
	size_t i;

	for (i = 0; i < e->envelope.n_recipients; i++) {
		answer = &e->progress[i].answer;
		if (e->progress[i].standing != STANDING_WAITING)
			continue;
		was_refused |= answer->reply_code == 452;
		was_left |= answer->reply_code == 421 &&
			answer->cause == CAUSE_RECIPIENT;
	}
	return was_left || (was_refused && is_suspect(e));
}

/* When it was asked about, which no answer to a crowd tells. */
static int64_t asked_at(const struct progress *p)
{
	int code = p->answer.reply_code;

	return code == 0 || code == 421 || code == 452 ? 0 : p->at;
}

/* Whom the next attempt is about: all who wait, or of a crowd those who were
 * not asked yet, or longest ago, so that each has a turn. */
static size_t choose(const struct entry *e, size_t *which)
{
	const struct progress *p = e->progress;
	size_t i, n = 0, k, most = is_crowd(e) ? SURE_MOST : SIZE_MAX;

	for (i = 0; i < e->envelope.n_recipients; i++) {
		if (p[i].standing != STANDING_WAITING)
			continue;
		for (k = n; most != SIZE_MAX && k > 0 &&
		     asked_at(&p[which[k - 1]]) > asked_at(&p[i]);
		     k--)
			if (k < most)
				which[k] = which[k - 1];
		if (k < most)
			which[k] = i;
		n += n < most;
	}
	return n;
}

/* Only the array is the job's own. */
static void take_waiting(struct parcel *p)
{
	const struct entry *e = p->entry;
	struct envelope *open = &p->job.envelope;
	size_t i, n = e->envelope.n_recipients;

	p->which = memory_resize(NULL, n + 1, sizeof(*p->which));
	n = choose(e, p->which);
	*open = e->envelope;
	open->recipients =
		memory_resize(NULL, n + 1, sizeof(*open->recipients));
	open->n_recipients = n;
	for (i = 0; i < n; i++)
		open->recipients[i] = e->envelope.recipients[p->which[i]];
}

/* RFC 2852 4: what is left of the time that was given. A report is never too
 * late: what could not be in time would else not even be told. */
static void set_deliver_by(struct parcel *p, const char *by)
{
	const char *mode = by ? strchr(by, ';') : NULL;
	int64_t now = time(NULL);
	struct buf text = BUF_INIT(64);

	if (p->entry->is_report)
		p->delivery.submission.deliver_by = "";
	if (!mode || p->entry->is_report)
		return;
	buf_printf(&text, "%" PRId64 "%s",
		   (int64_t)strtoll(by, NULL, 10) -
			   (now - schedule_since(p->entry, now)),
		   mode);
	p->deliver_by = buf_detach(&text);
	p->delivery.submission.deliver_by = p->deliver_by;
}

static struct parcel *parcel_new(struct carrier *c, struct entry *e)
{
	struct parcel *p = memory_alloc(sizeof(*p));

	p->entry = e;
	job_init(&p->job, &c->request);
	p->job.account = c->account;
	p->job.message = e->message;
	p->job.header = e->message.header;
	take_waiting(p);
	p->job.content = content_new(buf_view(&p->job.header), &e->message);
	p->job.results = job_new_results(p->job.envelope.n_recipients);
	p->job.queue_id = memory_dup(e->id);
	p->job.tls = memory_dup(c->link->tls);
	p->job.mechanism = c->link->session->mechanism;
	stages_take(&p->job.stages, &c->link->stages);
	stages_enter(&p->job.stages, STAGE_MESSAGE);
	p->delivery.submission.envelope = &p->job.envelope;
	p->delivery.submission.content = p->job.content;
	p->delivery.results = p->job.results;
	p->delivery.goes_alone = is_suspect(e);
	set_deliver_by(p, c->account->transaction.deliverby);
	return p;
}

static void parcel_free(struct parcel *p)
{
	size_t i;

	for (i = 0; i < p->job.envelope.n_recipients; i++)
		result_release(&p->job.results[i]);
	free(p->job.results);
	p->job.results = NULL;
	free(p->job.envelope.recipients);
	p->job.envelope = ENVELOPE_INIT;
	p->job.message = MESSAGE_INIT;
	p->job.header = BUF_INIT(0);
	job_release(&p->job);
	free(p->which);
	free(p->deliver_by);
	outcome_release(&p->delivery.outcome);
	free(p);
}

/* ------------------------------------------------------------- the answers */

static struct progress answer_of(const struct carrier *c,
				 const struct result *r, int64_t now)
{
	struct progress p = {.at = now};
	struct buf words = BUF_INIT(WORDS_LIMIT);
	struct buf line = BUF_INIT(4 * WORDS_LIMIT);

	if (r->fate != FATE_DELIVERED) {
		p.standing = outcome_is_temporary(&r->outcome)
			? STANDING_WAITING
			: STANDING_REFUSED;
		outcome_copy(&p.answer, &r->outcome);
		return p;
	}
	p.standing = STANDING_DELIVERED;
	p.server_tells = c->link->session &&
		capabilities_has(&c->link->session->capabilities, CAP_DSN);
	snprintf(p.answer.status, sizeof(p.answer.status), "%s",
		 reply_status(&r->reply, STEP_CONTENT));
	p.answer.reply_code = r->reply.code;
	if (c->link->session)
		p.answer.host = memory_dup(c->link->session->host);
	reply_add_words(&r->reply, &words);
	text_add_printable(&line, buf_view(&words));
	p.answer.text = buf_detach(&line);
	buf_release(&words);
	return p;
}

static void settle(struct carrier *c, struct parcel *p)
{
	size_t i, n = p->job.envelope.n_recipients;
	struct progress *answers = memory_alloc((n + 1) * sizeof(*answers));
	int64_t now = time(NULL);

	for (i = 0; i < n; i++)
		answers[i] = answer_of(c, &p->job.results[i], now);
	feed_settle(c->feed, p->entry, p->which, answers, n);
	for (i = 0; i < n; i++)
		outcome_release(&answers[i].answer);
	free(answers);
}

/* Logged first: the entry lends the job what the line says. */
static void settled(void *context, struct delivery *d)
{
	struct carrier *c = context;
	struct parcel *p = (struct parcel *)d;

	if (d->is_untried) {
		feed_give_back(c->feed, p->entry);
	} else {
		stages_leave(&p->job.stages);
		job_log(&p->job, &d->outcome);
		settle(c, p);
	}
	parcel_free(p);
}

static struct delivery *next(void *context)
{
	struct carrier *c = context;
	struct entry *e = feed_next(c->feed);

	return e ? &parcel_new(c, e)->delivery : NULL;
}

/* ----------------------------------------------------------------- the lane */

/* The server could not be used: one line for all that wait. */
static void log_unreached(struct carrier *c, const struct outcome *o)
{
	struct job job;

	job_init(&job, &c->request);
	job.account = c->account;
	job.tls = memory_dup(c->link->tls);
	stages_take(&job.stages, &c->link->stages);
	job_log(&job, o);
	job_release(&job);
}

static int deliver(void *context, struct feed *f, char **proof,
		   struct outcome *o)
{
	struct carrier *c = context;
	const struct batch batch = {c, next, settled};
	int rc;

	if (!gate_is_open(c->gate, c->lane))
		return fail(o, CAUSE_CONNECT, "4.4.1",
			    "another process has found no way");
	c->feed = f;
	c->link->wants_proof = true;
	rc = link_open(c->link, c->account, o);
	gate_tell(c->gate, c->lane, rc == 0);
	if (rc < 0) {
		log_unreached(c, o);
		*proof = memory_dup(c->link->proof);
		link_close(c->link);
		return -1;
	}
	rc = batch_run(c->link->session, &batch, &c->account->transaction, o);
	if (rc < 0)
		link_close(c->link);
	return rc;
}

static void watch(void *context, size_t done, size_t all)
{
	struct carrier *c = context;

	if (c->watch)
		c->watch(c->watch_context, done, all);
}

struct deliverer carrier_deliverer(struct carrier *c)
{
	return (struct deliverer){
		.context = c,
		.begin = begin,
		.is_same_login = is_same_login,
		.deliver = deliver,
		.end = end,
		.watch = watch,
	};
}
