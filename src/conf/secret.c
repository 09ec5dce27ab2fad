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
#include "conf/keyring.h"
#include "conf/netrc.h"
#include "conf/places.h"
#include "conf/shield.h"
#include "conf/terminal.h"

#define NETRC_LIMIT (1u << 20)
#define KEY_SETTING "tls_key_passwordeval"

/* 1, unless it can't be a password. */
static int check_secret(const char *what, const struct buf *out,
			struct outcome *o)
{
	if (out->overflow)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "%s: the password is longer than %u octets", what,
			    SECRET_LIMIT);
	if (memchr(out->p, '\0', out->n))
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "%s: a NUL octet, which no password has", what);
	if (!out->n)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "%s: the password is empty", what);
	return 1;
}

/* The secret is the first line. */
static int keep_secret(const char *what, struct buf *out, struct outcome *o)
{
	struct view text = buf_view(out);

	buf_truncate(out, view_next_line(&text).n);
	if (!out->n && !out->overflow)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "%s: the first line is empty", what);
	return check_secret(what, out, o);
}

/* Each returns 1: `out` has it; 0: nothing there; -1: broken. */

static int run(const char *setting, const char *command, struct buf *out,
	       struct outcome *o)
{
	if (!command)
		return 0;
	if (child_capture(setting, command, out, o) < 0)
		return -1;
	return keep_secret(setting, out, o);
}

static int from_command(const struct account *a, struct buf *out,
			struct outcome *o)
{
	return run("passwordeval", a->secret.passwordeval, out, o);
}

static int from_setting(const struct account *a, struct buf *out,
			struct outcome *o)
{
	if (!a->secret.password)
		return 0;
	shield_open(a->secret.password, out);
	return check_secret("password", out, o);
}

/* ------------------------------------------------------------------- files */

static int fail_not_private(const char *path, struct outcome *o)
{
	return fail(o, CAUSE_CONFIG, "5.3.5",
		    "%s holds a password, so it must belong to you or root "
		    "and be readable by nobody else: chmod 600 %s, or "
		    "chown it",
		    path, path);
}

static int fail_not_ours(const char *path, struct outcome *o)
{
	return fail(o, CAUSE_CONFIG, "5.3.5",
		    "%s holds a password, so it must belong to you or root",
		    path);
}

/* errno says why it could not be opened. */
static int fail_to_open(const char *what, const char *path, struct outcome *o)
{
	if (errno == ENXIO)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "%s: %s is no regular file", what, path);
	return fail_errno(o, CAUSE_CONFIG, "5.3.5", "%s: cannot read %s", what,
			  path);
}

static int from_file(const struct account *a, struct buf *out,
		     struct outcome *o)
{
	const char *path = a->secret.password_file;
	enum places_readers readers;
	int fd, rc;

	if (!path)
		return 0;
	fd = places_open_secret(path, &readers);
	if (fd < 0)
		return fail_to_open("password_file", path, o);
	if (readers == PLACES_PRIVATE)
		rc = places_read(fd, path, out, o);
	else
		rc = fail_not_private(path, o);
	close(fd);
	return rc < 0 ? -1 : keep_secret(path, out, o);
}

static int fail_no_credential(const char *name, struct outcome *o)
{
	return fail(o, CAUSE_CONFIG, "5.3.5",
		    "password_credential: systemd has given no credential %s; "
		    "write LoadCredential=%s:/path/of/the/file in the unit's "
		    "[Service], or leave password_credential out",
		    name, name);
}

/* What a service hands on to processes of other users may be out of reach. */
static bool is_absent_credential(int error, bool is_named)
{
	return error == ENOENT || (!is_named && places_is_absent(error));
}

/* Who may read it is systemd's affair (systemd.exec(5), LoadCredential=). */
static int read_credential(const char *path, bool is_named, struct buf *out,
			   struct outcome *o)
{
	enum places_readers readers;
	int fd = places_open_secret(path, &readers);
	int rc;

	if (fd < 0 && is_absent_credential(errno, is_named))
		return 0;
	if (fd < 0)
		return fail_to_open("password_credential", path, o);
	if (readers == PLACES_OTHERS)
		rc = fail_not_ours(path, o);
	else
		rc = places_read(fd, path, out, o);
	close(fd);
	return rc < 0 ? -1 : keep_secret(path, out, o);
}

static int from_credential(const struct account *a, struct buf *out,
			   struct outcome *o)
{
	bool is_named = a->secret.password_credential != NULL;
	struct buf name = BUF_INIT(4096);
	char *path;
	int rc;

	if (is_named)
		buf_add_text(&name, a->secret.password_credential);
	else
		buf_printf(&name, "postrider.%s", a->name ? a->name : "");
	path = places_credential(name.p);
	rc = path ? read_credential(path, is_named, out, o) : 0;
	if (rc == 0 && is_named)
		rc = fail_no_credential(name.p, o);
	free(path);
	buf_release(&name);
	return rc;
}

