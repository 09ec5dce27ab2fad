/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one loop that knows about flight: what may be sent now, which reply
 * belongs to which command. It judges no answer but 421 and the refusal of an
 * essential command, and holds back nothing that RFC 2920 3.1 lets go.
 */
#include "smtp/pipeline.h"

#include <string.h>

#include "base/text.h"
#include "smtp/session.h"

/* Output is handed over while less than this waits in the stream. */
#define WINDOW (64u << 10) /* octets */
/* What is shorter than a TLS record joins others in one. */
#define LENT_MIN (16u << 10) /* octets */

struct flight {
	struct session *s;
	struct command *commands;
	size_t n;
	size_t n_sent;     /* commands wholly handed to the stream */
	size_t n_answered; /* commands with all their replies */
	bool sending;      /* commands[n_sent]: its payload is under way */
	uint64_t n_put;    /* octets handed to the stream */
	bool stopped;      /* an essential command was refused */
	const struct command *lender; /* whose payload was lent last */
	struct deadline deadline;
};

/* May commands[n_sent] be sent now? */
static bool may_send(const struct flight *f)
{
	if (f->n_sent == f->n || f->stopped)
		return false;
	if (f->n_sent == f->n_answered || f->commands[f->n_sent].ahead)
		return true;
	return session_pipelines(f->s) && !f->commands[f->n_sent - 1].barrier;
}

/* Nothing more is said, and what is queued does not leave either. */
static void give_up(struct flight *f)
{
	f->s->ended = true;
	stream_abandon(f->s->stream);
}

/* Which of the commands that lack replies may have arrived all the same? What
 * still waits in the stream will not leave any more. */
static void note_what_left(struct flight *f, struct outcome *o)
{
	uint64_t out = f->n_put - stream_unsent(f->s->stream);
	struct command *c;
	size_t i;

	for (i = f->n_answered; i < f->n_sent; i++) {
		c = &f->commands[i];
		c->has_left = c->end <= out;
		if (c->has_left && c->payload)
			o->uncertain = true;
	}
}

/* The conversation broke down at commands[n_answered]: say where, and whether
 * a message may have got through all the same. */
static int broken(struct flight *f, struct outcome *o)
{
	struct session *s = f->s;
	const struct command *c = NULL;

	give_up(f);
	if (f->n_answered < f->n)
		c = &f->commands[f->n_answered];
	if (c)
		outcome_add_context(o,
				    c->step == STEP_GREETING
					    ? "waiting for %s"
					    : "waiting for the reply to %s",
				    c->verb);
	if (!o->host)
		outcome_set_host(o, s->host);
	note_what_left(f, o);
	return -1;
}

static int garbage(struct flight *f, const char *why, struct outcome *o)
{
	struct view input = stream_input(f->s->stream);
	const char *end = memchr(input.p, '\n', input.n);
	size_t n = end ? (size_t)(end - input.p) : input.n;

	if (f->s->secrets.n) /* in any form, it may be said again */
		fail(o, CAUSE_PROTOCOL, "5.5.0", "%s", why);
	else
		fail(o, CAUSE_PROTOCOL, "5.5.0", "%s: \"%.*s\"", why,
		     (int)(n < 80 ? n : 80), input.p);
	return broken(f, o);
}

/* Words of the server that answer nothing: only the greeting, and 421
 * (RFC 5321 3.8), may come unasked; 421 then answers the first command. */
static int refuse_unsolicited(struct flight *f, struct outcome *o)
{
	struct view input = stream_input(f->s->stream);

	if (!input.n || f->commands[0].step == STEP_GREETING ||
	    (input.n >= 3 && !memcmp(input.p, "421", 3)))
		return 0;
	return garbage(f, "it sent a reply to nothing", o);
}

static void put(struct flight *f, struct view octets)
{
	stream_put(f->s->stream, octets);
	f->n_put += octets.n;
}

/* A piece of the payload stays where it is until the next one is asked for, or
 * the command is settled. */
static void lend(struct flight *f, const struct command *c, struct view octets)
{
	f->lender = c;
	stream_lend(f->s->stream, octets);
	f->n_put += octets.n;
}

/* Say its line, if it has one. Where no reply is due none may be waiting. */
static int begin_command(struct flight *f, const struct command *c,
			 struct outcome *o)
{
	struct session *s = f->s;

