/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_PROGRESS_H
#define APP_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bar on standard error for what takes long; only on a terminal, and only
 * after a second. */
struct progress_bar {
	int64_t started; /* clock_ms(); 0: not yet */
	int64_t drawn;   /* clock_ms() of the last drawing; 0: none */
};

#define PROGRESS_BAR_INIT ((struct progress_bar){0})

/* So many of so many are done; `context` is the bar. */
void progress_watch(void *context, size_t done, size_t all);

/* Take it off the terminal again. */
void progress_end(struct progress_bar *bar);

#endif
