/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One row for each option; an option without a word for its value is a flag. */
#include "sasl/options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct row {
	const char *name;
	const char *value; /* what to call it; NULL: a flag */
	size_t offset;
	const char *help;
} rows[] = {
	{"cert", "FILE", offsetof(struct options, cert),
	 "our certificate with its chain, PEM"},
	{"key", "FILE", offsetof(struct options, key), "its key"},
	{"ca", "FILE", offsetof(struct options, ca),
	 "ask clients for a certificate by this authority"},
	{"tls", "1.2|1.3", offsetof(struct options, tls), "no other version"},
	{"starttls", NULL, offsetof(struct options, starttls),
	 "TLS by STARTTLS"},
	{"implicit", NULL, offsetof(struct options, implicit),
	 "TLS from the first octet"},
	{"clear", NULL, offsetof(struct options, clear), "no TLS"},
	{"mechanisms", "LIST", offsetof(struct options, mechanisms),
	 "what AUTH offers, under TLS or with --clear"},
	{"before-tls", "LIST", offsetof(struct options, before_tls),
	 "what AUTH offers before STARTTLS"},
	{"auth-equals", NULL, offsetof(struct options, auth_equals),
	 "write AUTH=LIST for AUTH LIST"},
	{"user", "NAME", offsetof(struct options, user), "the one account"},
	{"password", "OCTETS", offsetof(struct options, password),
	 "its password, as SASLprep makes it"},
	{"token", "TEXT", offsetof(struct options, token),
	 "its OAuth 2.0 bearer token"},
	{"authzid", "NAME", offsetof(struct options, authzid),
	 "for whom the account may act besides itself"},
	{"realm", "NAME", offsetof(struct options, realm),
	 "the realm of DIGEST-MD5"},
	{"domain", "NAME", offsetof(struct options, domain),
	 "the domain of NTLM"},
	{"iterations", "N", offsetof(struct options, iterations),
	 "of SCRAM's key"},
	{"tamper-binding", NULL, offsetof(struct options, tamper_binding),
	 "bind to another channel, as if a third were between"},
	{"signature", "wrong|missing", offsetof(struct options, signature),
	 "what becomes of the server's own proof"},
	{"final-in-235", NULL, offsetof(struct options, final_in_235),
	 "send the server's last words with the 235"},
	{"challenges", "N", offsetof(struct options, challenges),
	 "ask this often for more when all is said"},
	{"first-raw", "TEXT", offsetof(struct options, first_raw),
	 "what the first challenge is, as it stands"},
	{"first-words", "TEXT", offsetof(struct options, first_words),
	 "the same of SCRAM, in clear; @ is the nonce of both"},
	{"last-words", "TEXT", offsetof(struct options, last_words),
	 "the server's proof in SCRAM; @ is the right one"},
	{"fail", "REPLY", offsetof(struct options, fail),
	 "what wrong credentials are answered with; may have lines"},
	{"json", "TEXT", offsetof(struct options, json),
	 "what OAUTHBEARER and XOAUTH2 say of a wrong token"},
	{"json-raw", "TEXT", offsetof(struct options, json_raw),
	 "the same as it stands, not in base64"},
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static bool help(void)
{
	size_t i;

	puts("usage: peer --starttls|--implicit|--clear [option]...\n");
	for (i = 0; i < N_ROWS; i++)
		printf("  --%s %s\n        %s\n", rows[i].name,
		       rows[i].value ? rows[i].value : "", rows[i].help);
	puts("  --answer MECHANISM=REPLY\n"
	     "        answer AUTH with this mechanism at once; repeatable");
	return false;
}

static const char **member(struct options *o, const struct row *row)
{
	return (const char **)(void *)((char *)o + row->offset);
}

static const struct row *find(const char *word)
{
	size_t i;

	for (i = 0; i < N_ROWS; i++)
		if (strncmp(word, "--", 2) == 0 &&
		    strcmp(word + 2, rows[i].name) == 0)
			return &rows[i];
	return NULL;
}

static bool add_answer(struct options *o, const char *value)
{
	if (!value || !strchr(value, '=') || o->n_answers == 16)
		return false;
	o->answers[o->n_answers++] = value;
	return true;
}

bool options_read(struct options *o, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		const struct row *row = find(argv[i]);

		if (strcmp(argv[i], "--answer") == 0) {
			if (!add_answer(o, argv[++i]))
				return help();
			continue;
		}
		if (!row || (row->value && i + 1 == argc))
			return help();
		*member(o, row) = row->value ? argv[++i] : "";
	}
	if (!o->starttls + !o->implicit + !o->clear != 2)
		return help();
	return true;
}
