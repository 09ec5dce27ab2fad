/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A body comes back as it was stored, in memory or in a file. */
#include "mail/store.h"

#include <signal.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "unit.h"

static char octet_at(uint64_t offset)
{
	return (char)(offset * 7 + offset / 251);
}

static void append(struct store *s, uint64_t from, size_t n)
{
	struct outcome o = OUTCOME_INIT;
	char *octets = malloc(n + 1);
	size_t i;

	for (i = 0; i < n; i++)
		octets[i] = octet_at(from + i);
	assert_int_equal(store_append(s, octets, n, &o), 0);
	free(octets);
}

static void check(const struct store *s, uint64_t size, size_t step)
{
	struct outcome o = OUTCOME_INIT;
	char *octets = malloc(step);
	uint64_t at = 0;
	ptrdiff_t got, i;

	assert_int_equal(store_size(s), size);
	while ((got = store_read(s, at, octets, step, &o)) > 0) {
		assert_true((size_t)got <= step);
		for (i = 0; i < got; i++)
			assert_int_equal(octets[i], octet_at(at + (uint64_t)i));
		at += (uint64_t)got;
	}
	assert_int_equal(got, 0);
	assert_int_equal(at, size);
	assert_int_equal(store_read(s, size + 1, octets, step, &o), 0);
	free(octets);
}

static void keeps_every_octet(void **state)
{
	static const size_t limits[] = {0, 1, 10, 64, 1000};
	static const size_t sizes[] = {0, 1, 9, 10, 11, 63, 64, 65, 128, 5000};
	static const size_t steps[] = {1, 7, 64, 10000};
	size_t l, n, a, step;

	(void)state;
	for (l = 0; l < N_OF(limits); l++)
		for (n = 0; n < N_OF(sizes); n++)
			for (step = 0; step < N_OF(steps); step++) {
				struct store *s = store_new(limits[l]);

				for (a = 0; a < sizes[n]; a += steps[step])
					append(s, a,
					       sizes[n] - a < steps[step]
						       ? sizes[n] - a
						       : steps[step]);
				check(s, sizes[n], 1);
				check(s, sizes[n], 64);
				check(s, sizes[n], 9999);
				store_free(s);
			}
}

static void can_be_read_while_it_grows(void **state)
{
	struct store *s = store_new(100);
	uint64_t size = 0;
	size_t n;

	(void)state;
	for (n = 0; n < 60; n++) {
		append(s, size, n);
		size += n;
		check(s, size, 50);
	}
	store_free(s);
	store_free(NULL);
}

/* What is large goes to the file by itself, but not ahead of what waits. */
static void large_pieces_keep_their_place(void **state)
{
	static const size_t sizes[] = {70000, 70000, 10,    40000, 40000, 90000,
				       90000, 5,     32768, 32767, 90000, 1};
	struct store *s = store_new(100000);
	uint64_t size = 0;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(sizes); i++) {
		append(s, size, sizes[i]);
		size += sizes[i];
		check(s, size, 9999);
	}
	store_free(s);
}

/* What does not fit the disk is a temporary failure. */
static void says_when_it_cannot_write(void **state)
{
	static char block[65536];
	struct rlimit old, small = {1 << 20, 1 << 20};
	struct outcome o = OUTCOME_INIT;
	struct store *s = store_new(1000);
	int i, rc = 0;

	(void)state;
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	for (i = 0; i < 32 && rc == 0; i++)
		rc = store_append(s, block, sizeof(block), &o);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(rc, -1);
	assert_int_equal(o.cause, CAUSE_SYSTEM);
	assert_true(outcome_is_temporary(&o));
	outcome_release(&o);
	store_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_every_octet),
		cmocka_unit_test(can_be_read_while_it_grows),
		cmocka_unit_test(large_pieces_keep_their_place),
		cmocka_unit_test(says_when_it_cannot_write),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
