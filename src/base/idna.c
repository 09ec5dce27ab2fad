/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Domains in ASCII. A name that is ASCII already is only checked: names that
 * IDNA would not have, such as r3---x.example or _dmarc.example, are in use.
 */
#include "base/idna.h"

#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/library.h"
#include "base/memory.h"
#include "base/text.h"

#define DOMAIN_MAX 253   /* octets, without the root's dot */
#define LABEL_MAX  63    /* octets */
#define INPUT_MAX  2048u /* octets; no longer U-labels make 253 octets */

/* What is used of GNU IDN2. */
static struct {
	__typeof__(&idn2_to_ascii_8z) to_ascii_8z;
	__typeof__(&idn2_free) free;
	__typeof__(&idn2_strerror) strerror;
	__typeof__(&idn2_check_version) check_version;
} calls;

static const char *const names[] = {"idn2_to_ascii_8z", "idn2_free",
				    "idn2_strerror", "idn2_check_version"};

static struct library library = {IDN2_SONAME, names, 4, &calls, false};

LIBRARY_NOTE("idn", "domains that are not ASCII", "required", IDN2_SONAME);

static bool is_label_octet(char c)
{
	return text_is_alpha(c) || text_is_digit(c) || c == '-' || c == '_';
}

/* What is wrong with one label; NULL: nothing. */
static const char *label_fault(struct view label)
{
	size_t i;

	if (!label.n)
		return "an empty label";
	if (label.n > LABEL_MAX)
		return "a label of more than 63 octets";
	for (i = 0; i < label.n; i++)
		if (!is_label_octet(label.p[i]))
			return "a character that no host name has";
	if (label.p[0] == '-' || label.p[label.n - 1] == '-')
		return "a label with a hyphen at its end";
	return NULL;
}

static const char *domain_fault(struct view domain)
{
	const char *dot, *fault;
	struct view label;

	if (!domain.n)
		return "no domain";
	if (domain.n > DOMAIN_MAX)
		return "more than 253 octets";
	do {
		dot = memchr(domain.p, '.', domain.n);
		label = view_make(domain.p,
				  dot ? (size_t)(dot - domain.p) : domain.n);
		fault = label_fault(label);
		domain = view_skip(domain, label.n + 1);
	} while (!fault && dot);
	return fault;
}

/* U-labels to A-labels; NULL and what is wrong with them. */
static char *to_alabels(struct view domain, const char **fault)
{
	char *input = memory_dup_n(domain.p, domain.n);
	char *output = NULL, *copy = NULL;
	int rc;

	library_need(&library);
	rc = calls.to_ascii_8z(input, &output,
			       IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc == IDN2_OK)
		copy = memory_dup(output);
	else
		*fault = calls.strerror(rc);
	calls.free(output);
	free(input);
	return copy;
}

static char *to_lower(struct view domain)
{
	char *copy = memory_dup_n(domain.p, domain.n);
	size_t i;

	for (i = 0; i < domain.n; i++)
		copy[i] = text_lower(copy[i]);
	return copy;
}

/* NULL and what is wrong. */
static char *convert(struct view domain, const char **fault)
{
	char *ascii;
	size_t n;

	if (domain.n > INPUT_MAX)
		*fault = "more than 253 octets";
	else if (memchr(domain.p, '\0', domain.n))
		*fault = "a NUL";
	if (*fault)
		return NULL;
	ascii = view_has_8bit(domain) ? to_alabels(domain, fault)
				      : to_lower(domain);
	if (!ascii)
		return NULL;
	n = strlen(ascii);
	if (n > 1 && ascii[n - 1] == '.')
		ascii[n - 1] = '\0';
	*fault = domain_fault(view_of(ascii));
	if (*fault) {
		free(ascii);
		return NULL;
	}
	return ascii;
}

char *idna_to_ascii(struct view domain, struct outcome *o)
{
	struct buf shown = BUF_INIT(1024);
	const char *fault = NULL;
	char *ascii = convert(domain, &fault);

	if (!ascii) {
		text_add_printable(&shown,
				   view_make(domain.p,
					     domain.n < 200 ? domain.n : 200));
		fail(o, CAUSE_CONFIG, "5.1.3", "\"%s\" is no domain: %s",
		     shown.p, fault);
		buf_release(&shown);
	}
	return ascii;
}

char *idna_host_to_ascii(const char *host, struct outcome *o)
{
	char *name = idna_to_ascii(view_of(host), o);

	if (!name) {
		o->cause = CAUSE_CONFIG;
		snprintf(o->status, sizeof(o->status), "5.3.5");
	}
	return name;
}

const char *idna_version(void)
{
	library_need(&library);
	return calls.check_version(NULL);
}
