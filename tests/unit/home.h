/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_HOME_H
#define TESTS_UNIT_HOME_H

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "unit.h"

/* A home directory of the test's own, which is the working directory too; made
 * and removed as cmocka's setup and teardown. */
static char home[64];

static inline int make_home(void **state)
{
	(void)state;
	snprintf(home, sizeof(home), "/tmp/postrider-unit.XXXXXX");
	if (!mkdtemp(home))
		return -1;
	setenv("HOME", home, true);
	unsetenv("XDG_CONFIG_HOME");
	return chdir(home);
}

static inline int remove_home(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", home);
	return chdir("/") < 0 || system(command) != 0;
}

static inline void write_file(const char *path, mode_t mode, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

#endif
