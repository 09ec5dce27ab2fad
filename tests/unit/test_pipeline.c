/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Flight: what may be sent when, whose reply is whose, how it breaks. */
#include "smtp/pipeline.h"

#include "script.h"
#include "unit.h"

#include "smtp/session.h"

#define TURNS 6
#define MOST  4 /* commands */

struct said {
	const char *line;
	bool barrier, essential, ahead;
};

static const struct {
	const char *name;
	enum pipelining wish;
	bool offered;
	struct said said[MOST];
	struct turn turns[TURNS];
	const char *codes;  /* first digit of each reply, `-`: none */
	const char *status; /* NULL: the conversation holds */
	bool ended;
} cases[] = {
	{.name = "one flight",
	 .offered = true,
	 .said = {{.line = "A"}, {.line = "B"}, {.line = "C"}},
	 .turns = {{"A\r\nB\r\nC\r\n", "250 a\r\n550 b\r\n450 c\r\n"}},
	 .codes = "254"},
	{.name = "one by one",
	 .said = {{.line = "A"}, {.line = "B"}},
	 .turns = {{"A\r\n", "250 a\r\n"}, {"B\r\n", "250 b\r\n"}},
	 .codes = "22"},
	{.name = "on, though not offered",
	 .wish = PIPELINING_ON,
	 .said = {{.line = "A"}, {.line = "B"}},
	 .turns = {{"A\r\nB\r\n", "250 a\r\n250 b\r\n"}},
	 .codes = "22"},
	{.name = "off, though offered",
	 .wish = PIPELINING_OFF,
	 .offered = true,
	 .said = {{.line = "A"}, {.line = "B"}},
	 .turns = {{"A\r\n", "250 a\r\n"}, {"B\r\n", "250 b\r\n"}},
	 .codes = "22"},
	{.name = "nothing passes a barrier",
	 .offered = true,
	 .said = {{.line = "A"}, {.line = "B", .barrier = true}, {.line = "C"}},
	 .turns = {{"A\r\nB\r\n", "250 a\r\n354 b\r\n"},
		   {"C\r\n", "250 c\r\n"}},
	 .codes = "232"},
	{.name = "but what goes ahead",
	 .said = {{.line = "A", .barrier = true},
		  {.line = "B", .ahead = true},
		  {.line = "C"}},
	 .turns = {{"A\r\nB\r\n", "250 a\r\n250 b\r\n"},
		   {"C\r\n", "250 c\r\n"}},
	 .codes = "222"},
	{.name = "a refusal stops nothing",
	 .said = {{.line = "A"}, {.line = "B"}},
	 .turns = {{"A\r\n", "550 a\r\n"}, {"B\r\n", "250 b\r\n"}},
	 .codes = "52"},
	{.name = "an essential one's does",
	 .said = {{.line = "A", .essential = true}, {.line = "B"}},
	 .turns = {{"A\r\n", "550 a\r\n"}},
	 .codes = "5-"},
	{.name = "what is under way is still answered",
	 .offered = true,
	 .said = {{.line = "A", .essential = true},
		  {.line = "B", .barrier = true},
		  {.line = "C"}},
	 .turns = {{"A\r\nB\r\n", "450 a\r\n250 b\r\n"}},
	 .codes = "42-"},
	{.name = "replies in pieces",
	 .offered = true,
	 .said = {{.line = "A"}, {.line = "B"}},
	 .turns = {{"A\r\nB\r\n", "25"},
		   {NULL, "0-a\r\n25"},
		   {NULL, "0 a\r\n250 b\r\n"}},
	 .codes = "22"},
	{.name = "421 ends it",
	 .offered = true,
	 .said = {{.line = "A"}, {.line = "B"}, {.line = "C"}},
	 .turns = {{"A\r\nB\r\nC\r\n", "250 a\r\n421 bye\r\n"}},
	 .codes = "24-",
	 .status = "4.3.2",
	 .ended = true},
	{.name = "garbage",
	 .offered = true,
	 .said = {{.line = "A"}, {.line = "B"}},
	 .turns = {{"A\r\nB\r\n", "250 a\r\nhello\r\n"}},
	 .codes = "2-",
	 .status = "5.5.0",
	 .ended = true},
	{.name = "lost",
	 .offered = true,
	 .said = {{.line = "A"}, {.line = "B"}},
	 .turns = {{"A\r\nB\r\n", "250 a\r\n"}, {NULL, hang_up}},
	 .codes = "2-",
	 .status = "4.4.2",
	 .ended = true},
	{.name = "lost when all is said",
	 .said = {{.line = "A"}},
	 .turns = {{"A\r\n", "250 a\r\n"}, {NULL, hang_up}},
	 .codes = "2"},
};

