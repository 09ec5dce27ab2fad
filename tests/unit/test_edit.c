/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The header that goes out: what is left out, what is added, and how. */
#include "mail/edit.h"

#include <locale.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "letter.h"
#include "unit.h"

#define HOST "host.example"

static void edit(const char *text, const char *sender,
		 const struct edit_policy *policy,
		 const struct edit_facts *facts, struct buf *out)
{
	struct envelope e = ENVELOPE_INIT;
	struct outcome o = OUTCOME_INIT;
	struct message m;

	read_text(text, &m);
	if (sender)
		assert_int_equal(
			envelope_set_sender(&e, view_of(sender), NULL, &o), 0);
	buf_clear(out);
	assert_int_equal(edit_header(&m, &e, policy, facts, out, &o), 0);
	envelope_release(&e);
	message_release(&m);
}

/* Nothing but what the policy names changes; no date, no id. */
#define OFF EDIT_OFF, EDIT_OFF, EDIT_OFF
static const struct {
	struct edit_policy policy;
	const char *message, *header;
} removals[] = {
	{{OFF, EDIT_OFF, true, false, false}, "", ""},
	{{OFF, EDIT_OFF, true, false, false}, "A: b\n\nBcc: c\n", "A: b\r\n"},
	{{OFF, EDIT_OFF, true, false, false},
	 "Bcc: a\nA: b\nBCC:\n c\n d\nE:\n f\nResent-bcc : g\n\n",
	 "A: b\r\nE:\r\n f\r\n"},
	{{OFF, EDIT_OFF, false, false, false},
	 "Bcc: a\nA: b\n\n",
	 "Bcc: a\r\nA: b\r\n"},
	{{OFF, EDIT_OFF, true, false, false}, "Bcc: a\nBcc: b\n\n", ""},
	{{OFF, EDIT_OFF, true, true, false},
	 "To: a\nCc: b\nBcc: c\nX: d\n\n",
	 "X: d\r\nTo: undisclosed-recipients:;\r\n"},
	{{OFF, EDIT_OFF, false, true, false},
	 "Resent-To: r\nBcc: c\n\n",
	 "Resent-To: r\r\nTo: undisclosed-recipients:;\r\n"},
	{{OFF, EDIT_AUTO, true, false, false},
	 "X: d\n\n",
	 "X: d\r\nTo: undisclosed-recipients:;\r\n"},
	{{OFF, EDIT_AUTO, true, false, false}, "Cc: d\n\n", "Cc: d\r\n"},
	{{OFF, EDIT_AUTO, true, false, false}, "Bcc: d\n\n", ""},
	{{OFF, EDIT_ON, true, false, false},
	 "To: a\nCc: d\n\n",
	 "Cc: d\r\nTo: undisclosed-recipients:;\r\n"},
	/* odd spellings and order stay */
	{{OFF, EDIT_OFF, true, false, false},
	 "X-y :  z \nRECEIVED: a;\n\tb\nReturn-Path: <c>\nfrom: d@e\n\n",
	 "X-y :  z \r\nRECEIVED: a;\r\n\tb\r\nReturn-Path: <c>\r\n"
	 "from: d@e\r\n"},
	/* From replaced, added, left */
	{{EDIT_ON, EDIT_OFF, EDIT_OFF, EDIT_OFF, true, false, false},
	 "From: x@y\nA: b\nFrom: z\n\n",
	 "A: b\r\nFrom: s@example.org\r\n"},
	{{EDIT_AUTO, EDIT_OFF, EDIT_OFF, EDIT_OFF, true, false, false},
	 "A: b\n\n",
	 "A: b\r\nFrom: s@example.org\r\n"},
	{{EDIT_AUTO, EDIT_OFF, EDIT_OFF, EDIT_OFF, true, false, false},
	 "From: x\n\n",
	 "From: x\r\n"},
	{{EDIT_AUTO, EDIT_OFF, EDIT_OFF, EDIT_OFF, true, false, false},
	 "Resent-From: x@y\n\n",
	 "Resent-From: x@y\r\nFrom: s@example.org\r\n"},
};

