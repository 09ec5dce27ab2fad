/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log line: what it says, and that nothing can forge a field in it. */
#include "app/logline.h"

#include "unit.h"

#include "base/memory.h"

static struct envelope make_envelope(const char *const *names, size_t n)
{
	struct envelope e = ENVELOPE_INIT;
	size_t i;

	e.sender.mailbox = memory_dup("a@b");
	e.recipients = memory_alloc(n * sizeof(*e.recipients));
	e.n_recipients = n;
	for (i = 0; i < n; i++)
		e.recipients[i].address.mailbox = memory_dup(names[i]);
	return e;
}

static void deliver(struct result *r, const char *words)
{
	r->fate = FATE_DELIVERED;
	r->reply.code = 250;
	buf_add_text(&r->reply.text, words);
}

static void tells_a_success(void **state)
{
	static const char *const names[] = {"c@d", "e@f"};
	struct envelope e = make_envelope(names, 2);
	struct result results[2] = {RESULT_INIT, RESULT_INIT};
	struct outcome o = OUTCOME_INIT;
	struct account account = {.name = (char[]){"work"},
				  .auth.user = (char[]){"alice"}};
	struct stages stages = {
		.us = {[STAGE_CONNECT] = 12345, [STAGE_MESSAGE] = 2034000},
		.seen = {[STAGE_RESOLVE] = true,
			 [STAGE_CONNECT] = true,
			 [STAGE_MESSAGE] = true},
	};
	struct logline line = {
		.account = &account,
		.envelope = &e,
		.results = results,
		.outcome = &o,
		.host = "mx.example.org",
		.id = "<1@b>",
		.tls = "TLS1.3 X system",
		.mechanism = "PLAIN",
		.size = 1234,
		.elapsed_ms = 2071,
		.stages = &stages,
	};
	struct buf text = BUF_INIT(4096);

	(void)state;
	deliver(&results[0], "queued");
	deliver(&results[1], "queued");
	logline_format(&line, &text);
	assert_string_equal(
		text.p,
		"id=<1@b> account=work host=mx.example.org "
		"tls=\"TLS1.3 X system\" auth=PLAIN user=alice "
		"from=a@b recipients=c@d,e@f size=1234 status=2.0.0 "
		"reply=\"250 queued\" elapsed=2.071 "
		"stages=resolve:0.000,connect:0.012,message:2.034 exitcode=0");
	buf_release(&text);
	result_release(&results[0]);
	result_release(&results[1]);
	envelope_release(&e);
}

static void tells_who_failed(void **state)
{
	static const char *const names[] = {"c@d", "e@f"};
	struct envelope e = make_envelope(names, 2);
	struct result results[2] = {RESULT_INIT, RESULT_INIT};
	struct outcome o = OUTCOME_INIT;
	struct account account = {0};
	struct logline line = {
		.account = &account,
		.envelope = &e,
		.results = results,
		.outcome = &o,
		.exit_code = 67,
	};
	struct buf text = BUF_INIT(4096);

	(void)state;
	deliver(&results[0], "queued");
	fail(&results[1].outcome, CAUSE_RECIPIENT, "5.1.1", "550 nobody");
	outcome_copy(&o, &results[1].outcome);
	o.reply_code = 550;
	logline_format(&line, &text);
	assert_string_equal(
		text.p,
		"tls=off auth=off from=a@b "
		"recipients=c@d:2.0.0,e@f:5.1.1 size=0 status=5.1.1 "
		"reply=\"550 nobody\" elapsed=0.000 exitcode=67");
	buf_release(&text);
	outcome_release(&o);
	result_release(&results[0]);
	result_release(&results[1]);
	envelope_release(&e);
}

/* Whatever a message or a server says stays inside its quotes. */
static void cannot_be_forged(void **state)
{
	static const struct {
		const char *id, *shown;
	} cases[] = {
		{"<a@b> exitcode=0", "id=\"<a@b> exitcode=0\" "},
		{"x\" exitcode=\"0", "id=\"x\\\" exitcode=\\\"0\" "},
		{"x\\", "id=\"x\\\\\" "},
		{"a\nid=b", "id=\"a\\\\x0Aid=b\" "},
		{"\033[2J", "id=\"\\\\x1B[2J\" "},
		{"", "id=\"\" "},
		{"a=b", "id=\"a=b\" "},
	};
	static const char *const names[] = {"c@d"};
	struct envelope e = make_envelope(names, 1);
	struct outcome o = OUTCOME_INIT;
	struct account account = {0};
	struct buf text = BUF_INIT(4096);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct logline line = {.account = &account,
				       .envelope = &e,
				       .outcome = &o,
				       .id = cases[i].id};

		buf_clear(&text);
		logline_format(&line, &text);
		if (strncmp(text.p, cases[i].shown, strlen(cases[i].shown)))
			fail_msg("case %zu: %s", i, text.p);
	}
	buf_release(&text);
	envelope_release(&e);
}

/* A line has an end, however many got the message. */
static void counts_whom_it_leaves_out(void **state)
{
	static const char *names[20000];
	struct result *results = memory_alloc(N_OF(names) * sizeof(*results));
	struct outcome o = OUTCOME_INIT;
	struct account account = {0};
	struct logline line = {.account = &account, .outcome = &o};
	struct buf text = BUF_INIT(1u << 20);
	struct envelope e;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(names); i++) {
		names[i] = "recipient@example.org";
		results[i] = RESULT_INIT;
		deliver(&results[i], "ok");
	}
	e = make_envelope(names, N_OF(names));
	line.envelope = &e;
	line.results = results;
	logline_format(&line, &text);
	assert_false(text.overflow);
	assert_true(text.n < 80000);
	assert_non_null(strstr(text.p, "recipient@example.org more=1"));
	assert_non_null(strstr(text.p, "exitcode=0"));
	for (i = 0; i < N_OF(names); i++)
		result_release(&results[i]);
	free(results);
	buf_release(&text);
	envelope_release(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_a_success),
		cmocka_unit_test(tells_who_failed),
		cmocka_unit_test(cannot_be_forged),
		cmocka_unit_test(counts_whom_it_leaves_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
