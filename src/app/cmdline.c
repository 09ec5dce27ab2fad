/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes an argument vector apart by the rows of app/options and of the
 * settings. Options end at the first argument that is none: a recipient can
 * never become an option.
 */
#include "app/cmdline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/options.h"
#include "base/memory.h"
#include "base/text.h"
#include "conf/setting.h"

static void spell(struct option_context *c, const struct option *row)
{
	struct buf text = BUF_INIT(sizeof(c->spelled) - 1);

	option_spell(row, &text);
	snprintf(c->spelled, sizeof(c->spelled), "%s", text.p);
	buf_release(&text);
}

static bool is_refused(struct option_context *c, const struct option *row)
{
	if (!row->ours || !c->request->as_sendmail)
		return false;
	option_fail(c,
		    "is refused under the name %s; configure it instead, or "
		    "call postrider",
		    c->program);
	return true;
}

/* ------------------------------------------------------------- with letters */

static int fail_unknown_letter(struct option_context *c, const char *group,
			       char letter)
{
	return fail(c->o, CAUSE_USAGE, "5.5.4", "unknown option -%s%c", group,
		    letter);
}

/* -b, -o, -od: `value` is the letter and what is joined to it. */
static int apply_in_group(const char *group, struct option_context *c,
			  char *value)
{
	const struct option *row = option_find(group, *value);
	struct buf inner = BUF_INIT(8);
	int rc;

	if (*value && !row && !strcmp(group, "o"))
		return 0; /* sendmail has one for nearly every letter */
	if (!*value)
		return fail(c->o, CAUSE_USAGE, "5.5.4",
			    "-%s wants a letter behind it", group);
	if (!row)
		return fail_unknown_letter(c, group, *value);
	spell(c, row);
	if (is_refused(c, row))
		return -1;
	if (row->argument == ARGUMENT_NONE && value[1])
		return fail(c->o, CAUSE_USAGE, "5.5.4", "unknown option -%s%s",
			    group, value);
	if (row->kind != OPTION_GROUP)
		return option_apply(row, c, value + 1);
	buf_printf(&inner, "%s%c", group, row->letter);
	rc = apply_in_group(inner.p, c, value + 1);
	buf_release(&inner);
	return rc;
}

static int apply_letter(const struct option *row, struct option_context *c,
			char *value)
{
	char group[] = {row->letter, '\0'};

	if (row->kind == OPTION_GROUP)
		return apply_in_group(group, c, value);
	return option_apply(row, c, value);
}

/* One argument that begins with a dash: letters, bundled as long as they
 * have no argument. */
static int read_letters(char *letters, struct arguments *rest,
			struct option_context *c)
{
	const struct option *row;
	char *value;

	while (*letters) {
		row = option_find("", *letters++);
		if (!row)
			return fail_unknown_letter(c, "", letters[-1]);
		spell(c, row);
		if (is_refused(c, row))
			return -1;
		if (row->argument == ARGUMENT_NONE) {
			if (option_apply(row, c, NULL) < 0)
				return -1;
			continue;
		}
		value = letters;
		if (row->argument == ARGUMENT_REQUIRED && !*letters)
			value = option_next_argument(rest);
		if (!value)
			return option_fail(c, "wants an argument: %s",
					   row->metavar);
		return apply_letter(row, c, value);
	}
	return 0;
}

/* --------------------------------------------------------------- with names */

/* The nearest name of an option or setting, or NULL. */
static const char *nearest_name(struct view name)
{
	size_t distance, most = setting_slips(name);
	const char *nearest = setting_nearest(name);
	const struct option *row;

	if (nearest)
		most = text_distance(name, view_of(nearest), most);
	for (row = options; row < options + options_n; row++) {
		if (!row->name)
			continue;
		distance = text_distance(name, view_of(row->name), most);
		if (distance > most || (nearest && distance == most))
			continue;
		nearest = row->name;
		most = distance;
	}
	return nearest;
}

static int fail_unknown_name(struct view name, struct option_context *c)
{
	const char *near = nearest_name(name);
	struct buf dashed = BUF_INIT(64);
	int n = name.n < 64 ? (int)name.n : 64;

	for (; near && *near; near++)
		buf_add_char(&dashed, *near == '_' ? '-' : *near);
	if (dashed.n)
		fail(c->o, CAUSE_USAGE, "5.5.4",
		     "unknown option --%.*s; did you mean --%s?", n, name.p,
		     dashed.p);
	else
		fail(c->o, CAUSE_USAGE, "5.5.4", "unknown option --%.*s", n,
		     name.p);
	buf_release(&dashed);
	return -1;
}

