/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The directory with the queue: finding, reading, locking and ending entries.
 * How one comes into being is enqueue.c's. README says which states a file can
 * be in; nothing here trusts a file that is not this user's own.
 */
#include "queue/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "queue/place.h"

#define HEAD_SIZE   8192u /* octets read at once: most files are whole then */
#define EVENTS_SIZE (64u << 10)
#define BLOCK_LIMIT (1u << 30) /* octets; millions of recipients */
#define ABANDONED   3600       /* seconds */

struct spool {
	char *path;
	int fd;
};

struct spool *spool_open(const char *path, bool create, struct outcome *o)
{
	int fd = place_open(path, create, o);
	struct spool *s;

	if (fd < 0)
		return NULL;
	s = memory_alloc(sizeof(*s));
	s->path = memory_dup(path);
	s->fd = fd;
	return s;
}

void spool_close(struct spool *s)
{
	if (!s)
		return;
	close(s->fd);
	free(s->path);
	free(s);
}

const char *spool_path(const struct spool *s)
{
	return s->path;
}

int spool_fd(const struct spool *s)
{
	return s->fd;
}

/* -------------------------------------------------------------------- names */

static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
#define BASE (sizeof(digits) - 1)

void spool_put_time(char *id, int64_t ms)
{
	size_t i;

	for (i = SPOOL_ID_TIME; i-- > 0; ms /= (int64_t)BASE)
		id[i] = digits[ms % (int64_t)BASE];
}

void spool_put_number(char *id, uint64_t number)
{
	size_t i;

	for (i = SPOOL_ID_TIME; i < SPOOL_ID_LENGTH; i++, number /= BASE)
		id[i] = digits[number % BASE];
	id[i] = '\0';
}

int64_t spool_time_of(const char *id)
{
	int64_t ms = 0;
	size_t i;

	for (i = 0; i < SPOOL_ID_LENGTH; i++) {
		int value = text_is_digit(id[i])         ? id[i] - '0'
			: (id[i] >= 'a' && id[i] <= 'z') ? id[i] - 'a' + 10
							 : -1;

		if (value < 0)
			return -1;
		if (i < SPOOL_ID_TIME)
			ms = ms * (int64_t)BASE + value;
	}
	return id[i] ? -1 : ms / 1000;
}

