/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the time goes: a watch that is handed from stage to stage. */
#include "base/stages.h"

#include <stddef.h>

#include "base/clock.h"

const char *stage_name(enum stage stage)
{
	static const char *const names[] = {
		[STAGE_NONE] = "",           [STAGE_RESOLVE] = "resolve",
		[STAGE_CONNECT] = "connect", [STAGE_GREETING] = "greeting",
		[STAGE_TLS] = "tls",         [STAGE_AUTH] = "auth",
		[STAGE_MESSAGE] = "message",
	};

	return names[stage];
}

void stages_leave(struct stages *s)
{
	if (!s || !s->now)
		return;
	s->us[s->now] += clock_us() - s->since;
	s->now = STAGE_NONE;
}

void stages_enter(struct stages *s, enum stage stage)
{
	int64_t now;

	if (!s)
		return;
	now = clock_us();
	if (s->now)
		s->us[s->now] += now - s->since;
	s->now = stage;
	s->since = now;
	s->seen[stage] = true;
}

void stages_take(struct stages *s, struct stages *from)
{
	size_t i;

	for (i = 0; i < STAGE_N; i++) {
		s->us[i] += from->us[i];
		s->seen[i] |= from->seen[i];
	}
	*from = STAGES_INIT;
}
