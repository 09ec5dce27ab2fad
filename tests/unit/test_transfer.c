/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quoted-printable and base64, written in pieces of any size. */
#include "mail/transfer.h"

#include "../fuzz/decode.h"
#include "base/text.h"
#include "unit.h"

#define LIMIT 100000u /* octets of anything here */

#define X10 "xxxxxxxxxx"
#define X70 X10 X10 X10 X10 X10 X10 X10
#define X74 X70 "xxxx"
#define X75 X74 "x"
#define X76 X75 "x"

struct sample {
	enum transfer kind;
	struct view in;
	const char *out;
};

static const struct sample samples[] = {
	{TRANSFER_QP, VIEW(""), ""},
	{TRANSFER_QP, VIEW("x"), "x"},
	{TRANSFER_QP, VIEW("x\r\n"), "x\r\n"},
	{TRANSFER_QP, VIEW("\r\n\r\n"), "\r\n\r\n"},
	{TRANSFER_QP, VIEW("a=b"), "a=3Db"},
	{TRANSFER_QP, VIEW("\xc3\xa4\xff"), "=C3=A4=FF"},
	{TRANSFER_QP, VIEW("!\"#$%&'()*+,-./09:;<>?@AZ[\\]^_`az{|}~"),
	 "!\"#$%&'()*+,-./09:;<>?@AZ[\\]^_`az{|}~"},
	/* what is no printable ASCII is not to be in it, RFC 2045 6.7 (1) */
	{TRANSFER_QP, VIEW("\0\x01\x0b\x0c\x1b\x7f"), "=00=01=0B=0C=1B=7F"},
	/* only CRLF is a line end */
	{TRANSFER_QP, VIEW("a\rb"), "a=0Db"},
	{TRANSFER_QP, VIEW("a\nb"), "a=0Ab"},
	{TRANSFER_QP, VIEW("a\r\r\nb"), "a=0D\r\nb"},
	{TRANSFER_QP, VIEW("a\n\r\n"), "a=0A\r\n"},
	{TRANSFER_QP, VIEW("a\n\r"), "a=0A=0D"},
	{TRANSFER_QP, VIEW("\r"), "=0D"},
	{TRANSFER_QP, VIEW("\n"), "=0A"},
	{TRANSFER_QP, VIEW("\r\r\r\n\n"), "=0D=0D\r\n=0A"},
	/* blanks: kept, but for the last of a line, (3) */
	{TRANSFER_QP, VIEW(" a \tb"), " a \tb"},
	{TRANSFER_QP, VIEW("a \r\n"), "a=20\r\n"},
	{TRANSFER_QP, VIEW("a\t\r\n"), "a=09\r\n"},
	{TRANSFER_QP, VIEW("a  \r\n"), "a =20\r\n"},
	{TRANSFER_QP, VIEW("a \t\r\nb"), "a =09\r\nb"},
	{TRANSFER_QP, VIEW("a "), "a=20"},
	{TRANSFER_QP, VIEW("\t"), "=09"},
	{TRANSFER_QP, VIEW(" \r\n \r\n"), "=20\r\n=20\r\n"},
	{TRANSFER_QP, VIEW(" \n"), " =0A"},
	/* (5) */
	{TRANSFER_QP, VIEW(X75), X75},
	{TRANSFER_QP, VIEW(X75 "\r\n" X75 "\r\n"), X75 "\r\n" X75 "\r\n"},

	{TRANSFER_BASE64, VIEW(""), ""},
	{TRANSFER_BASE64, VIEW("f"), "Zg=="},
	{TRANSFER_BASE64, VIEW("fo"), "Zm8="},
	{TRANSFER_BASE64, VIEW("foo"), "Zm9v"},
	{TRANSFER_BASE64, VIEW("foobar\r\n"), "Zm9vYmFyDQo="},
	{TRANSFER_BASE64, VIEW("\0\xff\xfe\xfd\xfb\xf0"), "AP/+/fvw"},

	/* what is right already stays */
	{TRANSFER_QP_AGAIN, VIEW(""), ""},
	{TRANSFER_QP_AGAIN, VIEW("a=3Db=20\r\nc"), "a=3Db=20\r\nc"},
	{TRANSFER_QP_AGAIN, VIEW(X75 "\r\n"), X75 "\r\n"},
	{TRANSFER_QP_AGAIN, VIEW("=C3=A4"), "=C3=A4"},
	/* what is not printable ASCII */
	{TRANSFER_QP_AGAIN, VIEW("a\xc3\xa4"), "a=C3=A4"},
	{TRANSFER_QP_AGAIN, VIEW("a\0b\x01\x7f"), "a=00b=01=7F"},
	{TRANSFER_QP_AGAIN, VIEW("a\rb\nc"), "a=0Db=0Ac"},
	/* a `=` that begins nothing is meant */
	{TRANSFER_QP_AGAIN, VIEW("a=b"), "a=3Db"},
	{TRANSFER_QP_AGAIN, VIEW("1=1"), "1=3D1"},
	{TRANSFER_QP_AGAIN, VIEW("a=4xb"), "a=3D4xb"},
	{TRANSFER_QP_AGAIN, VIEW("==41"), "=3D=41"},
	{TRANSFER_QP_AGAIN, VIEW("=\xc3\xa4"), "=3D=C3=A4"},
};

