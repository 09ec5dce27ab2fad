/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is remembered of a server that could not be used. */
#include "queue/server.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "queue.h"

#define NOW 1800000000

#define IN(text)                       \
	{                              \
		text, sizeof(text) - 1 \
	}

static void fill(struct outcome *o)
{
	fail(o, CAUSE_AUTH, "5.7.8", "535 5.7.8 no such user");
	o->reply_code = 535;
	outcome_set_host(o, "mail.example.net");
}

static void remembers_and_forgets(void **state)
{
	struct spool *s = queue_open();
	struct server sv = SERVER_INIT;
	struct outcome why = OUTCOME_INIT;
	unsigned i;

	(void)state;
	fill(&why);
	server_read(s, "lane", &sv);
	assert_int_equal(sv.failures, 0);
	assert_true(server_is_due(&sv, NOW));
	for (i = 0; i < 30; i++) /* a burst counts once */
		server_note_failure(s, "lane", &sv, &why, "01-02",
				    NOW - 120 + (i / 10) * 60);
	server_release(&sv);
	assert_true(server_is_known(queue_dir, "lane"));
	assert_false(server_is_known(queue_dir, "another"));
	assert_false(server_is_known("/nowhere", "lane"));
	server_read(s, "lane", &sv);
	assert_int_equal(sv.failures, 3);
	assert_int_equal(sv.last, NOW);
	assert_in_range(sv.next - NOW, 180, 300);
	assert_string_equal(sv.proof, "01-02");
	assert_int_equal(sv.why.cause, CAUSE_AUTH);
	assert_string_equal(sv.why.status, "5.7.8");
	assert_int_equal(sv.why.reply_code, 535);
	assert_string_equal(sv.why.host, "mail.example.net");
	assert_string_equal(sv.why.text, "535 5.7.8 no such user");
	assert_false(server_is_due(&sv, NOW + 100));
	assert_true(server_is_due(&sv, NOW + 300));
	assert_true(server_is_due(&sv, NOW - 86400)); /* set back */
	server_release(&sv);
	server_read(s, "another", &sv);
	assert_int_equal(sv.failures, 0);
	server_forget(s, "lane");
	assert_false(server_is_known(queue_dir, "lane"));
	server_read(s, "lane", &sv);
	assert_int_equal(sv.failures, 0);
	server_forget(s, "lane");
	assert_int_equal(queue_count(s), 0);
	outcome_release(&why);
	queue_close(s);
}

/* A failure ahead of the last one is none of its burst: the clock was set
 * back. */
static void a_clock_that_was_set_back_makes_no_burst(void **state)
{
	struct spool *s = queue_open();
	struct server sv = SERVER_INIT;
	struct outcome why = OUTCOME_INIT;

	(void)state;
	fill(&why);
	server_note_failure(s, "lane", &sv, &why, NULL, NOW);
	server_note_failure(s, "lane", &sv, &why, NULL, NOW - 86400);
	assert_int_equal(sv.failures, 2);
	assert_int_equal(sv.last, NOW - 86400);
	server_release(&sv);
	outcome_release(&why);
	queue_close(s);
}

/* What is broken, or somebody else's, is not believed, and no harm. */
static void is_only_advice(void **state)
{
	static const struct view texts[] = {
		IN(""),
		IN("failures 4\n"),
		IN("failures x\nlast y\ncause z\nstatus 4.4.1\ntext a\n"),
		IN("failures 1\ncause connect\nstatus 9.9.9\ntext a\n"),
		IN("failures 1\ncause connect\nstatus 4.4.1\n"),
		IN("proof 1-2\ncause connect\nstatus 4.4.1\ntext a\n"),
		IN("\0\0\0\0"),
		IN("\0failures 1\ncause connect\nstatus 4.4.1\ntext a\n"),
	};
	struct spool *s = queue_open();
	struct server sv = SERVER_INIT;
	struct outcome why = OUTCOME_INIT;
	struct strings names = STRINGS_INIT;
	DIR *dir = opendir(queue_dir);
	const struct dirent *d;
	size_t i;
	int fd;

	(void)state;
	fill(&why);
	server_note_failure(s, "lane", &sv, &why, NULL, NOW);
	while ((d = readdir(dir)))
		if (d->d_name[0] == 's')
			strings_add(&names, view_of(d->d_name));
	closedir(dir);
	assert_int_equal(names.n, 1);
	for (i = 0; i < N_OF(texts); i++) {
		fd = openat(spool_fd(s), names.p[0], O_WRONLY | O_TRUNC);
		file_write_all(fd, texts[i].p, texts[i].n);
		close(fd);
		server_release(&sv);
		server_read(s, "lane", &sv);
		if (sv.failures || sv.proof || !server_is_due(&sv, NOW))
			fail_msg("row %zu", i);
	}
	server_note_failure(s, "lane", &sv, &why, NULL, NOW);
	server_release(&sv);
	assert_int_equal(renameat(spool_fd(s), names.p[0], spool_fd(s), "x"),
			 0);
	assert_int_equal(symlinkat("x", spool_fd(s), names.p[0]), 0);
	server_read(s, "lane", &sv);
	assert_int_equal(sv.failures, 0); /* though it leads to a good one */
	assert_int_equal(unlinkat(spool_fd(s), names.p[0], 0), 0);
	assert_int_equal(mkfifoat(spool_fd(s), names.p[0], 0600), 0);
	alarm(60); /* nobody ever writes to it */
	server_read(s, "lane", &sv);
	alarm(0);
	assert_int_equal(sv.failures, 0);
	assert_int_equal(unlinkat(spool_fd(s), names.p[0], 0), 0);
	assert_int_equal(symlinkat("x", spool_fd(s), names.p[0]), 0);
	server_note_failure(s, "lane", &sv, &why, NULL, NOW);
	server_release(&sv);
	server_read(s, "lane", &sv); /* the link was replaced, not followed */
	assert_int_equal(sv.failures, 1);
	server_release(&sv);
	strings_release(&names);
	outcome_release(&why);
	queue_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remembers_and_forgets),
		cmocka_unit_test(a_clock_that_was_set_back_makes_no_burst),
		cmocka_unit_test(is_only_advice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
