/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The other side of the protocol: one row a verb, and what each may come after
 * what. Addresses and messages are the owner's affair; here they are only
 * asked for and answered.
 */
#include "smtp/server.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "mail/intake.h"
#include "smtp/answer.h"
#include "smtp/channel.h"
#include "smtp/path.h"
#include "smtp/receive.h"

#define HOPS_MAX  100u /* Received fields, RFC 5321 6.3 */
#define HELLO_MAX 255u /* octets of the client's name */

struct server {
	struct channel channel;
	const char *name;
	const struct server_owner *owner;
	char *hello;   /* the client's name; NULL: it gave none */
	bool extended; /* it said EHLO */
	bool bare_lf;  /* the last line ended without CR */
	bool over;     /* nothing more is read */

	/* the transaction */
	bool begun;  /* MAIL was accepted … */
	bool binary; /* … and said BODY=BINARYMIME */
	struct letter letter;
	bool chunking;          /* BDAT has brought some of the content */
	struct intake *intake;  /* of the content so far */
	struct outcome content; /* why it is refused already */

	struct outcome *worst; /* of the messages that were handed over */
};

/* ------------------------------------------------------------- transactions */

static void end_transaction(struct server *s)
{
	intake_free(s->intake);
	s->intake = NULL;
	s->begun = s->chunking = false;
	outcome_release(&s->content);
}

/* A message was handed over in vain: the last word to whoever started us. */
static void note_failure(struct server *s, const struct outcome *o)
{
	outcome_keep_worst(s->worst, o);
}

/* Nothing more is taken, though there might be something. */
static void give_up(struct server *s, const char *why)
{
	struct outcome o = OUTCOME_INIT;

	s->over = true;
	if (!s->begun && !(s->channel.broken && channel_has_more(&s->channel)))
		return;
	fail(&o, CAUSE_CONNECT, "4.4.2", "%s", why);
	note_failure(s, &o);
	if (s->begun)
		s->owner->give_up(s->owner->context, &o);
	outcome_release(&o);
}

/* The client has gone, or is silent, while it had something to say. */
static void lose_client(struct server *s)
{
	if (s->channel.expired)
		answer(&s->channel, 421,
		       "4.4.2 %s nothing has come for too long", s->name);
	give_up(s,
		s->channel.broken
			? "the client takes no answers"
			: "the client left in the middle of a message; it "
			  "is not sent");
}

static bool has_too_many_hops(const struct message *m)
{
	size_t i, hops = 0;

	for (i = 0; i < m->n_fields; i++)
		hops += m->fields[i].id == FIELD_RECEIVED;
	return hops >= HOPS_MAX;
}

/* RFC 5321 4.4, RFC 3848, RFC 6531 4.3: how it came here. */
static void add_received(const struct server *s, struct buf *out)
{
	const char *with = "SMTP";

	if (s->extended)
		with = envelope_utf8_address(s->letter.envelope) ? "UTF8SMTP"
								 : "ESMTP";
	buf_printf(out, "from %s\r\n\tby %s with %s",
		   s->hello ? s->hello : "unknown", s->name, with);
}

static int check_message(struct server *s, struct outcome *o)
{
	if (outcome_is_failure(&s->content)) {
		outcome_copy(o, &s->content);
		return -1;
	}
	if (intake_end(s->intake, o) < 0)
		return -1;
	if (!has_too_many_hops(s->letter.message))
		return 0;
	return fail(o, CAUSE_CONTENT, "5.4.6",
		    "the message goes round in circles: there are %u Received "
		    "fields",
		    HOPS_MAX);
}

static int submit(struct server *s, struct reply *reply, struct outcome *o)
{
	struct buf received = BUF_INIT(2048);
	int rc;

	if (check_message(s, o) < 0) {
		s->owner->give_up(s->owner->context, o);
		return -1;
	}
	add_received(s, &received);
	rc = s->owner->submit(s->owner->context, received.p, reply, o);
	buf_release(&received);
	return rc;
}

static void finish_content(struct server *s)
{
	struct reply reply = REPLY_INIT;
	struct outcome o = OUTCOME_INIT;

	if (submit(s, &reply, &o) == 0) {
		answer_reply(&s->channel, &reply);
	} else {
		answer_failure(&s->channel, &o);
		note_failure(s, &o);
	}
	reply_release(&reply);
	outcome_release(&o);
	end_transaction(s);
}

/* May content come? What is in the way is said. */
static bool check_recipients(struct server *s)
{
	if (!s->begun)
		answer(&s->channel, 503, "5.5.1 MAIL comes first");
	else if (!s->letter.envelope->n_recipients)
		answer(&s->channel, 503, "5.5.1 there is no recipient");
	else
		return true;
	return false;
}

