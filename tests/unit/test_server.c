/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server of -bs: what a client says, what it is told, and what the owner
 * is given, however the octets arrive. Who leaves is in test_server_ends. */
#include "smtp/server.h"

#include "dialogue.h"
#include "unit.h"

#define OK_M  " 250:2.1.0"
#define OK_R  " 250:2.1.5"
#define OK_B  " 354 250:2.6.0"
#define OK_Q  " 221:2.0.0"
#define ORDER " 503:5.5.1"

static const struct {
	const char *name;
	struct view sent;
	const char *replies; /* after the greeting, 220 */
	const char *log;     /* what the owner got */
	const char *status;  /* NULL: success */
} cases[] = {
	{"a message", IN(H M R D B Q), " 250" OK_M OK_R OK_B OK_Q,
	 "s@x > r@x: A: b||x|\n", NULL},
	{"helo", IN("HELO me\r\n" M R D B Q), " 250" OK_M OK_R OK_B OK_Q,
	 "s@x > r@x: A: b||x|\n", NULL},
	{"no hello", IN(M R D B Q), OK_M OK_R OK_B OK_Q,
	 "s@x > r@x: A: b||x|\n", NULL},
	{"no quit", IN(H M R D B), " 250" OK_M OK_R OK_B,
	 "s@x > r@x: A: b||x|\n", NULL},
	{"nothing", IN(""), "", "", NULL},
	{"nothing behind quit", IN(Q M R D B), OK_Q, "", NULL},
	{"two messages", IN(H M R D B M R D B Q),
	 " 250" OK_M OK_R OK_B OK_M OK_R OK_B OK_Q,
	 "s@x > r@x: A: b||x|\ns@x > r@x: A: b||x|\n", NULL},
	{"lf alone",
	 IN("EHLO me\nMAIL FROM:<s@x>\nRCPT TO:<r@x>\nDATA\n"
	    "A: b\n\n..\n.x\n.\nQUIT\n"),
	 " 250" OK_M OK_R OK_B OK_Q, "s@x > r@x: A: b||.|x|\n", NULL},
	{"lf alone, but for the content", IN(M R "DATA\n" B Q),
	 OK_M OK_R OK_B OK_Q, "s@x > r@x: A: b||x|\n", NULL},
	{"no end but CRLF.CRLF", IN(M R D "x\n.\n" M "\n.\r\n" M "\r\n.\r\n" Q),
	 OK_M OK_R OK_B OK_Q,
	 "s@x > r@x: |x|.|MAIL FROM:<s@x>||.|MAIL FROM:<s@x>||\n", NULL},
	{"an empty message", IN(M R D ".\r\n" Q), OK_M OK_R OK_B OK_Q,
	 "s@x > r@x: |\n", NULL},
	{"dots", IN(M R D "..\r\n.x\r\n...\r\n.\r\n" Q), OK_M OK_R OK_B OK_Q,
	 "s@x > r@x: |.|x|..|\n", NULL},
	{"any case, any blanks",
	 IN("ehlo me\r\nMail from: <s@x> \r\nrcpt To:\tr@x\r\n data \r\n" B
	    "quit\r\n"),
	 " 250" OK_M OK_R OK_B OK_Q, "s@x > r@x: A: b||x|\n", NULL},
	{"several recipients",
	 IN(M R "RCPT TO:<q@x>\r\n" R "RCPT TO:<team>\r\n"
		"RCPT TO:<me>\r\n" D B Q),
	 OK_M OK_R OK_R OK_R OK_R OK_R OK_B OK_Q,
	 "s@x > r@x q@x a@x b@x me@home: A: b||x|\n", NULL},
	{"the null sender", IN("MAIL FROM:<>\r\n" R D B Q), OK_M OK_R OK_B OK_Q,
	 " > r@x: A: b||x|\n", NULL},
	/* parameters */
	{"what the sender asks",
	 IN("MAIL FROM:<s@x> SIZE=5 BODY=8BITMIME SMTPUTF8 RET=HDRS "
	    "ENVID=a+2Bb\r\n" R D B Q),
	 OK_M OK_R OK_B OK_Q, "s@x ret=2 id=a+b 8 > r@x: A: b||x|\n", NULL},
	{"what is asked for a recipient",
	 IN(M "RCPT TO:<r@x> NOTIFY=DELAY ORCPT=rfc822;o+2B@x\r\n"
	      "RCPT TO:<team> NOTIFY=NEVER ORCPT=rfc822;team\r\n" D B Q),
	 OK_M OK_R OK_R OK_B OK_Q,
	 "s@x > r@x n=8 o=rfc822;o+2B@x a@x n=1 o=rfc822;team b@x n=1 "
	 "o=rfc822;team: A: b||x|\n",
	 NULL},
	{"parameters that are none",
	 IN("MAIL FROM:<s@x> X=1\r\nMAIL FROM:<s@x> AUTH=<>\r\n"
	    "MAIL FROM:<s@x> NOTIFY=NEVER\r\nMAIL FROM:<s@x> SIZE=x\r\n"
	    "MAIL FROM:<s@x> ENVID=+0A\r\n"
	    "MAIL FROM:<s@x> RET=FULL RET=FULL\r\nRSET\r\n" M
	    "RCPT TO:<r@x> X\r\nRCPT TO:<r@x> NOTIFY=x\r\n" D Q),
	 " 555:5.5.4 555:5.5.4 555:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4"
	 " 250:2.0.0" OK_M " 555:5.5.4 501:5.5.4" ORDER OK_Q,
	 "", NULL},
	{"syntax",
	 IN("MAIL\r\nMAIL FROM:\r\nMAIL FROM:<s@x\r\nMAIL TO:<s@x>\r\n" M
	    "RCPT\r\nRCPT TO:\r\nRCPT FROM:<r@x>\r\nRCPT TO:<r@x>x\r\n" Q),
	 " 501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4" OK_M
	 " 501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4" OK_Q,
	 "", NULL},
	/* addresses */
	{"senders that are none",
	 IN("MAIL FROM:<a b@x>\r\nMAIL FROM:<nobody@x>\r\n"
	    "MAIL FROM:<later@x>\r\n" R M Q),
	 " 501:5.1.7 550:5.7.1 452:4.3.1" ORDER OK_M OK_Q, "", NULL},
	{"recipients that are none",
	 IN(M
	    "RCPT TO:<>\r\nRCPT TO:<a b@x>\r\nRCPT TO:<@x>\r\n"
	    "RCPT TO:<r@-x>\r\nRCPT TO:<bad>\r\nRCPT TO:<loop>\r\n" D R D B Q),
	 OK_M
	 " 501:5.1.3 501:5.1.3 501:5.1.3 501:5.1.3 554:5.3.5 554:5.4.6" ORDER
		 OK_R OK_B OK_Q,
	 "s@x > r@x: A: b||x|\n", NULL},
	/* order, RFC 5321 4.1.4 */
	{"recipient first", IN(R D "BDAT 3\r\nabc" Q), ORDER ORDER ORDER OK_Q,
	 "", NULL},
	{"no recipient", IN(M D "BDAT 3\r\nabcBDAT 0 LAST\r\n" R D B Q),
	 OK_M ORDER ORDER ORDER OK_R OK_B OK_Q, "s@x > r@x: A: b||x|\n", NULL},
	{"two senders", IN(M R M D B Q), OK_M OK_R ORDER OK_B OK_Q,
	 "s@x > r@x: A: b||x|\n", NULL},
	{"begun again", IN(M R "RSET\r\n" R D M D R D B Q),
	 OK_M OK_R " 250:2.0.0" ORDER ORDER OK_M ORDER OK_R OK_B OK_Q,
	 "s@x > r@x: A: b||x|\n", NULL},
	{"hello begins anew", IN(H M R H D M R "HELO me\r\n" D Q),
	 " 250" OK_M OK_R " 250" ORDER OK_M OK_R " 250" ORDER OK_Q, "", NULL},
	{"hello without a name does not", IN(M R "EHLO\r\nHELO \r\n" D B Q),
	 OK_M OK_R " 501:5.5.4 501:5.5.4" OK_B OK_Q, "s@x > r@x: A: b||x|\n",
	 NULL},
	{"quit in between", IN(M R Q), OK_M OK_R OK_Q, "", NULL},
	{"arguments that are not wanted",
	 IN(M R "DATA now\r\nRSET x\r\nQUIT x\r\nNOOP x\r\n" D B Q),
	 OK_M OK_R " 501:5.5.4 501:5.5.4 501:5.5.4 250:2.0.0" OK_B OK_Q,
	 "s@x > r@x: A: b||x|\n", NULL},
	{"what is not here",
	 IN("\r\nFOO\r\nMAILFROM:<s@x>\r\nQUIT\0\r\nAUTH PLAIN\r\n"
	    "STARTTLS\r\nETRN x\r\nHELP\r\nHELP x\r\n" Q),
	 " 500:5.5.2 500:5.5.2 500:5.5.2 500:5.5.2 502:5.5.1 502:5.5.1"
	 " 502:5.5.1 214:2.0.0 214:2.0.0" OK_Q,
	 "", NULL},
	{"a browser that was made to come here",
	 IN("POST / HTTP/1.1\r\nHost: x\r\n\r\n" H M R D B), " 421:4.7.0", "",
	 NULL},
	{"who is who",
	 IN("VRFY r@x\r\nVRFY <r@x> SMTPUTF8\r\nVRFY\r\nVRFY a b\r\n"
	    "EXPN team\r\nEXPN TEAM SMTPUTF8\r\nEXPN me\r\nEXPN r@x\r\n"
	    "EXPN\r\nEXPN bad\r\nEXPN loop\r\n" Q),
	 " 252:2.0.0 252:2.0.0 501:5.1.3 501:5.1.3 250:2.1.5 250:2.1.5"
	 " 550:5.1.1 550:5.1.1 501:5.1.3 554:5.3.5 554:5.4.6" OK_Q,
	 "", NULL},
	/* chunks, RFC 3030 */
	{"one chunk", IN(M R "BDAT 11 LAST\r\nA: b\r\n\r\n.\r\n" Q),
	 OK_M OK_R " 250:2.6.0" OK_Q, "s@x > r@x: A: b||.|\n", NULL},
	{"three chunks",
	 IN(M R "bdat 7\r\nA: b\r\n\rBDAT 6\r\n\nx\r\n..bdat 0 last\r\n" M Q),
	 OK_M OK_R " 250:2.0.0 250:2.0.0 250:2.6.0" OK_M OK_Q,
	 "s@x > r@x: A: b||x|..|\n", NULL},
	{"no content at all", IN(M R "BDAT 0 LAST\r\n" Q),
	 OK_M OK_R " 250:2.6.0" OK_Q, "s@x > r@x: |\n", NULL},
	{"what looks like the end",
	 IN(M R "BDAT 14 LAST\r\nx\r\n.\r\nQUIT\r\n\r\n" Q),
	 OK_M OK_R " 250:2.6.0" OK_Q, "s@x > r@x: |x|.|QUIT||\n", NULL},
	{"between chunks",
	 IN(M R "BDAT 1\r\nx" D M R "NOOP\r\nVRFY r@x\r\nBDAT 1 LAST\r\ny" Q),
	 OK_M OK_R " 250:2.0.0" ORDER ORDER ORDER
		   " 250:2.0.0 252:2.0.0 250:2.6.0" OK_Q,
	 "s@x > r@x: |xy|\n", NULL},
	{"chunks that are left",
	 IN(M R "BDAT 1\r\nxRSET\r\n" M R "BDAT 1\r\ny" H M R D B Q),
	 OK_M OK_R " 250:2.0.0 250:2.0.0" OK_M OK_R
		   " 250:2.0.0 250" OK_M OK_R OK_B OK_Q,
	 "s@x > r@x: A: b||x|\n", NULL},
	{"chunks of no size",
	 IN(M R "BDAT\r\nBDAT x\r\nBDAT -1\r\nBDAT 1x LAST\r\nBDAT LAST\r\n"
		"BDAT 6 FIRST\r\nQUIT\r\nBDAT 1 LAST x\r\nQ" D B Q),
	 OK_M OK_R " 501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4 501:5.5.4"
		   " 501:5.5.4 501:5.5.4" OK_B OK_Q,
	 "s@x > r@x: A: b||x|\n", NULL},
	{"binary goes by chunks",
	 IN("MAIL FROM:<s@x> BODY=BINARYMIME\r\n" R D "BDAT 3 LAST\r\nx\r\n" Q),
	 OK_M OK_R ORDER " 250:2.6.0" OK_Q, "s@x b > r@x: |x|\n", NULL},
	/* what is refused */
	{"by the content", IN(M R D "A: b\r\n\0\r\nC: d\r\n.\r\n" M R D B Q),
	 OK_M OK_R " 354 554:5.6.0" OK_M OK_R OK_B OK_Q,
	 "s@x > r@x: A: b||x|\n", "5.6.0"},
	{"by the content of a chunk",
	 IN(M R
	    "BDAT 9\r\nA: b\r\n\0\r\nBDAT 3\r\nabcBDAT 2 LAST\r\nyz" M R D B Q),
	 OK_M OK_R " 554:5.6.0" ORDER ORDER OK_M OK_R OK_B OK_Q,
	 "s@x > r@x: A: b||x|\n", "5.6.0"},
	{"by the content of the last chunk",
	 IN(M R "BDAT 9 LAST\r\nA: b\r\n\0\r\n" M R D B Q),
	 OK_M OK_R " 554:5.6.0" OK_M OK_R OK_B OK_Q, "s@x > r@x: A: b||x|\n",
	 "5.6.0"},
	{"by the content of a chunk, and begun again",
	 IN(M R "BDAT 9\r\nA: b\r\n\0\r\nRSET\r\n" M R D B Q),
	 OK_M OK_R " 554:5.6.0 250:2.0.0" OK_M OK_R OK_B OK_Q,
	 "s@x > r@x: A: b||x|\n", "5.6.0"},
	{"for good", IN(M "RCPT TO:<never@x>\r\n" D B Q),
	 OK_M OK_R " 354 550:5.7.1" OK_Q, "s@x > never@x: A: b||x|\n", "5.7.1"},
	{"for now", IN(M "RCPT TO:<later@x>\r\nBDAT 2 LAST\r\n\r\n" M R D B Q),
	 OK_M OK_R " 451:4.4.1" OK_M OK_R OK_B OK_Q,
	 "s@x > later@x: |\ns@x > r@x: A: b||x|\n", "4.4.1"},
	{"the worst counts",
	 IN(M "RCPT TO:<later@x>\r\n" D B M "RCPT TO:<never@x>\r\n" D B M
	      "RCPT TO:<later@x>\r\n" D B Q),
	 OK_M OK_R " 354 451:4.4.1" OK_M OK_R " 354 550:5.7.1" OK_M OK_R
		   " 354 451:4.4.1" OK_Q,
	 "s@x > later@x: A: b||x|\ns@x > never@x: A: b||x|\n"
	 "s@x > later@x: A: b||x|\n",
	 "5.7.1"},
	/* the client leaves */
	{"in the envelope", IN(H M), " 250" OK_M, "", "4.4.2"},
	{"behind the envelope", IN(H M R "DATA"), " 250" OK_M OK_R, "",
	 "4.4.2"},
	{"in the content", IN(M R D "A: b\r\n\r\nx\r\n.\r"), OK_M OK_R " 354",
	 "", "4.4.2"},
	{"in a chunk", IN(M R "BDAT 5 LAST\r\nabcd"), OK_M OK_R, "", "4.4.2"},
	{"between chunks", IN(M R "BDAT 4\r\nabcd"), OK_M OK_R " 250:2.0.0", "",
	 "4.4.2"},
	{"in a chunk that nobody wants", IN("BDAT 5\r\nabcd"), "", "", NULL},
	{"having begun nothing", IN(M R "RSET\r\nQUI"), OK_M OK_R " 250:2.0.0",
	 "", NULL},
	{"after one for good", IN(M "RCPT TO:<never@x>\r\n" D B M),
	 OK_M OK_R " 354 550:5.7.1" OK_M, "s@x > never@x: A: b||x|\n", "5.7.1"},
};

