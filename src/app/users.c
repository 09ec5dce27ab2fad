/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Root's run for everybody: who has a queue, and how to become that user. */
#include "app/users.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "app/exitcode.h"
#include "app/report.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "queue/place.h"

/* So that no user keeps back the others: then no message is begun any more; and
 * then what is under way is cut off. */
#define TURN_SECONDS 1500u
#define TURN_MOST    1800u
#define PATH_LIMIT   4096u /* octets */
#define HOME_QUEUE   "/.local/state/postrider/queue"

/* Whose queue is to be run. */
struct owner {
	uid_t uid;
	gid_t gid;
	char *name; /* NULL: the user has no entry in the database */
	char *home;
};

struct owners {
	struct owner *p;
	size_t n;
};

static bool is_known(const struct owners *list, uid_t uid)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->p[i].uid == uid)
			return true;
	return false;
}

static void add(struct owners *list, uid_t uid, gid_t gid,
		const struct passwd *user)
{
	if (is_known(list, uid))
		return;
	list->p = memory_resize(list->p, list->n + 1, sizeof(*list->p));
	list->p[list->n++] = (struct owner){
		.uid = uid,
		.gid = gid,
		.name = memory_dup(user ? user->pw_name : NULL),
		.home = memory_dup(user ? user->pw_dir : "/"),
	};
}

static void release(struct owners *list)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		free(list->p[i].name);
		free(list->p[i].home);
	}
	free(list->p);
}

/* A queue in the home of whom the database knows. */
static void find_at_home(struct owners *list)
{
	struct buf path = BUF_INIT(PATH_LIMIT);
	const struct passwd *user;
	struct stat status;

	setpwent();
	while ((user = getpwent())) {
		buf_clear(&path);
		buf_printf(&path, "%s%s", user->pw_dir, HOME_QUEUE);
		if (!path.overflow && lstat(path.p, &status) == 0 &&
		    S_ISDIR(status.st_mode) && status.st_uid == user->pw_uid)
			add(list, user->pw_uid, user->pw_gid, user);
	}
	endpwent();
	buf_release(&path);
}

/* A directory of the shared spool that is its owner's. */
static void find_shared(struct owners *list)
{
	DIR *directory = opendir(place_shared());
	unsigned long long uid;
	const struct dirent *one;
	const struct passwd *user;
	struct stat status;

	while (directory && (one = readdir(directory))) {
		if (!text_to_number(view_of(one->d_name), UINT_MAX - 1, &uid) ||
		    fstatat(dirfd(directory), one->d_name, &status,
			    AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(status.st_mode) || status.st_uid != uid)
			continue;
		user = getpwuid((uid_t)uid);
		add(list, (uid_t)uid, user ? user->pw_gid : status.st_gid,
		    user);
	}
	if (directory)
		closedir(directory);
}

/* ---------------------------------------------------------- being that user */

static int set_environment(const struct owner *owner)
{
	static const char *const kept[] = {"PATH", "TZ", "LANG"};
	char *copies[sizeof(kept) / sizeof(kept[0])];
	size_t i, n = sizeof(kept) / sizeof(kept[0]);
	int rc = 0;

	for (i = 0; i < n; i++)
		copies[i] = memory_dup(getenv(kept[i]));
	clearenv();
	for (i = 0; i < n; i++) {
		if (copies[i])
			rc |= setenv(kept[i], copies[i], 1);
		free(copies[i]);
	}
	rc |= setenv("HOME", owner->home, 1);
	if (owner->name)
		rc |= setenv("USER", owner->name, 1) |
			setenv("LOGNAME", owner->name, 1);
	return rc;
}

/* One to write to that can't be read from; -1: there is none. */
static int open_for_writing(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
}

/* At root's terminal the user's commands could type, and read what root types,
 * even when this run is over: so it is ours no more, and words still get there.
 */
static int leave_terminal(void)
{
	int fd, other, rc = 0;

	setsid();
	for (fd = STDIN_FILENO; rc >= 0 && fd <= STDERR_FILENO; fd++) {
		if (!isatty(fd))
			continue;
		other = fd == STDIN_FILENO ? -1 : open_for_writing(fd);
		if (other < 0)
			other = open("/dev/null", O_RDWR | O_CLOEXEC);
		rc = other < 0 ? -1 : dup2(other, fd);
		if (other >= 0)
			close(other);
	}
	return rc < 0 ? -1 : 0;
}

/* Groups first: afterwards it is not allowed any more. */
static int become(const struct owner *owner)
{
	int rc = owner->name ? initgroups(owner->name, owner->gid)
			     : setgroups(0, NULL);

	if (rc < 0 || setresgid(owner->gid, owner->gid, owner->gid) < 0 ||
	    setresuid(owner->uid, owner->uid, owner->uid) < 0 ||
	    set_environment(owner) != 0)
		return -1;
	/* who changes ids loses it; the terminal's signals come no more */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0)
		return -1;
	return chdir("/");
}

struct turn {
	const struct request *request;
	const struct owner *owner;
	int (*work)(const struct request *r);
};

/* In a copy of this process: the exit code goes back as a digit or two. */
static void take_turn(const void *context, int fd)
{
	const struct turn *turn = context;
	struct request mine = *turn->request;
	struct buf code = BUF_INIT(16);

	mine.queue.ends = deadline_in(TURN_SECONDS).at;
	if (leave_terminal() < 0 || become(turn->owner) < 0)
		buf_printf(&code, "%d", EX_OSERR);
	else
		buf_printf(&code, "%d", turn->work(&mine));
	file_write_all(fd, code.p, code.n);
	buf_release(&code);
}

static int run_as(const struct turn *turn)
{
	struct buf said = BUF_INIT(16);
	struct outcome o = OUTCOME_INIT;
	unsigned long long code = EX_SOFTWARE;

	if (child_call(take_turn, turn, &said, deadline_in(TURN_MOST), &o) !=
		    0 ||
	    !text_to_number(buf_view(&said), UCHAR_MAX, &code))
		report_line("the queue run of %s (uid %u) did not end well",
			    turn->owner->name ? turn->owner->name : "a user",
			    (unsigned)turn->owner->uid);
	outcome_release(&o);
	buf_release(&said);
	return (int)code;
}

int users_run(const struct request *r, int (*work)(const struct request *r))
{
	struct owners list = {0};
	struct turn turn = {.request = r, .work = work};
	int worst = 0;
	size_t i;

	if (getuid() != 0 || geteuid() != 0) {
		report_line("--all-users is for root");
		return EX_NOPERM;
	}
	find_shared(&list);
	find_at_home(&list);
	for (i = 0; i < list.n; i++) {
		turn.owner = &list.p[i];
		worst = exitcode_worse(worst, run_as(&turn));
	}
	release(&list);
	return worst;
}
