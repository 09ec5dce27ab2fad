/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server says it can do, as servers really say it. */
#include "smtp/capability.h"

#include "unit.h"

static const struct {
	const char *reply;
	unsigned set;
	uint64_t size_limit;
	const char *mechanisms; /* joined by blanks */
	size_t lines;
} cases[] = {
	{"250 mx\r\n", 0, 0, "", 0},
	{"250-mx\r\n250 \r\n", 0, 0, "", 0},
	{"250-mx\r\n250 SIZE\r\n", CAP_SIZE, 0, "", 1},
	{"250-mx\r\n250 SIZE 0\r\n", CAP_SIZE, 0, "", 1},
	{"250-mx\r\n250 size 1048576\r\n", CAP_SIZE, 1048576, "", 1},
	{"250-mx\r\n250 SIZE 18446744073709551615\r\n", CAP_SIZE, UINT64_MAX,
	 "", 1},
	{"250-mx\r\n250 SIZE 18446744073709551616\r\n", CAP_SIZE, 0, "", 1},
	{"250-mx\r\n250 SIZE -1\r\n", CAP_SIZE, 0, "", 1},
	{"250-mx\r\n250 SIZE 10 20\r\n", CAP_SIZE, 10, "", 1},
	{"250-mx\r\n250-AUTH PLAIN LOGIN\r\n250 AUTH=PLAIN LOGIN\r\n", CAP_AUTH,
	 0, "PLAIN LOGIN", 2},
	{"250-mx\r\n250 AUTH=LOGIN\r\n", CAP_AUTH, 0, "LOGIN", 1},
	{"250-mx\r\n250 AUTH\r\n", CAP_AUTH, 0, "", 1},
	{"250-mx\r\n250 auth  plain \t cram-md5 \r\n", CAP_AUTH, 0,
	 "plain cram-md5", 1},
	{"250-mx\r\n250-PIPELINING\r\n250-8bitmime\r\n250-XVERP=Courier\r\n"
	 "250-STARTTLS\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250-DSN\r\n"
	 "250-SMTPUTF8\r\n250 EnhancedStatusCodes\r\n",
	 CAP_PIPELINING | CAP_8BITMIME | CAP_STARTTLS | CAP_CHUNKING |
		 CAP_BINARYMIME | CAP_DSN | CAP_SMTPUTF8 |
		 CAP_ENHANCEDSTATUSCODES,
	 0, "", 9},
	/* the first line is the server's name, whatever it looks like */
	{"250-STARTTLS\r\n250 DSN\r\n", CAP_DSN, 0, "", 1},
	{"250-mx\r\n250 STARTTLSX\r\n", 0, 0, "", 1},
	{"250-mx\r\n250 UTF8SMTP\r\n", CAP_UTF8SMTP, 0, "", 1},
	{"250-mx\r\n250 UTF8SMTPA\r\n", 0, 0, "", 1},
	{"250-mx\r\n250 PIPECONNECT\r\n", CAP_PIPECONNECT, 0, "", 1},
	{"250-mx\r\n250 X_PIPE_CONNECT\r\n", CAP_PIPECONNECT, 0, "", 1},
	{"250-mx\r\n250 PIPE_CONNECT\r\n", 0, 0, "", 1},
	{"250-mx\r\n250-RequireTLS\r\n250 DELIVERBY 5\r\n",
	 CAP_REQUIRETLS | CAP_DELIVERBY, 0, "", 2},
	{"250-mx\r\n250-REQUIRETLSX\r\n250 DELIVER-BY\r\n", 0, 0, "", 2},
};

static void reads_the_reply_to_ehlo(void **state)
{
	struct capabilities c = CAPABILITIES_INIT;
	struct reply reply = REPLY_INIT;
	struct buf joined = BUF_INIT(1024);
	const char *why;
	size_t i, j;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		assert_true(reply_parse(view_of(cases[i].reply), &reply, &why) >
			    0);
		capabilities_parse(&c, &reply);
		assert_true(c.extended);
		if (c.set != cases[i].set || c.lines.n != cases[i].lines)
			fail_msg("case %zu: %x, %zu lines", i, c.set,
				 c.lines.n);
		assert_true(c.size_limit == cases[i].size_limit);
		buf_clear(&joined);
		for (j = 0; j < c.mechanisms.n; j++)
			buf_printf(&joined, "%s%s", j ? " " : "",
				   c.mechanisms.p[j]);
		assert_string_equal(joined.p, cases[i].mechanisms);
	}
	buf_release(&joined);
	reply_release(&reply);
	capabilities_release(&c);
}

/* RFC 2852 4: the least number of seconds, if there is one. */
static void knows_the_least_time(void **state)
{
	static const struct {
		const char *line;
		unsigned least;
	} rows[] = {
		{"DELIVERBY", 0},
		{"DELIVERBY ", 0},
		{"DELIVERBY 0", 0},
		{"deliverby 240", 240},
		{"DELIVERBY 240,7", 0}, /* what is no number gives none */
		{"DELIVERBY -5", 0},
		{"DELIVERBY x", 0},
		{"DELIVERBY 4294967295", 4294967295u},
		{"DELIVERBY 4294967296", 0},
	};
	struct capabilities c = CAPABILITIES_INIT;
	struct reply reply = REPLY_INIT;
	struct buf text = BUF_INIT(1024);
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		buf_clear(&text);
		buf_printf(&text, "250-mx\r\n250 %s\r\n", rows[i].line);
		assert_true(reply_parse(buf_view(&text), &reply, &why) > 0);
		capabilities_parse(&c, &reply);
		assert_true(capabilities_has(&c, CAP_DELIVERBY));
		assert_int_equal(c.deliver_by_min, rows[i].least);
	}
	buf_release(&text);
	reply_release(&reply);
	capabilities_release(&c);
}

static void forgets_everything(void **state)
{
	struct capabilities c = CAPABILITIES_INIT;
	struct reply reply = REPLY_INIT;
	const char *why;

	(void)state;
	reply_parse(VIEW("250-mx\r\n250-SIZE 5\r\n250 AUTH PLAIN\r\n"), &reply,
		    &why);
	capabilities_parse(&c, &reply);
	assert_true(capabilities_has(&c, CAP_AUTH));
	capabilities_release(&c);
	assert_false(capabilities_has(&c, CAP_AUTH));
	assert_true(c.size_limit == 0 && c.mechanisms.n == 0 && c.lines.n == 0);
	assert_false(c.extended);
	reply_release(&reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_reply_to_ehlo),
		cmocka_unit_test(knows_the_least_time),
		cmocka_unit_test(forgets_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
