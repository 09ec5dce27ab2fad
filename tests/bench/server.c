/* A submission server that takes messages and forgets them, as fast as it can.
 *
 *     server cert=FILE key=FILE tls=none|implicit|starttls \
 *            offers=PIPELINING,CHUNKING,... [mechanisms="PLAIN LOGIN"] \
 *            [setup=MILLISECONDS] [tickets=no]
 *
 * Says "port N" first, then, of each connection that is over, a line of JSON:
 * octets each way, messages and their octets, how they came, and the longest
 * wait for the client (gap, in milliseconds) with what had been answered then.
 * Everybody may log in who has alice's password, "secret".  It waits `setup`
 * before it looks at a new connection, for those who simulate a long line.
 * A thread for each connection; nothing is kept. */
#include "wire.h"

#include <arpa/inet.h>
#include <gsasl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

static const char *const USER = "alice", *const PASSWORD = "secret";
static const char END[] = "\r\n.\r\n";
enum { TAIL = 4096 }; /* what a client may send behind a message, at most */

static const char *tls = "none", *offers = "", *mechanisms = "";
static long setup;          /* milliseconds */
static bool tickets = true; /* TLS sessions can go on */
static gnutls_certificate_credentials_t certificate;
static gnutls_datum_t ticket_key;
static Gsasl *sasl;

struct session {
	struct wire wire;
	char line[1 << 14];
	unsigned long long messages, octets; /* octets: of their content */
	const char *via;
	char mechanism[32]; /* of the login that was accepted */
};

static int callback(Gsasl *ctx, Gsasl_session *session, Gsasl_property what)
{
	const char *user, *password;

	(void)ctx;
	if (what == GSASL_PASSWORD) {
		gsasl_property_set(session, GSASL_PASSWORD, PASSWORD);
		return GSASL_OK;
	}
	if (what != GSASL_VALIDATE_SIMPLE)
		return GSASL_NO_CALLBACK;
	user = gsasl_property_fast(session, GSASL_AUTHID);
	password = gsasl_property_fast(session, GSASL_PASSWORD);
	return user && password && !strcmp(user, USER) &&
			!strcmp(password, PASSWORD)
		? GSASL_OK
		: GSASL_AUTHENTICATION_ERROR;
}

/* The next line, without its end. */
static bool take_line(struct session *s)
{
	struct wire *w = &s->wire;
	char *end;
	size_t length;

	while (!(end = memchr(w->in + w->at, '\n', w->end - w->at)))
		if (!wire_more(w))
			return false;
	length = (size_t)(end - w->in) - w->at;
	if (length >= sizeof(s->line))
		return false;
	memcpy(s->line, w->in + w->at, length);
	w->at += length + 1;
	if (length && s->line[length - 1] == '\r')
		length--;
	s->line[length] = '\0';
	return true;
}

static void answer_ehlo(struct session *s)
{
	struct wire *w = &s->wire;
	char *list = strdup(offers), *rest = list, *one;

	wire_say(w, "250-server.example.org\r\n");
	while (list && (one = strsep(&rest, ",")) != NULL)
		if (*one) {
			wire_say(w, "250-");
			wire_say(w, one);
			wire_say(w, "\r\n");
		}
	free(list);
	if (!strcmp(tls, "starttls") && !w->tls)
		wire_say(w, "250-STARTTLS\r\n");
	else if (*mechanisms) {
		wire_say(w, "250-AUTH ");
		wire_say(w, mechanisms);
		wire_say(w, "\r\n");
	}
	wire_say(w, "250 ENHANCEDSTATUSCODES\r\n");
}

/* The exchange of a login, `given` being the initial response, or NULL. */
static bool exchange(struct session *s, Gsasl_session *login, const char *given)
{
	char *reply = NULL;
	int rc;

	for (;;) {
		rc = gsasl_step64(login, given ? given : "", &reply);
		if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE)
			return false;
		if (rc == GSASL_OK && !(reply && *reply)) {
			gsasl_free(reply);
			return true;
		}
		wire_say(&s->wire, "334 ");
		wire_say(&s->wire, reply ? reply : "");
		wire_say(&s->wire, "\r\n");
		gsasl_free(reply);
		reply = NULL;
		if (!take_line(s) || !strcmp(s->line, "*"))
			return false;
		if (rc == GSASL_OK) /* the answer to the last words */
			return true;
		given = s->line;
	}
}

