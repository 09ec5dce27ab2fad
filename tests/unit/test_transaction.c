/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One message to several people: who gets it, who not, in how many flights. */
#include "smtp/transaction.h"

#include "letter.h"
#include "script.h"
#include "unit.h"

#define TURNS          8
#define MAX_RECIPIENTS 3

#define MESSAGE "A: b\r\n\r\n.x\r\n" /* 12 octets */
#define STUFFED "A: b\r\n\r\n..x\r\n.\r\n"
#define MAIL    "MAIL FROM:<s@x>\r\n"
#define R1      "RCPT TO:<r1@x>\r\n"
#define R2      "RCPT TO:<r2@x>\r\n"
#define R3      "RCPT TO:<r3@x>\r\n"
#define CHUNK   "BDAT 12 LAST\r\n" MESSAGE
#define OK      "250 ok\r\n"
#define GO      "354 go\r\n"
#define NO      "550 5.1.1 nobody\r\n"
#define LATER   "450 4.2.0 later\r\n"
#define NONE    "554 5.5.1 no valid recipients\r\n"

#define PIPE   CAP_PIPELINING
#define CHUNKS (CAP_PIPELINING | CAP_CHUNKING)

static const struct {
	const char *name;
	unsigned server;
	size_t n; /* recipients */
	bool partial, lmtp;
	struct turn turns[TURNS];
	const char *fates; /* d delivered, f failed, w withheld */
	/* of the whole; "" for success; with a `?`: it is uncertain */
	const char *status;
	bool defer;
} cases[] = {
	{.name = "one by one",
	 0,
	 1,
	 false,
	 false,
	 {{MAIL, OK}, {R1, OK}, {"DATA\r\n", GO}, {STUFFED, OK}},
	 "d",
	 ""},
	{.name = "one flight",
	 PIPE,
	 1,
	 false,
	 false,
	 {{MAIL R1 "DATA\r\n", OK OK GO}, {STUFFED, OK}},
	 "d",
	 ""},
	{.name = "message in the flight",
	 CHUNKS,
	 1,
	 false,
	 false,
	 {{MAIL R1 CHUNK, OK OK OK}},
	 "d",
	 ""},
	{.name = "chunk without pipelining",
	 CAP_CHUNKING,
	 1,
	 false,
	 false,
	 {{MAIL, OK}, {R1, OK}, {CHUNK, OK}},
	 "d",
	 ""},
	{.name = "three, all or nobody",
	 PIPE,
	 3,
	 false,
	 false,
	 {{MAIL R1 R2 R3 "DATA\r\n", OK OK OK OK GO}, {STUFFED, OK}},
	 "ddd",
	 ""},
	{.name = "three, all or nobody, chunk",
	 CHUNKS,
	 3,
	 false,
	 false,
	 {{MAIL R1 R2 R3, OK OK OK OK}, {CHUNK, OK}},
	 "ddd",
	 ""},
	{.name = "three, each alone",
	 PIPE,
	 3,
	 true,
	 false,
	 {{MAIL R1 R2 R3 "DATA\r\n", OK OK OK OK GO}, {STUFFED, OK}},
	 "ddd",
	 ""},
	{.name = "three, each alone, chunk",
	 CHUNKS,
	 3,
	 true,
	 false,
	 {{MAIL R1 R2 R3 CHUNK, OK OK OK OK OK}},
	 "ddd",
	 ""},
	{.name = "one refused stops all",
	 PIPE,
	 3,
	 false,
	 false,
	 {{MAIL R1 R2 R3 "DATA\r\n", OK OK NO OK GO}},
	 "wfw",
	 "5.1.1"},
	{.name = "one refused stops all, and DATA as well",
	 .server = PIPE,
	 .n = 3,
	 .turns = {{MAIL R1 R2 R3 "DATA\r\n", OK OK NO OK NONE}},
	 .fates = "wfw",
	 .status = "5.1.1"},
	{.name = "one refused stops all, chunk",
	 .server = CHUNKS,
	 .n = 3,
	 .turns = {{MAIL R1 R2 R3, OK OK NO OK}},
	 .fates = "wfw",
	 .status = "5.1.1"},
	{.name = "sender refused, not so a recipient: nothing is sent",
	 .server = PIPE,
	 .n = 2,
	 .turns = {{MAIL R1 R2 "DATA\r\n", "550 5.7.1 no\r\n" OK NO GO}},
	 .fates = "ff",
	 .status = "5.7.1"},
	{.name = "one refused stops all, unpipelined",
	 0,
	 3,
	 false,
	 false,
	 {{MAIL, OK}, {R1, OK}, {R2, NO}, {R3, LATER}},
	 "wff",
	 "5.1.1"},
	{.name = "one refused stops itself",
	 PIPE,
	 3,
	 true,
	 false,
	 {{MAIL R1 R2 R3 "DATA\r\n", OK OK NO OK GO}, {STUFFED, OK}},
	 "dfd",
	 "5.1.1"},
	{.name = "one refused stops itself, chunk",
	 CHUNKS,
	 3,
	 true,
	 false,
	 {{MAIL R1 R2 R3 CHUNK, OK NO LATER OK OK}},
	 "ffd",
	 "5.1.1"},
	{.name = "all refused, data not wanted",
	 PIPE,
	 2,
	 true,
	 false,
	 {{MAIL R1 R2 "DATA\r\n", OK NO LATER NONE}},
	 "ff",
	 "5.1.1"},
	{.name = "all refused, data wanted: nothing is sent",
	 PIPE,
	 1,
	 false,
	 false,
	 {{MAIL R1 "DATA\r\n", OK LATER GO}, {".\r\n", NONE}},
	 "f",
	 "4.2.0"},
	{.name = "all refused, chunk",
	 CHUNKS,
	 1,
	 false,
	 false,
	 {{MAIL R1 CHUNK, OK NO NONE}},
	 "f",
	 "5.1.1"},
	{.name = "sender refused",
	 PIPE,
	 1,
	 false,
	 false,
	 {{MAIL R1 "DATA\r\n", "550 5.7.1 not you\r\n" NONE NONE}},
	 "f",
	 "5.7.1"},
	{.name = "sender refused, nothing more is said",
	 0,
	 1,
	 false,
	 false,
	 {{MAIL, "550 5.7.1 not you\r\n"}},
	 "f",
	 "5.7.1"},
	{.name = "data refused",
	 PIPE,
	 2,
	 true,
	 false,
	 {{MAIL R1 R2 "DATA\r\n", OK OK OK "451 4.3.0 not now\r\n"}},
	 "ff",
	 "4.3.0"},
	{.name = "data answered like a message",
	 PIPE,
	 1,
	 false,
	 false,
	 {{MAIL R1 "DATA\r\n", OK OK OK}},
	 "f",
	 "5.5.0"},
	{.name = "content refused",
	 PIPE,
	 1,
	 false,
	 false,
	 {{MAIL R1 "DATA\r\n", OK OK GO}, {STUFFED, "554 5.6.0 no\r\n"}},
	 "f",
	 "5.6.0"},
	{.name = "421 to one recipient ends it all",
	 PIPE,
	 2,
	 true,
	 false,
	 {{MAIL R1 R2 "DATA\r\n", OK OK "421 bye\r\n"}},
	 "ff",
	 "4.3.2"},
	{.name = "refused is refused though the line breaks",
	 PIPE,
	 2,
	 true,
	 false,
	 {{MAIL R1 R2 "DATA\r\n", OK NO}, {NULL, hang_up}},
	 "ff",
	 "5.1.1"},
	{.name = "lost before the message",
	 PIPE,
	 1,
	 false,
	 false,
	 {{MAIL R1 "DATA\r\n", OK OK}, {NULL, hang_up}},
	 "f",
	 "4.4.2"},
	{.name = "lost behind the message",
	 PIPE,
	 1,
	 false,
	 false,
	 {{MAIL R1 "DATA\r\n", OK OK GO}, {STUFFED, hang_up}},
	 "f",
	 "4.4.2?"},
	{.name = "lost behind the chunk",
	 CHUNKS,
	 1,
	 false,
	 false,
	 {{MAIL R1 CHUNK, hang_up}},
	 "f",
	 "4.4.2?"},
	{.name = "a word too much before the message",
	 .server = PIPE,
	 .n = 1,
	 .turns = {{MAIL R1 "DATA\r\n", OK OK GO OK}},
	 .fates = "f",
	 .status = "5.5.0"},
	{.name = "a reply too many in the flight",
	 .server = CHUNKS,
	 .n = 1,
	 .turns = {{MAIL R1 CHUNK, OK OK OK "550 5.7.1 spam\r\n"}},
	 .fates = "f",
	 .status = "5.5.0?"},
	{.name = "sender refused and gone",
	 .server = CHUNKS,
	 .n = 1,
	 .turns = {{MAIL R1 CHUNK, "550 5.7.1 blocked\r\n"}, {NULL, hang_up}},
	 .fates = "f",
	 .status = "5.7.1"},
	{.name = "sender refused, data wanted: nothing is sent",
	 .server = PIPE,
	 .n = 1,
	 .turns = {{MAIL R1 "DATA\r\n", "550 5.7.1 no\r\n" NO GO},
		   {".\r\n", NONE}},
	 .fates = "f",
	 .status = "5.7.1"},
	{.name = "garbage behind the message",
	 PIPE,
	 1,
	 false,
	 false,
	 {{MAIL R1 "DATA\r\n", OK OK GO}, {STUFFED, "what?\r\n"}},
	 "f",
	 "5.5.0?"},
	{.name = "lmtp answers for each",
	 PIPE,
	 3,
	 true,
	 true,
	 {{MAIL R1 R2 R3 "DATA\r\n", OK OK NO OK GO},
	  {STUFFED, OK "452 4.2.2 full\r\n"}},
	 "dff",
	 "5.1.1"},
	{.name = "lmtp, chunk",
	 CHUNKS,
	 2,
	 true,
	 true,
	 {{MAIL R1 R2, OK OK OK}, {CHUNK, OK LATER}},
	 "df",
	 "4.2.0"},
	{.name = "lmtp, lost between answers",
	 PIPE,
	 2,
	 true,
	 true,
	 {{MAIL R1 R2 "DATA\r\n", OK OK OK GO}, {STUFFED, OK}, {NULL, hang_up}},
	 "df",
	 "4.4.2?"},
	{.name = "refused for now stops nobody if there is a queue",
	 .server = PIPE,
	 .n = 3,
	 .turns = {{MAIL R1 R2 R3 "DATA\r\n", OK OK LATER OK GO},
		   {STUFFED, OK}},
	 .fates = "dfd",
	 .status = "4.2.0",
	 .defer = true},
	{.name = "refused for now stops nobody, chunk",
	 .server = CHUNKS,
	 .n = 3,
	 .turns = {{MAIL R1 R2 R3, OK LATER OK LATER}, {CHUNK, OK}},
	 .fates = "fdf",
	 .status = "4.2.0",
	 .defer = true},
	{.name = "refused for now without a queue stops all",
	 .server = PIPE,
	 .n = 3,
	 .turns = {{MAIL R1 R2 R3 "DATA\r\n", OK OK LATER OK GO}},
	 .fates = "wfw",
	 .status = "4.2.0"},
	{.name = "refused for good stops all in any case",
	 .server = PIPE,
	 .n = 3,
	 .turns = {{MAIL R1 R2 R3 "DATA\r\n", OK LATER NO OK GO}},
	 .fates = "ffw",
	 .status = "5.1.1",
	 .defer = true},
	{.name = "all refused for now, and there is a queue",
	 .server = PIPE,
	 .n = 2,
	 .turns = {{MAIL R1 R2 "DATA\r\n", OK LATER LATER NONE}},
	 .fates = "ff",
	 .status = "4.2.0",
	 .defer = true},
	{.name = "one alone that is refused for now",
	 .server = PIPE,
	 .n = 1,
	 .turns = {{MAIL R1 "DATA\r\n", OK LATER NONE}},
	 .fates = "f",
	 .status = "4.2.0",
	 .defer = true},
	{.name = "deferred, and the content refused",
	 .server = PIPE,
	 .n = 2,
	 .turns = {{MAIL R1 R2 "DATA\r\n", OK OK LATER GO},
		   {STUFFED, "554 5.6.0 no\r\n"}},
	 .fates = "ff",
	 .status = "5.6.0",
	 .defer = true},
};

