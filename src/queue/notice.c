/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who is told what, and that it is told once. What a report says is
 * mail/dsn's. A report is on disk before it is noted that it was made; its
 * name follows from what it reports, so one that was made, but not noted, is
 * not made again.
 */
#include "queue/notice.h"

#include <stdlib.h>
#include <string.h>

#include "base/gnutls.h"
#include "base/memory.h"
#include "mail/content.h"
#include "mail/dsn.h"
#include "queue/schedule.h"

#define LINES_LIMIT   (64u << 20) /* octets of events noted at once */
#define NAMED_LIMIT   (64u << 20) /* octets of what a report's id is made of */
#define DIGEST_OCTETS 32u         /* SHA-256 */

/* One kind of report about one entry. */
struct notice {
	struct spool *spool;
	struct entry *e;
	const struct queue_policy *policy;
	const struct reporter *by;
	const char *to; /* NULL: there is nobody to tell */
	int64_t now;
	enum dsn_action action;
	size_t *which; /* whom it is about */
	size_t n;
	struct buf lines; /* events to be noted */
	struct strings *made;
};

static const enum told told_of[] = {
	[DSN_FAILED] = TOLD_FAILED,
	[DSN_DELAYED] = TOLD_DELAYED,
	[DSN_RELAYED] = TOLD_RELAYED,
};

static const unsigned notify_for[] = {
	[DSN_FAILED] = NOTIFY_FAILURE,
	[DSN_DELAYED] = NOTIFY_DELAY,
	[DSN_RELAYED] = NOTIFY_SUCCESS,
};

/* Without NOTIFY of failures and, as is usual, of delays (RFC 3461 4.1). */
static bool is_wished(const struct entry *e, size_t i, enum dsn_action action)
{
	unsigned notify = envelope_notify_of(&e->envelope, i);

	if (!notify)
		notify = NOTIFY_FAILURE | NOTIFY_DELAY;
	return !(notify & NOTIFY_NEVER) && notify & notify_for[action];
}

/* Has that come to pass, and was not told? */
static bool is_due(const struct entry *e, size_t i, enum dsn_action action,
		   bool is_late)
{
	const struct progress *p = &e->progress[i];

	if (p->told & told_of[action])
		return false;
	switch (action) {
	case DSN_FAILED: return p->standing == STANDING_REFUSED;
	case DSN_DELAYED: return is_late && p->standing == STANDING_WAITING;
	case DSN_RELAYED:
		return p->standing == STANDING_DELIVERED && !p->server_tells &&
			is_wished(e, i, action);
	}
	return false;
}

/* ----------------------------------------------------------------- its name */

/* The time of the message that it is about; then what follows from its id, the
 * kind, and whom it is about. */
static int make_id(const struct notice *n, char id[SPOOL_ID_LENGTH + 1],
		   struct outcome *o)
{
	unsigned char digest[DIGEST_OCTETS];
	struct buf named = BUF_INIT(NAMED_LIMIT);
	uint64_t number = 0;
	size_t i;
	int rc;

	if (library_load_gnutls(o) < 0)
		return -1;
	buf_printf(&named, "%s %d", n->e->id, (int)n->action);
	for (i = 0; i < n->n; i++)
		buf_printf(&named, " %zu", n->which[i]);
	rc = gnutls_hash_fast(GNUTLS_DIG_SHA256, named.p, named.n, digest);
	buf_release(&named);
	if (rc < 0)
		return fail(o, CAUSE_SYSTEM, "4.3.0",
			    "cannot name a report: %s", gnutls_strerror(rc));
	for (i = 0; i < sizeof(number); i++)
		number = number << 8 | digest[i];
	memcpy(id, n->e->id, SPOOL_ID_TIME);
	spool_put_number(id, number);
	return 0;
}

/* --------------------------------------------------------------- the report */

static int compose(const struct notice *n, struct message *m, struct outcome *o)
{
	const struct entry *e = n->e;
	struct dsn_recipient *about;
	struct dsn d = {
		.action = n->action,
		.id = e->id,
		.host = n->by->host,
		.domain = n->by->domain,
		.to = n->to,
		.now = n->now,
		.arrived = schedule_since(e, n->now),
		.envelope = &e->envelope,
		.n = n->n,
		.header = buf_view(&e->message.header),
		.message = &e->message,
	};
	size_t i;
	int rc;

	about = memory_resize(NULL, n->n, sizeof(*about));
	for (i = 0; i < n->n; i++)
		about[i] = (struct dsn_recipient){
			.recipient = &e->envelope.recipients[n->which[i]],
			.answer = &e->progress[n->which[i]].answer,
			.last_attempt = e->progress[n->which[i]].at,
			.retry_until =
				schedule_since(e, n->now) + n->policy->lifetime,
		};
	d.recipients = about;
	rc = dsn_compose(&d, m, o);
	free(about);
	return rc;
}

