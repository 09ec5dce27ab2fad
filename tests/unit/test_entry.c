/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a file of the queue says: written, read, and read in spite of faults. */
#include "queue/entry.h"

#include "base/memory.h"
#include "base/text.h"
#include "unit.h"

#define LIMIT (1u << 20)

static void add_recipient(struct entry *e, const char *mailbox)
{
	struct outcome o = OUTCOME_INIT;

	assert_int_equal(envelope_restore_recipient(&e->envelope,
						    view_of(mailbox), &o),
			 0);
}

/* An entry that has a value for everything. */
static void fill(struct entry *e)
{
	struct outcome o = OUTCOME_INIT;
	struct recipient *r;

	*e = ENTRY_INIT;
	e->created = 1795935587;
	e->next_attempt = 1795935600;
	e->config_file = memory_dup("/etc/mail config");
	e->account = memory_dup("work");
	strings_add(&e->settings, VIEW("host mail.example.org"));
	strings_add(&e->settings, VIEW("tls_starttls"));
	e->is_report = true;
	e->held = memory_dup("look at it: Gr\303\274n");
	envelope_set_sender(&e->envelope, VIEW("alice@example.org"), NULL, &o);
	add_recipient(e, "bob@example.net");
	add_recipient(e, "\"a b\"@example.net");
	add_recipient(e, "gr\303\274n@example.net");
	r = &e->envelope.recipients[1];
	r->notify = NOTIFY_SUCCESS | NOTIFY_DELAY;
	r->orcpt = memory_dup("rfc822;a+20b@example.net");
	address_parse(VIEW("root"), &r->original, &o);
	e->envelope.notify = NOTIFY_NEVER;
	e->envelope.ret = RETURN_HEADERS;
	e->envelope.envid = memory_dup("an id");
	e->envelope.body_type = BODY_BINARYMIME;
	e->size = 4711;
	e->message.body_8bit = true;
	e->message.nul_line = 1;
	e->message.bare_cr_line = 2;
	e->message.bare_lf_line = 3;
	e->message.longest_line = 998;
}

static const char whole[] = "postrider 1\n"
			    "created 1795935587\n"
			    "next 1795935600\n"
			    "config /etc/mail config\n"
			    "account work\n"
			    "set host mail.example.org\n"
			    "set tls_starttls\n"
			    "report\n"
			    "held look at it: Gr\303\274n\n"
			    "from alice@example.org\n"
			    "notify never\n"
			    "ret hdrs\n"
			    "envid an id\n"
			    "body-type binarymime\n"
			    "to bob@example.net\n"
			    "to \"a b\"@example.net\n"
			    " notify success,delay\n"
			    " orcpt rfc822;a+20b@example.net\n"
			    " original root\n"
			    "to gr\303\274n@example.net\n"
			    "8bit 1\n"
			    "nul-line 1\n"
			    "bare-cr-line 2\n"
			    "bare-lf-line 3\n"
			    "longest-line 998\n"
			    "header 311\n"
			    "size 4711\n"
			    "\n";

static void print(const struct entry *e, size_t header_n, struct buf *out)
{
	struct outcome o = OUTCOME_INIT;

	assert_int_equal(entry_print(e, header_n, out, &o), 0);
}

static void is_written_as_it_is_documented(void **state)
{
	struct buf out = BUF_INIT(LIMIT);
	struct entry e;

	(void)state;
	fill(&e);
	print(&e, 311, &out);
	assert_string_equal(out.p, whole);
	buf_release(&out);
	entry_release(&e);
}

static void says_the_same_when_read(void **state)
{
	struct buf out = BUF_INIT(LIMIT);
	struct outcome o = OUTCOME_INIT;
	struct entry e = ENTRY_INIT;
	size_t header_n;

	(void)state;
	assert_int_equal(entry_parse(view_of(whole), &e, &header_n, &o),
			 strlen(whole));
	assert_int_equal(header_n, 311);
	assert_int_equal(e.size, 4711);
	assert_int_equal(e.envelope.recipients[2].address.needs_utf8, true);
	assert_int_equal(e.message.body_8bit, true);
	assert_int_equal(entry_waiting(&e), 3);
	print(&e, header_n, &out);
	assert_string_equal(out.p, whole);
	buf_release(&out);
	entry_release(&e);
}

