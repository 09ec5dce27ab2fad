/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a password comes from, in which order, and the terminal's manners. */
#include "conf/secret.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "home.h"
#include "unit.h"

/* The password; or "! status why not". */
static char *get(char *command, char *password, char *file)
{
	const struct account a = {
		.dial = {.host = (char *)"mail.x"},
		.auth = {.user = (char *)"alice"},
		.secret = {.password = password,
			   .passwordeval = command,
			   .password_file = file},
	};
	struct outcome o = OUTCOME_INIT;
	struct buf secret = BUF_INIT_SECRET(SECRET_LIMIT);
	struct buf out = BUF_INIT(SECRET_LIMIT);

	if (secret_get(&a, &secret, &o) == 0)
		buf_add_view(&out, buf_view(&secret));
	else
		buf_printf(&out, "! %s %s", o.status, o.text);
	buf_release(&secret);
	outcome_release(&o);
	return buf_detach(&out);
}

static void tries_each_place_in_order(void **state)
{
	static const struct {
		const char *command;
		const char *password;
		const char *file;
		const char *want; /* begins with this */
	} cases[] = {
		{"echo eval", "set", "file", "eval"},
		{NULL, "set", "file", "set"},
		{NULL, NULL, "file", "file"},
		{NULL, NULL, NULL, "netrc"},
		{"printf 'one\\ntwo\\n'", NULL, NULL, "one"},
		{"printf 'one\\r\\n'", NULL, NULL, "one"},
		{"printf ' a b '", NULL, NULL, " a b "},
		{"exit 1", "set", NULL, "! 5.3.5 passwordeval"},
		{"true", "set", NULL,
		 "! 5.3.5 passwordeval: the first line is empty"},
		{"printf '\\nx\\n'", "set", NULL,
		 "! 5.3.5 passwordeval: the first line is empty"},
		{"printf 'a\\000b\\n'", NULL, NULL,
		 "! 5.3.5 passwordeval: this is no password"},
		{NULL, NULL, "nope", "! 5.3.5 password_file: cannot read nope"},
		{NULL, NULL, "open", "! 5.3.5 open holds a password"},
		{NULL, NULL, "empty", "! 5.3.5 empty: the first line is empty"},
	};
	size_t i;

	(void)state;
	write_file("file", 0600, "file\nsecond line\n");
	write_file("open", 0644, "file\n");
	write_file("empty", 0600, "");
	write_file(".netrc", 0600,
		   "machine mail.x login alice password netrc\n");
	for (i = 0; i < N_OF(cases); i++) {
		char *got = get((char *)cases[i].command,
				(char *)cases[i].password,
				(char *)cases[i].file);

		if (strncmp(got, cases[i].want, strlen(cases[i].want)) != 0 ||
		    (got[0] != '!' && strcmp(got, cases[i].want) != 0))
			fail_msg("%zu: %s", i, got);
		free(got);
	}
}

static void refuses_an_open_netrc(void **state)
{
	char *got;

	(void)state;
	write_file(".netrc", 0644,
		   "machine mail.x login alice password netrc\n");
	got = get(NULL, NULL, NULL);
	assert_non_null(strstr(got, "/.netrc holds a password"));
	assert_int_equal(strncmp(got, "! 5.3.5", 7), 0);
	free(got);
}

/* ---------------------------------------------------------------- terminals */

/* In a session of its own, so there is no controlling terminal. */
static void says_where_a_password_can_be_put(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (!child) {
		setsid();
		char *got = get(NULL, NULL, NULL);
		bool ok = !strncmp(got,
				   "! 5.7.8 no password for 'alice' at "
				   "mail.x: set passwordeval",
				   58);

		free(got);
		_exit(ok ? 0 : 1);
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static bool echoes(int fd)
{
	struct termios t;

	return tcgetattr(fd, &t) == 0 && (t.c_lflag & ECHO);
}

/* What the terminal shows until `word` is there. */
static void read_until(int fd, const char *word, struct buf *shown)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	ssize_t n;
	char c;

	while (!strstr(shown->p, word)) {
		if (poll(&wait, 1, 10000) <= 0)
			fail_msg("no '%s' in: %s", word, shown->p);
		n = read(fd, &c, 1);
		if (n <= 0)
			fail_msg("no '%s' in: %s", word, shown->p);
		buf_add_char(shown, c);
	}
}

/* The child's end of the terminal; 3 is where it tells what it got. */
static _Noreturn void ask_in_child(int result)
{
	char *got = get(NULL, NULL, NULL);

	(void)!write(result, got, strlen(got));
	free(got);
	_exit(0);
}

static pid_t start(int *terminal, int *result)
{
	int pipes[2];
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	child = forkpty(terminal, NULL, NULL, NULL);
	assert_true(child >= 0);
	if (!child) {
		close(pipes[0]);
		ask_in_child(pipes[1]);
	}
	close(pipes[1]);
	*result = pipes[0];
	return child;
}

static void asks_at_the_terminal_without_echo(void **state)
{
	struct buf shown = BUF_INIT(4096);
	char got[64] = "";
	int terminal, result, status;
	pid_t child = start(&terminal, &result);

	(void)state;
	read_until(terminal, "password for alice at mail.x: ", &shown);
	assert_false(echoes(terminal));
	assert_int_equal(file_write_all(terminal, "typed one\n", 10), 0);
	assert_true(read(result, got, sizeof(got) - 1) > 0);
	assert_string_equal(got, "typed one");
	assert_null(strstr(shown.p, "typed"));
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(terminal);
	close(result);
	buf_release(&shown);
}

static void takes_nothing_typed_as_none(void **state)
{
	struct buf shown = BUF_INIT(4096);
	char got[256] = "";
	int terminal, result;
	pid_t child = start(&terminal, &result);

	(void)state;
	read_until(terminal, "mail.x: ", &shown);
	assert_int_equal(file_write_all(terminal, "\n", 1), 0);
	assert_true(read(result, got, sizeof(got) - 1) > 0);
	assert_non_null(strstr(got, "! 5.7.8 no password"));
	waitpid(child, NULL, 0);
	close(terminal);
	close(result);
	buf_release(&shown);
}

/* Control-C ends the program by that signal, with echo on again. */
static void restores_the_terminal_at_a_signal(void **state)
{
	struct buf shown = BUF_INIT(4096);
	struct termios t;
	int terminal, result, slave, status;
	char *name;
	pid_t child;

	(void)state;
	signal(SIGINT, SIG_DFL); /* ignored where tests run in the background */
	child = start(&terminal, &result);
	name = ptsname(terminal);
	assert_non_null(name);
	slave = open(name, O_RDWR | O_NOCTTY); /* keeps its settings alive */
	assert_true(slave >= 0);
	read_until(terminal, "mail.x: ", &shown);
	assert_false(echoes(terminal));
	assert_int_equal(file_write_all(terminal, "\003", 1), 0);
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGINT);
	assert_int_equal(tcgetattr(slave, &t), 0);
	assert_true(t.c_lflag & ECHO);
	close(slave);
	close(terminal);
	close(result);
	buf_release(&shown);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, make_home, remove_home)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tries_each_place_in_order),
		TEST(refuses_an_open_netrc),
		TEST(says_where_a_password_can_be_put),
		TEST(asks_at_the_terminal_without_echo),
		TEST(takes_nothing_typed_as_none),
		TEST(restores_the_terminal_at_a_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
