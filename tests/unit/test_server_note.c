/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is remembered of a server that could not be used. */
#include "queue/server.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "queue.h"

#define NOW 1800000000

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

/* What is broken, or somebody else's, is not believed, and no harm. */
static void is_only_advice(void **state)
{
	static const char *const texts[] = {
		"",
		"failures 4\n",
		"failures x\nlast y\ncause z\nstatus 4.4.1\ntext a\n",
		"failures 1\ncause connect\nstatus 9.9.9\ntext a\n",
		"failures 1\ncause connect\nstatus 4.4.1\n",
		"\0\0\0\0",
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
		file_write_all(fd, texts[i], strlen(texts[i]));
		close(fd);
		server_release(&sv);
		server_read(s, "lane", &sv);
		if (sv.failures || !server_is_due(&sv, NOW))
			fail_msg("row %zu", i);
	}
	assert_int_equal(unlinkat(spool_fd(s), names.p[0], 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", spool_fd(s), names.p[0]), 0);
	server_read(s, "lane", &sv);
	assert_int_equal(sv.failures, 0);
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
		cmocka_unit_test(is_only_advice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
