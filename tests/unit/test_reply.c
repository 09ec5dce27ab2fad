/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Replies: what is one, what it says, what it means at a step. */
#include "smtp/reply.h"

#include "unit.h"

static const struct {
	const char *input;
	ptrdiff_t used;
	int code;
	const char *status;
	const char *text;
} cases[] = {
	{"220 mail.example.org ESMTP\r\n", 28, 220, "",
	 "mail.example.org ESMTP"},
	{"250 ok\r\n250 more", 8, 250, "", "ok"},
	{"250\r\n", 5, 250, "", ""},
	{"250 \r\n", 6, 250, "", ""},
	{"250\n", 4, 250, "", ""},
	{"250-\r\n250 \r\n", 12, 250, "", "\n"},
	{"250-a\r\n250-b\r\n250 c\r\n", 21, 250, "", "a\nb\nc"},
	{"250-a\n250 c\n", 12, 250, "", "a\nc"},
	{"550 5.1.1 no such user\r\n", 24, 550, "5.1.1", "no such user"},
	{"550-5.7.1 first\r\n550 5.7.2 second\r\n", 35, 550, "5.7.2",
	 "first\nsecond"},
	{"550 5.1.1\r\n", 11, 550, "5.1.1", ""},
	{"450 5.1.1 class differs\r\n", 25, 450, "4.1.1", "class differs"},
	{"550 2.0.0 class differs\r\n", 25, 550, "5.0.0", "class differs"},
	{"550 5.123.456 long\r\n", 20, 550, "5.123.456", "long"},
	{"550 5.1234.1 no code\r\n", 22, 550, "", "5.1234.1 no code"},
	{"550 5.1.1x no code\r\n", 20, 550, "", "5.1.1x no code"},
	{"550 5.1 no code\r\n", 17, 550, "", "5.1 no code"},
	{"550 3.1.1 no code\r\n", 19, 550, "", "3.1.1 no code"},
	{"334 2.0.0\r\n", 11, 334, "", "2.0.0"},
	{"", 0, 0, "", ""},
	{"2", 0, 0, "", ""},
	{"25", 0, 0, "", ""},
	{"250", 0, 0, "", ""},
	{"250 ok", 0, 0, "", ""},
	{"250 ok\r", 0, 0, "", ""},
	{"250-a\r\n", 0, 0, "", ""},
	{"250-a\r\n250", 0, 0, "", ""},
	{"hello\r\n", -1, 0, "", ""},
	{"h", -1, 0, "", ""},
	{"150 x\r\n", -1, 0, "", ""},
	{"650 x\r\n", -1, 0, "", ""},
	{"25", 0, 0, "", ""},
	{"25\r\n", -1, 0, "", ""},
	{"2500 x\r\n", -1, 0, "", ""},
	{"250x\r\n", -1, 0, "", ""},
	{"\r\n", -1, 0, "", ""},
	{" 250 x\r\n", -1, 0, "", ""},
	{"250-a\r\n251 b\r\n", -1, 0, "", ""},
	{"250-a\r\nb\r\n", -1, 0, "", ""},
	{"\x16\x03\x01", -1, 0, "", ""},
};

static void parses_what_is_a_reply(void **state)
{
	struct reply reply = REPLY_INIT;
	const char *why;
	ptrdiff_t used;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		why = NULL;
		reply_clear(&reply);
		used = reply_parse(view_of(cases[i].input), &reply, &why);
		if (used != cases[i].used)
			fail_msg("case %zu: %td", i, used);
		if (used < 0)
			assert_non_null(why);
		if (used <= 0)
			continue;
		assert_int_equal(reply.code, cases[i].code);
		assert_string_equal(reply.status, cases[i].status);
		assert_string_equal(reply.text.p, cases[i].text);
	}
	reply_release(&reply);
}

/* Whatever the cut, the parser waits for more and never reads past the end. */
static void waits_at_every_cut(void **state)
{
	static const char whole[] = "250-one\r\n250-2.0.0 two\r\n250 three\r\n";
	struct reply reply = REPLY_INIT;
	const char *why;
	char *part;
	size_t n;

	(void)state;
	for (n = 0; n < sizeof(whole) - 1; n++) {
		part = malloc(n + 1);
		memcpy(part, whole, n);
		assert_int_equal(reply_parse(view_make(part, n), &reply, &why),
				 0);
		free(part);
	}
	assert_int_equal(reply_parse(VIEW(whole), &reply, &why),
			 sizeof(whole) - 1);
	reply_release(&reply);
}

/* A reply that comes octet by octet does not cost the square of its length. */
static void looks_at_each_line_once(void **state)
{
	static const char begun[] = "250-one\r\n250-two\r\n25";
	static const char whole[] = "-------\r\n-------\r\n250 three\r\n";
	struct reply reply = REPLY_INIT;
	const char *why;

	(void)state;
	assert_int_equal(reply_parse(VIEW(begun), &reply, &why), 0);
	assert_int_equal(reply_parse(VIEW(whole), &reply, &why),
			 sizeof(whole) - 1);
	assert_string_equal(reply.text.p, "one\ntwo\nthree");
	assert_int_equal(reply_parse(VIEW("220 hello\r\n"), &reply, &why), 11);
	assert_string_equal(reply.text.p, "hello");
	reply_release(&reply);
}

