/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many messages through one session: what goes when, and who gets what. */
#include "smtp/batch.h"

#include "letter.h"
#include "script.h"
#include "unit.h"

#define TURNS 12

#define M(k)    "MAIL FROM:<s" k "@x>\r\n"
#define R1      "RCPT TO:<r1@x>\r\n"
#define R2      "RCPT TO:<r2@x>\r\n"
#define C(k)    "BDAT 11 LAST\r\nA: b\r\n\r\n" k "\r\n"
#define S(k)    "A: b\r\n\r\n" k "\r\n.\r\n"
#define RS      "RSET\r\n"
#define D       "DATA\r\n"
#define ALL(k)  M(k) R1 C(k)
#define OPEN(k) M(k) R1 D
#define OK      "250 ok\r\n"
#define OK3     OK OK OK
#define OK4     OK3 OK
#define GO      "354 go\r\n"
#define NO      "550 5.7.1 no\r\n"
#define LATER   "450 4.2.0 later\r\n"
#define BAD     "503 5.5.1 bad sequence\r\n"
#define NONE    "554 5.5.1 no valid recipients\r\n"
#define BYE     "421 4.3.2 bye\r\n"

#define PIPE   CAP_PIPELINING
#define CHUNKS (CAP_PIPELINING | CAP_CHUNKING)

/* ------------------------------------------------------------- the messages */

/* One that was given. Kinds: '1', '2': so many recipients; 'x': it can't be
 * prepared; 'k': 40 KiB; 'm': 900 KiB; 'L': 1100 KiB; 'u': 100 KiB that can't
 * be read; 'a': one recipient, it goes alone. */
struct given {
	struct delivery d;
	struct envelope e;
	struct message m;
	struct result results[2];
	size_t number; /* from 0 */
};

struct pile {
	const char *kinds; /* one a message … */
	size_t n;          /* … or so many of the first kind */
	size_t n_given, n_settled, most_open;
	size_t rounds[64]; /* messages given between two settlings */
	size_t n_rounds;
	bool has_settled; /* since the last was given */
	struct buf fates; /* of each settled message; see add_fate */
};

static size_t n_lines(char kind) /* of 1 KiB */
{
	switch (kind) {
	case 'k': return 40;
	case 'm': return 900;
	case 'L': return 1100;
	case 'u': return 100;
	default: return 0;
	}
}

static void fill_body(struct given *g, char kind)
{
	static char line[1025];
	struct outcome o = OUTCOME_INIT;
	size_t lines = n_lines(kind);
	char text[8];
	int fd = dup(0); /* the next one that is free */

	close(fd);
	g->m.body = store_new(kind == 'u' ? 10 : 2u << 20);
	snprintf(text, sizeof(text), "%c\r\n", (char)('1' + g->number % 9));
	store_append(g->m.body, text, 3, &o);
	memset(line, 'x', 1022);
	memcpy(line + 1022, "\r\n", 2);
	while (lines--)
		store_append(g->m.body, line, 1024, &o);
	if (kind == 'u')
		assert_int_equal(ftruncate(fd, 70000), 0);
}

static struct delivery *next(void *context)
{
	struct local_policy local = {0};
	struct outcome o = OUTCOME_INIT;
	struct pile *p = context;
	struct given *g;
	char kind, sender[] = "s1@x";

	if (p->n_given == p->n)
		return NULL;
	if (p->has_settled || !p->n_rounds)
		p->n_rounds++;
	if (p->n_rounds < N_OF(p->rounds))
		p->rounds[p->n_rounds - 1]++;
	p->has_settled = false;
	g = memory_alloc(sizeof(*g));
	g->number = p->n_given++;
	if (p->n_given - p->n_settled > p->most_open)
		p->most_open = p->n_given - p->n_settled;
	kind = p->kinds[1] ? p->kinds[g->number] : p->kinds[0];
	sender[1] = (char)('1' + g->number % 9);
	g->e = ENVELOPE_INIT;
	assert_int_equal(
		envelope_set_sender(&g->e, view_of(sender), &local, &o), 0);
	envelope_add_recipients(&g->e, VIEW("r1@x"), &local, &o);
	if (kind == '2')
		envelope_add_recipients(&g->e, VIEW("r2@x"), &local, &o);
	if (kind == 'x')
		g->e.sender.needs_utf8 = true;
	g->m = MESSAGE_INIT;
	fill_body(g, kind);
	g->results[0] = g->results[1] = RESULT_INIT;
	g->d.submission.envelope = &g->e;
	g->d.submission.content = content_new(VIEW("A: b\r\n"), &g->m);
	g->d.results = g->results;
	g->d.goes_alone = kind == 'a';
	return &g->d;
}

/* A letter for each recipient: d delivered, f failed; then the status of the
 * whole if it failed, `?`: uncertain, `!`: untried. Blanks between messages. */
