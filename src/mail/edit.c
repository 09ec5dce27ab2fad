/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The header that goes out: what must not arrive is left out, what must be
 * there and is missing is added at the end, and everything else is copied as
 * it came. Which fields these are is policy; how they look is known here.
 */
#include "mail/edit.h"

#include <stdlib.h>

#include "base/encode.h"
#include "base/idna.h"
#include "base/text.h"

#define LINE_WIDTH     78u  /* columns, RFC 5322 2.1.1 */
#define PLAIN_NAME_MAX 200u /* octets of a name that is not folded */
#define ID_OCTETS      16u  /* of randomness in a Message-ID */

struct edit {
	const struct message *m;
	const struct envelope *e;
	const struct edit_policy *policy;
	const struct edit_facts *facts;
	struct address from; /* for From; mailbox NULL: none is known */
	struct buf *out;
};

/* ------------------------------------------------------------ which fields */

static enum edit_when when_of(const struct edit *edit, enum field_id id)
{
	const struct edit_policy *policy = edit->policy;

	switch (id) {
	case FIELD_FROM:
		return edit->from.mailbox ? policy->set_from : EDIT_OFF;
	case FIELD_DATE: return policy->set_date;
	case FIELD_MESSAGE_ID: return policy->set_msgid;
	case FIELD_TO:
		return policy->undisclosed_recipients ? EDIT_ON
						      : policy->set_to;
	default: return EDIT_OFF;
	}
}

static bool is_left_out(const struct edit *edit, const struct field *f)
{
	if (edit->policy->remove_bcc && f->roles & ROLE_BLIND)
		return true;
	if (edit->policy->undisclosed_recipients &&
	    (f->id == FIELD_CC || f->id == FIELD_BCC))
		return true;
	return when_of(edit, f->id) == EDIT_ON;
}

static bool is_missing(const struct edit *edit, enum field_id id)
{
	const struct message *m = edit->m;

	if (id == FIELD_TO) /* RFC 5322 3.6.3: any of the three will do */
		return !message_field(m, FIELD_TO) &&
			!message_field(m, FIELD_CC) &&
			!message_field(m, FIELD_BCC);
	return !message_field(m, id);
}

static bool is_to_be_added(const struct edit *edit, enum field_id id)
{
	switch (when_of(edit, id)) {
	case EDIT_ON: return true;
	case EDIT_AUTO: return is_missing(edit, id);
	case EDIT_OFF: break;
	}
	return false;
}

/* ------------------------------------------------------------ local names */

static bool is_rewritten(const struct edit *edit, const struct field *f)
{
	return edit->policy->rewrite_header && f->roles & ROLE_ADDRESS &&
		!(f->roles & ROLE_RESENT);
}

/* Where mail to a local name goes; false where that is several mailboxes, or
 * none. */
static bool settle_recipient(const struct edit *edit, struct address *a)
{
	struct address_list list = ADDRESS_LIST_INIT;
	struct outcome ignored = OUTCOME_INIT;
	struct view written = a->written;
	bool ok = true;
	int rc = 0;

	if (edit->e->aliases)
		rc = aliases_expand(edit->e->aliases, view_of(a->mailbox),
				    &list, &ignored);
	if (rc != 0) {
		ok = rc > 0 && list.n == 1;
		if (ok) {
			address_release(a);
			*a = list.p[0];
			a->written = written;
			list.p[0] = ADDRESS_INIT;
		}
	}
	ok = ok && envelope_settle_local(a, edit->facts->local, &ignored) == 0;
	address_list_release(&list);
	outcome_release(&ignored);
	return ok;
}

/* A local name's home: an author's is the name at maildomain, or the account's
 * own address; everybody else's is where mail to it goes. */
static bool settle(const struct edit *edit, const struct field *f,
		   struct address *a)
{
	const struct local_policy *local = edit->facts->local;
	struct outcome ignored = OUTCOME_INIT;
	struct view written = a->written;
	int rc;

