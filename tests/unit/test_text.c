/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes and words, compared, matched, counted and shown. */
#include "base/text.h"

#include "unit.h"

static void compares(void **state)
{
	(void)state;
	assert_true(view_equal(VIEW(""), view_of(NULL)));
	assert_true(view_equal(VIEW("a\0b"), VIEW("a\0b")));
	assert_false(view_equal(VIEW("a\0b"), VIEW("a\0c")));
	assert_false(view_equal(VIEW("a"), VIEW("A")));
	assert_true(view_equal_nocase(VIEW("BcC"), VIEW("bCc")));
	assert_false(view_equal_nocase(VIEW("Bcc"), VIEW("Bc")));
	assert_false(view_equal_nocase(VIEW("["), VIEW("{")));
	assert_false(view_equal_nocase(VIEW("\xc3\x84"), VIEW("\xc3\xa4")));
	assert_true(view_starts_nocase(VIEW("Resent-To"), VIEW("resent-")));
	assert_false(view_starts_nocase(VIEW("Re"), VIEW("resent-")));
	assert_true(view_has_8bit(VIEW("abc\x80")));
	assert_true(view_has_8bit(VIEW("0123456\x80 89abcdef")));
	assert_false(view_has_8bit(VIEW("0123456789abcdef")));
	assert_true(view_has_control(VIEW("a\nb")));
	assert_false(view_has_control(VIEW("a\tb")));
	assert_false(view_has_8bit(VIEW("abc\x7f")));
}

static void trims(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},         {" ", ""},
		{"a", "a"},       {" \ta b\r\n", "a b"},
		{"\r\n\r\n", ""}, {"a\v", "a\v"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		assert_true(view_equal(view_trim(view_of(cases[i][0])),
				       view_of(cases[i][1])));
}

static void splits_words(void **state)
{
	struct view v = VIEW("  one\ttwo  three ");

	(void)state;
	assert_true(view_equal(view_next_word(&v), VIEW("one")));
	assert_true(view_equal(view_next_word(&v), VIEW("two")));
	assert_true(view_equal(view_next_word(&v), VIEW("three")));
	assert_int_equal(view_next_word(&v).n, 0);
	assert_int_equal(view_next_word(&v).n, 0);
}

