/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a host's name to addresses, by the system's resolver: hosts file, DNS
 * and whatever else the machine is set up to ask.
 *
 * getaddrinfo knows no deadline and cannot be stopped. So a name is looked up
 * in a copy of this process (child_call), which can be: unlike a thread it
 * leaves nothing behind, and nothing of ours has to be safe in two threads. A
 * literal address takes no look-up and no copy.
 */
#include "net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/idna.h"
#include "base/memory.h"

/* What is looked up, and what the copy writes: this, then the addresses. */
struct question {
	const char *name;
	const char *port;
};

struct answer {
	int error;        /* EAI_…; 0: none */
	int error_number; /* errno, for EAI_SYSTEM */
};

#define ANSWER_LIMIT \
	(sizeof(struct answer) + ENDPOINTS_MOST * sizeof(struct endpoint))
#define PORT_SIZE 12 /* octets of a number as text */

/* -------------------------------------------------------------- one look-up */

static int ask(const char *name, const char *port, int flags,
	       struct addrinfo **found)
{
	struct addrinfo hints = {
		.ai_flags = flags | AI_NUMERICSERV,
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
	};

	return getaddrinfo(name, port, &hints, found);
}

static bool is_usable(const struct addrinfo *ai)
{
	return (ai->ai_family == AF_INET || ai->ai_family == AF_INET6) &&
		ai->ai_addrlen <= sizeof(struct sockaddr_storage);
}

static struct endpoint endpoint_of(const struct addrinfo *ai)
{
	struct endpoint a;

	memset(&a, 0, sizeof(a));
	memcpy(&a.at, ai->ai_addr, ai->ai_addrlen);
	a.n = ai->ai_addrlen;
	return a;
}

/* In the copy: ask, tell what came. Who reads sees a short answer if writing
 * fails. */
static void look_up(const void *context, int fd)
{
	const struct question *q = context;
	struct addrinfo *found = NULL, *ai;
	struct answer answer = {0};
	struct endpoint a;
	size_t n = 0;

	answer.error = ask(q->name, q->port, 0, &found);
	answer.error_number = errno;
	if (file_write_all(fd, &answer, sizeof(answer)) < 0 || answer.error)
		return;
	for (ai = found; ai && n < ENDPOINTS_MOST; ai = ai->ai_next) {
		if (!is_usable(ai))
			continue;
		a = endpoint_of(ai);
		if (file_write_all(fd, &a, sizeof(a)) < 0)
			break;
		n++;
	}
	freeaddrinfo(found);
}

/* ------------------------------------------------------------ what it means */

/* Only an answer that the name, or an address of it, does not exist is for
 * good; a resolver that fails or is not there says nothing about the name. */
static int fail_look_up(const char *host, const struct answer *a,
			struct outcome *o)
{
	const char *why;

	if (a->error == EAI_NONAME || a->error == EAI_NODATA ||
	    a->error == EAI_ADDRFAMILY)
		fail(o, CAUSE_RESOLVE, "5.4.4", "there is no host %s", host);
	else {
		why = a->error == EAI_SYSTEM ? strerror(a->error_number)
					     : gai_strerror(a->error);
		fail(o, CAUSE_RESOLVE, "4.4.3",
		     "cannot look up the host %s now: %s", host, why);
	}
	outcome_set_host(o, host);
	return -1;
}

static int take_answer(const char *host, const struct buf *told,
		       struct endpoints *list, struct outcome *o)
{
	struct answer answer = {.error = EAI_FAIL};
	struct view rest;

	if (told->n >= sizeof(answer))
		memcpy(&answer, told->p, sizeof(answer));
	rest = view_skip(buf_view(told), sizeof(answer));
	list->n = rest.n / sizeof(struct endpoint);
	if (!answer.error && !list->n)
		answer.error = EAI_NONAME;
	if (answer.error)
		return fail_look_up(host, &answer, o);
	list->p = memory_alloc(list->n * sizeof(struct endpoint));
	memcpy(list->p, rest.p, list->n * sizeof(struct endpoint));
	return 0;
}

/* The next address of that family from `from` on; list->n if there is none. */
static size_t next_of(const struct endpoints *list, bool ipv6, size_t from)
{
	while (from < list->n &&
	       (list->p[from].at.ss_family == AF_INET6) != ipv6)
		from++;
	return from;
}

