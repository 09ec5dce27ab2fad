/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The content within the dialogue: where it ends, what dots are taken off, and
 * that nothing else can pass for the end. */
#include "smtp/receive.h"

#include "base/text.h"
#include "feed.h"
#include "unit.h"

#define LIMIT (4u << 20) /* octets of anything compared */

/* What is read, and the message that comes of it; what follows it is left. */
struct expected {
	struct view input;
	const char *want; /* header, empty line and body; NULs are shown as
			     '@'; NULL: the client left */
	const char *rest;
};

#define IN(text)                       \
	{                              \
		text, sizeof(text) - 1 \
	}

/* Where only CRLF makes a line. */
static const struct expected strict_cases[] = {
	{IN("A: b\r\n\r\nx\r\n.\r\n"), "A: b\r\n\r\nx\r\n", ""},
	{IN("x\r\n.\r\nQUIT\r\n"), "\r\nx\r\n", "QUIT\r\n"},
	{IN(".\r\n"), "\r\n", ""},
	{IN(".\r\n.\r\n"), "\r\n", ".\r\n"},
	{IN("\r\n.\r\n"), "\r\n", ""},
	/* dots */
	{IN("x\r\n..\r\n.\r\n"), "\r\nx\r\n.\r\n", ""},
	{IN("x\r\n...\r\n.\r\n"), "\r\nx\r\n..\r\n", ""},
	{IN("x\r\n.y\r\n.\r\n"), "\r\nx\r\ny\r\n", ""},
	{IN("..x\r\n.\r\n"), "\r\n.x\r\n", ""},
	{IN("x.\r\ny..\r\n . \r\n.\r\n"), "\r\nx.\r\ny..\r\n . \r\n", ""},
	{IN("x\r\n. \r\n.\r\n"), "\r\nx\r\n \r\n", ""},
	{IN("x\r\n..A: b\r\n.\r\n"), "\r\nx\r\n.A: b\r\n", ""},
	{IN("A: b\r\n..C: d\r\n.\r\n"), "A: b\r\n.C: d\r\n\r\n", ""},
	{IN("A: b\r\n.C: d\r\n.\r\n"), "A: b\r\nC: d\r\n\r\n", ""},
	/* neither LF nor CR alone makes a line, so no dot behind one counts */
	{IN("x\n.\nQUIT\r\n.\r\n"), "\r\nx\r\n.\r\nQUIT\r\n", ""},
	{IN("x\n.\r\nQUIT\r\n.\r\n"), "\r\nx\r\n.\r\nQUIT\r\n", ""},
	{IN("x\r\n.\nQUIT\r\n.\r\n"), "\r\nx\r\n\r\nQUIT\r\n", ""},
	{IN("x\r.\r\nQUIT\r\n.\r\n"), "\r\nx\r.\r\nQUIT\r\n", ""},
	{IN("x\r.\rQUIT\r\n.\r\n"), "\r\nx\r.\rQUIT\r\n", ""},
	{IN("x\r\n.\rQUIT\r\n.\r\n"), "\r\nx\r\n\rQUIT\r\n", ""},
	{IN("x\n..y\r\n.\r\n"), "\r\nx\r\n..y\r\n", ""},
	{IN("x\n\r.\r\ny\r\n.\r\n"), "\r\nx\r\n\r.\r\ny\r\n", ""},
	{IN("x\r\n.\r\r\ny\r\n.\r\n"), "\r\nx\r\n\r\r\ny\r\n", ""},
	{IN("x\r\r\n.\r\ny"), "\r\nx\r\r\n", "y"},
	{IN("x\r\n\r.\r\n.\r\n"), "\r\nx\r\n\r.\r\n", ""},
	{IN("x\n.\n"), NULL, ""},
	{IN("x\n.\r\n"), NULL, ""},
	{IN("x\r\n.\n"), NULL, ""},
	/* other octets */
	{IN("x\0y\xff\r\n.\0\r\n.\r\n"), "\r\nx@y\xff\r\n@\r\n", ""},
	/* the client leaves */
	{IN(""), NULL, ""},
	{IN("x"), NULL, ""},
	{IN("x\r"), NULL, ""},
	{IN("x\r\n"), NULL, ""},
	{IN("x\r\n."), NULL, ""},
	{IN("x\r\n.\r"), NULL, ""},
	{IN("."), NULL, ""},
	{IN(".\r"), NULL, ""},
	{IN(".."), NULL, ""},
	{IN("\r"), NULL, ""},
	{IN("\r\r"), NULL, ""},
	{IN("x\r\n..\r\n"), NULL, ""},
};

