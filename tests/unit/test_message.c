/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The take-in: header, body and facts, however the octets arrive. */
#include "mail/intake.h"
#include "mail/message.h"
#include "mail/plan.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "unit.h"

#define BLOCK INTAKE_BLOCK

static const struct intake_policy plain = {0}, terminal = {.dot_ends = true};

struct expected {
	struct view input;
	const char *header, *body; /* NULs are shown as '@' */
	unsigned nul_line, cr_line, longest;
	bool header_8bit, body_8bit;
};

#define IN(text)                       \
	{                              \
		text, sizeof(text) - 1 \
	}

static const struct expected cases[] = {
	{IN(""), "", "", 0, 0, 0, 0, 0},
	{IN("\n"), "", "", 0, 0, 0, 0, 0},
	{IN("\r\n"), "", "", 0, 0, 0, 0, 0},
	{IN("\n\n"), "", "\r\n", 0, 0, 0, 0, 0},
	/* line ends */
	{IN("A: b\n\nx\n"), "A: b\r\n", "x\r\n", 0, 0, 1, 0, 0},
	{IN("A: b\r\n\r\nx\r\n"), "A: b\r\n", "x\r\n", 0, 0, 1, 0, 0},
	{IN("A: b\r\nC: d\n\nx\r\ny\n"), "A: b\r\nC: d\r\n", "x\r\ny\r\n", 0, 0,
	 1, 0, 0},
	{IN("A: b\n\nx"), "A: b\r\n", "x\r\n", 0, 0, 1, 0, 0},
	{IN("A: b\n\nlonger"), "A: b\r\n", "longer\r\n", 0, 0, 6, 0, 0},
	{IN("A: b"), "A: b\r\n", "", 0, 0, 0, 0, 0},
	{IN("A: b\n"), "A: b\r\n", "", 0, 0, 0, 0, 0},
	{IN("A: b\n\n"), "A: b\r\n", "", 0, 0, 0, 0, 0},
	{IN("A: b\n\n\n\n"), "A: b\r\n", "\r\n\r\n", 0, 0, 0, 0, 0},
	/* dots are nothing special */
	{IN("A: b\n\n.\n..\n.x\n."), "A: b\r\n", ".\r\n..\r\n.x\r\n.\r\n", 0, 0,
	 2, 0, 0},
	/* CR and NUL where they should not be */
	{IN("A: b\n\nx\ry\n"), "A: b\r\n", "x\ry\r\n", 0, 3, 3, 0, 0},
	{IN("A: b\n\nx\r\r\n"), "A: b\r\n", "x\r\r\n", 0, 3, 2, 0, 0},
	{IN("A: b\n\nx\r"), "A: b\r\n", "x\r\r\n", 0, 3, 2, 0, 0},
	{IN("A: b\n\n\r"), "A: b\r\n", "\r\r\n", 0, 3, 1, 0, 0},
	{IN("A: b\rc\n\nx\r\n"), "A: b\rc\r\n", "x\r\n", 0, 0, 1, 0, 0},
	{IN("A: b\n\nx\n\ny\0z\n\0"), "A: b\r\n", "x\r\n\r\ny@z\r\n@\r\n", 5, 0,
	 3, 0, 0},
	{IN("A: \0\n\nx\r\r\r"), "A: @\r\n", "x\r\r\r\r\n", 0, 3, 4, 0, 0},
	{IN("\r"), "", "\r\r\n", 0, 1, 1, 0, 0},
	{IN("\0"), "", "@\r\n", 1, 0, 1, 0, 0},
	/* where the header ends */
	{IN("A: b\nno field\n\nx\n"), "A: b\r\n", "no field\r\n\r\nx\r\n", 0, 0,
	 8, 0, 0},
	{IN("no field\nA: b\n\nx\n"), "", "no field\r\nA: b\r\n\r\nx\r\n", 0, 0,
	 8, 0, 0},
	{IN("A: b\n.\nx\n"), "A: b\r\n", ".\r\nx\r\n", 0, 0, 1, 0, 0},
	{IN("A: b\n: c\n"), "A: b\r\n", ": c\r\n", 0, 0, 3, 0, 0},
	{IN("\nA: b\n"), "", "A: b\r\n", 0, 0, 4, 0, 0},
	{IN("A: b\nno end of line"), "A: b\r\n", "no end of line\r\n", 0, 0, 14,
	 0, 0},
	{IN(" A: b\n\nx\n"), "", " A: b\r\n\r\nx\r\n", 0, 0, 5, 0, 0},
	{IN("A: b\n c\n\td\nE: f\n\nx\n"), "A: b\r\n c\r\n\td\r\nE: f\r\n",
	 "x\r\n", 0, 0, 1, 0, 0},
	{IN("A: b\n \nE: f\n\nx\n"), "A: b\r\n \r\nE: f\r\n", "x\r\n", 0, 0, 1,
	 0, 0},
	{IN("A : b\n\nx\n"), "A : b\r\n", "x\r\n", 0, 0, 1, 0, 0},
	{IN("A:\n\nx\n"), "A:\r\n", "x\r\n", 0, 0, 1, 0, 0},
	/* the line that mailboxes put in front */
	{IN("From a@b Mon Jan  1\nA: b\n\nx\n"), "A: b\r\n", "x\r\n", 0, 0, 1,
	 0, 0},
	{IN("From a@b Mon Jan  1\r\nA: b\r\n\r\nx\r\n"), "A: b\r\n", "x\r\n", 0,
	 0, 1, 0, 0},
	{IN("From a\nFrom b\nA: c\n"), "", "From a\r\nFrom b\r\nA: c\r\n", 0, 0,
	 6, 0, 0},
	{IN("From : a@b\n\nx\n"), "From : a@b\r\n", "x\r\n", 0, 0, 1, 0, 0},
	{IN("From here to there\n\nit is far\n"), "",
	 "From here to there\r\n\r\nit is far\r\n", 0, 0, 18, 0, 0},
	{IN("From here to there\nit is far\n"), "",
	 "From here to there\r\nit is far\r\n", 0, 0, 18, 0, 0},
	{IN("From here"), "", "From here\r\n", 0, 0, 9, 0, 0},
	{IN("From here\n"), "", "From here\r\n", 0, 0, 9, 0, 0},
	{IN("From \0x"), "", "From @x\r\n", 1, 0, 7, 0, 0},
	{IN("From \0\nx\ry\n"), "", "From @\r\nx\ry\r\n", 1, 2, 6, 0, 0},
	{IN("From a\rb\nx\n"), "", "From a\rb\r\nx\r\n", 0, 1, 8, 0, 0},
	{IN(">From a\nA: b\n\nx\n"), "", ">From a\r\nA: b\r\n\r\nx\r\n", 0, 0,
	 7, 0, 0},
	{IN("A: b\nFrom c\n\nx\n"), "A: b\r\n", "From c\r\n\r\nx\r\n", 0, 0, 6,
	 0, 0},
	{IN("A: b\n\nFrom c\n"), "A: b\r\n", "From c\r\n", 0, 0, 6, 0, 0},
	{IN("From a\nB: c\n\n\ry\n"), "B: c\r\n", "\ry\r\n", 0, 4, 2, 0, 0},
	/* octets over 127 */
	{IN("A: \xc3\xa4\n\nx\n"), "A: \xc3\xa4\r\n", "x\r\n", 0, 0, 1, 1, 0},
	{IN("A: b\n\nxxxxxxxxxxxxxx\xff\n"), "A: b\r\n",
	 "xxxxxxxxxxxxxx\xff\r\n", 0, 0, 15, 0, 1},
	{IN("A: b\n\n12345\xff"
	    "6789012\n"),
	 "A: b\r\n",
	 "12345\xff"
	 "6789012\r\n",
	 0, 0, 13, 0, 1},
	{IN("\xef\xbb\xbf"
	    "A: b\n"),
	 "",
	 "\xef\xbb\xbf"
	 "A: b\r\n",
	 0, 0, 7, 0, 1},
};