/* Feed it in pieces of `step` octets. */
static void encode(enum transfer kind, struct view in, size_t step,
		   struct buf *out)
{
	struct encoder e = ENCODER_INIT(kind);

	buf_clear(out);
	for (; in.n; in = view_skip(in, step))
		encoder_feed(&e, view_make(in.p, in.n < step ? in.n : step),
			     out);
	encoder_feed(&e, VIEW(""), out);
	encoder_finish(&e, out);
	assert_false(out->overflow);
}

static void known_answers(void **state)
{
	struct buf out = BUF_INIT(LIMIT);
	size_t i, step;

	(void)state;
	for (i = 0; i < N_OF(samples); i++)
		for (step = 1; step <= samples[i].in.n + 1; step++) {
			encode(samples[i].kind, samples[i].in, step, &out);
			assert_string_equal(out.p, samples[i].out);
		}
	buf_release(&out);
}

/* RFC 2045 6.7 and 6.8, and what transfer.h says besides. */
static void check_lines(struct view out, enum transfer kind)
{
	bool is_qp = kind == TRANSFER_QP || kind == TRANSFER_QP_AGAIN;
	bool after_soft = false;
	struct view line;

	for (; out.n; out = view_skip(out, line.n + 2)) {
		size_t i;

		line = view_make(out.p, line_length(out));
		assert_in_range(line.n, is_qp ? 0 : 1, TRANSFER_LINE_MAX);
		for (i = 0; i < line.n; i++)
			assert_true((line.p[i] >= ' ' && line.p[i] < 127) ||
				    line.p[i] == '\t');
		/* those that were there already may stay */
		if (kind != TRANSFER_QP_AGAIN)
			assert_int_equal(without_blanks(line), line.n);
		if (after_soft && line.n)
			assert_int_not_equal(line.p[0], '-');
		for (i = 0; is_qp && i < line.n; i++)
			if (line.p[i] == '=' && i + 1 < line.n)
				assert_true(
					is_hex_pair(view_skip(line, i + 1)));
		after_soft = line.n && line.p[line.n - 1] == '=';
	}
	/* a soft line break leads somewhere, but for one that was there */
	if (kind == TRANSFER_QP)
		assert_false(after_soft);
}

static void decode(enum transfer kind, struct view in, struct buf *out)
{
	buf_clear(out);
	if (kind == TRANSFER_QP || kind == TRANSFER_QP_AGAIN)
		decode_qp(in, out);
	else
		decode_b64(in, out);
}

static void comes_back(enum transfer kind, struct view in)
{
	bool is_again = kind == TRANSFER_QP_AGAIN ||
		kind == TRANSFER_BASE64_AGAIN;
	struct buf out = BUF_INIT(LIMIT), pieces = BUF_INIT(LIMIT);
	struct buf wanted = BUF_INIT(LIMIT), got = BUF_INIT(LIMIT);

	encode(kind, in, SIZE_MAX, &out);
	encode(kind, in, 1, &pieces);
	assert_true(view_equal(buf_view(&out), buf_view(&pieces)));
	encode(kind, in, 7, &pieces);
	assert_true(view_equal(buf_view(&out), buf_view(&pieces)));
	check_lines(buf_view(&out), kind);
	decode(kind, buf_view(&out), &got);
	if (is_again)
		decode(kind, in, &wanted);
	else
		buf_add_view(&wanted, in);
	assert_true(view_equal(buf_view(&got), buf_view(&wanted)));
	buf_release(&out);
	buf_release(&pieces);
	buf_release(&wanted);
	buf_release(&got);
}

