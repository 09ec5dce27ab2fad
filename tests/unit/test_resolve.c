/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names to addresses: their order, failures, literals, deadlines. */
#include "net/resolve.h"

#include <sys/wait.h>

#include "names.h"
#include "unit.h"

#define AGES 60000 /* ms; nothing here takes as long unless it hangs */

const struct fake_name fake_names[] = {
	{.name = "both.test",
	 .addresses = {"2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2",
		       "192.0.2.3"}},
	{.name = "four.test", .addresses = {"192.0.2.9", "192.0.2.8"}},
	{.name = "late.test",
	 .addresses = {"192.0.2.1", "2001:db8::1", "2001:db8::2"}},
	{.name = "xn--bcher-kva.test", .addresses = {"192.0.2.4"}},
	{.name = "none.test", .error = EAI_NONAME},
	{.name = "nodata.test", .error = EAI_NODATA},
	{.name = "empty.test"},
	{.name = "again.test", .error = EAI_AGAIN},
	{.name = "fail.test", .error = EAI_FAIL},
	{.name = "system.test", .error = EAI_SYSTEM, .error_number = EMFILE},
	{.name = "slow.test", .manner = SLEEPS},
	{.name = "dead.test", .manner = DIES},
	{.name = NULL},
};

static const struct {
	const char *host;
	enum family prefer;
	const char *words; /* the addresses in order */
} cases[] = {
	{"both.test", FAMILY_ANY,
	 "[2001:db8::1]:25 192.0.2.1:25 [2001:db8::2]:25 "
	 "192.0.2.2:25 192.0.2.3:25 "},
	{"both.test", FAMILY_IPV6,
	 "[2001:db8::1]:25 192.0.2.1:25 [2001:db8::2]:25 "
	 "192.0.2.2:25 192.0.2.3:25 "},
	{"both.test", FAMILY_IPV4,
	 "192.0.2.1:25 [2001:db8::1]:25 192.0.2.2:25 "
	 "[2001:db8::2]:25 192.0.2.3:25 "},
	{"late.test", FAMILY_ANY,
	 "192.0.2.1:25 [2001:db8::1]:25 [2001:db8::2]:25 "},
	{"late.test", FAMILY_IPV6,
	 "[2001:db8::1]:25 192.0.2.1:25 [2001:db8::2]:25 "},
	{"four.test", FAMILY_IPV6, "192.0.2.9:25 192.0.2.8:25 "},
	{"FOUR.Test.", FAMILY_ANY, "192.0.2.9:25 192.0.2.8:25 "},
	{"b\xc3\xbc"
	 "cher.test",
	 FAMILY_ANY, "192.0.2.4:25 "},
	{"192.0.2.77", FAMILY_IPV6, "192.0.2.77:25 "},
	{"2001:db8:0::77", FAMILY_IPV4, "[2001:db8::77]:25 "},
};

static void orders_addresses(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct endpoints list = ENDPOINTS_INIT;
		struct buf text = BUF_INIT(4096);
		struct outcome o = OUTCOME_INIT;

		if (resolve_host(cases[i].host, 25, cases[i].prefer,
				 deadline_in_ms(AGES), &list, &o) < 0)
			fail_msg("%s: %s", cases[i].host, o.text);
		for (k = 0; k < list.n; k++) {
			char *one = endpoint_text_port(&list.p[k]);

			buf_printf(&text, "%s ", one);
			free(one);
		}
		assert_string_equal(text.p, cases[i].words);
		endpoints_release(&list);
		buf_release(&text);
	}
}

static const struct {
	const char *host;
	enum cause cause;
	const char *status;
	const char *words;
} failures[] = {
	{"none.test", CAUSE_RESOLVE, "5.4.4", "there is no host none.test"},
	{"nodata.test", CAUSE_RESOLVE, "5.4.4", "nodata.test"},
	{"empty.test", CAUSE_RESOLVE, "5.4.4", "empty.test"},
	{"again.test", CAUSE_RESOLVE, "4.4.3", "again.test now: "},
	{"fail.test", CAUSE_RESOLVE, "4.4.3", "fail.test now: "},
	{"system.test", CAUSE_RESOLVE, "4.4.3", "Too many open files"},
	{"slow.test", CAUSE_RESOLVE, "4.4.3", "slow.test now: timed out"},
	{"dead.test", CAUSE_RESOLVE, "4.4.3", "dead.test now: "},
	{"a..b", CAUSE_CONFIG, "5.3.5", "a..b"},
	{"", CAUSE_CONFIG, "5.3.5", ""},
	{"bad host", CAUSE_CONFIG, "5.3.5", "bad host"},
	{"192.0.2.1:25", CAUSE_CONFIG, "5.3.5", "192.0.2.1:25"},
};

static void says_why_there_are_none(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(failures); i++) {
		struct endpoints list = ENDPOINTS_INIT;
		struct outcome o = OUTCOME_INIT;
		int64_t ms = strcmp(failures[i].host, "slow.test") ? AGES : 50;
		int64_t begin = clock_ms();

		assert_int_equal(resolve_host(failures[i].host, 25, FAMILY_ANY,
					      deadline_in_ms(ms), &list, &o),
				 -1);
		assert_true(clock_ms() - begin < AGES);
		assert_int_equal(o.cause, failures[i].cause);
		assert_string_equal(o.status, failures[i].status);
		if (!strstr(o.text, failures[i].words))
			fail_msg("%s: %s", failures[i].host, o.text);
		assert_null(list.p);
		outcome_release(&o);
	}
	/* No copy of this process is left behind. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static const struct {
	const char *host;
	const char *text, *with_port; /* NULL: no literal */
} literals[] = {
	{"192.0.2.1", "192.0.2.1", "192.0.2.1:587"},
	{"::1", "::1", "[::1]:587"},
	{"2001:DB8:0:0::A", "2001:db8::a", "[2001:db8::a]:587"},
	{"four.test", NULL, NULL},
	{"192.0.2.256", NULL, NULL},
	{"[::1]", NULL, NULL},
	{"192.0.2.1 ", NULL, NULL},
};

static void knows_literals(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(literals); i++) {
		struct endpoint a;
		bool is = resolve_literal(literals[i].host, 587, &a);
		char *text, *with_port;

		assert_int_equal(is, literals[i].text != NULL);
		if (!is)
			continue;
		text = endpoint_text(&a);
		with_port = endpoint_text_port(&a);
		assert_string_equal(text, literals[i].text);
		assert_string_equal(with_port, literals[i].with_port);
		free(text);
		free(with_port);
	}
}

static const char *own_name; /* what the system says */

int gethostname(char *name, size_t size)
{
	snprintf(name, size, "%s", own_name);
	return 0;
}

static const struct {
	const char *system, *name;
} own_names[] = {
	{"laptop.example.org", "laptop.example.org"},
	{"Laptop.Example.ORG", "laptop.example.org"},
	{"laptop", "localhost"},
	{"", "localhost"},
	{"a..b", "localhost"},
	{"evil.example\r\nRCPT", "localhost"},
	{"two words.example", "localhost"},
};

static void knows_its_own_name(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(own_names); i++) {
		char *name;

		own_name = own_names[i].system;
		name = resolve_own_name();
		assert_string_equal(name, own_names[i].name);
		free(name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_addresses),
		cmocka_unit_test(says_why_there_are_none),
		cmocka_unit_test(knows_literals),
		cmocka_unit_test(knows_its_own_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
