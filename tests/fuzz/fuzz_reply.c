/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Replies of a hostile server: whatever comes, the parser says complete, not
 * yet, or no; and what it makes of it stays within its limits. */
#include <stdint.h>
#include <stdlib.h>

#include "smtp/capability.h"
#include "smtp/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
	if (!truth)
		abort();
}

static void check_reply(const struct reply *reply)
{
	struct capabilities c = CAPABILITIES_INIT;
	struct outcome o = OUTCOME_INIT;
	const char *p;

	require(reply->code >= 200 && reply->code <= 599);
	require(reply->text.n <= REPLY_LIMIT && !reply->text.overflow);
	if (reply->status[0])
		require(reply->status[0] == '0' + reply_class(reply));
	require(reply_fail(reply, STEP_RCPT, "host", "RCPT TO", &o) == -1);
	for (p = o.text; *p; p++)
		require((unsigned char)*p >= 32 && *p != 127);
	capabilities_parse(&c, reply);
	capabilities_release(&c);
	outcome_release(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view input = view_make((const char *)data, size);
	struct reply reply = REPLY_INIT;
	const char *why = NULL;
	ptrdiff_t used;

	while ((used = reply_parse(input, &reply, &why)) > 0) {
		require((size_t)used <= input.n);
		check_reply(&reply);
		input = view_skip(input, (size_t)used);
	}
	require(used == 0 || why);
	reply_release(&reply);
	return 0;
}
