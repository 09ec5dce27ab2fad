/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The envelope: gathered from arguments and header, refused in words. */
#include "mail/envelope.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "letter.h"
#include "unit.h"

static char home_domain[] = "home.example";
static const struct local_policy homeless = {0},
				 at_home = {.maildomain = home_domain};

static void understands_dsn_words(void **state)
{
	static const struct {
		const char *text;
		bool valid;
		unsigned notify;
	} cases[] = {
		{"never", true, NOTIFY_NEVER},
		{"NEVER", true, NOTIFY_NEVER},
		{"failure,delay", true, NOTIFY_FAILURE | NOTIFY_DELAY},
		{"success, failure", true, NOTIFY_SUCCESS | NOTIFY_FAILURE},
		{"delay,delay", true, NOTIFY_DELAY},
		{"", false, 0},
		{",", false, 0},
		{"failure,", false, 0},
		{"never,failure", false, 0},
		{"failure,never", false, 0},
		{"always", false, 0},
		{"fail", false, 0},
		{"failure delay", false, 0},
	};
	enum dsn_return ret = RETURN_UNSET;
	unsigned notify;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		notify = 0;
		assert_int_equal(envelope_parse_notify(view_of(cases[i].text),
						       &notify),
				 cases[i].valid);
		assert_int_equal(notify, cases[i].notify);
	}
	assert_true(envelope_parse_return(VIEW("Full"), &ret));
	assert_int_equal(ret, RETURN_FULL);
	assert_true(envelope_parse_return(VIEW("hdrs"), &ret));
	assert_int_equal(ret, RETURN_HEADERS);
	assert_false(envelope_parse_return(VIEW("headers"), &ret));
	assert_false(envelope_parse_return(VIEW(""), &ret));
	assert_int_equal(ret, RETURN_HEADERS);
}

static void understands_body_types(void **state)
{
	enum body_type type = BODY_UNSET;

	(void)state;
	assert_true(envelope_parse_body_type(VIEW("8BITMIME"), &type));
	assert_int_equal(type, BODY_8BITMIME);
	assert_true(envelope_parse_body_type(VIEW("7bit"), &type));
	assert_int_equal(type, BODY_7BIT);
	assert_true(envelope_parse_body_type(VIEW("BinaryMIME"), &type));
	assert_int_equal(type, BODY_BINARYMIME);
	assert_false(envelope_parse_body_type(VIEW("8bit"), &type));
	assert_int_equal(type, BODY_BINARYMIME);
}

static void checks_envelope_ids(void **state)
{
	static char longest[101];
	static const struct {
		struct view text;
		int rc;
	} cases[] = {
		{{"QQ314159", 8}, 0}, {{"with blank + and =", 18}, 0},
		{{"", 0}, -1},        {{"a\r\nb", 4}, -1},
		{{"a\0b", 3}, -1},    {{"\xc3\xa4", 2}, -1},
		{{"\x7f", 1}, -1},    {{longest, 100}, 0},
		{{longest, 101}, -1},
	};
	struct envelope e = ENVELOPE_INIT;
	size_t i;

	(void)state;
	memset(longest, 'x', sizeof(longest));
	for (i = 0; i < N_OF(cases); i++) {
		struct outcome o = OUTCOME_INIT;

		assert_int_equal(envelope_set_envid(&e, cases[i].text, &o),
				 cases[i].rc);
		if (cases[i].rc < 0)
			assert_int_equal(o.cause, CAUSE_USAGE);
		else
			assert_memory_equal(e.envid, cases[i].text.p,
					    cases[i].text.n);
		outcome_release(&o);
	}
	assert_int_equal(strlen(e.envid), 100);
	envelope_release(&e);
}

