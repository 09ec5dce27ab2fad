/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The server's side of NTLM ([MS-NLMP] 2.2): a fixed challenge, and both kinds
 * of answer to it. `note` is what the client said: the domain in its first
 * message, the domain in its last, and the version of its answer.
 */
#include "sasl/exchange.h"

#include <gnutls/crypto.h>
#include <string.h>

#include "base/text.h"
#include "sasl/md4.h"

#define SIGNATURE     VIEW("NTLMSSP\0")
#define CHALLENGE     "\x01\x23\x45\x67\x89\xab\xcd\xef"
#define FLAG_UNICODE  0x1u
#define CHALLENGE_MAX 4096

enum field { FIELD_NT = 20, FIELD_DOMAIN = 28, FIELD_USER = 36 };

static void add_number(struct buf *b, unsigned n, int octets)
{
	for (; octets; octets--, n >>= 8)
		buf_add_char(b, (char)(n & 255));
}

static unsigned number(struct view v, size_t at, int octets)
{
	unsigned n = 0;

	while (octets--)
		n = n << 8 | (unsigned char)v.p[at + (size_t)octets];
	return n;
}

/* What a security buffer at this place points to. */
static struct view field(struct view message, size_t at)
{
	size_t n, offset;

	if (message.n < at + 8)
		return VIEW("");
	n = number(message, at, 2);
	offset = number(message, at + 4, 4);
	if (offset > message.n || n > message.n - offset)
		return VIEW("");
	return view_make(message.p + offset, n);
}

/* UTF-8 of the basic plane. */
static void add_utf16(struct buf *out, struct view v, bool upper)
{
	while (v.n) {
		size_t n = utf8_length(v);
		unsigned c = n ? utf8_code_point(view_make(v.p, n)) : 0xfffd;

		if (upper && c < 128)
			c = (unsigned)text_upper((char)c);
		add_number(out, c, 2);
		v = view_skip(v, n ? n : 1);
	}
}

static void add_utf8(struct buf *out, struct view v, bool is_unicode)
{
	for (; v.n >= 1u + is_unicode; v = view_skip(v, 1u + is_unicode)) {
		unsigned c = number(v, 0, 1 + is_unicode);

		if (c >= 0x800)
			buf_printf(out, "%c%c%c", (int)(0xe0 | c >> 12),
				   (int)(0x80 | (c >> 6 & 63)),
				   (int)(0x80 | (c & 63)));
		else if (c >= 0x80)
			buf_printf(out, "%c%c", (int)(0xc0 | c >> 6),
				   (int)(0x80 | (c & 63)));
		else
			buf_add_char(out, (char)c);
	}
}

/* Type 2. The domain is the target's name, and is there again as an AV pair
 * for those who answer by the second version. */
static void ask(const struct exchange *x, struct buf *out)
{
	struct buf name = BUF_INIT(CHALLENGE_MAX);
	unsigned n;

	add_utf16(&name, view_of(x->options->domain), false);
	n = (unsigned)name.n;
	buf_add_view(out, SIGNATURE);
	add_number(out, 2, 4);
	add_number(out, n, 2);
	add_number(out, n, 2);
	add_number(out, 48, 4);
	add_number(out, 0x00810205u, 4); /* target info, type: domain, NTLM,
					    request target, Unicode */
	buf_add(out, CHALLENGE, 8);
	add_number(out, 0, 4);
	add_number(out, 0, 4);
	add_number(out, n + 8, 2);
	add_number(out, n + 8, 2);
	add_number(out, 48 + n, 4);
	buf_add_view(out, buf_view(&name));
	add_number(out, 2, 2); /* MsvAvNbDomainName */
	add_number(out, n, 2);
	buf_add_view(out, buf_view(&name));
	add_number(out, 0, 4); /* MsvAvEOL */
	buf_release(&name);
}

