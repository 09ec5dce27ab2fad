/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Opening a session in clear, and logging in: every dialogue is a script. */
#include "smtp/session.h"

#include "script.h"
#include "unit.h"

#define TURNS 8

static int get_password(void *context, struct buf *secret, struct outcome *o)
{
	if (!context)
		return fail(o, CAUSE_AUTH, "5.7.8", "no password");
	buf_add_text(secret, context);
	return 0;
}

static const struct {
	const char *name;
	struct turn turns[TURNS];
	const char *user, *mechanism; /* NULL: no authentication */
	bool tls_wanted;
	bool lmtp;
	const char *status; /* NULL: it opens */
	enum cause cause;
	const char *words; /* in the outcome's text */
	bool early;        /* EHLO goes first */
} cases[] = {
	{.name = "plain",
	 {{NULL, "220 mx\r\n"}, {"EHLO me\r\n", "250 mx\r\n"}}},
	{.name = "many lines",
	 {{NULL, "220-mx\r\n220-no\r\n220 spam\r\n"},
	  {"EHLO me\r\n", "250-mx\r\n250 SIZE\r\n"}}},
	{.name = "helo where ehlo is refused",
	 {{NULL, "220 mx\r\n"},
	  {"EHLO me\r\n", "502 what\r\n"},
	  {"HELO me\r\n", "250 mx\r\n"}}},
	{.name = "lmtp",
	 {{NULL, "220 mx\r\n"}, {"LHLO me\r\n", "250 mx\r\n"}},
	 .lmtp = true},
	{.name = "no helo in lmtp",
	 {{NULL, "220 mx\r\n"}, {"LHLO me\r\n", "500 what\r\n"}},
	 .lmtp = true,
	 .status = "5.5.2",
	 .cause = CAUSE_PROTOCOL},
	{.name = "ehlo before the greeting",
	 .turns = {{"EHLO me\r\n", "220 mx\r\n250 mx\r\n"}},
	 .early = true},
	{.name = "its answer comes later",
	 .turns = {{"EHLO me\r\n", "220-mx\r\n220 mx\r\n250-"},
		   {NULL, "mx\r\n250 SIZE\r\n"}},
	 .early = true},
	{.name = "lhlo before the greeting",
	 .turns = {{"LHLO me\r\n", "220 mx\r\n250 mx\r\n"}},
	 .lmtp = true,
	 .early = true},
	{.name = "helo where the early ehlo is refused",
	 .turns = {{"EHLO me\r\n", "220 mx\r\n502 what\r\n"},
		   {"HELO me\r\n", "250 mx\r\n"}},
	 .early = true},
	{.name = "refused for an early ehlo",
	 .turns = {{"EHLO me\r\n", "554 wait\r\n250 mx\r\n"}},
	 .status = "5.3.2",
	 .cause = CAUSE_CONNECT,
	 .words = "wait",
	 .early = true},
	{.name = "hangs up on an early ehlo",
	 .turns = {{"EHLO me\r\n", "220 mx\r\n"}, {NULL, hang_up}},
	 .status = "4.4.2",
	 .cause = CAUSE_CONNECT,
	 .early = true},
	{.name = "refused greeting",
	 {{NULL, "554 go away\r\n"}},
	 .status = "5.3.2",
	 .cause = CAUSE_CONNECT,
	 .words = "go away"},
	{.name = "busy greeting",
	 {{NULL, "421 later\r\n"}},
	 .status = "4.3.2",
	 .cause = CAUSE_CONNECT},
	{.name = "greeting of another class",
	 {{NULL, "354 what\r\n"}},
	 .status = "5.5.0",
	 .cause = CAUSE_PROTOCOL},
	{.name = "no smtp at all",
	 {{NULL, "HTTP/1.1 400 Bad\r\n"}},
	 .status = "5.5.0",
	 .cause = CAUSE_PROTOCOL,
	 .words = "HTTP/1.1"},
	{.name = "hangs up",
	 {{NULL, hang_up}},
	 .status = "4.4.2",
	 .cause = CAUSE_CONNECT},
	{.name = "hangs up at ehlo",
	 {{NULL, "220 mx\r\n"}, {"EHLO me\r\n", hang_up}},
	 .status = "4.4.2",
	 .cause = CAUSE_CONNECT,
	 .words = "EHLO"},
	{.name = "two greetings",
	 {{NULL, "220 mx\r\n220 again\r\n"}},
	 .status = "5.5.0",
	 .cause = CAUSE_PROTOCOL},
	{.name = "ehlo later",
	 {{NULL, "220 mx\r\n"}, {"EHLO me\r\n", "450 later\r\n"}},
	 .status = "4.2.0",
	 .cause = CAUSE_PROTOCOL},
	{.name = "no starttls",
	 {{NULL, "220 mx\r\n"}, {"EHLO me\r\n", "250 mx\r\n"}},
	 .tls_wanted = true,
	 .status = "5.7.4",
	 .cause = CAUSE_TLS,
	 .words = "STARTTLS"},
	{.name = "starttls refused",
	 {{NULL, "220 mx\r\n"},
	  {"EHLO me\r\n", "250-mx\r\n250 STARTTLS\r\n"},
	  {"STARTTLS\r\n", "454 no\r\n"}},
	 .tls_wanted = true,
	 .status = "4.7.0",
	 .cause = CAUSE_TLS},
	{.name = "words behind starttls",
	 {{NULL, "220 mx\r\n"},
	  {"EHLO me\r\n", "250-mx\r\n250 STARTTLS\r\n"},
	  {"STARTTLS\r\n", "220 go\r\n250 injected\r\n"}},
	 .tls_wanted = true,
	 .status = "4.7.5",
	 .cause = CAUSE_TLS},
	{.name = "no auth offered",
	 {{NULL, "220 mx\r\n"}, {"EHLO me\r\n", "250 mx\r\n"}},
	 "alice",
	 NULL,
	 .status = "5.7.4",
	 .cause = CAUSE_AUTH,
	 .words = "does not offer"},
	{.name = "no password in clear",
	 {{NULL, "220 mx\r\n"},
	  {"EHLO me\r\n", "250-mx\r\n250 AUTH PLAIN LOGIN\r\n"}},
	 "alice",
	 NULL,
	 .status = "5.7.4",
	 .cause = CAUSE_AUTH},
	{.name = "nor when named",
	 {{NULL, "220 mx\r\n"},
	  {"EHLO me\r\n", "250-mx\r\n250 AUTH PLAIN LOGIN\r\n"}},
	 "alice",
	 "PLAIN",
	 .status = "5.7.4",
	 .cause = CAUSE_AUTH,
	 .words = "show the password"},
	/* the example of RFC 2195 2 */
	{.name = "cram-md5",
	 {{NULL, "220 mx\r\n"},
	  {"EHLO me\r\n", "250-mx\r\n250 AUTH CRAM-MD5\r\n"},
	  {"AUTH CRAM-MD5\r\n",
	   "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2Uu"
	   "cmVzdG9uLm1jaS5uZXQ+\r\n"},
	  {"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\r\n",
	   "235 ok\r\n"}},
	 "tim",
	 "CRAM-MD5"},
	{.name = "which in clear is not taken by itself",
	 {{NULL, "220 mx\r\n"},
	  {"EHLO me\r\n", "250-mx\r\n250 AUTH CRAM-MD5\r\n"}},
	 "tim",
	 .status = "5.7.4",
	 .cause = CAUSE_AUTH},
	{.name = "cram-md5 with the wrong password",
	 {{NULL, "220 mx\r\n"},
	  {"EHLO me\r\n", "250-mx\r\n250 AUTH CRAM-MD5\r\n"},
	  {"AUTH CRAM-MD5\r\n",
	   "334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2Uu"
	   "cmVzdG9uLm1jaS5uZXQ+\r\n"},
	  {"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw\r\n",
	   "535 5.7.8 wrong\r\n"}},
	 "tim",
	 "CRAM-MD5",
	 .status = "5.7.8",
	 .cause = CAUSE_AUTH,
	 .words = "wrong"},
	{.name = "a challenge that is no base64 is cancelled",
	 {{NULL, "220 mx\r\n"},
	  {"EHLO me\r\n", "250-mx\r\n250 AUTH CRAM-MD5\r\n"},
	  {"AUTH CRAM-MD5\r\n", "334 !!!\r\n"},
	  {"*\r\n", "501 as you like\r\n"}},
	 "tim",
	 "CRAM-MD5",
	 .status = "5.5.0",
	 .cause = CAUSE_PROTOCOL},
	{.name = "scram-sha-1 that proves nothing is no login",
	 {{NULL, "220 mx\r\n"},
	  {"EHLO me\r\n", "250-mx\r\n250 AUTH SCRAM-SHA-1\r\n"},
	  {"AUTH SCRAM-SHA-1 ", "235 welcome\r\n"}},
	 "tim",
	 .status = "5.7.8",
	 .cause = CAUSE_AUTH,
	 .words = "prove"},
};