static void least(struct entry *e)
{
	static const char text[] = "postrider 1\nfrom\nto a@b.example\n"
				   "to b@b.example\nheader 0\nsize 2\n\n";
	struct outcome o = OUTCOME_INIT;
	size_t header_n;

	*e = ENTRY_INIT;
	assert_int_equal(entry_parse(view_of(text), e, &header_n, &o),
			 strlen(text));
	assert_string_equal(e->envelope.sender.mailbox, "");
}

static void waits_for_what_is_cut_off(void **state)
{
	size_t n, header_n;

	(void)state;
	for (n = 0; n < strlen(whole); n++) {
		struct outcome o = OUTCOME_INIT;
		struct entry e = ENTRY_INIT;
		char *cut = memory_dup_n(whole, n);

		assert_int_equal(
			entry_parse(view_make(cut, n), &e, &header_n, &o), 0);
		free(cut);
		entry_release(&e);
	}
}

#define REST "from\nto a@b.example\nheader 0\nsize 2\n\n"

static void refuses_what_is_none(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} rows[] = {
		{"x", "no message of the queue"},
		{"postrider 2\n" REST, "another version"},
		{"postrider 10\n" REST, "another version"},
		{"postrider 1\n\n", "lacks a sender"},
		{"postrider 1\nfrom\nheader 0\nsize 2\n\n", "lacks recipients"},
		{"postrider 1\nfrom\nto a@b.example\nheader 0\n\n", "the size"},
		{"postrider 1\nfrom\nto a@b.example\nsize 9\n\n", "the size"},
		{"postrider 1\nfrom\nto a@b.example\nheader 1\nsize 2\n\n",
		 "the size"},
		{"postrider 1\nheader 67108865\n" REST, "\"header 67108865\""},
		{"postrider 1\nsize 2305843009213693952\n" REST, "\"size 23"},
		{"postrider 1\nsize -1\n" REST, "\"size -1\""},
		{"postrider 1\nsize\n" REST, "\"size\""},
		{"postrider 1\ncreated 99999999999999999999\n" REST, "created"},
		{"postrider 1\nnul-line x\n" REST, "nul-line"},
		{"postrider 1\nlongest-line 1 \n" REST, "longest-line"},
		{"postrider 1\nnotify never,delay\n" REST, "notify"},
		{"postrider 1\nret some\n" REST, "ret"},
		{"postrider 1\nbody-type 9bit\n" REST, "body-type"},
		{"postrider 1\nenvid \303\274\n" REST, "envid"},
		{"postrider 1\nto a\n" REST, "\"to a\""},
		{"postrider 1\nto a@b.example> SIZE=1\n" REST, "to a@b"},
		{"postrider 1\nto a@b.example\n" REST, "to a@b.example"},
		{"postrider 1\nfrom nobody\n" REST, "from nobody"},
		{"postrider 1\n orcpt a;b\n" REST, "orcpt"},
		{"postrider 1\nto c@d.example\n orcpt a;b NOTIFY=NEVER\n" REST,
		 "orcpt"},
		{"postrider 1\nto c@d.example\n orcpt\n" REST, "orcpt"},
		{"postrider 1\nto c@d.example\n original a@\n" REST,
		 "original"},
		{"postrider 1\nheld a\rb\n" REST, "held"},
		{"postrider 1\nunknown \001\n" REST, "unknown"},
	};
	size_t i, header_n;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		const char *status = strstr(rows[i].why, "version") ? "5.3.3"
								    : "5.3.0";
		struct outcome o = OUTCOME_INIT;
		struct entry e = ENTRY_INIT;

		if (entry_parse(view_of(rows[i].text), &e, &header_n, &o) !=
			    -1 ||
		    !strstr(o.text, rows[i].why) || o.cause != CAUSE_SYSTEM ||
		    strcmp(o.status, status) != 0)
			fail_msg("%s: %s", rows[i].text, o.text);
		outcome_release(&o);
		entry_release(&e);
	}
}

