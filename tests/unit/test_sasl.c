/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "smtp/sasl.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/memory.h"
#include "unit.h"

/* NFD as it is typed on some machines, and NFC as it is meant. */
#define P_NFD "pa\xcc\x88ss"
#define P_NFC "p\xc3\xa4ss"

static const char *get_password(void *context, struct outcome *o)
{
	if (!context)
		fail(o, CAUSE_AUTH, "5.7.8", "there is none");
	return context;
}

/* One step whose words are in clear: `challenge` and what is said. */
static char *step(struct sasl *s, const char *challenge, struct outcome *o)
{
	struct buf coded = BUF_INIT(4096), plain = BUF_INIT(4096);
	char *response = NULL;

	if (challenge)
		encode_base64(&coded, view_of(challenge));
	if (sasl_step(s, challenge ? coded.p : NULL, &response, o) == 0)
		assert_true(decode_base64(&plain, view_of(response)));
	memory_free_secret(response);
	buf_release(&coded);
	while (strlen(plain.p) < plain.n)
		plain.p[strlen(plain.p)] = '|';
	return buf_detach(&plain);
}

/* The first things said by mechanisms that say what they know. */
static void says(void **state)
{
	static const struct {
		const char *mechanism, *user, *authzid, *password;
		const char *challenges[2]; /* NULL: the initial response */
		const char *said[2]; /* NUL is shown as | ; NULL: refused */
	} cases[] = {
		{"PLAIN", "u", NULL, "p", {NULL}, {"|u|p"}},
		{"PLAIN", "u", "z", "p q", {NULL}, {"z|u|p q"}},
		{"PLAIN", "u", NULL, P_NFD, {NULL}, {"|u|" P_NFC}},
		{"PLAIN", P_NFD, NULL, "p", {NULL}, {"|" P_NFC "|p"}},
		{"PLAIN", "u", NULL, "\xff\xfe", {NULL}, {"|u|\xff\xfe"}},
		{"PLAIN", "u", NULL, NULL, {NULL}, {NULL}},
		{"LOGIN",
		 "u",
		 NULL,
		 P_NFD,
		 {"Username:", "Password:"},
		 {"u", P_NFC}},
		{"EXTERNAL", NULL, NULL, NULL, {NULL}, {""}},
		{"EXTERNAL", NULL, "z", NULL, {NULL}, {"z"}},
		{"ANONYMOUS", NULL, NULL, NULL, {NULL}, {""}},
		{"ANONYMOUS", "me", NULL, NULL, {NULL}, {"me"}},
		{"CRAM-MD5",
		 "tim",
		 NULL,
		 "tanstaaftanstaaf",
		 {"<1896.697170952@postoffice.reston.mci.net>"},
		 {"tim b913a602c7eda7a495b4e6e7334d3890"}}, /* RFC 2195 2 */
		{"XOAUTH2",
		 "u",
		 NULL,
		 "t",
		 {NULL, "{\"status\":\"401\"}"},
		 {"user=u\x01"
		  "auth=Bearer t\x01\x01",
		  ""}},
		{"OAUTHBEARER",
		 "u",
		 "z",
		 "t",
		 {NULL, "{}"},
		 {"n,a=z,\x01host=h\x01port=25\x01"
		  "auth=Bearer t\x01\x01",
		  "\x01"}},
		{"XOAUTH2", "u", NULL, "a b", {NULL}, {NULL}},
	};
	size_t i, n;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct sasl_identity id = {
			.user = cases[i].user,
			.authzid = cases[i].authzid,
			.host = "h",
			.port = 25,
			.password = get_password,
			.context = (void *)cases[i].password,
		};
		const struct mechanism *m =
			mechanism_find(view_of(cases[i].mechanism));
		struct outcome o = OUTCOME_INIT;
		struct sasl *s = sasl_new(&id);

		assert_true(sasl_can(s, m));
		assert_int_equal(sasl_begin(s, m, NULL, &o), 0);
		for (n = 0; n < 2 && (!n || cases[i].said[n]); n++) {
			char *said = step(s, cases[i].challenges[n], &o);
			bool refused = outcome_is_failure(&o);

			if (refused != !cases[i].said[n] ||
			    (!refused && strcmp(said, cases[i].said[n]) != 0))
				fail_msg("%zu %s: %s", i, said,
					 refused ? o.text : "");
			free(said);
		}
		sasl_free(s);
		outcome_release(&o);
	}
}

