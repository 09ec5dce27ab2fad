/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A digest instead of what may not be written down. */
#include "app/proof.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/gnutls.h"
#include "base/memory.h"
#include "base/text.h"
#include "conf/secret.h"
#include "conf/setting.h"

#define ROUNDS     200000u /* some tenths of a second for who guesses */
#define SALT       16u     /* octets */
#define DIGEST     32u     /* octets */
#define TEXT_LIMIT (1u << 20)
#define DASH       '-' /* between salt and digest, both in hex */

/* The settings as they would be written, and the secret. */
static void describe(const struct account *a, struct view secret,
		     struct buf *out)
{
	struct buf value = BUF_INIT(TEXT_LIMIT);
	size_t i;

	for (i = 0; i < settings_n; i++) {
		buf_clear(&value);
		if (settings[i].instead)
			continue;
		setting_print(&settings[i], a, &value);
		buf_printf(out, "%s %s\n", settings[i].name, value.p);
	}
	buf_add_view(out, secret);
	buf_release(&value);
}

static char *make_with(const struct account *a, struct view secret,
		       struct view salt)
{
	struct buf text = BUF_INIT_SECRET(2 * TEXT_LIMIT);
	struct buf proof = BUF_INIT(2 * (SALT + DIGEST) + 1);
	unsigned char digest[DIGEST] = {0};
	gnutls_datum_t key,
		salted = {(unsigned char *)salt.p, (unsigned)salt.n};

	describe(a, secret, &text);
	key = (gnutls_datum_t){(unsigned char *)text.p, (unsigned)text.n};
	encode_hex(&proof, salt, '\0');
	buf_add_char(&proof, DASH);
	if (gnutls_pbkdf2(GNUTLS_MAC_SHA256, &key, &salted, ROUNDS, digest,
			  DIGEST) == 0)
		encode_hex(&proof, view_make((char *)digest, DIGEST), '\0');
	buf_release(&text);
	return buf_detach(&proof);
}

char *proof_make(const struct account *a, struct view secret)
{
	char salt[SALT] = {0};

	gnutls_rnd(GNUTLS_RND_NONCE, salt, SALT);
	return make_with(a, secret, view_make(salt, SALT));
}

static bool read_salt(const char *proof, char *salt)
{
	int high, low;
	size_t i;

	for (i = 0; i < SALT; i++) {
		high = text_hex_value(proof[2 * i]);
		low = high < 0 ? -1 : text_hex_value(proof[2 * i + 1]);
		if (low < 0)
			return false;
		salt[i] = (char)(high << 4 | low);
	}
	return proof[2 * SALT] == DASH;
}

bool proof_fits(const struct account *a, struct view secret, const char *proof)
{
	char salt[SALT], *again;
	bool fits;

	if (!read_salt(proof, salt))
		return false;
	again = make_with(a, secret, view_make(salt, SALT));
	fits = !strcmp(again, proof);
	free(again);
	return fits;
}

/* A login that needs no secret is told by the rest alone. */
bool proof_is_of_today(const struct account *a, const char *proof,
		       struct buf *secret)
{
	struct outcome ignored = OUTCOME_INIT;
	bool is_there;

	if (proof_fits(a, VIEW(""), proof))
		return true;
	is_there = secret_get(a, secret, &ignored) == 0;
	if (!is_there)
		buf_clear(secret);
	outcome_release(&ignored);
	/* one that can't be had today is not another */
	return !is_there || proof_fits(a, buf_view(secret), proof);
}
