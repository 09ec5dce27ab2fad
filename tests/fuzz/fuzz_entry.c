/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever a file of the queue holds: it is refused, or what it says can be
 * written and says the same when it is read again.
 */
#include "queue/entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "input.h"

#define LIMIT (64u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct entry *e, size_t header_n, size_t size)
{
	struct buf first = BUF_INIT(LIMIT), second = BUF_INIT(LIMIT);
	struct outcome o = OUTCOME_INIT;
	struct entry again = ENTRY_INIT;
	size_t n;

	require(entry_print(e, header_n, &first, &o) == 0);
	require(entry_parse(buf_view(&first), &again, &n, &o) ==
		(ptrdiff_t)first.n);
	require(n == header_n && again.size == e->size);
	require(again.envelope.n_recipients == e->envelope.n_recipients);
	require(entry_print(&again, n, &second, &o) == 0);
	require(view_equal(buf_view(&first), buf_view(&second)));
	/* longer words are cut */
	if (size < 2000) {
		buf_clear(&first);
		buf_clear(&second);
		entry_print_state(e, &first);
		require(entry_take_events(&again, buf_view(&first)) == first.n);
		entry_print_state(&again, &second);
		require(view_equal(buf_view(&first), buf_view(&second)));
	}
	buf_release(&first);
	buf_release(&second);
	entry_release(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = view_make((const char *)data, size);
	struct outcome o = OUTCOME_INIT;
	struct entry e = ENTRY_INIT;
	size_t header_n = 0, taken;
	ptrdiff_t n = entry_parse(text, &e, &header_n, &o);

	require(n <= (ptrdiff_t)size);
	require((n < 0) == outcome_is_failure(&o));
	if (n > 0) {
		require(header_n + 2 <= e.size);
		text = view_skip(text, (size_t)n);
		taken = entry_take_events(&e, text);
		require(taken <= text.n);
		require(!taken || text.p[taken - 1] == '\n');
		require(!memchr(text.p + taken, '\n', text.n - taken));
		require(entry_waiting(&e) <= e.envelope.n_recipients);
		check_again(&e, header_n, size);
		free(entry_lane(&e));
	}
	outcome_release(&o);
	entry_release(&e);
	return 0;
}
