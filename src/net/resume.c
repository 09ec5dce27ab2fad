/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When a TLS session may go on, and with whom. The server then shows no
 * certificate: what was checked in the first session has to hold for all that
 * follow, so it is bound to the ticket by its name, and to a time.
 */
#include "net/resume.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/gnutls.h"
#include "base/memory.h"
#include "net/certificate.h"

#define BASIS_LIMIT (1u << 20) /* octets that the name is a digest of */

/* ----------------------------------------------------- what trust rests on */

static void add_octets(struct buf *basis, const void *p, size_t n)
{
	buf_add(basis, &n, sizeof(n));
	buf_add(basis, p, n);
}

/* None is not the same as empty. */
static void add_text(struct buf *basis, const char *text)
{
	buf_add_char(basis, text ? '+' : '-');
	add_octets(basis, text, text ? strlen(text) : 0);
}

static void add_number(struct buf *basis, uint64_t number)
{
	buf_add(basis, &number, sizeof(number));
}

static void add_status(struct buf *basis, const struct stat *st)
{
	add_number(basis, st->st_dev);
	add_number(basis, st->st_ino);
	add_number(basis, (uint64_t)st->st_size);
	add_number(basis, (uint64_t)st->st_mtim.tv_sec);
	add_number(basis, (uint64_t)st->st_mtim.tv_nsec);
	add_number(basis, (uint64_t)st->st_ctim.tv_sec);
	add_number(basis, (uint64_t)st->st_ctim.tv_nsec);
}

/* Which file it is and whether it was changed, but not what is in it. */
static bool add_file(struct buf *basis, const char *path)
{
	struct stat st;

	add_text(basis, path);
	if (!path || stat(path, &st) < 0)
		return false;
	add_status(basis, &st);
	return S_ISDIR(st.st_mode);
}

/* A folder of certificates changes also with each of its files. */
static void add_folder(struct buf *basis, const char *path)
{
	DIR *list = opendir(path);
	struct dirent *entry;
	struct stat st;

	if (!list)
		return;
	while ((entry = readdir(list))) {
		if (entry->d_name[0] == '.' ||
		    fstatat(dirfd(list), entry->d_name, &st, 0) < 0)
			continue;
		add_text(basis, entry->d_name);
		add_status(basis, &st);
	}
	closedir(list);
}

/* GnuTLS does not say where the system's store is; if configure has not found
 * it out, it is one of these. */
static void add_system_store(struct buf *basis)
{
	static const char *const places[] = {
		"/etc/ssl/certs/ca-certificates.crt",
		"/etc/ssl/certs",
		"/etc/ssl/cert.pem",
		"/etc/ssl/ca-bundle.pem",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/pki/ca-trust/source/anchors",
		"/etc/pki/ca-trust/source/blocklist",
		"/usr/share/pki/ca-trust-source",
	};
	size_t i;

	if (SYSTEM_TRUST_FILE[0]) {
		add_file(basis, SYSTEM_TRUST_FILE);
		return;
	}
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		add_file(basis, places[i]);
}

static void add_store(struct buf *basis, const char *path)
{
	if (!path || !strcmp(path, "system"))
		add_system_store(basis);
	else if (add_file(basis, path))
		add_folder(basis, path);
}

bool resume_name(const struct tls_policy *policy, const char *host,
		 const char *peer, char name[TICKET_NAME_SIZE])
{
	struct buf basis = BUF_INIT(BASIS_LIMIT);
	bool ok;

	add_text(&basis, gnutls_check_version(NULL)); /* its octets are kept */
	add_file(&basis, gnutls_get_system_config_file());
	add_text(&basis, peer);
	add_text(&basis, host);
	add_text(&basis, policy->host_override);
	add_text(&basis, policy->fingerprint);
	add_text(&basis, policy->pin);
	add_text(&basis, policy->priorities);
	add_number(&basis, policy->starttls);
	add_number(&basis, policy->certcheck);
	add_number(&basis, policy->min_version);
	add_number(&basis, policy->min_dh_bits);
	add_number(&basis, policy->dane);
	add_store(&basis, policy->trust_file);
	add_file(&basis, policy->crl_file);
	ok = !basis.overflow &&
		gnutls_hash_fast(GNUTLS_DIG_SHA256, basis.p, basis.n, name) ==
			0;
	buf_release(&basis);
	return ok;
}

void resume_plan(struct resume *r, const struct tls_policy *policy,
		 const char *host, const char *peer)
{
	r->is_wanted = policy->resume && peer && tls_is_verified(policy) &&
		!policy->cert_file && policy->dane == DANE_OFF &&
		resume_name(policy, host, peer, r->name);
}

void resume_release(struct resume *r)
{
	ticket_release(&r->ticket);
	*r = RESUME_INIT;
}

/* ----------------------------------------------------------- with a session */

bool resume_is_likely(const struct resume *r)
{
	return r->is_wanted && ticket_is_there(r->name);
}

void resume_offer(struct resume *r, gnutls_session_t session)
{
	r->begun = time(NULL);
	if (r->is_wanted && ticket_take(r->name, &r->ticket))
		r->has_offered =
			gnutls_session_set_data(session, r->ticket.session.p,
						r->ticket.session.n) == 0;
}

/* When the first certificate of the chain ends; where dates do not matter,
 * never. */
static int64_t find_end(const struct trust *trust, gnutls_session_t session)
{
	int64_t end = INT64_MAX, date;
	struct chain chain;
	size_t i;

	if (trust->by != TRUST_BY_STORE)
		return end;
	if (!chain_import(&chain, session))
		end = 0;
	for (i = 0; i < chain.n; i++) {
		date = gnutls_x509_crt_get_expiration_time(chain.p[i]);
		if (date < end)
			end = date;
	}
	chain_release(&chain);
	return end;
}

static bool has_ticket(gnutls_session_t session)
{
	return gnutls_session_get_flags(session) & GNUTLS_SFLAGS_SESSION_TICKET;
}

/* A ticket of before TLS 1.3 that was taken is good for more than one use, and
 * seldom is there a new one then. */
static bool is_good_again(gnutls_session_t session)
{
	return gnutls_session_is_resumed(session) && !has_ticket(session) &&
		gnutls_protocol_get_version(session) < GNUTLS_TLS1_3;
}

/* Of a session that went on, the certificate was not shown: it counts from
 * when it was. */
void resume_keep(const struct resume *r, gnutls_session_t session,
		 const struct trust *trust)
{
	struct ticket t = TICKET_INIT;
	gnutls_datum_t octets = {NULL, 0};
	bool goes_on = gnutls_session_is_resumed(session);

	if (r->is_wanted && is_good_again(session))
		ticket_save(r->name, &r->ticket, false);
	if (!r->is_wanted || !has_ticket(session) ||
	    gnutls_session_get_data2(session, &octets) < 0)
		return;
	t.checked = goes_on ? r->ticket.checked : r->begun;
	t.expires = goes_on ? r->ticket.expires : find_end(trust, session);
	t.verified =
		memory_dup(goes_on ? r->ticket.verified : trust_words(trust));
	buf_add(&t.session, octets.data, octets.size);
	memory_wipe(octets.data, octets.size);
	gnutls_free(octets.data);
	if (!t.session.overflow)
		ticket_save(r->name, &t, !goes_on);
	ticket_release(&t);
}
