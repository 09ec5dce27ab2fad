/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Time that only goes forward, and the instants at which waits end. Setting
 * the machine's clock neither shortens nor lengthens a wait.
 */
#include "base/clock.h"

#include <limits.h>
#include <time.h>

int64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_ms(void)
{
	return clock_us() / 1000;
}

struct deadline deadline_in_ms(int64_t ms)
{
	int64_t now = clock_ms();

	if (ms > INT64_MAX - now)
		return DEADLINE_NEVER;
	return (struct deadline){now + (ms > 0 ? ms : 0)};
}

struct deadline deadline_in(unsigned seconds)
{
	if (!seconds)
		return DEADLINE_NEVER;
	return deadline_in_ms((int64_t)seconds * 1000);
}

struct deadline deadline_sooner(struct deadline a, struct deadline b)
{
	return a.at < b.at ? a : b;
}

int deadline_left(struct deadline d)
{
	int64_t left;

	if (d.at == INT64_MAX)
		return -1;
	left = d.at - clock_ms();
	if (left <= 0)
		return 0;
	return left < INT_MAX ? (int)left : INT_MAX;
}

bool deadline_passed(struct deadline d)
{
	return deadline_left(d) == 0;
}
