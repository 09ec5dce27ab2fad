/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What becomes of a message on its way: as little as possible, and all that is
 * needed. */
#include "mail/plan.h"

#include "../fuzz/decode.h"
#include "base/text.h"
#include "letter.h"
#include "mail/content.h"
#include "unit.h"

#define LIMIT (16u << 20) /* octets of anything here */

#define AE  "\xc3\xa4"
#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10
#define X1K                                                                 \
	X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50 \
		X50 X50 X50

static const struct carriage seven = {0}, eight = {.eightbit = true},
			     binary = {.eightbit = true, .binary = true},
			     utf8 = {.eightbit = true, .utf8 = true},
			     only_binary = {.binary = true};

#define CTE    "Content-Transfer-Encoding: "
#define QP     CTE "quoted-printable\r\n"
#define B64    CTE "base64\r\n"
#define MIME   "MIME-Version: 1.0\r\n"
#define TYPE   "Content-Type: "
#define PLAIN8 TYPE "text/plain; charset=utf-8\r\n"
#define MIXED  MIME TYPE "multipart/mixed; boundary=b\r\n"
#define SIGNED MIME TYPE "multipart/signed; boundary=b\r\n"

/* What is not changed, on that way. */
static const struct {
	const struct carriage *way;
	enum reencode reencode;
	struct view message;
	enum body_form form;
} kept[] = {
	{&seven, REENCODE_AUTO, VIEW("\r\n"), FORM_7BIT},
	{&seven, REENCODE_AUTO, VIEW("A: b\r\n\r\nx\r\n.\r\n"), FORM_7BIT},
	{&seven, REENCODE_OFF, VIEW("A: b\r\n\r\nx\r\n"), FORM_7BIT},
	{&binary, REENCODE_ON, VIEW("A: b\r\n\r\nx\r\n"), FORM_7BIT},
	/* labels alone are no reason */
	{&seven, REENCODE_AUTO,
	 VIEW(MIME TYPE "text/plain\r\n" CTE "8bit\r\n\r\nx\r\n"), FORM_7BIT},
	{&eight, REENCODE_AUTO, VIEW("A: b\r\n\r\n" AE "\r\n"), FORM_8BIT},
	{&eight, REENCODE_ON, VIEW("A: b\r\n\r\n\xe9\r\n"), FORM_8BIT},
	{&eight, REENCODE_OFF, VIEW("A: b\r\n\r\n" AE "\r\n"), FORM_8BIT},
	{&eight, REENCODE_AUTO,
	 VIEW(MIXED "\r\n--b\r\n" QP "\r\n" AE "=\r\n--b--\r\n"), FORM_8BIT},
	{&eight, REENCODE_AUTO,
	 VIEW(SIGNED "\r\n--b\r\n\r\n" AE "\r\n--b--\r\n"), FORM_8BIT},
	{&binary, REENCODE_AUTO, VIEW("A: b\r\n\r\na\0b\r\n"), FORM_BINARY},
	{&binary, REENCODE_AUTO, VIEW("A: b\r\n\r\na\rb\r\n"), FORM_BINARY},
	{&binary, REENCODE_OFF, VIEW("A: b\r\n\r\na\rb\r\n"), FORM_BINARY},
	{&binary, REENCODE_AUTO, VIEW("A: b\r\n\r\n" X1K "\r\n"), FORM_BINARY},
	{&binary, REENCODE_AUTO, VIEW("A: b\r\n\r\n" AE "\r\n"), FORM_8BIT},
	/* without 8BITMIME 8-bit data can only be called binary */
	{&only_binary, REENCODE_AUTO, VIEW("A: b\r\n\r\n" AE "\r\n"),
	 FORM_BINARY},
	{&utf8, REENCODE_AUTO, VIEW("Subject: " AE "\r\n\r\nx\r\n"), FORM_7BIT},
	{&utf8, REENCODE_OFF, VIEW("To: j" AE "@b\r\n\r\nx\r\n"), FORM_7BIT},
	/* a header may be 8-bit within a body that is */
	{&eight, REENCODE_AUTO,
	 VIEW(MIXED "\r\n--b\r\nSubject: " AE "\r\n\r\nx\r\n--b--\r\n"),
	 FORM_8BIT},
};

