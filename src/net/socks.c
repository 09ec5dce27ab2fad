/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The client's side of SOCKS5: greeting, login, request, each answered before
 * the next leaves. RFC 1928 wants it so, and proxies rely on it: some take
 * whatever one read gives them for one message, so that a request which
 * came along with the greeting would be lost. For the same reason each message
 * is one write.
 *
 * How the proxy was reached, and what is said once it is out of the way, is
 * net/dial's and its callers' affair.
 */
#include "net/socks.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/idna.h"
#include "net/resolve.h"

#define SOCKS5        5    /* the version */
#define LOGIN_VERSION 1    /* RFC 1929 2 */
#define FIELD_MOST    255  /* octets of what has its length in one octet */
#define NO_LOGIN      0x00 /* methods, RFC 1928 3 */
#define PASSWORD      0x02
#define NOT_ONE       0xff
#define CONNECT       1 /* a command, RFC 1928 4 */
#define ADDRESS_IPV4  1 /* address types, RFC 1928 5 */
#define ADDRESS_NAME  3
#define ADDRESS_IPV6  4
#define PORT_OCTETS   2

/* ------------------------------------------------------------ what is asked */

static void add_octet(struct buf *b, unsigned value)
{
	buf_add_char(b, (char)(unsigned char)value);
}

/* Its length, and it. */
static void add_field(struct buf *b, struct view field)
{
	add_octet(b, (unsigned)field.n);
	buf_add_view(b, field);
}

static int check_length(const char *name, const char *value, struct outcome *o)
{
	size_t n = value ? strlen(value) : 0;

	if (!n)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "%s must not be empty: set it, or unset proxy_user",
			    name);
	if (n > FIELD_MOST)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "%s is longer than %d octets, which SOCKS5 has no "
			    "room for",
			    name, FIELD_MOST);
	return 0;
}

/* Without a user no login is offered: a proxy that could choose would ask for
 * one that we do not have. */
static int add_login(struct socks_request *r, const struct proxy_policy *proxy,
		     struct outcome *o)
{
	add_octet(&r->methods, SOCKS5);
	add_octet(&r->methods, proxy->user ? 2 : 1);
	add_octet(&r->methods, NO_LOGIN);
	if (!proxy->user)
		return 0;
	add_octet(&r->methods, PASSWORD);
	if (check_length("proxy_user", proxy->user, o) < 0 ||
	    check_length("proxy_password", proxy->password, o) < 0)
		return -1;
	add_octet(&r->login, LOGIN_VERSION);
	add_field(&r->login, view_of(proxy->user));
	add_field(&r->login, view_of(proxy->password));
	return 0;
}

static int add_address(struct buf *b, const char *host,
		       const struct endpoint *a, struct outcome *o)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)&a->at;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&a->at;

	if (a->at.ss_family == AF_INET) {
		add_octet(b, ADDRESS_IPV4);
		buf_add(b, &four->sin_addr, sizeof(four->sin_addr));
		return 0;
	}
	if (six->sin6_scope_id)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "%s: a zone of this machine means nothing to a "
			    "proxy",
			    host);
	add_octet(b, ADDRESS_IPV6);
	buf_add(b, &six->sin6_addr, sizeof(six->sin6_addr));
	return 0;
}

/* A name has 253 octets at most then, so it fits. */
static int add_name(struct buf *b, const char *host, struct outcome *o)
{
	char *name = idna_host_to_ascii(host, o);

	if (!name)
		return -1;
	add_octet(b, ADDRESS_NAME);
	add_field(b, view_of(name));
	free(name);
	return 0;
}

int socks_prepare(struct socks_request *r, const struct dial_policy *policy,
		  struct outcome *o)
{
	struct endpoint literal;
	int rc;

