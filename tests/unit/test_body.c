/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The message as DATA and BDAT want it, whatever the pieces' borders. */
#include "smtp/body.h"

#include "unit.h"

/* A message with that body; all else is looked at by nobody here. */
static struct message stored(struct view v)
{
	struct outcome o = OUTCOME_INIT;
	struct message m = {.body = store_new(1u << 20)};

	assert_int_equal(store_append(m.body, v.p, v.n, &o), 0);
	return m;
}

static void pull(struct body *b, struct buf *out)
{
	struct outcome o = OUTCOME_INIT;
	struct view piece;
	int rc;

	buf_clear(out);
	while ((rc = body_next(b, &piece, &o)) > 0)
		buf_add_view(out, piece);
	assert_int_equal(rc, 0);
	assert_false(out->overflow);
}

static const struct {
	const char *header, *body, *stuffed;
} cases[] = {
	{"", "", "\r\n.\r\n"},
	{"A: b\r\n", "", "A: b\r\n\r\n.\r\n"},
	{"A: b\r\n", "x\r\n", "A: b\r\n\r\nx\r\n.\r\n"},
	{"A: b\r\n", ".\r\n", "A: b\r\n\r\n..\r\n.\r\n"},
	{"A: b\r\n", ".\r\n.\r\n..\r\n",
	 "A: b\r\n\r\n..\r\n..\r\n...\r\n.\r\n"},
	{"A: b\r\n", ".a.\r\nb.\r\n", "A: b\r\n\r\n..a.\r\nb.\r\n.\r\n"},
	{".A: b\r\n", "x\r\n", "..A: b\r\n\r\nx\r\n.\r\n"},
	{"A: b\r\n .c\r\n", "x\r\n", "A: b\r\n .c\r\n\r\nx\r\n.\r\n"},
	/* a content that does not end its line is ended all the same */
	{"A: b\r\n", "x", "A: b\r\n\r\nx\r\n.\r\n"},
};

static void doubles_dots(void **state)
{
	struct buf out = BUF_INIT(1u << 20);
	struct content *content;
	struct message m;
	struct body b;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		m = stored(view_of(cases[i].body));
		content = content_new(view_of(cases[i].header), &m);
		body_for_data(&b, content);
		pull(&b, &out);
		assert_string_equal(out.p, cases[i].stuffed);
		content_rewind(content);
		body_for_bdat(&b, content, content_size(content));
		pull(&b, &out);
		assert_int_equal(out.n, content_size(content));
		assert_int_equal(out.n,
				 strlen(cases[i].header) + 2 +
					 strlen(cases[i].body));
		content_free(content);
		store_free(m.body);
	}
	buf_release(&out);
}

/* Take the stuffing off again, as a server does (RFC 5321 4.5.2). */
static void unstuff(const struct buf *in, struct buf *out)
{
	bool line_start = true;
	size_t i;

	buf_clear(out);
	assert_true(in->n >= 3);
	assert_memory_equal(in->p + in->n - 3, ".\r\n", 3);
	for (i = 0; i < in->n - 3; i++) {
		if (line_start && in->p[i] == '.')
			i++;
		buf_add_char(out, in->p[i]);
		line_start = in->p[i] == '\n';
	}
}

/* Dots around every border of the pieces that content gives out. */
static void survives_every_border(void **state)
{
	static const size_t sizes[] = {4094,  4096,   32768,  65534,
				       65536, 131072, 262142, 262144};
	struct buf text = BUF_INIT(1u << 20), out = BUF_INIT(1u << 20);
	struct buf back = BUF_INIT(1u << 20);
	struct content *content;
	struct message m;
	struct body b;
	size_t i, shift;

	(void)state;
	for (i = 0; i < N_OF(sizes); i++) {
		for (shift = 0; shift < 6; shift++) {
			buf_clear(&text);
			while (text.n + 4 < sizes[i] - shift)
				buf_add_text(&text, "ab\r\n");
			while (text.n < sizes[i] - shift)
				buf_add_char(&text, 'x');
			buf_add_text(&text, "\r\n.\r\n..\r\n.z\r\n");
			m = stored(buf_view(&text));
			content = content_new(VIEW(""), &m);
			body_for_data(&b, content);
			pull(&b, &out);
			unstuff(&out, &back);
			assert_int_equal(back.n, text.n + 2);
			assert_memory_equal(back.p + 2, text.p, text.n);
			content_free(content);
			store_free(m.body);
		}
	}
	buf_release(&text);
	buf_release(&out);
	buf_release(&back);
}

/* Dots in every neighbourhood, by a look at each octet. */
static void doubles_what_each_octet_says(void **state)
{
	static const char octets[] = {'.', '\r', '\n', 'x'};
	struct buf text = BUF_INIT(64), out = BUF_INIT(256);
	struct buf wanted = BUF_INIT(256);
	struct content *content;
	struct message m;
	struct body b;
	size_t n, i;

	(void)state;
	for (n = 0; n < 4 * 4 * 4 * 4 * 4 * 4; n++) {
		buf_clear(&text);
		for (i = n + 4 * 4 * 4 * 4 * 4 * 4; i > 1; i /= 4)
			buf_add_char(&text, octets[i % 4]);
		buf_clear(&wanted);
		buf_add_text(&wanted, "\r\n");
		for (i = 0; i < text.n; i++) {
			if (text.p[i] == '.' && wanted.p[wanted.n - 1] == '\n')
				buf_add_char(&wanted, '.');
			buf_add_char(&wanted, text.p[i]);
		}
		if (wanted.p[wanted.n - 1] != '\n')
			buf_add_text(&wanted, "\r\n");
		buf_add_text(&wanted, ".\r\n");
		m = stored(buf_view(&text));
		content = content_new(VIEW(""), &m);
		body_for_data(&b, content);
		pull(&b, &out);
		assert_string_equal(out.p, wanted.p);
		content_free(content);
		store_free(m.body);
	}
	buf_release(&text);
	buf_release(&out);
	buf_release(&wanted);
}

static void a_chunk_is_as_long_as_it_says(void **state)
{
	struct message m = stored(VIEW("0123456789\r\n"));
	struct content *content = content_new(VIEW("A: b\r\n"), &m);
	struct buf out = BUF_INIT(1024);
	struct outcome o = OUTCOME_INIT;
	struct view piece;
	struct body b;

	(void)state;
	body_for_bdat(&b, content, 10);
	pull(&b, &out);
	assert_string_equal(out.p, "A: b\r\n\r\n01");
	body_for_bdat(&b, content, 4);
	pull(&b, &out);
	assert_string_equal(out.p, "2345");
	body_for_bdat(&b, content, 100); /* more than there is */
	while (body_next(&b, &piece, &o) > 0)
		;
	assert_int_equal(o.cause, CAUSE_SYSTEM);
	outcome_release(&o);
	buf_release(&out);
	content_free(content);
	store_free(m.body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_dots),
		cmocka_unit_test(survives_every_border),
		cmocka_unit_test(doubles_what_each_octet_says),
		cmocka_unit_test(a_chunk_is_as_long_as_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