static struct envelope make_envelope(size_t n)
{
	static const char *const names[] = {"r1@x", "r2@x", "r3@x"};
	struct local_policy local = {0};
	struct envelope e = ENVELOPE_INIT;
	struct outcome o = OUTCOME_INIT;
	size_t i;

	assert_int_equal(envelope_set_sender(&e, VIEW("s@x"), &local, &o), 0);
	for (i = 0; i < n; i++)
		assert_int_equal(envelope_add_recipients(&e, view_of(names[i]),
							 &local, &o),
				 0);
	return e;
}

static char letter(const struct result *r)
{
	return r->fate == FATE_DELIVERED ? 'd'
		: r->fate == FATE_FAILED ? 'f'
					 : 'w';
}

static void check_results(size_t i, const struct result *results, int rc,
			  const struct outcome *o)
{
	char status[16];
	size_t j;

	for (j = 0; j < cases[i].n; j++) {
		if (letter(&results[j]) != cases[i].fates[j])
			fail_msg("%s: recipient %zu is '%c' (%s)",
				 cases[i].name, j, letter(&results[j]),
				 results[j].outcome.text);
		assert_true(outcome_is_failure(&results[j].outcome) ==
			    (results[j].fate != FATE_DELIVERED));
	}
	assert_int_equal(rc, cases[i].status[0] ? -1 : 0);
	snprintf(status, sizeof(status), "%s%s", o->status,
		 o->uncertain ? "?" : "");
	if (strcmp(status, cases[i].status) != 0)
		fail_msg("%s: %s %s", cases[i].name, status, o->text);
}