/* What is changed; everything about it is told. */
static const struct {
	const struct carriage *way;
	enum reencode reencode;
	struct view message;
	const char *sent;
	enum body_form form;
} changed[] = {
	/* a message without MIME, RFC 2045 4 and 5.2 */
	{&seven, REENCODE_AUTO, VIEW("A: b\r\n\r\nabcdefgh" AE "\r\n"),
	 "A: b\r\n" MIME PLAIN8 QP "\r\nabcdefgh=C3=A4\r\n", FORM_7BIT},
	{&seven, REENCODE_ON, VIEW("\r\nabcdefgh" AE "\r\n"),
	 MIME PLAIN8 QP "\r\nabcdefgh=C3=A4\r\n", FORM_7BIT},
	{&seven, REENCODE_AUTO, VIEW("A: b\r\n\r\nabc\xe9\r\n"),
	 "A: b\r\n" MIME TYPE "text/plain; charset=unknown-8bit\r\n" QP
	 "\r\nabc=E9\r\n",
	 FORM_7BIT},
	{&eight, REENCODE_AUTO, VIEW("A: b\r\n\r\na\rb\r\n"),
	 "A: b\r\n" MIME TYPE "text/plain; charset=us-ascii\r\n" B64
	 "\r\nYQ1iDQo=\r\n",
	 FORM_7BIT},
	/* one that says what it is */
	{&seven, REENCODE_AUTO,
	 VIEW(MIME TYPE "text/plain; charset=x\r\n" CTE "8bit\r\nA: b\r\n\r\n"
			"abcdefgh" AE " \r\n"),
	 MIME TYPE "text/plain; charset=x\r\n" QP
		   "A: b\r\n\r\nabcdefgh=C3=A4=20\r\n",
	 FORM_7BIT},
	{&seven, REENCODE_AUTO,
	 VIEW(TYPE "text/plain\r\n\r\nabcdefgh" AE "\r\n"),
	 TYPE "text/plain\r\n" MIME QP "\r\nabcdefgh=C3=A4\r\n", FORM_7BIT},
	/* what is smaller */
	{&seven, REENCODE_AUTO, VIEW(PLAIN8 MIME "\r\n" AE AE AE AE "\r\n"),
	 PLAIN8 MIME B64 "\r\nw6TDpMOkw6QNCg==\r\n", FORM_7BIT},
	{&seven, REENCODE_AUTO,
	 VIEW(MIME TYPE "image/png\r\n\r\nabcdefgh" AE "\r\n"),
	 MIME TYPE "image/png\r\n" QP "\r\nabcdefgh=C3=A4\r\n", FORM_7BIT},
	/* NUL and bare CR are base64's */
	{&eight, REENCODE_AUTO,
	 VIEW(MIME TYPE "text/plain\r\n\r\nabcdefghijklmnop\0\r\n"),
	 MIME TYPE "text/plain\r\n" B64 "\r\nYWJjZGVmZ2hpamtsbW5vcAANCg==\r\n",
	 FORM_7BIT},
	/* encoded already, but not as it should be: the label stays */
	{&seven, REENCODE_AUTO,
	 VIEW(MIME TYPE "text/plain\r\n" QP "\r\na=3D" AE "=\r\nb=\r\n\r\n"),
	 MIME TYPE "text/plain\r\n" QP "\r\na=3D=C3=A4b\r\n", FORM_7BIT},
	{&seven, REENCODE_AUTO,
	 VIEW(MIME TYPE "image/png\r\n" B64 "\r\nZm" AE "9v\r\n"),
	 MIME TYPE "image/png\r\n" B64 "\r\nZm9v\r\n", FORM_7BIT},
	{&seven, REENCODE_AUTO,
	 VIEW(MIME TYPE "message/partial\r\n" QP "\r\nabcdefgh" AE "\r\n"),
	 MIME TYPE "message/partial\r\n" QP "\r\nabcdefgh=C3=A4\r\n",
	 FORM_7BIT},
	/* parts: those that need it, and the labels of what holds them */
	{&seven, REENCODE_AUTO,
	 VIEW(MIXED CTE "8bit\r\n\r\n1\r\n--b\r\n" TYPE "text/plain\r\n" CTE
			"7bit\r\n\r\n2\r\n--b\r\n" TYPE "text/plain\r\n" CTE
			"8bit\r\n"
			"X: y\r\n\r\nabcdefgh" AE "\r\n--b--\r\n3\r\n"),
	 MIXED CTE "7bit\r\n\r\n1\r\n--b\r\n" TYPE "text/plain\r\n" CTE
		   "7bit\r\n\r\n2\r\n--b\r\n" TYPE "text/plain\r\n" QP
		   "X: y\r\n\r\nabcdefgh=C3=A4\r\n--b--\r\n3\r\n",
	 FORM_7BIT},
	{&eight, REENCODE_AUTO,
	 VIEW(MIXED CTE
	      "binary\r\n\r\n--b\r\n\r\na\rb\r\n--b\r\n\r\nabcdefgh" AE
	      "\r\n--b--\r\n"),
	 MIXED CTE "8bit\r\n\r\n--b\r\n" B64
		   "\r\nYQ1i\r\n--b\r\n\r\nabcdefgh" AE "\r\n--b--\r\n",
	 FORM_8BIT},
	/* a part that says nothing is text, if it can be */
	{&seven, REENCODE_AUTO,
	 VIEW(MIXED "\r\n--b\r\n\r\nabcdefgh" AE
		    "\r\n--b\r\nA: b\r\nabcdefgh" AE "\r\n--b--\r\n"),
	 MIXED "\r\n--b\r\n" PLAIN8 QP
	       "\r\nabcdefgh=C3=A4\r\n--b\r\nA: b\r\n" PLAIN8 QP
	       "\r\nabcdefgh=C3=A4\r\n--b--\r\n",
	 FORM_7BIT},
	/* the last octets are base64: a line end is put behind them */
	{&seven, REENCODE_AUTO,
	 VIEW(MIXED "\r\n--b\r\n" TYPE "a/b\r\n\r\n" AE AE "\r\n"),
	 MIXED "\r\n--b\r\n" TYPE "a/b\r\n" B64 "\r\nw6TDpA0K\r\n", FORM_7BIT},
	/* a message in a message: MIME for the inner one, and its header */
	{&seven, REENCODE_AUTO,
	 VIEW(MIXED "\r\n--b\r\n" TYPE "message/rfc822\r\n" CTE "8bit\r\n\r\n"
		    "Subject: " AE "\r\n\r\nabcdefgh" AE "\r\n--b--\r\n"),
	 MIXED "\r\n--b\r\n" TYPE "message/rfc822\r\n" CTE
	       "7bit\r\n\r\nSubject: =?utf-8?B?w6Q=?=\r\n" MIME PLAIN8 QP
	       "\r\nabcdefgh=C3=A4\r\n--b--\r\n",
	 FORM_7BIT},
	{&seven, REENCODE_AUTO,
	 VIEW(MIME TYPE "message/rfc822\r\n\r\nA: b\r\n\r\nabcdefgh" AE "\r\n"),
	 MIME TYPE "message/rfc822\r\n\r\nA: b\r\n" MIME PLAIN8 QP
		   "\r\nabcdefgh=C3=A4\r\n",
	 FORM_7BIT},
	/* a message without a header, behind a header without its end */
	{&seven, REENCODE_AUTO,
	 VIEW(MIXED "\r\n--b\r\n" TYPE "message/rfc822\r\nno field " AE
		    "\r\n--b--\r\n"),
	 MIXED "\r\n--b\r\n" TYPE "message/rfc822\r\n\r\n" MIME PLAIN8 QP
	       "\r\nno field =C3=A4\r\n--b--\r\n",
	 FORM_7BIT},
	{&seven, REENCODE_AUTO,
	 VIEW(MIME TYPE "multipart/digest; boundary=b\r\n\r\n--b\r\n"
			"no field " AE "\r\n--b--\r\n"),
	 MIME TYPE
	 "multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n" MIME PLAIN8 QP
	 "\r\nno field =C3=A4\r\n--b--\r\n",
	 FORM_7BIT},
	/* header of a part alone */
	{&seven, REENCODE_AUTO,
	 VIEW(MIXED "\r\n--b\r\nSubject: " AE "\r\n\r\nx\r\n--b--\r\n"),
	 MIXED "\r\n--b\r\nSubject: =?utf-8?B?w6Q=?=\r\n\r\nx\r\n--b--\r\n",
	 FORM_7BIT},
	/* what nobody is meant to see has no label */
	{&seven, REENCODE_AUTO,
	 VIEW(MIXED "\r\nabcdefgh" AE "\r\n--b\r\n\r\nx\r\n--b--\r\nabcdefgh" AE
		    "\r\n"),
	 MIXED
	 "\r\nabcdefgh=C3=A4\r\n--b\r\n\r\nx\r\n--b--\r\nabcdefgh=C3=A4\r\n",
	 FORM_7BIT},
	/* signed, but told to */
	{&seven, REENCODE_ON,
	 VIEW(SIGNED "\r\n--b\r\n\r\nabcdefgh" AE "\r\n--b--\r\n"),
	 SIGNED "\r\n--b\r\n" PLAIN8 QP "\r\nabcdefgh=C3=A4\r\n--b--\r\n",
	 FORM_7BIT},
	/* parts beside a signed one */
	{&seven, REENCODE_AUTO,
	 VIEW(MIXED
	      "\r\n--b\r\n\r\nabcdefgh" AE "\r\n--b\r\n" TYPE
	      "multipart/signed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n"
	      "--b--\r\n"),
	 MIXED "\r\n--b\r\n" PLAIN8 QP "\r\nabcdefgh=C3=A4\r\n--b\r\n" TYPE
	       "multipart/signed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n"
	       "--b--\r\n",
	 FORM_7BIT},
	/* with its label the last 8-bit octet goes */
	{&eight, REENCODE_AUTO,
	 VIEW(MIXED "\r\n--b\r\nContent-Transfer-Encoding:;\xe9\r\n\r\n\0g\r\n"
		    "--b--\r\n"),
	 MIXED "\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\nAGc=\r\n"
	       "--b--\r\n",
	 FORM_7BIT},
	/* the message's header */
	{&seven, REENCODE_AUTO, VIEW("Subject: " AE "\r\n\r\nx\r\n"),
	 "Subject: =?utf-8?B?w6Q=?=\r\n\r\nx\r\n", FORM_7BIT},
	{&eight, REENCODE_AUTO,
	 VIEW("Subject: " AE "\r\n\r\nabcdefgh" AE "\r\n"),
	 "Subject: =?utf-8?B?w6Q=?=\r\n\r\nabcdefgh" AE "\r\n", FORM_8BIT},
	{&binary, REENCODE_AUTO, VIEW("Subject: " AE "\r\n\r\nx\r\n"),
	 "Subject: =?utf-8?B?w6Q=?=\r\n\r\nx\r\n", FORM_7BIT},
	{&utf8, REENCODE_AUTO, VIEW("Subject: " AE "\r\nX: \xe9\r\n\r\nx\r\n"),
	 "Subject: " AE "\r\nX: =?unknown-8bit?Q?=E9?=\r\n\r\nx\r\n",
	 FORM_7BIT},
};

