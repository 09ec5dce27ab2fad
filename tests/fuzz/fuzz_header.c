/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever the input, in whatever pieces: lines end in CRLF, what else there
 * is of CR and NUL is in the facts, no octet is lost, and what goes out is a
 * header without Bcc, an empty line and the body.
 */
#include "mail/intake.h"
#include "mail/message.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "mail/content.h"
#include "mail/edit.h"
#include "mail/envelope.h"
#include "message.h"

#define PACKETS 16u /* pieces that fit a socket unread */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int whole_file(struct view v)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	require(fd >= 0 && file_write_all(fd, v.p, v.n) == 0);
	require(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

/* Reads from it return small pieces. */
static int in_pieces(struct view v)
{
	size_t step = v.n / PACKETS + 1;
	int fds[2];

	require(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
	for (; v.n; v = view_skip(v, step))
		require(write(fds[1], v.p, v.n < step ? v.n : step) > 0);
	close(fds[1]);
	return fds[0];
}

/* False: a line with a NUL is among the header's, where it is no field. */
static bool take_in(int fd, const struct intake_policy *policy,
		    struct message *m)
{
	struct outcome o = OUTCOME_INIT;
	int rc = intake_read(fd, policy, m, &o);

	require(outcome_is_failure(&o) == (rc < 0));
	require(rc == 0 || (!strcmp(o.status, "5.6.0") && m->header.n));
	close(fd);
	outcome_release(&o);
	return rc == 0;
}

/* All but line ends: what was read is what is there, less one mbox line and
 * the empty line. */
static void check_nothing_is_lost(struct view input, const struct message *m,
				  const struct buf *body)
{
	size_t i, octets = 0, kept = 0;
	const char *lf = memchr(input.p, '\n', input.n);

	if (m->n_fields && lf && input.n > 5 && !memcmp(input.p, "From ", 5) &&
	    !field_begins(input))
		input = view_skip(input, (size_t)(lf - input.p) + 1);
	for (i = 0; i < input.n; i++)
		octets += input.p[i] != '\n' && input.p[i] != '\r';
	for (i = 0; i < m->header.n; i++)
		kept += m->header.p[i] != '\n' && m->header.p[i] != '\r';
	for (i = 0; i < body->n; i++)
		kept += body->p[i] != '\n' && body->p[i] != '\r';
	require(octets == kept);
}

static void check_same(const struct message *a, const struct message *b,
		       const struct buf *body)
{
	struct buf other = BUF_INIT(LIMIT);

	read_body(b, &other);
	require(view_equal(buf_view(&a->header), buf_view(&b->header)));
	require(view_equal(buf_view(body), buf_view(&other)));
	require(a->nul_line == b->nul_line);
	require(a->bare_cr_line == b->bare_cr_line);
	require(a->longest_line == b->longest_line);
	require(a->n_fields == b->n_fields);
	buf_release(&other);
}

/* What goes out, read again, is the edited header and the same body. */
static void check_content(struct view header, const struct message *m,
			  const struct buf *body)
{
	struct content *c = content_new(header, m);
	struct buf sent = BUF_INIT(LIMIT);
	struct outcome o = OUTCOME_INIT;
	struct view piece;
	int rc;

	while ((rc = content_next(c, 1 + sent.n / 3, &piece, &o)) > 0)
		buf_add_view(&sent, piece);
	require(rc == 0 && sent.n == content_size(c));
	require(sent.n == header.n + 2 + body->n);
	require(!memcmp(sent.p, header.p, header.n));
	require(!memcmp(sent.p + header.n, "\r\n", 2));
	require(!memcmp(sent.p + header.n + 2, body->p, body->n));
	content_free(c);
	buf_release(&sent);
}

static void check_edited(struct view header)
{
	const struct intake_policy policy = {0};
	struct message m = MESSAGE_INIT;
	size_t i;

	require(take_in(whole_file(header), &policy, &m));
	require(store_size(m.body) == 0);
	require(view_equal(buf_view(&m.header), header));
	for (i = 0; i < m.n_fields; i++)
		require(!(m.fields[i].roles & ROLE_BLIND));
	require(message_field(&m, FIELD_DATE) != NULL);
	require(message_field(&m, FIELD_MESSAGE_ID) != NULL);
	message_release(&m);
}

static void try_edit(const struct message *m, const struct buf *body)
{
	const struct local_policy local = {0};
	const struct edit_policy policy = {.remove_bcc = true};
	struct edit_facts facts = {.now = 1, .host = "host.example"};
	struct envelope e = ENVELOPE_INIT;
	struct buf header = BUF_INIT(LIMIT);
	struct outcome o = OUTCOME_INIT;
	char *name;

	name = strndup(body->p, 300);
	facts.full_name = name;
	envelope_add_from_header(&e, m, &local, &o);
	if (envelope_sender_from_header(m, &e.sender, &o) < 0)
		require(!e.sender.mailbox);
	outcome_release(&o);
	require(edit_header(m, &e, &policy, &facts, &header, &o) == 0);
	check_edited(buf_view(&header));
	check_content(buf_view(&header), m, body);
	buf_release(&header);
	envelope_release(&e);
	free(name);
}

static void try_policy(struct view input, const struct intake_policy *policy)
{
	struct message whole = MESSAGE_INIT, pieces = MESSAGE_INIT;
	struct buf body = BUF_INIT(LIMIT);

	bool is_read = take_in(whole_file(input), policy, &whole);

	require(take_in(in_pieces(input), policy, &pieces) == is_read);
	if (is_read) {
		read_body(&whole, &body);
		check_message(&whole, &body);
		check_same(&whole, &pieces, &body);
		if (!policy->dot_ends)
			check_nothing_is_lost(input, &whole, &body);
		try_edit(&whole, &body);
	}
	buf_release(&body);
	message_release(&whole);
	message_release(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct intake_policy plain = {0},
					  terminal = {.dot_ends = true};
	struct view input = view_make((const char *)data, size);

	try_policy(input, &plain);
	try_policy(input, &terminal);
	return 0;
}
