/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A password typed at the terminal. Signals that would end or stop the
 * program are only noted while echo is off, and take effect once it is on
 * again. Those that the caller had ignored stay ignored. SIGSTOP can't be
 * noted; but SIGCONT can, by when the shell has put echo back.
 */
#include "conf/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"

#define TERMINAL    "/dev/tty"
#define ASK_SECONDS 300u /* somebody may look the password up */

static const int watched[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGALRM,
			      SIGPIPE, SIGUSR1, SIGUSR2, SIGXCPU, SIGTSTP,
			      SIGTTIN, SIGTTOU, SIGCONT};

#define N_WATCHED (sizeof(watched) / sizeof(watched[0]))

static volatile sig_atomic_t caught[N_WATCHED];

static void note_signal(int number)
{
	size_t i;

	for (i = 0; i < N_WATCHED; i++)
		if (watched[i] == number)
			caught[i] = 1;
}

static bool is_any_caught(void)
{
	size_t i;

	for (i = 0; i < N_WATCHED; i++)
		if (caught[i])
			return true;
	return false;
}

static void watch_signals(struct sigaction *before)
{
	struct sigaction action = {.sa_handler = note_signal};
	size_t i;

	sigemptyset(&action.sa_mask);
	for (i = 0; i < N_WATCHED; i++) {
		caught[i] = 0;
		sigaction(watched[i], NULL, &before[i]);
		if (before[i].sa_handler != SIG_IGN)
			sigaction(watched[i], &action, NULL);
	}
}

static void restore_signals(const struct sigaction *before)
{
	size_t i;

	for (i = 0; i < N_WATCHED; i++)
		sigaction(watched[i], &before[i], NULL);
}

/* Now they may do what they are for. */
static void deliver_signals(void)
{
	size_t i;

	for (i = 0; i < N_WATCHED; i++)
		if (caught[i])
			kill(getpid(), watched[i]);
}

/* Signals may not come between, else the settings stay as they are. In the
 * background they are no more ours: a shell has taken the terminal over. */
static void restore_terminal(int fd, const struct termios *shown)
{
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	if (tcgetpgrp(fd) == getpgrp()) {
		tcsetattr(fd, TCSAFLUSH, shown);
		(void)file_write_all(fd, "\n", 1);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* Wait for input; a signal that comes between the look for one and the wait
 * ends it too. 1: there is some; 0: a signal came; -1 and errno. */
static int await_input(int fd, struct deadline deadline)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	int64_t left = deadline_left(deadline);
	struct timespec time = {.tv_sec = left / 1000,
				.tv_nsec = left % 1000 * 1000000};
	sigset_t all, before;
	int rc = 0, error;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	if (!is_any_caught())
		rc = ppoll(&wait, 1, &time, &before);
	else
		errno = EINTR;
	error = errno;
	if (rc == 0 && !is_any_caught())
		error = ETIMEDOUT;
	sigprocmask(SIG_SETMASK, &before, NULL);
	errno = error;
	if (is_any_caught())
		return 0;
	return rc > 0 ? 1 : -1;
}

/* One octet at a time: what follows the line is not ours. 1: the line is
 * complete; 0: a signal came; -1 and errno. */
static int read_line(int fd, struct buf *line)
{
	struct deadline deadline = deadline_in(ASK_SECONDS);
	ssize_t n;
	char c;
	int rc;

	for (;;) {
		rc = await_input(fd, deadline);
		if (rc < 0 && errno == EINTR) /* a signal that is not ours */
			continue;
		if (rc <= 0)
			return rc;
		n = read(fd, &c, 1);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -1;
		if (n == 0 || (n == 1 && c == '\n'))
			return 1;
		if (n == 1 && c != '\r')
			buf_add_char(line, c);
		memory_wipe(&c, 1);
	}
}

/* As read_line, with echo off meanwhile. In the background the terminal's
 * settings are not for us to change: SIGTTOU comes, and is noted. */
static int ask_once(int fd, const char *prompt, struct buf *answer)
{
	struct sigaction before[N_WATCHED];
	struct termios shown, hidden;
	int rc, error;

	if (tcgetattr(fd, &shown) < 0)
		return -1;
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	hidden.c_lflag |= ICANON | ISIG;
	watch_signals(before);
	rc = tcsetattr(fd, TCSAFLUSH, &hidden);
	if (rc == 0) {
		rc = file_write_all(fd, prompt, strlen(prompt));
		if (rc == 0)
			rc = read_line(fd, answer);
		error = errno;
		restore_terminal(fd, &shown);
		errno = error;
	}
	if (rc < 0 && errno == EINTR && is_any_caught())
		rc = 0;
	restore_signals(before);
	return rc;
}

int terminal_ask(const char *prompt, struct buf *answer, struct outcome *o)
{
	int fd = open(TERMINAL, O_RDWR | O_NOCTTY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return 0;
	if (tcgetpgrp(fd) != getpgrp()) {
		close(fd);
		return 0;
	}
	do {
		buf_clear(answer);
		rc = ask_once(fd, prompt, answer);
		if (rc < 0)
			fail_errno(o, CAUSE_AUTH, "5.7.8",
				   "no password was typed at " TERMINAL);
		deliver_signals();
	} while (rc == 0); /* stopped, now continued */
	close(fd);
	return rc;
}
