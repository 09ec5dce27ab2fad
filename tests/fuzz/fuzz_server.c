/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever a client says: it is answered in lines that are replies, the owner
 * gets addresses, parameters and messages that are what they have to be, and
 * all of it does not depend on the pieces in which it comes.
 */
#include "smtp/server.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/encode.h"
#include "base/text.h"
#include "mailbox.h"
#include "message.h"

#define PACKETS 16u    /* pieces that fit a socket unread */
#define INPUT   60000u /* octets that do, too */
#define NAME    "here.example"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct owner {
	struct envelope envelope;
	struct message message;
	struct local_policy local;
	struct buf log; /* what it was given */
};

/* What it said and did. */
struct run {
	struct buf said;
	struct buf log;
	int rc;
	struct outcome o;
};

/* --------------------------------------------------------------- the owner */

static int on_begin(void *context, const char *sender, struct letter *letter,
		    struct outcome *o)
{
	struct owner *w = context;

	envelope_release(&w->envelope);
	message_release(&w->message);
	w->envelope = ENVELOPE_INIT;
	w->message = MESSAGE_INIT;
	buf_printf(&w->log, "begin %s\n", sender);
	if (envelope_set_sender(&w->envelope, view_of(sender), &w->local, o) <
	    0)
		return -1;
	*letter = (struct letter){&w->envelope, &w->message, &w->local};
	return 0;
}

/* RFC 3461 4.2: a type, and xtext that is not empty. */
static void check_orcpt(const char *orcpt)
{
	struct view rest = view_of(orcpt);
	const char *semicolon = strchr(orcpt, ';');
	struct buf plain = BUF_INIT(1000);

	require(semicolon && semicolon > orcpt && semicolon[1]);
	require(rest.n <= 500 && !view_has_control(rest));
	require(!memchr(rest.p, ' ', rest.n) && !memchr(rest.p, '=', rest.n));
	rest = view_skip(rest, (size_t)(semicolon - orcpt) + 1);
	require(view_has_8bit(rest) ? view_is_utf8(rest)
				    : decode_xtext(&plain, rest));
	buf_release(&plain);
}

static void check_envelope(const struct envelope *e)
{
	size_t i;

	require(e->sender.mailbox && e->n_recipients > 0);
	if (*e->sender.mailbox)
		check_address(&e->sender);
	if (e->envid)
		require(*e->envid && strlen(e->envid) <= 100 &&
			!view_has_control(view_of(e->envid)) &&
			!view_has_8bit(view_of(e->envid)));
	for (i = 0; i < e->n_recipients; i++) {
		check_address(&e->recipients[i].address);
		require(e->recipients[i].address.has_domain);
		require(e->recipients[i].notify <= 15);
		if (e->recipients[i].orcpt)
			check_orcpt(e->recipients[i].orcpt);
	}
}

/* "from NAME\r\n\tby NAME with WORD" */
static void check_received(const char *received)
{
	struct view v = view_of(received), name;
	size_t i;

	require(view_starts_nocase(v, VIEW("from ")));
	v = view_skip(v, 5);
	for (i = 0; i < v.n && v.p[i] != '\r'; i++)
		require(v.p[i] > ' ' && v.p[i] <= '~');
	name = view_make(v.p, i);
	require(name.n > 0 && name.n <= 255);
	require(!strpbrk(received, "()\\\";<>"));
	v = view_skip(v, i);
	require(view_starts_nocase(v, VIEW("\r\n\tby " NAME " with ")));
}

static void log_letter(struct owner *w, const struct buf *body)
{
	const struct envelope *e = &w->envelope;
	size_t i;

	buf_printf(&w->log, "%s %d %d %s\n", e->sender.mailbox, (int)e->ret,
		   (int)e->body_type, e->envid ? e->envid : "-");
	for (i = 0; i < e->n_recipients; i++)
		buf_printf(
			&w->log, "%s %u %s\n", e->recipients[i].address.mailbox,
			e->recipients[i].notify,
			e->recipients[i].orcpt ? e->recipients[i].orcpt : "-");
	buf_add_view(&w->log, buf_view(&w->message.header));
	buf_add_view(&w->log, buf_view(body));
}

/* What comes of it depends on the message alone. */
static int on_submit(void *context, const char *received, struct reply *reply,
		     struct outcome *o)
{
	struct owner *w = context;
	struct buf body = BUF_INIT(LIMIT);
	const char *why;

