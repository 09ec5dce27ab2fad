/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Octets by the hundred thousand. The loop below asks every question of every
 * octet and leaves no branch in between, so compilers make vectors of it; but
 * only of one that has a constant, small number of turns.
 */
#include "mail/octets.h"

#include <string.h>

/* Octets: all of them may be LFs, counted in one octet; whole vectors. */
#define STEP 224u

/* Sanitizers are not ready yet when versions are chosen. */
#ifdef WITH_SANITIZERS
#define VERSIONS
#else
#define VERSIONS WITH_VERSIONS
#endif

struct found {
	unsigned char any, least, odd; /* of `any`: bits */
	size_t lines;
};

/* p[-1] is looked at as well. */
static inline __attribute__((always_inline)) void
look_at(const unsigned char *p, size_t n, struct found *f)
{
	unsigned char any = 0, least = 255, odd = 0, lines = 0, lf, cr;
	const unsigned char *before = p - 1;
	size_t i;

	for (i = 0; i < n; i++) {
		lf = p[i] == '\n' ? 255 : 0;
		cr = before[i] == '\r' ? 255 : 0;
		any |= p[i];
		least = p[i] < least ? p[i] : least;
		odd |= lf ^ cr;
		lines -= lf;
	}
	f->any |= any;
	f->least = least < f->least ? least : f->least;
	f->odd |= odd;
	f->lines += lines;
}

VERSIONS struct octets octets_look(struct view v, char before)
{
	const unsigned char *p = (const unsigned char *)v.p;
	unsigned char first[2] = {(unsigned char)before, v.n ? p[0] : 0};
	struct found f = {.least = 255};
	size_t i;

	if (v.n)
		look_at(first + 1, 1, &f);
	for (i = 1; i + STEP <= v.n; i += STEP)
		look_at(p + i, STEP, &f);
	if (i < v.n)
		look_at(p + i, v.n - i, &f);
	return (struct octets){
		.has_8bit = f.any > 127,
		.has_nul = v.n && !f.least,
		.has_odd = f.odd,
		.lines = f.lines,
	};
}

/* One line, or what there is of it. */
static size_t add_line(struct view *from, bool *cr_told, char *to, size_t room)
{
	const char *lf = memchr(from->p, '\n', from->n);
	size_t n = lf ? (size_t)(lf - from->p) : from->n;
	size_t done;

	if (n > room)
		n = room;
	memcpy(to, from->p, n);
	*from = view_skip(*from, n);
	done = n;
	if (!from->n || from->p[0] != '\n')
		return done;
	if (done < room && !*cr_told) {
		to[done++] = '\r';
		*cr_told = true;
	}
	if (done < room) {
		to[done++] = '\n';
		*cr_told = false;
		*from = view_skip(*from, 1);
	}
	return done;
}

size_t octets_add_cr(struct view *from, bool *cr_told, char *to, size_t room)
{
	size_t done = 0;

	while (from->n && done < room)
		done += add_line(from, cr_told, to + done, room - done);
	return done;
}
