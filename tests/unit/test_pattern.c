/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Substitutions and wildcards. */
#include "conf/pattern.h"

#include <pwd.h>
#include <unistd.h>

#include "unit.h"

static const struct pattern_facts facts = {
	.user = "alice",
	.host = "box",
	.canonical = "box.example.org",
	.mailname = "example.org",
	.full_name = "Alice A.",
};

static void substitutes(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{"", ""},
		{"a@b", "a@b"},
		{"%U@%M", "alice@example.org"},
		{"%U+%H@%C", "alice+box@box.example.org"},
		{"%F", "Alice A."},
		{"100%", "100%"},
		{"%x%%U", "%x%alice"},
		{"%u", "%u"},
		{"%", "%"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		char *got = pattern_expand(cases[i].text, &facts);

		assert_string_equal(got, cases[i].want);
		free(got);
	}
}

static char *expand_by_system(const char *text)
{
	return pattern_expand(text, NULL);
}

static void check_expansion(const char *text, const char *first,
			    const char *second)
{
	char want[512], *got = expand_by_system(text);

	snprintf(want, sizeof(want), "%s%s", first, second);
	assert_string_equal(got, want);
	free(got);
}

static void asks_the_environment(void **state)
{
	const struct passwd *login = getpwuid(getuid());
	char *got;

	(void)state;
	if (!login) /* then only the environment knows */
		return;
	setenv("USER", login->pw_name, true);
	setenv("LOGNAME", "nobody-at-all", true);
	setenv("HOSTNAME", "from-hostname", true);
	check_expansion("%U@%H", login->pw_name, "@from-hostname");
	/* another's name, or nobody's, is not believed */
	setenv("USER", "nobody-at-all", true);
	check_expansion("%U", login->pw_name, "");
	setenv("USER", getuid() ? "root" : "daemon", true);
	setenv("LOGNAME", login->pw_name, true);
	check_expansion("%U", login->pw_name, "");
	unsetenv("USER");
	check_expansion("%U", login->pw_name, "");
	setenv("LOGNAME", "", true);
	got = expand_by_system("%U");
	assert_string_equal(got, login->pw_name);
	free(got);
	unsetenv("HOSTNAME");
	got = expand_by_system("%H");
	assert_true(strlen(got) > 0);
	free(got);
}

static void matches_senders(void **state)
{
	static const struct {
		const char *from;
		const char *sender;
		bool matches;
	} cases[] = {
		{"a@x.org", "a@x.org", true},
		{"a@x.org", "A@X.ORG", true},
		{"a@x.org", "b@x.org", false},
		{"a@x.org", "a@x.org.evil", false},
		{"a@x.org", "a+tag@x.org", true},
		{"a@x.org", "a+t+u@x.org", true},
		{"a+tag@x.org", "a+tag@x.org", true},
		{"a@x.org", "+tag@x.org", false},
		{"a@x.org", "b+a@x.org", false},
		{"a@x.org", "a@x+y.org", false},
		{"*@x.org", "anyone@x.org", true},
		{"*@x.org", "anyone@y.org", false},
		{"?@x.org", "a@x.org", true},
		{"?@x.org", "a+tag@x.org", true},
		{"?@x.org", "ab@x.org", false},
		{"*", "", true},
		{"a", "a", true},
		{"a", "a+b", true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		if (pattern_matches_sender(view_of(cases[i].from),
					   view_of(cases[i].sender)) !=
		    cases[i].matches)
			fail_msg("%s, %s", cases[i].from, cases[i].sender);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(substitutes),
		cmocka_unit_test(asks_the_environment),
		cmocka_unit_test(matches_senders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
