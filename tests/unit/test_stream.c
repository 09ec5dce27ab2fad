/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stream in clear, over socket pairs: both directions at once, limits,
 * deadlines and ends. Over TLS it is tested with net/tls. */
#include "net/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#include "base/memory.h"

#define HOST "mail.example.org"
#define AGES 60000      /* ms; nothing here takes as long unless it hangs */
#define BULK (8u << 20) /* octets, far more than the kernel holds */

static struct stream *stream_on(int fd)
{
	struct connection c = {.fd = fd};

	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return stream_new(&c, HOST);
}

/* A stream and the descriptor at its other end. */
static struct stream *open_pair(int type, int *peer)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, type, 0, fds), 0);
	*peer = fds[1];
	return stream_on(fds[0]);
}

static struct deadline ages(void)
{
	return deadline_in_ms(AGES);
}

static int progress(struct stream *s, size_t low)
{
	struct outcome o = OUTCOME_INIT;
	int rc = stream_progress(s, low, ages(), &o);

	if (rc < 0)
		fail_msg("%s", o.text);
	return rc;
}

/* The deadline passes, with these words. */
static void assert_late(struct stream *s, size_t low, const char *words)
{
	struct outcome o = OUTCOME_INIT;
	int64_t begin = clock_ms();

	assert_int_equal(stream_progress(s, low, deadline_in_ms(50), &o), -1);
	assert_true(clock_ms() - begin >= 50);
	assert_true(clock_ms() - begin < AGES);
	assert_int_equal(o.cause, CAUSE_CONNECT);
	assert_string_equal(o.status, "4.4.2");
	assert_string_equal(o.host, HOST);
	assert_string_equal(o.text, words);
	outcome_release(&o);
}

static void assert_lost(const struct stream *s, const char *words)
{
	struct outcome o = OUTCOME_INIT;

	assert_int_equal(stream_lost(s, &o), -1);
	assert_int_equal(o.cause, CAUSE_CONNECT);
	assert_string_equal(o.status, "4.4.2");
	assert_string_equal(o.host, HOST);
	assert_string_equal(o.text, words);
	outcome_release(&o);
}

static void assert_input(const struct stream *s, const char *text)
{
	struct view in = stream_input(s);

	assert_int_equal(in.n, strlen(text));
	assert_memory_equal(in.p, text, in.n);
}

/* ----------------------------------------------------------- a conversation */

static void talks(void **state)
{
	struct stream *s;
	char text[64];
	int peer;

	(void)state;
	s = open_pair(SOCK_STREAM, &peer);
	assert_string_equal(stream_host(s), HOST);
	assert_null(stream_tls(s));
	assert_input(s, "");
	stream_put(s, VIEW("EHLO x\r\n"));
	assert_int_equal(stream_unsent(s), 8);
	assert_int_equal(recv(peer, text, sizeof(text), MSG_DONTWAIT), -1);
	assert_int_equal(progress(s, 0), 1);
	assert_int_equal(stream_unsent(s), 0);
	assert_int_equal(read(peer, text, sizeof(text)), 8);
	assert_memory_equal(text, "EHLO x\r\n", 8);
	assert_late(s, 0, HOST " does not answer: timed out");

	assert_int_equal(write(peer, "250-a\r\n25", 9), 9);
	assert_int_equal(progress(s, 0), 1);
	assert_input(s, "250-a\r\n25");
	stream_consume(s, 7);
	assert_input(s, "25");
	assert_late(s, 0, HOST " does not answer: timed out");
	assert_int_equal(write(peer, "0 b\r\n", 5), 5);
	assert_int_equal(progress(s, 0), 1);
	assert_input(s, "250 b\r\n");
	stream_consume(s, 7);
	assert_input(s, "");
	stream_free(s);
	assert_int_equal(read(peer, text, sizeof(text)), 0);
	close(peer);
}