/* Every length up to some lines of every kind of octet. */
static void any_run_comes_back(void **state)
{
	static const struct view atoms[] = {
		VIEW("x"),        VIEW(" "),      VIEW("\t"),    VIEW("\xc3"),
		VIEW("="),        VIEW("-"),      VIEW("--x"),   VIEW("\r"),
		VIEW("\n"),       VIEW("\r\n"),   VIEW(" \r\n"), VIEW("\0"),
		VIEW("xx\xc3"),   VIEW("x "),     VIEW("=3D"),   VIEW("=4"),
		VIEW("=\r\n"),    VIEW("x=\r\n"), VIEW("-="),    VIEW("=2d-"),
		VIEW(" =\r\n-x"), VIEW("= \r\n"), VIEW("QUJD"),  VIEW("Q*"),
	};
	static const enum transfer kinds[] = {
		TRANSFER_QP,
		TRANSFER_BASE64,
		TRANSFER_QP_AGAIN,
		TRANSFER_BASE64_AGAIN,
	};
	size_t i, k, n;

	(void)state;
	for (i = 0; i < N_OF(atoms); i++) {
		struct buf in = BUF_INIT(LIMIT);

		for (n = 0; n < 200; n++) {
			for (k = 0; k < N_OF(kinds); k++)
				comes_back(kinds[k], buf_view(&in));
			buf_add_view(&in, atoms[i]);
		}
		buf_release(&in);
	}
}

/* Whatever stands about the place where a line has to be broken. */
static void any_line_length_comes_back(void **state)
{
	static const char *const tails[] = {
		"",          "y",           "\r\n",
		" ",         " \r\n",       "\t\r\n",
		"  ",        "\xc3\xa4",    "=",
		"=\r\n",     "-",           "--y",
		"--y\r\n",   "\xc3\r\n",    "\r",
		"\n",        "\r\r\n",      " \xc3",
		"  \xc3 ",   "= \r\n",      "=3D",
		"=3D\r\n",   "=3Dy",        "=\r\n--y",
		"=3",        "==",          "=  \t\r\n",
		"=\r\n\r\n", " =\r\n\ty",   " =\r\n\r\n",
		"\t=\r\n",   " =\r\n \r\n", " =\r\n=\r\n\r\n",
		" = \r\n=",  "=\r\n=\r\n",
	};
	size_t i, n;

	(void)state;
	for (i = 0; i < N_OF(tails); i++)
		for (n = 60; n < 170; n++) {
			struct buf in = BUF_INIT(LIMIT);

			while (in.n < n)
				buf_add_char(&in, 'x');
			buf_add_text(&in, tails[i]);
			comes_back(TRANSFER_QP, buf_view(&in));
			comes_back(TRANSFER_QP_AGAIN, buf_view(&in));
			buf_release(&in);
		}
}

/* Soft line breaks are where the lines now end, and nowhere else. */
static void joins_soft_breaks(void **state)
{
	static const struct {
		const char *in, *decoded;
	} cases[] = {
		{"a=\r\nb\r\n", "ab\r\n"},
		{"a= \t\r\nb", "ab"},
		{X75 "=\r\n" X75 "=\r\ny\xc3\xa4", X75 X75 "y\xc3\xa4"},
		{X76 X76 "=\r\n\r\n", X76 X76 "\r\n"},
		/* nothing is behind it, not even a line end */
		{"a\xc3\xa4=\r\n", "a\xc3\xa4"},
		{"a\xc3\xa4=", "a\xc3\xa4"},
		/* blanks at a line's end are no text, RFC 2045 6.7 (3) */
		{"a \t\r\n\xc3\xa4 ", "a\r\n\xc3\xa4"},
		{"a=20 \r\n", "a \r\n"},
		/* but ahead of a soft break they are */
		{"a =\r\n\r\n", "a \r\n"},
		{"a =\r\n \r\n", "a \r\n"},
		{"a\t=\r\n", "a\t"},
		{"a =", "a "},
		{"=c3=a4", "\xc3\xa4"},
	};
	struct buf out = BUF_INIT(LIMIT), decoded = BUF_INIT(LIMIT);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		encode(TRANSFER_QP_AGAIN, view_of(cases[i].in), SIZE_MAX, &out);
		decode(TRANSFER_QP, buf_view(&out), &decoded);
		assert_string_equal(decoded.p, cases[i].decoded);
		comes_back(TRANSFER_QP_AGAIN, view_of(cases[i].in));
	}
	buf_release(&out);
	buf_release(&decoded);
}

/* A line that this program began must not be taken for the end of a part. */
static void makes_no_boundary(void **state)
{
	static const enum transfer kinds[] = {TRANSFER_QP, TRANSFER_QP_AGAIN};
	struct buf in = BUF_INIT(LIMIT), out = BUF_INIT(LIMIT);
	size_t n, k;

	(void)state;
	for (n = 60; n < 90; n++)
		for (k = 0; k < N_OF(kinds); k++) {
			buf_clear(&in);
			while (in.n < n)
				buf_add_char(&in, 'x');
			buf_add_text(&in, "--------------");
			encode(kinds[k], buf_view(&in), SIZE_MAX, &out);
			assert_null(strstr(out.p, "\n-"));
			if (n > 62 && n < 75)
				assert_non_null(strstr(out.p, "\n=2D"));
		}
	/* one that was there is not changed, as it was none */
	encode(TRANSFER_QP, VIEW("-x\r\n-\r\n"), SIZE_MAX, &out);
	assert_string_equal(out.p, "-x\r\n-\r\n");
	buf_release(&in);
	buf_release(&out);
}

