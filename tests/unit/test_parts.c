/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The walk through a body: which stretches there are, and what is in them. */
#include "mail/parts.h"

#include "base/text.h"
#include "unit.h"

#define LIMIT (4u << 20) /* octets of anything here */
#define BLOCK PARTS_BLOCK
#define AHEAD PARTS_LOOK_AHEAD

/* What was told, as a line: see `samples`. */
struct told {
	const struct store *body;
	struct buf story;
	struct buf octets; /* of the stretch the walk is in */
	uint64_t next;     /* no stretch begins before it */
	struct part last;  /* the last that is no filler, when it began */
	size_t n_begun;
	size_t fail_begin; /* the number of the stretch at which to fail */
	bool fail_end;
};

static void add_shown(struct buf *out, struct view v)
{
	size_t i;

	for (i = 0; i < v.n; i++) {
		if (v.p[i] == '\r' && i + 1 < v.n && v.p[i + 1] == '\n') {
			buf_add_char(out, '/');
			i++;
		} else {
			buf_add_char(out, v.p[i]);
		}
	}
}

/* Are these octets at that place of the body? */
static void check_place(const struct told *t, uint64_t at, struct view v)
{
	struct outcome o = OUTCOME_INIT;
	char block[1000];
	ptrdiff_t got;

	assert_true(at + v.n <= store_size(t->body));
	while (v.n) {
		got = store_read(t->body, at, block,
				 v.n < sizeof(block) ? v.n : sizeof(block), &o);
		assert_true(got > 0);
		assert_memory_equal(block, v.p, (size_t)got);
		at += (uint64_t)got;
		v = view_skip(v, (size_t)got);
	}
}

static int begin(void *context, const struct part *p, struct view header,
		 struct outcome *o)
{
	static const char kinds[] = "tomdsrx";
	struct told *t = context;

	assert_true(p->header_at >= t->next);
	assert_true(p->body_at >= p->header_at + p->header_n);
	assert_int_equal(p->header_n, header.n);
	check_place(t, p->header_at, header);
	t->next = p->body_at;
	buf_clear(&t->octets);
	if (t->story.n)
		buf_add_char(&t->story, ' ');
	buf_add_char(&t->story, p->is_top ? 'T' : p->is_filler ? 'F' : 'P');
	if (!p->is_filler)
		buf_add_char(&t->story, kinds[p->media->kind]);
	buf_add_text(&t->story, p->is_message && !p->is_top ? "*" : "");
	buf_add_text(&t->story, p->is_signed && !p->is_filler ? "!" : "");
	if (header.n) {
		buf_add_char(&t->story, '(');
		add_shown(&t->story, header);
		buf_add_char(&t->story, ')');
	}
	if (!p->is_filler)
		t->last = *p;
	if (++t->n_begun == t->fail_begin)
		return fail(o, CAUSE_USAGE, "5.0.0", "as told");
	return 0;
}

static void octets(void *context, struct view piece)
{
	struct told *t = context;

	assert_true(piece.n > 0);
	/* no piece parts a CR from its LF */
	assert_true(piece.p[0] != '\n');
	buf_add_view(&t->octets, piece);
}

static int end(void *context, const struct part *p, struct outcome *o)
{
	struct told *t = context;

	assert_false(!p->is_filler && media_is_composite(p->media));
	assert_int_equal(p->body_n, t->octets.n);
	check_place(t, p->body_at, buf_view(&t->octets));
	t->next = p->body_at + p->body_n;
	assert_int_equal(p->is_last,
			 t->next == store_size(t->body) &&
				 (t->octets.n || p->is_last));
	buf_add_char(&t->story, '[');
	add_shown(&t->story, buf_view(&t->octets));
	buf_add_text(&t->story, p->is_last ? "]." : "]");
	if (t->fail_end)
		return fail(o, CAUSE_USAGE, "5.0.1", "as told");
	return 0;
}

static void told_release(struct told *t)
{
	buf_release(&t->story);
	buf_release(&t->octets);
}

/* Walk a text that is stored with that much memory, and see what is told. */
static int walk_stored(struct view header, struct view body, size_t memory,
		       struct told *t, struct outcome *o)
{
	const struct part_visitor visitor = {begin, octets, end, t};
	struct outcome ignored = OUTCOME_INIT;
	struct store *s = store_new(memory);
	int rc;