static void keeps_what_is_said_of_a_token(void **state)
{
	static const struct {
		const char *challenge; /* base64 */
		const char *complaint;
	} cases[] = {
		{"eyJzdGF0dXMiOiI0MDEifQ==", "{\"status\":\"401\"}"},
		{"G1szMW1yZWQ=", "\\x1B[31mred"}, /* nothing for terminals */
		{"not base64", NULL},
		{"", NULL},
	};
	struct sasl_identity id = {.user = "u",
				   .host = "h",
				   .password = get_password,
				   .context = (char[]){"t"}};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		struct outcome o = OUTCOME_INIT;
		struct sasl *s = sasl_new(&id);
		char *response = NULL;

		assert_int_equal(sasl_begin(s, mechanism_find(VIEW("XOAUTH2")),
					    NULL, &o),
				 0);
		assert_int_equal(sasl_step(s, NULL, &response, &o), 0);
		memory_free_secret(response);
		assert_null(sasl_complaint(s));
		assert_int_equal(
			sasl_step(s, cases[i].challenge, &response, &o), 0);
		assert_string_equal(response, "");
		memory_free_secret(response);
		if (cases[i].complaint)
			assert_string_equal(sasl_complaint(s),
					    cases[i].complaint);
		else
			assert_null(sasl_complaint(s));
		sasl_free(s);
	}
}

/* What says that it is longer than it is must not be believed. */
static void believes_no_lengths(void **state)
{
	static const struct {
		const char *octets; /* 12 to 19: length twice, place */
		size_t n;
		bool ok;
	} cases[] = {
		{"\x00\x00\x00\x00\x20\x00\x00\x00", 32, true},
		{"\x00\x00\x00\x00\x00\x00\x00\x00", 32, true},
		{"\x02\x00\x02\x00\x20\x00\x00\x00", 34, true},
		{"\x02\x00\x02\x00\x20\x00\x00\x00", 33, false},
		{"\x01\x00\x01\x00\x20\x00\x00\x00", 32, false},
		{"\x00\x00\x00\x00\x21\x00\x00\x00", 32, false},
		{"\x00\x01\x00\x01\x20\x00\x00\x00", 32, false},
		{"\x01\x00\x01\x00\xff\xff\xff\xff", 32, false},
		{"\x00\x00\x00\x00\x00\x00\x00\x00", 31, false},
		{"\x00\x00\x00\x00\x00\x00\x00\x00", 0, false},
	};
	struct sasl_identity id = {.user = "u",
				   .host = "h",
				   .password = get_password,
				   .context = (char[]){"p"}};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		char message[64] = "NTLMSSP\0\2";
		struct buf coded = BUF_INIT(4096);
		struct outcome o = OUTCOME_INIT;
		struct sasl *s = sasl_new(&id);
		char *response = NULL;

		memcpy(message + 12, cases[i].octets, 8);
		encode_base64(&coded, view_make(message, cases[i].n));
		assert_int_equal(sasl_begin(s, mechanism_find(VIEW("NTLM")),
					    NULL, &o),
				 0);
		assert_int_equal(sasl_step(s, NULL, &response, &o), 0);
		memory_free_secret(response);
		response = NULL;
		if ((sasl_step(s, coded.p, &response, &o) == 0) != cases[i].ok)
			fail_msg("%zu %s", i, o.text ? o.text : "");
		memory_free_secret(response);
		outcome_release(&o);
		buf_release(&coded);
		sasl_free(s);
	}
}

/* SCRAM without a channel says that it could not have bound to one. */
static void names_the_channel(void **state)
{
	struct sasl_identity id = {.user = "u,=",
				   .authzid = "z",
				   .host = "h",
				   .password = get_password,
				   .context = (char[]){"p"}};
	struct outcome o = OUTCOME_INIT;
	struct sasl *s = sasl_new(&id);
	char *said;

	(void)state;
	assert_int_equal(sasl_begin(s, mechanism_find(VIEW("SCRAM-SHA-256")),
				    NULL, &o),
			 0);
	said = step(s, NULL, &o);
	assert_int_equal(strncmp(said, "n,a=z,n=u=2C=3D,r=", 18), 0);
	assert_false(sasl_is_done(s));
	free(said);
	assert_int_equal(sasl_begin(s, mechanism_find(VIEW("SCRAM-SHA-1-PLUS")),
				    NULL, &o),
			 -1);
	assert_int_equal(o.cause, CAUSE_AUTH);
	outcome_release(&o);
	sasl_free(s);
	sasl_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says),
		cmocka_unit_test(keeps_what_is_said_of_a_token),
		cmocka_unit_test(believes_no_lengths),
		cmocka_unit_test(names_the_channel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
