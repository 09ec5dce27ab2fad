/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_NAMES_H
#define TESTS_UNIT_NAMES_H

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <unistd.h>

#include "unit.h"

/*
 * A resolver of our own in front of the system's: it knows the names of
 * fake_names, which the test defines, and passes literal addresses on. So
 * nothing depends on a network.
 */
struct fake_name {
	const char *name;
	int error;        /* EAI_…; 0: the addresses */
	int error_number; /* errno, with EAI_SYSTEM */
	const char *addresses[8];
	enum { ANSWERS, SLEEPS, DIES } manner;
};

extern const struct fake_name fake_names[]; /* ends with name NULL */

typedef int fake_get(const char *name, const char *service,
		     const struct addrinfo *hints, struct addrinfo **found);
typedef void fake_free(struct addrinfo *found);

static int fake_answer(const struct fake_name *fake, const char *service,
		       const struct addrinfo *hints, struct addrinfo **found)
{
	fake_get *real = (fake_get *)dlsym(RTLD_NEXT, "getaddrinfo");
	struct addrinfo literal = *hints;
	size_t i;

	*found = NULL;
	literal.ai_flags |= AI_NUMERICHOST;
	for (i = 0; i < N_OF(fake->addresses) && fake->addresses[i]; i++) {
		if (real(fake->addresses[i], service, &literal, found) != 0)
			return EAI_FAIL;
		while (*found)
			found = &(*found)->ai_next;
	}
	return 0;
}

int getaddrinfo(const char *name, const char *service,
		const struct addrinfo *hints, struct addrinfo **found)
{
	fake_get *real = (fake_get *)dlsym(RTLD_NEXT, "getaddrinfo");
	const struct fake_name *fake;

	if (hints->ai_flags & AI_NUMERICHOST)
		return real(name, service, hints, found);
	for (fake = fake_names; fake->name; fake++) {
		if (strcmp(fake->name, name) != 0)
			continue;
		while (fake->manner == SLEEPS)
			pause();
		if (fake->manner == DIES)
			kill(getpid(), SIGKILL);
		errno = fake->error_number;
		if (fake->error)
			return fake->error;
		return fake_answer(fake, service, hints, found);
	}
	return EAI_NONAME;
}

/* A list of ours is several of the real one's. */
void freeaddrinfo(struct addrinfo *found)
{
	fake_free *real = (fake_free *)dlsym(RTLD_NEXT, "freeaddrinfo");
	struct addrinfo *next;

	for (; found; found = next) {
		next = found->ai_next;
		found->ai_next = NULL;
		real(found);
	}
}

#endif
