/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is told what, once. */
#include "queue/notice.h"

#include <limits.h>

#include "queue.h"

#define NOW 1795953600

/* How one recipient stands, and what is to be told. */
static const struct {
	enum standing standing;
	bool server_tells;
	bool is_late;
	unsigned own, all;  /* NOTIFY, the recipient's and the envelope's */
	const char *action; /* of the report; NULL: there is none */
	unsigned told;
} table[] = {
	{STANDING_REFUSED, false, false, 0, 0, "failed", TOLD_FAILED},
	{STANDING_REFUSED, false, true, 0, 0, "failed", TOLD_FAILED},
	{STANDING_REFUSED, false, false, NOTIFY_FAILURE, NOTIFY_NEVER, "failed",
	 TOLD_FAILED},
	{STANDING_REFUSED, false, false, NOTIFY_NEVER, NOTIFY_FAILURE, NULL,
	 TOLD_FAILED},
	{STANDING_REFUSED, false, false, 0, NOTIFY_NEVER, NULL, TOLD_FAILED},
	{STANDING_REFUSED, false, false, 0, NOTIFY_SUCCESS | NOTIFY_DELAY, NULL,
	 TOLD_FAILED},
	{STANDING_WAITING, false, false, 0, 0, NULL, 0},
	{STANDING_WAITING, false, true, 0, 0, "delayed", TOLD_DELAYED},
	{STANDING_WAITING, false, true, 0, NOTIFY_DELAY, "delayed",
	 TOLD_DELAYED},
	{STANDING_WAITING, false, true, 0, NOTIFY_FAILURE, NULL, TOLD_DELAYED},
	{STANDING_DELIVERED, false, true, 0, 0, NULL, 0},
	{STANDING_DELIVERED, false, false, 0, NOTIFY_SUCCESS, "relayed",
	 TOLD_RELAYED},
	{STANDING_DELIVERED, true, false, 0, NOTIFY_SUCCESS, NULL, 0},
	{STANDING_DELIVERED, false, false, NOTIFY_FAILURE, NOTIFY_SUCCESS, NULL,
	 0},
};

static const struct queue_policy usual = {.lifetime = 432000, .warn = UINT_MAX};

static void take(const struct spool *s, const char *id, struct entry *e)
{
	struct outcome o = OUTCOME_INIT;

	*e = ENTRY_INIT;
	assert_int_equal(spool_take(s, id, e, &o), 1);
}

static void settle(struct entry *e, size_t i, enum standing standing)
{
	e->progress[i].standing = standing;
	e->progress[i].at = NOW;
	fail(&e->progress[i].answer, CAUSE_RECIPIENT,
	     standing == STANDING_REFUSED ? "5.1.1" : "4.2.0", "no");
}

/* The ids in the queue but for that one, blanks between them. */
static char *others(const struct spool *s, const char *id)
{
	struct strings ids = STRINGS_INIT;
	struct outcome o = OUTCOME_INIT;
	struct buf out = BUF_INIT(4096);
	size_t i;

	assert_int_equal(spool_list(s, &ids, &o), 0);
	for (i = 0; i < ids.n; i++)
		if (strcmp(ids.p[i], id) != 0)
			buf_printf(&out, "%s%s", out.n ? " " : "", ids.p[i]);
	strings_release(&ids);
	return buf_detach(&out);
}

static int tell(struct spool *s, struct entry *e,
		const struct queue_policy *policy, bool is_late)
{
	struct outcome o = OUTCOME_INIT;
	const struct reporter by = {"client.example.org", NULL};
	int rc = notice_send(s, e, policy, &by, is_late, NOW, NULL, &o);

	assert_int_equal(outcome_is_failure(&o), rc < 0);
	outcome_release(&o);
	return rc;
}

static bool report_says(const struct spool *s, const char *id,
			const char *action)
{
	struct outcome o = OUTCOME_INIT;
	struct entry e = ENTRY_INIT;
	char text[8192], line[64];
	ptrdiff_t n;
	bool says;

	assert_int_equal(spool_read_whole(s, id, &e, &o), 1);
	assert_true(e.is_report);
	assert_string_equal(e.envelope.sender.mailbox, "");
	assert_int_equal(e.envelope.notify, NOTIFY_NEVER);
	assert_string_equal(e.account, "work");
	assert_string_equal(e.config_file, "/home/a/other");
	assert_int_equal(e.settings.n, 1);
	assert_string_equal(e.settings.p[0], "tls_starttls off");
	assert_int_equal(e.created, NOW);
	n = store_read(e.message.body, 0, text, sizeof(text) - 1, &o);
	assert_true(n > 0);
	text[n] = '\0';
	snprintf(line, sizeof(line), "\r\nAction: %s\r\n", action);
	says = strstr(text, line) != NULL;
	entry_release(&e);
	return says;
}

