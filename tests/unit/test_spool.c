/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The queue's directory: what comes in, what is read, what a crash leaves. */
#include "queue/spool.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/memory.h"
#include "base/text.h"
#include "home.h"
#include "letter.h"

#define LIMIT (8u << 20)

/* ------------------------------------------------ a file system with faults */

/* These stand in for the C library's. */
static struct {
	int tmpfile; /* errno for O_TMPFILE; 0: as it is */
	int proc;    /* for linkat of /proc/…; */
	int link;    /* for any other linkat */
	int renameat2;
	int renameat;
	int fsync_error;
	unsigned fsync_at; /* which one fails, from 1; 0: none */
	unsigned fsyncs;   /* so many there were */
	unsigned fdatasyncs;
	unsigned unlocked; /* files with a name that were synced without lock */
} fault;

static int open_or_fail(int dir, const char *name, int flags)
{
	if ((flags & O_TMPFILE) == O_TMPFILE && fault.tmpfile) {
		errno = fault.tmpfile;
		return -1;
	}
	return (int)syscall(SYS_openat, dir, name, flags, 0600);
}

/* Both of its names, whatever the size of file offsets. */
int open_for_test(int dir, const char *name, int flags, ...) __asm__("openat");
int open_for_test(int dir, const char *name, int flags, ...)
{
	return open_or_fail(dir, name, flags);
}

int open64_for_test(int dir, const char *name, int flags,
		    ...) __asm__("openat64");
int open64_for_test(int dir, const char *name, int flags, ...)
{
	return open_or_fail(dir, name, flags);
}

static int or_fail(int error, long rc)
{
	if (!error)
		return (int)rc;
	errno = error;
	return -1;
}

int linkat(int from_dir, const char *from, int dir, const char *name, int flags)
{
	int error = *from == '/' ? fault.proc : fault.link;

	return or_fail(error,
		       error ? 0
			     : syscall(SYS_linkat, from_dir, from, dir, name,
				       flags));
}

int renameat2(int from_dir, const char *from, int dir, const char *name,
	      unsigned flags)
{
	return or_fail(fault.renameat2,
		       fault.renameat2 ? 0
				       : syscall(SYS_renameat2, from_dir, from,
						 dir, name, flags));
}

int renameat(int from_dir, const char *from, int dir, const char *name)
{
	return or_fail(fault.renameat,
		       fault.renameat ? 0
				      : syscall(SYS_renameat2, from_dir, from,
						dir, name, 0));
}

/* Is it a file that has a name, and could be somebody else's? */
static bool is_open_to_others(int fd)
{
	char path[64];
	struct stat st;
	int again;
	bool is_open;

	assert_int_equal(fstat(fd, &st), 0);
	if (!S_ISREG(st.st_mode) || !st.st_nlink)
		return false;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDONLY);
	assert_true(again >= 0);
	is_open = flock(again, LOCK_EX | LOCK_NB) == 0;
	close(again);
	return is_open;
}

int fsync(int fd)
{
	fault.fsyncs++;
	fault.unlocked += is_open_to_others(fd);
	if (fault.fsyncs == fault.fsync_at)
		return or_fail(fault.fsync_error, 0);
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	fault.fdatasyncs++;
	return (int)syscall(SYS_fdatasync, fd);
}

static struct spool *open_queue(void)
{
	struct outcome o = OUTCOME_INIT;
	struct spool *s;
	char path[96];

	snprintf(path, sizeof(path), "%s/queue", home);
	s = spool_open(path, true, &o);
	if (!s)
		fail_msg("%s", o.text);
	return s;
}

static void address(struct entry *e, const char *to)
{
	struct outcome o = OUTCOME_INIT;

	envelope_set_sender(&e->envelope, VIEW("alice@example.org"), NULL, &o);
	assert_int_equal(
		envelope_restore_recipient(&e->envelope, view_of(to), &o), 0);
}

/* Queue a text; `e` then is as spool_add leaves it. */
static int add(struct spool *s, struct view text, struct entry *e,
	       struct outcome *o)
{
	struct message m;
	struct content *c;
	int rc;

	read_view(text, &m);
	c = content_new(buf_view(&m.header), &m);
	rc = spool_add(s, e, c, m.header.n, o);
	content_free(c);
	message_release(&m);
	return rc;
}

