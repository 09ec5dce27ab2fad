/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is found in large stretches is what a look at each octet finds. */
#include "mail/octets.h"

#include "unit.h"

#define LIMIT (1u << 16) /* octets of anything compared */

static struct octets look_at_each(struct view v, char before)
{
	struct octets found = {0};
	size_t i;

	for (i = 0; i < v.n; i++) {
		found.has_8bit |= (unsigned char)v.p[i] > 127;
		found.has_nul |= v.p[i] == '\0';
		found.has_cr |= v.p[i] == '\r';
		found.has_odd |= (v.p[i] == '\n') != (before == '\r');
		found.lines += v.p[i] == '\n';
		before = v.p[i];
	}
	return found;
}

static void check_look(struct view v, char before)
{
	struct octets found = octets_look(v, before);
	struct octets wanted = look_at_each(v, before);

	assert_int_equal(found.has_8bit, wanted.has_8bit);
	assert_int_equal(found.has_nul, wanted.has_nul);
	assert_int_equal(found.has_cr, wanted.has_cr);
	assert_int_equal(found.has_odd, wanted.has_odd);
	assert_int_equal(found.lines, wanted.lines);
}

/* Each of these at each place of stretches of each length. */
static const struct view odds[] = {
	{"\0", 1}, {"\n", 1},   {"\r", 1},   {"\r\n", 2},   {"\n\r", 2},
	{".", 1},  {"\x80", 1}, {"\x7f", 1}, {"\r\r\n", 3}, {"\xff\n", 2},
};

static void every_octet_is_looked_at(void **state)
{
	static char room[600];
	size_t n, at, i, begin;

	(void)state;
	for (i = 0; i < N_OF(odds); i++)
		for (n = odds[i].n; n<520; n += n> 8 && n < 230 ? 17 : 1)
			for (at = 0; at + odds[i].n <= n; at++) {
				begin = (n + at) % 7;
				memset(room, 'x', sizeof(room));
				memcpy(room + begin + at, odds[i].p, odds[i].n);
				check_look(view_make(room + begin, n), 'x');
				check_look(view_make(room + begin, n), '\r');
			}
}

static void lines_are_counted(void **state)
{
	static char room[100000];
	size_t n;

	(void)state;
	check_look(VIEW(""), '\r');
	memset(room, '\n', sizeof(room));
	for (n = 0; n < 1000; n++)
		check_look(view_make(room, n), '\0');
	check_look(view_make(room, sizeof(room)), '\r');
	for (n = 1; n < sizeof(room); n += 2)
		room[n - 1] = '\r';
	for (n = sizeof(room) - 600; n <= sizeof(room); n++)
		check_look(view_make(room, n), '\0');
	check_look(view_make(room + 1, sizeof(room) - 1), '\r');
}

/* --------------------------------------------------------------- CR and LF */

static void add_cr_to_each(struct view v, struct buf *out)
{
	size_t i;

	buf_clear(out);
	for (i = 0; i < v.n; i++) {
		if (v.p[i] == '\n')
			buf_add_char(out, '\r');
		buf_add_char(out, v.p[i]);
	}
}

/* It comes in pieces, `first` octets and the rest, and goes to pieces; all in
 * memory of their own, so that tools see its ends. */
static void check_add(struct view v, size_t first, size_t room,
		      const struct buf *wanted)
{
	const size_t sizes[2] = {first, v.n - first};
	struct buf out = BUF_INIT(LIMIT);
	struct view rest = v, piece;
	bool cr_told = false;
	char *from, *to;
	size_t i, n;

	for (i = 0; i < 2; i++) {
		from = malloc(sizes[i] + 1);
		memcpy(from + 1, rest.p, sizes[i]);
		piece = view_make(from + 1, sizes[i]);
		while (piece.n) {
			to = malloc(room);
			n = octets_add_cr(&piece, &cr_told, to, room);
			assert_in_range(n, 1, room);
			buf_add(&out, to, n);
			free(to);
		}
		free(from);
		rest = view_skip(rest, sizes[i]);
	}
	assert_int_equal(out.n, wanted->n);
	assert_memory_equal(out.p, wanted->p, out.n);
	buf_release(&out);
}

static void every_line_gets_its_cr(void **state)
{
	static const struct view texts[] = {
		{"", 0},        {"\n", 1},         {"\n\n\n", 3},
		{"a", 1},       {"a\n", 2},        {"abc\ndefg\n\nh\n", 13},
		{"\n\nx", 3},   {"a\nb\nc\nd", 7}, {"x\0y\nz\n", 6},
		{".\n..\n", 5},
	};
	struct buf wanted = BUF_INIT(LIMIT);
	size_t i, first, room;

	(void)state;
	for (i = 0; i < N_OF(texts); i++) {
		add_cr_to_each(texts[i], &wanted);
		for (first = 0; first <= texts[i].n; first++)
			for (room = 1; room < 2 * texts[i].n + 2; room++)
				check_add(texts[i], first, room, &wanted);
	}
	buf_release(&wanted);
}

/* Lines of each length up to `most`, over and over, in any order. */
static void make_lines(char *text, size_t n, unsigned most)
{
	unsigned random = most, left = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		text[i] = left ? (char)('a' + i % 26) : '\n';
		random = random * 1103515245u + 12345u;
		left = left ? left - 1 : (random >> 16) % (most + 1);
	}
}

static void many_lines_get_their_crs(void **state)
{
	static const unsigned mosts[] = {0, 1, 5, 31, 32, 33, 64, 72, 200, 999};
	struct buf wanted = BUF_INIT(LIMIT);
	char text[1500];
	size_t i, n, room;

	(void)state;
	for (i = 0; i < N_OF(mosts); i++)
		for (n = 90; n < sizeof(text); n += 47) {
			make_lines(text, n, mosts[i]);
			add_cr_to_each(view_make(text, n), &wanted);
			for (room = 30; room < 2 * n + 90; room += 61)
				check_add(view_make(text, n), n * 2 / 3, room,
					  &wanted);
		}
	buf_release(&wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_octet_is_looked_at),
		cmocka_unit_test(lines_are_counted),
		cmocka_unit_test(every_line_gets_its_cr),
		cmocka_unit_test(many_lines_get_their_crs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
