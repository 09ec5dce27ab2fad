/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A name on the first line, an alias file behind it, and behind a line with a
 * `%` alone one that it may include. Whatever they are: each mailbox that
 * comes out is one, and there once; and what is wrong is told in one line.
 */
#include "mail/alias.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mailbox.h"

#define ALIASES  100 /* descriptors, so that seeds can name them */
#define INCLUDED 101
#define PATH     "/proc/self/fd/100"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_file(struct view v, int as)
{
	int fd = memfd_create("aliases", MFD_CLOEXEC);

	require(fd >= 0 && file_write_all(fd, v.p, v.n) == 0);
	require(dup2(fd, as) == as);
	close(fd);
}

/* What is in front of the separator; the rest is behind it. */
static struct view cut(struct view *v, struct view separator)
{
	const char *at = memmem(v->p, v->n, separator.p, separator.n);
	struct view front = view_make(v->p, at ? (size_t)(at - v->p) : v->n);

	*v = view_skip(*v, front.n + separator.n);
	return front;
}

static void check_text(const char *text)
{
	require(text && *text == '/');
	for (; *text; text++)
		require(!text_is_control(*text));
}

static void check_outcome(int rc, const struct outcome *o)
{
	require((rc < 0) == outcome_is_failure(o));
	if (rc == 0 || rc == 1)
		return;
	require(rc == -1 && o->cause == CAUSE_CONFIG);
	require(!strcmp(o->status, "5.3.5") || !strcmp(o->status, "5.4.6"));
	check_text(o->text);
}

/* Short lists: each against all. */
static void check_list(const struct address_list *list)
{
	size_t i, j;

	for (i = 0; i < list->n; i++) {
		check_address(&list->p[i]);
		for (j = 0; j < i && i < 1000; j++)
			require(!address_equal(&list->p[i], &list->p[j]));
	}
}

static void try_name(struct aliases *a, struct view name)
{
	struct address_list list = ADDRESS_LIST_INIT;
	struct address_list again = ADDRESS_LIST_INIT;
	struct outcome o = OUTCOME_INIT;
	int rc = aliases_expand(a, name, &list, &o);
	size_t i;

	check_outcome(rc, &o);
	require(rc != 0 || list.n == 0);
	if (rc >= 0)
		check_list(&list);
	/* a question leaves nothing behind */
	outcome_release(&o);
	require(aliases_expand(a, name, &again, &o) == rc);
	require(list.n == again.n);
	for (i = 0; i < list.n; i++)
		require(address_equal(&list.p[i], &again.p[i]));
	outcome_release(&o);
	address_list_release(&list);
	address_list_release(&again);
}

static void on_fault(void *context, const char *text)
{
	size_t *faults = context;

	++*faults;
	check_text(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view rest = view_make((const char *)data, size);
	struct view name = cut(&rest, VIEW("\n"));
	struct outcome o = OUTCOME_INIT;
	struct aliases *a;
	size_t faults = 0;

	put_file(cut(&rest, VIEW("\n%\n")), ALIASES);
	put_file(rest, INCLUDED);
	a = aliases_read(PATH, &o);
	require(a && !outcome_is_failure(&o));
	try_name(a, name);
	try_name(a, VIEW("root"));
	require(aliases_check(a, on_fault, &faults) == faults);
	require(faults <= 2 * size + 1); /* each told once */
	try_name(a, name);
	aliases_free(a);
	close(ALIASES);
	close(INCLUDED);
	return 0;
}
