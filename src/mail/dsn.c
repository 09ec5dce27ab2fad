/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A report of delivery: what it says to people, what it says to programs, and
 * what it returns. All that others have written (addresses, fields, a server's
 * words) goes through add_words, so it can neither end a line nor a part.
 */
#include "mail/dsn.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <time.h>

#include "base/encode.h"
#include "base/text.h"
#include "mail/date.h"
#include "mail/field.h"
#include "mail/intake.h"

#define COLUMNS    76u         /* of a line, where words allow it */
#define WORD_MAX   512u        /* octets of a word, which then is cut */
#define VALUE_MAX  4096u       /* octets of a value; the rest goes */
#define HEAD_LIMIT (16u << 20) /* octets of all but what is returned */
#define PIECE      (64u << 10) /* octets of a body read at once */
#define ID_OCTETS  16u         /* of randomness */
#define ID_MAX     900u        /* octets of a Message-ID that is referred to */

struct composer {
	const struct dsn *d;
	struct buf out;
	char boundary[2 * ID_OCTETS + 8];
	bool global; /* the forms of RFC 6533 */
	bool returns_body;
};

/* -------------------------------------------------------------------- words */

/* Words with one blank between them, on lines that begin with `indent`. Returns
 * the column behind them. */
static size_t add_words(struct buf *out, struct view text, size_t column,
			const char *indent)
{
	struct buf printable = BUF_INIT(4 * VALUE_MAX);
	struct view rest, word;
	bool is_first = true;

	if (text.n > VALUE_MAX)
		text.n = VALUE_MAX;
	text_add_printable(&printable, text);
	rest = buf_view(&printable);
	while ((word = view_next_word(&rest)).n) {
		if (word.n > WORD_MAX) {
			rest = view_make(word.p + WORD_MAX,
					 rest.n + word.n - WORD_MAX);
			word.n = WORD_MAX;
		}
		if (!is_first && column + 1 + word.n > COLUMNS) {
			buf_printf(out, "\r\n%s", indent);
			column = strlen(indent);
		} else if (!is_first) {
			buf_add_char(out, ' ');
			column++;
		}
		buf_add_view(out, word);
		column += word.n;
		is_first = false;
	}
	buf_release(&printable);
	return column;
}

static void add_line(struct buf *out, struct view text, const char *indent)
{
	buf_add_text(out, indent);
	add_words(out, text, strlen(indent), indent);
	buf_add_text(out, "\r\n");
}

/* What must be ASCII, is: other characters as \x{HEX}. */
static void add_value(struct composer *c, size_t column, struct view value)
{
	struct buf ascii = BUF_INIT(16 * VALUE_MAX);

	if (value.n > VALUE_MAX)
		value.n = VALUE_MAX;
	if (!c->global && view_has_8bit(value)) {
		if (view_is_utf8(value))
			encode_code_points(&ascii, value);
		else
			text_add_printable(&ascii, value);
		value = buf_view(&ascii);
	}
	add_words(&c->out, value, column, "  ");
	buf_release(&ascii);
}

/* One field: "Name: type; value". `type` may be empty. */
static void add_field(struct composer *c, const char *name, const char *type,
		      struct view value)
{
	size_t before = c->out.n;

	buf_printf(&c->out, "%s: %s", name, type);
	add_value(c, c->out.n - before, value);
	buf_add_text(&c->out, "\r\n");
}

static int add_date_field(struct composer *c, const char *name, int64_t when,
			  struct outcome *o)
{
	int rc;

	buf_printf(&c->out, "%s: ", name);
	rc = date_add(&c->out, (time_t)when, o);
	buf_add_text(&c->out, "\r\n");
	return rc;
}

static struct view find_field(const struct dsn *d, struct view name)
{
	struct view rest = d->header;
	struct field f;

	for (; field_cut(rest, &f); rest = view_skip(rest, f.raw.n))
		if (view_equal_nocase(f.name, name))
			return view_trim(f.body);
	return VIEW("");
}

/* ----------------------------------------------------------- its own header */

