/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An entry of the queue in words and in JSON. It knows what is said, not which
 * entries there are; those are app/mailq's and app/manage's.
 */
#include "app/listing.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/encode.h"
#include "base/text.h"
#include "queue/schedule.h"

#define MINUTE 60
#define HOUR   3600
#define DAY    86400

/* ------------------------------------------------------------ small things */

void listing_add_size(struct buf *out, uint64_t octets)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double n = (double)octets / 1024;
	size_t i = 0;

	if (octets < 1024) {
		buf_printf(out, "%" PRIu64 " B", octets);
		return;
	}
	for (; n >= 1023.5 && i + 1 < sizeof(units) / sizeof(*units); i++)
		n /= 1024;
	buf_printf(out, n < 9.95 ? "%.1f %s" : "%.0f %s", n, units[i]);
}

void listing_add_span(struct buf *out, int64_t seconds)
{
	if (seconds < 0)
		seconds = 0;
	if (seconds < 2 * MINUTE)
		buf_printf(out, "%" PRId64 " s", seconds);
	else if (seconds < 2 * HOUR)
		buf_printf(out, "%" PRId64 " min", seconds / MINUTE);
	else if (seconds < 2 * DAY)
		buf_printf(out, "%" PRId64 " h", seconds / HOUR);
	else
		buf_printf(out, "%" PRId64 " d", seconds / DAY);
}

void listing_add_time(struct buf *out, int64_t when)
{
	time_t t = (time_t)when;
	struct tm tm;
	char text[64];

	if (localtime_r(&t, &tm) &&
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &tm))
		buf_add_text(out, text);
	else
		buf_printf(out, "%" PRId64, when);
}

static void add_printable(struct buf *out, const char *text)
{
	text_add_printable(out, view_of(text));
}

static void add_sender(struct buf *out, const struct entry *e)
{
	const char *sender = e->envelope.sender.mailbox;

	add_printable(out, sender && *sender ? sender : "<>");
}

/* Who said what. */
static void add_answer(struct buf *out, const struct outcome *o)
{
	if (o->reply_code && o->host) {
		add_printable(out, o->host);
		buf_add_text(out, " said: ");
	} else if (o->host && !(o->text && strstr(o->text, o->host))) {
		add_printable(out, o->host);
		buf_add_text(out, ": ");
	}
	add_printable(out, o->text ? o->text : o->status);
}

bool listing_is_undeliverable(const struct entry *e)
{
	return e->held && e->envelope.n_recipients && !entry_waiting(e);
}

/* --------------------------------------------------------------- how it is */

/* When the server may be asked, if that is later than the schedule's time. */
static int64_t next_time(const struct entry *e, const struct server *sv,
			 int64_t now)
{
	int64_t next = schedule_is_due(e, now) ? now : e->next_attempt;

	if (!server_is_due(sv, now) && sv->next > next)
		next = sv->next;
	return next;
}

static bool is_due(const struct entry *e, const struct server *sv, int64_t now)
{
	return !e->held && !sv->proof && schedule_is_due(e, now) &&
		server_is_due(sv, now);
}

static void add_held(struct buf *out, const struct entry *e)
{
	buf_add_text(out,
		     listing_is_undeliverable(e) ? "failed for good, held"
						 : "held");
	if (*e->held) {
		buf_add_text(out, ": ");
		add_printable(out, e->held);
	}
}

void listing_add_prospect(struct buf *out, const struct entry *e,
			  const struct server *sv, int64_t now)
{
	if (e->held) {
		add_held(out, e);
		return;
	}
	if (sv->proof) {
		buf_add_text(out, "stopped, login refused");
	} else if (is_due(e, sv, now)) {
		buf_add_text(out, "due now");
	} else {
		buf_add_text(out, "in ");
		listing_add_span(out, next_time(e, sv, now) - now);
	}
	if (sv->failures && outcome_is_failure(&sv->why)) {
		buf_add_text(out, ": ");
		add_answer(out, &sv->why);
	}
}

