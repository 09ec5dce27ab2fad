/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tells the dialogue to those who asked; secrets were hidden before. */
#include "app/traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/report.h"
#include "base/file.h"

/* A file that can't be written any more does not stop the mail. */
static void tell_file(struct traffic *t, const struct buf *text)
{
	if (file_write_all(t->fd, text->p, text->n) == 0)
		return;
	report_line("warning: cannot write to %s any more: %s", t->path,
		    strerror(errno));
	traffic_close(t);
}

static void tell(void *context, enum trace_kind kind, struct view line)
{
	struct traffic *t = context;
	struct buf text = BUF_INIT(REPORT_LINE_LIMIT);

	report_add_dialogue(&text, kind, line);
	if (t->verbose)
		fwrite(text.p, 1, text.n, stderr);
	if (t->fd >= 0)
		tell_file(t, &text);
	buf_release(&text);
}

static int open_file(const char *path, struct outcome *o)
{
	int fd = open(path,
		      O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY |
			      O_NOFOLLOW | O_NONBLOCK,
		      0600);
	struct stat status;

	if (fd < 0)
		return fail_errno(o, CAUSE_SYSTEM, "5.3.2", "-X %s", path);
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		return fd;
	close(fd);
	return fail(o, CAUSE_SYSTEM, "5.3.2", "-X %s: it is no regular file",
		    path);
}

int traffic_open(struct traffic *t, const struct request *r, struct outcome *o)
{
	*t = (struct traffic){
		.verbose = r->verbose,
		.path = r->traffic_log,
		.fd = -1,
	};
	t->trace = (struct trace){tell, t};
	if (!r->traffic_log)
		return 0;
	t->fd = open_file(r->traffic_log, o);
	return t->fd < 0 ? -1 : 0;
}

void traffic_close(struct traffic *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

const struct trace *traffic_trace(const struct traffic *t)
{
	return t->verbose || t->fd >= 0 ? &t->trace : NULL;
}
