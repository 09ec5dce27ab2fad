/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks the keyring by libsecret, which is loaded for that alone, and in a
 * copy of this process: so no run that does without pays for it, a prompt
 * that nobody answers has an end, and the library's copies of the password
 * and its threads end with the copy.
 */
#include "conf/keyring.h"

#include <fcntl.h>
#include <libsecret/secret.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/library.h"

#define LIBRARY     "libsecret-1.so.0"
#define ASK_SECONDS 60u /* somebody may have to unlock it */

const bool keyring_is_built = true;

/* What a child_work gets. */
struct wanted {
	const char *host;
	const char *user;
};

/* The attributes of msmtp's entries, so that those are found; the name of the
 * schema is none of them, as secret-tool(1) stores under its own. */
static const SecretSchema schema = {
	.name = "de.marlam.msmtp.password",
	.flags = SECRET_SCHEMA_DONT_MATCH_NAME,
	.attributes = {{"host", SECRET_SCHEMA_ATTRIBUTE_STRING},
		       {"service", SECRET_SCHEMA_ATTRIBUTE_STRING},
		       {"user", SECRET_SCHEMA_ATTRIBUTE_STRING},
		       {NULL, SECRET_SCHEMA_ATTRIBUTE_STRING}},
};

/* What is used of libsecret. */
static struct {
	__typeof__(&secret_password_lookup_nonpageable_sync) lookup;
} calls;

static const char *const names[] = {"secret_password_lookup_nonpageable_sync"};

static struct library library = {LIBRARY, names, 1, &calls, false};

LIBRARY_NOTE("keyring", "passwords from the desktop's keyring", "suggested",
	     LIBRARY);

/* Without a bus that runs, the library would start one. */
static bool has_bus(void)
{
	const char *address = getenv("DBUS_SESSION_BUS_ADDRESS");
	const char *directory = getenv("XDG_RUNTIME_DIR");
	struct buf path = BUF_INIT(4096);
	bool is_there;

	if (address && address[0])
		return strncmp(address, "autolaunch:", 11) != 0;
	if (!directory || directory[0] != '/')
		return false;
	buf_printf(&path, "%s/bus", directory);
	is_there = !path.overflow && access(path.p, F_OK) == 0;
	buf_release(&path);
	return is_there;
}

/* GLib's warnings are not for our users. */
static void silence_standard_error(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0)
		dup2(null, STDERR_FILENO);
}

static void look_up(const void *context, int fd)
{
	const struct wanted *wanted = context;
	GError *error = NULL;
	const char *password;

	silence_standard_error();
	if (library_open(&library))
		return;
	password = calls.lookup(&schema, NULL, &error, "host", wanted->host,
				"service", "smtp", "user", wanted->user, NULL);
	if (password)
		file_write_all(fd, password, strlen(password));
}

int keyring_find(const char *host, const char *user, struct buf *out,
		 struct outcome *o)
{
	const struct wanted wanted = {host, user};
	int rc;

	if (!has_bus())
		return 0;
	rc = child_call(look_up, &wanted, out, deadline_in(ASK_SECONDS), o);
	if (rc > 0)
		return fail(o, CAUSE_AUTH, "4.7.0",
			    "the keyring has not answered within a minute; "
			    "unlock it, or set keyring off");
	if (rc < 0 && !out->overflow)
		return -1;
	return out->n ? 1 : 0;
}