/* One block of DES, as 3DES with one key three times. */
static void des(const unsigned char key7[7], const char *block,
		unsigned char out[8])
{
	unsigned char key[24], iv[8] = {0};
	gnutls_datum_t k = {key, sizeof(key)}, v = {iv, sizeof(iv)};
	gnutls_cipher_hd_t handle;
	unsigned i, before, behind;

	for (i = 0; i < 8; i++) {
		before = i ? (unsigned)key7[i - 1] << (8 - i) : 0;
		behind = i < 7 ? (unsigned)key7[i] >> i : 0;
		key[i] = (unsigned char)((before | behind) & 0xfe);
		key[i + 8] = key[i + 16] = key[i];
	}
	memset(out, 0, 8);
	if (gnutls_cipher_init(&handle, GNUTLS_CIPHER_3DES_CBC, &k, &v) < 0)
		return;
	gnutls_cipher_encrypt2(handle, block, 8, out, 8);
	gnutls_cipher_deinit(handle);
}

/* [MS-NLMP] 3.3.1 */
static bool is_right_v1(const unsigned char hash[16], struct view answer)
{
	unsigned char key[21] = {0}, wanted[24];
	int i;

	memcpy(key, hash, 16);
	for (i = 0; i < 3; i++)
		des(key + 7 * i, CHALLENGE, wanted + 8 * i);
	return memcmp(answer.p, wanted, 24) == 0;
}

/* [MS-NLMP] 3.3.2 */
static bool is_right_v2(const struct exchange *x, const unsigned char hash[16],
			struct view domain, struct view answer)
{
	struct buf text = BUF_INIT(CHALLENGE_MAX);
	unsigned char key[16], proof[16];

	add_utf16(&text, view_of(x->options->user), true);
	buf_add_view(&text, domain);
	gnutls_hmac_fast(GNUTLS_MAC_MD5, hash, 16, text.p, text.n, key);
	buf_clear(&text);
	buf_add(&text, CHALLENGE, 8);
	buf_add_view(&text, view_skip(answer, 16));
	gnutls_hmac_fast(GNUTLS_MAC_MD5, key, 16, text.p, text.n, proof);
	buf_release(&text);
	return memcmp(answer.p, proof, 16) == 0;
}

static bool is_right(const struct exchange *x, struct view message)
{
	struct view answer = field(message, FIELD_NT);
	struct buf password = BUF_INIT(CHALLENGE_MAX);
	unsigned char hash[16];
	bool yes;

	add_utf16(&password, view_of(x->options->password), false);
	yes = md4((unsigned char *)password.p, password.n, hash) &&
		answer.n >= 24;
	buf_release(&password);
	if (!yes)
		return false;
	return answer.n == 24
		? is_right_v1(hash, answer)
		: is_right_v2(x, hash, field(message, FIELD_DOMAIN), answer);
}

/* Type 3. */
static enum verdict judge(struct exchange *x, struct view in)
{
	bool is_unicode = in.n >= 64 && (number(in, 60, 4) & FLAG_UNICODE);
	struct buf domain = BUF_INIT(CHALLENGE_MAX);

	add_utf8(&x->authcid, field(in, FIELD_USER), is_unicode);
	add_utf8(&domain, field(in, FIELD_DOMAIN), is_unicode);
	buf_printf(&x->note, "%s v%d", domain.p,
		   field(in, FIELD_NT).n == 24 ? 1 : 2);
	buf_release(&domain);
	if (x->options->user && strcmp(x->authcid.p, x->options->user) == 0 &&
	    is_right(x, in))
		return VERDICT_DONE;
	return exchange_refuse(x, VERDICT_REFUSED, "wrong answer or user");
}

enum verdict ntlm_step(struct exchange *x, struct view in, struct buf *out)
{
	unsigned type = x->round ? 3 : 1;

	if (in.n < 32 || !view_equal(view_make(in.p, 8), SIGNATURE) ||
	    number(in, 8, 4) != type)
		return exchange_refuse(x, VERDICT_VIOLATED,
				       "no message of this type");
	if (type == 3)
		return judge(x, in);
	buf_add_view(&x->note, field(in, 16));
	buf_add_char(&x->note, ' ');
	ask(x, out);
	return VERDICT_MORE;
}
