/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A header for the wire, the message's own or a part's: field by field, and
 * only those are touched that cannot stay as they are.
 */
#include "mail/rewrite.h"

#include <string.h>

#include "base/text.h"
#include "mail/encoded.h"
#include "mail/field.h"
#include "mail/fold.h"

#define FIELD_LIMIT (1u << 30) /* octets; above all that can come */

static int refuse(const struct field *f, const char *what, struct outcome *o)
{
	struct buf name = BUF_INIT(200);

	buf_add_view(&name,
		     view_make(f->name.p, f->name.n < 100 ? f->name.n : 100));
	fail(o, CAUSE_CONTENT, "5.6.0", "the header field %s %s", name.p, what);
	buf_release(&name);
	return -1;
}

int rewrite_check(struct view header, struct outcome *o)
{
	struct field f;

	if (!memchr(header.p, '\0', header.n) && !view_has_bare_cr(header) &&
	    !view_has_bare_lf(header))
		return 0;
	for (; field_cut(header, &f); header = view_skip(header, f.raw.n)) {
		if (memchr(f.raw.p, '\0', f.raw.n))
			return refuse(&f, "holds a NUL octet", o);
		if (view_has_bare_cr(f.raw))
			return refuse(&f, "holds a CR that does not end a line",
				      o);
		if (view_has_bare_lf(f.raw))
			return refuse(&f, "holds an LF without its CR", o);
	}
	return 0;
}

bool rewrite_has_long_line(struct view header)
{
	const char *lf;
	size_t n;

	for (; header.n > FOLD_LINE_MAX; header = view_skip(header, n)) {
		lf = memchr(header.p, '\n', header.n);
		n = lf ? (size_t)(lf - header.p) + 1 : header.n;
		if (n > FOLD_LINE_MAX + 2)
			return true;
	}
	return false;
}

/* A field whose lines may be too long. */
static int add_folded(const struct field *f, struct view field, struct buf *out,
		      struct outcome *o)
{
	if (!rewrite_has_long_line(field)) {
		buf_add_view(out, field);
		return 0;
	}
	if (fold_field(field, f->roles & ROLE_ADDRESS, out))
		return 0;
	return refuse(f,
		      "has a line of over 998 octets that cannot be "
		      "folded",
		      o);
}

static int add_field(const struct field *f, const struct rewrite *r,
		     struct buf *out, struct outcome *o)
{
	struct buf ascii = BUF_INIT(FIELD_LIMIT);
	struct view field = f->raw;
	int rc;

	if (r->to_ascii && view_has_8bit(f->raw) &&
	    !(r->keep_utf8 && view_is_utf8(f->raw))) {
		encoded_field(f, &ascii);
		field = buf_view(&ascii);
	}
	rc = add_folded(f, field, out, o);
	buf_release(&ascii);
	return rc;
}

static void add_encoding(const struct rewrite *r, struct buf *out)
{
	buf_printf(out, "Content-Transfer-Encoding: %s\r\n", r->encoding);
}

int rewrite_header(struct view header, const struct rewrite *r, struct buf *out,
		   struct outcome *o)
{
	bool has_encoding = false;
	struct field f;

	if (rewrite_check(header, o) < 0)
		return -1;
	for (; field_cut(header, &f); header = view_skip(header, f.raw.n)) {
		if (!r->encoding || f.id != FIELD_CONTENT_TRANSFER_ENCODING) {
			if (add_field(&f, r, out, o) < 0)
				return -1;
		} else if (!has_encoding) {
			add_encoding(r, out);
			has_encoding = true;
		}
	}
	if (r->add_mime_version)
		buf_add_text(out, "MIME-Version: 1.0\r\n");
	if (r->charset)
		buf_printf(out, "Content-Type: text/plain; charset=%s\r\n",
			   r->charset);
	if (r->encoding && !has_encoding)
		add_encoding(r, out);
	return 0;
}
