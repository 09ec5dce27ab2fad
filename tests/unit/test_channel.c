/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server's side of the wire: lines, limits, when answers leave, and those
 * who say nothing or do not listen. */
#undef _FORTIFY_SOURCE /* its poll() could not be replaced */
#include "smtp/channel.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>

#include "feed.h"
#include "unit.h"

#define BULK (1u << 20)

/* Stands in for the libc's: five minutes pass in no time. */
static bool is_impatient;

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	static const struct timespec at_once = {0};
	struct timespec limit = {timeout / 1000, timeout % 1000 * 1000000L};

	if (is_impatient)
		return ppoll(fds, n, &at_once, NULL);
	return ppoll(fds, n, timeout < 0 ? NULL : &limit, NULL);
}

/* ------------------------------------------------------------------- lines */

/* What is read, and what comes out: each line with a `|` behind it, `#` for
 * one that is too long, `$` for the end. */
static const struct {
	struct view input;
	const char *want; /* NULs are shown as '@' */
} cases[] = {
	{{"", 0}, "$"},
	{{"a\r\n", 3}, "a\r\n|$"},
	{{"a\n", 2}, "a\n|$"},
	{{"\n", 1}, "\n|$"},
	{{"\r\n", 2}, "\r\n|$"},
	{{"\n\r\n\n", 4}, "\n|\r\n|\n|$"},
	{{"a\r\nb\nc\r\n", 8}, "a\r\n|b\n|c\r\n|$"},
	{{"a\rb\r\r\n", 6}, "a\rb\r\r\n|$"},
	{{"a\0b\r\n\0\n", 7}, "a@b\r\n|@\n|$"},
	{{"\xff\x80\n", 3}, "\xff\x80\n|$"},
	/* what has no end is no line */
	{{"a", 1}, "$"},
	{{"a\r", 2}, "$"},
	{{"a\r\nb", 4}, "a\r\n|$"},
	{{"a\r\nb\r", 5}, "a\r\n|$"},
};

/* All lines; those of more than 20 octets by their length alone. */
static void read_lines(struct view input, size_t step, struct buf *out)
{
	struct feed f = feed_start(input, step);
	struct channel c = CHANNEL_INIT(f.in, f.out);
	enum channel_line kind;
	struct view line;
	size_t i;

	buf_clear(out);
	while ((kind = channel_line(&c, &line)) != CHANNEL_END) {
		if (kind == CHANNEL_TOO_LONG)
			buf_add_text(out, "#");
		else if (line.n > 20)
			buf_printf(out, "%zu", line.n);
		else
			for (i = 0; i < line.n; i++)
				buf_add_char(out, line.p[i] ? line.p[i] : '@');
		buf_add_text(out, "|");
	}
	buf_add_text(out, "$");
	assert_true(c.ended && !c.expired);
	channel_release(&c);
	feed_end(&f);
}

static void gives_lines_in_any_cut(void **state)
{
	struct buf got = BUF_INIT(1000);
	size_t i, step;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		for (step = 0; step < 4; step++) {
			read_lines(cases[i].input, step, &got);
			if (strcmp(got.p, cases[i].want) != 0)
				fail_msg("row %zu, step %zu: %s", i, step,
					 got.p);
		}
	}
	buf_release(&got);
}

/* So many octets without their end, what ends them, and what is read. */
static const struct {
	size_t n;
	const char *rest, *want;
} long_cases[] = {
	{CHANNEL_LINE_MAX - 2, "\r\nb\r\n", "4096|b\r\n|$"},
	{CHANNEL_LINE_MAX - 1, "\nb\r\n", "4096|b\r\n|$"},
	{CHANNEL_LINE_MAX - 1, "\r\nb\r\n", "#|b\r\n|$"},
	{CHANNEL_LINE_MAX, "\nb\r\n", "#|b\r\n|$"},
	{CHANNEL_LINE_MAX, "\r\nb\r\n", "#|b\r\n|$"},
	{CHANNEL_LINE_MAX + 1, "\n\n", "#|\n|$"},
	{CHANNEL_LINE_MAX - 1, "", "$"},
	{CHANNEL_LINE_MAX, "", "$"},
	{CHANNEL_LINE_MAX + 1, "\r", "$"},
	{64u << 10, "\r\nb\n", "#|b\n|$"},
	{(64u << 10) - 1, "\r\nb\n", "#|b\n|$"},
	{BULK, "\r\nb\n", "#|b\n|$"},
	{BULK, "", "$"},
};