static void answer_auth(struct session *s)
{
	Gsasl_session *login = NULL;
	char *rest = s->line + 4, *name, *given;
	bool is_good = false;

	rest += strspn(rest, " ");
	name = strsep(&rest, " ");
	given = rest;
	if (given && !strcmp(given, "="))
		given = NULL;
	snprintf(s->mechanism, sizeof(s->mechanism), "%s", name);
	if (gsasl_server_start(sasl, s->mechanism, &login) == GSASL_OK)
		is_good = exchange(s, login, given);
	gsasl_finish(login);
	wire_say(&s->wire,
		 is_good ? "235 2.7.0 welcome\r\n" : "535 5.7.8 no\r\n");
}

static void take_message(struct session *s, const char *via)
{
	s->messages++;
	s->via = via;
	s->wire.now = via;
	wire_say(&s->wire, "250 2.0.0 taken\r\n");
}

/* What comes behind DATA.  Its end is looked for in the last octets of each
 * piece alone: nobody sends more than TAIL behind it. */
static bool answer_data(struct session *s)
{
	struct wire *w = &s->wire;
	const size_t mark = sizeof(END) - 1;
	size_t kept = 0;
	char *end, *from;

	wire_say(w, "354 go ahead\r\n");
	w->now = "DATA";
	for (;;) {
		size_t there = w->end - w->at;

		from = w->in + w->at;
		if (there > TAIL)
			from += there - TAIL;
		end = memmem(from, (size_t)(w->in + w->end - from), END, mark);
		if (end)
			break;
		kept = there < mark ? there : mark;
		s->octets += there - kept;
		w->at = w->end - kept;
		if (!wire_more(w))
			return false;
	}
	s->octets += (size_t)(end - w->in) - w->at + 2;
	w->at = (size_t)(end - w->in) + mark;
	take_message(s, "DATA");
	return true;
}

static bool answer_bdat(struct session *s)
{
	struct wire *w = &s->wire;
	char *rest;
	unsigned long long left = strtoull(s->line + 4, &rest, 10);
	bool is_last = !strncasecmp(rest, " LAST", 5);
	size_t taken;

	w->now = "BDAT";
	s->octets += left;
	while (left) {
		taken = w->end - w->at;
		if (taken > left)
			taken = left;
		w->at += taken;
		left -= taken;
		if (left && !wire_more(w))
			return false;
	}
	if (is_last)
		take_message(s, "BDAT");
	else
		wire_say(w, "250 2.0.0 more\r\n");
	return true;
}

static bool answer_starttls(struct session *s)
{
	struct wire *w = &s->wire;

	wire_say(w, "220 2.0.0 ready\r\n");
	w->at = w->end = 0;
	return wire_flush(w) == 0 &&
		wire_start_tls(w, certificate, tickets ? &ticket_key : NULL) ==
		0;
}

static bool is_verb(const struct session *s, const char *verb)
{
	size_t length = strlen(verb);

	return !strncasecmp(s->line, verb, length) &&
		strchr(" :", s->line[length]);
}

/* One command; false when that was the last. */
static bool answer(struct session *s)
{
	static const char *const simple[] = {"MAIL", "RCPT", "RSET", "NOOP",
					     "HELO"};
	struct wire *w = &s->wire;

	if (is_verb(s, "EHLO")) {
		w->now = "EHLO";
		answer_ehlo(s);
	} else if (is_verb(s, "AUTH")) {
		w->now = "AUTH";
		answer_auth(s);
	} else if (is_verb(s, "STARTTLS") && !w->tls) {
		return answer_starttls(s);
	} else if (is_verb(s, "DATA")) {
		return answer_data(s);
	} else if (is_verb(s, "BDAT")) {
		return answer_bdat(s);
	} else if (is_verb(s, "QUIT")) {
		wire_say(w, "221 2.0.0 bye\r\n");
		wire_flush(w);
		return false;
	} else {
		for (size_t i = 0; i < sizeof(simple) / sizeof(*simple); i++)
			if (is_verb(s, simple[i])) {
				w->now = simple[i];
				wire_say(w, "250 2.0.0 ok\r\n");
				return true;
			}
		wire_say(w, "500 5.5.1 what?\r\n");
	}
	return true;
}