/* The directory, read from its start; NULL and errno. */
static DIR *open_listing(const struct spool *s)
{
	int fd = file_open_at(s->fd, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir;

	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (!dir)
		close(fd);
	return dir;
}

/* NULL at the end, with errno 0, or errno. */
static const struct dirent *next_name(DIR *dir)
{
	const struct dirent *d;

	do {
		errno = 0;
		d = readdir(dir);
	} while (!d && errno == EINTR);
	return d;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int spool_list(const struct spool *s, struct strings *ids, struct outcome *o)
{
	DIR *dir = open_listing(s);
	const struct dirent *d;
	size_t before = ids->n;
	int rc = 0;

	if (!dir)
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
				  "cannot list the queue %s", s->path);
	while ((d = next_name(dir)))
		if (spool_time_of(d->d_name) >= 0)
			strings_add(ids, view_of(d->d_name));
	if (errno)
		rc = fail_errno(o, CAUSE_SYSTEM, "4.3.0",
				"cannot list the queue %s", s->path);
	closedir(dir);
	if (ids->n > before)
		qsort(ids->p + before, ids->n - before, sizeof(*ids->p),
		      compare);
	return rc;
}

/* ------------------------------------------------------------------ reading */

/* One that was put there, or is shared, must not be sent as ours. */
static int check_file(const struct stat *st, struct outcome *o)
{
	if (!S_ISREG(st->st_mode))
		return fail(o, CAUSE_SYSTEM, "5.3.0", "it is no regular file");
	if (st->st_uid != geteuid())
		return fail(o, CAUSE_SYSTEM, "5.3.0", "it belongs to user %u",
			    (unsigned)st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return fail(o, CAUSE_SYSTEM, "5.3.0",
			    "others may write to it (mode %04o)",
			    (unsigned)st->st_mode & 07777);
	return 0;
}

/* An entry's file while it is being read. */
struct file {
	int fd;
	uint64_t size;    /* octets in all */
	uint64_t message; /* where the message begins */
	size_t header_n;
	struct buf head; /* its first octets */
};

/* 1: got some, 0: there are no more, -1. */
static int read_more(struct file *f, struct buf *into, uint64_t offset,
		     size_t n, struct outcome *o)
{
	char *room;
	ptrdiff_t got;

	if (offset + into->n >= f->size)
		return 0;
	room = buf_room(into, n);
	if (!room)
		return fail(o, CAUSE_SYSTEM, "5.3.0", "it is too long");
	got = file_read_at(f->fd, room, n, offset + into->n);
	if (got < 0)
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0", "cannot read it");
	into->n += (size_t)got;
	into->p[into->n] = '\0';
	return got > 0;
}

static int read_block(struct file *f, struct entry *e, struct outcome *o)
{
	size_t n = HEAD_SIZE;
	ptrdiff_t block = 0;
	int rc;

	for (; !block; n *= 2) {
		rc = read_more(f, &f->head, 0, n, o);
		if (rc < 0)
			return -1;
		block = entry_parse(buf_view(&f->head), e, &f->header_n, o);
		if (block < 0)
			return -1;
		if (!block && !rc)
			return fail(o, CAUSE_SYSTEM, "5.3.0", "it is cut off");
	}
	f->message = (uint64_t)block;
	if (f->message + e->size > f->size)
		return fail(o, CAUSE_SYSTEM, "5.3.0", "it is cut off");
	return 0;
}

/* In pieces, as there may be very many; what the head has is not read again.
 */
static int read_events(struct file *f, struct entry *e, struct outcome *o)
{
	struct buf piece = BUF_INIT(BLOCK_LIMIT);
	size_t n = EVENTS_SIZE, whole;
	int rc = 1;

	e->end = f->message + e->size;
	if (e->end <= f->head.n)
		buf_add_view(&piece,
			     view_skip(buf_view(&f->head), (size_t)e->end));
	while (rc > 0) {
		whole = entry_take_events(e, buf_view(&piece));
		e->end += whole;
		buf_consume(&piece, whole);
		if (piece.n >= n)
			n *= 2;
		rc = read_more(f, &piece, e->end, n, o);
	}
	buf_release(&piece);
	return rc;
}

/* The header comes from the head as far as that goes. */
static int load_message(struct file *f, struct entry *e, struct outcome *o)
{
	struct buf *header = &e->message.header;
	struct view head = view_skip(buf_view(&f->head), (size_t)f->message);
	uint64_t body = f->message + f->header_n + 2;
	int rc = 1;

	if (head.n > f->header_n)
		head.n = f->header_n;
	buf_add_view(header, head);
	while (rc > 0 && header->n < f->header_n)
		rc = read_more(f, header, f->message, f->header_n - header->n,
			       o);
	if (rc < 0)
		return -1;
	e->message.body = store_of_file(f->fd, body, e->size - f->header_n - 2);
	if (!message_index(&e->message))
		return fail(o, CAUSE_SYSTEM, "5.3.0",
			    "its header has too many fields");
	return 0;
}

/* What is no regular file must not make us wait. */
static int open_file(const struct spool *s, const char *id, int mode)
{
	return file_open_at(s->fd, id,
			    mode | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
}

/* How much of an entry is wanted. */
enum depth { READ_STATE, READ_ALL, READ_LOCKED };

/* 1, 0: another has it, -1. */
static int lock_file(int fd, struct outcome *o)
{
	int rc;

	do
		rc = flock(fd, LOCK_EX | LOCK_NB);
	while (rc < 0 && errno == EINTR);
	if (rc == 0)
		return 1;
	if (errno == EWOULDBLOCK)
		return 0;
	return fail_errno(o, CAUSE_SYSTEM, "4.3.0", "cannot lock it");
}

/* Some file systems keep a file that is open by another name (.nfs…,
 * .fuse_hidden…), so the links do not tell. */
static bool is_gone(const struct spool *s, const char *id)
{
	return faccessat(s->fd, id, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
		errno == ENOENT;
}

/* 1, 0: it is gone or another's, -1. The lock comes first: what is read then
 * stays true. */
static int read_open_file(const struct spool *s, struct file *f,
			  enum depth depth, struct entry *e, struct outcome *o)
{
	struct stat st;
	int rc;

	if (depth == READ_LOCKED) {
		rc = lock_file(f->fd, o);
		if (rc <= 0)
			return rc;
	}
	if (fstat(f->fd, &st) < 0)
		return fail_errno(o, CAUSE_SYSTEM, "4.3.0", "cannot read it");
	if (!st.st_nlink || (depth == READ_LOCKED && is_gone(s, e->id)))
		return 0;
	if (check_file(&st, o) < 0)
		return -1;
	f->size = (uint64_t)st.st_size;
	if (read_block(f, e, o) < 0 || read_events(f, e, o) < 0)
		return -1;
	if (depth != READ_STATE && load_message(f, e, o) < 0)
		return -1;
	return 1;
}

/* Say where, and what to do about one that will never be read. What another
 * version wrote is not damaged. */
static void complete_failure(const struct spool *s, const char *id,
			     struct outcome *o)
{
	char hint[128];

	outcome_add_context(o, "message %s in %s", id, s->path);
	snprintf(hint, sizeof(hint), "postrider --queue-remove %s removes it",
		 id);
	if (!outcome_is_temporary(o) && strcmp(o->status, "5.3.3") != 0)
		outcome_add_hint(o, hint);
}

static int read_entry(const struct spool *s, const char *id, enum depth depth,
		      struct entry *e, struct outcome *o)
{
	struct file f = {.head = BUF_INIT(BLOCK_LIMIT)};
	int rc;

	f.fd = open_file(s, id, depth == READ_LOCKED ? O_RDWR : O_RDONLY);
	if (f.fd < 0 && errno == ENOENT)
		return 0;
	if (f.fd < 0) {
		rc = errno == ELOOP
			? fail(o, CAUSE_SYSTEM, "5.3.0", "it is a link")
			: fail_errno(o, CAUSE_SYSTEM, "4.3.0",
				     "cannot open it");
	} else {
		e->id = memory_dup(id);
		e->fd = f.fd; /* closed when the entry is released */
		rc = read_open_file(s, &f, depth, e, o);
	}
	if (rc < 0)
		complete_failure(s, id, o);
	if (e->fd >= 0 && (rc <= 0 || depth == READ_STATE)) {
		close(e->fd);
		e->fd = -1;
	}
	buf_release(&f.head);
	return rc;
}

int spool_read(const struct spool *s, const char *id, struct entry *e,
	       struct outcome *o)
{
	return read_entry(s, id, READ_STATE, e, o);
}

int spool_read_whole(const struct spool *s, const char *id, struct entry *e,
		     struct outcome *o)
{
	return read_entry(s, id, READ_ALL, e, o);
}

int spool_take(const struct spool *s, const char *id, struct entry *e,
	       struct outcome *o)
{
	return read_entry(s, id, READ_LOCKED, e, o);
}

/* ----------------------------------------------------------------- changing */

static int cut(int fd, uint64_t size)
{
	int rc;

	do
		rc = ftruncate(fd, (off_t)size);
	while (rc < 0 && errno == EINTR);
	return rc;
}

/* A line that a crash has torn must not become the front of ours. */
static int cut_torn_end(const struct entry *e)
{
	struct stat st;

	if (fstat(e->fd, &st) < 0)
		return -1;
	return (uint64_t)st.st_size == e->end ? 0 : cut(e->fd, e->end);
}

static int write_at(int fd, struct view v, uint64_t offset)
{
	ssize_t done;

	while (v.n) {
		done = pwrite(fd, v.p, v.n, (off_t)offset);
		if (done < 0 && errno != EINTR)
			return -1;
		if (done > 0) {
			v = view_skip(v, (size_t)done);
			offset += (uint64_t)done;
		}
	}
	return 0;
}

static int sync_data(int fd)
{
	int rc;

	do
		rc = fdatasync(fd);
	while (rc < 0 && errno == EINTR);
	return rc;
}

int spool_append(struct entry *e, struct view lines, struct outcome *o)
{
	if (cut_torn_end(e) < 0 || write_at(e->fd, lines, e->end) < 0 ||
	    sync_data(e->fd) < 0) {
		fail_errno(o, CAUSE_SYSTEM, "4.3.0",
			   "cannot note in the queue what became of message "
			   "%s",
			   e->id);
		/* part of it may be there, and may even be whole lines */
		cut(e->fd, e->end);
		return -1;
	}
	e->end += lines.n;
	return 0;
}

int spool_note(struct entry *e, const struct buf *lines, struct outcome *o)
{
	if (lines->overflow)
		return fail(o, CAUSE_SYSTEM, "4.3.0",
			    "there is too much to note of message %s", e->id);
	return lines->n ? spool_append(e, buf_view(lines), o) : 0;
}

/* No file of this process may be that long; fallocate does not say so, as the
 * file does not grow yet. */
static bool is_over_limit(uint64_t size)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
		limit.rlim_cur != RLIM_INFINITY && size > limit.rlim_cur;
}

static int reserve(int fd, uint64_t offset, size_t octets)
{
	int rc;

	if (is_over_limit(offset + octets)) {
		errno = EFBIG;
		return -1;
	}
	do
		rc = fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)offset,
			       (off_t)octets);
	while (rc < 0 && errno == EINTR);
	return rc;
}

int spool_reserve(const struct entry *e, size_t octets, struct outcome *o)
{
	/* first, as cutting gives back what is behind */
	if ((cut_torn_end(e) < 0 || reserve(e->fd, e->end, octets) < 0) &&
	    (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
		return fail_errno(o, CAUSE_SYSTEM, "4.3.1",
				  "there is no room to note what becomes of "
				  "message %s, so it is not sent",
				  e->id);
	return 0;
}

int spool_remove(const struct spool *s, const struct entry *e,
		 struct outcome *o)
{
	int rc;

	do
		rc = unlinkat(s->fd, e->id, 0);
	while (rc < 0 && errno == EINTR);
	if (rc == 0 || errno == ENOENT)
		return 0;
	return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
			  "cannot remove message %s from the queue %s", e->id,
			  s->path);
}

int spool_sync(const struct spool *s, struct outcome *o)
{
	return file_sync(s->fd) == 0
		? 0
		: fail_errno(o, CAUSE_SYSTEM, "4.3.0",
			     "cannot sync the queue %s", s->path);
}

/* ----------------------------------------------------------------- clean-up */

/* A time in the future is that of a clock that was wrong; who writes holds the
 * lock, or needs much less than an hour. */
static bool is_abandoned(int fd)
{
	struct stat st;
	int64_t age;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	age = (int64_t)time(NULL) - (int64_t)st.st_mtime;
	return (age > ABANDONED || age < -ABANDONED) &&
		flock(fd, LOCK_EX | LOCK_NB) == 0;
}

void spool_clean(const struct spool *s)
{
	DIR *dir = open_listing(s);
	const struct dirent *d;
	int fd;

	while (dir && (d = next_name(dir))) {
		if (strncmp(d->d_name, SPOOL_TEMPORARY,
			    strlen(SPOOL_TEMPORARY)) != 0)
			continue;
		fd = open_file(s, d->d_name, O_RDONLY);
		if (fd < 0)
			continue;
		if (is_abandoned(fd))
			unlinkat(s->fd, d->d_name, 0);
		close(fd);
	}
	if (dir)
		closedir(dir);
}