	t->body = s;
	t->story = BUF_INIT(LIMIT);
	t->octets = BUF_INIT(LIMIT);
	assert_int_equal(store_append(s, body.p, body.n, &ignored), 0);
	rc = parts_walk(s, header, &visitor, o);
	store_free(s);
	return rc;
}

static void walk(struct view header, struct view body, size_t memory,
		 struct told *t)
{
	struct outcome o = OUTCOME_INIT;

	*t = (struct told){0};
	assert_int_equal(walk_stored(header, body, memory, t, &o), 0);
	assert_false(outcome_is_failure(&o));
}

#define MIXED  "Content-Type: multipart/mixed; boundary=b\r\n"
#define INNER  "Content-Type: multipart/mixed; boundary=c\r\n"
#define PREFIX "Content-Type: multipart/mixed; boundary=bb\r\n"
#define DIGEST "Content-Type: multipart/digest; boundary=b\r\n"
#define SIGNED "Content-Type: multipart/signed; boundary=b\r\n"
#define LETTER "Content-Type: message/rfc822\r\n"
#define IMAGE  "Content-Type: image/png\r\n"
/* the same as they are told */
#define INNER_T  "(Content-Type: multipart/mixed; boundary=c/)"
#define PREFIX_T "(Content-Type: multipart/mixed; boundary=bb/)"
#define LETTER_T "(Content-Type: message/rfc822/)"
#define IMAGE_T  "(Content-Type: image/png/)"

/*
 * T: the message, P: a part, F: preamble or epilogue; then what it is (text,
 * other, multipart, digest, signed, rfc822, x: fixed), `*`: a message's header,
 * `!`: signed; (its header)[its octets]; a dot: the message's end. Line ends
 * are `/`.
 */