static void add_fate(struct pile *p, const struct given *g)
{
	const struct outcome *o = &g->d.outcome;
	size_t i;

	if (p->fates.n)
		buf_add_char(&p->fates, ' ');
	for (i = 0; i < g->e.n_recipients; i++) {
		const struct result *r = &g->results[i];

		assert_true(outcome_is_failure(&r->outcome) ==
			    (r->fate != FATE_DELIVERED));
		buf_add_char(&p->fates,
			     r->fate == FATE_DELIVERED        ? 'd'
				     : r->fate == FATE_FAILED ? 'f'
							      : 'w');
	}
	if (outcome_is_failure(o))
		buf_printf(&p->fates, ":%s", o->status);
	if (o->uncertain)
		buf_add_char(&p->fates, '?');
	if (g->d.is_untried)
		buf_add_char(&p->fates, '!');
}

static void settled(void *context, struct delivery *d)
{
	struct pile *p = context;
	struct given *g = (struct given *)d;

	assert_int_equal(g->number, p->n_settled); /* each once, in order */
	p->n_settled++;
	p->has_settled = true;
	add_fate(p, g);
	content_free(d->submission.content);
	store_free(g->m.body);
	envelope_release(&g->e);
	result_release(&g->results[0]);
	result_release(&g->results[1]);
	outcome_release(&d->outcome);
	free(g);
}

static struct pile make_pile(const char *kinds, size_t n)
{
	return (struct pile){
		.kinds = kinds, .n = n, .fates = BUF_INIT(1u << 20)};
}

static struct session *make_session(struct stream *stream, unsigned server,
				    const struct session_policy *policy)
{
	struct session *s = memory_alloc(sizeof(*s));

	s->stream = stream;
	s->policy = policy;
	s->host = memory_dup("mx");
	s->capabilities.set = server;
	return s;
}

static int carry(struct session *s, struct pile *p, struct outcome *o)
{
	/* `partial` is the batch's own */
	const struct transaction_policy wishes = {.chunking = true};
	const struct batch b = {p, next, settled};
	int rc = batch_run(s, &b, &wishes, o);

	assert_int_equal(p->n_settled, p->n_given);
	assert_false(o->uncertain);
	return rc;
}

/* ---------------------------------------------------------------- dialogues */

