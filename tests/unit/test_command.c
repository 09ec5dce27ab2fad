/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands and the parameters that a server's capabilities allow. */
#include "smtp/command.h"

#include "unit.h"

#include "base/memory.h"

#define EVERYTHING 0xffffu

static const struct {
	const char *sender;
	unsigned server; /* enum capability */
	enum dsn_return ret;
	const char *envid;
	enum body_type type;
	enum body_form form;
	bool utf8;
	const char *line;
} mails[] = {
	{"a@b", 0, RETURN_FULL, "id", BODY_8BITMIME, FORM_8BIT, false,
	 "MAIL FROM:<a@b>\r\n"},
	{"", 0, 0, NULL, 0, FORM_7BIT, false, "MAIL FROM:<>\r\n"},
	{"a@b", CAP_SIZE, 0, NULL, 0, FORM_7BIT, false,
	 "MAIL FROM:<a@b> SIZE=1234\r\n"},
	{"a@b", CAP_8BITMIME, 0, NULL, 0, FORM_7BIT, false,
	 "MAIL FROM:<a@b>\r\n"},
	{"a@b", CAP_8BITMIME, 0, NULL, 0, FORM_8BIT, false,
	 "MAIL FROM:<a@b> BODY=8BITMIME\r\n"},
	{"a@b", CAP_8BITMIME, 0, NULL, BODY_8BITMIME, FORM_7BIT, false,
	 "MAIL FROM:<a@b> BODY=8BITMIME\r\n"},
	{"a@b", CAP_8BITMIME, 0, NULL, BODY_7BIT, FORM_7BIT, false,
	 "MAIL FROM:<a@b> BODY=7BIT\r\n"},
	/* the octets contradict the caller */
	{"a@b", CAP_8BITMIME, 0, NULL, BODY_7BIT, FORM_8BIT, false,
	 "MAIL FROM:<a@b> BODY=8BITMIME\r\n"},
	{"a@b", CAP_DSN, RETURN_HEADERS, NULL, 0, FORM_7BIT, false,
	 "MAIL FROM:<a@b> RET=HDRS\r\n"},
	{"a@b", CAP_DSN, RETURN_FULL, "a+b=c d", 0, FORM_7BIT, false,
	 "MAIL FROM:<a@b> RET=FULL ENVID=a+2Bb+3Dc+20d\r\n"},
	{"a@b", EVERYTHING, RETURN_FULL, "x", 0, FORM_8BIT, true,
	 "MAIL FROM:<a@b> SIZE=1234 BODY=8BITMIME SMTPUTF8 RET=FULL "
	 "ENVID=x\r\n"},
	{"a@b", CAP_8BITMIME | CAP_BINARYMIME, 0, NULL, 0, FORM_BINARY, false,
	 "MAIL FROM:<a@b> BODY=BINARYMIME\r\n"},
	{"a@b", CAP_BINARYMIME, 0, NULL, 0, FORM_BINARY, false,
	 "MAIL FROM:<a@b> BODY=BINARYMIME\r\n"},
	{"a@b", CAP_8BITMIME | CAP_BINARYMIME, 0, NULL, 0, FORM_8BIT, false,
	 "MAIL FROM:<a@b> BODY=8BITMIME\r\n"},
	{"a@b", CAP_BINARYMIME, 0, NULL, BODY_BINARYMIME, FORM_7BIT, false,
	 "MAIL FROM:<a@b> BODY=BINARYMIME\r\n"},
	{"a@b", CAP_8BITMIME, 0, NULL, BODY_BINARYMIME, FORM_8BIT, false,
	 "MAIL FROM:<a@b> BODY=8BITMIME\r\n"},
	{"a@b", CAP_8BITMIME, 0, NULL, BODY_BINARYMIME, FORM_7BIT, false,
	 "MAIL FROM:<a@b>\r\n"},
};

