/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pins: how they are written, and whose key they are. */
#include "net/pin.h"

#include "certs.h"
#include "unit.h"

#include "base/encode.h"

/* 32 octets 00 to 1F, and 32 times FF, in base64 */
#define BASE_A "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define BASE_B "//////////////////////////////////////////8="
#define HEX_A                              \
	"000102030405060708090a0b0c0d0e0f" \
	"101112131415161718191A1B1C1D1E1F"
#define COLONS_A                                       \
	"00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E" \
	":0F:10:11:12:13:14:15:16:17:18:19:1a:1b:1c:1d:1e:1f"

static const struct {
	const char *text;
	size_t n; /* 0: refused */
} texts[] = {
	{BASE_A, 1},
	{HEX_A, 1},
	{COLONS_A, 1},
	{BASE_A " " BASE_B, 2},
	{"  " HEX_A "\t" BASE_B "  " COLONS_A, 3},
	{"", 0},
	{"  ", 0},
	{"AAEC", 0},
	{HEX_A "00", 0},
	{"0" HEX_A, 0},
	{"00:01", 0},
	{COLONS_A ":", 0},
	{COLONS_A ":20", 0},
	{BASE_A " nonsense", 0},
	{"nonsense " BASE_A, 0},
	{"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8-", 0},
	{"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", 0},
	{"zz0102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F", 0},
};

static void understands(void **state)
{
	struct pins pins;
	size_t i;
	int k;

	(void)state;
	for (i = 0; i < N_OF(texts); i++) {
		bool ok = pins_parse(&pins, texts[i].text);

		if (ok != (texts[i].n > 0))
			fail_msg("%zu: %s", i, texts[i].text);
		if (ok)
			assert_int_equal(pins.digests.n, texts[i].n * PIN_SIZE);
		if (texts[i].n == 1)
			for (k = 0; k < PIN_SIZE; k++)
				assert_int_equal(pins.digests.p[k], k);
		pins_release(&pins);
	}
}

/* Which of the keys stands in the setting: its place does not matter, but it
 * has to be whole and the right one. */
static void finds_the_key(void **state)
{
	static const struct wish wishes[] = {
		{.cn = "a", .dns = {"a"}},
		{.cn = "a", .dns = {"a"}},
		{.cn = "a", .dns = {"a"}, .rsa_bits = 2048},
	};
	struct made made[N_OF(wishes)];
	gnutls_datum_t der[N_OF(wishes)];
	char *pin[N_OF(wishes)], *text;
	struct buf setting = BUF_INIT(4096);
	struct pins pins;
	size_t i, k;

	(void)state;
	for (i = 0; i < N_OF(wishes); i++) {
		certs_make(&made[i], &wishes[i], NULL);
		MUST(gnutls_x509_crt_export2(made[i].certificate,
					     GNUTLS_X509_FMT_DER, &der[i]));
		pin[i] = pin_text(&der[i]);
		assert_int_equal(strlen(pin[i]), 44);
	}
	for (i = 0; i < N_OF(wishes); i++) {
		assert_true(pins_parse(&pins, pin[i]));
		for (k = 0; k < N_OF(wishes); k++)
			assert_int_equal(pins_have(&pins, &der[k]), i == k);
		pins_release(&pins);
	}
	buf_printf(&setting, "%s %s", pin[2], pin[0]);
	assert_true(pins_parse(&pins, setting.p));
	assert_true(pins_have(&pins, &der[0]));
	assert_false(pins_have(&pins, &der[1]));
	assert_true(pins_have(&pins, &der[2]));
	pins_release(&pins);
	buf_release(&setting);
	for (i = 0; i < N_OF(wishes); i++) {
		der[i].data[0] ^= 1;
		text = pin_text(&der[i]);
		assert_string_equal(text, "");
		free(text);
		gnutls_free(der[i].data);
		free(pin[i]);
		certs_free(&made[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understands),
		cmocka_unit_test(finds_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
