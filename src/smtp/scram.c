/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SCRAM, whose messages are few and all in one place in RFC 5802. GNU SASL 2.2
 * has it too, but can't tell a server without channel binding that we would
 * have bound ('y'), which is what uncovers somebody who takes the -PLUS
 * mechanisms out of its offer. GnuTLS does the computing.
 */
#include "smtp/scram.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/gnutls.h"
#include "base/memory.h"
#include "base/text.h"

#define NONCE_OCTETS     18u
#define HASH_MOST        32u /* octets */
#define MESSAGE_LIMIT    (64u << 10)
#define ITERATIONS_LEAST 4096u
#define ITERATIONS_MOST  1000000u

struct scram {
	gnutls_mac_algorithm_t mac;
	gnutls_digest_algorithm_t digest;
	struct buf header;  /* gs2-header */
	struct buf channel; /* the header, and what it binds to */
	struct buf bare;    /* client-first-message-bare */
	struct buf nonce;   /* ours */
	unsigned char signature[HASH_MOST]; /* the server's, to be */
	bool has_answered;
};

/* By the beginning of the name. */
static const struct {
	const char *name, *bound;
	gnutls_mac_algorithm_t mac;
	gnutls_digest_algorithm_t digest;
} forms[] = {
	{"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", GNUTLS_MAC_SHA256,
	 GNUTLS_DIG_SHA256},
	{"SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", GNUTLS_MAC_SHA1, GNUTLS_DIG_SHA1},
};

#define N_FORMS (sizeof(forms) / sizeof(forms[0]))

static size_t find_form(const char *mechanism)
{
	size_t i;

	for (i = 0; i < N_FORMS; i++)
		if (!strcmp(forms[i].name, mechanism) ||
		    !strcmp(forms[i].bound, mechanism))
			break;
	return i;
}

bool scram_is_one(const char *mechanism)
{
	return find_form(mechanism) < N_FORMS;
}

/* ---------------------------------------------------------------- the first */

static void make_header(struct scram *s, const struct scram_request *r)
{
	static const char flags[] = {
		[SCRAM_UNABLE] = 'n', [SCRAM_ABLE] = 'y', [SCRAM_BOUND] = 'p'};

	buf_add_char(&s->header, flags[r->binding]);
	if (r->binding == SCRAM_BOUND)
		buf_printf(&s->header, "=%s", r->binding_type);
	buf_add_char(&s->header, ',');
	if (r->authzid) {
		buf_add_text(&s->header, "a=");
		encode_sasl_name(&s->header, r->authzid);
	}
	buf_add_char(&s->header, ',');
	buf_add_view(&s->channel, buf_view(&s->header));
	if (r->binding == SCRAM_BOUND)
		buf_add_view(&s->channel, r->binding_octets);
}

struct scram *scram_new(const struct scram_request *r)
{
	struct scram *s = memory_alloc(sizeof(*s));
	size_t form = find_form(r->mechanism);
	char octets[NONCE_OCTETS];

	*s = (struct scram){
		.mac = forms[form].mac,
		.digest = forms[form].digest,
		.header = BUF_INIT(MESSAGE_LIMIT),
		.channel = BUF_INIT_SECRET(MESSAGE_LIMIT),
		.bare = BUF_INIT(MESSAGE_LIMIT),
		.nonce = BUF_INIT(64),
	};
	make_header(s, r);
	if (r->nonce) {
		buf_add_text(&s->nonce, r->nonce);
	} else {
		gnutls_rnd(GNUTLS_RND_NONCE, octets, sizeof(octets));
		encode_base64(&s->nonce, view_make(octets, sizeof(octets)));
	}
	buf_add_text(&s->bare, "n=");
	encode_sasl_name(&s->bare, r->user);
	buf_printf(&s->bare, ",r=%s", s->nonce.p);
	return s;
}