/* Those who wait; where nobody does, those it failed for. */
static bool is_shown(const struct entry *e, size_t i)
{
	enum standing standing = e->progress[i].standing;

	return standing == STANDING_WAITING ||
		(standing == STANDING_REFUSED && listing_is_undeliverable(e));
}

static void add_recipients(struct buf *out, const struct entry *e)
{
	const struct outcome *answer;
	size_t i;

	for (i = 0; i < e->envelope.n_recipients; i++) {
		if (!is_shown(e, i))
			continue;
		buf_add_text(out, "    ");
		add_printable(out, e->envelope.recipients[i].address.mailbox);
		buf_add_char(out, '\n');
		answer = &e->progress[i].answer;
		if (!answer->text && !answer->reply_code)
			continue;
		buf_add_text(out, "        ");
		add_answer(out, answer);
		buf_add_char(out, '\n');
	}
}

void listing_add_heading(struct buf *out)
{
	buf_printf(out, "%-16s  %8s  %6s  %s\n", "ID", "Size", "Age",
		   "Sender, then what is next and who waits");
}

void listing_add_text(struct buf *out, const struct entry *e,
		      const struct server *sv, int64_t now)
{
	struct buf size = BUF_INIT(32), age = BUF_INIT(32);

	listing_add_size(&size, e->size);
	listing_add_span(&age, now - schedule_since(e, now));
	buf_printf(out, "%-16s  %8s  %6s  ", e->id, size.p, age.p);
	add_sender(out, e);
	buf_add_text(out,
		     e->is_report ? " (a delivery report)\n    " : "\n    ");
	listing_add_prospect(out, e, sv, now);
	if (e->attempts)
		buf_printf(out, " (%u attempt%s so far)", e->attempts,
			   e->attempts == 1 ? "" : "s");
	buf_add_char(out, '\n');
	add_recipients(out, e);
	buf_release(&size);
	buf_release(&age);
}

/* ------------------------------------------------------- what its file says */

static const char *const standings[] = {
	[STANDING_WAITING] = "waiting",
	[STANDING_DELIVERED] = "delivered",
	[STANDING_REFUSED] = "refused",
};

static void add_name(struct buf *out, const char *name)
{
	buf_printf(out, "%s: ", name);
}

static void add_line(struct buf *out, const char *name, const char *value)
{
	add_name(out, name);
	add_printable(out, value);
	buf_add_char(out, '\n');
}

static void add_when(struct buf *out, const char *name, int64_t when)
{
	if (!when)
		return;
	add_name(out, name);
	listing_add_time(out, when);
	buf_add_char(out, '\n');
}

