/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_FUZZ_MAILBOX_H
#define TESTS_FUZZ_MAILBOX_H

/* What holds of every mailbox: it cannot leave an SMTP command's angle
 * brackets, and read again it is the same. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "input.h"
#include "mail/address.h"

/* RFC 5321 4.1.2: quotes at both ends, escapes in between. */
static inline void check_quoted(struct view v)
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

static inline void check_octets(const struct address *a)
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

static inline void check_again(const struct address *a)
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

static inline void check_address(const struct address *a)
{
	check_octets(a);
	check_again(a);
}

#endif
