/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fields in ASCII: what they say, read by another, is what they said. */
#include "mail/encoded.h"

#include "../fuzz/decode.h"
#include "base/text.h"
#include "mail/media.h"
#include "unit.h"

#define LIMIT 1000000u

#define AE    "\xc3\xa4"
#define OE    "\xc3\xb6"
#define UE    "\xc3\xbc"
#define CODED "=?utf-8?B?SsO2cmc=?="
#define JOERG "J" OE "rg"

static void encode(const char *text, struct buf *out)
{
	struct field f;

	assert_true(field_cut(view_of(text), &f));
	assert_int_equal(f.raw.n, strlen(text));
	buf_clear(out);
	encoded_field(&f, out);
}

/* One field, ASCII, its words within RFC 2047 2's limits and each UTF-8 by
 * itself if it says so. */
static void check_form(struct view out)
{
	struct view rest;
	struct field f;
	struct coded_word w;

	assert_false(view_has_8bit(out));
	assert_true(field_cut(out, &f));
	assert_int_equal(f.raw.n, out.n);
	assert_memory_equal(out.p + out.n - 2, "\r\n", 2);
	for (rest = out; rest.n; rest = view_skip(rest, w.n ? w.n : 1)) {
		struct buf text = BUF_INIT(1000);

		w = cut_word(rest);
		if (w.n && view_equal_nocase(w.charset, VIEW("utf-8"))) {
			assert_in_range(w.n, 1, 75);
			decode_word(&w, &text);
			assert_true(view_is_utf8(buf_view(&text)));
		}
		buf_release(&text);
	}
	for (rest = out; rest.n; rest = view_skip(rest, w.n)) {
		w.n = line_length(rest) + 2;
		assert_true(view_trim(view_make(rest.p, w.n)).n > 0);
	}
}

static void decode(struct view in, const char *before, const char *behind,
		   struct buf *out)
{
	struct buf plain = BUF_INIT(LIMIT);

	size_t colon = (size_t)((const char *)memchr(in.p, ':', in.n) - in.p);

	unfold(view_make(in.p, in.n - 2), &plain);
	buf_clear(out);
	buf_add(out, in.p, colon + 1);
	decode_words(view_skip(buf_view(&plain), colon + 1), before, behind,
		     out);
	buf_add_text(out, "\r\n");
	buf_release(&plain);
}

static const char *const unchanged[] = {
	"Subject: x\r\n",
	"Subject:\r\n",
	"Subject :  a\tb \r\n\t c \r\n",
	"Subject: =?utf-8?Q?x?= =?x\r\n",
	"From: \"a\\\"b\" (c) <d@e>, ;;\r\n",
	"To: <@a:b@c>\r\n c\r\n",
	"From: <<<\r\n",
	"Content-Type: text/plain;\r\n\tcharset=\"x\"; a*0*=b''c\r\n",
	"Content-Type: ;;;\r\n",
	"X: \x01\x7f\r\n",
};

static void leaves_ascii_alone(void **state)
{
	struct buf out = BUF_INIT(LIMIT);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(unchanged); i++) {
		encode(unchanged[i], &out);
		assert_string_equal(out.p, unchanged[i]);
	}
	buf_release(&out);
}

