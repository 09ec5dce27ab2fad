/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A body that stays in the file it came from: it is what was read, and a file
 * that was changed since is not sent. */
#include "mail/source.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "feed.h"
#include "mail/intake.h"
#include "unit.h"

#define BLOCK INTAKE_BLOCK
#define LIMIT (16u << 20) /* octets of anything compared */
#define LARGE (MESSAGE_MEMORY_LIMIT + 3 * BLOCK)

/* Files' times go by ticks, so who has just been written to is not trusted. */
static void let_it_rest(void)
{
	const struct timespec pause = {.tv_nsec = 2 * SOURCE_STILL * 1000000L};

	nanosleep(&pause, NULL);
}

/* `n` octets of lines, each of another length. */
static void add_lines(struct buf *b, size_t n, const char *end)
{
	size_t begin = b->n, i;

	for (i = 0; b->n - begin < n; i++)
		buf_printf(b, "%s%0*zu%s", i % 7 ? "" : ".", (int)(i % 90), i,
			   end);
}

static void read_body(const struct message *m, size_t step, struct buf *out)
{
	struct outcome o = OUTCOME_INIT;
	ptrdiff_t got;

	buf_clear(out);
	do {
		got = store_read(m->body, out->n, buf_room(out, step), step,
				 &o);
		assert_true(got >= 0);
		out->n += (size_t)got;
	} while (got > 0);
	assert_int_equal(out->n, store_size(m->body));
	out->p[out->n] = '\0';
}

/* The same octets as they come by a pipe, of which there is no second look. */
static void push(struct view v, struct message *m)
{
	const struct intake_policy policy = {0};
	struct outcome o = OUTCOME_INIT;
	struct intake *in = intake_new(m, &policy);

	assert_int_equal(intake_take(in, v, &o), 0);
	assert_int_equal(intake_end(in, &o), 0);
	intake_free(in);
}

static void check_same(const struct message *a, const struct message *b,
		       size_t step)
{
	struct buf one = BUF_INIT(LIMIT), other = BUF_INIT(LIMIT);

	read_body(a, step, &one);
	read_body(b, BLOCK, &other);
	assert_int_equal(one.n, other.n);
	assert_memory_equal(one.p, other.p, one.n);
	assert_true(view_equal(buf_view(&a->header), buf_view(&b->header)));
	assert_int_equal(a->nul_line, b->nul_line);
	assert_int_equal(a->bare_cr_line, b->bare_cr_line);
	assert_int_equal(a->longest_line, b->longest_line);
	assert_int_equal(a->body_8bit, b->body_8bit);
	buf_release(&one);
	buf_release(&other);
}

/* Octets that come at some place of a body, or behind it. */
static const struct view guests[] = {
	{"", 0},       {"no end", 6},      {"\n", 1},
	{"\r\n", 2},   {"a\nb\r\nc\n", 7}, {"\r", 1},
	{"x\ry\n", 4}, {"\0\n", 2},        {"\xc3\xa4\r\n", 4},
	{"\r\r\n", 3},
};

#define N_PLACES 5

/* A header, lines, a guest, and at other places than the last more lines. */
static void make_input(struct buf *b, const char *end, struct view guest,
		       size_t place)
{
	static const size_t sizes[N_PLACES] = {1000, MESSAGE_MEMORY_LIMIT - 5,
					       MESSAGE_MEMORY_LIMIT,
					       2 * MESSAGE_MEMORY_LIMIT, LARGE};

	buf_clear(b);
	buf_printf(b, "A: b%s%s", end, end);
	add_lines(b, sizes[place], end);
	buf_add_view(b, guest);
	if (place < N_PLACES - 1)
		add_lines(b, LARGE, end);
}

static void check_file(int fd, struct view input)
{
	static const size_t steps[] = {BLOCK, 4 * BLOCK, 999, BLOCK + 1};
	const struct intake_policy policy = {0};
	struct message m = MESSAGE_INIT, pushed = MESSAGE_INIT;
	struct outcome o = OUTCOME_INIT;
	size_t i;

	assert_int_equal(intake_read(fd, &policy, &m, &o), 0);
	push(input, &pushed);
	for (i = 0; i < N_OF(steps); i++)
		check_same(&m, &pushed, steps[i]);
	message_release(&m);
	message_release(&pushed);
}

static void a_file_is_as_good_as_a_pipe(void **state)
{
	static const char *const ends[] = {"\n", "\r\n"};
	static int fds[2][N_OF(guests)][N_PLACES];
	struct buf input = BUF_INIT(LIMIT);
	size_t pass, e, g, p;

	(void)state;
	for (pass = 0; pass < 2; pass++) {
		for (e = 0; e < 2; e++)
			for (g = 0; g < N_OF(guests); g++)
				for (p = 0; p < N_PLACES; p++) {
					make_input(&input, ends[e], guests[g],
						   p);
					if (pass == 0) {
						fds[e][g][p] = feed_file(
							buf_view(&input));
						continue;
					}
					check_file(fds[e][g][p],
						   buf_view(&input));
					close(fds[e][g][p]);
				}
		let_it_rest();
	}
	buf_release(&input);
}

