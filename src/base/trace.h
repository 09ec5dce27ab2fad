/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_TRACE_H
#define BASE_TRACE_H

#include "base/buf.h"

/* Where the dialogue is told while it happens (-v, --probe). Lines come
 * without line end, secrets already hidden, not yet made printable. */
enum trace_kind {
	TRACE_SENT,     /* what we said */
	TRACE_RECEIVED, /* what the server said */
	TRACE_NOTE,     /* what happened: connected, secured … */
};

struct trace {
	void (*line)(void *context, enum trace_kind kind, struct view line);
	void *context;
};

/* A NULL trace is fine and costs nothing. */
void trace_line(const struct trace *t, enum trace_kind kind, struct view line);
void trace_note(const struct trace *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