static void mail_says_what_the_server_understands(void **state)
{
	struct capabilities server = CAPABILITIES_INIT;
	struct envelope e = ENVELOPE_INIT;
	struct command c;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(mails); i++) {
		struct mail_facts facts = {
			.size = 1234,
			.form = mails[i].form,
			.use_smtputf8 = mails[i].utf8,
			.by_bdat = true,
		};

		server.set = mails[i].server;
		e.sender.mailbox = memory_dup(mails[i].sender);
		e.ret = mails[i].ret;
		e.envid = memory_dup(mails[i].envid);
		e.body_type = mails[i].type;
		command_mail(&c, &e, &facts, &server);
		assert_string_equal(c.line, mails[i].line);
		assert_true(c.essential);
		assert_false(c.barrier);
		assert_int_equal(c.step, STEP_MAIL);
		command_release(&c);
		envelope_release(&e);
		e = ENVELOPE_INIT;
	}
}

static const struct {
	const char *mailbox, *original;
	unsigned server, notify;
	const char *line;
} rcpts[] = {
	{"a@b", NULL, 0, NOTIFY_NEVER, "RCPT TO:<a@b>\r\n"},
	{"a@b", NULL, CAP_DSN, 0, "RCPT TO:<a@b>\r\n"},
	{"a@b", NULL, CAP_DSN, NOTIFY_NEVER,
	 "RCPT TO:<a@b> NOTIFY=NEVER ORCPT=rfc822;a@b\r\n"},
	{"a+b@c", NULL, CAP_DSN, NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY,
	 "RCPT TO:<a+b@c> NOTIFY=SUCCESS,FAILURE,DELAY "
	 "ORCPT=rfc822;a+2Bb@c\r\n"},
	{"a@b", "root", CAP_DSN, 0, "RCPT TO:<a@b> ORCPT=rfc822;root\r\n"},
	{"a@b", "root", 0, 0, "RCPT TO:<a@b>\r\n"},
	{"a@b", "j\xc3\xb6=x@c", CAP_DSN, 0,
	 /* RFC 6533 3: in ASCII to one without SMTPUTF8 */
	 "RCPT TO:<a@b> ORCPT=utf-8;j\\x{F6}\\x{3D}x@c\r\n"},
};

static void rcpt_says_what_the_server_understands(void **state)
{
	struct capabilities server = CAPABILITIES_INIT;
	struct envelope e = ENVELOPE_INIT;
	struct command c;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rcpts); i++) {
		struct recipient r = {
			.address.mailbox = memory_dup(rcpts[i].mailbox),
			.original.mailbox = memory_dup(rcpts[i].original),
		};

		server.set = rcpts[i].server;
		e.notify = rcpts[i].notify;
		command_rcpt(&c, &e, &r, &server, NULL);
		assert_string_equal(c.line, rcpts[i].line);
		assert_int_equal(c.step, STEP_RCPT);
		command_release(&c);
		address_release(&r.address);
		address_release(&r.original);
	}
}

/* Parameters of the user's own stand behind ours; without BDAT nothing is
 * declared as binary. */
static void takes_other_parameters(void **state)
{
	struct capabilities server = {.set = CAP_SIZE | CAP_BINARYMIME};
	struct envelope e = {.body_type = BODY_BINARYMIME};
	struct recipient r = {.address.mailbox = (char[]){"b@c"}};
	struct mail_facts facts = {.size = 7, .parameters = "XA XB=1"};
	struct command c;

	(void)state;
	e.sender.mailbox = (char[]){"a@b"};
	command_mail(&c, &e, &facts, &server);
	assert_string_equal(c.line, "MAIL FROM:<a@b> SIZE=7 XA XB=1\r\n");
	command_release(&c);
	command_rcpt(&c, &e, &r, &server, "XC");
	assert_string_equal(c.line, "RCPT TO:<b@c> XC\r\n");
	command_release(&c);
}

/* REQUIRETLS was checked before and is said in any case (RFC 8689 4.2.1); BY
 * is a wish that only a server with DELIVERBY hears (RFC 2852 4). */