/* What cannot go. */
static const struct {
	const struct carriage *way;
	enum reencode reencode;
	struct view message;
	enum cause cause;
	const char *status;
} refused[] = {
	{&seven, REENCODE_OFF, VIEW("A: b\r\n\r\n" AE "\r\n"), CAUSE_FEATURE,
	 "5.6.3"},
	{&eight, REENCODE_OFF, VIEW("A: b\r\n\r\na\0b\r\n"), CAUSE_FEATURE,
	 "5.6.3"},
	{&eight, REENCODE_OFF, VIEW("A: b\r\n\r\na\rb\r\n"), CAUSE_FEATURE,
	 "5.6.3"},
	{&seven, REENCODE_OFF, VIEW("Subject: " AE "\r\n\r\nx\r\n"),
	 CAUSE_FEATURE, "5.6.3"},
	{&seven, REENCODE_AUTO,
	 VIEW(SIGNED "\r\n--b\r\n\r\n" AE "\r\n--b--\r\n"), CAUSE_FEATURE,
	 "5.6.3"},
	{&eight, REENCODE_AUTO, VIEW(SIGNED "\r\n--b\r\n\r\na\rb\r\n--b--\r\n"),
	 CAUSE_FEATURE, "5.6.3"},
	{&eight, REENCODE_AUTO,
	 VIEW(SIGNED "\r\n--b\r\n\r\n" X1K "\r\n--b--\r\n"), CAUSE_FEATURE,
	 "5.6.3"},
	{&seven, REENCODE_AUTO,
	 VIEW(SIGNED "\r\n--b\r\nA: " AE "\r\n\r\nx\r\n--b--\r\n"),
	 CAUSE_FEATURE, "5.6.3"},
	{&seven, REENCODE_ON,
	 VIEW(MIME TYPE "message/partial\r\n\r\n" AE "\r\n"), CAUSE_FEATURE,
	 "5.6.3"},
	{&seven, REENCODE_ON,
	 VIEW(MIME TYPE "a/b\r\n" CTE "x-c\r\n\r\n" AE "\r\n"), CAUSE_FEATURE,
	 "5.6.3"},
	/* a header has none of these on any way */
	{&binary, REENCODE_AUTO, VIEW("A: b\0\r\n\r\nx\r\n"), CAUSE_CONTENT,
	 "5.6.0"},
	{&binary, REENCODE_ON, VIEW("A: b\rc\r\n\r\nx\r\n"), CAUSE_CONTENT,
	 "5.6.0"},
	{&binary, REENCODE_OFF, VIEW("A: b\rc\r\n\r\nx\r\n"), CAUSE_CONTENT,
	 "5.6.0"},
	{&eight, REENCODE_AUTO, VIEW("A: " X1K "\r\n\r\nx\r\n"), CAUSE_CONTENT,
	 "5.6.0"},
	{&seven, REENCODE_AUTO,
	 VIEW(MIXED "\r\n--b\r\nA: b\rc\r\n\r\nx\r\n--b--\r\n"), CAUSE_CONTENT,
	 "5.6.0"},
};

