/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A delivery status notification, written as one text and read in as any other
 * message. What stands in it was said by others: each value is made printable
 * and folded before it gets a line, so none can begin a field or a part. What
 * people read is mail/dsnwords'.
 */
#include "mail/dsn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/idna.h"
#include "base/memory.h"
#include "base/text.h"
#include "mail/dsnwords.h"
#include "mail/edit.h"
#include "mail/fold.h"
#include "mail/intake.h"
#include "mail/plan.h"
#include "mail/transfer.h"
#include "mail/wrap.h"

#define REPORT_LIMIT (256u << 20) /* octets ahead of what is returned */
#define BLOCK_SIZE   (64u << 10)  /* octets of the body read at once */
#define RANDOM_SIZE  16u          /* octets, of an id and of a boundary */
#define ID_MAX       900u         /* octets of a Message-ID referred to */

/* A report being written. */
struct report {
	const struct dsn *d;
	char *host;            /* ours, in ASCII */
	char *domain;          /* … for mail */
	struct buf boundary;   /* without the dashes */
	bool is_status_global; /* message/global-delivery-status */
	bool is_header_global; /* message/global, message/global-headers */
	bool is_header_sound;  /* fit to be a message's header as it is */
	bool is_whole;         /* the body is returned, too */
	struct buf out;
};

/* ---------------------------------------------------------- what it will be */

/* A name of ours that may be no domain: nothing may depend on it. */
static char *host_in_ascii(const char *host)
{
	struct outcome ignored = OUTCOME_INIT;
	struct view v = view_of(host);
	char *ascii = NULL;
	size_t i;

	if (v.n && v.p[0] == '[' && v.p[v.n - 1] == ']') {
		for (i = 1; i + 1 < v.n; i++)
			if (!text_is_alpha(v.p[i]) && !text_is_digit(v.p[i]) &&
			    v.p[i] != '.' && v.p[i] != ':')
				break;
		if (i + 1 == v.n)
			ascii = memory_dup(host);
	}
	if (!ascii)
		ascii = idna_to_ascii(v, &ignored);
	outcome_release(&ignored);
	return ascii ? ascii : memory_dup("localhost");
}

static bool is_text_8bit(const char *text)
{
	return view_has_8bit(view_of(text));
}

static bool has_utf8_address(const struct dsn *d)
{
	const struct recipient *r;
	size_t i;

	for (i = 0; i < d->n; i++) {
		r = d->recipients[i].recipient;
		if (is_text_8bit(r->address.mailbox) ||
		    is_text_8bit(r->orcpt) || is_text_8bit(r->original.mailbox))
			return true;
	}
	return false;
}

/* Lines as RFC 5322 2.1 and 2.2 have them, but for octets over 127. */
static bool is_sound(struct view header)
{
	struct view rest = header, line;

	if (view_has_bare_cr(header) || view_has_bare_lf(header))
		return false;
	while (rest.n) {
		line = view_next_line(&rest);
		if (line.n > FOLD_LINE_MAX || view_has_control(line))
			return false;
	}
	return view_is_utf8(header);
}

/* What we could not send because of what it is can't be sent in a report,
 * either; but its addresses can (X.6.7), as they stand in parts of types that
 * may be encoded. */
static bool was_unfit(const struct dsn *d)
{
	const struct outcome *a;
	size_t i;

	for (i = 0; i < d->n; i++) {
		a = d->recipients[i].answer;
		if (!a->reply_code && strcmp(a->status, "5.6.7") != 0 &&
		    (a->cause == CAUSE_FEATURE || a->cause == CAUSE_CONTENT))
			return true;
	}
	return false;
}

/* RFC 3461 4.3: the body goes back only with a failure. */
static bool is_body_returned(const struct report *r)
{
	const struct dsn *d = r->d;
	const struct message *m = d->message;

	return d->action == DSN_FAILED && d->envelope->ret != RETURN_HEADERS &&
		m->body && r->is_header_sound && !m->nul_line &&
		!m->bare_cr_line && !m->bare_lf_line && !was_unfit(d) &&
		d->header.n + store_size(m->body) <= DSN_RETURN_MAX;
}

static int add_random(struct buf *out, struct outcome *o)
{
	if (encode_random(out, RANDOM_SIZE))
		return 0;
	return fail(o, CAUSE_SYSTEM, "4.3.0",
		    "there is no randomness for a report");
}

/* --------------------------------------------------------------- its header */

