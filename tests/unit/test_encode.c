/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Base64, hex, xtext, encoded words and JSON: both known answers and rules. */
#include "base/encode.h"

#include "base/text.h"
#include "unit.h"

static void speaks_base64(void **state)
{
	static const struct {
		struct view plain;
		const char *coded;
	} cases[] = {
		{{"", 0}, ""},
		{{"f", 1}, "Zg=="},
		{{"fo", 2}, "Zm8="},
		{{"foo", 3}, "Zm9v"},
		{{"foobar", 6}, "Zm9vYmFy"},
		{{"\0alice\0secret", 13}, "AGFsaWNlAHNlY3JldA=="},
		{{"\xff\xfe\xfd", 3}, "//79"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct buf coded = BUF_INIT(100), plain = BUF_INIT_SECRET(100);

		encode_base64(&coded, cases[i].plain);
		assert_string_equal(coded.p, cases[i].coded);
		assert_true(decode_base64(&plain, buf_view(&coded)));
		assert_true(view_equal(buf_view(&plain), cases[i].plain));
		buf_release(&coded);
		buf_release(&plain);
	}
}

static void refuses_what_is_no_base64(void **state)
{
	static const char *const cases[] = {
		"Z",        "Zg",   "Zg=",        "Zg===", "=",
		"====",     "A===", "Zm9v\r\n",   "Zm 9",  "Zm9-",
		"Zg==Zg==", "Zm=v", "\xc3\xa4Zm",
	};
	struct buf out = BUF_INIT(100);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		assert_false(decode_base64(&out, view_of(cases[i])));
		assert_int_equal(out.n, 0);
	}
}

static void a_long_base64_has_no_line_breaks(void **state)
{
	static char octets[10000];
	struct buf coded = BUF_INIT(20000), plain = BUF_INIT(20000);

	(void)state;
	encode_base64(&coded, view_make(octets, sizeof(octets)));
	assert_int_equal(coded.n, 13336);
	assert_null(memchr(coded.p, '\n', coded.n));
	assert_true(decode_base64(&plain, buf_view(&coded)));
	assert_int_equal(plain.n, sizeof(octets));
	buf_release(&coded);
	buf_release(&plain);
}

static void speaks_hex_and_xtext(void **state)
{
	struct buf out = BUF_INIT(100);

	(void)state;
	encode_hex(&out, VIEW("\x00\x7f\xff"), ':');
	assert_string_equal(out.p, "00:7F:FF");
	buf_clear(&out);
	encode_hex(&out, VIEW("\x0a\xb0"), '\0');
	assert_string_equal(out.p, "0AB0");
	buf_clear(&out);
	encode_xtext(&out, VIEW("a+b=c@d e\xc3\r"));
	assert_string_equal(out.p, "a+2Bb+3Dc@d+20e+C3+0D");
	buf_clear(&out);
	encode_xtext(&out, VIEW("\x7f!~"));
	assert_string_equal(out.p, "+7F!~");
	buf_release(&out);
}

/* RFC 3461 4: xtext is printable ASCII without `+` and `=`, and `+` with two
 * upper-case hex digits. */
static void reads_xtext(void **state)
{
	static const struct {
		struct view coded;
		const char *plain; /* NULL: it is none; NULs shown as '@' */
	} cases[] = {
		{{"", 0}, ""},           {{"a", 1}, "a"},
		{{"!~*", 3}, "!~*"},     {{"a+2Bb+3Dc", 9}, "a+b=c"},
		{{"+20", 3}, " "},       {{"+00", 3}, "@"},
		{{"+41+42", 6}, "AB"},   {{"+FF+0A", 6}, "\xff\n"},
		{{"+2B41", 5}, "+41"},   {{"+", 1}, NULL},
		{{"a+", 2}, NULL},       {{"+4", 2}, NULL},
		{{"a+4", 3}, NULL},      {{"+4g", 3}, NULL},
		{{"+g4", 3}, NULL},      {{"+2b", 3}, NULL},
		{{"++41", 4}, NULL},     {{"+4+41", 5}, NULL},
		{{"a=b", 3}, NULL},      {{"a b", 3}, NULL},
		{{"a\tb", 3}, NULL},     {{"a\r\n", 3}, NULL},
		{{"a\0b", 3}, NULL},     {{"+\0\0", 3}, NULL},
		{{"+4\0", 3}, NULL},     {{"\x7f", 1}, NULL},
		{{"\xc3\xa4", 2}, NULL},
	};
	size_t i, j;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct buf out = BUF_INIT(100);
		bool ok = decode_xtext(&out, cases[i].coded);

		for (j = 0; j < out.n; j++)
			if (!out.p[j])
				out.p[j] = '@';
		if (ok != (cases[i].plain != NULL) ||
		    (ok && strcmp(out.p, cases[i].plain) != 0))
			fail_msg("row %zu: %d, '%s'", i, ok, out.p);
		buf_release(&out);
	}
}

