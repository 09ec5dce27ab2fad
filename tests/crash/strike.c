/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs a command and looks at each of its system calls; kills it at one of
 * them, or lets one fail. See README.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crash/options.h"
#include "crash/registers.h"
#include "crash/report.h"

#define PROCESSES_MAX 64
#define EXIT_TROUBLE  125
#define STOP_OF_CALL  (SIGTRAP | 0x80)

/* A process that is traced. */
struct process {
	pid_t pid;        /* 0: a free place */
	bool is_inside;   /* between the beginning of a call and its end */
	bool counts;      /* that call counts */
	unsigned n;       /* its number */
	bool is_answered; /* it does not run: this is its result */
	long answer;
	struct seen seen;
};

struct tracer {
	const struct options *o;
	FILE *out;
	struct process processes[PROCESSES_MAX];
	pid_t first;
	int status;     /* of the first one, as waitpid tells it */
	bool has_begun; /* calls are counted */
	bool is_struck;
	unsigned counted;
};

static void die(const char *what)
{
	perror(what);
	exit(EXIT_TROUBLE);
}

static struct process *process_of(struct tracer *t, pid_t pid)
{
	struct process *p, *none = NULL;

	for (p = t->processes; p < t->processes + PROCESSES_MAX; p++) {
		if (p->pid == pid)
			return p;
		if (!p->pid && !none)
			none = p;
	}
	if (!none) {
		errno = EMFILE;
		die("strike: processes");
	}
	none->is_inside = none->is_answered = false;
	none->pid = pid;
	return none;
}

static void kill_all(struct tracer *t)
{
	struct process *p;

	for (p = t->processes; p < t->processes + PROCESSES_MAX; p++)
		if (p->pid)
			kill(p->pid, SIGKILL);
}

/* The name's end in the list; NULL: it is not in it. */
static const char *find_name(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (!strncmp(list, name, n) &&
		    (!list[n] || list[n] == ',' || list[n] == '='))
			return list + n;
	}
	return NULL;
}

/* What a call fails with because the system hasn't got it; 0: it has. */
static int error_of_lacking(const struct tracer *t, const struct seen *s)
{
	const char *at;
	bool is_unnamed = s->number == SYS_openat &&
		(s->args[2] & O_TMPFILE) == O_TMPFILE;

	if (!t->o->lacks || !t->has_begun || !s->call)
		return 0;
	at = find_name(t->o->lacks, is_unnamed ? "tmpfile" : s->call->name);
	return at && *at == '=' ? (int)strtol(at + 1, NULL, 10) : 0;
}

static bool is_counted(const struct tracer *t, const struct seen *s)
{
	const struct options *o = t->o;

	if (!t->has_begun)
		return false;
	if (o->only && !(s->call && find_name(o->only, s->call->name)))
		return false;
	return !o->file || strstr(s->path[0], o->file) ||
		strstr(s->path[1], o->file) || strstr(s->fd[0], o->file) ||
		strstr(s->fd[1], o->file);
}

static void answer(struct process *p, long result)
{
	if (registers_skip_call(p->pid) < 0)
		die("strike: skipping a call");
	p->is_answered = true;
	p->answer = result;
}

static bool is_hit(const struct tracer *t, const struct process *p)
{
	if (!p->counts || t->o->deed == DEED_COUNT)
		return false;
	return p->n == t->o->at || (t->o->is_onward && p->n > t->o->at);
}

/* A call begins. A process that closes itself could not be looked into, so it
 * only believes that it has. */
static void begin_call(struct tracer *t, struct process *p,
		       const struct __ptrace_syscall_info *info)
{
	long number = (long)info->entry.nr;
	uint64_t args[6];
	int i, error;

	for (i = 0; i < 6; i++)
		args[i] = info->entry.args[i];
	if (number == SYS_prctl && args[0] == PR_SET_DUMPABLE) {
		answer(p, 0);
		p->counts = false;
		return;
	}
	report_look(p->pid, &p->seen, number, args,
		    t->has_begun && (t->o->deed == DEED_COUNT || t->o->file));
	error = error_of_lacking(t, &p->seen);
	p->counts = !error && is_counted(t, &p->seen);
	if (error)
		answer(p, -error);
	if (p->counts)
		p->n = ++t->counted;
	if (!is_hit(t, p) || (t->o->deed == DEED_KILL && t->o->is_after))
		return;
	report_look(p->pid, &p->seen, number, args, 1);
	report_struck(t->out, "struck", p->n, p->pid, &p->seen);
	t->is_struck = true;
	if (t->o->deed == DEED_KILL)
		kill_all(t);
	else
		answer(p, -t->o->error);
}

