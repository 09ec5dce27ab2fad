/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is loaded of a store to judge a server: the one certificate that its
 * chain needs, or all; and that the verdict is the same, and its words. */
#include "net/trust.h"

#include <gnutls/abstract.h>
#include <sys/socket.h>

#include "certs.h"

#include "unit.h"

#define HOST  "mail.example.org"
#define BEGIN "-----BEGIN CERTIFICATE-----\n"
#define END   "-----END CERTIFICATE-----\n"

enum {
	ROOT,
	OTHER,
	NAMESAKE,
	MIDDLE,
	CROSS, /* MIDDLE's name and key, by OTHER */
	GOOD,
	EXPIRED,
	ELSEWHERE,
	BELOW_MIDDLE,
	SELF,
	STRANGER,
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
	[CROSS] = {{.cn = "Middle", .is_authority = true}, OTHER},
	[GOOD] = {{.cn = "good", .dns = {HOST}}, ROOT},
	[EXPIRED] = {{.cn = "expired", .dns = {HOST}, .begins = -9, .ends = -2},
		     ROOT},
	[ELSEWHERE] = {{.cn = "elsewhere", .dns = {"a.example"}}, ROOT},
	[BELOW_MIDDLE] = {{.cn = "below", .dns = {HOST}}, MIDDLE},
	[SELF] = {{.cn = "self", .dns = {HOST}}, NONE},
	[STRANGER] = {{.cn = "stranger", .dns = {HOST}}, SELF},
};

static struct made made[N_MADE];
static char *crl_file;

static int make_all(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < N_MADE; i++)
		certs_make(&made[i], &wishes[i].wish,
			   wishes[i].issuer == NONE ? NULL
						    : &made[wishes[i].issuer]);
	crl_file = certs_crl(&made[ROOT], &made[EXPIRED], 30);
	return 0;
}

static int free_all(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < N_MADE; i++)
		certs_free(&made[i]);
	certs_remove(crl_file);
	return 0;
}

/* ------------------------------------------------------------ the two sides */

#define MOST 5

/* GnuTLS puts a chain in order, and leaves out what is none of it, unless it is
 * given as it is to be sent. */
struct server {
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
	gnutls_pcert_st chain[MOST];
	unsigned n;
	gnutls_privkey_t key;
};

static int give_chain(gnutls_session_t session,
		      const gnutls_datum_t *authorities, int n_authorities,
		      const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
		      gnutls_pcert_st **chain, unsigned *n,
		      gnutls_privkey_t *key)
{
	struct server *s = gnutls_session_get_ptr(session);

	(void)authorities;
	(void)n_authorities;
	(void)algorithms;
	(void)n_algorithms;
	*chain = s->chain;
	*n = s->n;
	*key = s->key;
	return 0;
}

static void start_server(struct server *s, const int *chain, int fd)
{
	*s = (struct server){0};
	for (; chain[s->n] != NONE; s->n++)
		MUST(gnutls_pcert_import_x509(
			&s->chain[s->n], made[chain[s->n]].certificate, 0));
	MUST(gnutls_privkey_init(&s->key));
	MUST(gnutls_privkey_import_x509(s->key, made[chain[0]].key, 0));
	MUST(gnutls_certificate_allocate_credentials(&s->credentials));
	gnutls_certificate_set_retrieve_function2(s->credentials, give_chain);
	MUST(gnutls_init(&s->session, GNUTLS_SERVER | GNUTLS_NONBLOCK));
	MUST(gnutls_set_default_priority(s->session));
	MUST(gnutls_credentials_set(s->session, GNUTLS_CRD_CERTIFICATE,
				    s->credentials));
	gnutls_session_set_ptr(s->session, s);
	gnutls_transport_set_int(s->session, fd);
}

static void stop_server(struct server *s)
{
	gnutls_deinit(s->session);
	gnutls_certificate_free_credentials(s->credentials);
	while (s->n)
		gnutls_pcert_deinit(&s->chain[--s->n]);
	gnutls_privkey_deinit(s->key);
}

static gnutls_session_t start_client(struct trust *t, int fd)
{
	gnutls_session_t session;

	MUST(gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NONBLOCK));
	MUST(gnutls_set_default_priority(session));
	MUST(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
				    t->credentials));
	gnutls_transport_set_int(session, fd);
	return session;
}

static void shake_hands(gnutls_session_t client, gnutls_session_t server)
{
	int mine = GNUTLS_E_AGAIN, theirs = GNUTLS_E_AGAIN;

	while (mine < 0 || theirs < 0) {
		if (mine < 0)
			mine = gnutls_handshake(client);
		if (theirs < 0)
			theirs = gnutls_handshake(server);
		assert_false(gnutls_error_is_fatal(mine));
		assert_false(gnutls_error_is_fatal(theirs));
	}
}

