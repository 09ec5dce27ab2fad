/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever a field holds: in ASCII it is still one field that says the same to
 * who reads it, and folded too. The readers are the tests' own.
 */
#include "mail/encoded.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "decode.h"
#include "input.h"
#include "mail/address.h"
#include "mail/fold.h"
#include "mail/media.h"
#include "mail/message.h"

#define LIMIT (64u << 20) /* octets of anything compared */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ----------------------------------------------------------------- the text */

static void decode(struct view body, const char *before, const char *behind,
		   struct buf *out)
{
	struct buf plain = BUF_INIT(LIMIT);

	unfold(body, &plain);
	decode_words(buf_view(&plain), before, behind, out);
	buf_release(&plain);
}

/* An unstructured field: the same text. */
static void check_text(const struct field *was, const struct field *is)
{
	struct buf a = BUF_INIT(LIMIT), b = BUF_INIT(LIMIT);

	decode(was->body, "", "", &a);
	decode(is->body, "", "", &b);
	require(view_equal(buf_view(&a), buf_view(&b)));
	buf_release(&a);
	buf_release(&b);
}

/* ------------------------------------------------------------ the addresses */

/* What is left of names and comments without what only the syntax needs. */
static void add_letters(struct view v, struct buf *out)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (!v.p[i] || !strchr(" \t\r\n\"\\", v.p[i]))
			buf_add_char(out, v.p[i]);
}

static void check_letters(const struct field *was, const struct field *is)
{
	struct buf a = BUF_INIT(LIMIT), b = BUF_INIT(LIMIT);
	struct buf decoded = BUF_INIT(LIMIT);

	decode(is->body, "(", ")", &decoded);
	add_letters(was->body, &a);
	add_letters(buf_view(&decoded), &b);
	require(view_equal(buf_view(&a), buf_view(&b)));
	buf_release(&a);
	buf_release(&b);
	buf_release(&decoded);
}

static bool has_8bit_address(const struct address_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (view_has_8bit(list->p[i].written))
			return true;
	return false;
}

/* The same mailboxes; where none of them changes, the same names as well. An
 * encoded word in a quoted string is none, but ours does not know that. */
static void check_mailboxes(const struct field *was, const struct field *is,
			    const struct address_list *list)
{
	struct address_list again = ADDRESS_LIST_INIT;
	struct outcome o = OUTCOME_INIT;
	size_t i;

	require(address_list_parse(is->body, &again, &o) == 0);
	require(again.n == list->n);
	for (i = 0; i < list->n; i++)
		require(address_equal(&list->p[i], &again.p[i]));
	if (!has_8bit_address(list) &&
	    !memmem(was->body.p, was->body.n, "=?", 2))
		check_letters(was, is);
	address_list_release(&again);
}

static bool needs_utf8(const struct address_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->p[i].needs_utf8)
			return true;
	return false;
}

static void check_addresses(const struct field *was, const struct field *is)
{
	struct address_list list = ADDRESS_LIST_INIT;
	struct outcome o = OUTCOME_INIT;
	bool ok = address_list_parse(was->body, &list, &o) == 0;

	if (ok && !needs_utf8(&list))
		check_mailboxes(was, is, &list);
	else
		check_text(was, is);
	outcome_release(&o);
	address_list_release(&list);
}

/* ----------------------------------------------------------- the parameters */

static void add_percent(struct view v, struct buf *out)
{
	for (; v.n; v = view_skip(v, 1)) {
		if (v.p[0] == '%' && is_hex_pair(view_skip(v, 1))) {
			buf_add_char(out,
				     (char)(hex_digit(v.p[1]) << 4 |
					    hex_digit(v.p[2])));
			v = view_skip(v, 2);
		} else {
			buf_add_char(out, v.p[0]);
		}
	}
}

/* Behind `charset'language'`. */
static struct view behind_quotes(struct view v)
{
	size_t n = 0;

	while (v.n && n < 2) {
		n += v.p[0] == '\'';
		v = view_skip(v, 1);
	}
	return v;
}

/* `name=value` of each, segments put together (RFC 2231 3); false: one was
 * extended already, or there is more that nobody can tell. */