static void check_dialogue(size_t i, size_t step)
{
	struct dialogue d = dialogue_run(cases[i].sent, step);

	if (strncmp(d.replies.p, "220", 3) ||
	    strcmp(d.replies.p + 3, cases[i].replies) != 0)
		fail_msg("%s, step %zu: '%s'\n%s", cases[i].name, step,
			 d.replies.p, d.said.p);
	if (strcmp(d.log.p, cases[i].log) != 0)
		fail_msg("%s, step %zu: '%s'", cases[i].name, step, d.log.p);
	if (d.rc != (cases[i].status ? -1 : 0) ||
	    outcome_is_failure(&d.o) != (cases[i].status != NULL) ||
	    strcmp(d.o.status, cases[i].status ? cases[i].status : "") != 0)
		fail_msg("%s, step %zu: %d %s", cases[i].name, step, d.rc,
			 d.o.status);
	dialogue_end(&d);
}

static void answers_and_hands_over(void **state)
{
	size_t i, step;

	(void)state;
	for (i = 0; i < N_OF(cases); i++)
		for (step = 0; step < 3; step++)
			check_dialogue(i, step);
}

/* ------------------------------------------------------------ further words */

/* What is sent, and words of what is said, or of what the owner got. */
static const struct {
	struct view sent;
	const char *said; /* NULL: anything */
	const char *log;
} words[] = {
	{IN(""), "220 here.example ESMTP postrider\r\n", NULL},
	{IN("EHLO me\r\n"),
	 "\r\n250-here.example\r\n250-PIPELINING\r\n250-SIZE\r\n250-8BITMIME"
	 "\r\n250-BINARYMIME\r\n250-CHUNKING\r\n250-SMTPUTF8\r\n250-DSN\r\n"
	 "250-ENHANCEDSTATUSCODES\r\n250 HELP\r\n",
	 NULL},
	{IN("HELO me\r\n"), "\r\n250 here.example\r\n", NULL},
	{IN("EXPN team\r\n"), "\r\n250-2.1.5 <a@x>\r\n250 2.1.5 <b@x>\r\n",
	 NULL},
	{IN("EXPN me\r\n"), "\r\n550 5.1.1 me is no alias\r\n", NULL},
	{IN("VRFY <\xc3\xa4@x>\r\n"), "\r\n252 2.0.0 ??@x", NULL},
	{IN("MAIL FROM:<s@x> X\033[2J\xc3=1\r\n"),
	 "\r\n555 5.5.4 unknown parameter: X?[2J?=1\r\n", NULL},
	{IN(M R D B), "\r\n250-2.6.0 one\r\n250 2.6.0 queued\r\n", NULL},
	{IN(M "RCPT TO:<never@x>\r\n" D B), "\r\n550 5.7.1 spam\r\n", NULL},
	{IN(M R "BDAT 3\r\nx\r\n"), "\r\n250 2.0.0 3 octets\r\n", NULL},
	/* how it came here: RFC 5321 4.4, RFC 3848, RFC 6531 4.3 */
	{IN(H M "RCPT TO:<received@x>\r\n" D B), NULL,
	 " [from me\r\n\tby here.example with ESMTP]"},
	{IN("HELO me\r\n" M "RCPT TO:<received@x>\r\n" D B), NULL,
	 " [from me\r\n\tby here.example with SMTP]"},
	{IN(M "RCPT TO:<received@x>\r\n" D B), NULL,
	 " [from unknown\r\n\tby here.example with SMTP]"},
	{IN(H "MAIL FROM:<\xc3\xa4@x> SMTPUTF8\r\n"
	      "RCPT TO:<received@x>\r\n" D B),
	 NULL, " [from me\r\n\tby here.example with UTF8SMTP]"},
	{IN("EHLO [192.0.2.1] x\r\n" M "RCPT TO:<received@x>\r\n" D B), NULL,
	 " [from [192.0.2.1]\r\n\tby here.example with ESMTP]"},
	/* a name that is none */
	{IN("EHLO a;b\r\n" M "RCPT TO:<received@x>\r\n" D B), NULL,
	 " [from unknown\r\n\tby "},
	{IN("EHLO (x\r\n" M "RCPT TO:<received@x>\r\n" D B), NULL,
	 " [from unknown\r\n\tby "},
	{IN("EHLO \xc3\xa4\r\n" M "RCPT TO:<received@x>\r\n" D B), NULL,
	 " [from unknown\r\n\tby "},
	{IN("EHLO a\0b\r\n" M "RCPT TO:<received@x>\r\n" D B), NULL,
	 " [from unknown\r\n\tby "},
	{IN("EHLO \0\r\n" M "RCPT TO:<received@x>\r\n" D B), NULL,
	 " [from unknown\r\n\tby "},
};

