/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Remembers that a server could not be used, in a file of one line a fact. A
 * new file takes the old one's place whole; what can't be read is not known.
 */
#include "queue/server.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/file.h"
#include "base/gnutls.h"
#include "base/memory.h"
#include "base/text.h"
#include "queue/schedule.h"

#define FILE_LIMIT (64u << 10) /* octets */
#define NAME_LIMIT 64u         /* octets of a file's name */
#define PATH_LIMIT 4096u       /* octets, PATH_MAX */
#define DIGEST     32u         /* octets of SHA-256 */

/* "server." and a digest of the lane. */
static bool make_name(const char *lane, struct buf *name)
{
	unsigned char digest[DIGEST];

	if (!library_has_gnutls() ||
	    gnutls_hash_fast(GNUTLS_DIG_SHA256, lane, strlen(lane), digest) < 0)
		return false;
	buf_add_text(name, "server.");
	encode_hex(name, view_make((const char *)digest, DIGEST / 2), '\0');
	return !name->overflow;
}

/* ----------------------------------------------------------------- reading */

static int64_t to_time(struct view v)
{
	unsigned long long value = 0;

	text_to_number(v, INT64_MAX, &value);
	return (int64_t)value;
}

static void set_text(char **place, struct view v)
{
	free(*place);
	*place = memory_dup_n(v.p, v.n);
}

static enum cause cause_of(struct view name)
{
	int cause;

	for (cause = CAUSE_USAGE; cause <= CAUSE_CONTENT; cause++)
		if (view_equal(view_of(cause_name((enum cause)cause)), name))
			return (enum cause)cause;
	return CAUSE_CONNECT;
}

static void take_fact(struct server *sv, struct view key, struct view value)
{
	struct outcome *why = &sv->why;

	if (view_equal(key, VIEW("failures")))
		sv->failures = (unsigned)(to_time(value) & 0xffff);
	else if (view_equal(key, VIEW("last")))
		sv->last = to_time(value);
	else if (view_equal(key, VIEW("next")))
		sv->next = to_time(value);
	else if (view_equal(key, VIEW("proof")))
		set_text(&sv->proof, value);
	else if (view_equal(key, VIEW("cause")))
		why->cause = cause_of(value);
	else if (view_equal(key, VIEW("status")))
		snprintf(why->status, sizeof(why->status), "%.*s",
			 (int)(value.n < 11 ? value.n : 11), value.p);
	else if (view_equal(key, VIEW("code")))
		why->reply_code = (int)(to_time(value) % 1000);
	else if (view_equal(key, VIEW("host")))
		set_text(&why->host, value);
	else if (view_equal(key, VIEW("text")))
		set_text(&why->text, value);
}

static void parse(struct view text, struct server *sv)
{
	struct view line, key;

	while (text.n) {
		line = view_next_line(&text);
		key = view_next_word(&line);
		take_fact(sv, key, view_trim(line));
	}
}

static bool is_whole(const struct server *sv)
{
	const char class = sv->why.status[0];

	return sv->failures && sv->why.cause && sv->why.text &&
		(class == '4' || class == '5');
}

bool server_is_known(const char *path, const char *lane)
{
	struct buf name = BUF_INIT(PATH_LIMIT);
	bool is_known;

	buf_printf(&name, "%s/", path);
	is_known = make_name(lane, &name) && access(name.p, F_OK) == 0;
	buf_release(&name);
	return is_known;
}

void server_read(const struct spool *s, const char *lane, struct server *sv)
{
	struct buf name = BUF_INIT(NAME_LIMIT), text = BUF_INIT(FILE_LIMIT);
	struct outcome ignored = OUTCOME_INIT;
	int fd = -1;

	*sv = SERVER_INIT;
	if (make_name(lane, &name))
		fd = openat(spool_fd(s), name.p,
			    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0) {
		if (file_read_fd(fd, name.p, &text, &ignored) == 0)
			parse(buf_view(&text), sv);
		close(fd);
	}
	if (!is_whole(sv))
		server_release(sv);
	outcome_release(&ignored);
	buf_release(&text);
	buf_release(&name);
}

/* ----------------------------------------------------------------- writing */

static void print(const struct server *sv, struct buf *out)
{
	buf_printf(out, "failures %u\nlast %" PRId64 "\nnext %" PRId64 "\n",
		   sv->failures, sv->last, sv->next);
	if (sv->proof)
		buf_printf(out, "proof %s\n", sv->proof);
	buf_printf(out, "cause %s\nstatus %s\ncode %d\n",
		   cause_name(sv->why.cause), sv->why.status,
		   sv->why.reply_code);
	if (sv->why.host)
		buf_printf(out, "host %s\n", sv->why.host);
	buf_printf(out, "text %s\n", sv->why.text ? sv->why.text : "");
}

static void write_file(const struct spool *s, const char *name,
		       const struct buf *text)
{
	struct buf draft = BUF_INIT(NAME_LIMIT);
	int fd, rc;

	buf_printf(&draft, "tmp.server.%ld", (long)getpid());
	fd = openat(spool_fd(s), draft.p,
		    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		rc = file_write_all(fd, text->p, text->n);
		if (close(fd) < 0)
			rc = -1;
		if (rc < 0 ||
		    renameat(spool_fd(s), draft.p, spool_fd(s), name) < 0)
			unlinkat(spool_fd(s), draft.p, 0);
	}
	buf_release(&draft);
}

void server_note_failure(const struct spool *s, const char *lane,
			 struct server *sv, const struct outcome *why,
			 const char *proof, int64_t now)
{
	struct buf name = BUF_INIT(NAME_LIMIT), text = BUF_INIT(FILE_LIMIT);

	/* what fails within a minute is one failure */
	if (!sv->failures || now < sv->last || now >= sv->last + SCHEDULE_FIRST)
		sv->failures += sv->failures < UINT16_MAX;
	sv->last = now;
	sv->next = now + schedule_draw(sv->failures, SCHEDULE_MOST_SERVER);
	free(sv->proof);
	sv->proof = memory_dup(proof);
	outcome_copy(&sv->why, why);
	print(sv, &text);
	if (make_name(lane, &name) && !text.overflow)
		write_file(s, name.p, &text);
	buf_release(&text);
	buf_release(&name);
}

void server_forget(const struct spool *s, const char *lane)
{
	struct buf name = BUF_INIT(NAME_LIMIT);

	if (make_name(lane, &name))
		unlinkat(spool_fd(s), name.p, 0);
	buf_release(&name);
}

bool server_is_due(const struct server *sv, int64_t now)
{
	return !sv->failures || schedule_has_come(sv->last, sv->next, now);
}

void server_release(struct server *sv)
{
	free(sv->proof);
	outcome_release(&sv->why);
	*sv = SERVER_INIT;
}
