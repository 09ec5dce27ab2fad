/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A pipe to each of the others, and a word in it for each lane. */
#include "app/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

struct word {
	uint64_t lane;
	uint64_t has_session;
};

/* Two lanes that have the same number cost a session, no more. */
static uint64_t number_of(const char *lane)
{
	uint64_t number = view_hash(view_of(lane));

	return number ? number : 1;
}

int gate_prepare(struct gate *g, struct outcome *o)
{
	int ends[2];

	/* a word that finds no room is lost, and nobody waits for us */
	if (pipe2(ends, O_CLOEXEC) < 0)
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
				  "cannot make a pipe");
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	g->out = memory_resize(g->out, g->n + 1, sizeof(*g->out));
	g->out[g->n++] = ends[1];
	g->in = ends[0];
	return 0;
}

/* The end comes when nobody is left who could write. */
void gate_follow(struct gate *g)
{
	int in = g->in;

	g->in = -1;
	gate_release(g);
	g->in = in;
}

void gate_lead(struct gate *g)
{
	if (g->in >= 0)
		close(g->in);
	g->in = -1;
}

void gate_tell(struct gate *g, const char *lane, bool has_session)
{
	const struct word word = {number_of(lane), has_session};
	size_t i;

	for (i = 0; g && i < g->n; i++)
		while (write(g->out[i], &word, sizeof(word)) < 0 &&
		       errno == EINTR)
			;
}

static bool read_word(const struct gate *g, struct word *word)
{
	ssize_t n;

	do
		n = read(g->in, word, sizeof(*word));
	while (n < 0 && errno == EINTR);
	return n == sizeof(*word);
}

bool gate_is_open(struct gate *g, const char *lane)
{
	uint64_t number;
	struct word word;

	if (!g || g->in < 0)
		return true;
	number = number_of(lane);
	while (g->lane != number) {
		if (!read_word(g, &word) ||
		    (word.lane == number && !word.has_session))
			return false;
		if (word.has_session)
			g->lane = word.lane;
	}
	return true;
}

void gate_release(struct gate *g)
{
	size_t i;

	gate_lead(g);
	for (i = 0; i < g->n; i++)
		close(g->out[i]);
	free(g->out);
	g->out = NULL;
	g->n = 0;
}
