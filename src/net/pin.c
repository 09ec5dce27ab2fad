/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The digest of a public key, which outlives the certificates for that key. */
#include "net/pin.h"

#include <string.h>

#include "base/encode.h"
#include "base/gnutls.h"
#include "base/text.h"

static bool add_hex(struct buf *out, struct view v)
{
	int high, low;

	while (v.n) {
		if (v.n < 2)
			return false;
		high = text_hex_value(v.p[0]);
		low = text_hex_value(v.p[1]);
		if (high < 0 || low < 0)
			return false;
		buf_add_char(out, (char)(high << 4 | low));
		v = view_skip(v, 2);
		if (v.n > 1 && v.p[0] == ':')
			v = view_skip(v, 1);
	}
	return true;
}

/* 32 octets are 44 characters in base64 and at least 64 in hex. */
static bool add_pin(struct buf *out, struct view word)
{
	size_t before = out->n;
	bool ok = word.n == 44 ? decode_base64(out, word) : add_hex(out, word);

	return ok && !out->overflow && out->n - before == PIN_SIZE;
}

bool pins_parse(struct pins *pins, const char *text)
{
	struct view rest = view_of(text), word;

	*pins = PINS_INIT;
	while ((word = view_next_word(&rest)).n)
		if (!add_pin(&pins->digests, word))
			return false;
	return pins->digests.n > 0;
}

void pins_release(struct pins *pins)
{
	buf_release(&pins->digests);
}

static bool digest_key(gnutls_x509_crt_t c, char digest[PIN_SIZE])
{
	gnutls_datum_t info = {NULL, 0};
	gnutls_pubkey_t key;
	bool ok;

	if (gnutls_pubkey_init(&key) < 0)
		return false;
	ok = gnutls_pubkey_import_x509(key, c, 0) == 0 &&
		gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &info) == 0 &&
		gnutls_hash_fast(GNUTLS_DIG_SHA256, info.data, info.size,
				 digest) == 0;
	gnutls_free(info.data);
	gnutls_pubkey_deinit(key);
	return ok;
}

static bool make_pin(const gnutls_datum_t *der, char digest[PIN_SIZE])
{
	gnutls_x509_crt_t c;
	bool ok;

	if (gnutls_x509_crt_init(&c) < 0)
		return false;
	ok = gnutls_x509_crt_import(c, der, GNUTLS_X509_FMT_DER) == 0 &&
		digest_key(c, digest);
	gnutls_x509_crt_deinit(c);
	return ok;
}

bool pins_have(const struct pins *pins, const gnutls_datum_t *der)
{
	char digest[PIN_SIZE];
	size_t i;

	if (!make_pin(der, digest))
		return false;
	for (i = 0; i + PIN_SIZE <= pins->digests.n; i += PIN_SIZE)
		if (!memcmp(pins->digests.p + i, digest, PIN_SIZE))
			return true;
	return false;
}

char *pin_text(const gnutls_datum_t *der)
{
	struct buf text = BUF_INIT(64);
	char digest[PIN_SIZE];

	if (make_pin(der, digest))
		encode_base64(&text, view_make(digest, sizeof(digest)));
	return buf_detach(&text);
}
