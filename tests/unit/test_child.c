/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Commands: what they inherit, what comes back, how they end. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define AGES 60000 /* ms; nothing here takes as long unless it hangs */

static const struct {
	const char *command;
	const char *output;
	const char *words; /* of the failure; NULL: none */
} captures[] = {
	{"printf secret", "secret", NULL},
	{"printf 'a\\nb\\n'", "a\nb\n", NULL},
	{"true", "", NULL},
	{"printf 1234567890123456", "1234567890123456", NULL},
	{"printf 12345678901234567", NULL, "more than 16 octets"},
	{"yes", NULL, "more than 16 octets"},
	{"exit 3", NULL, "exit status 3"},
	{"printf x; false", NULL, "exit status 1"},
	{"/nowhere/program 2>/dev/null", NULL, "exit status 127 (it was not"},
	{"kill -TERM $$", NULL, "signal 15"},
	/* standard input is empty, not ours */
	{"cat", "", NULL},
	{"test -t 0 || echo no", "no\n", NULL},
	/* nothing else is open: 3 is ls's own */
	{"ls /proc/self/fd | tr -d '\\n'", "0123", NULL},
	/* ignored and blocked signals are neither for the command */
	{"kill -HUP $$; echo alive", NULL, "signal 1 "},
	{"kill -USR1 $$; echo alive", NULL, "signal 10 "},
};

static void captures_output(void **state)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	int extra = open("/dev/null", O_RDONLY); /* would be inherited */
	sigset_t blocked, mask;
	size_t i;

	(void)state;
	assert_true(extra > 2);
	sigaction(SIGHUP, &ignore, &before);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, &mask);
	for (i = 0; i < N_OF(captures); i++) {
		struct buf out = BUF_INIT_SECRET(16);
		struct outcome o = OUTCOME_INIT;
		int rc = child_capture("passwordeval", captures[i].command,
				       &out, &o);

		if (captures[i].words) {
			assert_int_equal(rc, -1);
			assert_int_equal(o.cause, CAUSE_CONFIG);
			assert_string_equal(o.status, "5.3.5");
			if (!strstr(o.text, captures[i].words) ||
			    strncmp(o.text, "passwordeval: ", 14) != 0)
				fail_msg("%zu: %s", i, o.text);
			assert_null(strstr(o.text, captures[i].command));
		} else {
			if (rc < 0)
				fail_msg("%zu: %s", i, o.text);
			assert_string_equal(out.p, captures[i].output);
		}
		buf_release(&out);
		outcome_release(&o);
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGHUP, &before, NULL);
	close(extra);
}

/* A caller that ignores SIGCHLD does not hide how a command ended. */
static void knows_the_status_anyway(void **state)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct buf out = BUF_INIT(16);
	struct outcome o = OUTCOME_INIT;

	(void)state;
	sigaction(SIGCHLD, &ignore, NULL);
	assert_int_equal(child_capture("x", "exit 7", &out, &o), -1);
	assert_non_null(strstr(o.text, "exit status 7"));
	outcome_release(&o);
	buf_release(&out);
}

static void takes_much_output(void **state)
{
	struct buf out = BUF_INIT(4 << 20);
	struct outcome o = OUTCOME_INIT;

	(void)state;
	assert_int_equal(
		child_capture("x", "head -c 3000000 /dev/zero", &out, &o), 0);
	assert_int_equal(out.n, 3000000);
	buf_release(&out);
}

static size_t read_all(int fd, char *text, size_t size)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	size_t got = 0;
	ssize_t n;

	for (;;) {
		assert_int_equal(poll(&wait, 1, AGES), 1);
		n = read(fd, text + got, size - got);
		if (n <= 0)
			return got;
		got += (size_t)n;
	}
}

static void connects_a_command(void **state)
{
	struct outcome o = OUTCOME_INIT;
	char text[64];
	pid_t pid = 0;
	int fd = child_connect("read x; echo \"<$x>\"; exit 5", &pid, &o);

	(void)state;
	assert_true(fd >= 0);
	assert_true(pid > 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(read(fd, text, sizeof(text)), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(write(fd, "hello\n", 6), 6);
	assert_int_equal(read_all(fd, text, sizeof(text)), 8);
	assert_memory_equal(text, "<hello>\n", 8);
	close(fd);
	child_end(pid);
	assert_int_equal(waitpid(pid, NULL, 0), -1);
	assert_int_equal(errno, ECHILD);
}

/* Ends with its input, with SIGTERM, only with SIGKILL. */
static const char *const stubborn[] = {
	"cat >/dev/null",
	"exec sleep 1000",
	"trap '' TERM; echo; while :; do sleep 0.1; done",
	/* what is to be ended is not the shell */
	"sleep 1000; true",
	"(trap '' TERM; while :; do sleep 0.1; done); true",
	"sleep 1000 | { sleep 1000; }; true",
	"sh -c 'sleep 1000; true'; true",
};

/* A command whose error output, and that of all it starts, goes to a pipe. */
static int connect_with_errors(const char *command, pid_t *pid, int *errors)
{
	struct outcome o = OUTCOME_INIT;
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	int ends[2], fd;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	fd = child_connect(command, pid, &o);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
	close(ends[1]);
	*errors = ends[0];
	assert_true(fd >= 0);
	return fd;
}

static void ends_every_command(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(stubborn); i++) {
		int64_t begin = clock_ms();
		char text[8];
		pid_t pid;
		int errors;
		int fd = connect_with_errors(stubborn[i], &pid, &errors);

		close(fd);
		child_end(pid);
		assert_int_equal(kill(pid, 0), -1);
		assert_int_equal(errno, ESRCH);
		/* nobody is left who could write: */
		if (read(errors, text, sizeof(text)) != 0)
			fail_msg("'%s' says something", stubborn[i]);
		close(errors);
		assert_true(clock_ms() - begin < AGES);
	}
	child_end(0);
}

static const struct {
	const char *command;
	const char *words; /* NULL: it goes on */
} ends[] = {
	{"exit 3", "failed with exit status 3"},
	{"exit 0", "ended with exit status 0"},
	{"exec /nonexistent/command 2>/dev/null",
	 "failed with exit status 127 (it was not found)"},
	{"kill -9 $$", "was ended by signal 9 (Killed)"},
	{"exec <&- >&-; sleep 0.1; exit 4", "failed with exit status 4"},
	{"exec <&- >&-; exec sleep 1000", NULL},
};

static void knows_how_it_ended(void **state)
{
	struct outcome o = OUTCOME_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(ends); i++) {
		char text[8], *words, *again;
		pid_t pid = 0;
		int fd = child_connect(ends[i].command, &pid, &o);

		assert_true(fd >= 0);
		assert_int_equal(read_all(fd, text, sizeof(text)), 0);
		words = child_end_words(pid);
		again = child_end_words(pid);
		if (ends[i].words) {
			assert_string_equal(words, ends[i].words);
			assert_string_equal(again, ends[i].words);
		} else {
			assert_null(words);
		}
		free(words);
		free(again);
		close(fd);
		child_end(pid);
		assert_int_equal(waitpid(pid, NULL, 0), -1);
		assert_null(child_end_words(pid));
	}
}