static void report(const struct session *s)
{
	const struct wire *w = &s->wire;

	printf("{\"received\": %llu, \"sent\": %llu, \"messages\": %llu, "
	       "\"octets\": %llu, \"via\": \"%s\", \"mechanism\": \"%s\", "
	       "\"tls\": \"%s\", \"resumed\": %s, \"gap\": %.2f, "
	       "\"behind\": \"%s\"}\n",
	       w->received, w->sent, s->messages, s->octets,
	       s->via ? s->via : "", s->mechanism,
	       w->tls ? gnutls_protocol_get_name(
				gnutls_protocol_get_version(w->tls))
		      : "",
	       w->tls && gnutls_session_is_resumed(w->tls) ? "true" : "false",
	       w->gap * 1e3, w->gap_behind);
	fflush(stdout);
}

static void *serve(void *given)
{
	struct session *s = calloc(1, sizeof(*s));
	struct timespec wait = {setup / 1000, setup % 1000 * 1000000};
	int fd = (int)(long)given;
	int on = 1;

	if (!s)
		abort();
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	wire_init(&s->wire, fd);
	nanosleep(&wait, NULL);
	if (strcmp(tls, "implicit") != 0 ||
	    wire_start_tls(&s->wire, certificate,
			   tickets ? &ticket_key : NULL) == 0) {
		wire_say(&s->wire, "220 server.example.org ESMTP\r\n");
		s->wire.now = "greeting";
		while (take_line(s) && answer(s))
			;
	}
	if (s->wire.tls)
		gnutls_bye(s->wire.tls, GNUTLS_SHUT_WR);
	shutdown(fd, SHUT_WR);
	while (recv(fd, s->wire.raw, WIRE_BLOCK, 0) > 0)
		; /* a close with input left would be a reset */
	report(s);
	wire_release(&s->wire);
	free(s);
	return NULL;
}

static int begin(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	socklen_t length = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ||
	    listen(fd, 128) < 0 ||
	    getsockname(fd, (struct sockaddr *)&to, &length) < 0) {
		perror("server");
		exit(1);
	}
	printf("port %d\n", ntohs(to.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	const char *cert = NULL, *key = NULL;
	pthread_t thread;

	for (int i = 1; i < argc; i++) {
		char *value = argv[i], *name = strsep(&value, "=");

		if (!value)
			return 64;
		else if (!strcmp(name, "cert"))
			cert = value;
		else if (!strcmp(name, "key"))
			key = value;
		else if (!strcmp(name, "tls"))
			tls = value;
		else if (!strcmp(name, "offers"))
			offers = value;
		else if (!strcmp(name, "mechanisms"))
			mechanisms = value;
		else if (!strcmp(name, "setup"))
			setup = strtol(value, NULL, 10);
		else if (!strcmp(name, "tickets"))
			tickets = strcmp(value, "no") != 0;
		else
			return 64;
	}
	if (gsasl_init(&sasl) != GSASL_OK ||
	    gnutls_certificate_allocate_credentials(&certificate) < 0 ||
	    gnutls_session_ticket_key_generate(&ticket_key) < 0 ||
	    (cert &&
	     gnutls_certificate_set_x509_key_file(certificate, cert, key,
						  GNUTLS_X509_FMT_PEM) < 0))
		return 1;
	gsasl_callback_set(sasl, callback);
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* no longer than who started it */
	for (int listener = begin();;) {
		int fd = accept(listener, NULL, NULL);

		if (fd >= 0 &&
		    pthread_create(&thread, NULL, serve, (void *)(long)fd) == 0)
			pthread_detach(thread);
	}
}