static bool list_parameters(struct view body, bool may_extend, struct buf *out)
{
	size_t type = media_type_length(body);
	struct view rest =
		view_skip(body, type ? type : media_token_length(body));
	struct parameter p;
	const char *star;

	/* the first semicolon may be missing as well */
	if (view_has_8bit(view_make(body.p, body.n - rest.n)))
		return false;
	while (media_next_parameter(&rest, &p)) {
		star = memchr(p.name.p, '*', p.name.n);
		if (star && !may_extend)
			return false;
		/* what follows a value without a semicolon may belong to it */
		if (!memchr(p.before.p, ';', p.before.n))
			return false;
		if (!star || star[1] == '0' || star + 1 == p.value.p - 1) {
			buf_add_char(out, '\n');
			buf_add(out, p.name.p,
				star ? (size_t)(star - p.name.p) : p.name.n);
			buf_add_char(out, '=');
		}
		if (!star)
			media_unquote(p.value, out);
		else if (star[1] == '0' || star[1] == '=')
			add_percent(behind_quotes(p.value), out);
		else
			add_percent(p.value, out);
	}
	return !rest.n || rest.p[0] == ';';
}

static void check_parameters(const struct field *was, const struct field *is)
{
	struct buf a = BUF_INIT(LIMIT), b = BUF_INIT(LIMIT);
	struct media before = MEDIA_INIT, after = MEDIA_INIT;

	media_parse(&before, was->body);
	media_parse(&after, is->body);
	require(before.kind == after.kind);
	require(view_equal(buf_view(&before.boundary),
			   buf_view(&after.boundary)));
	/* not where it was taken as text */
	if (!memmem(is->body.p, is->body.n, "=?", 2) &&
	    list_parameters(was->body, false, &a)) {
		list_parameters(is->body, true, &b);
		require(view_equal(buf_view(&a), buf_view(&b)));
	}
	buf_release(&a);
	buf_release(&b);
	media_release(&before);
	media_release(&after);
}

/* ---------------------------------------------------------------- the field */

/* Ours are whole characters; those that were there may be anything. */
static void check_words(struct view was, struct view out)
{
	struct coded_word w;

	for (; out.n; out = view_skip(out, w.n ? w.n : 1)) {
		struct buf text = BUF_INIT(LIMIT);

		w = cut_word(out);
		if (w.n && w.n <= 75 && !memmem(was.p, was.n, out.p, w.n) &&
		    view_equal(w.charset, VIEW("utf-8"))) {
			decode_word(&w, &text);
			require(w.encoding != 'B' ||
				view_is_utf8(buf_view(&text)) || !text.n);
		}
		buf_release(&text);
	}
}

static void check_folded(struct view field, bool is_address)
{
	struct buf out = BUF_INIT(LIMIT), a = BUF_INIT(LIMIT);
	struct buf b = BUF_INIT(LIMIT);
	struct view rest;
	struct field f;
	size_t n;

	if (fold_field(field, is_address, &out)) {
		require(field_cut(buf_view(&out), &f) && f.raw.n == out.n);
		for (rest = buf_view(&out); rest.n; rest = view_skip(rest, n)) {
			n = line_length(rest) + 2;
			require(n <= FOLD_LINE_MAX + 2);
		}
		unfold(field, &a);
		unfold(buf_view(&out), &b);
		if (!view_equal(buf_view(&a), buf_view(&b))) {
			require(is_address);
			buf_clear(&a);
			buf_clear(&b);
			add_letters(field, &a);
			add_letters(buf_view(&out), &b);
			require(view_equal(buf_view(&a), buf_view(&b)));
		}
	} else {
		require(!out.n);
	}
	buf_release(&out);
	buf_release(&a);
	buf_release(&b);
}

static void try_field(const struct field *f)
{
	struct buf out = BUF_INIT(LIMIT);
	struct field is;

	encoded_field(f, &out);
	require(!view_has_8bit(buf_view(&out)));
	require(field_cut(buf_view(&out), &is) && is.raw.n == out.n);
	require(is.id == f->id && view_equal(is.name, f->name));
	require(out.n >= 2 && !memcmp(out.p + out.n - 2, "\r\n", 2));
	if (!view_has_8bit(f->raw)) {
		require(view_equal(buf_view(&out), f->raw));
	} else if (f->roles & ROLE_ADDRESS) {
		check_addresses(f, &is);
	} else if (f->roles & ROLE_PARAMETERS) {
		check_parameters(f, &is);
	} else if (!(f->roles & ROLE_TOKENS)) {
		check_text(f, &is);
		check_words(f->raw, buf_view(&out));
	}
	check_folded(f->raw, f->roles & ROLE_ADDRESS);
	check_folded(buf_view(&out), f->roles & ROLE_ADDRESS);
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message m = MESSAGE_INIT;
	size_t i;

	if (read_message(view_make((const char *)data, size), &m)) {
		for (i = 0; i < m.n_fields; i++) {
			struct view raw = m.fields[i].raw;

			if (!memchr(raw.p, '\0', raw.n) &&
			    !view_has_bare_cr(raw))
				try_field(&m.fields[i]);
		}
		free(encoded_utf8_address(buf_view(&m.header)));
	}
	message_release(&m);
	return 0;
}