static const struct {
	const char *name;
	unsigned server;
	const char *kinds;
	struct turn turns[TURNS];
	const char *fates;  /* as add_fate has them */
	const char *status; /* of the session's end; NULL: it goes on */
	bool lmtp, dirty;
} cases[] = {
	/* by BDAT: all of a flight is said before a reply comes */
	{.name = "two in one flight",
	 .server = CHUNKS,
	 .kinds = "11",
	 .turns = {{ALL("1") RS ALL("2"), OK3 OK4}},
	 .fates = "d d"},
	{.name = "four, then the rest, in a clean session",
	 .server = CHUNKS,
	 .kinds = "111111",
	 .turns = {{ALL("1") RS ALL("2") RS ALL("3") RS ALL("4"),
		    OK3 OK4 OK4 OK4},
		   {ALL("5") RS ALL("6"), OK3 OK4}},
	 .fates = "d d d d d d"},
	{.name = "a session that was left open",
	 .server = CHUNKS,
	 .kinds = "11",
	 .turns = {{RS ALL("1") RS ALL("2"), OK4 OK4}},
	 .fates = "d d",
	 .dirty = true},
	{.name = "the last was refused: the next flight begins anew",
	 .server = CHUNKS,
	 .kinds = "11111",
	 .turns = {{ALL("1") RS ALL("2") RS ALL("3") RS ALL("4"),
		    OK3 OK4 OK4 OK3 NO},
		   {RS ALL("5"), OK4}},
	 .fates = "d d d f:5.7.1 d"},
	{.name = "one was refused: the next flight is no longer",
	 .server = CHUNKS,
	 .kinds = "111111111",
	 .turns = {{ALL("1") RS ALL("2") RS ALL("3") RS ALL("4"),
		    OK3 OK3 NO OK4 OK4},
		   {ALL("5") RS ALL("6") RS ALL("7") RS ALL("8"),
		    OK3 OK4 OK4 OK4},
		   {ALL("9"), OK3}},
	 .fates = "d f:5.7.1 d d d d d d d"},
	{.name = "the sender refused",
	 .server = CHUNKS,
	 .kinds = "111",
	 .turns = {{ALL("1") RS ALL("2") RS ALL("3"), OK3 OK NO BAD BAD OK4}},
	 .fates = "d f:5.7.1 d"},
	{.name = "the first sender refused",
	 .server = CHUNKS,
	 .kinds = "11",
	 .turns = {{ALL("1") RS ALL("2"), NO BAD BAD OK4}},
	 .fates = "f:5.7.1 d"},
	{.name = "recipients refused",
	 .server = CHUNKS,
	 .kinds = "212",
	 .turns = {{M("1") R1 R2 C("1") RS ALL("2") RS M("3") R1 R2 C("3"),
		    OK NO LATER NONE OK OK LATER NONE OK OK OK NO OK}},
	 .fates = "ff:5.7.1 f:4.2.0 df:5.7.1"},
	{.name = "nobody is left, and the message is taken all the same",
	 .server = CHUNKS,
	 .kinds = "11",
	 .turns = {{ALL("1") RS ALL("2"), OK NO OK OK4}},
	 .fates = "f:5.7.1 d"},
	{.name = "the content refused",
	 .server = CHUNKS,
	 .kinds = "111",
	 .turns = {{ALL("1") RS ALL("2") RS ALL("3"),
		    OK OK LATER OK OK OK NO OK4}},
	 .fates = "f:4.2.0 f:5.7.1 d"},
	{.name = "RSET refused: what is said behind it may have any effect",
	 .server = CHUNKS,
	 .kinds = "111",
	 .turns = {{ALL("1") RS ALL("2") RS ALL("3"),
		    OK OK NO "502 5.5.1 what?\r\n" BAD OK OK}},
	 .fates = "f:5.7.1 f:4.5.1? f:4.5.1?",
	 .status = "4.5.1"},
	{.name = "RSET answered like DATA",
	 .server = CHUNKS,
	 .kinds = "11",
	 .turns = {{ALL("1") RS ALL("2"), OK3 GO OK3}},
	 .fates = "f:4.5.0? f:4.5.0?",
	 .status = "4.5.0"},
	{.name = "what can't be prepared fails by itself",
	 .server = CHUNKS,
	 .kinds = "x1x1x",
	 .turns = {{ALL("2") RS ALL("4"), OK3 OK4}},
	 .fates = "f:5.6.7 d f:5.6.7 d f:5.6.7"},
	{.name = "nothing that could be prepared",
	 .server = CHUNKS,
	 .kinds = "xx",
	 .fates = "f:5.6.7 f:5.6.7"},
	{.name = "421 in place of the greeting of the batch",
	 .server = CHUNKS,
	 .kinds = "11",
	 .turns = {{ALL("1") RS ALL("2"), BYE}},
	 .fates = "f:4.3.2! f:4.3.2!",
	 .status = "4.3.2"},
	{.name = "refused, some of them, and then the end",
	 .server = CHUNKS,
	 .kinds = "21",
	 .turns = {{M("1") R1 R2 C("1") RS ALL("2"), OK NO OK BYE}},
	 .fates = "ff:5.7.1 f:4.3.2!",
	 .status = "4.3.2"},
	{.name = "refused, all of them, and then the end",
	 .server = CHUNKS,
	 .kinds = "21",
	 .turns = {{M("1") R1 R2 C("1") RS ALL("2"), OK NO NO BYE}},
	 .fates = "ff:5.7.1 f:4.3.2!",
	 .status = "4.3.2"},
	{.name = "the sender refused, and then lost",
	 .server = CHUNKS,
	 .kinds = "11",
	 .turns = {{ALL("1") RS ALL("2"), NO}, {NULL, hang_up}},
	 .fates = "f:5.7.1 f:4.4.2?",
	 .status = "4.4.2"},
	{.name = "gone behind the last reply, and no more to send",
	 .server = CHUNKS,
	 .kinds = "1",
	 .turns = {{ALL("1"), OK3}, {NULL, hang_up}},
	 .fates = "d"},
	{.name = "a reply too many at the end",
	 .server = CHUNKS,
	 .kinds = "11111",
	 .turns = {{ALL("1") RS ALL("2") RS ALL("3") RS ALL("4"),
		    OK3 OK4 OK4 OK4 OK}},
	 .fates = "d d d f:4.5.0?",
	 .status = "5.5.0"},
	{.name = "a reply too many, and a message refused",
	 .server = CHUNKS,
	 .kinds = "111",
	 .turns = {{ALL("1") RS ALL("2") RS ALL("3"), OK3 NO OK4 OK4}},
	 .fates = "f:4.7.1? f:4.7.1? f:4.7.1?",
	 .status = "4.7.1"},
	{.name = "a reply too many, and the last message refused",
	 .server = CHUNKS,
	 .kinds = "11",
	 .turns = {{ALL("1") RS ALL("2"), OK4 OK4 NO}},
	 .fates = "d f:4.5.0?",
	 .status = "5.5.0"},
	{.name = "the end in reply to RSET",
	 .server = CHUNKS,
	 .kinds = "111",
	 .turns = {{ALL("1") RS ALL("2") RS ALL("3"), OK3 BYE}},
	 .fates = "d f:4.3.2! f:4.3.2!",
	 .status = "4.3.2"},
	{.name = "gone behind the reply to the message",
	 .server = CHUNKS,
	 .kinds = "12",
	 .turns = {{ALL("1") RS M("2") R1 R2 C("2"), OK3}, {NULL, hang_up}},
	 .fates = "d ff:4.4.2?",
	 .status = "4.4.2"},
	/* by DATA: the message, and the envelope of the next */
	{.name = "one turn a message",
	 .server = PIPE,
	 .kinds = "111",
	 .turns = {{OPEN("1"), OK OK GO},
		   {S("1") OPEN("2"), OK OK OK GO},
		   {S("2") OPEN("3"), OK OK OK GO},
		   {S("3"), OK}},
	 .fates = "d d d"},
	{.name = "data: a session that was left open",
	 .server = PIPE,
	 .kinds = "11",
	 .turns = {{RS OPEN("1"), OK OK OK GO},
		   {S("1") OPEN("2"), OK OK OK GO},
		   {S("2"), OK}},
	 .fates = "d d",
	 .dirty = true},
	{.name = "data: the content refused",
	 .server = PIPE,
	 .kinds = "11",
	 .turns = {{OPEN("1"), OK OK GO},
		   {S("1") OPEN("2"), NO OK OK GO},
		   {S("2"), LATER}},
	 .fates = "f:5.7.1 f:4.2.0"},
	{.name = "data: the sender refused",
	 .server = PIPE,
	 .kinds = "111",
	 .turns = {{OPEN("1"), OK OK GO},
		   {S("1") OPEN("2"), OK NO BAD BAD},
		   {RS OPEN("3"), OK OK OK GO},
		   {S("3"), OK}},
	 .fates = "d f:5.7.1 d"},
	{.name = "data: recipients refused",
	 .server = PIPE,
	 .kinds = "221",
	 .turns = {{M("1") R1 R2 D, OK NO LATER NONE},
		   {RS M("2") R1 R2 D, OK OK LATER OK GO},
		   {S("2") OPEN("3"), OK OK OK GO},
		   {S("3"), OK}},
	 .fates = "ff:5.7.1 fd:4.2.0 d"},
	{.name = "data: nobody is left, and the message is asked for",
	 .server = PIPE,
	 .kinds = "11",
	 .turns = {{OPEN("1"), OK NO GO},
		   {".\r\n" RS OPEN("2"), NONE OK OK OK GO},
		   {S("2"), OK}},
	 .fates = "f:5.7.1 d"},
	{.name = "data: a dot would go to those of the message before",
	 .server = PIPE,
	 .kinds = "111",
	 .turns = {{OPEN("1"), OK OK GO}, {S("1") OPEN("2"), LATER BAD OK GO}},
	 .fates = "f:4.2.0 f:5.5.1 f:4.4.2!",
	 .status = "4.4.2"},
	{.name = "data: nobody is left of the last",
	 .server = PIPE,
	 .kinds = "1",
	 .turns = {{OPEN("1"), OK NO GO}, {".\r\n", NONE}},
	 .fates = "f:5.7.1"},
	{.name = "data: refused",
	 .server = PIPE,
	 .kinds = "11",
	 .turns = {{OPEN("1"), OK OK LATER},
		   {RS OPEN("2"), OK OK OK GO},
		   {S("2"), OK}},
	 .fates = "f:4.2.0 d"},
	{.name = "data: RSET refused",
	 .server = PIPE,
	 .kinds = "111",
	 .turns = {{OPEN("1"), OK OK LATER}, {RS OPEN("2"), NO OK OK GO}},
	 .fates = "f:4.2.0 f:4.7.1!",
	 .status = "4.7.1"},
	{.name = "data: what can't be prepared fails by itself",
	 .server = PIPE,
	 .kinds = "x1xx1x",
	 .turns = {{OPEN("2"), OK OK GO},
		   {S("2") OPEN("5"), OK OK OK GO},
		   {S("5"), OK}},
	 .fates = "f:5.6.7 d f:5.6.7 f:5.6.7 d f:5.6.7"},
	{.name = "data: gone behind the envelope's replies",
	 .server = PIPE,
	 .kinds = "11",
	 .turns = {{OPEN("1"), OK OK NO}, {NULL, hang_up}},
	 .fates = "f:5.7.1 f:4.4.2!",
	 .status = "4.4.2"},
	/* what goes alone */
	{.name = "alone in the middle",
	 .server = CHUNKS,
	 .kinds = "11a11",
	 .turns = {{ALL("1") RS ALL("2"), OK3 OK4},
		   {ALL("3"), OK3},
		   {ALL("4") RS ALL("5"), OK3 OK4}},
	 .fates = "d d d d d"},
	{.name = "alone, and first, and last",
	 .server = CHUNKS,
	 .kinds = "a11a",
	 .turns = {{ALL("1"), OK3},
		   {ALL("2") RS ALL("3"), OK3 OK4},
		   {ALL("4"), OK3}},
	 .fates = "d d d d"},
	{.name = "each alone",
	 .server = CHUNKS,
	 .kinds = "aaa",
	 .turns = {{ALL("1"), OK3}, {ALL("2"), OK3}, {ALL("3"), OK3}},
	 .fates = "d d d"},
	{.name = "alone, the session ends with it: those ahead have theirs",
	 .server = CHUNKS,
	 .kinds = "1a1",
	 .turns = {{ALL("1"), OK3}, {ALL("2"), hang_up}},
	 .fates = "d f:4.4.2?",
	 .status = "4.4.2"},
	{.name = "data: alone in the middle",
	 .server = PIPE,
	 .kinds = "11a11",
	 .turns = {{OPEN("1"), OK OK GO},
		   {S("1") OPEN("2"), OK OK OK GO},
		   {S("2"), OK},
		   {OPEN("3"), OK OK GO},
		   {S("3"), OK},
		   {OPEN("4"), OK OK GO},
		   {S("4") OPEN("5"), OK OK OK GO},
		   {S("5"), OK}},
	 .fates = "d d d d d"},
	{.name = "data: each alone",
	 .server = PIPE,
	 .kinds = "aa",
	 .turns = {{OPEN("1"), OK OK GO},
		   {S("1"), OK},
		   {OPEN("2"), OK OK GO},
		   {S("2"), OK}},
	 .fates = "d d"},
	{.name = "data: alone, the session ends with it",
	 .server = PIPE,
	 .kinds = "1a1",
	 .turns = {{OPEN("1"), OK OK GO},
		   {S("1"), OK},
		   {OPEN("2"), OK OK GO},
		   {S("2"), hang_up}},
	 .fates = "d f:4.4.2?",
	 .status = "4.4.2"},
	{.name = "data: alone behind one whose recipients were refused",
	 .server = PIPE,
	 .kinds = "1a",
	 .turns = {{OPEN("1"), OK NO GO},
		   {".\r\n", NONE},
		   {RS OPEN("2"), OK OK OK GO},
		   {S("2"), OK}},
	 .fates = "f:5.7.1 d"},
	/* one by one */
	{.name = "no pipelining",
	 .kinds = "121",
	 .turns = {{M("1"), OK},
		   {R1, OK},
		   {D, GO},
		   {S("1"), OK},
		   {M("2"), OK},
		   {R1, LATER},
		   {R2, NO},
		   {RS, OK},
		   {M("3"), OK},
		   {R1, OK},
		   {D, NO}},
	 .fates = "d ff:5.7.1 f:5.7.1"},
	{.name = "no pipelining: a chunk refused is left open",
	 .server = CAP_CHUNKING,
	 .kinds = "11",
	 .turns = {{M("1"), OK},
		   {R1, OK},
		   {C("1"), LATER},
		   {RS, OK},
		   {M("2"), OK},
		   {R1, OK},
		   {C("2"), OK}},
	 .fates = "f:4.2.0 d"},
	{.name = "no pipelining: RSET refused",
	 .kinds = "111",
	 .turns = {{M("1"), NO}, {RS, "502 5.5.1 what?\r\n"}},
	 .fates = "f:5.7.1 f:4.5.1!",
	 .status = "4.5.1"},
	{.name = "data refused and gone is an answer",
	 .kinds = "11",
	 .turns = {{M("1"), OK}, {R1, OK}, {D, NO}, {NULL, hang_up}},
	 .fates = "f:5.7.1 f:4.4.2!",
	 .status = "4.4.2"},
	{.name = "lmtp",
	 .server = CHUNKS,
	 .kinds = "21",
	 .turns = {{M("1") R1 R2, OK3},
		   {C("1"), OK LATER},
		   {RS M("2") R1, OK3},
		   {C("2"), OK}},
	 .fates = "df:4.2.0 d",
	 .lmtp = true},
	{.name = "lmtp: 421 when one has it",
	 .server = PIPE,
	 .kinds = "21",
	 .turns = {{M("1") R1 R2 D, OK3 GO}, {S("1"), OK BYE}},
	 .fates = "df:4.3.2",
	 .status = "4.3.2",
	 .lmtp = true},
	{.name = "lmtp: 421 when nobody has it",
	 .server = PIPE,
	 .kinds = "21",
	 .turns = {{M("1") R1 R2 D, OK3 GO}, {S("1"), BYE}},
	 .fates = "ff:4.3.2!",
	 .status = "4.3.2",
	 .lmtp = true},
};

