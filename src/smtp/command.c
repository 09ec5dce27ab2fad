/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands and their parameters: each parameter is an `if` on a capability.
 * Addresses come from mail/, which lets nothing through that could end a
 * command or begin a parameter.
 */
#include "smtp/command.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/memory.h"
#include "base/text.h"

/* Octets; above anything that validated parts and secrets can add up to. */
#define LINE_LIMIT (128u << 10)

static void prepare(struct command *c, const char *verb, enum step step,
		    size_t n_replies)
{
	size_t i;

	*c = (struct command){.verb = verb, .step = step};
	c->n_replies = n_replies;
	c->replies = memory_resize(NULL, n_replies, sizeof(*c->replies));
	for (i = 0; i < n_replies; i++)
		c->replies[i] = REPLY_INIT;
}

static void finish(struct command *c, struct buf *line)
{
	buf_add_text(line, "\r\n");
	c->line = buf_detach(line);
}

/*
 * RFC 6152 4, RFC 3030 3: what the octets are. Of what they might be besides,
 * the caller's word is passed on where the server knows it.
 */
static void add_body_type(struct buf *line, const struct envelope *e,
			  const struct mail_facts *facts,
			  const struct capabilities *server)
{
	bool takes_8bit = capabilities_has(server, CAP_8BITMIME);
	bool takes_binary = facts->by_bdat &&
		capabilities_has(server, CAP_BINARYMIME);

	if (takes_binary &&
	    (facts->form == FORM_BINARY || e->body_type == BODY_BINARYMIME))
		buf_add_text(line, " BODY=BINARYMIME");
	else if (takes_8bit &&
		 (facts->form != FORM_7BIT || e->body_type == BODY_8BITMIME))
		buf_add_text(line, " BODY=8BITMIME");
	else if (takes_8bit && e->body_type == BODY_7BIT)
		buf_add_text(line, " BODY=7BIT");
}

static void add_parameters(struct buf *line, const char *parameters)
{
	if (parameters)
		buf_printf(line, " %s", parameters);
}

/* RFC 3461 4.3, 4.4. */
static void add_dsn_of_message(struct buf *line, const struct envelope *e)
{
	if (e->ret != RETURN_UNSET)
		buf_printf(line, " RET=%s",
			   e->ret == RETURN_FULL ? "FULL" : "HDRS");
	if (e->envid) {
		buf_add_text(line, " ENVID=");
		encode_xtext(line, view_of(e->envid));
	}
}

static void add_deliver_by(struct buf *line, const char *value)
{
	buf_add_text(line, " BY=");
	for (; *value; value++)
		buf_add_char(line, text_upper(*value));
}

void command_mail(struct command *c, const struct envelope *e,
		  const struct mail_facts *facts,
		  const struct capabilities *server)
{
	struct buf line = BUF_INIT(LINE_LIMIT);

	prepare(c, "MAIL FROM", STEP_MAIL, 1);
	c->essential = true;
	buf_printf(&line, "MAIL FROM:<%s>", e->sender.mailbox);
	if (capabilities_has(server, CAP_SIZE))
		buf_printf(&line, " SIZE=%" PRIu64, facts->size);
	add_body_type(&line, e, facts, server);
	if (facts->use_smtputf8)
		buf_add_text(&line, " SMTPUTF8");
	if (facts->require_tls)
		buf_add_text(&line, " REQUIRETLS");
	if (facts->deliver_by && capabilities_has(server, CAP_DELIVERBY))
		add_deliver_by(&line, facts->deliver_by);
	if (capabilities_has(server, CAP_DSN))
		add_dsn_of_message(&line, e);
	add_parameters(&line, facts->parameters);
	finish(c, &line);
}

static void add_notify(struct buf *line, unsigned notify)
{
	size_t i;

	if (!notify)
		return;
	buf_add_text(line, " NOTIFY=");
	i = line->n;
	envelope_print_notify(notify, line);
	for (; i < line->n; i++)
		line->p[i] = text_upper(line->p[i]);
}

/* RFC 3461 4.2; for addresses beyond ASCII the utf-8-addr-xtext of RFC 6533 3,
 * which needs no SMTPUTF8: the name may be an alias of an address that needs
 * none. */
static void add_orcpt(struct buf *line, const char *mailbox)
{
	struct buf ascii = BUF_INIT(LINE_LIMIT);
	const char *p;

	if (!view_has_8bit(view_of(mailbox))) {
		buf_add_text(line, " ORCPT=rfc822;");
		encode_xtext(line, view_of(mailbox));
		return;
	}
	buf_add_text(line, " ORCPT=utf-8;");
	for (p = mailbox; *p; p++) {
		if (strchr("\\+= ", *p))
			buf_printf(&ascii, "\\x{%02X}", (unsigned char)*p);
		else
			buf_add_char(&ascii, *p);
	}
	encode_code_points(line, buf_view(&ascii));
	buf_release(&ascii);
}

void command_rcpt(struct command *c, const struct envelope *e,
		  const struct recipient *r, const struct capabilities *server,
		  const char *parameters)
{
	struct buf line = BUF_INIT(LINE_LIMIT);
	unsigned notify = r->notify ? r->notify : e->notify;
	bool wishes = notify || e->ret != RETURN_UNSET || e->envid;
	const char *original = r->original.mailbox;

	prepare(c, "RCPT TO", STEP_RCPT, 1);
	buf_printf(&line, "RCPT TO:<%s>", r->address.mailbox);
	if (capabilities_has(server, CAP_DSN)) {
		add_notify(&line, notify);
		if (r->orcpt)
			buf_printf(&line, " ORCPT=%s", r->orcpt);
		else if (original || wishes)
			add_orcpt(&line,
				  original ? original : r->address.mailbox);
	}
	add_parameters(&line, parameters);
	finish(c, &line);
}

void command_line(struct command *c, const char *verb, const char *line,
		  enum step step)
{
	struct buf text = BUF_INIT_SECRET(LINE_LIMIT); /* AUTH is one, too */

	prepare(c, verb, step, 1);
	c->barrier = true;
	buf_add_text(&text, line);
	finish(c, &text);
}

void command_body(struct command *c, struct body *body, size_t n_replies)
{
	prepare(c, "the message", STEP_CONTENT, n_replies);
	c->payload = body;
	c->barrier = true;
}

void command_bdat(struct command *c, struct body *body, uint64_t size,
		  bool last, size_t n_replies)
{
	struct buf line = BUF_INIT(LINE_LIMIT);

	prepare(c, "BDAT", STEP_CONTENT, n_replies);
	c->payload = body;
	buf_printf(&line, "BDAT %" PRIu64 "%s", size, last ? " LAST" : "");
	finish(c, &line);
}

int command_class(const struct command *c)
{
	return c->n_answered ? reply_class(&c->replies[0]) : 0;
}

void command_release(struct command *c)
{
	size_t i;

	for (i = 0; i < c->n_replies; i++)
		reply_release(&c->replies[i]);
	free(c->replies);
	memory_free_secret(c->line);
	free(c->shown);
	*c = COMMAND_INIT;
}