static void add_told(struct buf *out, unsigned told)
{
	static const struct {
		enum told bit;
		const char *words;
	} kinds[] = {
		{TOLD_FAILED, "its failure"},
		{TOLD_DELAYED, "its delay"},
		{TOLD_RELAYED, "its delivery"},
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (told & kinds[i].bit)
			buf_printf(out, "; %s is dealt with", kinds[i].words);
}

static void add_standing(struct buf *out, const struct recipient *r,
			 const struct progress *p)
{
	add_name(out, "recipient");
	add_printable(out, r->address.mailbox);
	buf_printf(out, ": %s", standings[p->standing]);
	if (p->at) {
		buf_add_text(out, " since ");
		listing_add_time(out, p->at);
	}
	add_told(out, p->told);
	if (p->answer.text || p->answer.reply_code) {
		buf_add_text(out, ": ");
		add_answer(out, &p->answer);
	}
	buf_add_char(out, '\n');
}

void listing_add_envelope(struct buf *out, const struct entry *e)
{
	size_t i;

	add_line(out, "id", e->id);
	add_when(out, "queued", e->created);
	buf_printf(out, "size: %" PRIu64 "\n", e->size);
	if (e->account)
		add_line(out, "account", e->account);
	if (e->config_file)
		add_line(out, "configuration", e->config_file);
	for (i = 0; i < e->settings.n; i++)
		add_line(out, "setting", e->settings.p[i]);
	if (e->is_report)
		add_line(out, "report", "yes");
	if (e->held)
		add_line(out, "held", *e->held ? e->held : "yes");
	buf_printf(out, "attempts: %u\n", e->attempts);
	add_when(out, "last attempt", e->last_attempt);
	add_when(out, "next attempt", e->next_attempt);
	add_name(out, "sender");
	add_sender(out, e);
	buf_add_char(out, '\n');
	for (i = 0; i < e->envelope.n_recipients; i++)
		add_standing(out, &e->envelope.recipients[i], &e->progress[i]);
}

/* -------------------------------------------------------------------- JSON */

static void add_number(struct buf *out, const char *name, int64_t value)
{
	buf_printf(out, ", \"%s\": %" PRId64, name, value);
}

/* Seconds since 1970; 0 is none. */
static void add_moment(struct buf *out, const char *name, int64_t value)
{
	if (value)
		add_number(out, name, value);
	else
		encode_json_member(out, name, NULL);
}

static void add_flag(struct buf *out, const char *name, bool value)
{
	buf_printf(out, ", \"%s\": %s", name, value ? "true" : "false");
}

static void add_words(struct buf *out, const struct outcome *o)
{
	encode_json_member(out, "status", *o->status ? o->status : NULL);
	add_number(out, "reply_code", o->reply_code);
	encode_json_member(out, "host", o->host);
	encode_json_member(out, "text", o->text);
}

static void add_json_recipients(struct buf *out, const struct entry *e)
{
	const struct progress *p;
	size_t i;

	buf_add_text(out, ", \"recipients\": [");
	for (i = 0; i < e->envelope.n_recipients; i++) {
		p = &e->progress[i];
		buf_add_text(out,
			     i ? ", {\"recipient\": " : "{\"recipient\": ");
		encode_json(out,
			    view_of(e->envelope.recipients[i].address.mailbox));
		encode_json_member(out, "standing", standings[p->standing]);
		add_moment(out, "at", p->at);
		add_words(out, &p->answer);
		buf_add_char(out, '}');
	}
	buf_add_char(out, ']');
}

static void add_json_server(struct buf *out, const struct server *sv)
{
	if (!sv->failures) {
		buf_add_text(out, ", \"server\": null");
		return;
	}
	buf_printf(out, ", \"server\": {\"failures\": %u", sv->failures);
	add_moment(out, "last_attempt", sv->last);
	add_moment(out, "next_attempt", sv->next);
	add_flag(out, "stopped", sv->proof != NULL);
	add_words(out, &sv->why);
	buf_add_char(out, '}');
}

void listing_add_json(struct buf *out, const char *path, const struct entry *e,
		      const struct server *sv, int64_t now)
{
	const char *sender = e->envelope.sender.mailbox;

	buf_add_text(out, "{\"id\": ");
	encode_json(out, view_of(e->id));
	encode_json_member(out, "queue", path);
	encode_json_member(out, "account", e->account);
	encode_json_member(out, "config_file", e->config_file);
	add_moment(out, "queued_at", e->created);
	buf_printf(out, ", \"size\": %" PRIu64, e->size);
	encode_json_member(out, "sender", sender ? sender : "");
	add_json_recipients(out, e);
	add_flag(out, "is_report", e->is_report);
	encode_json_member(out, "held", e->held);
	add_flag(out, "undeliverable", listing_is_undeliverable(e));
	add_number(out, "attempts", e->attempts);
	add_moment(out, "last_attempt", e->last_attempt);
	add_flag(out, "due", is_due(e, sv, now));
	add_moment(out, "next_attempt",
		   e->held || sv->proof ? 0 : next_time(e, sv, now));
	add_json_server(out, sv);
	buf_add_text(out, "}\n");
}
