/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp/mechanism.h"

#include <string.h>

#include "smtp/auth.h"
#include "unit.h"

static void stands_in_order_of_strength(void **state)
{
	size_t i;

	(void)state;
	for (i = 1; i < mechanisms_n; i++)
		if (!mechanisms[i].by_name &&
		    mechanisms[i].strength < mechanisms[i - 1].strength)
			fail_msg("%s", mechanisms[i].name);
}

/* What goes by the names says what the rows must. */
static void rows_fit_the_names(void **state)
{
	const struct mechanism *m;

	(void)state;
	for (m = mechanisms; m < mechanisms + mechanisms_n; m++) {
		bool binds = strstr(m->name, "-PLUS") != NULL;

		assert_int_equal(m->strength == STRENGTH_BOUND, binds);
		assert_ptr_equal(mechanism_find(view_of(m->name)), m);
		if (!strncmp(m->name, "SCRAM-", 6))
			assert_true(m->mutual && m->client_first);
	}
	assert_ptr_equal(mechanism_find(VIEW("plain")),
			 mechanism_find(VIEW("PLAIN")));
	assert_null(mechanism_find(VIEW("")));
	assert_null(mechanism_find(VIEW("PLAI")));
	assert_null(mechanism_find(VIEW("SCRAM-SHA-256-PLU")));
}

static void knows_who_needs_a_user(void **state)
{
	static const struct {
		enum auth_want want;
		const char *names[2];
		const char *user;
		bool wanted, needed;
	} cases[] = {
		{AUTH_AUTO, {0}, NULL, false, false},
		{AUTH_AUTO, {0}, "u", true, true},
		{AUTH_OFF, {0}, "u", false, false},
		{AUTH_ON, {0}, NULL, true, true},
		{AUTH_NAMED, {"PLAIN"}, NULL, true, true},
		{AUTH_NAMED, {"GSSAPI"}, NULL, true, false},
		{AUTH_NAMED, {"EXTERNAL", "GS2-KRB5"}, NULL, true, false},
		{AUTH_NAMED, {"ANONYMOUS", "LOGIN"}, NULL, true, true},
	};
	size_t i, n;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct auth_policy policy = {.want = cases[i].want,
					     .user = (char *)cases[i].user};

		for (n = 0; n < 2 && cases[i].names[n]; n++)
			strings_add(&policy.mechanisms,
				    view_of(cases[i].names[n]));
		if (auth_is_wanted(&policy) != cases[i].wanted ||
		    auth_needs_user(&policy) != cases[i].needed)
			fail_msg("%zu", i);
		strings_release(&policy.mechanisms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stands_in_order_of_strength),
		cmocka_unit_test(rows_fit_the_names),
		cmocka_unit_test(knows_who_needs_a_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