static char *add_one(struct spool *s, const char *text)
{
	struct outcome o = OUTCOME_INIT;
	struct entry e = ENTRY_INIT;
	char *id;

	address(&e, "bob@example.net");
	assert_int_equal(add(s, view_of(text), &e, &o), 0);
	id = memory_dup(e.id);
	entry_release(&e);
	return id;
}

static size_t count_files(const struct spool *s)
{
	DIR *dir = opendir(spool_path(s));
	const struct dirent *d;
	size_t n = 0;

	while ((d = readdir(dir)))
		n += strcmp(d->d_name, ".") != 0 &&
			strcmp(d->d_name, "..") != 0;
	closedir(dir);
	return n;
}

static void put(const struct spool *s, const char *name, const char *text,
		mode_t mode)
{
	int fd = openat(spool_fd(s), name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void get(const struct spool *s, const char *name, struct buf *out)
{
	struct outcome o = OUTCOME_INIT;
	int fd = openat(spool_fd(s), name, O_RDONLY);

	buf_clear(out);
	assert_int_equal(file_read_fd(fd, name, out, &o), 0);
	close(fd);
}

static void check_body(const struct entry *e, struct view body)
{
	struct outcome o = OUTCOME_INIT;
	char *got = malloc(body.n + 1);
	size_t n = 0;
	ptrdiff_t part;

	assert_int_equal(store_size(e->message.body), body.n);
	while ((part = store_read(e->message.body, n, got + n, body.n + 1 - n,
				  &o)) > 0)
		n += (size_t)part;
	assert_int_equal(part, 0);
	assert_true(view_equal(view_make(got, n), body));
	free(got);
}

/* --------------------------------------------------------------- round trip */

#define TEN(text) text text text text text text text text text text
#define LONG      TEN(TEN(TEN("x"))) /* too long for a line */

static void keeps_a_message(void **state)
{
	static const char text[] =
		"Subject: a\n b\nTo: x\n\n\nbod\303\274\n" LONG "\n\n";
	struct spool *s = open_queue();
	struct outcome o = OUTCOME_INIT;
	struct entry e = ENTRY_INIT;
	int64_t now = time(NULL), at;
	char *id;

	(void)state;
	id = add_one(s, text);
	at = spool_time_of(id);
	assert_true(at >= now && at <= now + 600);
	assert_int_equal(count_files(s), 1);
	assert_int_equal(spool_read(s, id, &e, &o), 1);
	assert_string_equal(e.id, id);
	assert_int_equal(e.fd, -1);
	assert_in_range(e.created, now, at); /* the name is drawn last */
	assert_int_equal(e.message.header.n, 0);
	assert_null(e.message.body);
	entry_release(&e);
	assert_int_equal(spool_take(s, id, &e, &o), 1);
	assert_string_equal(e.envelope.recipients[0].address.mailbox,
			    "bob@example.net");
	assert_string_equal(e.message.header.p,
			    "Subject: a\r\n b\r\nTo: "
			    "x\r\n");
	assert_int_equal(e.message.n_fields, 2);
	check_body(&e, VIEW("\r\nbod\303\274\r\n" LONG "\r\n\r\n"));
	assert_true(e.message.body_8bit);
	assert_int_equal(e.message.longest_line, 1000);
	assert_int_equal(spool_remove(s, &e, &o), 0);
	assert_int_equal(spool_remove(s, &e, &o), 0);
	assert_int_equal(spool_sync(s, &o), 0);
	entry_release(&e);
	assert_int_equal(count_files(s), 0);
	assert_int_equal(spool_take(s, id, &e, &o), 0);
	assert_int_equal(spool_read(s, id, &e, &o), 0);
	entry_release(&e);
	free(id);
	spool_close(s);
	spool_close(NULL);
}

/* Larger than every buffer, the header and the body. */
static void keeps_large_ones(void **state)
{
	static const size_t sizes[] = {0, 1, 8000, 65530, 65536, 1500000};
	struct spool *s = open_queue();
	size_t i, j;

	(void)state;
	for (i = 0; i < 2 * N_OF(sizes); i++) {
		struct buf text = BUF_INIT(LIMIT), body = BUF_INIT(LIMIT);
		struct outcome o = OUTCOME_INIT;
		struct entry e = ENTRY_INIT;
		size_t n = sizes[i / 2], header_n = i % 2 ? 100000 : 0;
		char *id;

		for (j = 0; j < header_n; j += 60)
			buf_add_text(&text,
				     "X-Long: 45678901234567890123456789"
				     "01234567890123456789012345678\n");
		buf_add_char(&text, '\n');
		for (j = 0; j < n; j++)
			buf_add_char(&body, "abcdefghijklmnopqrstuvw"[j % 23]);
		if (n)
			buf_add_text(&body, "\r\n");
		buf_add_view(&text, buf_view(&body));
		id = add_one(s, text.p);
		assert_int_equal(spool_read_whole(s, id, &e, &o), 1);
		assert_int_equal(e.message.n_fields, (header_n + 59) / 60);
		check_body(&e, buf_view(&body));
		entry_release(&e);
		assert_int_equal(spool_take(s, id, &e, &o), 1);
		check_body(&e, buf_view(&body));
		spool_remove(s, &e, &o);
		entry_release(&e);
		buf_release(&text);
		buf_release(&body);
		free(id);
	}
	spool_close(s);
}

/* More recipients than are read at once, and more events. */
static void keeps_many_recipients(void **state)
{
	struct spool *s = open_queue();
	struct outcome o = OUTCOME_INIT;
	struct entry e = ENTRY_INIT;
	struct buf lines = BUF_INIT(LIMIT);
	struct progress p = {.at = 1};
	char name[64];
	char *id;
	size_t i;

	(void)state;
	for (i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "r%zu@example.net", i);
		address(&e, name);
	}
	assert_int_equal(add(s, VIEW("A: b\n\nc\n"), &e, &o), 0);
	id = memory_dup(e.id);
	entry_release(&e);
	assert_int_equal(spool_take(s, id, &e, &o), 1);
	fail(&p.answer, CAUSE_CONNECT, "4.4.1", "%0500d", 7);
	for (i = 0; i < 3000; i++)
		entry_note_answer(&e, i, &p, &lines);
	assert_int_equal(spool_append(&e, buf_view(&lines), &o), 0);
	entry_release(&e);
	assert_int_equal(spool_read(s, id, &e, &o), 1);
	assert_int_equal(e.envelope.n_recipients, 3000);
	for (i = 0; i < 3000; i++)
		assert_int_equal(e.progress[i].at, 1);
	entry_release(&e);
	outcome_release(&p.answer);
	buf_release(&lines);
	free(id);
	spool_close(s);
}

/* What was tried before it was queued. */
static void keeps_what_came_before(void **state)
{
	struct spool *s = open_queue();
	struct outcome o = OUTCOME_INIT;
	struct entry e = ENTRY_INIT;
	char *id;

	(void)state;
	address(&e, "bob@example.net");
	e.progress = memory_alloc(sizeof(*e.progress));
	e.progress[0].at = 5;
	fail(&e.progress[0].answer, CAUSE_RECIPIENT, "4.2.0", "later");
	e.attempts = 1;
	e.last_attempt = 5;
	e.next_attempt = 65;
	assert_int_equal(add(s, VIEW("A: b\n\nc\n"), &e, &o), 0);
	id = memory_dup(e.id);
	entry_release(&e);
	assert_int_equal(spool_read(s, id, &e, &o), 1);
	assert_string_equal(e.progress[0].answer.text, "later");
	assert_int_equal(e.attempts, 1);
	assert_int_equal(e.next_attempt, 65);
	entry_release(&e);
	free(id);
	spool_close(s);
}

static void adds_a_given_id_once(void **state)
{
	struct spool *s = open_queue();
	struct buf first = BUF_INIT(LIMIT), second = BUF_INIT(LIMIT);
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct outcome o = OUTCOME_INIT;
		struct entry e = ENTRY_INIT;

		e.id = memory_dup("0mx1hog8alxwtria");
		address(&e, i ? "bob@example.net" : "carol@example.net");
		assert_int_equal(add(s, VIEW("A: b\n\nc\n"), &e, &o), 0);
		assert_string_equal(e.id, "0mx1hog8alxwtria");
		get(s, e.id, i ? &second : &first);
		entry_release(&e);
	}
	assert_string_equal(first.p, second.p);
	assert_int_equal(count_files(s), 1);
	buf_release(&first);
	buf_release(&second);
	spool_close(s);
}

