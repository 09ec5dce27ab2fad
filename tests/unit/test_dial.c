/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connecting, on loopback only: who wins, who is given up, what is said. */
#include "net/dial.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "names.h"

#include "base/memory.h"
#include "unit.h"

#define FAR  "ff02::1" /* a group: no TCP gets there, and no packet leaves */
#define AGES 60000     /* ms; nothing here takes as long unless it hangs */

const struct fake_name fake_names[] = {
	{.name = "good.test", .addresses = {"127.0.0.1"}},
	{.name = "six-four.test", .addresses = {"::1", "127.0.0.1"}},
	{.name = "four-six.test", .addresses = {"127.0.0.1", "::1"}},
	{.name = "refused-good.test", .addresses = {"127.0.0.2", "127.0.0.1"}},
	{.name = "hole-good.test", .addresses = {"127.0.0.3", "127.0.0.1"}},
	{.name = "hole-refused.test", .addresses = {"127.0.0.3", "127.0.0.2"}},
	{.name = "hole-six.test",
	 .addresses = {"127.0.0.3", "::1", "127.0.0.1"}},
	{.name = "refused-six.test",
	 .addresses = {"127.0.0.2", "::1", "127.0.0.1"}},
	{.name = "far-good.test", .addresses = {FAR, "127.0.0.1"}},
	{.name = "all-refused.test",
	 .addresses = {"127.0.0.2", "127.0.0.4", "127.0.0.5"}},
	{.name = "hole.test", .addresses = {"127.0.0.3"}},
	{.name = "none.test", .error = EAI_NONAME},
	{.name = "slow.test", .manner = SLEEPS},
	{.name = NULL},
};

/* ------------------------------------------------------------ the listeners */

static unsigned port; /* of all of them */
static int good = -1; /* on 127.0.0.1 */
static int six = -1;  /* on ::1, if this machine has IPv6 */
static int hole = -1; /* on 127.0.0.3; its queue is full, so nothing answers */
static int stuck[4];  /* what fills it */

