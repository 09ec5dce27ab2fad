/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp/gsasl.h"

#include <stddef.h>

#include "base/library.h"

#define NAME(call) #call,
static const char *const names[] = {GSASL_CALLS(NAME)};
#undef NAME

#define N_NAMES (sizeof(names) / sizeof(names[0]))

LIBRARY_NOTE("sasl", "mechanisms to log in with", "required", GSASL_SONAME);

static struct gsasl_calls calls;
_Static_assert(sizeof(calls) == N_NAMES * sizeof(void *), "only addresses");

static struct library library = {GSASL_SONAME, names, N_NAMES, &calls, false};

int library_load_gsasl(struct outcome *o)
{
	return library_load(&library, o);
}

const struct gsasl_calls *library_gsasl(void)
{
	if (!library.is_loaded) /* each call comes by here */
		library_need(&library);
	return &calls;
}
