/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses: the envelope's and the header's, good, odd and hostile. */
#include "mail/address.h"

#include <time.h>

#include "base/text.h"
#include "unit.h"

#define TEN   "xxxxxxxxxx"
#define SIXTY TEN TEN TEN TEN TEN TEN

static void takes_envelope_addresses(void **state)
{
	static const struct {
		const char *text, *mailbox;
		bool has_domain, needs_utf8;
	} cases[] = {
		{"bob@example.org", "bob@example.org", true, false},
		{"<bob@example.org>", "bob@example.org", true, false},
		{" \t<bob@example.org> ", "bob@example.org", true, false},
		{"Bob@EXAMPLE.Org", "Bob@example.org", true, false},
		{"bob@example.org.", "bob@example.org", true, false},
		{"root", "root", false, false},
		{"<root>", "root", false, false},
		{"a.b.c@d", "a.b.c@d", true, false},
		{"a+b=c/d#e!f%g@h.i", "a+b=c/d#e!f%g@h.i", true, false},
		{"\"a b\"@c.d", "\"a b\"@c.d", true, false},
		{"\"ab\"@c.d", "ab@c.d", true, false},
		{"\"a.b\"@c.d", "a.b@c.d", true, false},
		{"\"a..b\"@c.d", "\"a..b\"@c.d", true, false},
		{"\"\\a\\\"b\\\\\"@c.d", "\"a\\\"b\\\\\"@c.d", true, false},
		{"\"a@b\"@c.d", "\"a@b\"@c.d", true, false},
		{"\"a>b\"@c.d", "\"a>b\"@c.d", true, false},
		{"\"\"@c.d", "\"\"@c.d", true, false},
		{"\"a b\"", "\"a b\"", false, false},
		{"a@[192.0.2.1]", "a@[192.0.2.1]", true, false},
		{"a@[IPv6:2001:DB8::1]", "a@[IPv6:2001:db8::1]", true, false},
		{"a@[ipv6:0:0:0:0:0:0:0:1]", "a@[IPv6:::1]", true, false},
		{"<@relay,@other.example:bob@c.d>", "bob@c.d", true, false},
		{"b\xc3\xb6"
		 "b@example.org",
		 "b\xc3\xb6"
		 "b@example.org",
		 true, true},
		{"bob@b\xc3\xbc"
		 "cher.example",
		 "bob@xn--bcher-kva.example", true, false},
		{"a_b@x_y.example", "a_b@x_y.example", true, false},
		{SIXTY "xxxx@c.d", SIXTY "xxxx@c.d", true, false},
		{"a@" SIXTY "." SIXTY "." SIXTY "." SIXTY "."
		 "12345678",
		 "a@" SIXTY "." SIXTY "." SIXTY "." SIXTY "."
		 "12345678",
		 true, false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct address a = ADDRESS_INIT;
		struct outcome o = OUTCOME_INIT;
		const char *at;

		assert_int_equal(address_parse(view_of(cases[i].text), &a, &o),
				 0);
		assert_string_equal(a.mailbox, cases[i].mailbox);
		assert_int_equal(a.has_domain, cases[i].has_domain);
		assert_int_equal(a.needs_utf8, cases[i].needs_utf8);
		at = strrchr(a.mailbox, '@');
		if (a.has_domain)
			assert_ptr_equal(a.mailbox + a.local_n, at);
		else
			assert_int_equal(a.local_n, strlen(a.mailbox));
		address_release(&a);
	}
}

#define IN(text)                       \
	{                              \
		text, sizeof(text) - 1 \
	}

static void refuses_envelope_addresses(void **state)
{
	static const struct view cases[] = {
		IN(""),
		IN(" "),
		IN("<>"),
		IN("< >"),
		IN("@"),
		IN("@b"),
		IN("a@"),
		IN("a@."),
		IN("a@b@c"),
		IN("a b@c"),
		IN("a @b"),
		IN("a@ b"),
		IN("a@b c"),
		IN("a@b> SIZE=1"),
		IN("a@b>"),
		IN("<a@b"),
		IN("<a@b>>"),
		IN("<<a@b>>"),
		IN("< a@b>"),
		IN("<a@b >"),
		IN("<a@b> x"),
		IN("a@b>\r\nRCPT TO:<evil@x"),
		IN("a@b\r\n"),
		IN("a@b\n"),
		IN("\na@b"),
		IN("a\r@b"),
		IN("a\0@b"),
		IN("a@b\0"),
		IN("a@b\0.c"),
		IN("\"a\r\n b\"@c"),
		IN("\"a\nb\"@c"),
		IN("\"a\0b\"@c"),
		IN("\"a\tb\"@c"),
		IN("\"a\\\nb\"@c"),
		IN("\"a\x7f\"@c"),
		IN("\"a\xc2\x85\"@c"),
		IN("a\xc2\x85@c"),
		IN("\"a@c"),
		IN("\"a\\"),
		IN("\"a\"b@c"),
		IN("a\"b\"@c"),
		IN("a.\"b\"@c"),
		IN("\"a\".\"b\"@c"),
		IN("a..b@c"),
		IN(".a@c"),
		IN("a.@c"),
		IN("a@b..c"),
		IN("a@.b"),
		IN("a@-b"),
		IN("a,b@c"),
		IN("a;b@c"),
		IN("a:b@c"),
		IN("a(x)@c"),
		IN("a@c(x)"),
		IN("a\\b@c"),
		IN("a[b@c"),
		IN("Bob <a@b>"),
		IN("@r:a@b"),
		IN("<@r a@b>"),
		IN("<@r,a@b>"),
		IN("<@:a@b>"),
		IN("a@[192.0.2.256]"),
		IN("a@[192.0.2]"),
		IN("a@[192.0.2.1"),
		IN("a@[192.0.2.1]x"),
		IN("a@[2001:db8::1]"),
		IN("a@[IPv6:192.0.2.1]"),
		IN("a@[IPv6:2001:db8::g]"),
		IN("a@[tag:x]"),
		IN("a@[]"),
		IN("a@[1.2.3.4\0]"),
		IN("a@[1.2 .3.4]"),
		IN("\xff@b"),
		IN("a\xc3@b"),
		IN("a@\xff.b"),
		IN("=?utf-8?Q?a?=@b"),
		IN(SIXTY "xxxxx@c.d"),
		IN("a@" SIXTY "xxxx.d"),
		IN("a@" SIXTY "." SIXTY "." SIXTY "." SIXTY "."
		   "123456789"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct address a = ADDRESS_INIT;
		struct outcome o = OUTCOME_INIT;

		assert_int_equal(address_parse(cases[i], &a, &o), -1);
		assert_null(a.mailbox);
		assert_int_equal(o.cause, CAUSE_RECIPIENT);
		assert_string_equal(o.status, "5.1.3");
		assert_memory_equal(o.text, "bad address \"", 13);
		outcome_release(&o);
	}
}

/* The mailboxes with a blank between them; NULL: it is an error. */
static const struct {
	const char *body, *mailboxes;
} lists[] = {
	{"", ""},
	{" \r\n ", ""},
	{"a@b", "a@b"},
	{"a@b, c@d", "a@b c@d"},
	{" a@b,\r\n\tc@d,\r\n e@f", "a@b c@d e@f"},
	{"root (Cron Daemon)", "root"},
	{"root", "root"},
	{"Anacron <root>", "root"},
	/* names */
	{"Bob <a@b>", "a@b"},
	{"<a@b>", "a@b"},
	{"Bob<a@b>", "a@b"},
	{"Bob B <a@b>, <c@d>", "a@b c@d"},
	{"John Q. Public <a@b>", "a@b"},
	{"J. R. R. T. <a@b>", "a@b"},
	{"...<a@b>", "a@b"},
	{"\"Doe, John\" <a@b>", "a@b"},
	{"\"a\\\"b\" \"c\" <a@b>", "a@b"},
	{"J\xc3\xb6rg <a@b>", "a@b"},
	{"J\xf6rg <a@b>", "a@b"},
	{"=?utf-8?Q?J=C3=B6rg?= <a@b>", "a@b"},
	{"=?utf-8?Q?Doe,_J?= =?utf-8?B?eA==?= <a@b>", "a@b"},
	{"=?iso-8859-1?Q?J=F6rg?= X <a@b>, c@d", "a@b c@d"},
	{"=?utf-8*de?q?J\xc3\xb6rg,_<x>?= <a@b>", "a@b"},
	/* no encoded words: what is in front of their text is no token, or is
	 * none of the encodings that there are */
	{"=?a-@b (=?c?Q?d?=)", "=?a-@b"},
	{"<=?a->(=?c?Q?d?=)", "=?a-"},
	{"<=?a?->(=?c?Q?d?=)", "=?a?-"},
	{"=?a?x?b@c", "=?a?x?b@c"},
	{"=?\?q?b@c", "=?\?q?b@c"},
	{"=?a?q@c", "=?a?q@c"},
	{"=?a?q?@c", "=?a?q?@c"},
	{"[List] Bob <a@b>", "a@b"},
	{"Bob [x] (y) <a@b>", "a@b"},
	{"B\\ob <a@b>", "a@b"},
	{"Bob's / \"Dept\" & Co <a@b>", "a@b"},
	{"a@b <a@b>", "a@b"},
	{"a@B <a@b>", "a@b"},
	{"\"a@b\" <a@b>", "a@b"},
	{"\"a@b\" <c@d>", "c@d"},
	{"\"unused\tname\r\n folded\" <a@b>", "a@b"},
	/* comments */
	{"a@b (Bob)", "a@b"},
	{"(x) a (y) @ (z) b (w) . c (v), d@e", "a@b.c d@e"},
	{"a@b (c (d (e) f) g)", "a@b"},
	{"a@b (c \\) d)", "a@b"},
	{"a@b (x, y; z <c@d>)", "a@b"},
	{"(only a comment)", ""},
	{"Bob (x) <(y) a (z) @b (w)> (v)", "a@b"},
	/* obsolete forms */
	{"a . b @ c . d", "a.b@c.d"},
	{"< a @ b >", "a@b"},
	{"a.\"b c\".d@e", "\"a.b c.d\"@e"},
	{"\"a\".\"b\"@c", "a.b@c"},
	{"<@x,@y.z:a@b>", "a@b"},
	{"Bob <@x , @y : a@b>", "a@b"},
	{"<,@x,,@y:a@b>", NULL},
	{"<@x,,@y:a@b>", "a@b"},
	{",a@b,,c@d,", "a@b c@d"},
	{" , , ", ""},
	{"a@b;c@d;", "a@b c@d"},
	{";;a@b", "a@b"},
	{"a@b.", "a@b"},
	/* groups */
	{"undisclosed-recipients:;", ""},
	{"undisclosed-recipients: ;", ""},
	{"\"Undisclosed Recipients\":;", ""},
	{"Undisclosed Recipients:;", ""},
	{"undisclosed-recipients:", ""},
	{"A: a@b, Bob <c@d>;", "a@b c@d"},
	{"A: a@b;, B: c@d; e@f", "a@b c@d e@f"},
	{"x@y, A: a@b, , ;, z", "x@y a@b z"},
	{"A B. C: a@b;", "a@b"},
	{"A (x:y) : a@b;", "a@b"},
	/* quoting */
	{"\"a b\"@c", "\"a b\"@c"},
	{"\"a\r\n b\"@c", "\"a b\"@c"},
	{"\"root\"", "root"},
	/* literals */
	{"a@[192.0.2.1]", "a@[192.0.2.1]"},
	{"a@[ 192.0.2.1\r\n ]", "a@[192.0.2.1]"},
	{"Bob <a@[IPv6:2001:db8:0::1]>", "a@[IPv6:2001:db8::1]"},
	{"b\xc3\xb6"
	 "b@b\xc3\xbc"
	 "cher.example",
	 "b\xc3\xb6"
	 "b@xn--bcher-kva.example"},
	/* errors */
	{"Bob", "Bob"},
	{"Bob B", NULL},
	{"a@b c@d", NULL},
	{"a b@c", NULL},
	{"a@b c", NULL},
	{"a@b <c@d>", NULL},
	{"a@b <>", NULL},
	{"Bob <>", NULL},
	{"Bob <a@b> c", NULL},
	{"Bob <a@b> <c@d>", NULL},
	{"Bob <a@b", NULL},
	{"Bob <a b@c>", NULL},
	{"Bob <a@b, c@d>", NULL},
	{"Bob a@b>", NULL},
	{"a@b>", NULL},
	{">", NULL},
	{"<", NULL},
	{"<a", NULL},
	{"@", NULL},
	{"@b", NULL},
	{"a@", NULL},
	{"a@,b", NULL},
	{"a@@b", NULL},
	{"a@b@c", NULL},
	{".", NULL},
	{"a.@b", NULL},
	{"a..b@c", NULL},
	{"(unclosed", NULL},
	{"a@b (unclosed (x)", NULL},
	{"a@b (\\)", NULL},
	{"\"unclosed", NULL},
	{"\"unclosed\\\" <a@b>", NULL},
	{"a@[1.2.3.4", NULL},
	{"a@b ) c", NULL},
	{":", NULL},
	{": a@b;", NULL},
	{"A: B: a@b;;", NULL},
	{"A: a@b: c", NULL},
	{"a@b: c@d;", NULL},
	{"a\rb@c", NULL},
	{"a@b\nc@d", NULL},
	{"Bob \x01 <a@b>", NULL},
	{"\"a\nb\"@c", NULL},
	{"\"a\rb\"@c", NULL},
	{"\"a\x01\"@c", NULL},
	{"<a@b\r\nRCPT TO:<c@d>>", NULL},
	{"=?utf-8?Q?a?=@b", NULL},
	{"'a@b'", NULL},
	{"a\xff@b", NULL},
};

static void reads_lists(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < N_OF(lists); i++) {
		struct address_list list = ADDRESS_LIST_INIT;
		struct outcome o = OUTCOME_INIT;
		struct buf all = BUF_INIT(1000);
		int rc = address_list_parse(view_of(lists[i].body), &list, &o);

		for (j = 0; j < list.n; j++)
			buf_printf(&all, "%s%s", j ? " " : "",
				   list.p[j].mailbox);
		if (lists[i].mailboxes) {
			assert_int_equal(rc, 0);
			assert_string_equal(all.p, lists[i].mailboxes);
		} else {
			assert_int_equal(rc, -1);
			assert_int_equal(o.cause, CAUSE_RECIPIENT);
			assert_string_equal(o.status, "5.1.3");
		}
		outcome_release(&o);
		address_list_release(&list);
		buf_release(&all);
	}
}

static void errors_name_the_text(void **state)
{
	static const struct {
		const char *body, *text;
	} cases[] = {
		{"a@b, Bob  B , c@d",
		 "bad address \"Bob  B\": there is a blank outside quotes"},
		{"a@b,c@d..e,f@g",
		 "bad address \"c@d..e\": "
		 "\"d..e\" is no domain: an empty label"},
		{"Bob <a@b",
		 "bad address \"Bob <a@b\": "
		 "there is no > behind the address"},
		{"a@b, x (y", "bad address \"x (y\": a comment does not end"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct address_list list = ADDRESS_LIST_INIT;
		struct outcome o = OUTCOME_INIT;

		assert_int_equal(address_list_parse(view_of(cases[i].body),
						    &list, &o),
				 -1);
		assert_string_equal(o.text, cases[i].text);
		outcome_release(&o);
		address_list_release(&list);
	}
}

/* Time grows with the length, not with its square; the stack not at all. */
static void long_lists_take_linear_time(void **state)
{
	static const struct {
		const char *repeated;
		int rc;
	} cases[] = {
		{"a@b,", 0},
		{"a,", 0},
		{",", 0},
		{"(", -1},
		{"()", 0},
		{"((a)", -1},
		{"\"", -1},
		{"\\", -1},
		{"a:", -1},
		{"A:;", 0},
		{"<", -1},
		{"<@", -1},
		{"=?", -1},
		{"=?[", -1},
		{"=?a?q?b?= ", -1},
		{".", -1},
		{"a.", -1},
		{"a ", -1},
		{"x", -1},
		{"a@b <a@b>,", 0},
		{" \r\n ", 0},
		{"[", -1},
		{"\"a\" ", -1},
		{"a@[1.2.3.4],", 0},
		{"<@a,@b:c@d>,", 0},
		{"\xc3\xa4", -1},
		{"a@\xc3\xa4.b,", 0},
		{";", 0},
		{"a@", -1},
	};
	size_t i, size = 512u << 10;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct address_list list = ADDRESS_LIST_INIT;
		struct buf body = BUF_INIT(4u << 20);
		struct outcome o = OUTCOME_INIT;
		clock_t begin;
		int rc;

		/* domains with U-labels are dear, but each by itself */
		while (body.n <
		       (strstr(cases[i].repeated, "@\xc3") ? size / 32 : size))
			buf_add_text(&body, cases[i].repeated);
		begin = clock();
		rc = address_list_parse(buf_view(&body), &list, &o);
		assert_true(clock() - begin < 10 * CLOCKS_PER_SEC);
		if (rc != cases[i].rc)
			fail_msg("%s: %d", cases[i].repeated, rc);
		outcome_release(&o);
		address_list_release(&list);
		buf_release(&body);
	}
}

static void qualifies_local_names(void **state)
{
	static const struct {
		const char *local, *domain, *result;
	} cases[] = {
		{"root", "Example.org", "root@example.org"},
		{"\"a b\"", "example.org", "\"a b\"@example.org"},
		{"root",
		 "b\xc3\xbc"
		 "cher.example",
		 "root@xn--bcher-kva.example"},
		{"root", "[192.0.2.1]", "root@[192.0.2.1]"},
		{"a@b", "example.org", "a@b"},
		{"root", "", NULL},
		{"root", "a b", NULL},
		{"root", "a>b", NULL},
		{"root", "a\r\nb", NULL},
		{"root", "@a", NULL},
		{SIXTY "xxxx",
		 SIXTY "." SIXTY "." SIXTY "."
		       "1234567890",
		 NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct address a = ADDRESS_INIT;
		struct outcome o = OUTCOME_INIT;
		int rc;

		assert_int_equal(address_parse(view_of(cases[i].local), &a, &o),
				 0);
		rc = address_qualify(&a, cases[i].domain, &o);
		assert_int_equal(rc, cases[i].result ? 0 : -1);
		assert_string_equal(a.mailbox,
				    rc ? cases[i].local : cases[i].result);
		assert_int_equal(a.has_domain, rc == 0);
		assert_int_equal(outcome_is_failure(&o), rc < 0);
		outcome_release(&o);
		address_release(&a);
	}
}

static void compares(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} cases[] = {
		{"a@b", "a@B", true},
		{"a@b", "A@b", false},
		{"a@b", "a@c", false},
		{"a", "a", true},
		{"a", "a@b", false},
		{"\"a\"@b", "a@b", true},
		{"\"a@b\"", "a@b", false},
		{"\"a@b\"@c", "a@b.c", false},
		{"a@[IPv6:::1]", "a@[ipv6:0::1]", true},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct address a = ADDRESS_INIT, b = ADDRESS_INIT;
		struct outcome o = OUTCOME_INIT;

		address_parse(view_of(cases[i].a), &a, &o);
		address_parse(view_of(cases[i].b), &b, &o);
		assert_int_equal(address_equal(&a, &b), cases[i].equal);
		assert_int_equal(address_equal(&b, &a), cases[i].equal);
		address_release(&a);
		address_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_envelope_addresses),
		cmocka_unit_test(refuses_envelope_addresses),
		cmocka_unit_test(reads_lists),
		cmocka_unit_test(errors_name_the_text),
		cmocka_unit_test(long_lists_take_linear_time),
		cmocka_unit_test(qualifies_local_names),
		cmocka_unit_test(compares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
