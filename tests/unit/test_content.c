/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Header, empty line and body as one run of octets, in any pieces. */
#include "mail/content.h"

#include "unit.h"

static void pull(struct content *c, uint64_t most, struct buf *out)
{
	struct outcome o = OUTCOME_INIT;
	struct view piece;
	int rc;

	buf_clear(out);
	while ((rc = content_next(c, most, &piece, &o)) > 0) {
		assert_in_range(piece.n, 1, most);
		buf_add_view(out, piece);
	}
	assert_int_equal(rc, 0);
	assert_int_equal(content_next(c, most, &piece, &o), 0);
	assert_int_equal(out->n, content_size(c));
	content_rewind(c);
}

static void tells_all_of_it(void **state)
{
	static const struct {
		const char *header, *body, *all;
	} cases[] = {
		{"", "", "\r\n"},
		{"A: b\r\n", "", "A: b\r\n\r\n"},
		{"", "x\r\n", "\r\nx\r\n"},
		{"A: b\r\n", "x\r\n", "A: b\r\n\r\nx\r\n"},
		{"A: b\r\nC: d\r\n", ".\r\n\r\n",
		 "A: b\r\nC: d\r\n\r\n.\r\n\r\n"},
	};
	static const uint64_t mosts[] = {1, 2, 3, 7, 1000, UINT64_MAX};
	size_t i, j, limit;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		for (limit = 0; limit < 12; limit += 2) {
			struct buf out = BUF_INIT(1000);
			struct outcome o = OUTCOME_INIT;
			struct view body = view_of(cases[i].body);
			struct store *s = store_new(limit);
			struct content *c =
				content_new(view_of(cases[i].header), s);

			store_append(s, body.p, body.n, &o);
			for (j = 0; j < N_OF(mosts); j++) {
				pull(c, mosts[j], &out);
				assert_string_equal(out.p, cases[i].all);
			}
			content_free(c);
			store_free(s);
			buf_release(&out);
		}
}

static void tells_large_ones(void **state)
{
	struct buf body = BUF_INIT(1u << 20), out = BUF_INIT(1u << 20);
	struct outcome o = OUTCOME_INIT;
	struct store *s = store_new(100000);
	struct content *c = content_new(VIEW("A: b\r\n"), s);

	(void)state;
	while (body.n < 500000)
		buf_printf(&body, "line %zu\r\n", body.n);
	store_append(s, body.p, body.n, &o);
	pull(c, UINT64_MAX, &out);
	assert_memory_equal(out.p, "A: b\r\n\r\n", 8);
	assert_memory_equal(out.p + 8, body.p, body.n);
	pull(c, 65537, &out);
	assert_memory_equal(out.p + 8, body.p, body.n);
	content_free(c);
	content_free(NULL);
	store_free(s);
	buf_release(&body);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_all_of_it),
		cmocka_unit_test(tells_large_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