static void refuses_a_bad_value(void **state)
{
	struct spool *s = open_queue();
	struct outcome o = OUTCOME_INIT;
	struct entry e = ENTRY_INIT;

	(void)state;
	address(&e, "bob@example.net");
	e.account = memory_dup("a\nb");
	assert_int_equal(add(s, VIEW("A: b\n\nc\n"), &e, &o), -1);
	assert_int_equal(o.cause, CAUSE_USAGE);
	assert_null(e.id);
	assert_int_equal(count_files(s), 0);
	outcome_release(&o);
	entry_release(&e);
	spool_close(s);
}

static void has_files_of_its_own_whatever_the_umask(void **state)
{
	struct spool *s = open_queue();
	mode_t before = umask(0777);
	struct stat st;
	char *id = add_one(s, "A: b\n\nc\n");

	(void)state;
	umask(before);
	assert_int_equal(fstatat(spool_fd(s), id, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	free(id);
	spool_close(s);
}

/* -------------------------------------------------------------------- names */

static void knows_ids(void **state)
{
	static const struct {
		const char *id;
		int64_t at;
	} rows[] = {
		{"0000000000000000", 0},
		{"0000000rs0000000", 1},
		{"0000000rrzzzzzzz", 0},
		{"zzzzzzzzz0000000", 101559956668},
		{"0mx1hog8alxwtria", 1795935587},
		{"", -1},
		{".", -1},
		{"000000000000000", -1},
		{"00000000000000000", -1},
		{"000000000000000A", -1},
		{"tmp.000000000000", -1},
		{"0000000000000000.", -1},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++)
		if (spool_time_of(rows[i].id) != rows[i].at)
			fail_msg("%s: %lld", rows[i].id,
				 (long long)spool_time_of(rows[i].id));
}

static void lists_by_age(void **state)
{
	static const char *const names[] = {
		"zzzzzzzzz0000000", "0mx1hog8alxwtria", "tmp.0mx1hog8alxwtrib",
		"0mx1hog8alxwtrib", "server.abc",       "0mx1hog8blxwtria",
		"README",           "0000000000000000",
	};
	struct spool *s = open_queue();
	struct strings ids = STRINGS_INIT;
	struct outcome o = OUTCOME_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(names); i++)
		put(s, names[i], "", 0600);
	for (i = 0; i < 2; i++) { /* each time from the start */
		assert_int_equal(spool_list(s, &ids, &o), 0);
		assert_int_equal(ids.n, 5);
		assert_string_equal(ids.p[0], "0000000000000000");
		assert_string_equal(ids.p[1], "0mx1hog8alxwtria");
		assert_string_equal(ids.p[2], "0mx1hog8alxwtrib");
		assert_string_equal(ids.p[3], "0mx1hog8blxwtria");
		strings_release(&ids);
	}
	spool_close(s);
}

/* -------------------------------------------------------------------- locks */

static void is_taken_by_one(void **state)
{
	struct spool *s = open_queue();
	struct outcome o = OUTCOME_INIT;
	struct entry a = ENTRY_INIT, b = ENTRY_INIT, c = ENTRY_INIT;
	char *id = add_one(s, "A: b\n\nc\n");

	(void)state;
	assert_int_equal(spool_take(s, id, &a, &o), 1);
	assert_int_equal(spool_take(s, id, &b, &o), 0);
	entry_release(&b);
	assert_int_equal(spool_read(s, id, &c, &o), 1); /* locks nothing */
	entry_release(&c);
	entry_release(&a);
	assert_int_equal(spool_read_whole(s, id, &c, &o), 1);
	assert_int_equal(spool_take(s, id, &b, &o), 1);
	entry_release(&c);
	entry_release(&b);
	free(id);
	spool_close(s);
}

/* ------------------------------------------------------------------- events */

#define HEAD "postrider 1\nfrom\nto a@b.example\nheader 6\nsize 11\n\n"
#define MAIL "A: b\r\n\r\nx\r\n"
#define NAME "0mx1hog8alxwtria"

/* Whatever is there of two events, the next one is whole. */
static void cuts_a_torn_end_off(void **state)
{
	static const char events[] = "attempt 1 2\nattempt 3 4\n";
	struct spool *s = open_queue();
	struct buf text = BUF_INIT(LIMIT), want = BUF_INIT(LIMIT);
	size_t n, whole;

	(void)state;
	for (n = 0; n <= strlen(events); n++) {
		struct outcome o = OUTCOME_INIT;
		struct entry e = ENTRY_INIT;

		whole = n / 12 * 12;
		buf_clear(&want);
		buf_printf(&text, HEAD MAIL "%.*s", (int)n, events);
		put(s, NAME, text.p, 0600);
		assert_int_equal(spool_take(s, NAME, &e, &o), 1);
		assert_int_equal(e.attempts, whole / 12);
		assert_int_equal(e.end, strlen(HEAD MAIL) + whole);
		assert_int_equal(spool_append(&e, VIEW("retry 5\n"), &o), 0);
		entry_release(&e);
		buf_printf(&want, HEAD MAIL "%.*sretry 5\n", (int)whole,
			   events);
		get(s, NAME, &text);
		assert_string_equal(text.p, want.p);
		buf_clear(&text);
	}
	buf_release(&text);
	buf_release(&want);
	spool_close(s);
}

/* Room that is promised is still there when the line is written. */
static void keeps_room_behind_a_torn_end(void **state)
{
	struct spool *s = open_queue();
	struct outcome o = OUTCOME_INIT;
	struct entry e = ENTRY_INIT;
	struct stat before, after;

	(void)state;
	put(s, NAME, HEAD MAIL "attempt 1 2\nattem", 0600);
	assert_int_equal(spool_take(s, NAME, &e, &o), 1);
	assert_int_equal(spool_reserve(&e, 1u << 20, &o), 0);
	assert_int_equal(fstat(e.fd, &before), 0);
	assert_int_equal(spool_append(&e, VIEW("retry 5\n"), &o), 0);
	assert_int_equal(fstat(e.fd, &after), 0);
	assert_true(after.st_blocks >= before.st_blocks);
	assert_int_equal(after.st_size, e.end);
	entry_release(&e);
	spool_close(s);
}

/* A message need not end in a line's end: events begin where it ends. */
static void knows_where_a_message_ends(void **state)
{
	struct spool *s = open_queue();
	struct outcome o = OUTCOME_INIT;
	struct entry e = ENTRY_INIT;

	(void)state;
	put(s, NAME,
	    "postrider 1\nfrom\nto a@b.example\nheader 0\nsize 15\n\n"
	    "\r\nattempt 1 2\nxattempt 3 4\n",
	    0600);
	assert_int_equal(spool_take(s, NAME, &e, &o), 1);
	assert_int_equal(e.attempts, 1);
	assert_int_equal(e.last_attempt, 3);
	check_body(&e, VIEW("attempt 1 2\nx"));
	entry_release(&e);
	spool_close(s);
}

static void refuses_what_is_cut_off(void **state)
{
	static const char text[] = HEAD MAIL;
	struct spool *s = open_queue();
	size_t n;

	(void)state;
	for (n = 0; n <= strlen(text); n++) {
		struct outcome o = OUTCOME_INIT;
		struct entry e = ENTRY_INIT;
		char *cut = memory_dup_n(text, n);
		int rc;

		put(s, NAME, cut, 0600);
		rc = spool_read(s, NAME, &e, &o);
		assert_int_equal(rc, n < strlen(text) ? -1 : 1);
		if (rc < 0) {
			assert_non_null(strstr(o.text, "it is cut off"));
			assert_non_null(strstr(o.text, "message " NAME));
		}
		outcome_release(&o);
		entry_release(&e);
		free(cut);
	}
	spool_close(s);
}

/* --------------------------------------------------------- what is not ours */

static void refuse(const struct spool *s, const char *why)
{
	int (*const ways[])(const struct spool *, const char *, struct entry *,
			    struct outcome *) = {spool_read, spool_take};
	size_t i;

	for (i = 0; i < N_OF(ways); i++) {
		struct outcome o = OUTCOME_INIT;
		struct entry e = ENTRY_INIT;

		assert_int_equal(ways[i](s, NAME, &e, &o), -1);
		if (!strstr(o.text, why))
			fail_msg("%s", o.text);
		assert_int_equal(o.cause, CAUSE_SYSTEM);
		assert_int_equal(e.fd, -1);
		outcome_release(&o);
		entry_release(&e);
	}
	unlinkat(spool_fd(s), NAME, 0);
}

static void trusts_no_file_of_others(void **state)
{
	struct spool *s = open_queue();

	(void)state;
	put(s, "real", HEAD MAIL, 0600);
	assert_int_equal(symlinkat("real", spool_fd(s), NAME), 0);
	refuse(s, "it is a link");
	assert_int_equal(symlinkat("nowhere", spool_fd(s), NAME), 0);
	refuse(s, "it is a link");
	assert_int_equal(mkfifoat(spool_fd(s), NAME, 0600), 0);
	refuse(s, "no regular file");
	put(s, NAME, HEAD MAIL, 0620);
	refuse(s, "others may write");
	put(s, NAME, HEAD MAIL, 0602);
	refuse(s, "others may write");
	put(s, NAME, "Hello", 0600);
	refuse(s, "no message of the queue");
	if (geteuid() == 0) { /* else there is nobody to be */
		put(s, NAME, HEAD MAIL, 0600);
		assert_int_equal(fchownat(spool_fd(s), NAME, 1, 1, 0), 0);
		refuse(s, "belongs to user 1");
	}
	spool_close(s);
}

/* ----------------------------------------------------------------- failures */

/* A disk that has room for so many octets of a file, for all of them. */
static void leaves_nothing_when_there_is_no_room(void **state)
{
	struct spool *s = open_queue();
	struct buf text = BUF_INIT(LIMIT);
	struct rlimit old, small;
	size_t room;

	(void)state;
	buf_add_text(&text, "A: b\n\n");
	while (text.n < 200000)
		buf_add_text(&text, "a line\n");
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	for (room = 0; room < 200000; room += 20000) {
		struct outcome o = OUTCOME_INIT;
		struct entry e = ENTRY_INIT;
		struct message m;
		struct content *c;
		int rc;

		address(&e, "bob@example.net");
		read_view(buf_view(&text), &m);
		c = content_new(buf_view(&m.header), &m);
		small.rlim_cur = room;
		setrlimit(RLIMIT_FSIZE, &small);
		rc = spool_add(s, &e, c, m.header.n, &o);
		setrlimit(RLIMIT_FSIZE, &old);
		assert_int_equal(rc, -1);
		assert_int_equal(o.cause, CAUSE_SYSTEM);
		assert_true(outcome_is_temporary(&o));
		assert_non_null(strstr(o.text, spool_path(s)));
		assert_null(e.id);
		assert_int_equal(count_files(s), 0);
		outcome_release(&o);
		entry_release(&e);
		content_free(c);
		message_release(&m);
	}
	buf_release(&text);
	spool_close(s);
}

/* Part of the events fits: none of them is there. */
static void appends_all_or_nothing(void **state)
{
	struct spool *s = open_queue();
	struct outcome o = OUTCOME_INIT;
	struct entry e = ENTRY_INIT;
	struct buf text = BUF_INIT(LIMIT);
	struct rlimit old, small;
	int rc;

	(void)state;
	put(s, NAME, HEAD MAIL, 0600);
	assert_int_equal(spool_take(s, NAME, &e, &o), 1);
	getrlimit(RLIMIT_FSIZE, &old);
	small = old;
	small.rlim_cur = e.end + 10;
	setrlimit(RLIMIT_FSIZE, &small);
	rc = spool_append(&e, VIEW("retry 1\nretry 2\n"), &o);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(rc, -1);
	assert_non_null(strstr(o.text, NAME));
	get(s, NAME, &text);
	assert_string_equal(text.p, HEAD MAIL);
	assert_int_equal(e.end, strlen(HEAD MAIL));
	outcome_release(&o);
	fault.fdatasyncs = 0;
	assert_int_equal(spool_append(&e, VIEW("retry 3\n"), &o), 0);
	assert_int_equal(fault.fdatasyncs, 1);
	get(s, NAME, &text);
	assert_string_equal(text.p, HEAD MAIL "retry 3\n");
	entry_release(&e);
	buf_release(&text);
	spool_close(s);
}

/* Each way to come into the queue, where the file system lacks those before. */
static void comes_in_by_every_way(void **state)
{
	static const struct {
		int tmpfile, proc, renameat2, link;
		unsigned fsyncs;
	} rows[] = {
		{0, 0, 0, 0, 2},
		{EOPNOTSUPP, 0, 0, 0, 2},
		{EISDIR, 0, 0, 0, 2},
		{ENOENT, 0, 0, 0, 2},
		{0, ENOENT, 0, 0, 3}, /* /proc is missing: written twice */
		{0, EPERM, 0, 0, 3},
		{EOPNOTSUPP, 0, EINVAL, 0, 2},
		{EOPNOTSUPP, 0, ENOSYS, 0, 2},
		{EOPNOTSUPP, 0, EINVAL, EPERM, 2},
		{EOPNOTSUPP, 0, EINVAL, EOPNOTSUPP, 2},
	};
	size_t i, given;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		struct spool *s = open_queue();
		struct outcome o = OUTCOME_INIT;
		struct buf first = BUF_INIT(LIMIT), now = BUF_INIT(LIMIT);

		memset(&fault, 0, sizeof(fault));
		fault.tmpfile = rows[i].tmpfile;
		fault.proc = rows[i].proc;
		fault.renameat2 = rows[i].renameat2;
		fault.link = rows[i].link;
		free(add_one(s, "A: b\n\nc\n"));
		assert_int_equal(fault.fsyncs, rows[i].fsyncs);
		assert_int_equal(count_files(s), 1);
		for (given = 0; given < 2; given++) {
			struct entry e = ENTRY_INIT;

			e.id = memory_dup(NAME);
			address(&e, given ? "a@b.example" : "c@d.example");
			if (add(s, VIEW("A: b\n\nc\n"), &e, &o) < 0)
				fail_msg("%s", o.text);
			get(s, NAME, given ? &now : &first);
			entry_release(&e);
			assert_int_equal(count_files(s), 2);
			if (spool_read(s, NAME, &e, &o) != 1)
				fail_msg("%zu: %s", i, o.text);
			entry_release(&e);
		}
		assert_string_equal(first.p, now.p);
		assert_int_equal(fault.unlocked, 0); /* see spool_clean */
		memset(&fault, 0, sizeof(fault));
		buf_release(&first);
		buf_release(&now);
		spool_close(s);
		assert_int_equal(system("rm -rf queue"), 0);
	}
}

