/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_PROGRESS_H
#define APP_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * A bar on standard error, if that is a terminal, for what takes over a second:
 *
 *     struct progress_bar bar = PROGRESS_BAR_INIT;
 *     progress_start(&bar);
 *     … .context = &bar, .watch = progress_watch …
 *     progress_end(&bar);
 *
 * Elsewhere nothing is written. Whoever says a line meanwhile calls
 * progress_hide first; the next progress_watch shows the bar again.
 */
struct progress_bar {
	bool is_on;     /* standard error is a terminal */
	int64_t start;  /* clock_ms */
	int64_t drawn;  /* clock_ms of the last time; 0: never */
	unsigned shown; /* columns that it takes now; 0: none */
};

#define PROGRESS_BAR_INIT ((struct progress_bar){0})

void progress_start(struct progress_bar *bar);
void progress_watch(void *context, size_t done, size_t all);
void progress_hide(struct progress_bar *bar);
void progress_end(struct progress_bar *bar);

/* The bar in so many columns, without anything that moves the cursor. */
void progress_add_bar(struct buf *out, size_t done, size_t all,
		      unsigned columns);

#endif