void scram_free(struct scram *s)
{
	if (!s)
		return;
	buf_release(&s->header);
	buf_release(&s->channel);
	buf_release(&s->bare);
	buf_release(&s->nonce);
	memory_wipe(s, sizeof(*s));
	free(s);
}

void scram_begin(const struct scram *s, struct buf *out)
{
	buf_add_view(out, buf_view(&s->header));
	buf_add_view(out, buf_view(&s->bare));
}

/* ----------------------------------------------------- the server's message */

/* What the server says first. */
struct challenge {
	struct view nonce;
	struct buf salt;
	unsigned iterations;
};

/* Cut `name=value` off, and the comma behind it. */
static bool next_value(struct view *message, char name, struct view *value)
{
	const char *comma;
	size_t n;

	if (message->n < 2 || message->p[0] != name || message->p[1] != '=')
		return false;
	comma = memchr(message->p, ',', message->n);
	n = comma ? (size_t)(comma - message->p) : message->n;
	*value = view_skip(view_make(message->p, n), 2);
	*message = view_skip(*message, n + 1);
	return true;
}

/* RFC 5802 7 printable; the comma has been cut off. */
static bool is_printable(struct view v)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (v.p[i] <= ' ' || v.p[i] >= 127)
			return false;
	return true;
}

/* Extensions behind the count are none of ours. */
static bool read_challenge(struct view message, struct challenge *c)
{
	unsigned long long n = 0;
	struct view salt, count;

	if (!next_value(&message, 'r', &c->nonce) || !is_printable(c->nonce) ||
	    !next_value(&message, 's', &salt) ||
	    !next_value(&message, 'i', &count))
		return false;
	if (!decode_base64(&c->salt, salt) || !c->salt.n)
		return false;
	if (!text_to_number(count, 0xffffffffu, &n))
		return false;
	c->iterations = (unsigned)n;
	return true;
}

static int check_challenge(const struct scram *s, struct view message,
			   struct challenge *c, struct outcome *o)
{
	struct view ours = buf_view(&s->nonce);

	if (message.n > 1 && message.p[0] == 'm' && message.p[1] == '=')
		return fail(o, CAUSE_AUTH, "5.7.8",
			    "SCRAM: the server wants an extension that is not "
			    "known");
	if (!read_challenge(message, c))
		return fail(o, CAUSE_PROTOCOL, "5.5.0",
			    "SCRAM: the server's challenge cannot be read");
	if (c->nonce.n <= ours.n ||
	    !view_equal(view_make(c->nonce.p, ours.n), ours))
		return fail(o, CAUSE_AUTH, "5.7.8",
			    "SCRAM: the server's challenge is not an answer to "
			    "ours");
	if (c->iterations < ITERATIONS_LEAST || c->iterations > ITERATIONS_MOST)
		return fail(o, CAUSE_AUTH, "5.7.8",
			    "SCRAM: the server's iteration count of %u is not "
			    "from %u to %u: too weak, or too long",
			    c->iterations, ITERATIONS_LEAST, ITERATIONS_MOST);
	return 0;
}

/* ------------------------------------------------------------ the computing */

/* RFC 5802 3. Each key is hash_size octets. */
struct keys {
	unsigned char salted[HASH_MOST];
	unsigned char client[HASH_MOST];
	unsigned char stored[HASH_MOST];
	unsigned char server[HASH_MOST];
	unsigned char signature[HASH_MOST]; /* ClientSignature */
};

static size_t hash_size(const struct scram *s)
{
	return gnutls_hash_get_len(s->digest);
}

static int sign(const struct scram *s, const unsigned char *key,
		struct view text, unsigned char *out)
{
	return gnutls_hmac_fast(s->mac, key, hash_size(s), text.p, text.n, out);
}