/* The end of data ends the transaction, whatever the answer (RFC 5321
 * 4.1.1.4). */
static void check_state(size_t i, const struct session *s)
{
	const struct turn *t;

	for (t = cases[i].turns; t < cases[i].turns + TURNS; t++)
		if (t->hear && strstr(t->hear, STUFFED) && s->dirty)
			fail_msg("%s: a transaction is open", cases[i].name);
}

static void run_case(size_t i, const struct submission *m)
{
	struct session_policy policy = {.timeout = 5, .lmtp = cases[i].lmtp};
	struct transaction_policy wishes = {.partial = cases[i].partial,
					    .defer = cases[i].defer,
					    .chunking = true};
	struct result results[MAX_RECIPIENTS];
	struct session *s = memory_alloc(sizeof(*s));
	struct outcome o = OUTCOME_INIT;
	struct script script;
	size_t j;
	int rc;

	for (j = 0; j < MAX_RECIPIENTS; j++)
		results[j] = RESULT_INIT;
	s->stream = script_start(&script, cases[i].turns);
	s->policy = &policy;
	s->host = memory_dup("mx");
	s->capabilities.set = cases[i].server;
	rc = transaction_run(s, m, &wishes, results, &o);
	check_state(i, s);
	session_close(s);
	check_results(i, results, rc, &o);
	if (script_end(&script) != 0)
		fail_msg("%s: something else was said", cases[i].name);
	for (j = 0; j < MAX_RECIPIENTS; j++)
		result_release(&results[j]);
	outcome_release(&o);
}

