/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From what is written to what is meant: an account's settings are kept as
 * text until one account is chosen, then laid over the defaults. The rules
 * that concern more than one setting are here.
 */
#include "conf/definition.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/idna.h"
#include "base/memory.h"
#include "base/text.h"
#include "conf/shield.h"
#include "conf/value.h"

static char *dup_value(const struct definition_entry *e)
{
	if (e->row->secret)
		return memory_dup_secret(e->value, strlen(e->value));
	return memory_dup(e->value);
}

void definition_set(struct definition *d, const struct definition_entry *e)
{
	size_t i;

	for (i = 0; i < d->n; i++) {
		if (d->p[i].row != e->row)
			continue;
		memory_free_secret(d->p[i].value);
		memmove(&d->p[i], &d->p[i + 1], (--d->n - i) * sizeof(d->p[0]));
		break;
	}
	if (d->n == d->cap) {
		d->cap = d->cap ? d->cap * 2 : 8;
		d->p = memory_resize(d->p, d->cap, sizeof(d->p[0]));
	}
	d->p[d->n] = *e;
	d->p[d->n++].value = dup_value(e);
}

void definition_merge(struct definition *to, const struct definition *from)
{
	size_t i;

	for (i = 0; i < from->n; i++)
		definition_set(to, &from->p[i]);
}

static const struct definition_entry *find(const struct definition *d,
					   const char *name)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		if (!strcmp(d->p[i].row->name, name))
			return &d->p[i];
	return NULL;
}

const char *definition_get(const struct definition *d, const char *name)
{
	const struct definition_entry *e = find(d, name);

	return e ? e->value : NULL;
}

static size_t *chain_of(const struct definition_list *list, struct view name)
{
	return &list->chains[view_hash(name) % list->cap];
}

static void chain(struct definition_list *list, size_t place)
{
	struct definition *d = &list->p[place];
	size_t *last = chain_of(list, view_of(d->name));

	d->before = *last;
	*last = place + 1;
}

static void grow(struct definition_list *list)
{
	size_t i;

	list->cap = list->cap ? list->cap * 2 : 8;
	list->p = memory_resize(list->p, list->cap, sizeof(*list->p));
	free(list->chains);
	list->chains = memory_alloc(list->cap * sizeof(*list->chains));
	for (i = 0; i < list->n; i++)
		chain(list, i);
}

struct definition *definition_add(struct definition_list *list, char *name)
{
	if (list->n == list->cap)
		grow(list);
	list->p[list->n] = (struct definition){.name = name};
	chain(list, list->n);
	return &list->p[list->n++];
}

struct definition *definition_find(const struct definition_list *list,
				   size_t start, struct view name)
{
	struct definition *found = NULL;
	size_t i = list->n ? *chain_of(list, name) : 0;

	for (; i > start; i = list->p[i - 1].before)
		if (view_equal(view_of(list->p[i - 1].name), name))
			found = &list->p[i - 1];
	return found;
}

void definition_list_release(struct definition_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		definition_release(&list->p[i]);
	free(list->p);
	free(list->chains);
	strings_release(&list->files);
	*list = DEFINITION_LIST_INIT;
}

void definition_release(struct definition *d)
{
	size_t i;

	for (i = 0; i < d->n; i++)
		memory_free_secret(d->p[i].value);
	free(d->p);
	free(d->name);
	*d = (struct definition){0};
}

/* ------------------------------------------------------- laying it all over */

static void add_place(const char *file, unsigned line, struct outcome *o)
{
	if (line)
		outcome_add_context(o, "%s:%u", file, line);
	else
		outcome_add_context(o, "%s", file);
}

/* Blame the line that set `name`; else the account's own. Returns -1. */
static int blame(const struct definition *d, const char *name,
		 struct outcome *o)
{
	const struct definition_entry *e = name ? find(d, name) : NULL;

	if (e)
		add_place(e->file, e->line, o);
	else
		add_place(d->file, d->line, o);
	return -1;
}

