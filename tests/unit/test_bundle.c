/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates in a PEM file: which files are plain, what is in them, and the
 * one that a chain has to do with. */
#include "net/bundle.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "certs.h"

#include "base/text.h"
#include "net/certificate.h"
#include "unit.h"

enum {
	ROOT,
	OTHER,
	NAMESAKE, /* of ROOT, with another key */
	MIDDLE,
	OLD, /* MIDDLE once more, by OTHER */
	LEAF,
	BELOW_MIDDLE,
	SELF,
	NAMELESS,
	N_MADE,
	NONE = N_MADE,
};

static const struct {
	struct wish wish;
	int issuer; /* NONE: itself */
} wishes[N_MADE] = {
	[ROOT] = {{.cn = "Root", .is_authority = true}, NONE},
	[OTHER] = {{.cn = "Other", .is_authority = true}, NONE},
	[NAMESAKE] = {{.cn = "Root", .is_authority = true}, NONE},
	[MIDDLE] = {{.cn = "Middle", .is_authority = true}, ROOT},
	[OLD] = {{.cn = "Middle", .is_authority = true}, OTHER},
	[LEAF] = {{.cn = "mail.example", .dns = {"mail.example"}}, ROOT},
	[BELOW_MIDDLE] = {{.cn = "mail.example"}, MIDDLE},
	[SELF] = {{.cn = "mail.example"}, NONE},
	[NAMELESS] = {{.is_authority = true}, NONE},
};

static struct made made[N_MADE];
static gnutls_datum_t der[N_MADE], pem[N_MADE];

static int make_all(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < N_MADE; i++) {
		certs_make(&made[i], &wishes[i].wish,
			   wishes[i].issuer == NONE ? NULL
						    : &made[wishes[i].issuer]);
		MUST(gnutls_x509_crt_export2(made[i].certificate,
					     GNUTLS_X509_FMT_DER, &der[i]));
		MUST(gnutls_x509_crt_export2(made[i].certificate,
					     GNUTLS_X509_FMT_PEM, &pem[i]));
	}
	return 0;
}

static int free_all(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < N_MADE; i++) {
		gnutls_free(der[i].data);
		gnutls_free(pem[i].data);
		certs_free(&made[i]);
	}
	return 0;
}

static struct view view_of_datum(const gnutls_datum_t *d)
{
	return view_make((char *)d->data, d->size);
}

/* ----------------------------------------------------------- what is plain */

/* "%R" is the root in PEM, "%r" it without its last line, "%b" what is between
 * first and last line; "%n" a NUL. */
static void write_out(struct buf *text, const char *form)
{
	static const struct view begin = VIEW("-----BEGIN CERTIFICATE-----\n"),
				 end = VIEW("-----END CERTIFICATE-----\n");
	struct view root = view_of_datum(&pem[ROOT]);

	for (; *form; form++) {
		if (*form != '%') {
			buf_add_char(text, *form);
			continue;
		}
		switch (*++form) {
		case 'R': buf_add_view(text, root); break;
		case 'r': buf_add(text, root.p, root.n - end.n); break;
		case 'b':
			buf_add(text, root.p + begin.n,
				root.n - begin.n - end.n);
			break;
		default: buf_add_char(text, '\0');
		}
	}
}

/* What comes behind the serial number, as far as it is walked through. */
#define REST "\x30\x00\x30\x02\x31\x00\x30\x00\x30\x02\x05\x00\x30\x00"

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END   "-----END CERTIFICATE-----"

