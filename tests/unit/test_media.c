/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What Content-Type and Content-Transfer-Encoding say, however written. */
#include "mail/media.h"

#include "base/text.h"
#include "unit.h"

#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10

static const struct {
	const char *body;
	enum media_kind kind;
	const char *boundary;
} types[] = {
	/* kinds */
	{"text/plain", MEDIA_TEXT, ""},
	{" TEXT/Html; charset=utf-8", MEDIA_TEXT, ""},
	{"text/x-anything", MEDIA_TEXT, ""},
	{"image/png", MEDIA_OTHER, ""},
	{"application/octet-stream; name=a.txt", MEDIA_OTHER, ""},
	{"textual/plain", MEDIA_OTHER, ""},
	{"x-unknown/plain", MEDIA_OTHER, ""},
	{"multipart/mixed; boundary=b", MEDIA_MULTIPART, "b"},
	{"Multipart/Alternative; Boundary=b", MEDIA_MULTIPART, "b"},
	{"multipart/x-new; boundary=b", MEDIA_MULTIPART, "b"},
	{"multipart/digest; boundary=b", MEDIA_DIGEST, "b"},
	{"multipart/Signed; boundary=b; micalg=x", MEDIA_SIGNED, "b"},
	{"multipart/encrypted; boundary=b", MEDIA_MULTIPART, "b"},
	{"message/rfc822", MEDIA_MESSAGE, ""},
	{"Message/RFC822; boundary=b", MEDIA_MESSAGE, ""},
	{"message/partial; id=a; number=1", MEDIA_FIXED, ""},
	{"message/external-body; access-type=x", MEDIA_FIXED, ""},
	{"message/delivery-status", MEDIA_FIXED, ""},
	{"message/disposition-notification", MEDIA_FIXED, ""},
	{"message/global", MEDIA_OTHER, ""},
	{"message/global-headers", MEDIA_OTHER, ""},
	/* what can't be read */
	{"", MEDIA_OTHER, ""},
	{" ", MEDIA_OTHER, ""},
	{"text", MEDIA_OTHER, ""},
	{"text/", MEDIA_OTHER, ""},
	{"/plain", MEDIA_OTHER, ""},
	{"text plain", MEDIA_OTHER, ""},
	{"multipart; boundary=b", MEDIA_OTHER, ""},
	{"(", MEDIA_OTHER, ""},
	{"(text/plain", MEDIA_OTHER, ""},
	{"multipart/mixed", MEDIA_OTHER, ""},
	{"multipart/mixed; charset=x", MEDIA_OTHER, ""},
	{"multipart/mixed; boundary", MEDIA_OTHER, ""},
	{"multipart/mixed; boundary=", MEDIA_OTHER, ""},
	{"multipart/mixed; boundary=\"\"", MEDIA_OTHER, ""},
	{"multipart/mixed; boundary=\"  \"", MEDIA_OTHER, ""},
	{"multipart/mixed; boundar=b", MEDIA_OTHER, ""},
	{"multipart/mixed; boundaryx=b", MEDIA_OTHER, ""},
	{"multipart/mixed; xboundary=b", MEDIA_OTHER, ""},
	/* comments and folding */
	{"(a) text (b) / (c(d)e) plain (f)", MEDIA_TEXT, ""},
	{"\r\n text/plain;\r\n\tcharset=x", MEDIA_TEXT, ""},
	{"multipart/mixed\r\n ;\r\n boundary\r\n =\r\n b", MEDIA_MULTIPART,
	 "b"},
	{"multipart/mixed;(x;boundary=c)boundary(y)=(z)b (w)", MEDIA_MULTIPART,
	 "b"},
	{"multipart/mixed; (\\)) boundary=b", MEDIA_MULTIPART, "b"},
	/* quotes and escapes */
	{"multipart/mixed; boundary=\"b\"", MEDIA_MULTIPART, "b"},
	{"multipart/mixed; boundary=\"a b;(c)=d\"; x=y", MEDIA_MULTIPART,
	 "a b;(c)=d"},
	{"multipart/mixed; boundary=\"a\\\"b\\\\c\\d\"", MEDIA_MULTIPART,
	 "a\"b\\cd"},
	{"multipart/mixed; boundary=\"a b  \"", MEDIA_MULTIPART, "a b"},
	{"multipart/mixed; boundary=\"a\r\n b\"", MEDIA_MULTIPART, "a b"},
	{"multipart/mixed; boundary=\"b", MEDIA_MULTIPART, "b"},
	{"multipart/mixed; x=\"boundary=c\"; boundary=b", MEDIA_MULTIPART, "b"},
	{"multipart/mixed; x=\"\\\"; boundary=c\"; boundary=b", MEDIA_MULTIPART,
	 "b"},
	/* not token characters, but written without quotes all the same */
	{"multipart/mixed; boundary==_x=y", MEDIA_MULTIPART, "=_x=y"},
	{"multipart/mixed; boundary=a/b:c?d", MEDIA_MULTIPART, "a/b:c?d"},
	{"multipart/mixed; boundary=b ; x=y", MEDIA_MULTIPART, "b"},
	/* a semicolon too many */
	{"multipart/mixed;; boundary=b;", MEDIA_MULTIPART, "b"},
	{"multipart/mixed; ; boundary=b", MEDIA_MULTIPART, "b"},
	/* the first one is it */
	{"multipart/mixed; boundary=b; boundary=c", MEDIA_MULTIPART, "b"},
	/* RFC 2231 */
	{"multipart/mixed; boundary*=us-ascii''b", MEDIA_MULTIPART, "b"},
	{"multipart/mixed; boundary*=''b", MEDIA_MULTIPART, "b"},
	{"multipart/mixed; boundary*=\"''b%41;c\"", MEDIA_MULTIPART, "bA;c"},
	{"multipart/mixed; boundary*=us-ascii'en'a%20%3d%3Db", MEDIA_MULTIPART,
	 "a ==b"},
	{"multipart/mixed; boundary*=us-ascii''a%4xb%", MEDIA_MULTIPART,
	 "a%4xb%"},
	{"multipart/mixed; boundary*0=a; boundary*1=b", MEDIA_MULTIPART, "ab"},
	{"multipart/mixed; boundary*0=\"a \"; boundary*1=\"b\"",
	 MEDIA_MULTIPART, "a b"},
	{"multipart/mixed; boundary*0*=us-ascii''a%41; boundary*1=b%41;"
	 " boundary*2*=%42'c",
	 MEDIA_MULTIPART, "aAb%41B'c"},
	{"multipart/mixed; boundary*0=a; x=y; BOUNDARY*1=b", MEDIA_MULTIPART,
	 "ab"},
	/* one that is missing ends it */
	{"multipart/mixed; boundary*0=a; boundary*2=c", MEDIA_MULTIPART, "a"},
	{"multipart/mixed; boundary*1=a", MEDIA_OTHER, ""},
	/* parameters have no order (RFC 2231 3) */
	{"multipart/mixed; boundary*1=b; boundary*0=a", MEDIA_MULTIPART, "ab"},
	{"multipart/mixed; boundary*2=c; boundary*0=a; boundary*1=b",
	 MEDIA_MULTIPART, "abc"},
	/* a value that is whole has no more segments */
	{"multipart/mixed; boundary=b; boundary*1=c", MEDIA_MULTIPART, "b"},
	{"multipart/mixed; boundary*=us-ascii''b; boundary*1=c",
	 MEDIA_MULTIPART, "b"},
	/* how long they are */
	{"multipart/mixed; boundary=" X50 X10 X10, MEDIA_MULTIPART,
	 X50 X10 X10},
	{"multipart/mixed; boundary=" X50 X50 X50 X50 X50, MEDIA_MULTIPART,
	 X50 X50 X50 X50 X50},
	{"multipart/mixed; boundary=" X50 X50 X50 X50 X50 "x", MEDIA_OTHER, ""},
	{"multipart/mixed; boundary*=" X50 X50 X50 X50 X50 X50 X50 X50 X50 X50
		 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 "''b",
	 MEDIA_MULTIPART, "b"},
};

