/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands behind MAIL and RCPT: paths and parameters as clients have them,
 * and what is wrong with the others. */
#include "smtp/path.h"

#include "base/text.h"
#include "unit.h"

#define FROM VIEW("FROM:")
#define TO   VIEW("TO:")

/* What is given, and the mailbox. */
static const struct {
	const char *text;
	const char *mailbox; /* NULL: no path at all */
} paths[] = {
	{"FROM:<a@x.example>", "a@x.example"},
	{"from:<a@x.example>", "a@x.example"},
	{"FROM:<>", ""},
	{"FROM:< >", ""},
	{"FROM:<postmaster>", "postmaster"},
	/* as every server forgives */
	{"FROM: <a@x.example>", "a@x.example"},
	{"FROM:\t <a@x.example> ", "a@x.example"},
	{"FROM:< a@x.example >", "a@x.example"},
	{"FROM:a@x.example", "a@x.example"},
	{"FROM: a@x.example\r\n", "a@x.example"},
	/* RFC 5321 4.1.1.3: a source route is dropped */
	{"FROM:<@one.example:a@x.example>", "a@x.example"},
	{"FROM:<@one.example,@two.example:a@x.example>", "a@x.example"},
	{"FROM:<@one.example:\"a:b\"@x.example>", "\"a:b\"@x.example"},
	/* quotes */
	{"FROM:<\"a b\"@x.example>", "\"a b\"@x.example"},
	{"FROM:<\"a>b\"@x.example>", "\"a>b\"@x.example"},
	{"FROM:<\"a\\\"> b\"@x.example>", "\"a\\\"> b\"@x.example"},
	{"FROM:<\"a\\\\\"@x.example>", "\"a\\\\\"@x.example"},
	{"FROM:\"a b\"@x.example", "\"a b\"@x.example"},
	{"FROM:<a@[192.0.2.1]>", "a@[192.0.2.1]"},
	{"FROM:<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"},
	{"FROM:<\xc3\xa4@x.example>", "\xc3\xa4@x.example"},
	/* the mailbox is not looked at */
	{"FROM:<a b>", "a b"},
	{"FROM:<@x.example>", "@x.example"},
	{"FROM:a@x.example>", "a@x.example>"},
	{"FROM:<<a@x.example>", "<a@x.example"},
	/* no path */
	{"", NULL},
	{"FROM", NULL},
	{"FROM:", NULL},
	{"FROM: ", NULL},
	{"FROM <a@x.example>", NULL},
	{"FROM :<a@x.example>", NULL},
	{"<a@x.example>", NULL},
	{"TO:<a@x.example>", NULL},
	{"FROM:<a@x.example", NULL},
	{"FROM:<\"a>@x.example>", NULL},
	{"FROM:\"a b@x.example", NULL},
	{"FROM:<", NULL},
	{"FROM:<a@x.example>SIZE=1", NULL},
	{"FROM:<a@x.example>>", NULL},
};

static void finds_the_mailbox(void **state)
{
	enum path_fault fault;
	struct view word;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(paths); i++) {
		struct path p = PATH_INIT;

		fault = path_parse(view_of(paths[i].text), FROM, &p, &word);
		if (fault != (paths[i].mailbox ? PATH_FINE : PATH_SYNTAX))
			fail_msg("'%s': %d", paths[i].text, (int)fault);
		if (paths[i].mailbox)
			assert_string_equal(p.mailbox, paths[i].mailbox);
		path_release(&p);
		assert_null(p.mailbox);
	}
}

/* Each command has its own word and its own parameters. */
static void keeps_commands_apart(void **state)
{
	struct path p = PATH_INIT;
	struct view word;

	(void)state;
	assert_int_equal(path_parse(VIEW("TO:<a@b> NOTIFY=NEVER"), TO, &p,
				    &word),
			 PATH_FINE);
	assert_string_equal(p.mailbox, "a@b");
	assert_int_equal(p.notify, NOTIFY_NEVER);
	path_release(&p);
	assert_int_equal(path_parse(VIEW("FROM:<a@b>"), TO, &p, &word),
			 PATH_SYNTAX);
	path_release(&p);
}

