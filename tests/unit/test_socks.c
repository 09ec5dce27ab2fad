/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SOCKS5 with a proxy that follows a script: what is asked, in octets, and
 * what each answer comes to, whole, in single octets, cut off anywhere. */
#include "net/socks.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define AGES 60000 /* ms; nothing here takes as long unless it hangs */
#define SOON 1000  /* ms, for what must run out */

#define GREETING "220 mail.example.org ESMTP\r\n"

/* -------------------------------------------------------------- the request */

#define A63  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A61  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A253 A63 "." A63 "." A63 "." A61
#define B255 A63 A63 A63 A63 "bbb"

static const struct {
	const char *host;
	unsigned port;
	const char *user, *password;
	struct view methods, login, connect;
} requests[] = {
	{"mail.example.org", 587, NULL, NULL, VIEW("\5\1\0"), VIEW(""),
	 VIEW("\5\1\0\3\20mail.example.org\2\113")},
	{"Mail.Example.ORG.", 465, NULL, "unused", VIEW("\5\1\0"), VIEW(""),
	 VIEW("\5\1\0\3\20mail.example.org\1\321")},
	{"b\xc3\xbc"
	 "cher.example",
	 25, NULL, NULL, VIEW("\5\1\0"), VIEW(""),
	 VIEW("\5\1\0\3\25xn--bcher-kva.example\0\31")},
	{"192.0.2.77", 65535, NULL, NULL, VIEW("\5\1\0"), VIEW(""),
	 VIEW("\5\1\0\1\300\0\2\115\377\377")},
	{"2001:db8::ff", 1, NULL, NULL, VIEW("\5\1\0"), VIEW(""),
	 VIEW("\5\1\0\4\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\377\0\1")},
	{"h", 256, "u", "p", VIEW("\5\2\0\2"), VIEW("\1\1u\1p"),
	 VIEW("\5\1\0\3\1h\1\0")},
	{"h", 256, "j\xc3\xbcrgen", " two words ", VIEW("\5\2\0\2"),
	 VIEW("\1\7j\xc3\xbcrgen\13 two words "), VIEW("\5\1\0\3\1h\1\0")},
	{"h", 256, B255, B255, VIEW("\5\2\0\2"),
	 VIEW("\1\377" B255 "\377" B255), VIEW("\5\1\0\3\1h\1\0")},
	{A253, 25, NULL, NULL, VIEW("\5\1\0"), VIEW(""),
	 VIEW("\5\1\0\3\375" A253 "\0\31")},
};

static void assert_octets(size_t i, const struct buf *got, struct view want)
{
	if (got->n != want.n || memcmp(got->p, want.p, want.n) != 0)
		fail_msg("row %zu: %zu octets, not as expected (%zu)", i,
			 got->n, want.n);
}

static struct dial_policy policy_of(const char *host, unsigned port,
				    const char *user, const char *password)
{
	return (struct dial_policy){
		.host = (char *)host,
		.port = port,
		.proxy = {.user = (char *)user, .password = (char *)password},
	};
}

static void asks_for_what_is_set(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(requests); i++) {
		struct dial_policy policy =
			policy_of(requests[i].host, requests[i].port,
				  requests[i].user, requests[i].password);
		struct socks_request r = SOCKS_REQUEST_INIT;
		struct outcome o = OUTCOME_INIT;

		if (socks_prepare(&r, &policy, &o) < 0)
			fail_msg("row %zu: %s", i, o.text);
		assert_octets(i, &r.methods, requests[i].methods);
		assert_octets(i, &r.login, requests[i].login);
		assert_octets(i, &r.connect, requests[i].connect);
		assert_true(r.login.secret);
		assert_false(r.methods.overflow || r.login.overflow ||
			     r.connect.overflow);
		socks_request_release(&r);
	}
}

static const struct {
	const char *host;
	const char *user, *password;
	const char *words;
} impossible[] = {
	{"h", "", "p", "proxy_user must not be empty"},
	{"h", "u", "", "proxy_password must not be empty"},
	{"h", "u", NULL, "proxy_password must not be empty"},
	{"h", B255 "b", "p", "proxy_user is longer than 255 octets"},
	{"h", "u", B255 "b", "proxy_password is longer than 255 octets"},
	{A253 "a", NULL, NULL, "aaa"},
	{A253 ".aa", NULL, NULL, "aaa"},
	{"a..b", NULL, NULL, "a..b"},
	{"fe80::1%lo", NULL, NULL, "a zone of this machine"},
};