static void sets_the_sender(void **state)
{
	static const struct {
		const char *text;
		const struct local_policy *local;
		const char *mailbox; /* NULL: refused */
	} cases[] = {
		{"", &homeless, ""},
		{"<>", &homeless, ""},
		{" <> ", &homeless, ""},
		{"a@b", &homeless, "a@b"},
		{"<a@b>", &homeless, "a@b"},
		{"lab", &at_home, "lab@home.example"},
		{"lab", &homeless, NULL},
		{"lab", NULL, NULL},
		{"a@b>\r\nRCPT TO:<evil@x", &at_home, NULL},
		{"a@b> SIZE=1", &at_home, NULL},
		{"a@b, c@d", &at_home, NULL},
		{"Bob <a@b>", &at_home, NULL},
		{"< >", &at_home, NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct envelope e = ENVELOPE_INIT;
		struct outcome o = OUTCOME_INIT;
		int rc = envelope_set_sender(&e, view_of(cases[i].text),
					     cases[i].local, &o);

		assert_int_equal(rc, cases[i].mailbox ? 0 : -1);
		if (rc == 0) {
			assert_string_equal(e.sender.mailbox, cases[i].mailbox);
		} else {
			assert_null(e.sender.mailbox);
			assert_int_equal(o.cause, CAUSE_SENDER);
			assert_string_equal(o.status, "5.1.7");
		}
		outcome_release(&o);
		envelope_release(&e);
	}
}

static void check_recipients(const struct envelope *e, const char *expected)
{
	struct buf all = BUF_INIT(10000);
	size_t i;

	for (i = 0; i < e->n_recipients; i++) {
		assert_null(e->recipients[i].original.mailbox);
		buf_printf(&all, "%s%s", i ? " " : "",
			   e->recipients[i].address.mailbox);
	}
	assert_string_equal(all.p, expected);
	buf_release(&all);
}

static void adds_arguments(void **state)
{
	static const struct {
		const char *first, *second;
		const struct local_policy *local;
		const char *result; /* NULL: the second is refused */
	} cases[] = {
		{"a@b", "c@d", &homeless, "a@b c@d"},
		{"a@b", "a@B", &homeless, "a@b"},
		{"a@b", "A@b", &homeless, "a@b A@b"},
		{"a@b,c@d", "e@f, a@b", &homeless, "a@b c@d e@f"},
		{"root", "root@home.example", &at_home, "root@home.example"},
		{"\"root\"@x", "root@x", &homeless, "root@x"},
		{"a@b", "", &homeless, "a@b"},
		{"a@b", "Bob <c@d>", &homeless, "a@b c@d"},
		{"a@b", "root", &homeless, NULL},
		{"a@b", "root", NULL, NULL},
		{"a@b", "c@d\n", &homeless, NULL},
		{"a@b", "c@d\r\n e@f", &homeless, NULL},
		{"a@b", "c@d>\r\nRCPT TO:<e@f", &homeless, NULL},
		{"a@b", "c d@e", &homeless, NULL},
		{"a@b", "\"c\x01\"@d", &homeless, NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct envelope e = ENVELOPE_INIT;
		struct outcome o = OUTCOME_INIT;
		int rc;

		assert_int_equal(
			envelope_add_recipients(&e, view_of(cases[i].first),
						cases[i].local, &o),
			0);
		rc = envelope_add_recipients(&e, view_of(cases[i].second),
					     cases[i].local, &o);
		assert_int_equal(rc, cases[i].result ? 0 : -1);
		if (rc == 0) {
			check_recipients(&e, cases[i].result);
		} else {
			assert_int_equal(o.cause, CAUSE_RECIPIENT);
			assert_string_equal(o.status, "5.1.3");
		}
		outcome_release(&o);
		envelope_release(&e);
	}
}

static void says_what_gives_names_a_home(void **state)
{
	struct envelope e = ENVELOPE_INIT;
	struct outcome o = OUTCOME_INIT;

	(void)state;
	assert_int_equal(
		envelope_add_recipients(&e, VIEW("lab"), &homeless, &o), -1);
	assert_non_null(strstr(o.text, "\"lab\""));
	assert_non_null(strstr(o.text, "maildomain"));
	assert_non_null(strstr(o.text, "local_to"));
	outcome_release(&o);
	/* a sender's home is not where mail to it goes */
	assert_int_equal(envelope_set_sender(&e, VIEW("lab"), &homeless, &o),
			 -1);
	assert_int_equal(o.cause, CAUSE_SENDER);
	assert_string_equal(o.text,
			    "the sender \"lab\" has no domain; set from or "
			    "maildomain, or give one with -f");
	outcome_release(&o);
	envelope_release(&e);
}

/* Recipients without a domain all go to one mailbox; the sender does not. */
static void sends_local_mail_home(void **state)
{
	const struct {
		struct local_policy local;
		const char *to, *result;
	} cases[] = {
		{{NULL, (char[]){"me@a.test"}, NULL}, "root", "me@a.test"},
		{{(char[]){"mx.example"}, (char[]){"me@home.test"}, NULL},
		 "root, lab, a@b.example",
		 "me@home.test a@b.example"},
		{{(char[]){"mx.example"}, (char[]){"me"}, NULL},
		 "root",
		 "me@mx.example"},
		{{NULL, (char[]){"me"}, NULL}, "root", NULL},
		{{NULL, (char[]){"a b@c"}, NULL}, "root", NULL},
		{{NULL, (char[]){"a b@c"}, NULL}, "a@b.example", "a@b.example"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct envelope e = ENVELOPE_INIT;
		struct outcome o = OUTCOME_INIT;
		int rc = envelope_add_recipients(&e, view_of(cases[i].to),
						 &cases[i].local, &o);

		assert_int_equal(rc, cases[i].result ? 0 : -1);
		if (rc == 0) {
			check_recipients(&e, cases[i].result);
		} else {
			assert_int_equal(o.cause, CAUSE_CONFIG);
			assert_non_null(strstr(o.text, "local_to"));
		}
		outcome_release(&o);
		envelope_release(&e);
	}
}

/* In time that grows with their number, in an order that is hard for trees. */
static void drops_duplicates_among_many(void **state)
{
	struct envelope e = ENVELOPE_INIT;
	struct outcome o = OUTCOME_INIT;
	struct buf list = BUF_INIT(8u << 20);
	size_t i;

	(void)state;
	for (i = 0; i < 200000; i++)
		buf_printf(&list, "user%06zu@example.org,", i % 100000);
	assert_int_equal(
		envelope_add_recipients(&e, buf_view(&list), &homeless, &o), 0);
	assert_int_equal(e.n_recipients, 100000);
	assert_string_equal(e.recipients[99999].address.mailbox,
			    "user099999@example.org");
	buf_release(&list);
	envelope_release(&e);
}

static void takes_recipients_from_the_header(void **state)
{
	static const struct {
		const char *message;
		const char *result; /* NULL: refused */
	} cases[] = {
		{"", ""},
		{"Subject: x\n\nTo: a@b\n", ""},
		{"To: a@b\nCc: c@d\nBcc: e@f\n\n", "a@b c@d e@f"},
		{"cc: a@b\nTO: c@d\nbCC: a@b, e@f\n\n", "a@b c@d e@f"},
		{"To: a@b\nTo: c@d\n\n", "a@b c@d"},
		{"To: Bob <a@b>,\n\tc@d\n\n", "a@b c@d"},
		{"To: undisclosed-recipients:;\nBcc: a@b\n\n", "a@b"},
		{"To: root\n\n", "root@home.example"},
		{"To :a@b\n\n", "a@b"},
		{"To:\n\n", ""},
		{"From: x@y\nReply-To: z@y\nTo: a@b\n\n", "a@b"},
		{"To: a@b\nApparently-To: c@d\n\n", "a@b"},
		/* RFC 5322 3.6.6 */
		{"Resent-To: r@s\nTo: a@b\n\n", "r@s"},
		{"Received: x\nResent-From: q@s\nResent-To: r@s\n"
		 "Resent-Cc: t@s\nResent-Bcc: u@s\nTo: a@b\n\n",
		 "r@s t@s u@s"},
		{"Resent-To: r@s\nResent-From: q@s\nReceived: x\n"
		 "Resent-To: old@s\nTo: a@b\n\n",
		 "r@s"},
		{"Resent-From: q@s\nResent-To: r@s\nResent-From: p@s\n"
		 "Resent-To: old@s\nTo: a@b\n\n",
		 "r@s"},
		{"Resent-To: r@s\nResent-From: q@s\nResent-To: old@s\n"
		 "Resent-From: p@s\n\n",
		 "r@s"},
		{"Resent-Fcc: x\nResent-Reply-To: y\nResent-To: r@s\n\n",
		 "r@s"},
		{"Resent-From: q@s\nTo: a@b\nResent-To: old@s\n\n", ""},
		{"To: a b@c\n\n", NULL},
		{"To: a@b\nCc: <c@d\n\n", NULL},
		{"To: a@b\nBcc: c\rd@e\n\n", NULL},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct envelope e = ENVELOPE_INIT;
		struct outcome o = OUTCOME_INIT;
		struct message m;
		int rc;

		read_text(cases[i].message, &m);
		rc = envelope_add_from_header(&e, &m, &at_home, &o);
		assert_int_equal(rc, cases[i].result ? 0 : -1);
		if (rc == 0)
			check_recipients(&e, cases[i].result);
		else
			assert_int_equal(o.cause, CAUSE_RECIPIENT);
		outcome_release(&o);
		envelope_release(&e);
		message_release(&m);
	}
}

static void errors_name_the_field(void **state)
{
	struct envelope e = ENVELOPE_INIT;
	struct outcome o = OUTCOME_INIT;
	struct message m;

	(void)state;
	read_text("cc: a b@c\n\n", &m);
	assert_int_equal(envelope_add_from_header(&e, &m, &at_home, &o), -1);
	assert_memory_equal(o.text, "Cc: bad address \"a b@c\"", 23);
	outcome_release(&o);
	envelope_release(&e);
	message_release(&m);
}

static void takes_the_sender_from_the_header(void **state)
{
	static const struct {
		const char *message, *mailbox;
		int rc;
	} cases[] = {
		{"", NULL, 0},
		{"To: a@b\n\n", NULL, 0},
		{"From: Bob <a@b>\n\n", "a@b", 0},
		{"From: root (Cron Daemon)\n\n", "root", 0},
		{"From: a@b, c@d\n\n", "a@b", 0},
		{"From: a@b, c@d\nSender: c@d\n\n", "c@d", 0},
		{"From: a@b\nSender:\n\n", "a@b", 0},
		{"Resent-From: r@s\nFrom: a@b\n\n", "r@s", 0},
		{"Resent-From: r@s\nResent-Sender: t@s\nFrom: a@b\n\n", "t@s",
		 0},
		{"Resent-To: r@s\nSender: t@s\nFrom: a@b\n\n", "t@s", 0},
		{"Resent-To: r@s\nX: y\nResent-From: old@s\nFrom: a@b\n\n",
		 "a@b", 0},
		{"From: a b@c\n\n", NULL, -1},
		{"From: a@b\nSender: (x\n\n", NULL, -1},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct address a = ADDRESS_INIT;
		struct outcome o = OUTCOME_INIT;
		struct message m;

		read_text(cases[i].message, &m);
		assert_int_equal(envelope_sender_from_header(&m, &a, &o),
				 cases[i].rc);
		if (cases[i].mailbox)
			assert_string_equal(a.mailbox, cases[i].mailbox);
		else
			assert_null(a.mailbox);
		if (cases[i].rc < 0) {
			assert_int_equal(o.cause, CAUSE_SENDER);
			assert_string_equal(o.status, "5.1.7");
		}
		outcome_release(&o);
		address_release(&a);
		message_release(&m);
	}
}

static void knows_who_needs_smtputf8(void **state)
{
	struct envelope e = ENVELOPE_INIT;
	struct outcome o = OUTCOME_INIT;

	(void)state;
	assert_null(envelope_utf8_address(&e));
	envelope_set_sender(&e, VIEW("a@b\xc3\xbc.de"), &homeless, &o);
	envelope_add_recipients(&e, VIEW("c@d"), &homeless, &o);
	assert_null(envelope_utf8_address(&e));
	envelope_add_recipients(&e, VIEW("b\xc3\xbc@d"), &homeless, &o);
	assert_string_equal(envelope_utf8_address(&e), "b\xc3\xbc@d");
	envelope_set_sender(&e, VIEW("s\xc3\xbc@d"), &homeless, &o);
	assert_string_equal(envelope_utf8_address(&e), "s\xc3\xbc@d");
	envelope_release(&e);
	envelope_release(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understands_dsn_words),
		cmocka_unit_test(understands_body_types),
		cmocka_unit_test(checks_envelope_ids),
		cmocka_unit_test(sets_the_sender),
		cmocka_unit_test(adds_arguments),
		cmocka_unit_test(says_what_gives_names_a_home),
		cmocka_unit_test(sends_local_mail_home),
		cmocka_unit_test(drops_duplicates_among_many),
		cmocka_unit_test(takes_recipients_from_the_header),
		cmocka_unit_test(errors_name_the_field),
		cmocka_unit_test(takes_the_sender_from_the_header),
		cmocka_unit_test(knows_who_needs_smtputf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