static int add_random(struct buf *out, struct outcome *o)
{
	char octets[ID_OCTETS];

	if (gnutls_rnd(GNUTLS_RND_NONCE, octets, sizeof(octets)) < 0)
		return fail(o, CAUSE_SYSTEM, "4.3.0",
			    "there is no randomness for a report");
	encode_hex(out, view_make(octets, sizeof(octets)), '\0');
	return 0;
}

static int choose_boundary(struct composer *c, struct outcome *o)
{
	struct buf text = BUF_INIT(sizeof(c->boundary) - 1);
	int rc;

	buf_add_text(&text, "=_");
	rc = add_random(&text, o);
	memcpy(c->boundary, text.p, text.n + 1);
	buf_release(&text);
	return rc;
}

/* Is it one that can stand in a field as it is? */
static bool is_message_id(const struct composer *c, struct view v)
{
	return v.n > 2 && v.n <= ID_MAX && v.p[0] == '<' &&
		v.p[v.n - 1] == '>' && !view_has_control(v) &&
		!memchr(v.p, ' ', v.n) && !memchr(v.p, '\t', v.n) &&
		(c->global || !view_has_8bit(v));
}

static const char *subject_of(const struct dsn *d)
{
	switch (d->action) {
	case DSN_FAILED: return "Your message could not be delivered";
	case DSN_DELAYED: return "Your message is late";
	default: return "Your message was passed on";
	}
}

static int add_header(struct composer *c, struct outcome *o)
{
	const struct dsn *d = c->d;
	struct view id = find_field(d, VIEW("Message-ID"));

	buf_printf(&c->out,
		   "From: \"Mail Delivery System\" <MAILER-DAEMON@%s>\r\n"
		   "To: <%s>\r\nSubject: %s\r\n",
		   d->host, d->to, subject_of(d));
	if (add_date_field(c, "Date", d->now, o) < 0)
		return -1;
	buf_add_text(&c->out, "Message-ID: <");
	if (add_random(&c->out, o) < 0)
		return -1;
	buf_printf(&c->out, "@%s>\r\n", d->host);
	if (is_message_id(c, id))
		buf_printf(&c->out, "In-Reply-To: %.*s\r\nReferences: %.*s\r\n",
			   (int)id.n, id.p, (int)id.n, id.p);
	buf_printf(&c->out,
		   "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
		   "Content-Type: multipart/report;\r\n"
		   " report-type=delivery-status;\r\n boundary=\"%s\"\r\n\r\n",
		   c->boundary);
	return 0;
}

static void begin_part(struct composer *c, const char *type, bool is_8bit)
{
	buf_printf(&c->out,
		   "\r\n--%s\r\nContent-Type: %s\r\n"
		   "Content-Transfer-Encoding: %s\r\n\r\n",
		   c->boundary, type, is_8bit ? "8bit" : "7bit");
}

/* ---------------------------------------------------------------- to people */

static const char *opening_of(const struct dsn *d)
{
	switch (d->action) {
	case DSN_FAILED:
		return "Your message has not reached those who are named below, "
		       "and nothing more will be tried.";
	case DSN_DELAYED:
		return "Your message has not reached those who are named below "
		       "yet. It is tried again; you need not do anything.";
	default:
		return "Your message was handed to the next server for those "
		       "who are named below. That server does not report what "
		       "becomes of it.";
	}
}

static int add_facts(struct composer *c, struct buf *out, struct outcome *o)
{
	const struct dsn *d = c->d;
	struct view subject = find_field(d, VIEW("Subject"));
	struct buf line = BUF_INIT(VALUE_MAX + 64);
	int rc;

	if (subject.n > VALUE_MAX)
		subject.n = VALUE_MAX;
	buf_add_text(&line, "Subject: ");
	buf_add_view(&line, subject);
	add_line(out, buf_view(&line), "  ");
	buf_add_text(out, "  Sent: ");
	rc = date_add(out, (time_t)d->arrived, o);
	buf_printf(out, "\r\n  Queued as: %s\r\n\r\n", d->id);
	buf_release(&line);
	return rc;
}