static void leaves_out_and_replaces(void **state)
{
	const struct edit_facts facts = {.host = HOST};
	struct buf out = BUF_INIT(10000);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(removals); i++) {
		edit(removals[i].message, "s@example.org", &removals[i].policy,
		     &facts, &out);
		assert_string_equal(out.p, removals[i].header);
	}
	buf_release(&out);
}

static void dates_are_local(void **state)
{
	static const struct {
		const char *zone;
		time_t now;
		const char *date;
	} cases[] = {
		{"UTC0", 0, "Thu, 1 Jan 1970 00:00:00 +0000"},
		{"UTC0", 1709210096, "Thu, 29 Feb 2024 12:34:56 +0000"},
		{"CET-1CEST,M3.5.0,M10.5.0/3", 1720000000,
		 "Wed, 3 Jul 2024 11:46:40 +0200"},
		{"CET-1CEST,M3.5.0,M10.5.0/3", 1704067199,
		 "Mon, 1 Jan 2024 00:59:59 +0100"},
		{"NST3:30", 1704067200, "Sun, 31 Dec 2023 20:30:00 -0330"},
		{"XXX0:30", 1704067200, "Sun, 31 Dec 2023 23:30:00 -0030"},
		{"NPT-5:45", 1704067200, "Mon, 1 Jan 2024 05:45:00 +0545"},
		{"KIR-14", 1704067200, "Mon, 1 Jan 2024 14:00:00 +1400"},
		/* a zone with seconds: date and zone still agree */
		{"LMT-0:19:32", 1704067200, "Mon, 1 Jan 2024 00:19:00 +0019"},
		{"UTC0", 4102444800, "Fri, 1 Jan 2100 00:00:00 +0000"},
	};
	const struct edit_policy policy = {
		EDIT_OFF, EDIT_AUTO, EDIT_OFF, EDIT_OFF, true, false, false};
	struct buf out = BUF_INIT(10000), wanted = BUF_INIT(1000);
	size_t i;

	(void)state;
	setlocale(LC_ALL, "");
	for (i = 0; i < N_OF(cases); i++) {
		struct edit_facts facts = {.now = cases[i].now};

		setenv("TZ", cases[i].zone, 1);
		edit("", NULL, &policy, &facts, &out);
		buf_clear(&wanted);
		buf_printf(&wanted, "Date: %s\r\n", cases[i].date);
		assert_string_equal(out.p, wanted.p);
	}
	edit("daTE: x\n\n", NULL, &policy, &(struct edit_facts){0}, &out);
	assert_string_equal(out.p, "daTE: x\r\n");
	buf_release(&out);
	buf_release(&wanted);
	unsetenv("TZ");
}

static void ids_are_random_and_of_the_senders_domain(void **state)
{
	static const struct {
		const char *sender, *from, *host, *end;
	} cases[] = {
		{"a@example.org", "b@example.com", HOST, "@example.org>\r\n"},
		{"", "b@example.com", HOST, "@example.com>\r\n"},
		{"", NULL, HOST, "@host.example>\r\n"},
		{"", NULL, "b\xc3\xbc.example", "@xn--b-eha.example>\r\n"},
		{"", NULL, "a b>\r\nX: y", "@localhost>\r\n"},
		{"", NULL, NULL, "@localhost>\r\n"},
		{"a@[192.0.2.1]", NULL, HOST, "@[192.0.2.1]>\r\n"},
		{"\"a@b\"@c.d", NULL, HOST, "@c.d>\r\n"},
	};
	const struct edit_policy policy = {
		EDIT_OFF, EDIT_OFF, EDIT_AUTO, EDIT_OFF, true, false, false};
	struct buf out = BUF_INIT(10000), last = BUF_INIT(10000);
	size_t i, n;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		const struct edit_facts facts = {.from = cases[i].from,
						 .host = cases[i].host};

		edit("X: y\n\n", cases[i].sender, &policy, &facts, &out);
		assert_memory_equal(out.p, "X: y\r\nMessage-ID: <", 19);
		n = strlen(cases[i].end);
		assert_string_equal(out.p + out.n - n, cases[i].end);
		assert_int_equal(out.n, 19 + 32 + n);
		assert_true(!last.n || memcmp(last.p + 19, out.p + 19, 32));
		buf_clear(&last);
		buf_add_view(&last, buf_view(&out));
	}
	edit("message-id: <x>\n\n", "", &policy, &(struct edit_facts){0}, &out);
	assert_string_equal(out.p, "message-id: <x>\r\n");
	buf_release(&out);
	buf_release(&last);
}

