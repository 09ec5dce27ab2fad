/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message that comes in pieces is the one that is read, wherever it is cut;
 * what it is, is in test_message. */
#include "mail/intake.h"

#include "../fuzz/seen.h"
#include "base/text.h"
#include "feed.h"
#include "mail/plan.h"
#include "unit.h"

#define BLOCK INTAKE_BLOCK
#define LIMIT (16u << 20) /* octets of anything compared */

#define IN(text)                       \
	{                              \
		text, sizeof(text) - 1 \
	}

static const struct intake_policy policies[] = {
	{.dot_ends = false},
	{.dot_ends = true},
	{.binary = true},
};

static const struct view inputs[] = {
	IN(""),
	IN("\n"),
	IN("\r\n"),
	IN("\r"),
	IN("."),
	IN(".\n"),
	IN(".\r\n"),
	IN("A: b"),
	IN("A: b\r"),
	IN("A: b\r\n"),
	IN("A: b\n\nx\n"),
	IN("A: b\r\n\r\nx\r\n"),
	IN("A: b\r\n c\r\n\r\nx\r\r\n\ry\rz\r"),
	IN("A: b\n\nx\n.\ny\n"),
	IN("A: b\n\nx\n."),
	IN("A: b\r\n\r\nx\r\n.\r\nnot this"),
	IN("A: b\n\nx\n.\ry\n.\r\ry\n.z\n..\n"),
	IN("A: b\n.\nC: d\n"),
	IN("no field\nA: b\n\nx\n"),
	IN("A: b\nno field\n\nx\0y\n"),
	IN("A: b\n: c\n\xff\n"),
	IN("A: b\0\nC: d\n\n\0\n\xc3\xa4\n"),
	IN("From a@b Mon Jan  1\nA: b\n\nx\n"),
	IN("From a\nFrom b\nA: c\n"),
	IN("From here\n"),
	IN("From a\rb\nx\n"),
	IN("From \0x"),
	IN("From : a@b\n\nFrom c\n"),
	/* these are refused */
	IN("A: b\n\0\nBcc: c\n\nx\n"),
	IN("A: b\nno \0field\nBcc: c\n\nx\n"),
};

static void check_same(const struct message *a, const struct message *b)
{
	struct buf one = BUF_INIT(LIMIT), other = BUF_INIT(LIMIT);

	read_body(a, &one);
	read_body(b, &other);
	assert_true(view_equal(buf_view(&one), buf_view(&other)));
	assert_true(view_equal(buf_view(&a->header), buf_view(&b->header)));
	assert_int_equal(a->n_fields, b->n_fields);
	assert_true(a->nul_line == b->nul_line);
	assert_true(a->bare_cr_line == b->bare_cr_line);
	assert_true(a->bare_lf_line == b->bare_lf_line);
	assert_true(a->longest_line == b->longest_line);
	assert_int_equal(a->body_8bit, b->body_8bit);
	buf_release(&one);
	buf_release(&other);
}

/* Where it is cut: at `first`, and then each `step` octets (0: no more). */
static int push(struct view v, size_t first, size_t step,
		const struct intake_policy *policy, struct message *m,
		struct outcome *o)
{
	struct intake *in = intake_new(m, policy);
	size_t n = first < v.n ? first : v.n;
	int rc = intake_take(in, view_make(v.p, n), o);

	for (v = view_skip(v, n); rc == 0 && v.n; v = view_skip(v, n)) {
		n = step && step < v.n ? step : v.n;
		rc = intake_take(in, view_make(v.p, n), o);
	}
	if (rc == 0)
		rc = intake_end(in, o);
	intake_free(in);
	return rc;
}

