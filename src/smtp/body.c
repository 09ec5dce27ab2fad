/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The message in the form of DATA (dots doubled, final dot) or BDAT (as it
 * is). Pieces are views into the content; nothing is copied here.
 */
#include "smtp/body.h"

#include <string.h>

#define PIECE_SIZE (256u << 10) /* octets asked for at once */

void body_for_data(struct body *b, struct content *content)
{
	*b = (struct body){
		.content = content, .stuffed = true, .at_line_start = true};
}

void body_for_bdat(struct body *b, struct content *content, uint64_t size)
{
	*b = (struct body){.content = content, .left = size};
}

static int next_octets(struct body *b, struct view *piece, struct outcome *o)
{
	int rc;

	if (!b->left)
		return 0;
	rc = content_next(b->content, b->left, piece, o);
	if (rc == 0) /* the server waits for what was announced */
		return fail(o, CAUSE_SYSTEM, "4.3.0",
			    "the stored message is shorter than it was");
	if (rc > 0)
		b->left -= piece->n;
	return rc;
}

/* Octets up to and with the LF that a dot follows; all, if there is none. Dots
 * are rarer than lines, and memmem is slow for so short a string. */
static size_t before_dot(struct view v)
{
	const char *dot = v.p, *end = v.p + v.n;

	while (++dot < end) {
		dot = memchr(dot, '.', (size_t)(end - dot));
		if (!dot)
			break;
		if (dot[-1] == '\n')
			return (size_t)(dot - v.p);
	}
	return v.n;
}

int body_next(struct body *b, struct view *piece, struct outcome *o)
{
	size_t n;
	int rc;

	if (!b->stuffed)
		return next_octets(b, piece, o);
	if (b->ended)
		return 0;
	if (!b->rest.n) {
		rc = content_next(b->content, PIECE_SIZE, &b->rest, o);
		if (rc < 0)
			return -1;
		if (rc == 0) {
			b->ended = true;
			*piece = b->at_line_start ? VIEW(".\r\n")
						  : VIEW("\r\n.\r\n");
			return 1;
		}
	}
	if (b->at_line_start && b->rest.p[0] == '.') {
		b->at_line_start = false;
		*piece = VIEW(".");
		return 1;
	}
	n = before_dot(b->rest);
	*piece = view_make(b->rest.p, n);
	b->at_line_start = b->rest.p[n - 1] == '\n';
	b->rest = view_skip(b->rest, n);
	return 1;
}

bool body_is_over(const struct body *b)
{
	return b->stuffed ? b->ended : !b->left;
}