/* A NUL never gets into what ends with one. */
static void refuses_nul(void **state)
{
	static const struct {
		struct view text;
		enum path_fault fault;
	} rows[] = {
		{{"FROM:<a\0b@x>", 12}, PATH_SYNTAX},
		{{"FROM:<\0>", 8}, PATH_SYNTAX},
		{{"FROM:\0", 6}, PATH_SYNTAX},
		{{"FROM:<a@b> ENVID=a\0b", 20}, PATH_PARAMETER},
		{{"FROM:<a@b> ENVID=a+00b", 22}, PATH_PARAMETER},
		{{"FROM:<a@b> ENVID=+00", 20}, PATH_PARAMETER},
		{{"FROM:<a@b> SI\0ZE=1", 18}, PATH_UNKNOWN},
		{{"FROM:<a@b> \0", 12}, PATH_UNKNOWN},
	};
	enum path_fault fault;
	struct view word;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		struct path p = PATH_INIT;

		fault = path_parse(rows[i].text, FROM, &p, &word);
		if (fault != rows[i].fault)
			fail_msg("row %zu: %d", i, (int)fault);
		path_release(&p);
	}
}

/* The parameters behind the path, and what is wrong with which of them. */
static const struct {
	const char *text;
	enum path_fault fault;
	const char *word; /* what the fault is about */
} faults[] = {
	{"", PATH_FINE, NULL},
	{" SIZE=0", PATH_FINE, NULL},
	{" SIZE=18446744073709551615", PATH_FINE, NULL},
	{" size=5  BODY=7BIT\tRET=FULL ", PATH_FINE, NULL},
	{" SIZE=", PATH_PARAMETER, "SIZE="},
	{" SIZE", PATH_PARAMETER, "SIZE"},
	{" SIZE=-1", PATH_PARAMETER, "SIZE=-1"},
	{" SIZE=1x", PATH_PARAMETER, "SIZE=1x"},
	{" SIZE=1 SIZE=1", PATH_PARAMETER, "SIZE=1"},
	{" SIZE=1 size=2", PATH_PARAMETER, "size=2"},
	{" BODY=8BITMIME", PATH_FINE, NULL},
	{" BODY=binarymime", PATH_FINE, NULL},
	{" BODY=9BIT", PATH_PARAMETER, "BODY=9BIT"},
	{" BODY=", PATH_PARAMETER, "BODY="},
	{" BODY", PATH_PARAMETER, "BODY"},
	{" BODY=7BIT BODY=8BITMIME", PATH_PARAMETER, "BODY=8BITMIME"},
	{" SMTPUTF8", PATH_FINE, NULL},
	{" SMTPUTF8=1", PATH_PARAMETER, "SMTPUTF8=1"},
	{" RET=HDRS", PATH_FINE, NULL},
	{" RET=headers", PATH_PARAMETER, "RET=headers"},
	{" ENVID=QQ314159", PATH_FINE, NULL},
	{" ENVID=a+2Bb+3Dc", PATH_FINE, NULL},
	{" ENVID=", PATH_PARAMETER, "ENVID="},
	{" ENVID", PATH_PARAMETER, "ENVID"},
	{" ENVID=a=b", PATH_PARAMETER, "ENVID=a=b"},
	{" ENVID=a+2", PATH_PARAMETER, "ENVID=a+2"},
	{" ENVID=a+2b", PATH_PARAMETER, "ENVID=a+2b"},
	{" ENVID=a+", PATH_PARAMETER, "ENVID=a+"},
	{" ENVID=\xc3\xa4", PATH_PARAMETER, "ENVID=\xc3\xa4"},
	{" X", PATH_UNKNOWN, "X"},
	{" X=1", PATH_UNKNOWN, "X=1"},
	{" SIZE=1 X=1 SIZE=1", PATH_UNKNOWN, "X=1"},
	{" SIZES=1", PATH_UNKNOWN, "SIZES=1"},
	{" SIZ=1", PATH_UNKNOWN, "SIZ=1"},
	{" =", PATH_UNKNOWN, "="},
	{" =SIZE", PATH_UNKNOWN, "=SIZE"},
	{" NOTIFY=NEVER", PATH_UNKNOWN, "NOTIFY=NEVER"},
	{" ORCPT=rfc822;a@b", PATH_UNKNOWN, "ORCPT=rfc822;a@b"},
	{" AUTH=<>", PATH_UNKNOWN, "AUTH=<>"},
};

