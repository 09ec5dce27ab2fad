/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks signed DNS for TLSA records, by libunbound, which checks the signatures
 * itself, from the root's key down; the system's name servers only carry them.
 * (libgnutls-dane would not do: its answer for "there are none" is also the one
 * for a name server that fails and for a forged denial.) What the records mean
 * is net/tlsa's.
 *
 * libunbound blocks, and brings OpenSSL and more with it. So it is loaded and
 * asked in a copy of this process (child_begin), which goes on while we
 * connect; here there is never more of it than the answer.
 */
#include "net/dane.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/idna.h"
#include "base/library.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/resolve.h"
#include "net/tlsa.h"

#define LIBRARY "libunbound.so.8"

#define NAME_SIZE    256 /* octets of a domain name as text (RFC 1035 2.3.4) */
#define WORDS_SIZE   256
#define RECORDS_SIZE (128u << 10) /* octets; of DNS at most 64 KiB come */

enum { TYPE_A = 1, TYPE_TLSA = 52, CLASS_IN = 1 }; /* RFC 1035, RFC 6698 */
enum { RCODE_OK = 0, RCODE_NAME = 3 };             /* RFC 1035 4.1.1 */

/* Where systems keep the root's key; the first that is there counts. */
static const char *const key_files[] = {
	"/usr/share/dns/root.key",                /* Debian */
	"/var/lib/unbound/root.key",              /* Fedora, FreeBSD */
	"/etc/unbound/root.key",                  /* Gentoo, NixOS */
	"/etc/trusted-key.key",                   /* Arch */
	"/usr/share/dnssec-root/trusted-key.key", /* Alpine */
};

#define N_KEY_FILES (sizeof(key_files) / sizeof(key_files[0]))

enum answer_kind {
	ANSWER_LOST = 0, /* the copy has not come to an end */
	ANSWER_NO_LIBRARY,
	ANSWER_NO_KEY,
	ANSWER_FAILED,   /* no name server has given one */
	ANSWER_BOGUS,    /* its signatures are not as they must be */
	ANSWER_NONE,     /* there are no records, that is proved */
	ANSWER_UNSIGNED, /* what there may be is not signed, that is proved */
	ANSWER_RECORDS,
};

/* What the copy writes: this, then each record with its length in front. */
struct answer {
	enum answer_kind kind;
	size_t size;            /* octets that follow */
	char name[NAME_SIZE];   /* whose records, or who could not be asked */
	char words[WORDS_SIZE]; /* why not */
};

struct question {
	const char *host; /* A-labels */
	unsigned port;
};

struct dane_query {
	char *host; /* A-labels */
	unsigned port;
	enum dane wanted;
	bool keeps_name; /* the user has said which name it has to be */
	struct deadline deadline;
	struct child_job job;
	struct buf told; /* what the copy wrote */
	struct answer answer;
	struct tlsa_set set; /* points into `told` */
	char *owner;         /* "_587._tcp.mail.example.org" */
};

/* -------------------------------------------------------------- in the copy */

/* What is used of libunbound. */
static struct unbound {
	__typeof__(&ub_ctx_create) ctx_create;
	__typeof__(&ub_ctx_resolvconf) ctx_resolvconf;
	__typeof__(&ub_ctx_add_ta_file) ctx_add_ta_file;
	__typeof__(&ub_resolve) resolve;
	__typeof__(&ub_resolve_free) resolve_free;
	__typeof__(&ub_strerror) strerror;
} unbound;

/* In their order. */
static const char *const names[] = {
	"ub_ctx_create", "ub_ctx_resolvconf", "ub_ctx_add_ta_file",
	"ub_resolve",    "ub_resolve_free",   "ub_strerror",
};

#define N_NAMES (sizeof(names) / sizeof(names[0]))
_Static_assert(sizeof(unbound) == N_NAMES * sizeof(void *), "only addresses");

static struct library library = {LIBRARY, names, N_NAMES, &unbound, false};

LIBRARY_NOTE("dane", "certificates by signed DNS", "recommended", LIBRARY);

/* One search for records. */
struct search {
	const struct question *question;
	struct ub_ctx *context;
	struct answer answer;
	struct buf records;
};

