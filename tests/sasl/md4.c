/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MD4 as RFC 1320 3 describes it; NTLM's key is made with it, and neither
 * GnuTLS nor GNU SASL has it to offer. */
#include "sasl/md4.h"

#include <stdint.h>
#include <string.h>

#define BLOCKS_MAX 4

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

/* The function, the order of the words and the shifts of each round. */
static uint32_t mix(int round, uint32_t x, uint32_t y, uint32_t z)
{
	if (round == 0)
		return (x & y) | (~x & z);
	if (round == 1)
		return ((x & y) | (x & z) | (y & z)) + 0x5a827999u;
	return (x ^ y ^ z) + 0x6ed9eba1u;
}

static void add_block(uint32_t state[4], const uint32_t words[16])
{
	static const unsigned char order[3][16] = {
		{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
		{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15},
		{0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15},
	};
	static const unsigned char shifts[3][4] = {
		{3, 7, 11, 19}, {3, 5, 9, 13}, {3, 9, 11, 15}};
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3], next;
	int i;

	for (i = 0; i < 48; i++) {
		next = rotate(a + mix(i / 16, b, c, d) +
				      words[order[i / 16][i % 16]],
			      shifts[i / 16][i % 4]);
		a = d;
		d = c;
		c = b;
		b = next;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
}

_Bool md4(const unsigned char *data, size_t n, unsigned char digest[16])
{
	uint32_t state[4] = {0x67452301u, 0xefcdab89u, 0x98badcfeu,
			     0x10325476u};
	uint32_t words[16 * BLOCKS_MAX] = {0};
	size_t i, blocks = (n + 9 + 63) / 64;

	if (blocks > BLOCKS_MAX)
		return 0;
	for (i = 0; i < n; i++)
		words[i / 4] |= (uint32_t)data[i] << 8 * (i % 4);
	words[n / 4] |= 0x80u << 8 * (n % 4);
	words[16 * blocks - 2] = (uint32_t)n * 8;
	for (i = 0; i < blocks; i++)
		add_block(state, words + 16 * i);
	for (i = 0; i < 16; i++)
		digest[i] = (unsigned char)(state[i / 4] >> 8 * (i % 4));
	return 1;
}
