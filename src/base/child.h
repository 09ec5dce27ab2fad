/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/outcome.h"

/*
 * All of these need descriptors 0 to 2 to be open
 * (file_open_standard_streams). Where SIGCHLD came in ignored it is set back
 * to its default, else no child's exit status could be known.
 */

/*
 * Run `command` by /bin/sh -c with standard input from /dev/null, standard
 * output into out, standard error as it is, and no other descriptor open;
 * signal mask and dispositions are the defaults. It has five minutes, as it may
 * be asking a person. Fails (CAUSE_CONFIG 5.3.5) when it exits other than 0,
 * is ended by a signal or writes more than out's limit, 4.3.0 when it takes
 * too long; CAUSE_SYSTEM when no process can be made. `what` names it in
 * messages ("passwordeval"); the command's text, which may hold a secret, is
 * never in them.
 */
int child_capture(const char *what, const char *command, struct buf *out,
		  struct outcome *o);

/*
 * Start `command` by /bin/sh -c with its standard input and output on one end
 * of a socket pair and no other descriptor but standard error open. Returns
 * our end (close-on-exec, non-blocking) and its process id, or -1 with
 * CAUSE_SYSTEM. A command that cannot be run shows as an end of input.
 */
int child_connect(const char *command, pid_t *pid, struct outcome *o);

/* How a child of child_connect that has closed its output ended: "failed with
 * exit status 3", "was ended by signal 9 (Killed)"; NULL if it has not within
 * a second. Allocated. child_end is still due. */
char *child_end_words(pid_t pid);

/* Wait for a child that child_connect started; after its descriptor was
 * closed it is asked to end (SIGTERM) if it has not within a second, and made
 * to (SIGKILL) a second later, together with what it has started itself. */
void child_end(pid_t pid);

/*
 * Call work(context, fd) in a copy of this process and take in what it writes
 * to fd: for library calls that block and know no deadline. Returns 0 when the
 * work has ended (well or badly: look at out), 1 when the deadline passed
 * first and the copy was killed, -1 with CAUSE_SYSTEM.
 */
typedef void child_work(const void *context, int fd);
int child_call(child_work *work, const void *context, struct buf *out,
	       struct deadline deadline, struct outcome *o);

/* The same in two calls, for what can go on while we do something else. The
 * context need only last for the first. */
struct child_job {
	pid_t pid; /* 0: none */
	int fd;    /* what it writes comes here */
};

#define CHILD_JOB_INIT ((struct child_job){0, -1})

int child_begin(child_work *work, const void *context, struct child_job *job,
		struct outcome *o);
int child_finish(struct child_job *job, struct buf *out,
		 struct deadline deadline, struct outcome *o);
void child_drop(struct child_job *job); /* kill it, if it is there */

#endif