	if (add_login(r, &policy->proxy, o) < 0)
		return -1;
	add_octet(&r->connect, SOCKS5);
	add_octet(&r->connect, CONNECT);
	add_octet(&r->connect, 0); /* reserved */
	if (resolve_literal(policy->host, policy->port, &literal))
		rc = add_address(&r->connect, policy->host, &literal, o);
	else
		rc = add_name(&r->connect, policy->host, o);
	add_octet(&r->connect, policy->port >> 8);
	add_octet(&r->connect, policy->port & 0xff);
	return rc;
}

void socks_request_release(struct socks_request *r)
{
	buf_release(&r->methods);
	buf_release(&r->login);
	buf_release(&r->connect);
}

/* ------------------------------------------------------------- the dialogue */

struct talk {
	int fd;
	struct deadline deadline;
	const char *said; /* what is to be answered, in words */
};

/* After a call that failed: wait until it may be tried again. */
static int await(const struct talk *t, short events, struct outcome *o)
{
	struct pollfd wait = {.fd = t->fd, .events = events};

	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN)
		return fail_errno(o, CAUSE_CONNECT, "4.4.2",
				  "the proxy is lost, waiting for an answer "
				  "to our %s",
				  t->said);
	if (poll(&wait, 1, deadline_left(t->deadline)) == 0 &&
	    deadline_passed(t->deadline))
		return fail(o, CAUSE_CONNECT, "4.4.1",
			    "the proxy does not answer our %s: timed out",
			    t->said);
	return 0;
}

static int say(const struct talk *t, const struct buf *message,
	       struct outcome *o)
{
	size_t sent = 0;
	ssize_t n;

	while (sent < message->n) {
		n = send(t->fd, message->p + sent, message->n - sent,
			 MSG_NOSIGNAL);
		if (n >= 0)
			sent += (size_t)n;
		else if (await(t, POLLOUT, o) < 0)
			return -1;
	}
	return 0;
}

/* Exactly n octets: what comes behind them may be the host's. */
static int hear(const struct talk *t, unsigned char *octets, size_t n,
		struct outcome *o)
{
	size_t got = 0;
	ssize_t more;

	while (got < n) {
		more = recv(t->fd, octets + got, n - got, 0);
		if (more > 0)
			got += (size_t)more;
		else if (more == 0)
			return fail(o, CAUSE_CONNECT, "4.4.2",
				    "the proxy closed the connection instead "
				    "of answering our %s",
				    t->said);
		else if (await(t, POLLIN, o) < 0)
			return -1;
	}
	return 0;
}

/* Who it is, if not a SOCKS5 proxy, can be told from how it begins. */
static int fail_version(unsigned char first, struct outcome *o)
{
	static const struct {
		unsigned char first;
		const char *hint;
	} others[] = {
		{'H', "it looks like an HTTP proxy, which is no use here"},
		{0, "it looks like a SOCKS4 proxy, which is no use here"},
		{4, "it looks like a SOCKS4 proxy, which is no use here"},
		{'2', "it looks like a mail server"},
		{'S', "it looks like an SSH server; ssh -D makes a proxy"},
	};
	size_t i;

	fail(o, CAUSE_PROTOCOL, "5.5.0",
	     "what answers there does not speak SOCKS5");
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i].first == first)
			outcome_add_hint(o, others[i].hint);
	return -1;
}

static int fail_method(const struct socks_request *r, unsigned char method,
		       struct outcome *o)
{
	if (method != NOT_ONE)
		return fail(o, CAUSE_PROTOCOL, "5.5.0",
			    "the proxy chose login method %u, which was not "
			    "offered",
			    method);
	if (r->login.n)
		return fail(o, CAUSE_AUTH, "5.7.4",
			    "the proxy takes no user with a password, nor "
			    "anybody without");
	return fail(o, CAUSE_AUTH, "5.7.4",
		    "the proxy wants a login: set proxy_user and "
		    "proxy_password");
}

static int greet(struct talk *t, const struct socks_request *r,
		 unsigned char *method, struct outcome *o)
{
	unsigned char answer[2];

	t->said = "greeting";
	if (say(t, &r->methods, o) < 0 ||
	    hear(t, answer, sizeof(answer), o) < 0)
		return -1;
	if (answer[0] != SOCKS5)
		return fail_version(answer[0], o);
	*method = answer[1];
	if (*method != NO_LOGIN && !(*method == PASSWORD && r->login.n))
		return fail_method(r, *method, o);
	return 0;
}

