/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/gnutls.h"

#include <stddef.h>

#include "base/library.h"

#define NAME(call) #call,
static const char *const names[] = {GNUTLS_CALLS(NAME)};
#undef NAME

#define N_NAMES (sizeof(names) / sizeof(names[0]))

LIBRARY_NOTE("tls", "TLS, hashes and base64", "required", GNUTLS_SONAME);

static struct gnutls_calls calls;
_Static_assert(sizeof(calls) == N_NAMES * sizeof(void *), "only addresses");

static struct library library = {GNUTLS_SONAME, names, N_NAMES, &calls, false};

int library_load_gnutls(struct outcome *o)
{
	return library_load(&library, o);
}

bool library_has_gnutls(void)
{
	return !library_open(&library);
}

const struct gnutls_calls *library_gnutls(void)
{
	if (!library.is_loaded) /* each call comes by here */
		library_need(&library);
	return &calls;
}