/* May it stand in a field as a message's id? */
static bool is_id(struct view v)
{
	size_t i;

	if (v.n <= 2 || v.n >= ID_MAX || v.p[0] != '<' || v.p[v.n - 1] != '>')
		return false;
	for (i = 1; i < v.n - 1; i++)
		if (v.p[i] <= ' ' || v.p[i] > '~' || v.p[i] == '<' ||
		    v.p[i] == '>')
			return false;
	return true;
}

static void add_references(struct report *r)
{
	struct field f;
	struct view id;

	if (!field_find(r->d->header, VIEW("Message-ID"), &f))
		return;
	id = view_trim(f.body);
	if (!is_id(id))
		return;
	buf_add_text(&r->out, "In-Reply-To: ");
	buf_add_view(&r->out, id);
	buf_add_text(&r->out, "\r\nReferences: ");
	buf_add_view(&r->out, id);
	buf_add_text(&r->out, "\r\n");
}

/* What holds parts may not claim less than they do (RFC 2045 6.4). */
static bool is_any_8bit(const struct report *r)
{
	return r->is_status_global ||
		(r->is_header_global && r->is_header_sound) ||
		(r->is_whole && r->d->message->body_8bit);
}

static int add_header(struct report *r, struct outcome *o)
{
	struct buf *out = &r->out;

	buf_add_text(out, "Date: ");
	if (edit_add_time((time_t)r->d->now, out, o) < 0)
		return -1;
	buf_printf(out,
		   "From: \"Mail Delivery System\" <MAILER-DAEMON@%s>\r\n"
		   "To: <%s>\r\nSubject: %s\r\nMessage-ID: <",
		   r->domain, r->d->to, dsnwords_subject(r->d));
	if (add_random(out, o) < 0)
		return -1;
	buf_printf(out, "@%s>\r\n", r->host);
	add_references(r);
	buf_printf(out,
		   "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
		   "Content-Transfer-Encoding: %s\r\n"
		   "Content-Type: multipart/report; report-type="
		   "delivery-status;\r\n"
		   "\tboundary=\"%s\"\r\n",
		   is_any_8bit(r) ? "8bit" : "7bit", r->boundary.p);
	return 0;
}

/* ---------------------------------------------------------------- its parts */

static void begin_part(struct report *r, const char *type, const char *encoding)
{
	buf_printf(&r->out,
		   "\r\n--%s\r\nContent-Type: %s\r\n"
		   "Content-Transfer-Encoding: %s\r\n",
		   r->boundary.p, type, encoding);
}

static void add_quoted_printable(struct buf *out, struct view text)
{
	struct encoder e = ENCODER_INIT(TRANSFER_QP);

	encoder_feed(&e, text, out);
	encoder_finish(&e, out);
}

static int add_words(struct report *r, struct outcome *o)
{
	struct buf text = BUF_INIT(REPORT_LIMIT);
	int rc = dsnwords_text(r->d, r->is_whole, &text, o);
	struct view v = buf_view(&text);

	if (view_has_8bit(v)) {
		begin_part(r, "text/plain; charset=utf-8", "quoted-printable");
		buf_add_text(&r->out, "\r\n");
		add_quoted_printable(&r->out, v);
	} else {
		begin_part(r, "text/plain; charset=us-ascii", "7bit");
		buf_add_text(&r->out, "\r\n");
		buf_add_view(&r->out, v);
	}
	buf_release(&text);
	return rc;
}

/* --------------------------------------------------------------- its status */

/* In ASCII other characters are written as RFC 6533 3 does. */
static void add_value(struct report *r, const char *name, const char *type,
		      struct view value)
{
	struct buf text = BUF_INIT(REPORT_LIMIT);
	struct buf printable = BUF_INIT(REPORT_LIMIT);

	text_add_printable(&printable, value);
	if (r->is_status_global)
		buf_add_view(&text, buf_view(&printable));
	else
		encode_code_points(&text, buf_view(&printable));
	buf_printf(&r->out, "%s: %s", name, type);
	wrap_text(&r->out, buf_view(&text), " ");
	buf_add_text(&r->out, "\r\n");
	buf_release(&text);
	buf_release(&printable);
}

static int add_date(struct report *r, const char *name, int64_t when,
		    struct outcome *o)
{
	if (!when)
		return 0;
	buf_printf(&r->out, "%s: ", name);
	return edit_add_time((time_t)when, &r->out, o);
}

/* Short ones that are compared: each of their blanks counts. */
static void add_exact(struct report *r, const char *name, const char *type,
		      const char *value)
{
	buf_printf(&r->out, "%s: %s", name, type);
	text_add_printable(&r->out, view_of(value));
	buf_add_text(&r->out, "\r\n");
}

