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
#include "base/memory.h"
#include "conf/shield.h"
#include "home.h"
#include "unit.h"

static void set_credentials_directory(void)
{
	struct buf path = BUF_INIT(4096);

	buf_printf(&path, "%s/given", home);
	setenv("CREDENTIALS_DIRECTORY", path.p, true);
	buf_release(&path);
}

/* The password; or "! status why not". */
static char *ask(const struct secret_policy *policy)
{
	const struct account a = {
		.name = (char *)"work",
		.dial = {.host = (char *)"mail.x", .port = 587},
		.auth = {.user = (char *)"alice"},
		.secret = *policy,
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

static char *get(char *command, char *password, char *file)
{
	char *shielded = password ? shield_close(view_of(password)) : NULL;
	char *got = ask(&(struct secret_policy){.passwordeval = command,
						.password = shielded,
						.password_file = file});

	memory_free_secret(shielded);
	return got;
}

/* A failure may say more than what is wanted. */
static void assert_got(const char *name, char *got, const char *want)
{
	size_t n = strlen(want) + (want[0] != '!');

	if (strncmp(got, want, n) != 0)
		fail_msg("%s: %.200s", name, got);
	free(got);
}

/* All of them are there; each row takes the first of those left away. */
static void tries_each_place_in_order(void **state)
{
	struct secret_policy policy = {
		.passwordeval = (char *)"echo eval",
		.password = shield_close(VIEW("set")),
		.password_file = (char *)"file",
		.password_credential = (char *)"named",
	};

	(void)state;
	write_file("file", 0600, "file\nsecond line\n");
	write_file(".netrc", 0600,
		   "machine mail.x login alice password netrc\n");
	write_file(".authinfo", 0600,
		   "machine mail.x login alice port 587 password authinfo\n");
	assert_int_equal(mkdir("given", 0700), 0);
	write_file("given/named", 0600, "named\n");
	write_file("given/postrider.work", 0600, "unnamed\n");
	setenv("CREDENTIALS_DIRECTORY", home, true);
	assert_got("eval", ask(&policy), "eval");
	policy.passwordeval = NULL;
	assert_got("set", ask(&policy), "set");
	memory_free_secret(policy.password);
	policy.password = NULL;
	assert_got("file", ask(&policy), "file");
	policy.password_file = NULL;
	assert_got("elsewhere", ask(&policy), "! 5.3.5 password_credential: ");
	assert_int_equal(chdir("given"), 0);
	setenv("CREDENTIALS_DIRECTORY", "given", true);
	assert_got("relative", ask(&policy), "! 5.3.5 password_credential: ");
	assert_int_equal(chdir(home), 0);
	set_credentials_directory();
	assert_got("named", ask(&policy), "named");
	policy.password_credential = NULL;
	assert_got("unnamed", ask(&policy), "unnamed");
	assert_int_equal(unlink("given/postrider.work"), 0);
	assert_got("netrc", ask(&policy), "netrc");
	assert_int_equal(unlink(".netrc"), 0);
	assert_got("authinfo", ask(&policy), "authinfo");
}

static void reads_the_first_line(void **state)
{
	static const struct {
		const char *command;
		const char *password;
		const char *file;
		const char *want;
	} cases[] = {
		{"printf 'one\ntwo\n'", NULL, NULL, "one"},
		{"printf 'one\r\n'", NULL, NULL, "one"},
		{"printf ' a b '", NULL, NULL, " a b "},
		{"printf 'p\303\244ss'", NULL, NULL, "p\303\244ss"},
		{"head -c 65536 /dev/zero | tr '\\0' p | wc -c", NULL, NULL,
		 "65536"},
		{"exit 1", "set", NULL, "! 5.3.5 passwordeval"},
		{"true", "set", NULL,
		 "! 5.3.5 passwordeval: the first line is empty"},
		{"printf '\nx\n'", "set", NULL,
		 "! 5.3.5 passwordeval: the first line is empty"},
		{"printf 'a\\000b\n'", NULL, NULL,
		 "! 5.3.5 passwordeval: a NUL octet"},
		{"head -c 65537 /dev/zero | tr '\\0' p", NULL, NULL,
		 "! 5.3.5 passwordeval: the command wrote more than 65536"},
		{NULL, NULL, "nope",
		 "! 5.3.5 password_file: cannot read nope: No such file"},
		{NULL, NULL, "open", "! 5.3.5 open holds a password"},
		{NULL, NULL, "empty", "! 5.3.5 empty: the first line is empty"},
		{NULL, NULL, "link", "file"},
		{NULL, NULL, "loop",
		 "! 5.3.5 password_file: cannot read loop: Too many levels"},
		{NULL, NULL, "fifo",
		 "! 5.3.5 password_file: fifo is no regular file"},
		{NULL, NULL, "/dev/null",
		 "! 5.3.5 password_file: /dev/null is no regular file"},
		{NULL, NULL, ".",
		 "! 5.3.5 password_file: cannot read .: Is a directory"},
	};
	size_t i;

	(void)state;
	write_file("file", 0600, "file\nsecond line\n");
	write_file("open", 0644, "file\n");
	write_file("empty", 0600, "");
	assert_int_equal(symlink("file", "link"), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	for (i = 0; i < N_OF(cases); i++)
		assert_got(cases[i].command ? cases[i].command : cases[i].file,
			   get((char *)cases[i].command,
			       (char *)cases[i].password,
			       (char *)cases[i].file),
			   cases[i].want);
}

static void refuses_a_setting_that_is_too_long(void **state)
{
	struct buf text = BUF_INIT(SECRET_LIMIT + 1);

	(void)state;
	while (text.n < SECRET_LIMIT)
		buf_add_char(&text, 'p');
	assert_got("fits", get(NULL, text.p, NULL), text.p);
	buf_add_char(&text, 'p');
	assert_got("too long", get(NULL, text.p, NULL),
		   "! 5.3.5 password: the password is longer than 65536");
	buf_release(&text);
}

static void reads_what_systemd_gives(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
		const char *text;
		const char *want;
	} cases[] = {
		{"a", 0600, "pass\n", "pass"},
		{"b", 0400, "pass", "pass"},
		{"c", 0644, "pass\nmore\n", "pass"}, /* systemd's affair */
		{"d", 0600, "", "! 5.3.5 "},
		{"../given/a", 0600, NULL,
		 "! 5.3.5 password_credential: systemd has given no"},
		{"..", 0600, NULL, "! 5.3.5 password_credential: systemd has"},
		{".", 0600, NULL, "! 5.3.5 password_credential: systemd has"},
		{"none", 0600, NULL,
		 "! 5.3.5 password_credential: systemd has given no credential "
		 "none; write LoadCredential=none:/path"},
	};
	struct secret_policy policy = {0};
	size_t i;

	(void)state;
	assert_int_equal(mkdir("given", 0700), 0);
	assert_int_equal(mkfifo("given/fifo", 0600), 0);
	set_credentials_directory();
	for (i = 0; i < N_OF(cases); i++) {
		if (cases[i].text) {
			assert_int_equal(chdir("given"), 0);
			write_file(cases[i].name, cases[i].mode, cases[i].text);
			assert_int_equal(chdir(home), 0);
		}
		policy.password_credential = (char *)cases[i].name;
		assert_got(cases[i].name, ask(&policy), cases[i].want);
	}
	policy.password_credential = (char *)"fifo";
	assert_got("fifo", ask(&policy), "! 5.3.5 password_credential: ");
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_got("no directory", ask(&policy),
		   "! 5.3.5 password_credential: systemd has given no");
}

static void refuses_the_credential_of_others(void **state)
{
	const struct secret_policy policy = {
		.password_credential = (char *)"a",
	};

	(void)state;
	if (geteuid() != 0)
		return; /* only root can give a file away */
	assert_int_equal(mkdir("given", 0700), 0);
	write_file("given/a", 0600, "pass\n");
	assert_int_equal(chown("given/a", 65534, 65534), 0);
	set_credentials_directory();
	assert_got("others", ask(&policy), "! 5.3.5 /tmp/postrider-unit.");
}

static void refuses_what_netrc_should_not_be(void **state)
{
	static const char entry[] =
		"machine mail.x login alice password \"pass\"\n";
	static const struct {
		const char *name;
		mode_t mode;
		const char *text;
		const char *want;
	} cases[] = {
		{".netrc", 0644, entry, "/.netrc holds a password"},
		{".netrc", 0640, entry, "/.netrc holds a password"},
		{".netrc", 0600, "machine mail.x password \"\"",
		 "/.netrc: the password is empty"},
		{".authinfo", 0604, entry, "/.authinfo holds a password"},
		{".authinfo", 0600, "machine mail.x password \"\"",
		 "/.authinfo: the password is empty"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		char *got;

		write_file(cases[i].name, cases[i].mode, cases[i].text);
		got = get(NULL, NULL, NULL);
		if (strncmp(got, "! 5.3.5", 7) != 0 ||
		    !strstr(got, cases[i].want))
			fail_msg("%zu: %s", i, got);
		free(got);
		unlink(cases[i].name);
	}
	assert_int_equal(mkfifo(".netrc", 0600), 0);
	write_file(".authinfo", 0600, entry);
	assert_got("a FIFO is none", get(NULL, NULL, NULL), "pass");
}

/* ---------------------------------------------------------------- terminals */

/* In a session of its own, so there is no controlling terminal. */
static bool says_without_terminal(const char *first, const char *second)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		setsid();
		char *got = get(NULL, NULL, NULL);
		bool ok = !strncmp(got, first, strlen(first)) &&
			strstr(got, second);

		free(got);
		_exit(ok ? 0 : 1);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void says_where_a_password_can_be_put(void **state)
{
	static const char first[] = "! 5.7.8 no password for 'alice' at "
				    "mail.x: set passwordeval";

	(void)state;
	assert_true(says_without_terminal(first, "~/.netrc"));
	assert_false(says_without_terminal(first, "gpg"));
	write_file(".authinfo.gpg", 0600, "\205");
	assert_true(says_without_terminal(
		first,
		"passwordeval gpg -q --for-your-eyes-only --no-tty "
		"-d ~/.authinfo.gpg | awk '$2 == \"mail.x\""));
	write_file(".authinfo", 0600, "");
	assert_false(says_without_terminal(first, "gpg"));
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

static int make_clean_home(void **state)
{
	unsetenv("CREDENTIALS_DIRECTORY");
	return make_home(state);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, make_clean_home, remove_home)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tries_each_place_in_order),
		TEST(reads_the_first_line),
		TEST(refuses_a_setting_that_is_too_long),
		TEST(reads_what_systemd_gives),
		TEST(refuses_the_credential_of_others),
		TEST(refuses_what_netrc_should_not_be),
		TEST(says_where_a_password_can_be_put),
		TEST(asks_at_the_terminal_without_echo),
		TEST(takes_nothing_typed_as_none),
		TEST(restores_the_terminal_at_a_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
