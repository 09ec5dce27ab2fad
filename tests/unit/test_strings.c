/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A list that owns what is put into it. */
#include "base/strings.h"

#include "unit.h"

static void adds_finds_and_copies(void **state)
{
	struct strings list = STRINGS_INIT, copy = STRINGS_INIT;
	char text[] = "SCRAM-SHA-256";

	(void)state;
	assert_false(strings_has_nocase(&list, VIEW("")));
	strings_add(&list, view_of(text));
	text[0] = 'x';
	assert_string_equal(list.p[0], "SCRAM-SHA-256");
	strings_add(&list, view_make("PLAIN LOGIN", 5));
	assert_true(strings_has_nocase(&list, VIEW("plain")));
	assert_false(strings_has_nocase(&list, VIEW("plain ")));
	assert_false(strings_has_nocase(&list, VIEW("scram")));
	strings_add(&copy, VIEW("old"));
	strings_copy(&copy, &list);
	strings_copy(&copy, &copy);
	strings_release(&list);
	assert_int_equal(list.n, 0);
	assert_int_equal(copy.n, 2);
	assert_string_equal(copy.p[1], "PLAIN");
	strings_release(&copy);
	strings_release(&copy);
}

static void takes_many(void **state)
{
	struct strings list = STRINGS_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < 10000; i++)
		strings_add(&list, VIEW("x"));
	assert_int_equal(list.n, 10000);
	assert_string_equal(list.p[9999], "x");
	strings_release(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_finds_and_copies),
		cmocka_unit_test(takes_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