static void add_address(struct report *r, const char *name, const char *mailbox)
{
	add_exact(r, name, is_text_8bit(mailbox) ? "utf-8; " : "rfc822; ",
		  mailbox);
}

/* RFC 3461 6.3 (a): as it was given, but no xtext; a type that is none of the
 * known has its own form, which stays. */
static void add_original(struct report *r, const struct recipient *who)
{
	struct view given = view_of(who->orcpt), text;
	struct buf plain = BUF_INIT(REPORT_LIMIT);
	const char *mark;

	if (!who->orcpt) {
		if (who->original.mailbox)
			add_address(r, "Original-Recipient",
				    who->original.mailbox);
		return;
	}
	mark = strchr(who->orcpt, ';');
	text = view_skip(given, mark ? (size_t)(mark - who->orcpt) + 1 : 0);
	if (!decode_xtext(&plain, text) || view_has_8bit(buf_view(&plain)) ||
	    view_has_control(buf_view(&plain))) {
		buf_clear(&plain);
		buf_add_view(&plain, text);
	}
	buf_printf(&r->out, "Original-Recipient: ");
	wrap_text(&r->out,
		  mark ? view_make(given.p, given.n - text.n) : VIEW("rfc822;"),
		  " ");
	wrap_text(&r->out, buf_view(&plain), " ");
	buf_add_text(&r->out, "\r\n");
	buf_release(&plain);
}

/* The class is the action's: what was given up is no longer 4, what waits is
 * not 5. */
static void add_status(struct report *r, const struct outcome *a)
{
	static const struct {
		const char *action;
		char digit;
	} rows[] = {
		[DSN_FAILED] = {"failed", '5'},
		[DSN_DELAYED] = {"delayed", '4'},
		[DSN_RELAYED] = {"relayed", '2'},
	};
	const char *status = a->status[0] ? a->status : "0.0.0";

	buf_printf(&r->out, "Action: %s\r\nStatus: %c%s\r\n",
		   rows[r->d->action].action, rows[r->d->action].digit,
		   status + 1);
}

#define OUR_MARK " (in reply to "

/* The server may have said it, too. */
static const char *last_of(struct view v, const char *text)
{
	const char *found = NULL, *at = v.p;

	while ((at = strstr(at, text)))
		found = at++;
	return found;
}

/* The server's own words, without what was put around them here. */
static struct view words_of(const struct outcome *a)
{
	struct view v = view_of(a->text);
	char code[16];
	const char *at;

	snprintf(code, sizeof(code), ": %d", a->reply_code);
	at = strstr(v.p, code);
	if (at)
		v = view_skip(v, (size_t)(at - v.p) + 2);
	at = v.n && v.p[v.n - 1] == ')' ? last_of(v, OUR_MARK) : NULL;
	if (at)
		v.n = (size_t)(at - v.p);
	return v;
}

static void add_answer(struct report *r, const struct outcome *a)
{
	add_status(r, a);
	if (!a->reply_code)
		return;
	if (a->host && *a->host)
		add_value(r, "Remote-MTA", "dns; ", view_of(a->host));
	if (a->text && *a->text)
		add_value(r, "Diagnostic-Code", "smtp; ", words_of(a));
}

static int add_recipient(struct report *r, const struct dsn_recipient *who,
			 struct outcome *o)
{
	buf_add_text(&r->out, "\r\n");
	add_original(r, who->recipient);
	add_address(r, "Final-Recipient", who->recipient->address.mailbox);
	add_answer(r, who->answer);
	if (add_date(r, "Last-Attempt-Date", who->last_attempt, o) < 0)
		return -1;
	return r->d->action == DSN_DELAYED
		? add_date(r, "Will-Retry-Until", who->retry_until, o)
		: 0;
}

/* RFC 3464 2.2, 2.3. */
static int add_delivery_status(struct report *r, struct outcome *o)
{
	const struct dsn *d = r->d;
	size_t i;

	begin_part(r,
		   r->is_status_global ? "message/global-delivery-status"
				       : "message/delivery-status",
		   r->is_status_global ? "8bit" : "7bit");
	buf_add_text(&r->out, "\r\n");
	if (d->envelope->envid)
		add_exact(r, "Original-Envelope-Id", "", d->envelope->envid);
	add_value(r, "Reporting-MTA", "dns; ", view_of(r->host));
	if (add_date(r, "Arrival-Date", d->arrived, o) < 0)
		return -1;
	for (i = 0; i < d->n; i++)
		if (add_recipient(r, &d->recipients[i], o) < 0)
			return -1;
	return 0;
}