static void tells_as_wished(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(table); i++) {
		struct spool *s = queue_open();
		char *id = queue_add(s, "work", "bob@example.net"), *rest;
		struct entry e;

		take(s, id, &e);
		e.config_file = memory_dup("/home/a/other");
		strings_add(&e.settings, VIEW("tls_starttls off"));
		settle(&e, 0, table[i].standing);
		e.progress[0].server_tells = table[i].server_tells;
		e.envelope.notify = table[i].all;
		e.envelope.recipients[0].notify = table[i].own;
		assert_int_equal(tell(s, &e, &usual, table[i].is_late), 0);
		if (e.progress[0].told != table[i].told)
			fail_msg("row %zu: told %u", i, e.progress[0].told);
		rest = others(s, id);
		if (!table[i].action != !*rest)
			fail_msg("row %zu: reports \"%s\"", i, rest);
		if (table[i].action)
			assert_true(report_says(s, rest, table[i].action));
		free(rest);
		/* and not again */
		assert_int_equal(tell(s, &e, &usual, table[i].is_late), 0);
		assert_int_equal(queue_count(s), 1 + !!table[i].action);
		entry_release(&e);
		take(s, id, &e);
		assert_int_equal(e.progress[0].told, table[i].told);
		entry_release(&e);
		free(id);
		queue_close(s);
	}
}

/* A process that ended ahead of `told` is followed by one that repeats it. */
static void the_same_report_has_the_same_id(void **state)
{
	struct spool *s = queue_open();
	char *id = queue_add(s, "work", "bob@example.net carol@example.net");
	char *first, *second;
	struct entry e;
	unsigned turn;

	(void)state;
	for (turn = 0; turn < 2; turn++) {
		take(s, id, &e);
		settle(&e, 0, STANDING_REFUSED);
		e.progress[0].told = 0;
		assert_int_equal(tell(s, &e, &usual, false), 0);
		assert_int_equal(queue_count(s), 2);
		if (turn == 0)
			entry_release(&e);
	}
	first = others(s, id);
	assert_memory_equal(first, id, SPOOL_ID_TIME);
	settle(&e, 1, STANDING_REFUSED);
	assert_int_equal(tell(s, &e, &usual, false), 0);
	assert_int_equal(queue_count(s), 3); /* of another, another */
	second = others(s, id);
	assert_non_null(strstr(second, first));
	assert_true(e.progress[1].told == TOLD_FAILED);
	entry_release(&e);
	free(first);
	free(second);
	free(id);
	queue_close(s);
}

static void one_report_for_each_kind(void **state)
{
	struct spool *s = queue_open();
	char *id = queue_add(s, "work",
			     "a@example.net b@example.net "
			     "c@example.net d@example.net");
	struct entry e;

	(void)state;
	take(s, id, &e);
	e.envelope.notify = NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY;
	settle(&e, 0, STANDING_REFUSED);
	settle(&e, 1, STANDING_REFUSED);
	settle(&e, 2, STANDING_DELIVERED);
	settle(&e, 3, STANDING_WAITING);
	assert_int_equal(tell(s, &e, &usual, true), 0);
	assert_int_equal(queue_count(s), 4);
	entry_release(&e);
	free(id);
	queue_close(s);
}

static const struct {
	const char *sender;
	bool is_report;
	char *bounce_to;
	unsigned notify;
	int rc;
	const char *to; /* NULL: nobody */
} readers[] = {
	{"alice@example.org", false, NULL, 0, 0, "alice@example.org"},
	{"alice@example.org", false, "k@example.org", 0, 0, "k@example.org"},
	{"", false, "k@example.org", 0, 1, NULL},
	{"", false, NULL, 0, 1, NULL},
	{"", false, NULL, NOTIFY_NEVER, 0, NULL},
	{"", true, NULL, NOTIFY_NEVER, 1, NULL},
	{"", true, "k@example.org", NOTIFY_NEVER, 1, NULL},
	{"", true, "k@example.org", 0, 1, NULL},
	{"alice", false, NULL, 0, 1, NULL},
};

static void reports_reach_somebody_or_nobody(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(readers); i++) {
		struct queue_policy policy = usual;
		struct spool *s = queue_open();
		char *id = queue_add(s, "work", "b@example.net c@example.net");
		struct outcome o = OUTCOME_INIT;
		struct entry e, report = ENTRY_INIT;
		char *rest;

		policy.bounce_to = readers[i].bounce_to;
		take(s, id, &e);
		free(e.envelope.sender.mailbox);
		e.envelope.sender.mailbox = memory_dup(readers[i].sender);
		e.is_report = readers[i].is_report;
		e.envelope.notify = readers[i].notify;
		settle(&e, 0, STANDING_REFUSED);
		if (tell(s, &e, &policy, true) != readers[i].rc)
			fail_msg("row %zu", i);
		assert_int_equal(e.progress[0].told,
				 readers[i].rc ? 0 : TOLD_FAILED);
		/* nobody has to hear that it is late */
		assert_int_equal(e.progress[1].told, TOLD_DELAYED);
		rest = others(s, id);
		if (readers[i].to) {
			rest[SPOOL_ID_LENGTH] = '\0';
			assert_int_equal(spool_read(s, rest, &report, &o), 1);
			assert_string_equal(
				report.envelope.recipients[0].address.mailbox,
				readers[i].to);
			entry_release(&report);
		} else {
			assert_string_equal(rest, "");
		}
		entry_release(&e);
		free(rest);
		free(id);
		queue_close(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_as_wished),
		cmocka_unit_test(the_same_report_has_the_same_id),
		cmocka_unit_test(one_report_for_each_kind),
		cmocka_unit_test(reports_reach_somebody_or_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
