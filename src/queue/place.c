/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the queue is, and the way there: one component after the other, each
 * looked at before it is trusted. Whoever could put a directory or a link in
 * the way could read this user's mail, or lose it.
 */
#include "queue/place.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/memory.h"

#ifndef LOCALSTATEDIR
#define LOCALSTATEDIR "/var"
#endif

#define PATH_LIMIT 4096u /* octets, PATH_MAX */
#define LINKS_MAX  16
/* A directory that was made, and whose name may not last yet. */
#define MODE_NEW  (S_ISVTX | S_IRWXU)
#define MODE_DONE S_IRWXU

/* ----------------------------------------------------------------- the path */

const char *place_shared(void)
{
	return LOCALSTATEDIR "/spool/postrider";
}

static bool is_own_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
		st.st_uid == geteuid();
}

/* One that is another user's, as su may leave it, is no place for ours. */
static bool is_usable(const char *path)
{
	return is_own_directory(path) ||
		(access(path, F_OK) < 0 && errno == ENOENT);
}

static char *in_state(void)
{
	const char *state = getenv("XDG_STATE_HOME");
	struct buf path = BUF_INIT(2 * PATH_LIMIT);

	if (!state || state[0] != '/' || !is_usable(state))
		return NULL;
	buf_printf(&path, "%s/postrider/queue", state);
	return buf_detach(&path);
}

static char *in_home(void)
{
	char *home = file_home();
	struct buf path = BUF_INIT(2 * PATH_LIMIT);
	bool is_there = home && is_own_directory(home);

	if (is_there)
		buf_printf(&path, "%s/.local/state/postrider/queue", home);
	free(home);
	return is_there ? buf_detach(&path) : NULL;
}

static char *in_shared(void)
{
	struct buf path = BUF_INIT(2 * PATH_LIMIT);

	buf_printf(&path, "%s/%lu", place_shared(), (unsigned long)geteuid());
	return buf_detach(&path);
}

/* The first that can be used is the usual one; NULL: it can't be. */
static char *(*const usual[])(void) = {in_state, in_home, in_shared};

#define N_USUAL (sizeof(usual) / sizeof(usual[0]))

char *place_path(const char *dir)
{
	char *path = memory_dup(dir);
	size_t i;

	for (i = 0; !path && i < N_USUAL; i++)
		path = usual[i]();
	return path;
}

void place_add_usual(struct strings *paths)
{
	bool is_first = true;
	char *path;
	size_t i;

	for (i = 0; i < N_USUAL; i++) {
		path = usual[i]();
		if (path && (is_first || is_own_directory(path)))
			strings_add(paths, view_of(path));
		is_first = is_first && !path;
		free(path);
	}
}

/* ------------------------------------------------------------------ the way */

struct way {
	const char *path; /* as it was given */
	struct buf done;  /* the part that is behind us, for messages */
	struct buf rest;  /* the part that is ahead */
	int fd;           /* where we are */
	struct stat st;   /* of it */
	int links;        /* followed so far */
	bool create;
	bool only_asks; /* could it be made? */
	struct outcome *o;
};

/* Many systems give each user a group of its own, and let it write. */
static bool is_own_group(gid_t gid)
{
	const struct passwd *user = getpwuid(geteuid());
	const struct group *group;
	char *name;
	bool own;
	char **member;

	if (!user || user->pw_gid != gid)
		return false;
	name = memory_dup(user->pw_name);
	group = getgrgid(gid);
	own = group && !strcmp(group->gr_name, name);
	for (member = own ? group->gr_mem : NULL; member && *member; member++)
		own = own && !strcmp(*member, name);
	free(name);
	return own;
}

static bool others_may_write(const struct stat *st)
{
	if (st->st_mode & S_IWOTH)
		return true;
	return st->st_mode & S_IWGRP &&
		!(st->st_uid == geteuid() && is_own_group(st->st_gid));
}

