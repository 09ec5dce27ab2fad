/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deadlines: what is left of them, and when they have passed. */
#include "base/clock.h"

#include <limits.h>

#include "unit.h"

#define AGES (10 * 60 * 1000) /* ms; no test takes as long */

static void goes_forward(void **state)
{
	int64_t last = clock_ms(), now;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		now = clock_ms();
		assert_true(now >= last);
		last = now;
	}
}

static const struct {
	int64_t ms;
	int least, most; /* of deadline_left, ms */
} cases[] = {
	{INT64_MIN, 0, 0},
	{-1, 0, 0},
	{0, 0, 0},
	{AGES, 1, AGES},
	{INT_MAX, INT_MAX - AGES, INT_MAX},
	{(int64_t)INT_MAX + 2 * AGES, INT_MAX, INT_MAX},
	{INT64_MAX / 2, INT_MAX, INT_MAX},
	{INT64_MAX - 1, -1, -1},
	{INT64_MAX, -1, -1},
};

static void counts_what_is_left(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct deadline d = deadline_in_ms(cases[i].ms);
		int left = deadline_left(d);

		if (left < cases[i].least || left > cases[i].most)
			fail_msg("%zu: %d", i, left);
		assert_int_equal(deadline_passed(d), cases[i].most == 0);
	}
}

static void seconds_are_seconds(void **state)
{
	int left = deadline_left(deadline_in(600));

	(void)state;
	assert_true(left > 0 && left <= 600 * 1000);
	assert_int_equal(deadline_left(deadline_in(0)), -1);
	assert_true(deadline_left(deadline_in(UINT_MAX)) > 0);
	assert_int_equal(deadline_left(DEADLINE_NEVER), -1);
	assert_false(deadline_passed(DEADLINE_NEVER));
}

static void picks_the_sooner(void **state)
{
	struct deadline soon = deadline_in(1), late = deadline_in(1000);

	(void)state;
	assert_int_equal(deadline_sooner(soon, late).at, soon.at);
	assert_int_equal(deadline_sooner(late, soon).at, soon.at);
	assert_int_equal(deadline_sooner(DEADLINE_NEVER, soon).at, soon.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_forward),
		cmocka_unit_test(counts_what_is_left),
		cmocka_unit_test(seconds_are_seconds),
		cmocka_unit_test(picks_the_sooner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
