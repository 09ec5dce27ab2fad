/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where a password is looked for: one function for each place, in the order
 * in which they are tried.
 */
#include "conf/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/child.h"
#include "base/text.h"
#include "conf/netrc.h"
#include "conf/places.h"
#include "conf/terminal.h"

#define NETRC_LIMIT (1u << 20)

/* The secret is the first line, without its end. */
static void keep_first_line(struct buf *out)
{
	const char *end = memchr(out->p, '\n', out->n);
	size_t n = end ? (size_t)(end - out->p) : out->n;

	if (n && out->p[n - 1] == '\r')
		n--;
	buf_truncate(out, n);
}

static int keep_secret(const char *what, struct buf *out, struct outcome *o)
{
	keep_first_line(out);
	if (out->overflow || memchr(out->p, '\0', out->n))
		return fail(o, CAUSE_CONFIG, "5.3.5", "%s: this is no password",
			    what);
	if (!out->n)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "%s: the first line is empty", what);
	return 1;
}

/* Each returns 1: `out` has it; 0: nothing there; -1: broken. */

static int from_command(const struct account *a, struct buf *out,
			struct outcome *o)
{
	if (!a->secret.passwordeval)
		return 0;
	if (child_capture("passwordeval", a->secret.passwordeval, out, o) < 0)
		return -1;
	return keep_secret("passwordeval", out, o);
}

static int from_setting(const struct account *a, struct buf *out,
			struct outcome *o)
{
	(void)o;
	if (!a->secret.password)
		return 0;
	buf_add_text(out, a->secret.password);
	return 1;
}

static int fail_not_private(const char *path, struct outcome *o)
{
	return fail(o, CAUSE_CONFIG, "5.3.5",
		    "%s holds a password, so it must belong to you or root "
		    "and be readable by nobody else: chmod 600 %s, or "
		    "chown it",
		    path, path);
}

static int from_file(const struct account *a, struct buf *out,
		     struct outcome *o)
{
	const char *path = a->secret.password_file;
	bool is_private;
	int fd, rc;

	if (!path)
		return 0;
	fd = places_open(path, &is_private);
	if (fd < 0)
		return fail_errno(o, CAUSE_CONFIG, "5.3.5",
				  "password_file: cannot read %s", path);
	rc = is_private ? places_read(fd, path, out, o)
			: fail_not_private(path, o);
	close(fd);
	return rc < 0 ? -1 : keep_secret(path, out, o);
}

static int from_netrc(const char *path, const struct account *a,
		      struct buf *out, struct outcome *o)
{
	struct buf text = BUF_INIT_SECRET(NETRC_LIMIT);
	bool is_private;
	int fd = places_open(path, &is_private);
	int rc;

	if (fd < 0 && places_is_absent(errno))
		return 0;
	if (fd < 0)
		return fail_errno(o, CAUSE_CONFIG, "5.3.5", "cannot read %s",
				  path);
	rc = places_read(fd, path, &text, o);
	close(fd);
	if (rc == 0)
		rc = netrc_find(buf_view(&text), a->dial.host, a->auth.user,
				out);
	if (rc > 0 && !is_private)
		rc = fail_not_private(path, o);
	buf_release(&text);
	return rc;
}

static int from_netrcs(const struct account *a, struct buf *out,
		       struct outcome *o)
{
	char *path;
	int rc = 0;

	if (!a->dial.host || !a->auth.user)
		return 0;
	path = places_user_netrc();
	if (path)
		rc = from_netrc(path, a, out, o);
	free(path);
	if (rc == 0)
		rc = from_netrc(PLACES_SYSTEM_NETRC, a, out, o);
	return rc;
}

static const char *server_of(const struct account *a)
{
	if (a->dial.host)
		return a->dial.host;
	return a->dial.socket ? a->dial.socket : "the server";
}

static const char *user_of(const struct account *a)
{
	return a->auth.user ? a->auth.user : "";
}

static int from_terminal(const struct account *a, struct buf *out,
			 struct outcome *o)
{
	struct buf prompt = BUF_INIT(4096);
	int rc;

	buf_add_text(&prompt, "postrider: password for ");
	text_add_printable(&prompt, view_of(user_of(a)));
	buf_add_text(&prompt, " at ");
	text_add_printable(&prompt, view_of(server_of(a)));
	buf_add_text(&prompt, ": ");
	rc = terminal_ask(prompt.p, out, o);
	buf_release(&prompt);
	return rc > 0 && !out->n ? 0 : rc;
}

int secret_get(const struct account *a, struct buf *out, struct outcome *o)
{
	static int (*const sources[])(const struct account *, struct buf *,
				      struct outcome *) = {
		from_command, from_setting, from_file, from_netrcs,
		from_terminal};
	size_t i;
	int rc;

	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		buf_clear(out);
		rc = sources[i](a, out, o);
		if (rc)
			return rc < 0 ? -1 : 0;
	}
	return fail(o, CAUSE_AUTH, "5.7.8",
		    "no password for '%s' at %s: set passwordeval, "
		    "password_file or password, or have it in ~/.netrc",
		    user_of(a), server_of(a));
}