#define LONG_NAME "Maximiliane Alexandra von und zu Beispielhausen-Musterstadt"

static void names_the_author(void **state)
{
	static const struct {
		const char *name, *from, *field;
	} cases[] = {
		{NULL, NULL, "From: s@example.org\r\n"},
		{"", NULL, "From: s@example.org\r\n"},
		{" \n", NULL, "From: s@example.org\r\n"},
		{"Bob", NULL, "From: Bob <s@example.org>\r\n"},
		{"Bob", "a@b.c", "From: Bob <a@b.c>\r\n"},
		{" Bob B ", NULL, "From: Bob B <s@example.org>\r\n"},
		{"CronDaemon", "root", "From: CronDaemon <root>\r\n"},
		{"J. Doe", NULL, "From: \"J. Doe\" <s@example.org>\r\n"},
		{"Doe, J", NULL, "From: \"Doe, J\" <s@example.org>\r\n"},
		{"a \"b\" \\c", NULL,
		 "From: \"a \\\"b\\\" \\\\c\" <s@example.org>\r\n"},
		{"=?utf-8?Q?x?=", NULL,
		 "From: \"=?utf-8?Q?x?=\" <s@example.org>\r\n"},
		{"J\xc3\xb6rgen", NULL,
		 "From: =?utf-8?Q?J=C3=B6rgen?= <s@example.org>\r\n"},
		{"Bob\r\nBcc: evil@x", NULL,
		 "From: =?utf-8?Q?Bob=0D=0ABcc=3A_evil=40x?="
		 " <s@example.org>\r\n"},
		{LONG_NAME, NULL,
		 "From: " LONG_NAME "\r\n <s@example.org>\r\n"},
	};
	const struct edit_policy policy = {
		EDIT_AUTO, EDIT_OFF, EDIT_OFF, EDIT_OFF, true, false, false};
	struct buf out = BUF_INIT(10000);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		const struct edit_facts facts = {.full_name = cases[i].name,
						 .from = cases[i].from};

		edit("", "s@example.org", &policy, &facts, &out);
		assert_string_equal(out.p, cases[i].field);
	}
	buf_release(&out);
}

/* Whatever the name, lines stay short and nothing breaks out of the field. */
static void no_name_makes_a_long_line(void **state)
{
	static const char *const atoms[] = {"x",    "x ", "\xc3\xa4",
					    "\xff", "\"", "\r\n"};
	const struct edit_policy policy = {
		EDIT_AUTO, EDIT_OFF, EDIT_OFF, EDIT_OFF, true, false, false};
	struct buf out = BUF_INIT(100000), name = BUF_INIT(100000);
	size_t i, n;

	(void)state;
	for (i = 0; i < N_OF(atoms); i++) {
		buf_clear(&name);
		for (n = 0; n < 1500; n++) {
			struct edit_facts facts = {0};
			const char *line, *end;

			buf_add_text(&name, atoms[i]);
			facts.full_name = name.p;
			if (n > 100 && n % 100)
				continue;
			edit("", "s@example.org", &policy, &facts, &out);
			for (line = out.p; *line; line = end + 2) {
				end = strstr(line, "\r\n");
				assert_non_null(end);
				assert_true(end - line < 500);
				assert_true(line == out.p || *line == ' ');
				assert_null(memchr(line, '\r',
						   (size_t)(end - line)));
			}
		}
	}
	buf_release(&out);
	buf_release(&name);
}