/* The words of libraries and name servers are strangers' words. */
static bool settle(struct search *s, enum answer_kind kind, const char *words)
{
	struct buf text = BUF_INIT(4 * WORDS_SIZE);
	struct view v = view_of(words);

	if (v.n >= WORDS_SIZE / 4)
		v.n = WORDS_SIZE / 4 - 1;
	text_add_printable(&text, v);
	s->answer.kind = kind;
	snprintf(s->answer.words, WORDS_SIZE, "%s", text.p);
	buf_release(&text);
	return false;
}

/* The library may have things to say; standard error is the user's. */
static void be_quiet(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0)
		dup2(null, STDERR_FILENO);
}

static bool load(struct search *s)
{
	const char *why = library_open(&library);

	return !why || settle(s, ANSWER_NO_LIBRARY, why);
}

static const char *find_key_file(void)
{
	size_t i;

	for (i = 0; i < N_KEY_FILES; i++)
		if (access(key_files[i], R_OK) == 0)
			return key_files[i];
	return NULL;
}

static bool set_up(struct search *s)
{
	const char *key_file = find_key_file();
	int rc;

	if (!key_file)
		return settle(s, ANSWER_NO_KEY, "");
	s->context = unbound.ctx_create();
	if (!s->context)
		return settle(s, ANSWER_FAILED, "libunbound does not start");
	rc = unbound.ctx_add_ta_file(s->context, key_file);
	if (rc == 0)
		rc = unbound.ctx_resolvconf(s->context, NULL);
	return rc == 0 || settle(s, ANSWER_FAILED, unbound.strerror(rc));
}

/* Ask one question: an answer that can be believed, or that is proved to have
 * no signature; NULL when that fails, and the search is over. */
static struct ub_result *ask(struct search *s, const char *name, int type)
{
	char words[64];
	struct ub_result *r = NULL;
	int rc = unbound.resolve(s->context, name, type, CLASS_IN, &r);

	snprintf(s->answer.name, NAME_SIZE, "%s", name);
	if (rc != 0) {
		settle(s, ANSWER_FAILED, unbound.strerror(rc));
		return NULL;
	}
	if (r->bogus) {
		settle(s, ANSWER_BOGUS, r->why_bogus);
	} else if (r->rcode != RCODE_OK && r->rcode != RCODE_NAME) {
		snprintf(words, sizeof(words),
			 "the name server fails (code %d)", r->rcode);
		settle(s, ANSWER_FAILED, words);
	} else {
		return r;
	}
	unbound.resolve_free(r);
	return NULL;
}

static void keep_records(struct search *s, const struct ub_result *r)
{
	uint16_t n;
	int i;

	for (i = 0; r->data[i]; i++) {
		n = (uint16_t)r->len[i];
		buf_add(&s->records, &n, sizeof(n));
		buf_add(&s->records, r->data[i], n);
	}
}

/* true: go on, there are none for that host. */
static bool ask_tlsa(struct search *s, const char *host)
{
	char name[NAME_SIZE + 16];
	struct ub_result *r;
	bool is_signed, is_there;

	snprintf(name, sizeof(name), "_%u._tcp.%s", s->question->port, host);
	r = ask(s, name, TYPE_TLSA);
	if (!r)
		return false;
	is_signed = r->secure;
	is_there = r->secure && r->havedata;
	if (is_there)
		keep_records(s, r);
	unbound.resolve_free(r);
	if (is_there) {
		settle(s, ANSWER_RECORDS, "");
		snprintf(s->answer.name, NAME_SIZE, "%s", host);
		return false;
	}
	settle(s, is_signed ? ANSWER_NONE : ANSWER_UNSIGNED, "");
	return true;
}

/* Where the host's name ends, if it is an alias; without the final dot. */
static void copy_alias(char alias[NAME_SIZE], const char *canonical,
		       const char *host)
{
	size_t n = canonical ? strlen(canonical) : 0;

	if (n && canonical[n - 1] == '.')
		n--;
	alias[0] = '\0';
	if (n && n < NAME_SIZE &&
	    !view_equal_nocase(view_make(canonical, n), view_of(host)))
		snprintf(alias, NAME_SIZE, "%.*s", (int)n, canonical);
}

