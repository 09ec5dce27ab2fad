/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fields in ASCII: which of its forms a field has, and addresses, which must be
 * found to be left alone. Words are for mail/coder, parameters for
 * mail/parameter.
 */
#include "mail/encoded.h"

#include "base/memory.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/coder.h"
#include "mail/parameter.h"

static bool needs_utf8(const struct address_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->p[i].needs_utf8)
			return true;
	return false;
}

static void code_list(struct view v, const struct address_list *list,
		      struct buf *out)
{
	struct coder c;
	size_t i;

	coder_init(&c, out);
	for (i = 0; i < list->n; i++) {
		const struct address *a = &list->p[i];

		c.ahead = a->written.n + 1;
		coder_tokens(&c, coder_take(&v, (size_t)(a->written.p - v.p)));
		coder_special(&c,
			      view_has_8bit(a->written) ? view_of(a->mailbox)
							: a->written);
		v = view_skip(v, a->written.n);
	}
	coder_tokens(&c, v);
	coder_end(&c);
}

/* False: it can't be read, or needs SMTPUTF8; nothing was appended. */
static bool code_addresses(struct view v, struct buf *out)
{
	struct address_list list = ADDRESS_LIST_INIT;
	struct outcome ignored = OUTCOME_INIT;
	bool ok = address_list_parse(v, &list, &ignored) == 0 &&
		!needs_utf8(&list);

	if (ok)
		code_list(v, &list, out);
	address_list_release(&list);
	outcome_release(&ignored);
	return ok;
}

/* ----------------------------------------------------------------- contract */

void encoded_field(const struct field *f, struct buf *out)
{
	bool done = false;

	if (!view_has_8bit(f->raw)) {
		buf_add_view(out, f->raw);
		return;
	}
	buf_add(out, f->raw.p, (size_t)(f->body.p - f->raw.p));
	if (f->roles & ROLE_ADDRESS)
		done = code_addresses(f->body, out);
	else if (f->roles & ROLE_PARAMETERS)
		done = parameter_write_ascii(f->id, f->body, out);
	if (!done && f->roles & ROLE_TOKENS)
		coder_write_tokens(f->body, out);
	else if (!done)
		coder_write_text(f->body, out);
	buf_add_text(out, "\r\n");
}

char *encoded_utf8_address(struct view header)
{
	struct outcome ignored = OUTCOME_INIT;
	char *found = NULL;
	struct field f;
	size_t i;

	while (!found && field_cut(header, &f)) {
		struct address_list list = ADDRESS_LIST_INIT;

		header = view_skip(header, f.raw.n);
		if (!(f.roles & ROLE_ADDRESS) || !view_has_8bit(f.raw))
			continue;
		if (address_list_parse(f.body, &list, &ignored) == 0)
			for (i = 0; i < list.n && !found; i++)
				if (list.p[i].needs_utf8 &&
				    list.p[i].has_domain)
					found = memory_dup(list.p[i].mailbox);
		address_list_release(&list);
	}
	outcome_release(&ignored);
	return found;
}