/* Somebody else has read the front of it, a shell's `read` for one. */
static void a_file_begins_where_it_is(void **state)
{
	static const char front[] = "not of the message\n";
	static const char *const ends[] = {"\n", "\r\n"};
	struct buf input = BUF_INIT(LIMIT), whole = BUF_INIT(LIMIT);
	size_t e;

	(void)state;
	for (e = 0; e < 2; e++) {
		int fd;

		make_input(&input, ends[e], VIEW(""), N_PLACES - 1);
		buf_clear(&whole);
		buf_add_text(&whole, front);
		buf_add_view(&whole, buf_view(&input));
		fd = feed_file(buf_view(&whole));
		let_it_rest();
		assert_int_equal(lseek(fd, (off_t)strlen(front), SEEK_SET),
				 strlen(front));
		check_file(fd, buf_view(&input));
		close(fd);
	}
	buf_release(&input);
	buf_release(&whole);
}

/* Read that soon after it was written to. */
static int read_at_once(struct view input, struct message *m)
{
	const struct intake_policy policy = {0};
	struct outcome o = OUTCOME_INIT;
	int fd = feed_file(input);
	int64_t begin;

	for (;;) { /* until nobody has kept us from it */
		begin = clock_ms();
		assert_int_equal(pwrite(fd, input.p, 1, 0), 1);
		assert_int_equal(intake_read(fd, &policy, m, &o), 0);
		if (clock_ms() - begin < SOURCE_STILL / 2)
			return fd;
		message_release(m);
		*m = MESSAGE_INIT;
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	}
}

/* Who writes it may do so once more within the same tick. So it is read but
 * once, and what is done to it then is nothing to the message. */
static void what_was_written_just_now_is_not_left_there(void **state)
{
	static const char *const ends[] = {"\n", "\r\n"};
	struct buf input = BUF_INIT(LIMIT), body = BUF_INIT(LIMIT);
	size_t e;

	(void)state;
	for (e = 0; e < 2; e++) {
		struct message m = MESSAGE_INIT;
		int fd;

		buf_clear(&input);
		buf_printf(&input, "A: b%s%s", ends[e], ends[e]);
		add_lines(&input, MESSAGE_MEMORY_LIMIT + 1, ends[e]);
		fd = read_at_once(buf_view(&input), &m);
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_true(store_size(m.body) > MESSAGE_MEMORY_LIMIT);
		read_body(&m, BLOCK, &body);
		message_release(&m);
		close(fd);
	}
	buf_release(&input);
	buf_release(&body);
}

/* Lines end in another way from a block's border on, ahead of what memory holds
 * and behind it. */
static void line_ends_may_change(void **state)
{
	static const char *const ends[] = {"\n", "\r\n"};
	static const size_t blocks[] = {1, 2, 3};
	struct buf inputs[2 * N_OF(blocks)];
	int fds[N_OF(inputs)];
	struct buf *b;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(inputs); i++) {
		b = &inputs[i];
		*b = BUF_INIT(LIMIT);
		buf_printf(b, "A: b%s%s", ends[i % 2], ends[i % 2]);
		add_lines(b, blocks[i / 2] * BLOCK - 200, ends[i % 2]);
		while (b->n < blocks[i / 2] * BLOCK - 2)
			buf_add_char(b, 'x');
		buf_add_text(b, i % 2 ? "\r\n" : "x\n");
		add_lines(b, LARGE, ends[1 - i % 2]);
		fds[i] = feed_file(buf_view(b));
	}
	let_it_rest();
	for (i = 0; i < N_OF(inputs); i++) {
		check_file(fds[i], buf_view(&inputs[i]));
		close(fds[i]);
		buf_release(&inputs[i]);
	}
}

/* A message in a file; its octets are in `input` as well. */
static int file_of(const char *end, struct buf *input, struct message *m)
{
	const struct intake_policy policy = {0};
	struct outcome o = OUTCOME_INIT;
	int fd;

	make_input(input, end, VIEW(""), N_PLACES - 1);
	fd = feed_file(buf_view(input));
	let_it_rest();
	assert_int_equal(intake_read(fd, &policy, m, &o), 0);
	return fd;
}

/* Wherever reading begins, and wherever it went before. */
static void any_octet_can_be_had(void **state)
{
	static const char *const ends[] = {"\n", "\r\n"};
	struct buf input = BUF_INIT(LIMIT), body = BUF_INIT(LIMIT);
	struct outcome o = OUTCOME_INIT;
	char octets[3];
	ptrdiff_t got;
	size_t e, i;

	(void)state;
	for (e = 0; e < 2; e++) {
		struct message m = MESSAGE_INIT;
		int fd = file_of(ends[e], &input, &m);

		read_body(&m, BLOCK, &body);
		for (i = 0; i < 300; i++) {
			got = store_read(m.body, i, octets, 1 + i % 3, &o);
			assert_int_equal(got, 1 + i % 3);
			assert_memory_equal(octets, body.p + i, 1 + i % 3);
			got = store_read(m.body, 299 - i, octets, 1, &o);
			assert_int_equal(got, 1);
			assert_memory_equal(octets, body.p + 299 - i, 1);
		}
		got = store_read(m.body, body.n - 1, octets, 3, &o);
		assert_int_equal(got, 1);
		assert_int_equal(octets[0], '\n');
		assert_int_equal(store_read(m.body, body.n, octets, 3, &o), 0);
		message_release(&m);
		close(fd);
	}
	buf_release(&input);
	buf_release(&body);
}