static void begin_content(struct server *s)
{
	struct intake_policy policy = {.binary = s->binary};

	s->intake = intake_new(s->letter.message, &policy);
}

/* -------------------------------------------------------------------- verbs */

/* For verbs that have none. */
static bool has_argument(struct server *s, struct view argument)
{
	if (argument.n)
		answer(&s->channel, 501, "5.5.4 no argument is wanted here");
	return argument.n > 0;
}

/* A name that can stand in a Received field as it is. */
static bool is_name(struct view v)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (!text_is_alpha(v.p[i]) && !text_is_digit(v.p[i]) &&
		    !memchr(".-_:[]", v.p[i], 6))
			return false;
	return v.n > 0 && v.n <= HELLO_MAX;
}

static bool hello(struct server *s, struct view argument)
{
	struct view name = view_next_word(&argument);

	if (!name.n) {
		answer(&s->channel, 501, "5.5.4 your name is missing");
		return false;
	}
	end_transaction(s);
	free(s->hello);
	s->hello = is_name(name) ? memory_dup_n(name.p, name.n) : NULL;
	return true;
}

static void on_ehlo(struct server *s, struct view argument)
{
	static const char *const lines[] = {
		"PIPELINING", "SIZE",     "8BITMIME", "BINARYMIME",
		"CHUNKING",   "SMTPUTF8", "DSN",      "ENHANCEDSTATUSCODES",
		"HELP",
	};
	const size_t n = sizeof(lines) / sizeof(lines[0]);
	size_t i;

	if (!hello(s, argument))
		return;
	s->extended = true;
	answer_line(&s->channel, 250, false, view_of(s->name));
	for (i = 0; i < n; i++)
		answer_line(&s->channel, 250, i + 1 == n, view_of(lines[i]));
}

static void on_helo(struct server *s, struct view argument)
{
	if (!hello(s, argument))
		return;
	s->extended = false;
	answer(&s->channel, 250, "%s", s->name);
}

/* MAIL or RCPT: how its line is written, and what it does. */
struct path_verb {
	struct view keyword;
	const char *usage;
	int (*apply)(struct server *s, struct path *p, struct outcome *o);
	const char *accepted;
};

static void say_fault(struct server *s, enum path_fault fault, struct view word,
		      const char *usage)
{
	int n = word.n < 100 ? (int)word.n : 100;

	if (fault == PATH_UNKNOWN)
		answer(&s->channel, 555, "5.5.4 unknown parameter: %.*s", n,
		       word.p);
	else if (fault == PATH_PARAMETER)
		answer(&s->channel, 501, "5.5.4 bad parameter: %.*s", n,
		       word.p);
	else
		answer(&s->channel, 501, "5.5.4 syntax: %s", usage);
}

static void run_path(struct server *s, struct view argument,
		     const struct path_verb *verb)
{
	struct path p = PATH_INIT;
	struct outcome o = OUTCOME_INIT;
	struct view word;
	enum path_fault fault = path_parse(argument, verb->keyword, &p, &word);

	if (fault != PATH_FINE)
		say_fault(s, fault, word, verb->usage);
	else if (verb->apply(s, &p, &o) < 0)
		answer_failure(&s->channel, &o);
	else
		answer(&s->channel, 250, "%s", verb->accepted);
	outcome_release(&o);
	path_release(&p);
}

/* Begin the transaction; what the command asks for wins. */
static int begin(struct server *s, struct path *p, struct outcome *o)
{
	struct envelope *e;

	if (s->owner->begin(s->owner->context, p->mailbox, &s->letter, o) < 0)
		return -1;
	e = s->letter.envelope;
	if (p->envid && envelope_set_envid(e, view_of(p->envid), o) < 0)
		return -1;
	if (p->ret != RETURN_UNSET)
		e->ret = p->ret;
	if (p->body_type != BODY_UNSET)
		e->body_type = p->body_type;
	s->begun = true;
	s->binary = p->body_type == BODY_BINARYMIME;
	return 0;
}

static void on_mail(struct server *s, struct view argument)
{
	static const struct path_verb verb = {
		{"FROM:", 5}, "MAIL FROM:<address>", begin, "2.1.0 sender ok"};

	if (s->begun)
		answer(&s->channel, 503, "5.5.1 there is a sender already");
	else
		run_path(s, argument, &verb);
}