static void asks_for_tls_and_for_haste(void **state)
{
	static const struct {
		unsigned server;
		bool require_tls;
		const char *deliver_by;
		const char *line;
	} rows[] = {
		{CAP_REQUIRETLS | CAP_DELIVERBY, false, NULL,
		 "MAIL FROM:<a@b>\r\n"},
		{CAP_REQUIRETLS, true, NULL, "MAIL FROM:<a@b> REQUIRETLS\r\n"},
		{CAP_DELIVERBY, false, "120;R", "MAIL FROM:<a@b> BY=120;R\r\n"},
		{CAP_DELIVERBY, false, "-5;NT", "MAIL FROM:<a@b> BY=-5;NT\r\n"},
		{0, false, "120;N", "MAIL FROM:<a@b>\r\n"},
		{CAP_SIZE | CAP_REQUIRETLS | CAP_DELIVERBY | CAP_DSN, true,
		 "9;N",
		 "MAIL FROM:<a@b> SIZE=7 REQUIRETLS BY=9;N RET=FULL XA\r\n"},
	};
	struct envelope e = {.ret = RETURN_FULL};
	struct command c;
	size_t i;

	(void)state;
	e.sender.mailbox = (char[]){"a@b"};
	for (i = 0; i < N_OF(rows); i++) {
		struct capabilities server = {.set = rows[i].server};
		struct mail_facts facts = {
			.size = 7,
			.require_tls = rows[i].require_tls,
			.deliver_by = rows[i].deliver_by,
			.parameters = rows[i].server & CAP_DSN ? "XA" : NULL,
		};

		command_mail(&c, &e, &facts, &server);
		assert_string_equal(c.line, rows[i].line);
		command_release(&c);
	}
}

/* ORCPT as a client gave it goes on as it is, ahead of any other; and the
 * recipient's own NOTIFY ahead of the envelope's. */
static void passes_a_clients_wishes_on(void **state)
{
	static const struct {
		unsigned server, notify, own;
		const char *orcpt, *original;
		const char *line;
	} rows[] = {
		{CAP_DSN, 0, 0, "rfc822;o+2B@x", NULL,
		 "RCPT TO:<a@b> ORCPT=rfc822;o+2B@x\r\n"},
		{CAP_DSN, NOTIFY_NEVER, NOTIFY_DELAY, "x-y;1", "root@z",
		 "RCPT TO:<a@b> NOTIFY=DELAY ORCPT=x-y;1\r\n"},
		{CAP_DSN, NOTIFY_NEVER, 0, NULL, "root@z",
		 "RCPT TO:<a@b> NOTIFY=NEVER ORCPT=rfc822;root@z\r\n"},
		{0, NOTIFY_NEVER, NOTIFY_DELAY, "x-y;1", NULL,
		 "RCPT TO:<a@b>\r\n"},
	};
	struct command c;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		struct capabilities server = {.set = rows[i].server};
		struct envelope e = {.notify = rows[i].notify};
		struct recipient r = {
			.address.mailbox = (char[]){"a@b"},
			.original.mailbox = (char *)rows[i].original,
			.orcpt = (char *)rows[i].orcpt,
			.notify = rows[i].own,
		};

		command_rcpt(&c, &e, &r, &server, NULL);
		assert_string_equal(c.line, rows[i].line);
		command_release(&c);
	}
}

static void the_rest_is_said_plainly(void **state)
{
	struct body body = {0};
	struct command c;

	(void)state;
	command_line(&c, "DATA", "DATA", STEP_DATA);
	assert_string_equal(c.line, "DATA\r\n");
	assert_true(c.barrier);
	assert_int_equal(command_class(&c), 0);
	command_release(&c);
	command_bdat(&c, &body, 5000000000, true, 1);
	assert_string_equal(c.line, "BDAT 5000000000 LAST\r\n");
	assert_ptr_equal(c.payload, &body);
	command_release(&c);
	command_bdat(&c, &body, 7, false, 1);
	assert_string_equal(c.line, "BDAT 7\r\n");
	command_release(&c);
	command_body(&c, &body, 3);
	assert_null(c.line);
	assert_int_equal(c.n_replies, 3);
	command_release(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_says_what_the_server_understands),
		cmocka_unit_test(rcpt_says_what_the_server_understands),
		cmocka_unit_test(takes_other_parameters),
		cmocka_unit_test(asks_for_tls_and_for_haste),
		cmocka_unit_test(passes_a_clients_wishes_on),
		cmocka_unit_test(the_rest_is_said_plainly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
