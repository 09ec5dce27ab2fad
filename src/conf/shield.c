/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Octets 1 to 255 are turned around by a random number each, so that NUL stays
 * what it is: the end. */
#include "conf/shield.h"

#include <sys/random.h>

#include "base/memory.h"

#define PAD_SIZE 256u /* octets; a longer text has it again */
#define OCTETS   255u /* that are not NUL */

/* Drawn once; kept to the end. */
static const unsigned char *get_pad(void)
{
	static unsigned char *pad;

	if (!pad) {
		pad = memory_alloc_secret(PAD_SIZE);
		(void)!getrandom(pad, PAD_SIZE, 0); /* at once, up to 256 */
	}
	return pad;
}

/* In both directions: with by = 1 and by = OCTETS - 1, which is -1. */
static void turn(const char *from, size_t n, unsigned by, char *to)
{
	const unsigned char *pad = get_pad();
	unsigned octet;
	size_t i;

	for (i = 0; i < n; i++) {
		octet = (unsigned char)from[i] - 1u;
		octet = (octet + by * pad[i % PAD_SIZE]) % OCTETS;
		to[i] = (char)(octet + 1u);
	}
}

char *shield_close(struct view plain)
{
	char *shielded = memory_alloc_secret(plain.n + 1);

	turn(plain.p, plain.n, 1, shielded);
	return shielded;
}

void shield_open(const char *shielded, struct buf *plain)
{
	size_t n = strlen(shielded);
	char *room = n ? buf_room(plain, n) : NULL;

	if (!room)
		return;
	turn(shielded, n, OCTETS - 1u, room);
	plain->n += n;
	plain->p[plain->n] = '\0';
}
