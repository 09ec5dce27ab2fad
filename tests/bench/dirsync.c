/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * For LD_PRELOAD: a name that is given to a file is on disk when the call
 * returns. With it, programs that sync the file and not the directory are as
 * durable as one that syncs both.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define NEXT(name, ...) \
	(((int (*)(__VA_ARGS__))(__UINTPTR_TYPE__)dlsym(RTLD_NEXT, name)))

/* Sync the folder in which `path` is; `rc` is what the call has returned. */
static int synced(int rc, const char *path)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	int saved = errno, fd;

	if (rc < 0 || n >= sizeof(folder))
		return rc;
	memcpy(folder, slash ? path : ".", slash ? n : 1);
	folder[slash ? n : 1] = '\0';
	fd = open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	errno = saved;
	return rc;
}

int link(const char *from, const char *to)
{
	return synced(NEXT("link", const char *, const char *)(from, to), to);
}

int rename(const char *from, const char *to)
{
	return synced(NEXT("rename", const char *, const char *)(from, to), to);
}