static void check_cut(struct view v, size_t first, size_t step,
		      const struct intake_policy *policy,
		      const struct message *whole, const struct outcome *why)
{
	struct message m = MESSAGE_INIT;
	struct outcome o = OUTCOME_INIT;
	int rc = push(v, first, step, policy, &m, &o);

	if (rc != (outcome_is_failure(why) ? -1 : 0))
		fail_msg("'%.80s' cut at %zu, %zu: %d", v.p, first, step, rc);
	if (rc == 0) {
		check_same(whole, &m);
	} else {
		assert_string_equal(o.status, why->status);
		assert_string_equal(o.text, why->text);
	}
	outcome_release(&o);
	message_release(&m);
}

/* Against what is read from a file, at these cuts. */
static void check_cuts(struct view v, const struct intake_policy *policy,
		       const size_t (*cuts)[2], size_t n)
{
	struct message whole = MESSAGE_INIT;
	struct outcome why = OUTCOME_INIT;
	int fd = feed_file(v);
	size_t i;

	intake_read(fd, policy, &whole, &why);
	for (i = 0; i < n; i++)
		check_cut(v, cuts[i][0], cuts[i][1], policy, &whole, &why);
	outcome_release(&why);
	message_release(&whole);
	close(fd);
}

static void cuts_do_not_show(void **state)
{
	size_t cuts[200][2], i, policy, n;

	(void)state;
	for (policy = 0; policy < N_OF(policies); policy++) {
		for (i = 0; i < N_OF(inputs); i++) {
			for (n = 0; n <= inputs[i].n; n++) {
				cuts[n][0] = n; /* in two */
				cuts[n][1] = 0;
			}
			cuts[n][0] = cuts[n][1] = 1;
			n++;
			cuts[n][0] = cuts[n][1] = 2;
			n++;
			cuts[n][0] = 1;
			cuts[n][1] = 3;
			n++;
			check_cuts(inputs[i], &policies[policy],
				   (const size_t(*)[2])cuts, n);
		}
	}
}

/* A line's end, a dot, a header's end around what is looked at at once. */
static void borders_of_blocks_do_not_show(void **state)
{
	static const size_t cuts[][2] = {
		{0, 0},         {BLOCK - 1, 0},     {BLOCK, 0},
		{BLOCK + 1, 0}, {1, BLOCK},         {BLOCK - 1, 1},
		{1, 2 * BLOCK}, {BLOCK + 2, BLOCK}, {3, BLOCK - 1},
		{4000, 4000},
	};
	static const char *const ends[] = {
		"\r\n", "\n",         "\r",       "\r\r\n", "\n.\n",
		"",     "\r\n.\r\ny", "\n.\r\ry", ".\n",    "\n\n\n",
	};
	static const char *const starts[] = {
		"A: b\n\n", "A: ", "", "From ", "A: b\n.\n", "A: b\nC",
	};
	struct buf input = BUF_INIT(LIMIT);
	size_t i, j, n;

	(void)state;
	for (i = 0; i < N_OF(starts) * N_OF(ends); i++) {
		for (j = 0; j < 5; j++) {
			buf_clear(&input);
			buf_add_text(&input, starts[i % N_OF(starts)]);
			n = BLOCK - 2 + j - input.n;
			memset(buf_room(&input, n), 'x', n);
			input.n += n;
			buf_add_text(&input, ends[i / N_OF(starts)]);
			check_cuts(buf_view(&input), &policies[i % 2], cuts,
				   N_OF(cuts));
		}
	}
	buf_release(&input);
}

/* Behind fields a line that is none is refused for a NUL; but not for one that
 * comes when it is the body's already. */
static void a_nul_far_in_a_line_is_the_bodys(void **state)
{
	static const size_t cuts[][2] = {{0, 0}, {1, 1}, {900, 0}, {1010, 0}};
	size_t n;

	(void)state;
	for (n = FIELD_NAME_LIMIT - 2; n < FIELD_NAME_LIMIT + 3; n++) {
		struct buf input = BUF_INIT(LIMIT);
		struct message m = MESSAGE_INIT;
		struct outcome o = OUTCOME_INIT;
		int rc;

		buf_add_text(&input, "A: b\n");
		while (input.n < 5 + n)
			buf_add_char(&input, 'x');
		buf_add(&input, "\0\ny\n", 4);
		check_cuts(buf_view(&input), &policies[0], cuts, N_OF(cuts));
		rc = push(buf_view(&input), 0, 0, &policies[0], &m, &o);
		assert_int_equal(rc, n < FIELD_NAME_LIMIT ? -1 : 0);
		outcome_release(&o);
		message_release(&m);
		buf_release(&input);
	}
}