/* A NUL in a line among fields that is none: what follows may be Bcc. */
static const struct view refused[] = {
	{"A: b\n\0\nBcc: c\n\nx\n", 17},
	{"A: b\nno \0field\nBcc: c\n\nx\n", 25},
	{"A: b\r\n \tc\r\n\0Bcc: c\r\n\r\nx\n", 24},
};

static const struct expected dot_cases[] = {
	{IN("A: b\n\nx\n.\nnot this\n"), "A: b\r\n", "x\r\n", 0, 0, 1, 0, 0},
	{IN("A: b\r\n\r\nx\r\n.\r\nnot this"), "A: b\r\n", "x\r\n", 0, 0, 1, 0,
	 0},
	{IN("A: b\n\nx\n."), "A: b\r\n", "x\r\n", 0, 0, 1, 0, 0},
	{IN("A: b\n\nx.\n..\n .\n. \ny\n"), "A: b\r\n",
	 "x.\r\n..\r\n .\r\n. \r\ny\r\n", 0, 0, 2, 0, 0},
	{IN("A: b\n.\nC: d\n"), "A: b\r\n", "", 0, 0, 0, 0, 0},
	{IN(".\nC: d\n"), "", "", 0, 0, 0, 0, 0},
	{IN("."), "", "", 0, 0, 0, 0, 0},
	{IN("From a\n.\nx"), "", "From a\r\n", 0, 0, 6, 0, 0},
	{IN("A: b\n\nx\n.\r\ry\n"), "A: b\r\n", "x\r\n.\r\ry\r\n", 0, 4, 4, 0,
	 0},
	{IN("A: b\n\nx\n.y\n"), "A: b\r\n", "x\r\n.y\r\n", 0, 0, 2, 0, 0},
	{IN("A: b\n\nx\n.\r"), "A: b\r\n", "x\r\n.\r\r\n", 0, 4, 2, 0, 0},
};

