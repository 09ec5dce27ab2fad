/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What those options do that take more than a row to say.
 */
#include "app/option_calls.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"

/* The first such option is the one that is told. */
int option_call_later(struct option_context *c, char *value)
{
	(void)value;
	if (!c->later)
		c->later = memory_dup(c->spelled);
	return 0;
}

int option_call_config(struct option_context *c, char *value)
{
	bool ok = !strcmp(value, "c") || !strcmp(value, "m");

	return ok ? 0 : option_fail(c, "wants c or m, not '%s'", value);
}

int option_call_body(struct option_context *c, char *value)
{
	if (envelope_parse_body_type(view_of(value), &c->request->body_type))
		return 0;
	return option_fail(c, "wants 7BIT, 8BITMIME or BINARYMIME, not '%s'",
			   value);
}

int option_call_notify(struct option_context *c, char *value)
{
	unsigned *notify = &c->request->notify;

	if (view_equal_nocase(view_of(value), VIEW("off")))
		*notify = 0;
	else if (!envelope_parse_notify(view_of(value), notify))
		return option_fail(
			c,
			"wants never, or a list of success, failure and "
			"delay, not '%s'",
			value);
	return 0;
}

int option_call_return(struct option_context *c, char *value)
{
	enum dsn_return *ret = &c->request->ret;

	if (view_equal_nocase(view_of(value), VIEW("off")))
		*ret = RETURN_UNSET;
	else if (view_equal_nocase(view_of(value), VIEW("headers")))
		*ret = RETURN_HEADERS;
	else if (!envelope_parse_return(view_of(value), ret))
		return option_fail(c, "wants full or hdrs, not '%s'", value);
	return 0;
}

int option_call_no_aliases(struct option_context *c, char *value)
{
	(void)value;
	option_override(c->request, "aliases", "off");
	return 0;
}

int option_call_debug(struct option_context *c, char *value)
{
	if (!strcmp(value, "0.1"))
		c->request->mode = MODE_VERSION;
	return 0;
}

int option_call_report(struct option_context *c, char *value)
{
	if (!strcmp(value, "json"))
		c->request->report = REPORT_JSON;
	else if (!strcmp(value, "text"))
		c->request->report = REPORT_TEXT;
	else
		return option_fail(c, "wants json or text, not '%s'", value);
	return 0;
}

int option_call_daemon(struct option_context *c, char *value)
{
	(void)value;
	free(c->daemon);
	c->daemon = memory_dup(c->spelled);
	return 0;
}

/* q and d keep the message for later: that needs a queue. */
int option_call_no_queue(struct option_context *c, char *value)
{
	(void)value;
	return fail(c->o, CAUSE_CONFIG, "5.3.5",
		    "%s: no queue is configured, and this version has none yet",
		    c->spelled);
}

/* -q, -q30m, -qf, -qI SUB, -q!R SUB … */
int option_call_queue(struct option_context *c, char *value)
{
	const char *letter = *value == '!' ? value + 1 : value;
	unsigned long long seconds;

	c->queue_run = true;
	if (!*value || text_to_seconds(view_of(value), 1u << 30, &seconds))
		return option_call_later(c, value);
	if (!*letter || !option_find("q", *letter))
		return option_fail(c, "does not know '%s'", value);
	snprintf(c->spelled, sizeof(c->spelled), "-q%.*s",
		 (int)(letter + 1 - value), value);
	return option_call_later(c, value);
}

/* It would write to a file of the caller's choice. */
int option_call_traffic_log(struct option_context *c, char *value)
{
	struct buf text = BUF_INIT(256);

	if (!c->request->as_sendmail)
		return option_call_later(c, value);
	buf_printf(&text, "%s is ignored under the name %.64s", c->spelled,
		   c->program);
	strings_add(&c->request->warnings, buf_view(&text));
	buf_release(&text);
	return 0;
}

/* Long options of sendmail, by how they begin. */
static const struct {
	const char *pattern;
	bool later;   /* means something, but not yet */
	bool is_file; /* names a file or program */
} long_options[] = {
	{"requiretls", true, false},
	{"deliverby", true, false},
	{"timeout*", true, false},
	{"aliasfile", false, true},
	{"*cert*", false, true},
	{"controlsocketname", false, true},
	{"crl*", false, true},
	{"deadletterdrop", false, true},
	{"dhparameters", false, true},
	{"*directory", false, true},
	{"*file", false, true},
	{"forwardpath", false, true},
	{"userdatabasespec", false, true},
};

int option_call_long_option(struct option_context *c, char *value)
{
	size_t i, n = strcspn(value, "=");
	struct view name = view_trim(view_make(value, n));
	struct option_context full = *c;

	for (i = 0; i < sizeof(long_options) / sizeof(long_options[0]); i++) {
		if (!text_matches(view_of(long_options[i].pattern), name))
			continue;
		if (long_options[i].is_file && c->request->as_sendmail)
			return option_fail(c,
					   "%.*s is refused under the name %s: "
					   "configure it instead",
					   (int)name.n, name.p, c->program);
		if (!long_options[i].later)
			continue;
		snprintf(full.spelled, sizeof(full.spelled), "-O %.*s",
			 (int)name.n, name.p);
		option_call_later(&full, value);
		c->later = full.later;
	}
	return name.n ? 0 : option_fail(c, "wants OPTION=VALUE");
}
