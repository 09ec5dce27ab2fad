/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Processes that work for this one: a command whose output is wanted, a
 * command that is the connection, a library call that must not block us. What
 * the output means is the callers' affair.
 *
 * Between fork and exec only calls that are safe in a signal handler are made.
 */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

#define PIECE           4096 /* octets read at once */
#define CANNOT_EXEC     127  /* the shell's own status for that */
#define CAPTURE_SECONDS 300  /* no server waits longer (RFC 5321 4.5.3.2.7) */
#define EXIT_LOOK       100  /* ms between looks whether a command has ended */
#define GRACE           1000 /* ms for a command to end */
#define TREE_MOST       32   /* processes of a command that are ended with it */

/* --------------------------------------------------------- inside the child */

static void reset_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t none;
	int i;

	for (i = 1; i < NSIG; i++)
		sigaction(i, &action, NULL); /* fails for KILL and STOP */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

#ifdef SYS_close_range
static int close_range_from(unsigned first)
{
	return (int)syscall(SYS_close_range, first, ~0u, 0);
}
#else
static int close_range_from(unsigned first)
{
	(void)first;
	return -1;
}
#endif

/* Kernels before 5.9 have no close_range. */
static void close_from(int first)
{
	long most;
	int fd;

	if (close_range_from((unsigned)first) == 0)
		return;
	most = sysconf(_SC_OPEN_MAX);
	if (most < 0 || most > 65536)
		most = 65536;
	for (fd = first; fd < most; fd++)
		close(fd);
}

static _Noreturn void run_shell(const char *command, int in, int out)
{
	char *const argv[] = {"sh", "-c", (char *)command, NULL};

	reset_signals();
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0) {
		close_from(STDERR_FILENO + 1);
		execve("/bin/sh", argv, environ);
	}
	_exit(CANNOT_EXEC);
}

static _Noreturn void run_work(child_work *work, const void *context, int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody else waits for it */
	work(context, fd);
	_exit(0);
}

/* -------------------------------------------------------- inside the parent */

static pid_t start(struct outcome *o)
{
	struct sigaction action;
	pid_t pid;

	if (sigaction(SIGCHLD, NULL, &action) == 0 &&
	    action.sa_handler == SIG_IGN) {
		action = (struct sigaction){.sa_handler = SIG_DFL};
		sigaction(SIGCHLD, &action, NULL);
	}
	pid = fork();
	if (pid < 0)
		fail_errno(o, CAUSE_SYSTEM, "4.3.0",
			   "cannot start another process");
	return pid;
}

static int open_pipe(int fds[2], struct outcome *o)
{
	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
				  "cannot make a pipe");
	return 0;
}

/* waitpid whatever the signals; false: it is not there any more. */
static bool await(pid_t pid, int *status)
{
	pid_t rc;

	do
		rc = waitpid(pid, status, 0);
	while (rc < 0 && errno == EINTR);
	return rc == pid;
}

/* Read as much as fits: octets read, 0 at the end, -1 with errno (ENOSPC: out
 * is full and there is more). */
static ssize_t take(int fd, struct buf *out)
{
	size_t space = out->limit - out->n;
	char *room, more;
	ssize_t n;

	if (!space) {
		n = read(fd, &more, sizeof(more));
		memory_wipe(&more, sizeof(more));
		if (n <= 0)
			return n;
		out->overflow = true;
		errno = ENOSPC;
		return -1;
	}
	if (space > PIECE)
		space = PIECE;
	room = buf_room(out, space);
	n = read(fd, room, space);
	if (n > 0)
		out->n += (size_t)n;
	out->p[out->n] = '\0';
	return n;
}

/* Take in everything: 0 at the end, 1 when the deadline passed, -1 and errno
 * (ENOSPC: more than out holds). */
static int collect(int fd, struct buf *out, struct deadline deadline)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	ssize_t n;
	int rc;

	for (;;) {
		rc = poll(&wait, 1, deadline_left(deadline));
		if (rc == 0 && deadline_passed(deadline))
			return 1;
		if (rc < 0 && errno != EINTR)
			return -1;
		if (rc <= 0)
			continue;
		n = take(fd, out);
		if (n == 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -1;
	}
}

/* What comes behind "the command". */
static char *end_words(bool by_signal, int number)
{
	struct buf words = BUF_INIT(256);

	if (by_signal)
		buf_printf(&words, "was ended by signal %d (%s)", number,
			   strsignal(number));
	else
		buf_printf(&words, "%s with exit status %d%s",
			   number ? "failed" : "ended", number,
			   number == CANNOT_EXEC ? " (it was not found)" : "");
	return buf_detach(&words);
}

