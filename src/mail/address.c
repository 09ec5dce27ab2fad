/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses: the grammar of mailboxes and lists above mail/scan, for both
 * forms, the envelope's (strict) and the header's. What is in front of `@`,
 * `<` or `:` is collected as words, and only that character shows whether they
 * were a local-part, a name or a group's name. Whatever form it had, a mailbox
 * leaves here in the one form that RFC 5321 4.1.2 has for it. Where local
 * names live is for mail/envelope.
 */
#include "mail/address.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "mail/scan.h"

/* RFC 5321 4.5.3.1; 256 octets of path less the angle brackets. */
#define LOCAL_MAX   64u
#define MAILBOX_MAX 254u
#define QUOTED_MAX  (4 * SCAN_PART_LIMIT) /* a mailbox before it is measured */
#define SHOWN_MAX   200u                  /* octets of an address in messages */

/* --------------------------------------------------------------- mailboxes */

static bool is_dot_string(struct view v)
{
	size_t i;

	if (!v.n || v.p[0] == '.' || v.p[v.n - 1] == '.')
		return false;
	for (i = 0; i < v.n; i++)
		if (!scan_is_atext(v.p[i]) &&
		    (v.p[i] != '.' || v.p[i - 1] == '.'))
			return false;
	return true;
}

/* C0, DEL, and in UTF-8 C1: not even in quotes (RFC 5321 4.1.2). */
static bool has_control(struct view v)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (text_is_control(v.p[i]) ||
		    (i && (unsigned char)v.p[i - 1] == 0xc2 &&
		     (unsigned char)v.p[i] < 0xa0))
			return true;
	return false;
}

static bool check_local(struct scan *s)
{
	const struct words *w = &s->words;
	struct view text = buf_view(&w->text);

	if (w->fault)
		return scan_refuse(s, w->fault);
	if (!w->n)
		return scan_refuse(s, "there is nothing in front of the @");
	if (w->after_dot)
		return scan_refuse(s, "there is a dot too many");
	if (s->strict && w->quoted && w->n > 1)
		return scan_refuse(s, "only a part of it is quoted");
	if (w->text.overflow)
		return scan_refuse(s, "it is too long");
	if (has_control(text))
		return scan_refuse(s, "there is a control character in it");
	if (!view_is_utf8(text))
		return scan_refuse(s, "it is neither ASCII nor UTF-8");
	return true;
}

static void add_local(struct buf *out, struct view text)
{
	size_t i;

	if (is_dot_string(text)) {
		buf_add_view(out, text);
		return;
	}
	buf_add_char(out, '"');
	for (i = 0; i < text.n; i++) {
		if (text.p[i] == '"' || text.p[i] == '\\')
			buf_add_char(out, '\\');
		buf_add_char(out, text.p[i]);
	}
	buf_add_char(out, '"');
}

/* Take over `mailbox`, whose local-part is as it must be. */
static bool set_mailbox(struct scan *s, struct buf *mailbox, bool has_domain,
			struct address *a)
{
	size_t local_n = mailbox->n;

	if (has_domain) {
		buf_add_char(mailbox, '@');
		buf_add_view(mailbox, buf_view(&s->domain));
	}
	if (local_n > LOCAL_MAX)
		return scan_refuse(s,
				   "more than 64 octets are in front of the @");
	if (mailbox->n > MAILBOX_MAX)
		return scan_refuse(s, "it has more than 254 octets");
	a->needs_utf8 = view_has_8bit(view_make(mailbox->p, local_n));
	a->local_n = local_n;
	a->has_domain = has_domain;
	a->mailbox = buf_detach(mailbox);
	return true;
}

/* The words, and what follows them, are an addr-spec or a local name. */
static bool scan_spec(struct scan *s, struct address *a)
{
	struct buf mailbox = BUF_INIT(QUOTED_MAX);
	bool has_domain = scan_peek(s) == '@', ok;
	const char *end;

	if (!check_local(s))
		return false;
	if (has_domain)
		scan_skip(s, 1);
	if (has_domain && !scan_domain(s))
		return false;
	end = has_domain ? s->domain_end : s->words.end;
	a->written = view_make(s->words.begin, (size_t)(end - s->words.begin));
	add_local(&mailbox, buf_view(&s->words.text));
	ok = set_mailbox(s, &mailbox, has_domain, a);
	buf_release(&mailbox);
	return ok && scan_cfws(s);
}

/* RFC 5321 4.1.2 A-d-l, RFC 5322 4.4 obs-route: read, and dropped. */
static bool skip_route(struct scan *s)
{
	while (scan_cfws(s)) {
		if (scan_char(s, ':'))
			return true;
		if (scan_char(s, ','))
			continue;
		if (!scan_char(s, '@'))
			return scan_refuse(s, "a source route does not end");
		if (!scan_domain(s))
			return false;
	}
	return false;
}

static bool scan_angle(struct scan *s, struct address *a)
{
	const char *begin;

	scan_skip(s, 1);
	if (!scan_cfws(s))
		return false;
	begin = s->rest.p;
	if (scan_peek(s) == '@' && !skip_route(s))
		return false;
	if (!scan_words(s) || !scan_spec(s, a))
		return false;
	a->written.n += (size_t)(a->written.p - begin);
	a->written.p = begin;
	return scan_char(s, '>') ||
		scan_refuse(s, "there is no > behind the address");
}

/* ------------------------------------------------------------------- lists */

/* `a@b <a@b>`: an address as a name. With two different ones a comma may be
 * missing, so that is an error. */
static bool scan_named_by_address(struct scan *s, struct address *a)
{
	struct address second = ADDRESS_INIT;
	bool same = scan_angle(s, &second) && address_equal(a, &second);

	address_release(&second);
	return same ||
		scan_refuse(s, "there is no comma between two addresses");
}