static bool is_trusted(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

static int check_directory(struct way *w)
{
	const char *name = w->done.n ? w->done.p : "/";

	if (!S_ISDIR(w->st.st_mode))
		return fail(w->o, CAUSE_SYSTEM, "5.3.2",
			    "the queue %s can't be used: %s is no directory; "
			    "move it, or set queue_dir",
			    w->path, name);
	if (!is_trusted(w->st.st_uid))
		return fail(w->o, CAUSE_SYSTEM, "5.3.2",
			    "the queue %s can't be used: %s belongs to user "
			    "%u; set queue_dir",
			    w->path, name, (unsigned)w->st.st_uid);
	if (!(w->st.st_mode & S_ISVTX) && others_may_write(&w->st))
		return fail(w->o, CAUSE_SYSTEM, "5.3.2",
			    "the queue %s can't be used: others may write to "
			    "%s (mode %04o); chmod go-w it, or set queue_dir",
			    w->path, name, (unsigned)w->st.st_mode & 07777);
	return 0;
}

static int fail_at(struct way *w, const char *what)
{
	return fail_errno(w->o, CAUSE_SYSTEM, "4.3.0",
			  "the queue %s can't be used: cannot %s %s", w->path,
			  what, w->done.n ? w->done.p : "/");
}

/* The descriptor takes the place of the one before. */
static void step(struct way *w, int fd)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = fd;
}

static int open_one(int at, const char *name, int flags)
{
	return file_open_at(at, name, flags | O_NOFOLLOW, 0);
}

static int start_at_root(struct way *w)
{
	int fd = open_one(AT_FDCWD, "/", O_PATH | O_DIRECTORY);

	buf_clear(&w->done);
	if (fd < 0 || fstat(fd, &w->st) < 0) {
		fail_at(w, "open");
		if (fd >= 0)
			close(fd);
		return -1;
	}
	step(w, fd);
	return check_directory(w);
}

/* Cut the next component off; false: there is none. */
static bool next_component(struct way *w, struct buf *name)
{
	size_t skip = strspn(w->rest.p, "/");
	size_t n = strcspn(w->rest.p + skip, "/");

	buf_clear(name);
	buf_add(name, w->rest.p + skip, n);
	buf_consume(&w->rest, skip + n);
	return n > 0;
}

/* -------------------------------------------------- making what is missing */

/*
 * We stand in the parent, `fd` is the new one. Until its name lasts a directory
 * has another mode, so that whoever comes after a crash knows. The shared one
 * can't be opened for reading, so there all of the file system is synced.
 */
static int make_durable(struct way *w, int fd)
{
	int parent = open_one(w->fd, ".", O_RDONLY | O_DIRECTORY);
	int rc;

	if (parent >= 0) {
		rc = file_sync(parent);
		close(parent);
	} else {
		rc = errno == EACCES ? syncfs(fd) : -1;
	}
	return rc < 0 ? -1 : fchmod(fd, MODE_DONE);
}

static int finish_new(struct way *w, const char *name)
{
	int fd = open_one(w->fd, name, O_RDONLY | O_DIRECTORY);
	int rc = fd < 0 ? -1 : make_durable(w, fd);

	if (rc < 0)
		fail_at(w, "make");
	if (fd >= 0)
		close(fd);
	return rc;
}

/* Where we stand: a read-only file system says no here. */
static bool may_write_here(const struct way *w)
{
	return faccessat(w->fd, ".", W_OK | X_OK, AT_EACCESS) == 0;
}

static int make_one(struct way *w, const char *name)
{
	bool may = w->st.st_uid == geteuid() ||
		(w->st.st_mode & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH);
	mode_t mask;
	int rc;

	if (!w->create && !w->only_asks)
		return -1;
	if (!may)
		return fail(w->o, CAUSE_SYSTEM, "5.3.2",
			    "the queue %s can't be used: there is no %s; have "
			    "it made, or set queue_dir",
			    w->path, w->done.p);
	if (w->only_asks)
		return may_write_here(w) ? -1 : fail_at(w, "make");
	mask = umask(0);
	rc = mkdirat(w->fd, name, MODE_NEW);
	umask(mask);
	return rc < 0 && errno != EEXIST ? fail_at(w, "make") : 0;
}

/* ------------------------------------------------------------ one component */

/* A link of ours or root's, in a place where nobody else could have put it:
 * what it says comes in front of the rest, and is looked at in the same way. */
