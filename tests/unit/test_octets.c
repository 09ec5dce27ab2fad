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

/* It comes in pieces, `first` octets and the rest, and goes to pieces. */
static void check_add(struct view v, size_t first, size_t room,
		      const struct buf *wanted)
{
	struct view pieces[2] = {view_make(v.p, first), view_skip(v, first)};
	struct buf out = BUF_INIT(LIMIT);
	bool cr_told = false;
	size_t i, n;
	char *to;

	for (i = 0; i < 2; i++)
		while (pieces[i].n) {
			to = malloc(room); /* so that tools see its end */
			n = octets_add_cr(&pieces[i], &cr_told, to, room);
			assert_in_range(n, 1, room);
			buf_add(&out, to, n);
			free(to);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_octet_is_looked_at),
		cmocka_unit_test(lines_are_counted),
		cmocka_unit_test(every_line_gets_its_cr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
