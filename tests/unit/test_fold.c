/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Long lines of a header: folded where there are blanks, else refused. */
#include "mail/fold.h"

#include "../fuzz/decode.h"
#include "base/text.h"
#include "unit.h"

#define LIMIT 100000u

/*
 * A row of these makes a field: `head`, `atom` as often as needed for `n`
 * octets, `tail`.
 */
struct sample {
	const char *head, *atom;
	size_t n; /* octets, without the final CRLF */
	const char *tail;
	bool at_commas, folds;
};

static const struct sample samples[] = {
	/* what is within the limit stays, however long */
	{"A:", "x", 2, "", false, true},
	{"A:", "x", 100, "", false, true},
	{"A: ", "xxx ", 998, "", false, true},
	{"A:", "x", 998, "", true, true},
	/* a run that is longer than a line */
	{"A:", "x", 999, "", false, false},
	{"A:", "x", 1500, "", true, false},
	{"A: a b ", "x", 1500, "", true, false},
	{"A: ", "x", 1500, " a b", true, false},
	/* the blank behind the name may not help: no line of blanks only */
	{"A: ", "x", 1002, "", false, false},
	/* as long as a line can be behind the fold's blank */
	{"A: b ", "x", 1001, "", false, true},
	{"A: b ", "x", 1003, "", false, false},
	{"A: b ", "x", 900,
	 " yyyyyyy yyyyyy yyyyyyyyyy yyyyyyyyyy yyyyyyyyyyyy"
	 " yyyyyyyyyy yyyyyyyyyyyyyyyyyyyyyyyyy yyyyyyy",
	 false, true},
	{"A: ", "xxx ", 1200, "z", false, true},
	{"A: ", "x\t", 5000, "z", false, true},
	{"A: ", "xxxxxxx  \t ", 5000, "z", false, true},
	{"A: ", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx \xc3\xa4 ", 50000, "z",
	 false, true},
	/* blanks at the end, and nothing but blanks */
	{"A: ", "xxx ", 1200, "                                      ", false,
	 true},
	/* a folded field of which one line is too long */
	{"A: b\r\n c\r\n\td ", "xxx ", 1200, "z\r\n e", false, true},
	{"A: b\r\n c\r\n\td ", "x", 1200, "z\r\n e", false, false},
	/* commas, of an address list only */
	{"To: ", "a@b.example,", 5000, "c@d.example", true, true},
	{"To: ", "a@b.example,", 5000, "c@d.example", false, false},
	{"To:", "a@b.example,", 5000, "c@d.example", true, true},
	{"To: ", "a@b.example,", 1200, "c@d.example, e@f.example", true, true},
	/* those in quotes and comments part nothing */
	{"To: \"", "a,", 1500, "b\"@c", true, false},
	{"To: \"\\\"", "a,", 1500, "b\"@c", true, false},
	{"To: (", "a,", 1500, "b)c@d", true, false},
	{"To: (()", "a,", 1500, "b)c@d", true, false},
};

static void build(const struct sample *s, struct buf *out)
{
	buf_clear(out);
	buf_add_text(out, s->head);
	while (out->n < s->n)
		buf_add_char(out, s->atom[out->n % strlen(s->atom)]);
	buf_add_text(out, s->tail);
	buf_add_text(out, "\r\n");
}

/* Lines within the limit, each but the first begun by a blank and none of them
 * empty (RFC 5322 3.2.2, 4.2). */
static void check_lines(struct view v)
{
	bool is_first = true;
	struct view line;

	assert_true(v.n >= 2 && !memcmp(v.p + v.n - 2, "\r\n", 2));
	for (; v.n; v = view_skip(v, line.n + 2)) {
		line = view_make(v.p, line_length(v));
		assert_in_range(line.n, 1, FOLD_LINE_MAX);
		assert_true(is_first || text_is_space(line.p[0]));
		assert_true(view_trim(line).n > 0);
		is_first = false;
	}
}

/* Without the blanks behind commas where those were added. */
static void drop_blanks(struct view v, struct buf *out)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (!text_is_space(v.p[i]))
			buf_add_char(out, v.p[i]);
}