/* It may put its things in order first. */
static void asks_before_it_kills(void **state)
{
	char path[] = "/tmp/postrider-test-XXXXXX";
	struct outcome o = OUTCOME_INIT;
	int told = mkstemp(path), fd;
	struct buf command = BUF_INIT(256);
	char text[8];
	pid_t pid;

	(void)state;
	assert_true(told >= 0);
	buf_printf(&command,
		   "trap 'echo bye >%s; exit' TERM; while :; do sleep 0.1; "
		   "done",
		   path);
	fd = child_connect(command.p, &pid, &o);
	assert_true(fd >= 0);
	close(fd);
	child_end(pid);
	assert_int_equal(read(told, text, sizeof(text)), 4);
	assert_memory_equal(text, "bye\n", 4);
	close(told);
	unlink(path);
	buf_release(&command);
}

static void work_hard(const void *context, int fd)
{
	size_t i, n = *(const size_t *)context;

	for (i = 0; i < n; i++)
		if (write(fd, "0123456789", 10) != 10)
			return;
}

static void work_for_ever(const void *context, int fd)
{
	(void)context;
	(void)!write(fd, "begun", 5);
	for (;;)
		pause();
}

static void die(const void *context, int fd)
{
	(void)context;
	(void)!write(fd, "half", 4);
	kill(getpid(), SIGKILL);
}

static void calls_in_a_copy(void **state)
{
	struct buf out = BUF_INIT(1 << 20);
	struct outcome o = OUTCOME_INIT;
	size_t n = 50000;
	int64_t begin;

	(void)state;
	assert_int_equal(child_call(work_hard, &n, &out, DEADLINE_NEVER, &o),
			 0);
	assert_int_equal(out.n, 500000);
	buf_clear(&out);
	assert_int_equal(child_call(die, NULL, &out, deadline_in_ms(AGES), &o),
			 0);
	assert_string_equal(out.p, "half");
	buf_clear(&out);
	begin = clock_ms();
	assert_int_equal(child_call(work_for_ever, NULL, &out,
				    deadline_in_ms(50), &o),
			 1);
	assert_true(clock_ms() - begin >= 50);
	assert_true(clock_ms() - begin < AGES);
	n = 200000; /* more than fits */
	assert_int_equal(child_call(work_hard, &n, &out, DEADLINE_NEVER, &o),
			 -1);
	assert_int_equal(o.cause, CAUSE_SYSTEM);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	outcome_release(&o);
	buf_release(&out);
}

static void calls_in_two_parts(void **state)
{
	struct child_job first = CHILD_JOB_INIT, second = CHILD_JOB_INIT;
	struct buf out = BUF_INIT(1 << 20);
	struct outcome o = OUTCOME_INIT;
	size_t n = 3;

	(void)state;
	assert_int_equal(child_begin(work_for_ever, NULL, &first, &o), 0);
	assert_int_equal(child_begin(work_hard, &n, &second, &o), 0);
	n = 0; /* the copy has its own */
	assert_int_equal(child_finish(&second, &out, deadline_in_ms(AGES), &o),
			 0);
	assert_int_equal(out.n, 30);
	assert_int_equal(second.pid, 0);
	child_drop(&second); /* is there no more */
	child_drop(&first);
	assert_int_equal(first.pid, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	buf_release(&out);
}

/* The command's end is the end, though something it has started lives on and
 * holds the output open. */
static void waits_for_the_command_alone(void **state)
{
	struct buf out = BUF_INIT(64);
	struct outcome o = OUTCOME_INIT;
	pid_t left;

	(void)state;
	assert_int_equal(child_capture("x", "sleep 60 & echo $!", &out, &o), 0);
	left = (pid_t)strtol(out.p, NULL, 10);
	assert_true(left > 1);
	assert_int_equal(kill(left, SIGTERM), 0);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(captures_output),
		cmocka_unit_test(knows_the_status_anyway),
		cmocka_unit_test(waits_for_the_command_alone),
		cmocka_unit_test(takes_much_output),
		cmocka_unit_test(connects_a_command),
		cmocka_unit_test(ends_every_command),
		cmocka_unit_test(knows_how_it_ended),
		cmocka_unit_test(asks_before_it_kills),
		cmocka_unit_test(calls_in_a_copy),
		cmocka_unit_test(calls_in_two_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