static void check_end(const char *name, int rc, const struct outcome *o,
		      const char *status)
{
	if (rc != (status ? -1 : 0))
		fail_msg("%s: %d %s", name, rc, o->text);
	if (strcmp(o->status, status ? status : "") != 0)
		fail_msg("%s: ended by %s %s", name, o->status, o->text);
}

static void run_case(size_t i)
{
	const struct session_policy policy = {.timeout = 5,
					      .lmtp = cases[i].lmtp};
	struct pile p = make_pile(cases[i].kinds, strlen(cases[i].kinds));
	struct outcome o = OUTCOME_INIT;
	struct script script;
	struct session *s = make_session(script_start(&script, cases[i].turns),
					 cases[i].server, &policy);
	int rc;

	s->dirty = cases[i].dirty;
	rc = carry(s, &p, &o);
	session_close(s);
	if (strcmp(p.fates.p, cases[i].fates) != 0)
		fail_msg("%s: %s", cases[i].name, p.fates.p);
	if (script_end(&script) != 0)
		fail_msg("%s: something else was said", cases[i].name);
	check_end(cases[i].name, rc, &o, cases[i].status);
	buf_release(&p.fates);
	outcome_release(&o);
}

static void everything_has_a_fate(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		run_case(i);
}

/* ------------------------------------------- the end, at each of its places */