static const struct {
	const char *header, *body, *story;
} samples[] = {
	/* no parts */
	{"", "", "Tt[]."},
	{"", "x\r\n", "Tt[x/]."},
	{"", "--b\r\n\r\n--b--\r\n", "Tt[--b//--b--/]."},
	{"Subject: x\r\n", "\r\n\r\n", "Tt[//]."},
	{IMAGE, "x\r\n", "To[x/]."},
	{"Content-Type: message/partial\r\n", "x\r\n", "Tx[x/]."},
	{"Content-Type: multipart/mixed\r\n", "--b\r\n", "To[--b/]."},
	{"Content-Type: x\r\n" MIXED, "--b\r\n", "To[--b/]."},
	/* what has one */
	{MIXED, "--b\r\n\r\nx\r\n--b--\r\n", "Tm F[] Pt[x] F[]."},
	{MIXED, "pre\r\n--b\r\n\r\nx\r\n--b--\r\nepi\r\n",
	 "Tm F[pre] Pt[x] F[epi/]."},
	{MIXED, "\r\n--b\r\n\r\nx\r\n\r\n--b--\r\n\r\n", "Tm F[] Pt[x/] F[/]."},
	{"content-type:multipart/MIXED;BOUNDARY=\"b\"\r\n",
	 "--b\r\n" IMAGE "\r\nx\r\n--b--\r\n", "Tm F[] Po" IMAGE_T "[x] F[]."},
	/* more of them */
	{MIXED, "--b\r\n\r\nx\r\n--b\r\n" IMAGE "\r\ny\r\nz\r\n--b--\r\n",
	 "Tm F[] Pt[x] Po" IMAGE_T "[y/z] F[]."},
	/* nothing in them */
	{MIXED, "", "Tm F[]."},
	{MIXED, "x\r\n", "Tm F[x/]."},
	{MIXED, "--b--\r\n", "Tm F[] F[]."},
	{MIXED, "--b\r\n--b\r\n\r\n--b\r\n\r\n\r\n--b--\r\n",
	 "Tm F[] Pt[] Pt[] Pt[] F[]."},
	{MIXED, "--b\r\nA: b\r\n--b\r\nA: b\r\n\r\n--b--\r\n",
	 "Tm F[] Pt(A: b/)[] Pt(A: b/)[] F[]."},
	{MIXED, "--b\r\nA: b\r\n c\r\n\r\n\r\n\r\n--b--\r\n",
	 "Tm F[] Pt(A: b/ c/)[/] F[]."},
	/* no end */
	{MIXED, "--b\r\n", "Tm F[] Pt[]."},
	{MIXED, "--b\r\nA: b\r\n", "Tm F[] Pt(A: b/)[]."},
	{MIXED, "--b\r\n\r\n", "Tm F[] Pt[]."},
	{MIXED, "--b\r\n\r\nx\r\n", "Tm F[] Pt[x/]."},
	{MIXED, "--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n", "Tm F[] Pt[x] Pt[y/]."},
	/* a header that ends where no field is */
	{MIXED, "--b\r\nno field\r\n--b--\r\n", "Tm F[] Pt[no field] F[]."},
	{MIXED, "--b\r\nA: b\r\nno field\r\n\r\nx\r\n--b--\r\n",
	 "Tm F[] Pt(A: b/)[no field//x] F[]."},
	{MIXED, "--b\r\n A: b\r\n--b--\r\n", "Tm F[] Pt[ A: b] F[]."},
	/* what is a boundary, and what is none */
	{MIXED, "--b \t \r\n\r\nx\r\n--b-- \t\r\ny\r\n", "Tm F[] Pt[x] F[y/]."},
	{MIXED,
	 "--bx\r\n--b-\r\n--b--x\r\n--b --\r\n --b\r\n-b\r\n--\r\n--B\r\n"
	 "x--b\r\n",
	 "Tm F[--bx/--b-/--b--x/--b --/ --b/-b/--/--B/x--b/]."},
	{MIXED, "--b\r\n\r\n--bx\r\n--b-\r\n- --b\r\n--b--\r\n",
	 "Tm F[] Pt[--bx/--b-/- --b] F[]."},
	{MIXED, "--b\r\n--bx: y\r\n\r\nx\r\n--b--\r\n",
	 "Tm F[] Pt(--bx: y/)[x] F[]."},
	{"Content-Type: multipart/mixed; boundary=\"a b\"\r\n",
	 "--a b\r\n\r\nx\r\n--a b--\r\n", "Tm F[] Pt[x] F[]."},
	{"Content-Type: multipart/mixed; boundary=\"--\"\r\n",
	 "----\r\n\r\nx\r\n------\r\n", "Tm F[] Pt[x] F[]."},
	/* behind the end there is none */
	{MIXED, "--b\r\n\r\nx\r\n--b--\r\n--b\r\n\r\ny\r\n",
	 "Tm F[] Pt[x] F[--b//y/]."},
	/* parts of parts */
	{MIXED,
	 "1\r\n--b\r\n" INNER "\r\n2\r\n--c\r\n\r\n3\r\n--c--\r\n4\r\n--b\r\n"
	 "\r\n5\r\n--b--\r\n6\r\n",
	 "Tm F[1] Pm" INNER_T " F[2] Pt[3] F[4] Pt[5] F[6/]."},
	/* the outer boundary ends the inner one */
	{MIXED,
	 "--b\r\n" INNER "\r\n--c\r\n\r\n3\r\n--b\r\n\r\n--c\r\n--b--\r\n",
	 "Tm F[] Pm" INNER_T " F[] Pt[3] Pt[--c] F[]."},
	{MIXED, "--b\r\n" INNER "\r\n--c\r\nA: b\r\n--b--\r\n",
	 "Tm F[] Pm" INNER_T " F[] Pt(A: b/)[] F[]."},
	{MIXED, "--b\r\n" INNER "--b--\r\n", "Tm F[] Pm" INNER_T " F[] F[]."},
	{MIXED, "--b\r\n" INNER "\r\n--c--\r\n--b--\r\n",
	 "Tm F[] Pm" INNER_T " F[] F[] F[]."},
	/* one the beginning of the other, or the same */
	{MIXED,
	 "--b\r\n" PREFIX "\r\n--bb\r\n\r\n1\r\n--bb--\r\n2\r\n--b\r\n\r\n3\r\n"
	 "--b--\r\n",
	 "Tm F[] Pm" PREFIX_T " F[] Pt[1] F[2] Pt[3] F[]."},
	{PREFIX, "--bb\r\n" MIXED "\r\n--b\r\n\r\n1\r\n--b--\r\n--bb--\r\n",
	 "Tm F[] Pm(Content-Type: multipart/mixed; boundary=b/) F[] Pt[1] F[]"
	 " F[]."},
	{MIXED, "--b\r\n" MIXED "\r\n--b\r\n\r\n1\r\n--b--\r\n2\r\n--b--\r\n",
	 "Tm F[] Pm(Content-Type: multipart/mixed; boundary=b/) F[] Pt[1] F[2]"
	 " F[]."},
	/* messages */
	{LETTER, "A: b\r\n\r\nx\r\n", "Tr Pt*(A: b/)[x/]."},
	{LETTER, "", "Tr Pt*[]."},
	{LETTER, "\r\nx\r\n", "Tr Pt*[x/]."},
	{LETTER, "x\r\n", "Tr Pt*[x/]."},
	{LETTER, LETTER "\r\n" IMAGE "\r\nx\r\n",
	 "Tr Pr*" LETTER_T " Po*" IMAGE_T "[x/]."},
	{MIXED,
	 "--b\r\n" LETTER "\r\n" INNER "\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n",
	 "Tm F[] Pr" LETTER_T " Pm*" INNER_T " F[] Pt[x] F[] F[]."},
	{MIXED, "--b\r\n" LETTER "\r\nA: b\r\n--b--\r\n",
	 "Tm F[] Pr" LETTER_T " Pt*(A: b/)[] F[]."},
	{MIXED, "--b\r\n" LETTER "--b--\r\n",
	 "Tm F[] Pr" LETTER_T " Pt*[] F[]."},
	{MIXED, "--b\r\n" LETTER "\r\n" LETTER "\r\n--b--\r\n",
	 "Tm F[] Pr" LETTER_T " Pr*" LETTER_T " Pt*[] F[]."},
	/* a digest's are messages unless they say otherwise */
	{DIGEST, "--b\r\n\r\nA: b\r\n\r\nx\r\n--b--\r\n",
	 "Td F[] Pr Pt*(A: b/)[x] F[]."},
	{DIGEST, "--b\r\nC: d\r\n\r\nA: b\r\n\r\nx\r\n--b--\r\n",
	 "Td F[] Pr(C: d/) Pt*(A: b/)[x] F[]."},
	{DIGEST, "--b\r\n" IMAGE "\r\nx\r\n--b--\r\n",
	 "Td F[] Po" IMAGE_T "[x] F[]."},
	{DIGEST, "--b\r\n--b\r\n\r\n--b--\r\n",
	 "Td F[] Pr Pt*[] Pr Pt*[] F[]."},
	/* what is signed */
	{SIGNED, "--b\r\n\r\nx\r\n--b\r\n" IMAGE "\r\ny\r\n--b--\r\n",
	 "Ts F[] Pt![x] Po!" IMAGE_T "[y] F[]."},
	{MIXED,
	 "--b\r\n\r\nx\r\n--b\r\n"
	 "Content-Type: multipart/signed; boundary=c\r\n\r\n"
	 "--c\r\n" PREFIX "\r\n--bb\r\n\r\ny\r\n--bb--\r\n--c--\r\n"
	 "--b\r\n\r\nz\r\n--b--\r\n",
	 "Tm F[] Pt[x] Ps(Content-Type: multipart/signed; boundary=c/) F[]"
	 " Pm!" PREFIX_T " F[] Pt![y] F[] F[] Pt[z] F[]."},
	/* what is encoded as a whole has no parts */
	{MIXED "Content-Transfer-Encoding: base64\r\n", "--b\r\n", "To[--b/]."},
	{MIXED "Content-Transfer-Encoding: 8bit\r\n", "--b\r\n",
	 "Tm F[] Pt[]."},
	{MIXED,
	 "--b\r\n" LETTER "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	 "A: b\r\n--b--\r\n",
	 "Tm F[] Po(Content-Type: message/rfc822/"
	 "Content-Transfer-Encoding: quoted-printable/)[A: b] F[]."},
};