/* A value that the setting would not take is a wrong command line. */
static int check_override(const struct setting *row, const char *value,
			  struct option_context *c)
{
	struct account scratch = ACCOUNT_INIT;
	struct outcome why = OUTCOME_INIT;
	int rc = setting_apply(row, &scratch, view_of(value), &why);

	if (rc < 0)
		fail(c->o, CAUSE_USAGE, "5.5.4", "%s: %s", c->spelled,
		     why.text);
	account_release(&scratch);
	outcome_release(&why);
	return rc;
}

static int apply_setting(const struct setting *row, char *value,
			 struct arguments *rest, struct option_context *c)
{
	if (row->secret)
		return option_fail(
			c,
			"is not taken from the command line, where others "
			"can read it; use passwordeval or password_file");
	if (!value && !setting_has_bare_form(row))
		value = option_next_argument(rest);
	if (!value && !setting_has_bare_form(row))
		return option_fail(c, "wants an argument: %s", row->argument);
	if (check_override(row, value, c) < 0)
		return -1;
	option_override(c->request, row->name, value);
	return 0;
}

static int apply_name(const struct option *row, char *value,
		      struct arguments *rest, struct option_context *c)
{
	if (row->argument == ARGUMENT_NONE && value)
		return option_fail(c, "takes no argument");
	if (row->argument == ARGUMENT_REQUIRED && !value)
		value = option_next_argument(rest);
	if (row->argument == ARGUMENT_REQUIRED && !value)
		return option_fail(c, "wants an argument: %s", row->metavar);
	return option_apply(row, c, value);
}

/* --name, --name=value, --name value. */
static int read_name(char *text, struct arguments *rest,
		     struct option_context *c)
{
	size_t n = strcspn(text, "=");
	char *value = text[n] ? text + n + 1 : NULL;
	struct view name = view_make(text, n);
	const struct option *row = option_find_name(name);
	const struct setting *setting = setting_find(name);

	snprintf(c->spelled, sizeof(c->spelled), "--%.*s", n < 28 ? (int)n : 28,
		 text);
	if (c->request->as_sendmail)
		return option_fail(
			c,
			"is refused under the name %s: long options belong to "
			"the name postrider",
			c->program);
	if (row)
		return apply_name(row, value, rest, c);
	if (setting)
		return apply_setting(setting, value, rest, c);
	return fail_unknown_name(name, c);
}

/* ---------------------------------------------------------------- the whole */

static int read_options(struct arguments *a, struct option_context *c)
{
	char *text;
	int rc = 0;

	while (rc == 0 && a->n && a->p[0][0] == '-' && a->p[0][1]) {
		text = option_next_argument(a);
		if (!strcmp(text, "--")) {
			c->ended_options = true;
			break;
		}
		if (text[1] == '-')
			rc = read_name(text + 2, a, c);
		else
			rc = read_letters(text + 1, a, c);
	}
	return rc;
}

/* sendmail's names, and the option that each stands for. */
static void read_program(const char *path, struct option_context *c)
{
	static const struct {
		const char *name;
		enum mode mode;
	} names[] = {
		{"sendmail", MODE_SUBMIT},
		{"mailq", MODE_QUEUE_LIST},
		{"newaliases", MODE_ALIASES},
	};
	const char *slash = strrchr(path, '/');
	size_t i;

	c->program = slash ? slash + 1 : path;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(c->program, names[i].name))
			continue;
		c->request->as_sendmail = true;
		c->request->mode = names[i].mode;
	}
}

/* Does it name messages of the queue? */
static bool manages(enum mode mode)
{
	return mode == MODE_QUEUE_SHOW || mode == MODE_QUEUE_HOLD ||
		mode == MODE_QUEUE_RELEASE || mode == MODE_QUEUE_REMOVE ||
		mode == MODE_QUEUE_RETRY;
}

static bool is_of_queue(enum mode mode)
{
	return manages(mode) || mode == MODE_QUEUE_RUN ||
		mode == MODE_QUEUE_LIST || mode == MODE_QUEUE_COUNT;
}

