/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_DIALOGUE_H
#define TESTS_UNIT_DIALOGUE_H

/* The server of -bs with an owner that writes down what it is given. */
#include "base/text.h"
#include "feed.h"
#include "home.h"
#include "smtp/server.h"
#include "unit.h"

#define NAME  "here.example"
#define LIMIT (1u << 20) /* octets of anything said */

#define IN(text)                       \
	{                              \
		text, sizeof(text) - 1 \
	}

/* What clients say. */
#define H "EHLO me\r\n"
#define M "MAIL FROM:<s@x>\r\n"
#define R "RCPT TO:<r@x>\r\n"
#define D "DATA\r\n"
#define B "A: b\r\n\r\nx\r\n.\r\n"
#define Q "QUIT\r\n"

/* ---------------------------------------------------------------- the owner */

struct owner {
	struct envelope envelope;
	struct message message;
	struct local_policy local;
	struct aliases *aliases;
	struct buf log;
};

static inline int on_begin(void *context, const char *sender,
			   struct letter *letter, struct outcome *o)
{
	struct owner *w = context;

	envelope_release(&w->envelope);
	message_release(&w->message);
	w->envelope = ENVELOPE_INIT;
	w->message = MESSAGE_INIT;
	if (!strcmp(sender, "nobody@x"))
		return fail(o, CAUSE_SENDER, "5.7.1", "not for you");
	if (!strcmp(sender, "later@x"))
		return fail(o, CAUSE_SYSTEM, "4.3.1", "no room");
	if (envelope_set_sender(&w->envelope, view_of(sender), &w->local, o) <
	    0)
		return -1;
	*letter = (struct letter){&w->envelope, &w->message, &w->local};
	return 0;
}

static inline void log_envelope(struct owner *w)
{
	static const char *const types[] = {"", " 7", " 8", " b"};
	const struct envelope *e = &w->envelope;
	size_t i;

	buf_printf(&w->log, "%s", e->sender.mailbox);
	if (e->ret != RETURN_UNSET)
		buf_printf(&w->log, " ret=%d", (int)e->ret);
	if (e->envid)
		buf_printf(&w->log, " id=%s", e->envid);
	buf_printf(&w->log, "%s >", types[e->body_type]);
	for (i = 0; i < e->n_recipients; i++) {
		const struct recipient *r = &e->recipients[i];

		buf_printf(&w->log, " %s", r->address.mailbox);
		if (r->notify)
			buf_printf(&w->log, " n=%u", r->notify);
		if (r->orcpt)
			buf_printf(&w->log, " o=%s", r->orcpt);
	}
}

/* Lines end in `|`, the header in another one; NULs are shown as '@'. */
static inline void log_message(struct owner *w)
{
	struct buf text = BUF_INIT(LIMIT);
	struct outcome o = OUTCOME_INIT;
	char block[1000];
	ptrdiff_t got;
	uint64_t at = 0;
	size_t i;

	buf_add_view(&text, buf_view(&w->message.header));
	buf_add_text(&text, "\r\n");
	while ((got = store_read(w->message.body, at, block, sizeof(block),
				 &o)) > 0) {
		buf_add(&text, block, (size_t)got);
		at += (size_t)got;
	}
	assert_int_equal(got, 0);
	buf_add_text(&w->log, ": ");
	for (i = 0; i < text.n; i++)
		if (text.p[i] == '\n')
			buf_add_char(&w->log, '|');
		else if (text.p[i] != '\r' || text.p[i + 1] != '\n')
			buf_add_char(&w->log, text.p[i] ? text.p[i] : '@');
	buf_add_text(&w->log, "\n");
	buf_release(&text);
}

/* The first recipient decides what comes of it. */
static inline int on_submit(void *context, const char *received,
			    struct reply *reply, struct outcome *o)
{
	struct owner *w = context;
	const char *first = w->envelope.recipients[0].address.mailbox;
	const char *why;

	log_envelope(w);
	if (!strcmp(first, "received@x"))
		buf_printf(&w->log, " [%s]", received);
	log_message(w);
	if (!strcmp(first, "never@x")) {
		fail(o, CAUSE_CONTENT, "5.7.1", "550 5.7.1 spam");
		o->reply_code = 550;
		return -1;
	}
	if (!strcmp(first, "later@x"))
		return fail(o, CAUSE_CONNECT, "4.4.1", "no way");
	assert_true(reply_parse(VIEW("250-2.6.0 one\r\n250 2.6.0 queued\r\n"),
				reply, &why) > 0);
	return 0;
}

static void on_give_up(void *context, const struct outcome *why)
{
	(void)context;
	assert_true(outcome_is_failure(why));
}

static inline int on_expand(void *context, struct view name,
			    struct address_list *list, struct outcome *o)
{
	struct owner *w = context;

	return aliases_expand(w->aliases, name, list, o);
}

/* ------------------------------------------------------------ one dialogue */

/* The code and status of each reply, its last line; joined by blanks. */
static inline void sum_up(const struct buf *said, struct buf *out)
{
	struct view rest = buf_view(said), line, word;
	const char *lf;

	while (rest.n) {
		lf = memchr(rest.p, '\n', rest.n);
		assert_non_null(lf);
		line = view_make(rest.p, (size_t)(lf - rest.p) + 1);
		rest = view_skip(rest, line.n);
		assert_in_range(line.n, 6, 512);
		assert_int_equal(line.p[line.n - 2], '\r');
		if (line.p[3] == '-')
			continue;
		assert_int_equal(line.p[3], ' ');
		buf_printf(out, "%s%.3s", out->n ? " " : "", line.p);
		line = view_skip(line, 4);
		word = view_next_word(&line);
		if (word.n > 4 && word.p[1] == '.' && word.p[3] == '.')
			buf_printf(out, ":%.*s", (int)word.n, word.p);
	}
}

/* What is known of it when it is over. */
struct dialogue {
	struct buf said;
	struct buf replies; /* as sum_up has them */
	struct buf log;     /* of the owner */
	struct outcome o;
	int rc;
};

static inline struct dialogue dialogue_start(int in, int out)
{
	struct dialogue d = {
		.said = BUF_INIT(LIMIT),
		.replies = BUF_INIT(LIMIT),
		.log = BUF_INIT(LIMIT),
	};
	struct owner w = {
		.envelope = ENVELOPE_INIT,
		.message = MESSAGE_INIT,
		.local = {.maildomain = (char[]){"home"},
			  .aliases = (char[]){"aliases"}},
		.log = BUF_INIT(LIMIT),
	};
	const struct server_owner owner = {&w, on_begin, on_submit, on_give_up,
					   on_expand};

	write_file("aliases", 0600,
		   "team: a@x, b@x\nbad: |prog\nloop: loop2\nloop2: loop\n");
	w.aliases = aliases_read("aliases", &d.o);
	d.rc = server_run(in, out, NAME, &owner, &d.o);
	d.log = w.log;
	aliases_free(w.aliases);
	envelope_release(&w.envelope);
	message_release(&w.message);
	return d;
}

static inline struct dialogue dialogue_run(struct view input, size_t step)
{
	struct feed f = feed_start(input, step);
	struct dialogue d = dialogue_start(f.in, f.out);

	feed_said(&f, &d.said);
	feed_end(&f);
	sum_up(&d.said, &d.replies);
	return d;
}

static inline void dialogue_end(struct dialogue *d)
{
	buf_release(&d->said);
	buf_release(&d->replies);
	buf_release(&d->log);
	outcome_release(&d->o);
}

#define IN_HOME(test) \
	cmocka_unit_test_setup_teardown(test, make_home, remove_home)

#endif