static void tells_stretches(void **state)
{
	static const size_t memories[] = {0, 1, 7, 30, LIMIT};
	size_t i, k;

	(void)state;
	for (i = 0; i < N_OF(samples); i++)
		for (k = 0; k < N_OF(memories); k++) {
			struct told t;

			walk(view_of(samples[i].header),
			     view_of(samples[i].body), memories[k], &t);
			assert_string_equal(t.story.p, samples[i].story);
			told_release(&t);
		}
}

/* Facts of a part's header that the story does not tell. */
static void tells_what_headers_say(void **state)
{
	static const struct {
		const char *header;
		enum encoding encoding;
		bool has_type, has_version;
	} cases[] = {
		{"", ENCODING_7BIT, false, false},
		{"A: b\r\n", ENCODING_7BIT, false, false},
		{"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n"
		 "Content-Transfer-Encoding: Base64\r\n",
		 ENCODING_BASE64, true, true},
		{"CONTENT-TRANSFER-ENCODING:\r\n 8bit\r\n", ENCODING_8BIT,
		 false, false},
		{"Content-Transfer-Encoding: x-y\r\n", ENCODING_UNKNOWN, false,
		 false},
		/* the first one counts */
		{"Content-Transfer-Encoding: 8bit\r\n"
		 "Content-Transfer-Encoding: base64\r\n",
		 ENCODING_8BIT, false, false},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct told t;
		struct buf body = BUF_INIT(LIMIT);

		buf_printf(&body, "--b\r\n%s\r\nx\r\n--b--\r\n",
			   cases[i].header);
		walk(VIEW(MIXED), buf_view(&body), 0, &t);
		assert_int_equal(t.last.encoding, cases[i].encoding);
		assert_int_equal(t.last.has_type, cases[i].has_type);
		assert_int_equal(t.last.has_version, cases[i].has_version);
		told_release(&t);
		walk(view_of(cases[i].header), VIEW("x\r\n"), 0, &t);
		assert_true(t.last.is_top && t.last.is_message);
		assert_int_equal(t.last.encoding, cases[i].encoding);
		assert_int_equal(t.last.has_type, cases[i].has_type);
		assert_int_equal(t.last.has_version, cases[i].has_version);
		told_release(&t);
		buf_release(&body);
	}
}