static void without_any_sender_there_is_no_from(void **state)
{
	static const char *const senders[] = {NULL, ""};
	const struct edit_policy policy = {
		EDIT_ON, EDIT_OFF, EDIT_OFF, EDIT_OFF, true, false, false};
	const struct edit_facts facts = {.full_name = "Bob"};
	struct buf out = BUF_INIT(10000);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(senders); i++) {
		edit("From: x\n\n", senders[i], &policy, &facts, &out);
		assert_string_equal(out.p, "From: x\r\n");
		edit("X: y\n\n", senders[i], &policy, &facts, &out);
		assert_string_equal(out.p, "X: y\r\n");
	}
	buf_release(&out);
}

static void refuses(void **state)
{
	static const struct {
		const char *from;
		size_t limit;
		enum cause cause;
		const char *status;
	} cases[] = {
		{"a@b>\r\nX: y", 1000, CAUSE_SENDER, "5.1.7"},
		{"a b", 1000, CAUSE_SENDER, "5.1.7"},
		{"a@b", 10, CAUSE_CONTENT, "5.3.4"},
	};
	const struct edit_policy policy = {0};
	struct message m;
	size_t i;

	(void)state;
	read_text("X: y\n\n", &m);
	for (i = 0; i < N_OF(cases); i++) {
		const struct edit_facts facts = {.from = cases[i].from};
		struct envelope e = ENVELOPE_INIT;
		struct outcome o = OUTCOME_INIT;
		struct buf out = BUF_INIT(cases[i].limit);

		assert_int_equal(edit_header(&m, &e, &policy, &facts, &out, &o),
				 -1);
		assert_int_equal(o.cause, cases[i].cause);
		assert_string_equal(o.status, cases[i].status);
		outcome_release(&o);
		buf_release(&out);
	}
	message_release(&m);
}

/* All of it together, read again: one of each, and the order. */
static void completes_a_message_of_cron(void **state)
{
	const struct edit_policy policy = {.remove_bcc = true};
	const struct edit_facts facts = {.now = 1, .full_name = "Bob"};
	static const enum field_id order[] = {
		FIELD_OTHER, FIELD_DATE, FIELD_MESSAGE_ID, FIELD_FROM, FIELD_TO,
	};
	struct buf out = BUF_INIT(10000);
	struct message m;
	size_t i;

	(void)state;
	edit("Subject: x\nBcc: y\n\nz\n", "a@b.c", &policy, &facts, &out);
	read_text(out.p, &m);
	assert_int_equal(m.n_fields, N_OF(order) - 1);
	for (i = 0; i < m.n_fields; i++)
		assert_int_equal(m.fields[i].id, order[i]);
	assert_int_equal(store_size(m.body), 0);
	message_release(&m);
	edit("Subject: x\n\nz\n", "a@b.c", &policy, &facts, &out);
	read_text(out.p, &m);
	assert_int_equal(m.n_fields, N_OF(order));
	assert_int_equal(m.fields[4].id, FIELD_TO);
	message_release(&m);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_out_and_replaces),
		cmocka_unit_test(dates_are_local),
		cmocka_unit_test(ids_are_random_and_of_the_senders_domain),
		cmocka_unit_test(names_the_author),
		cmocka_unit_test(no_name_makes_a_long_line),
		cmocka_unit_test(without_any_sender_there_is_no_from),
		cmocka_unit_test(refuses),
		cmocka_unit_test(completes_a_message_of_cron),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
