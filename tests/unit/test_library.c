/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is loaded when it is needed, and what is said where it is not there. */
#include "base/library.h"

#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/gnutls.h"
#include "base/outcome.h"
#include "unit.h"

static struct {
	__typeof__(&getpid) getpid;
	__typeof__(&strlen) strlen;
} calls;

static const char *const names[] = {"getpid", "strlen"};
static const char *const no_names[] = {"getpid", "is_no_function_of_libc"};

static const struct library library = {"libc.so.6", names, 2, &calls, false};

static void test_open(void **state)
{
	struct library libc = library;

	(void)state;
	assert_null(library_open(&libc));
	assert_true(libc.is_loaded);
	assert_int_equal(calls.getpid(), getpid());
	assert_int_equal(calls.strlen("four"), 4);
}

static void assert_fails(struct library *l, const char *words)
{
	struct outcome o = {0};

	assert_non_null(library_open(l));
	assert_int_equal(library_load(l, &o), -1);
	assert_int_equal(o.cause, CAUSE_SYSTEM);
	assert_string_equal(o.status, "4.3.1");
	assert_non_null(strstr(o.text, words));
	outcome_release(&o);
}

static void test_no_library(void **state)
{
	struct library missing = library;

	(void)state;
	missing.soname = "libno-such-thing.so.0";
	assert_fails(&missing, "libno-such-thing.so.0");
}

static void test_no_name(void **state)
{
	struct library older = library;

	(void)state;
	older.names = no_names;
	assert_fails(&older, "is_no_function_of_libc");
}

/* Behind its usual names. */
static void test_gnutls(void **state)
{
	struct outcome o = {0};

	(void)state;
	assert_true(library_has_gnutls());
	assert_int_equal(library_load_gnutls(&o), 0);
	assert_false(outcome_is_failure(&o));
	assert_non_null(gnutls_check_version("3.7.0"));
	outcome_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_no_library),
		cmocka_unit_test(test_no_name),
		cmocka_unit_test(test_gnutls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
