/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "mail/intake.h"
#include "mail/message.h"

/* What the targets have in common: their claim, and a message to be read. */

static inline void require(bool holds)
{
	if (!holds)
		abort();
}

/* False: it was refused. */
static inline bool read_message_by(const struct intake_policy *policy,
				   struct view v, struct message *m)
{
	struct outcome o = OUTCOME_INIT;
	int rc, fd = memfd_create("input", MFD_CLOEXEC);

	require(fd >= 0 && file_write_all(fd, v.p, v.n) == 0);
	require(lseek(fd, 0, SEEK_SET) == 0);
	rc = intake_read(fd, policy, m, &o);
	outcome_release(&o);
	close(fd);
	return rc == 0;
}

static inline bool read_message(struct view v, struct message *m)
{
	const struct intake_policy policy = {false};

	return read_message_by(&policy, v, m);
}

/* All of it, behind nothing. */
static inline void read_body(const struct message *m, struct buf *out)
{
	struct outcome o = OUTCOME_INIT;
	char block[4096];
	ptrdiff_t got;

	while ((got = store_read(m->body, out->n, block, sizeof(block), &o)) >
	       0)
		buf_add(out, block, (size_t)got);
	require(got == 0 && out->n == store_size(m->body));
}

#endif
