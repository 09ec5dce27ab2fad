/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_PLACES_H
#define CONF_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/outcome.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

/* A place where a configuration may be. */
struct place {
	char *path;
	bool is_users; /* of several of the user's the first counts */
	bool as_msmtp; /* msmtp's; looked at only if none of ours is there */
};

#define PLACES_MOST 6

struct places {
	struct place p[PLACES_MOST];
	size_t n;
};

/* In the order in which they are looked at: ours, then msmtp's. */
void places_list(struct places *places);
void places_release(struct places *places);

/* A file of the user's: `path` ("/.netrc") below the home. Allocated; NULL if
 * there is no home. */
char *places_in_home(const char *path);

#define PLACES_NETRC        "/.netrc"
#define PLACES_AUTHINFO     "/.authinfo"
#define PLACES_AUTHINFO_GPG "/.authinfo.gpg" /* told of, never read */
#define PLACES_SYSTEM_NETRC SYSCONFDIR "/netrc"

/*
 * Where systemd has put the credential of that name (systemd.exec(5)).
 * Allocated; NULL if it has given none at all, or if this is no name of one:
 * one component of a path.
 */
char *places_credential(const char *name);

/*
 * Open a file of settings for reading; -1 and errno. `is_private`: nobody but
 * its owner can read it, and that is this user or root. A file of root's
 * outside this user's home is the administrator's, who may let a group read
 * it.
 */
int places_open(const char *path, bool *is_private);

/* Who can read a file. */
enum places_readers {
	PLACES_PRIVATE, /* as is_private above */
	PLACES_OURS,    /* it belongs to this user or root */
	PLACES_OTHERS,  /* it belongs to somebody else */
};

/*
 * Open a file with a secret; -1 and errno. Never waits: what is no regular
 * file (a link leads on to one) is EISDIR or, as a FIFO, ENXIO.
 */
int places_open_secret(const char *path, enum places_readers *readers);

/* Can everybody change this open file? */
bool places_is_anybodys(int fd);

/* Read all of it. -1: CAUSE_CONFIG 5.3.5, since it is no file of settings. */
int places_read(int fd, const char *path, struct buf *out, struct outcome *o);

/* Does this errno mean that a file is not there, for us? The home of a user
 * whom cron serves may be out of reach: that is as good as absent. */
bool places_is_absent(int error);

#endif