static const struct {
	const char *form;
	size_t n; /* 0: it is in doubt, or nothing is in it */
} forms[] = {
	{"%R", 1},
	{"%R%R", 2},
	{"%R\n\n%R", 2},
	{"", 0},
	{"nothing\n", 0},
	{"# Root\nSubject: CN=Root\n%R# the end", 1},
	{"=====\n-----\n--BEGIN\n%R", 1},
	{"%n%R%n%n%R", 2},
	{"\xef\xbb\xbf%R", 1},
	{"text" BEGIN "\n%b" END, 1},
	{BEGIN "%b" END, 1},
	{BEGIN "\n\n\n%b\n\n" END, 1},
	{BEGIN "\r\n%b\r\n" END, 1},
	{"%r" END "%R", 2},
	{"%r-----END CERTIFICATE%R", 2},
	{"%r-----END CERTIFICATE--%R", 2},
	{BEGIN "%R", 0},
	/* Others may make something of it. */
	{"%R-----BEGIN TRUSTED CERTIFICATE-----\n%b"
	 "-----END TRUSTED CERTIFICATE-----\n",
	 0},
	{"-----BEGIN X509 CERTIFICATE-----\n%b-----END X509 CERTIFICATE-----\n",
	 0},
	{"%R-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", 0},
	{"%R-----BEGIN CERTIFICATE REQUEST-----\n", 0},
	{"%R-----BEGIN PRIVATE KEY-----\n", 0},
	{"%R-----BEGIN ", 0},
	{"%R" BEGIN, 0},
	{"%R" BEGIN "\n", 0},
	{"%R" BEGIN "\n" END "\n", 0},
	{"%R%r", 0},
	{"%r%R", 0},
	{"%r-----END CERTIFICATE----", 0},
	{"%r-----END X509 CERTIFICATE-----\n", 0},
	{"%R" BEGIN "\nKey: value\n\n%b" END "\n", 0},
	{"%R" BEGIN "\nA%b" END "\n", 0},
	{"%R" BEGIN "\n%bA" END "\n", 0},
	{"%R" BEGIN "\n%bAAAA" END "\n", 0},
	{"%R" BEGIN "\n %b" END "\n", 0},
	{"%R" BEGIN "\n%b\n" END " \n%n", 2},
	{"%R" BEGIN "\n%n%b" END "\n", 0},
	{"%R" BEGIN "\n!!!!%b" END "\n", 0},
	{"%R" BEGIN "\nMAA=\n" END "\n", 0},
	{"%R" BEGIN "\nMA==\n" END "\n", 0},
	{"%R" BEGIN "\nMB==\n" END "\n", 0},
	{"%R" BEGIN "\n====\n" END "\n", 0},
	{"%R" BEGIN "\nA===\n" END "\n", 0},
	{"%R" BEGIN "\nAAAA\n" END "\n", 0},
};

static void knows_plain_files(void **state)
{
	struct bundle b = BUNDLE_INIT;
	size_t i, k;

	(void)state;
	for (i = 0; i < N_OF(forms); i++) {
		write_out(&b.octets, forms[i].form);
		if (bundle_parse(&b) != (forms[i].n > 0) || b.n != forms[i].n)
			fail_msg("%zu: %zu in %s", i, b.n, forms[i].form);
		for (k = 0; k < b.n; k++)
			assert_true(view_equal(b.p[k].der,
					       view_of_datum(&der[ROOT])));
		bundle_release(&b);
	}
}

/* What a last digit has more than the octet takes is 0 in each encoder. */
static bool parses_with_more_bits(const gnutls_datum_t *text)
{
	struct bundle b = BUNDLE_INIT;
	char *pad;
	bool parses;

	buf_add(&b.octets, text->data, text->size);
	pad = memchr(b.octets.p, '=', b.octets.n);
	if (pad)
		pad[-1]++;
	parses = bundle_parse(&b) && pad;
	bundle_release(&b);
	return parses;
}

/* As short as they may be, and longer by n octets that are nothing. */
static void make_stub(struct buf *der_out, size_t n)
{
	static const char serial[] = "\x02\x01\x01";
	size_t i;

	buf_add(der_out, (const char[]){0x30, (char)(19 + n)}, 2);
	buf_add(der_out, (const char[]){0x30, (char)(17 + n)}, 2);
	buf_add(der_out, serial, 3);
	buf_add(der_out, REST, 14);
	for (i = 0; i < n; i++)
		buf_add_char(der_out, '\xff');
}

