/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever a netrc file holds: it is read to its end, and what comes of it is
 * no longer than the file, or nothing.
 */
#include "conf/netrc.h"

#include <stdlib.h>

#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct netrc_query queries[] = {
		{"mail.example.org", 587, "alice"},
		{"m", 0, "a"},
	};
	struct view text = view_make((const char *)data, size);
	struct buf password = BUF_INIT_SECRET(64u << 10);
	size_t i;

	for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		buf_clear(&password);
		if (netrc_find(text, &queries[i], &password))
			require(password.n <= size);
		else
			require(!password.n);
	}
	buf_release(&password);
	return 0;
}
