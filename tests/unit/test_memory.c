/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory for secrets: wiped, apart, and not a child's. */
#include "base/memory.h"

#include <malloc.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/vault.h"
#include "conf/shield.h"
#include "unit.h"

/* The sanitizers keep what was freed, to watch it; glibc alone overwrites. */
#if defined(WITH_SANITIZERS) || !defined(M_PERTURB)
static const bool overwrites_freed = false;
#else
static const bool overwrites_freed = true;
#endif

#ifdef WITH_SANITIZERS
static const int stays_open = 1;
#else
static const int stays_open = 0;
#endif

/* Does /proc/self/smaps have this flag for the pages with p? */
static bool has_flag(const void *p, const char *flag)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	unsigned long first, end;
	bool is_here = false, has = false;
	char line[1024];

	assert_non_null(file);
	while (!has && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx ", &first, &end) == 2)
			is_here = (unsigned long)p >= first &&
				(unsigned long)p < end;
		else if (is_here && !strncmp(line, "VmFlags:", 8))
			has = strstr(line, flag) != NULL;
	}
	fclose(file);
	return has;
}

static bool is_zero(const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static void keeps_pages_apart(void **state)
{
	static const size_t sizes[] = {1, 100, 60000, 65535, 65536, 1u << 20};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(sizes); i++) {
		char *p = memory_alloc_secret(sizes[i]);

		assert_true(is_zero(p, sizes[i]));
		memset(p, 'x', sizes[i]);
		assert_true(has_flag(p, " dd"));
		assert_true(has_flag(p, " wf"));
		assert_true(has_flag(p, " lo"));
		assert_true(has_flag(p + sizes[i] - 1, " dd"));
		memory_free_secret(p);
	}
	assert_int_equal(vault_count(), 0);
}

/* A limit on locked memory is no failure. */
static void does_without_a_lock(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (!child) {
		const struct rlimit none = {0, 0};
		char *p;

		if (setrlimit(RLIMIT_MEMLOCK, &none) < 0 ||
		    (geteuid() == 0 && setuid(65534) < 0))
			_exit(1);
		prctl(PR_SET_DUMPABLE, 1L, 0L, 0L, 0L); /* for smaps */
		p = memory_alloc_secret(1u << 20);
		p[0] = 'x';
		_exit(!has_flag(p, " dd") || has_flag(p, " lo") ? 2 : 0);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

/* The memory is the vault's own, so a look at it afterwards is allowed, as
 * long as another secret keeps its pages; but the sanitizers do not know. */
__attribute__((no_sanitize("address"))) static bool
is_wiped(const volatile char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

/* The same for freed blocks of malloc's: more than eight of the octets in a
 * row, as glibc leaves the last eight of a block. */
__attribute__((no_sanitize("address"))) static bool
has_run(const volatile char *p, size_t n)
{
	size_t i, run = 0;

	for (i = 0; i < n && run < 9; i++)
		run = p[i] == 'S' ? run + 1 : 0;
	return run == 9;
}

static void wipes_what_is_given_back(void **state)
{
	static const size_t sizes[] = {1, 63, 64, 65, 1000, 60000};
	char *other = memory_alloc_secret(1);
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(sizes); i++) {
		char *p = memory_alloc_secret(sizes[i]);

		memset(p, 'x', sizes[i]);
		memory_free_secret(p);
		assert_true(is_wiped(p, sizes[i]));
	}
	memory_free_secret(other);
}

/* Also what grew out of its place, and what is behind an early NUL. */
static void wipes_bufs(void **state)
{
	char *other = memory_alloc_secret(1);
	struct buf b = BUF_INIT_SECRET(1u << 20);
	char *places[20];
	size_t caps[20], n = 0, i;

	(void)state;
	buf_add(&b, "\0secret", 7);
	for (i = 0; i < 30000; i++) {
		if (!n || places[n - 1] != b.p) {
			places[n] = b.p;
			caps[n++] = b.cap;
		}
		buf_add_char(&b, 'x');
	}
	assert_true(n > 5);
	for (i = 0; i + 1 < n; i++)
		assert_true(is_wiped(places[i], caps[i]));
	buf_release(&b);
	assert_true(is_wiped(places[n - 1], caps[n - 1]));
	assert_int_equal(vault_count(), 1);
	memory_free_secret(other);
}

static void frees_both_kinds(void **state)
{
	struct buf b = BUF_INIT_SECRET(100);
	char *text;

	(void)state;
	memory_free_secret(NULL);
	memory_free_secret(memory_dup("on the heap"));
	memory_free_secret(memory_dup_secret("in the vault", 12));
	text = buf_detach(&b);
	assert_string_equal(text, "");
	memory_free_secret(text);
	buf_add_text(&b, "in the vault");
	text = buf_detach(&b);
	assert_string_equal(text, "in the vault");
	assert_int_equal(b.cap, 0);
	memory_free_secret(text);
	assert_int_equal(vault_count(), 0);
}

/* Many of all sizes, freed in another order: none overlaps another. */
static void keeps_many(void **state)
{
	enum { MANY = 5000 };
	static char *p[MANY];
	static size_t sizes[MANY];
	unsigned seed = 1;
	size_t round, i, k;

	(void)state;
	for (round = 0; round < 20000; round++) {
		seed = seed * 1103515245u + 12345u;
		i = (seed >> 8) % MANY;
		if (p[i]) {
			for (k = 0; k < sizes[i]; k++)
				if (p[i][k] != (char)i)
					fail_msg("%zu at %zu", i, k);
			memory_free_secret(p[i]);
			p[i] = NULL;
			continue;
		}
		sizes[i] = (seed >> 4) % 700;
		if (seed % 977 == 0)
			sizes[i] = 60000 + seed % 10000;
		p[i] = memory_alloc_secret(sizes[i]);
		if (!is_zero(p[i], sizes[i]))
			fail_msg("%zu is not zero", i);
		memset(p[i], (int)i, sizes[i]);
	}
	for (i = 0; i < MANY; i++)
		memory_free_secret(p[i]);
	assert_int_equal(vault_count(), 0);
}

static void leaves_nothing_to_a_child(void **state)
{
	char *secret = memory_dup_secret("secret", 6);
	char *large = memory_alloc_secret(1u << 20);
	pid_t child;
	int status;

	(void)state;
	memset(large, 'x', 1u << 20);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		char *again = memory_dup_secret("again", 5);
		bool ok = is_zero(secret, 7) && is_zero(large, 1u << 20) &&
			again != secret && !strcmp(again, "again");

		memory_free_secret(secret);
		memory_free_secret(large);
		memory_free_secret(again);
		_exit(ok && vault_count() == 0 ? 0 : 1);
	}
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	assert_string_equal(secret, "secret");
	memory_free_secret(secret);
	memory_free_secret(large);
}

/* In a child, since it is for good. */
static void closes_the_process(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (!child) {
		memory_close_process();
		_exit(prctl(PR_GET_DUMPABLE, 0L, 0L, 0L, 0L));
	}
	waitpid(child, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), stays_open);
}

