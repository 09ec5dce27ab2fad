/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One certificate: whom it is for, and how to put it into words. Whether it is
 * to be trusted is net/trust's question. Everything in a certificate was
 * written by a stranger, so its words are made printable here.
 */
#include "net/certificate.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/encode.h"
#include "base/idna.h"
#include "base/memory.h"
#include "base/text.h"
#include "net/pin.h"

#define NAME_SIZE   1024       /* octets; a longer name names no host */
#define WORDS_SHOWN 200        /* octets, where a line has to hold them */
#define SOME_NAMES  512        /* octets, where not all are asked for */
#define WORDS_LIMIT (64 << 10) /* octets of any text made here */

/* ---------------------------------------------------------- the name wanted */

static bool parse_address(struct peer_name *name, const char *host)
{
	char text[INET6_ADDRSTRLEN];
	size_t n = strcspn(host, "%"); /* a zone is no part of a name */

	if (inet_pton(AF_INET, host, name->ip) == 1) {
		name->ip_size = sizeof(struct in_addr);
		return true;
	}
	if (n >= sizeof(text))
		return false;
	memcpy(text, host, n);
	text[n] = '\0';
	if (inet_pton(AF_INET6, text, name->ip) != 1)
		return false;
	name->ip_size = sizeof(struct in6_addr);
	return true;
}

int peer_name_parse(struct peer_name *name, const char *host, struct outcome *o)
{
	*name = PEER_NAME_INIT;
	if (parse_address(name, host))
		return 0;
	name->dns = idna_host_to_ascii(host, o);
	return name->dns ? 0 : -1;
}

void peer_name_release(struct peer_name *name)
{
	free(name->dns);
	*name = PEER_NAME_INIT;
}

/* --------------------------------------------------------- the names it has */

/* One entry of a subjectAltName. */
struct alt_name {
	int type; /* GNUTLS_SAN_… */
	char octets[NAME_SIZE];
	size_t n;
};

/* Entry i; false when there is no such entry. One that is too long or broken
 * comes as a type that is none of ours. */
static bool get_alt_name(gnutls_x509_crt_t c, unsigned i, struct alt_name *name)
{
	name->n = sizeof(name->octets);
	name->type = gnutls_x509_crt_get_subject_alt_name(c, i, name->octets,
							  &name->n, NULL);
	return name->type != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE;
}

static struct view alt_name_view(const struct alt_name *name)
{
	return view_make(name->octets, name->n);
}

/*
 * `*.example.org` for `mail.example.org`. Two labels must follow the star, so
 * `*.com` matches nothing. That `*.co.uk` should not either only a list of
 * public suffixes could tell; certificate authorities do not issue it.
 */
static bool wildcard_matches(struct view pattern, struct view host)
{
	struct view rest = view_skip(pattern, 1); /* ".example.org" */
	const char *dot = memchr(host.p, '.', host.n);

	if (pattern.n < 2 || pattern.p[0] != '*' || rest.p[0] != '.')
		return false;
	if (!memchr(rest.p + 1, '.', rest.n - 1) || rest.p[rest.n - 1] == '.')
		return false;
	if (!dot)
		return false;
	return view_equal_nocase(rest, view_skip(host, (size_t)(dot - host.p)));
}

static bool alt_name_matches(const struct alt_name *have,
			     const struct peer_name *want)
{
	struct view v = alt_name_view(have), host;

	if (want->ip_size)
		return have->type == GNUTLS_SAN_IPADDRESS &&
			v.n == want->ip_size && !memcmp(v.p, want->ip, v.n);
	if (have->type != GNUTLS_SAN_DNSNAME)
		return false;
	host = view_of(want->dns);
	return view_equal_nocase(v, host) || wildcard_matches(v, host);
}

bool certificate_is_for(gnutls_x509_crt_t c, const struct peer_name *name)
{
	struct alt_name have;
	unsigned i;

	for (i = 0; get_alt_name(c, i, &have); i++)
		if (alt_name_matches(&have, name))
			return true;
	return false;
}

/* ---------------------------------------------------------------- its kind */

bool certificate_is_self_signed(gnutls_x509_crt_t c)
{
	return gnutls_x509_crt_check_issuer(c, c) != 0;
}

