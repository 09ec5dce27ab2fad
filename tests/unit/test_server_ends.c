/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server of -bs and clients that leave, wait, say nothing or do not
 * listen. */
#undef _FORTIFY_SOURCE /* its poll() could not be replaced */
#include "smtp/server.h"

#include <poll.h>
#include <signal.h>
#include <time.h>

#include "dialogue.h"
#include "script.h"
#include "unit.h"

/* Stands in for the libc's: five minutes pass in no time. */
static bool is_impatient;

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	static const struct timespec at_once = {0};
	struct timespec limit = {timeout / 1000, timeout % 1000 * 1000000L};

	if (is_impatient)
		return ppoll(fds, n, &at_once, NULL);
	return ppoll(fds, n, timeout < 0 ? NULL : &limit, NULL);
}

/* Wherever the client leaves: nothing is handed over before its last octet has
 * come, and from MAIL to there it is a failure. */
static void check_every_end(struct view whole, size_t mail, size_t complete)
{
	size_t n;

	for (n = 0; n <= whole.n; n++) {
		struct dialogue d = dialogue_run(view_make(whole.p, n), 0);
		bool is_lost = n >= mail && n < complete;

		if (d.rc != (is_lost ? -1 : 0) ||
		    (d.log.n > 0) != (n >= complete))
			fail_msg("'%.*s': %d, %s", (int)n, whole.p, d.rc,
				 d.log.p);
		if (is_lost) {
			assert_int_equal(d.o.cause, CAUSE_CONNECT);
			assert_string_equal(d.o.status, "4.4.2");
		}
		dialogue_end(&d);
	}
}

static void a_client_may_leave_anywhere(void **state)
{
	static const struct view data = IN(H M R D B Q),
				 bare = IN("MAIL FROM:<s@x>\nRCPT TO:<r@x>\n"
					   "DATA\nx\n..\n.\n"),
				 chunks = IN(M R "BDAT 3\r\nx\r\n"
						 "BDAT 1 LAST\r\ny" Q);

	(void)state;
	check_every_end(data, strlen(H M), data.n - strlen(Q));
	check_every_end(bare, strlen("MAIL FROM:<s@x>\n"), bare.n);
	check_every_end(chunks, strlen(M), chunks.n - strlen(Q));
}

/* Who waits for each answer gets it, on one socket for both ways. */
static void answers_before_it_waits(void **state)
{
	static const struct turn turns[] = {
		{"220 here.example ESMTP postrider\r\n", "HELO me\r\n"},
		{"250 here.example\r\n", M},
		{"250 2.1.0 sender ok\r\n", R "RCPT TO:<q@x>\r\n"},
		{"250 2.1.5 recipient ok\r\n250 2.1.5 recipient ok\r\n",
		 "BDAT 1\r\n"},
		{NULL, "x"},
		{"250 2.0.0 1 octets\r\n", "RSET\r\nNO"},
		{"250 2.0.0 forgotten\r\n", "OP\r\n"},
		{"250 2.0.0 ok\r\n", M R D},
		{"250 2.1.0 sender ok\r\n250 2.1.5 recipient ok\r\n354 ",
		 "x\r\n."},
		{"go on; the end is a line with a dot alone\r\n", "\r"},
		{NULL, "\n"},
		{"250-2.6.0 one\r\n250 2.6.0 queued\r\n", Q},
		{"221 2.0.0 here.example closes the channel\r\n", hang_up},
		{NULL, NULL},
	};
	struct dialogue d;
	int pair[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(pair[0]);
		alarm(60);
		script_follow(pair[1], turns);
	}
	close(pair[1]);
	d = dialogue_start(pair[0], pair[0]);
	assert_int_equal(d.rc, 0);
	assert_string_equal(d.log.p, "s@x > r@x: |x|\n");
	dialogue_end(&d);
	close(pair[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* RFC 5321 4.5.3.2.7: it is told, and lost. */
static void gives_up_on_silence(void **state)
{
	static const struct {
		const char *sent, *replies;
		bool is_lost;
	} rows[] = {
		{"", "220 421:4.4.2", false},
		{"NOOP\r\nNO", "220 250:2.0.0 421:4.4.2", false},
		{M, "220 250:2.1.0 421:4.4.2", true},
		{M R D "x\r\n.", "220 250:2.1.0 250:2.1.5 354 421:4.4.2", true},
		{M R "BDAT 2\r\nx", "220 250:2.1.0 250:2.1.5 421:4.4.2", true},
		{M R D B, "220 250:2.1.0 250:2.1.5 354 250:2.6.0 421:4.4.2",
		 false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		struct feed f = feed_start(VIEW(""), 0);
		struct dialogue d;
		int in[2];

		assert_int_equal(pipe(in), 0);
		assert_int_equal(write(in[1], rows[i].sent,
				       strlen(rows[i].sent)),
				 strlen(rows[i].sent));
		is_impatient = true;
		d = dialogue_start(in[0], f.out);
		is_impatient = false;
		feed_said(&f, &d.said);
		sum_up(&d.said, &d.replies);
		assert_string_equal(d.replies.p, rows[i].replies);
		assert_int_equal(d.rc, rows[i].is_lost ? -1 : 0);
		dialogue_end(&d);
		feed_end(&f);
		close(in[0]);
		close(in[1]);
	}
}

/* Nobody reads the answers: what comes behind the first is not taken. */
static void takes_nothing_from_one_who_does_not_listen(void **state)
{
	struct feed f = feed_start(VIEW(H M R D B), 0);
	struct dialogue d;
	int out[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(out), 0);
	close(out[0]);
	d = dialogue_start(f.in, out[1]);
	assert_int_equal(d.rc, -1);
	assert_string_equal(d.log.p, "");
	dialogue_end(&d);
	feed_end(&f);
	close(out[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_HOME(a_client_may_leave_anywhere),
		IN_HOME(answers_before_it_waits),
		IN_HOME(gives_up_on_silence),
		IN_HOME(takes_nothing_from_one_who_does_not_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