static void passes_over_what_is_new(void **state)
{
	struct outcome o = OUTCOME_INIT;
	struct entry e = ENTRY_INIT;
	size_t header_n;

	(void)state;
	assert_true(entry_parse(VIEW("postrider 1\nfuture a b\nfuture\n"
				     "from\nto a@b.example\n x\nheader 0\n"
				     "size 2\n\n"),
				&e, &header_n, &o) > 0);
	assert_int_equal(e.envelope.n_recipients, 1);
	entry_release(&e);
}

/* Every value that a caller may choose. */
static void refuses_to_write_controls(void **state)
{
	struct entry e;
	char **const values[] = {&e.config_file,
				 &e.account,
				 &e.held,
				 &e.envelope.envid,
				 NULL,
				 NULL,
				 NULL,
				 NULL,
				 NULL};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(values); i++) {
		struct buf out = BUF_INIT(LIMIT);
		struct outcome o = OUTCOME_INIT;
		char **value;

		fill(&e);
		value = values[i] ? values[i]
			: i == 4  ? &e.settings.p[1]
			: i == 5  ? &e.envelope.sender.mailbox
			: i == 6  ? &e.envelope.recipients[0].address.mailbox
			: i == 7  ? &e.envelope.recipients[1].orcpt
				  : &e.envelope.recipients[1].original.mailbox;
		/* known mailboxes are looked up by their text */
		(*value)[strlen(*value) - 1] = '\n';
		assert_int_equal(entry_print(&e, 0, &out, &o), -1);
		assert_int_equal(o.cause, CAUSE_USAGE);
		assert_string_equal(o.status, "5.5.4");
		assert_non_null(strstr(o.text, "control character"));
		outcome_release(&o);
		buf_release(&out);
		entry_release(&e);
	}
}

/* ------------------------------------------------------------------- events */

static void take(struct entry *e, const char *lines)
{
	assert_int_equal(entry_take_events(e, view_of(lines)), strlen(lines));
}

static void set_answer(struct outcome *o, enum cause cause, const char *status,
		       int code, const char *host, const char *text)
{
	*o = (struct outcome){.cause = cause, .reply_code = code};
	snprintf(o->status, sizeof(o->status), "%s", status);
	o->host = memory_dup(host);
	o->text = memory_dup(text);
}

/* Each kind of event, its line, and what is known then and from the line. */
static void notes_what_happens(void **state)
{
	static const char lines[] =
		"deferred 1 100 recipient 4.2.0 450 mx.example.org -u come "
		"back\\x0Alater\n"
		"delivered 0 101 none - 0 a+20+2B - -\n"
		"attempt 102 200\n"
		"told 1 103 failed delayed\n"
		"hold 104 why not\n"
		"attempt 105 300\n"
		"retry 106\n"
		"release 107\n"
		"seen 1735689600\n"
		"refused 1 108 connect 5.4.7 0 - -t\n";
	struct buf out = BUF_INIT(LIMIT);
	struct progress p = {.at = 100};
	struct entry e;
	size_t pass;

	(void)state;
	least(&e);
	set_answer(&p.answer, CAUSE_RECIPIENT, "4.2.0", 450, "mx.example.org",
		   "come back\nlater");
	p.answer.uncertain = true;
	entry_note_answer(&e, 1, &p, &out);
	outcome_release(&p.answer);
	p = (struct progress){.standing = STANDING_DELIVERED, .at = 101};
	set_answer(&p.answer, CAUSE_NONE, "", 0, "a +", "-");
	entry_note_answer(&e, 0, &p, &out);
	outcome_release(&p.answer);
	assert_int_equal(entry_waiting(&e), 1);
	entry_note_attempt(&e, 102, 200, &out);
	assert_int_equal(e.next_attempt, 200);
	entry_note_told(&e, 1, TOLD_FAILED | TOLD_DELAYED, 103, &out);
	entry_note_hold(&e, "why not", 104, &out);
	assert_string_equal(e.held, "why not");
	entry_note_attempt(&e, 105, 300, &out);
	entry_note_retry(&e, 106, &out);
	entry_note_release(&e, 107, &out);
	assert_int_equal(e.seen, 0);
	entry_note_seen(&e, ENTRY_OLDEST, &out);
	assert_int_equal(e.seen, ENTRY_OLDEST);
	p = (struct progress){
		.standing = STANDING_REFUSED, .at = 108, .server_tells = true};
	set_answer(&p.answer, CAUSE_CONNECT, "5.4.7", 0, NULL, NULL);
	entry_note_answer(&e, 1, &p, &out);
	outcome_release(&p.answer);
	assert_string_equal(out.p, lines);
	for (pass = 0; pass < 2; pass++) {
		const struct progress *got = e.progress;

		assert_int_equal(got[0].standing, STANDING_DELIVERED);
		assert_int_equal(got[0].at, 101);
		assert_string_equal(got[0].answer.host, "a +");
		assert_string_equal(got[0].answer.text, "-");
		assert_int_equal(got[0].answer.cause, CAUSE_NONE);
		assert_int_equal(got[1].standing, STANDING_REFUSED);
		assert_int_equal(got[1].told, TOLD_FAILED | TOLD_DELAYED);
		assert_true(got[1].server_tells);
		assert_false(got[1].answer.uncertain);
		assert_string_equal(got[1].answer.status, "5.4.7");
		assert_null(got[1].answer.host);
		assert_null(got[1].answer.text);
		assert_int_equal(e.attempts, 2);
		assert_int_equal(e.last_attempt, 105);
		assert_int_equal(e.next_attempt, 0);
		assert_null(e.held);
		assert_int_equal(entry_waiting(&e), 0);
		entry_release(&e);
		least(&e);
		take(&e, lines);
	}
	buf_release(&out);
	entry_release(&e);
}