static void end_call(struct tracer *t, struct process *p,
		     const struct __ptrace_syscall_info *info)
{
	if (p->is_answered) {
		p->is_answered = false;
		if (registers_set_result(p->pid, p->answer) < 0)
			die("strike: answering a call");
		return;
	}
	if (!p->counts)
		return;
	if (t->o->deed == DEED_COUNT) {
		report_done(t->out, p->n, p->pid, &p->seen, info->exit.rval,
			    t->o->below);
	} else if (t->o->deed == DEED_KILL && is_hit(t, p)) {
		report_struck(t->out, "struck", p->n, p->pid, &p->seen);
		t->is_struck = true;
		kill_all(t);
	}
}

/* The first call of main(): from here on each one is looked at. */
static void begin_main(struct tracer *t, struct process *p)
{
	t->has_begun = true;
	p->counts = false;
	answer(p, 0);
}

/* Returns the signal to pass on. */
static int look_at_stop(struct tracer *t, struct process *p, int status)
{
	struct __ptrace_syscall_info info;
	int number = WSTOPSIG(status);

	if (number == STOP_OF_CALL) {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof(info),
			   &info) < 0)
			return 0; /* it was killed */
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
			begin_call(t, p, &info);
		else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
			end_call(t, p, &info);
		return 0;
	}
	if (status >> 16 == PTRACE_EVENT_SECCOMP && !t->has_begun)
		begin_main(t, p);
	if (status >> 16) /* an event, or the first stop of a child */
		return 0;
	return number == SIGSTOP ? 0 : number;
}

static void follow(struct tracer *t)
{
	struct process *p;
	int status, number;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		p = process_of(t, pid);
		if (!WIFSTOPPED(status)) {
			p->pid = 0;
			if (pid == t->first)
				t->status = status;
			continue;
		}
		number = look_at_stop(t, p, status);
		if (t->is_struck && t->o->deed == DEED_KILL)
			kill(pid,
			     SIGKILL); /* a child that was just born, too */
		ptrace(t->has_begun ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0L,
		       (long)number);
	}
}

/* Stop at prctl() alone, so that what the loader does costs no time. */
static int stop_at_prctl(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]),
				     filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -1
									: 0;
}

static pid_t start(const struct options *o)
{
	long how = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL |
		PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP;
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("strike: fork");
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0L, 0L) < 0 || raise(SIGSTOP) ||
		    (o->from_main && stop_at_prctl() < 0))
			die("strike: ptrace");
		execvp(o->command[0], o->command);
		die(o->command[0]);
	}
	if (!o->is_alone)
		how |= PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			PTRACE_O_TRACECLONE;
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, pid, 0L, how) < 0 ||
	    ptrace(o->from_main ? PTRACE_CONT : PTRACE_SYSCALL, pid, 0L, 0L) <
		    0)
		die("strike: ptrace");
	return pid;
}

int main(int argc, char **argv)
{
	static struct tracer t;
	struct options o;
	int code;

	if (!options_read(&o, argc, argv))
		return EXIT_TROUBLE;
	t.o = &o;
	t.has_begun = !o.from_main;
	if (fcntl(o.out, F_SETFD, FD_CLOEXEC) < 0 && o.out > STDERR_FILENO)
		die("strike: -o");
	t.out = o.out == STDERR_FILENO ? stderr : fdopen(o.out, "w");
	if (!t.out)
		die("strike: -o");
	t.first = start(&o);
	follow(&t);
	code = WIFEXITED(t.status) ? WEXITSTATUS(t.status)
				   : 128 + WTERMSIG(t.status);
	fprintf(t.out, "{\"what\":\"end\",\"code\":%d,\"counted\":%u}\n", code,
		t.counted);
	return fclose(t.out) == 0 ? code : EXIT_TROUBLE;
}