	check_envelope(&w->envelope);
	check_received(received);
	read_body(&w->message, &body);
	if (w->envelope.body_type == BODY_BINARYMIME)
		check_fields(&w->message);
	else
		check_message(&w->message, &body);
	log_letter(w, &body);
	if (body.n % 5 == 1)
		fail(o, CAUSE_CONNECT, "4.4.1", "no way");
	else if (body.n % 5 == 2)
		fail(o, CAUSE_CONTENT, "5.7.1", "550 5.7.1 %.100s", body.p);
	if (body.n % 5 == 2)
		o->reply_code = 550;
	if (!outcome_is_failure(o))
		require(reply_parse(VIEW("250-ok\r\n250 2.6.0 queued\r\n"),
				    reply, &why) > 0);
	buf_release(&body);
	return outcome_is_failure(o) ? -1 : 0;
}

static void on_give_up(void *context, const struct outcome *why)
{
	(void)context;
	if (!outcome_is_failure(why))
		abort();
}

/* Names of an odd length are those of two; of three, of nobody. */
static int on_expand(void *context, struct view name, struct address_list *list,
		     struct outcome *o)
{
	(void)context;
	if (name.n % 2 == 0)
		return 0;
	if (name.n == 3)
		return fail(o, CAUSE_CONFIG, "5.3.5", "/f:1: %.*s", 3, name.p);
	return address_list_parse(VIEW("a@x, \xc3\xa4@x"), list, o) < 0 ? -1
									: 1;
}

/* ------------------------------------------------------------------- a run */

/* Reads of it return small pieces; of lines first, if they shall be. */
static int in_pieces(struct view v, bool by_lines)
{
	size_t i, n, step = v.n / PACKETS + 1;
	const char *lf;
	int fds[2];

	require(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0);
	for (i = 0; v.n; i++) {
		lf = by_lines ? memchr(v.p, '\n', v.n) : NULL;
		n = by_lines ? i < PACKETS && lf ? (size_t)(lf - v.p) + 1 : v.n
			     : step;
		if (n > v.n)
			n = v.n;
		require(write(fds[1], v.p, n) == (ssize_t)n);
		v = view_skip(v, n);
	}
	close(fds[1]);
	return fds[0];
}

static int whole_file(struct view v)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	require(fd >= 0 && file_write_all(fd, v.p, v.n) == 0);
	require(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static void read_all(int fd, struct buf *out)
{
	off_t n = lseek(fd, 0, SEEK_END);
	char *room = buf_room(out, (size_t)n + 1);

	require(n >= 0 && room && pread(fd, room, (size_t)n, 0) == n);
	out->n = (size_t)n;
	out->p[out->n] = '\0';
}

static struct run serve(int in)
{
	struct run r = {.said = BUF_INIT(LIMIT), .log = BUF_INIT(LIMIT)};
	char domain[] = "home.example";
	struct owner w = {
		.envelope = ENVELOPE_INIT,
		.message = MESSAGE_INIT,
		.local.maildomain = domain,
		.log = BUF_INIT(LIMIT),
	};
	const struct server_owner owner = {&w, on_begin, on_submit, on_give_up,
					   on_expand};
	int out = whole_file(VIEW(""));

	r.rc = server_run(in, out, NAME, &owner, &r.o);
	require((r.rc < 0) == outcome_is_failure(&r.o));
	read_all(out, &r.said);
	r.log = w.log;
	envelope_release(&w.envelope);
	message_release(&w.message);
	close(in);
	close(out);
	return r;
}

static void run_release(struct run *r)
{
	buf_release(&r->said);
	buf_release(&r->log);
	outcome_release(&r->o);
}

/* RFC 5321 4.2: lines of one reply have one code; the last has a blank. */
static void check_replies(struct view said)
{
	const char *lf, *code = NULL;
	size_t i, n;

	while (said.n) {
		lf = memchr(said.p, '\n', said.n);
		require(lf != NULL);
		n = (size_t)(lf - said.p) + 1;
		require(n >= 6 && n <= 512 && said.p[n - 2] == '\r');
		for (i = 0; i < n - 2; i++)
			require(said.p[i] >= ' ' && said.p[i] <= '~');
		require(said.p[0] >= '2' && said.p[0] <= '5');
		require(!code || !memcmp(code, said.p, 3));
		require(said.p[3] == ' ' || said.p[3] == '-');
		code = said.p[3] == '-' ? said.p : NULL;
		said = view_skip(said, n);
	}
	require(!code);
}

static void check_same(const struct run *a, int in)
{
	struct run b = serve(in);

	require(view_equal(buf_view(&a->said), buf_view(&b.said)));
	require(view_equal(buf_view(&a->log), buf_view(&b.log)));
	require(a->rc == b.rc && !strcmp(a->o.status, b.o.status));
	run_release(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view input = view_make((const char *)data, size);
	struct run whole;

	if (input.n > INPUT)
		input.n = INPUT;
	whole = serve(whole_file(input));
	check_replies(buf_view(&whole.said));
	require(view_starts_nocase(buf_view(&whole.said), VIEW("220 ")));
	check_same(&whole, in_pieces(input, false));
	check_same(&whole, in_pieces(input, true));
	run_release(&whole);
	return 0;
}