/* --------------------------------------------------------- what is returned */

/* One that could not stand as a header is returned as text that is encoded. */
static void add_headers_alone(struct report *r)
{
	struct view header = r->d->header;

	if (!r->is_header_sound) {
		begin_part(r, "text/rfc822-headers", "quoted-printable");
		buf_add_text(&r->out, "\r\n");
		add_quoted_printable(&r->out, header);
		return;
	}
	begin_part(r,
		   r->is_header_global ? "message/global-headers"
				       : "text/rfc822-headers",
		   r->is_header_global ? "8bit" : "7bit");
	buf_add_text(&r->out, "\r\n");
	buf_add_view(&r->out, header);
}

static void begin_returned(struct report *r)
{
	bool is_8bit = r->is_header_global || r->d->message->body_8bit;

	if (!r->is_whole) {
		add_headers_alone(r);
		return;
	}
	begin_part(r, r->is_header_global ? "message/global" : "message/rfc822",
		   is_8bit ? "8bit" : "7bit");
	buf_add_text(&r->out, "\r\n");
	buf_add_view(&r->out, r->d->header);
	buf_add_text(&r->out, "\r\n");
}

static int copy_body(const struct store *body, struct intake *in,
		     struct outcome *o)
{
	struct buf block = BUF_INIT(2 * BLOCK_SIZE);
	char *room = buf_room(&block, BLOCK_SIZE);
	uint64_t offset = 0;
	ptrdiff_t n;
	int rc = 0;

	do {
		n = store_read(body, offset, room, BLOCK_SIZE, o);
		if (n < 0 || intake_take(in, view_make(room, (size_t)n), o) < 0)
			rc = -1;
		else
			offset += (uint64_t)n;
	} while (rc == 0 && n > 0);
	buf_release(&block);
	return rc;
}

/* ---------------------------------------------------------------- all of it */

static int compose(struct report *r, struct outcome *o)
{
	if (add_random(&r->boundary, o) < 0 || add_header(r, o) < 0 ||
	    add_words(r, o) < 0 || add_delivery_status(r, o) < 0)
		return -1;
	begin_returned(r);
	return r->out.overflow
		? fail(o, CAUSE_CONTENT, "5.3.4", "the report is too long")
		: 0;
}

static int take_in(const struct report *r, struct message *m, struct outcome *o)
{
	const struct intake_policy policy = {0};
	struct intake *in = intake_new(m, &policy);
	struct buf end = BUF_INIT(256);
	int rc = intake_take(in, buf_view(&r->out), o);

	if (rc == 0 && r->is_whole)
		rc = copy_body(r->d->message->body, in, o);
	buf_printf(&end, "\r\n--%s--\r\n", r->boundary.p);
	if (rc == 0)
		rc = intake_take(in, buf_view(&end), o);
	if (rc == 0)
		rc = intake_end(in, o);
	intake_free(in);
	buf_release(&end);
	return rc;
}

static int make(struct report *r, struct message *m, struct outcome *o)
{
	int rc = compose(r, o);

	if (rc == 0)
		rc = take_in(r, m, o);
	buf_release(&r->out);
	buf_release(&r->boundary);
	return rc;
}

/* Would a server take it that has no extension at all? A part that is signed,
 * or of some message types, can't be encoded for it. */
static bool fits_anywhere(const struct message *m)
{
	const struct carriage none = {0};
	struct outcome ignored = OUTCOME_INIT;
	struct plan p = PLAN_INIT;
	int rc = plan_make(m, buf_view(&m->header), &none, REENCODE_AUTO, &p,
			   &ignored);

	plan_release(&p);
	outcome_release(&ignored);
	return rc == 0;
}

int dsn_compose(const struct dsn *d, struct message *m, struct outcome *o)
{
	struct report r = {
		.d = d,
		.host = host_in_ascii(d->host),
		.domain = host_in_ascii(d->domain ? d->domain : d->host),
		.boundary = BUF_INIT(128),
		.is_status_global = has_utf8_address(d),
		.is_header_global = view_has_8bit(d->header),
		.is_header_sound = is_sound(d->header),
		.out = BUF_INIT(REPORT_LIMIT),
	};
	int rc;

	r.is_whole = is_body_returned(&r);
	rc = make(&r, m, o);
	if (rc == 0 && r.is_whole && !fits_anywhere(m)) {
		message_release(m);
		r.is_whole = false;
		rc = make(&r, m, o);
	}
	free(r.domain);
	free(r.host);
	return rc;
}
