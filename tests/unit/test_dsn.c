/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a report says, and that nothing that others said breaks it. */
#include "mail/dsn.h"

#include "base/memory.h"
#include "base/text.h"
#include "letter.h"

#define PLAIN                                           \
	"From: alice@example.org\r\nSubject: hello\r\n" \
	"Message-ID: <1@example.org>\r\n\r\nfirst line\r\nlast\r\n"
#define SIGNED                                                 \
	"MIME-Version: 1.0\r\nContent-Type: multipart/signed;" \
	" boundary=b\r\n\r\n--b\r\n\r\n\xc3\xbc\r\n--b--\r\n"
#define LABEL(encoding)                                   \
	"\r\nContent-Transfer-Encoding: " encoding "\r\n" \
	"Content-Type: multipart/report;"
#define NOON 1795953600 /* Sun, 29 Nov 2026 12:00:00 */

/* One recipient, one answer, one message. */
struct sample {
	enum dsn_action action;
	const char *mailbox, *orcpt, *alias, *envid;
	enum dsn_return ret;
	const char *status, *text, *server;
	int code;
	enum cause cause;
	const char *message; /* NULL: PLAIN */
	const char *host;
	const char *domain;
};

static char *whole_text(const struct message *m)
{
	struct buf out = BUF_INIT(64u << 20);
	struct outcome o = OUTCOME_INIT;
	size_t n = m->body ? (size_t)store_size(m->body) : 0;
	ptrdiff_t got;

	buf_add_view(&out, buf_view(&m->header));
	buf_add_text(&out, "\r\n");
	assert_non_null(buf_room(&out, n + 1));
	for (n += out.n; out.n < n; out.n += (size_t)got) {
		got = store_read(m->body, out.n - m->header.n - 2,
				 out.p + out.n, n - out.n, &o);
		assert_true(got > 0);
	}
	out.p[out.n] = '\0';
	return buf_detach(&out);
}

static char *compose_of(const struct sample *s, const struct message *m)
{
	struct recipient who = {
		.address.mailbox =
			memory_dup(s->mailbox ? s->mailbox : "bob@example.net"),
		.original.mailbox = memory_dup(s->alias),
		.orcpt = memory_dup(s->orcpt),
	};
	struct outcome answer = OUTCOME_INIT, o = OUTCOME_INIT;
	struct envelope envelope = {.ret = s->ret};
	struct dsn_recipient about = {&who, &answer, NOON + 60, NOON + 86400};
	struct dsn d = {
		.action = s->action,
		.id = "0mx1jov31ogs49k2",
		.host = s->host ? s->host : "client.example.org",
		.domain = s->domain,
		.to = "alice@example.org",
		.now = NOON + 120,
		.arrived = NOON,
		.envelope = &envelope,
		.recipients = &about,
		.n = 1,
		.header = buf_view(&m->header),
		.message = m,
	};
	struct message report = MESSAGE_INIT;
	char *text;

	envelope.envid = memory_dup(s->envid);
	fail(&answer, s->cause ? s->cause : CAUSE_RECIPIENT,
	     s->status ? s->status : "5.1.1", "%s", s->text ? s->text : "no");
	answer.reply_code = s->code;
	outcome_set_host(&answer, s->server);
	assert_int_equal(dsn_compose(&d, &report, &o), 0);
	text = whole_text(&report);
	message_release(&report);
	outcome_release(&answer);
	free(envelope.envid);
	free(who.address.mailbox);
	free(who.original.mailbox);
	free(who.orcpt);
	return text;
}

static char *compose_sample(const struct sample *s)
{
	struct message m;
	char *text;

	read_text(s->message ? s->message : PLAIN, &m);
	text = compose_of(s, &m);
	message_release(&m);
	return text;
}

#define SERVER .code = 550, .server = "mx.example.net"