static void add_who(struct buf *out, const struct dsn_recipient *r)
{
	struct buf line = BUF_INIT(4 * VALUE_MAX);

	add_line(out, view_of(r->recipient->address.mailbox), "");
	if (r->answer->text) {
		if (r->answer->reply_code && r->answer->host)
			buf_printf(&line, "%s said: ", r->answer->host);
		buf_add_text(&line, r->answer->text);
		add_line(out, buf_view(&line), "    ");
	}
	buf_add_text(out, "\r\n");
	buf_release(&line);
}

static int add_explanation(struct composer *c, struct outcome *o)
{
	struct buf text = BUF_INIT(HEAD_LIMIT);
	const struct dsn *d = c->d;
	size_t i;
	int rc;

	add_line(&text, view_of(opening_of(d)), "");
	buf_add_text(&text, "\r\n");
	rc = add_facts(c, &text, o);
	for (i = 0; i < d->n; i++)
		add_who(&text, &d->recipients[i]);
	if (d->action == DSN_DELAYED && d->n && d->recipients[0].retry_until) {
		buf_add_text(&text, "It will be given up after ");
		rc |= date_add(&text, (time_t)d->recipients[0].retry_until, o);
		buf_add_text(&text, ".\r\n");
	}
	begin_part(c, "text/plain; charset=utf-8",
		   view_has_8bit(buf_view(&text)));
	buf_add_view(&c->out, buf_view(&text));
	buf_release(&text);
	return rc;
}

/* -------------------------------------------------------------- to programs */

static const char *action_of(const struct dsn *d)
{
	switch (d->action) {
	case DSN_FAILED: return "failed";
	case DSN_DELAYED: return "delayed";
	default: return "relayed";
	}
}

/* RFC 3461 4.2: a type, a semicolon, and xtext, which is undone here (RFC 3464
 * 2.3.1); else the name that an alias stood for. */
static void add_original(struct composer *c, const struct recipient *r)
{
	const char *semicolon = r->orcpt ? strchr(r->orcpt, ';') : NULL;
	struct buf type = BUF_INIT(128), plain = BUF_INIT(VALUE_MAX);

	if (semicolon) {
		buf_printf(&type, "%.*s; ", (int)(semicolon - r->orcpt),
			   r->orcpt);
		if (!decode_xtext(&plain, view_of(semicolon + 1)))
			buf_add_text(&plain, semicolon + 1);
		add_field(c, "Original-Recipient", type.p, buf_view(&plain));
	} else if (r->original.mailbox) {
		add_field(c, "Original-Recipient",
			  r->original.needs_utf8 ? "utf-8; " : "rfc822; ",
			  view_of(r->original.mailbox));
	}
	buf_release(&type);
	buf_release(&plain);
}

/* RFC 3464 2.3 */
static int add_recipient(struct composer *c, const struct dsn_recipient *r,
			 struct outcome *o)
{
	const struct outcome *answer = r->answer;

	buf_add_text(&c->out, "\r\n");
	add_original(c, r->recipient);
	add_field(c, "Final-Recipient",
		  r->recipient->address.needs_utf8 ? "utf-8; " : "rfc822; ",
		  view_of(r->recipient->address.mailbox));
	add_field(c, "Action", "", view_of(action_of(c->d)));
	add_field(c, "Status", "",
		  view_of(answer->status[0] ? answer->status : "2.0.0"));
	if (answer->reply_code && answer->host)
		add_field(c, "Remote-MTA", "dns; ", view_of(answer->host));
	if (answer->reply_code && answer->text)
		add_field(c, "Diagnostic-Code", "smtp; ",
			  view_of(answer->text));
	if (r->last_attempt &&
	    add_date_field(c, "Last-Attempt-Date", r->last_attempt, o) < 0)
		return -1;
	if (c->d->action == DSN_DELAYED && r->retry_until)
		return add_date_field(c, "Will-Retry-Until", r->retry_until, o);
	return 0;
}