static int follow(struct way *w, int link, uid_t owner)
{
	char target[PATH_LIMIT];
	struct buf rest = BUF_INIT(4 * PATH_LIMIT);
	ssize_t n;

	if (!is_trusted(owner) || others_may_write(&w->st))
		return fail(w->o, CAUSE_SYSTEM, "5.3.2",
			    "the queue %s can't be used: %s is a link that "
			    "others could change; remove it, or set queue_dir",
			    w->path, w->done.p);
	n = readlinkat(link, "", target, sizeof(target));
	if (n < 0)
		return fail_at(w, "read the link");
	buf_add(&rest, target, (size_t)n);
	buf_add_char(&rest, '/');
	buf_add_view(&rest, buf_view(&w->rest));
	if (++w->links > LINKS_MAX || rest.overflow) {
		buf_release(&rest);
		errno = ELOOP;
		return fail_at(w, "follow the link");
	}
	buf_release(&w->rest);
	w->rest = rest;
	return n && target[0] == '/' ? start_at_root(w) : 0;
}

/* The descriptor of what has that name, which is made if it is missing. */
static int open_component(struct way *w, const char *name)
{
	int fd = open_one(w->fd, name, O_PATH);

	if (fd < 0 && errno == ENOENT) {
		if (make_one(w, name) < 0)
			return -1;
		fd = open_one(w->fd, name, O_PATH);
	}
	return fd < 0 ? fail_at(w, "open") : fd;
}

static bool is_new(const struct way *w, const struct stat *st)
{
	/* a directory with S_ISGID hands that on */
	return w->create && S_ISDIR(st->st_mode) && st->st_uid == geteuid() &&
		(st->st_mode & 05777) == MODE_NEW;
}

static int enter(struct way *w, const char *name)
{
	size_t before = w->done.n;
	struct stat st;
	int fd, rc;

	buf_printf(&w->done, "/%s", name);
	fd = open_component(w, name);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0) {
		rc = fail_at(w, "open");
	} else if (S_ISLNK(st.st_mode)) {
		rc = follow(w, fd, st.st_uid);
		if (rc == 0 && w->done.n > before)
			buf_truncate(&w->done, before);
	} else if (is_new(w, &st) && finish_new(w, name) < 0) {
		rc = -1;
	} else {
		step(w, fd);
		w->st = st;
		return check_directory(w);
	}
	close(fd);
	return rc;
}

/* Nobody else may look into it. */
static int check_last(struct way *w)
{
	if (w->st.st_uid != geteuid())
		return fail(w->o, CAUSE_SYSTEM, "5.3.2",
			    "the queue %s belongs to user %u; chown it, or set "
			    "queue_dir",
			    w->path, (unsigned)w->st.st_uid);
	if (w->st.st_mode & (S_IRWXG | S_IRWXO))
		return fail(w->o, CAUSE_SYSTEM, "5.3.2",
			    "others can look into the queue %s (mode %04o); "
			    "chmod 0700 it",
			    w->path, (unsigned)w->st.st_mode & 07777);
	return 0;
}

/* The descriptor of the last one, for reading. */
static int walk(struct way *w)
{
	struct buf name = BUF_INIT(4 * PATH_LIMIT);
	int rc = start_at_root(w);

	while (rc == 0 && next_component(w, &name))
		rc = enter(w, name.p);
	buf_release(&name);
	if (rc < 0 || check_last(w) < 0)
		return -1;
	rc = open_one(w->fd, ".", O_RDONLY | O_DIRECTORY);
	return rc < 0 ? fail_at(w, "open") : rc;
}

static int go(const char *path, bool create, bool only_asks, struct outcome *o)
{
	struct way w = {
		.path = path,
		.done = BUF_INIT(16 * PATH_LIMIT),
		.rest = BUF_INIT(2 * PATH_LIMIT),
		.fd = -1,
		.create = create,
		.only_asks = only_asks,
		.o = o,
	};
	int fd;

	buf_add_text(&w.rest, path);
	if (path[0] != '/' || w.rest.overflow)
		fd = fail(o, CAUSE_SYSTEM, "5.3.2",
			  "the queue %s can't be used: it is no absolute path",
			  path);
	else
		fd = walk(&w);
	if (fd >= 0 && only_asks && !may_write_here(&w))
		fail_at(&w, "write to");
	if (w.fd >= 0)
		close(w.fd);
	buf_release(&w.done);
	buf_release(&w.rest);
	return fd;
}

int place_open(const char *path, bool create, struct outcome *o)
{
	return go(path, create, false, o);
}

int place_check(const char *path, struct outcome *o)
{
	int fd = go(path, false, true, o);

	if (fd >= 0)
		close(fd);
	return outcome_is_failure(o) ? -1 : 0;
}