/* Whatever lies across the end of a block is seen all the same. */
static void sees_across_blocks(void **state)
{
	static const char tail[] = "\r\n--b\r\nA: b\r\n\tc\r\n\r\ny\r\n--bc\r\n"
				   "\r\n--b--\r\nz\r\n";
	static const char story[] = "[x] Pt(A: b/\tc/)[y/--bc/] F[z/].";
	static const size_t bases[] = {BLOCK - 80, BLOCK + AHEAD - 80,
				       2 * BLOCK - 80, 2 * BLOCK + AHEAD - 80};
	struct buf body = BUF_INIT(LIMIT);
	size_t i, n;

	(void)state;
	for (i = 0; i < N_OF(bases); i++)
		for (n = bases[i]; n < bases[i] + 160; n++) {
			struct told t;
			const char *seen;

			buf_clear(&body);
			buf_add_text(&body, "--b\r\n\r\n");
			while (body.n < n)
				buf_add_text(&body, body.n % 5 ? "x" : "x\r\n");
			buf_add_char(&body, 'x');
			buf_add_text(&body, tail);
			walk(VIEW(MIXED), buf_view(&body), n % 2 ? LIMIT : 1000,
			     &t);
			seen = strstr(t.story.p, "x] ");
			assert_non_null(seen);
			assert_string_equal(seen, strstr(story, "x] "));
			told_release(&t);
		}
	buf_release(&body);
}

/* A long line is no boundary, or is one; where it lies does not matter. */
static void long_lines_do_not_depend_on_blocks(void **state)
{
	static const size_t lengths[] = {900,   997,       998, 999,
					 AHEAD, AHEAD + 1, 2000};
	struct buf body = BUF_INIT(LIMIT);
	size_t i, n, at;

	(void)state;
	for (i = 0; i < N_OF(lengths); i++) {
		size_t n_begun = 0;

		for (n = 0; n < 30; n++) {
			struct told t;

			at = n < 10 ? n
				: n < 20
				? BLOCK - 10 + (n - 5)
				: BLOCK + AHEAD - lengths[i] - 5 + (n - 20);
			buf_clear(&body);
			while (body.n < at)
				buf_add_char(&body, 'x');
			buf_add_text(&body, "\r\n--b");
			while (body.n < at + 2 + lengths[i])
				buf_add_char(&body, ' ');
			buf_add_text(&body, "\r\n\r\n");
			while (body.n < 3 * BLOCK)
				buf_add_text(&body, "y\r\n");
			walk(VIEW(MIXED), buf_view(&body), LIMIT, &t);
			if (!n_begun)
				n_begun = t.n_begun;
			assert_int_equal(t.n_begun, n_begun);
			if (lengths[i] <= 998)
				assert_int_equal(t.n_begun, 3);
			told_release(&t);
		}
	}
	buf_release(&body);
}

