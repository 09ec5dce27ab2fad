/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One offset into three things that are told one after the other: header,
 * empty line, body. The header is shown where it lies; the body comes through
 * a block of memory, wherever it is stored.
 */
#include "mail/content.h"

#include <stdlib.h>

#include "base/memory.h"

#define BLOCK_SIZE (64u << 10) /* octets of body read at once */

static const struct view separator = {"\r\n", 2};

struct content {
	struct view header;
	const struct store *body;
	uint64_t offset; /* of the next octet to be told */
	char block[BLOCK_SIZE];
};

struct content *content_new(struct view header, const struct store *body)
{
	struct content *c = memory_alloc(sizeof(*c));

	c->header = header;
	c->body = body;
	return c;
}

void content_free(struct content *c)
{
	free(c);
}

uint64_t content_size(const struct content *c)
{
	return c->header.n + separator.n + store_size(c->body);
}

static int next_of_body(struct content *c, uint64_t most, struct view *piece,
			struct outcome *o)
{
	uint64_t before = c->header.n + separator.n;
	size_t n = most < BLOCK_SIZE ? (size_t)most : BLOCK_SIZE;
	ptrdiff_t got = store_read(c->body, c->offset - before, c->block, n, o);

	if (got < 0)
		return -1;
	*piece = view_make(c->block, (size_t)got);
	return c->offset < content_size(c);
}

int content_next(struct content *c, uint64_t most, struct view *piece,
		 struct outcome *o)
{
	uint64_t at = c->offset;
	int more = 1;

	if (at < c->header.n)
		*piece = view_skip(c->header, (size_t)at);
	else if (at - c->header.n < separator.n)
		*piece = view_skip(separator, (size_t)(at - c->header.n));
	else
		more = next_of_body(c, most, piece, o);
	if (more <= 0)
		return more;
	if (piece->n > most)
		piece->n = (size_t)most;
	c->offset += piece->n;
	return 1;
}

void content_rewind(struct content *c)
{
	c->offset = 0;
}