	if (!(f->roles & ROLE_ORIGIN))
		return settle_recipient(edit, a);
	if (local && local->maildomain) {
		rc = address_qualify(a, local->maildomain, &ignored);
	} else {
		address_release(a);
		rc = edit->from.has_domain
			? address_parse(view_of(edit->from.mailbox), a,
					&ignored)
			: -1;
		a->written = written;
	}
	outcome_release(&ignored);
	return rc == 0;
}

/* The field with its local names replaced; false: there is nothing to do. */
static bool add_rewritten(const struct edit *edit, const struct field *f)
{
	struct address_list list = ADDRESS_LIST_INIT;
	struct outcome ignored = OUTCOME_INIT;
	const char *at = f->raw.p;
	bool ok = address_list_parse(f->body, &list, &ignored) == 0;
	size_t i;

	for (i = 0; ok && i < list.n; i++) {
		struct address *a = &list.p[i];

		if (a->has_domain || !settle(edit, f, a))
			continue;
		buf_add(edit->out, at, (size_t)(a->written.p - at));
		buf_add_text(edit->out, a->mailbox);
		at = a->written.p + a->written.n;
	}
	if (at != f->raw.p)
		buf_add(edit->out, at, (size_t)(f->raw.p + f->raw.n - at));
	address_list_release(&list);
	outcome_release(&ignored);
	return at != f->raw.p;
}

/* Copies what lies between the fields that are left out or replaced. */
static void copy_fields(const struct edit *edit)
{
	const struct message *m = edit->m;
	const char *at = m->header.p;
	const struct field *f;
	bool is_gone;
	size_t i;

	for (i = 0; i < m->n_fields; i++) {
		f = &m->fields[i];
		is_gone = is_left_out(edit, f);
		if (!is_gone && !is_rewritten(edit, f))
			continue;
		buf_add(edit->out, at, (size_t)(f->raw.p - at));
		at = f->raw.p;
		if (is_gone || add_rewritten(edit, f))
			at += f->raw.n;
	}
	buf_add(edit->out, at, (size_t)(m->header.p + m->header.n - at));
}

/* ----------------------------------------------------------- what is added */

/* The zone has no seconds, so neither has what it adds. */
int edit_add_time(time_t when, struct buf *out, struct outcome *o)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm t;
	long zone;

	tzset();
	if (!localtime_r(&when, &t))
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
				  "cannot tell the local time");
	zone = t.tm_gmtoff / 60;
	when += zone * 60;
	gmtime_r(&when, &t);
	buf_printf(out, "%.3s, %d %.3s %d %02d:%02d:%02d %c%02ld%02ld\r\n",
		   days + 3 * t.tm_wday, t.tm_mday, months + 3 * t.tm_mon,
		   t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec,
		   zone < 0 ? '-' : '+', labs(zone) / 60, labs(zone) % 60);
	return 0;
}

static int add_date(const struct edit *edit, struct outcome *o)
{
	buf_add_text(edit->out, "Date: ");
	return edit_add_time(edit->facts->now, edit->out, o);
}

/* RFC 5321 4.4. */
static int add_received(const struct edit *edit, struct outcome *o)
{
	if (!edit->facts->received)
		return 0;
	buf_printf(edit->out, "Received: %s;\r\n\t", edit->facts->received);
	return edit_add_time(edit->facts->now, edit->out, o);
}

static const char *domain_of(const struct address *a)
{
	return a->has_domain ? a->mailbox + a->local_n + 1 : NULL;
}

/* RFC 5322 3.6.4: the right side is the sender's, or this machine's. */
static int add_message_id(const struct edit *edit, struct outcome *o)
{
	const char *domain = domain_of(&edit->e->sender);
	struct outcome ignored = OUTCOME_INIT;
	char *host = NULL;

	buf_add_text(edit->out, "Message-ID: <");
	if (!encode_random(edit->out, ID_OCTETS))
		return fail(o, CAUSE_SYSTEM, "4.3.0",
			    "there is no randomness for a Message-ID");
	if (!domain)
		domain = domain_of(&edit->from);
	if (!domain) {
		host = idna_to_ascii(view_of(edit->facts->host), &ignored);
		domain = host ? host : "localhost";
	}
	buf_printf(edit->out, "@%s>\r\n", domain);
	outcome_release(&ignored);
	free(host);
	return 0;
}