/* It goes the way of the message that it is about. RFC 3461 5.2.3: from the
 * null reverse-path, and nobody is told about it. */
static void address_report(const struct entry *e, struct entry *report)
{
	report->is_report = true;
	report->config_file = memory_dup(e->config_file);
	report->account = memory_dup(e->account);
	strings_copy(&report->settings, &e->settings);
	report->envelope.sender.mailbox = memory_dup("");
	report->envelope.notify = NOTIFY_NEVER;
}

static int queue_report(const struct notice *n, const struct message *m,
			struct outcome *o)
{
	struct entry report = ENTRY_INIT;
	char id[SPOOL_ID_LENGTH + 1];
	struct content *content = NULL;
	int rc = -1;

	address_report(n->e, &report);
	report.created = n->now;
	if (make_id(n, id, o) < 0 ||
	    envelope_restore_recipient(&report.envelope, view_of(n->to), o) < 0)
		goto done;
	report.id = memory_dup(id);
	content = content_new(buf_view(&m->header), m);
	rc = spool_add(n->spool, &report, content, m->header.n, o);
	if (rc == 0 && n->made)
		strings_add(n->made, view_of(id));
done:
	content_free(content);
	entry_release(&report);
	return rc;
}

/* ----------------------------------------------------------------- deciding */

/* To whom: NULL where it would cause reports of reports, which may also come
 * round by others (RFC 5321 6.1: never to the null reverse-path); what they are
 * about may not be lost for that. */
static const char *find_reader(const struct entry *e,
			       const struct queue_policy *policy)
{
	struct envelope probe = ENVELOPE_INIT;
	struct outcome ignored = OUTCOME_INIT;
	const char *to = policy->bounce_to ? policy->bounce_to
					   : e->envelope.sender.mailbox;

	if (e->is_report || !e->envelope.sender.mailbox[0] || !to || !*to)
		return NULL;
	if (envelope_restore_recipient(&probe, view_of(to), &ignored) < 0)
		to = NULL;
	envelope_release(&probe);
	outcome_release(&ignored);
	return to;
}

static void note(struct notice *n, size_t i)
{
	entry_note_told(n->e, i, told_of[n->action], n->now, &n->lines);
}

/* Fills `which` with those who are to be in a report; of others it is noted
 * that nobody is to know. true: somebody has failed, and nobody can be told. */
static bool choose(struct notice *n, bool is_late)
{
	const struct entry *e = n->e;
	bool is_stuck = false;
	size_t i;

	n->n = 0;
	for (i = 0; i < e->envelope.n_recipients; i++) {
		if (!is_due(e, i, n->action, is_late))
			continue;
		if (n->action == DSN_FAILED && !n->to &&
		    (e->is_report || is_wished(e, i, n->action)))
			is_stuck = true;
		else if (n->to && is_wished(e, i, n->action))
			n->which[n->n++] = i;
		else
			note(n, i);
	}
	return is_stuck;
}

static int report(struct notice *n, struct outcome *o)
{
	struct message m = MESSAGE_INIT;
	size_t i;
	int rc = -1;

	if (n->n == 0)
		return 0;
	if (compose(n, &m, o) == 0)
		rc = queue_report(n, &m, o);
	message_release(&m);
	for (i = 0; rc == 0 && i < n->n; i++)
		note(n, n->which[i]);
	return rc;
}

int notice_send(struct spool *s, struct entry *e,
		const struct queue_policy *policy, const struct reporter *by,
		bool is_late, int64_t now, struct strings *made,
		struct outcome *o)
{
	struct notice n = {
		.spool = s,
		.e = e,
		.policy = policy,
		.by = by,
		.to = find_reader(e, policy),
		.now = now,
		.which = memory_resize(NULL, e->envelope.n_recipients + 1,
				       sizeof(*n.which)),
		.lines = BUF_INIT(LINES_LIMIT),
		.made = made,
	};
	struct outcome ignored = OUTCOME_INIT;
	bool is_stuck = false;
	int rc = 0, a;

	for (a = DSN_FAILED; rc == 0 && a <= DSN_RELAYED; a++) {
		n.action = (enum dsn_action)a;
		is_stuck |= choose(&n, is_late);
		rc = report(&n, o);
	}
	/* what was done is noted, even if something else failed */
	if (rc == 0)
		rc = spool_note(e, &n.lines, o);
	else
		spool_note(e, &n.lines, &ignored);
	outcome_release(&ignored);
	free(n.which);
	buf_release(&n.lines);
	return rc < 0 ? -1 : is_stuck;
}