static void everybody_has_a_fate(void **state)
{
	struct message letter = {.body = store_new(1024)};
	struct outcome o = OUTCOME_INIT;
	struct envelope e;
	size_t i;

	(void)state;
	store_append(letter.body, ".x\r\n", 4, &o);
	for (i = 0; i < N_OF(cases); i++) {
		struct submission m = {
			.envelope = &e,
			.content = content_new(VIEW("A: b\r\n"), &letter),
		};

		e = make_envelope(cases[i].n);
		run_case(i, &m);
		envelope_release(&e);
		content_free(m.content);
	}
	store_free(letter.body);
}

/* What the server's own words rule out is not tried. */
static void refuses_before_mail(void **state)
{
	static const struct {
		unsigned server;
		uint64_t limit;
		const char *header, *body;
		enum reencode reencode;
		const char *status;
	} rows[] = {
		{CAP_SIZE, 8, "A: b\n", "x\n", REENCODE_AUTO, "5.3.4"},
		/* what it would be once it is encoded */
		{CAP_SIZE, 60, "A: b\n", "\xff\n", REENCODE_AUTO, "5.3.4"},
		{0, 0, "A: b\n", "\xff\n", REENCODE_OFF, "5.6.3"},
		{CAP_8BITMIME, 0, "A: b\n", "a\rb\n", REENCODE_OFF, "5.6.3"},
		{0, 0, "To: \xc3\xa4@b\n", "x\n", REENCODE_AUTO, "5.6.7"},
		{0, 0, "A: b\rc\n", "x\n", REENCODE_AUTO, "5.6.0"},
	};
	struct envelope e = make_envelope(1);
	struct session_policy policy = {.timeout = 5};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		struct transaction_policy wishes = {
			.chunking = true, .reencode = rows[i].reencode};
		struct result result = RESULT_INIT;
		struct outcome o = OUTCOME_INIT;
		struct session s = {.policy = &policy, .host = (char[]){"mx"}};
		struct buf text = BUF_INIT(1000);
		struct message letter;
		struct submission m = {.envelope = &e};

		buf_printf(&text, "%s\n%s", rows[i].header, rows[i].body);
		read_text(text.p, &letter);
		m.content = content_new(buf_view(&letter.header), &letter);
		s.capabilities.set = rows[i].server;
		s.capabilities.size_limit = rows[i].limit;
		assert_int_equal(transaction_run(&s, &m, &wishes, &result, &o),
				 -1);
		assert_string_equal(o.status, rows[i].status);
		assert_int_equal(result.fate, FATE_FAILED);
		assert_string_equal(result.outcome.status, rows[i].status);
		content_free(m.content);
		message_release(&letter);
		buf_release(&text);
		outcome_release(&o);
		result_release(&result);
	}
	envelope_release(&e);
}