/* A verdict, and how many were loaded for it. */
struct finding {
	int rc;
	struct outcome o;
	int n;
};

static int count(const struct trust *t)
{
	gnutls_x509_trust_list_iter_t at = NULL;
	gnutls_x509_trust_list_t list;
	gnutls_x509_crt_t c;
	int n = 0;

	gnutls_certificate_get_trust_list(t->credentials, &list);
	while (gnutls_x509_trust_list_iter_get_ca(list, &at, &c) == 0) {
		gnutls_x509_crt_deinit(c);
		n++;
	}
	gnutls_x509_trust_list_iter_deinit(at);
	return n;
}

/* Judge a chain, so many times. */
static struct finding judge(struct trust *t, const int *chain, int times)
{
	struct finding f = {.o = OUTCOME_INIT};
	gnutls_session_t client;
	struct server server;
	int fds[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	start_server(&server, chain, fds[0]);
	client = start_client(t, fds[1]);
	shake_hands(client, server.session);
	while (times--) {
		outcome_release(&f.o);
		f.rc = trust_check(t, client, &f.o);
	}
	f.n = count(t);
	gnutls_deinit(client);
	stop_server(&server);
	close(fds[0]);
	close(fds[1]);
	return f;
}

/* --------------------------------------------------------- one, or else all */

static char *write_bundle(const int *which, const char *more)
{
	struct buf text = BUF_INIT(1u << 20);
	gnutls_datum_t d;
	char *path;

	for (; *which != NONE; which++) {
		MUST(gnutls_x509_crt_export2(made[*which].certificate,
					     GNUTLS_X509_FMT_PEM, &d));
		buf_add(&text, d.data, d.size);
		gnutls_free(d.data);
	}
	buf_add_text(&text, more);
	path = certs_file(text.p, text.n);
	buf_release(&text);
	return path;
}

static const struct {
	int trusted[MOST];
	int chain[MOST];
	bool is_good;
	int n; /* loaded, of a plain file */
} rows[] = {
	{{OTHER, ROOT, NONE}, {GOOD, NONE}, true, 1},
	{{ROOT, NONE}, {GOOD, NONE}, true, 1},
	{{OTHER, ROOT, SELF, NONE}, {BELOW_MIDDLE, MIDDLE, NONE}, true, 1},
	{{OTHER, ROOT, NONE}, {GOOD, STRANGER, MIDDLE, NONE}, true, 1},
	/* What is refused is refused with all there. */
	{{OTHER, ROOT, NONE}, {EXPIRED, NONE}, false, 2},
	{{OTHER, ROOT, NONE}, {ELSEWHERE, NONE}, false, 2},
	{{OTHER, ROOT, NONE}, {STRANGER, NONE}, false, 2},
	{{OTHER, ROOT, NONE}, {SELF, NONE}, false, 2},
	{{OTHER, ROOT, NONE}, {BELOW_MIDDLE, NONE}, false, 2},
	{{OTHER, NAMESAKE, NONE}, {GOOD, NONE}, false, 2},
	/* What is in doubt is judged with all there. */
	{{OTHER, NAMESAKE, ROOT, NONE}, {GOOD, NONE}, true, 3},
	{{OTHER, ROOT, NONE}, {GOOD, ROOT, NONE}, true, 2},
	{{OTHER, ROOT, NONE}, {BELOW_MIDDLE, MIDDLE, CROSS, NONE}, true, 2},
	{{OTHER, ROOT, MIDDLE, NONE}, {BELOW_MIDDLE, MIDDLE, NONE}, true, 3},
	{{OTHER, MIDDLE, NONE}, {BELOW_MIDDLE, NONE}, true, 2},
	{{OTHER, SELF, NONE}, {SELF, NONE}, true, 2},
	{{OTHER, GOOD, NONE}, {GOOD, NONE}, true, 2},
};

static struct finding judge_row(size_t i, const char *more, bool is_submission,
				int times)
{
	char *path = write_bundle(rows[i].trusted, more);
	struct tls_policy policy = {.certcheck = true, .trust_file = path};
	struct tls_owner owner = {0};
	struct trust t = TRUST_INIT;
	struct finding f;

	if (trust_load(&t, &policy, HOST, is_submission ? &owner : NULL, &f.o) <
	    0)
		fail_msg("%zu: %s", i, f.o.text);
	assert_int_equal(count(&t) == 0, t.is_put_off);
	f = judge(&t, rows[i].chain, times);
	trust_release(&t);
	/* the name of the file is in some words */
	if (f.rc < 0 && strstr(f.o.text, path))
		memset(strstr(f.o.text, path), 'x', strlen(path));
	certs_remove(path);
	return f;
}

static void assert_row(size_t i, struct finding f, struct finding *full, int n)
{
	if (f.n != n || (f.rc == 0) != rows[i].is_good ||
	    (full && f.rc < 0 && strcmp(f.o.text, full->o.text) != 0))
		fail_msg("%zu: %d, %d loaded, %s", i, f.rc, f.n,
			 f.o.text ? f.o.text : "");
	outcome_release(&f.o);
}

static void loads_one_or_all(void **state)
{
	static const char odd[] = "-----BEGIN ODD-----\n-----END ODD-----\n";
	struct finding full;
	size_t i;
	int all;

	(void)state;
	for (i = 0; i < N_OF(rows); i++) {
		for (all = 0; rows[i].trusted[all] != NONE; all++)
			;
		full = judge_row(i, "", false, 1);
		assert_row(i, judge_row(i, odd, true, 1), &full, all);
		assert_row(i, judge_row(i, "", true, 1), &full, rows[i].n);
		assert_row(i, judge_row(i, "", true, 2), &full, rows[i].n);
		assert_row(i, full, NULL, all);
	}
}

/* One policy, for GOOD, with OTHER and ROOT trusted. */
static void assert_loads(struct tls_policy policy, bool is_put_off, int before,
			 int after)
{
	static const int chain[] = {GOOD, NONE};
	struct outcome o = OUTCOME_INIT;
	struct tls_owner owner = {0};
	struct trust t = TRUST_INIT;
	struct finding f;

	t.is_put_off = is_put_off;
	assert_int_equal(trust_load(&t, &policy, HOST, &owner, &o), 0);
	assert_int_equal(count(&t), before);
	f = judge(&t, chain, 1);
	assert_int_equal(f.rc, 0);
	assert_int_equal(f.n, after);
	trust_release(&t);
}

/* Lists of revoked certificates may be anybody's. */
static void loads_what_the_policy_needs(void **state)
{
	static const int trusted[] = {OTHER, ROOT, NONE};
	char *path = write_bundle(trusted, "");
	struct tls_policy policy = {.certcheck = true, .trust_file = path};

	(void)state;
	assert_loads(policy, false, 0, 1);
	assert_loads(policy, true, 0, 1);
	policy.crl_file = crl_file;
	assert_loads(policy, false, 2, 2);
	assert_loads(policy, true, 0, 2);
	policy.crl_file = NULL;
	policy.certcheck = false;
	assert_loads(policy, false, 0, 0);
	assert_loads(policy, true, 0, 0);
	certs_remove(path);
}

/* Who asks the store itself gets all, whatever was loaded before. */
static void loads_all_when_asked(void **state)
{
	static const int trusted[] = {OTHER, ROOT, NONE},
			 chain[] = {GOOD, NONE};
	char *path = write_bundle(trusted, "");
	struct tls_policy policy = {.certcheck = true, .trust_file = path};
	struct outcome o = OUTCOME_INIT;
	struct tls_owner owner = {0};
	int times;

	(void)state;
	for (times = 0; times < 2; times++) {
		struct trust t = TRUST_INIT;

		assert_int_equal(trust_load(&t, &policy, HOST, &owner, &o), 0);
		assert_int_equal(judge(&t, chain, times).n, times);
		assert_int_equal(trust_load_all(&t, &o), 0);
		assert_int_equal(count(&t), 2);
		assert_int_equal(judge(&t, chain, 1).n, 2);
		trust_release(&t);
	}
	certs_remove(path);
}

/* The second check sees what is there then, and nothing of before. */
static void reads_anew_what_it_needs_again(void **state)
{
	static const int trusted[] = {OTHER, ROOT, NONE},
			 chain[] = {GOOD, NONE};
	static const struct {
		int trusted[MOST];
		bool is_good;
		int n;
	} later[] = {
		{{ROOT, NONE}, true, 1},
		{{OTHER, NONE}, false, 1},
		{{NAMESAKE, NONE}, false, 1},
		{{NAMESAKE, OTHER, NONE}, false, 2},
		{{NAMESAKE, ROOT, NONE}, true, 2},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(later); i++) {
		char *path = write_bundle(trusted, "");
		char *other = write_bundle(later[i].trusted, "");
		struct tls_policy policy = {.certcheck = true,
					    .trust_file = path};
		struct outcome o = OUTCOME_INIT;
		struct tls_owner owner = {0};
		struct trust t = TRUST_INIT;
		struct finding f;

		assert_int_equal(trust_load(&t, &policy, HOST, &owner, &o), 0);
		assert_int_equal(judge(&t, chain, 1).rc, 0);
		assert_int_equal(rename(other, path), 0);
		f = judge(&t, chain, 1);
		if ((f.rc == 0) != later[i].is_good || f.n != later[i].n)
			fail_msg("%zu: %d, %d loaded", i, f.rc, f.n);
		outcome_release(&f.o);
		trust_release(&t);
		certs_remove(path);
		free(other);
	}
}

/* Nor is it believed that what was there once still is. */
static void tells_that_it_is_gone(void **state)
{
	static const int trusted[] = {OTHER, ROOT, NONE},
			 chain[] = {GOOD, NONE};
	char *path = write_bundle(trusted, "");
	struct tls_policy policy = {.certcheck = true, .trust_file = path};
	struct outcome o = OUTCOME_INIT;
	struct tls_owner owner = {0};
	struct trust t = TRUST_INIT;
	struct finding f;

	(void)state;
	assert_int_equal(trust_load(&t, &policy, HOST, &owner, &o), 0);
	assert_int_equal(judge(&t, chain, 1).rc, 0);
	assert_int_equal(unlink(path), 0);
	f = judge(&t, chain, 1);
	assert_int_equal(f.rc, -1);
	assert_int_equal(f.o.cause, CAUSE_CONFIG);
	assert_non_null(strstr(f.o.text, "No such file"));
	outcome_release(&f.o);
	trust_release(&t);
	free(path);
}

/* A file that is damaged where its certificates begin is so for everybody; deep
 * in one that the chain does not need, only for who loads all. */
static void tells_of_damage(void **state)
{
	static const int trusted[] = {OTHER, ROOT, NONE},
			 chain[] = {GOOD, NONE};
	static const char stub[] = BEGIN "MAA=\n" END;
	/* names, and a key that is none */
	static const char hollow[] = BEGIN "MCcwJQIBATAAMAwxCjAIBgNVBAMM\n"
					   "AWEwADAMMQowCAYDVQQDDAFiMAA=\n" END;
	const char *const more[] = {stub, hollow};
	struct tls_owner owner = {0};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(more); i++) {
		char *path = write_bundle(trusted, more[i]);
		struct tls_policy policy = {.certcheck = true,
					    .trust_file = path};
		struct outcome all = OUTCOME_INIT, o = OUTCOME_INIT;
		struct trust t = TRUST_INIT;
		struct finding f;