static const struct {
	struct sample sample;
	const char *has[5];
	const char *lacks[3];
} table[] = {
	{{DSN_FAILED, SERVER, .text = "550 5.1.1 none (in reply to RCPT)"},
	 {"\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.example.net\r\n"
	  "Diagnostic-Code: smtp; 550 5.1.1 none\r\n"
	  "Last-Attempt-Date: Sun, 29 Nov 2026 12:01:00 +0000\r\n",
	  "\r\nFinal-Recipient: rfc822; bob@example.net\r\nAction: failed\r\n",
	  "\r\nReporting-MTA: dns; client.example.org\r\nArrival-Date: Sun, 29 "
	  "Nov 2026 12:00:00 +0000\r\n\r\n",
	  "Content-Type: message/rfc822\r\n", "\r\nfirst line\r\nlast\r\n"},
	 {"Original-", "Will-Retry", "8bit"}},
	{{DSN_FAILED, .status = "4.4.1", .text = "no route"},
	 {"\r\nStatus: 5.4.1\r\nLast-Attempt", "        no route\r\n",
	  "Auto-Submitted: auto-replied\r\n",
	  "In-Reply-To: <1@example.org>\r\nReferences: <1@example.org>\r\n",
	  "From: \"Mail Delivery System\" "
	  "<MAILER-DAEMON@client.example.org>\r\n"},
	 {"Remote-MTA", "Diagnostic"}},
	{{DSN_FAILED, SERVER, .status = "5.4.7",
	  .text = "given up after 5 days; the last answer: 550 come back"},
	 {"Status: 5.4.7\r\n", "smtp; 550 come back\r\n", "said: given up"},
	 {"smtp; given"}},
	{{DSN_DELAYED, .status = "5.7.8"},
	 {"Action: delayed\r\nStatus: 4.7.8\r\n",
	  "Will-Retry-Until: Mon, 30 Nov 2026 12:00:00 +0000\r\n",
	  "Subject: Your message is delayed\r\n", "text/rfc822-headers\r\n",
	  "Subject: hello\r\n"},
	 {"first line", "message/rfc822"}},
	{{DSN_RELAYED, .code = 250, .server = "mx", .status = "2.0.0",
	  .text = "250 ok"},
	 {"Action: relayed\r\nStatus: 2.0.0\r\n",
	  "Subject: Your message was passed on\r\n"},
	 {"first line", "Will-Retry"}},
	{{DSN_FAILED, .ret = RETURN_HEADERS},
	 {"text/rfc822-headers\r\n", "Message-ID: <1@example.org>\r\n"},
	 {"first line"}},
	{{DSN_FAILED, .ret = RETURN_FULL}, {"\r\n\r\nfirst line\r\n"}, {0}},
	{{DSN_FAILED, .cause = CAUSE_FEATURE, .status = "5.6.3"},
	 {"text/rfc822-headers\r\n"},
	 {"first line"}},
	{{DSN_FAILED, .cause = CAUSE_FEATURE, .status = "5.6.7"},
	 {"first line"},
	 {0}},
	{{DSN_FAILED, SERVER, .cause = CAUSE_CONTENT}, {"first line"}, {0}},
	{{DSN_FAILED, .envid = "QQ+314", .orcpt = "rfc822;Bob+2B1@EXAMPLE.net"},
	 {"Original-Envelope-Id: QQ+314\r\n",
	  "Original-Recipient: rfc822;Bob+1@EXAMPLE.net\r\n"},
	 {0}},
	{{DSN_FAILED, .envid = "two  blanks",
	  .mailbox = "\"a  b\"@example.net"},
	 {"Original-Envelope-Id: two  blanks\r\n",
	  "Final-Recipient: rfc822; \"a  b\"@example.net\r\n"},
	 {0}},
	{{DSN_FAILED, SERVER,
	  .text = "550 no (in reply to you) user (in reply to MAIL)"},
	 {"smtp; 550 no (in reply to you) user\r\n"},
	 {0}},
	{{DSN_FAILED, .message = SIGNED},
	 {"text/rfc822-headers\r\n", LABEL("7bit")},
	 {"message/rfc822", "8bit"}},
	{{DSN_FAILED, .message = "Subject: a\r\n\r\n\xc3\xbc\r\n"},
	 {"message/rfc822\r\n", LABEL("8bit")},
	 {0}},
	{{DSN_FAILED, .orcpt = "rfc822;a+0D+0AEvil: 1"},
	 {"Original-Recipient: rfc822;a+0D+0AEvil: 1\r\n"},
	 {"\nEvil"}},
	{{DSN_FAILED, .alias = "root"},
	 {"Original-Recipient: rfc822; root\r\n", "(for root)\r\n"},
	 {0}},
	{{DSN_FAILED, .mailbox = "b\xc3\xb6@example.net"},
	 {"Final-Recipient: utf-8; b\xc3\xb6@example.net\r\n",
	  "message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit",
	  "text/plain; charset=utf-8", "    b=C3=B6@example.net\r\n",
	  "message/rfc822\r\n"},
	 {0}},
	{{DSN_FAILED, SERVER, .text = "550 n\xc3\xb6"},
	 {"smtp; 550 n\\x{F6}\r\n", "message/delivery-status", "n=C3=B6"},
	 {"n\xc3\xb6"}},
	{{DSN_FAILED, .message = "Subject: h\xc3\xa9\r\n\r\nb\r\n"},
	 {"message/global\r\nContent-Transfer-Encoding: 8bit",
	  "Subject: h=C3=A9\r\n"},
	 {"rfc822\r\n"}},
	{{DSN_FAILED, .message = "Subject: h\xc3\xa9\r\n\r\nb\r\n",
	  .ret = RETURN_HEADERS},
	 {"message/global-headers\r\nContent-Transfer-Encoding: 8bit"},
	 {0}},
	{{DSN_FAILED, .message = "Subject: h\xe9\r\n\r\nbody\r\n"},
	 {"text/rfc822-headers\r\nContent-Transfer-Encoding: quoted-printable",
	  "Subject: h=E9"},
	 {"\xe9", "body"}},
	{{DSN_FAILED, .message = "Subject: a\r\n\r\nb\xc3\xb6\r\n"},
	 {"message/rfc822\r\nContent-Transfer-Encoding: 8bit"},
	 {0}},
	{{DSN_FAILED, .message = "Subject: a\r\n\r\nb\rody\r\n"},
	 {"text/rfc822-headers"},
	 {"b\rody"}},
	{{DSN_FAILED, .message = "Subject: a\x01z\r\n\r\nbody\r\n"},
	 {"Subject: a=01z", "Subject: a\\x01z"},
	 {"body"}},
	{{DSN_FAILED, .message = "Message-ID: <a b>\r\n\r\nbody\r\n"},
	 {"body"},
	 {"In-Reply-To"}},
	{{DSN_FAILED, .message = "Message-ID: <a> <b>\r\n\r\nbody\r\n"},
	 {"body"},
	 {"In-Reply-To"}},
	{{DSN_FAILED, .message = "\r\nbody\r\n"}, {"\r\n\r\nbody"}, {0}},
	{{DSN_FAILED, .host = "[127.0.0.1]"},
	 {"MAILER-DAEMON@[127.0.0.1]>"},
	 {0}},
	{{DSN_FAILED, .domain = "b\303\274cher.example"},
	 {"MAILER-DAEMON@xn--bcher-kva.example>",
	  "Reporting-MTA: dns; client.example.org"},
	 {"MAILER-DAEMON@client"}},
	{{DSN_FAILED, .host = "a b\r\nc: d"},
	 {"MAILER-DAEMON@localhost>"},
	 {"\nc: d"}},
	{{DSN_FAILED, .host = "[a>\"]"}, {"MAILER-DAEMON@localhost>"}, {0}},
};