/* A mailbox, from its words on; behind it the member must end. */
static bool scan_mailbox(struct scan *s, struct address *a)
{
	bool is_angle = scan_peek(s) == '<';

	if (is_angle ? !scan_angle(s, a) : !scan_spec(s, a))
		return false;
	if (!is_angle && scan_peek(s) == '<' && !scan_named_by_address(s, a))
		return false;
	if (!scan_cfws(s))
		return false;
	if (s->rest.n && scan_peek(s) != ',' && scan_peek(s) != ';')
		return scan_refuse(s, "there is something behind it");
	return true;
}

static void list_add(struct address_list *list, const struct address *a)
{
	if (list->n == list->cap) {
		list->cap = list->cap ? list->cap * 2 : 8;
		list->p = memory_resize(list->p, list->cap, sizeof(*list->p));
	}
	list->p[list->n++] = *a;
}

static bool scan_group_begin(struct scan *s)
{
	if (s->in_group)
		return scan_refuse(s, "a group is in a group");
	if (!s->words.n && !s->words.fault)
		return scan_refuse(s, "there is nothing in front of the colon");
	s->in_group = true;
	scan_skip(s, 1);
	return true;
}

/* RFC 5322 3.4, 4.4: a mailbox, a group's begin or end, or nothing. */
static bool scan_member(struct scan *s, struct address_list *list)
{
	struct address a = ADDRESS_INIT;
	bool ends;

	if (!scan_words(s))
		return false;
	if (scan_peek(s) == ':')
		return scan_group_begin(s);
	ends = !s->rest.n || scan_peek(s) == ',' || scan_peek(s) == ';';
	if (!ends || s->words.n || s->words.after_dot || s->words.fault) {
		if (!scan_mailbox(s, &a)) {
			address_release(&a);
			return false;
		}
		list_add(list, &a);
	}
	if (scan_peek(s) == ';')
		s->in_group = false;
	scan_skip(s, 1);
	return true;
}

/* ------------------------------------------------------------------ errors */

/* The text, up to the next comma behind what was read of it. */
static int report(const struct scan *s, struct view text, struct outcome *o)
{
	struct buf shown = BUF_INIT(5 * SHOWN_MAX);
	size_t n = text.n - s->rest.n;

	while (n < text.n && n < SHOWN_MAX && text.p[n] != ',')
		n++;
	text = view_trim(view_make(text.p, n));
	n = text.n < SHOWN_MAX ? text.n : SHOWN_MAX;
	text_add_printable(&shown, view_make(text.p, n));
	fail(o, CAUSE_RECIPIENT, "5.1.3", "bad address \"%s%s\": %s", shown.p,
	     n < text.n ? "..." : "", s->fault);
	buf_release(&shown);
	return -1;
}

/* --------------------------------------------------------------- contract */

static struct view trim_blanks(struct view v)
{
	while (v.n && text_is_space(v.p[0]))
		v = view_skip(v, 1);
	while (v.n && text_is_space(v.p[v.n - 1]))
		v.n--;
	return v;
}

static bool scan_strict(struct scan *s, struct address *a)
{
	if (!s->rest.n)
		return scan_refuse(s, "it is empty");
	if (scan_peek(s) == '<' ? !scan_angle(s, a)
				: !scan_words(s) || !scan_spec(s, a))
		return false;
	return !s->rest.n || scan_refuse(s, "there is something behind it");
}

int address_parse(struct view text, struct address *a, struct outcome *o)
{
	struct scan s;
	int rc = 0;

	text = trim_blanks(text);
	scan_init(&s, text, true);
	*a = ADDRESS_INIT;
	if (!scan_strict(&s, a)) {
		address_release(a);
		rc = report(&s, text, o);
	}
	scan_release(&s);
	return rc;
}

int address_list_parse(struct view body, struct address_list *list,
		       struct outcome *o)
{
	struct view member = body;
	struct scan s;
	int rc = 0;

	scan_init(&s, body, false);
	while (s.rest.n && rc == 0) {
		member = s.rest;
		if (!scan_member(&s, list))
			rc = report(&s, member, o);
	}
	scan_release(&s);
	return rc;
}

int address_qualify(struct address *a, const char *domain, struct outcome *o)
{
	struct buf mailbox = BUF_INIT(QUOTED_MAX);
	struct address full = ADDRESS_INIT;
	struct scan s;
	int rc = 0;

	if (a->has_domain)
		return 0;
	buf_add_text(&mailbox, a->mailbox);
	scan_init(&s, view_of(domain), true);
	if (scan_domain(&s) && !s.rest.n &&
	    set_mailbox(&s, &mailbox, true, &full)) {
		full.written = a->written;
		address_release(a);
		*a = full;
	} else {
		scan_refuse(&s, "there is something behind the domain");
		rc = fail(o, CAUSE_RECIPIENT, "5.1.3",
			  "bad address \"%s@%s\": %s", a->mailbox, domain,
			  s.fault);
	}
	scan_release(&s);
	buf_release(&mailbox);
	return rc;
}

bool address_equal(const struct address *a, const struct address *b)
{
	struct view left = view_of(a->mailbox), right = view_of(b->mailbox);

	return a->local_n == b->local_n &&
		view_equal(view_make(left.p, a->local_n),
			   view_make(right.p, b->local_n)) &&
		view_equal_nocase(view_skip(left, a->local_n),
				  view_skip(right, b->local_n));
}

void address_release(struct address *a)
{
	free(a->mailbox);
	*a = ADDRESS_INIT;
}

void address_list_release(struct address_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		address_release(&list->p[i]);
	free(list->p);
	*list = ADDRESS_LIST_INIT;
}
