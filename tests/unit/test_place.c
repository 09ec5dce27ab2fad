/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way to the queue: whom it trusts, what it makes, what it says. */
#include "queue/place.h"

#include <errno.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "home.h"

static int setup(void **state)
{
	unsetenv("XDG_STATE_HOME");
	return make_home(state);
}

/* ----------------------------------------------------------------- the path */

static void check_path(const char *dir, const char *want)
{
	char *path = place_path(dir);

	assert_string_equal(path, want);
	free(path);
}

static void has_a_usual_path(void **state)
{
	char want[256];

	(void)state;
	check_path("/a/b", "/a/b");
	snprintf(want, sizeof(want), "%s/.local/state/postrider/queue", home);
	check_path(NULL, want);
	setenv("XDG_STATE_HOME", "relative", true);
	check_path(NULL, want);
	setenv("XDG_STATE_HOME", "", true);
	check_path(NULL, want);
	setenv("XDG_STATE_HOME", home, true);
	snprintf(want, sizeof(want), "%s/postrider/queue", home);
	check_path(NULL, want);
	setenv("XDG_STATE_HOME", "/nonexistent/state", true);
	check_path(NULL, "/nonexistent/state/postrider/queue");
	unsetenv("XDG_STATE_HOME");
}

/* As another user: neither a home nor a state that is somebody else's. */
static int path_as_other(void)
{
	char want[256], *path;
	int wrong;

	if (setuid(54321) < 0)
		return 1;
	setenv("XDG_STATE_HOME", "/", true);
	snprintf(want, sizeof(want), "%s/54321", place_shared());
	path = place_path(NULL);
	wrong = strcmp(path, want) != 0;
	free(path);
	return wrong ? 2 : 0;
}

/* In a child, which root has to be for; else it is this user. */
static int run(int (*body)(void))
{
	int status;

	if (fork() == 0)
		_exit(body());
	wait(&status);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void shares_a_place_with_the_homeless(void **state)
{
	(void)state;
	if (geteuid() == 0)
		assert_int_equal(run(path_as_other), 0);
	assert_int_equal(place_shared()[0], '/');
}

/* ------------------------------------------------------------- what is made */

static char *below(const char *name)
{
	struct buf path = BUF_INIT(4096);

	buf_printf(&path, "%s/%s", home, name);
	return buf_detach(&path);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	return lstat(name, &st) < 0 ? 0 : st.st_mode & 07777;
}

/* 0: it opens; else what is said. */
/* What making it would come to is known before, and nothing is made. */
static void expect_foreseen(const char *path, const char *why)
{
	struct outcome o = OUTCOME_INIT;
	bool was_there = access(path, F_OK) == 0;

	if ((place_check(path, &o) == 0) != !why ||
	    (why && !strstr(o.text, why)))
		fail_msg("check of %s: %s", path, o.text ? o.text : "fine");
	assert_int_equal(access(path, F_OK) == 0, was_there);
	outcome_release(&o);
}

static void expect(const char *name, bool create, const char *why)
{
	struct outcome o = OUTCOME_INIT;
	char *path = below(name);
	int fd;

	if (create)
		expect_foreseen(path, why);
	fd = place_open(path, create, &o);
	if ((fd >= 0) != !why)
		fail_msg("%s: %s", name, o.text ? o.text : "opened");
	if (why && *why && (!o.text || !strstr(o.text, why)))
		fail_msg("%s: %s", name, o.text);
	if (why && *why) {
		assert_int_equal(o.cause, CAUSE_SYSTEM);
		assert_non_null(strstr(o.text, path));
	}
	if (why && !*why)
		assert_false(outcome_is_failure(&o));
	if (fd >= 0)
		close(fd);
	outcome_release(&o);
	free(path);
}

static void makes_what_is_missing(void **state)
{
	static const mode_t masks[] = {022, 0, 0777};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(masks); i++) {
		mode_t before = umask(masks[i]);

		expect("a/b/queue", false, "");
		assert_int_equal(mode_of("a"), 0);
		expect("a/b/queue", true, NULL);
		assert_int_equal(mode_of("a"), 0700);
		assert_int_equal(mode_of("a/b"), 0700);
		assert_int_equal(mode_of("a/b/queue"), 0700);
		expect("a/b/queue", true, NULL);
		expect("//a/./b//queue/", false, NULL);
		expect("a/../a/b/queue", false, NULL);
		umask(before);
		rmdir("a/b/queue");
		rmdir("a/b");
		rmdir("a");
	}
}

/* A process was ended before the name of what it had made would last. */
static void finishes_what_was_begun(void **state)
{
	(void)state;
	assert_int_equal(mkdir("a", 0700), 0);
	assert_int_equal(chmod("a", 01700), 0);
	assert_int_equal(mkdir("a/queue", 0700), 0);
	assert_int_equal(chmod("a/queue", 03700), 0);
	expect("a/queue", false, NULL);
	assert_int_equal(mode_of("a"), 01700);
	expect("a/queue", true, NULL);
	assert_int_equal(mode_of("a"), 0700);
	assert_int_equal(mode_of("a/queue") & 01777, 0700);
}

