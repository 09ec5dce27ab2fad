/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A buffer keeps its invariants whatever is put into it. */
#include "base/buf.h"

#include "unit.h"

static void check_invariants(const struct buf *b)
{
	assert_non_null(b->p);
	assert_int_equal(b->p[b->n], '\0');
	assert_true(b->n <= b->limit);
}

static void adds_what_fits_whole(void **state)
{
	static const struct {
		size_t limit;
		const char *first, *second, *result;
		bool overflow;
	} cases[] = {
		{0, "", "", "", false},       {0, "a", "", "", true},
		{3, "abc", "", "abc", false}, {3, "abc", "d", "abc", true},
		{3, "abcd", "e", "e", true},  {4, "ab", "cd", "abcd", false},
		{4, "ab", "cde", "ab", true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct buf b = BUF_INIT(cases[i].limit);

		buf_add_text(&b, cases[i].first);
		check_invariants(&b);
		buf_add_view(&b, view_of(cases[i].second));
		check_invariants(&b);
		assert_string_equal(b.p, cases[i].result);
		assert_int_equal(b.overflow, cases[i].overflow);
		buf_clear(&b);
		assert_false(b.overflow);
		assert_int_equal(b.n, 0);
		buf_release(&b);
		check_invariants(&b);
	}
}

static void grows_by_single_octets(void **state)
{
	struct buf b = BUF_INIT(100000);
	size_t i;

	(void)state;
	for (i = 0; i < 100000; i++)
		buf_add_char(&b, (char)('a' + i % 26));
	check_invariants(&b);
	assert_int_equal(b.n, 100000);
	for (i = 0; i < b.n; i++)
		assert_int_equal(b.p[i], 'a' + i % 26);
	buf_add_char(&b, 'x');
	assert_true(b.overflow);
	assert_int_equal(b.n, 100000);
	buf_release(&b);
}

static void a_secret_grows_as_well(void **state)
{
	struct buf b = BUF_INIT_SECRET(1000);
	size_t i;

	(void)state;
	for (i = 0; i < 1000; i++)
		buf_add_char(&b, (char)('a' + i % 26));
	assert_memory_equal(b.p, "abcdefghijklmnopqrstuvwxyzabc", 29);
	assert_int_equal(b.n, 1000);
	buf_clear(&b);
	for (i = 0; i < b.cap; i++)
		assert_int_equal(b.p[i], 0);
	buf_release(&b);
	assert_true(b.secret);
}

static void prints_cuts_and_consumes(void **state)
{
	struct buf b = BUF_INIT(16);
	char *text;

	(void)state;
	buf_printf(&b, "%s-%d", "abc", 42);
	assert_string_equal(b.p, "abc-42");
	buf_printf(&b, "%s", "");
	assert_string_equal(b.p, "abc-42");
	buf_printf(&b, "%020d", 1);
	assert_true(b.overflow);
	assert_string_equal(b.p, "abc-42");
	buf_truncate(&b, 99);
	assert_int_equal(b.n, 6);
	buf_truncate(&b, 5);
	assert_string_equal(b.p, "abc-4");
	buf_consume(&b, 2);
	assert_string_equal(b.p, "c-4");
	buf_consume(&b, 99);
	assert_string_equal(b.p, "");
	buf_consume(&b, 1);
	check_invariants(&b);
	buf_add(&b, "a\0b", 3);
	assert_int_equal(b.n, 3);
	text = buf_detach(&b);
	assert_memory_equal(text, "a\0b", 4);
	free(text);
	check_invariants(&b);
	text = buf_detach(&b);
	assert_string_equal(text, "");
	free(text);
}

static void room_is_the_callers_to_fill(void **state)
{
	struct buf b = BUF_INIT(8);
	char *room;

	(void)state;
	room = buf_room(&b, 8);
	assert_non_null(room);
	memcpy(room, "12345678", 9);
	b.n += 8;
	check_invariants(&b);
	assert_null(buf_room(&b, 1));
	assert_true(b.overflow);
	assert_null(buf_room(&b, SIZE_MAX));
	buf_release(&b);
}

static void views_never_leave_their_octets(void **state)
{
	struct view v = VIEW("abc");

	(void)state;
	assert_int_equal(v.n, 3);
	assert_int_equal(view_skip(v, 2).n, 1);
	assert_int_equal(view_skip(v, 2).p[0], 'c');
	assert_int_equal(view_skip(v, 99).n, 0);
	assert_non_null(view_of(NULL).p);
	assert_int_equal(view_of(NULL).n, 0);
	assert_int_equal(view_make(NULL, 5).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_what_fits_whole),
		cmocka_unit_test(grows_by_single_octets),
		cmocka_unit_test(a_secret_grows_as_well),
		cmocka_unit_test(prints_cuts_and_consumes),
		cmocka_unit_test(room_is_the_callers_to_fill),
		cmocka_unit_test(views_never_leave_their_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