static int judge(const char *what, int status, struct outcome *o)
{
	char *words;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	words = end_words(WIFSIGNALED(status),
			  WIFSIGNALED(status) ? WTERMSIG(status)
					      : WEXITSTATUS(status));
	fail(o, CAUSE_CONFIG, "5.3.5", "%s: the command %s", what, words);
	free(words);
	return -1;
}

/* Collect until the end of the output, until the time is up (1), or until the
 * command has ended: what it leaves running in the background may hold its
 * output open for ever. */
static int collect_until_exit(pid_t pid, int fd, struct buf *out,
			      struct deadline deadline, int *status,
			      bool *has_ended)
{
	int rc = 1;

	while (rc == 1 && !*has_ended && !deadline_passed(deadline)) {
		rc = collect(fd, out, deadline_in_ms(EXIT_LOOK));
		if (rc != 1 || waitpid(pid, status, WNOHANG) != pid)
			continue;
		*has_ended = true;
		return collect(fd, out, deadline_in_ms(0)) < 0 ? -1 : 0;
	}
	return rc;
}

/* Has it ended by then? How is left to be asked again (and is in how, which may
 * be NULL). Looked at ever less often: most end at once. */
static bool has_ended_by(pid_t pid, struct deadline deadline, siginfo_t *how)
{
	struct timespec nap = {.tv_nsec = 1000000};
	siginfo_t info;

	for (;;) {
		memset(&info, 0, sizeof(info));
		if (waitid(P_PID, (id_t)pid, &info,
			   WEXITED | WNOHANG | WNOWAIT) < 0 &&
		    errno != EINTR)
			return true;
		if (how)
			*how = info;
		if (info.si_pid == pid)
			return true;
		if (deadline_passed(deadline))
			return false;
		nanosleep(&nap, NULL);
		if (nap.tv_nsec < 32000000)
			nap.tv_nsec *= 2;
	}
}

static int capture_from(const char *what, pid_t pid, int fd, struct buf *out,
			struct outcome *o)
{
	struct deadline deadline = deadline_in(CAPTURE_SECONDS);
	bool has_ended = false;
	int status = 0;
	int rc =
		collect_until_exit(pid, fd, out, deadline, &status, &has_ended);
	int error = errno;

	close(fd); /* whoever still writes gets SIGPIPE */
	if (rc == 0 && !has_ended && !has_ended_by(pid, deadline, NULL))
		rc = 1;
	if (rc && !has_ended)
		kill(pid, SIGKILL);
	if (!has_ended && !await(pid, &status))
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
				  "%s: waiting for it", what);
	errno = error;
	if (rc > 0)
		return fail(o, CAUSE_CONFIG, "4.3.0",
			    "%s: the command has not ended within five minutes",
			    what);
	if (rc < 0 && out->overflow)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "%s: the command wrote more than %zu octets", what,
			    out->limit);
	if (rc < 0)
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
				  "%s: reading its output", what);
	return judge(what, status, o);
}

int child_capture(const char *what, const char *command, struct buf *out,
		  struct outcome *o)
{
	int fds[2], rc = -1;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	if (null < 0)
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0", "/dev/null");
	if (open_pipe(fds, o) < 0)
		goto done;
	pid = start(o);
	if (pid == 0)
		run_shell(command, null, fds[1]);
	close(fds[1]);
	if (pid > 0)
		rc = capture_from(what, pid, fds[0], out, o);
	else
		close(fds[0]);
done:
	close(null);
	return rc;
}

int child_connect(const char *command, pid_t *pid, struct outcome *o)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
				  "cannot make a socket pair");
	/* Only our end: the command expects to be able to block. */
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		fail_errno(o, CAUSE_SYSTEM, "4.3.0", "a socket pair");
		goto broken;
	}
	*pid = start(o);
	if (*pid == 0)
		run_shell(command, fds[1], fds[1]);
	if (*pid < 0)
		goto broken;
	close(fds[1]);
	return fds[0];
broken:
	close(fds[0]);
	close(fds[1]);
	return -1;
}

char *child_end_words(pid_t pid)
{
	siginfo_t how = {0};

	if (!has_ended_by(pid, deadline_in_ms(GRACE), &how) ||
	    how.si_pid != pid)
		return NULL;
	return end_words(how.si_code != CLD_EXITED, how.si_status);
}

/*
 * What a command has started: mostly the shell has the one that matters as its
 * child. They are in our process group, as they may have to ask at the
 * terminal, and once the shell is gone nobody knows any more whose they were;
 * so each is held by a pidfd. Before Linux 5.3 the shell alone is ended.
 */
struct tree {
	struct pollfd held[TREE_MOST];
	size_t n;
};

#ifdef SYS_pidfd_open
static int pidfd_of(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static void pidfd_signal(int fd, int number)
{
	syscall(SYS_pidfd_send_signal, fd, number, NULL, 0);
}
#else
static int pidfd_of(pid_t pid)
{
	(void)pid;
	return -1;
}

static void pidfd_signal(int fd, int number)
{
	(void)fd;
	(void)number;
}
#endif

static struct view read_proc(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd >= 0) {
		n = read(fd, text, size);
		close(fd);
	}
	return view_make(text, n > 0 ? (size_t)n : 0);
}

