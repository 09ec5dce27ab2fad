/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CRASH_REPORT_H
#define CRASH_REPORT_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "crash/calls.h"

#define REPORT_PATH 4096

/* What was seen of a call when it began. */
struct seen {
	long number;
	const struct call *call; /* NULL: not in the table */
	uint64_t args[6];
	char path[2][REPORT_PATH];
	char fd[2][REPORT_PATH]; /* what the descriptors were open on */
};

/* Look at a call of a process that stands before it. `deep`: its names and
 * descriptors as well. */
void report_look(pid_t pid, struct seen *s, long number, const uint64_t *args,
		 int deep);

/* One line of JSON: what `word` says of the n-th call. */
void report_struck(FILE *out, const char *word, unsigned n, pid_t pid,
		   const struct seen *s);

/* The same of one that is over, with its result; and with what it has written,
 * if that is below the directory `below` (may be NULL). */
void report_done(FILE *out, unsigned n, pid_t pid, const struct seen *s,
		 int64_t result, const char *below);

#endif