static void known_answers(void **state)
{
	static const char *const cases[][2] = {
		{"Subject: " JOERG "\r\n", "Subject: " CODED "\r\n"},
		{"Subject: a " JOERG " b\r\n", "Subject: a " CODED " b\r\n"},
		{"Subject: caf\xe9\r\n",
		 "Subject: =?unknown-8bit?Q?caf=E9?=\r\n"},
		/* a blank between two is in them, RFC 2047 6.2 */
		{"Subject: " AE " " AE "\r\n",
		 "Subject: =?utf-8?B?w6Qgw6Q=?=\r\n"},
		{"From: " JOERG " <a@b>\r\n", "From: " CODED " <a@b>\r\n"},
		{"From: \"" JOERG "\" <a@b>\r\n", "From: " CODED " <a@b>\r\n"},
		{"From: \"" JOERG "\"<a@b>\r\n", "From: " CODED " <a@b>\r\n"},
		{"From: a@b (" JOERG ")\r\n", "From: a@b (" CODED ")\r\n"},
		{"To: a@b" UE ".example\r\n", "To: a@xn--b-eha.example\r\n"},
		{"To: x <a@b" UE ".example>, c@d\r\n",
		 "To: x <a@xn--b-eha.example>, c@d\r\n"},
		{"To: \"a\\\"b\" (c) <d@e>,\r\n " JOERG " <f@g>\r\n",
		 "To: \"a\\\"b\" (c) <d@e>,\r\n " CODED " <f@g>\r\n"},
		{"Content-Disposition: attachment; filename=\"" AE ".txt\"\r\n",
		 "Content-Disposition: attachment;"
		 " filename*=utf-8''%C3%A4.txt\r\n"},
		{"Content-Type: text/plain; name=\xe9.txt; charset=x\r\n",
		 "Content-Type: text/plain; name*=unknown-8bit''%E9.txt;"
		 " charset=x\r\n"},
		{"Content-Type: a/b; n=\"a'b%*(c)" AE "\"\r\n",
		 "Content-Type: a/b; n*=utf-8''a%27b%25%2A%28c%29%C3%A4\r\n"},
		{"Content-Type: a/b; n=\"a\\\"" AE "\"; m=\"\\\"\"\r\n",
		 "Content-Type: a/b; n*=utf-8''a%22%C3%A4; m=\"\\\"\"\r\n"},
		/* extended already, but not in ASCII */
		{"Content-Type: a/b; n*=utf-8''" AE "%20\r\n",
		 "Content-Type: a/b; n*=utf-8''%C3%A4%20\r\n"},
	};
	struct buf out = BUF_INIT(LIMIT);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		encode(cases[i][0], &out);
		assert_string_equal(out.p, cases[i][1]);
		check_form(buf_view(&out));
	}
	buf_release(&out);
}

/* Any text, decoded, is what it was, blanks and line ends aside. */
static void texts_come_back(void **state)
{
	static const char *const cases[] = {
		"Subject: " AE "\r\n",
		"Subject:" AE "\r\n",
		"Subject:  \t " AE "  b\t" AE "\t \r\n",
		"Subject: " AE "\r\n " AE "\r\n\t" AE " b\r\n",
		"Subject: a\r\n " AE "\r\n",
		"Subject: " AE " \xe9 " AE "\r\n",
		"Subject: \xe9 " AE "\xe9\r\n",
		"Subject: (" AE ") <" AE "> \"" AE "\"\r\n",
		/* words that were encoded by others */
		"Subject: =?utf-8?Q?x?= " AE "\r\n",
		"Subject: " AE " =?utf-8?Q?x?=\r\n",
		"Subject: " AE "  \t =?utf-8?Q?x?=\r\n",
		"Subject: =?utf-8?Q?x?= " AE " =?utf-8?Q?y?=\r\n",
		"Subject: =?utf-8?Q?x?= =?utf-8?Q?y?= " AE "\r\n",
		"Subject: =?utf-8?Q?x?= a " AE "\r\n",
		"Subject: =?utf-8?Q?x?=\r\n " AE "\r\n",
		/* what only looks like one */
		"Subject: =?utf-8?Q?" AE "?= b\r\n",
		"Subject: x=?utf-8?Q?x?= " AE "\r\n",
		"Subject: =?utf-8?Q?x?=x " AE "\r\n",
		"Subject: " AE " =?utf-8?Q?x?=x\r\n",
		"Subject: =? " AE " ?=\r\n",
		"Subject: =?utf-8?Q?"
		"?= " AE "\r\n",
		"Subject: =?"
		"?Q?x?= " AE "\r\n",
		"Subject: =?a=b?Q?x?= " AE "\r\n",
		/* addresses that cannot be read, or not be carried */
		"From: " JOERG " <a@b\r\n",
		"From: " JOERG ", x y <\r\n",
		"To: j" OE "@b.example\r\n",
		"To: x <j" OE "@b.example>, a@b\r\n",
		"Cc: \xe9@b\r\n",
		"X-Face: \x01" AE "\x7f\r\n",
	};
	struct buf out = BUF_INIT(LIMIT), is = BUF_INIT(LIMIT);
	struct buf was = BUF_INIT(LIMIT);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		encode(cases[i], &out);
		check_form(buf_view(&out));
		decode(view_of(cases[i]), "", "", &was);
		decode(buf_view(&out), "", "", &is);
		if (!view_equal(buf_view(&is), buf_view(&was)))
			fail_msg("%s%s", cases[i], out.p);
	}
	buf_release(&out);
	buf_release(&was);
	buf_release(&is);
}

