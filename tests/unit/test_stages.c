/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The watch: each moment is one stage's. */
#include "base/stages.h"

#include <time.h>

#include "base/clock.h"
#include "unit.h"

#define STEP 2000 /* microseconds that a step takes at least */

static void pass_time(void)
{
	struct timespec step = {0, STEP * 1000};

	nanosleep(&step, NULL);
}

static int64_t sum(const struct stages *s)
{
	int64_t us = 0;
	size_t i;

	for (i = 0; i < STAGE_N; i++)
		us += s->us[i];
	return us;
}

static void gives_each_moment_to_one(void **state)
{
	static const enum stage way[] = {STAGE_CONNECT, STAGE_GREETING,
					 STAGE_TLS, STAGE_GREETING};
	struct stages s = STAGES_INIT;
	int64_t begun = clock_us();
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(way); i++) {
		stages_enter(&s, way[i]);
		pass_time();
	}
	stages_leave(&s);
	assert_true(sum(&s) <= clock_us() - begun);
	assert_true(s.us[STAGE_CONNECT] >= STEP);
	assert_true(s.us[STAGE_TLS] >= STEP);
	assert_true(s.us[STAGE_GREETING] >= 2 * STEP);
	for (i = 0; i < STAGE_N; i++)
		assert_true(s.seen[i] == (s.us[i] > 0));
	assert_false(s.seen[STAGE_RESOLVE] || s.seen[STAGE_AUTH]);
}

static void stands_between_stages(void **state)
{
	struct stages s = STAGES_INIT;
	int64_t before;

	(void)state;
	stages_leave(&s);
	stages_enter(&s, STAGE_AUTH);
	stages_leave(&s);
	before = s.us[STAGE_AUTH];
	pass_time();
	stages_leave(&s);
	assert_true(s.us[STAGE_AUTH] == before);
	assert_true(sum(&s) == before);
	stages_enter(NULL, STAGE_AUTH);
	stages_leave(NULL);
}

static void hands_over_what_it_has(void **state)
{
	struct stages first = STAGES_INIT, second = STAGES_INIT;

	(void)state;
	first.us[STAGE_TLS] = 5;
	first.seen[STAGE_TLS] = true;
	second.us[STAGE_TLS] = 7;
	second.us[STAGE_MESSAGE] = 1;
	second.seen[STAGE_MESSAGE] = true;
	stages_take(&second, &first);
	assert_true(second.us[STAGE_TLS] == 12 && second.seen[STAGE_TLS]);
	assert_true(second.us[STAGE_MESSAGE] == 1);
	assert_true(second.seen[STAGE_MESSAGE] && !second.now);
	assert_true(sum(&first) == 0 && !first.seen[STAGE_TLS]);
	assert_true(!first.now);
}

static void has_names(void **state)
{
	(void)state;
	assert_string_equal(stage_name(STAGE_RESOLVE), "resolve");
	assert_string_equal(stage_name(STAGE_CONNECT), "connect");
	assert_string_equal(stage_name(STAGE_GREETING), "greeting");
	assert_string_equal(stage_name(STAGE_TLS), "tls");
	assert_string_equal(stage_name(STAGE_AUTH), "auth");
	assert_string_equal(stage_name(STAGE_MESSAGE), "message");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_each_moment_to_one),
		cmocka_unit_test(stands_between_stages),
		cmocka_unit_test(hands_over_what_it_has),
		cmocka_unit_test(has_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
