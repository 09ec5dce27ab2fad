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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* RFC 5321 4.1.2: quotes at both ends, escapes in between. */
static void check_quoted(struct view v)
{
	size_t i;

	require(v.n >= 2 && v.p[v.n - 1] == '"');
	for (i = 1; i < v.n - 1; i++) {
		require(v.p[i] != '"');
		if (v.p[i] == '\\')
			i++;
	}
	require(i == v.n - 1);
}

static void check_octets(const struct address *a)
{
	struct view all = view_of(a->mailbox);
	struct view local = view_make(all.p, a->local_n);
	bool quoted = local.n && local.p[0] == '"';
	size_t i;

	require(all.n <= 254 && local.n <= 64 && local.n > 0);
	require(view_is_utf8(all));
	if (quoted)
		check_quoted(local);
	for (i = 0; i < all.n; i++) {
		require(!text_is_control(all.p[i]));
		if (!quoted || i >= local.n)
			require(!strchr(" <>\"\\(),;", all.p[i]));
		if (i > local.n)
			require((unsigned char)all.p[i] < 128);
	}
	require(a->has_domain ? all.p[local.n] == '@' : local.n == all.n);
	require(a->needs_utf8 == view_has_8bit(local));
}

static void check_again(const struct address *a)
{
	struct outcome o = OUTCOME_INIT;
	struct address again = ADDRESS_INIT;

	require(address_parse(view_of(a->mailbox), &again, &o) == 0);
	require(!strcmp(a->mailbox, again.mailbox));
	require(a->local_n == again.local_n);
	require(a->has_domain == again.has_domain);
	require(address_equal(a, &again));
	address_release(&again);
}

static void check_address(const struct address *a)
{
	check_octets(a);
	check_again(a);
}

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