static void wraps_base64_again(void **state)
{
	static const struct {
		struct view in;
		const char *out;
	} cases[] = {
		{VIEW(""), ""},
		{VIEW("\r\n\r\n"), ""},
		{VIEW("Zg==\r\n"), "Zg=="},
		{VIEW("Zm\r\n9v\r\n"), "Zm9v"},
		{VIEW(" Z*m\t9\xc3\xa4v\0\r-._"), "Zm9v"},
		{VIEW(X76), X76},
		{VIEW(X76 "\r\n"), X76},
		{VIEW(X76 "xxxx"), X76 "\r\nxxxx"},
		{VIEW("xxxx\r\n" X76), X76 "\r\nxxxx"},
		{VIEW(X76 X76 X76 "\r\n"), X76 "\r\n" X76 "\r\n" X76},
	};
	struct buf out = BUF_INIT(LIMIT);
	size_t i, step;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		for (step = 1; step <= cases[i].in.n + 1; step++) {
			encode(TRANSFER_BASE64_AGAIN, cases[i].in, step, &out);
			assert_string_equal(out.p, cases[i].out);
		}
	buf_release(&out);
}

/* Behind 57 octets a line is full; the next begins with the next octet. */
static void base64_lines_are_full(void **state)
{
	static char octets[10000];
	struct buf out = BUF_INIT(LIMIT);
	size_t n;

	(void)state;
	for (n = 0; n <= 600; n++) {
		struct view rest;

		encode(TRANSFER_BASE64, view_make(octets, n), 1 + n / 3, &out);
		assert_int_equal(out.n, encoder_base64_size(n));
		assert_true(!n || out.p[out.n - 1] != '\n');
		for (rest = buf_view(&out); rest.n > 76;
		     rest = view_skip(rest, 78)) {
			assert_int_equal(line_length(rest), 76);
			assert_in_range(rest.n, 79, LIMIT);
		}
	}
	buf_release(&out);
}

static void base64_sizes(void **state)
{
	static const struct {
		unsigned long long octets, size;
	} cases[] = {
		{0, 0},
		{1, 4},
		{3, 4},
		{4, 8},
		{57, 76},
		{58, 76 + 2 + 4},
		{114, 76 + 2 + 76},
		{115, 76 + 2 + 76 + 2 + 4},
		{57ull << 30, (78ull << 30) - 2},
		{57ull << 50, (78ull << 50) - 2},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		assert_true(encoder_base64_size(cases[i].octets) ==
			    cases[i].size);
}

/* However many blanks, and however they come. */
static void many_blanks(void **state)
{
	static const char *const tails[] = {"", "\r\n", "x", "=\r\n", "\xc3"};
	static const size_t steps[] = {1, 7, 899, 900, 901, 1023, 1024, 2000};
	struct buf in = BUF_INIT(LIMIT), out = BUF_INIT(LIMIT);
	struct buf pieces = BUF_INIT(LIMIT);
	size_t i, k, n;

	(void)state;
	for (n = 700; n < 5000; n += n < 1100 ? 1 : 331)
		for (i = 0; i < N_OF(tails); i++) {
			buf_clear(&in);
			buf_add_text(&in, n % 2 ? "=" : "x");
			while (in.n < n)
				buf_add_char(&in, in.n % 3 ? ' ' : '\t');
			buf_add_text(&in, tails[i]);
			comes_back(TRANSFER_QP, buf_view(&in));
			/* so many are text, whatever follows */
			if (n < 900 || i == 2 || i == 4)
				comes_back(TRANSFER_QP_AGAIN, buf_view(&in));
			encode(TRANSFER_QP_AGAIN, buf_view(&in), SIZE_MAX,
			       &out);
			check_lines(buf_view(&out), TRANSFER_QP_AGAIN);
			for (k = 0; k < N_OF(steps); k++) {
				encode(TRANSFER_QP_AGAIN, buf_view(&in),
				       steps[k], &pieces);
				assert_string_equal(pieces.p, out.p);
			}
		}
	buf_release(&in);
	buf_release(&out);
	buf_release(&pieces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(any_run_comes_back),
		cmocka_unit_test(any_line_length_comes_back),
		cmocka_unit_test(joins_soft_breaks),
		cmocka_unit_test(makes_no_boundary),
		cmocka_unit_test(wraps_base64_again),
		cmocka_unit_test(base64_lines_are_full),
		cmocka_unit_test(base64_sizes),
		cmocka_unit_test(many_blanks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
