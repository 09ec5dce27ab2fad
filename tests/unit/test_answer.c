/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers: one printable line within the limits, whatever they are made of. */
#include "smtp/answer.h"

#include <stdarg.h>

#include "feed.h"
#include "unit.h"

#define LINE_MOST 512u /* octets with CRLF, RFC 5321 4.5.3.1.5 */

static struct channel open_channel(struct feed *f)
{
	*f = feed_start(VIEW(""), 0);
	return CHANNEL_INIT(f->in, f->out);
}

/* What was said; the channel is closed with it. */
static void take_said(struct channel *c, struct feed *f, struct buf *said)
{
	channel_flush(c);
	feed_said(f, said);
	channel_release(c);
	feed_end(f);
}

/* Lines of the form that RFC 5321 4.2 wants, with that code, the last one
 * alone with a blank. */
static void check_form(const struct buf *said, const char *code)
{
	struct view rest = buf_view(said), line;
	size_t i, n;

	assert_true(rest.n > 0);
	while (rest.n) {
		n = (size_t)((const char *)memchr(rest.p, '\n', rest.n) -
			     rest.p) +
			1;
		line = view_make(rest.p, n);
		rest = view_skip(rest, n);
		assert_in_range(n, 6, LINE_MOST);
		assert_memory_equal(line.p, code, 3);
		assert_int_equal(line.p[3], rest.n ? '-' : ' ');
		assert_int_equal(line.p[n - 2], '\r');
		for (i = 0; i < n - 2; i++)
			assert_in_range(line.p[i], ' ', '~');
	}
}

static void says_one_printable_line(void **state)
{
	static const struct {
		struct view text;
		const char *want;
	} rows[] = {
		{{"2.0.0 ok", 8}, "250 2.0.0 ok\r\n"},
		{{"", 0}, "250 \r\n"},
		{{"a\r\n550 b", 8}, "250 a??550 b\r\n"},
		{{"a\0b\tc\x7f", 6}, "250 a?b?c?\r\n"},
		{{"j\xc3\xb6\x80", 4}, "250 j???\r\n"},
		{{"100% %s", 7}, "250 100% %s\r\n"},
	};
	struct buf said = BUF_INIT(1000);
	struct channel c;
	struct feed f;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		c = open_channel(&f);
		answer_line(&c, 250, true, rows[i].text);
		take_said(&c, &f, &said);
		assert_string_equal(said.p, rows[i].want);
	}
	c = open_channel(&f);
	answer_line(&c, 250, false, VIEW("one"));
	answer(&c, 250, "2.%d.%s two\n", 0, "0");
	take_said(&c, &f, &said);
	assert_string_equal(said.p, "250-one\r\n250 2.0.0 two?\r\n");
	buf_release(&said);
}

static void keeps_lines_short(void **state)
{
	struct buf text = BUF_INIT(100000), said = BUF_INIT(100000);
	struct outcome o = OUTCOME_INIT;
	struct channel c;
	struct feed f;
	size_t i;

	(void)state;
	for (i = 0; i < 90000; i++)
		buf_add_char(&text, 'x');
	c = open_channel(&f);
	answer(&c, 501, "5.5.4 %s", text.p);
	take_said(&c, &f, &said);
	check_form(&said, "501");
	c = open_channel(&f);
	answer_line(&c, 501, true, buf_view(&text));
	take_said(&c, &f, &said);
	check_form(&said, "501");
	c = open_channel(&f);
	fail(&o, CAUSE_CONTENT, "5.6.0", "%s", text.p);
	o.uncertain = true;
	answer_failure(&c, &o);
	take_said(&c, &f, &said);
	check_form(&said, "554");
	outcome_release(&o);
	buf_release(&said);
	buf_release(&text);
}

/* A failure, and how a client is told. */
static const struct {
	const char *status;
	int reply_code; /* 0: no server said it */
	const char *text;
	const char *want;
} failures[] = {
	{"5.1.3", 0, "bad address: x", "501 5.1.3 bad address: x"},
	{"5.1.7", 0, "bad sender", "501 5.1.7 bad sender"},
	{"5.5.4", 0, "bad id", "501 5.5.4 bad id"},
	{"5.1.1", 0, "nobody", "550 5.1.1 nobody"},
	{"5.1.2", 0, "no host", "550 5.1.2 no host"},
	{"5.3.4", 0, "too big", "552 5.3.4 too big"},
	{"5.6.7", 0, "no utf8", "553 5.6.7 no utf8"},
	{"5.7.1", 0, "may not", "550 5.7.1 may not"},
	{"5.6.0", 0, "a NUL", "554 5.6.0 a NUL"},
	{"5.3.5", 0, "configuration", "554 5.3.5 configuration"},
	{"5.5.0", 0, "odd", "554 5.5.0 odd"},
	{"4.3.1", 0, "disk full", "452 4.3.1 disk full"},
	{"4.7.0", 0, "not now", "454 4.7.0 not now"},
	{"4.4.2", 0, "lost", "451 4.4.2 lost"},
	{"4.4.3", 0, "no name", "451 4.4.3 no name"},
	/* a server's words, its code, and its status once */
	{"5.1.1", 550, "550 5.1.1 no such user", "550 5.1.1 no such user"},
	{"5.1.1", 550, "550 no such user", "550 5.1.1 no such user"},
	{"4.2.0", 450, "450 busy", "450 4.2.0 busy"},
	{"4.2.0", 450, "450", "450 4.2.0 "},
	{"5.7.1", 554, "554 5.7.1 spam (in reply to DATA)",
	 "554 5.7.1 spam (in reply to DATA)"},
	{"5.0.0", 599, "599 5.0.0 what", "599 5.0.0 what"},
	/* this one would end the channel */
	{"4.3.2", 421, "421 4.3.2 going down", "451 4.3.2 going down"},
	/* that was no refusal */
	{"5.5.0", 250, "250 2.0.0 ok (unexpected in reply to DATA)",
	 "554 5.5.0 2.0.0 ok (unexpected in reply to DATA)"},
	{"5.6.7", 0, "j\xc3\xb6 needs it", "553 5.6.7 j?? needs it"},
};

