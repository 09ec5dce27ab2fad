/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_FUZZ_SEEN_H
#define TESTS_FUZZ_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "input.h"
#include "mail/message.h"

/*
 * What a body is, by a look at each octet of it: slow, and in another way than
 * by mail/intake.
 */
struct seen {
	struct buf body;
	bool has_8bit;
	uint64_t nul_line, bare_cr_line, longest;
};

#define SEEN_INIT ((struct seen){.body = BUF_INIT(64u << 20)})

static inline void seen_release(struct seen *s)
{
	buf_release(&s->body);
}

static inline void see_line(struct seen *s, struct view line, uint64_t number)
{
	size_t i;

	for (i = 0; i < line.n; i++) {
		if (line.p[i] == '\0' && !s->nul_line)
			s->nul_line = number;
		if (line.p[i] == '\r' && !s->bare_cr_line)
			s->bare_cr_line = number;
		s->has_8bit |= (unsigned char)line.p[i] > 127;
	}
	if (line.n > 998 && line.n > s->longest)
		s->longest = line.n;
	buf_add_view(&s->body, line);
	buf_add_text(&s->body, "\r\n");
}

/* Its first line has that number in the message. */
static inline void see(struct seen *s, struct view v, uint64_t number,
		       bool dot_ends)
{
	struct view line;
	size_t n;

	for (; v.n; v = view_skip(v, n + 1)) {
		for (n = 0; n < v.n && v.p[n] != '\n'; n++)
			;
		line = view_make(v.p, n);
		if (n < v.n && n && v.p[n - 1] == '\r')
			line.n--;
		if (dot_ends && view_equal(line, VIEW(".")))
			break;
		see_line(s, line, number++);
	}
}

/* In what the message differs; "": in nothing. */
static inline const char *seen_differs(const struct seen *s,
				       const struct message *m)
{
	struct buf body = BUF_INIT(64u << 20);
	const char *what = "";

	read_body(m, &body);
	if (!view_equal(buf_view(&body), buf_view(&s->body)))
		what = "body";
	else if (m->body_8bit != s->has_8bit)
		what = "body_8bit";
	else if (m->nul_line != s->nul_line)
		what = "nul_line";
	else if (m->bare_cr_line != s->bare_cr_line)
		what = "bare_cr_line";
	else if (m->longest_line != s->longest)
		what = "longest_line";
	buf_release(&body);
	return what;
}

#endif