static void nest(struct buf *body, size_t n)
{
	size_t i;

	buf_clear(body);
	for (i = 1; i < n; i++)
		buf_printf(body,
			   "--b%zu\r\nContent-Type: multipart/mixed;"
			   " boundary=b%zu\r\n\r\n",
			   i, i + 1);
	buf_printf(body, "--b%zu\r\n\r\nx\r\n", n);
}

static void has_limits(void **state)
{
	const struct view top =
		VIEW("Content-Type: multipart/mixed; boundary=b1\r\n");
	struct outcome o = OUTCOME_INIT;
	struct buf body = BUF_INIT(LIMIT);
	struct told t;
	size_t n;

	(void)state;
	nest(&body, PARTS_DEPTH_MAX);
	walk(top, buf_view(&body), LIMIT, &t);
	assert_int_equal(t.n_begun, 2 * PARTS_DEPTH_MAX + 1);
	told_release(&t);
	nest(&body, PARTS_DEPTH_MAX + 1);
	t = (struct told){0};
	assert_int_equal(walk_stored(top, buf_view(&body), LIMIT, &t, &o), -1);
	assert_int_equal(o.cause, CAUSE_CONTENT);
	assert_string_equal(o.status, "5.6.3");
	told_release(&t);
	/* messages within messages are no multiparts */
	buf_clear(&body);
	for (n = 0; n < 5 * PARTS_DEPTH_MAX; n++)
		buf_add_text(&body, LETTER "\r\n");
	walk(VIEW(LETTER), buf_view(&body), LIMIT, &t);
	told_release(&t);
	for (n = PARTS_HEADER_MAX - 1; n <= PARTS_HEADER_MAX + 1; n++) {
		buf_clear(&body);
		buf_add_text(&body, "--b1\r\nA: b\r\n");
		while (body.n < n + 4)
			buf_add_text(&body,
				     body.n + 80 < n ? " xxxxxxxxxxxxxxxxxxxxx"
						       "xxxxxxxxxxxxx\r\n "
						     : "x");
		buf_add_text(&body, "\r\n\r\nx\r\n");
		t = (struct told){0};
		assert_int_equal(walk_stored(top, buf_view(&body), LIMIT, &t,
					     &o),
				 n <= PARTS_HEADER_MAX ? 0 : -1);
		told_release(&t);
	}
	assert_string_equal(o.status, "5.6.3");
	outcome_release(&o);
	buf_release(&body);
}

/* What the visitor says ends the walk at once. */
static void stops_when_told(void **state)
{
	const struct view body = VIEW("--b\r\n\r\nx\r\n--b--\r\n");
	struct outcome o = OUTCOME_INIT;
	size_t i;

	(void)state;
	for (i = 1; i <= 4; i++) {
		struct told t = {.fail_begin = i};

		assert_int_equal(walk_stored(VIEW(MIXED), body, LIMIT, &t, &o),
				 -1);
		assert_string_equal(o.status, "5.0.0");
		assert_int_equal(t.n_begun, i);
		told_release(&t);
	}
	for (i = 0; i < 2; i++) {
		struct told t = {.fail_end = true};

		assert_int_equal(walk_stored(i ? VIEW(MIXED) : VIEW(""), body,
					     LIMIT, &t, &o),
				 -1);
		assert_string_equal(o.status, "5.0.1");
		assert_int_equal(t.n_begun, 1 + i);
		told_release(&t);
	}
	outcome_release(&o);
}

/* A hundred boundaries to look for, and lines that might be any: linear. */
static void is_not_slow(void **state)
{
	struct buf body = BUF_INIT(LIMIT);
	struct told t;

	(void)state;
	nest(&body, PARTS_DEPTH_MAX);
	while (body.n < LIMIT / 2)
		buf_add_text(&body, "--b\r\n");
	walk(VIEW("Content-Type: multipart/mixed; boundary=b1\r\n"),
	     buf_view(&body), LIMIT, &t);
	told_release(&t);
	buf_release(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_stretches),
		cmocka_unit_test(tells_what_headers_say),
		cmocka_unit_test(sees_across_blocks),
		cmocka_unit_test(long_lines_do_not_depend_on_blocks),
		cmocka_unit_test(has_limits),
		cmocka_unit_test(stops_when_told),
		cmocka_unit_test(is_not_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