static size_t make_commands(size_t i, struct command *commands)
{
	size_t n;

	for (n = 0; n < MOST && cases[i].said[n].line; n++) {
		command_line(&commands[n], cases[i].said[n].line,
			     cases[i].said[n].line, STEP_OTHER);
		commands[n].barrier = cases[i].said[n].barrier;
		commands[n].essential = cases[i].said[n].essential;
		commands[n].ahead = cases[i].said[n].ahead;
	}
	return n;
}

static void carries_commands_and_replies(void **state)
{
	struct command commands[MOST];
	size_t i, j, n;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct session_policy policy = {.timeout = 5,
						.pipelining = cases[i].wish};
		struct session s = {.policy = &policy, .host = (char[]){"mx"}};
		struct outcome o = OUTCOME_INIT;
		struct script script;
		char codes[MOST + 1] = "";

		if (cases[i].offered)
			s.capabilities.set = CAP_PIPELINING;
		s.stream = script_start(&script, cases[i].turns);
		n = make_commands(i, commands);
		pipeline_run(&s, commands, n, &o);
		for (j = 0; j < n; j++)
			codes[j] = commands[j].n_answered
				? (char)('0' + command_class(&commands[j]))
				: '-';
		if (strcmp(codes, cases[i].codes) != 0)
			fail_msg("%s: %s (%s)", cases[i].name, codes, o.text);
		if (cases[i].status ? strcmp(o.status, cases[i].status) != 0
				    : outcome_is_failure(&o))
			fail_msg("%s: %s %s", cases[i].name, o.status, o.text);
		if (cases[i].ended && !s.ended)
			fail_msg("%s: it goes on", cases[i].name);
		stream_close(s.stream);
		stream_free(s.stream);
		if (script_end(&script) != 0)
			fail_msg("%s: something else was said", cases[i].name);
		for (j = 0; j < n; j++)
			command_release(&commands[j]);
		outcome_release(&o);
	}
}

/* A word of the server while the message is still on its way: a refusal ends
 * the session, anything else is nonsense. */
static void hears_the_server_in_the_middle_of_a_message(void **state)
{
	static const struct {
		const char *say;
		int code;
		const char *status; /* "": the conversation holds */
	} rows[] = {
		{"552 5.3.4 too much\r\n", 552, ""},
		{"421 4.3.2 bye\r\n", 421, "4.3.2"},
		{"250 ok\r\n", 250, "5.5.0"},
	};
	struct message m = {.body = store_new(64u << 20)};
	struct content *content;
	char *block = memory_alloc(1u << 20);
	size_t i;

	(void)state;
	memset(block, 'x', 1u << 20);
	for (i = 0; i < 32; i++)
		store_append(m.body, block, 1u << 20, &(struct outcome){0});
	content = content_new(VIEW("A: b\r\n"), &m);
	for (i = 0; i < N_OF(rows); i++) {
		struct session_policy policy = {.timeout = 10};
		struct session s = {.policy = &policy, .host = (char[]){"mx"}};
		struct turn turns[] = {{"A: b\r\n", rows[i].say}, {0}};
		struct outcome o = OUTCOME_INIT;
		struct command c;
		struct script script;
		struct body body;

		content_rewind(content);
		body_for_data(&body, content);
		command_body(&c, &body, 1);
		s.stream = script_start(&script, turns);
		pipeline_run(&s, &c, 1, &o);
		assert_string_equal(o.status, rows[i].status);
		assert_int_equal(c.replies[0].code, rows[i].code);
		assert_true(s.ended);
		assert_false(o.uncertain);
		stream_free(s.stream);
		script_end(&script);
		command_release(&c);
		outcome_release(&o);
	}
	content_free(content);
	store_free(m.body);
	free(block);
}

