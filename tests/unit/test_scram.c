/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp/scram.h"

#include "unit.h"

#define LIMIT 4096u

#define NONCE_1   "fyko+d2lbbFgONRv9qkxdawL"
#define SERVERS_1 NONCE_1 "3rfcNHYJY1ZVvWVs7j"
#define FIRST_1   "r=" SERVERS_1 ",s=QSXCR+Q6sek8bf92,i=4096"
#define NONCE_256 "rOprNGfwEbeRWgbNEkqO"
#define SERVERS_256 \
	NONCE_256   \
	"%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define FIRST_256 "r=" SERVERS_256 ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"

/* The examples of RFC 5802 5 and RFC 7677 3. */
static void speaks_like_the_examples(void **state)
{
	static const struct {
		const char *mechanism, *nonce;
		const char *first, *challenge, *final, *proof;
	} cases[] = {
		{"SCRAM-SHA-1", NONCE_1, "n,,n=user,r=" NONCE_1, FIRST_1,
		 "c=biws,r=" SERVERS_1 ",p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
		 "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="},
		{"SCRAM-SHA-256", NONCE_256, "n,,n=user,r=" NONCE_256,
		 FIRST_256,
		 "c=biws,r=" SERVERS_256
		 ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		 "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct scram_request r = {.mechanism = cases[i].mechanism,
					  .user = "user",
					  .nonce = cases[i].nonce};
		struct scram *s = scram_new(&r);
		struct buf first = BUF_INIT_SECRET(LIMIT);
		struct buf final = BUF_INIT_SECRET(LIMIT);
		struct outcome o = OUTCOME_INIT;

		scram_begin(s, &first);
		assert_string_equal(first.p, cases[i].first);
		assert_int_equal(scram_verify(s, view_of(cases[i].proof), &o),
				 -1); /* not before we have answered */
		assert_int_equal(scram_answer(s, view_of(cases[i].challenge),
					      "pencil", &final, &o),
				 0);
		assert_string_equal(final.p, cases[i].final);
		assert_int_equal(scram_verify(s, view_of(cases[i].proof), &o),
				 0);
		outcome_release(&o);
		buf_release(&first);
		buf_release(&final);
		scram_free(s);
	}
	scram_free(NULL);
}

static void names_user_and_channel(void **state)
{
	static const struct {
		struct scram_request r;
		const char *first;
		const char *channel; /* c= of the final message */
	} cases[] = {
		{{.user = "u", .binding = SCRAM_ABLE}, "y,,n=u,r=N", "c=eSws,"},
		{{.user = "a,=b", .authzid = "z=,"},
		 "n,a=z=3D=2C,n=a=2C=3Db,r=N",
		 "c=bixhPXo9M0Q9MkMs,"},
		{{.user = "u",
		  .binding = SCRAM_BOUND,
		  .binding_type = "tls-exporter",
		  .binding_octets = {"\x00\x01\xff", 3}},
		 "p=tls-exporter,,n=u,r=N",
		 "c=cD10bHMtZXhwb3J0ZXIsLAAB/w==,"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct scram_request r = cases[i].r;
		struct buf first = BUF_INIT_SECRET(LIMIT);
		struct buf final = BUF_INIT_SECRET(LIMIT);
		struct outcome o = OUTCOME_INIT;
		struct scram *s;

		r.mechanism = "SCRAM-SHA-256-PLUS";
		r.nonce = "N";
		s = scram_new(&r);
		scram_begin(s, &first);
		assert_string_equal(first.p, cases[i].first);
		assert_int_equal(scram_answer(s, VIEW("r=Nx,s=QQ==,i=4096"),
					      "p", &final, &o),
				 0);
		assert_int_equal(strncmp(final.p, cases[i].channel,
					 strlen(cases[i].channel)),
				 0);
		buf_release(&first);
		buf_release(&final);
		scram_free(s);
	}
}

static void refuses_challenges(void **state)
{
	static const struct {
		const char *challenge, *words;
	} cases[] = {
		{"", "cannot be read"},
		{"r=Nx", "cannot be read"},
		{"r=Nx,s=QQ==", "cannot be read"},
		{"r=Nx,s=QQ==,i=", "cannot be read"},
		{"r=Nx,s=QQ==,i=-4096", "cannot be read"},
		{"r=Nx,s=QQ==,i=99999999999", "cannot be read"},
		{"r=Nx,s=,i=4096", "cannot be read"},
		{"r=Nx,s=!,i=4096", "cannot be read"},
		{"s=QQ==,r=Nx,i=4096", "cannot be read"},
		{"r=N x,s=QQ==,i=4096", "cannot be read"},
		{"r=N\xa4x,s=QQ==,i=4096", "cannot be read"},
		{"m=x,r=Nx,s=QQ==,i=4096", "extension"},
		{"r=N,s=QQ==,i=4096", "not an answer"},
		{"r=Mx,s=QQ==,i=4096", "not an answer"},
		{"r=,s=QQ==,i=4096", "not an answer"},
		{"r=Nx,s=QQ==,i=4095", "too weak"},
		{"r=Nx,s=QQ==,i=0", "too weak"},
		{"r=Nx,s=QQ==,i=1000001", "too long"},
	};
	struct scram_request r = {
		.mechanism = "SCRAM-SHA-1", .user = "u", .nonce = "N"};
	struct scram *s = scram_new(&r);
	struct buf out = BUF_INIT_SECRET(LIMIT);
	struct outcome o = OUTCOME_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		assert_int_equal(scram_answer(s, view_of(cases[i].challenge),
					      "p", &out, &o),
				 -1);
		if (!strstr(o.text, cases[i].words) || out.n)
			fail_msg("%s: %s", cases[i].challenge, o.text);
		outcome_release(&o);
	}
	/* what comes behind is not ours */
	assert_int_equal(scram_answer(s, VIEW("r=Nx,s=QQ==,i=4096,x=y"), "p",
				      &out, &o),
			 0);
	buf_release(&out);
	scram_free(s);
}

