/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp/bearer.h"

#include "unit.h"

static const struct bearer alice = {"alice@example.org", "mx.example.org", 587,
				    "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY2"
				    "9tCg=="};

static void says_all_at_once(void **state)
{
	static const struct {
		const char *mechanism;
		struct bearer b;
		const char *said; /* ^ for the separator */
	} cases[] = {
		{"OAUTHBEARER",
		 {"a@b.c", "mx.b.c", 587, "t0k.en"},
		 "n,a=a@b.c,^host=mx.b.c^port=587^auth=Bearer t0k.en^^"},
		{"OAUTHBEARER",
		 {"a@b.c", "mx.b.c", 0, "t"},
		 "n,a=a@b.c,^host=mx.b.c^auth=Bearer t^^"},
		{"OAUTHBEARER",
		 {"a,b=c", "h", 465, "t"},
		 "n,a=a=2Cb=3Dc,^host=h^port=465^auth=Bearer t^^"},
		{"XOAUTH2",
		 {"a@b.c", "mx.b.c", 587, "t0k.en"},
		 "user=a@b.c^auth=Bearer t0k.en^^"},
	};
	size_t i, n;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		const struct bearer_form *form =
			bearer_find(cases[i].mechanism);
		struct buf said = BUF_INIT(4096);

		assert_non_null(form);
		assert_string_equal(form->name, cases[i].mechanism);
		form->add(&cases[i].b, &said);
		for (n = 0; n < said.n; n++)
			if (said.p[n] == '\x01')
				said.p[n] = '^';
		assert_string_equal(said.p, cases[i].said);
		buf_release(&said);
	}
}

static void answers_an_error(void **state)
{
	(void)state;
	assert_string_equal(bearer_find("OAUTHBEARER")->regret, "AQ==");
	assert_string_equal(bearer_find("XOAUTH2")->regret, "");
	assert_null(bearer_find("PLAIN"));
	assert_null(bearer_find("XOAUTH"));
}

static void knows_a_token(void **state)
{
	static const char *const bad[] = {"",      " ",    "a b",      "a\n",
					  "a\x01", "\x7f", "\xc3\xa4", "a\t"};
	size_t i;

	(void)state;
	assert_true(bearer_is_token(alice.token));
	assert_true(bearer_is_token("!~"));
	for (i = 0; i < N_OF(bad); i++)
		if (bearer_is_token(bad[i]))
			fail_msg("%zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_all_at_once),
		cmocka_unit_test(answers_an_error),
		cmocka_unit_test(knows_a_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
