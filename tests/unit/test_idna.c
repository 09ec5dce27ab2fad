/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Domains in ASCII, or a reason why not. */
#include "base/idna.h"

#include "unit.h"

#define TEN   "aaaaaaaaaa"
#define SIXTY TEN TEN TEN TEN TEN TEN

static void converts(void **state)
{
	static const char *const cases[][2] = {
		{"example.org", "example.org"},
		{"Example.ORG", "example.org"},
		{"example.org.", "example.org"},
		{"localhost", "localhost"},
		{"a", "a"},
		{"1.2.3.4", "1.2.3.4"},
		{"_dmarc.example.org", "_dmarc.example.org"},
		{"r3---sn-x.example.org", "r3---sn-x.example.org"},
		{"b\xc3\xbc"
		 "cher.example",
		 "xn--bcher-kva.example"},
		{"B\xc3\x9c"
		 "CHER.example",
		 "xn--bcher-kva.example"},
		{"fa\xc3\x9f.de", "xn--fa-hia.de"}, /* non-transitional */
		{"xn--bcher-kva.example", "xn--bcher-kva.example"},
		/* the ideographic full stop separates labels, too */
		{"\xe4\xbe\x8b\xe3\x80\x82"
		 "jp",
		 "xn--fsq.jp"},
		{SIXTY "aaa.org", SIXTY "aaa.org"},
		{SIXTY "." SIXTY "." SIXTY "." SIXTY ".aaaaaaaaa",
		 SIXTY "." SIXTY "." SIXTY "." SIXTY ".aaaaaaaaa"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct outcome o = OUTCOME_INIT;
		char *ascii = idna_to_ascii(view_of(cases[i][0]), &o);

		assert_non_null(ascii);
		assert_string_equal(ascii, cases[i][1]);
		assert_false(outcome_is_failure(&o));
		free(ascii);
	}
}

static void refuses(void **state)
{
	static const struct {
		struct view domain;
		const char *word; /* of the explanation */
	} cases[] = {
		{{"", 0}, "no domain"},
		{{".", 1}, "empty"},
		{{"a..b", 4}, "empty"},
		{{".a", 2}, "empty"},
		{{"a..", 3}, "empty"},
		{{"a b", 3}, "character"},
		{{"a\r\nb", 4}, "character"},
		{{"a\0b", 3}, "NUL"},
		{{"\xc3\xa4\0b", 4}, "NUL"},
		{{"a>b", 3}, "character"},
		{{"\xc3\xa4>b", 4}, "\xc3\xa4>b"},
		{{"-a.org", 6}, "hyphen"},
		{{"a-.org", 6}, "hyphen"},
		{{SIXTY "aaaa", 64}, "63"},
		{{SIXTY "." SIXTY "." SIXTY "." SIXTY ".aaaaaaaaaa", 254},
		 "253"},
		{{"\xff\xfe", 2}, "no domain"},
		{{"\xc3\xa4..b", 5}, "no domain"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct outcome o = OUTCOME_INIT;

		assert_null(idna_to_ascii(cases[i].domain, &o));
		assert_int_equal(o.cause, CAUSE_CONFIG);
		assert_string_equal(o.status, "5.1.3");
		assert_non_null(strstr(o.text, cases[i].word));
		outcome_release(&o);
	}
}

/* However long it is, it is not converted for long. */
static void gives_up_on_long_ones(void **state)
{
	static char domain[1000000];
	struct outcome o = OUTCOME_INIT;

	(void)state;
	memset(domain, '\xc3', sizeof(domain));
	assert_null(idna_to_ascii(view_make(domain, sizeof(domain)), &o));
	assert_in_range(strlen(o.text), 1, 2000);
	outcome_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(converts),
		cmocka_unit_test(refuses),
		cmocka_unit_test(gives_up_on_long_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
