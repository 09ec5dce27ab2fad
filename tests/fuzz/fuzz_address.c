/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever the text, a mailbox that comes out of it cannot leave an SMTP
 * command's angle brackets, and read again it is the same mailbox.
 */
#include "mail/address.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mail/envelope.h"
#include "mailbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_outcome(int rc, const struct outcome *o)
{
	require((rc < 0) == outcome_is_failure(o));
	require(rc == 0 || (o->text && !strpbrk(o->text, "\r\n")));
}

static void try_list(struct view text)
{
	struct address_list list = ADDRESS_LIST_INIT;
	struct outcome o = OUTCOME_INIT;
	size_t i;

	check_outcome(address_list_parse(text, &list, &o), &o);
	for (i = 0; i < list.n; i++)
		check_address(&list.p[i]);
	outcome_release(&o);
	address_list_release(&list);
}

static void try_one(struct view text)
{
	struct address a = ADDRESS_INIT;
	struct outcome o = OUTCOME_INIT;
	int rc = address_parse(text, &a, &o);

	check_outcome(rc, &o);
	require((rc == 0) == (a.mailbox != NULL));
	if (rc == 0)
		check_address(&a);
	if (rc == 0 && address_qualify(&a, "home.example", &o) == 0) {
		require(a.has_domain);
		check_address(&a);
	}
	outcome_release(&o);
	address_release(&a);
}

/* The text as the domain that local names get, too. */
static void try_envelope(struct view text)
{
	char *domain = strndup(text.p, text.n);
	const struct local_policy local = {.maildomain = domain};
	struct envelope e = ENVELOPE_INIT;
	struct outcome o = OUTCOME_INIT;
	size_t i;

	check_outcome(envelope_set_sender(&e, text, &local, &o), &o);
	outcome_release(&o);
	check_outcome(envelope_add_recipients(&e, text, &local, &o), &o);
	outcome_release(&o);
	check_outcome(envelope_add_recipients(&e, VIEW("root"), &local, &o),
		      &o);
	for (i = 0; i < e.n_recipients; i++) {
		check_address(&e.recipients[i].address);
		require(e.recipients[i].address.has_domain);
	}
	if (e.sender.mailbox && *e.sender.mailbox)
		check_address(&e.sender);
	outcome_release(&o);
	envelope_release(&e);
	free(domain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = view_make((const char *)data, size);

	try_list(text);
	try_one(text);
	try_envelope(text);
	return 0;
}