/* Where LF does, too. */
static const struct expected bare_cases[] = {
	{IN("A: b\n\nx\n.\n"), "A: b\r\n\r\nx\r\n", ""},
	{IN("x\n.\nQUIT\n"), "\r\nx\r\n", "QUIT\n"},
	{IN("x\r\n.\r\nQUIT\r\n"), "\r\nx\r\n", "QUIT\r\n"},
	{IN("x\n.\r\nQUIT\n"), "\r\nx\r\n", "QUIT\n"},
	{IN("x\r\n.\nQUIT\n"), "\r\nx\r\n", "QUIT\n"},
	{IN(".\n"), "\r\n", ""},
	{IN(".\r\n"), "\r\n", ""},
	{IN("x\n..\n.\n"), "\r\nx\r\n.\r\n", ""},
	{IN("x\n.y\n.\n"), "\r\nx\r\ny\r\n", ""},
	{IN("..x\n.\n"), "\r\n.x\r\n", ""},
	{IN("x\n.\ry\n.\n"), "\r\nx\r\n\ry\r\n", ""},
	{IN("x\n.\r\r\n.\n"), "\r\nx\r\n\r\r\n", ""},
	{IN("x\r.\ny\n.\n"), "\r\nx\r.\r\ny\r\n", ""},
	{IN("x\n."), NULL, ""},
	{IN("x\n.\r"), NULL, ""},
	{IN("x\n"), NULL, ""},
	{IN("x\n.."), NULL, ""},
};

static void add_message(const struct message *m, struct buf *out)
{
	struct outcome o = OUTCOME_INIT;
	char block[4096];
	ptrdiff_t got;
	uint64_t at = 0;

	buf_add_view(out, buf_view(&m->header));
	buf_add_text(out, "\r\n");
	while ((got = store_read(m->body, at, block, sizeof(block), &o)) > 0) {
		buf_add(out, block, (size_t)got);
		at += (size_t)got;
	}
	assert_int_equal(got, 0);
}

static void show_nuls(struct buf *b)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		if (!b->p[i])
			b->p[i] = '@';
}

/* What is left of the input. */
static void add_rest(struct channel *c, struct buf *out)
{
	while (channel_fill(c, 1)) {
		buf_add_view(out, channel_input(c));
		channel_consume(c, channel_input(c).n);
	}
}

static void check_case(const struct expected *e, bool bare_lf, size_t step)
{
	const struct intake_policy policy = {0};
	struct message m = MESSAGE_INIT;
	struct outcome o = OUTCOME_INIT;
	struct feed f = feed_start(e->input, step);
	struct channel c = CHANNEL_INIT(f.in, f.out);
	struct intake *in = intake_new(&m, &policy);
	struct buf got = BUF_INIT(LIMIT), rest = BUF_INIT(LIMIT);
	bool is_there = receive_stuffed(&c, in, bare_lf, &o);

	assert_false(outcome_is_failure(&o));
	assert_int_equal(intake_end(in, &o), 0);
	add_message(&m, &got);
	show_nuls(&got);
	add_rest(&c, &rest);
	if (is_there != (e->want != NULL) ||
	    (is_there && strcmp(got.p, e->want) != 0) ||
	    strcmp(rest.p, e->rest) != 0)
		fail_msg("'%s', step %zu: %d, '%s', '%s'", e->input.p, step,
			 is_there, got.p, rest.p);
	buf_release(&got);
	buf_release(&rest);
	intake_free(in);
	channel_release(&c);
	message_release(&m);
	feed_end(&f);
}

static void ends_at_the_lone_dot(void **state)
{
	size_t i, step;

	(void)state;
	for (step = 0; step < 4; step++) {
		for (i = 0; i < N_OF(strict_cases); i++)
			check_case(&strict_cases[i], false, step);
		for (i = 0; i < N_OF(bare_cases); i++)
			check_case(&bare_cases[i], true, step);
	}
}

/* Wherever the blocks end, the dots are found. */
static void takes_large_content(void **state)
{
	struct buf input = BUF_INIT(LIMIT), want = BUF_INIT(LIMIT);
	struct expected e = {.rest = "R"};
	unsigned i;

	(void)state;
	buf_add_text(&want, "\r\n");
	for (i = 0; i < 9000; i++) {
		buf_printf(&input, "..%*u\r\n", (int)(i % 40), i);
		buf_printf(&want, ".%*u\r\n", (int)(i % 40), i);
	}
	buf_add_text(&input, ".\r\nR");
	e.input = buf_view(&input);
	e.want = want.p;
	check_case(&e, false, 0);
	check_case(&e, true, 0);
	check_case(&e, false, 1001);
	check_case(&e, true, 1001);
	/* one line longer than anything that is held */
	buf_clear(&input);
	buf_clear(&want);
	buf_add_text(&want, "\r\n");
	for (i = 0; i < 300000; i++) {
		buf_add_char(&input, i % 7 ? '.' : '\r');
		buf_add_char(&want, i % 7 ? '.' : '\r');
	}
	buf_add_text(&input, "\r\n.\r\nR");
	buf_add_text(&want, "\r\n");
	e.input = buf_view(&input);
	e.want = want.p;
	check_case(&e, false, 0);
	check_case(&e, true, 9999);
	buf_release(&input);
	buf_release(&want);
}