static void refuses_what_is_too_long(void **state)
{
	struct reply reply = REPLY_INIT;
	struct buf input = BUF_INIT(1u << 20);
	const char *why = NULL;
	size_t i;

	(void)state;
	buf_add_text(&input, "250 ");
	for (i = 0; i <= REPLY_LINE_LIMIT; i++)
		buf_add_char(&input, 'x');
	assert_int_equal(reply_parse(buf_view(&input), &reply, &why), -1);
	assert_non_null(strstr(why, "4096"));

	buf_clear(&input);
	while (input.n <= REPLY_LIMIT)
		buf_add_text(&input, "250-on and on and on\r\n");
	assert_int_equal(reply_parse(buf_view(&input), &reply, &why), -1);
	assert_non_null(strstr(why, "65536"));
	buf_release(&input);
	reply_release(&reply);
}

static const struct {
	const char *input;
	enum step step;
	const char *status;
} meanings[] = {
	{"421 x\n", STEP_RCPT, "4.3.2"},
	{"450 x\n", STEP_RCPT, "4.2.0"},
	{"451 x\n", STEP_MAIL, "4.3.0"},
	{"452 x\n", STEP_MAIL, "4.3.1"},
	{"454 x\n", STEP_AUTH, "4.7.0"},
	{"499 x\n", STEP_DATA, "4.0.0"},
	{"500 x\n", STEP_EHLO, "5.5.2"},
	{"501 x\n", STEP_MAIL, "5.5.4"},
	{"502 x\n", STEP_EHLO, "5.5.1"},
	{"503 x\n", STEP_DATA, "5.5.1"},
	{"504 x\n", STEP_AUTH, "5.5.4"},
	{"521 x\n", STEP_GREETING, "5.3.2"},
	{"530 x\n", STEP_MAIL, "5.7.0"},
	{"534 x\n", STEP_AUTH, "5.7.9"},
	{"535 x\n", STEP_AUTH, "5.7.8"},
	{"538 x\n", STEP_AUTH, "5.7.11"},
	{"550 x\n", STEP_RCPT, "5.1.1"},
	{"550 x\n", STEP_MAIL, "5.7.1"},
	{"550 x\n", STEP_CONTENT, "5.7.1"},
	{"551 x\n", STEP_RCPT, "5.1.6"},
	{"552 x\n", STEP_MAIL, "5.3.4"},
	{"552 x\n", STEP_CONTENT, "5.3.4"},
	{"552 x\n", STEP_RCPT, "5.2.2"},
	{"553 x\n", STEP_RCPT, "5.1.3"},
	{"553 x\n", STEP_MAIL, "5.1.7"},
	{"554 x\n", STEP_GREETING, "5.3.2"},
	{"554 x\n", STEP_CONTENT, "5.0.0"},
	{"555 x\n", STEP_MAIL, "5.5.4"},
	{"556 x\n", STEP_RCPT, "5.1.10"},
	{"550 5.2.1 x\n", STEP_RCPT, "5.2.1"},
	{"250 x\n", STEP_CONTENT, "2.0.0"},
};

static void gives_a_bare_code_its_status(void **state)
{
	struct reply reply = REPLY_INIT;
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(meanings); i++) {
		assert_true(reply_parse(view_of(meanings[i].input), &reply,
					&why) > 0);
		assert_string_equal(reply_status(&reply, meanings[i].step),
				    meanings[i].status);
	}
	reply_release(&reply);
}

static void tells_a_refusal_in_one_printable_line(void **state)
{
	struct reply reply = REPLY_INIT;
	struct outcome o = OUTCOME_INIT;
	const char *why;

	(void)state;
	reply_parse(VIEW("550-5.1.1 no\r\n550 5.1.1 such\033[2J user\r\n"),
		    &reply, &why);
	assert_int_equal(reply_fail(&reply, STEP_RCPT, "mx", "RCPT TO", &o),
			 -1);
	assert_int_equal(o.cause, CAUSE_RECIPIENT);
	assert_int_equal(o.reply_code, 550);
	assert_string_equal(o.status, "5.1.1");
	assert_string_equal(o.host, "mx");
	assert_string_equal(o.text, "550 5.1.1 no such\\x1B[2J user");
	reply_parse(VIEW("250 fine\r\n"), &reply, &why);
	reply_fail(&reply, STEP_DATA, "mx", "DATA", &o);
	assert_int_equal(o.cause, CAUSE_PROTOCOL);
	assert_string_equal(o.status, "5.5.0");
	outcome_release(&o);
	reply_release(&reply);
}

static void keeps_what_people_read(void **state)
{
	struct reply reply = REPLY_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < REPLY_LIMIT; i++)
		buf_add_char(&reply.text, 'x');
	reply_trim(&reply);
	assert_int_equal(reply.text.n, 1024);
	assert_true(reply.text.cap <= 2048);
	reply_release(&reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_what_is_a_reply),
		cmocka_unit_test(waits_at_every_cut),
		cmocka_unit_test(looks_at_each_line_once),
		cmocka_unit_test(refuses_what_is_too_long),
		cmocka_unit_test(gives_a_bare_code_its_status),
		cmocka_unit_test(tells_a_refusal_in_one_printable_line),
		cmocka_unit_test(keeps_what_people_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