static void says_the_right_words(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(words); i++) {
		struct dialogue d = dialogue_run(words[i].sent, 0);

		if (words[i].said && !strstr(d.said.p, words[i].said))
			fail_msg("row %zu: %s", i, d.said.p);
		if (words[i].log && !strstr(d.log.p, words[i].log))
			fail_msg("row %zu: %s", i, d.log.p);
		dialogue_end(&d);
	}
}

/* So many octets, then the rest. */
static void check_large(const char *front, size_t n, const char *rest,
			const char *replies, const char *status)
{
	struct buf input = BUF_INIT(LIMIT);
	struct dialogue d;

	buf_add_text(&input, front);
	memset(buf_room(&input, n), 'x', n);
	input.n += n;
	buf_add_text(&input, rest);
	d = dialogue_run(buf_view(&input), 0);
	if (strcmp(d.replies.p, replies) != 0)
		fail_msg("%s %zu: '%s'", front, n, d.replies.p);
	assert_string_equal(d.o.status, status);
	dialogue_end(&d);
	buf_release(&input);
}

static void takes_lines_up_to_a_limit(void **state)
{
	(void)state;
	/* a command's line with its CRLF: 4096 octets */
	check_large("NOOP ", 4089, "\r\n" Q, "220 250:2.0.0 221:2.0.0", "");
	check_large("NOOP ", 4090, "\r\n" Q, "220 500:5.5.2 221:2.0.0", "");
	check_large("NOOP ", 300000, "\r\n" Q, "220 500:5.5.2 221:2.0.0", "");
	check_large("NOOP ", 300000, "", "220", "");
	check_large("EHLO ", 255, "\r\n" Q, "220 250 221:2.0.0", "");
	check_large("EHLO ", 4000, "\r\n" Q, "220 250 221:2.0.0", "");
	check_large("MAIL FROM:<", 4000, "@x>\r\n" Q, "220 501:5.1.7 221:2.0.0",
		    "");
	check_large(M "RCPT TO:<", 4000, "@x>\r\n" Q,
		    "220 250:2.1.0 501:5.1.3 221:2.0.0", "");
	check_large("MAIL FROM:<s@x> ENVID=", 100, "\r\n" Q,
		    "220 250:2.1.0 221:2.0.0", "");
	check_large("MAIL FROM:<s@x> ENVID=", 101, "\r\n" Q,
		    "220 501:5.5.4 221:2.0.0", "");
	/* the content's lines have none */
	check_large(M R D "A: b\r\n\r\n", 300000, "\r\n.\r\n" Q,
		    "220 250:2.1.0 250:2.1.5 354 250:2.6.0 221:2.0.0", "");
	check_large(M R "BDAT 300000 LAST\r\n", 300000, Q,
		    "220 250:2.1.0 250:2.1.5 250:2.6.0 221:2.0.0", "");
}

/* RFC 5321 6.3: a message that was here a hundred times goes in circles. */
static void ends_loops(void **state)
{
	size_t n, i;

	(void)state;
	for (n = 99; n <= 100; n++) {
		struct buf input = BUF_INIT(LIMIT);
		struct dialogue d;

		buf_add_text(&input, M R D);
		for (i = 0; i < n; i++)
			buf_add_text(&input, "Received: x\r\n");
		buf_add_text(&input, "\r\n.\r\n");
		d = dialogue_run(buf_view(&input), 0);
		assert_string_equal(d.o.status, n < 100 ? "" : "5.4.6");
		assert_int_equal(d.log.n == 0, n >= 100);
		dialogue_end(&d);
		buf_release(&input);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_HOME(answers_and_hands_over),
		IN_HOME(says_the_right_words),
		IN_HOME(takes_lines_up_to_a_limit),
		IN_HOME(ends_loops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
