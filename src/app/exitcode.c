/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Outcome to exit code. Rows are tried in order; a status may end in `*`. What
 * never reached a server (command line, standard input, this machine) has
 * codes of its own; for all else the class decides first, so that every
 * caller can tell "later" (75) from "never".
 */
#include "app/exitcode.h"

#include <stddef.h>
#include <sysexits.h>

#include "base/text.h"

static const struct {
	enum cause cause; /* CAUSE_NONE: any */
	const char *status;
	int code;
} rows[] = {
	{CAUSE_USAGE, "*", EX_USAGE},
	{CAUSE_INPUT, "*", EX_NOINPUT},
	{CAUSE_SYSTEM, "?.3.1", EX_OSERR}, /* out of resources */
	{CAUSE_SYSTEM, "?.3.2", EX_CANTCREAT},
	{CAUSE_SYSTEM, "*", EX_IOERR},
	{CAUSE_NONE, "4.*", EX_TEMPFAIL},
	{CAUSE_NONE, "5.1.2", EX_NOHOST},
	{CAUSE_NONE, "5.4.4", EX_NOHOST},
	{CAUSE_NONE, "5.1.3", EX_DATAERR},
	{CAUSE_NONE, "5.1.7", EX_DATAERR},
	{CAUSE_NONE, "5.1.8", EX_DATAERR},
	{CAUSE_NONE, "5.2.3", EX_DATAERR},
	{CAUSE_NONE, "5.3.4", EX_DATAERR},
	{CAUSE_NONE, "5.6.*", EX_DATAERR},
	{CAUSE_RECIPIENT, "5.1.*", EX_NOUSER},
	{CAUSE_RECIPIENT, "5.2.1", EX_NOUSER},
	{CAUSE_NONE, "5.5.*", EX_PROTOCOL},
	{CAUSE_NONE, "5.7.*", EX_NOPERM},
	{CAUSE_NONE, "5.3.5", EX_CONFIG},
};

int exitcode_of(const struct outcome *o)
{
	size_t i;

	if (!outcome_is_failure(o))
		return EX_OK;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((rows[i].cause == CAUSE_NONE ||
		     rows[i].cause == o->cause) &&
		    text_matches(view_of(rows[i].status), view_of(o->status)))
			return rows[i].code;
	return EX_UNAVAILABLE;
}

int exitcode_worse(int first, int second)
{
	return !first || (first == EX_TEMPFAIL && second) ? second : first;
}