static void opens_or_says_why_not(void **state)
{
	struct session_policy policy = {.domain = (char[]){"me"}, .timeout = 5};
	struct auth_secret secret = {get_password,
				     (char[]){"tanstaaftanstaaf"}};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct tls_policy tls_policy = {.on = cases[i].tls_wanted,
						.starttls = true};
		struct auth_policy auth = {
			.want = cases[i].mechanism ? AUTH_NAMED : AUTH_AUTO,
			.user = (char *)cases[i].user,
		};
		struct session_early early = {.is_wanted = cases[i].early};
		struct session_request request = {
			.policy = &policy,
			.early = &early,
			.tls = &tls_policy,
			.auth = &auth,
			.secret = &secret,
		};
		struct outcome o = OUTCOME_INIT;
		struct tls *tls = NULL;
		struct session *s;
		struct script script;

		if (cases[i].mechanism)
			strings_add(&auth.mechanisms,
				    view_of(cases[i].mechanism));

		policy.lmtp = cases[i].lmtp;
		script_start(&script, cases[i].turns);
		if (tls_policy.on) {
			tls = tls_new(&tls_policy, "mx", NULL, &o);
			assert_non_null(tls);
		}
		s = session_open(script.stream, tls, &request, &o);
		if (!s != (cases[i].status != NULL))
			fail_msg("%s: %s", cases[i].name, o.text);
		assert_int_equal(early.has_failed, cases[i].early && !s);
		session_close(s);
		if (!s &&
		    (strcmp(o.status, cases[i].status) != 0 ||
		     o.cause != cases[i].cause))
			fail_msg("%s: %d %s %s", cases[i].name, o.cause,
				 o.status, o.text);
		if (cases[i].words && !strstr(o.text, cases[i].words))
			fail_msg("%s: %s", cases[i].name, o.text);
		/* SCRAM's first message is random: the script knows its
		 * beginning only, so its last turn can't be exact */
		if (!cases[i].words || strcmp(cases[i].words, "prove") != 0)
			assert_int_equal(script_end(&script), 0);
		else
			script_end(&script);
		strings_release(&auth.mechanisms);
		outcome_release(&o);
	}
}