/* The version in the answer is not looked at: some say 5, and all that counts
 * is whether the status is 0 (RFC 1929 2). */
static int log_in(struct talk *t, const struct socks_request *r,
		  struct outcome *o)
{
	unsigned char answer[2];

	t->said = "login";
	if (say(t, &r->login, o) < 0 || hear(t, answer, sizeof(answer), o) < 0)
		return -1;
	if (answer[1] != 0)
		return fail(o, CAUSE_AUTH, "5.7.8",
			    "the proxy refuses proxy_user with this "
			    "proxy_password");
	return 0;
}

/* RFC 1928 6. */
static int fail_reply(unsigned char code, struct outcome *o)
{
	static const struct {
		enum cause cause;
		const char *status;
		const char *words;
	} replies[] = {
		[1] = {CAUSE_CONNECT, "4.4.1", "general failure of the proxy"},
		[2] = {CAUSE_CONNECT, "5.7.1", "the proxy's rules forbid it"},
		[3] = {CAUSE_CONNECT, "4.4.1", "network unreachable"},
		[4] = {CAUSE_CONNECT, "4.4.1",
		       "host unreachable, or the proxy does not find it"},
		[5] = {CAUSE_CONNECT, "4.4.1", "connection refused"},
		[6] = {CAUSE_CONNECT, "4.4.1", "too far away (TTL expired)"},
		[7] = {CAUSE_FEATURE, "5.3.3",
		       "the proxy makes no connections (command not "
		       "supported)"},
		[8] = {CAUSE_FEATURE, "5.3.3",
		       "the proxy does not take this kind of address; try "
		       "a name for an address, or the other way round"},
	};

	if (code >= sizeof(replies) / sizeof(replies[0]))
		return fail(o, CAUSE_CONNECT, "4.4.1",
			    "the proxy says no, with the unknown code %u",
			    code);
	return fail(o, replies[code].cause, replies[code].status, "%s",
		    replies[code].words);
}

/* Where the proxy connects from: of no interest, but it is in the way. */
static int skip_address(const struct talk *t, struct outcome *o)
{
	unsigned char head[2]; /* reserved, type */
	unsigned char octets[FIELD_MOST + PORT_OCTETS];
	unsigned char n;

	if (hear(t, head, sizeof(head), o) < 0)
		return -1;
	if (head[1] == ADDRESS_IPV4)
		n = sizeof(struct in_addr);
	else if (head[1] == ADDRESS_IPV6)
		n = sizeof(struct in6_addr);
	else if (head[1] != ADDRESS_NAME)
		return fail(o, CAUSE_PROTOCOL, "5.5.0",
			    "the proxy's answer has an unknown type of "
			    "address, %u",
			    head[1]);
	else if (hear(t, &n, sizeof(n), o) < 0)
		return -1;
	return hear(t, octets, (size_t)n + PORT_OCTETS, o);
}

/* A failure may end behind its code, whatever RFC 1928 says. */
static int request(struct talk *t, const struct socks_request *r,
		   struct outcome *o)
{
	unsigned char answer[2];

	t->said = "request";
	if (say(t, &r->connect, o) < 0 ||
	    hear(t, answer, sizeof(answer), o) < 0)
		return -1;
	if (answer[0] != SOCKS5)
		return fail_version(answer[0], o);
	if (answer[1] != 0)
		return fail_reply(answer[1], o);
	return skip_address(t, o);
}

int socks_connect(int fd, const struct socks_request *r,
		  struct deadline deadline, struct outcome *o)
{
	struct talk t = {.fd = fd, .deadline = deadline};
	unsigned char method;

	if (greet(&t, r, &method, o) < 0)
		return -1;
	if (method == PASSWORD && log_in(&t, r, o) < 0)
		return -1;
	return request(&t, r, o);
}