static void knows_what_cannot_be_asked(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(impossible); i++) {
		struct dial_policy policy = policy_of(impossible[i].host, 25,
						      impossible[i].user,
						      impossible[i].password);
		struct socks_request r = SOCKS_REQUEST_INIT;
		struct outcome o = OUTCOME_INIT;

		if (socks_prepare(&r, &policy, &o) == 0)
			fail_msg("row %zu went through", i);
		assert_int_equal(o.cause, CAUSE_CONFIG);
		assert_string_equal(o.status, "5.3.5");
		if (!strstr(o.text, impossible[i].words))
			fail_msg("row %zu: %s", i, o.text);
		assert_null(strstr(o.text, "bbbb")); /* no value in words */
		socks_request_release(&r);
		outcome_release(&o);
	}
}

/* ---------------------------------------------------------------- the proxy */

struct turn {
	struct view hear; /* nothing: it is over */
	struct view say;
};

/* How it says it: as a whole, in single octets, or no more than `most` octets
 * in all and then it hangs up, or is silent. */
struct manner {
	enum { WHOLE, SINGLE, HANGS_UP, FALLS_SILENT } how;
	size_t most;
};

static bool hear_exactly(int fd, struct view want)
{
	char c;
	size_t i;

	for (i = 0; i < want.n; i++)
		if (read(fd, &c, 1) != 1 || c != want.p[i])
			return false;
	/* Nothing more until it is answered. */
	return recv(fd, &c, 1, MSG_DONTWAIT) <= 0;
}

static _Noreturn void wait_for_the_end(int fd)
{
	char c;

	while (read(fd, &c, 1) > 0)
		;
	_exit(0);
}

static void say_it(int fd, struct view words, const struct manner *m,
		   size_t *said)
{
	size_t i;

	if (m->how == WHOLE) {
		send(fd, words.p, words.n, MSG_NOSIGNAL);
		return;
	}
	for (i = 0; i < words.n; i++) {
		if (m->how == HANGS_UP && *said == m->most)
			_exit(0);
		if (m->how == FALLS_SILENT && *said == m->most)
			wait_for_the_end(fd);
		if (m->how == SINGLE)
			poll(NULL, 0, 1);
		send(fd, words.p + i, 1, MSG_NOSIGNAL);
		(*said)++;
	}
}

static _Noreturn void follow(int fd, const struct turn *turns,
			     const struct manner *m)
{
	size_t i, said = 0;

	for (i = 0; turns[i].hear.n; i++) {
		if (!hear_exactly(fd, turns[i].hear))
			_exit((int)i + 1);
		say_it(fd, turns[i].say, m, &said);
	}
	wait_for_the_end(fd);
}

/* Our end; the proxy's process. */
static int start(const struct turn *turns, const struct manner *m, pid_t *pid)
{
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	*pid = fork();
	assert_true(*pid >= 0);
	if (*pid == 0) {
		close(pair[0]);
		follow(pair[1], turns, m);
	}
	close(pair[1]);
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	return pair[0];
}

