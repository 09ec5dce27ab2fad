/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message that comes in pieces is the one that is read, wherever it is cut;
 * what it is, is in test_message. */
#include "mail/intake.h"

#include "base/text.h"
#include "feed.h"
#include "unit.h"

#define BLOCK 65536u      /* octets that are looked at at once */
#define LIMIT (16u << 20) /* octets of anything compared */

#define IN(text)                       \
	{                              \
		text, sizeof(text) - 1 \
	}

static const struct intake_policy policies[] = {
	{.dot_ends = false},
	{.dot_ends = true},
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

static void read_body(const struct message *m, struct buf *out)
{
	struct outcome o = OUTCOME_INIT;
	char block[4096];
	ptrdiff_t got;

	while ((got = store_read(m->body, out->n, block, sizeof(block), &o)) >
	       0)
		buf_add(out, block, (size_t)got);
	assert_int_equal(got, 0);
}

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
		cmocka_unit_test(can_be_left_at_any_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