/* ------------------------------------------------------------------- chunks */

static void takes_chunks_as_they_are(void **state)
{
	static const struct {
		const char *input;
		uint64_t n;
		const char *want, *rest; /* want NULL: the client left */
	} rows[] = {
		{"", 0, "\r\n", ""},
		{"x\r\n", 0, "\r\n", "x\r\n"},
		{"A: b\r\n\r\nx\r\nQUIT\r\n", 11, "A: b\r\n\r\nx\r\n",
		 "QUIT\r\n"},
		{"..\r\n.\r\ny\r\nQUIT\r\n", 10, "\r\n..\r\n.\r\ny\r\n",
		 "QUIT\r\n"},
		{"xyz", 2, "\r\nxy\r\n", "z"},
		{"x\r\n", 2, "\r\nx\r\r\n", "\n"},
		{"xyz", 3, "\r\nxyz\r\n", ""},
		{"xyz", 4, NULL, ""},
		{"", 1, NULL, ""},
		{"xyz", UINT64_MAX, NULL, ""},
	};
	const struct intake_policy policy = {0};
	struct outcome o = OUTCOME_INIT;
	size_t i, step;

	(void)state;
	for (i = 0; i < 4 * N_OF(rows); i++) {
		struct message m = MESSAGE_INIT;
		struct intake *in = intake_new(&m, &policy);
		struct buf got = BUF_INIT(1000), rest = BUF_INIT(1000);
		struct channel c;
		struct feed f;
		bool is_there;

		step = i / N_OF(rows);
		f = feed_start(view_of(rows[i % N_OF(rows)].input), step);
		c = CHANNEL_INIT(f.in, f.out);
		is_there = receive_chunk(&c, in, rows[i % N_OF(rows)].n, &o);
		assert_int_equal(is_there, rows[i % N_OF(rows)].want != NULL);
		assert_int_equal(intake_end(in, &o), 0);
		add_message(&m, &got);
		add_rest(&c, &rest);
		if (is_there)
			assert_string_equal(got.p, rows[i % N_OF(rows)].want);
		assert_string_equal(rest.p, rows[i % N_OF(rows)].rest);
		buf_release(&got);
		buf_release(&rest);
		intake_free(in);
		channel_release(&c);
		message_release(&m);
		feed_end(&f);
	}
}

/* A chunk that nobody wants is read all the same. */
static void throws_chunks_away(void **state)
{
	struct outcome o = OUTCOME_INIT;
	struct feed f = feed_start(VIEW("0123456789QUIT\r\n"), 3);
	struct channel c = CHANNEL_INIT(f.in, f.out);
	struct view line;

	(void)state;
	assert_true(receive_chunk(&c, NULL, 10, &o));
	assert_int_equal(channel_line(&c, &line), CHANNEL_LINE);
	assert_true(view_equal(line, VIEW("QUIT\r\n")));
	assert_false(receive_chunk(&c, NULL, 1, &o));
	assert_false(outcome_is_failure(&o));
	channel_release(&c);
	feed_end(&f);
}

/* What is refused is read to its end, and the first reason stays. */
static void reads_on_behind_a_refusal(void **state)
{
	static const char refused[] = "A: b\r\n\0\r\nC\0\r\nx\r\n.\r\nQUIT\r\n";
	const struct intake_policy policy = {0};
	struct view line, input = view_make(refused, sizeof(refused) - 1);
	size_t i;

	(void)state;
	for (i = 0; i < 6; i++) {
		struct outcome o = OUTCOME_INIT;
		struct message m = MESSAGE_INIT;
		struct intake *in = intake_new(&m, &policy);
		struct feed f = feed_start(input, i / 2);
		struct channel c = CHANNEL_INIT(f.in, f.out);

		assert_true(i % 2 ? receive_stuffed(&c, in, false, &o)
				  : receive_chunk(&c, in, input.n - 6, &o));
		assert_int_equal(o.cause, CAUSE_CONTENT);
		assert_string_equal(o.status, "5.6.0");
		assert_non_null(strstr(o.text, "line 2 "));
		assert_int_equal(channel_line(&c, &line), CHANNEL_LINE);
		assert_true(view_equal(line, VIEW("QUIT\r\n")));
		outcome_release(&o);
		intake_free(in);
		channel_release(&c);
		message_release(&m);
		feed_end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_at_the_lone_dot),
		cmocka_unit_test(takes_large_content),
		cmocka_unit_test(takes_chunks_as_they_are),
		cmocka_unit_test(throws_chunks_away),
		cmocka_unit_test(reads_on_behind_a_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
