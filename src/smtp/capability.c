/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the server offers: one row an extension. A new one is a row here and
 * its use in command.c; unknown keywords are kept as they came.
 */
#include "smtp/capability.h"

#include <limits.h>
#include <string.h>

#include "base/text.h"

static void parse_auth(struct capabilities *c, struct view parameters)
{
	struct view word;

	for (;;) {
		word = view_next_word(&parameters);
		if (!word.n)
			return;
		if (!strings_has_nocase(&c->mechanisms, word))
			strings_add(&c->mechanisms, word);
	}
}

/* RFC 1870 4: no number, or 0, is no fixed limit. */
static void parse_size(struct capabilities *c, struct view parameters)
{
	unsigned long long limit;

	if (text_to_number(view_next_word(&parameters), UINT64_MAX, &limit))
		c->size_limit = limit;
}

/* RFC 2852 4: the least by-time that may be asked for. */
static void parse_deliver_by(struct capabilities *c, struct view parameters)
{
	unsigned long long seconds;

	if (text_to_number(view_next_word(&parameters), UINT_MAX, &seconds))
		c->deliver_by_min = (unsigned)seconds;
}

static const struct {
	struct view keyword;
	enum capability capability;
	void (*parse)(struct capabilities *c, struct view parameters);
} rows[] = {
	{{"8BITMIME", 8}, CAP_8BITMIME, NULL},
	{{"AUTH", 4}, CAP_AUTH, parse_auth},
	{{"BINARYMIME", 10}, CAP_BINARYMIME, NULL},
	{{"CHUNKING", 8}, CAP_CHUNKING, NULL},
	{{"DELIVERBY", 9}, CAP_DELIVERBY, parse_deliver_by},
	{{"DSN", 3}, CAP_DSN, NULL},
	{{"ENHANCEDSTATUSCODES", 19}, CAP_ENHANCEDSTATUSCODES, NULL},
	{{"PIPECONNECT", 11}, CAP_PIPECONNECT, NULL},
	{{"PIPELINING", 10}, CAP_PIPELINING, NULL},
	{{"REQUIRETLS", 10}, CAP_REQUIRETLS, NULL},
	{{"SIZE", 4}, CAP_SIZE, parse_size},
	{{"SMTPUTF8", 8}, CAP_SMTPUTF8, NULL},
	{{"STARTTLS", 8}, CAP_STARTTLS, NULL},
	{{"UTF8SMTP", 8}, CAP_UTF8SMTP, NULL},
	{{"X_PIPE_CONNECT", 14}, CAP_PIPECONNECT, NULL},
};

bool capabilities_has(const struct capabilities *c, enum capability one)
{
	return (c->set & one) != 0;
}

static void parse_line(struct capabilities *c, struct view line)
{
	struct view parameters = line;
	struct view keyword = view_next_word(&parameters);
	const char *equals = memchr(keyword.p, '=', keyword.n);
	size_t i;

	strings_add(&c->lines, line);
	if (equals) { /* `AUTH=LOGIN`, from before RFC 2554 */
		keyword.n = (size_t)(equals - keyword.p);
		parameters = view_skip(line, keyword.n + 1);
	}
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!view_equal_nocase(rows[i].keyword, keyword))
			continue;
		c->set |= rows[i].capability;
		if (rows[i].parse)
			rows[i].parse(c, parameters);
	}
}

void capabilities_parse(struct capabilities *c, const struct reply *ehlo)
{
	struct view rest = buf_view(&ehlo->text);
	const char *end;
	bool first = true;
	size_t n;

	capabilities_release(c);
	c->extended = true;
	for (; rest.n || first; first = false) {
		end = memchr(rest.p, '\n', rest.n);
		n = end ? (size_t)(end - rest.p) : rest.n;
		if (!first && n)
			parse_line(c, view_trim(view_make(rest.p, n)));
		rest = view_skip(rest, n + 1);
	}
}

void capabilities_release(struct capabilities *c)
{
	strings_release(&c->mechanisms);
	strings_release(&c->lines);
	*c = CAPABILITIES_INIT;
}
