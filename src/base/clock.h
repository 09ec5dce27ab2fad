/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Monotonic time in milliseconds, and in microseconds; only differences mean
 * anything. */
int64_t clock_ms(void);
int64_t clock_us(void);

/* The instant at which a wait ends; every wait has one. */
struct deadline {
	int64_t at; /* clock_ms(), or INT64_MAX: never */
};

#define DEADLINE_NEVER ((struct deadline){INT64_MAX})

/* So many seconds from now; 0 means never. */
struct deadline deadline_in(unsigned seconds);
struct deadline deadline_in_ms(int64_t ms);
struct deadline deadline_sooner(struct deadline a, struct deadline b);

/* For poll(): milliseconds left, 0 when it has passed, -1 for never. */
int deadline_left(struct deadline d);
bool deadline_passed(struct deadline d);

#endif