/* SaltedPassword */
static int stretch(const struct scram *s, const char *password,
		   const struct challenge *c, unsigned char *out)
{
	const gnutls_datum_t key = {(unsigned char *)(void *)password,
				    (unsigned)strlen(password)};
	const gnutls_datum_t salt = {(unsigned char *)c->salt.p,
				     (unsigned)c->salt.n};

	return gnutls_pbkdf2(s->mac, &key, &salt, c->iterations, out,
			     hash_size(s));
}

/* `text` is AuthMessage. */
static int compute(struct scram *s, const char *password,
		   const struct challenge *c, struct view text, struct keys *k)
{
	int rc = stretch(s, password, c, k->salted);

	if (rc == 0)
		rc = sign(s, k->salted, VIEW("Client Key"), k->client);
	if (rc == 0)
		rc = gnutls_hash_fast(s->digest, k->client, hash_size(s),
				      k->stored);
	if (rc == 0)
		rc = sign(s, k->stored, text, k->signature);
	if (rc == 0)
		rc = sign(s, k->salted, VIEW("Server Key"), k->server);
	if (rc == 0)
		rc = sign(s, k->server, text, s->signature);
	return rc;
}

/* ClientProof */
static void add_proof(const struct scram *s, const struct keys *k,
		      struct buf *out)
{
	char proof[HASH_MOST];
	size_t i;

	for (i = 0; i < hash_size(s); i++)
		proof[i] = (char)(k->client[i] ^ k->signature[i]);
	buf_add_text(out, ",p=");
	encode_base64(out, view_make(proof, hash_size(s)));
}

static int add_answer(struct scram *s, struct view server_first,
		      const struct challenge *c, const char *password,
		      struct buf *out, struct outcome *o)
{
	struct buf text = BUF_INIT_SECRET(3 * MESSAGE_LIMIT);
	struct keys keys = {0};
	size_t begin = out->n;
	int rc;

	buf_add_text(out, "c=");
	encode_base64(out, buf_view(&s->channel));
	buf_add_text(out, ",r=");
	buf_add_view(out, c->nonce);
	buf_add_view(&text, buf_view(&s->bare));
	buf_add_char(&text, ',');
	buf_add_view(&text, server_first);
	buf_add_char(&text, ',');
	buf_add_view(&text, view_skip(buf_view(out), begin));
	rc = compute(s, password, c, buf_view(&text), &keys);
	if (rc < 0)
		fail(o, CAUSE_SYSTEM, "4.3.0", "SCRAM: %s",
		     gnutls_strerror(rc));
	else
		add_proof(s, &keys, out);
	s->has_answered = rc == 0;
	memory_wipe(&keys, sizeof(keys));
	buf_release(&text);
	return rc < 0 ? -1 : 0;
}

int scram_answer(struct scram *s, struct view server_first,
		 const char *password, struct buf *out, struct outcome *o)
{
	struct challenge c = {.salt = BUF_INIT(MESSAGE_LIMIT)};
	int rc = check_challenge(s, server_first, &c, o);

	if (rc == 0)
		rc = add_answer(s, server_first, &c, password, out, o);
	buf_release(&c.salt);
	return rc;
}

int scram_verify(const struct scram *s, struct view server_final,
		 struct outcome *o)
{
	struct buf theirs = BUF_INIT(MESSAGE_LIMIT);
	struct buf words = BUF_INIT(1024);
	struct view value;
	int rc = -1;

	if (next_value(&server_final, 'e', &value)) {
		text_add_printable(&words, value);
		fail(o, CAUSE_AUTH, "5.7.8", "SCRAM: the server reports: %s",
		     words.p);
	} else if (s->has_answered && next_value(&server_final, 'v', &value) &&
		   decode_base64(&theirs, value) && theirs.n == hash_size(s) &&
		   gnutls_memcmp(theirs.p, s->signature, theirs.n) == 0) {
		rc = 0;
	} else {
		fail(o, CAUSE_AUTH, "5.7.8",
		     "SCRAM: the server does not prove that it knows the "
		     "password");
	}
	buf_release(&theirs);
	buf_release(&words);
	return rc;
}