/* A way of three messages: each step what is heard and what is answered, one
 * reply a step. The message that was wholly said and lacks its reply is
 * uncertain. */
struct place {
	const char *hear; /* NULL: it was said before */
	const char *say;
	size_t n_taken; /* messages that are delivered with this reply */
	size_t n_said;  /* … that were said as a whole when it was due */
	size_t n_given; /* … that the batch has asked for by then */
};

static const struct place by_chunk[] = {
	{ALL("1") RS ALL("2") RS ALL("3"), OK, 0, 3, 3},
	{NULL, OK, 0, 3, 3},
	{NULL, OK, 1, 3, 3},
	{NULL, OK, 1, 3, 3},
	{NULL, OK, 1, 3, 3},
	{NULL, OK, 1, 3, 3},
	{NULL, OK, 2, 3, 3},
	{NULL, OK, 2, 3, 3},
	{NULL, OK, 2, 3, 3},
	{NULL, OK, 2, 3, 3},
	{NULL, OK, 3, 3, 3},
	{NULL, NULL, 0, 0, 0},
};

static const struct place by_data[] = {
	{OPEN("1"), OK, 0, 0, 1}, {NULL, OK, 0, 0, 1},
	{NULL, GO, 0, 0, 1},      {S("1") OPEN("2"), OK, 1, 1, 2},
	{NULL, OK, 1, 1, 2},      {NULL, OK, 1, 1, 2},
	{NULL, GO, 1, 1, 2},      {S("2") OPEN("3"), OK, 2, 2, 3},
	{NULL, OK, 2, 2, 3},      {NULL, OK, 2, 2, 3},
	{NULL, GO, 2, 2, 3},      {S("3"), OK, 3, 3, 3},
	{NULL, NULL, 0, 0, 0},
};

