/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Octets by the hundred thousand: as many at once as a vector of the processor
 * holds, and no branch that depends on what they are.
 */
#include "mail/octets.h"

#include <stdint.h>
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

#define WIDTH 32u  /* octets in a vector */
#define TURNS 255u /* vectors whose LFs can be counted in octets */

/* Sanitizers are not ready yet when versions are chosen. */
#ifdef WITH_SANITIZERS
#define VERSIONS
#else
#define VERSIONS WITH_VERSIONS
#endif

/* Of a comparison: 0 or all bits, in each octet. */
typedef unsigned char vector __attribute__((vector_size(WIDTH)));
typedef signed char flags __attribute__((vector_size(WIDTH)));

struct found {
	vector any;         /* all octets, or-ed */
	flags nul, cr, odd; /* cr: ahead of one that was looked at */
	size_t lines;
};

static inline void look_at_one(unsigned char octet, unsigned char before,
			       struct octets *found)
{
	found->has_8bit |= octet > 127;
	found->has_nul |= !octet;
	found->has_cr |= octet == '\r';
	found->has_odd |= (octet == '\n') != (before == '\r');
	found->lines += octet == '\n';
}

/* As many vectors; p[-1] is looked at as well. */
static inline __attribute__((always_inline)) void
look_at(const unsigned char *p, size_t turns, struct found *found)
{
	vector any = found->any, now, before, counts = {0};
	flags nul = found->nul, cr = found->cr, odd = found->odd, lf, after_cr;
	size_t i;

	for (i = 0; i < turns; i++) {
		memcpy(&now, p + i * WIDTH, WIDTH);
		memcpy(&before, p + i * WIDTH - 1, WIDTH);
		lf = now == '\n';
		after_cr = before == '\r';
		any |= now;
		nul |= now == 0;
		cr |= after_cr;
		odd |= lf ^ after_cr;
		counts -= (vector)lf;
	}
	found->any = any;
	found->nul = nul;
	found->cr = cr;
	found->odd = odd;
	for (i = 0; i < WIDTH; i++)
		found->lines += counts[i];
}

static void add_found(const struct found *f, struct octets *found)
{
	size_t i;

	for (i = 0; i < WIDTH; i++) {
		found->has_8bit |= f->any[i] > 127;
		found->has_nul |= f->nul[i] != 0;
		found->has_cr |= f->cr[i] != 0;
		found->has_odd |= f->odd[i] != 0;
	}
	found->lines += f->lines;
}

VERSIONS struct octets octets_look(struct view v, char before)
{
	const unsigned char *p = (const unsigned char *)v.p;
	struct octets found = {0};
	struct found f = {.lines = 0};
	size_t i, turns;

	if (!v.n)
		return found;
	look_at_one(p[0], (unsigned char)before, &found);
	for (i = 1; i + WIDTH <= v.n; i += turns * WIDTH) {
		turns = (v.n - i) / WIDTH;
		turns = turns < TURNS ? turns : TURNS;
		look_at(p + i, turns, &f);
	}
	add_found(&f, &found);
	found.has_cr |= p[i - 1] == '\r'; /* the last, ahead of none of them */
	for (; i < v.n; i++)
		look_at_one(p[i], p[i - 1], &found);
	return found;
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

#ifdef __x86_64__

#define BLOCK 64u /* octets, a bit in a mask for each */

#define BY_AVX2 __attribute__((target("avx2,bmi")))
#define IN_PLACE \
	static inline __attribute__((always_inline, target("avx2,bmi")))

IN_PLACE __m256i load(const char *p)
{
	return _mm256_loadu_si256((const __m256i *)p);
}

IN_PLACE uint64_t lfs_at(const char *p)
{
	const __m256i lf = _mm256_set1_epi8('\n');
	int low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(load(p), lf));
	int high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(load(p + WIDTH), lf));

	return (uint32_t)low | (uint64_t)(uint32_t)high << 32;
}

/* One line, its n octets at p; 0: there is not room enough. Whole vectors are
 * moved, as for a count that nobody can foresee the processor waits; what is
 * too much is written over. */
IN_PLACE size_t put_line(const char *p, size_t n, char *to, size_t room)
{
	size_t i = 0;

	if (room < n + WIDTH + 2)
		return 0;
	do {
		_mm256_storeu_si256((__m256i *)(to + i), load(p + i));
		i += WIDTH;
	} while (i < n);
	memcpy(to + n, "\r\n", 2);
	return n + 2;
}

/* Of all lines but those near the end, as up to a vector behind a line is read
 * as well. */
BY_AVX2 static size_t add_lines(struct view *from, char *to, size_t room)
{
	const char *p = from->p, *end = p + from->n, *block, *lf;
	size_t done = 0, put = 1;
	uint64_t lfs;

	for (block = p; put && end - block >= BLOCK + WIDTH; block += BLOCK)
		for (lfs = lfs_at(block); put && lfs; lfs = _blsr_u64(lfs)) {
			lf = block + _tzcnt_u64(lfs);
			put = put_line(p, (size_t)(lf - p), to + done,
				       room - done);
			done += put;
			p = put ? lf + 1 : p;
		}
	*from = view_skip(*from, (size_t)(p - from->p));
	return done;
}

static size_t add_many_lines(struct view *from, char *to, size_t room)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi")
		? add_lines(from, to, room)
		: 0;
}
#else
/* There are no vectors for it. */
static size_t add_many_lines(struct view *from, char *to, size_t room)
{
	(void)from, (void)to, (void)room;
	return 0;
}
#endif

size_t octets_add_cr(struct view *from, bool *cr_told, char *to, size_t room)
{
	size_t done = 0;

	if (!*cr_told)
		done = add_many_lines(from, to, room);
	while (from->n && done < room)
		done += add_line(from, cr_told, to + done, room - done);
	return done;
}
