/* SPDX-License-Identifier: GPL-3.0-or-later */
/* netrc files: entries, quotes, macros, what is not ours. */
#include "conf/netrc.h"

#include "unit.h"

static const struct {
	const char *text;
	const char *want; /* for alice at mail.x, port 587; NULL: none */
} cases[] = {
	{"", NULL},
	{"machine mail.x login alice password p", "p"},
	{"machine mail.x\n\tlogin alice\n\tpassword p\n", "p"},
	{"machine MAIL.X login alice password p", "p"},
	{"machine mail.x password p login alice", "p"},
	{"machine mail.x password p", "p"},
	{"machine mail.x login bob password p", NULL},
	{"machine mail.x password p login bob", NULL},
	{"machine mail.x login Alice password p", NULL},
	{"machine mail.y login alice password p", NULL},
	{"machine mail.x login alice", NULL},
	{"machine mail.x login alice password", NULL},
	{"machine mail.x login bob password q machine mail.x login alice "
	 "password p",
	 "p"},
	{"machine mail.x login alice password p machine mail.x login alice "
	 "password q",
	 "p"},
	{"default login alice password p", "p"},
	{"default login bob password p", NULL},
	{"machine mail.y password q default login alice password p", "p"},
	{"machine mail.x login alice account acct password p", "p"},
	{"machine mail.x login alice password \"a b\"", "a b"},
	{"machine mail.x login alice password \"a\\\"b\\\\c\"", "a\"b\\c"},
	{"machine mail.x login alice password \"a", "a"},
	{"machine mail.x login alice password #p", "#p"},
	{"machine mail.x login alice password p#q", "p#q"},
	{"# machine mail.x login alice password q\n"
	 "machine mail.x login alice password p",
	 "p"},
	{"machine mail.x login alice # ours\npassword p", "p"},
	{"macdef init\nmachine mail.x login alice password q\n\n"
	 "machine mail.x login alice password p",
	 "p"},
	{"macdef init\nmachine mail.x login alice password q", NULL},
	{"machine mail.y login machine password mail.x\n"
	 "machine mail.x login alice password p",
	 "p"},
	{"machine mail.x login alice password password", "password"},
	{"unknown words machine mail.x login alice password p", "p"},
	{"machine", NULL},
	{"machine mail.x login", NULL},
	{"\"machine\" mail.x login alice password p", "p"},
	{"machine mail.x login alice password p machine", "p"},
	{"machine mail.x login alice password \"\"", ""},
	/* as in ~/.authinfo */
	{"machine mail.x login alice port 587 password p", "p"},
	{"machine mail.x login alice password p port 587", "p"},
	{"machine mail.x login alice port submission password p", "p"},
	{"machine mail.x login alice port SUBMISSION password p", "p"},
	{"machine mail.x login alice port 25 password p", NULL},
	{"machine mail.x login alice port smtp password p", NULL},
	{"machine mail.x login alice port submissions password p", NULL},
	{"machine mail.x login alice port imaps password p", NULL},
	{"machine mail.x login alice password p port 993", NULL},
	{"machine mail.x login alice port 5870 password p", NULL},
	{"machine mail.x login alice port 0 password p", NULL},
	{"machine mail.x login alice port 99999999999999999999 password p",
	 NULL},
	{"machine mail.x port", NULL},
	{"machine mail.x login alice port 993 password q\n"
	 "machine mail.x login alice port 587 password p",
	 "p"},
	{"machine mail.x login alice port 993 password q\n"
	 "machine mail.x login alice password p",
	 "p"},
	{"default port 993 password q default port 587 password p", "p"},
	{"host mail.x user alice protocol submission password p", "p"},
	{"machine mail.x login alice password port port 587", "port"},
};

/* Of one who knows no port an entry with a port is not meant. */
static const struct {
	unsigned port;
	const char *said;
	bool is_meant;
} ports[] = {
	{587, "587", true},         {587, "submission", true},
	{587, "smtp", false},       {25, "smtp", true},
	{25, "25", true},           {25, "mail", true},
	{465, "submissions", true}, {465, "smtps", true},
	{465, "ssmtp", true},       {465, "urd", true},
	{465, "465", true},         {465, "submission", false},
	{24, "lmtp", true},         {2525, "2525", true},
	{2525, "smtp", false},      {0, "0", false},
	{0, "smtp", false},         {0, "587", false},
};

static const struct netrc_query alice = {"mail.x", 587, "alice"};

static void finds_passwords(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct buf password = BUF_INIT_SECRET(4096);
		bool found =
			netrc_find(view_of(cases[i].text), &alice, &password);

		if (found != (cases[i].want != NULL) ||
		    strcmp(password.p, found ? cases[i].want : "") != 0)
			fail_msg("%s: %s", cases[i].text,
				 found ? password.p : "none");
		buf_release(&password);
	}
}

static void compares_ports(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(ports); i++) {
		const struct netrc_query query = {"mail.x", ports[i].port,
						  "alice"};
		struct buf password = BUF_INIT_SECRET(4096);
		struct buf text = BUF_INIT(4096);

		buf_printf(&text, "machine mail.x password p port %s",
			   ports[i].said);
		if (netrc_find(buf_view(&text), &query, &password) !=
		    ports[i].is_meant)
			fail_msg("%u: %s", ports[i].port, ports[i].said);
		buf_release(&password);
		buf_release(&text);
	}
}

/* What a word has beyond the limit is not just cut off. */
static void says_when_a_password_is_too_long(void **state)
{
	struct buf password = BUF_INIT_SECRET(64u << 10);
	struct buf text = BUF_INIT(1u << 20);
	size_t i;

	(void)state;
	buf_add_text(&text, "machine mail.x password ");
	for (i = 0; i < (64u << 10); i++)
		buf_add_char(&text, 'p');
	assert_true(netrc_find(buf_view(&text), &alice, &password));
	assert_int_equal(password.n, 64u << 10);
	assert_false(password.overflow);
	buf_add_char(&text, 'p');
	assert_true(netrc_find(buf_view(&text), &alice, &password));
	assert_true(password.overflow);
	buf_release(&password);
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_passwords),
		cmocka_unit_test(compares_ports),
		cmocka_unit_test(says_when_a_password_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