/* Whatever its length is modulo three, and that of its last line. */
static void decodes_every_length(void **state)
{
	gnutls_datum_t octets, text;
	size_t n;

	(void)state;
	for (n = 0; n < 100; n++) {
		struct buf stub = BUF_INIT(1000);
		struct bundle b = BUNDLE_INIT;

		make_stub(&stub, n);
		octets.data = (unsigned char *)stub.p;
		octets.size = (unsigned)stub.n;
		MUST(gnutls_pem_base64_encode2("CERTIFICATE", &octets, &text));
		buf_add(&b.octets, text.data, text.size);
		assert_true(bundle_parse(&b));
		assert_true(view_equal(b.p[0].der, view_of_datum(&octets)));
		assert_false(parses_with_more_bits(&text));
		bundle_release(&b);
		buf_release(&stub);
		gnutls_free(text.data);
	}
}

/* A certificate that ends too early, or goes on, or has no names. */
static void doubts_broken_certificates(void **state)
{
	struct bundle b = BUNDLE_INIT;
	struct view v = view_of_datum(&der[ROOT]);
	struct buf longer = BUF_INIT(8192);
	gnutls_datum_t octets, text;
	size_t n;

	(void)state;
	buf_add_view(&longer, v);
	buf_add(&longer, "\5", 2);
	for (n = 1; n <= longer.n; n++) {
		octets.data = (unsigned char *)longer.p;
		octets.size = (unsigned)n;
		MUST(gnutls_pem_base64_encode2("CERTIFICATE", &octets, &text));
		buf_add(&b.octets, text.data, text.size);
		assert_int_equal(bundle_parse(&b), n == v.n);
		bundle_release(&b);
		gnutls_free(text.data);
	}
	buf_release(&longer);
}

/* ---------------------------------------------------------------- the files */

static void reads_files_alone(void **state)
{
	char folder[] = "/tmp/postrider-test-XXXXXX", pipe[64], link[64];
	char *path = certs_pem(&made[ROOT]);
	struct bundle b = BUNDLE_INIT;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(pipe, sizeof(pipe), "%s/pipe", folder);
	snprintf(link, sizeof(link), "%s/pkcs11:x", folder);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(symlink(path, link), 0);
	assert_true(bundle_read(&b, path) && bundle_parse(&b));
	bundle_release(&b);
	assert_true(bundle_read(&b, link) && bundle_parse(&b));
	bundle_release(&b);
	assert_int_equal(chdir(folder), 0);
	assert_false(bundle_read(&b, "pkcs11:x"));
	assert_false(bundle_read(&b, "PKCS11:x"));
	assert_false(bundle_read(&b, pipe));
	assert_false(bundle_read(&b, folder));
	assert_false(bundle_read(&b, "/nowhere/ca.pem"));
	assert_false(bundle_read(&b, ""));
	assert_int_equal(truncate(path, BUNDLE_LIMIT), 0);
	assert_false(bundle_read(&b, path));
	assert_int_equal(truncate(path, 0), 0);
	assert_false(bundle_read(&b, path));
	assert_int_equal(b.octets.n, 0);
	unlink(pipe);
	unlink(link);
	assert_int_equal(chdir("/"), 0);
	rmdir(folder);
	certs_remove(path);
}

/* What configure has found out is what GnuTLS takes for the system's. */
static void reads_the_file_of_the_system(void **state)
{
	gnutls_x509_trust_list_t system, file;
	gnutls_x509_trust_list_iter_t at = NULL;
	struct bundle b = BUNDLE_INIT;
	gnutls_x509_crt_t c;
	gnutls_datum_t d;
	size_t i;
	int n;

	(void)state;
	if (!SYSTEM_TRUST_FILE[0] || access(SYSTEM_TRUST_FILE, R_OK) < 0)
		return;
	MUST(gnutls_x509_trust_list_init(&system, 0));
	MUST(gnutls_x509_trust_list_init(&file, 0));
	n = gnutls_x509_trust_list_add_system_trust(system, 0, 0);
	assert_true(bundle_read(&b, SYSTEM_TRUST_FILE) && bundle_parse(&b));
	for (i = 0; i < b.n; i++) {
		d.data = (unsigned char *)b.p[i].der.p;
		d.size = (unsigned)b.p[i].der.n;
		assert_int_equal(gnutls_x509_trust_list_add_trust_mem(
					 file, &d, NULL, GNUTLS_X509_FMT_DER,
					 GNUTLS_TL_NO_DUPLICATES, 0),
				 1);
	}
	assert_int_equal(b.n, n);
	while (gnutls_x509_trust_list_iter_get_ca(system, &at, &c) == 0) {
		MUST(gnutls_x509_crt_export2(c, GNUTLS_X509_FMT_DER, &d));
		for (i = 0; i < b.n; i++)
			if (view_equal(b.p[i].der, view_of_datum(&d)))
				break;
		assert_true(i < b.n);
		gnutls_free(d.data);
		gnutls_x509_crt_deinit(c);
		n--;
	}
	assert_int_equal(n, 0);
	gnutls_x509_trust_list_iter_deinit(at);
	gnutls_x509_trust_list_deinit(system, 1);
	gnutls_x509_trust_list_deinit(file, 1);
	bundle_release(&b);
}