/* ------------------------------------------------------------ binary data */

/* `pad` octets and the text; 0: in no line of the body. */
static const struct {
	size_t pad;
	struct view text;
	unsigned nul_line, bare_cr_line, bare_lf_line;
	uint64_t longest;
	bool gets_end;
} binaries[] = {
	{0, IN("x\r\ny\r\n"), 0, 0, 0, 0, false},
	{0, IN("x"), 0, 0, 0, 0, true},
	{0, IN("x\r\ny"), 0, 0, 0, 0, true},
	{0, IN("x\ny"), 0, 0, 3, 0, false},
	{0, IN("x\r\ny\n"), 0, 0, 4, 0, false},
	{0, IN("x\ry"), 0, 3, 0, 0, false},
	{0, IN("x\r"), 0, 3, 0, 0, false},
	{0, IN("x\r\n\0"), 4, 0, 0, 0, false},
	{PLAN_LINE_MAX, IN(""), 0, 0, 0, 0, true},
	{PLAN_LINE_MAX, IN("x"), 0, 0, 0, PLAN_LINE_MAX + 1, false},
	{PLAN_LINE_MAX, IN("\r\nx"), 0, 0, 0, 0, true},
	{PLAN_LINE_MAX, IN("x\r\nx"), 0, 0, 0, PLAN_LINE_MAX + 1, false},
	{BLOCK, IN("\r\n"), 0, 0, 0, BLOCK, false},
	{BLOCK, IN("\nx"), 0, 0, 3, BLOCK + 2, false},
};

/* Each octet is kept; only what might be text gets the end it lacks. */
static void binary_bodies_are_kept(void **state)
{
	static const size_t cuts[][2] = {{1, 1}, {1000, 0}, {BLOCK - 1, 1}};
	struct buf input = BUF_INIT(LIMIT), body = BUF_INIT(LIMIT);
	size_t i, begin;

	(void)state;
	for (i = 0; i < N_OF(binaries); i++) {
		struct message m = MESSAGE_INIT;
		struct outcome o = OUTCOME_INIT;

		buf_clear(&input);
		buf_clear(&body);
		buf_add_text(&input, "A: b\r\n\r\n");
		begin = input.n;
		while (input.n < begin + binaries[i].pad)
			buf_add_char(&input, 'x');
		buf_add_view(&input, binaries[i].text);
		check_cuts(buf_view(&input), &policies[2], cuts, N_OF(cuts));
		assert_int_equal(
			push(buf_view(&input), 0, 0, &policies[2], &m, &o), 0);
		read_body(&m, &body);
		if (binaries[i].gets_end)
			buf_add_text(&input, "\r\n");
		if (!view_equal(buf_view(&body),
				view_skip(buf_view(&input), begin)) ||
		    m.nul_line != binaries[i].nul_line ||
		    m.bare_cr_line != binaries[i].bare_cr_line ||
		    m.bare_lf_line != binaries[i].bare_lf_line ||
		    m.longest_line != binaries[i].longest)
			fail_msg("row %zu", i);
		message_release(&m);
	}
	buf_release(&input);
	buf_release(&body);
}

/* ------------------------------------------------------ octet by octet */

/* Cut at `first`, and all around a block's end; the body begins at `at`. */
static void check_body(struct view v, size_t at, const size_t *cuts, size_t n)
{
	struct seen s = SEEN_INIT;
	size_t i;

	see(&s, view_skip(v, at), 3, false);
	for (i = 0; i < n; i++) {
		struct message m = MESSAGE_INIT;
		struct outcome o = OUTCOME_INIT;

		assert_int_equal(push(v, cuts[i], 0, &policies[0], &m, &o), 0);
		assert_string_equal(seen_differs(&s, &m), "");
		message_release(&m);
	}
	seen_release(&s);
}

