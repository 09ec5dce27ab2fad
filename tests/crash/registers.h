/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CRASH_REGISTERS_H
#define CRASH_REGISTERS_H

#include <sys/types.h>

/* Of a process that stands before a system call: have it run none. -1: errno,
 * or ENOSYS where it is not known how (another processor). */
int registers_skip_call(pid_t pid);

/* Of one that stands behind a system call: what it is told. */
int registers_set_result(pid_t pid, long result);

#endif
