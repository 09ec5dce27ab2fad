/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who gets the message, who is told of failures, and what was asked of the
 * delivery, gathered from the command line and the header. An address that
 * has no domain gets one here or is refused: none leaves without.
 */
#include "mail/envelope.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define ENVID_MAX 100u /* octets, RFC 3461 4.4 */

/* ------------------------------------------------------------- DSN, 8BIT */

struct word {
	const char *text;
	unsigned value;
};

/* Words are few; 0 is not among the values. */
static unsigned find_word(const struct word *words, size_t n, struct view text)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (view_equal_nocase(view_of(words[i].text), text))
			return words[i].value;
	return 0;
}

static const char *find_value(const struct word *words, size_t n,
			      unsigned value)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (words[i].value == value)
			return words[i].text;
	return NULL;
}

#define N_OF(words) (sizeof(words) / sizeof((words)[0]))

static const struct word notify_words[] = {
	{"never", NOTIFY_NEVER},
	{"success", NOTIFY_SUCCESS},
	{"failure", NOTIFY_FAILURE},
	{"delay", NOTIFY_DELAY},
};

static const struct word return_words[] = {
	{"full", RETURN_FULL},
	{"hdrs", RETURN_HEADERS},
};

static const struct word body_words[] = {
	{"7bit", BODY_7BIT},
	{"8bitmime", BODY_8BITMIME},
	{"binarymime", BODY_BINARYMIME},
};

bool envelope_parse_notify(struct view text, unsigned *notify)
{
	unsigned set = 0, one;
	const char *comma;
	struct view word;

	do {
		comma = memchr(text.p, ',', text.n);
		word = view_make(text.p,
				 comma ? (size_t)(comma - text.p) : text.n);
		text = view_skip(text, word.n + 1);
		one = find_word(notify_words, N_OF(notify_words),
				view_trim(word));
		if (!one)
			return false;
		set |= one;
	} while (comma);
	if (set & NOTIFY_NEVER && set != NOTIFY_NEVER)
		return false;
	*notify = set;
	return true;
}

void envelope_print_notify(unsigned notify, struct buf *out)
{
	const char *separator = "";
	size_t i;

	for (i = 0; i < N_OF(notify_words); i++) {
		if (!(notify & notify_words[i].value))
			continue;
		buf_printf(out, "%s%s", separator, notify_words[i].text);
		separator = ",";
	}
}

const char *envelope_return_word(enum dsn_return ret)
{
	return find_value(return_words, N_OF(return_words), ret);
}

const char *envelope_body_word(enum body_type type)
{
	return find_value(body_words, N_OF(body_words), type);
}

bool envelope_parse_return(struct view text, enum dsn_return *ret)
{
	unsigned found = find_word(return_words, N_OF(return_words), text);

	if (found)
		*ret = (enum dsn_return)found;
	return found != 0;
}

bool envelope_parse_body_type(struct view text, enum body_type *type)
{
	unsigned found = find_word(body_words, N_OF(body_words), text);

	if (found)
		*type = (enum body_type)found;
	return found != 0;
}

int envelope_set_envid(struct envelope *e, struct view text, struct outcome *o)
{
	size_t i;

	if (!text.n || text.n > ENVID_MAX)
		return fail(o, CAUSE_USAGE, "5.5.4",
			    "an envelope id has 1 to %u octets", ENVID_MAX);
	for (i = 0; i < text.n; i++)
		if (text.p[i] < ' ' || text.p[i] > '~')
			return fail(o, CAUSE_USAGE, "5.5.4",
				    "an envelope id is printable ASCII");
	free(e->envid);
	e->envid = memory_dup_n(text.p, text.n);
	return 0;
}

/* -------------------------------------------------------------- addresses */

static int qualify(struct address *a, const struct local_policy *local,
		   struct outcome *o)
{
	if (a->has_domain)
		return 0;
	if (local && local->maildomain)
		return address_qualify(a, local->maildomain, o);
	return fail(o, CAUSE_RECIPIENT, "5.1.3",
		    "\"%s\" has no domain and no alias; set maildomain or "
		    "local_to to say where its mail goes",
		    a->mailbox);
}

int envelope_settle_local(struct address *a, const struct local_policy *local,
			  struct outcome *o)
{
	struct address home = ADDRESS_INIT;

	if (a->has_domain || !local || !local->local_to)
		return qualify(a, local, o);
	if (address_parse(view_of(local->local_to), &home, o) < 0 ||
	    qualify(&home, local, o) < 0) {
		outcome_add_context(o, "local_to");
		o->cause = CAUSE_CONFIG;
		snprintf(o->status, sizeof(o->status), "5.3.5");
		address_release(&home);
		return -1;
	}
	home.written = a->written;
	address_release(a);
	*a = home;
	return 0;
}

int envelope_blame_sender(struct outcome *o)
{
	if (o->cause == CAUSE_RECIPIENT) {
		o->cause = CAUSE_SENDER;
		snprintf(o->status, sizeof(o->status), "5.1.7");
	}
	return -1;
}