/* Closes our end; 0: it heard what is in the script, k: not in turn k. */
static int end(int fd, pid_t pid)
{
	int status;

	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int converse(int fd, bool logs_in, int64_t ms, struct outcome *o)
{
	struct dial_policy policy =
		policy_of("h", 256, logs_in ? "user" : NULL, "canary");
	struct socks_request r = SOCKS_REQUEST_INIT;
	int rc = socks_prepare(&r, &policy, o);

	assert_int_equal(rc, 0);
	rc = socks_connect(fd, &r, deadline_in_ms(ms), o);
	socks_request_release(&r);
	if (rc < 0)
		assert_null(strstr(o->text, "canary"));
	return rc;
}

#define HELLO   VIEW("\5\1\0")
#define HELLO2  VIEW("\5\2\0\2")
#define LOGIN   VIEW("\1\4user\6canary")
#define REQUEST VIEW("\5\1\0\3\1h\1\0")
#define END                   \
	{                     \
		{"", 0},      \
		{             \
			"", 0 \
		}             \
	}
#define IPV4 "\5\0\0\1\177\0\0\1\20\20"
#define IPV6 "\5\0\0\4ABCDEFGHIJKLMNOP\20\20"
#define NAME "\5\0\0\3\4name\20\20"

/* ----------------------------------------------------------- going well */

/* Ways through; what is said last is followed by the host's own first words
 * in the same flight. */
static const struct {
	bool logs_in;
	struct turn turns[4];
} ways[] = {
	{false, {{HELLO, VIEW("\5\0")}, {REQUEST, VIEW(IPV4 GREETING)}, END}},
	{false, {{HELLO, VIEW("\5\0")}, {REQUEST, VIEW(IPV6 GREETING)}, END}},
	{false, {{HELLO, VIEW("\5\0")}, {REQUEST, VIEW(NAME GREETING)}, END}},
	{false,
	 {{HELLO, VIEW("\5\0")},
	  {REQUEST, VIEW("\5\0\0\3\0\0\0" GREETING)},
	  END}},
	{false,
	 {{HELLO, VIEW("\5\0")},
	  {REQUEST, VIEW("\5\0\0\3\377" B255 "\0\0" GREETING)},
	  END}},
	{false,
	 {{HELLO, VIEW("\5\0")},
	  {REQUEST, VIEW("\5\0\177\1\0\0\0\0\0\0" GREETING)},
	  END}},
	{true, {{HELLO2, VIEW("\5\0")}, {REQUEST, VIEW(IPV4 GREETING)}, END}},
	{true,
	 {{HELLO2, VIEW("\5\2")},
	  {LOGIN, VIEW("\1\0")},
	  {REQUEST, VIEW(IPV4 GREETING)},
	  END}},
	{true,
	 {{HELLO2, VIEW("\5\2")},
	  {LOGIN, VIEW("\5\0")},
	  {REQUEST, VIEW(NAME GREETING)},
	  END}},
};

static void read_greeting(size_t i, int fd)
{
	char got[sizeof(GREETING)] = "";
	size_t n = 0;
	ssize_t more;

	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	while (n < sizeof(GREETING) - 1) {
		more = read(fd, got + n, sizeof(GREETING) - 1 - n);
		assert_true(more > 0);
		n += (size_t)more;
	}
	if (strcmp(got, GREETING) != 0)
		fail_msg("row %zu: then '%s' comes", i, got);
}

static void leaves_the_rest_to_the_host(void **state)
{
	static const struct manner manners[] = {{WHOLE, 0}, {SINGLE, 0}};
	size_t i, k;

	(void)state;
	for (i = 0; i < N_OF(ways); i++)
		for (k = 0; k < N_OF(manners); k++) {
			struct outcome o = OUTCOME_INIT;
			pid_t pid;
			int fd = start(ways[i].turns, &manners[k], &pid);

			if (converse(fd, ways[i].logs_in, AGES, &o) < 0)
				fail_msg("row %zu: %s", i, o.text);
			read_greeting(i, fd);
			assert_int_equal(end(fd, pid), 0);
		}
}

/* ------------------------------------------------------------ going wrong */

#define C_(code) VIEW("\5" code "\0\1\0\0\0\0\0\0")

static const struct {
	bool logs_in;
	struct turn turns[4];
	enum cause cause;
	const char *status;
	const char *words;
} failures[] = {
	/* RFC 1928 6 */
	{false,
	 {{HELLO, VIEW("\5\0")}, {REQUEST, C_("\1")}, END},
	 CAUSE_CONNECT,
	 "4.4.1",
	 "general failure of the proxy"},
	{false,
	 {{HELLO, VIEW("\5\0")}, {REQUEST, C_("\2")}, END},
	 CAUSE_CONNECT,
	 "5.7.1",
	 "the proxy's rules forbid it"},
	{false,
	 {{HELLO, VIEW("\5\0")}, {REQUEST, C_("\3")}, END},
	 CAUSE_CONNECT,
	 "4.4.1",
	 "network unreachable"},
	{false,
	 {{HELLO, VIEW("\5\0")}, {REQUEST, C_("\4")}, END},
	 CAUSE_CONNECT,
	 "4.4.1",
	 "host unreachable, or the proxy does not find it"},
	{false,
	 {{HELLO, VIEW("\5\0")}, {REQUEST, C_("\5")}, END},
	 CAUSE_CONNECT,
	 "4.4.1",
	 "connection refused"},
	{false,
	 {{HELLO, VIEW("\5\0")}, {REQUEST, C_("\6")}, END},
	 CAUSE_CONNECT,
	 "4.4.1",
	 "too far away (TTL expired)"},
	{false,
	 {{HELLO, VIEW("\5\0")}, {REQUEST, C_("\7")}, END},
	 CAUSE_FEATURE,
	 "5.3.3",
	 "the proxy makes no connections (command not supported)"},
	{false,
	 {{HELLO, VIEW("\5\0")}, {REQUEST, C_("\10")}, END},
	 CAUSE_FEATURE,
	 "5.3.3",
	 "the proxy does not take this kind of address; try a name for an "
	 "address, or the other way round"},
	{false,
	 {{HELLO, VIEW("\5\0")}, {REQUEST, C_("\11")}, END},
	 CAUSE_CONNECT,
	 "4.4.1",
	 "the proxy says no, with the unknown code 9"},
	{false,
	 {{HELLO, VIEW("\5\0")}, {REQUEST, C_("\377")}, END},
	 CAUSE_CONNECT,
	 "4.4.1",
	 "the proxy says no, with the unknown code 255"},
	/* no more than the code */
	{true,
	 {{HELLO2, VIEW("\5\2")},
	  {LOGIN, VIEW("\1\0")},
	  {REQUEST, VIEW("\5\5")},
	  END},
	 CAUSE_CONNECT,
	 "4.4.1",
	 "connection refused"},
	/* logins */
	{false,
	 {{HELLO, VIEW("\5\377")}, END},
	 CAUSE_AUTH,
	 "5.7.4",
	 "the proxy wants a login: set proxy_user and proxy_password"},
	{true,
	 {{HELLO2, VIEW("\5\377")}, END},
	 CAUSE_AUTH,
	 "5.7.4",
	 "the proxy takes no user with a password, nor anybody without"},
	{false,
	 {{HELLO, VIEW("\5\2")}, END},
	 CAUSE_PROTOCOL,
	 "5.5.0",
	 "the proxy chose login method 2, which was not offered"},
	{true,
	 {{HELLO2, VIEW("\5\1")}, END},
	 CAUSE_PROTOCOL,
	 "5.5.0",
	 "the proxy chose login method 1, which was not offered"},
	{true,
	 {{HELLO2, VIEW("\5\2")}, {LOGIN, VIEW("\1\1")}, END},
	 CAUSE_AUTH,
	 "5.7.8",
	 "the proxy refuses proxy_user with this proxy_password"},
	{true,
	 {{HELLO2, VIEW("\5\2")}, {LOGIN, VIEW("\1\377")}, END},
	 CAUSE_AUTH,
	 "5.7.8",
	 "the proxy refuses proxy_user with this proxy_password"},
	/* something else than a SOCKS5 proxy */
	{false,
	 {{HELLO, VIEW("HTTP/1.1 400 Bad Request\r\n\r\n")}, END},
	 CAUSE_PROTOCOL,
	 "5.5.0",
	 "what answers there does not speak SOCKS5; it looks like an HTTP "
	 "proxy, which is no use here"},
	{false,
	 {{HELLO, VIEW("\0\133\0\0\0\0\0\0")}, END},
	 CAUSE_PROTOCOL,
	 "5.5.0",
	 "what answers there does not speak SOCKS5; it looks like a SOCKS4 "
	 "proxy, which is no use here"},
	{false,
	 {{HELLO, VIEW("\4\133\0\0\0\0\0\0")}, END},
	 CAUSE_PROTOCOL,
	 "5.5.0",
	 "what answers there does not speak SOCKS5; it looks like a SOCKS4 "
	 "proxy, which is no use here"},
	{false,
	 {{HELLO, VIEW("220 mail.example.org\r\n")}, END},
	 CAUSE_PROTOCOL,
	 "5.5.0",
	 "what answers there does not speak SOCKS5; it looks like a mail "
	 "server"},
	{false,
	 {{HELLO, VIEW("SSH-2.0-OpenSSH_9.2p1\r\n")}, END},
	 CAUSE_PROTOCOL,
	 "5.5.0",
	 "what answers there does not speak SOCKS5; it looks like an SSH "
	 "server; ssh -D makes a proxy"},
	{false,
	 {{HELLO, VIEW("\25\3\1\0\2\2\106")}, END}, /* a TLS alert */
	 CAUSE_PROTOCOL,
	 "5.5.0",
	 "what answers there does not speak SOCKS5"},
	{false,
	 {{HELLO, VIEW("\5\0")}, {REQUEST, VIEW("\4\0\0\1\0\0\0\0\0\0")}, END},
	 CAUSE_PROTOCOL,
	 "5.5.0",
	 "what answers there does not speak SOCKS5; it looks like a SOCKS4 "
	 "proxy, which is no use here"},
	{false,
	 {{HELLO, VIEW("\5\0")}, {REQUEST, VIEW("\5\0\0\2\0\0\0\0\0\0")}, END},
	 CAUSE_PROTOCOL,
	 "5.5.0",
	 "the proxy's answer has an unknown type of address, 2"},
};

static void says_why_it_fails(void **state)
{
	static const struct manner manners[] = {{WHOLE, 0}, {SINGLE, 0}};
	size_t i, k;

	(void)state;
	for (i = 0; i < N_OF(failures); i++)
		for (k = 0; k < N_OF(manners); k++) {
			struct outcome o = OUTCOME_INIT;
			pid_t pid;
			int fd = start(failures[i].turns, &manners[k], &pid);

			if (converse(fd, failures[i].logs_in, AGES, &o) == 0)
				fail_msg("row %zu went through", i);
			assert_string_equal(o.text, failures[i].words);
			assert_string_equal(o.status, failures[i].status);
			assert_int_equal(o.cause, failures[i].cause);
			assert_int_equal(end(fd, pid), 0);
			outcome_release(&o);
		}
}

/* The longest of all: two octets, two, and a reply with a name. */
static const struct turn longest[] = {
	{HELLO2, VIEW("\5\2")},
	{LOGIN, VIEW("\1\0")},
	{REQUEST, VIEW(NAME)},
	END,
};
#define LONGEST (2 + 2 + sizeof(NAME) - 1)

static const char *awaited_after(size_t said)
{
	return said < 2    ? "our greeting"
		: said < 4 ? "our login"
			   : "our request";
}

static void cut_off(const struct manner *m, int64_t ms, const char *status,
		    const char *words)
{
	struct outcome o = OUTCOME_INIT;
	int64_t begin = clock_ms();
	pid_t pid;
	int fd = start(longest, m, &pid);

	assert_int_equal(converse(fd, true, ms, &o), -1);
	assert_int_equal(o.cause, CAUSE_CONNECT);
	assert_string_equal(o.status, status);
	if (!strstr(o.text, words) || !strstr(o.text, awaited_after(m->most)))
		fail_msg("after %zu octets: %s", m->most, o.text);
	assert_true(clock_ms() - begin < AGES);
	assert_int_equal(end(fd, pid), 0);
	outcome_release(&o);
}

static void may_end_anywhere(void **state)
{
	struct manner m = {HANGS_UP, 0};

	(void)state;
	for (m.most = 0; m.most < LONGEST; m.most++)
		cut_off(&m, AGES, "4.4.2", "closed the connection instead of");
}

static void has_one_deadline(void **state)
{
	static const size_t places[] = {0, 1, 2, 3, 4, 5, 7, LONGEST - 1};
	struct manner m = {FALLS_SILENT, 0};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(places); i++) {
		m.most = places[i];
		cut_off(&m, SOON, "4.4.1", "timed out");
	}
}

static void knows_that_the_proxy_is_gone(void **state)
{
	struct outcome o = OUTCOME_INIT;
	int pair[2];

	(void)state;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	close(pair[1]);
	assert_int_equal(converse(pair[0], false, AGES, &o), -1);
	assert_int_equal(o.cause, CAUSE_CONNECT);
	assert_string_equal(o.status, "4.4.2");
	assert_non_null(strstr(o.text, "our greeting: Broken pipe"));
	close(pair[0]);
	outcome_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_for_what_is_set),
		cmocka_unit_test(knows_what_cannot_be_asked),
		cmocka_unit_test(leaves_the_rest_to_the_host),
		cmocka_unit_test(says_why_it_fails),
		cmocka_unit_test(may_end_anywhere),
		cmocka_unit_test(has_one_deadline),
		cmocka_unit_test(knows_that_the_proxy_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