/* Several where it is an alias, none where they were named before. */
static int add_recipient(struct server *s, struct path *p, struct outcome *o)
{
	struct envelope *e = s->letter.envelope;
	struct address a = ADDRESS_INIT;
	size_t i = e->n_recipients;

	if (address_parse(view_of(p->mailbox), &a, o) < 0 ||
	    envelope_add_recipient(e, &a, s->letter.local, o) < 0)
		return -1;
	for (; i < e->n_recipients; i++) {
		e->recipients[i].notify = p->notify;
		e->recipients[i].orcpt = memory_dup(p->orcpt);
	}
	return 0;
}

static void on_rcpt(struct server *s, struct view argument)
{
	static const struct path_verb verb = {{"TO:", 3},
					      "RCPT TO:<address>",
					      add_recipient,
					      "2.1.5 recipient ok"};

	if (!s->begun)
		answer(&s->channel, 503, "5.5.1 MAIL comes first");
	else if (s->chunking)
		answer(&s->channel, 503, "5.5.1 the content has begun");
	else
		run_path(s, argument, &verb);
}

static void on_data(struct server *s, struct view argument)
{
	if (has_argument(s, argument) || !check_recipients(s))
		return;
	if (s->chunking || s->binary) {
		answer(&s->channel, 503,
		       "5.5.1 this message must come by BDAT");
		return;
	}
	outcome_release(&s->content); /* of a malformed BDAT: not of this */
	begin_content(s);
	answer(&s->channel, 354, "go on; the end is a line with a dot alone");
	if (receive_stuffed(&s->channel, s->intake, s->bare_lf, &s->content))
		finish_content(s);
	else
		lose_client(s);
}

/* The content has been refused; what else comes of it is thrown away. */
static void refuse_chunk(struct server *s)
{
	answer_failure(&s->channel, &s->content);
	note_failure(s, &s->content);
	s->owner->give_up(s->owner->context, &s->content);
}

static void take_chunk(struct server *s, uint64_t n, bool is_last)
{
	bool was_refused = outcome_is_failure(&s->content);

	if (!s->chunking)
		begin_content(s);
	s->chunking = true;
	if (!receive_chunk(&s->channel, s->intake, n, &s->content))
		lose_client(s);
	else if (was_refused)
		answer(&s->channel, 503, "5.5.1 the message was refused");
	else if (is_last)
		finish_content(s);
	else if (outcome_is_failure(&s->content))
		refuse_chunk(s);
	else
		answer(&s->channel, 250, "2.0.0 %" PRIu64 " octets", n);
	if (is_last && was_refused)
		end_transaction(s);
}

/* Its octets follow whether they are wanted or not. */
static bool throw_chunk_away(struct server *s, uint64_t n)
{
	struct outcome ignored = OUTCOME_INIT;
	bool is_complete = receive_chunk(&s->channel, NULL, n, &ignored);

	if (!is_complete)
		lose_client(s);
	outcome_release(&ignored);
	return is_complete;
}

/* RFC 3030 2. */
static void on_bdat(struct server *s, struct view argument)
{
	struct view number = view_next_word(&argument);
	struct view last = view_next_word(&argument);
	bool is_last = view_equal_nocase(last, VIEW("LAST"));
	bool is_wrong = (last.n && !is_last) || view_trim(argument).n;
	unsigned long long n = 0;

	if (!text_to_number(number, UINT64_MAX, &n))
		is_wrong = true;
	if (is_wrong) {
		if (throw_chunk_away(s, n))
			answer(&s->channel, 501,
			       "5.5.4 syntax: BDAT octets [LAST]");
		if (s->begun) /* the others alone are no message */
			fail(&s->content, CAUSE_CONTENT, "5.5.4",
			     "a chunk of the message is missing");
	} else if (!s->begun || !s->letter.envelope->n_recipients) {
		if (throw_chunk_away(s, n))
			check_recipients(s);
	} else {
		take_chunk(s, n, is_last);
	}
}

static void on_rset(struct server *s, struct view argument)
{
	if (has_argument(s, argument))
		return;
	end_transaction(s);
	answer(&s->channel, 250, "2.0.0 forgotten");
}

static void on_noop(struct server *s, struct view argument)
{
	(void)argument;
	answer(&s->channel, 250, "2.0.0 ok");
}

static void on_help(struct server *s, struct view argument)
{
	(void)argument;
	answer(&s->channel, 214,
	       "2.0.0 EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY EXPN "
	       "HELP QUIT: RFC 5321, RFC 3030");
}

static void on_quit(struct server *s, struct view argument)
{
	if (has_argument(s, argument))
		return;
	answer(&s->channel, 221, "2.0.0 %s closes the channel", s->name);
	s->over = true;
}