static int listen_on(const char *ip, unsigned on_port, int backlog)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)on_port),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(inet_pton(AF_INET, ip, &to.sin_addr), 1);
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    listen(fd, backlog) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int listen_on_six(unsigned on_port)
{
	struct sockaddr_in6 to = {
		.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)on_port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    listen(fd, 16) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* One connection waits to be accepted, the others are not answered. */
static void fill_hole(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
	};
	struct pollfd wait = {.events = POLLOUT};
	size_t i;

	inet_pton(AF_INET, "127.0.0.3", &to.sin_addr);
	for (i = 0; i < N_OF(stuck); i++) {
		stuck[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(stuck[i], (struct sockaddr *)&to, sizeof(to));
		wait.fd = stuck[i];
		poll(&wait, 1, 100);
	}
}

static int open_listeners(void **state)
{
	struct sockaddr_in at;
	socklen_t size = sizeof(at);

	(void)state;
	good = listen_on("127.0.0.1", 0, 16);
	assert_true(good >= 0);
	getsockname(good, (struct sockaddr *)&at, &size);
	port = ntohs(at.sin_port);
	six = listen_on_six(port);
	hole = listen_on("127.0.0.3", port, 0);
	assert_true(hole >= 0);
	fill_hole();
	return 0;
}

static int close_listeners(void **state)
{
	size_t i;

	(void)state;
	close(good);
	close(hole);
	if (six >= 0)
		close(six);
	for (i = 0; i < N_OF(stuck); i++)
		close(stuck[i]);
	return 0;
}

static size_t open_descriptors(void)
{
	size_t n = 0;
	int fd;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* -------------------------------------------------------------------- names */

#define SIX "[::1]"

static const struct {
	const char *host;
	enum family prefer;
	const char *source;
	const char *winner;
} wins[] = {
	{"127.0.0.1", FAMILY_ANY, NULL, "127.0.0.1"},
	{"good.test", FAMILY_ANY, NULL, "127.0.0.1"},
	{"good.test", FAMILY_IPV6, NULL, "127.0.0.1"},
	{"refused-good.test", FAMILY_ANY, NULL, "127.0.0.1"},
	{"hole-good.test", FAMILY_ANY, NULL, "127.0.0.1"},
	{"six-four.test", FAMILY_ANY, NULL, SIX},
	{"six-four.test", FAMILY_IPV4, NULL, "127.0.0.1"},
	{"four-six.test", FAMILY_ANY, NULL, "127.0.0.1"},
	{"four-six.test", FAMILY_IPV6, NULL, SIX},
	{"six-four.test", FAMILY_ANY, "127.0.0.7", "127.0.0.1"},
	/* a literal of the other family, where no choice is left */
	{"127.0.0.1", FAMILY_IPV6, NULL, "127.0.0.1"},
	{"::1", FAMILY_IPV4, NULL, SIX},
	/* the preferred family does not answer, is refused, is not there */
	{"hole-six.test", FAMILY_IPV4, NULL, SIX},
	{"refused-six.test", FAMILY_IPV4, NULL, SIX},
	{"far-good.test", FAMILY_IPV6, NULL, "127.0.0.1"},
	{"far-good.test", FAMILY_ANY, NULL, "127.0.0.1"},
	/* where we come from decides before what we prefer */
	{"six-four.test", FAMILY_IPV6, "127.0.0.7", "127.0.0.1"},
	{"four-six.test", FAMILY_IPV6, "127.0.0.7", "127.0.0.1"},
};

static void check_connection(const struct connection *c, const char *source)
{
	struct sockaddr_storage at;
	struct sockaddr_in *four = (struct sockaddr_in *)&at;
	socklen_t size = sizeof(at);
	char text[INET_ADDRSTRLEN];
	int on = 0;

	assert_true(fcntl(c->fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(c->fd, F_GETFL) & O_NONBLOCK);
	if (source) {
		getsockname(c->fd, (struct sockaddr *)&at, &size);
		inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
		assert_string_equal(text, source);
	}
	size = sizeof(on);
	getsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, &size);
	assert_true(on);
}

static void the_first_that_answers_wins(void **state)
{
	size_t i, before = open_descriptors();

	(void)state;
	for (i = 0; i < N_OF(wins); i++) {
		struct dial_policy policy = {
			.host = (char *)wins[i].host,
			.port = port,
			.source_ip = (char *)wins[i].source,
			.prefer_family = wins[i].prefer,
		};
		const char *winner = wins[i].winner;
		struct connection c = CONNECTION_INIT;
		struct outcome o = OUTCOME_INIT;
		char want[64];

		if (six < 0 && strchr(wins[i].host, ':'))
			continue;
		if (six < 0) /* refused at once, so the other one wins */
			winner = "127.0.0.1";
		snprintf(want, sizeof(want), "%s:%u", winner, port);
		if (dial(&policy, deadline_in_ms(AGES), NULL, &c, &o) < 0)
			fail_msg("%zu: %s", i, o.text);
		assert_string_equal(c.peer, want);
		check_connection(&c, wins[i].source);
		assert_int_equal(open_descriptors(), before + 1);
		connection_close(&c);
		assert_int_equal(c.fd, -1);
		assert_int_equal(open_descriptors(), before);
	}
}

/* In the words %u stands for the port. */
static const struct {
	const char *host;
	const char *source;
	int64_t ms; /* 0: ages */
	enum cause cause;
	const char *status;
	const char *words;
} losses[] = {
	{"127.0.0.2", NULL, 0, CAUSE_CONNECT, "4.4.1",
	 "cannot connect to 127.0.0.2:%u: connection refused"},
	{"all-refused.test", NULL, 0, CAUSE_CONNECT, "4.4.1",
	 "cannot connect to all-refused.test:%u: connection refused "
	 "(tried 3 addresses, last 127.0.0.5)"},
	/* another process finds the addresses; the second joins in after
	 * 250 ms */
	{"hole.test", NULL, 1500, CAUSE_CONNECT, "4.4.1",
	 "cannot connect to hole.test:%u: timed out (tried 127.0.0.3)"},
	{"hole-refused.test", NULL, 1500, CAUSE_CONNECT, "4.4.1",
	 "cannot connect to hole-refused.test:%u: timed out (tried 2 "
	 "addresses, last 127.0.0.3)"},
	{"127.0.0.3", NULL, 100, CAUSE_CONNECT, "4.4.1",
	 "cannot connect to 127.0.0.3:%u: timed out"},
	{"none.test", NULL, 0, CAUSE_RESOLVE, "5.4.4",
	 "there is no host none.test"},
	{"slow.test", NULL, 100, CAUSE_RESOLVE, "4.4.3",
	 "cannot look up the host slow.test now: timed out"},
	{"good.test", "nonsense", 0, CAUSE_CONFIG, "5.3.5",
	 "source_ip nonsense is no IPv4 or IPv6 address"},
	{"good.test", "::1", 0, CAUSE_CONFIG, "5.3.5",
	 "source_ip ::1 cannot reach good.test, which has no IPv6 "
	 "address"},
	{"good.test", "198.51.100.9", 0, CAUSE_CONFIG, "5.3.5",
	 "source_ip 198.51.100.9 cannot be used on this machine: "
	 "Cannot assign requested address"},
	{NULL, NULL, 0, CAUSE_CONFIG, "5.3.5",
	 "no server is named: set host, socket or tunnel"},
};

static void says_why_nobody_wins(void **state)
{
	size_t i, before = open_descriptors();

	(void)state;
	for (i = 0; i < N_OF(losses); i++) {
		struct dial_policy policy = {
			.host = (char *)losses[i].host,
			.port = port,
			.source_ip = (char *)losses[i].source,
		};
		struct connection c = CONNECTION_INIT;
		struct outcome o = OUTCOME_INIT;
		int64_t ms = losses[i].ms ? losses[i].ms : AGES;
		int64_t begin = clock_ms();
		struct buf want = BUF_INIT(256);
		const char *mark = strstr(losses[i].words, "%u");

		if (mark)
			buf_printf(&want, "%.*s%u%s",
				   (int)(mark - losses[i].words),
				   losses[i].words, port, mark + 2);
		else
			buf_add_text(&want, losses[i].words);
		assert_int_equal(
			dial(&policy, deadline_in_ms(ms), NULL, &c, &o), -1);
		assert_string_equal(o.text, want.p);
		assert_int_equal(o.cause, losses[i].cause);
		assert_string_equal(o.status, losses[i].status);
		assert_true(clock_ms() - begin >= losses[i].ms);
		assert_true(clock_ms() - begin < AGES);
		assert_int_equal(c.fd, -1);
		assert_int_equal(open_descriptors(), before);
		buf_release(&want);
		outcome_release(&o);
	}
}

/* RFC 8305 5: 250 ms for each attempt before the next joins in, none for one
 * that has failed. */
static void gives_the_first_a_start(void **state)
{
	static const struct {
		const char *host;
		int64_t least; /* ms */
	} cases[] = {
		{"good.test", 0},
		{"refused-good.test", 0},
		{"hole-good.test", 250},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct dial_policy policy = {
			.host = (char *)cases[i].host,
			.port = port,
		};
		struct connection c = CONNECTION_INIT;
		struct outcome o = OUTCOME_INIT;
		int64_t begin = clock_ms();

		assert_int_equal(
			dial(&policy, deadline_in_ms(AGES), NULL, &c, &o), 0);
		assert_true(clock_ms() - begin >= cases[i].least);
		connection_close(&c);
	}
}

static void note_line(void *context, enum trace_kind kind, struct view line)
{
	assert_int_equal(kind, TRACE_NOTE);
	buf_add_view(context, line);
	buf_add_char(context, '\n');
}

static void tells_what_happens(void **state)
{
	struct buf told = BUF_INIT(1024);
	struct trace trace = {note_line, &told};
	struct stages stages = STAGES_INIT;
	struct dial_call call = {.trace = &trace, .stages = &stages};
	struct dial_policy policy = {
		.host = (char *)"refused-good.test",
		.port = port,
	};
	struct connection c = CONNECTION_INIT;
	struct outcome o = OUTCOME_INIT;
	char want[256];

	(void)state;
	assert_int_equal(dial(&policy, deadline_in_ms(AGES), &call, &c, &o), 0);
	snprintf(want, sizeof(want),
		 "cannot connect to 127.0.0.2:%u: connection refused\n"
		 "connected to 127.0.0.1:%u\n",
		 port, port);
	assert_string_equal(told.p, want);
	assert_true(stages.seen[STAGE_RESOLVE]);
	assert_int_equal(stages.now, STAGE_CONNECT);
	connection_close(&c);
	buf_release(&told);
}

/* ---------------------------------------------------------------- a proxy */

/* Says what it is told to whoever connects, after what must be heard. */
static pid_t serve_proxy(int listener, const char *hear, size_t n_hear,
			 const char *say, size_t n_say)
{
	char heard[512];
	pid_t pid = fork();
	size_t got = 0;
	ssize_t more;
	int fd;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	fd = accept(listener, NULL, NULL);
	/* the method, then all else */
	send(fd, say, 2, MSG_NOSIGNAL);
	while (got < n_hear) {
		more = read(fd, heard + got, n_hear - got);
		if (more <= 0)
			_exit(1);
		got += (size_t)more;
	}
	if (memcmp(heard, hear, n_hear) != 0)
		_exit(2);
	send(fd, say + 2, n_say - 2, MSG_NOSIGNAL);
	while (read(fd, heard, sizeof(heard)) > 0)
		;
	_exit(0);
}

#define BY_NAME   "\5\1\0\5\1\0\3\14none.example\2\113"
#define CONNECTED "\5\0\5\0\0\1\177\0\0\1\0\1"
#define FORBIDDEN "\5\0\5\2\0\1\0\0\0\0\0\0"

static const struct {
	const char *proxy;
	const char *source;
	const char *say;
	size_t n_say;
	const char *words; /* of c.peer, or of the failure; %u: proxy's port */
	const char *status;
} ways[] = {
	{"127.0.0.1", NULL, CONNECTED, sizeof(CONNECTED) - 1,
	 "none.example:587 by the proxy 127.0.0.1:%u", NULL},
	{"good.test", NULL, CONNECTED, sizeof(CONNECTED) - 1,
	 "none.example:587 by the proxy 127.0.0.1:%u", NULL},
	{"refused-good.test", "127.0.0.7", CONNECTED, sizeof(CONNECTED) - 1,
	 "none.example:587 by the proxy 127.0.0.1:%u", NULL},
	{"127.0.0.1", NULL, FORBIDDEN, sizeof(FORBIDDEN) - 1,
	 "cannot reach none.example:587 by the proxy 127.0.0.1:%u: the "
	 "proxy's rules forbid it",
	 "5.7.1"},
};

/* none.example is known to nobody here (getaddrinfo above says so). */
static void dial_by_proxy(size_t i)
{
	struct dial_policy policy = {
		.host = (char *)"none.example",
		.port = 587,
		.source_ip = (char *)ways[i].source,
		.proxy = {.host = (char *)ways[i].proxy, .port = port},
	};
	struct connection c = CONNECTION_INIT;
	struct outcome o = OUTCOME_INIT;
	pid_t pid = serve_proxy(good, BY_NAME, sizeof(BY_NAME) - 1, ways[i].say,
				ways[i].n_say);
	char want[256];
	int status;

	snprintf(want, sizeof(want), ways[i].words, port);
	if (ways[i].status) {
		assert_int_equal(
			dial(&policy, deadline_in_ms(AGES), NULL, &c, &o), -1);
		assert_string_equal(o.text, want);
		assert_string_equal(o.status, ways[i].status);
		assert_string_equal(o.host, "none.example");
		assert_int_equal(c.fd, -1);
	} else {
		if (dial(&policy, deadline_in_ms(AGES), NULL, &c, &o) < 0)
			fail_msg("%zu: %s", i, o.text);
		assert_string_equal(c.peer, want);
		check_connection(&c, ways[i].source);
		connection_close(&c);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	outcome_release(&o);
}

static void goes_by_a_proxy(void **state)
{
	size_t i, before = open_descriptors();
	int left;

	(void)state;
	/* What other tests have left to be accepted. */
	assert_int_equal(fcntl(good, F_SETFL, O_NONBLOCK), 0);
	while ((left = accept(good, NULL, NULL)) >= 0)
		close(left);
	assert_int_equal(fcntl(good, F_SETFL, 0), 0);
	for (i = 0; i < N_OF(ways); i++) {
		dial_by_proxy(i);
		assert_int_equal(open_descriptors(), before);
	}
}

static const struct {
	struct dial_policy policy;
	const char *name; /* of the proxy */
	const char *words;
	const char *status;
} no_ways[] = {
	{{.host = (char *)"h",
	  .port = 25,
	  .proxy = {.host = (char *)"none.test"}},
	 "none.test:1080",
	 "cannot reach h:25 by the proxy: there is no host none.test",
	 "5.4.4"},
	{{.host = (char *)"2001:db8::1",
	  .port = 25,
	  .proxy = {.host = (char *)"127.0.0.2", .port = 9}},
	 "127.0.0.2:9",
	 "cannot reach [2001:db8::1]:25 by the proxy: cannot connect to "
	 "127.0.0.2:9: connection refused",
	 "4.4.1"},
	{{.host = (char *)"h",
	  .port = 25,
	  .source_ip = (char *)"::1",
	  .proxy = {.host = (char *)"good.test", .port = 9}},
	 "good.test:9",
	 "cannot reach h:25 by the proxy: source_ip ::1 cannot reach "
	 "good.test, which has no IPv6 address",
	 "5.3.5"},
	{{.host = (char *)"h",
	  .port = 25,
	  .proxy = {.host = (char *)"::1", .port = 9, .user = (char *)"u"}},
	 "[::1]:9",
	 "proxy_password must not be empty: set it, or unset proxy_user",
	 "5.3.5"},
};

static void says_why_no_proxy_helps(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(no_ways); i++) {
		struct connection c = CONNECTION_INIT;
		struct outcome o = OUTCOME_INIT;
		char *name = dial_proxy_name(&no_ways[i].policy);

		assert_string_equal(name, no_ways[i].name);
		assert_int_equal(dial(&no_ways[i].policy, deadline_in_ms(AGES),
				      NULL, &c, &o),
				 -1);
		assert_string_equal(o.text, no_ways[i].words);
		assert_string_equal(o.status, no_ways[i].status);
		assert_int_equal(c.fd, -1);
		free(name);
		outcome_release(&o);
	}
}

/* --------------------------------------------------- unix sockets, commands */

static int listen_on_path(const char *path, int backlog)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(to.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static int dial_path(const char *path, int64_t ms, struct connection *c,
		     struct outcome *o)
{
	struct dial_policy policy = {
		.socket = (char *)path,
		.host = (char *)"none.test",            /* does not count */
		.proxy = {.host = (char *)"none.test"}, /* neither */
	};

	assert_null(dial_proxy_name(&policy));

	return dial(&policy, deadline_in_ms(ms), NULL, c, o);
}

static void connects_to_a_path(void **state)
{
	char folder[] = "/tmp/postrider-test-XXXXXX";
	struct connection c[8] = {{.fd = -1}};
	struct outcome o = OUTCOME_INIT;
	char path[64], text[256];
	size_t n = 0;
	int listener;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/socket", folder);

	assert_int_equal(dial_path(path, AGES, &c[0], &o), -1);
	snprintf(text, sizeof(text),
		 "cannot connect to %s: no such file or directory", path);
	assert_string_equal(o.text, text);
	assert_string_equal(o.status, "4.4.1");

	listener = listen_on_path(path, 0);
	assert_int_equal(dial_path(path, AGES, &c[n++], &o), 0);
	assert_string_equal(c[0].peer, path);
	assert_true(fcntl(c[0].fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(c[0].fd, F_GETFD) & FD_CLOEXEC);
	/* Nobody accepts: sooner or later its queue is full. */
	while (n < N_OF(c) && dial_path(path, 100, &c[n], &o) == 0)
		n++;
	assert_true(n < N_OF(c));
	snprintf(text, sizeof(text), "cannot connect to %s: timed out", path);
	assert_string_equal(o.text, text);

	close(listener);
	assert_int_equal(dial_path(path, AGES, &c[n], &o), -1);
	assert_non_null(strstr(o.text, "connection refused"));
	while (n)
		connection_close(&c[--n]);
	unlink(path);
	rmdir(folder);
	outcome_release(&o);
}

static void refuses_a_long_path(void **state)
{
	struct connection c = CONNECTION_INIT;
	struct outcome o = OUTCOME_INIT;
	char path[200];

	(void)state;
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[108] = '\0';
	assert_int_equal(dial_path(path, AGES, &c, &o), -1);
	assert_int_equal(o.cause, CAUSE_CONFIG);
	assert_non_null(strstr(o.text, "longer than 107 octets"));
	path[107] = '\0';
	assert_int_equal(dial_path(path, AGES, &c, &o), -1);
	assert_int_equal(o.cause, CAUSE_CONNECT);
	outcome_release(&o);
}

static void connects_to_a_command(void **state)
{
	struct dial_policy policy = {
		.tunnel = (char *)"cat",
		.socket = (char *)"/nowhere", /* does not count */
	};
	struct connection c = CONNECTION_INIT;
	struct outcome o = OUTCOME_INIT;
	struct pollfd wait = {.events = POLLIN};
	char text[16];
	pid_t child;

	(void)state;
	assert_int_equal(dial(&policy, deadline_in_ms(AGES), NULL, &c, &o), 0);
	assert_string_equal(c.peer, "command");
	assert_true(c.child > 0);
	assert_int_equal(write(c.fd, "echo", 4), 4);
	wait.fd = c.fd;
	assert_int_equal(poll(&wait, 1, AGES), 1);
	assert_int_equal(read(c.fd, text, sizeof(text)), 4);
	assert_memory_equal(text, "echo", 4);
	child = c.child;
	connection_close(&c);
	assert_int_equal(kill(child, 0), -1);
	connection_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_answers_wins),
		cmocka_unit_test(says_why_nobody_wins),
		cmocka_unit_test(gives_the_first_a_start),
		cmocka_unit_test(tells_what_happens),
		cmocka_unit_test(goes_by_a_proxy),
		cmocka_unit_test(says_why_no_proxy_helps),
		cmocka_unit_test(connects_to_a_path),
		cmocka_unit_test(refuses_a_long_path),
		cmocka_unit_test(connects_to_a_command),
	};

	return cmocka_run_group_tests(tests, open_listeners, close_listeners);
}
