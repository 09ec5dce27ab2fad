/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CRASH_CALLS_H
#define CRASH_CALLS_H

#include <stdbool.h>

/* What is known of a system call. Numbers of arguments count from 1; 0: it has
 * none of that kind. */
struct call {
	long number;
	const char *name;
	int path[2];   /* names of files */
	int fd[2];     /* descriptors; those of the directories that the names
			   are looked for in among them */
	bool writes;   /* its result is how much went into fd[0] … */
	int offset;    /* … at this argument; 0: where the file stood */
	bool makes_fd; /* its result is a descriptor of a file */
};

/* NULL: not in the table. */
const struct call *call_of(long number);

#endif