/* Where a step fails nothing is there, whatever the way. */
static void leaves_nothing_when_a_step_fails(void **state)
{
	static const struct {
		int tmpfile, proc, renameat2, link, renameat;
		unsigned fsync_at;
		int error;
		const char *status;
	} rows[] = {
		{EROFS, 0, 0, 0, 0, 0, 0, "4.3.0"},
		{ENOSPC, 0, 0, 0, 0, 0, 0, "4.3.1"},
		{0, 0, 0, 0, 0, 1, EIO, "4.3.0"},
		{0, 0, 0, 0, 0, 1, EDQUOT, "4.3.1"},
		{0, 0, 0, 0, 0, 2, EIO, "4.3.0"},
		{0, ENOSPC, 0, 0, 0, 0, 0, "4.3.1"},
		{0, EIO, 0, 0, 0, 0, 0, "4.3.0"},
		{EISDIR, 0, 0, 0, 0, 1, EIO, "4.3.0"},
		{EISDIR, 0, 0, 0, 0, 2, EIO, "4.3.0"},
		{EISDIR, 0, ENOSPC, 0, 0, 0, 0, "4.3.1"},
		{EISDIR, 0, EINVAL, EPERM, EIO, 0, 0, "4.3.0"},
	};
	struct spool *s = open_queue();
	size_t i, given;

	(void)state;
	for (i = 0; i < 2 * N_OF(rows); i++) {
		struct outcome o = OUTCOME_INIT;
		struct entry e = ENTRY_INIT;

		given = i % 2;
		address(&e, "a@b.example");
		if (given)
			e.id = memory_dup(NAME);
		memset(&fault, 0, sizeof(fault));
		fault.tmpfile = rows[i / 2].tmpfile;
		fault.proc = rows[i / 2].proc;
		fault.renameat2 = rows[i / 2].renameat2;
		fault.link = rows[i / 2].link;
		fault.renameat = rows[i / 2].renameat;
		fault.fsync_at = rows[i / 2].fsync_at;
		fault.fsync_error = rows[i / 2].error;
		if (add(s, VIEW("A: b\n\nc\n"), &e, &o) == 0)
			fail_msg("row %zu", i / 2);
		memset(&fault, 0, sizeof(fault));
		assert_int_equal(o.cause, CAUSE_SYSTEM);
		assert_string_equal(o.status, rows[i / 2].status);
		assert_int_equal(e.id != NULL, given);
		assert_int_equal(count_files(s), 0);
		outcome_release(&o);
		entry_release(&e);
	}
	spool_close(s);
}

