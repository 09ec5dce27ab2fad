/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The arguments of MAIL and RCPT as a server reads them: a path, and parameters
 * of which each is a row here.
 */
#include "smtp/path.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/memory.h"
#include "base/text.h"

#define ORCPT_MAX 500u /* octets, RFC 3461 4.2 */

/* --------------------------------------------------------------- parameters */

/* RFC 1870 6.1: how many octets come. There is no limit of our own. */
static bool read_size(struct path *p, struct view value)
{
	unsigned long long size;

	(void)p;
	return text_to_number(value, UINT64_MAX, &size);
}

static bool read_body(struct path *p, struct view value)
{
	return envelope_parse_body_type(value, &p->body_type);
}

/* Whether it is needed is seen from the addresses. */
static bool read_utf8(struct path *p, struct view value)
{
	(void)p;
	return !value.n;
}

static bool read_return(struct path *p, struct view value)
{
	return envelope_parse_return(value, &p->ret);
}

static bool read_envid(struct path *p, struct view value)
{
	struct buf plain = BUF_INIT(ORCPT_MAX);
	bool ok = value.n && decode_xtext(&plain, value) &&
		!memchr(plain.p, '\0', plain.n);

	free(p->envid);
	p->envid = buf_detach(&plain);
	return ok;
}

static bool read_notify(struct path *p, struct view value)
{
	return envelope_parse_notify(value, &p->notify);
}

/* An address type's name. */
static bool is_atom(struct view v)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (!text_is_alpha(v.p[i]) && !text_is_digit(v.p[i]) &&
		    v.p[i] != '-')
			return false;
	return v.n > 0;
}

/* Passed on as it is, but in ASCII, so it must be what it has to be. */
static bool read_orcpt(struct path *p, struct view value)
{
	const char *semicolon = memchr(value.p, ';', value.n);
	struct buf text = BUF_INIT(4 * ORCPT_MAX), plain = BUF_INIT(ORCPT_MAX);
	size_t n = semicolon ? (size_t)(semicolon - value.p) : 0;
	struct view type = view_make(value.p, n);
	bool ok = n + 1 < value.n && is_atom(type) && value.n <= ORCPT_MAX;

	if (ok && view_equal_nocase(type, VIEW("utf-8")) && view_is_utf8(value))
		encode_code_points(&text, value);
	else
		buf_add_view(&text, value);
	ok = ok && decode_xtext(&plain, view_skip(buf_view(&text), n + 1));
	buf_release(&plain);
	free(p->orcpt);
	p->orcpt = buf_detach(&text);
	return ok;
}

static const struct {
	const char *name;
	bool of_sender; /* MAIL's, else RCPT's */
	bool (*read)(struct path *p, struct view value);
} parameters[] = {
	{"SIZE", true, read_size},     {"BODY", true, read_body},
	{"SMTPUTF8", true, read_utf8}, {"RET", true, read_return},
	{"ENVID", true, read_envid},   {"NOTIFY", false, read_notify},
	{"ORCPT", false, read_orcpt},
};

/* `seen`: a bit for each row that has come already. */
static enum path_fault read_parameter(struct path *p, bool of_sender,
				      struct view word, unsigned *seen)
{
	const char *equals = memchr(word.p, '=', word.n);
	size_t i, n = equals ? (size_t)(equals - word.p) : word.n;
	struct view name = view_make(word.p, n);

	for (i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
		if (parameters[i].of_sender != of_sender ||
		    !view_equal_nocase(view_of(parameters[i].name), name))
			continue;
		if (*seen & 1u << i || (equals && n + 1 == word.n) ||
		    !parameters[i].read(p, view_skip(word, n + 1)))
			return PATH_PARAMETER;
		*seen |= 1u << i;
		return PATH_FINE;
	}
	return PATH_UNKNOWN;
}

/* ----------------------------------------------------------------- the path */

/* How long it is, with its brackets if it has some; quotes may hide what ends
 * it. 0: it has no end. */
static size_t path_length(struct view v)
{
	bool in_brackets = v.n && v.p[0] == '<', in_quotes = false;
	size_t i;

	for (i = 0; i < v.n; i++) {
		if (in_quotes && v.p[i] == '\\')
			i++;
		else if (v.p[i] == '"')
			in_quotes = !in_quotes;
		else if (!in_quotes && in_brackets && v.p[i] == '>')
			return i + 1;
		else if (!in_quotes && !in_brackets && text_is_space(v.p[i]))
			return i;
	}
	return in_brackets || in_quotes ? 0 : v.n;
}

/* RFC 5321 4.1.2: Path, without what is around the mailbox. */
static struct view mailbox_of(struct view path)
{
	const char *colon;

	if (path.n >= 2 && path.p[0] == '<')
		path = view_trim(view_make(path.p + 1, path.n - 2));
	colon = path.n && path.p[0] == '@' ? memchr(path.p, ':', path.n) : NULL;
	return colon ? view_skip(path, (size_t)(colon - path.p) + 1) : path;
}

enum path_fault path_parse(struct view text, struct view keyword,
			   struct path *p, struct view *word)
{
	bool of_sender = view_equal(keyword, VIEW("FROM:"));
	struct view mailbox;
	enum path_fault fault;
	unsigned seen = 0;
	size_t n;

	*word = text;
	if (!view_starts_nocase(text, keyword))
		return PATH_SYNTAX;
	text = view_trim(view_skip(text, keyword.n));
	n = path_length(text);
	if (!n || (n < text.n && !text_is_space(text.p[n])))
		return PATH_SYNTAX;
	mailbox = mailbox_of(view_make(text.p, n));
	if (memchr(mailbox.p, '\0', mailbox.n))
		return PATH_SYNTAX;
	p->mailbox = memory_dup_n(mailbox.p, mailbox.n);
	text = view_skip(text, n);
	while ((*word = view_next_word(&text)).n) {
		fault = read_parameter(p, of_sender, *word, &seen);
		if (fault != PATH_FINE)
			return fault;
	}
	return PATH_FINE;
}

void path_release(struct path *p)
{
	free(p->mailbox);
	free(p->envid);
	free(p->orcpt);
	*p = PATH_INIT;
}

struct view path_without_smtputf8(struct view v)
{
	const struct view word = VIEW(" SMTPUTF8");

	if (v.n > word.n && view_equal_nocase(view_skip(v, v.n - word.n), word))
		v.n -= word.n;
	return view_trim(v);
}