static void throws_long_lines_away(void **state)
{
	static const size_t steps[] = {0, 100, 4095, 4096, 4097, 20000};
	struct buf input = BUF_INIT(2 * BULK), got = BUF_INIT(1000);
	size_t i, j;

	(void)state;
	for (i = 0; i < N_OF(long_cases); i++) {
		buf_clear(&input);
		memset(buf_room(&input, long_cases[i].n), 'x', long_cases[i].n);
		input.n = long_cases[i].n;
		buf_add_text(&input, long_cases[i].rest);
		for (j = 0; j < N_OF(steps); j++) {
			read_lines(buf_view(&input), steps[j], &got);
			if (strcmp(got.p, long_cases[i].want) != 0)
				fail_msg("row %zu, step %zu: %s", i, steps[j],
					 got.p);
		}
	}
	buf_release(&got);
	buf_release(&input);
}

/* ------------------------------------------------------------------- octets */

static void has_as_much_as_is_asked_for(void **state)
{
	struct feed f = feed_start(VIEW("abcdefghij"), 3);
	struct channel c = CHANNEL_INIT(f.in, f.out);
	struct view v;

	(void)state;
	assert_int_equal(channel_input(&c).n, 0);
	assert_true(channel_fill(&c, 0));
	assert_true(channel_fill(&c, 4));
	v = channel_input(&c);
	assert_true(v.n >= 4);
	assert_memory_equal(v.p, "abcd", 4);
	channel_consume(&c, 2);
	assert_true(channel_fill(&c, 8));
	assert_memory_equal(channel_input(&c).p, "cdefghij", 8);
	channel_consume(&c, 7);
	/* it ends first; what is left can still be had */
	assert_false(channel_fill(&c, 2));
	assert_true(c.ended);
	assert_true(channel_fill(&c, 1));
	v = channel_input(&c);
	assert_int_equal(v.n, 1);
	assert_memory_equal(v.p, "j", 1);
	channel_consume(&c, 1);
	assert_false(channel_fill(&c, 1));
	channel_release(&c);
	feed_end(&f);
}

static void has_64_kib_at_once(void **state)
{
	static char all[3 * (64u << 10)];
	struct feed f;
	struct channel c;
	size_t i, at = 0;

	(void)state;
	for (i = 0; i < sizeof(all); i++)
		all[i] = (char)(i * 31 + (i >> 10));
	f = feed_start(view_make(all, sizeof(all)), 7000);
	c = CHANNEL_INIT(f.in, f.out);
	while (at < sizeof(all) - (64u << 10)) {
		assert_true(channel_fill(&c, 64u << 10));
		assert_memory_equal(channel_input(&c).p, all + at, 64u << 10);
		channel_consume(&c, 60000);
		at += 60000;
	}
	channel_release(&c);
	feed_end(&f);
}

/* A descriptor from which nothing can be read is as one that has ended. */
static void nothing_comes_of_what_cannot_be_read(void **state)
{
	struct view line;
	struct channel c = CHANNEL_INIT(-1, -1);
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	is_impatient = false;
	c.in = fd;
	assert_int_equal(channel_line(&c, &line), CHANNEL_END);
	assert_true(c.ended && !c.expired);
	channel_release(&c);
	close(fd);
}

/* ------------------------------------------------------------------ answers */

static int unread(int fd)
{
	int n = -1;

	assert_int_equal(ioctl(fd, FIONREAD, &n), 0);
	return n;
}

/* One socket for both ways; answers wait until there is nothing to read. */
static void answers_leave_together(void **state)
{
	struct channel c;
	struct view line;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	c = CHANNEL_INIT(pair[0], pair[0]);
	assert_int_equal(write(pair[1], "A\r\nB\r\n", 6), 6);
	shutdown(pair[1], SHUT_WR);
	channel_put(&c, VIEW("0\r\n"));
	assert_int_equal(unread(pair[1]), 0);
	assert_int_equal(channel_line(&c, &line), CHANNEL_LINE);
	assert_int_equal(unread(pair[1]), 3);
	channel_put(&c, VIEW("1\r\n"));
	assert_int_equal(channel_line(&c, &line), CHANNEL_LINE);
	channel_put(&c, VIEW("2\r\n"));
	assert_int_equal(unread(pair[1]), 3);
	assert_int_equal(channel_line(&c, &line), CHANNEL_END);
	assert_int_equal(unread(pair[1]), 9);
	/* who says no more may still listen */
	channel_put(&c, VIEW("3\r\n"));
	assert_int_equal(unread(pair[1]), 9);
	channel_flush(&c);
	channel_flush(&c);
	assert_int_equal(unread(pair[1]), 12);
	/* what is left when it is released, is left */
	channel_put(&c, VIEW("4\r\n"));
	channel_release(&c);
	assert_int_equal(unread(pair[1]), 12);
	close(pair[0]);
	close(pair[1]);
}