/* ------------------------------------------------------------------ the one */

#define MOST 4

static const struct {
	int trusted[MOST];
	int chain[MOST];
	int found; /* NONE: a doubt */
} ways[] = {
	{{ROOT, NONE}, {LEAF, NONE}, ROOT},
	{{OTHER, ROOT, NONE}, {LEAF, NONE}, ROOT},
	{{OTHER, ROOT, NONE}, {BELOW_MIDDLE, MIDDLE, NONE}, ROOT},
	{{OTHER, ROOT, NONE}, {BELOW_MIDDLE, MIDDLE, LEAF, NONE}, ROOT},
	{{ROOT, NONE}, {BELOW_MIDDLE, MIDDLE, OLD, NONE}, ROOT},
	/* Nobody, or more than one. */
	{{OTHER, NONE}, {LEAF, NONE}, NONE},
	{{OTHER, ROOT, NONE}, {BELOW_MIDDLE, NONE}, NONE},
	{{ROOT, NAMESAKE, NONE}, {LEAF, NONE}, NONE},
	{{NAMESAKE, OTHER, ROOT, NONE}, {LEAF, NONE}, NONE},
	{{ROOT, ROOT, NONE}, {LEAF, NONE}, NONE},
	{{ROOT, OTHER, NONE}, {BELOW_MIDDLE, MIDDLE, OLD, NONE}, NONE},
	/* What is trusted was sent, or one of its name was. */
	{{ROOT, NONE}, {LEAF, ROOT, NONE}, NONE},
	{{ROOT, NONE}, {LEAF, NAMESAKE, NONE}, NONE},
	{{SELF, NONE}, {SELF, NONE}, NONE},
	{{LEAF, NONE}, {LEAF, NONE}, NONE},
	{{ROOT, LEAF, NONE}, {LEAF, NONE}, NONE},
	{{ROOT, MIDDLE, NONE}, {BELOW_MIDDLE, MIDDLE, NONE}, NONE},
	{{ROOT, OLD, NONE}, {BELOW_MIDDLE, MIDDLE, NONE}, NONE},
	/* It has an issuer itself. */
	{{MIDDLE, NONE}, {BELOW_MIDDLE, NONE}, NONE},
	{{MIDDLE, ROOT, NONE}, {BELOW_MIDDLE, NONE}, NONE},
	{{ROOT, NONE}, {NONE}, NONE},
};

static void fill(struct bundle *b, const int *which)
{
	for (; *which != NONE; which++)
		buf_add(&b->octets, pem[*which].data, pem[*which].size);
	assert_true(bundle_parse(b));
}

static void finds_the_one(void **state)
{
	const struct bundle_entry *e;
	struct bundle b = BUNDLE_INIT;
	gnutls_datum_t chain[MOST];
	size_t i, n;

	(void)state;
	for (i = 0; i < N_OF(ways); i++) {
		fill(&b, ways[i].trusted);
		for (n = 0; ways[i].chain[n] != NONE; n++)
			chain[n] = der[ways[i].chain[n]];
		e = bundle_find(&b, chain, n);
		if ((e != NULL) != (ways[i].found != NONE))
			fail_msg("%zu", i);
		if (e)
			assert_true(view_equal(
				e->der, view_of_datum(&der[ways[i].found])));
		bundle_release(&b);
	}
}