static void any_octet_comes_back_from_xtext(void **state)
{
	struct buf coded = BUF_INIT(1000), plain = BUF_INIT(256);
	char all[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	encode_xtext(&coded, view_make(all, sizeof(all)));
	assert_true(decode_xtext(&plain, buf_view(&coded)));
	assert_true(view_equal(buf_view(&plain), view_make(all, sizeof(all))));
	/* what does not fit was not decoded */
	buf_clear(&plain);
	buf_add_char(&coded, 'x');
	assert_false(decode_xtext(&plain, buf_view(&coded)));
	buf_release(&coded);
	buf_release(&plain);
}

static void speaks_json(void **state)
{
	static const struct {
		struct view raw;
		const char *coded;
	} cases[] = {
		{{"", 0}, "\"\""},
		{{"a\"b\\c/", 6}, "\"a\\\"b\\\\c/\""},
		{{"\b\f\n\r\t", 5}, "\"\\b\\f\\n\\r\\t\""},
		{{"\0\x1f\x7f", 3}, "\"\\u0000\\u001f\\u007f\""},
		{{"bfnrt", 5}, "\"bfnrt\""},
		{{"\xc3\xa4\xf0\x9f\x98\x80", 6},
		 "\"\xc3\xa4\xf0\x9f\x98\x80\""},
		{{"\xff\xc3", 2}, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
		{{"\xc3x", 2}, "\"\xef\xbf\xbdx\""},
		{{"\xed\xa0\x80", 3},
		 "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct buf out = BUF_INIT(100);

		encode_json(&out, cases[i].raw);
		assert_string_equal(out.p, cases[i].coded);
		buf_release(&out);
	}
}

static void writes_short_words(void **state)
{
	static const struct {
		const char *text;
		size_t column;
		const char *coded;
	} cases[] = {
		{"", 0, ""},
		{"J\xc3\xb6rgen", 6, "=?utf-8?Q?J=C3=B6rgen?="},
		{"\xe2\x82\xac\xe2\x82\xac", 0, "=?utf-8?B?4oKs4oKs?="},
		{"a b", 0, "=?utf-8?Q?a_b?="},
		{"a,b_c?=", 0, "=?utf-8?B?YSxiX2M/PQ==?="},
		{"caf\xe9", 0, "=?unknown-8bit?Q?caf=E9?="},
		/* no room on this line: it goes to the next */
		{"J\xc3\xb6rgen", 70, "\r\n =?utf-8?Q?J=C3=B6rgen?="},
		{"J\xc3\xb6rgen", 5000, "\r\n =?utf-8?Q?J=C3=B6rgen?="},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct buf out = BUF_INIT(1000);

		encode_words(&out, view_of(cases[i].text), cases[i].column);
		assert_string_equal(out.p, cases[i].coded);
		buf_release(&out);
	}
}

static int hex_value(char c)
{
	return text_is_digit(c) ? c - '0' : c - 'A' + 10;
}

/* One word, decoded; it must keep RFC 2047's rules by itself. */
static void decode_word(struct view word, struct buf *out)
{
	struct buf plain = BUF_INIT(100);
	struct view text;
	const char *mark;
	bool utf8;
	size_t i;

	assert_in_range(word.n, 9, 75);
	assert_memory_equal(word.p, "=?", 2);
	utf8 = view_starts_nocase(word, VIEW("=?utf-8?"));
	mark = memchr(word.p + 2, '?', word.n - 2);
	assert_non_null(mark);
	assert_int_equal(mark[2], '?');
	assert_memory_equal(word.p + word.n - 2, "?=", 2);
	text = view_make(mark + 3, (size_t)(word.p + word.n - 2 - mark - 3));
	if (mark[1] == 'B') {
		assert_true(decode_base64(&plain, text));
	} else {
		for (i = 0; i < text.n; i++) {
			char c = text.p[i];

			if (c == '=') {
				c = (char)(hex_value(text.p[i + 1]) << 4 |
					   hex_value(text.p[i + 2]));
				i += 2;
			} else if (c == '_') {
				c = ' ';
			}
			buf_add_char(&plain, c);
		}
	}
	if (utf8)
		assert_true(view_is_utf8(buf_view(&plain)));
	buf_add_view(out, buf_view(&plain));
	buf_release(&plain);
}

static void check_words(struct view text, size_t column)
{
	struct buf out = BUF_INIT(100000), back = BUF_INIT(100000);
	struct view rest, line;
	const char *lf;

	encode_words(&out, text, column);
	rest = buf_view(&out);
	while (rest.n) {
		lf = memchr(rest.p, '\n', rest.n);
		line = view_make(rest.p,
				 lf ? (size_t)(lf - rest.p) + 1 : rest.n);
		rest = view_skip(rest, line.n);
		line = view_trim(line);
		assert_true(!line.n || column + line.n <= 76);
		if (line.n)
			decode_word(line, &back);
		column = 1;
	}
	assert_true(view_equal(buf_view(&back), text));
	buf_release(&out);
	buf_release(&back);
}

/* Whatever the length and the place on the line, words keep the rules and
 * give the text again. */
static void any_text_comes_back(void **state)
{
	static const char *const atoms[] = {
		"x",
		"\xc3\xa4",
		"\xe2\x82\xac",
		"\xf0\x9f\x98\x80",
		"\xff",
		"ab \xc3\xa4",
		" ",
		"=",
	};
	size_t i, n, column;

	(void)state;
	for (i = 0; i < N_OF(atoms); i++) {
		struct buf text = BUF_INIT(10000);

		for (n = 0; n < 90; n++) {
			for (column = 0; column < 90; column += 9)
				check_words(buf_view(&text), column);
			buf_add_text(&text, atoms[i]);
		}
		buf_release(&text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speaks_base64),
		cmocka_unit_test(refuses_what_is_no_base64),
		cmocka_unit_test(a_long_base64_has_no_line_breaks),
		cmocka_unit_test(speaks_hex_and_xtext),
		cmocka_unit_test(reads_xtext),
		cmocka_unit_test(any_octet_comes_back_from_xtext),
		cmocka_unit_test(speaks_json),
		cmocka_unit_test(writes_short_words),
		cmocka_unit_test(any_text_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