/* -q in its many forms, and what only goes with it. */
static int settle_queue(struct option_context *c)
{
	struct request *r = c->request;

	if (c->daemon && (!c->runs_queue || !r->queue.interval))
		return fail(
			c->o, CAUSE_USAGE, "5.5.4",
			"%s: this is no server; with -q INTERVAL it means to "
			"run the queue",
			c->daemon);
	if (c->entries &&
	    (r->mode != c->entries->mode || r->queue.only_due ||
	     r->queue.interval || r->queue.foreground))
		return fail(c->o, CAUSE_USAGE, "5.5.4",
			    "--%s stands alone: one thing at a time",
			    c->entries->name);
	if (c->runs_queue && r->mode == MODE_SUBMIT)
		r->mode = MODE_QUEUE_RUN;
	if (r->account && is_of_queue(r->mode))
		selectors_add(&r->queue.selectors, SELECT_ACCOUNT, false,
			      view_of(r->account));
	if (r->queue.all_users && r->mode != MODE_QUEUE_RUN)
		return fail(c->o, CAUSE_USAGE, "5.5.4",
			    "--all-users goes with -q or --queue-run");
	return 0;
}

/* Others permute, so people write options behind recipients. They stay
 * recipients, but what can only be meant as an option is not sent mail to. */
static bool looks_like_option(const char *text)
{
	return text[0] == '-' && text[1] && !strchr(text, '@');
}

static bool takes_no_recipients(enum mode mode)
{
	return mode == MODE_CHECK || mode == MODE_PROBE ||
		mode == MODE_ADDRESSES || mode == MODE_ALIASES ||
		mode == MODE_QUEUE_RUN || mode == MODE_QUEUE_LIST ||
		mode == MODE_QUEUE_COUNT;
}

static int settle_recipients(const struct arguments *a,
			     struct option_context *c)
{
	enum mode mode = c->request->mode;
	int i;

	if (a->n && takes_no_recipients(mode))
		return fail(c->o, CAUSE_USAGE, "5.5.4",
			    "nothing is sent, so there are no recipients: '%s'",
			    a->p[0]);
	if (mode == MODE_SERVE && c->request->dry_run)
		return fail(c->o, CAUSE_USAGE, "5.5.4",
			    "-bs submits for real, so --dry-run is not for it");
	if ((mode == MODE_QUEUE_RUN || manages(mode)) && c->request->dry_run)
		return fail(c->o, CAUSE_USAGE, "5.5.4",
			    "what is done with the queue is done for real, so "
			    "--dry-run is not for it");
	if (a->n && mode == MODE_SERVE)
		return fail(c->o, CAUSE_USAGE, "5.5.4",
			    "the recipients come by SMTP, not here: '%s'",
			    a->p[0]);
	for (i = 0; i < a->n; i++) {
		if (!c->ended_options && looks_like_option(a->p[i]))
			return fail(c->o, CAUSE_USAGE, "5.5.4",
				    "'%s' stands behind a recipient: options "
				    "go in front; put -- before the recipients "
				    "if it is one",
				    a->p[i]);
		strings_add(&c->request->recipients, view_of(a->p[i]));
	}
	return 0;
}

int cmdline_parse(int argc, char **argv, struct request *r, struct outcome *o)
{
	struct arguments a = {argv, argc};
	struct option_context c = {
		.request = r, .o = o, .program = "", .rest = &a};
	const char *path = option_next_argument(&a);
	int rc;

	read_program(path ? path : "", &c);
	rc = read_options(&a, &c);
	if (rc == 0)
		rc = settle_queue(&c);
	if (rc == 0)
		rc = settle_recipients(&a, &c);
	free(c.daemon);
	return rc;
}

struct config *cmdline_load_config(const struct request *r, struct outcome *o)
{
	struct config_request request = {
		.file = r->config_file,
		.overrides = r->overrides,
		.n_overrides = r->n_overrides,
	};

	return config_load(&request, o);
}

struct account *cmdline_choose_account(const struct request *r,
				       struct config *c, const char *sender,
				       struct outcome *o)
{
	struct account *a = config_choose(c, r->account, sender, o);

	if (a)
		memcpy(a->session.waits, r->waits, sizeof(r->waits));
	return a;
}

void cmdline_release(struct request *r)
{
	free(r->later);
	free(r->overrides);
	selectors_release(&r->queue.selectors);
	strings_release(&r->recipients);
	strings_release(&r->warnings);
	*r = REQUEST_INIT;
}
