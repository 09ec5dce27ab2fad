/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_CERTS_H
#define TESTS_UNIT_CERTS_H

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <time.h>
#include <unistd.h>

#include "unit.h"

#include "base/memory.h"

#define DAY 86400

/* A certificate to be made; the dates are days from now. */
struct wish {
	const char *cn;
	const char *dns[3];
	const char *ip;
	int begins;        /* 0: yesterday */
	int ends;          /* 0: in a year */
	unsigned rsa_bits; /* 0: a key on P-256 */
	bool is_authority;
	bool for_clients; /* key purpose: not for servers */
};

struct made {
	gnutls_x509_crt_t certificate;
	gnutls_x509_privkey_t key;
};

#define MUST(call) assert_true((call) >= 0)

static inline void certs_name(gnutls_x509_crt_t c, const struct wish *w)
{
	unsigned char ip[16];
	unsigned size = 4;
	size_t i;

	for (i = 0; i < N_OF(w->dns) && w->dns[i]; i++)
		MUST(gnutls_x509_crt_set_subject_alt_name(
			c, GNUTLS_SAN_DNSNAME, w->dns[i],
			(unsigned)strlen(w->dns[i]), GNUTLS_FSAN_APPEND));
	if (!w->ip)
		return;
	if (inet_pton(AF_INET, w->ip, ip) != 1) {
		assert_int_equal(inet_pton(AF_INET6, w->ip, ip), 1);
		size = 16;
	}
	MUST(gnutls_x509_crt_set_subject_alt_name(c, GNUTLS_SAN_IPADDRESS, ip,
						  size, GNUTLS_FSAN_APPEND));
}

static inline void certs_key(gnutls_x509_privkey_t *key, unsigned rsa_bits)
{
	unsigned p256 = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);

	MUST(gnutls_x509_privkey_init(key));
	if (rsa_bits)
		MUST(gnutls_x509_privkey_generate(*key, GNUTLS_PK_RSA, rsa_bits,
						  0));
	else
		MUST(gnutls_x509_privkey_generate(*key, GNUTLS_PK_ECDSA, p256,
						  0));
}

static inline void certs_use(gnutls_x509_crt_t c, const struct wish *w)
{
	if (w->is_authority) {
		MUST(gnutls_x509_crt_set_basic_constraints(c, 1, -1));
		MUST(gnutls_x509_crt_set_key_usage(
			c, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN));
		return;
	}
	MUST(gnutls_x509_crt_set_basic_constraints(c, 0, -1));
	MUST(gnutls_x509_crt_set_key_usage(c, GNUTLS_KEY_DIGITAL_SIGNATURE));
	MUST(gnutls_x509_crt_set_key_purpose_oid(
		c,
		w->for_clients ? GNUTLS_KP_TLS_WWW_CLIENT
			       : GNUTLS_KP_TLS_WWW_SERVER,
		0));
}

/* Make it; without an issuer it signs itself. */
static inline void certs_make(struct made *m, const struct wish *w,
			      const struct made *issuer)
{
	static unsigned char serial;
	unsigned char id[20];
	size_t size = sizeof(id);
	time_t now = time(NULL);

	serial++;
	certs_key(&m->key, w->rsa_bits);
	MUST(gnutls_x509_crt_init(&m->certificate));
	MUST(gnutls_x509_crt_set_version(m->certificate, 3));
	MUST(gnutls_x509_crt_set_serial(m->certificate, &serial, 1));
	MUST(gnutls_x509_crt_set_key(m->certificate, m->key));
	MUST(gnutls_x509_crt_set_activation_time(
		m->certificate, now + (w->begins ? w->begins : -1) * DAY));
	MUST(gnutls_x509_crt_set_expiration_time(
		m->certificate, now + (w->ends ? w->ends : 365) * DAY));
	if (w->cn)
		MUST(gnutls_x509_crt_set_dn_by_oid(
			m->certificate, GNUTLS_OID_X520_COMMON_NAME, 0, w->cn,
			(unsigned)strlen(w->cn)));
	certs_name(m->certificate, w);
	certs_use(m->certificate, w);
	if (!issuer)
		issuer = m;
	MUST(gnutls_x509_crt_get_key_id(m->certificate, 0, id, &size));
	MUST(gnutls_x509_crt_set_subject_key_id(m->certificate, id, size));
	MUST(gnutls_x509_crt_get_key_id(issuer->certificate, 0, id, &size));
	MUST(gnutls_x509_crt_set_authority_key_id(m->certificate, id, size));
	MUST(gnutls_x509_crt_sign2(m->certificate, issuer->certificate,
				   issuer->key, GNUTLS_DIG_SHA256, 0));
}

static inline void certs_free(struct made *m)
{
	gnutls_x509_crt_deinit(m->certificate);
	gnutls_x509_privkey_deinit(m->key);
}

/* A new file with these octets; its name is allocated. */
static inline char *certs_file(const void *bytes, size_t n)
{
	char *path = memory_dup("/tmp/postrider-test-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
	return path;
}

static inline char *certs_pem(const struct made *m)
{
	gnutls_datum_t d;
	char *path;

	MUST(gnutls_x509_crt_export2(m->certificate, GNUTLS_X509_FMT_PEM, &d));
	path = certs_file(d.data, d.size);
	gnutls_free(d.data);
	return path;
}

static inline char *certs_key_pem(const struct made *m)
{
	gnutls_datum_t d;
	char *path;

	MUST(gnutls_x509_privkey_export2(m->key, GNUTLS_X509_FMT_PEM, &d));
	path = certs_file(d.data, d.size);
	gnutls_free(d.data);
	return path;
}

/* The issuer's list, with one certificate on it. */
static inline char *certs_crl(const struct made *issuer,
			      const struct made *revoked, int ends)
{
	time_t now = time(NULL);
	unsigned char number = 1;
	gnutls_x509_crl_t crl;
	gnutls_datum_t d;
	char *path;

	MUST(gnutls_x509_crl_init(&crl));
	MUST(gnutls_x509_crl_set_version(crl, 2));
	MUST(gnutls_x509_crl_set_crt(crl, revoked->certificate, now - 2 * DAY));
	MUST(gnutls_x509_crl_set_this_update(crl, now - 2 * DAY));
	MUST(gnutls_x509_crl_set_next_update(crl, now + ends * DAY));
	MUST(gnutls_x509_crl_set_number(crl, &number, 1));
	MUST(gnutls_x509_crl_sign2(crl, issuer->certificate, issuer->key,
				   GNUTLS_DIG_SHA256, 0));
	MUST(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &d));
	path = certs_file(d.data, d.size);
	gnutls_free(d.data);
	gnutls_x509_crl_deinit(crl);
	return path;
}

static inline void certs_remove(char *path)
{
	unlink(path);
	free(path);
}

#endif
