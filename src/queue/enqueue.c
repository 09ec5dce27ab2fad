/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a message comes into the queue: all of it is written to a file that has
 * no name, or one that is no message's, and is on disk before it gets its name.
 * That is the commit; then the name is made to last. Whatever goes wrong before
 * that leaves nothing behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "queue/spool.h"

#define WRITE_SIZE  (64u << 10) /* octets written at once */
#define BLOCK_LIMIT (1u << 30)
#define DRAWS       8 /* of another id, where the one drawn is taken */

/* One message on its way in. */
struct draft {
	const struct spool *spool;
	struct content *content;
	struct buf out; /* what is not written yet; first the block */
	uint64_t written;
	int fd;
	char name[sizeof(SPOOL_TEMPORARY) + SPOOL_ID_LENGTH]; /* "": none */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int draw_id(char id[SPOOL_ID_LENGTH + 1], struct outcome *o)
{
	uint64_t random;

	if (getentropy(&random, sizeof(random)) < 0)
		return fail(o, CAUSE_SYSTEM, "4.3.0",
			    "there is no randomness for a message's id");
	spool_put_time(id, now_ms());
	spool_put_number(id, random);
	return 0;
}

/* ------------------------------------------------------------------ writing */

static int fail_writing(const struct draft *d, struct outcome *o)
{
	return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
			  "cannot write the message to the queue %s",
			  spool_path(d->spool));
}

static int flush(struct draft *d, struct outcome *o)
{
	if (file_write_all(d->fd, d->out.p, d->out.n) < 0)
		return fail_writing(d, o);
	buf_clear(&d->out);
	return 0;
}

static int write_content(struct draft *d, struct outcome *o)
{
	struct view piece;
	int rc;

	content_rewind(d->content);
	while ((rc = content_next(d->content, WRITE_SIZE, &piece, o)) > 0) {
		d->written += piece.n;
		if (d->out.n && d->out.n + piece.n > WRITE_SIZE &&
		    flush(d, o) < 0)
			return -1;
		buf_add_view(&d->out, piece);
	}
	if (rc == 0 && d->written != content_size(d->content))
		return fail(o, CAUSE_SYSTEM, "4.3.0",
			    "the message has %" PRIu64 " octets in place of "
			    "%" PRIu64,
			    d->written, content_size(d->content));
	return rc;
}

/* The block, the message, what has happened to it: then it is on disk. */
static int write_draft(struct draft *d, const struct entry *e, size_t header_n,
		       struct outcome *o)
{
	buf_clear(&d->out);
	d->written = 0;
	if (entry_print(e, header_n, &d->out, o) < 0 || write_content(d, o) < 0)
		return -1;
	entry_print_state(e, &d->out);
	if (flush(d, o) < 0)
		return -1;
	return file_sync(d->fd) < 0 ? fail_writing(d, o) : 0;
}

/* ---------------------------------------------------------------- the draft */

/* Who cleans up leaves alone what is locked. */
static int open_named(struct draft *d, struct outcome *o)
{
	char id[SPOOL_ID_LENGTH + 1];

	if (draw_id(id, o) < 0)
		return -1;
	snprintf(d->name, sizeof(d->name), SPOOL_TEMPORARY "%s", id);
	d->fd = file_open_at(spool_fd(d->spool), d->name,
			     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (d->fd < 0) {
		d->name[0] = '\0';
		return fail_writing(d, o);
	}
	flock(d->fd, LOCK_EX | LOCK_NB);
	return 0;
}

/* Where the file system can't make files without a name, it says one of these.
 */
static bool is_unsupported(int error)
{
	return error == EOPNOTSUPP || error == EISDIR || error == EINVAL ||
		error == ENOENT || error == ENOSYS;
}

/* Whatever the umask: we shall want to read it, and nobody else may. Some file
 * systems give every file one mode, and know no other. */
static bool is_private(int fd)
{
	struct stat status;
	int error;

	if (fchmod(fd, 0600) == 0)
		return true;
	error = errno;
	if (fstat(fd, &status) == 0 &&
	    (status.st_mode & (S_IRUSR | S_IWUSR | S_IRWXG | S_IRWXO)) ==
		    (S_IRUSR | S_IWUSR))
		return true;
	errno = error;
	return false;
}

static int open_draft(struct draft *d, bool is_named, struct outcome *o)
{
	if (!is_named) {
		d->fd = file_open_at(spool_fd(d->spool), ".",
				     O_TMPFILE | O_WRONLY, 0600);
		if (d->fd < 0 && !is_unsupported(errno))
			return fail_writing(d, o);
	}
	if (d->fd < 0 && open_named(d, o) < 0)
		return -1;
	return is_private(d->fd) ? 0 : fail_writing(d, o);
}

static void drop_draft(struct draft *d)
{
	if (d->name[0])
		unlinkat(spool_fd(d->spool), d->name, 0);
	if (d->fd >= 0)
		close(d->fd);
	d->name[0] = '\0';
	d->fd = -1;
}

/* ----------------------------------------------------------------- the name */

static int link_unnamed(const struct draft *d, const char *id)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", d->fd);
	return linkat(AT_FDCWD, path, spool_fd(d->spool), id,
		      AT_SYMLINK_FOLLOW);
}

