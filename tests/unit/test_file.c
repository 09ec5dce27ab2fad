/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files, temporary ones, and the user's home. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static void reads_up_to_the_limit(void **state)
{
	static const struct {
		size_t size, limit;
		int rc;
	} cases[] = {
		{0, 0, 0},
		{0, 10, 0},
		{1, 0, -1},
		{10, 10, 0},
		{11, 10, -1},
		{65535, 70000, 0},
		{65536, 65536, 0},
		{65537, 65536, -1},
		{200000, 200000, 0},
		{200001, 200000, -1},
		{200000, 1 << 20, 0},
	};
	static char octets[200001];
	size_t i;

	(void)state;
	memset(octets, 'x', sizeof(octets));
	for (i = 0; i < N_OF(cases); i++) {
		struct buf out = BUF_INIT(cases[i].limit);
		struct outcome o = OUTCOME_INIT;
		int fd = file_temporary(&o);

		assert_true(fd >= 0);
		assert_int_equal(file_write_all(fd, octets, cases[i].size), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(file_read_fd(fd, "it", &out, &o), cases[i].rc);
		if (cases[i].rc == 0) {
			assert_int_equal(out.n, cases[i].size);
			assert_memory_equal(out.p, octets, out.n);
			assert_int_equal(out.p[out.n], 0);
		} else {
			assert_int_equal(o.cause, CAUSE_SYSTEM);
			assert_non_null(strstr(o.text, "it is too large"));
		}
		outcome_release(&o);
		buf_release(&out);
		close(fd);
	}
}

static void says_what_it_cannot_read(void **state)
{
	struct buf out = BUF_INIT(100);
	struct outcome o = OUTCOME_INIT;
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(file_read_fd(fd, "the root", &out, &o), -1);
	assert_non_null(strstr(o.text, "the root"));
	close(fd);
	outcome_release(&o);
	buf_release(&out);
}

static void waits_for_a_pipe_that_does_not_block(void **state)
{
	char got[200000], *sent = calloc(1, sizeof(got));
	size_t n = 0;
	int fds[2];
	pid_t pid;

	(void)state;
	memset(sent, 'y', sizeof(got));
	assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		_exit(file_write_all(fds[1], sent, sizeof(got)) ? 1 : 0);
	}
	close(fds[1]);
	while (n < sizeof(got)) {
		ptrdiff_t part = file_read(fds[0], got + n, sizeof(got) - n);

		assert_true(part > 0);
		n += (size_t)part;
	}
	assert_int_equal(file_read(fds[0], got, 1), 0);
	assert_int_equal(got[199999], 'y');
	waitpid(pid, NULL, 0);
	close(fds[0]);
	free(sent);
}

/* It has no name, is nobody else's to read, and no child inherits it. */
static void temporary_files_are_private(void **state)
{
	static const char *const places[] = {"/tmp", "/dev/null/nowhere",
					     "relative"};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(places); i++) {
		struct outcome o = OUTCOME_INIT;
		struct stat status;
		int fd;

		setenv("TMPDIR", places[i], 1);
		fd = file_temporary(&o);
		assert_true(fd >= 0);
		assert_int_equal(fstat(fd, &status), 0);
		assert_int_equal(status.st_nlink, 0);
		assert_int_equal(status.st_mode & 0777, 0600);
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		assert_int_equal(write(fd, "x", 1), 1);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		close(fd);
	}
	unsetenv("TMPDIR");
}

/* In a child, as it closes what the test writes to. */
static int open_streams_in_child(int missing)
{
	struct stat stream, null;

	close(missing);
	if (file_open_standard_streams() < 0 || fstat(missing, &stream) < 0 ||
	    stat("/dev/null", &null) < 0)
		return 2;
	return stream.st_rdev == null.st_rdev ? 0 : 3;
}

static void fills_missing_standard_streams(void **state)
{
	int fd, status;
	pid_t pid;

	(void)state;
	for (fd = 0; fd <= 2; fd++) {
		pid = fork();
		if (pid == 0)
			_exit(open_streams_in_child(fd));
		waitpid(pid, &status, 0);
		assert_int_equal(status, 0);
	}
}

/* HOME counts when it is the user's own: a daemon's may have been left. */
static void knows_the_home(void **state)
{
	const struct passwd *user = getpwuid(getuid());
	char own[] = "/tmp/postrider-home-XXXXXX", *home;

	(void)state;
	assert_non_null(mkdtemp(own));
	setenv("HOME", own, 1);
	home = file_home();
	assert_string_equal(home, own);
	free(home);
	setenv("HOME", "tmp", 1);
	home = file_home();
	assert_string_equal(home, user->pw_dir);
	free(home);
	setenv("HOME", "/nowhere/at/all", 1);
	home = file_home();
	assert_string_equal(home, user->pw_dir);
	free(home);
	unsetenv("HOME");
	home = file_home();
	assert_string_equal(home, user->pw_dir);
	free(home);
	rmdir(own);
}

static void expands_the_home(void **state)
{
	static const struct {
		const char *path, *result; /* "@" stands for the home */
	} cases[] = {
		{"", ""},
		{"~", "@"},
		{"~/x", "@/x"},
		{"$HOME/x y", "@/x y"},
		{"${HOME}/x", "@/x"},
		{"${HOME}", "@"},
		{"~bob/x", "~bob/x"},
		{"$HOMER/x", "$HOMER/x"},
		{"/a/~/b", "/a/~/b"},
		{"/etc/x", "/etc/x"},
	};
	char own[] = "/tmp/postrider-home-XXXXXX";
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(own));
	setenv("HOME", own, 1);
	for (i = 0; i < N_OF(cases); i++) {
		char *path = file_expand(view_of(cases[i].path));

		if (cases[i].result[0] == '@') {
			assert_memory_equal(path, own, strlen(own));
			assert_string_equal(path + strlen(own),
					    cases[i].result + 1);
		} else {
			assert_string_equal(path, cases[i].result);
		}
		free(path);
	}
	rmdir(own);
}

static void says_that_it_cannot_write(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(file_write_all(fd, "x", 1), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(file_write_all(fd, "", 0), 0);
	close(fd);
}

static void does_not_wait_for_ever_to_write(void **state)
{
	static char block[1u << 20];
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(file_write_all(fds[1], block, sizeof(block)), -1);
	assert_int_equal(errno, ETIMEDOUT);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_up_to_the_limit),
		cmocka_unit_test(says_what_it_cannot_read),
		cmocka_unit_test(waits_for_a_pipe_that_does_not_block),
		cmocka_unit_test(temporary_files_are_private),
		cmocka_unit_test(fills_missing_standard_streams),
		cmocka_unit_test(knows_the_home),
		cmocka_unit_test(expands_the_home),
		cmocka_unit_test(says_that_it_cannot_write),
		cmocka_unit_test(does_not_wait_for_ever_to_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