/* The spans are the body from end to end, and as large as they say. */
static void check_spans(const struct plan *p, const struct message *m)
{
	uint64_t at = 0, size = 0;
	size_t i;

	for (i = 0; i < p->n_spans; i++) {
		const struct span *s = &p->spans[i];

		assert_int_equal(s->at, at);
		assert_true(s->kind != SPAN_COPY || (s->n && s->size == s->n));
		assert_true(s->kind != SPAN_LINE_END ||
			    (!s->n && s->size == 2));
		at += s->n;
		size += s->size;
	}
	if (p->n_spans) {
		assert_int_equal(at, store_size(m->body));
		assert_int_equal(size, p->body_size);
	} else {
		assert_int_equal(p->body_size, store_size(m->body));
	}
}

static void pull(struct content *c, struct buf *out)
{
	struct outcome o = OUTCOME_INIT;
	struct view piece;
	int rc;

	buf_clear(out);
	while ((rc = content_next(c, UINT64_MAX, &piece, &o)) > 0)
		buf_add_view(out, piece);
	assert_int_equal(rc, 0);
	assert_int_equal(out->n, content_size(c));
	assert_true(out->n >= 2 && !memcmp(out->p + out->n - 2, "\r\n", 2));
}

/* Plan and send; -1: refused. */
static int send(struct view text, const struct carriage *way,
		enum reencode reencode, struct plan *p, struct buf *out,
		struct outcome *o)
{
	struct message m;
	struct content *c;
	int rc;

