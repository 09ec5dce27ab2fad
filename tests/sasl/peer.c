/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A submission server for tests of SASL and TLS: RFC 5321, 3207 and 4954 as
 * far as one client at a time needs them. It prints its port, then what each
 * connection did (log.h).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "base/encode.h"
#include "base/text.h"
#include "sasl/exchange.h"
#include "sasl/log.h"
#include "sasl/options.h"
#include "sasl/wire.h"

#define COMMAND_LINE_MAX 510u /* RFC 5321 4.5.3.1.4, without CRLF */
#define REFUSED          "535 5.7.8 Authentication credentials invalid"

struct connection {
	const struct options *options;
	const struct tls_server *tls;
	struct wire wire;
	struct log log;
	bool logged_in, over;
};

static void say(struct connection *c, const char *lines)
{
	wire_say(&c->wire, lines);
}

/* ----------------------------------------------------------------- AUTH */

static const char *offered(const struct connection *c)
{
	if (c->options->clear || c->wire.tls)
		return c->options->mechanisms;
	return c->options->before_tls;
}

static bool is_offered(const struct connection *c, const char *mechanism)
{
	struct view list = view_of(offered(c)), word;

	while ((word = view_next_word(&list)).n)
		if (view_equal_nocase(word, view_of(mechanism)))
			return true;
	return false;
}

/* What --answer has for this mechanism, or NULL. */
static const char *answer_for(const struct options *o, const char *mechanism)
{
	size_t n = strlen(mechanism);
	int i;

	for (i = 0; i < o->n_answers; i++)
		if (view_starts_nocase(view_of(o->answers[i]),
				       view_of(mechanism)) &&
		    o->answers[i][n] == '=')
			return o->answers[i] + n + 1;
	return NULL;
}

/* One AUTH command on its way. */
struct dialogue {
	struct connection *c;
	struct exchange x;
	struct buf in, out; /* octets, not base64 */
	struct log_end end;
};

static void violation(struct dialogue *d, const char *what)
{
	log_violation(&d->c->log, what);
	exchange_refuse(&d->x, VERDICT_VIOLATED, what);
}

/* 334, and the next response into `in`; false: there is none. */
static bool challenge(struct dialogue *d, const char *text)
{
	struct buf line = BUF_INIT(1u << 20);
	bool is_good = false;

	if (d->c->wire.in.n)
		violation(d, "spoke before it was asked");
	buf_printf(&line, "334 %s", text);
	say(d->c, line.p);
	buf_clear(&d->in);
	if (wire_read_line(&d->c->wire, &line) < 0) {
		d->c->over = true;
		exchange_refuse(&d->x, VERDICT_REFUSED, "hung up");
		goto done;
	}
	log_command(&d->c->log, strcmp(line.p, "*") ? VIEW(".") : VIEW("*"));
	if (line.n > d->c->log.longest)
		d->c->log.longest = line.n;
	d->end.cancelled = strcmp(line.p, "*") == 0;
	if (d->end.cancelled)
		say(d->c, "501 5.7.0 Authentication cancelled");
	else if (!(is_good = decode_base64(&d->in, buf_view(&line))))
		violation(d, "no base64");
done:
	buf_release(&line);
	return is_good;
}

/* `words` instead of what we would say: KEY=VALUE,... of which @ is the first
 * VALUE. */
static void say_instead(struct buf *out, const char *words)
{
	struct buf text = BUF_INIT(1u << 20);
	size_t n = out->n > 2 ? strcspn(out->p + 2, ",") : 0;

	for (; *words; words++)
		if (*words == '@')
			buf_add(&text, out->p + 2, n);
		else
			buf_add_char(&text, *words);
	buf_clear(out);
	buf_add_view(out, buf_view(&text));
	buf_release(&text);
}

static bool challenge_octets(struct dialogue *d)
{
	const struct options *o = d->c->options;
	struct buf text = BUF_INIT(1u << 20);
	bool yes;

	if (d->x.round == 1 && o->first_words)
		say_instead(&d->out, o->first_words);
	if (d->x.is_wrong && o->json_raw)
		buf_add_text(&text, o->json_raw);
	else if (d->x.round == 1 && o->first_raw)
		buf_add_text(&text, o->first_raw);
	else
		encode_base64(&text, buf_view(&d->out));
	yes = challenge(d, text.p);
	buf_release(&text);
	return yes;
}

