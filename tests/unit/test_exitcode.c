/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one table from outcomes to exit codes. */
#include "app/exitcode.h"

#include "unit.h"

#include <sysexits.h>

static const struct {
	enum cause cause;
	const char *status;
	int code;
} cases[] = {
	{CAUSE_NONE, "", EX_OK},
	{CAUSE_CONNECT, "4.4.1", EX_TEMPFAIL},
	{CAUSE_CONNECT, "4.4.2", EX_TEMPFAIL},
	{CAUSE_TLS, "4.7.5", EX_TEMPFAIL},
	{CAUSE_AUTH, "4.7.0", EX_TEMPFAIL},
	{CAUSE_RECIPIENT, "4.1.1", EX_TEMPFAIL},
	{CAUSE_RECIPIENT, "4.2.1", EX_TEMPFAIL},
	{CAUSE_CONTENT, "4.3.4", EX_TEMPFAIL},
	{CAUSE_RECIPIENT, "5.1.2", EX_NOHOST},
	{CAUSE_SENDER, "5.1.2", EX_NOHOST},
	{CAUSE_RESOLVE, "5.4.4", EX_NOHOST},
	{CAUSE_RECIPIENT, "5.1.0", EX_NOUSER},
	{CAUSE_RECIPIENT, "5.1.1", EX_NOUSER},
	{CAUSE_RECIPIENT, "5.1.4", EX_NOUSER},
	{CAUSE_RECIPIENT, "5.1.6", EX_NOUSER},
	{CAUSE_RECIPIENT, "5.1.10", EX_NOUSER},
	{CAUSE_RECIPIENT, "5.2.1", EX_NOUSER},
	{CAUSE_SENDER, "5.1.0", EX_UNAVAILABLE},
	{CAUSE_RECIPIENT, "5.1.3", EX_DATAERR},
	{CAUSE_SENDER, "5.1.7", EX_DATAERR},
	{CAUSE_SENDER, "5.1.8", EX_DATAERR},
	{CAUSE_RECIPIENT, "5.2.3", EX_DATAERR},
	{CAUSE_CONTENT, "5.3.4", EX_DATAERR},
	{CAUSE_CONTENT, "5.6.0", EX_DATAERR},
	{CAUSE_CONTENT, "5.6.11", EX_DATAERR},
	{CAUSE_FEATURE, "5.6.7", EX_DATAERR},
	{CAUSE_RECIPIENT, "5.2.2", EX_UNAVAILABLE},
	{CAUSE_PROTOCOL, "5.5.0", EX_PROTOCOL},
	{CAUSE_SENDER, "5.5.4", EX_PROTOCOL},
	{CAUSE_AUTH, "5.7.8", EX_NOPERM},
	{CAUSE_CONTENT, "5.7.1", EX_NOPERM},
	{CAUSE_TLS, "5.7.4", EX_NOPERM},
	{CAUSE_CONFIG, "5.3.5", EX_CONFIG},
	{CAUSE_CONFIG, "5.3.3", EX_UNAVAILABLE},
	{CAUSE_CONTENT, "5.0.0", EX_UNAVAILABLE},
	{CAUSE_CONNECT, "5.3.2", EX_UNAVAILABLE},
	{CAUSE_USAGE, "5.1.3", EX_USAGE},
	{CAUSE_USAGE, "5.5.4", EX_USAGE},
	{CAUSE_INPUT, "5.3.0", EX_NOINPUT},
	{CAUSE_SYSTEM, "5.3.0", EX_IOERR},
	{CAUSE_SYSTEM, "4.3.0", EX_IOERR},
	{CAUSE_SYSTEM, "4.3.1", EX_OSERR},
	{CAUSE_SYSTEM, "5.3.2", EX_CANTCREAT},
};

static void maps_every_row(void **state)
{
	struct outcome o = OUTCOME_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		if (cases[i].cause != CAUSE_NONE)
			fail(&o, cases[i].cause, cases[i].status, "x");
		if (exitcode_of(&o) != cases[i].code)
			fail_msg("case %zu (%s): %d", i, cases[i].status,
				 exitcode_of(&o));
		outcome_release(&o);
	}
}

/* What is for good is worse than what may work later; else the first counts. */
static void finds_the_worse(void **state)
{
	static const int rows[][3] = {
		{0, 0, 0},    {0, 75, 75}, {75, 0, 75},
		{75, 75, 75}, {0, 69, 69}, {75, 69, 69},
		{69, 75, 69}, {69, 0, 69}, {69, 78, 69},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++)
		if (exitcode_worse(rows[i][0], rows[i][1]) != rows[i][2])
			fail_msg("row %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_every_row),
		cmocka_unit_test(finds_the_worse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