/* What the policy asks for, what the server has, and what comes of it before
 * a word is said, or in MAIL. */
static const struct {
	unsigned server;
	unsigned least; /* of DELIVERBY */
	const char *sender;
	bool requiretls, smtputf8;
	const char *deliverby;
	const char *mail; /* the command, or NULL: it is refused … */
	const char *status;
	const char *words;
	const char *own; /* the message's own deliver_by */
} asked[] = {
	/* RFC 8689 4.2.1: in clear never */
	{0, 0, "s@x", true, true, NULL, NULL, "5.7.30", "REQUIRETLS", NULL},
	{CAP_REQUIRETLS, 0, "s@x", true, true, NULL, NULL, "5.7.30",
	 "REQUIRETLS", NULL},
	{CAP_REQUIRETLS, 0, "s@x", false, true, NULL, MAIL, NULL, NULL, NULL},
	/* RFC 2852 4: R must be kept, N is a wish */
	{0, 0, "s@x", false, true, "120;R", NULL, "5.3.3", "DELIVERBY", NULL},
	{0, 0, "s@x", false, true, "120;rt", NULL, "5.3.3", "DELIVERBY", NULL},
	{0, 0, "s@x", false, true, "120;N", MAIL, NULL, NULL, NULL},
	{CAP_DELIVERBY, 0, "s@x", false, true, "1;R",
	 "MAIL FROM:<s@x> BY=1;R\r\n", NULL, NULL, NULL},
	{CAP_DELIVERBY, 120, "s@x", false, true, "120;R",
	 "MAIL FROM:<s@x> BY=120;R\r\n", NULL, NULL, NULL},
	{CAP_DELIVERBY, 121, "s@x", false, true, "120;R", NULL, "5.3.3",
	 "less than 121 seconds", NULL},
	{CAP_DELIVERBY, 121, "s@x", false, true, "120;N",
	 "MAIL FROM:<s@x> BY=120;N\r\n", NULL, NULL, NULL},
	{CAP_DELIVERBY, 121, "s@x", false, true, "-5;NT",
	 "MAIL FROM:<s@x> BY=-5;NT\r\n", NULL, NULL, NULL},
	{CAP_DELIVERBY, 0, "s@x", false, true, "0;R", NULL, "5.4.7", "is over",
	 NULL},
	{CAP_DELIVERBY, 0, "s@x", false, true, "-5;R", NULL, "5.4.7", "is over",
	 NULL},
	/* what is left of the time goes before what it was */
	{CAP_DELIVERBY, 0, "s@x", false, true, "120;R",
	 "MAIL FROM:<s@x> BY=90;R\r\n", NULL, NULL, "90;R"},
	{CAP_DELIVERBY, 100, "s@x", false, true, "120;R", NULL, "5.3.3",
	 "less than 100 seconds", "90;R"},
	{CAP_DELIVERBY, 0, "s@x", false, true, NULL,
	 "MAIL FROM:<s@x> BY=-7;N\r\n", NULL, NULL, "-7;N"},
	/* an address that needs SMTPUTF8 */
	{CAP_SMTPUTF8, 0, "\xc3\xa4@x", false, true, NULL,
	 "MAIL FROM:<\xc3\xa4@x> SMTPUTF8\r\n", NULL, NULL, NULL},
	{CAP_SMTPUTF8, 0, "\xc3\xa4@x", false, false, NULL, NULL, "5.6.7",
	 "smtputf8 is off", NULL},
	{0, 0, "\xc3\xa4@x", false, true, NULL, NULL, "5.6.7", "does not offer",
	 NULL},
	{0, 0, "\xc3\xa4@x", false, false, NULL, NULL, "5.6.7",
	 "smtputf8 is off", NULL},
	{CAP_UTF8SMTP, 0, "\xc3\xa4@x", false, true, NULL,
	 "MAIL FROM:<\xc3\xa4@x>\r\n", NULL, NULL, NULL},
	{CAP_UTF8SMTP, 0, "\xc3\xa4@x", false, false, NULL, NULL, "5.6.7",
	 "smtputf8 is off", NULL},
	{CAP_SMTPUTF8, 0, "s@x", false, false, NULL, MAIL, NULL, NULL, NULL},
};

