/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration as a whole: which files, which account, and what --check
 * has to say about all of them. Reading is conf/reader's, choosing
 * conf/choose's, what an account comes to conf/definition's.
 */
#include "conf/config.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"
#include "conf/choose.h"
#include "conf/definition.h"
#include "conf/places.h"
#include "conf/reader.h"

#define NO_FILE "no configuration"

struct config {
	const struct override *overrides;
	size_t n_overrides;
	const struct pattern_facts *facts;
	bool unread; /* the command line says it all, unless an account is
			   named */
	struct definition_list list;
	struct account chosen;
};

static bool names_server(const struct config_request *request)
{
	static const char *const servers[] = {"host", "socket", "tunnel"};
	size_t i, k;

	for (i = 0; i < request->n_overrides; i++)
		for (k = 0; k < sizeof(servers) / sizeof(char *); k++)
			if (!strcmp(request->overrides[i].name, servers[k]))
				return true;
	return false;
}

static struct definition_build build_of(const struct config *c)
{
	return (struct definition_build){
		.overrides = c->overrides,
		.n_overrides = c->n_overrides,
		.facts = c->facts,
	};
}

/* ----------------------------------------------------------------- reading */

static void add_word(struct buf *b, const char *path)
{
	buf_printf(b, "%s%s", b->n ? ", " : "", path);
}

/* One that is there is none of ours only because it can't be read. */
static const char *find_unreadable(const struct places *places)
{
	size_t i;

	for (i = 0; i < places->n; i++)
		if (access(places->p[i].path, F_OK) == 0)
			return places->p[i].path;
	return NULL;
}

bool config_is_missing(const struct outcome *o)
{
	return o->cause == CAUSE_CONFIG && o->text &&
		!strncmp(o->text, NO_FILE ";", sizeof(NO_FILE));
}

static int fail_no_file(const struct places *places, struct outcome *o)
{
	const char *unreadable = find_unreadable(places);
	struct buf paths = BUF_INIT(4096);
	size_t i;

	for (i = 0; i < places->n; i++)
		add_word(&paths, places->p[i].path);
	fail(o, CAUSE_CONFIG, "5.3.5",
	     NO_FILE "%s%s; write one of %s, or name a server with --host",
	     unreadable ? ": you may not read " : "",
	     unreadable ? unreadable : "", paths.p);
	buf_release(&paths);
	return -1;
}

/* The first of the user's and the system's; 1: one was there. */
static int read_places(struct definition_list *list,
		       const struct places *places, bool as_msmtp,
		       const struct config_request *request, struct outcome *o)
{
	const struct reader_policy policy = {request, as_msmtp, false};
	bool found = false, found_users = false;
	const struct place *place;
	int rc;

	for (place = places->p; place < places->p + places->n; place++) {
		if (place->as_msmtp != as_msmtp)
			continue;
		if (place->is_users && found_users)
			continue;
		rc = reader_read_file(list, place->path, &policy, o);
		if (rc < 0)
			return -1;
		found = found || rc;
		found_users = found_users || (rc && place->is_users);
	}
	return found;
}

/* One file of ours, be it the system's, and msmtp's do not count. */
static void warn_of_unread(const struct places *places,
			   const struct config_request *request)
{
	const struct place *place;

	for (place = places->p; place < places->p + places->n; place++)
		if (place->as_msmtp && access(place->path, R_OK) == 0)
			reader_tell(request, false,
				    "%s is not read, as there is a "
				    "configuration of postrider's own",
				    place->path);
}

static int search(struct definition_list *list,
		  const struct config_request *request, struct outcome *o)
{
	struct places places;
	int rc;

	places_list(&places);
	rc = read_places(list, &places, false, request, o);
	if (rc > 0)
		warn_of_unread(&places, request);
	if (rc == 0)
		rc = read_places(list, &places, true, request, o);
	if (rc == 0 && !names_server(request))
		rc = fail_no_file(&places, o);
	places_release(&places);
	return rc < 0 ? -1 : 0;
}

static int read_files(struct definition_list *list,
		      const struct config_request *request, struct outcome *o)
{
	const struct reader_policy named = {request, false, true};

	if (!request->file)
		return search(list, request, o);
	return reader_read_file(list, request->file, &named, o) < 0 ? -1 : 0;
}

/* ------------------------------------------------------------------- check */

static bool sends_password_in_clear(const struct account *a)
{
	return auth_is_wanted(&a->auth) && !a->tls.on;
}

static bool checks_no_certificate(const struct account *a)
{
	return a->tls.on && !tls_is_verified(&a->tls);
}

static bool has_port_of_implicit_tls(const struct account *a)
{
	return a->tls.on && a->tls.starttls && a->dial.port == 465;
}

static bool has_port_of_starttls(const struct account *a)
{
	return a->tls.on && !a->tls.starttls && a->dial.port == 587;
}

static bool has_weak_fingerprint(const struct account *a)
{
	const char *p = a->tls.fingerprint;
	size_t digits = 0;

	for (; p && *p; p++)
		digits += *p != ':';
	return digits && digits < 64;
}

/* The proxy's only job is to find a host. */
static bool has_idle_proxy(const struct account *a)
{
	return a->dial.proxy.host && (a->dial.socket || a->dial.tunnel);
}

static bool has_idle_preference(const struct account *a)
{
	bool is_ipv6;

	if (!a->dial.source_ip || a->dial.prefer_family == FAMILY_ANY)
		return false;
	is_ipv6 = strchr(a->dial.source_ip, ':');
	return is_ipv6 != (a->dial.prefer_family == FAMILY_IPV6);
}

