/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What may stand in `from` and its like instead of the thing itself:
 * substitutions (%U, %H …) and wildcards.
 */
#include "conf/pattern.h"

#include <fcntl.h>
#include <netdb.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#define LOOK_UP_SECONDS 10
#define MAILNAME        "/etc/mailname"
#define TEXT_LIMIT      (64u << 10)

static char *login_name(void)
{
	const struct passwd *user = getpwuid(getuid());
	struct buf number = BUF_INIT(32);

	if (user && user->pw_name)
		return memory_dup(user->pw_name);
	buf_printf(&number, "%lu", (unsigned long)getuid());
	return buf_detach(&number);
}

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* Of several names for this uid the environment may choose one. Daemons pass
 * on that of whoever started them. */
static bool is_own_name(const char *name)
{
	const struct passwd *user = name ? getpwnam(name) : NULL;

	if (user)
		return user->pw_uid == getuid();
	return name && !getpwuid(getuid());
}

static char *user_name(void)
{
	const char *name = environment("USER");

	if (!is_own_name(name))
		name = environment("LOGNAME");
	return is_own_name(name) ? memory_dup(name) : login_name();
}

char *pattern_user(const struct pattern_facts *known)
{
	return known && known->user ? memory_dup(known->user) : user_name();
}

static char *host_name(void)
{
	const char *name = environment("HOSTNAME");
	char system[256] = "";

	if (name)
		return memory_dup(name);
	if (gethostname(system, sizeof(system) - 1) < 0 || !*system)
		return memory_dup("localhost");
	return memory_dup(system);
}

/* In a process of its own, as no look-up can be stopped. */
static void look_up_canonical(const void *context, int fd)
{
	const char *host = context;
	struct addrinfo hints = {.ai_flags = AI_CANONNAME,
				 .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;

	if (getaddrinfo(host, NULL, &hints, &found) != 0)
		return;
	if (found->ai_canonname)
		(void)!file_write_all(fd, found->ai_canonname,
				      strlen(found->ai_canonname));
	freeaddrinfo(found);
}

static char *canonical_name(void)
{
	struct outcome ignored = OUTCOME_INIT;
	struct buf name = BUF_INIT(NI_MAXHOST);
	char *host = host_name();

	child_call(look_up_canonical, host, &name, deadline_in(LOOK_UP_SECONDS),
		   &ignored);
	outcome_release(&ignored);
	if (!name.n)
		return host;
	free(host);
	return buf_detach(&name);
}

static char *mail_name(void)
{
	int fd = open(MAILNAME, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char line[256];
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	struct view name;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return host_name();
	line[n] = '\0';
	name = view_trim(view_make(line, strcspn(line, "\r\n")));
	return name.n ? memory_dup_n(name.p, name.n) : host_name();
}

/* The name field's first part; `&` in it is the login name, as of old. */
static char *full_name(void)
{
	const struct passwd *user = getpwuid(getuid());

	if (!user || !user->pw_gecos)
		return memory_dup("");
	return memory_dup_n(user->pw_gecos, strcspn(user->pw_gecos, ",&"));
}

static char *fact(char letter, const struct pattern_facts *known)
{
	const struct {
		char letter;
		const char *known;
		char *(*ask)(void);
	} facts[] = {
		{'U', known ? known->user : NULL, user_name},
		{'H', known ? known->host : NULL, host_name},
		{'C', known ? known->canonical : NULL, canonical_name},
		{'M', known ? known->mailname : NULL, mail_name},
		{'F', known ? known->full_name : NULL, full_name},
	};
	size_t i;

	for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		if (facts[i].letter != letter)
			continue;
		if (facts[i].known)
			return memory_dup(facts[i].known);
		return facts[i].ask();
	}
	return NULL;
}

char *pattern_expand(const char *text, const struct pattern_facts *known)
{
	struct buf out = BUF_INIT(TEXT_LIMIT + strlen(text));
	char *value;

	for (; *text; text++) {
		value = *text == '%' ? fact(text[1], known) : NULL;
		if (value) {
			buf_add_text(&out, value);
			text++;
		} else {
			buf_add_char(&out, *text);
		}
		free(value);
	}
	return buf_detach(&out);
}

bool pattern_matches_sender(struct view from, struct view sender)
{
	const char *at = memrchr(sender.p, '@', sender.n);
	size_t local_n = at ? (size_t)(at - sender.p) : sender.n;
	const char *plus = memchr(sender.p, '+', local_n);
	struct buf plain = BUF_INIT(sender.n);
	bool matches;

	if (text_matches(from, sender))
		return true;
	if (!plus || plus == sender.p)
		return false;
	buf_add(&plain, sender.p, (size_t)(plus - sender.p));
	buf_add_view(&plain, view_skip(sender, local_n));
	matches = text_matches(from, buf_view(&plain));
	buf_release(&plain);
	return matches;
}
