/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files: reading and writing whole ones in spite of signals and short counts,
 * temporary ones that leave nothing behind, and where the user's home is.
 * What is in a file is for others to know.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"

#define READ_SIZE      (64u << 10) /* octets asked for at once */
#define WRITE_PATIENCE 5000        /* ms */

int file_open_standard_streams(void)
{
	int fd;

	/* open() takes the lowest free number, so these come in order; what is
	 * open for writing only can't be read, and a message that is not there
	 * is not taken for an empty one */
	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_WRONLY) != fd)
			return -1;
	return 0;
}

void file_part_standard_error(void)
{
	struct stat in, err;
	int null;

	if (fstat(STDIN_FILENO, &in) < 0 || fstat(STDERR_FILENO, &err) < 0 ||
	    !S_ISSOCK(in.st_mode) || in.st_dev != err.st_dev ||
	    in.st_ino != err.st_ino)
		return;
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null < 0)
		return;
	dup2(null, STDERR_FILENO);
	close(null);
}

ptrdiff_t file_read(int fd, void *bytes, size_t n)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	ssize_t got;

	for (;;) {
		got = read(fd, bytes, n);
		if (got >= 0)
			return got;
		/* a caller's terminal or pipe may be non-blocking */
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			poll(&wait, 1, -1);
		else if (errno != EINTR)
			return -1;
	}
}

/* Is there more than what fits? Asked when the limit has been reached. */
static int check_end(int fd, const char *name, struct outcome *o)
{
	char extra;
	ptrdiff_t got = file_read(fd, &extra, 1);

	memory_wipe(&extra, 1);
	if (got < 0)
		return fail_errno(o, CAUSE_SYSTEM, "5.3.0", "cannot read %s",
				  name);
	if (got > 0)
		return fail(o, CAUSE_SYSTEM, "5.3.0", "%s is too large", name);
	return 0;
}

/* A file's size and an octet more, for its end; most are small, and room that
 * is not used costs something too where it is for secrets. */
static size_t likely_size(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size >= (off_t)READ_SIZE)
		return READ_SIZE;
	return (size_t)st.st_size + 1;
}

int file_read_fd(int fd, const char *name, struct buf *out, struct outcome *o)
{
	size_t likely = out->n + likely_size(fd), n;
	ptrdiff_t got;

	for (;;) {
		n = out->n < likely ? likely - out->n : READ_SIZE;
		if (n > out->limit - out->n)
			n = out->limit - out->n;
		if (!n)
			return check_end(fd, name, o);
		got = file_read(fd, buf_room(out, n), n);
		if (got < 0)
			return fail_errno(o, CAUSE_SYSTEM, "5.3.0",
					  "cannot read %s", name);
		out->n += (size_t)got;
		out->p[out->n] = '\0';
		if (!got)
			return 0;
	}
}

ptrdiff_t file_read_at(int fd, void *bytes, size_t n, uint64_t offset)
{
	ssize_t got;

	do
		got = pread(fd, bytes, n, (off_t)offset);
	while (got < 0 && errno == EINTR);
	return got;
}

int file_open_at(int dir, const char *name, int flags, mode_t mode)
{
	int fd;

	do
		fd = openat(dir, name, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

int file_sync(int fd)
{
	int rc;

	do
		rc = fsync(fd);
	while (rc < 0 && errno == EINTR);
	return rc;
}

int file_write_all(int fd, const void *bytes, size_t n)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	const char *p = bytes;
	ssize_t done;

	while (n) {
		done = write(fd, p, n);
		if (done >= 0) {
			p += done;
			n -= (size_t)done;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			if (poll(&wait, 1, WRITE_PATIENCE) == 0) {
				errno = ETIMEDOUT;
				return -1;
			}
		} else if (errno != EINTR) {
			return -1;
		}
	}
	return 0;
}

/* One directory's try: without a name from the start, else unlinked at once. */
static int temporary_in(const char *directory)
{
	struct buf path = BUF_INIT(4096);
	int fd;

	fd = open(directory, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	buf_printf(&path, "%s/postrider.XXXXXX", directory);
	fd = path.overflow ? -1 : mkostemp(path.p, O_CLOEXEC);
	if (fd >= 0)
		unlink(path.p);
	buf_release(&path);
	return fd;
}

int file_temporary(struct outcome *o)
{
	const char *wanted = secure_getenv("TMPDIR");
	const char *const directories[] = {wanted, "/var/tmp", "/tmp"};
	size_t i;
	int fd;

	for (i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		if (!directories[i] || directories[i][0] != '/')
			continue;
		fd = temporary_in(directories[i]);
		if (fd >= 0)
			return fd;
	}
	return fail_errno(
		o, CAUSE_SYSTEM, "4.3.0",
		"cannot create a temporary file in $TMPDIR, /var/tmp or /tmp");
}

char *file_home(void)
{
	const char *home = getenv("HOME");
	const struct passwd *user;
	struct stat status;

	if (home && home[0] == '/' && stat(home, &status) == 0 &&
	    status.st_uid == getuid())
		return memory_dup(home);
	user = getpwuid(getuid());
	if (!user || !user->pw_dir || user->pw_dir[0] != '/')
		return NULL;
	return memory_dup(user->pw_dir);
}

char *file_expand(struct view path)
{
	static const char *const homes[] = {"~", "$HOME", "${HOME}"};
	struct buf out = BUF_INIT(path.n + 65536);
	struct view rest, prefix;
	char *home = NULL;
	size_t i;

	for (i = 0; i < sizeof(homes) / sizeof(homes[0]) && !home; i++) {
		prefix = view_of(homes[i]);
		rest = view_skip(path, prefix.n);
		if (view_equal(view_make(path.p, path.n - rest.n), prefix) &&
		    (!rest.n || rest.p[0] == '/'))
			home = file_home();
		if (home)
			path = rest;
	}
	buf_add_text(&out, home ? home : "");
	buf_add_view(&out, path);
	free(home);
	return buf_detach(&out);
}