	if (f->n_sent == f->n_answered && refuse_unsolicited(f, o) < 0)
		return -1;
	if (!c->line)
		return 0;
	put(f, view_of(c->line));
	trace_line(s->trace, TRACE_SENT,
		   view_trim(view_of(c->shown ? c->shown : c->line)));
	return 0;
}

/* The next piece of the payload. -1: it can't be read, so what was announced
 * can't follow. */
static int send_piece(struct flight *f, struct command *c, struct outcome *o)
{
	struct view piece;
	int rc = body_next(c->payload, &piece, o);

	if (rc < 0) {
		give_up(f);
		c->payload->unreadable = true;
		note_what_left(f, o);
		return -1;
	}
	f->sending = !body_is_over(c->payload);
	if (rc > 0 && piece.n >= LENT_MIN)
		lend(f, c, piece);
	else if (rc > 0)
		put(f, piece);
	return 0;
}

/* Hand over what the window has room for. -1: the message can't be read, or the
 * server speaks out of turn. */
static int fill(struct flight *f, struct outcome *o)
{
	struct command *c;

	while (stream_unsent(f->s->stream) < WINDOW &&
	       !stream_borrows(f->s->stream)) {
		if (!f->sending && !may_send(f))
			return 0;
		c = &f->commands[f->n_sent];
		if (!f->sending && begin_command(f, c, o) < 0)
			return -1;
		f->sending = c->payload != NULL;
		if (f->sending && send_piece(f, c, o) < 0)
			return -1;
		if (!f->sending) {
			c->end = f->n_put;
			f->n_sent++;
		}
	}
	return 0;
}

/* What the server said, line by line, for -v. Challenges (334) may repeat what
 * the user sent, so their text stays hidden. */
static void trace_reply(const struct session *s, struct view raw,
			const struct reply *reply)
{
	struct view line;
	size_t n;

	if (!s->trace)
		return;
	if (reply->code == 334) {
		trace_line(s->trace, TRACE_RECEIVED, VIEW("334 *"));
		return;
	}
	if (session_is_hidden(s, raw)) {
		trace_note(s->trace, "a reply that repeats a secret: %d",
			   reply->code);
		return;
	}
	while (raw.n) {
		for (n = 0; n < raw.n && raw.p[n] != '\n'; n++)
			;
		line = view_make(raw.p, n);
		trace_line(s->trace, TRACE_RECEIVED, view_trim(line));
		raw = view_skip(raw, n + 1);
	}
}

/* A challenge is not for people, and may have to be answered. */
static void hide_secrets(const struct session *s, struct reply *reply)
{
	if (reply->code == 334 || !session_is_hidden(s, buf_view(&reply->text)))
		return;
	buf_clear(&reply->text);
	buf_add_text(&reply->text, SESSION_HIDDEN);
}

/* A vital command was not accepted: what follows it was said to a state that
 * is not there. That is about the session and no judgement on a message. */
static int refuse_to_go_on(struct flight *f, const struct command *c,
			   const struct reply *last, struct outcome *o)
{
	give_up(f);
	reply_fail(last, c->step, f->s->host, c->verb, o);
	outcome_make_temporary(o);
	note_what_left(f, o);
	return -1;
}

/* A command has all its replies: what follows from that for the flight. */
static int settle(struct flight *f, const struct reply *last, struct outcome *o)
{
	struct command *c = &f->commands[f->n_answered];
	bool early = f->n_answered == f->n_sent;

	if (early && reply_class(last) < 4) {
		fail(o, CAUSE_PROTOCOL, "5.5.0", "%d before %s was complete",
		     last->code, c->verb);
		return broken(f, o);
	}
	f->n_answered++;
	if (last->code == 421) {
		give_up(f);
		return reply_fail(last, c->step, f->s->host, c->verb, o);
	}
	if (early) { /* the rest of this message must not follow */
		give_up(f);
		f->sending = false;
		f->stopped = true;
		f->n_sent++;
	}
	if (c->vital && reply_class(last) != 2)
		return refuse_to_go_on(f, c, last, o);
	if (c->essential && reply_class(last) >= 4)
		f->stopped = true;
	/* a server may answer a message before it has taken all of it */
	if (c == f->lender)
		stream_keep(f->s->stream);
	if (c->on_answer)
		c->on_answer(c->context);
	return 0;
}

