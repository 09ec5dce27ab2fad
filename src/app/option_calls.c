/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What those options do that take more than a row to say.
 */
#include "app/option_calls.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "conf/value.h"

#define INTERVAL_MAX     2592000u /* a month: longer is a slip */
#define WAIT_SECONDS_MAX 604800u  /* a week: longer is a slip */

/* A number alone is minutes, as sendmail has it for -q and for all of -O that
 * count here. */
static bool read_minutes(struct view value, unsigned long long most,
			 unsigned long long *seconds)
{
	if (!text_to_number(value, most / 60, seconds))
		return text_to_seconds(value, most, seconds) &&
			!text_is_digit(value.p[value.n - 1]);
	*seconds *= 60;
	return true;
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
	if (c->row->letter == 'D')
		c->request->queue.foreground = true;
	free(c->daemon);
	c->daemon = memory_dup(c->spelled);
	return 0;
}

int option_call_delivery(struct option_context *c, char *value)
{
	static const struct {
		char letter;
		enum delivery_mode delivery;
	} letters[] = {
		{'i', DELIVERY_NOW},
		{'b', DELIVERY_BACKGROUND},
		{'q', DELIVERY_LATER},
		{'d', DELIVERY_LATER},
	};
	size_t i;

	(void)value;
	for (i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (letters[i].letter == c->row->letter)
			c->request->delivery = letters[i].delivery;
	return 0;
}

/* -qI TEXT and its like; the text may be joined. */
static int add_selector(struct option_context *c, const struct option *row,
			char *text, bool is_inverted)
{
	static const struct {
		char letter;
		enum select_by by;
	} letters[] = {
		{'I', SELECT_ID},     {'R', SELECT_RECIPIENT},
		{'S', SELECT_SENDER}, {'G', SELECT_ACCOUNT},
		{'Q', SELECT_HELD},
	};
	size_t i;

	if (row->argument == ARGUMENT_REQUIRED && !*text)
		text = option_next_argument(c->rest);
	if (!text || (row->argument == ARGUMENT_REQUIRED && !*text))
		return option_fail(c, "wants an argument: %s", row->metavar);
	for (i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (letters[i].letter == row->letter)
			selectors_add(&c->request->queue.selectors,
				      letters[i].by, is_inverted,
				      view_of(text));
	return 0;
}

int option_call_select(struct option_context *c, char *value)
{
	return add_selector(c, c->row, value, false);
}

static int set_interval(struct option_context *c, const char *value)
{
	unsigned long long seconds = 0;

	c->runs_queue = true;
	if (!*value)
		return 0;
	if (!read_minutes(view_of(value), INTERVAL_MAX, &seconds) || !seconds)
		return option_fail(c, "wants a time (30s, 15m, 2h), not '%s'",
				   value);
	c->request->queue.interval = (unsigned)seconds;
	return 0;
}

int option_call_queue_foreground(struct option_context *c, char *value)
{
	c->request->queue.foreground = true;
	return set_interval(c, value);
}

/* -q, -q30m, -qf, -qI TEXT, -q!R TEXT … */
int option_call_queue(struct option_context *c, char *value)
{
	bool is_inverted = *value == '!';
	const char *letter = value + is_inverted;
	const struct option *row = *letter ? option_find("q", *letter) : NULL;

	if (!is_inverted && (!*value || text_is_digit(*value)))
		return set_interval(c, value);
	if (!row || (is_inverted && row->call != option_call_select))
		return option_fail(c, "does not know '%s'", value);
	snprintf(c->spelled, sizeof(c->spelled), "-q%.*s",
		 (int)(letter + 1 - value), value);
	if (row->call != option_call_select)
		return row->call(c, value + 1);
	c->runs_queue = true;
	return add_selector(c, row, value + is_inverted + 1, is_inverted);
}

int option_call_queue_run(struct option_context *c, char *value)
{
	(void)value;
	c->request->queue.only_due = true;
	c->runs_queue = true;
	return 0;
}

/* --queue-hold ID and its like: what follows are more of these. Two verbs in
 * one call would do the last to the entries of both. */
int option_call_entries(struct option_context *c, char *value)
{
	if (c->request->mode != MODE_SUBMIT && c->request->mode != c->row->mode)
		return option_fail(c,
				   "does not go with another of its kind: "
				   "call postrider once for each");
	c->entries = c->row;
	c->request->mode = c->row->mode;
	strings_add(&c->request->recipients, view_of(value));
	return 0;
}

/* It would write to a file of the caller's choice. */
int option_call_traffic_log(struct option_context *c, char *value)
{
	struct buf text = BUF_INIT(256);

	if (!c->request->as_sendmail) {
		c->request->traffic_log = value;
		return 0;
	}
	buf_printf(&text, "%s is ignored under the name %.64s", c->spelled,
		   c->program);
	strings_add(&c->request->warnings, buf_view(&text));
	buf_release(&text);
	return 0;
}

/* ----------------------------------------------------- sendmail's long ones */

/* As sendmail reads them: nothing, or what begins with one of these, is yes. */
static const char *on_or_off(const char *value)
{
	bool is_on = !*value || strchr("1TtYy", *value) ||
		view_equal_nocase(view_of(value), VIEW("on"));

	return is_on ? "on" : "off";
}

static int set_requiretls(struct option_context *c, const char *name,
			  const char *value)
{
	(void)name;
	option_override(c->request, "requiretls", on_or_off(value));
	return 0;
}

static int set_smtputf8(struct option_context *c, const char *name,
			const char *value)
{
	(void)name;
	option_override(c->request, "smtputf8", on_or_off(value));
	return 0;
}

static int set_deliverby(struct option_context *c, const char *name,
			 const char *value)
{
	(void)name;
	if (!value_check_deliver_by(view_of(value)))
		return option_fail(
			c,
			"DeliverBy wants seconds and mode (120;R), not "
			"'%s'",
			value);
	option_override(c->request, "deliverby", value);
	return 0;
}

/* Which of our waits each of sendmail's is; WAIT_N: none, it is accepted. */
static const struct {
	const char *name;
	enum wait wait;
} timeouts[] = {
	{"connect", WAIT_CONNECT},
	{"iconnect", WAIT_CONNECT},
	{"aconnect", WAIT_CONNECT},
	{"initial", WAIT_GREETING},
	{"helo", WAIT_GREETING},
	{"lhlo", WAIT_GREETING},
	{"auth", WAIT_GREETING},
	{"starttls", WAIT_GREETING},
	{"mail", WAIT_MAIL},
	{"rcpt", WAIT_RCPT},
	{"datainit", WAIT_DATA_INIT},
	{"datablock", WAIT_DATA_BLOCK},
	{"datafinal", WAIT_DATA_END},
	{"rset", WAIT_N},
	{"quit", WAIT_N},
	{"misc", WAIT_N},
	{"command", WAIT_N},
	{"ident", WAIT_N},
	{"fileopen", WAIT_N},
	{"control", WAIT_N},
	{"hoststatus", WAIT_N},
	{"resolver*", WAIT_N},
	{"queuereturn*", WAIT_N},
	{"queuewarn*", WAIT_N},
};

static int set_timeout(struct option_context *c, const char *name,
		       const char *value)
{
	const size_t n = sizeof(timeouts) / sizeof(timeouts[0]);
	const char *step = strchr(name, '.');
	unsigned long long seconds;
	size_t i;

	for (i = 0; step && i < n; i++)
		if (text_matches(view_of(timeouts[i].name), view_of(step + 1)))
			break;
	if (!step || i == n)
		return option_fail(c, "does not know %s", name);
	if (!read_minutes(view_of(value),
			  timeouts[i].wait == WAIT_N ? UINT_MAX
						     : WAIT_SECONDS_MAX,
			  &seconds))
		return option_fail(c, "%s wants a time (30s, 5m, 1h), not '%s'",
				   name, value);
	if (timeouts[i].wait != WAIT_N)
		c->request->waits[timeouts[i].wait] =
			seconds ? (unsigned)seconds : TIMEOUT_NONE;
	return 0;
}

/* By name, with `*`; all others are accepted and mean nothing here. */
static const struct {
	const char *pattern;
	/* NULL: it names a file or program, which a caller may not choose */
	int (*set)(struct option_context *c, const char *name,
		   const char *value);
} long_options[] = {
	{"requiretls", set_requiretls},
	{"smtputf8", set_smtputf8},
	{"deliverby", set_deliverby},
	{"timeout*", set_timeout},
	{"aliasfile", NULL},
	{"*cert*", NULL},
	{"controlsocketname", NULL},
	{"crl*", NULL},
	{"deadletterdrop", NULL},
	{"defaultauthinfo", NULL},
	{"dhparameters", NULL},
	{"*directory", NULL},
	{"*file", NULL},
	{"*path", NULL},
	{"safefileenvironment", NULL},
	{"userdatabasespec", NULL},
};

static int apply_long_option(struct option_context *c, const char *name,
			     const char *value)
{
	size_t i;

	for (i = 0; i < sizeof(long_options) / sizeof(long_options[0]); i++) {
		if (!text_matches(view_of(long_options[i].pattern),
				  view_of(name)))
			continue;
		if (long_options[i].set)
			return long_options[i].set(c, name, value);
		if (!c->request->as_sendmail)
			return 0;
		return option_fail(c,
				   "%s is refused under the name %s: configure "
				   "it instead",
				   name, c->program);
	}
	return 0;
}

int option_call_long_option(struct option_context *c, char *value)
{
	size_t n = strcspn(value, "=");
	struct view name = view_trim(view_make(value, n));
	char *text = memory_dup_n(name.p, name.n);
	int rc = name.n
		? apply_long_option(c, text, value[n] ? value + n + 1 : "")
		: option_fail(c, "wants OPTION=VALUE");

	free(text);
	return rc;
}