/* On a pair that keeps messages apart each write is one. */
static void sends_a_flight_at_once(void **state)
{
	struct stream *s;
	char text[64];
	int peer;

	(void)state;
	s = open_pair(SOCK_SEQPACKET, &peer);
	stream_put(s, VIEW("MAIL\r\n"));
	stream_put(s, VIEW("RCPT\r\n"));
	stream_put(s, VIEW("DATA\r\n"));
	assert_int_equal(progress(s, 0), 1);
	assert_int_equal(read(peer, text, sizeof(text)), 18);
	assert_memory_equal(text, "MAIL\r\nRCPT\r\nDATA\r\n", 18);
	/* More is to come: nothing leaves before there is enough. */
	stream_put(s, VIEW("one\r\n"));
	assert_int_equal(progress(s, 64), 1);
	assert_int_equal(stream_unsent(s), 5);
	stream_put(s, VIEW("two\r\n"));
	stream_close(s);
	assert_int_equal(read(peer, text, sizeof(text)), 10);
	assert_memory_equal(text, "one\r\ntwo\r\n", 10);
	assert_int_equal(read(peer, text, sizeof(text)), 0);
	stream_free(s);
	close(peer);
}

static void survives_an_empty_life(void **state)
{
	struct connection c = CONNECTION_INIT;
	struct stream *s;
	int peer;

	(void)state;
	stream_free(NULL);
	s = stream_new(&c, NULL);
	stream_put(s, VIEW("x"));
	assert_int_equal(progress(s, 0), 0);
	stream_close(s);
	stream_free(s);
	s = open_pair(SOCK_STREAM, &peer);
	stream_close(s);
	stream_close(s);
	assert_int_equal(progress(s, 0), 0);
	stream_free(s);
	close(peer);
}

/* -------------------------------------------------------------- many octets */

static char octet_at(size_t i)
{
	return (char)(i * 31 + (i >> 12));
}

static bool peer_sends(int fd, size_t n)
{
	char piece[10000];
	size_t done = 0, size, i;
	ssize_t rc;

	while (done < n) {
		size = n - done < sizeof(piece) ? n - done : sizeof(piece);
		for (i = 0; i < size; i++)
			piece[i] = octet_at(done + i);
		rc = send(fd, piece, size, MSG_NOSIGNAL);
		if (rc < 0)
			return false;
		done += (size_t)rc;
	}
	return true;
}

static bool peer_receives(int fd, size_t n)
{
	char piece[3000];
	size_t done = 0, i;
	ssize_t rc;

	while (done < n) {
		rc = read(fd, piece, sizeof(piece));
		if (rc <= 0)
			return false;
		for (i = 0; i < (size_t)rc; i++)
			if (piece[i] != octet_at(done + i))
				return false;
		done += (size_t)rc;
	}
	return true;
}

/* Does not listen before it has said everything. */
static bool peer_floods(int fd)
{
	return peer_sends(fd, BULK) && peer_receives(fd, BULK);
}

static bool peer_listens(int fd)
{
	return peer_receives(fd, BULK);
}

static bool peer_never_ends(int fd)
{
	return !peer_sends(fd, SIZE_MAX);
}

/* A stream to a process that does that. */
static struct stream *open_peer(bool (*act)(int fd), pid_t *pid)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	*pid = fork();
	assert_true(*pid >= 0);
	if (*pid == 0) {
		close(fds[0]);
		alarm(2 * AGES / 1000);
		_exit(!act(fds[1]));
	}
	close(fds[1]);
	return stream_on(fds[0]);
}

