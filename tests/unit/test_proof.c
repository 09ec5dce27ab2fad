/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a login would be another one. Each proof costs its rounds, so there
 * are few. */
#include "app/proof.h"

#include "base/memory.h"
#include "conf/setting.h"
#include "unit.h"

#define SECRET "correct horse/battery+staple"
#define HEX    "0123456789ABCDEF"

static void set(struct account *a, const char *name, const char *value)
{
	struct outcome o = OUTCOME_INIT;
	const struct setting *row = setting_find(view_of(name));

	assert_non_null(row);
	if (setting_apply(row, a, view_of(value), &o) < 0)
		fail_msg("%s", o.text);
}

static struct account make_account(void)
{
	struct account a = ACCOUNT_INIT;

	a.name = memory_dup("work");
	set(&a, "host", "mail.example.org");
	set(&a, "auth", "on");
	set(&a, "user", "alice");
	return a;
}

/* 16 octets of salt, a dash, 32 of a digest, in hex. */
static void is_a_line_without_the_secret(void **state)
{
	struct account a = make_account();
	char *proof = proof_make(&a, VIEW(SECRET));

	(void)state;
	assert_int_equal(strlen(proof), 32 + 1 + 64);
	assert_int_equal(strspn(proof, HEX), 32);
	assert_int_equal(proof[32], '-');
	assert_int_equal(strspn(proof + 33, HEX), 64);
	assert_true(proof_fits(&a, VIEW(SECRET), proof));
	free(proof);
	account_release(&a);
}

static void is_salted(void **state)
{
	struct account a = make_account();
	char *one = proof_make(&a, VIEW(SECRET));
	char *other = proof_make(&a, VIEW(SECRET));

	(void)state;
	assert_memory_not_equal(one, other, 32);
	assert_memory_not_equal(one + 33, other + 33, 64);
	free(one);
	free(other);
	account_release(&a);
}

static void knows_another_secret(void **state)
{
	static const char *const others[] = {"", "correct horse/battery+stapl",
					     "correct horse/battery+staple ",
					     "Correct horse/battery+staple"};
	struct account a = make_account();
	char *proof = proof_make(&a, VIEW(SECRET));
	char *none = proof_make(&a, VIEW(""));
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(others); i++)
		assert_false(proof_fits(&a, view_of(others[i]), proof));
	assert_true(proof_fits(&a, VIEW(""), none));
	assert_false(proof_fits(&a, VIEW(SECRET), none));
	free(proof);
	free(none);
	account_release(&a);
}

/* All that is said of the server, the way to it, and the login. */
static void knows_other_settings(void **state)
{
	static const struct {
		const char *name, *value;
	} others[] = {
		{"host", "mail.example.net"},
		{"port", "2525"},
		{"user", "alice2"},
		{"authzid", "bob"},
		{"auth", "login"},
		{"tls", "on"},
		{"passwordeval", "echo another"},
		{"from", "alice@example.org"},
	};
	struct account a = make_account(), b;
	char *proof = proof_make(&a, VIEW(SECRET));
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(others); i++) {
		b = make_account();
		set(&b, others[i].name, others[i].value);
		if (proof_fits(&b, VIEW(SECRET), proof))
			fail_msg("%s %s", others[i].name, others[i].value);
		account_release(&b);
	}
	b = make_account();
	assert_true(proof_fits(&b, VIEW(SECRET), proof));
	account_release(&b);
	free(proof);
	account_release(&a);
}

/* Of what stands in a file that anything may have happened to. */
static void takes_no_broken_one(void **state)
{
	struct account a = make_account();
	char *proof = proof_make(&a, VIEW(SECRET)), broken[128];
	size_t n = strlen(proof), i;

	(void)state;
	for (i = 0; i <= 32; i++) { /* without a salt nothing is computed */
		memcpy(broken, proof, i);
		broken[i] = '\0';
		assert_false(proof_fits(&a, VIEW(SECRET), broken));
		snprintf(broken, sizeof(broken), "%s", proof);
		broken[i] = 'x';
		assert_false(proof_fits(&a, VIEW(SECRET), broken));
	}
	snprintf(broken, sizeof(broken), "%.*s", (int)n - 1, proof);
	assert_false(proof_fits(&a, VIEW(SECRET), broken));
	snprintf(broken, sizeof(broken), "%.33s", proof);
	assert_false(proof_fits(&a, VIEW(SECRET), broken));
	snprintf(broken, sizeof(broken), "%s0", proof);
	assert_false(proof_fits(&a, VIEW(SECRET), broken));
	snprintf(broken, sizeof(broken), "%s", proof);
	broken[n - 1] = broken[n - 1] == '0' ? '1' : '0';
	assert_false(proof_fits(&a, VIEW(SECRET), broken));
	broken[n - 1] = proof[n - 1];
	assert_true(proof_fits(&a, VIEW(SECRET), broken));
	free(proof);
	account_release(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_a_line_without_the_secret),
		cmocka_unit_test(is_salted),
		cmocka_unit_test(knows_another_secret),
		cmocka_unit_test(knows_other_settings),
		cmocka_unit_test(takes_no_broken_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