static void read_body(const struct message *m, struct buf *out)
{
	struct outcome o = OUTCOME_INIT;
	char block[5000];
	ptrdiff_t got;

	while ((got = store_read(m->body, out->n, block, sizeof(block), &o)) >
	       0)
		buf_add(out, block, (size_t)got);
	assert_int_equal(got, 0);
	assert_false(out->overflow);
}

static void show_nuls(struct buf *b)
{
	char *nul;

	while ((nul = memchr(b->p, '\0', b->n)))
		*nul = '@';
}

static void check_fields(const struct message *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->n_fields; i++) {
		assert_ptr_equal(m->fields[i].raw.p, m->header.p + n);
		n += m->fields[i].raw.n;
	}
	assert_int_equal(n, m->header.n);
}

/* Of a line's length it is told only if it is over the limit. */
static uint64_t told(uint64_t longest)
{
	return longest > PLAN_LINE_MAX ? longest : 0;
}

static void check_message(struct message *m, const struct expected *e)
{
	struct buf body = BUF_INIT(1u << 20);

	check_fields(m);
	assert_int_equal(m->nul_line, e->nul_line);
	assert_int_equal(m->bare_cr_line, e->cr_line);
	assert_int_equal(m->longest_line, told(e->longest));
	assert_int_equal(view_has_8bit(buf_view(&m->header)), e->header_8bit);
	assert_int_equal(m->body_8bit, e->body_8bit);
	read_body(m, &body);
	show_nuls(&body);
	show_nuls(&m->header);
	assert_string_equal(body.p, e->body);
	assert_string_equal(m->header.p, e->header);
	buf_release(&body);
}

/* Something to read from that gives `step` octets at a time. */
static int feed(struct view input, size_t step)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	for (; input.n; input = view_skip(input, step))
		assert_true(write(fds[1], input.p,
				  step < input.n ? step : input.n) > 0);
	close(fds[1]);
	return fds[0];
}

static void check_case(const struct expected *e,
		       const struct intake_policy *policy, size_t step)
{
	struct message m = MESSAGE_INIT;
	struct outcome o = OUTCOME_INIT;
	int fd = feed(e->input, step);

	assert_int_equal(intake_read(fd, policy, &m, &o), 0);
	check_message(&m, e);
	message_release(&m);
	close(fd);
}

static void reads_every_form(void **state)
{
	size_t i, step;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		for (step = 1; step <= 100; step += step < 8 ? 1 : 92) {
			check_case(&cases[i], &plain, step);
			if (!memchr(cases[i].body, '.', strlen(cases[i].body)))
				check_case(&cases[i], &terminal, step);
		}
}

static void a_dot_ends_a_terminals_input(void **state)
{
	size_t i, step;

	(void)state;
	for (i = 0; i < N_OF(dot_cases); i++)
		for (step = 1; step <= 100; step += step < 8 ? 1 : 92)
			check_case(&dot_cases[i], &terminal, step);
}

