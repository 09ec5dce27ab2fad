/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of tickets: what comes back, to whom, and when; and a session that
 * goes on by one, whose channel is another all the same. */
#include "net/ticket.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "certs.h"
#include "home.h"
#include "unit.h"

#include "base/memory.h"
#include "net/stream.h"
#include "net/tls.h"

static const char one[TICKET_NAME_SIZE] = "one", two[TICKET_NAME_SIZE] = "two";

static struct ticket make_ticket(int64_t checked, int64_t expires,
				 const char *octets)
{
	struct ticket t = TICKET_INIT;

	t.checked = checked;
	t.expires = expires;
	t.verified = memory_dup("words");
	buf_add_text(&t.session, octets);
	return t;
}

static void save(const char *name, int64_t checked, int64_t expires,
		 const char *octets)
{
	struct ticket t = make_ticket(checked, expires, octets);

	ticket_save(name, &t, true);
	ticket_release(&t);
}

static void comes_back_once(void **state)
{
	int64_t now = time(NULL);
	struct ticket t;

	(void)state;
	assert_false(ticket_is_there(one));
	save(one, now - 5, now + 5000, "first");
	save(one, now - 6, now + 6000, "second");
	save(two, now - 7, INT64_MAX, "third");
	assert_true(ticket_is_there(one));
	assert_true(ticket_take(one, &t));
	assert_int_equal(t.checked, now - 6);
	assert_int_equal(t.expires, now + 6000);
	assert_string_equal(t.verified, "words");
	assert_int_equal(t.session.n, 6);
	assert_memory_equal(t.session.p, "second", 6);
	assert_true(t.session.secret);
	ticket_release(&t);
	assert_false(ticket_is_there(one));
	assert_false(ticket_take(one, &t));
	ticket_release(&t);
	assert_true(ticket_take(two, &t));
	assert_true(t.expires == INT64_MAX);
	ticket_release(&t);
}

static const struct {
	int64_t checked, expires; /* seconds from now */
	bool is_good;
} times[] = {
	{0, 1000, true},
	{-1000, 1000, true},
	{-TICKET_LASTS + 100, 1000, true},
	{-TICKET_LASTS, 1000, false},
	{-10 * TICKET_LASTS, 1000, false},
	{100, 1000, false},
	{-1000, 0, false},
	{-1000, -1, false},
};

static void is_good_for_a_time(void **state)
{
	struct ticket t;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(times); i++) {
		int64_t now = time(NULL);

		save(one, now + times[i].checked, now + times[i].expires, "x");
		if (ticket_take(one, &t) != times[i].is_good)
			fail_msg("%zu", i);
		ticket_release(&t);
		assert_false(ticket_is_there(one));
	}
}

static void has_a_limit(void **state)
{
	struct ticket t = make_ticket(time(NULL), INT64_MAX, "");
	struct ticket back;

	(void)state;
	assert_non_null(
		memset(buf_room(&t.session, TICKET_LIMIT), 'x', TICKET_LIMIT));
	t.session.n = TICKET_LIMIT;
	ticket_save(one, &t, false);
	assert_true(ticket_take(one, &back));
	assert_int_equal(back.session.n, TICKET_LIMIT);
	ticket_release(&back);
	ticket_release(&t);
	save(one, time(NULL), INT64_MAX, "");
	assert_false(ticket_take(one, &back)); /* no session in it */
	ticket_release(&back);
}

/* Takes what there is until the one that says so, and tells of each. */
static void take_on_and_on(int fd)
{
	unsigned number = 0;
	struct ticket t;

	while (number != UINT_MAX) {
		if (ticket_take(one, &t)) {
			number = (unsigned)strtoul(t.session.p, NULL, 10);
			if (number == UINT_MAX) /* for the others, too */
				ticket_save(one, &t, false);
			else if (write(fd, &number, sizeof(number)) < 0)
				number = UINT_MAX;
		}
		ticket_release(&t);
	}
	_exit(0);
}

/* Many take: each ticket comes out once at most, and whole. */
static void goes_to_one_only(void **state)
{
	enum { CHILDREN = 3, TICKETS = 300 };
	unsigned seen[TICKETS] = {0}, number, all = 0;
	char octets[16];
	struct ticket t;
	int pipes[2], i;

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	for (i = 0; i < CHILDREN; i++)
		if (fork() == 0)
			take_on_and_on(pipes[1]);
	close(pipes[1]);
	for (number = 0; number < TICKETS; number++) {
		snprintf(octets, sizeof(octets), "%u", number);
		save(one, time(NULL), INT64_MAX, octets);
	}
	save(one, time(NULL), INT64_MAX, "4294967295");
	while (read(pipes[0], &number, sizeof(number)) > 0) {
		assert_true(number < TICKETS);
		assert_int_equal(seen[number]++, 0);
		all++;
	}
	assert_true(all > 0);
	close(pipes[0]);
	while (wait(NULL) > 0)
		;
	ticket_take(one, &t);
	ticket_release(&t);
	assert_int_equal(rmdir(".cache/postrider"), 0); /* nothing is left */
}

/* ------------------------------------------------------ sessions that go on */