/* A server that answers a message ahead of its end still gets all of it, though
 * it is gone by then from where it was. */
static void an_early_answer_cuts_nothing_off(void **state)
{
	const size_t size = 256u << 10; /* octets; more than a socket takes */
	struct session_policy policy = {.timeout = 10};
	struct session s = {.policy = &policy, .host = (char[]){"mx"}};
	struct connection connection = CONNECTION_INIT;
	struct message m = {.body = store_new(1u << 20)};
	struct outcome o = OUTCOME_INIT;
	struct buf got = BUF_INIT(1u << 20);
	struct content *content;
	struct command c;
	struct body body;
	char *block = memory_alloc(size);
	int pair[2], flags = SOCK_STREAM | SOCK_NONBLOCK;
	ssize_t rc = 0;

	(void)state;
	memset(block, 'x', size);
	store_append(m.body, block, size, &o);
	content = content_new(VIEW(""), &m);
	body_for_bdat(&body, content, content_size(content));
	command_bdat(&c, &body, content_size(content), true, 1);
	assert_int_equal(socketpair(AF_UNIX, flags, 0, pair), 0);
	connection.fd = pair[0];
	s.stream = stream_new(&connection, "mx");
	assert_int_equal(write(pair[1], "250 ok\r\n", 8), 8);
	assert_int_equal(pipeline_run(&s, &c, 1, &o), 0);
	assert_int_equal(c.replies[0].code, 250);
	assert_true(stream_unsent(s.stream) > 0);
	content_free(content);
	while (stream_unsent(s.stream) || rc > 0) {
		stream_progress(s.stream, 0, deadline_in_ms(20), &o);
		rc = read(pair[1], buf_room(&got, size), size);
		got.n += rc > 0 ? (size_t)rc : 0;
	}
	assert_memory_equal(got.p, "BDAT 262146 LAST\r\n\r\n", 20);
	assert_int_equal(got.n, 20 + size);
	assert_memory_equal(got.p + 20, block, size);
	stream_free(s.stream);
	close(pair[1]);
	command_release(&c);
	store_free(m.body);
	buf_release(&got);
	outcome_release(&o);
	free(block);
}

/* What the server says unasked is taken for no answer. */
static void refuses_replies_to_nothing(void **state)
{
	static const struct turn turns[] = {{NULL, "250 unasked\r\n"}, {0}};
	struct session_policy policy = {.timeout = 5};
	struct session s = {.policy = &policy, .host = (char[]){"mx"}};
	struct outcome o = OUTCOME_INIT;
	struct script script;
	struct command c;

	(void)state;
	s.stream = script_start(&script, turns);
	assert_int_equal(stream_progress(s.stream, 0, deadline_in(5), &o), 1);
	command_line(&c, "A", "A", STEP_OTHER);
	assert_int_equal(pipeline_run(&s, &c, 1, &o), -1);
	assert_string_equal(o.status, "5.5.0");
	assert_int_equal(c.n_answered, 0);
	stream_free(s.stream);
	assert_int_equal(script_end(&script), 0);
	command_release(&c);
	outcome_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_commands_and_replies),
		cmocka_unit_test(hears_the_server_in_the_middle_of_a_message),
		cmocka_unit_test(an_early_answer_cuts_nothing_off),
		cmocka_unit_test(refuses_replies_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