static void shields_every_octet(void **state)
{
	struct buf plain = BUF_INIT(4096), again = BUF_INIT_SECRET(4096);
	char *shielded, *other;
	int i;

	(void)state;
	for (i = 0; i < 600; i++)
		buf_add_char(&plain, (char)(i % 255 + 1));
	shielded = shield_close(buf_view(&plain));
	other = shield_close(buf_view(&plain));
	assert_int_equal(strlen(shielded), plain.n);
	assert_string_equal(shielded, other);
	assert_null(memmem(shielded, plain.n, plain.p + 100, 8));
	buf_add_char(&again, '>');
	shield_open(shielded, &again);
	assert_int_equal(again.n, plain.n + 1);
	assert_string_equal(again.p + 1, plain.p);
	memory_free_secret(shielded);
	memory_free_secret(other);
	shielded = shield_close(VIEW(""));
	assert_string_equal(shielded, "");
	memory_free_secret(shielded);
	buf_release(&plain);
	buf_release(&again);
}

/* Nothing that was freed meanwhile can be read, of any size. */
static void scrubs_what_was_freed(void **state)
{
	enum { SIZES = 40, EACH = 9 };
	static char *p[SIZES][EACH];
	size_t i, k;

	(void)state;
	memory_watch_heap();
	for (i = 0; i < SIZES; i++)
		for (k = 0; k < EACH; k++) {
			p[i][k] = memory_alloc(24 + i * 16);
			memset(p[i][k], 'S', 24 + i * 16);
		}
	for (i = 0; i < SIZES; i++)
		for (k = 0; k < EACH; k++)
			free(p[i][k]);
	memory_scrub(SIZES * 16);
	for (i = 0; i < SIZES; i++)
		for (k = 0; k < EACH; k++)
			assert_false(overwrites_freed &&
				     has_run(p[i][k], 24 + i * 16));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_pages_apart),
		cmocka_unit_test(does_without_a_lock),
		cmocka_unit_test(wipes_what_is_given_back),
		cmocka_unit_test(wipes_bufs),
		cmocka_unit_test(frees_both_kinds),
		cmocka_unit_test(keeps_many),
		cmocka_unit_test(leaves_nothing_to_a_child),
		cmocka_unit_test(closes_the_process),
		cmocka_unit_test(shields_every_octet),
		cmocka_unit_test(scrubs_what_was_freed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
