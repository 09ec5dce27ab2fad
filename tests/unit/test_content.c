/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Header, empty line and body as one run of octets, in any pieces, in a form
 * that fits the way. */
#include "mail/content.h"

#include "../fuzz/decode.h"
#include "base/text.h"
#include "letter.h"
#include "unit.h"

#define LIMIT (16u << 20) /* octets of anything here */
#define AE    "\xc3\xa4"

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
			const struct message m = {.body = s};
			struct content *c;

			store_append(s, body.p, body.n, &o);
			c = content_new(view_of(cases[i].header), &m);
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
	const struct message m = {.body = s};
	struct content *c;

	(void)state;
	while (body.n < 500000)
		buf_printf(&body, "line %zu\r\n", body.n);
	store_append(s, body.p, body.n, &o);
	c = content_new(VIEW("A: b\r\n"), &m);
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

static const struct carriage seven = {0}, eight = {.eightbit = true},
			     binary = {.eightbit = true, .binary = true},
			     utf8 = {.eightbit = true, .utf8 = true};

#define MIME "MIME-Version: 1.0\r\nContent-Type: "
#define B64  "Content-Transfer-Encoding: base64\r\n"

static const char letter[] = MIME
	"multipart/mixed; boundary=b\r\nSubject: " AE "\r\n\r\n"
	"--b\r\nContent-Type: a/b\r\n\r\n" AE AE AE "\r\n"
	"--b\r\n\r\nx\r\n"
	"--b\r\nContent-Type: a/b\r\n\r\n" AE AE AE "\r\n";
static const char letter_seven[] = MIME
	"multipart/mixed; boundary=b\r\nSubject: =?utf-8?B?w6Q=?=\r\n\r\n"
	"--b\r\nContent-Type: a/b\r\n" B64 "\r\nw6TDpMOk\r\n"
	"--b\r\n\r\nx\r\n"
	"--b\r\nContent-Type: a/b\r\n" B64 "\r\nw6TDpMOkDQo=\r\n";
static const char letter_eight[] = MIME
	"multipart/mixed; boundary=b\r\nSubject: =?utf-8?B?w6Q=?=\r\n\r\n"
	"--b\r\nContent-Type: a/b\r\n\r\n" AE AE AE "\r\n"
	"--b\r\n\r\nx\r\n"
	"--b\r\nContent-Type: a/b\r\n\r\n" AE AE AE "\r\n";

/* One way after the other, as when a server is not the one that it was. */
static void fits_each_way(void **state)
{
	static const struct {
		const struct carriage *way;
		const char *sent;
		enum body_form form;
	} cases[] = {
		{&seven, letter_seven, FORM_7BIT},
		{&eight, letter_eight, FORM_8BIT},
		{&utf8, letter, FORM_8BIT},
		{&seven, letter_seven, FORM_7BIT},
		{&seven, letter_seven, FORM_7BIT},
		{&binary, letter_eight, FORM_8BIT},
	};
	static const uint64_t mosts[] = {1, 2, 3, 77, 1000, UINT64_MAX};
	struct buf out = BUF_INIT(LIMIT);
	struct outcome o = OUTCOME_INIT;
	struct view piece;
	struct message m;
	struct content *c;
	size_t i, j;

	(void)state;
	read_text(letter, &m);
	c = content_new(buf_view(&m.header), &m);
	pull(c, UINT64_MAX, &out);
	assert_string_equal(out.p, letter);
	for (i = 0; i < N_OF(cases); i++) {
		assert_int_equal(
			content_fit(c, cases[i].way, REENCODE_AUTO, &o), 0);
		assert_int_equal(content_form(c), cases[i].form);
		for (j = 0; j < N_OF(mosts); j++) {
			pull(c, mosts[j], &out);
			assert_string_equal(out.p, cases[i].sent);
		}
		/* left in the middle: the next begins at the front */
		for (j = 0; j < 150; j++)
			assert_int_equal(content_next(c, 1, &piece, &o), 1);
	}
	assert_int_equal(content_fit(c, &seven, REENCODE_OFF, &o), -1);
	assert_string_equal(o.status, "5.6.3");
	outcome_release(&o);
	assert_int_equal(content_fit(c, &utf8, REENCODE_OFF, &o), 0);
	pull(c, 1000, &out);
	assert_string_equal(out.p, letter);
	content_free(c);
	message_release(&m);
	buf_release(&out);
}