static const struct wish root_wish = {.cn = "Root", .is_authority = true};
static const struct wish leaf_wish = {.cn = "mx", .dns = {"mx.example"}};

static struct made root, leaf;
static char *root_file;
static gnutls_datum_t ticket_key;

/* Tells whether it went on, and what identifies the channel. */
static int serve(const char *priorities, int fd)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_datum_t exporter = {NULL, 0}, unique = {NULL, 0};
	gnutls_session_t session;
	char line[64];
	int rc;

	gnutls_certificate_allocate_credentials(&credentials);
	gnutls_certificate_set_x509_key(credentials, &leaf.certificate, 1,
					leaf.key);
	gnutls_init(&session, GNUTLS_SERVER);
	gnutls_priority_set_direct(session, priorities, NULL);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_session_ticket_enable_server(session, &ticket_key);
	gnutls_transport_set_int(session, fd);
	do
		rc = gnutls_handshake(session);
	while (rc < 0 && !gnutls_error_is_fatal(rc));
	if (rc < 0)
		return 1;
	gnutls_record_send(session,
			   gnutls_session_is_resumed(session) ? "R" : "F", 1);
	gnutls_session_channel_binding(session, GNUTLS_CB_TLS_EXPORTER,
				       &exporter);
	gnutls_record_send(session, exporter.data, exporter.size);
	if (gnutls_protocol_get_version(session) == GNUTLS_TLS1_2 &&
	    gnutls_session_channel_binding(session, GNUTLS_CB_TLS_UNIQUE,
					   &unique) == 0)
		gnutls_record_send(session, unique.data, unique.size);
	gnutls_bye(session, GNUTLS_SHUT_WR);
	while (gnutls_record_recv(session, line, sizeof(line)) > 0)
		;
	return 0;
}

/* One session to its end; what the server said, which is compared with what we
 * know ourselves. */
static void converse(const char *priorities, struct buf *said, bool *goes_on)
{
	struct tls_policy policy = {
		.certcheck = true, .trust_file = root_file, .resume = true};
	struct tls_owner owner = {.peer = priorities};
	struct connection c = CONNECTION_INIT;
	struct buf ours = BUF_INIT(1024);
	struct tls_facts facts;
	struct outcome o = OUTCOME_INIT;
	struct stream *s;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		alarm(60);
		_exit(serve(priorities, fds[1]));
	}
	close(fds[1]);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	c.fd = fds[0];
	s = stream_new(&c, "mx.example");
	if (stream_start_tls(s, tls_new(&policy, "mx.example", &owner, &o),
			     deadline_in(60), &o) < 0)
		fail_msg("%s", o.text);
	while (stream_progress(s, 0, deadline_in(60), &o) > 0)
		;
	buf_add_view(said, stream_input(s));
	assert_true(tls_channel_binding(stream_tls(s), "tls-exporter", &ours));
	tls_channel_binding(stream_tls(s), "tls-unique", &ours);
	assert_int_equal(said->n, ours.n + 1);
	assert_memory_equal(said->p + 1, ours.p, ours.n);
	tls_describe(stream_tls(s), false, &facts);
	*goes_on = facts.is_resumed;
	assert_string_equal(facts.verified, root_file);
	assert_int_equal(said->p[0] == 'R', *goes_on);
	tls_facts_release(&facts);
	stream_close(s);
	stream_free(s);
	buf_release(&ours);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void binds_to_another_channel(void **state)
{
	static const char *const priorities[] = {
		"NORMAL:-VERS-ALL:+VERS-TLS1.3",
		"NORMAL:-VERS-ALL:+VERS-TLS1.2"};
	struct buf before = BUF_INIT(1024), said = BUF_INIT(1024);
	bool goes_on;
	size_t i;
	int turn;

	(void)state;
	certs_make(&root, &root_wish, NULL);
	certs_make(&leaf, &leaf_wish, &root);
	root_file = certs_pem(&root);
	MUST(gnutls_session_ticket_key_generate(&ticket_key));
	for (i = 0; i < N_OF(priorities); i++) {
		buf_clear(&before);
		for (turn = 0; turn < 3; turn++) {
			buf_clear(&said);
			converse(priorities[i], &said, &goes_on);
			assert_int_equal(goes_on, turn > 0);
			assert_int_equal(said.n, i ? 45 : 33);
			if (turn)
				assert_memory_not_equal(before.p + 1,
							said.p + 1, 32);
			if (turn && i)
				assert_memory_not_equal(before.p + 33,
							said.p + 33, 12);
			buf_clear(&before);
			buf_add_view(&before, buf_view(&said));
		}
	}
	gnutls_free(ticket_key.data);
	certs_remove(root_file);
	certs_free(&leaf);
	certs_free(&root);
	buf_release(&before);
	buf_release(&said);
}

static int set_up(void **state)
{
	unsetenv("XDG_CACHE_HOME");
	return make_home(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_once),
		cmocka_unit_test(is_good_for_a_time),
		cmocka_unit_test(has_a_limit),
		cmocka_unit_test(goes_to_one_only),
		cmocka_unit_test(binds_to_another_channel),
	};

	return cmocka_run_group_tests(tests, set_up, remove_home);
}