/* A signature of our own that is not: the last octet but one, as the last may
 * have bits that base64 does not use. */
static void spoil(struct buf *out)
{
	if (out->n > 3)
		out->p[out->n - 3] = out->p[out->n - 3] == 'a' ? 'b' : 'a';
}

/* Our own proof goes in a challenge, or with the 235. */
static bool prove(struct dialogue *d, struct buf *reply)
{
	const char *signature = d->c->options->signature;

	if (signature && strcmp(signature, "missing") == 0)
		return true;
	if (signature)
		spoil(&d->out);
	if (d->c->options->last_words)
		say_instead(&d->out, d->c->options->last_words);
	if (d->c->options->final_in_235) {
		buf_clear(reply);
		buf_add_text(reply, "235 2.7.0 ");
		encode_base64(reply, buf_view(&d->out));
		return true;
	}
	if (!challenge_octets(d))
		return false;
	if (d->in.n)
		violation(d, "an answer to the server's proof");
	return !d->in.n;
}

static bool ask_for_more(struct dialogue *d)
{
	const char *times = d->c->options->challenges;
	long i, n = times ? strtol(times, NULL, 10) : 0;

	for (i = 0; i < n; i++)
		if (!challenge(d, i % 2 ? "bW9yZQ==" : ""))
			return false;
	return true;
}

/* false: cancelled, or the connection is over. */
static bool conclude(struct dialogue *d, enum verdict v)
{
	struct buf reply = BUF_INIT(1u << 20);
	const char *fail = d->c->options->fail;
	bool is_answered = false;

	buf_add_text(&reply, "235 2.7.0 Welcome");
	if (v == VERDICT_DONE && d->out.n && !prove(d, &reply))
		goto done;
	if (!ask_for_more(d))
		goto done;
	d->end.ok = v == VERDICT_DONE;
	if (v == VERDICT_VIOLATED)
		log_violation(&d->c->log, d->x.why.p);
	say(d->c, d->end.ok ? reply.p : fail ? fail : REFUSED);
	is_answered = true;
done:
	buf_release(&reply);
	return is_answered;
}

static void converse(struct dialogue *d)
{
	enum verdict v = VERDICT_MORE;

	if (!d->end.initial && exchange_is_client_first(&d->x) &&
	    !challenge(d, ""))
		return;
	if (d->end.initial && !exchange_is_client_first(&d->x))
		violation(d, "this mechanism has no initial response");
	for (;;) {
		v = exchange_step(&d->x, buf_view(&d->in), &d->out);
		if (v != VERDICT_MORE)
			break;
		if (!challenge_octets(d))
			return;
	}
	conclude(d, v);
}

static bool read_initial(struct dialogue *d, struct view initial)
{
	d->end.initial = initial.n > 0;
	if (view_equal(initial, VIEW("=")))
		return true;
	if (decode_base64(&d->in, initial))
		return true;
	violation(d, "no base64");
	say(d->c, "501 5.5.2 That is no base64");
	return false;
}

static void on_auth(struct connection *c, struct view line, struct view rest)
{
	struct view name = view_next_word(&rest), initial = view_trim(rest);
	struct dialogue d = {
		.c = c, .in = BUF_INIT(1u << 20), .out = BUF_INIT(1u << 20)};
	const char *answer;

	exchange_init(&d.x, c->options, &c->wire, name);
	if (line.n > c->log.longest)
		c->log.longest = line.n;
	if (line.n > COMMAND_LINE_MAX)
		violation(&d, "AUTH is too long for a command line");
	if (c->wire.in.n)
		violation(&d, "spoke behind AUTH");
	if (c->logged_in)
		violation(&d, "AUTH after AUTH");
	if (!is_offered(c, d.x.mechanism))
		violation(&d, "AUTH by what is not offered");
	answer = answer_for(c->options, d.x.mechanism);
	if (!read_initial(&d, initial))
		;
	else if (answer)
		say(c, answer);
	else
		converse(&d);
	c->logged_in = d.end.ok;
	log_exchange(&c->log, &d.x, d.end);
	exchange_release(&d.x);
	buf_release(&d.in);
	buf_release(&d.out);
}