static const struct place one_by_one[] = {
	{M("1"), OK, 0, 0, 1}, {R1, OK, 0, 0, 1},     {D, GO, 0, 0, 1},
	{S("1"), OK, 1, 1, 1}, {M("2"), OK, 1, 1, 2}, {R1, OK, 1, 1, 2},
	{D, GO, 1, 1, 2},      {S("2"), OK, 2, 2, 2}, {M("3"), OK, 2, 2, 3},
	{R1, OK, 2, 2, 3},     {D, GO, 2, 2, 3},      {S("3"), OK, 3, 3, 3},
	{NULL, NULL, 0, 0, 0},
};

static const struct {
	unsigned server;
	const struct place *places;
} ways[] = {
	{CHUNKS, by_chunk},
	{PIPE, by_data},
	{0, one_by_one},
};

static const struct {
	const char *say;
	const char *status;
	bool is_lost; /* whether it was taken can't be told */
} ends[] = {
	{hang_up, "4.4.2", true},
	{BYE, "4.3.2", false},
	{"what?\r\n", "5.5.0", true},
};

static void expect_fates(const struct place *p, size_t at, size_t e,
			 struct buf *want)
{
	size_t taken = at ? p[at - 1].n_taken : 0, i;

	for (i = 0; i < p[at].n_given; i++) {
		if (i)
			buf_add_char(want, ' ');
		if (i < taken)
			buf_add_char(want, 'd');
		else
			/* the session failed, not the message */
			buf_printf(want, "f:4%s%s", ends[e].status + 1,
				   ends[e].is_lost && i < p[at].n_said ? "?"
								       : "!");
	}
}

