/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A header that must say something differently: which lines change, and how. */
#include "mail/rewrite.h"

#include "../fuzz/decode.h"
#include "base/text.h"
#include "unit.h"

#define LIMIT 100000u
#define AE    "\xc3\xa4"
#define QP    "Content-Transfer-Encoding: quoted-printable\r\n"

static const char quoted[] = "quoted-printable";

static const struct {
	struct rewrite r;
	const char *in, *out;
} samples[] = {
	/* nothing is asked for: octet by octet */
	{{NULL, NULL, false, false, false}, "", ""},
	{{NULL, NULL, false, false, false},
	 "a : b \r\n\tc\r\nD:\r\nContent-Transfer-Encoding:x\r\n",
	 "a : b \r\n\tc\r\nD:\r\nContent-Transfer-Encoding:x\r\n"},
	{{NULL, NULL, false, false, false}, "A: " AE "\r\n", "A: " AE "\r\n"},
	{{NULL, NULL, false, true, false}, "A:  b \r\n", "A:  b \r\n"},
	/* the encoding: in its place, else at the end, and only once */
	{{quoted, NULL, false, false, false}, "", QP},
	{{quoted, NULL, false, false, false}, "A: b\r\n", "A: b\r\n" QP},
	{{quoted, NULL, false, false, false},
	 "A: b\r\nContent-Transfer-Encoding: 8bit\r\nC: d\r\n",
	 "A: b\r\n" QP "C: d\r\n"},
	{{quoted, NULL, false, false, false},
	 "content-transfer-encoding :\r\n (x)\r\n 8bit\r\nC: d\r\n",
	 QP "C: d\r\n"},
	{{quoted, NULL, false, false, false},
	 "Content-Transfer-Encoding: 8bit\r\nC: d\r\n"
	 "CONTENT-TRANSFER-ENCODING: base64\r\n",
	 QP "C: d\r\n"},
	{{quoted, NULL, false, false, false},
	 "X-Content-Transfer-Encoding: 8bit\r\n",
	 "X-Content-Transfer-Encoding: 8bit\r\n" QP},
	/* what a message without MIME lacks */
	{{quoted, "utf-8", true, false, false},
	 "A: b\r\n",
	 "A: b\r\nMIME-Version: 1.0\r\n"
	 "Content-Type: text/plain; charset=utf-8\r\n" QP},
	{{NULL, NULL, true, false, false},
	 "A: b\r\n",
	 "A: b\r\nMIME-Version: 1.0\r\n"},
	{{NULL, "us-ascii", false, false, false},
	 "",
	 "Content-Type: text/plain; charset=us-ascii\r\n"},
	{{quoted, "unknown-8bit", true, true, false},
	 "Content-Transfer-Encoding: 8bit\r\nSubject: " AE "\r\n",
	 QP "Subject: =?utf-8?B?w6Q=?=\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=unknown-8bit\r\n"},
	/* ASCII, field by field */
	{{NULL, NULL, false, true, false},
	 "A:  b \r\nSubject: " AE "\r\nC: d\r\n",
	 "A:  b \r\nSubject: =?utf-8?B?w6Q=?=\r\nC: d\r\n"},
	{{NULL, NULL, false, true, true},
	 "Subject: " AE "\r\nX: \xe9\r\n",
	 "Subject: " AE "\r\nX: =?unknown-8bit?Q?=E9?=\r\n"},
	{{NULL, NULL, false, true, true},
	 "To: j" AE "@b\r\n",
	 "To: j" AE "@b\r\n"},
};

static void rewrites(void **state)
{
	struct outcome o = OUTCOME_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(samples); i++) {
		struct buf out = BUF_INIT(LIMIT);

		buf_add_text(&out, "X: y\r\n");
		assert_int_equal(rewrite_header(view_of(samples[i].in),
						&samples[i].r, &out, &o),
				 0);
		buf_consume(&out, 6);
		assert_string_equal(out.p, samples[i].out);
		assert_int_equal(rewrite_check(view_of(samples[i].in), &o), 0);
		buf_release(&out);
	}
	assert_false(outcome_is_failure(&o));
}