		assert_int_equal(trust_load(&t, &policy, HOST, NULL, &all), -1);
		assert_int_equal(all.cause, CAUSE_CONFIG);
		trust_release(&t);
		assert_int_equal(trust_load(&t, &policy, HOST, &owner, &o), 0);
		f = judge(&t, chain, 1);
		assert_int_equal(f.rc, i == 0 ? -1 : 0);
		if (i == 0) {
			assert_int_equal(f.o.cause, all.cause);
			assert_string_equal(f.o.status, all.status);
			assert_string_equal(f.o.text, all.text);
		}
		outcome_release(&f.o);
		outcome_release(&all);
		trust_release(&t);
		certs_remove(path);
	}
}

/* The system's store is a file as any other, if that is known. */
static void reads_the_file_of_the_system(void **state)
{
	static const int chain[] = {GOOD, NONE};
	struct tls_policy policy = {.certcheck = true};
	struct outcome o = OUTCOME_INIT;
	struct tls_owner owner = {0}, *owners[] = {NULL, &owner};
	struct finding f[2];
	size_t i;

	(void)state;
	if (access(SYSTEM_TRUST_FILE, R_OK) < 0)
		return;
	for (i = 0; i < 2; i++) {
		struct trust t = TRUST_INIT;

		assert_int_equal(trust_load(&t, &policy, HOST, owners[i], &o),
				 0);
		assert_int_equal(t.is_put_off, i == 1);
		assert_int_equal(t.bundle.octets.n > 0, i == 1);
		f[i] = judge(&t, chain, 1);
		assert_int_equal(f[i].rc, -1);
		assert_false(t.is_put_off);
		trust_release(&t);
	}
	assert_int_equal(f[0].n, f[1].n);
	assert_string_equal(f[0].o.text, f[1].o.text);
	outcome_release(&f[0].o);
	outcome_release(&f[1].o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_one_or_all),
		cmocka_unit_test(loads_what_the_policy_needs),
		cmocka_unit_test(loads_all_when_asked),
		cmocka_unit_test(reads_anew_what_it_needs_again),
		cmocka_unit_test(tells_that_it_is_gone),
		cmocka_unit_test(tells_of_damage),
		cmocka_unit_test(reads_the_file_of_the_system),
	};

	return cmocka_run_group_tests(tests, make_all, free_all);
}
