/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who is to be told what. A report is a message in the queue like any other; its
 * id follows from what it is about, so that a run that was ended between the
 * report and the note of it does not tell twice.
 */
#include "queue/notice.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mail/content.h"
#include "mail/dsn.h"

#define LINES_LIMIT (16u << 20) /* octets of events */
#define TEXT_LIMIT  (1u << 20)  /* octets that an id follows from */
#define DIGEST      32u         /* octets of SHA-256 */

/* One kind of report about an entry. */
struct notice {
	struct entry *e;
	enum dsn_action action;
	enum told told;
	size_t *which; /* recipients that it is about */
	size_t n;
};

static const struct {
	enum dsn_action action;
	enum told told;
	enum dsn_notify wish;
	unsigned usual; /* is it told where nothing was wished? */
} kinds[] = {
	{DSN_FAILED, TOLD_FAILED, NOTIFY_FAILURE, true},
	{DSN_DELAYED, TOLD_DELAYED, NOTIFY_DELAY, true},
	{DSN_RELAYED, TOLD_RELAYED, NOTIFY_SUCCESS, false},
};

/* ------------------------------------------------------- what is to be told */

static bool applies(const struct progress *p, enum dsn_action action,
		    bool is_late)
{
	switch (action) {
	case DSN_FAILED: return p->standing == STANDING_REFUSED;
	case DSN_DELAYED: return is_late && p->standing == STANDING_WAITING;
	default: return p->standing == STANDING_DELIVERED && !p->server_tells;
	}
}

/* RFC 3461 4.1; its 4.1 (2) leaves a delay to us where nothing is said. */
static bool is_wished(const struct entry *e, size_t i, size_t kind)
{
	unsigned own = e->envelope.recipients[i].notify;
	unsigned wish = own ? own : e->envelope.notify;

	if (e->is_report) /* what it says to servers is not for us */
		wish = 0;

	return wish ? wish & kinds[kind].wish : kinds[kind].usual;
}

/* Who gets it: NULL: nobody can. A report never causes another. */
static const char *addressee(const struct entry *e,
			     const struct queue_policy *policy)
{
	if (e->is_report)
		return NULL;
	if (policy->bounce_to)
		return policy->bounce_to;
	return e->envelope.sender.mailbox[0] ? e->envelope.sender.mailbox
					     : NULL;
}

/* ---------------------------------------------------------------- its entry */

/* The time of the message, and a tail that follows from what is told. */
static char *make_id(const struct notice *n)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	struct buf text = BUF_INIT(TEXT_LIMIT);
	unsigned char digest[DIGEST] = {0};
	char id[SPOOL_ID_LENGTH + 1];
	size_t i;

	buf_printf(&text, "%s %d", n->e->id, (int)n->told);
	for (i = 0; i < n->n; i++)
		buf_printf(&text, " %zu", n->which[i]);
	gnutls_hash_fast(GNUTLS_DIG_SHA256, text.p, text.n, digest);
	memcpy(id, n->e->id, SPOOL_ID_TIME);
	for (i = SPOOL_ID_TIME; i < SPOOL_ID_LENGTH; i++)
		id[i] = digits[digest[i] % (sizeof(digits) - 1)];
	id[SPOOL_ID_LENGTH] = '\0';
	buf_release(&text);
	return memory_dup(id);
}

/* It goes the way that the message went. */
static int make_entry(const struct notice *n, const char *to, int64_t now,
		      struct entry *report, struct outcome *o)
{
	const struct entry *e = n->e;

	report->id = make_id(n);
	report->created = now;
	report->is_report = true;
	report->config_file = memory_dup(e->config_file);
	report->account = memory_dup(e->account);
	strings_copy(&report->settings, &e->settings);
	report->envelope.sender.mailbox = memory_dup("");
	report->envelope.notify = NOTIFY_NEVER; /* RFC 3461 6.3 */
	return envelope_restore_recipient(&report->envelope, view_of(to), o);
}

static int compose(const struct notice *n, const char *to, const char *host,
		   int64_t retry_until, int64_t now, struct message *m,
		   struct outcome *o)
{
	const struct entry *e = n->e;
	struct dsn_recipient *list =
		memory_resize(NULL, n->n + 1, sizeof(*list));
	struct dsn d = {
		.action = n->action,
		.id = e->id,
		.host = host,
		.to = to,
		.now = now,
		.arrived = e->created,
		.envelope = &e->envelope,
		.recipients = list,
		.n = n->n,
		.header = buf_view(&e->message.header),
		.message = &e->message,
	};
	size_t i;
	int rc;

	for (i = 0; i < n->n; i++)
		list[i] = (struct dsn_recipient){
			.recipient = &e->envelope.recipients[n->which[i]],
			.answer = &e->progress[n->which[i]].answer,
			.last_attempt = e->progress[n->which[i]].at,
			.retry_until = retry_until,
		};
	rc = dsn_compose(&d, m, o);
	free(list);
	return rc;
}

static int queue_report(struct spool *s, const struct notice *n,
			const struct queue_policy *policy, const char *host,
			int64_t now, struct outcome *o)
{
	const char *to = addressee(n->e, policy);
	struct message m = MESSAGE_INIT;
	struct entry report = ENTRY_INIT;
	struct content *content;
	int rc = -1;

	if (compose(n, to, host, n->e->created + policy->lifetime, now, &m,
		    o) == 0 &&
	    make_entry(n, to, now, &report, o) == 0) {
		content = content_new(buf_view(&m.header), &m);
		rc = spool_add(s, &report, content, m.header.n, o);
		content_free(content);
	}
	message_release(&m);
	entry_release(&report);
	return rc;
}

/* ---------------------------------------------------------------- the whole */

static int note_told(struct notice *n, int64_t now, struct outcome *o)
{
	struct buf lines = BUF_INIT(LINES_LIMIT);
	size_t i;
	int rc;

	for (i = 0; i < n->n; i++)
		entry_note_told(n->e, n->which[i], n->told, now, &lines);
	rc = spool_append(n->e, buf_view(&lines), o);
	buf_release(&lines);
	return rc;
}

/* Those of whom that is to be told and was not. The others it concerns are
 * noted with them once it is. */
static void find(struct notice *n, size_t kind, bool is_late)
{
	const struct entry *e = n->e;
	size_t i;

	n->action = kinds[kind].action;
	n->told = kinds[kind].told;
	n->n = 0;
	for (i = 0; i < e->envelope.n_recipients; i++)
		if (applies(&e->progress[i], n->action, is_late) &&
		    !(e->progress[i].told & n->told) && is_wished(e, i, kind))
			n->which[n->n++] = i;
}

int notice_send(struct spool *s, struct entry *e,
		const struct queue_policy *policy, const char *host,
		bool is_late, int64_t now, struct outcome *o)
{
	struct notice n = {
		.e = e,
		.which = memory_resize(NULL, e->envelope.n_recipients + 1,
				       sizeof(size_t)),
	};
	size_t kind;
	int rc = 0;

	for (kind = 0; rc == 0 && kind < sizeof(kinds) / sizeof(kinds[0]);
	     kind++) {
		find(&n, kind, is_late);
		if (!n.n)
			continue;
		if (!addressee(e, policy))
			rc = n.action == DSN_FAILED;
		else if (queue_report(s, &n, policy, host, now, o) < 0 ||
			 note_told(&n, now, o) < 0)
			rc = -1;
	}
	free(n.which);
	return rc;
}