/* `n` octets in a line, without its CRLF. */
static void add_long(struct buf *out, const char *name, const char *atom,
		     size_t n)
{
	size_t begin = out->n;

	buf_add_text(out, name);
	while (out->n < begin + n)
		buf_add_char(out, atom[(out->n - begin) % strlen(atom)]);
	buf_add_text(out, "\r\n");
}

static void folds_long_lines(void **state)
{
	static const struct {
		const char *name, *atom;
		size_t n;
		bool is_long, folds;
	} cases[] = {
		{"A: ", "x", 998, false, true},
		{"A: ", "x", 1000, true, true},
		{"A: ", "x", 1001, true, false},
		{"A: ", "xxx ", 998, false, true},
		{"A: ", "xxx ", 999, true, true},
		{"A: ", "xxx ", 50000, true, true},
		{"References: ", "<abc@def.example> ", 5000, true, true},
		/* a comma ends an address, and means nothing elsewhere */
		{"To: ", "a@b,", 5000, true, true},
		{"Resent-Cc: ", "a@b,", 5000, true, true},
		{"Reply-To: ", "a@b,", 5000, true, true},
		{"X-To: ", "a@b,", 5000, true, false},
		/* long only until it is encoded */
		{"Subject: ", AE, 1201, true, true},
		{"Subject: ", "\xe9", 30000, true, true},
		{"Content-Type: a/b; c=", AE, 5001, true, true},
	};
	const struct rewrite r = {.to_ascii = true};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct buf in = BUF_INIT(LIMIT), out = BUF_INIT(LIMIT);
		struct outcome o = OUTCOME_INIT;
		int rc;

		buf_add_text(&in, "First: x\r\n");
		add_long(&in, cases[i].name, cases[i].atom, cases[i].n);
		buf_add_text(&in, "Last: y\r\n");
		assert_int_equal(rewrite_has_long_line(buf_view(&in)),
				 cases[i].is_long);
		rc = rewrite_header(buf_view(&in), &r, &out, &o);
		assert_int_equal(rc, cases[i].folds ? 0 : -1);
		if (cases[i].folds) {
			assert_false(rewrite_has_long_line(buf_view(&out)));
			assert_false(view_has_8bit(buf_view(&out)));
			assert_memory_equal(out.p, "First: x\r\n", 10);
			assert_string_equal(out.p + out.n - 9, "Last: y\r\n");
		} else {
			char name[20];

			assert_int_equal(o.cause, CAUSE_CONTENT);
			assert_string_equal(o.status, "5.6.0");
			snprintf(name, sizeof(name), "%s", cases[i].name);
			*strchr(name, ':') = '\0';
			assert_non_null(strstr(o.text, name));
		}
		outcome_release(&o);
		buf_release(&in);
		buf_release(&out);
	}
}

static void refuses(void **state)
{
	static const struct {
		struct view header;
		const char *name;
	} cases[] = {
		{VIEW("A: b\r\nX-Nul: a\0b\r\n"), "X-Nul"},
		{VIEW("X-Nul: b\r\n \0\r\nA: b\r\n"), "X-Nul"},
		{VIEW("A: b\r\nX-Cr: a\rb\r\n"), "X-Cr"},
		{VIEW("X-Cr: a\r\r\n"), "X-Cr"},
		{VIEW("X-Cr: a\r\r\nX-Nul: \0\r\n"), "X-Cr"},
		{VIEW("A: b\r\nX-Cr:\r\r\n c\r\n"), "X-Cr"},
	};
	static const struct rewrite ways[] = {
		{0},
		{.to_ascii = true},
		{.to_ascii = true, .keep_utf8 = true},
		{.encoding = quoted},
	};
	size_t i, k;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		for (k = 0; k < N_OF(ways); k++) {
			struct buf out = BUF_INIT(LIMIT);
			struct outcome o = OUTCOME_INIT;

			assert_int_equal(rewrite_header(cases[i].header,
							&ways[k], &out, &o),
					 -1);
			assert_int_equal(o.cause, CAUSE_CONTENT);
			assert_string_equal(o.status, "5.6.0");
			assert_non_null(strstr(o.text, cases[i].name));
			outcome_release(&o);
			assert_int_equal(rewrite_check(cases[i].header, &o),
					 -1);
			assert_non_null(strstr(o.text, cases[i].name));
			outcome_release(&o);
			buf_release(&out);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rewrites),
		cmocka_unit_test(folds_long_lines),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
