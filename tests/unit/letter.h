/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_LETTER_H
#define TESTS_UNIT_LETTER_H

#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "mail/intake.h"
#include "mail/message.h"
#include "unit.h"

/* Take in a message that is written down in the test. */
static inline void read_view(struct view text, struct message *m)
{
	const struct intake_policy policy = {false};
	struct outcome o = OUTCOME_INIT;
	int fd = memfd_create("message", MFD_CLOEXEC);

	*m = MESSAGE_INIT;
	assert_int_equal(file_write_all(fd, text.p, text.n), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(intake_read(fd, &policy, m, &o), 0);
	close(fd);
}

static inline void read_text(const char *text, struct message *m)
{
	read_view(view_of(text), m);
}

#endif