	read_view(text, &m);
	*p = PLAN_INIT;
	rc = plan_make(&m, buf_view(&m.header), way, reencode, p, o);
	if (rc == 0) {
		check_spans(p, &m);
		c = content_new(buf_view(&m.header), &m);
		assert_int_equal(content_fit(c, way, reencode, o), 0);
		pull(c, out);
		content_free(c);
	}
	message_release(&m);
	return rc;
}

static void changes_nothing_without_need(void **state)
{
	struct buf out = BUF_INIT(LIMIT);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(kept); i++) {
		struct outcome o = OUTCOME_INIT;
		struct plan p;

		if (send(kept[i].message, kept[i].way, kept[i].reencode, &p,
			 &out, &o) < 0)
			fail_msg("%s%s", kept[i].message.p, o.text);
		assert_true(view_equal(buf_view(&out), kept[i].message));
		assert_false(p.new_header);
		assert_int_equal(p.n_spans, 0);
		assert_int_equal(p.form, kept[i].form);
		plan_release(&p);
	}
	buf_release(&out);
}

static void changes_what_it_must(void **state)
{
	struct buf out = BUF_INIT(LIMIT);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(changed); i++) {
		struct outcome o = OUTCOME_INIT;
		struct plan p;

		if (send(changed[i].message, changed[i].way,
			 changed[i].reencode, &p, &out, &o) < 0)
			fail_msg("%s%s", changed[i].message.p, o.text);
		assert_string_equal(out.p, changed[i].sent);
		assert_int_equal(p.form, changed[i].form);
		assert_int_equal(
			p.header_8bit,
			view_has_8bit(view_make(
				out.p,
				(size_t)(strstr(out.p, "\r\n\r\n") - out.p))));
		plan_release(&p);
	}
	buf_release(&out);
}