/* Parameters that cannot be read are ASCII as well, and the others stay. */
static void broken_parameters_are_ascii(void **state)
{
	static const char *const cases[] = {
		"Content-Type: " AE "/x; a=b\r\n",
		"Content-Type: text/plain; " AE "=b\r\n",
		"Content-Type: text/plain; (" AE ") a=b\r\n",
		"Content-Type: text/plain; a=(" AE ")b\r\n",
		"Content-Type: text/plain; a (" AE ") =b\r\n",
		"Content-Type: text/plain; a=(" AE "\r\n",
		"Content-Disposition: " AE "\r\n",
		"Content-Type: a/b; \xe2=x\r\n",
		"Content-Type: a/b; \xe2=\"" AE "\"\r\n",
		"Content-Type: a/b;\xe2\r\n",
		"Content-Type: (" AE ") a/b; c=d\r\n",
	};
	struct buf in = BUF_INIT(LIMIT), out = BUF_INIT(LIMIT);
	struct media was = MEDIA_INIT, is = MEDIA_INIT;
	struct field f;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		encode(cases[i], &out);
		check_form(buf_view(&out));
	}
	/* behind them and ahead of them there is the boundary */
	for (i = 0; i < 2 * N_OF(cases); i++) {
		const char *tail = strchr(cases[i / 2], ';');

		if (!tail || strchr(tail, '\r') - tail < 3)
			continue;
		buf_clear(&in);
		buf_printf(&in, "Content-Type: multipart/mixed%s%.*s%s\r\n",
			   i % 2 ? "; boundary=b" : "",
			   (int)(strchr(tail, '\r') - tail), tail,
			   i % 2 ? "" : "; boundary=b");
		assert_true(field_cut(buf_view(&in), &f));
		media_parse(&was, f.body);
		encode(in.p, &out);
		check_form(buf_view(&out));
		assert_true(field_cut(buf_view(&out), &f));
		media_parse(&is, f.body);
		if (was.kind != is.kind ||
		    !view_equal(buf_view(&was.boundary),
				buf_view(&is.boundary)))
			fail_msg("%s%s", in.p, out.p);
	}
	media_release(&was);
	media_release(&is);
	buf_release(&in);
	buf_release(&out);
}

/* Long ones too, with no line that has more than 76 octets (RFC 2047 2). */
static void long_texts_come_back(void **state)
{
	static const char *const atoms[] = {
		AE,
		AE " ",
		"ab " AE " ",
		"\xe2\x82\xac",
		"\xf0\x9f\x98\x80",
		"\xe9",
		AE " \xe9 ",
		"a b c d e " AE " ",
		AE "\r\n ",
		AE "  \t",
		"=?x?Q?y?= " AE " ",
	};
	struct buf in = BUF_INIT(LIMIT), out = BUF_INIT(LIMIT);
	struct buf is = BUF_INIT(LIMIT), was = BUF_INIT(LIMIT);
	struct view rest;
	size_t i, n;

	(void)state;
	for (i = 0; i < N_OF(atoms); i++) {
		buf_clear(&in);
		buf_add_text(&in, "Subject: ");
		for (n = 0; n < 300; n++) {
			buf_add_text(&in, atoms[i]);
			buf_add_text(&in, n % 7 ? "" : "x");
			buf_add_text(&in, AE "\r\n");
			encode(in.p, &out);
			check_form(buf_view(&out));
			decode(buf_view(&in), "", "", &was);
			decode(buf_view(&out), "", "", &is);
			assert_string_equal(is.p, was.p);
			for (rest = buf_view(&out); rest.n;
			     rest = view_skip(rest, line_length(rest) + 2))
				if (line_length(rest) > 76)
					fail_msg("%s%s", in.p, out.p);
			buf_truncate(&in, in.n - 4);
		}
	}
	buf_release(&in);
	buf_release(&out);
	buf_release(&is);
	buf_release(&was);
}

/* Names, groups and comments, shown by a reader: with the blanks that RFC 2047
 * 5 (3) wants around a word, and without quotes that it does not need. */