static void warn_about(const struct config_request *request,
		       const struct definition *d, const struct account *a)
{
	static const struct {
		bool (*is_so)(const struct account *a);
		const char *text;
	} warnings[] = {
		{sends_password_in_clear,
		 "authenticates without TLS, so only by a mechanism "
		 "that hides the password"},
		{checks_no_certificate,
		 "has tls_certcheck off: anyone may pose as the server"},
		{has_port_of_implicit_tls,
		 "has port 465, where servers speak TLS from the start: "
		 "set tls_starttls off"},
		{has_port_of_starttls,
		 "has port 587, where servers want STARTTLS: set "
		 "tls_starttls on"},
		{has_weak_fingerprint,
		 "has a tls_fingerprint other than SHA-256, which can "
		 "be forged"},
		{has_idle_proxy,
		 "has proxy_host, which is for host alone: with "
		 "socket or tunnel no proxy is used"},
		{has_idle_preference,
		 "has prefer_family, but source_ip reaches the other "
		 "family only"},
	};
	size_t i;

	for (i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++)
		if (warnings[i].is_so(a))
			reader_tell(request, false, "%s:%u: account '%s' %s",
				    d->file, d->line, d->name,
				    warnings[i].text);
}

/* An account that only others inherit from need not be whole. */
static bool is_for_use(const struct definition *d)
{
	return definition_get(d, "host") || definition_get(d, "socket") ||
		definition_get(d, "tunnel");
}

static void check_definitions(const struct config *c,
			      const struct config_request *request)
{
	struct definition_build how = build_of(c);
	struct account a = ACCOUNT_INIT;
	struct outcome o = OUTCOME_INIT;
	const struct definition *d;
	size_t i;

	how.keep_patterns = true;
	for (i = 0; i < c->list.n; i++) {
		d = &c->list.p[i];
		if (definition_find(&c->list, 0, view_of(d->name)) != d) {
			reader_tell(
				request, false,
				"%s:%u: account '%s' is hidden by another of "
				"that name",
				d->file, d->line, d->name);
			continue;
		}
		if (definition_to_account(d, &how, &a, &o) == 0)
			warn_about(request, d, &a);
		else
			reader_tell(request, is_for_use(d), "%s", o.text);
	}
	account_release(&a);
	outcome_release(&o);
}

/* --------------------------------------------------------------- the config */

static struct config *new_config(const struct config_request *request)
{
	struct config *c = memory_alloc(sizeof(*c));

	c->overrides = request->overrides;
	c->n_overrides = request->n_overrides;
	c->facts = request->facts;
	return c;
}

struct config *config_load(const struct config_request *request,
			   struct outcome *o)
{
	struct config *c = new_config(request);

	c->unread = names_server(request) && !request->file &&
		!request->on_finding;
	if (!c->unread && read_files(&c->list, request, o) < 0) {
		config_free(c);
		return NULL;
	}
	if (request->on_finding)
		check_definitions(c, request);
	return c;
}

struct config *config_parse(struct view text, const char *name,
			    const struct config_request *request,
			    struct outcome *o)
{
	const struct reader_policy policy = {.request = request};
	struct config *c = new_config(request);

	if (reader_read_text(&c->list, text, name, &policy, o) < 0) {
		config_free(c);
		return NULL;
	}
	if (request->on_finding)
		check_definitions(c, request);
	return c;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	account_release(&c->chosen);
	definition_list_release(&c->list);
	free(c);
}

/* ----------------------------------------------------------------- choosing */

static struct account *build(struct config *c, const struct definition *d,
			     struct outcome *o)
{
	struct definition_build how = build_of(c);

	if (definition_to_account(d, &how, &c->chosen, o) < 0)
		return NULL;
	return &c->chosen;
}

/* Nothing but what the command line says. */
static struct account *build_from_overrides(struct config *c, struct outcome *o)
{
	const struct definition none = {.file = "command line"};

	return build(c, &none, o);
}

struct account *config_choose(struct config *c, const char *name,
			      const char *from, struct outcome *o)
{
	const struct config_request request = {
		.overrides = c->overrides,
		.n_overrides = c->n_overrides,
	};
	const struct definition *d;

	if (c->unread && !name)
		return build_from_overrides(c, o);
	if (c->unread && read_files(&c->list, &request, o) < 0) {
		definition_list_release(&c->list);
		return NULL;
	}
	c->unread = false;
	d = choose_definition(&c->list, name, from, c->facts, o);
	if (d)
		return build(c, d, o);
	if (name || !names_server(&request))
		return NULL;
	outcome_release(o);
	return build_from_overrides(c, o);
}

void config_visit(struct config *c,
		  void (*visit)(void *context, const struct account *a),
		  void *context)
{
	struct strings names = STRINGS_INIT;
	struct outcome ignored = OUTCOME_INIT;
	const struct account *a;
	size_t i;

	config_names(c, &names);
	for (i = 0; i < names.n; i++) {
		a = config_choose(c, names.p[i], NULL, &ignored);
		if (a)
			visit(context, a);
		outcome_release(&ignored);
	}
	strings_release(&names);
}

const struct strings *config_files(const struct config *c)
{
	return &c->list.files;
}

void config_names(const struct config *c, struct strings *names)
{
	choose_names(&c->list, names);
}