static void doubts_odd_chains(void **state)
{
	gnutls_datum_t chain[CHAIN_MOST + 1];
	static const int root[] = {ROOT, NONE};
	struct bundle b = BUNDLE_INIT;
	size_t i;

	(void)state;
	fill(&b, root);
	for (i = 0; i <= CHAIN_MOST; i++)
		chain[i] = der[LEAF];
	assert_non_null(bundle_find(&b, chain, CHAIN_MOST));
	assert_null(bundle_find(&b, chain, CHAIN_MOST + 1));
	chain[1].size--;
	assert_non_null(bundle_find(&b, chain, 1));
	assert_null(bundle_find(&b, chain, 2));
	bundle_release(&b);
}

/* An empty name is one as any other. */
static void knows_empty_names(void **state)
{
	static const int trusted[] = {NAMELESS, ROOT, NONE};
	struct wish wish = {.cn = "x"};
	struct bundle b = BUNDLE_INIT;
	gnutls_datum_t chain[2];
	struct made below;

	(void)state;
	certs_make(&below, &wish, &made[NAMELESS]);
	MUST(gnutls_x509_crt_export2(below.certificate, GNUTLS_X509_FMT_DER,
				     &chain[0]));
	fill(&b, trusted);
	assert_ptr_equal(bundle_find(&b, chain, 1), &b.p[0]);
	chain[1] = der[LEAF];
	assert_null(bundle_find(&b, chain, 2));
	chain[1] = der[NAMELESS];
	assert_null(bundle_find(&b, chain, 2));
	bundle_release(&b);
	gnutls_free(chain[0].data);
	certs_free(&below);
}

/* Names are those that GnuTLS finds. */
static void finds_names_as_gnutls_does(void **state)
{
	gnutls_datum_t issuer, subject;
	struct der_names names;
	int i;

	(void)state;
	for (i = 0; i < N_MADE; i++) {
		assert_true(der_find_names(view_of_datum(&der[i]), &names));
		MUST(gnutls_x509_crt_get_raw_dn(made[i].certificate, &subject));
		MUST(gnutls_x509_crt_get_raw_issuer_dn(made[i].certificate,
						       &issuer));
		assert_true(view_equal(names.issuer, view_of_datum(&issuer)));
		assert_true(view_equal(names.subject, view_of_datum(&subject)));
		gnutls_free(issuer.data);
		gnutls_free(subject.data);
	}
}

