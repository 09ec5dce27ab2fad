/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_TRAFFIC_H
#define APP_TRAFFIC_H

#include "app/cmdline.h"
#include "base/outcome.h"
#include "base/trace.h"

/* Where the dialogue is told: standard error (-v), a file (-X), both. */
struct traffic {
	bool verbose;
	const char *path;   /* of the file; NULL: none */
	int fd;             /* the file; -1: none, or no more */
	struct trace trace; /* its context is this */
};

/*
 * Open what the request asks for. The file is appended to, made with mode 0600
 * and never reached through a symbolic link. -1: CAUSE_SYSTEM 5.3.2.
 */
int traffic_open(struct traffic *t, const struct request *r, struct outcome *o);
void traffic_close(struct traffic *t);

/* NULL: nobody wants to know. */
const struct trace *traffic_trace(const struct traffic *t);

#endif
