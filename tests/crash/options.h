/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CRASH_OPTIONS_H
#define CRASH_OPTIONS_H

#include <stdbool.h>

enum deed { DEED_COUNT, DEED_KILL, DEED_FAIL };

/* What the tracer is to do; `strike` alone prints what each one means. */
struct options {
	enum deed deed;
	unsigned at;      /* which call, from 1 */
	int error;        /* what it fails with, a number of errno.h */
	bool is_after;    /* kill behind the call, not before it */
	bool is_onward;   /* and all that follow fail as well */
	bool is_alone;    /* children are left alone */
	bool from_main;   /* count from where main() closes the process */
	const char *only; /* names of calls that count, with commas; NULL: all
			   */
	const char *file; /* part of a name of what the call is on; NULL: any */
	const char *lacks; /* NAME=ERRNO,...: what the system can't do */
	const char *below; /* what is written below this directory is shown */
	int out;           /* the descriptor that the report goes to */
	char **command;
};

/* false: what was wrong has been printed. */
bool options_read(struct options *o, int argc, char **argv);

#endif
