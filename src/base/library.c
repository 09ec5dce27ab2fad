/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/library.h"

#include <dlfcn.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/outcome.h"

#define WORDS_LIMIT 512u

const char *library_open(struct library *l)
{
	void *library, **calls = l->calls;
	size_t i;

	if (l->is_loaded)
		return NULL;
	library = dlopen(l->soname, RTLD_LAZY | RTLD_LOCAL);
	if (!library)
		return dlerror();
	for (i = 0; i < l->n_names; i++) {
		calls[i] = dlsym(library, l->names[i]);
		if (!calls[i])
			return dlerror();
	}
	l->is_loaded = true;
	return NULL;
}

int library_load(struct library *l, struct outcome *o)
{
	const char *why = library_open(l);

	if (why)
		return fail(o, CAUSE_SYSTEM, "4.3.1",
			    "cannot load a library: %s; install it again", why);
	return 0;
}

void library_need(struct library *l)
{
	const char *why = library_open(l);
	struct buf text = BUF_INIT(WORDS_LIMIT);

	if (!why)
		return;
	buf_printf(&text, "postrider: cannot load a library: %s\n", why);
	file_write_all(STDERR_FILENO, text.p, text.n);
	_exit(EX_OSERR);
}
