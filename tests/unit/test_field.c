/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a header field ends, what it is called, what it is for. */
#include "mail/field.h"

#include "base/text.h"
#include "unit.h"

static void cuts_fields(void **state)
{
	static const struct {
		const char *header, *raw, *name, *body;
		enum field_id id;
	} cases[] = {
		{"To: a@b\r\n", "To: a@b\r\n", "To", " a@b", FIELD_TO},
		{"tO:\r\n", "tO:\r\n", "tO", "", FIELD_TO},
		{"Cc : a\r\nTo: b\r\n", "Cc : a\r\n", "Cc", " a", FIELD_CC},
		{"BCC \t : a\r\n", "BCC \t : a\r\n", "BCC", " a", FIELD_BCC},
		{"X: 1\r\n 2\r\n\t3\r\nY: 4\r\n", "X: 1\r\n 2\r\n\t3\r\n", "X",
		 " 1\r\n 2\r\n\t3", FIELD_OTHER},
		{"X:\r\n \r\nY:\r\n", "X:\r\n \r\n", "X", "\r\n ", FIELD_OTHER},
		{"Message-Id: <x>\r\n", "Message-Id: <x>\r\n", "Message-Id",
		 " <x>", FIELD_MESSAGE_ID},
		{"resent-BCC:a\r\n", "resent-BCC:a\r\n", "resent-BCC", "a",
		 FIELD_RESENT_BCC},
		{"Subject: a: b\r\n", "Subject: a: b\r\n", "Subject", " a: b",
		 FIELD_OTHER},
		{"!#$%&'*+: x\r\n", "!#$%&'*+: x\r\n", "!#$%&'*+", " x",
		 FIELD_OTHER},
		{"To: no line end", "To: no line end", "To", " no line end",
		 FIELD_TO},
		{"From:: x\r\n", "From:: x\r\n", "From", ": x", FIELD_FROM},
	};
	struct field f;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		assert_true(field_cut(view_of(cases[i].header), &f));
		assert_true(view_equal(f.raw, view_of(cases[i].raw)));
		assert_true(view_equal(f.name, view_of(cases[i].name)));
		assert_true(view_equal(f.body, view_of(cases[i].body)));
		assert_int_equal(f.id, cases[i].id);
	}
}

static void refuses_what_is_no_field(void **state)
{
	static const struct view cases[] = {
		{"", 0},
		{":", 1},
		{": x\r\n", 5},
		{" To: x\r\n", 8},
		{"\tTo: x\r\n", 8},
		{"To\r\n: x\r\n", 9},
		{"no field\r\n", 10},
		{"two words: x\r\n", 14},
		{"\xc3\xa4: x\r\n", 7},
		{"T\x7fo: x\r\n", 8},
		{"T\0o: x\r\n", 8},
		{"To", 2},
		{"To ", 3},
		{"\r\n", 2},
	};
	struct field f;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		assert_false(field_cut(cases[i], &f));
		assert_false(field_begins(cases[i]));
	}
}

/* The colon counts if it is among the first 998 octets. */
static void limits_names(void **state)
{
	static char line[2000];
	struct field f;

	(void)state;
	memset(line, 'x', sizeof(line));
	line[FIELD_NAME_LIMIT - 1] = ':';
	assert_true(field_cut(view_make(line, sizeof(line)), &f));
	assert_int_equal(f.name.n, FIELD_NAME_LIMIT - 1);
	line[FIELD_NAME_LIMIT - 1] = 'x';
	line[FIELD_NAME_LIMIT] = ':';
	assert_false(field_cut(view_make(line, sizeof(line)), &f));
	memset(line + 1, ' ', FIELD_NAME_LIMIT - 1);
	assert_false(field_cut(view_make(line, sizeof(line)), &f));
}

static void knows_roles(void **state)
{
	static const struct {
		const char *header;
		unsigned roles;
	} cases[] = {
		{"From: x\r\n", ROLE_ORIGIN | ROLE_ADDRESS},
		{"To: x\r\n", ROLE_RECIPIENT | ROLE_ADDRESS},
		{"Bcc: x\r\n", ROLE_RECIPIENT | ROLE_ADDRESS | ROLE_BLIND},
		{"Resent-Cc: x\r\n",
		 ROLE_RECIPIENT | ROLE_ADDRESS | ROLE_RESENT},
		{"Resent-Bcc: x\r\n",
		 ROLE_RECIPIENT | ROLE_ADDRESS | ROLE_RESENT | ROLE_BLIND},
		{"Resent-Sender: x\r\n",
		 ROLE_ORIGIN | ROLE_ADDRESS | ROLE_RESENT},
		{"Resent-Reply-To: x\r\n", ROLE_RESENT},
		{"Received: x\r\n", ROLE_TRACE | ROLE_TOKENS},
		{"Content-Type: x\r\n", ROLE_MIME | ROLE_PARAMETERS},
		{"Reply-To: x\r\n", ROLE_ADDRESS},
		{"Bccc: x\r\n", 0},
		{"B: x\r\n", 0},
	};
	struct field f;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		assert_true(field_cut(view_of(cases[i].header), &f));
		assert_int_equal(f.roles, cases[i].roles);
	}
}

static void names_every_field(void **state)
{
	enum field_id id;
	struct field f;

	(void)state;
	for (id = FIELD_FROM; id < FIELD_IDS; id++) {
		struct buf b = BUF_INIT(100);

		buf_printf(&b, "%s: x\r\n", field_name(id));
		assert_true(field_cut(buf_view(&b), &f));
		assert_int_equal(f.id, id);
		buf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_fields),
		cmocka_unit_test(refuses_what_is_no_field),
		cmocka_unit_test(limits_names),
		cmocka_unit_test(knows_roles),
		cmocka_unit_test(names_every_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