static void assert_content(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void fill(struct stream *s, size_t *put)
{
	char piece[7777];
	size_t n, i;

	while (*put < BULK && stream_unsent(s) < 65536) {
		n = BULK - *put < sizeof(piece) ? BULK - *put : sizeof(piece);
		for (i = 0; i < n; i++)
			piece[i] = octet_at(*put + i);
		stream_put(s, view_make(piece, n));
		*put += n;
	}
}

static size_t drain(struct stream *s, size_t taken)
{
	struct view in = stream_input(s);
	size_t i;

	assert_true(in.n <= STREAM_INPUT_LIMIT);
	for (i = 0; i < in.n; i++)
		if (in.p[i] != octet_at(taken + i))
			fail_msg("octet %zu differs", taken + i);
	stream_consume(s, in.n);
	return in.n;
}

static void neither_side_locks_the_other(void **state)
{
	size_t put = 0, taken = 0;
	struct stream *s;
	pid_t pid;
	int rc = 1;

	(void)state;
	s = open_peer(peer_floods, &pid);
	while (rc > 0) {
		fill(s, &put);
		rc = progress(s, put < BULK ? 32768 : 0);
		taken += drain(s, taken);
	}
	assert_int_equal(taken, BULK);
	assert_int_equal(put, BULK);
	assert_int_equal(stream_unsent(s), 0);
	assert_lost(s, HOST " closed the connection");
	stream_free(s);
	assert_content(pid);
}

/* What is lent is sent from where it lies, behind what was put before it; what
 * has not left can be kept. */
static void lent_octets_keep_their_place(void **state)
{
	char octets[BULK / 8], *got = memory_alloc(3 + sizeof(octets) + 4);
	struct outcome o = OUTCOME_INIT;
	struct stream *s;
	size_t i, n = 0;
	ssize_t rc;
	int peer;

	(void)state;
	for (i = 0; i < sizeof(octets); i++)
		octets[i] = octet_at(i);
	s = open_pair(SOCK_STREAM, &peer);
	assert_int_equal(fcntl(peer, F_SETFL, O_NONBLOCK), 0);
	assert_false(stream_borrows(s));
	stream_put(s, VIEW("one"));
	stream_lend(s, view_make(octets, sizeof(octets)));
	assert_true(stream_borrows(s));
	assert_int_equal(stream_unsent(s), 3 + sizeof(octets));
	while (n < sizeof(octets) / 2) {
		assert_late(s, 0,
			    HOST " has stopped taking in what we send: "
				 "timed out");
		while ((rc = read(peer, got + n, 50000)) > 0)
			n += (size_t)rc;
	}
	assert_true(stream_borrows(s));
	stream_put(s, VIEW("last")); /* which keeps it */
	assert_false(stream_borrows(s));
	memset(octets, '?', sizeof(octets));
	while (stream_unsent(s)) {
		stream_progress(s, 0, deadline_in_ms(20), &o);
		outcome_release(&o);
		while ((rc = read(peer, got + n, 50000)) > 0)
			n += (size_t)rc;
	}
	assert_int_equal(n, 3 + sizeof(octets) + 4);
	assert_memory_equal(got, "one", 3);
	for (i = 0; i < sizeof(octets); i++)
		assert_int_equal(got[3 + i], octet_at(i));
	assert_memory_equal(got + n - 4, "last", 4);
	stream_keep(s);
	assert_int_equal(stream_unsent(s), 0);
	stream_free(s);
	free(got);
	close(peer);
}

/* All at once, then down to what is asked for. */
static void sends_down_to_the_mark(void **state)
{
	static char all[BULK];
	static const size_t marks[] = {BULK, BULK / 2, 65536, 1, 0};
	struct stream *s;
	pid_t pid;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(all); i++)
		all[i] = octet_at(i);
	s = open_peer(peer_listens, &pid);
	stream_put(s, view_make(all, sizeof(all)));
	for (i = 0; i < N_OF(marks); i++) {
		if (stream_unsent(s))
			assert_int_equal(progress(s, marks[i]), 1);
		assert_true(stream_unsent(s) <= marks[i]);
	}
	assert_int_equal(progress(s, 0), 0); /* it has all, and leaves */
	stream_free(s);
	assert_content(pid);
}

/* Input that nobody wants is bounded, then refused; output goes on. */
static void bounds_the_input(void **state)
{
	struct outcome o = OUTCOME_INIT;
	size_t taken = 0, held = 0;
	struct stream *s;
	pid_t pid;
	int rc;

	(void)state;
	s = open_peer(peer_never_ends, &pid);
	do {
		rc = stream_progress(s, 0, ages(), &o);
		assert_true(stream_input(s).n <= STREAM_INPUT_LIMIT);
		assert_true(rc < 0 || stream_input(s).n > held);
		held = stream_input(s).n;
	} while (rc > 0);
	assert_int_equal(rc, -1);
	assert_int_equal(o.cause, CAUSE_PROTOCOL);
	assert_string_equal(o.status, "5.5.0");
	assert_int_equal(held, STREAM_INPUT_LIMIT);
	outcome_release(&o);
	stream_put(s, VIEW("still here\r\n"));
	assert_int_equal(progress(s, 0), 1);
	assert_int_equal(stream_unsent(s), 0);
	while (taken < 4 * STREAM_INPUT_LIMIT) {
		taken += drain(s, taken);
		assert_int_equal(progress(s, 0), 1);
	}
	stream_free(s);
	assert_content(pid);
}