static void check_refused(const struct message *m)
{
	struct outcome o = OUTCOME_INIT;
	char *block = malloc(BLOCK);
	uint64_t at = 0;
	ptrdiff_t got;

	while ((got = store_read(m->body, at, block, BLOCK, &o)) > 0)
		at += (uint64_t)got;
	assert_int_equal(got, -1);
	assert_int_equal(o.cause, CAUSE_SYSTEM);
	assert_string_equal(o.status, "4.3.0");
	outcome_release(&o);
	free(block);
}

static void write_unnoticed(int fd)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	times[1] = status.st_mtim;
	assert_int_equal(pwrite(fd, "y", 1, 600000), 1);
	assert_int_equal(futimens(fd, times), 0);
}

/* It is written to, or cut off; with its old time as well. */
static void a_change_is_noticed(void **state)
{
	static const char *const ends[] = {"\n", "\r\n"};
	struct buf input = BUF_INIT(LIMIT);
	size_t e, how;

	(void)state;
	for (e = 0; e < 2; e++)
		for (how = 0; how < 3; how++) {
			struct message m = MESSAGE_INIT;
			int fd = file_of(ends[e], &input, &m);

			if (how == 0)
				assert_int_equal(pwrite(fd, "y", 1, 600000), 1);
			else if (how == 1)
				write_unnoticed(fd);
			else
				assert_int_equal(ftruncate(fd, 600000), 0);
			check_refused(&m);
			message_release(&m);
			close(fd);
		}
	buf_release(&input);
}

/* What is put behind it is not of the message. */
static void what_grows_stays_as_it_was(void **state)
{
	static const char *const ends[] = {"\n", "\r\n"};
	struct buf input = BUF_INIT(LIMIT), before = BUF_INIT(LIMIT);
	struct buf after = BUF_INIT(LIMIT);
	size_t e;

	(void)state;
	for (e = 0; e < 2; e++) {
		struct message m = MESSAGE_INIT;
		int fd = file_of(ends[e], &input, &m);

		read_body(&m, BLOCK, &before);
		assert_int_equal(pwrite(fd, "y\n", 2, (off_t)input.n), 2);
		read_body(&m, BLOCK, &after);
		assert_int_equal(after.n, before.n);
		assert_memory_equal(after.p, before.p, before.n);
		message_release(&m);
		close(fd);
	}
	buf_release(&input);
	buf_release(&before);
	buf_release(&after);
}

/* What is written through memory has no time. It may be other text then, but
 * lines end as they do in text. */
static void lines_end_as_they_did(void **state)
{
	static const char *const ends[] = {"\n", "\r\n"};
	static const char *const bad[] = {"\r", "\0", "\n"};
	static const size_t places[] = {40, BLOCK - 1, BLOCK, 600000};
	struct buf input = BUF_INIT(LIMIT);
	size_t e, b, i, at;

	(void)state;
	for (e = 0; e < 2; e++)
		for (i = 0; i < N_OF(places) * N_OF(bad); i++) {
			struct message m = MESSAGE_INIT;
			int fd;
			char *map;

			b = i % N_OF(bad);
			if (e == 0 && *bad[b] == '\n')
				continue; /* that is text */
			at = places[i / N_OF(bad)];
			make_input(&input, ends[e], VIEW(""), N_PLACES - 1);
			while (strchr("\r\n", input.p[at]) ||
			       input.p[at - 1] == '\r' ||
			       input.p[at + 1] == '\n')
				at++;
			fd = feed_file(buf_view(&input));
			map = mmap(NULL, input.n, PROT_READ | PROT_WRITE,
				   MAP_SHARED, fd, 0);
			assert_ptr_not_equal(map, MAP_FAILED);
			map[at] = 'y'; /* from here on without a fault */
			let_it_rest();
			assert_int_equal(intake_read(fd,
						     &(struct intake_policy){0},
						     &m, &(struct outcome){0}),
					 0);
			map[at] = *bad[b];
			check_refused(&m);
			munmap(map, input.n);
			message_release(&m);
			close(fd);
		}
	buf_release(&input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_as_good_as_a_pipe),
		cmocka_unit_test(a_file_begins_where_it_is),
		cmocka_unit_test(what_was_written_just_now_is_not_left_there),
		cmocka_unit_test(line_ends_may_change),
		cmocka_unit_test(any_octet_can_be_had),
		cmocka_unit_test(a_change_is_noticed),
		cmocka_unit_test(what_grows_stays_as_it_was),
		cmocka_unit_test(lines_end_as_they_did),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