static void refuses(void **state)
{
	struct buf out = BUF_INIT(LIMIT);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(refused); i++) {
		struct outcome o = OUTCOME_INIT;
		struct plan p;

		if (send(refused[i].message, refused[i].way,
			 refused[i].reencode, &p, &out, &o) == 0)
			fail_msg("%zu: %s", i, refused[i].message.p);
		assert_int_equal(o.cause, refused[i].cause);
		assert_string_equal(o.status, refused[i].status);
		assert_true(o.text && *o.text);
		outcome_release(&o);
		plan_release(&p);
	}
	buf_release(&out);
}

/* A line of 998 is one; of 999 it becomes quoted-printable if it is text. */
static void long_lines(void **state)
{
	static const struct {
		const char *header;
		size_t n;
		const char *encoding; /* NULL: none is needed */
	} cases[] = {
		{"A: b\r\n", 998, NULL},
		{"A: b\r\n", 999, "quoted-printable"},
		{MIME TYPE "text/html\r\n", 5000, "quoted-printable"},
		{MIME TYPE "image/png\r\n", 998, NULL},
		{MIME TYPE "image/png\r\n", 999, "base64"},
		{MIME TYPE "image/png\r\n" CTE "binary\r\n", 99999, "base64"},
		{MIME TYPE "image/png\r\n" B64, 99999, "base64"},
		{MIME TYPE "image/png\r\n" QP, 99999, "quoted-printable"},
	};
	static const struct carriage *const ways[] = {&seven, &eight, &utf8};
	struct buf out = BUF_INIT(LIMIT), in = BUF_INIT(LIMIT);
	struct buf decoded = BUF_INIT(LIMIT), wanted = BUF_INIT(LIMIT);
	size_t i, k;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		for (k = 0; k < N_OF(ways); k++) {
			struct outcome o = OUTCOME_INIT;
			struct view body, in_body;
			size_t begin;
			struct plan p;

			buf_clear(&in);
			buf_printf(&in, "%s\r\n", cases[i].header);
			begin = in.n;
			while (in.n < begin + cases[i].n)
				buf_add_char(&in, 'x');
			buf_add_text(&in, "\r\n");
			assert_int_equal(send(buf_view(&in), ways[k],
					      REENCODE_AUTO, &p, &out, &o),
					 0);
			plan_release(&p);
			if (!cases[i].encoding) {
				assert_string_equal(out.p, in.p);
				continue;
			}
			in_body = view_skip(buf_view(&in), begin);
			body = view_of(strstr(out.p, "\r\n\r\n") + 4);
			assert_non_null(strstr(out.p, cases[i].encoding));
			buf_clear(&decoded);
			buf_clear(&wanted);
			if (!strcmp(cases[i].encoding, "base64")) {
				decode_b64(body, &decoded);
				if (strstr(in.p, "base64"))
					decode_b64(in_body, &wanted);
				else
					buf_add_view(&wanted, in_body);
			} else {
				decode_qp(body, &decoded);
				buf_add_view(&wanted, in_body);
			}
			assert_string_equal(decoded.p, wanted.p);
			for (; body.n;
			     body = view_skip(body, line_length(body) + 2))
				assert_in_range(line_length(body), 1, 76);
		}
	buf_release(&in);
	buf_release(&out);
	buf_release(&decoded);
	buf_release(&wanted);
}

