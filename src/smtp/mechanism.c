/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every SASL mechanism, one row each. What they say is for smtp/sasl. */
#include "smtp/mechanism.h"

#include "base/text.h"

/* NTLM sends what is soon searched, and ANONYMOUS is nobody: who wants them
 * says so. A token is asked for last, as a password may be meant. */
const struct mechanism mechanisms[] = {
	{.name = "SCRAM-SHA-256-PLUS",
	 .strength = STRENGTH_BOUND,
	 .client_first = true,
	 .mutual = true},
	{.name = "SCRAM-SHA-1-PLUS",
	 .strength = STRENGTH_BOUND,
	 .client_first = true,
	 .mutual = true},
	{.name = "SCRAM-SHA-256",
	 .strength = STRENGTH_PROOF,
	 .client_first = true,
	 .mutual = true},
	{.name = "SCRAM-SHA-1",
	 .strength = STRENGTH_PROOF,
	 .client_first = true,
	 .mutual = true},
	{.name = "GSSAPI",
	 .strength = STRENGTH_PROOF,
	 .client_first = true,
	 .mutual = true,
	 .needs_no_user = true,
	 .by_ticket = true},
	{.name = "GS2-KRB5",
	 .strength = STRENGTH_PROOF,
	 .client_first = true,
	 .mutual = true,
	 .needs_no_user = true,
	 .by_ticket = true},
	{.name = "EXTERNAL",
	 .strength = STRENGTH_PROOF,
	 .client_first = true,
	 .needs_no_user = true,
	 .by_certificate = true},
	{.name = "DIGEST-MD5", .strength = STRENGTH_SEARCHABLE, .mutual = true},
	{.name = "CRAM-MD5", .strength = STRENGTH_SEARCHABLE},
	{.name = "NTLM",
	 .strength = STRENGTH_SEARCHABLE,
	 .client_first = true,
	 .by_name = true},
	{.name = "PLAIN", .strength = STRENGTH_SHOWN, .client_first = true},
	{.name = "LOGIN", .strength = STRENGTH_SHOWN},
	{.name = "OAUTHBEARER",
	 .strength = STRENGTH_SHOWN,
	 .client_first = true},
	{.name = "XOAUTH2", .strength = STRENGTH_SHOWN, .client_first = true},
	{.name = "ANONYMOUS",
	 .strength = STRENGTH_PROOF,
	 .client_first = true,
	 .by_name = true,
	 .needs_no_user = true},
};

const size_t mechanisms_n = sizeof(mechanisms) / sizeof(mechanisms[0]);

const struct mechanism *mechanism_find(struct view name)
{
	size_t i;

	for (i = 0; i < mechanisms_n; i++)
		if (view_equal_nocase(view_of(mechanisms[i].name), name))
			return &mechanisms[i];
	return NULL;
}