/* A signal is no failure. */
static void is_not_disturbed_by_signals(void **state)
{
	struct spool *s = open_queue();
	unsigned at;

	(void)state;
	for (at = 1; at <= 2; at++) {
		memset(&fault, 0, sizeof(fault));
		fault.fsync_at = at;
		fault.fsync_error = EINTR;
		free(add_one(s, "A: b\n\nc\n"));
		assert_int_equal(fault.fsyncs, 3);
	}
	memset(&fault, 0, sizeof(fault));
	spool_close(s);
}

/* ----------------------------------------------------------------- clean-up */

static void cleans_up_what_is_abandoned(void **state)
{
	static const struct {
		const char *name;
		int64_t age; /* seconds */
		bool is_locked, stays;
	} rows[] = {
		{"tmp.a", 7200, false, false},
		{"tmp.server.5", 7200, false, false},
		{"tmp.b", -7200, false, false},
		{"tmp.c", 60, false, true},
		{"tmp.d", -60, false, true},
		{"tmp.e", 7200, true, true},
		{"server.x", 7200, false, true},
		{NAME, 7200, false, true},
		{"note", 7200, false, true},
	};
	struct spool *s = open_queue();
	int fds[N_OF(rows)];
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		const struct timespec at = {time(NULL) - rows[i].age, 0};
		const struct timespec times[2] = {at, at};

		put(s, rows[i].name, "", 0600);
		utimensat(spool_fd(s), rows[i].name, times, 0);
		fds[i] = openat(spool_fd(s), rows[i].name, O_RDONLY);
		if (rows[i].is_locked)
			assert_int_equal(flock(fds[i], LOCK_EX), 0);
	}
	assert_int_equal(symlinkat("note", spool_fd(s), "tmp.link"), 0);
	assert_int_equal(mkfifoat(spool_fd(s), "tmp.fifo", 0600), 0);
	spool_clean(s);
	for (i = 0; i < N_OF(rows); i++) {
		if ((faccessat(spool_fd(s), rows[i].name, F_OK, 0) == 0) !=
		    rows[i].stays)
			fail_msg("%s", rows[i].name);
		close(fds[i]);
	}
	spool_close(s);
}

