/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For LD_PRELOAD: clocks that a test sets. The file that CLOCK_FILE names has
 * two numbers in the machine's form, seconds of 64 bits: what is added to the
 * wall clock, and to the clocks that only go forward. They may change while the
 * program runs.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t none[2];
static const volatile int64_t *shift = none;

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("CLOCK_FILE");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *p;

	if (fd < 0)
		return;
	p = mmap(NULL, sizeof(none), PROT_READ, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		shift = p;
	close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
	int rc = (int)syscall(SYS_clock_gettime, clock, t);

	if (rc == 0 &&
	    (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ||
	     clock == CLOCK_TAI))
		t->tv_sec += shift[0];
	if (rc == 0 &&
	    (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_RAW ||
	     clock == CLOCK_MONOTONIC_COARSE || clock == CLOCK_BOOTTIME))
		t->tv_sec += shift[1];
	return rc;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*t = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *t)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (t)
		*t = now.tv_sec;
	return now.tv_sec;
}
