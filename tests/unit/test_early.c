/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which servers are known to take EHLO early, and for how long. */
#include "net/early.h"

#include <glob.h>
#include <time.h>
#include <utime.h>

#include "home.h"
#include "unit.h"

#define DAY 86400

static const char one[TICKET_NAME_SIZE] = "one", two[TICKET_NAME_SIZE] = "two";

/* The only file there is; "" if there is none. */
static const char *the_file(void)
{
	static char path[256];
	glob_t found;

	path[0] = '\0';
	if (glob(".cache/postrider/*", 0, NULL, &found) == 0) {
		assert_int_equal(found.gl_pathc, 1);
		snprintf(path, sizeof(path), "%s", found.gl_pathv[0]);
		globfree(&found);
	}
	return path;
}

static void set_age(int64_t seconds)
{
	time_t then = time(NULL) - seconds;
	struct utimbuf times = {then, then};

	assert_int_equal(utime(the_file(), &times), 0);
}

/* -1: there are file systems whose times are ahead of time() by a tick. */
static int64_t age(void)
{
	struct stat st;

	assert_int_equal(stat(the_file(), &st), 0);
	return time(NULL) - st.st_mtime;
}

static void knows_what_was_offered(void **state)
{
	(void)state;
	assert_false(early_is_known(one));
	early_note(one, false);
	assert_string_equal(the_file(), "");
	early_note(one, true);
	assert_true(early_is_known(one));
	assert_false(early_is_known(two));
	early_note(two, false);
	assert_true(early_is_known(one));
	early_note(one, false);
	assert_false(early_is_known(one));
	assert_string_equal(the_file(), "");
}

static const struct {
	int64_t age; /* seconds */
	bool is_known, is_renewed;
} ages[] = {
	{DAY / 2, true, false},
	{2 * DAY, true, true},
	{EARLY_LASTS - 60, true, true},
	{EARLY_LASTS + 60, false, true},
	{-DAY, false, true},
	{-30, false, true},
};

static void forgets(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(ages); i++) {
		early_note(one, true);
		set_age(ages[i].age);
		assert_int_equal(early_is_known(one), ages[i].is_known);
		early_note(one, true);
		assert_int_equal(age() >= -1 && age() < DAY / 4,
				 ages[i].is_renewed);
	}
	early_note(one, false);
}

static void does_not_believe_again(void **state)
{
	(void)state;
	early_note(one, true);
	early_distrust(one);
	assert_false(early_is_known(one));
	early_note(one, true);
	assert_false(early_is_known(one));
	early_note(one, false);
	early_note(one, true);
	assert_false(early_is_known(one));
	set_age(EARLY_LASTS + 60);
	early_note(one, true);
	assert_true(early_is_known(one));
	early_note(one, false);
}

static int set_up(void **state)
{
	unsetenv("XDG_CACHE_HOME");
	return make_home(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_what_was_offered),
		cmocka_unit_test(forgets),
		cmocka_unit_test(does_not_believe_again),
	};

	return cmocka_run_group_tests(tests, set_up, remove_home);
}