static void says_what_it_should(void **state)
{
	size_t i, j;

	(void)state;
	for (i = 0; i < N_OF(table); i++) {
		char *text = compose_sample(&table[i].sample);

		for (j = 0; j < N_OF(table[i].has) && table[i].has[j]; j++)
			if (!strstr(text, table[i].has[j]))
				fail_msg("row %zu lacks \"%s\":\n%s", i,
					 table[i].has[j], text);
		for (j = 0; j < N_OF(table[i].lacks) && table[i].lacks[j]; j++)
			if (strstr(text, table[i].lacks[j]))
				fail_msg("row %zu has \"%s\":\n%s", i,
					 table[i].lacks[j], text);
		free(text);
	}
}

/* Whatever a server says stays in its own field, on lines that are short. */
static void odd_words_stay_where_they_are(void **state)
{
	static char longest[5000], none[3];
	const char *const odd[] = {longest,
				   none,
				   " ",
				   ": 550",
				   "550",
				   "a\r\n\r\n--x--\r\nEvil: 1\r\n",
				   "(in reply to )",
				   " (in reply to )"};
	struct view rest, line;
	size_t i;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	for (i = 0; i < N_OF(odd); i++) {
		struct sample s = {DSN_FAILED, SERVER, .text = odd[i],
				   .ret = RETURN_HEADERS};
		char *text = compose_sample(&s);

		rest = view_of(text);
		while (rest.n) {
			line = view_next_line(&rest);
			assert_true(line.n <= 998);
			assert_false(view_starts_nocase(line, VIEW("Evil")));
		}
		assert_non_null(strstr(text, "Last-Attempt-Date: "));
		free(text);
	}
}

static void large_messages_return_their_header(void **state)
{
	static const size_t sizes[] = {DSN_RETURN_MAX - 12,
				       DSN_RETURN_MAX - 11};
	struct sample s = {.action = DSN_FAILED};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(sizes); i++) {
		struct buf b = BUF_INIT(DSN_RETURN_MAX * 2);
		struct message m;
		char *text;

		buf_add_text(&b, "Subject: a\r\n\r\n");
		while (b.n < sizes[i] + 14 - 100)
			buf_add_text(&b, "0123456789\r\n");
		while (b.n < sizes[i] + 14 - 2)
			buf_add_char(&b, 'a');
		buf_add_text(&b, "\r\n");
		read_view(buf_view(&b), &m);
		assert_int_equal(store_size(m.body), sizes[i]);
		text = compose_of(&s, &m);
		assert_int_equal(strstr(text, "0123456789") != NULL, i == 0);
		free(text);
		message_release(&m);
		buf_release(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_it_should),
		cmocka_unit_test(odd_words_stay_where_they_are),
		cmocka_unit_test(large_messages_return_their_header),
	};

	setenv("TZ", "UTC0", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
