/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever a file of trusted certificates holds: if it passes for a plain one
 * and GnuTLS takes it, both have the same certificates with the same names. And
 * whatever a server sends: what is found for it has a name that it asks for.
 */
#include "net/bundle.h"

#include "base/text.h"
#include "input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gnutls_datum_t datum(struct view v)
{
	return (gnutls_datum_t){(unsigned char *)v.p, (unsigned)v.n};
}

static void check_same(struct view ours, gnutls_datum_t *theirs)
{
	require(view_equal(ours,
			   view_make((char *)theirs->data, theirs->size)));
	gnutls_free(theirs->data);
}

static void check_names(const struct der_names *names, gnutls_x509_crt_t c)
{
	gnutls_datum_t d;

	require(gnutls_x509_crt_get_raw_dn(c, &d) == 0);
	check_same(names->subject, &d);
	require(gnutls_x509_crt_get_raw_issuer_dn(c, &d) == 0);
	check_same(names->issuer, &d);
}

/* A certificate that we can walk through, and GnuTLS. */
static void check_certificate(struct view der)
{
	struct der_names names;
	gnutls_datum_t d = datum(der);
	gnutls_x509_crt_t c;

	if (!der_find_names(der, &names))
		return;
	require(names.issuer.p > der.p && names.subject.p > names.issuer.p);
	require(names.subject.p + names.subject.n <= der.p + der.n);
	require(gnutls_x509_crt_init(&c) == 0);
	if (gnutls_x509_crt_import(c, &d, GNUTLS_X509_FMT_DER) == 0)
		check_names(&names, c);
	gnutls_x509_crt_deinit(c);
}

static void check_with_gnutls(const struct bundle *b, struct view text)
{
	gnutls_datum_t d = datum(text);
	gnutls_x509_crt_t *list;
	unsigned n = 0, i;

	if (gnutls_x509_crt_list_import2(&list, &n, &d, GNUTLS_X509_FMT_PEM,
					 0) < 0)
		return;
	require(n == b->n);
	for (i = 0; i < n; i++) {
		require(gnutls_x509_crt_export2(list[i], GNUTLS_X509_FMT_DER,
						&d) == 0);
		check_same(b->p[i].der, &d);
		check_names(&b->p[i].names, list[i]);
		gnutls_x509_crt_deinit(list[i]);
	}
	gnutls_free(list);
}

static size_t count_named(const struct bundle *b, struct view name)
{
	size_t i, n = 0;

	for (i = 0; i < b->n; i++)
		n += view_equal(b->p[i].names.subject, name);
	return n;
}

/* The first as the server's, and not trusted. */
static void check_first(const struct bundle *b, const gnutls_datum_t *first)
{
	struct bundle rest = {.p = b->p + 1, .n = b->n - 1};
	const struct bundle_entry *e = bundle_find(&rest, first, 1);

	if (!e)
		return;
	require(view_equal(e->names.subject, b->p[0].names.issuer));
	require(view_equal(e->names.issuer, e->names.subject));
	require(count_named(&rest, e->names.subject) == 1);
	require(count_named(&rest, b->p[0].names.subject) == 0);
}

/* What was sent and is trusted as well is a doubt. */
static void check_find(const struct bundle *b)
{
	gnutls_datum_t chain[8];
	size_t n;

	for (n = 0; n < b->n && n < 8; n++) {
		chain[n] = datum(b->p[n].der);
		require(!bundle_find(b, &chain[n], 1));
	}
	require(!bundle_find(b, chain, n));
	check_first(b, &chain[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct view text = view_make((const char *)data, size);
	struct bundle b = BUNDLE_INIT;
	size_t i;

	check_certificate(text);
	buf_add_view(&b.octets, text);
	if (!b.octets.overflow && bundle_parse(&b)) {
		require(b.n > 0);
		for (i = 0; i < b.n; i++)
			check_certificate(b.p[i].der);
		check_with_gnutls(&b, text);
		check_find(&b);
	} else {
		require(b.octets.overflow || b.n == 0);
	}
	bundle_release(&b);
	return 0;
}