/* A host in a zone that is not signed has no signed records below it; to ask
 * for them would only try name servers that fail on it (RFC 7672 2.2.2). */
static void search(struct search *s)
{
	const char *host = s->question->host;
	char alias[NAME_SIZE];
	struct ub_result *r = ask(s, host, TYPE_A);
	bool is_signed;

	if (!r)
		return;
	is_signed = r->secure;
	copy_alias(alias, r->canonname, host);
	unbound.resolve_free(r);
	if (!is_signed && !alias[0])
		settle(s, ANSWER_UNSIGNED, "");
	else if (!is_signed || !alias[0] || ask_tlsa(s, alias))
		ask_tlsa(s, host);
}

static void look_up(const void *context, int fd)
{
	struct search s = {
		.question = context,
		.records = BUF_INIT(RECORDS_SIZE),
	};

	be_quiet();
	if (load(&s) && set_up(&s))
		search(&s);
	s.answer.size = s.records.n;
	if (file_write_all(fd, &s.answer, sizeof(s.answer)) == 0)
		file_write_all(fd, s.records.p, s.records.n);
}

/* ------------------------------------------------------------ what is asked */

static const char *wish(enum dane wanted)
{
	return wanted == DANE_ONLY ? "dane only" : "dane on";
}

static bool is_address(const char *host)
{
	struct endpoint ignored;

	return resolve_literal(host, 0, &ignored);
}

/* Is there a question to ask? */
static bool applies(const struct tls_policy *policy, const char *host)
{
	return policy->dane != DANE_OFF && policy->on && !policy->fingerprint &&
		!policy->pin && host && !is_address(host);
}

int dane_check_policy(const struct tls_policy *policy, const char *host,
		      struct outcome *o)
{
	if (policy->dane != DANE_ONLY || applies(policy, host))
		return 0;
	if (!policy->on)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "dane only needs TLS, and tls is off");
	if (policy->fingerprint || policy->pin)
		return fail(
			o, CAUSE_CONFIG, "5.3.5",
			"dane only and %s contradict each other: each says "
			"alone which certificate is right; take one of them",
			policy->fingerprint ? "tls_fingerprint" : "tls_pin");
	return fail(
		o, CAUSE_CONFIG, "5.3.5",
		"dane only needs the name of a host, and %s has none in the "
		"DNS; set dane on or off",
		host ? host : "a socket, tunnel or proxy");
}

int dane_begin(const struct tls_policy *policy, const char *host, unsigned port,
	       struct deadline deadline, struct dane_query **d,
	       struct outcome *o)
{
	struct question question = {.port = port};
	char *name;

	*d = NULL;
	if (dane_check_policy(policy, host, o) < 0)
		return -1;
	if (!applies(policy, host))
		return 0;
	name = idna_host_to_ascii(host, o);
	if (!name)
		return -1;
	*d = memory_alloc(sizeof(**d));
	**d = (struct dane_query){
		.host = name,
		.port = port,
		.wanted = policy->dane,
		.keeps_name = policy->host_override,
		.deadline = deadline,
		.job = CHILD_JOB_INIT,
		.told = BUF_INIT(sizeof(struct answer) + RECORDS_SIZE),
	};
	question.host = name;
	if (child_begin(look_up, &question, &(*d)->job, o) == 0)
		return 0;
	dane_free(*d);
	*d = NULL;
	return -1;
}

void dane_free(struct dane_query *d)
{
	if (!d)
		return;
	child_drop(&d->job);
	tlsa_set_release(&d->set);
	buf_release(&d->told);
	free(d->owner);
	free(d->host);
	free(d);
}

/* --------------------------------------------------------------- the answer */

static void take_records(struct dane_query *d)
{
	struct view rest = view_skip(buf_view(&d->told), sizeof(d->answer));
	uint16_t n;

	while (rest.n >= sizeof(n)) {
		memcpy(&n, rest.p, sizeof(n));
		rest = view_skip(rest, sizeof(n));
		if (n > rest.n)
			break;
		tlsa_set_add(&d->set, view_make(rest.p, n));
		rest = view_skip(rest, n);
	}
	tlsa_set_choose(&d->set);
}