/* An answer that is there already may be noted. */
static void notes_its_own_answer(void **state)
{
	struct buf out = BUF_INIT(LIMIT);
	struct entry e;

	(void)state;
	least(&e);
	take(&e, "deferred 0 5 connect 4.4.1 0 mx -u no way\n");
	assert_true(e.progress[0].answer.uncertain);
	assert_int_equal(e.progress[0].answer.cause, CAUSE_CONNECT);
	entry_note_answer(&e, 0, &e.progress[0], &out);
	assert_string_equal(out.p,
			    "deferred 0 5 connect 4.4.1 0 mx -u no "
			    "way\n");
	assert_string_equal(e.progress[0].answer.text, "no way");
	buf_release(&out);
	entry_release(&e);
}

static void ignores_what_makes_no_sense(void **state)
{
	static const char *const lines[] = {
		"\n",
		"later 0 1\n",
		"deferred\n",
		"deferred 2 1 connect 4.4.1 0 mx - x\n",
		"deferred 18446744073709551615 1 connect 4.4.1 0 mx - x\n",
		"deferred 0 x connect 4.4.1 0 mx - x\n",
		"deferred 0 1 disconnect 4.4.1 0 mx - x\n",
		"deferred 0 1 connect 4.4.x 0 mx - x\n",
		"deferred 0 1 connect 4.4.11111111 0 mx - x\n",
		"deferred 0 1 connect 4.4.1 1000 mx - x\n",
		"deferred 0 1 connect 4.4.1 0 +zz - x\n",
		"deferred 0 1 connect 4.4.1 0 a+0Ab - x\n",
		"deferred 0 1 connect 4.4.1 0 mx\n",
		"delivered 0 1 none 2.0.0 250 mx - x\ry\n",
		"attempt 1\n",
		"attempt -1 5\n",
		"told 2 1 failed\n",
		"told 0 1 everything\n",
		"hold\n",
		"hold x why\n",
		"retry\n",
		"release\n",
		"seen\n",
		"seen x\n",
		" hold 1 x\001\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(lines); i++) {
		struct entry e;

		least(&e);
		e.next_attempt = 77;
		take(&e, lines[i]);
		if (e.progress[0].at || e.progress[0].told || e.held ||
		    e.attempts || e.next_attempt != 77 ||
		    entry_waiting(&e) != 2 || e.progress[1].at)
			fail_msg("%s", lines[i]);
		entry_release(&e);
	}
}