static const struct {
	const char *text;
	enum path_fault fault;
	const char *word;
} rcpt_faults[] = {
	{" NOTIFY=SUCCESS,FAILURE,DELAY", PATH_FINE, NULL},
	{" NOTIFY=never ORCPT=rfc822;a@b", PATH_FINE, NULL},
	{" NOTIFY=NEVER,DELAY", PATH_PARAMETER, "NOTIFY=NEVER,DELAY"},
	{" NOTIFY=", PATH_PARAMETER, "NOTIFY="},
	{" NOTIFY", PATH_PARAMETER, "NOTIFY"},
	{" NOTIFY=OFTEN", PATH_PARAMETER, "NOTIFY=OFTEN"},
	{" NOTIFY=DELAY,", PATH_PARAMETER, "NOTIFY=DELAY,"},
	{" NOTIFY=DELAY NOTIFY=DELAY", PATH_PARAMETER, "NOTIFY=DELAY"},
	{" ORCPT=rfc822;a+2Bb@c", PATH_FINE, NULL},
	{" ORCPT=x-own;1", PATH_FINE, NULL},
	{" ORCPT=utf-8;j\\x{C3}\\x{B6}@b", PATH_FINE, NULL},
	/* RFC 6533 3: a server with SMTPUTF8 takes this, too */
	{" ORCPT=utf-8;j\xc3\xb6@b", PATH_FINE, NULL},
	{" ORCPT=utf-8;j\xc3@b", PATH_PARAMETER, "ORCPT=utf-8;j\xc3@b"},
	{" ORCPT=rfc822;j\xc3\xb6@b", PATH_PARAMETER,
	 "ORCPT=rfc822;j\xc3\xb6@b"},
	{" ORCPT", PATH_PARAMETER, "ORCPT"},
	{" ORCPT=", PATH_PARAMETER, "ORCPT="},
	{" ORCPT=a@b", PATH_PARAMETER, "ORCPT=a@b"},
	{" ORCPT=rfc822;", PATH_PARAMETER, "ORCPT=rfc822;"},
	{" ORCPT=;a@b", PATH_PARAMETER, "ORCPT=;a@b"},
	{" ORCPT=rfc 822;a@b", PATH_PARAMETER, "ORCPT=rfc"},
	{" ORCPT=rfc+822;a@b", PATH_PARAMETER, "ORCPT=rfc+822;a@b"},
	{" ORCPT=rfc822;a=b", PATH_PARAMETER, "ORCPT=rfc822;a=b"},
	{" ORCPT=rfc822;a+4", PATH_PARAMETER, "ORCPT=rfc822;a+4"},
	{" ORCPT=rfc822;a ORCPT=rfc822;a", PATH_PARAMETER, "ORCPT=rfc822;a"},
	{" SIZE=1", PATH_UNKNOWN, "SIZE=1"},
	{" X", PATH_UNKNOWN, "X"},
};

static void check_fault(struct view keyword, const char *text,
			enum path_fault want, const char *about)
{
	struct buf line = BUF_INIT(4000);
	struct path p = PATH_INIT;
	enum path_fault fault;
	struct view word;

	buf_add_view(&line, keyword);
	buf_printf(&line, "<a@b>%s", text);
	fault = path_parse(buf_view(&line), keyword, &p, &word);
	if (fault != want)
		fail_msg("'%s': %d", line.p, (int)fault);
	if (fault != PATH_FINE && !view_equal(word, view_of(about)))
		fail_msg("'%s': '%.*s'", line.p, (int)word.n, word.p);
	path_release(&p);
	buf_release(&line);
}

static void says_what_is_wrong(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(faults); i++)
		check_fault(FROM, faults[i].text, faults[i].fault,
			    faults[i].word);
	for (i = 0; i < N_OF(rcpt_faults); i++)
		check_fault(TO, rcpt_faults[i].text, rcpt_faults[i].fault,
			    rcpt_faults[i].word);
}

