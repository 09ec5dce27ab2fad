/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words on lines; what stands on the last line of `out` already counts. */
#include "mail/wrap.h"

#include <stdint.h>

#include "base/text.h"

/* Columns are characters: octets that begin one are counted. */
static size_t columns_of(struct view v)
{
	size_t i, n = 0;

	for (i = 0; i < v.n; i++)
		n += ((unsigned char)v.p[i] & 0xc0) != 0x80;
	return n;
}

static struct view last_line(const struct buf *b)
{
	size_t n = 0;

	while (n < b->n && b->p[b->n - n - 1] != '\n')
		n++;
	return view_make(b->p + b->n - n, n);
}

/* As much of a word as may stand on a line; characters stay whole. */
static struct view cut_piece(struct view *word)
{
	size_t n = word->n < WRAP_WORD_MAX ? word->n : WRAP_WORD_MAX;
	struct view piece;

	while (n < word->n && n > 0 &&
	       ((unsigned char)word->p[n] & 0xc0) == 0x80)
		n--;
	piece = view_make(word->p, n);
	*word = view_skip(*word, n);
	return piece;
}

void wrap_text(struct buf *out, struct view text, const char *indent)
{
	struct buf clean = BUF_INIT(SIZE_MAX);
	size_t column = columns_of(last_line(out)), wide;
	bool is_first = true;
	struct view rest, word, piece;

	text_add_printable(&clean, text);
	rest = buf_view(&clean);
	while ((word = view_next_word(&rest)).n)
		while (word.n) {
			piece = cut_piece(&word);
			wide = columns_of(piece);
			if (!is_first && column + 1 + wide > WRAP_COLUMNS) {
				buf_printf(out, "\r\n%s", indent);
				column = view_of(indent).n;
			} else if (!is_first) {
				buf_add_char(out, ' ');
				column++;
			}
			buf_add_view(out, piece);
			column += wide;
			is_first = false;
		}
	buf_release(&clean);
}
