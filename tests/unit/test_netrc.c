/* SPDX-License-Identifier: GPL-3.0-or-later */
/* netrc files: entries, quotes, macros, what is not ours. */
#include "conf/netrc.h"

#include "unit.h"

static const struct {
	const char *text;
	const char *want; /* for alice at mail.x; NULL: none */
} cases[] = {
	{"", NULL},
	{"machine mail.x login alice password p", "p"},
	{"machine mail.x\n\tlogin alice\n\tpassword p\n", "p"},
	{"machine MAIL.X login alice password p", "p"},
	{"machine mail.x password p login alice", "p"},
	{"machine mail.x password p", "p"},
	{"machine mail.x login bob password p", NULL},
	{"machine mail.x password p login bob", NULL},
	{"machine mail.x login Alice password p", NULL},
	{"machine mail.y login alice password p", NULL},
	{"machine mail.x login alice", NULL},
	{"machine mail.x login alice password", NULL},
	{"machine mail.x login bob password q machine mail.x login alice "
	 "password p",
	 "p"},
	{"machine mail.x login alice password p machine mail.x login alice "
	 "password q",
	 "p"},
	{"default login alice password p", "p"},
	{"default login bob password p", NULL},
	{"machine mail.y password q default login alice password p", "p"},
	{"machine mail.x login alice account acct password p", "p"},
	{"machine mail.x login alice password \"a b\"", "a b"},
	{"machine mail.x login alice password \"a\\\"b\\\\c\"", "a\"b\\c"},
	{"machine mail.x login alice password \"a", "a"},
	{"machine mail.x login alice password #p", "#p"},
	{"machine mail.x login alice password p#q", "p#q"},
	{"# machine mail.x login alice password q\n"
	 "machine mail.x login alice password p",
	 "p"},
	{"machine mail.x login alice # ours\npassword p", "p"},
	{"macdef init\nmachine mail.x login alice password q\n\n"
	 "machine mail.x login alice password p",
	 "p"},
	{"macdef init\nmachine mail.x login alice password q", NULL},
	{"machine mail.y login machine password mail.x\n"
	 "machine mail.x login alice password p",
	 "p"},
	{"machine mail.x login alice password password", "password"},
	{"unknown words machine mail.x login alice password p", "p"},
	{"machine", NULL},
	{"machine mail.x login", NULL},
	{"\"machine\" mail.x login alice password p", "p"},
};

static void finds_passwords(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct buf password = BUF_INIT_SECRET(4096);
		bool found = netrc_find(view_of(cases[i].text), "mail.x",
					"alice", &password);

		if (found != (cases[i].want != NULL) ||
		    strcmp(password.p, found ? cases[i].want : "") != 0)
			fail_msg("%s: %s", cases[i].text,
				 found ? password.p : "none");
		buf_release(&password);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_passwords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