/* A part in quoted-printable may end the message with a soft line break; there
 * must be a line end then, and it must not be one of the text. */
static void ends_in_a_line_end(void **state)
{
	static const struct {
		const char *body, *decoded;
	} cases[] = {
		{AE "\r\n", AE "\r\n"},       {AE "=\r\n", AE},
		{AE "= \t\r\n", AE},          {AE " =\r\n", AE " "},
		{AE "=\r\n\r\n", AE "\r\n"},  {AE "=\r\n=\r\n", AE},
		{AE "\r\n=\r\n", AE "\r\n"},  {AE "=20=\r\n", AE " "},
		{AE "=\r\n \r\n", AE "\r\n"},
	};
	struct buf in = BUF_INIT(LIMIT), out = BUF_INIT(LIMIT);
	struct buf decoded = BUF_INIT(LIMIT);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct outcome o = OUTCOME_INIT;
		struct plan p;

		buf_clear(&in);
		buf_printf(&in, MIME TYPE "text/plain\r\n" QP "\r\n%s",
			   cases[i].body);
		assert_int_equal(send(buf_view(&in), &seven, REENCODE_AUTO, &p,
				      &out, &o),
				 0);
		plan_release(&p);
		buf_clear(&decoded);
		decode_qp(view_of(strstr(out.p, "\r\n\r\n") + 4), &decoded);
		assert_string_equal(decoded.p, cases[i].decoded);
	}
	buf_release(&in);
	buf_release(&out);
	buf_release(&decoded);
}

/* No line that is encoded becomes a boundary of what is around it. */
static void makes_no_boundaries(void **state)
{
	static const char *const cases[] = {
		MIME TYPE "multipart/mixed; boundary=b\r\n\r\n--b\r\n" QP
			  "\r\n" AE "\r\n-=\r\n-b\r\ny\r\n--b--\r\n",
		MIME TYPE "multipart/mixed; boundary=b\r\n\r\n--b\r\n" QP
			  "\r\n" AE "\r\n-=\r\n-=\r\nb--\r\ny\r\n--b--\r\n",
		MIME TYPE "multipart/mixed; boundary=\"b=C3=A4\"\r\n\r\n"
			  "--b=C3=A4\r\n\r\n--b" AE "\r\n--b=C3=A4--\r\n",
		MIME TYPE "multipart/mixed; boundary=\"b=20\"\r\n\r\n"
			  "--b=20\r\n\r\n--b \r\n" AE "\r\n--b=20--\r\n",
		MIME TYPE
		"multipart/mixed; boundary=\"b c\"\r\n\r\n--b c\r\n" QP
		"\r\n" AE "\r\n--b=\r\n c\r\n--b c--\r\n",
	};
	static const char *const delimiters[] = {"--b", "--b", "--b=C3=A4",
						 "--b=20", "--b c"};
	struct buf out = BUF_INIT(LIMIT);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct outcome o = OUTCOME_INIT;
		struct view rest, line;
		size_t n = 0;
		struct plan p;

		assert_int_equal(send(view_of(cases[i]), &seven, REENCODE_AUTO,
				      &p, &out, &o),
				 0);
		plan_release(&p);
		for (rest = buf_view(&out); rest.n;
		     rest = view_skip(rest, line.n + 2)) {
			line = view_make(rest.p, line_length(rest));
			n += view_starts_nocase(line, view_of(delimiters[i]));
		}
		if (n != 2)
			fail_msg("%s", out.p);
	}
	buf_release(&out);
}