static void addresses_come_back(void **state)
{
	static const char *const cases[][2] = {
		{"From: " JOERG " M. <a@b>\r\n",
		 "From: " JOERG " M. <a@b>\r\n"},
		{"From: \"" JOERG ", M.\" <a@b>\r\n",
		 "From: " JOERG ", M. <a@b>\r\n"},
		{"From: \"a\\\"" OE "\\\\b\" <a@b>\r\n",
		 "From: a\"" OE "\\b <a@b>\r\n"},
		{"From: " JOERG "\r\n <a@b>\r\n", "From: " JOERG " <a@b>\r\n"},
		{"From: A " JOERG " " AE " B <a@b>\r\n",
		 "From: A " JOERG " " AE " B <a@b>\r\n"},
		{"From: A \"" JOERG "\" \"" AE " b\" C <a@b>\r\n",
		 "From: A " JOERG " " AE " b C <a@b>\r\n"},
		{"From: =?utf-8?Q?x?= " AE " <a@b>\r\n",
		 "From: x " AE " <a@b>\r\n"},
		{"From: " AE " =?utf-8?Q?x?= <a@b>\r\n",
		 "From: " AE " x <a@b>\r\n"},
		/* a comma that should not be there is still the word's */
		{"From: " AE " =?utf-8?Q?x,y?= <a@b>\r\n",
		 "From: " AE " x,y <a@b>\r\n"},
		{"From: \"" AE "\"=?utf-8?Q?x,y?= <a@b>\r\n",
		 "From: " AE "=?utf-8?Q?x,y?= <a@b>\r\n"},
		{"From: caf\xe9 " AE " <a@b>\r\n",
		 "From: caf\xe9 " AE " <a@b>\r\n"},
		{"To: " AE ": a@b, " OE " <c@d>;\r\n",
		 "To: " AE " : a@b, " OE " <c@d>;\r\n"},
		{"To: Friends: " OE " <c@d>;, " AE " <e@f>\r\n",
		 "To: Friends: " OE " <c@d>;, " AE " <e@f>\r\n"},
		{"To: " AE ":;\r\n", "To: " AE " :;\r\n"},
		{"To: a@b (x " AE " y), c@d\r\n",
		 "To: a@b (x " AE " y), c@d\r\n"},
		{"To: a@b (" AE " (" OE ") " UE ")\r\n",
		 "To: a@b (" AE " (" OE ") " UE ")\r\n"},
		{"To: (" AE ") a@b (" OE ") (" UE ")\r\n",
		 "To: (" AE ") a@b (" OE ") (" UE ")\r\n"},
		{"To: a@b (" AE "\\)" OE ")\r\n",
		 "To: a@b (" AE ")" OE ")\r\n"},
		{"To: \"a b\"@c (" AE ")\r\n", "To: \"a b\"@c (" AE ")\r\n"},
		{"To: " AE " <@x,@y:\"a b\"@c>\r\n",
		 "To: " AE " <@x,@y:\"a b\"@c>\r\n"},
		/* such a route is of no use, and nobody has to keep it */
		{"To: <@ " AE "x,@y:\"a b\"@c>, <@x (" OE "):d@e>\r\n",
		 "To: <\"a b\"@c>, <d@e>\r\n"},
		{"Reply-To: " AE " <a@b" UE ".example> (" OE "),\r\n"
		 "\t" UE " <c@[192.0.2.1]>\r\n",
		 "Reply-To: " AE " <a@xn--b-eha.example> (" OE "),"
		 "\t" UE " <c@[192.0.2.1]>\r\n"},
		{"Resent-To: " AE " <a@b>\r\n", "Resent-To: " AE " <a@b>\r\n"},
		/* a blank is put in where there was none */
		{"To: a@b," AE " <c@d>\r\n", "To: a@b, " AE " <c@d>\r\n"},
		{"To: x:" AE " <c@d>;\r\n", "To: x: " AE " <c@d>;\r\n"},
		{"To: a@b,\"" AE "\" <c@d>\r\n", "To: a@b, " AE " <c@d>\r\n"},
		{"To: a@b(" AE ")," AE "<c@d>\r\n",
		 "To: a@b(" AE "), " AE " <c@d>\r\n"},
		{"Sender: " AE " <a@b>\r\n", "Sender: " AE " <a@b>\r\n"},
	};
	struct buf out = BUF_INIT(LIMIT), is = BUF_INIT(LIMIT);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		encode(cases[i][0], &out);
		check_form(buf_view(&out));
		decode(buf_view(&out), "(", ")", &is);
		if (strcmp(is.p, cases[i][1]) != 0)
			fail_msg("%sis not\n%sbut\n%s", is.p, cases[i][1],
				 out.p);
	}
	buf_release(&out);
	buf_release(&is);
}