static void check_asked(size_t i, struct session *s, const struct submission *m)
{
	struct transaction_policy wishes = {
		.requiretls = asked[i].requiretls,
		.smtputf8 = asked[i].smtputf8,
		.deliverby = (char *)asked[i].deliverby,
	};
	struct result result = RESULT_INIT;
	struct outcome o = OUTCOME_INIT;
	int rc = transaction_run(s, m, &wishes, &result, &o);

	assert_int_equal(rc, asked[i].mail ? 0 : -1);
	if (!asked[i].mail) {
		assert_int_equal(o.cause, CAUSE_FEATURE);
		assert_string_equal(o.status, asked[i].status);
		assert_string_equal(o.host, "mx");
		if (!strstr(o.text, asked[i].words))
			fail_msg("row %zu: %s", i, o.text);
		assert_int_equal(result.fate, FATE_FAILED);
		assert_string_equal(result.outcome.status, asked[i].status);
	}
	outcome_release(&o);
	result_release(&result);
}

static void keeps_what_the_policy_asks(void **state)
{
	struct session_policy policy = {.timeout = 5};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(asked); i++) {
		const struct turn turns[] = {{asked[i].mail, OK},
					     {R1, OK},
					     {"DATA\r\n", GO},
					     {"A: b\r\n\r\n.\r\n", OK},
					     {NULL, NULL}};
		const struct turn none[] = {{NULL, NULL}};
		struct session *s = memory_alloc(sizeof(*s));
		struct envelope e = make_envelope(1);
		struct submission m = {.envelope = &e,
				       .deliver_by = asked[i].own};
		struct script script;
		struct message letter;

		free(e.sender.mailbox);
		e.sender.mailbox = memory_dup(asked[i].sender);
		e.sender.needs_utf8 = asked[i].sender[0] != 's';
		read_text("A: b\n", &letter);
		m.content = content_new(buf_view(&letter.header), &letter);
		s->stream = script_start(&script, asked[i].mail ? turns : none);
		s->policy = &policy;
		s->host = memory_dup("mx");
		s->capabilities.set = asked[i].server;
		s->capabilities.deliver_by_min = asked[i].least;
		check_asked(i, s, &m);
		session_close(s);
		if (script_end(&script) != 0)
			fail_msg("row %zu: something else was said", i);
		content_free(m.content);
		message_release(&letter);
		envelope_release(&e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_has_a_fate),
		cmocka_unit_test(refuses_before_mail),
		cmocka_unit_test(keeps_what_the_policy_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