static void end_at(size_t w, size_t at, size_t e)
{
	const struct place *places = ways[w].places;
	const struct session_policy policy = {.timeout = 5};
	struct turn turns[16] = {{NULL, NULL}};
	struct pile p = make_pile("111", 3);
	struct buf want = BUF_INIT(1000);
	struct outcome o = OUTCOME_INIT;
	struct script script;
	struct session *s;
	size_t i;

	for (i = 0; i <= at; i++)
		turns[i] = (struct turn){places[i].hear, places[i].say};
	turns[at].say = ends[e].say;
	s = make_session(script_start(&script, turns), ways[w].server, &policy);
	assert_int_equal(carry(s, &p, &o), -1);
	session_close(s);
	expect_fates(places, at, e, &want);
	if (strcmp(p.fates.p, want.p) != 0)
		fail_msg("way %zu, place %zu, end %zu: %s, not %s", w, at, e,
			 p.fates.p, want.p);
	assert_string_equal(o.status, ends[e].status);
	assert_int_equal(script_end(&script), 0);
	buf_release(&p.fates);
	buf_release(&want);
	outcome_release(&o);
}

static void ends_anywhere(void **state)
{
	size_t w, at, e;

	(void)state;
	for (w = 0; w < N_OF(ways); w++)
		for (at = 0; ways[w].places[at].say; at++)
			for (e = 0; e < N_OF(ends); e++)
				end_at(w, at, e);
}

/* --------------------------------------------------------- large messages */

#define ROOM 8192 /* octets that leave unheard; the kernel makes it some more */

/* Kinds, what is heard before the server speaks, and what it says then; it
 * hangs up if that was hang_up, else reads on. */
static void run_large(const char *kinds, const struct turn *turns,
		      const char *fates, const char *status)
{
	const struct session_policy policy = {.timeout = 5};
	struct pile p = make_pile(kinds, strlen(kinds));
	struct outcome o = OUTCOME_INIT;
	struct script script;
	struct session *s = make_session(
		script_start_narrow(&script, turns, ROOM), CHUNKS, &policy);
	int rc = carry(s, &p, &o);

	session_close(s);
	if (strcmp(p.fates.p, fates) != 0)
		fail_msg("%s: %s", kinds, p.fates.p);
	check_end(kinds, rc, &o, status);
	if (script_end(&script) > 0 && !status)
		fail_msg("%s: something else was said", kinds);
	buf_release(&p.fates);
	outcome_release(&o);
}

#define BEGUN M("1") R1 "BDAT 921611 LAST\r\nA: b\r\n\r\n1\r\nxxx"

/* What has not left has not arrived. */
static void knows_what_has_left(void **state)
{
	static const struct turn lost[] = {{BEGUN, hang_up}};
	static const struct turn waiting[] = {{M("1") R1 "BDAT", hang_up}};
	static const struct turn bye[] = {{BEGUN, OK OK BYE}, {NULL, NULL}};
	static const struct turn full[] = {
		{BEGUN, OK OK "552 5.3.4 too much\r\n"}, {NULL, NULL}};
	static const struct turn reset[] = {
		{ALL("1") RS M("2") R1 "BDAT", OK3 NO}, {NULL, NULL}};
	static const struct turn broken[] = {
		{ALL("1") RS M("2") R1 "BDAT", OK3}, {NULL, hang_up}};

	(void)state;
	run_large("mm1", lost, "f:4.4.2! f:4.4.2! f:4.4.2!", "4.4.2");
	/* nor has what waits to leave */
	run_large("kkk", waiting, "f:4.4.2! f:4.4.2! f:4.4.2!", "4.4.2");
	run_large("mm1", bye, "f:4.3.2! f:4.3.2! f:4.3.2!", "4.3.2");
	/* the only way to stop is to end the session */
	run_large("mm1", full, "f:5.3.4 f:4.4.2! f:4.4.2!", "4.4.2");
	run_large("1m1", reset, "f:4.7.1? f:4.7.1! f:4.7.1!", "4.7.1");
	run_large("1m1", broken, "d f:4.4.2! f:4.4.2!", "4.4.2");
}

/* The lines of a message, behind their first three octets. */
static struct buf rest_of(char kind)
{
	struct buf rest = BUF_INIT(1u << 20);
	size_t i;

	for (i = 0; i < n_lines(kind); i++)
		buf_printf(&rest, "%0*d\r\n", i ? 1022 : 1019, 0);
	for (i = 0; i < rest.n; i++)
		if (rest.p[i] == '0')
			rest.p[i] = 'x';
	return rest;
}

/* The sender of one under way is refused: it is said to its end, as the next
 * comes behind it. */
static void goes_on_behind_a_refusal(void **state)
{
	struct buf rest = rest_of('m');
	const struct turn turns[] = {{BEGUN, NO BAD},
				     {rest.p, BAD},
				     {RS ALL("2"), OK4},
				     {NULL, NULL}};

	(void)state;
	run_large("m1", turns, "f:5.7.1 d", NULL);
	buf_release(&rest);
}

/* Its BDAT can't be completed: the session ends, and it fails itself, as
 * another session would not carry it either. */