/* Only the server that submits to its own domain could know. */
static void on_vrfy(struct server *s, struct view argument)
{
	struct address a = ADDRESS_INIT;
	struct outcome o = OUTCOME_INIT;

	if (address_parse(path_without_smtputf8(argument), &a, &o) < 0)
		answer_failure(&s->channel, &o);
	else
		answer(&s->channel, 252,
		       "2.0.0 %s: send it, and the server will tell",
		       a.mailbox);
	address_release(&a);
	outcome_release(&o);
}

static void say_members(struct server *s, const struct address_list *list)
{
	struct buf line = BUF_INIT(1024);
	size_t i;

	for (i = 0; i < list->n; i++) {
		buf_clear(&line);
		buf_printf(&line, "2.1.5 <%s>", list->p[i].mailbox);
		answer_line(&s->channel, 250, i + 1 == list->n,
			    buf_view(&line));
	}
	buf_release(&line);
}

static void on_expn(struct server *s, struct view argument)
{
	struct address_list list = ADDRESS_LIST_INIT;
	struct outcome o = OUTCOME_INIT;
	struct address a = ADDRESS_INIT;
	int rc = address_parse(path_without_smtputf8(argument), &a, &o);

	if (rc == 0 && !a.has_domain)
		rc = s->owner->expand(s->owner->context, view_of(a.mailbox),
				      &list, &o);
	if (rc < 0)
		answer_failure(&s->channel, &o);
	else if (list.n)
		say_members(s, &list);
	else
		answer(&s->channel, 550, "5.1.1 %s is no alias", a.mailbox);
	address_release(&a);
	address_list_release(&list);
	outcome_release(&o);
}

static void on_other(struct server *s, struct view argument)
{
	(void)argument;
	answer(&s->channel, 502, "5.5.1 not here");
}

/* A browser that was made to speak to this port: what it goes on with may have
 * been written by somebody else, and must not be taken for commands. */
static void on_http(struct server *s, struct view argument)
{
	(void)argument;
	answer(&s->channel, 421, "4.7.0 %s is no web server", s->name);
	give_up(s, "a browser speaks to a mail server");
}

/* One row a verb. `flush`: it may be the last of a group (RFC 2920 3.1), so
 * what was answered leaves before anything else is read. */
static const struct verb {
	const char *name;
	void (*run)(struct server *s, struct view argument);
	bool flush;
} verbs[] = {
	{"EHLO", on_ehlo, true},    {"HELO", on_helo, true},
	{"MAIL", on_mail, false},   {"RCPT", on_rcpt, false},
	{"DATA", on_data, true},    {"BDAT", on_bdat, true},
	{"RSET", on_rset, false},   {"NOOP", on_noop, true},
	{"QUIT", on_quit, true},    {"VRFY", on_vrfy, true},
	{"EXPN", on_expn, true},    {"HELP", on_help, true},
	{"AUTH", on_other, true},   {"STARTTLS", on_other, true},
	{"ETRN", on_other, true},   {"TURN", on_other, true},
	{"SEND", on_other, false},  {"SOML", on_other, false},
	{"SAML", on_other, false},  {"GET", on_http, true},
	{"POST", on_http, true},    {"PUT", on_http, true},
	{"CONNECT", on_http, true},
};

static void run_line(struct server *s, struct view line)
{
	struct view argument = line, word;
	size_t i;

	s->bare_lf = line.n < 2 || line.p[line.n - 2] != '\r';
	argument = view_trim(line);
	word = view_next_word(&argument);
	argument = view_trim(argument);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (!view_equal_nocase(view_of(verbs[i].name), word))
			continue;
		verbs[i].run(s, argument);
		if (verbs[i].flush)
			channel_flush(&s->channel);
		return;
	}
	answer(&s->channel, 500, "5.5.2 unknown command");
}

static void converse(struct server *s)
{
	struct view line;

	answer(&s->channel, 220, "%s ESMTP postrider", s->name);
	while (!s->over) {
		switch (channel_line(&s->channel, &line)) {
		case CHANNEL_LINE: run_line(s, line); break;
		case CHANNEL_TOO_LONG:
			answer(&s->channel, 500, "5.5.2 the line is too long");
			break;
		case CHANNEL_END: lose_client(s); break;
		}
	}
	channel_flush(&s->channel);
}

int server_run(int in, int out, const char *name,
	       const struct server_owner *owner, struct outcome *o)
{
	struct server s = {
		.channel = CHANNEL_INIT(in, out),
		.name = name,
		.owner = owner,
		.worst = o,
	};

	converse(&s);
	end_transaction(&s);
	channel_release(&s.channel);
	free(s.hello);
	return outcome_is_failure(o) ? -1 : 0;
}