/* What is not flushed for long leaves by itself, and in order. */
static void many_answers_leave_in_between(void **state)
{
	struct feed f = feed_start(VIEW(""), 0);
	struct channel c = CHANNEL_INIT(f.in, f.out);
	struct buf said = BUF_INIT(4 * BULK), want = BUF_INIT(4 * BULK);
	char line[32];
	unsigned i;

	(void)state;
	for (i = 0; i < 50000; i++) {
		snprintf(line, sizeof(line), "250 %u\r\n", i);
		buf_add_text(&want, line);
		channel_put(&c, view_of(line));
		assert_true(c.output.n <= CHANNEL_OUTPUT_LIMIT);
	}
	channel_flush(&c);
	feed_said(&f, &said);
	assert_int_equal(said.n, want.n);
	assert_memory_equal(said.p, want.p, want.n);
	buf_release(&want);
	buf_release(&said);
	channel_release(&c);
	feed_end(&f);
}

/* ------------------------------------------------------------ those who err */

static void ends_with_one_who_has_gone(void **state)
{
	struct channel c;
	int in[2], out[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	c = CHANNEL_INIT(in[0], out[1]);
	assert_int_equal(write(in[1], "NOOP\r\n", 6), 6);
	close(out[0]);
	channel_put(&c, VIEW("250 ok\r\n"));
	channel_flush(&c);
	assert_true(c.ended && !c.expired);
	/* and what it may have said before is not waited for */
	assert_false(channel_fill(&c, 1));
	channel_release(&c);
	close(in[0]);
	close(in[1]);
	close(out[1]);
}

static void gives_up_on_silence(void **state)
{
	struct channel c;
	struct view line;
	int in[2];
	struct feed f = feed_start(VIEW(""), 0);

	(void)state;
	assert_int_equal(pipe(in), 0);
	c = CHANNEL_INIT(in[0], f.out);
	assert_int_equal(write(in[1], "NOOP\r\nHEL", 9), 9);
	is_impatient = true;
	assert_int_equal(channel_line(&c, &line), CHANNEL_LINE);
	assert_false(c.expired);
	assert_int_equal(channel_line(&c, &line), CHANNEL_END);
	assert_true(c.ended && c.expired);
	is_impatient = false;
	channel_release(&c);
	close(in[0]);
	close(in[1]);
	feed_end(&f);
}

static void gives_up_on_one_who_does_not_listen(void **state)
{
	static const char block[4096];
	struct channel c;
	int out[2];
	size_t i;

	(void)state;
	assert_int_equal(pipe(out), 0);
	c = CHANNEL_INIT(-1, out[1]);
	is_impatient = true;
	/* a pipe holds 64 KiB, this is more; but no write ever blocks */
	for (i = 0; i < 100 && !c.ended; i++) {
		channel_put(&c, view_make(block, sizeof(block)));
		channel_flush(&c);
	}
	is_impatient = false;
	assert_true(c.ended && !c.expired);
	assert_true(unread(out[0]) > 0);
	channel_release(&c);
	close(out[0]);
	close(out[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_lines_in_any_cut),
		cmocka_unit_test(throws_long_lines_away),
		cmocka_unit_test(has_as_much_as_is_asked_for),
		cmocka_unit_test(has_64_kib_at_once),
		cmocka_unit_test(nothing_comes_of_what_cannot_be_read),
		cmocka_unit_test(answers_leave_together),
		cmocka_unit_test(many_answers_leave_in_between),
		cmocka_unit_test(ends_with_one_who_has_gone),
		cmocka_unit_test(gives_up_on_silence),
		cmocka_unit_test(gives_up_on_one_who_does_not_listen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
