/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SASL_OPTIONS_H
#define SASL_OPTIONS_H

#include <stdbool.h>

/* What the server is and does; `peer --help` prints what each one means. What
 * was not given is NULL. */
struct options {
	const char *cert, *key, *ca;
	const char *tls;
	const char *starttls, *implicit, *clear; /* one of them */
	const char *mechanisms, *before_tls, *auth_equals;
	const char *user, *password, *token, *authzid, *realm, *domain;
	const char *iterations, *tamper_binding, *signature, *final_in_235;
	const char *challenges, *fail, *first_raw, *first_words, *last_words,
		*json, *json_raw;
	const char *answers[16]; /* MECHANISM=REPLY */
	int n_answers;
};

/* false: what was wrong, or the help, has been printed. */
bool options_read(struct options *o, int argc, char **argv);

#endif
