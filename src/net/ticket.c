/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files of the tickets: who may have written them, and that each is used
 * once. What is in them is GnuTLS's; when one may be used for a
 * server, net/resume's.
 */
#include "net/ticket.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/gnutls.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/cache.h"

#define MAGIC      "PRTICKT1"
#define MAGIC_SIZE 8
#define SUM_SIZE   32
#define HEAD_SIZE  (MAGIC_SIZE + SUM_SIZE + 8 + 8 + 4)
#define WORDS_MOST 4096
#define FILE_LIMIT (TICKET_LIMIT + HEAD_SIZE + WORDS_MOST)

#define DIGITS      (2 * TICKET_NAME_SIZE)
#define RANDOM_SIZE 8
#define FILE_NAME   (DIGITS + 1 + 2 * RANDOM_SIZE + 1)

/* ---------------------------------------------------------------- the names */

/* The file's name; another one for the time it is being written or read. */
static void make_name(const char name[TICKET_NAME_SIZE], bool is_passing,
		      char file[FILE_NAME])
{
	struct buf text = BUF_INIT(FILE_NAME);

	encode_hex(&text, view_make(name, TICKET_NAME_SIZE), '\0');
	if (is_passing) {
		buf_add_char(&text, '.');
		encode_random(&text, RANDOM_SIZE);
	}
	memcpy(file, text.p, text.n + 1);
	buf_release(&text);
}

/* --------------------------------------------------------- octets in a file */

static void add_number(struct buf *out, uint64_t value, unsigned octets)
{
	while (octets--)
		buf_add_char(out, (char)(value >> (8 * octets)));
}

static uint64_t next_number(struct view *v, unsigned octets)
{
	uint64_t value = 0;
	unsigned i;

	for (i = 0; i < octets; i++)
		value = value << 8 | (unsigned char)v->p[i];
	*v = view_skip(*v, octets);
	return value;
}

static bool make_sum(const char name[TICKET_NAME_SIZE], struct view rest,
		     char sum[SUM_SIZE])
{
	gnutls_hash_hd_t hash;

	if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) < 0)
		return false;
	gnutls_hash(hash, name, TICKET_NAME_SIZE);
	gnutls_hash(hash, rest.p, rest.n);
	gnutls_hash_deinit(hash, sum);
	return true;
}

static bool write_octets(const char name[TICKET_NAME_SIZE],
			 const struct ticket *t, struct buf *out)
{
	struct buf rest = BUF_INIT_SECRET(FILE_LIMIT);
	size_t words = strlen(t->verified);
	char sum[SUM_SIZE];
	bool ok;

	add_number(&rest, (uint64_t)t->checked, 8);
	add_number(&rest, (uint64_t)t->expires, 8);
	add_number(&rest, words, 4);
	buf_add(&rest, t->verified, words);
	buf_add_view(&rest, buf_view(&t->session));
	ok = words <= WORDS_MOST && make_sum(name, buf_view(&rest), sum);
	buf_add(out, MAGIC, MAGIC_SIZE);
	buf_add(out, sum, sizeof(sum));
	buf_add_view(out, buf_view(&rest));
	ok = ok && !rest.overflow && !out->overflow;
	buf_release(&rest);
	return ok;
}

static bool read_octets(const char name[TICKET_NAME_SIZE], struct view v,
			struct ticket *t)
{
	char sum[SUM_SIZE];
	const char *theirs;
	uint64_t words;

	if (v.n < HEAD_SIZE || memcmp(v.p, MAGIC, MAGIC_SIZE) != 0)
		return false;
	theirs = v.p + MAGIC_SIZE;
	v = view_skip(v, MAGIC_SIZE + SUM_SIZE);
	if (!make_sum(name, v, sum) || memcmp(sum, theirs, SUM_SIZE) != 0)
		return false;
	t->checked = (int64_t)next_number(&v, 8);
	t->expires = (int64_t)next_number(&v, 8);
	words = next_number(&v, 4);
	if (words > v.n)
		return false;
	t->verified = memory_dup_n(v.p, (size_t)words);
	buf_add_view(&t->session, view_skip(v, (size_t)words));
	return t->session.n && !t->session.overflow;
}