static const struct view guests[] = {
	IN("\n"),     IN("\r\n"),  IN("\r"),        IN("\r\r\n"),   IN("\n\r"),
	IN("\n\r\n"), IN("\n.\n"), IN("\r\n.\r\n"), IN("\n\n\n\n"), IN("\0"),
	IN("\n\0\n"), IN("\r\0"),  IN("\x80"),      IN("\n\xff\n"), IN("."),
};

/* A body whose lines end so, and a guest that ends `past` octets behind what is
 * looked at at once. */
static void make_body(struct buf *b, const char *end, struct view guest,
		      size_t past)
{
	buf_clear(b);
	buf_printf(b, "A: b%s%s", end, end);
	while (b->n + 80 < BLOCK + past - guest.n)
		buf_printf(b, "%060zu%s", b->n, end);
	while (b->n < BLOCK + past - guest.n)
		buf_add_char(b, 'x');
	buf_add_view(b, guest);
	buf_printf(b, "a%s.%sb", end, end);
}

static void bodies_are_as_each_octet_says(void **state)
{
	static const char *const ends[] = {"\n", "\r\n"};
	struct buf input = BUF_INIT(LIMIT);
	size_t cuts[16], e, g, past, i;

	(void)state;
	for (e = 0; e < N_OF(ends); e++)
		for (g = 0; g < N_OF(guests); g++)
			for (past = 0; past < 8; past++) {
				make_body(&input, ends[e], guests[g], past);
				cuts[0] = 0;
				for (i = 1; i < N_OF(cuts); i++)
					cuts[i] = BLOCK + past + 4 - i;
				check_body(buf_view(&input),
					   4 + 2 * strlen(ends[e]), cuts,
					   N_OF(cuts));
			}
	buf_release(&input);
}

/* Around the longest that is allowed, and cut anywhere in it. */
static void long_lines_are_measured(void **state)
{
	static const char *const ends[] = {"\n", "\r\n"};
	static const char *const ahead[] = {"", "a", "a\n", "a\r\n", "\n\n"};
	struct buf input = BUF_INIT(LIMIT);
	size_t cuts[1040], e, i, n, begin;

	(void)state;
	for (i = 0; i < N_OF(cuts); i++)
		cuts[i] = i;
	for (e = 0; e < N_OF(ends); e++)
		for (n = 996; n < 1003; n++)
			for (i = 0; i < N_OF(ahead); i++) {
				buf_clear(&input);
				buf_printf(&input, "A: b%s%s", ends[e],
					   ends[e]);
				begin = input.n;
				buf_printf(&input, "%s%0*d%sb%s", ahead[i],
					   (int)n, 1, ends[e], ends[e]);
				check_body(buf_view(&input), begin, cuts,
					   N_OF(cuts));
			}
	buf_release(&input);
}

/* One that is left in the middle leaves nothing behind. */
static void can_be_left_at_any_time(void **state)
{
	struct outcome o = OUTCOME_INIT;
	size_t i;

	(void)state;
	intake_free(NULL);
	for (i = 0; i < 12; i++) {
		struct message m = MESSAGE_INIT;
		struct intake *in = intake_new(&m, &policies[0]);

		assert_int_equal(
			intake_take(in, view_make("A: b\r\n\r\nx\r\n", i), &o),
			0);
		intake_free(in);
		message_release(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_do_not_show),
		cmocka_unit_test(borders_of_blocks_do_not_show),
		cmocka_unit_test(a_nul_far_in_a_line_is_the_bodys),
		cmocka_unit_test(binary_bodies_are_kept),
		cmocka_unit_test(bodies_are_as_each_octet_says),
		cmocka_unit_test(long_lines_are_measured),
		cmocka_unit_test(can_be_left_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