static void takes_its_time_from_the_policy(void **state)
{
	struct session_policy policy = {.timeout = TIMEOUT_NONE};
	struct deadline d;

	(void)state;
	assert_int_equal(deadline_left(session_deadline(&policy, WAIT_MAIL)),
			 -1);
	policy.timeout = 7;
	d = session_deadline(&policy, WAIT_DATA_END);
	assert_in_range(deadline_left(d), 1, 7000);
	policy.timeout = TIMEOUT_BY_RFC;
	d = session_deadline(&policy, WAIT_DATA_END);
	assert_in_range(deadline_left(d), 590000, 600000);
	d = session_deadline(&policy, WAIT_DATA_INIT);
	assert_in_range(deadline_left(d), 110000, 120000);
}

/* One step's time goes before the time of all; the other steps keep theirs. */
static void each_step_has_its_time(void **state)
{
	static const int by_rfc[] = {
		[WAIT_CONNECT] = 30000,    [WAIT_GREETING] = 300000,
		[WAIT_MAIL] = 300000,      [WAIT_RCPT] = 300000,
		[WAIT_DATA_INIT] = 120000, [WAIT_DATA_BLOCK] = 180000,
		[WAIT_DATA_END] = 600000,
	};
	static const unsigned limits[] = {TIMEOUT_BY_RFC, 7, TIMEOUT_NONE};
	struct session_policy policy = {0};
	size_t i, step, own;
	int left, want;

	(void)state;
	for (i = 0; i < N_OF(limits) * WAIT_N * WAIT_N; i++) {
		own = i % WAIT_N;
		step = i / WAIT_N % WAIT_N;
		policy = (struct session_policy){
			.timeout = limits[i / (WAIT_N * WAIT_N)]};
		policy.waits[own] = 20;
		left = deadline_left(
			session_deadline(&policy, (enum wait)step));
		want = step == own                       ? 20000
			: policy.timeout == TIMEOUT_NONE ? -1
			: policy.timeout                 ? 7000
							 : by_rfc[step];
		if (left > want || left < want - 5000)
			fail_msg("step %zu, own %zu: %d", step, own, left);
		policy.waits[own] = TIMEOUT_NONE;
		left = deadline_left(session_deadline(&policy, (enum wait)own));
		assert_int_equal(left, -1);
	}
}

/* What the server does, and whether another message may go to it. */
static void knows_who_waits_for_more(void **state)
{
	static const struct {
		const char *said;
		bool hangs_up, ended, is_idle;
	} rows[] = {
		{"", false, false, true},
		{"", false, true, false},
		{"", true, false, false},
		{"421 4.4.2 too long\r\n", false, false, false},
		{"421 4.4.2 too long\r\n", true, false, false},
		{"2", false, false, false},
	};
	struct session_policy policy = {.timeout = 5};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		struct connection c = CONNECTION_INIT;
		struct session *s = memory_alloc(sizeof(*s));
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX,
					    SOCK_STREAM | SOCK_NONBLOCK, 0,
					    pair),
				 0);
		c.fd = pair[0];
		s->stream = stream_new(&c, "mx");
		s->policy = &policy;
		s->ended = rows[i].ended;
		assert_int_equal(write(pair[1], rows[i].said,
				       strlen(rows[i].said)),
				 strlen(rows[i].said));
		if (rows[i].hangs_up)
			shutdown(pair[1], SHUT_RDWR);
		assert_int_equal(session_is_idle(s), rows[i].is_idle);
		assert_int_equal(session_is_idle(s), rows[i].is_idle);
		session_close(s);
		close(pair[1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_or_says_why_not),
		cmocka_unit_test(takes_its_time_from_the_policy),
		cmocka_unit_test(each_step_has_its_time),
		cmocka_unit_test(knows_who_waits_for_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