static void check_same(struct view a, struct view b, bool at_commas)
{
	struct buf before = BUF_INIT(LIMIT), after = BUF_INIT(LIMIT);
	struct buf tight = BUF_INIT(LIMIT), tight_after = BUF_INIT(LIMIT);

	unfold(a, &before);
	unfold(b, &after);
	drop_blanks(buf_view(&before), &tight);
	drop_blanks(buf_view(&after), &tight_after);
	assert_true(view_equal(buf_view(&tight), buf_view(&tight_after)));
	if (!at_commas)
		assert_true(view_equal(buf_view(&before), buf_view(&after)));
	buf_release(&before);
	buf_release(&after);
	buf_release(&tight);
	buf_release(&tight_after);
}

static void folds(void **state)
{
	struct buf in = BUF_INIT(LIMIT), out = BUF_INIT(LIMIT);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(samples); i++) {
		const struct sample *s = &samples[i];
		bool done;

		build(s, &in);
		buf_clear(&out);
		buf_add_text(&out, "X: y\r\n");
		done = fold_field(buf_view(&in), s->at_commas, &out);
		if (done != s->folds)
			fail_msg("%zu: %s%s…%s: %d", i, s->head, s->atom,
				 s->tail, done);
		assert_memory_equal(out.p, "X: y\r\n", 6);
		if (!done) {
			assert_int_equal(out.n, 6);
			continue;
		}
		buf_consume(&out, 6);
		check_lines(buf_view(&out));
		check_same(buf_view(&in), buf_view(&out), s->at_commas);
		if (s->n <= FOLD_LINE_MAX && !*s->tail)
			assert_true(view_equal(buf_view(&in), buf_view(&out)));
	}
	buf_release(&in);
	buf_release(&out);
}

/* Wherever the blank is, all or nothing: a line of 998 is one, of 999 not. */
static void folds_at_any_place(void **state)
{
	struct buf in = BUF_INIT(LIMIT), out = BUF_INIT(LIMIT);
	size_t n, at;

	(void)state;
	for (n = 990; n<2010; n += n> 1010 && n < 1980 ? 37 : 1)
		for (at = 3; at<n; at += at> 20 && at + 1010 < n ? 2u : 1u) {
			bool fits;

			buf_clear(&in);
			buf_add_text(&in, "A:");
			while (in.n < n)
				buf_add_char(&in, in.n == at ? ' ' : 'x');
			buf_add_text(&in, "\r\n");
			buf_clear(&out);
			/* no line of blanks alone (RFC 5322 3.2.2) */
			fits = n <= 998 ||
				(at <= 998 && n - at <= 998 && at + 1 < n);
			assert_int_equal(fold_field(buf_view(&in), false, &out),
					 fits);
			if (!fits)
				continue;
			check_lines(buf_view(&out));
			check_same(buf_view(&in), buf_view(&out), false);
		}
	buf_release(&in);
	buf_release(&out);
}

/* Addresses stay whole and are as many as before; what needs no blank gets
 * none. */
static void parts_addresses_at_commas(void **state)
{
	struct buf in = BUF_INIT(LIMIT), out = BUF_INIT(LIMIT);
	struct view rest, line;

	(void)state;
	buf_add_text(&in, "To: ");
	while (in.n < 3000)
		buf_add_text(&in, "\"a, b\" <c@d>,e@[1,2],");
	buf_add_text(&in, "f@g\r\n");
	assert_true(fold_field(buf_view(&in), true, &out));
	check_lines(buf_view(&out));
	for (rest = buf_view(&out); rest.n;
	     rest = view_skip(rest, line.n + 2)) {
		line = view_make(rest.p, line_length(rest));
		assert_true(line.n == rest.n - 2 || line.p[line.n - 1] == ',' ||
			    rest.p[line.n + 2] == ' ');
	}
	buf_clear(&in);
	buf_clear(&out);
	buf_add_text(&in, "To: ");
	while (in.n < 3000)
		buf_add_text(&in, "a@b,c@d, ");
	buf_add_text(&in, "f@g\r\n");
	assert_true(fold_field(buf_view(&in), true, &out));
	check_same(buf_view(&in), buf_view(&out), false);
	buf_release(&in);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folds),
		cmocka_unit_test(folds_at_any_place),
		cmocka_unit_test(parts_addresses_at_commas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