static void leaves_a_torn_line_alone(void **state)
{
	static const char lines[] = "attempt 1 2\nhold 3 because\n";
	size_t n, first = strlen("attempt 1 2\n");

	(void)state;
	for (n = 0; n <= strlen(lines); n++) {
		struct entry e;
		size_t whole_n = n < first ? 0 : n < strlen(lines) ? first : n;

		least(&e);
		assert_int_equal(entry_take_events(&e, view_make(lines, n)),
				 whole_n);
		assert_int_equal(e.attempts, whole_n > 0);
		assert_int_equal(e.held != NULL, whole_n > first);
		entry_release(&e);
	}
}

/* A new file says what has happened to its message before. */
static void tells_what_came_before(void **state)
{
	static const char lines[] =
		"deferred 0 5 recipient 4.2.0 450 mx - later\n"
		"told 0 5 delayed\n"
		"attempt 6 9\n"
		"attempt 6 9\n";
	struct buf out = BUF_INIT(LIMIT);
	struct entry e;

	(void)state;
	least(&e);
	entry_print_state(&e, &out);
	assert_int_equal(out.n, 0);
	take(&e, lines);
	entry_print_state(&e, &out);
	assert_string_equal(out.p, lines);
	buf_release(&out);
	entry_release(&e);
}

static void survives_long_words(void **state)
{
	struct buf out = BUF_INIT(LIMIT);
	struct progress p = {.at = 1};
	char *text = memory_alloc(100001);
	struct entry e;

	(void)state;
	least(&e);
	memset(text, '\n', 100000);
	set_answer(&p.answer, CAUSE_CONNECT, "4.4.1", 0, text, text);
	entry_note_answer(&e, 0, &p, &out);
	assert_false(out.overflow);
	assert_true(out.n > 8192 && out.n < 65536);
	assert_int_equal(out.p[out.n - 1], '\n');
	assert_null(memchr(out.p, '\n', out.n - 1));
	outcome_release(&p.answer);
	free(text);
	buf_release(&out);
	entry_release(&e);
}

static void has_lanes(void **state)
{
	static const struct {
		const char *config, *account, *set[2];
	} rows[] = {
		{NULL, NULL, {NULL, NULL}},    {"", NULL, {NULL, NULL}},
		{NULL, "", {NULL, NULL}},      {NULL, "a", {NULL, NULL}},
		{"a", NULL, {NULL, NULL}},     {NULL, NULL, {"a", NULL}},
		{NULL, "a s:b", {NULL, NULL}}, {NULL, "a", {"b", NULL}},
		{NULL, NULL, {"a b", NULL}},   {NULL, NULL, {"a", "b"}},
		{NULL, NULL, {"b", "a"}},
	};
	char *lanes[N_OF(rows)];
	size_t i, j;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		struct entry e = ENTRY_INIT;

		e.config_file = memory_dup(rows[i].config);
		e.account = memory_dup(rows[i].account);
		for (j = 0; j < 2 && rows[i].set[j]; j++)
			strings_add(&e.settings, view_of(rows[i].set[j]));
		lanes[i] = entry_lane(&e);
		assert_false(view_has_control(view_of(lanes[i])));
		for (j = 0; j < i; j++)
			assert_string_not_equal(lanes[i], lanes[j]);
		entry_release(&e);
	}
	for (i = 0; i < N_OF(rows); i++)
		free(lanes[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_written_as_it_is_documented),
		cmocka_unit_test(says_the_same_when_read),
		cmocka_unit_test(waits_for_what_is_cut_off),
		cmocka_unit_test(refuses_what_is_none),
		cmocka_unit_test(passes_over_what_is_new),
		cmocka_unit_test(refuses_to_write_controls),
		cmocka_unit_test(notes_what_happens),
		cmocka_unit_test(notes_its_own_answer),
		cmocka_unit_test(ignores_what_makes_no_sense),
		cmocka_unit_test(leaves_a_torn_line_alone),
		cmocka_unit_test(tells_what_came_before),
		cmocka_unit_test(survives_long_words),
		cmocka_unit_test(has_lanes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