static void reads_types(void **state)
{
	struct media m = MEDIA_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(types); i++) {
		media_parse(&m, view_of(types[i].body));
		if (m.kind != types[i].kind ||
		    strcmp(m.boundary.p, types[i].boundary) != 0)
			fail_msg("%s: kind %d, boundary '%s'", types[i].body,
				 (int)m.kind, m.boundary.p);
		assert_int_equal(media_is_composite(&m),
				 m.boundary.n || m.kind == MEDIA_MESSAGE);
	}
	media_release(&m);
}

/* An end anywhere: nothing is read that is not there. */
static void reads_what_is_cut_off(void **state)
{
	struct media m = MEDIA_INIT;
	size_t i, n;

	(void)state;
	for (i = 0; i < N_OF(types); i++)
		for (n = 0; n < strlen(types[i].body); n++) {
			char *copy = malloc(n + 1);

			assert_non_null(copy);
			memcpy(copy, types[i].body, n);
			media_parse(&m, view_make(copy, n));
			assert_true(m.kind == MEDIA_MESSAGE ||
				    media_is_composite(&m) ==
					    (m.boundary.n > 0));
			free(copy);
		}
	media_release(&m);
}

static void reads_encodings(void **state)
{
	static const struct {
		const char *body;
		enum encoding encoding;
	} cases[] = {
		{"7bit", ENCODING_7BIT},
		{" 8bit", ENCODING_8BIT},
		{"binary ", ENCODING_BINARY},
		{"\r\n quoted-printable", ENCODING_QP},
		{"base64", ENCODING_BASE64},
		{"Quoted-PRINTABLE", ENCODING_QP},
		{"BASE64", ENCODING_BASE64},
		{"(as it is) 8Bit (really)", ENCODING_8BIT},
		{"base64(x)", ENCODING_BASE64},
		{"base64;", ENCODING_BASE64},
		{"", ENCODING_7BIT},
		{" ", ENCODING_7BIT},
		{"(nothing)", ENCODING_7BIT},
		{"x-uuencode", ENCODING_UNKNOWN},
		{"quoted", ENCODING_UNKNOWN},
		{"base64x", ENCODING_UNKNOWN},
		{"xbase64", ENCODING_UNKNOWN},
		{"base65", ENCODING_UNKNOWN},
		{"@", ENCODING_UNKNOWN},
		{"=?x?=", ENCODING_UNKNOWN},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		if (media_encoding(view_of(cases[i].body)) != cases[i].encoding)
			fail_msg("'%s': %d", cases[i].body,
				 (int)media_encoding(view_of(cases[i].body)));
}

static void names_encodings(void **state)
{
	static const struct {
		enum encoding encoding;
		const char *name;
		bool is_identity;
	} cases[] = {
		{ENCODING_7BIT, "7bit", true},
		{ENCODING_8BIT, "8bit", true},
		{ENCODING_BINARY, "binary", true},
		{ENCODING_QP, "quoted-printable", false},
		{ENCODING_BASE64, "base64", false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		assert_string_equal(media_encoding_name(cases[i].encoding),
				    cases[i].name);
		assert_int_equal(media_is_identity(cases[i].encoding),
				 cases[i].is_identity);
		assert_int_equal(media_encoding(view_of(cases[i].name)),
				 cases[i].encoding);
	}
	assert_false(media_is_identity(ENCODING_UNKNOWN));
}

/* What lies between the parts of a parameter is as it was written. */
static void splits_parameters(void **state)
{
	static const struct {
		const char *rest;
		size_t n;
		const char *parts; /* before|name|value, of each */
	} cases[] = {
		{"", 0, ""},
		{";", 0, ""},
		{"; a", 0, ""},
		{"; =b", 0, ""},
		{"; a=b", 1, "; |a|b|"},
		{";a=b;c=\"d;e\"", 2, ";|a|b|;|c|\"d;e\"|"},
		{";\r\n a=\"b\\\"c\"", 1, ";\r\n |a|\"b\\\"c\"|"},
		{"; a*0*=x'y'z; a*1=w", 2, "; |a*0*|x'y'z|; |a*1|w|"},
		{" (c); a=b", 1, " (c); |a|b|"},
		{"; a=b; c", 1, "; |a|b|"},
		{"; a=\xc3\xa4", 1, "; |a|\xc3\xa4|"},
	};
	size_t i, n;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct view rest = view_of(cases[i].rest);
		struct buf out = BUF_INIT(1000);
		struct parameter p;

		for (n = 0; media_next_parameter(&rest, &p); n++) {
			buf_add_view(&out, p.before);
			buf_add_char(&out, '|');
			buf_add_view(&out, p.name);
			buf_add_char(&out, '|');
			buf_add_view(&out, p.value);
			buf_add_char(&out, '|');
		}
		assert_int_equal(n, cases[i].n);
		assert_string_equal(out.p, cases[i].parts);
		buf_release(&out);
	}
}

static void takes_quotes_away(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"a", "a"},
		{"\"\"", ""},
		{"\"a b\"", "a b"},
		{"\"a\\\"b\\\\c\\d\"", "a\"b\\cd"},
		{"\"a", "a"},
		{"\"a\r\n\tb\"", "a\tb"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct buf out = BUF_INIT(1000);

		media_unquote(view_of(cases[i][0]), &out);
		assert_string_equal(out.p, cases[i][1]);
		buf_release(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_types),
		cmocka_unit_test(reads_what_is_cut_off),
		cmocka_unit_test(reads_encodings),
		cmocka_unit_test(names_encodings),
		cmocka_unit_test(splits_parameters),
		cmocka_unit_test(takes_quotes_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