/* --------------------------------------------------------- those who do not */

static void gives_up_on_one_who_never_reads(void **state)
{
	static char all[BULK];
	struct stream *s;
	size_t unsent;
	int peer;

	(void)state;
	s = open_pair(SOCK_STREAM, &peer);
	stream_put(s, view_make(all, sizeof(all)));
	assert_late(s, 0,
		    HOST " has stopped taking in what we send: timed out");
	unsent = stream_unsent(s);
	assert_true(unsent > 0 && unsent < BULK);
	/* It can still be heard. */
	assert_int_equal(write(peer, "452 full\r\n", 10), 10);
	assert_int_equal(progress(s, 0), 1);
	assert_input(s, "452 full\r\n");
	assert_int_equal(stream_unsent(s), unsent);
	stream_free(s);
	close(peer);
}

static void a_passed_deadline_is_one(void **state)
{
	struct outcome o = OUTCOME_INIT;
	struct stream *s;
	int peer;

	(void)state;
	s = open_pair(SOCK_STREAM, &peer);
	assert_int_equal(stream_progress(s, 0, deadline_in_ms(0), &o), -1);
	assert_string_equal(o.status, "4.4.2");
	/* What is there already is taken all the same. */
	assert_int_equal(write(peer, "x", 1), 1);
	assert_int_equal(stream_progress(s, 0, deadline_in_ms(0), &o), 1);
	assert_input(s, "x");
	outcome_release(&o);
	stream_free(s);
	close(peer);
}

static void on_alarm(int number)
{
	(void)number;
}

static void waits_on_through_signals(void **state)
{
	struct itimerval often = {{0, 2000}, {0, 2000}}, never = {0};
	struct sigaction action = {.sa_handler = on_alarm}, before;
	struct stream *s;
	int peer;

	(void)state;
	s = open_pair(SOCK_STREAM, &peer);
	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &often, NULL);
	assert_late(s, 0, HOST " does not answer: timed out");
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &before, NULL);
	stream_free(s);
	close(peer);
}

/* --------------------------------------------------------------------- ends */

static void hears_the_last_words(void **state)
{
	struct stream *s;
	char text[8];
	int peer;

	(void)state;
	s = open_pair(SOCK_STREAM, &peer);
	assert_int_equal(write(peer, "421 bye\r\n", 9), 9);
	shutdown(peer, SHUT_WR);
	assert_int_equal(progress(s, 0), 1);
	assert_int_equal(progress(s, 0), 0);
	assert_input(s, "421 bye\r\n");
	assert_lost(s, HOST " closed the connection");
	/* One half is open: what we say still gets there. */
	stream_put(s, VIEW("QUIT\r\n"));
	stream_close(s);
	assert_int_equal(read(peer, text, sizeof(text)), 6);
	stream_free(s);
	close(peer);
}

static void survives_a_peer_that_is_gone(void **state)
{
	struct stream *s;
	int peer;

	(void)state;
	s = open_pair(SOCK_STREAM, &peer);
	assert_int_equal(write(peer, "421 bye\r\n", 9), 9);
	close(peer);
	stream_put(s, VIEW("NOOP\r\n"));
	assert_int_equal(progress(s, 0), 1);
	assert_input(s, "421 bye\r\n");
	assert_int_equal(progress(s, 0), 0);
	assert_int_equal(stream_unsent(s), 6);
	assert_lost(s, "lost the connection to " HOST ": Broken pipe");
	stream_close(s);
	stream_free(s);
}