static void is_an_absolute_path(void **state)
{
	struct outcome o = OUTCOME_INIT;

	(void)state;
	assert_int_equal(place_open("queue", true, &o), -1);
	assert_non_null(strstr(o.text, "no absolute path"));
	outcome_release(&o);
}

/* ----------------------------------------------------------- who is trusted */

static void make(const char *name, mode_t mode)
{
	assert_int_equal(mkdir(name, 0700), 0);
	assert_int_equal(chmod(name, mode), 0);
}

static void trusts_modes(void **state)
{
	static const struct {
		mode_t above, own;
		const char *why;
	} rows[] = {
		{0755, 0700, NULL},
		{0711, 0700, NULL},
		{01777, 0700, NULL},
		{01733, 0700, NULL},
		{0777, 0700, "others may write to"},
		{0757, 0700, "others may write to"},
		{0755, 0750, "others can look into"},
		{0755, 0701, "others can look into"},
		{0755, 0705, "others can look into"},
		{0755, 01777, "others can look into"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		make("a", rows[i].above);
		make("a/queue", rows[i].own);
		expect("a/queue", true, rows[i].why);
		if (rows[i].above == 0755 && rows[i].why)
			assert_int_equal(mode_of("a/queue"), rows[i].own);
		rmdir("a/queue");
		rmdir("a");
	}
	write_file("file", 0600, "");
	expect("file", true, "is no directory");
	expect("file/queue", true, "is no directory");
}

static void follows_no_link_of_others(void **state)
{
	(void)state;
	make("real", 0700);
	make("open", 01777);
	assert_int_equal(symlink("real", "relative"), 0);
	assert_int_equal(symlink(home, "absolute"), 0);
	assert_int_equal(symlink("relative/../absolute", "twice"), 0);
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_int_equal(symlink("../real", "open/link"), 0);
	expect("relative/queue", true, NULL);
	assert_int_equal(mode_of("real/queue"), 0700);
	expect("relative", false, NULL);
	expect("absolute/real/queue", false, NULL);
	expect("twice/real/queue", false, NULL);
	expect("twice/nothing/queue", false, "");
	expect("loop/queue", true, "follow the link");
	expect("open/link/queue", true, "is a link that others could change");
	expect("open/link", true, "is a link that others could change");
	expect("open/own", true, NULL);
}

static void give(const char *name, uid_t uid)
{
	assert_int_equal(lchown(name, uid, uid), 0);
}

static void trusts_no_other_owner(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return; /* what is another's needs root to be made */
	make("a", 0755);
	make("a/queue", 0700);
	make("real", 0700);
	give("a/queue", 1);
	expect("a/queue", true, "belongs to user 1");
	give("a/queue", 0);
	give("a", 1);
	expect("a/queue", true, "belongs to user 1");
	assert_int_equal(symlink("real", "link"), 0);
	give("link", 1);
	expect("link", true, "is a link that others could change");
}

/* The shared place: what a user makes is his, and he can't use another's. */
static int use_shared(void)
{
	if (setgid(1) < 0 || setuid(1) < 0)
		return 1;
	expect("shared/1", true, NULL);
	if (mode_of("shared/1") != 0700)
		return 2;
	expect("shared/2", true, "belongs to user 2");
	expect("shared/3", true, "is a link that others");
	expect("shared/0", true, "belongs to user 0");
	expect("roots/queue", true, "there is no");
	expect("roots/queue", false, "");
	return 0;
}

static void shares_safely(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return;
	assert_int_equal(chmod(home, 0755), 0);
	make("roots", 0755);
	make("shared", 01733);
	make("shared/2", 0700);
	make("shared/0", 0700);
	give("shared/2", 2);
	assert_int_equal(symlink("0", "shared/3"), 0);
	give("shared/3", 1);
	assert_int_equal(run(use_shared), 0);
}

/* A group of the user's own may write, as many systems have it. */
static void trusts_own_group(void **state)
{
	(void)state;
	make("a", 0775);
	assert_int_equal(chown("a", geteuid(), getegid()), 0);
	make("a/queue", 0700);
	if (geteuid() != 0)
		return;
	expect("a/queue", true, NULL); /* root's own */
	assert_int_equal(chown("a", 0, 8), 0);
	expect("a/queue", true, "others may write to");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, remove_home)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(has_a_usual_path),
		TEST(shares_a_place_with_the_homeless),
		TEST(makes_what_is_missing),
		TEST(finishes_what_was_begun),
		TEST(is_an_absolute_path),
		TEST(trusts_modes),
		TEST(follows_no_link_of_others),
		TEST(trusts_no_other_owner),
		TEST(shares_safely),
		TEST(trusts_own_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