/* Take in one reply if there is a whole one: 1, 0, or -1. */
static int take_reply(struct flight *f, struct outcome *o)
{
	struct session *s = f->s;
	struct view input = stream_input(s->stream);
	struct command *c = &f->commands[f->n_answered];
	struct reply *reply = &c->replies[c->n_answered];
	const char *why = NULL;
	ptrdiff_t used;

	if (!input.n)
		return 0;
	used = reply_parse(input, reply, &why);
	if (used < 0)
		return garbage(f, why, o);
	if (used == 0)
		return 0;
	trace_reply(s, view_make(input.p, (size_t)used), reply);
	hide_secrets(s, reply);
	stream_consume(s->stream, (size_t)used);
	c->n_answered++;
	if (c->step != STEP_EHLO && c->step != STEP_AUTH)
		reply_trim(reply);
	if (reply->code == 421 || c->n_answered == c->n_replies)
		return settle(f, reply, o) < 0 ? -1 : 1;
	return 1;
}

static enum wait wait_for(const struct flight *f)
{
	const struct command *c = &f->commands[f->n_answered];

	if (stream_unsent(f->s->stream))
		return WAIT_DATA_BLOCK;
	switch (c->step) {
	case STEP_MAIL: return WAIT_MAIL;
	case STEP_RCPT: return WAIT_RCPT;
	case STEP_DATA: return WAIT_DATA_INIT;
	case STEP_CONTENT: return WAIT_DATA_END;
	default: return WAIT_GREETING;
	}
}

/* Is a reply due for something that was at least begun? */
static bool reply_is_due(const struct flight *f)
{
	return f->n_answered < f->n_sent ||
		(f->n_answered == f->n_sent && f->sending);
}

/* All that was sent is answered, and nothing more will be sent. */
static bool is_done(const struct flight *f)
{
	return !f->sending && f->n_answered == f->n_sent &&
		(f->stopped || f->n_sent == f->n);
}

static void renew_deadline(struct flight *f)
{
	if (f->n_answered < f->n)
		f->deadline = session_deadline(f->s->policy, wait_for(f));
}

/* One round: hand over, let the stream move, take in. 1: the peer is gone. */
static int advance(struct flight *f, struct outcome *o)
{
	struct stream *stream = f->s->stream;
	size_t unsent, low;
	int rc, taken;

	if (fill(f, o) < 0)
		return -1;
	low = (f->sending || may_send(f)) && !stream_borrows(stream)
		? WINDOW / 2
		: 0;
	unsent = stream_unsent(stream);
	rc = stream_progress(stream, low, f->deadline, o);
	if (rc < 0)
		return broken(f, o);
	if (stream_unsent(stream) < unsent)
		renew_deadline(f);
	while (reply_is_due(f)) {
		taken = take_reply(f, o);
		if (taken < 0)
			return -1;
		if (taken == 0)
			break;
		renew_deadline(f);
	}
	return rc == 0;
}

/* One reply too many in a flight: it can't be told which was whose, so a
 * message in it may have been refused though its reply says otherwise. */
static int check_count(struct flight *f, struct outcome *o)
{
	if (f->n < 2 || !f->commands[f->n - 1].payload ||
	    refuse_unsolicited(f, o) == 0)
		return 0;
	o->uncertain = true;
	return -1;
}

static int run(struct flight *f, struct outcome *o)
{
	int rc = 0;

	renew_deadline(f);
	while (!is_done(f)) {
		rc = advance(f, o);
		if (rc < 0)
			return -1;
		if (rc > 0 && !is_done(f)) {
			stream_lost(f->s->stream, o);
			return broken(f, o);
		}
	}
	if (rc > 0)
		f->s->ended = true;
	return check_count(f, o);
}

int pipeline_run(struct session *s, struct command *commands, size_t n,
		 struct outcome *o)
{
	struct flight f = {
		.s = s,
		.commands = commands,
		.n = n,
		.n_put = stream_unsent(s->stream),
	};
	int rc = run(&f, o);

	stream_keep(s->stream); /* the messages may go now */
	return rc;
}
