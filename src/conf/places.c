/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where files of settings and secrets are, and whether others can read them.
 */
#include "conf/places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"

#define PATH_LIMIT 65536u

/* `home` is where the path begins; without one there is no such place. */
static char *join(const char *home, const char *path)
{
	struct buf joined = BUF_INIT(PATH_LIMIT);

	if (!home)
		return NULL;
	buf_printf(&joined, "%s%s", home, path);
	return buf_detach(&joined);
}

/* The XDG base directory specification: relative ones are ignored. */
static char *config_home(const char *home)
{
	const char *given = getenv("XDG_CONFIG_HOME");

	if (given && given[0] == '/')
		return memory_dup(given);
	return join(home, "/.config");
}

/* Takes over the path. */
static void add(struct places *places, char *path, bool is_users, bool as_msmtp)
{
	if (path)
		places->p[places->n++] =
			(struct place){path, is_users, as_msmtp};
}

void places_list(struct places *places)
{
	char *home = file_home();
	char *config = config_home(home);

	places->n = 0;
	add(places, join(config, "/postrider/config"), true, false);
	add(places, join(home, "/.postriderrc"), true, false);
	add(places, memory_dup(SYSCONFDIR "/postrider.conf"), false, false);
	add(places, join(home, "/.msmtprc"), true, true);
	add(places, join(config, "/msmtp/config"), true, true);
	add(places, memory_dup("/etc/msmtprc"), false, true);
	free(config);
	free(home);
}

void places_release(struct places *places)
{
	size_t i;

	for (i = 0; i < places->n; i++)
		free(places->p[i].path);
	places->n = 0;
}

char *places_in_home(const char *path)
{
	char *home = file_home();
	char *joined = join(home, path);

	free(home);
	return joined;
}

static bool is_component(const char *name)
{
	return name[0] && !strchr(name, '/') && strcmp(name, ".") != 0 &&
		strcmp(name, "..") != 0;
}

char *places_credential(const char *name)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	struct buf path = BUF_INIT(PATH_LIMIT);

	if (!directory || directory[0] != '/' || !is_component(name))
		return NULL;
	buf_printf(&path, "%s/%s", directory, name);
	return buf_detach(&path);
}

static bool is_in_home(const char *path)
{
	char *home = file_home();
	size_t n = home ? strlen(home) : 0;
	bool is_in = home && !strncmp(path, home, n) && path[n] == '/';

	free(home);
	return is_in;
}

static enum places_readers readers_of(const char *path,
				      const struct stat *status)
{
	if (status->st_uid != 0 && status->st_uid != geteuid())
		return PLACES_OTHERS;
	if (!(status->st_mode & 077))
		return PLACES_PRIVATE;
	if (status->st_uid == 0 && !(status->st_mode & 037) && path[0] == '/' &&
	    !is_in_home(path))
		return PLACES_PRIVATE;
	return PLACES_OURS;
}

int places_open(const char *path, bool *is_private)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat status;

	*is_private = false;
	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0)
		*is_private = readers_of(path, &status) == PLACES_PRIVATE;
	return fd;
}

int places_open_secret(const char *path, enum places_readers *readers)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat status = {0};
	int error;

	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
		*readers = readers_of(path, &status);
		return fd;
	}
	error = S_ISDIR(status.st_mode) ? EISDIR : ENXIO;
	close(fd);
	errno = error;
	return -1;
}

bool places_is_anybodys(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
		(status.st_mode & 002);
}

int places_read(int fd, const char *path, struct buf *out, struct outcome *o)
{
	struct outcome why = OUTCOME_INIT;
	int rc = file_read_fd(fd, path, out, &why);

	if (rc < 0)
		fail(o, CAUSE_CONFIG, "5.3.5", "%s", why.text);
	outcome_release(&why);
	return rc;
}

bool places_is_absent(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES ||
		error == EPERM;
}