static int apply_entry(const struct definition_entry *e, struct account *a,
		       struct outcome *o)
{
	struct buf plain = BUF_INIT_SECRET(SIZE_MAX / 4);
	int rc;

	if (!e->row->secret)
		return setting_apply(e->row, a, view_of(e->value), o);
	shield_open(e->value, &plain);
	rc = setting_apply(e->row, a, buf_view(&plain), o);
	buf_release(&plain);
	return rc;
}

static int apply_entries(const struct definition *d, struct account *a,
			 struct outcome *o)
{
	const struct definition_entry *e;
	size_t i;

	for (i = 0; i < d->n; i++) {
		e = &d->p[i];
		if (apply_entry(e, a, o) < 0)
			return blame(d, e->row->name, o);
	}
	return 0;
}

static int apply_overrides(const struct definition_build *how,
			   struct account *a, struct outcome *o)
{
	const struct override *given;
	const struct setting *row;
	size_t i;

	for (i = 0; i < how->n_overrides; i++) {
		given = &how->overrides[i];
		row = setting_find(view_of(given->name));
		if (!row)
			return fail(o, CAUSE_USAGE, "5.5.4",
				    "unknown setting %s", given->name);
		if (setting_apply(row, a, view_of(given->value), o) < 0)
			return -1;
	}
	return 0;
}

static const char *override_of(const struct definition_build *how,
			       const char *name)
{
	const char *value = NULL;
	size_t i;

	for (i = 0; i < how->n_overrides; i++)
		if (!strcmp(how->overrides[i].name, name))
			value = how->overrides[i].value
				? how->overrides[i].value
				: "";
	return value;
}

/* ----------------------------------------------------- what follows from it */

static void expand(char **text, const struct definition_build *how)
{
	char *expanded;

	if (!*text || !strchr(*text, '%'))
		return;
	expanded = pattern_expand(*text, how->facts);
	free(*text);
	*text = expanded;
}

static bool is_set(const struct definition *d,
		   const struct definition_build *how, const char *name)
{
	const char *value = override_of(how, name);

	return value || definition_get(d, name);
}

/* Who can read a unix socket's traffic can read our memory: TLS is only on
 * there if it was asked for. */
static void derive_tls(const struct definition *d,
		       const struct definition_build *how, struct account *a)
{
	if (a->dial.socket && !a->dial.tunnel && !is_set(d, how, "tls"))
		a->tls.on = false;
}

static void derive_port(const struct definition *d, struct account *a)
{
	if (a->dial.port || a->session.lmtp)
		return;
	if (a->tls.on && !a->tls.starttls)
		a->dial.port = 465;
	else
		a->dial.port = d->as_msmtp ? 25 : 587;
}

/* The name for EHLO is ASCII without blanks, whatever it was made from. */
/* An address literal (RFC 5321 4.1.3). */
static bool is_literal(const char *text)
{
	struct view inner = view_skip(view_of(text), 1);
	struct view tag = VIEW("IPv6:");
	bool is_ipv6 = view_starts_nocase(inner, tag);
	char address[INET6_ADDRSTRLEN] = "";
	struct in6_addr ignored;

	if (is_ipv6)
		inner = view_skip(inner, tag.n);
	if (*text != '[' || inner.n < 2 || inner.n > sizeof(address) ||
	    inner.p[inner.n - 1] != ']')
		return false;
	memcpy(address, inner.p, inner.n - 1);
	return inet_pton(is_ipv6 ? AF_INET6 : AF_INET, address, &ignored) == 1;
}

/* What EHLO may be followed by: a domain or an address literal (RFC 5321
 * 4.1.1.1). */
static int derive_domain(const struct definition *d,
			 const struct definition_build *how, struct account *a,
			 struct outcome *o)
{
	char *ascii;