/* RFC 3461 4.2, 4.4: how long they may be; of ENVID that is for the envelope
 * to say, which sees it decoded. */
static void knows_limits(void **state)
{
	static const struct {
		const char *name;
		bool of_sender;
		size_t n; /* octets of its value */
		enum path_fault fault;
	} rows[] = {
		{"ORCPT=rfc822;", false, 493, PATH_FINE},
		{"ORCPT=rfc822;", false, 494, PATH_PARAMETER},
		{"ORCPT=rfc822;", false, 4000, PATH_PARAMETER},
		{"ENVID=", true, 100, PATH_FINE},
		{"ENVID=", true, 4000, PATH_PARAMETER},
	};
	struct buf line = BUF_INIT(5000);
	enum path_fault fault;
	struct view word;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		struct path p = PATH_INIT;

		buf_clear(&line);
		buf_printf(&line, "%s<a@b> %s%0*d",
			   rows[i].of_sender ? "FROM:" : "TO:", rows[i].name,
			   (int)rows[i].n, 0);
		fault = path_parse(buf_view(&line),
				   rows[i].of_sender ? FROM : TO, &p, &word);
		assert_int_equal(fault, rows[i].fault);
		path_release(&p);
	}
	buf_release(&line);
}

static void reads_what_is_asked_for(void **state)
{
	struct path p = PATH_INIT;
	struct view word;

	(void)state;
	assert_int_equal(
		path_parse(VIEW("FROM:<a@b> SIZE=7 BODY=8BITMIME SMTPUTF8 "
				"RET=HDRS ENVID=a+20+2B+3Db"),
			   FROM, &p, &word),
		PATH_FINE);
	assert_int_equal(p.body_type, BODY_8BITMIME);
	assert_int_equal(p.ret, RETURN_HEADERS);
	assert_string_equal(p.envid, "a +=b");
	assert_null(p.orcpt);
	path_release(&p);
	assert_true(!p.envid && p.ret == RETURN_UNSET);
	assert_int_equal(path_parse(VIEW("TO:<a@b> NOTIFY=SUCCESS,DELAY "
					 "ORCPT=rfc822;a+2Bb@c"),
				    TO, &p, &word),
			 PATH_FINE);
	assert_int_equal(p.notify, NOTIFY_SUCCESS | NOTIFY_DELAY);
	assert_string_equal(p.orcpt, "rfc822;a+2Bb@c");
	assert_null(p.envid);
	path_release(&p);
	assert_true(!p.orcpt && !p.notify);
	path_release(&p);
}

/* RFC 6533 3: what needs SMTPUTF8 goes on in the form that does not. */
static void brings_original_recipients_into_ascii(void **state)
{
	static const struct {
		const char *given, *want;
	} rows[] = {
		{"utf-8;j\xc3\xb6@b", "utf-8;j\\x{F6}@b"},
		{"UTF-8;\xe2\x82\xac\xc2\x80", "UTF-8;\\x{20AC}\\x{80}"},
		{"utf-8;\xf0\x9f\x98\x80x", "utf-8;\\x{1F600}x"},
		{"utf-8;a\\x{2B}\\x{F6}@b", "utf-8;a\\x{2B}\\x{F6}@b"},
		{"rfc822;a+2Bb@c", "rfc822;a+2Bb@c"},
	};
	struct buf line = BUF_INIT(1000);
	struct view word;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		struct path p = PATH_INIT;

		buf_clear(&line);
		buf_printf(&line, "TO:<a@b> ORCPT=%s", rows[i].given);
		assert_int_equal(path_parse(buf_view(&line), TO, &p, &word),
				 PATH_FINE);
		assert_string_equal(p.orcpt, rows[i].want);
		path_release(&p);
	}
	buf_release(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_mailbox),
		cmocka_unit_test(keeps_commands_apart),
		cmocka_unit_test(refuses_nul),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(knows_limits),
		cmocka_unit_test(reads_what_is_asked_for),
		cmocka_unit_test(brings_original_recipients_into_ascii),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
