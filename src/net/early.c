/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files for servers that let us speak before they greet. */
#include "net/early.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/encode.h"
#include "base/file.h"
#include "net/cache.h"

#define REFUSED    "-"
#define SUFFIX     "-early" /* no ticket is called so */
#define NAME_LIMIT (2 * TICKET_NAME_SIZE + sizeof(SUFFIX))
#define FRESH      86400 /* seconds for which it need not be noted again */
#define AHEAD      1     /* a file's time may be ahead of time() by a tick */

static struct buf file_name(const char name[TICKET_NAME_SIZE])
{
	struct buf text = BUF_INIT(NAME_LIMIT);

	encode_hex(&text, view_make(name, TICKET_NAME_SIZE), '\0');
	buf_add_text(&text, SUFFIX);
	return text;
}

/* What was noted, by us and not in the future; false: nothing, or too long ago
 * (seconds). */
static bool find(int folder, const char *file, int64_t lasts, bool *is_good)
{
	int64_t now = time(NULL);
	struct stat st;

	if (fstatat(folder, file, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode) || !cache_is_own(&st, S_IWGRP | S_IWOTH) ||
	    st.st_mtime > now + AHEAD || now - st.st_mtime >= lasts)
		return false;
	*is_good = st.st_size == 0;
	return true;
}

bool early_is_known(const char name[TICKET_NAME_SIZE])
{
	struct buf file = file_name(name);
	int folder = cache_open(false);
	bool is_good = false;

	if (folder >= 0) {
		find(folder, file.p, EARLY_LASTS, &is_good);
		close(folder);
	}
	buf_release(&file);
	return is_good;
}

/* A new file has the time of now. */
static void renew(int folder, const char *file, bool is_good)
{
	int fd;

	unlinkat(folder, file, 0);
	fd = openat(folder, file,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (!is_good && file_write_all(fd, REFUSED, 1) < 0)
		unlinkat(folder, file, 0);
	close(fd);
}

static void note(int folder, const char *file, bool is_offered)
{
	bool is_good = true;
	bool is_known = find(folder, file, EARLY_LASTS, &is_good);

	if (!is_good)
		return;
	if (!is_offered)
		unlinkat(folder, file, 0);
	else if (!is_known || !find(folder, file, FRESH, &is_good))
		renew(folder, file, true);
}

void early_note(const char name[TICKET_NAME_SIZE], bool is_offered)
{
	struct buf file = file_name(name);
	int folder = cache_open(is_offered);

	if (folder >= 0) {
		note(folder, file.p, is_offered);
		close(folder);
	}
	buf_release(&file);
}

void early_distrust(const char name[TICKET_NAME_SIZE])
{
	struct buf file = file_name(name);
	int folder = cache_open(false);

	if (folder >= 0) {
		renew(folder, file.p, false);
		close(folder);
	}
	buf_release(&file);
}