bool certificate_is_weak(gnutls_x509_crt_t c)
{
	int sign = gnutls_x509_crt_get_signature_algorithm(c);
	unsigned bits = 0;
	int key = gnutls_x509_crt_get_pk_algorithm(c, &bits);

	if (key >= 0 &&
	    gnutls_pk_bits_to_sec_param((gnutls_pk_algorithm_t)key, bits) <
		    GNUTLS_SEC_PARAM_MEDIUM)
		return true;
	return sign >= 0 && !certificate_is_self_signed(c) &&
		!gnutls_sign_is_secure2((gnutls_sign_algorithm_t)sign,
					GNUTLS_SIGN_FLAG_SECURE_FOR_CERTS);
}

bool certificate_permits(gnutls_x509_crt_t c, const struct peer_name *name)
{
	gnutls_datum_t dns = {(unsigned char *)name->dns,
			      (unsigned)view_of(name->dns).n};
	gnutls_x509_name_constraints_t limits;
	unsigned permits = 1;

	if (!name->dns || gnutls_x509_name_constraints_init(&limits) < 0)
		return true;
	if (gnutls_x509_crt_get_name_constraints(c, limits, 0, NULL) == 0)
		permits = gnutls_x509_name_constraints_check(
			limits, GNUTLS_SAN_DNSNAME, &dns);
	gnutls_x509_name_constraints_deinit(limits);
	return permits != 0;
}

/* -------------------------------------------------------------------- words */

static void add_alt_name(struct buf *text, const struct alt_name *name)
{
	char address[INET6_ADDRSTRLEN];
	int family = name->n == 4 ? AF_INET : AF_INET6;

	if (name->type == GNUTLS_SAN_DNSNAME)
		text_add_printable(text, alt_name_view(name));
	else if (inet_ntop(family, name->octets, address, sizeof(address)))
		buf_add_text(text, address);
}

static bool is_host_name(const struct alt_name *name)
{
	return name->type == GNUTLS_SAN_DNSNAME ||
		(name->type == GNUTLS_SAN_IPADDRESS &&
		 (name->n == 4 || name->n == 16));
}

bool certificate_has_alt_names(gnutls_x509_crt_t c)
{
	struct alt_name name;

	return get_alt_name(c, 0, &name);
}

char *certificate_names(gnutls_x509_crt_t c, size_t most)
{
	struct buf text = BUF_INIT(WORDS_LIMIT);
	struct alt_name name;
	size_t n = 0;
	unsigned i;

	for (i = 0; get_alt_name(c, i, &name); i++) {
		if (!is_host_name(&name))
			continue;
		if (n)
			buf_add_text(&text, ", ");
		if (most && (n == most || text.n + name.n > SOME_NAMES)) {
			buf_add_text(&text, "…");
			break;
		}
		add_alt_name(&text, &name);
		n++;
	}
	return buf_detach(&text);
}

char *certificate_words(gnutls_datum_t *d)
{
	struct buf text = BUF_INIT(WORDS_LIMIT);

	text_add_printable(&text, view_make((char *)d->data, d->size));
	gnutls_free(d->data);
	return buf_detach(&text);
}

char *certificate_subject(gnutls_x509_crt_t c)
{
	gnutls_datum_t dn = {NULL, 0};

	if (gnutls_x509_crt_get_dn3(c, &dn, 0) == 0 && dn.size)
		return certificate_words(&dn);
	gnutls_free(dn.data);
	return certificate_names(c, 1);
}

char *certificate_issuer(gnutls_x509_crt_t c)
{
	gnutls_datum_t dn = {NULL, 0};

	gnutls_x509_crt_get_issuer_dn3(c, &dn, 0);
	return certificate_words(&dn);
}

char *certificate_shorten(char *words)
{
	struct buf text = BUF_INIT(WORDS_SHOWN + 8);
	size_t n = WORDS_SHOWN;

	if (strlen(words) <= n)
		return words;
	while (n && ((unsigned char)words[n] & 0xc0) == 0x80)
		n--; /* within a character */
	buf_add(&text, words, n);
	buf_add_text(&text, "…");
	free(words);
	return buf_detach(&text);
}

