/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines, comments, quotes, the head of an account. */
#include "conf/language.h"

#include "unit.h"

/* "LINE command=argument;…"; shell arguments in the second form. */
static char *read_all(const char *text, bool as_msmtp, bool shell)
{
	struct language l = {.rest = view_of(text), .as_msmtp = as_msmtp};
	struct buf out = BUF_INIT(4096);
	struct command_line c;
	struct view v;

	while (language_next(&l, &c)) {
		if (shell)
			v = language_shell_argument(&c);
		else if (!language_argument(&l, &c, &v))
			v = VIEW("!");
		buf_printf(&out, "%u %.*s=%.*s;", l.line, (int)c.command.n,
			   c.command.p, (int)v.n, v.p);
	}
	return buf_detach(&out);
}

static const struct {
	const char *text;
	const char *ours;
	const char *msmtps; /* NULL: the same */
	const char *shells; /* NULL: as msmtp's */
} cases[] = {
	{"", "", NULL, NULL},
	{"\n\n", "", NULL, NULL},
	{"host a", "1 host=a;", NULL, NULL},
	{"host a\n", "1 host=a;", NULL, NULL},
	{"  host\ta b \r\n\n port 1\n", "1 host=a b;3 port=1;", NULL, NULL},
	{"tls", "1 tls=;", NULL, NULL},
	{"tls   ", "1 tls=;", NULL, NULL},
	{"# c\n #c\nhost a", "3 host=a;", NULL, NULL},
	{"host a # c", "1 host=a;", "1 host=a # c;", NULL},
	{"host a#b", "1 host=a#b;", NULL, NULL},
	{"host #c", "1 host=;", "1 host=#c;", NULL},
	{"user \" a \"", "1 user= a ;", NULL, NULL},
	{"user \"a # b\"", "1 user=a # b;", NULL, NULL},
	{"user \"a # b\" # c", "1 user=a # b;", "1 user=\"a # b\" # c;", NULL},
	{"user \"a\"b\"", "1 user=a\"b;", NULL, NULL},
	{"user a\"b", "1 user=a\"b;", NULL, NULL},
	{"user \"ab", "1 user=!;", "1 user=\"ab;", NULL},
	{"user \"", "1 user=!;", "1 user=\";", NULL},
	{"user \"\"", "1 user=;", NULL, NULL},
	{"user \"\" # c", "1 user=;", "1 user=\"\" # c;", NULL},
	{"user \"a\" \"b\"", "1 user=a\" \"b;", NULL, NULL},
	{"x \"echo a\" # c", "1 x=echo a;", "1 x=\"echo a\" # c;", NULL},
	{"x echo '#' b", "1 x=echo '#' b;", NULL, NULL},
	{"x echo ' #' b", "1 x=echo ';", "1 x=echo ' #' b;", NULL},
};

static void reads_lines(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		const char *ours = cases[i].ours;
		const char *msmtps = cases[i].msmtps ? cases[i].msmtps : ours;
		const char *shells = cases[i].shells ? cases[i].shells : msmtps;
		char *got_ours = read_all(cases[i].text, false, false);
		char *got_msmtps = read_all(cases[i].text, true, false);
		char *got_shells = read_all(cases[i].text, false, true);

		if (strcmp(got_ours, ours) || strcmp(got_msmtps, msmtps) ||
		    strcmp(got_shells, shells))
			fail_msg("%s\n  ours   %s\n  msmtp  %s\n  shell  %s",
				 cases[i].text, got_ours, got_msmtps,
				 got_shells);
		free(got_ours);
		free(got_msmtps);
		free(got_shells);
	}
}

static const struct {
	const char *argument;
	const char *want; /* "name<parent<parent"; NULL: refused */
} accounts[] = {
	{"work", "work"},
	{"work : home", "work<home"},
	{"work:home", "work<home"},
	{"work: a , b,c", "work<a<b<c"},
	{"a.b@c-d_1", "a.b@c-d_1"},
	{"", NULL},
	{":", NULL},
	{": home", NULL},
	{"work :", NULL},
	{"work : a,", NULL},
	{"work : ,a", NULL},
	{"work : a,,b", NULL},
	{"work home", NULL},
	{"work : a b", NULL},
	{"work : a : b", NULL},
	{"a,b", NULL},
	{"a\x01", NULL},
};

static void reads_the_head_of_an_account(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < N_OF(accounts); i++) {
		struct strings parents = STRINGS_INIT;
		struct buf got = BUF_INIT(256);
		struct view name;
		bool ok = language_account(view_of(accounts[i].argument), &name,
					   &parents);

		if (ok) {
			buf_add_view(&got, name);
			for (k = 0; k < parents.n; k++)
				buf_printf(&got, "<%s", parents.p[k]);
		}
		if (ok != (accounts[i].want != NULL) ||
		    (ok && strcmp(got.p, accounts[i].want) != 0))
			fail_msg("'%s': %s", accounts[i].argument,
				 ok ? got.p : "refused");
		strings_release(&parents);
		buf_release(&got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_lines),
		cmocka_unit_test(reads_the_head_of_an_account),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
