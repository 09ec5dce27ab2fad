/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A process that goes on when its caller has its answer. */
#include "base/apart.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define INHERITED_MAX 4096 /* descriptors that are looked at */

/* Ours are all close-on-exec; the others came in with us, and who has given
 * them to us may wait for their end. */
static void close_inherited(void)
{
	long most = sysconf(_SC_OPEN_MAX);
	int fd, flags;

	if (most < 0 || most > INHERITED_MAX)
		most = INHERITED_MAX;
	for (fd = STDERR_FILENO + 1; fd < most; fd++) {
		flags = fcntl(fd, F_GETFD);
		if (flags >= 0 && !(flags & FD_CLOEXEC))
			close(fd);
	}
}

int apart_start(struct outcome *o)
{
	pid_t pid;
	int null;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
				  "cannot start another process");
	if (pid > 0)
		return 0;
	signal(SIGHUP, SIG_IGN); /* the terminal's end is no concern */
	setsid();
	null = open("/dev/null", O_RDWR);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
	}
	if (null > STDERR_FILENO)
		close(null);
	close_inherited();
	return 1;
}
