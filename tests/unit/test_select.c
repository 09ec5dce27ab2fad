/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which entries a person means. */
#include "queue/select.h"

#include "base/memory.h"
#include "base/text.h"
#include "unit.h"

#define ID "0mx1hog8alxwtria"

static struct entry entry_of(const char *held, const char *account)
{
	static const char text[] = "postrider 1\nfrom Alice@example.org\n"
				   "to bob@example.net\nto carol@example.com\n"
				   "header 0\nsize 2\n\n";
	struct outcome o = OUTCOME_INIT;
	struct entry e = ENTRY_INIT;
	size_t header_n;

	assert_true(entry_parse(view_of(text), &e, &header_n, &o) > 0);
	entry_take_events(&e, VIEW("delivered 0 1 none 2.0.0 250 mx - ok\n"));
	e.id = memory_dup(ID);
	e.held = memory_dup(held);
	e.account = memory_dup(account);
	return e;
}

/* One selector, on an entry that is not held and on one that is. */
static void looks_at_one_thing(void **state)
{
	static const struct {
		enum select_by by;
		bool is_inverted;
		const char *text;
		bool free, held;
	} rows[] = {
		{SELECT_ID, false, "hog8", true, true},
		{SELECT_ID, false, "HOG8", true, true},
		{SELECT_ID, false, ID, true, true},
		{SELECT_ID, false, ID "0", false, false},
		{SELECT_ID, true, "hog8", false, false},
		{SELECT_EXACT_ID, false, ID, true, true},
		{SELECT_EXACT_ID, false, "hog8", false, false},
		{SELECT_RECIPIENT, false, "carol@EXAMPLE", true, true},
		{SELECT_RECIPIENT, false, "", true, true},
		{SELECT_RECIPIENT, false, "bob@", false, false}, /* has it */
		{SELECT_RECIPIENT, true, "bob@", true, true},
		{SELECT_SENDER, false, "alice", true, true},
		{SELECT_SENDER, false, "carol", false, false},
		{SELECT_ACCOUNT, false, "work", false, true},
		{SELECT_ACCOUNT, false, "wor", false, false},
		{SELECT_ACCOUNT, false, "", true, false},
		{SELECT_HELD, false, "", false, true},
		{SELECT_HELD, true, "", true, false},
		{SELECT_HELD, false, "LOOK", false, true},
		{SELECT_HELD, false, "other", false, false},
		{SELECT_ALL, false, "", true, true},
		{SELECT_ALL, true, "", false, false},
	};
	struct entry plain = entry_of(NULL, NULL);
	struct entry held = entry_of("to look at", "work");
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		struct selectors list = SELECTORS_INIT;

		selectors_add(&list, rows[i].by, rows[i].is_inverted,
			      view_of(rows[i].text));
		if (selectors_choose(&list, &plain) != rows[i].free ||
		    selectors_choose(&list, &held) != rows[i].held)
			fail_msg("row %zu", i);
		assert_int_equal(selectors_name_held(&list),
				 rows[i].by == SELECT_HELD);
		selectors_release(&list);
	}
	entry_release(&plain);
	entry_release(&held);
}

/* Of one kind any, of several kinds each. */
static void puts_kinds_together(void **state)
{
	struct selectors list = SELECTORS_INIT;
	struct entry e = entry_of(NULL, "work");

	(void)state;
	assert_true(selectors_choose(&list, &e));
	selectors_add(&list, SELECT_SENDER, false, VIEW("nobody"));
	assert_false(selectors_choose(&list, &e));
	selectors_add(&list, SELECT_SENDER, false, VIEW("alice"));
	assert_true(selectors_choose(&list, &e));
	selectors_add(&list, SELECT_ACCOUNT, false, VIEW("home"));
	assert_false(selectors_choose(&list, &e));
	selectors_add(&list, SELECT_ACCOUNT, false, VIEW("work"));
	assert_true(selectors_choose(&list, &e));
	assert_false(selectors_name_held(&list));
	selectors_release(&list);
	selectors_release(&list);
	entry_release(&e);
}

static void reads_words(void **state)
{
	static const struct {
		const char *word;
		bool ok;
		enum select_by by;
		const char *text;
	} rows[] = {
		{ID, false, SELECT_ALL, NULL}, /* it is an id */
		{"all", true, SELECT_ALL, ""},
		{"held", true, SELECT_HELD, ""},
		{"id:abc", true, SELECT_ID, "abc"},
		{"recipient:a:b", true, SELECT_RECIPIENT, "a:b"},
		{"sender:", false, SELECT_ALL, NULL}, /* not everybody */
		{"account:x", true, SELECT_ACCOUNT, "x"},
		{"everything", false, SELECT_ALL, NULL},
		{"from:x", false, SELECT_ALL, NULL},
		{"", false, SELECT_ALL, NULL},
		{":", false, SELECT_ALL, NULL},
		{"ALL", false, SELECT_ALL, NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		struct selectors list = SELECTORS_INIT;
		bool ok = selectors_add_word(&list, view_of(rows[i].word));

		if (ok != rows[i].ok || list.n != ok ||
		    (ok &&
		     (list.p[0].by != rows[i].by || list.p[0].is_inverted ||
		      strcmp(list.p[0].text, rows[i].text) != 0)))
			fail_msg("%s", rows[i].word);
		selectors_release(&list);
	}
}

/* A word is a view: what stands behind it is not looked at. */
static void reads_no_further(void **state)
{
	struct selectors list = SELECTORS_INIT;

	(void)state;
	assert_true(selectors_add_word(&list, view_make("id:abc,all", 6)));
	assert_int_equal(list.p[0].by, SELECT_ID);
	assert_string_equal(list.p[0].text, "abc");
	selectors_release(&list);
	assert_true(selectors_add_word(&list, view_make("allow", 3)));
	assert_int_equal(list.p[0].by, SELECT_ALL);
	selectors_release(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_at_one_thing),
		cmocka_unit_test(puts_kinds_together),
		cmocka_unit_test(reads_words),
		cmocka_unit_test(reads_no_further),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