/* Over TCP, with a reset: its last words are not lost with it. */
static void survives_a_reset(void **state)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int ours = socket(AF_INET, SOCK_STREAM, 0), peer, i;
	struct linger at_once = {.l_onoff = 1};
	struct stream *s;

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&at, &size);
	assert_int_equal(connect(ours, (struct sockaddr *)&at, size), 0);
	peer = accept(listener, NULL, NULL);
	assert_true(peer >= 0);
	s = stream_on(ours);
	assert_int_equal(write(peer, "421 bye\r\n", 9), 9);
	setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(peer);
	for (i = 0; i < 3; i++)
		stream_put(s, VIEW("NOOP\r\n"));
	assert_int_equal(progress(s, 0), 1);
	assert_input(s, "421 bye\r\n");
	assert_int_equal(progress(s, 0), 0);
	assert_lost(
		s, "lost the connection to " HOST ": Connection reset by peer");
	stream_free(s);
	close(listener);
}

/* What was given up does not arrive, though the peer reads on in the end. */
static void lets_nothing_leave_once_abandoned(void **state)
{
	static char block[4u << 20];
	struct connection c = CONNECTION_INIT;
	struct outcome o = OUTCOME_INIT;
	struct stream *s;
	size_t got = 0;
	ssize_t n;
	int pair[2];

	(void)state;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	c.fd = pair[0];
	s = stream_new(&c, "mx");
	stream_put(s, view_make(block, sizeof(block)));
	assert_int_equal(stream_progress(s, 0, deadline_in_ms(50), &o), -1);
	stream_abandon(s);
	while ((n = read(pair[1], block, sizeof(block))) > 0)
		got += (size_t)n;
	assert_true(got > 0 && got < sizeof(block));
	stream_close(s);
	assert_int_equal(read(pair[1], block, sizeof(block)), 0);
	stream_free(s);
	close(pair[1]);
	outcome_release(&o);
}

/* Whoever waits for us says nothing and is there; to look does not take. */
static void knows_who_is_quiet(void **state)
{
	struct connection none = CONNECTION_INIT;
	struct stream *s;
	int peer;

	(void)state;
	s = open_pair(SOCK_STREAM, &peer);
	assert_true(stream_is_quiet(s));
	stream_put(s,
		   VIEW("NOOP\r\n")); /* what we have to say does not count */
	assert_true(stream_is_quiet(s));
	assert_int_equal(stream_unsent(s), 6);
	assert_int_equal(write(peer, "421 bye\r\n", 9), 9);
	assert_false(stream_is_quiet(s));
	assert_input(s, "421 bye\r\n");
	stream_consume(s, 9);
	assert_true(stream_is_quiet(s));
	close(peer);
	assert_false(stream_is_quiet(s));
	stream_free(s);
	/* who hangs up behind its last words, and who can't be heard */
	s = open_pair(SOCK_STREAM, &peer);
	assert_int_equal(write(peer, "x", 1), 1);
	shutdown(peer, SHUT_WR);
	assert_false(stream_is_quiet(s));
	stream_consume(s, 1);
	assert_false(stream_is_quiet(s));
	stream_free(s);
	close(peer);
	s = stream_new(&none, NULL);
	assert_false(stream_is_quiet(s));
	stream_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(talks),
		cmocka_unit_test(sends_a_flight_at_once),
		cmocka_unit_test(survives_an_empty_life),
		cmocka_unit_test(neither_side_locks_the_other),
		cmocka_unit_test(lent_octets_keep_their_place),
		cmocka_unit_test(sends_down_to_the_mark),
		cmocka_unit_test(bounds_the_input),
		cmocka_unit_test(gives_up_on_one_who_never_reads),
		cmocka_unit_test(a_passed_deadline_is_one),
		cmocka_unit_test(waits_on_through_signals),
		cmocka_unit_test(hears_the_last_words),
		cmocka_unit_test(survives_a_peer_that_is_gone),
		cmocka_unit_test(survives_a_reset),
		cmocka_unit_test(lets_nothing_leave_once_abandoned),
		cmocka_unit_test(knows_who_is_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