static void refuses_proofs(void **state)
{
	static const struct {
		const char *final, *words;
	} cases[] = {
		{"", "does not prove"},
		{"v=", "does not prove"},
		{"v=rmF9pqV8S7suAoZWja4dJRkFsKU=", "does not prove"},
		{"v=rmF9pqV8S7suAoZWja4dJRkFsKQ", "does not prove"},
		{"v=rmF9pqV8S7suAoZWja4dJRkFsKQA", "does not prove"},
		{"v=rmF9", "does not prove"},
		{"e=unknown-user", "reports: unknown-user"},
		{"e=\x1b[31m", "reports: \\x1B[31m"},
	};
	struct scram_request r = {
		.mechanism = "SCRAM-SHA-1", .user = "user", .nonce = NONCE_1};
	struct scram *s = scram_new(&r);
	struct buf out = BUF_INIT_SECRET(LIMIT);
	struct outcome o = OUTCOME_INIT;
	size_t i;

	(void)state;
	assert_int_equal(scram_answer(s, VIEW(FIRST_1), "pencil", &out, &o), 0);
	for (i = 0; i < N_OF(cases); i++) {
		assert_int_equal(scram_verify(s, view_of(cases[i].final), &o),
				 -1);
		if (!strstr(o.text, cases[i].words))
			fail_msg("%s: %s", cases[i].final, o.text);
		outcome_release(&o);
	}
	buf_release(&out);
	scram_free(s);
}

static void is_never_the_same(void **state)
{
	struct scram_request r = {.mechanism = "SCRAM-SHA-1", .user = "u"};
	struct buf a = BUF_INIT_SECRET(LIMIT), b = BUF_INIT_SECRET(LIMIT);
	struct scram *s = scram_new(&r), *t = scram_new(&r);

	(void)state;
	scram_begin(s, &a);
	scram_begin(t, &b);
	assert_int_equal(a.n, strlen("n,,n=u,r=") + 24);
	assert_string_not_equal(a.p, b.p);
	buf_release(&a);
	buf_release(&b);
	scram_free(s);
	scram_free(t);
	assert_true(scram_is_one("SCRAM-SHA-1-PLUS"));
	assert_false(scram_is_one("SCRAM-SHA-512"));
	assert_false(scram_is_one("PLAIN"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speaks_like_the_examples),
		cmocka_unit_test(names_user_and_channel),
		cmocka_unit_test(refuses_challenges),
		cmocka_unit_test(refuses_proofs),
		cmocka_unit_test(is_never_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
