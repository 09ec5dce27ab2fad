/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When is it tried again, told, given up. */
#include "queue/schedule.h"

#include <limits.h>

#include "unit.h"

#define DAY  86400
#define YEAR (365 * DAY)
#define NOW  1800000000

static void waits_twice_as_long_each_time(void **state)
{
	static const struct {
		unsigned attempts, most, base;
	} rows[] = {
		{0, SCHEDULE_MOST, 60},
		{1, SCHEDULE_MOST, 60},
		{2, SCHEDULE_MOST, 120},
		{3, SCHEDULE_MOST, 240},
		{8, SCHEDULE_MOST, 7680},
		{9, SCHEDULE_MOST, 14400},
		{10, SCHEDULE_MOST, 14400},
		{UINT_MAX, SCHEDULE_MOST, 14400},
		{5, SCHEDULE_MOST_SERVER, 960},
		{6, SCHEDULE_MOST_SERVER, 1800},
		{60000, SCHEDULE_MOST_SERVER, 1800},
	};
	static const uint32_t numbers[] = {0, 1, 59, 131071, UINT32_MAX, 7200};
	unsigned wait, least, most;
	size_t i, j;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		least = UINT_MAX;
		most = 0;
		for (j = 0; j < N_OF(numbers); j++) {
			wait = schedule_wait(rows[i].attempts, rows[i].most,
					     numbers[j]);
			if (wait < rows[i].base - rows[i].base / 4 ||
			    wait > rows[i].base + rows[i].base / 4)
				fail_msg("row %zu: %u s", i, wait);
			least = wait < least ? wait : least;
			most = wait > most ? wait : most;
		}
		assert_true(least < most);
	}
}

static void has_come(void **state)
{
	static const struct {
		int64_t noted, due;
		bool has_come;
	} rows[] = {
		{0, 0, true},
		{NOW - 60, NOW, true},
		{NOW - 60, NOW + 1, false},
		{NOW, NOW + SCHEDULE_MOST, false},
		{NOW + 5, NOW + 65, false}, /* a clock that is set right */
		{NOW + 3600, NOW + 3660, true},
		{NOW + YEAR, NOW + YEAR + 60, true}, /* set back */
		{NOW - 60, NOW + 2 * SCHEDULE_MOST, false},
		/* nothing is put off so long */
		{NOW - 60, NOW + 2 * SCHEDULE_MOST + 1, true},
		{NOW - YEAR, NOW - YEAR + 60, true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++)
		if (schedule_has_come(rows[i].noted, rows[i].due, NOW) !=
		    rows[i].has_come)
			fail_msg("row %zu", i);
}

static void is_given_up_after_two_attempts_behind_the_end(void **state)
{
	static const struct {
		int64_t created, last;
		bool is_over;
	} rows[] = {
		{NOW - 6 * DAY, 0, false},             /* the first attempt */
		{NOW - 6 * DAY, NOW - 2 * DAY, false}, /* it slept */
		{NOW - 6 * DAY, NOW - DAY, true},
		{NOW - 6 * DAY, NOW - 3600, true},
		{NOW - 5 * DAY, NOW, true},
		{NOW - 5 * DAY + 1, NOW, false},
		{NOW - 6 * DAY, NOW + YEAR, false}, /* set back since */
		{NOW + YEAR, NOW, false},
	};
	const struct queue_policy policy = {.lifetime = 5 * DAY};
	struct entry e = ENTRY_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		e.created = rows[i].created;
		if (schedule_is_over(&e, &policy, rows[i].last, NOW) !=
		    rows[i].is_over)
			fail_msg("row %zu", i);
	}
}

/* 1970 is no time to count from, nor is next year. */
static void a_wrong_clock_ages_nothing(void **state)
{
	static const struct {
		int64_t created, seen, since;
		bool wants_note;
	} rows[] = {
		{NOW - 6 * DAY, 0, NOW - 6 * DAY, false},
		{NOW - 6 * DAY, NOW - DAY, NOW - 6 * DAY, false},
		{1000, 0, NOW, true},
		{1000, NOW - DAY, NOW - DAY, false},
		{ENTRY_OLDEST - 1, 0, NOW, true},
		{ENTRY_OLDEST, 0, ENTRY_OLDEST, false},
		{NOW + DAY, 0, NOW + DAY, false}, /* a time zone */
		{NOW + DAY + 1, 0, NOW, true},
		{NOW + YEAR, NOW + YEAR, NOW, true},
		{NOW + YEAR, NOW - DAY, NOW - DAY, false},
	};
	const struct queue_policy policy = {.lifetime = 5 * DAY, .warn = 3600};
	struct entry e = ENTRY_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		e.created = rows[i].created;
		e.seen = rows[i].seen;
		if (schedule_since(&e, NOW) != rows[i].since ||
		    schedule_wants_note(&e, NOW) != rows[i].wants_note)
			fail_msg("row %zu", i);
	}
	e.created = 1000;
	e.seen = 0;
	assert_false(schedule_wants_note(&e, 2000)); /* it is still wrong */
	assert_false(schedule_is_over(&e, &policy, NOW, NOW));
	assert_false(schedule_is_late(&e, &policy, NOW));
	e.seen = NOW - 5 * DAY;
	assert_true(schedule_is_over(&e, &policy, NOW, NOW));
	assert_true(schedule_is_late(&e, &policy, NOW));
}

static void is_late(void **state)
{
	struct queue_policy policy = {.warn = 4 * 3600};
	struct entry e = ENTRY_INIT;

	(void)state;
	e.created = NOW - 4 * 3600;
	assert_true(schedule_is_late(&e, &policy, NOW));
	assert_false(schedule_is_late(&e, &policy, NOW - 1));
	policy.warn = UINT_MAX;
	assert_false(schedule_is_late(&e, &policy, INT64_C(1) << 40));
}

static void puts_off(void **state)
{
	struct entry e = ENTRY_INIT;
	struct buf line = BUF_INIT(256);
	unsigned i;

	(void)state;
	for (i = 1; i <= 3; i++) {
		schedule_put_off(&e, NOW, false, &line);
		assert_int_equal(e.attempts, i);
		assert_int_equal(e.last_attempt, NOW);
		assert_in_range(e.next_attempt - NOW, (60u << (i - 1)) * 3 / 4,
				(60u << (i - 1)) * 5 / 4);
		assert_false(schedule_is_due(&e, NOW));
		assert_true(schedule_is_due(&e, e.next_attempt));
		assert_true(schedule_is_due(&e, NOW - YEAR));
	}
	buf_release(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_twice_as_long_each_time),
		cmocka_unit_test(has_come),
		cmocka_unit_test(is_given_up_after_two_attempts_behind_the_end),
		cmocka_unit_test(a_wrong_clock_ages_nothing),
		cmocka_unit_test(is_late),
		cmocka_unit_test(puts_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