char *certificate_date(time_t t)
{
	char text[64];
	struct tm tm;

	if (t == (time_t)-1 || !gmtime_r(&t, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return memory_dup("?");
	return memory_dup(text);
}

char *certificate_fingerprint(const gnutls_datum_t *der,
			      gnutls_digest_algorithm_t algorithm)
{
	struct buf text = BUF_INIT(256);
	char digest[64];
	size_t n = sizeof(digest);

	if (gnutls_fingerprint(algorithm, der, digest, &n) == 0)
		encode_hex(&text, view_make(digest, n), ':');
	return buf_detach(&text);
}

void certificate_describe(const gnutls_datum_t *der,
			  struct tls_certificate *facts)
{
	gnutls_x509_crt_t c;

	*facts = (struct tls_certificate){
		.sha256 = certificate_fingerprint(der, GNUTLS_DIG_SHA256),
		.sha1 = certificate_fingerprint(der, GNUTLS_DIG_SHA1),
		.pin = pin_text(der),
	};
	if (gnutls_x509_crt_init(&c) < 0)
		return;
	if (gnutls_x509_crt_import(c, der, GNUTLS_X509_FMT_DER) == 0) {
		facts->subject = certificate_subject(c);
		facts->issuer = certificate_issuer(c);
		facts->names = certificate_names(c, 0);
		facts->valid_from = certificate_date(
			gnutls_x509_crt_get_activation_time(c));
		facts->valid_until = certificate_date(
			gnutls_x509_crt_get_expiration_time(c));
	}
	gnutls_x509_crt_deinit(c);
}

void certificate_release(struct tls_certificate *facts)
{
	free(facts->subject);
	free(facts->issuer);
	free(facts->names);
	free(facts->valid_from);
	free(facts->valid_until);
	free(facts->sha256);
	free(facts->sha1);
	free(facts->pin);
	*facts = (struct tls_certificate){0};
}

/* ---------------------------------------------------------------- the chain */

static bool import_one(struct chain *chain, const gnutls_datum_t *der)
{
	gnutls_x509_crt_t *c = &chain->p[chain->n];

	if (gnutls_x509_crt_init(c) < 0)
		return false;
	chain->n++;
	return gnutls_x509_crt_import(*c, der, GNUTLS_X509_FMT_DER) == 0;
}

bool chain_import(struct chain *chain, gnutls_session_t session)
{
	const gnutls_datum_t *sent;
	unsigned i, n = 0;

	*chain = CHAIN_INIT;
	sent = gnutls_certificate_get_peers(session, &n);
	if (!sent || !n)
		return false;
	if (n > CHAIN_MOST)
		n = CHAIN_MOST;
	chain->p = memory_alloc(n * sizeof(*chain->p));
	for (i = 0; i < n; i++)
		if (!import_one(chain, &sent[i]))
			return false;
	return true;
}

void chain_release(struct chain *chain)
{
	size_t i;

	for (i = 0; i < chain->n; i++)
		gnutls_x509_crt_deinit(chain->p[i]);
	free(chain->p);
	*chain = CHAIN_INIT;
}

static size_t find_issuer(const struct chain *chain, size_t of)
{
	size_t i;

	for (i = 0; i < chain->n; i++)
		if (i != of &&
		    gnutls_x509_crt_check_issuer(chain->p[of], chain->p[i]))
			break;
	return i;
}

size_t chain_top(const struct chain *chain)
{
	size_t top = 0, issuer, steps;

	for (steps = 0; steps < chain->n; steps++) {
		if (certificate_is_self_signed(chain->p[top]))
			break;
		issuer = find_issuer(chain, top);
		if (issuer == chain->n)
			break;
		top = issuer;
	}
	return top;
}

void chain_way(const struct chain *chain, bool is_on_way[CHAIN_MOST])
{
	size_t way[CHAIN_MOST], n = 0, done, i;

	for (i = 0; i < CHAIN_MOST; i++)
		is_on_way[i] = i == 0;
	way[n++] = 0;
	for (done = 0; done < n; done++)
		for (i = 1; i < chain->n; i++) {
			if (is_on_way[i] ||
			    !gnutls_x509_crt_check_issuer(chain->p[way[done]],
							  chain->p[i]))
				continue;
			is_on_way[i] = true;
			way[n++] = i;
		}
}

struct tls_certificate *chain_describe(gnutls_session_t session, size_t *n)
{
	struct tls_certificate *facts;
	const gnutls_datum_t *sent;
	unsigned i, all = 0;

	*n = 0;
	sent = gnutls_certificate_get_peers(session, &all);
	if (!sent || !all)
		return NULL;
	if (all > CHAIN_MOST)
		all = CHAIN_MOST;
	facts = memory_alloc(all * sizeof(*facts));
	for (i = 0; i < all; i++)
		certificate_describe(&sent[i], &facts[i]);
	*n = all;
	return facts;
}