/* What is DER and has the form of a certificate as far as its names. */
static const struct {
	struct view der;
	bool is_good;
} walks[] = {
	{VIEW("\x30\x13\x30\x11\x02\x01\x01" REST), true},
	{VIEW("\x30\x18\x30\x16\xa0\x03\x02\x01\x02\x02\x01\x01" REST), true},
	{VIEW("\x30\x15\x30\x13\x02\x01\x01" REST "\x05\x00"), true},
	{VIEW("\x30\x15\x30\x11\x02\x01\x01" REST "\x05\x00"), true},
	/* behind its end; it ends too early; no public key */
	{VIEW("\x30\x13\x30\x11\x02\x01\x01" REST "\x00"), false},
	{VIEW("\x30\x12\x30\x11\x02\x01\x01" REST), false},
	{VIEW("\x30\x13\x30\x12\x02\x01\x01" REST), false},
	{VIEW("\x30\x11\x30\x0f\x02\x01\x01\x30\x00\x30\x02\x31\x00\x30\x00"
	      "\x30\x02\x05\x00"),
	 false},
	/* lengths that are written otherwise than DER has it */
	{VIEW("\x30\x81\x13\x30\x11\x02\x01\x01" REST), false},
	{VIEW("\x30\x82\x00\x13\x30\x11\x02\x01\x01" REST), false},
	{VIEW("\x30\x80\x30\x11\x02\x01\x01" REST "\x00\x00"), false},
	{VIEW("\x30\x85\x00\x00\x00\x00\x13\x30\x11\x02\x01\x01" REST), false},
	{VIEW("\x30\x87\x01\x01\x01\x01\x01\x01\x01"), false},
	{VIEW("\x30\xff"), false},
	{VIEW("\x30"), false},
	{VIEW(""), false},
	/* versions that are none */
	{VIEW("\x30\x15\x30\x13\xa0\x00\x02\x01\x01" REST), false},
	{VIEW("\x30\x1a\x30\x18\xa0\x05\x02\x01\x02\x05\x00\x02\x01\x01" REST),
	 false},
	{VIEW("\x30\x18\x30\x16\xa0\x03\x04\x01\x02\x02\x01\x01" REST), false},
	/* other tags */
	{VIEW("\x31\x13\x30\x11\x02\x01\x01" REST), false},
	{VIEW("\x30\x13\x31\x11\x02\x01\x01" REST), false},
	{VIEW("\x30\x13\x30\x11\x04\x01\x01" REST), false},
	{VIEW("\x30\x13\x30\x11\x02\x01\x01\x31\x00\x30\x02\x31\x00\x30\x00"
	      "\x30\x02\x05\x00\x30\x00"),
	 false},
	{VIEW("\x30\x13\x30\x11\x02\x01\x01\x30\x00\x31\x02\x31\x00\x30\x00"
	      "\x30\x02\x05\x00\x30\x00"),
	 false},
	{VIEW("\x30\x13\x30\x11\x02\x01\x01\x30\x00\x30\x02\x31\x00\x31\x00"
	      "\x30\x02\x05\x00\x30\x00"),
	 false},
	{VIEW("\x30\x13\x30\x11\x02\x01\x01\x30\x00\x30\x02\x31\x00\x30\x00"
	      "\x31\x02\x05\x00\x30\x00"),
	 false},
	{VIEW("\x30\x13\x30\x11\x02\x01\x01\x30\x00\x30\x02\x31\x00\x30\x00"
	      "\x30\x02\x05\x00\x31\x00"),
	 false},
};

static void walks_through_der_alone(void **state)
{
	struct der_names names;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(walks); i++) {
		if (der_find_names(walks[i].der, &names) != walks[i].is_good)
			fail_msg("%zu", i);
		if (!walks[i].is_good)
			continue;
		assert_true(view_equal(names.issuer, VIEW("\x30\x02\x31\x00")));
		assert_true(
			view_equal(names.subject, VIEW("\x30\x02\x05\x00")));
	}
}

/* One of 200 octets, with its length in that form. */
static bool walks_with_length(struct view length)
{
	struct der_names names;
	struct buf b = BUF_INIT(1000);
	bool is_good;

	buf_add(&b, "\x30", 1);
	buf_add_view(&b, length);
	buf_add(&b, "\x30\x11\x02\x01\x01" REST, 19);
	while (b.n < 1 + length.n + 200)
		buf_add_char(&b, '\xff');
	is_good = der_find_names(buf_view(&b), &names);
	buf_release(&b);
	return is_good;
}

static void takes_the_shortest_length(void **state)
{
	(void)state;
	assert_true(walks_with_length(VIEW("\x81\xc8")));
	assert_false(walks_with_length(VIEW("\x82\x00\xc8")));
	assert_false(walks_with_length(VIEW("\x83\x00\x00\xc8")));
	assert_false(walks_with_length(VIEW("\x84\x00\x00\x00\xc8")));
	assert_false(walks_with_length(VIEW("\x81\xc7")));
	assert_false(walks_with_length(VIEW("\x81\xc9")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_plain_files),
		cmocka_unit_test(decodes_every_length),
		cmocka_unit_test(doubts_broken_certificates),
		cmocka_unit_test(reads_files_alone),
		cmocka_unit_test(reads_the_file_of_the_system),
		cmocka_unit_test(finds_the_one),
		cmocka_unit_test(doubts_odd_chains),
		cmocka_unit_test(knows_empty_names),
		cmocka_unit_test(finds_names_as_gnutls_does),
		cmocka_unit_test(walks_through_der_alone),
		cmocka_unit_test(takes_the_shortest_length),
	};

	return cmocka_run_group_tests(tests, make_all, free_all);
}