static int from_netrc(const char *path, const struct netrc_query *query,
		      struct buf *out, struct outcome *o)
{
	struct buf text = BUF_INIT_SECRET(NETRC_LIMIT);
	enum places_readers readers;
	int fd = places_open_secret(path, &readers);
	int rc;

	if (fd < 0 && (places_is_absent(errno) || errno == ENXIO))
		return 0; /* also what leads to /dev/null */
	if (fd < 0)
		return fail_to_open("the password", path, o);
	rc = places_read(fd, path, &text, o);
	close(fd);
	if (rc == 0)
		rc = netrc_find(buf_view(&text), query, out);
	if (rc > 0 && readers != PLACES_PRIVATE)
		rc = fail_not_private(path, o);
	if (rc > 0)
		rc = check_secret(path, out, o);
	buf_release(&text);
	return rc;
}

static int from_home(const char *name, const struct netrc_query *query,
		     struct buf *out, struct outcome *o)
{
	char *path = places_in_home(name);
	int rc = path ? from_netrc(path, query, out, o) : 0;

	free(path);
	return rc;
}

static int from_netrcs(const struct account *a, struct buf *out,
		       struct outcome *o)
{
	const struct netrc_query query = {a->dial.host, a->dial.port,
					  a->auth.user};
	int rc;

	if (!query.machine || !query.login)
		return 0;
	rc = from_home(PLACES_NETRC, &query, out, o);
	if (rc == 0)
		rc = from_home(PLACES_AUTHINFO, &query, out, o);
	if (rc == 0)
		rc = from_netrc(PLACES_SYSTEM_NETRC, &query, out, o);
	return rc;
}

/* ----------------------------------------------------------- those who know */

static int from_keyring(const struct account *a, struct buf *out,
			struct outcome *o)
{
	int rc;

	if (!a->secret.keyring || !a->dial.host || !a->auth.user)
		return 0;
	rc = keyring_find(a->dial.host, a->auth.user, out, o);
	return rc > 0 ? keep_secret("the keyring", out, o) : rc;
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

static int ask(const char *what, struct buf *out, struct outcome *o)
{
	struct buf prompt = BUF_INIT(4096);
	int rc;

	buf_add_text(&prompt, "postrider: ");
	text_add_printable(&prompt, view_of(what));
	buf_add_text(&prompt, ": ");
	rc = terminal_ask(prompt.p, out, o);
	buf_release(&prompt);
	if (rc > 0)
		rc = out->n ? check_secret("the terminal", out, o) : 0;
	return rc;
}

static int from_terminal(const struct account *a, struct buf *out,
			 struct outcome *o)
{
	struct buf what = BUF_INIT(4096);
	int rc;

	buf_printf(&what, "password for %s at %s", user_of(a), server_of(a));
	rc = ask(what.p, out, o);
	buf_release(&what);
	return rc;
}

/* Is there an encrypted ~/.authinfo, and no other? */
static bool has_encrypted_authinfo(void)
{
	char *plain = places_in_home(PLACES_AUTHINFO);
	char *encrypted = places_in_home(PLACES_AUTHINFO_GPG);
	bool has = plain && encrypted && access(encrypted, F_OK) == 0 &&
		access(plain, F_OK) < 0;

	free(plain);
	free(encrypted);
	return has;
}

static int fail_nowhere(const struct account *a, struct outcome *o)
{
	struct buf hint = BUF_INIT(4096);

	fail(o, CAUSE_AUTH, "5.7.8",
	     "no password for '%s' at %s: set passwordeval, "
	     "password_file or password, or have it in ~/.netrc%s",
	     user_of(a), server_of(a),
	     keyring_is_built ? " or the keyring" : "");
	if (has_encrypted_authinfo()) {
		buf_printf(&hint,
			   "~/.authinfo.gpg is read by: passwordeval gpg -q "
			   "--for-your-eyes-only --no-tty -d ~/.authinfo.gpg | "
			   "awk '$2 == \"%s\" {print $NF}'",
			   server_of(a));
		outcome_add_hint(o, hint.p);
	}
	buf_release(&hint);
	return -1;
}

int secret_get(const struct account *a, struct buf *out, struct outcome *o)
{
	static int (*const sources[])(const struct account *, struct buf *,
				      struct outcome *) = {
		from_command, from_setting, from_file,    from_credential,
		from_netrcs,  from_keyring, from_terminal};
	size_t i;
	int rc;

	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		buf_clear(out);
		rc = sources[i](a, out, o);
		if (rc)
			return rc < 0 ? -1 : 0;
	}
	return fail_nowhere(a, o);
}

int secret_get_key(const struct account *a, const char *what, struct buf *out,
		   struct outcome *o)
{
	int rc;

	buf_clear(out);
	rc = run(KEY_SETTING, a->secret.key_passwordeval, out, o);
	if (rc == 0)
		rc = ask(what, out, o);
	if (rc)
		return rc < 0 ? -1 : 0;
	return fail(o, CAUSE_AUTH, "5.7.8",
		    "%s is needed, and nobody is there to be asked: "
		    "set " KEY_SETTING,
		    what);
}