/* There is a blank behind each; the last may be cut where there is none. */
static struct view read_children(pid_t pid, char *text, size_t size)
{
	struct view list;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid,
		 (int)pid);
	list = read_proc(path, text, size);
	while (list.n && list.p[list.n - 1] != ' ')
		list.n--;
	return list;
}

/* Is that still its child, in our session? Asked once it is held, as a number
 * may by then be another's; and who has begun a session of its own, as ssh's
 * master has, means to stay. */
static bool is_child_of(pid_t pid, pid_t parent)
{
	char path[64], text[1024];
	struct view rest, word;
	unsigned long long number[3];
	const char *behind;
	size_t i;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	rest = read_proc(path, text, sizeof(text));
	behind = memrchr(rest.p, ')', rest.n); /* of its name */
	if (!behind)
		return false;
	rest = view_skip(rest, (size_t)(behind - rest.p) + 1);
	view_next_word(&rest);    /* state */
	for (i = 0; i < 3; i++) { /* parent, process group, session */
		word = view_next_word(&rest);
		if (!text_to_number(word, INT_MAX, &number[i]))
			return false;
	}
	return number[0] == (unsigned long long)parent &&
		number[2] == (unsigned long long)getsid(0);
}

static void hold_children(struct tree *t, pid_t pid)
{
	unsigned long long child;
	char text[TREE_MOST * 12];
	struct view left = read_children(pid, text, sizeof(text)), word;

	while (t->n < TREE_MOST) {
		word = view_next_word(&left);
		if (!text_to_number(word, INT_MAX, &child))
			return;
		t->held[t->n].fd = pidfd_of((pid_t)child);
		t->held[t->n].events = POLLIN;
		if (t->held[t->n].fd < 0)
			continue;
		if (!is_child_of((pid_t)child, pid)) {
			close(t->held[t->n].fd);
			continue;
		}
		t->n++;
		hold_children(t, (pid_t)child);
	}
}

static void signal_tree(const struct tree *t, int number)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		pidfd_signal(t->held[i].fd, number);
}

/* Until the last of them has ended, or it is time. */
static void await_tree(struct tree *t, struct deadline deadline)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		while (poll(&t->held[i], 1, deadline_left(deadline)) < 0 &&
		       errno == EINTR)
			;
}

static void release_tree(struct tree *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		close(t->held[i].fd);
}

/* It has had its time: ask it to end, and then make it. */
static void make_it_end(pid_t pid)
{
	struct tree t = {.n = 0};
	struct deadline deadline;

	hold_children(&t, pid);
	kill(pid, SIGTERM);
	signal_tree(&t, SIGTERM);
	deadline = deadline_in_ms(GRACE);
	if (!has_ended_by(pid, deadline_in_ms(GRACE), NULL))
		kill(pid, SIGKILL);
	await_tree(&t, deadline);
	signal_tree(&t, SIGKILL);
	await_tree(&t, deadline_in_ms(GRACE));
	release_tree(&t);
}

void child_end(pid_t pid)
{
	int status;

	if (pid <= 0)
		return;
	if (!has_ended_by(pid, deadline_in_ms(GRACE), NULL))
		make_it_end(pid);
	await(pid, &status);
}

int child_begin(child_work *work, const void *context, struct child_job *job,
		struct outcome *o)
{
	int fds[2];
	pid_t pid;

	if (open_pipe(fds, o) < 0)
		return -1;
	pid = start(o);
	if (pid == 0)
		run_work(work, context, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return -1;
	}
	*job = (struct child_job){pid, fds[0]};
	return 0;
}

int child_finish(struct child_job *job, struct buf *out,
		 struct deadline deadline, struct outcome *o)
{
	int rc = collect(job->fd, out, deadline);
	int error = errno;
	int status;

	close(job->fd);
	if (rc != 0)
		kill(job->pid, SIGKILL);
	await(job->pid, &status);
	*job = CHILD_JOB_INIT;
	errno = error;
	if (rc < 0)
		fail_errno(o, CAUSE_SYSTEM, "4.3.0",
			   "cannot read from another process");
	return rc;
}

void child_drop(struct child_job *job)
{
	int status;

	if (!job->pid)
		return;
	close(job->fd);
	kill(job->pid, SIGKILL);
	await(job->pid, &status);
	*job = CHILD_JOB_INIT;
}

int child_call(child_work *work, const void *context, struct buf *out,
	       struct deadline deadline, struct outcome *o)
{
	struct child_job job;

	if (child_begin(work, context, &job, o) < 0)
		return -1;
	return child_finish(&job, out, deadline, o);
}