/* RFC 2231 3, 4: the value of a parameter, its segments put together. */
static void decode_parameter(struct view field, const char *name,
			     struct buf *out)
{
	const char *semicolon = memchr(field.p, ';', field.n);
	struct view rest = view_make(
		semicolon, (size_t)(field.p + field.n - 2 - semicolon));
	struct buf key = BUF_INIT(200);
	struct parameter p;
	size_t i, n = 0;

	while (media_next_parameter(&rest, &p)) {
		assert_memory_equal(p.name.p, name, strlen(name));
		buf_clear(&key);
		if (n ||
		    !view_equal(view_skip(p.name, strlen(name)), VIEW("*")))
			buf_printf(&key, "%s*%zu*", name, n);
		else
			buf_printf(&key, "%s*", name);
		assert_true(view_equal(p.name, buf_view(&key)));
		if (!n) {
			assert_true(
				view_starts_nocase(p.value, VIEW("utf-8''")) ||
				view_starts_nocase(p.value,
						   VIEW("unknown-8bit''")));
			while (p.value.p[0] != '\'')
				p.value = view_skip(p.value, 1);
			p.value = view_skip(p.value, 2);
		}
		for (i = 0; i < p.value.n; i++) {
			char c = p.value.p[i];

			assert_null(strchr("'*\"\\()<>@,;:/[]?= ", c));
			if (c == '%') {
				assert_true(
					is_hex_pair(view_skip(p.value, i + 1)));
				c = (char)(hex_digit(p.value.p[i + 1]) << 4 |
					   hex_digit(p.value.p[i + 2]));
				i += 2;
			}
			buf_add_char(out, c);
		}
		n++;
	}
	buf_release(&key);
}

static void long_parameters_come_back(void **state)
{
	static const char *const atoms[] = {
		AE,    "a\xc3\xa4", "\xe9",
		"a b", "%",         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	struct buf in = BUF_INIT(LIMIT), out = BUF_INIT(LIMIT);
	struct buf is = BUF_INIT(LIMIT), value = BUF_INIT(LIMIT);
	struct view rest;
	size_t i, n;

	(void)state;
	for (i = 0; i < N_OF(atoms); i++) {
		buf_clear(&value);
		buf_add_text(&value, AE);
		for (n = 0; n < 200; n++) {
			buf_clear(&in);
			buf_printf(&in,
				   "Content-Type: application/x-something; "
				   "filename=\"%s\"\r\n",
				   value.p);
			encode(in.p, &out);
			check_form(buf_view(&out));
			buf_clear(&is);
			decode_parameter(buf_view(&out), "filename", &is);
			assert_string_equal(is.p, value.p);
			for (rest = buf_view(&out); rest.n;
			     rest = view_skip(rest, line_length(rest) + 2))
				assert_in_range(line_length(rest), 1, 78);
			buf_add_text(&value, atoms[i]);
		}
	}
	buf_release(&in);
	buf_release(&out);
	buf_release(&is);
	buf_release(&value);
}

static void finds_utf8_addresses(void **state)
{
	static const struct {
		const char *header, *address;
	} cases[] = {
		{"", NULL},
		{"From: a@b\r\n", NULL},
		{"From: " JOERG " <a@b>\r\n", NULL},
		{"From: a@b" UE ".example\r\n", NULL},
		{"From: j" OE "@b.example\r\n", "j" OE "@b.example"},
		{"Subject: j" OE "@b.example\r\n", NULL},
		{"From: a@b\r\nTo: c@d, x <j" OE "@b>\r\n", "j" OE "@b"},
		{"To: x <j" OE "@b>\r\nCc: j" AE "@b\r\n", "j" OE "@b"},
		{"To: \"j " OE "\"@b\r\n", "\"j " OE "\"@b"},
		/* what can't be read has none */
		{"To: <j" OE "@b\r\nCc: j" AE "@b\r\n", "j" AE "@b"},
		{"To: \xe9@b\r\n", NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		char *found = encoded_utf8_address(view_of(cases[i].header));

		if (cases[i].address)
			assert_string_equal(found, cases[i].address);
		else
			assert_null(found);
		free(found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_ascii_alone),
		cmocka_unit_test(known_answers),
		cmocka_unit_test(texts_come_back),
		cmocka_unit_test(broken_parameters_are_ascii),
		cmocka_unit_test(long_texts_come_back),
		cmocka_unit_test(addresses_come_back),
		cmocka_unit_test(long_parameters_come_back),
		cmocka_unit_test(finds_utf8_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
