/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A failure is recorded once, on one line, and travels with its status. */
#include "base/outcome.h"

#include <errno.h>

#include "unit.h"

static void records_a_failure(void **state)
{
	struct outcome o = OUTCOME_INIT;

	(void)state;
	assert_false(outcome_is_failure(&o));
	assert_false(outcome_is_temporary(&o));
	assert_int_equal(fail(&o, CAUSE_TLS, "4.7.5", "no %s", "trust"), -1);
	assert_true(outcome_is_failure(&o));
	assert_true(outcome_is_temporary(&o));
	assert_string_equal(o.text, "no trust");
	fail(&o, CAUSE_USAGE, "5.5.4", "a\nb\x1b");
	assert_string_equal(o.text, "a\\x0Ab\\x1B");
	assert_string_equal(o.status, "5.5.4");
	assert_false(outcome_is_temporary(&o));
	outcome_release(&o);
	assert_int_equal(o.cause, CAUSE_NONE);
	assert_null(o.text);
}

static void tells_an_empty_disk_from_a_wrong_path(void **state)
{
	static const struct {
		int error;
		enum cause cause;
		const char *status;
	} cases[] = {
		{ENOSPC, CAUSE_SYSTEM, "4.3.1"},
		{EDQUOT, CAUSE_SYSTEM, "4.3.1"},
		{EMFILE, CAUSE_SYSTEM, "4.3.1"},
		{ENOENT, CAUSE_SYSTEM, "5.3.0"},
		{EACCES, CAUSE_SYSTEM, "5.3.0"},
		{ENOSPC, CAUSE_INPUT, "5.3.0"},
	};
	struct outcome o = OUTCOME_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		errno = cases[i].error;
		assert_int_equal(fail_errno(&o, cases[i].cause, "5.3.0", "%s",
					    "file"),
				 -1);
		assert_int_equal(errno, cases[i].error);
		assert_string_equal(o.status, cases[i].status);
		assert_int_equal(o.cause, cases[i].cause);
		assert_memory_equal(o.text, "file: ", 6);
		assert_string_equal(o.text + 6, strerror(cases[i].error));
	}
	outcome_release(&o);
}

static void takes_context_and_host(void **state)
{
	struct outcome o = OUTCOME_INIT, copy = OUTCOME_INIT;

	(void)state;
	fail(&o, CAUSE_RECIPIENT, "5.1.3", "bad");
	outcome_add_context(&o, "%s", "To");
	outcome_add_context(&o, "line %d", 3);
	assert_string_equal(o.text, "line 3: To: bad");
	outcome_set_host(&o, "mail.example.org");
	outcome_set_host(&o, o.host);
	o.reply_code = 550;
	o.uncertain = true;
	fail(&copy, CAUSE_TLS, "4.7.5", "old");
	outcome_copy(&copy, &o);
	outcome_copy(&copy, &copy);
	outcome_release(&o);
	assert_string_equal(copy.text, "line 3: To: bad");
	assert_string_equal(copy.host, "mail.example.org");
	assert_string_equal(copy.status, "5.1.3");
	assert_int_equal(copy.reply_code, 550);
	assert_true(copy.uncertain);
	outcome_release(&copy);
}

static void bounds_the_text(void **state)
{
	static char longer[100000];
	struct outcome o = OUTCOME_INIT;

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	fail(&o, CAUSE_CONTENT, "5.6.0", "%s", longer);
	assert_in_range(strlen(o.text), 1000, 20000);
	outcome_release(&o);
}

static void names_every_cause(void **state)
{
	int cause;

	(void)state;
	for (cause = CAUSE_NONE; cause <= CAUSE_CONTENT; cause++)
		assert_non_null(cause_name((enum cause)cause));
	assert_string_equal(cause_name(CAUSE_CONNECT), "connect");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_a_failure),
		cmocka_unit_test(tells_an_empty_disk_from_a_wrong_path),
		cmocka_unit_test(takes_context_and_host),
		cmocka_unit_test(bounds_the_text),
		cmocka_unit_test(names_every_cause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
