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

static const struct library library = {GNUTLS_SONAME, names, N_NAMES, &calls};

static bool is_loaded;

int library_load_gnutls(struct outcome *o)
{
	if (!is_loaded && library_load(&library, o) < 0)
		return -1;
	is_loaded = true;
	return 0;
}

bool library_has_gnutls(void)
{
	if (!is_loaded)
		is_loaded = !library_open(&library);
	return is_loaded;
}

const struct gnutls_calls *library_gnutls(void)
{
	if (!is_loaded) {
		library_need(&library);
		is_loaded = true;
	}
	return &calls;
}