/* The lines that part the parts go out as well, and must fit the way. */
static void delimiters_fit(void **state)
{
	static const struct {
		const struct carriage *way;
		const char *boundary, *line;
	} cases[] = {
		{&seven, "\"b" AE "\"", "--b" AE},
		{&seven, "b" AE, "--b" AE},
		{&eight, "\"\xff\"", "--\xff"},
		{&eight, "us-ascii''a%0Db", "--a\rb"},
		{&seven, "us-ascii''a%01b",
		 "--a\x01"
		 "b"},
	};
	struct buf in = BUF_INIT(LIMIT), out = BUF_INIT(LIMIT);
	size_t i, k;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct outcome o = OUTCOME_INIT;
		struct plan p;

		buf_clear(&in);
		buf_printf(&in,
			   MIME TYPE "multipart/mixed; boundary%s=%s\r\n\r\n"
				     "%s\r\n\r\nx\r\n%s--\r\n",
			   strchr(cases[i].boundary, '\'') ? "*" : "",
			   cases[i].boundary, cases[i].line, cases[i].line);
		/* refused, or in a form that can go */
		if (send(buf_view(&in), cases[i].way, REENCODE_AUTO, &p, &out,
			 &o) == 0) {
			assert_true(cases[i].way->eightbit ||
				    !view_has_8bit(buf_view(&out)));
			assert_false(view_has_bare_cr(buf_view(&out)));
		}
		plan_release(&p);
		outcome_release(&o);
	}
	for (k = 0; k < 2; k++) {
		struct outcome o = OUTCOME_INIT;
		struct plan p;

		buf_clear(&in);
		buf_add_text(&in, MIXED "\r\n--b\r\n\r\nx\r\n--b");
		for (i = 0; i < (k ? 996 : 5000); i++)
			buf_add_char(&in, ' ');
		buf_add_text(&in, "\r\n\r\ny\r\n--b--\r\n");
		if (send(buf_view(&in), &seven, REENCODE_AUTO, &p, &out, &o) ==
		    0) {
			struct view rest = buf_view(&out);

			for (; rest.n;
			     rest = view_skip(rest, line_length(rest) + 2))
				assert_in_range(line_length(rest), 0, 998);
		}
		plan_release(&p);
		outcome_release(&o);
	}
	buf_release(&in);
	buf_release(&out);
}

/* Memory for the plan is bounded, and says so. */
static void has_limits(void **state)
{
	struct buf in = BUF_INIT(LIMIT), out = BUF_INIT(LIMIT);
	size_t n, i;

	(void)state;
	for (n = PLAN_PARTS_MAX; n <= PLAN_PARTS_MAX + 1; n++) {
		struct outcome o = OUTCOME_INIT;
		struct plan p;

		buf_clear(&in);
		buf_add_text(&in, MIXED "\r\n");
		for (i = 0; i < n; i++)
			buf_add_text(&in, "--b\r\n\r\n" AE "\r\n");
		buf_add_text(&in, "--b--\r\n");
		assert_int_equal(send(buf_view(&in), &seven, REENCODE_AUTO, &p,
				      &out, &o),
				 n > PLAN_PARTS_MAX ? -1 : 0);
		assert_string_equal(o.status,
				    n > PLAN_PARTS_MAX ? "5.6.3" : "");
		plan_release(&p);
		outcome_release(&o);
	}
	buf_release(&in);
	buf_release(&out);
}

/* A header that is edited is what goes out, not the one that was read. */
static void plans_for_the_edited_header(void **state)
{
	struct outcome o = OUTCOME_INIT;
	struct plan p = PLAN_INIT;
	struct message m;

	(void)state;
	read_text("A: b\n\n--b\n\n" AE "\n--b--\n", &m);
	assert_int_equal(plan_make(&m, VIEW(MIXED "Subject: " AE "\r\n"),
				   &seven, REENCODE_AUTO, &p, &o),
			 0);
	assert_string_equal(p.header.p, MIXED "Subject: =?utf-8?B?w6Q=?=\r\n");
	assert_true(p.new_header);
	assert_int_equal(p.n_spans, 4);
	assert_int_equal(p.spans[1].kind, SPAN_HEADER);
	assert_int_equal(p.spans[2].kind, SPAN_ENCODE);
	check_spans(&p, &m);
	plan_release(&p);
	message_release(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_nothing_without_need),
		cmocka_unit_test(changes_what_it_must),
		cmocka_unit_test(refuses),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(ends_in_a_line_end),
		cmocka_unit_test(makes_no_boundaries),
		cmocka_unit_test(delimiters_fit),
		cmocka_unit_test(has_limits),
		cmocka_unit_test(plans_for_the_edited_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