/* ------------------------------------------------------------------ the use */

bool ticket_is_there(const char name[TICKET_NAME_SIZE])
{
	int folder = cache_open(false);
	char file[FILE_NAME];
	bool is_there;

	if (folder < 0)
		return false;
	make_name(name, false, file);
	is_there = faccessat(folder, file, R_OK, 0) == 0;
	close(folder);
	return is_there;
}

/* Of a plain file that is only ours; false: it is not, or not to be read. */
static bool read_file(int folder, const char *file, struct buf *out)
{
	int fd = openat(folder, file,
			O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct outcome o = OUTCOME_INIT;
	struct stat st;
	bool ok;

	if (fd < 0)
		return false;
	ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		cache_is_own(&st, S_IRWXG | S_IRWXO) && st.st_nlink == 1 &&
		file_read_fd(fd, "the ticket", out, &o) == 0;
	outcome_release(&o);
	close(fd);
	return ok;
}

static bool is_timely(const struct ticket *t)
{
	int64_t now = time(NULL);

	return t->checked <= now && now - t->checked < TICKET_LASTS &&
		now < t->expires;
}

/* Who can give it another name has it: that succeeds for one only. */
bool ticket_take(const char name[TICKET_NAME_SIZE], struct ticket *t)
{
	struct buf octets = BUF_INIT_SECRET(FILE_LIMIT);
	char file[FILE_NAME], taken[FILE_NAME];
	int folder = cache_open(false);
	bool ok = false;

	*t = TICKET_INIT;
	if (folder < 0)
		return false;
	make_name(name, false, file);
	make_name(name, true, taken);
	if (renameat(folder, file, folder, taken) == 0) {
		ok = read_file(folder, taken, &octets) &&
			read_octets(name, buf_view(&octets), t) && is_timely(t);
		ok = unlinkat(folder, taken, 0) == 0 && ok;
	}
	buf_release(&octets);
	close(folder);
	return ok;
}

static bool write_file(int folder, const char *file, struct view octets)
{
	int fd = openat(folder, file,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			0600);
	bool ok;

	if (fd < 0)
		return false;
	ok = file_write_all(fd, octets.p, octets.n) == 0;
	return close(fd) == 0 && ok;
}

static bool is_ours(const char *file)
{
	size_t i;

	for (i = 0; i < DIGITS; i++)
		if (text_hex_value(file[i]) < 0)
			return false;
	return !file[i] || file[i] == '.';
}

/* Tickets that nobody came back for. */
static void clear_away(int folder)
{
	int copy = fcntl(folder, F_DUPFD_CLOEXEC, 0);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	time_t now = time(NULL);
	struct dirent *entry;
	struct stat st;

	if (!list && copy >= 0)
		close(copy);
	if (!list)
		return;
	while ((entry = readdir(list)))
		if (is_ours(entry->d_name) &&
		    fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
			    0 &&
		    now - st.st_mtime > TICKET_LASTS)
			unlinkat(folder, entry->d_name, 0);
	closedir(list);
}

void ticket_save(const char name[TICKET_NAME_SIZE], const struct ticket *t,
		 bool tidy)
{
	struct buf octets = BUF_INIT_SECRET(FILE_LIMIT);
	char file[FILE_NAME], passing[FILE_NAME];
	int folder = -1;

	if (write_octets(name, t, &octets))
		folder = cache_open(true);
	if (folder >= 0) {
		if (tidy)
			clear_away(folder);
		make_name(name, false, file);
		make_name(name, true, passing);
		if (!write_file(folder, passing, buf_view(&octets)) ||
		    renameat(folder, passing, folder, file) < 0)
			unlinkat(folder, passing, 0);
		close(folder);
	}
	buf_release(&octets);
}

void ticket_release(struct ticket *t)
{
	free(t->verified);
	buf_release(&t->session);
	*t = TICKET_INIT;
}
