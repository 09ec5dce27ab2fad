/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a call was about, read from the process and from /proc. */
#include "crash/report.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE 4096u

/* Text in another process, page by page, as the next one may be missing. */
static void read_text(pid_t pid, uint64_t at, char *text)
{
	size_t n = 0, part;
	struct iovec here, there;

	while (at && n < REPORT_PATH - 1) {
		part = PAGE - (at + n) % PAGE;
		if (part > REPORT_PATH - 1 - n)
			part = REPORT_PATH - 1 - n;
		here = (struct iovec){text + n, part};
		there = (struct iovec){(void *)(uintptr_t)(at + n), part};
		if (process_vm_readv(pid, &here, 1, &there, 1, 0) !=
		    (ssize_t)part)
			break;
		if (memchr(text + n, 0, part))
			return;
		n += part;
	}
	text[n] = '\0';
}

static void name_of_fd(pid_t pid, const char *kind, int fd, char *name)
{
	snprintf(name, REPORT_PATH, "/proc/%d/%s/%d", (int)pid, kind, fd);
}

static void read_fd(pid_t pid, int fd, char *text)
{
	char name[REPORT_PATH];
	ssize_t n;

	if (fd == AT_FDCWD)
		snprintf(name, sizeof(name), "/proc/%d/cwd", (int)pid);
	else
		name_of_fd(pid, "fd", fd, name);
	n = readlink(name, text, REPORT_PATH - 1);
	text[n < 0 ? 0 : n] = '\0';
}

void report_look(pid_t pid, struct seen *s, long number, const uint64_t *args,
		 int deep)
{
	int i;

	s->number = number;
	s->call = call_of(number);
	memcpy(s->args, args, sizeof(s->args));
	for (i = 0; i < 2; i++) {
		s->path[i][0] = s->fd[i][0] = '\0';
		if (!deep || !s->call)
			continue;
		if (s->call->path[i])
			read_text(pid, args[s->call->path[i] - 1], s->path[i]);
		if (s->call->fd[i])
			read_fd(pid, (int)args[s->call->fd[i] - 1], s->fd[i]);
	}
}

static void put_text(FILE *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	putc('"', out);
	for (; *p; p++)
		if (*p < 0x20 || *p > 0x7e || *p == '"' || *p == '\\')
			fprintf(out, "\\u%04x", *p);
		else
			putc(*p, out);
	putc('"', out);
}

static void put_call(FILE *out, const char *word, unsigned n, pid_t pid,
		     const struct seen *s)
{
	int i;

	fprintf(out, "{\"what\":\"%s\",\"n\":%u,\"pid\":%d,\"name\":", word, n,
		(int)pid);
	if (s->call)
		put_text(out, s->call->name);
	else
		fprintf(out, "\"#%ld\"", s->number);
	fputs(",\"args\":[", out);
	for (i = 0; i < 6; i++)
		fprintf(out, "%s%" PRIu64, i ? "," : "", s->args[i]);
	fputs("],\"paths\":[", out);
	for (i = 0; i < 2 && s->call && s->call->path[i]; i++) {
		fputs(i ? "," : "", out);
		put_text(out, s->path[i]);
	}
	fputs("],\"fds\":[", out);
	for (i = 0; i < 2 && s->call && s->call->fd[i]; i++) {
		fputs(i ? "," : "", out);
		put_text(out, s->fd[i]);
	}
	fputs("]", out);
}

void report_struck(FILE *out, const char *word, unsigned n, pid_t pid,
		   const struct seen *s)
{
	put_call(out, word, n, pid, s);
	fputs("}\n", out);
	fflush(out);
}

static int64_t position_of(pid_t pid, int fd)
{
	char name[REPORT_PATH], line[128];
	int64_t at = -1;
	FILE *file;

	name_of_fd(pid, "fdinfo", fd, name);
	file = fopen(name, "re");
	if (!file)
		return -1;
	if (fgets(line, sizeof(line), file) && !strncmp(line, "pos:", 4))
		at = strtoll(line + 4, NULL, 10);
	fclose(file);
	return at;
}

/* The octets that are in the file where they were written to. */
static void put_data(FILE *out, pid_t pid, int fd, int64_t at, int64_t count)
{
	unsigned char data[PAGE];
	char name[REPORT_PATH];
	ssize_t n, i;
	int file;

	name_of_fd(pid, "fd", fd, name);
	file = open(name, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return;
	fprintf(out, ",\"at\":%" PRId64 ",\"data\":\"", at);
	while (count > 0) {
		n = pread(file, data,
			  (size_t)(count < (int64_t)PAGE ? count : PAGE), at);
		if (n <= 0)
			break;
		for (i = 0; i < n; i++)
			fprintf(out, "%02x", data[i]);
		at += n;
		count -= n;
	}
	putc('"', out);
	close(file);
}

static void put_file(FILE *out, pid_t pid, int fd)
{
	char name[REPORT_PATH];
	struct stat st;

	name_of_fd(pid, "fd", fd, name);
	if (stat(name, &st) < 0)
		return;
	fprintf(out, ",\"file\":\"%ju:%ju\",\"is_directory\":%s",
		(uintmax_t)st.st_dev, (uintmax_t)st.st_ino,
		S_ISDIR(st.st_mode) ? "true" : "false");
}

static int is_below(const char *path, const char *below)
{
	size_t n = below ? strlen(below) : 0;

	return n && !strncmp(path, below, n) &&
		(path[n] == '/' || path[n] == '\0');
}

void report_done(FILE *out, unsigned n, pid_t pid, const struct seen *s,
		 int64_t result, const char *below)
{
	const struct call *c = s->call;
	int64_t at;
	int fd;

	put_call(out, "done", n, pid, s);
	fprintf(out, ",\"result\":%" PRId64, result);
	if (c && result >= 0 && c->makes_fd)
		put_file(out, pid, (int)result);
	else if (c && result >= 0 && c->fd[0])
		put_file(out, pid, (int)s->args[c->fd[0] - 1]);
	if (c && c->writes && result > 0 && is_below(s->fd[0], below)) {
		fd = (int)s->args[c->fd[0] - 1];
		at = c->offset ? (int64_t)s->args[c->offset - 1]
			       : position_of(pid, fd) - result;
		put_data(out, pid, fd, at, result);
	}
	fputs("}\n", out);
}