/* Families in turn, the resolver's order within each (RFC 8305 4). */
static void interleave(struct endpoints *list, bool ipv6_first)
{
	struct endpoint *p = memory_alloc(list->n * sizeof(*p));
	size_t at[2] = {0, 0}; /* where we are, IPv4 and IPv6 */
	bool ipv6 = ipv6_first;
	size_t n = 0, i;

	while (n < list->n) {
		i = next_of(list, ipv6, at[ipv6]);
		if (i < list->n) {
			p[n++] = list->p[i];
			at[ipv6] = i + 1;
		}
		ipv6 = !ipv6;
	}
	free(list->p);
	list->p = p;
}

static int look_up_name(const char *host, const char *name, unsigned port,
			struct deadline deadline, struct endpoints *list,
			struct outcome *o)
{
	struct buf told = BUF_INIT(ANSWER_LIMIT);
	char service[PORT_SIZE];
	struct question question = {name, service};
	int rc;

	snprintf(service, sizeof(service), "%u", port);
	rc = child_call(look_up, &question, &told, deadline, o);
	if (rc == 0) {
		rc = take_answer(host, &told, list, o);
	} else if (rc > 0) {
		rc = fail(o, CAUSE_RESOLVE, "4.4.3",
			  "cannot look up the host %s now: timed out", host);
		outcome_set_host(o, host);
	}
	buf_release(&told);
	return rc;
}

int resolve_host(const char *host, unsigned port, enum family prefer,
		 struct deadline deadline, struct endpoints *list,
		 struct outcome *o)
{
	struct endpoint literal;
	bool ipv6_first;
	char *name;
	int rc;

	if (resolve_literal(host, port, &literal)) {
		list->p = memory_alloc(sizeof(literal));
		list->p[0] = literal;
		list->n = 1;
		return 0;
	}
	name = idna_host_to_ascii(host, o);
	if (!name)
		return -1;
	rc = look_up_name(host, name, port, deadline, list, o);
	free(name);
	if (rc < 0)
		return -1;
	ipv6_first = list->p[0].at.ss_family == AF_INET6;
	if (prefer != FAMILY_ANY)
		ipv6_first = prefer == FAMILY_IPV6;
	interleave(list, ipv6_first);
	return 0;
}

bool resolve_literal(const char *host, unsigned port, struct endpoint *a)
{
	struct addrinfo *found = NULL;
	char service[PORT_SIZE];
	bool is_literal;

	snprintf(service, sizeof(service), "%u", port);
	if (ask(host, service, AI_NUMERICHOST, &found) != 0)
		return false;
	is_literal = is_usable(found);
	if (is_literal)
		*a = endpoint_of(found);
	freeaddrinfo(found);
	return is_literal;
}

/* -------------------------------------------------------------------- words */

static void name_address(const struct endpoint *a, char host[NI_MAXHOST],
			 char port[NI_MAXSERV])
{
	if (getnameinfo((const struct sockaddr *)&a->at, a->n, host, NI_MAXHOST,
			port, NI_MAXSERV,
			NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
		snprintf(host, NI_MAXHOST, "?");
		snprintf(port, NI_MAXSERV, "?");
	}
}

char *endpoint_text(const struct endpoint *a)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];

	name_address(a, host, port);
	return memory_dup(host);
}

char *endpoint_text_port(const struct endpoint *a)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];
	bool brackets = a->at.ss_family == AF_INET6;
	struct buf text = BUF_INIT(NI_MAXHOST + NI_MAXSERV + 3);

	name_address(a, host, port);
	buf_printf(&text, brackets ? "[%s]:%s" : "%s:%s", host, port);
	return buf_detach(&text);
}

void endpoints_release(struct endpoints *list)
{
	free(list->p);
	*list = ENDPOINTS_INIT;
}

char *resolve_own_name(void)
{
	struct outcome ignored = OUTCOME_INIT;
	char own[256] = "";
	char *name = NULL;

	/* A name that is cut off or no domain is as good as none. */
	if (gethostname(own, sizeof(own) - 1) == 0 && strchr(own, '.'))
		name = idna_to_ascii(view_of(own), &ignored);
	outcome_release(&ignored);
	return name ? name : memory_dup("localhost");
}
