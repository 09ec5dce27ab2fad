/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The folder of what is kept between runs and may be lost at any time. What is
 * in it is the callers'.
 */
#include "net/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

bool cache_is_own(const struct stat *st, mode_t others)
{
	return st->st_uid == geteuid() && !(st->st_mode & others);
}

static int open_folder_in(int at, const char *name, bool make)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

	if (make && mkdirat(at, name, 0700) < 0 && errno != EEXIST)
		return -1;
	return openat(at, name, flags);
}

/* $XDG_CACHE_HOME, if it is ours (sudo may have left us somebody else's). */
static int open_named_cache(void)
{
	const char *path = secure_getenv("XDG_CACHE_HOME");
	struct stat st;

	if (!path || path[0] != '/' || stat(path, &st) < 0 ||
	    !cache_is_own(&st, 0))
		return -1;
	return open_folder_in(AT_FDCWD, path, false);
}

static int open_home_cache(bool make)
{
	char *home = file_home();
	int fd, cache;

	if (!home)
		return -1;
	fd = open_folder_in(AT_FDCWD, home, false);
	free(home);
	if (fd < 0)
		return -1;
	cache = open_folder_in(fd, ".cache", make);
	close(fd);
	return cache;
}

/* In a folder that others can write to no name could be relied on. */
int cache_open(bool make)
{
	int cache = open_named_cache();
	struct stat st;
	int fd;

	if (cache < 0)
		cache = open_home_cache(make);
	if (cache < 0)
		return -1;
	fd = open_folder_in(cache, "postrider", make);
	close(cache);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && cache_is_own(&st, S_IWGRP | S_IWOTH))
		return fd;
	close(fd);
	return -1;
}
