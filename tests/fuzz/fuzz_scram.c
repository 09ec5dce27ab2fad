/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two lines of a hostile server, its first and its final message: they are
 * answered or refused, a refusal leaves nothing behind, and without the
 * password nobody proves anything.
 */
#include "smtp/scram.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "input.h"

#define LIMIT      (256u << 10)
#define COUNT_MOST 4 /* digits of an iteration count: more would take long */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_words(struct outcome *o)
{
	const char *p;

	require(outcome_is_failure(o));
	for (p = o->text; *p; p++)
		require((unsigned char)*p >= 32 && *p != 127);
	outcome_release(o);
}

static bool takes_long(struct view first)
{
	size_t i, n;

	for (i = 0; i + 2 < first.n; i++) {
		if (memcmp(first.p + i, "i=", 2) != 0)
			continue;
		for (n = 0;
		     i + 2 + n < first.n && text_is_digit(first.p[i + 2 + n]);
		     n++)
			;
		if (n > COUNT_MOST)
			return true;
	}
	return false;
}

static void check_answer(struct view first, const struct buf *answer)
{
	const char *comma = memchr(first.p, ',', first.n);
	struct buf nonce = BUF_INIT(LIMIT);

	require(comma && !memcmp(answer->p, "c=biws,r=", 9));
	require(strstr(answer->p, ",p="));
	buf_add_view(&nonce, view_make(first.p, (size_t)(comma - first.p)));
	require(memmem(answer->p, answer->n, nonce.p, nonce.n));
	buf_release(&nonce);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scram_request r = {
		.mechanism = "SCRAM-SHA-256", .user = "user", .nonce = "N"};
	struct view rest = view_make((const char *)data, size);
	struct view first = view_next_line(&rest);
	struct view final = view_next_line(&rest);
	struct buf answer = BUF_INIT_SECRET(LIMIT);
	struct outcome o = OUTCOME_INIT;
	struct scram *s;

	if (takes_long(first))
		return 0;
	s = scram_new(&r);
	if (scram_answer(s, first, "pencil", &answer, &o) == 0) {
		check_answer(first, &answer);
	} else {
		require(!answer.n);
		check_words(&o);
	}
	require(scram_verify(s, final, &o) == -1);
	check_words(&o);
	buf_release(&answer);
	scram_free(s);
	return 0;
}