	if (!a->session.domain || is_literal(a->session.domain))
		return 0;
	ascii = idna_to_ascii(view_of(a->session.domain), o);
	if (ascii) {
		free(a->session.domain);
		a->session.domain = ascii;
		return 0;
	}
	fail(o, CAUSE_CONFIG, "5.3.5",
	     "domain: '%s' is neither a domain nor an address in brackets",
	     a->session.domain);
	return override_of(how, "domain") ? -1 : blame(d, "domain", o);
}

/* As msmtp: it takes the place of `from`. */
static void derive_from(const struct definition_build *how, struct account *a)
{
	struct buf from = BUF_INIT(4096);
	char *user;

	if (!a->identity.auto_from)
		return;
	user = pattern_user(how->facts);
	buf_add_text(&from, user);
	if (a->local.maildomain)
		buf_printf(&from, "@%s", a->local.maildomain);
	free(user);
	free(a->identity.from);
	a->identity.from = buf_detach(&from);
}

static int derive(const struct definition *d,
		  const struct definition_build *how, struct account *a,
		  struct outcome *o)
{
	derive_tls(d, how, a);
	derive_port(d, a);
	if (how->keep_patterns)
		return 0;
	expand(&a->identity.from, how);
	expand(&a->identity.from_full_name, how);
	expand(&a->local.maildomain, how);
	expand(&a->local.local_to, how);
	expand(&a->session.domain, how);
	derive_from(how, a);
	return derive_domain(d, how, a, o);
}

/* ------------------------------------------------------ does it make sense? */

static bool lacks_host(const struct account *a)
{
	return !a->dial.host && !a->dial.socket && !a->dial.tunnel;
}

static bool lacks_name_for_tls(const struct account *a)
{
	return a->tls.on && a->tls.certcheck && !a->tls.fingerprint &&
		!a->tls.pin && !a->dial.host && !a->tls.host_override;
}

static bool lacks_lmtp_port(const struct account *a)
{
	return !a->dial.port && a->dial.host && !a->dial.socket &&
		!a->dial.tunnel;
}

static bool lacks_user(const struct account *a)
{
	return auth_needs_user(&a->auth) && !a->auth.user;
}

static bool lacks_certificate(const struct account *a)
{
	return a->tls.key_file && !a->tls.cert_file;
}

static bool lacks_tls(const struct account *a)
{
	return a->transaction.requiretls &&
		(!a->tls.on || !tls_is_verified(&a->tls));
}

static int check_account(const struct definition *d,
			 const struct definition_build *how,
			 const struct account *a, struct outcome *o)
{
	static const struct {
		bool (*is_wrong)(const struct account *a);
		const char *name; /* of the setting to blame, if it is set */
		const char *text;
	} rules[] = {
		{lacks_host, NULL, "has no host"},
		{lacks_name_for_tls, "tls",
		 "uses TLS and has no name to check the certificate "
		 "against: set host or tls_host_override"},
		{lacks_lmtp_port, "protocol",
		 "speaks LMTP, which has no port of its own: set port"},
		{lacks_user, "auth", "is to authenticate and has no user"},
		{lacks_certificate, "tls_key_file",
		 "has tls_key_file without tls_cert_file"},
		{lacks_tls, "requiretls",
		 "requires TLS and does without, or does not verify it"},
	};
	size_t i;

	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!rules[i].is_wrong(a))
			continue;
		fail(o, CAUSE_CONFIG, "5.3.5", "account '%s' %s",
		     d->name ? d->name : "", rules[i].text);
		return override_of(how, rules[i].name)
			? -1
			: blame(d, rules[i].name, o);
	}
	return 0;
}

int definition_to_account(const struct definition *d,
			  const struct definition_build *how, struct account *a,
			  struct outcome *o)
{
	account_release(a);
	a->name = memory_dup(d->name);
	setting_apply_defaults(a, d->as_msmtp);
	if (apply_entries(d, a, o) < 0 || apply_overrides(how, a, o) < 0)
		return -1;
	if (derive(d, how, a, o) < 0)
		return -1;
	return check_account(d, how, a, o);
}