/* ------------------------------------------------------------- the rest */

static void on_ehlo(struct connection *c)
{
	struct buf lines = BUF_INIT(64u << 10);
	const char *list = offered(c);

	buf_add_text(&lines, "250-mail.example.org");
	if (c->options->starttls && !c->wire.tls)
		buf_add_text(&lines, "\n250-STARTTLS");
	if (list)
		buf_printf(&lines, "\n250-AUTH%s%s",
			   c->options->auth_equals ? "=" : " ", list);
	buf_add_text(&lines, "\n250-PIPELINING\n250 ENHANCEDSTATUSCODES");
	say(c, lines.p);
	buf_release(&lines);
}

static void on_starttls(struct connection *c)
{
	if (!c->options->starttls || c->wire.tls) {
		say(c, "503 5.5.1 No TLS now");
		return;
	}
	if (c->wire.in.n)
		log_violation(&c->log, "spoke behind STARTTLS");
	say(c, "220 2.0.0 Go on");
	if (wire_secure(&c->wire, c->tls) < 0) {
		log_violation(&c->log, "no handshake");
		c->over = true;
	}
}

static void on_data(struct connection *c)
{
	struct buf line = BUF_INIT(1u << 20);

	say(c, "354 Go on");
	for (;;) {
		if (wire_read_line(&c->wire, &line) < 0) {
			c->over = true;
			break;
		}
		if (strcmp(line.p, ".") == 0)
			break;
		c->log.message += line.n + 2;
	}
	say(c, "250 2.0.0 Taken");
	buf_release(&line);
}

static void do_command(struct connection *c, const struct buf *line)
{
	struct view rest = buf_view(line), verb = view_next_word(&rest);

	log_command(&c->log, verb);
	if (view_equal_nocase(verb, VIEW("EHLO"))) {
		on_ehlo(c);
	} else if (view_equal_nocase(verb, VIEW("STARTTLS"))) {
		on_starttls(c);
	} else if (view_equal_nocase(verb, VIEW("AUTH"))) {
		on_auth(c, buf_view(line), rest);
	} else if (view_equal_nocase(verb, VIEW("QUIT"))) {
		say(c, "221 2.0.0 Bye");
		c->over = true;
	} else if (view_equal_nocase(verb, VIEW("DATA"))) {
		on_data(c);
	} else {
		say(c, "250 2.0.0 Fine");
	}
}

static void serve(int fd, const struct options *o, const struct tls_server *tls)
{
	struct connection c = {.options = o,
			       .tls = tls,
			       .wire = WIRE_INIT(fd),
			       .log = LOG_INIT};
	struct timeval wait = {.tv_sec = WIRE_SECONDS};
	const int on = 1;
	struct buf line = BUF_INIT(1u << 20);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (o->implicit && wire_secure(&c.wire, tls) < 0) {
		log_violation(&c.log, "no handshake");
		c.over = true;
	} else {
		say(&c, "220 mail.example.org ESMTP");
	}
	while (!c.over && wire_read_line(&c.wire, &line) == 0)
		do_command(&c, &line);
	log_print(&c.log, &c.wire);
	wire_release(&c.wire);
	log_release(&c.log);
	buf_release(&line);
}

static int listen_somewhere(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 ||
	    listen(fd, 16) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
		perror("peer");
		return -1;
	}
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	struct tls_server tls = {0};
	struct options options = {0};
	int listener, fd, rc = EXIT_FAILURE;

	signal(SIGPIPE, SIG_IGN);
	if (!options_read(&options, argc, argv))
		return 64;
	if (!options.clear && !tls_server_init(&tls, &options))
		goto done;
	listener = listen_somewhere();
	while (listener >= 0 && (fd = accept(listener, NULL, NULL)) >= 0)
		serve(fd, &options, &tls);
done:
	tls_server_release(&tls);
	return rc;
}
