/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Telling the dialogue while it happens. It only carries lines to whoever
 * listens; what a line looks like is the listener's affair.
 */
#include "base/trace.h"

#include <stdarg.h>
#include <stdio.h>

#define NOTE_LIMIT 1024 /* octets of one note */

void trace_line(const struct trace *t, enum trace_kind kind, struct view line)
{
	if (t && t->line)
		t->line(t->context, kind, line);
}

void trace_note(const struct trace *t, const char *format, ...)
{
	char note[NOTE_LIMIT];
	va_list args;

	if (!t || !t->line)
		return;
	va_start(args, format);
	vsnprintf(note, sizeof(note), format, args);
	va_end(args);
	trace_line(t, TRACE_NOTE, view_of(note));
}
