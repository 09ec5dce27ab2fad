/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_FUZZ_MESSAGE_H
#define TESTS_FUZZ_MESSAGE_H

/* What holds of every message that was taken in, however it came. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "input.h"
#include "mail/message.h"
#include "mail/plan.h"

#define LIMIT (64u << 20) /* octets of anything compared */

static inline void check_lines(struct view v)
{
	size_t i;

	require(!v.n || (v.n >= 2 && v.p[v.n - 1] == '\n'));
	for (i = 0; i < v.n; i++)
		require(v.p[i] != '\n' || (i && v.p[i - 1] == '\r'));
}

static inline void check_facts(const struct message *m, struct view v)
{
	uint64_t length = 0;
	size_t i;

	for (i = 0; i < v.n; i++, length++) {
		if (v.p[i] == '\n') {
			require(length - 1 <= PLAN_LINE_MAX ||
				length - 1 <= m->longest_line);
			length = (uint64_t)-1;
		}
		if (v.p[i] == '\r' && v.p[i + 1] != '\n')
			require(m->bare_cr_line > 0);
		require(v.p[i] || m->nul_line > 0);
	}
}

static inline void check_fields(const struct message *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->n_fields; i++) {
		const struct field *f = &m->fields[i];

		require(f->raw.p == m->header.p + n && f->name.n > 0);
		require(f->body.p >= f->name.p + f->name.n);
		n += f->raw.n;
		require(f->body.p + f->body.n + 2 == m->header.p + n);
	}
	require(n == m->header.n);
}

static inline void check_message(const struct message *m,
				 const struct buf *body)
{
	check_lines(buf_view(&m->header));
	check_lines(buf_view(body));
	check_facts(m, buf_view(body));
	check_fields(m);
	require(m->body_8bit == view_has_8bit(buf_view(body)));
}

#endif
