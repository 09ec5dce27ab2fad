/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes the content out of the dialogue: where it ends, and what of it was put
 * there for the wire alone. What it is like is for mail/intake.
 */
#include "smtp/receive.h"

#include <string.h>

/* Hand it over, unless something has gone wrong with it before. */
static void take(struct channel *c, struct intake *in, size_t n,
		 struct outcome *o)
{
	struct view v = channel_input(c);

	v.n = n;
	if (in && !outcome_is_failure(o))
		intake_take(in, v, o);
	channel_consume(c, n);
}

bool receive_chunk(struct channel *c, struct intake *in, uint64_t n,
		   struct outcome *o)
{
	size_t there;

	while (n) {
		if (!channel_fill(c, 1))
			return false;
		there = channel_input(c).n;
		if (there > n)
			there = (size_t)n;
		take(c, in, there, o);
		n -= there;
	}
	return true;
}

/* How long the end is, if the line that begins here is the lone dot; 0: it is
 * none. */
static size_t lone_dot(struct view v, bool bare_lf)
{
	if (v.n >= 3 && !memcmp(v.p, ".\r\n", 3))
		return 3;
	if (bare_lf && v.n >= 2 && !memcmp(v.p, ".\n", 2))
		return 2;
	return 0;
}

/* Up to and with the first end of a line, or as much as is certainly none. */
static size_t line_length(struct view v, bool bare_lf, bool *ends)
{
	const char *end = bare_lf ? memchr(v.p, '\n', v.n)
				  : memmem(v.p, v.n, "\r\n", 2);

	*ends = end != NULL;
	if (end)
		return (size_t)(end - v.p) + (bare_lf ? 1 : 2);
	return v.p[v.n - 1] == '\r' ? v.n - 1 : v.n;
}

/* Have enough to tell what a dot or CR at the front is part of. */
static bool look_ahead(struct channel *c)
{
	struct view v;

	if (!channel_fill(c, 1))
		return false;
	v = channel_input(c);
	if (v.p[0] != '.' && v.p[0] != '\r')
		return true;
	channel_fill(c, 2);
	v = channel_input(c);
	if (v.n == 2 && v.p[0] == '.' && v.p[1] == '\r')
		channel_fill(c, 3);
	return true;
}

bool receive_stuffed(struct channel *c, struct intake *in, bool bare_lf,
		     struct outcome *o)
{
	bool at_line_start = true;
	struct view v;
	size_t n;

	for (;;) {
		if (!look_ahead(c))
			return false;
		v = channel_input(c);
		n = at_line_start ? lone_dot(v, bare_lf) : 0;
		if (n) {
			channel_consume(c, n);
			return true;
		}
		if (at_line_start && v.p[0] == '.') {
			channel_consume(c, 1);
			at_line_start = false;
			continue;
		}
		n = line_length(v, bare_lf, &at_line_start);
		take(c, in, n ? n : 1, o);
	}
}