/* Rewound anywhere, it begins again. */
static void begins_again(void **state)
{
	struct buf out = BUF_INIT(LIMIT);
	struct outcome o = OUTCOME_INIT;
	struct view piece;
	struct message m;
	struct content *c;
	size_t i, n;

	(void)state;
	read_text(letter, &m);
	c = content_new(buf_view(&m.header), &m);
	assert_int_equal(content_fit(c, &seven, REENCODE_AUTO, &o), 0);
	for (n = 0; n < sizeof(letter_seven); n += 3) {
		for (i = 0; i < n; i++)
			assert_int_equal(content_next(c, 1, &piece, &o), 1);
		content_rewind(c);
		pull(c, 1 + n, &out);
		assert_string_equal(out.p, letter_seven);
	}
	content_free(c);
	message_release(&m);
	buf_release(&out);
}

/* Parts that are longer than a block, and blocks whose ends are anywhere. */
static void encodes_large_parts(void **state)
{
	static const struct {
		const char *header, *line, *end;
		bool is_qp;
	} cases[] = {
		{MIME "a/b\r\n", AE AE AE "\r\n", "\r\n", false},
		{MIME "a/b\r\n", AE, "\r\n", false},
		{MIME "text/plain\r\n", "abcdefghijk " AE " \r\n", "", true},
		{MIME "text/plain\r\n", "abcdefghijk " AE "\r\n\t\r\n", "",
		 true},
	};
	struct buf in = BUF_INIT(LIMIT), out = BUF_INIT(LIMIT);
	struct buf pieces = BUF_INIT(LIMIT), decoded = BUF_INIT(LIMIT);
	size_t i, k;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		for (k = 0; k < 20; k++) {
			struct outcome o = OUTCOME_INIT;
			struct message m;
			struct content *c;
			struct view body;
			size_t begin;

			buf_clear(&in);
			buf_printf(&in, "%s\r\n", cases[i].header);
			begin = in.n;
			while (in.n < begin + k)
				buf_add_char(&in, '-');
			while (in.n < (k % 2 ? 200000u : 700000u))
				buf_add_text(&in, cases[i].line);
			buf_add_text(&in, cases[i].end);
			read_view(buf_view(&in), &m);
			c = content_new(buf_view(&m.header), &m);
			assert_int_equal(
				content_fit(c, &seven, REENCODE_AUTO, &o), 0);
			pull(c, UINT64_MAX, &out);
			pull(c, 4095 + k, &pieces);
			assert_true(
				view_equal(buf_view(&out), buf_view(&pieces)));
			body = view_of(strstr(out.p, "\r\n\r\n") + 4);
			buf_clear(&decoded);
			if (cases[i].is_qp)
				decode_qp(body, &decoded);
			else
				decode_b64(body, &decoded);
			assert_true(
				view_equal(buf_view(&decoded),
					   view_skip(buf_view(&in), begin)));
			content_free(c);
			message_release(&m);
		}
	buf_release(&in);
	buf_release(&out);
	buf_release(&pieces);
	buf_release(&decoded);
}

static void knows_utf8_addresses(void **state)
{
	static const char *const cases[][2] = {
		{"From: a@b\n\n", NULL},
		{"From: " AE " <a@b>\n\n", NULL},
		{"From: a@b\nTo: " AE "@b\n\n", AE "@b"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct message m;
		struct content *c;

		read_text(cases[i][0], &m);
		c = content_new(buf_view(&m.header), &m);
		if (cases[i][1]) {
			assert_string_equal(content_utf8_address(c),
					    cases[i][1]);
			assert_string_equal(content_utf8_address(c),
					    cases[i][1]);
		} else {
			assert_null(content_utf8_address(c));
			assert_null(content_utf8_address(c));
		}
		content_free(c);
		message_release(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_all_of_it),
		cmocka_unit_test(tells_large_ones),
		cmocka_unit_test(fits_each_way),
		cmocka_unit_test(begins_again),
		cmocka_unit_test(encodes_large_parts),
		cmocka_unit_test(knows_utf8_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
