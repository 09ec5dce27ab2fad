/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The two mechanisms that GNU SASL does not know. Both say user and token at
 * once; a server that takes offence sends a JSON text as a challenge, and waits
 * for an answer before it refuses.
 */
#include "smtp/bearer.h"

#include <string.h>

#include "base/encode.h"

#define SEPARATOR "\x01"

/* RFC 7628 3.1 */
static void add_oauthbearer(const struct bearer *b, struct buf *out)
{
	buf_add_text(out, "n,a=");
	encode_sasl_name(out, b->user);
	buf_printf(out, "," SEPARATOR "host=%s" SEPARATOR, b->host);
	if (b->port)
		buf_printf(out, "port=%u" SEPARATOR, b->port);
	buf_add_text(out, "auth=Bearer ");
	buf_add_text(out, b->token);
	buf_add_text(out, SEPARATOR SEPARATOR);
}

static void add_xoauth2(const struct bearer *b, struct buf *out)
{
	buf_add_text(out, "user=");
	buf_add_text(out, b->user);
	buf_add_text(out, SEPARATOR "auth=Bearer ");
	buf_add_text(out, b->token);
	buf_add_text(out, SEPARATOR SEPARATOR);
}

const struct bearer_form *bearer_find(const char *mechanism)
{
	static const struct bearer_form forms[] = {
		{"OAUTHBEARER", add_oauthbearer, "AQ=="}, /* RFC 7628 3.2.3 */
		{"XOAUTH2", add_xoauth2, ""},
	};
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (!strcmp(forms[i].name, mechanism))
			return &forms[i];
	return NULL;
}

bool bearer_is_token(const char *token)
{
	const char *p = token;

	while (*p > ' ' && *p < 127)
		p++;
	return p > token && !*p;
}