/* Never over another message: the last way asks before, which is as good, as
 * ids are drawn so that they are unique. */
static int rename_draft(const struct draft *d, const char *id)
{
	int dir = spool_fd(d->spool);

	if (renameat2(dir, d->name, dir, id, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != EPERM)
		return -1;
	if (linkat(dir, d->name, dir, id, 0) == 0) {
		unlinkat(dir, d->name, 0);
		return 0;
	}
	if (errno == EEXIST)
		return -1;
	if (faccessat(dir, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(dir, d->name, dir, id);
}

static int give_name(struct draft *d, const char *id)
{
	int rc;

	do
		rc = d->name[0] ? rename_draft(d, id) : link_unnamed(d, id);
	while (rc < 0 && errno == EINTR);
	if (rc == 0)
		d->name[0] = '\0';
	return rc;
}

/* Under e->id, or under one that is drawn. 0; 1: the given one is there; -1 and
 * errno; -2: `o` says it. */
static int commit(struct draft *d, struct entry *e, struct outcome *o)
{
	char id[SPOOL_ID_LENGTH + 1];
	int rc, draws;

	if (e->id) {
		rc = give_name(d, e->id);
		return rc < 0 && errno == EEXIST ? 1 : rc;
	}
	for (draws = 0; draws < DRAWS; draws++) {
		if (draw_id(id, o) < 0)
			return -2;
		rc = give_name(d, id);
		if (rc == 0)
			e->id = memory_dup(id);
		if (rc == 0 || errno != EEXIST)
			return rc;
	}
	return -1;
}

/* ----------------------------------------------------------------- contract */

/* Would another way to give it a name do better? A full disk is full. */
static bool is_worth_a_name(const struct draft *d, int error)
{
	return !d->name[0] && error != EEXIST && error != ENOSPC &&
		error != EDQUOT && error != EROFS && error != EIO;
}

/* 0; 1: it is there already; -1; -2: not that way, as errno says. */
static int add_one_way(struct draft *d, struct entry *e, size_t header_n,
		       bool is_named, struct outcome *o)
{
	int rc, error;

	if (open_draft(d, is_named, o) < 0 ||
	    write_draft(d, e, header_n, o) < 0)
		return -1;
	rc = commit(d, e, o);
	if (rc != -1)
		return rc == -2 ? -1 : rc;
	error = errno;
	fail_errno(o, CAUSE_SYSTEM, "4.3.0",
		   "cannot name the message in the queue %s",
		   spool_path(d->spool));
	return is_worth_a_name(d, error) ? -2 : -1;
}

int spool_add(struct spool *s, struct entry *e, struct content *content,
	      size_t header_n, struct outcome *o)
{
	struct draft d = {
		.spool = s,
		.content = content,
		.out = BUF_INIT(BLOCK_LIMIT),
		.fd = -1,
	};
	const struct message *m = content_message(content);
	char *given = e->id;
	int rc;

	e->size = content_size(content);
	e->message.body_8bit = m->body_8bit;
	e->message.nul_line = m->nul_line;
	e->message.bare_cr_line = m->bare_cr_line;
	e->message.bare_lf_line = m->bare_lf_line;
	e->message.longest_line = m->longest_line;
	if (!e->created)
		e->created = now_ms() / 1000;
	rc = add_one_way(&d, e, header_n, false, o);
	if (rc == -2) {
		drop_draft(&d);
		outcome_release(o);
		rc = add_one_way(&d, e, header_n, true, o);
	}
	/* a name that does not last is none; one that stays may be sent */
	if (rc >= 0 && spool_sync(s, o) < 0) {
		if (rc == 0 && spool_remove(s, e, &(struct outcome){0}) < 0)
			o->uncertain = true;
		rc = -1;
	}
	if (rc < 0 && !given) {
		free(e->id);
		e->id = NULL;
	}
	drop_draft(&d);
	buf_release(&d.out);
	return rc < 0 ? -1 : 0;
}