/* Neither aliases nor local_to are for a sender. */
static int qualify_sender(struct address *a, const struct local_policy *local,
			  struct outcome *o)
{
	if (a->has_domain || (local && local->maildomain))
		return qualify(a, local, o);
	return fail(o, CAUSE_SENDER, "5.1.7",
		    "the sender \"%s\" has no domain; set from or maildomain, "
		    "or give one with -f",
		    a->mailbox);
}

int envelope_set_sender(struct envelope *e, struct view text,
			const struct local_policy *local, struct outcome *o)
{
	struct view trimmed = view_trim(text);
	struct address a = ADDRESS_INIT;

	if (!trimmed.n || view_equal(trimmed, VIEW("<>"))) {
		a.mailbox = memory_dup("");
	} else if (address_parse(text, &a, o) < 0 ||
		   qualify_sender(&a, local, o) < 0) {
		address_release(&a);
		return envelope_blame_sender(o);
	}
	address_release(&e->sender);
	e->sender = a;
	return 0;
}

static int compare_mailboxes(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Takes over both addresses. The mailbox' form is canonical, so that equal
 * ones are equal strings. */
static int add_mailbox(struct envelope *e, struct address *a,
		       struct address *original, struct outcome *o)
{
	char **known = tsearch(a->mailbox, &e->known, compare_mailboxes);

	if (!known || *known != a->mailbox) {
		address_release(a);
		address_release(original);
		return known ? 0
			     : fail(o, CAUSE_SYSTEM, "4.3.1", "out of memory");
	}
	if (e->n_recipients == e->recipients_cap) {
		e->recipients_cap = e->recipients_cap * 2 + 4;
		e->recipients = memory_resize(e->recipients, e->recipients_cap,
					      sizeof(*e->recipients));
	}
	e->recipients[e->n_recipients++] = (struct recipient){
		.address = *a,
		.original = *original,
	};
	*a = *original = ADDRESS_INIT;
	return 0;
}

/* The name as ORCPT has it: with the domain that it would have without an
 * alias (RFC 3461 4.2). */
static int copy_original(const struct address *name,
			 const struct local_policy *local,
			 struct address *original, struct outcome *o)
{
	*original = (struct address){
		.mailbox = memory_dup(name->mailbox),
		.local_n = name->local_n,
		.needs_utf8 = name->needs_utf8,
	};
	if (!local->maildomain)
		return 0;
	return address_qualify(original, local->maildomain, o);
}

/* All of those whom an alias names, or none. */
static int add_members(struct envelope *e, struct address_list *list,
		       const struct address *name,
		       const struct local_policy *local, struct outcome *o)
{
	struct address original = ADDRESS_INIT;
	int rc = copy_original(name, local, &original, o);
	size_t i;

	address_release(&original);
	for (i = 0; rc == 0 && i < list->n; i++)
		rc = envelope_settle_local(&list->p[i], local, o);
	for (i = 0; rc == 0 && i < list->n; i++) {
		rc = copy_original(name, local, &original, o);
		if (rc == 0)
			rc = add_mailbox(e, &list->p[i], &original, o);
	}
	return rc;
}

/* 1: the name has an alias, 0: it has none, -1. */
static int add_alias(struct envelope *e, const struct address *name,
		     const struct local_policy *local, struct outcome *o)
{
	struct address_list list = ADDRESS_LIST_INIT;
	int rc;

	if (!e->aliases)
		e->aliases = aliases_read(local->aliases, o);
	if (!e->aliases)
		return -1;
	rc = aliases_expand(e->aliases, view_of(name->mailbox), &list, o);
	if (rc > 0 && add_members(e, &list, name, local, o) < 0)
		rc = -1;
	address_list_release(&list);
	return rc;
}

static int add_settled(struct envelope *e, struct address *a,
		       const struct local_policy *local, struct outcome *o)
{
	struct address none = ADDRESS_INIT;

	if (envelope_settle_local(a, local, o) < 0)
		return -1;
	return add_mailbox(e, a, &none, o);
}

int envelope_add_recipient(struct envelope *e, struct address *a,
			   const struct local_policy *local, struct outcome *o)
{
	int rc = 0;

	if (!a->has_domain && local && local->aliases)
		rc = add_alias(e, a, local, o);
	if (rc == 0)
		rc = add_settled(e, a, local, o);
	address_release(a);
	return rc < 0 ? -1 : 0;
}

int envelope_restore_recipient(struct envelope *e, struct view mailbox,
			       struct outcome *o)
{
	struct address a = ADDRESS_INIT, none = ADDRESS_INIT;
	size_t before = e->n_recipients;
	int rc = address_parse(mailbox, &a, o);

	if (rc == 0)
		rc = qualify(&a, NULL, o);
	if (rc == 0)
		rc = add_mailbox(e, &a, &none, o);
	if (rc == 0 && e->n_recipients == before)
		rc = fail(o, CAUSE_RECIPIENT, "5.1.3", "it is there twice");
	address_release(&a);
	return rc;
}

static int add_list(struct envelope *e, struct view text,
		    const struct local_policy *local, struct outcome *o)
{
	struct address_list list = ADDRESS_LIST_INIT;
	int rc = address_list_parse(text, &list, o);
	size_t i;

	for (i = 0; i < list.n && rc == 0; i++)
		rc = envelope_add_recipient(e, &list.p[i], local, o);
	address_list_release(&list);
	return rc;
}

int envelope_add_recipients(struct envelope *e, struct view text,
			    const struct local_policy *local, struct outcome *o)
{
	struct buf shown = BUF_INIT(1024);

	/* an argument is one line; only a header's field may be folded */
	if (!view_has_control(text))
		return add_list(e, text, local, o);
	text_add_printable(&shown,
			   view_make(text.p, text.n < 200 ? text.n : 200));
	fail(o, CAUSE_RECIPIENT, "5.1.3",
	     "bad address \"%s\": there is a control character in it", shown.p);
	buf_release(&shown);
	return -1;
}

/* -------------------------------------------------------------- the header */

/* Some of a message's fields, from `begin` up to, without, `end`. */
struct range {
	size_t begin;
	size_t end;
};

/*
 * The newest Resent- block: the topmost Resent- fields up to another field,
 * or to one that the block has already, as each comes once (RFC 5322 3.6.6).
 * Empty: there is none.
 */
static struct range find_resent(const struct message *m)
{
	struct range r = {0, 0};
	unsigned seen = 0, bit;

	while (r.begin < m->n_fields &&
	       !(m->fields[r.begin].roles & ROLE_RESENT))
		r.begin++;
	for (r.end = r.begin; r.end < m->n_fields; r.end++) {
		bit = 1u << m->fields[r.end].id;
		if (!(m->fields[r.end].roles & ROLE_RESENT) ||
		    (seen & bit && m->fields[r.end].id != FIELD_OTHER))
			break;
		seen |= bit;
	}
	return r;
}

int envelope_add_from_header(struct envelope *e, const struct message *m,
			     const struct local_policy *local,
			     struct outcome *o)
{
	struct range range = find_resent(m);
	unsigned wanted = ROLE_RECIPIENT | ROLE_RESENT;
	const struct field *f;
	size_t i;

	if (range.begin == range.end) {
		range = (struct range){0, m->n_fields};
		wanted = ROLE_RECIPIENT;
	}
	for (i = range.begin; i < range.end; i++) {
		f = &m->fields[i];
		if ((f->roles & (ROLE_RECIPIENT | ROLE_RESENT)) != wanted)
			continue;
		if (add_list(e, f->body, local, o) < 0) {
			outcome_add_context(o, "%s", field_name(f->id));
			return -1;
		}
	}
	return 0;
}

/* The first address of the first such field in the range, if there is one. */
static int take_first(const struct message *m, struct range range,
		      enum field_id id, struct address *a, struct outcome *o)
{
	struct address_list list = ADDRESS_LIST_INIT;
	size_t i = range.begin;
	int rc;

	while (i < range.end && m->fields[i].id != id)
		i++;
	if (i == range.end)
		return 0;
	rc = address_list_parse(m->fields[i].body, &list, o);
	if (rc < 0) {
		outcome_add_context(o, "%s", field_name(id));
		envelope_blame_sender(o);
	} else if (list.n) {
		*a = list.p[0];
		list.p[0] = ADDRESS_INIT;
	}
	address_list_release(&list);
	return rc;
}

int envelope_sender_from_header(const struct message *m, struct address *a,
				struct outcome *o)
{
	const struct range all = {0, m->n_fields}, resent = find_resent(m);
	const struct {
		struct range range;
		enum field_id id;
	} places[] = {
		{resent, FIELD_RESENT_SENDER},
		{resent, FIELD_RESENT_FROM},
		{all, FIELD_SENDER},
		{all, FIELD_FROM},
	};
	size_t i;

	*a = ADDRESS_INIT;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (!a->mailbox &&
		    take_first(m, places[i].range, places[i].id, a, o) < 0)
			return -1;
	return 0;
}

/* ---------------------------------------------------------------- the rest */

unsigned envelope_notify_of(const struct envelope *e, size_t recipient)
{
	unsigned own = e->recipients[recipient].notify;

	return own ? own : e->notify;
}

const char *envelope_utf8_address(const struct envelope *e)
{
	size_t i;

	if (e->sender.needs_utf8)
		return e->sender.mailbox;
	for (i = 0; i < e->n_recipients; i++)
		if (e->recipients[i].address.needs_utf8)
			return e->recipients[i].address.mailbox;
	return NULL;
}

/* The tree's keys belong to the recipients. */
static void keep_key(void *key)
{
	(void)key;
}

void envelope_release(struct envelope *e)
{
	size_t i;

	tdestroy(e->known, keep_key);
	for (i = 0; i < e->n_recipients; i++) {
		address_release(&e->recipients[i].address);
		address_release(&e->recipients[i].original);
		free(e->recipients[i].orcpt);
	}
	free(e->recipients);
	aliases_free(e->aliases);
	address_release(&e->sender);
	free(e->envid);
	*e = ENVELOPE_INIT;
}
