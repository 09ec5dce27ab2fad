/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_QUEUE_H
#define TESTS_UNIT_QUEUE_H

/* A queue of its own for a test, and messages to put into it. */

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "mail/intake.h"
#include "queue/spool.h"
#include "unit.h"

static char queue_dir[64];

static struct spool *queue_open(void)
{
	struct outcome o = OUTCOME_INIT;
	struct spool *s;

	snprintf(queue_dir, sizeof(queue_dir), "/tmp/postrider-unit.XXXXXX");
	assert_non_null(mkdtemp(queue_dir));
	s = spool_open(queue_dir, true, &o);
	assert_non_null(s);
	return s;
}

static void queue_close(struct spool *s)
{
	DIR *dir = opendir(queue_dir);
	const struct dirent *d;

	while ((d = readdir(dir)))
		if (d->d_name[0] != '.')
			unlinkat(dirfd(dir), d->d_name, 0);
	closedir(dir);
	spool_close(s);
	rmdir(queue_dir);
}

static inline size_t queue_count(const struct spool *s)
{
	struct strings ids = STRINGS_INIT;
	struct outcome o = OUTCOME_INIT;
	size_t n;

	assert_int_equal(spool_list(s, &ids, &o), 0);
	n = ids.n;
	strings_release(&ids);
	return n;
}

/* From alice to those named, blanks between them; the id, allocated. */
static inline char *queue_add(struct spool *s, const char *account,
			      const char *recipients)
{
	const struct intake_policy policy = {0};
	struct message m = MESSAGE_INIT;
	struct outcome o = OUTCOME_INIT;
	struct intake *in = intake_new(&m, &policy);
	struct entry e = ENTRY_INIT;
	struct view rest = view_of(recipients), one;
	struct content *content;
	char *id;

	assert_int_equal(
		intake_take(in, VIEW("Subject: a\r\n\r\nbody\r\n"), &o), 0);
	assert_int_equal(intake_end(in, &o), 0);
	intake_free(in);
	e.account = memory_dup(account);
	e.envelope.sender.mailbox = memory_dup("alice@example.org");
	while ((one = view_next_word(&rest)).n)
		assert_int_equal(
			envelope_restore_recipient(&e.envelope, one, &o), 0);
	content = content_new(buf_view(&m.header), &m);
	assert_int_equal(spool_add(s, &e, content, m.header.n, &o), 0);
	id = memory_dup(e.id);
	entry_release(&e);
	content_free(content);
	message_release(&m);
	return id;
}

#endif