static void take_answer(struct dane_query *d)
{
	struct buf owner = BUF_INIT(NAME_SIZE + 16);

	if (d->told.n < sizeof(d->answer))
		return;
	memcpy(&d->answer, d->told.p, sizeof(d->answer));
	if (d->told.n - sizeof(d->answer) != d->answer.size)
		d->answer.kind = ANSWER_LOST;
	if (d->answer.kind != ANSWER_RECORDS)
		return;
	take_records(d);
	buf_printf(&owner, "_%u._tcp.%s", d->port, d->answer.name);
	d->owner = buf_detach(&owner);
}

/* Without records that can be used: fine, unless there must be some. */
static int do_without(const struct dane_query *d, struct outcome *o)
{
	const char *why = d->answer.kind == ANSWER_NONE ? "there is none"
		: d->answer.kind == ANSWER_UNSIGNED
		? "its DNS is not signed"
		: "none that there is can be understood";

	if (d->wanted != DANE_ONLY)
		return 0;
	return fail(o, CAUSE_TLS, "4.7.5",
		    "dane only asks for a signed TLSA record _%u._tcp.%s, and "
		    "%s; nothing was sent",
		    d->port, d->host, why);
}

static int judge_answer(const struct dane_query *d, struct outcome *o)
{
	const struct answer *a = &d->answer;

	switch (a->kind) {
	case ANSWER_RECORDS: return d->set.n ? 0 : do_without(d, o);
	case ANSWER_NONE:
	case ANSWER_UNSIGNED: return do_without(d, o);
	case ANSWER_NO_LIBRARY:
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "%s needs the library libunbound (Debian: "
			    "libunbound8): %s",
			    wish(d->wanted), a->words);
	case ANSWER_NO_KEY:
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "%s needs the root key of the DNS, as in %s "
			    "(Debian: dns-root-data)",
			    wish(d->wanted), key_files[0]);
	case ANSWER_BOGUS:
		return fail(o, CAUSE_TLS, "4.7.5",
			    "what the DNS says of %s is not signed as it must "
			    "be (%s): it is forged or broken, or the name "
			    "server in /etc/resolv.conf keeps signatures back; "
			    "%s needs them",
			    a->name, a->words, wish(d->wanted));
	case ANSWER_FAILED:
		return fail(o, CAUSE_RESOLVE, "4.4.3",
			    "cannot look up %s now, as %s asks for: %s",
			    a->name, wish(d->wanted), a->words);
	case ANSWER_LOST: break;
	}
	return fail(o, CAUSE_RESOLVE, "4.4.3",
		    "cannot look up the TLSA records of %s now: libunbound has "
		    "failed",
		    d->host);
}

int dane_await(struct dane_query *d, struct outcome *o)
{
	int rc;

	if (!d)
		return 0;
	rc = child_finish(&d->job, &d->told, d->deadline, o);
	if (rc > 0)
		rc = fail(o, CAUSE_RESOLVE, "4.4.3",
			  "cannot look up the TLSA records of %s now, as %s "
			  "asks for: timed out",
			  d->host, wish(d->wanted));
	if (rc < 0)
		return -1;
	take_answer(d);
	return judge_answer(d, o);
}

bool dane_decides(const struct dane_query *d)
{
	return d && d->set.n;
}

const char *dane_server_name(const struct dane_query *d)
{
	if (!dane_decides(d) || d->keeps_name ||
	    !strcmp(d->answer.name, d->host))
		return NULL;
	return d->answer.name;
}

int dane_check(const struct dane_query *d, struct trust *t,
	       gnutls_session_t session, struct outcome *o)
{
	struct tlsa_case c = {.trust = t};

	if (!dane_decides(d))
		return trust_check(t, session, o);
	c.set = &d->set;
	c.owner = d->owner;
	c.alias = dane_server_name(d);
	return tlsa_check(&c, session, o);
}

bool dane_is_built(void)
{
	return true;
}