/* May the name stand in quotes, on one line? An encoded word in disguise may,
 * too: nobody decodes it there (RFC 2047 5). */
static bool is_plain(struct view name)
{
	size_t i;

	for (i = 0; i < name.n; i++)
		if (name.p[i] < ' ' || name.p[i] > '~')
			return false;
	return name.n <= PLAIN_NAME_MAX;
}

static bool needs_quotes(struct view name)
{
	size_t i;

	for (i = 0; i < name.n; i++)
		if (!text_is_alpha(name.p[i]) && !text_is_digit(name.p[i]) &&
		    name.p[i] != ' ' && name.p[i] != '-')
			return true;
	return false;
}

static void add_quoted(struct buf *out, struct view v)
{
	size_t i;

	buf_add_char(out, '"');
	for (i = 0; i < v.n; i++) {
		if (v.p[i] == '"' || v.p[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, v.p[i]);
	}
	buf_add_char(out, '"');
}

static size_t column_of(const struct buf *b)
{
	size_t n = 0;

	while (n < b->n && b->p[b->n - n - 1] != '\n')
		n++;
	return n;
}

/* RFC 5322 3.6.2. */
static void add_from(const struct edit *edit)
{
	struct view name = view_trim(view_of(edit->facts->full_name));
	struct view mailbox = view_of(edit->from.mailbox);
	struct buf *out = edit->out;

	buf_add_text(out, "From: ");
	if (!name.n) {
		buf_printf(out, "%s\r\n", mailbox.p);
		return;
	}
	if (!is_plain(name))
		encode_words(out, name, column_of(out));
	else if (needs_quotes(name))
		add_quoted(out, name);
	else
		buf_add_view(out, name);
	if (column_of(out) + mailbox.n + 3 > LINE_WIDTH)
		buf_add_text(out, "\r\n");
	buf_printf(out, " <%s>\r\n", mailbox.p);
}

static int add_missing(const struct edit *edit, struct outcome *o)
{
	if (is_to_be_added(edit, FIELD_DATE) && add_date(edit, o) < 0)
		return -1;
	if (is_to_be_added(edit, FIELD_MESSAGE_ID) &&
	    add_message_id(edit, o) < 0)
		return -1;
	if (is_to_be_added(edit, FIELD_FROM))
		add_from(edit);
	if (is_to_be_added(edit, FIELD_TO))
		buf_add_text(edit->out, "To: undisclosed-recipients:;\r\n");
	return 0;
}

/* ---------------------------------------------------------------- contract */

/* What From would say, checked: it may come from a configuration. */
static int find_from(struct edit *edit, struct outcome *o)
{
	const char *text = edit->facts->from;

	if (!text)
		text = edit->e->sender.mailbox;
	if (!text || !*text)
		return 0;
	if (address_parse(view_of(text), &edit->from, o) == 0)
		return 0;
	return envelope_blame_sender(o);
}

int edit_header(const struct message *m, const struct envelope *e,
		const struct edit_policy *policy,
		const struct edit_facts *facts, struct buf *header,
		struct outcome *o)
{
	struct edit edit = {m, e, policy, facts, ADDRESS_INIT, header};
	int rc = find_from(&edit, o);

	if (rc == 0)
		rc = add_received(&edit, o);
	if (rc == 0) {
		copy_fields(&edit);
		rc = add_missing(&edit, o);
	}
	if (rc == 0 && header->overflow)
		rc = fail(o, CAUSE_CONTENT, "5.3.4",
			  "the header has more than %u MiB",
			  MESSAGE_HEADER_LIMIT >> 20);
	address_release(&edit.from);
	return rc;
}