static int add_status(struct composer *c, struct outcome *o)
{
	const struct dsn *d = c->d;
	size_t i;

	begin_part(c,
		   c->global ? "message/global-delivery-status"
			     : "message/delivery-status",
		   c->global);
	if (d->envelope->envid)
		add_field(c, "Original-Envelope-Id", "",
			  view_of(d->envelope->envid));
	add_field(c, "Reporting-MTA", "dns; ", view_of(d->host));
	if (add_date_field(c, "Arrival-Date", d->arrived, o) < 0)
		return -1;
	for (i = 0; i < d->n; i++)
		if (add_recipient(c, &d->recipients[i], o) < 0)
			return -1;
	return 0;
}

/* ------------------------------------------------------------ what returns */

static bool may_return_body(const struct dsn *d)
{
	const struct message *m = d->message;

	return d->action == DSN_FAILED && d->envelope->ret != RETURN_HEADERS &&
		d->header.n + store_size(m->body) <= DSN_RETURN_MAX &&
		!m->nul_line && !m->bare_cr_line && !m->bare_lf_line;
}

static void begin_returned(struct composer *c)
{
	bool is_8bit = view_has_8bit(c->d->header) ||
		(c->returns_body && c->d->message->body_8bit);

	if (c->returns_body)
		begin_part(c, c->global ? "message/global" : "message/rfc822",
			   is_8bit);
	else
		begin_part(c,
			   c->global ? "message/global-headers"
				     : "text/rfc822-headers",
			   is_8bit);
	buf_add_view(&c->out, c->d->header);
	if (c->returns_body)
		buf_add_text(&c->out, "\r\n");
}

static int take_body(const struct composer *c, struct intake *in,
		     struct outcome *o)
{
	struct buf piece = BUF_INIT(PIECE);
	uint64_t offset = 0;
	ptrdiff_t got;
	int rc = 0;

	do {
		got = store_read(c->d->message->body, offset,
				 buf_room(&piece, PIECE), PIECE, o);
		if (got > 0)
			rc = intake_take(in, view_make(piece.p, (size_t)got),
					 o);
		offset += (uint64_t)(got > 0 ? got : 0);
	} while (got > 0 && rc == 0);
	buf_release(&piece);
	return got < 0 ? -1 : rc;
}

static int take_in(struct composer *c, struct message *m, struct outcome *o)
{
	const struct intake_policy policy = {0};
	struct intake *in = intake_new(m, &policy);
	int rc = intake_take(in, buf_view(&c->out), o);

	if (rc == 0 && c->returns_body)
		rc = take_body(c, in, o);
	buf_clear(&c->out);
	buf_printf(&c->out, "\r\n--%s--\r\n", c->boundary);
	if (rc == 0)
		rc = intake_take(in, buf_view(&c->out), o);
	if (rc == 0)
		rc = intake_end(in, o);
	intake_free(in);
	return rc;
}

static bool needs_global(const struct dsn *d)
{
	size_t i;

	if (envelope_utf8_address(d->envelope) || view_has_8bit(d->header))
		return true;
	for (i = 0; i < d->n; i++)
		if (d->recipients[i].recipient->original.needs_utf8)
			return true;
	return false;
}

int dsn_compose(const struct dsn *d, struct message *m, struct outcome *o)
{
	struct composer c = {
		.d = d,
		.out = BUF_INIT(HEAD_LIMIT + MESSAGE_HEADER_LIMIT),
		.global = needs_global(d),
		.returns_body = may_return_body(d),
	};
	int rc = -1;

	if (choose_boundary(&c, o) < 0 || add_header(&c, o) < 0 ||
	    add_explanation(&c, o) < 0 || add_status(&c, o) < 0)
		goto done;
	begin_returned(&c);
	if (c.out.overflow)
		fail(o, CAUSE_CONTENT, "5.3.4", "the report is too large");
	else
		rc = take_in(&c, m, o);
done:
	buf_release(&c.out);
	return rc;
}
