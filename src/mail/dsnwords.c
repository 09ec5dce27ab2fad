/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The part of a report that is read by people; mail/dsn has the others. */
#include "mail/dsnwords.h"

#include "base/text.h"
#include "mail/edit.h"
#include "mail/wrap.h"

#define NAMED_MAX   50u   /* recipients that the text names */
#define SUBJECT_MAX 300u  /* octets of the message's subject */
#define WORDS_MAX   2000u /* octets of a server's words */

/* In the order of enum dsn_action. */
static const struct {
	const char *subject;
	const char *opening;
	const char *list; /* ahead of the recipients */
	const char *next; /* what happens now */
} words[] = {
	{
		"Your message could not be delivered",
		"your message could not be delivered to the recipients below.",
		"Not delivered:",
		"It will not be tried again. If the reason can be put right, "
		"please do so and send the message once more.",
	},
	{
		"Your message is delayed",
		"your message has not been delivered yet.",
		"Still waiting:",
		"There is nothing that you need to do: it is tried again from "
		"time to time. You will be told if it has to be given up.",
	},
	{
		"Your message was passed on",
		"your message was passed on to a server that sends no "
		"confirmations.",
		"Passed on:",
		"You asked to be told of the delivery. Nothing more will be "
		"heard of it, unless it fails.",
	},
};

const char *dsnwords_subject(const struct dsn *d)
{
	return words[d->action].subject;
}

static struct view clip(struct view v, size_t most)
{
	size_t n = most;

	if (v.n <= most)
		return v;
	while (n > 0 && ((unsigned char)v.p[n] & 0xc0) == 0x80)
		n--;
	return view_make(v.p, n);
}

static void add_paragraph(struct buf *out, const char *text)
{
	wrap_text(out, view_of(text), "");
	buf_add_text(out, "\r\n\r\n");
}

static void add_named(struct buf *out, const char *name, struct view value)
{
	buf_add_text(out, name);
	wrap_text(out, value, "             ");
	buf_add_text(out, "\r\n");
}

/* The field's body on one line; empty: there is none. */
static void find_subject(struct view header, struct buf *out)
{
	struct field f;
	size_t i;

	if (!field_find(header, VIEW("Subject"), &f))
		return;
	for (i = 0; i < f.body.n; i++)
		if (f.body.p[i] != '\r' && f.body.p[i] != '\n')
			buf_add_char(out, f.body.p[i]);
}

static int add_message(const struct dsn *d, struct buf *out, struct outcome *o)
{
	struct buf text = BUF_INIT(MESSAGE_HEADER_LIMIT);
	struct view v;
	int rc;

	find_subject(d->header, &text);
	v = view_trim(buf_view(&text));
	if (v.n)
		add_named(out, "    Subject: ", clip(v, SUBJECT_MAX));
	buf_clear(&text);
	rc = edit_add_time((time_t)d->arrived, &text, o);
	add_named(out, "    Queued:  ", view_trim(buf_view(&text)));
	add_named(out, "    Id:      ", view_of(d->id));
	buf_add_text(out, "\r\n");
	buf_release(&text);
	return rc;
}

/* Who said it, and what. */
static void add_reason(const struct outcome *a, struct buf *out)
{
	struct buf text = BUF_INIT(4 * WORDS_MAX);

	if (!a->text || !*a->text)
		return;
	if (a->reply_code && a->host)
		buf_printf(&text, "%s said: ", a->host);
	buf_add_view(&text, clip(view_of(a->text), WORDS_MAX));
	buf_add_text(out, "        ");
	wrap_text(out, buf_view(&text), "        ");
	buf_add_text(out, "\r\n");
	buf_release(&text);
}

static void add_recipient(const struct dsn_recipient *r, struct buf *out)
{
	const struct recipient *who = r->recipient;

	buf_add_text(out, "    ");
	wrap_text(out, view_of(who->address.mailbox), "    ");
	if (who->original.mailbox) {
		buf_add_text(out, " (for ");
		wrap_text(out, view_of(who->original.mailbox), "    ");
		buf_add_char(out, ')');
	}
	buf_add_text(out, "\r\n");
	add_reason(r->answer, out);
	buf_add_text(out, "\r\n");
}

static void add_recipients(const struct dsn *d, struct buf *out)
{
	size_t i, n = d->n < NAMED_MAX ? d->n : NAMED_MAX;

	buf_printf(out, "%s\r\n\r\n", words[d->action].list);
	for (i = 0; i < n; i++)
		add_recipient(&d->recipients[i], out);
	if (n < d->n)
		buf_printf(out,
			   "    and %zu more, which the second part of this "
			   "report lists\r\n\r\n",
			   d->n - n);
}

/* When it is given up. */
static int add_end(const struct dsn *d, struct buf *out, struct outcome *o)
{
	int64_t until = d->n ? d->recipients[0].retry_until : 0;
	struct buf text = BUF_INIT(256);
	int rc = 0;

	if (d->action == DSN_DELAYED && until) {
		buf_add_text(&text, "It will be tried until ");
		rc = edit_add_time((time_t)until, &text, o);
		add_paragraph(out, text.p);
	}
	buf_release(&text);
	return rc;
}

int dsnwords_text(const struct dsn *d, bool is_whole, struct buf *out,
		  struct outcome *o)
{
	struct buf opening = BUF_INIT(4096);

	buf_printf(&opening, "This is the mail system of %s: %s", d->host,
		   words[d->action].opening);
	add_paragraph(out, opening.p);
	buf_release(&opening);
	if (add_message(d, out, o) < 0)
		return -1;
	add_recipients(d, out);
	add_paragraph(out, words[d->action].next);
	if (add_end(d, out, o) < 0)
		return -1;
	add_paragraph(out,
		      is_whole ? "The message itself is attached."
			       : "The header of the message is attached.");
	buf_truncate(out, out->n - 2);
	return 0;
}