static void knows_utf8(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} cases[] = {
		{"", true},
		{"plain", true},
		{"\xc3\xa4", true},
		{"\xe2\x82\xac", true},
		{"\xf0\x9f\x98\x80", true},
		{"\xf4\x8f\xbf\xbf", true},
		{"\x80", false},
		{"\xc3", false},
		{"\xc3z", false},
		{"\xc0\xaf", false}, /* over-long */
		{"\xc1\xbf", false},
		{"\xe0\x9f\xbf", false},
		{"\xf0\x8f\xbf\xbf", false},
		{"\xed\xa0\x80", false},     /* a surrogate */
		{"\xf4\x90\x80\x80", false}, /* beyond U+10FFFF */
		{"\xf5\x80\x80\x80", false},
		{"\xe2\x82", false},
		{"\xff", false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		assert_int_equal(view_is_utf8(view_of(cases[i].text)),
				 cases[i].valid);
}

/* Fed in any two pieces, or octet by octet, it is known all the same. */
static void knows_utf8_in_pieces(void **state)
{
	static const struct {
		struct view text;
		bool valid;
	} cases[] = {
		{VIEW(""), true},
		{VIEW("plain\0text"), true},
		{VIEW("\xc2\x80\xdf\xbf"), true},
		{VIEW("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80"), true},
		{VIEW("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), true},
		{VIEW("a\xc3\xa4z\xe2\x82\xacz\xf0\x9f\x98\x80z"), true},
		/* over-long */
		{VIEW("a\xc0\x80z"), false},
		{VIEW("a\xc1\xbfz"), false},
		{VIEW("a\xe0\x9f\xbfz"), false},
		{VIEW("a\xf0\x8f\xbf\xbfz"), false},
		/* surrogates, and beyond U+10FFFF */
		{VIEW("a\xed\xa0\x80z"), false},
		{VIEW("a\xed\xbf\xbfz"), false},
		{VIEW("a\xf4\x90\x80\x80z"), false},
		{VIEW("a\xf5\x80\x80\x80z"), false},
		{VIEW("a\xffz"), false},
		/* cut off, at the end or by another */
		{VIEW("a\xc3"), false},
		{VIEW("a\xe2\x82"), false},
		{VIEW("a\xf0\x9f\x98"), false},
		{VIEW("a\xc3z"), false},
		{VIEW("a\xe2\x82z"), false},
		{VIEW("a\xf0\x9f\x98z"), false},
		{VIEW("\xc3\xc3\xa4"), false},
		{VIEW("\xe2\x82\xe2\x82\xac"), false},
		/* nothing before it */
		{VIEW("\x80"), false},
		{VIEW("\xc3\xa4\xa4"), false},
		{VIEW("\xe2\x82\xac\x82"), false},
	};
	size_t i, n;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		const struct view text = cases[i].text;
		struct utf8 octets = UTF8_INIT;

		for (n = 0; n <= text.n; n++) {
			struct utf8 u = UTF8_INIT;

			utf8_feed(&u, view_make(text.p, n));
			assert_int_equal(utf8_is_valid(&u),
					 view_is_utf8(view_make(text.p, n)));
			utf8_feed(&u, VIEW(""));
			utf8_feed(&u, view_skip(text, n));
			assert_int_equal(utf8_is_valid(&u), cases[i].valid);
			if (n)
				utf8_feed(&octets,
					  view_make(text.p + n - 1, 1));
		}
		assert_int_equal(utf8_is_valid(&octets), cases[i].valid);
		assert_int_equal(view_is_utf8(text), cases[i].valid);
	}
}

static void finds_bare_crs(void **state)
{
	static const struct {
		struct view text;
		bool has;
	} cases[] = {
		{VIEW(""), false},           {VIEW("a\r\nb\r\n"), false},
		{VIEW("\n\n"), false},       {VIEW("a\rb"), true},
		{VIEW("\r"), true},          {VIEW("\r\r\n"), true},
		{VIEW("\r\n\r"), true},      {VIEW("\r\n\0\r\0"), true},
		{VIEW("\r\n\n\r\n"), false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		assert_int_equal(view_has_bare_cr(cases[i].text), cases[i].has);
}

static void matches_wildcards(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "anything", true},
		{"?", "", false},
		{"?", "a", true},
		{"a?c", "ABC", true},
		{"*@example.org", "bob@Example.ORG", true},
		{"*@example.org", "bob@example.com", false},
		{"a*b*c", "aXbXbYc", true},
		{"a*b*c", "aXbXbY", false},
		{"**", "x", true},
		{"a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaa", false},
		{"*a", "aaab", false},
		{"*.?rg", "x.org.org", true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		assert_int_equal(text_matches(view_of(cases[i].pattern),
					      view_of(cases[i].text)),
				 cases[i].matches);
}

static void reads_numbers(void **state)
{
	static const struct {
		const char *text;
		unsigned long long max;
		bool valid;
		unsigned long long value;
	} cases[] = {
		{"0", 9, true, 0},
		{"9", 9, true, 9},
		{"10", 9, false, 0},
		{"", 9, false, 0},
		{"-1", 9, false, 0},
		{"+1", 9, false, 0},
		{" 1", 9, false, 0},
		{"1a", 99, false, 0},
		{"007", 9, true, 7},
		{"1", 0, false, 0},
		{"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
		{"18446744073709551616", UINT64_MAX, false, 0},
		{"99999999999999999999999", UINT64_MAX, false, 0},
	};
	unsigned long long value;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		value = 0;
		assert_int_equal(text_to_number(view_of(cases[i].text),
						cases[i].max, &value),
				 cases[i].valid);
		assert_true(value == cases[i].value);
	}
}

static void reads_durations(void **state)
{
	static const struct {
		const char *text;
		bool valid;
		unsigned long long seconds;
	} cases[] = {
		{"30", true, 30},      {"30s", true, 30},
		{"5m", true, 300},     {"2H", true, 7200},
		{"1d", true, 86400},   {"1w", true, 604800},
		{"", false, 0},        {"s", false, 0},
		{"5x", false, 0},      {"5mm", false, 0},
		{"1000001", false, 0}, {"2w", false, 0},
		{"-5m", false, 0},     {"99999999999999999999w", false, 0},
		{"1h30m", true, 5400}, {"1d1h1m1s", true, 90061},
		{"1h30", false, 0},    {"11d13h46m41s", false, 0},
		{"1h 30m", false, 0},  {"11d13h46m40s", true, 1000000},
	};
	unsigned long long seconds;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		seconds = 0;
		assert_int_equal(text_to_seconds(view_of(cases[i].text),
						 1000000, &seconds),
				 cases[i].valid);
		assert_true(seconds == cases[i].seconds);
	}
}

static void shows_one_line(void **state)
{
	static const struct {
		struct view raw;
		const char *shown;
	} cases[] = {
		{{"", 0}, ""},
		{{"plain \xc3\xa4", 8}, "plain \xc3\xa4"},
		{{"a\r\nb", 4}, "a\\x0D\\x0Ab"},
		{{"a\0b\x7f", 4}, "a\\x00b\\x7F"},
		{{"\x1b[31m", 5}, "\\x1B[31m"},
		{{"\xff\xc3", 2}, "\\xFF\\xC3"},
		{{"\xc2\x9b", 2}, "\\xC2\\x9B"}, /* C1 */
		{{"\xc2\xa0", 2}, "\xc2\xa0"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct buf b = BUF_INIT(1000);

		text_add_printable(&b, cases[i].raw);
		assert_string_equal(b.p, cases[i].shown);
		buf_release(&b);
	}
}

static void measures_distance(void **state)
{
	static const struct {
		const char *a, *b;
		size_t distance;
	} cases[] = {
		{"", "", 0},
		{"tls", "tls", 0},
		{"tls", "TLS", 0},
		{"tls", "tsl", 2},
		{"pasword", "password", 1},
		{"port", "host", 2},
		{"", "abc", 3},
		{"abcdefgh", "xyz", 4},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		assert_int_equal(text_distance(view_of(cases[i].a),
					       view_of(cases[i].b), 3),
				 cases[i].distance);
}

/* The reference values of the function's authors. */
static void hashes(void **state)
{
	(void)state;
	assert_true(view_hash(VIEW("")) == UINT64_C(0xcbf29ce484222325));
	assert_true(view_hash(VIEW("a")) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(view_hash(VIEW("foobar")) == UINT64_C(0x85944171f73967e8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares),
		cmocka_unit_test(trims),
		cmocka_unit_test(splits_words),
		cmocka_unit_test(knows_utf8),
		cmocka_unit_test(knows_utf8_in_pieces),
		cmocka_unit_test(finds_bare_crs),
		cmocka_unit_test(matches_wildcards),
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(shows_one_line),
		cmocka_unit_test(measures_distance),
		cmocka_unit_test(hashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