/* -------------------------------------------------------- several at a time */

#define WRITERS 4
#define EACH    40

/* Each draws ids of its own, and all are there. */
static void several_add_at_a_time(void **state)
{
	struct spool *s = open_queue();
	struct strings ids = STRINGS_INIT;
	struct outcome o = OUTCOME_INIT;
	size_t i, j;
	int status;

	(void)state;
	for (i = 0; i < WRITERS; i++) {
		if (fork() != 0)
			continue;
		for (j = 0; j < EACH; j++)
			free(add_one(s, "A: b\n\nc\n"));
		_exit(0);
	}
	for (i = 0; i < WRITERS; i++) {
		wait(&status);
		assert_int_equal(status, 0);
	}
	assert_int_equal(spool_list(s, &ids, &o), 0);
	assert_int_equal(ids.n, WRITERS * EACH);
	for (i = 0; i < ids.n; i++) {
		struct entry e = ENTRY_INIT;

		assert_int_equal(spool_take(s, ids.p[i], &e, &o), 1);
		entry_release(&e);
	}
	assert_int_equal(count_files(s), WRITERS * EACH);
	strings_release(&ids);
	spool_close(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_home, remove_home)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(keeps_a_message),
		TEST(keeps_large_ones),
		TEST(keeps_many_recipients),
		TEST(keeps_what_came_before),
		TEST(adds_a_given_id_once),
		TEST(refuses_a_bad_value),
		TEST(has_files_of_its_own_whatever_the_umask),
		TEST(knows_ids),
		TEST(lists_by_age),
		TEST(is_taken_by_one),
		TEST(cuts_a_torn_end_off),
		TEST(keeps_room_behind_a_torn_end),
		TEST(knows_where_a_message_ends),
		TEST(refuses_what_is_cut_off),
		TEST(trusts_no_file_of_others),
		TEST(leaves_nothing_when_there_is_no_room),
		TEST(appends_all_or_nothing),
		TEST(comes_in_by_every_way),
		TEST(leaves_nothing_when_a_step_fails),
		TEST(is_not_disturbed_by_signals),
		TEST(cleans_up_what_is_abandoned),
		TEST(several_add_at_a_time),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