static void says_why_it_failed(void **state)
{
	static const char *const hint =
		" (the message may have been delivered)\r\n";
	struct buf said = BUF_INIT(1000), want = BUF_INIT(1000);
	struct channel c;
	struct feed f;
	size_t i;

	(void)state;
	for (i = 0; i < 2 * N_OF(failures); i++) {
		struct outcome o = OUTCOME_INIT;
		size_t row = i / 2;

		fail(&o, CAUSE_CONTENT, failures[row].status, "%s",
		     failures[row].text);
		o.reply_code = failures[row].reply_code;
		o.uncertain = i % 2;
		c = open_channel(&f);
		answer_failure(&c, &o);
		take_said(&c, &f, &said);
		buf_clear(&want);
		buf_printf(&want, "%s%s", failures[row].want,
			   i % 2 ? hint : "\r\n");
		assert_string_equal(said.p, want.p);
		outcome_release(&o);
	}
	buf_release(&want);
	buf_release(&said);
}

/* A reply upstream, and what is passed on: its status in each line (RFC 2034
 * 4). */
static const struct {
	const char *reply, *want;
} replies[] = {
	{"250 2.0.0 queued as X\r\n", "250 2.0.0 queued as X\r\n"},
	{"250 2.6.0 <a@b> queued\r\n", "250 2.6.0 <a@b> queued\r\n"},
	{"250 ok\r\n", "250 2.0.0 ok\r\n"},
	{"250\r\n", "250 2.0.0 \r\n"},
	{"250-2.0.0 one\r\n250 2.0.0 two\r\n",
	 "250-2.0.0 one\r\n250 2.0.0 two\r\n"},
	{"250-one\r\n250-\r\n250 three\r\n",
	 "250-2.0.0 one\r\n250-2.0.0 \r\n250 2.0.0 three\r\n"},
	{"250-one\r\n250 \r\n", "250-2.0.0 one\r\n250 2.0.0 \r\n"},
	{"251 2.1.5 will forward\r\n", "251 2.1.5 will forward\r\n"},
	{"250 2.0.0 j\xc3\xb6\033[2J\r\n", "250 2.0.0 j???[2J\r\n"},
};

static void passes_a_reply_on(void **state)
{
	struct reply reply = REPLY_INIT;
	struct buf said = BUF_INIT(1000);
	const char *why;
	struct channel c;
	struct feed f;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(replies); i++) {
		assert_true(reply_parse(view_of(replies[i].reply), &reply,
					&why) > 0);
		c = open_channel(&f);
		answer_reply(&c, &reply);
		take_said(&c, &f, &said);
		assert_string_equal(said.p, replies[i].want);
	}
	buf_release(&said);
	reply_release(&reply);
}

/* The most that a server may say. */
static void passes_a_long_reply_on(void **state)
{
	struct reply reply = REPLY_INIT;
	struct buf text = BUF_INIT(1u << 20), said = BUF_INIT(1u << 20);
	const char *why;
	struct channel c;
	struct feed f;
	size_t i;

	(void)state;
	for (i = 0; i < 15; i++)
		buf_printf(&text, "250-2.0.0 %04000zu\r\n", i);
	buf_add_text(&text, "250 2.0.0 end\r\n");
	assert_true(reply_parse(buf_view(&text), &reply, &why) > 0);
	c = open_channel(&f);
	answer_reply(&c, &reply);
	take_said(&c, &f, &said);
	check_form(&said, "250");
	assert_non_null(strstr(said.p, "250 2.0.0 end\r\n"));
	buf_release(&said);
	buf_release(&text);
	reply_release(&reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_one_printable_line),
		cmocka_unit_test(keeps_lines_short),
		cmocka_unit_test(says_why_it_failed),
		cmocka_unit_test(passes_a_reply_on),
		cmocka_unit_test(passes_a_long_reply_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
