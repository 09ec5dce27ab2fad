/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLSA records: which can be used, which count, what they match, their words;
 * and what `dane` goes together with. Chains and DNS are for tests/real. */
#include "net/dane.h"

#include <gnutls/abstract.h>

#include "certs.h"
#include "unit.h"

#include "net/tlsa.h"

#define A8  "\xa1\xa2\xa3\xa4\xa5\xa6\xa7\xa8"
#define A32 A8 A8 A8 A8
#define A64 A32 A32

/* ------------------------------------------------------------------ parsing */

static const struct {
	struct view rdata;
	const char *words; /* NULL: cannot be used */
} records[] = {
	{VIEW("\3\1\1" A32), "3 1 1 A1A2A3A4A5A6A7A8…"},
	{VIEW("\0\0\2" A64), "0 0 2 A1A2A3A4A5A6A7A8…"},
	{VIEW("\1\0\1" A32), "1 0 1 A1A2A3A4A5A6A7A8…"},
	{VIEW("\2\1\2" A64), "2 1 2 A1A2A3A4A5A6A7A8…"},
	{VIEW(""), NULL},
	{VIEW("\3"), NULL},
	{VIEW("\3\1"), NULL},
	{VIEW("\3\1\1"), NULL},
	{VIEW("\3\1\0"), NULL},
	{VIEW("\4\1\1" A32), NULL},
	{VIEW("\377\1\1" A32), NULL},
	{VIEW("\3\2\1" A32), NULL},
	{VIEW("\3\377\1" A32), NULL},
	{VIEW("\3\1\3" A64), NULL},
	{VIEW("\3\1\377" A32), NULL},
	{VIEW("\3\1\1" A8), NULL},
	{VIEW("\3\1\1" A32 "x"), NULL},
	{VIEW("\3\1\2" A32), NULL},
	{VIEW("\3\1\1" A64), NULL},
	{VIEW("\3\0\0" A32), NULL}, /* no certificate */
	{VIEW("\3\1\0" A32), NULL}, /* no key */
};

static void parses_records(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(records); i++) {
		struct buf words = BUF_INIT(256);
		struct tlsa r;
		bool is_usable = tlsa_parse(&r, records[i].rdata);

		if (is_usable != (records[i].words != NULL))
			fail_msg("record %zu", i);
		if (is_usable) {
			tlsa_add_words(&words, &r);
			assert_string_equal(words.p, records[i].words);
		}
		buf_release(&words);
	}
}

/* -------------------------------------------------------------- which count */

#define R311 VIEW("\3\1\1" A32)
#define R312 VIEW("\3\1\2" A64)
#define R301 VIEW("\3\0\1" A32)
#define R211 VIEW("\2\1\1" A32)
#define BAD  VIEW("\4\1\1" A32)

static const struct {
	struct view records[4];
	const char *left; /* usage, selector and matching type of each */
	size_t unusable;
} choices[] = {
	{{R311}, "311 ", 0},
	{{R311, R311}, "311 311 ", 0},
	{{R311, R312}, "312 ", 0},
	{{R312, R311}, "312 ", 0},
	{{R311, R312, R311, R312}, "312 312 ", 0},
	{{R301, R312}, "301 312 ", 0},
	{{R211, R312}, "211 312 ", 0},
	{{R311, R312, R301, R211}, "312 301 211 ", 0},
	{{BAD}, "", 1},
	{{BAD, R311, BAD}, "311 ", 2},
	{{R311, BAD, R312}, "312 ", 1},
};

static void chooses_by_strength(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < N_OF(choices); i++) {
		struct tlsa_set set = TLSA_SET_INIT;
		struct buf left = BUF_INIT(256);

		for (k = 0; k < 4 && choices[i].records[k].p; k++)
			tlsa_set_add(&set, choices[i].records[k]);
		tlsa_set_choose(&set);
		for (k = 0; k < set.n; k++)
			buf_printf(&left, "%d%d%d ", (int)set.p[k].usage,
				   (int)set.p[k].selector,
				   (int)set.p[k].matching);
		assert_string_equal(left.p, choices[i].left);
		assert_int_equal(set.unusable, choices[i].unusable);
		tlsa_set_release(&set);
		buf_release(&left);
	}
}

/* ----------------------------------------------------------------- matching */

/* The RDATA for a certificate, made another way than there. */
static void make_record(struct buf *out, gnutls_x509_crt_t c, int selector,
			int matching)
{
	gnutls_pubkey_t key;
	gnutls_datum_t d;
	char digest[64];
	size_t n = sizeof(digest);

	buf_add_char(out, 3);
	buf_add_char(out, (char)selector);
	buf_add_char(out, (char)matching);
	MUST(gnutls_pubkey_init(&key));
	MUST(gnutls_pubkey_import_x509(key, c, 0));
	if (selector)
		MUST(gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &d));
	else
		MUST(gnutls_x509_crt_export2(c, GNUTLS_X509_FMT_DER, &d));
	gnutls_pubkey_deinit(key);
	if (matching)
		MUST(gnutls_fingerprint(matching == 1 ? GNUTLS_DIG_SHA256
						      : GNUTLS_DIG_SHA512,
					&d, digest, &n));
	if (matching)
		buf_add(out, digest, n);
	else
		buf_add(out, d.data, d.size);
	gnutls_free(d.data);
}