static void survives_what_cannot_be_read(void **state)
{
	struct buf rest = rest_of('u');
	const struct turn turns[] = {
		{M("1") R1 "BDAT 102411 LAST\r\nA: b\r\n\r\n1\r\nxxx", OK OK},
		{rest.p, OK},
		{NULL, NULL}};

	(void)state;
	run_large("u1", turns, "f:4.3.0 f:4.3.0!", "4.3.0");
	buf_release(&rest);
}

/* ------------------------------------------------------------- many of them */

/* Is it an end of data? */
static bool is_dot(const char *line)
{
	return !strcmp(line, ".\r\n");
}

static void pass_over(FILE *in, unsigned long n)
{
	while (n--)
		if (getc(in) == EOF)
			_exit(2);
}

/* A server that takes everything. 0: the commands were in order, and no
 * message went without RSET or its end in front. */
static void serve(int fd)
{
	FILE *in = fdopen(fd, "r");
	char line[1024];
	const char *say;
	bool is_open = false, is_data = false;

	while (fgets(line, sizeof(line), in)) {
		say = OK;
		if (is_data) {
			if (!is_dot(line))
				continue;
			is_data = is_open = false;
		} else if (!strncmp(line, "BDAT ", 5)) {
			pass_over(in, strtoul(line + 5, NULL, 10));
			is_open = false;
		} else if (!strcmp(line, D)) {
			is_data = true;
			say = GO;
		} else if (!strcmp(line, RS)) {
			is_open = false;
		} else if (!strncmp(line, "MAIL", 4)) {
			if (is_open)
				_exit(1);
			is_open = true;
		} else if (!strcmp(line, "QUIT\r\n")) {
			break;
		}
		if (send(fd, say, strlen(say), MSG_NOSIGNAL) < 0)
			_exit(3);
	}
	_exit(0);
}

static struct stream *start_server(struct script *script)
{
	struct connection c = CONNECTION_INIT;
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	script->child = fork();
	assert_true(script->child >= 0);
	if (script->child == 0) {
		close(pair[0]);
		serve(pair[1]);
	}
	close(pair[1]);
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
	c.fd = pair[0];
	c.peer = memory_dup("server");
	return stream_new(&c, "mx");
}

static struct pile carry_many(unsigned server, const char *kinds, size_t n)
{
	const struct session_policy policy = {.timeout = 60};
	struct pile p = make_pile(kinds, n);
	struct outcome o = OUTCOME_INIT;
	struct script script;
	struct session *s =
		make_session(start_server(&script), server, &policy);
	size_t i;

	assert_int_equal(carry(s, &p, &o), 0);
	assert_int_equal(p.n_settled, n);
	for (i = 0; i < p.fates.n; i++)
		if (!strchr("d ", p.fates.p[i]))
			fail_msg("%s", p.fates.p + i);
	session_close(s);
	assert_int_equal(script_end(&script), 0);
	buf_release(&p.fates);
	return p;
}

/* The dialogues above show that one flight is one turn; here is how many there
 * are. */
static void needs_few_turns(void **state)
{
	static const size_t first[] = {4, 8, 16, 32, 64, 128, 256, 256};
	struct pile p = carry_many(CHUNKS, "1", 10000);
	size_t i;

	(void)state;
	assert_true(p.n_rounds <= 100);
	assert_int_equal(p.most_open, BATCH_MAX);
	for (i = 0; i < N_OF(first); i++)
		assert_int_equal(p.rounds[i], first[i]);
	p = carry_many(PIPE, "1", 1000);
	assert_true(p.n_rounds <= 1000 + 3);
	assert_int_equal(p.most_open, 2);
	p = carry_many(0, "1", 20);
	assert_int_equal(p.most_open, 1);
}

/* A flight has so many octets at most; one that is larger goes alone. */
static void bounds_what_is_open(void **state)
{
	struct pile p = carry_many(CHUNKS, "m", 20);

	(void)state;
	assert_int_equal(p.most_open, 5); /* with the one that did not fit */
	p = carry_many(CHUNKS, "1L1LL111", 8);
	assert_int_equal(p.most_open, 3);
	p = carry_many(PIPE, "1L1LL", 5);
	assert_int_equal(p.most_open, 2);
}

/* A large one waits for its recipients, so it is not sent for nothing. */
static void sends_no_large_one_for_nothing(void **state)
{
	static const struct turn turns[] = {{ALL("1"), OK3},
					    {M("2") R1, OK NO},
					    {RS ALL("3"), OK4},
					    {NULL, NULL}};

	(void)state;
	run_large("1L1", turns, "d f:5.7.1 d", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_has_a_fate),
		cmocka_unit_test(ends_anywhere),
		cmocka_unit_test(knows_what_has_left),
		cmocka_unit_test(goes_on_behind_a_refusal),
		cmocka_unit_test(survives_what_cannot_be_read),
		cmocka_unit_test(needs_few_turns),
		cmocka_unit_test(bounds_what_is_open),
		cmocka_unit_test(sends_no_large_one_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