/* A file with these octets, at its start. */
static int file_of(struct view v)
{
	int fd = memfd_create("message", MFD_CLOEXEC);

	assert_int_equal(file_write_all(fd, v.p, v.n), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void read_view(struct view input, struct message *m)
{
	struct outcome o = OUTCOME_INIT;
	int fd = file_of(input);

	*m = MESSAGE_INIT;
	assert_int_equal(intake_read(fd, &plain, m, &o), 0);
	check_fields(m);
	close(fd);
}

/* Line ends, oddities and the header's end at each place around the border
 * between two blocks. */
static void borders_of_blocks_do_not_show(void **state)
{
	static const struct {
		const char *head, *tail, *body;
		bool has_cr;
	} tails[] = {
		{"A: b\n\n", "\r\nx", "\r\nx\r\n", false},
		{"A: b\n\n", "\nx", "\r\nx\r\n", false},
		{"A: b\n\n", "\rx", "\rx\r\n", true},
		{"A: b\n\n", "\r", "\r\r\n", true},
		{"A: b\n\n", "\r\n", "\r\n", false},
		{"A: b\n\n", "\n", "\r\n", false},
		{"A: b\n\n", "\n\n\n", "\r\n\r\n\r\n", false},
		{"A: b\n\n", "\r\n.\r\n\r\n", "\r\n.\r\n\r\n", false},
		{"A: ", "\r\n\r\nx\r\n", "x\r\n", false},
		{"A: ", "\n\nx\n", "x\r\n", false},
		{"A: ", "\nno field\n", "no field\r\n", false},
		{"A: ", "\nno field: x", "no field: x\r\n", false},
	};
	size_t i, at;

	(void)state;
	for (i = 0; i < N_OF(tails); i++)
		for (at = BLOCK - 12; at <= BLOCK + 4; at++) {
			struct buf input = BUF_INIT(1u << 20);
			struct buf body = BUF_INIT(1u << 20);
			struct message m;
			size_t n;

			buf_add_text(&input, tails[i].head);
			while (input.n < at)
				buf_add_char(&input, 'x');
			buf_add_text(&input, tails[i].tail);
			read_view(buf_view(&input), &m);
			read_body(&m, &body);
			n = strlen(tails[i].body);
			assert_true(body.n >= n);
			assert_string_equal(body.p + body.n - n, tails[i].body);
			assert_int_equal(m.bare_cr_line,
					 tails[i].has_cr ? 3 : 0);
			assert_int_equal(m.n_fields, 1);
			buf_release(&input);
			buf_release(&body);
			message_release(&m);
		}
}

/* Long lines that are no header are the body's, not the header's. */
static void long_first_lines(void **state)
{
	static const struct {
		const char *begin;
		bool is_field;
	} begins[] = {
		{"A: ", true},   {"From a ", false}, {"word word ", false},
		{"word", false}, {" ", false},       {"\xff", false},
	};
	static const size_t sizes[] = {900,       997,       998,   999,
				       1000,      BLOCK - 1, BLOCK, BLOCK + 1,
				       BLOCK * 3, 1u << 20};
	size_t i, j;

	(void)state;
	for (i = 0; i < N_OF(begins); i++)
		for (j = 0; j < N_OF(sizes); j++) {
			struct buf input = BUF_INIT(1u << 22);
			struct buf body = BUF_INIT(1u << 22);
			struct message m;

			buf_add_text(&input, begins[i].begin);
			while (input.n < sizes[j])
				buf_add_char(&input, 'x');
			buf_add_text(&input, "\n\ny\n");
			read_view(buf_view(&input), &m);
			read_body(&m, &body);
			assert_int_equal(m.longest_line,
					 told(begins[i].is_field ? 1
								 : body.n - 7));
			assert_int_equal(m.n_fields, begins[i].is_field);
			assert_int_equal(body.n,
					 begins[i].is_field ? 3 : sizes[j] + 7);
			assert_int_equal(m.header.n,
					 begins[i].is_field ? sizes[j] + 2 : 0);
			buf_release(&input);
			buf_release(&body);
			message_release(&m);
		}
}

static void bodies_larger_than_memory(void **state)
{
	static const char *const ends[] = {"\n", "\r\n"};
	struct buf input = BUF_INIT(1u << 24), wanted = BUF_INIT(1u << 24);
	size_t e, i;

	(void)state;
	for (e = 0; e < N_OF(ends); e++) {
		struct buf body = BUF_INIT(1u << 24);
		struct message m;

		buf_clear(&input);
		buf_clear(&wanted);
		buf_printf(&input, "A: b%s%s", ends[e], ends[e]);
		for (i = 0; wanted.n < 3 * MESSAGE_MEMORY_LIMIT; i++) {
			buf_printf(&input, "%0*zu%s", (int)(i % 150), i,
				   ends[e]);
			buf_printf(&wanted, "%0*zu\r\n", (int)(i % 150), i);
		}
		read_view(buf_view(&input), &m);
		read_body(&m, &body);
		assert_int_equal(body.n, wanted.n);
		assert_memory_equal(body.p, wanted.p, wanted.n);
		assert_int_equal(m.longest_line, 0);
		assert_false(m.body_8bit);
		message_release(&m);
		buf_release(&body);
	}
	buf_release(&input);
	buf_release(&wanted);
}

static void headers_of_many_fields(void **state)
{
	struct buf input = BUF_INIT(1u << 26);
	struct message m;
	size_t i;

	(void)state;
	for (i = 0; i < 500000; i++)
		buf_add_text(&input, i % 2 ? "To: a@b\n" : "X:\n y\n");
	read_view(buf_view(&input), &m);
	assert_int_equal(m.n_fields, 500000);
	assert_int_equal(m.fields[499999].id, FIELD_TO);
	assert_ptr_equal(message_field(&m, FIELD_TO), &m.fields[1]);
	assert_null(message_field(&m, FIELD_CC));
	message_release(&m);
	buf_release(&input);
}

static void check_refused(struct view input)
{
	struct message m = MESSAGE_INIT;
	struct outcome o = OUTCOME_INIT;
	int fd = file_of(input);

	assert_int_equal(intake_read(fd, &plain, &m, &o), -1);
	assert_int_equal(o.cause, CAUSE_CONTENT);
	assert_string_equal(o.status, "5.3.4");
	outcome_release(&o);
	message_release(&m);
	close(fd);
}

static void headers_have_limits(void **state)
{
	struct buf input = BUF_INIT(100u << 20);
	char *room;

	(void)state;
	buf_add_text(&input, "A: ");
	room = buf_room(&input, MESSAGE_HEADER_LIMIT);
	memset(room, 'x', MESSAGE_HEADER_LIMIT);
	input.n += MESSAGE_HEADER_LIMIT;
	check_refused(buf_view(&input));
	/* the same as a body is none of the header's business */
	input.p[1] = ' ';
	{
		struct message m;

		read_view(buf_view(&input), &m);
		assert_int_equal(store_size(m.body), input.n + 2);
		message_release(&m);
	}
	buf_release(&input);
}

static void headers_have_so_many_fields(void **state)
{
	struct buf input = BUF_INIT(100u << 20);
	size_t i;

	(void)state;
	for (i = 0; i <= MESSAGE_FIELDS_LIMIT; i++)
		buf_add_text(&input, "A:\n");
	check_refused(buf_view(&input));
	buf_release(&input);
}

static void says_that_it_cannot_read(void **state)
{
	struct message m = MESSAGE_INIT;
	struct outcome o = OUTCOME_INIT;
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(intake_read(fd, &plain, &m, &o), -1);
	assert_int_equal(o.cause, CAUSE_INPUT);
	outcome_release(&o);
	message_release(&m);
	message_release(&m);
	close(fd);
}

/* Behind the dot nothing is waited for. */
static void a_terminals_end_is_seen_at_once(void **state)
{
	struct message m = MESSAGE_INIT;
	struct outcome o = OUTCOME_INIT;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "A: b\n\nx\n.\n", 10), 10);
	assert_int_equal(intake_read(fds[0], &terminal, &m, &o), 0);
	assert_int_equal(store_size(m.body), 3);
	message_release(&m);
	close(fds[0]);
	close(fds[1]);
}

static void refuses_nul_among_fields(void **state)
{
	struct outcome o = OUTCOME_INIT;
	struct message m;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < N_OF(refused); i++) {
		m = MESSAGE_INIT;
		fd = memfd_create("message", MFD_CLOEXEC);
		assert_int_equal(file_write_all(fd, refused[i].p, refused[i].n),
				 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(intake_read(fd, &plain, &m, &o), -1);
		assert_int_equal(o.cause, CAUSE_CONTENT);
		assert_string_equal(o.status, "5.6.0");
		outcome_release(&o);
		message_release(&m);
		close(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_nul_among_fields),
		cmocka_unit_test(reads_every_form),
		cmocka_unit_test(a_dot_ends_a_terminals_input),
		cmocka_unit_test(borders_of_blocks_do_not_show),
		cmocka_unit_test(long_first_lines),
		cmocka_unit_test(bodies_larger_than_memory),
		cmocka_unit_test(headers_of_many_fields),
		cmocka_unit_test(headers_have_limits),
		cmocka_unit_test(headers_have_so_many_fields),
		cmocka_unit_test(says_that_it_cannot_read),
		cmocka_unit_test(a_terminals_end_is_seen_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