static void matches_what_is_selected(void **state)
{
	const struct wish wish = {.cn = "a", .dns = {"a.test"}};
	struct made right, other;
	int selector, matching;

	(void)state;
	certs_make(&right, &wish, NULL);
	certs_make(&other, &wish, NULL);
	for (selector = 0; selector < 2; selector++)
		for (matching = 0; matching < 3; matching++) {
			struct buf rdata = BUF_INIT(1 << 16);
			struct tlsa r;

			make_record(&rdata, right.certificate, selector,
				    matching);
			assert_true(tlsa_parse(&r, buf_view(&rdata)));
			assert_true(tlsa_matches(&r, right.certificate));
			assert_false(tlsa_matches(&r, other.certificate));
			r.data.n--;
			assert_false(tlsa_matches(&r, right.certificate));
			r.data.n++;
			rdata.p[rdata.n - 1] ^= 1;
			assert_false(tlsa_matches(&r, right.certificate));
			rdata.p[rdata.n - 1] ^= 1;
			r.selector = selector ? TLSA_CERT : TLSA_KEY;
			assert_false(tlsa_matches(&r, right.certificate));
			buf_release(&rdata);
		}
	certs_free(&right);
	certs_free(&other);
}

/* A renewed certificate with the key of the old one. */
static void knows_a_key_again(void **state)
{
	const struct wish wish = {.cn = "a", .dns = {"a.test"}};
	struct buf by_key = BUF_INIT(1 << 16), whole = BUF_INIT(1 << 16);
	struct made old;
	gnutls_x509_crt_t renewed;
	gnutls_datum_t d;
	struct tlsa r;

	(void)state;
	certs_make(&old, &wish, NULL);
	make_record(&by_key, old.certificate, TLSA_KEY, TLSA_SHA256);
	make_record(&whole, old.certificate, TLSA_CERT, TLSA_SHA256);
	MUST(gnutls_x509_crt_set_serial(old.certificate, "\x7f", 1));
	MUST(gnutls_x509_crt_sign2(old.certificate, old.certificate, old.key,
				   GNUTLS_DIG_SHA256, 0));
	MUST(gnutls_x509_crt_export2(old.certificate, GNUTLS_X509_FMT_DER, &d));
	MUST(gnutls_x509_crt_init(&renewed));
	MUST(gnutls_x509_crt_import(renewed, &d, GNUTLS_X509_FMT_DER));
	assert_true(tlsa_parse(&r, buf_view(&by_key)));
	assert_true(tlsa_matches(&r, renewed));
	assert_true(tlsa_parse(&r, buf_view(&whole)));
	assert_false(tlsa_matches(&r, renewed));
	gnutls_free(d.data);
	gnutls_x509_crt_deinit(renewed);
	certs_free(&old);
	buf_release(&by_key);
	buf_release(&whole);
}

/* -------------------------------------------------------- the configuration */

#define HOST "mail.example.org"

static const struct {
	struct tls_policy policy;
	const char *host;
	const char *words; /* NULL: fine */
} policies[] = {
	{{.on = true}, HOST, NULL},
	{{.on = false}, NULL, NULL},
	{{.on = true, .dane = DANE_ON}, HOST, NULL},
	{{.on = true, .dane = DANE_ON}, "192.0.2.1", NULL},
	{{.on = true, .dane = DANE_ON}, NULL, NULL},
	{{.on = false, .dane = DANE_ON}, HOST, NULL},
	{{.on = true, .dane = DANE_ON, .pin = "00"}, HOST, NULL},
	{{.on = true, .dane = DANE_ONLY}, HOST, NULL},
	{{.on = true, .dane = DANE_ONLY}, "192.0.2.1", "192.0.2.1 has none"},
	{{.on = true, .dane = DANE_ONLY}, "2001:db8::1", "2001:db8::1 has"},
	{{.on = true, .dane = DANE_ONLY},
	 NULL,
	 "a socket, tunnel or proxy has none"},
	{{.on = false, .dane = DANE_ONLY}, HOST, "tls is off"},
	{{.on = true, .dane = DANE_ONLY, .pin = "00"}, HOST, "and tls_pin"},
	{{.on = true, .dane = DANE_ONLY, .fingerprint = "00"},
	 HOST,
	 "and tls_fingerprint"},
};

static void finds_contradictions(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(policies); i++) {
		const struct tls_policy *p = &policies[i].policy;
		const char *words = policies[i].words;
		struct outcome o = OUTCOME_INIT;
		int rc = dane_check_policy(p, policies[i].host, &o);

		if (!dane_is_built())
			words = p->dane ? "built without DANE" : NULL;
		if (rc != (words ? -1 : 0))
			fail_msg("policy %zu: %s", i, rc ? o.text : "fine");
		if (words) {
			assert_int_equal(o.cause, CAUSE_CONFIG);
			assert_string_equal(o.status, "5.3.5");
			assert_non_null(strstr(o.text, words));
		}
		outcome_release(&o);
	}
}

/* Nothing to ask: then nothing is done, and nothing decides. */
static void asks_only_where_it_can(void **state)
{
	struct dane_query *d = NULL;
	struct outcome o = OUTCOME_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(policies); i++) {
		const struct tls_policy *p = &policies[i].policy;

		if (policies[i].words || (p->dane && !dane_is_built()) ||
		    (p->on && p->dane && !p->pin && policies[i].host &&
		     !strcmp(policies[i].host, HOST)))
			continue;
		assert_int_equal(dane_begin(p, policies[i].host, 587,
					    DEADLINE_NEVER, &d, &o),
				 0);
		assert_null(d);
	}
	assert_int_equal(dane_await(NULL, &o), 0);
	assert_false(dane_decides(NULL));
	assert_null(dane_server_name(NULL));
	dane_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_records),
		cmocka_unit_test(chooses_by_strength),
		cmocka_unit_test(matches_what_is_selected),
		cmocka_unit_test(knows_a_key_again),
		cmocka_unit_test(finds_contradictions),
		cmocka_unit_test(asks_only_where_it_can),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
