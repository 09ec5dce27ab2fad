/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Values with a form of their own: what the rows of conf/rows.c check, read
 * and print by a function.
 */
#include "conf/value.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "conf/setting.h"
#include "mail/address.h"

static bool has_blank(struct view v)
{
	size_t i;

	for (i = 0; i < v.n; i++)
		if (text_is_space(v.p[i]))
			return true;
	return false;
}

bool value_check_name(struct view value)
{
	return !has_blank(value);
}

bool value_check_file_name(struct view value)
{
	return !memchr(value.p, '/', value.n) &&
		!view_equal(value, VIEW(".")) && !view_equal(value, VIEW(".."));
}

bool value_check_absolute(struct view value)
{
	static const char *const starts[] = {"/", "~", "$HOME", "${HOME}"};
	size_t i;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (!strncmp(value.p, starts[i], strlen(starts[i])))
			return true;
	return false;
}

bool value_check_mailbox(struct view value)
{
	struct address a = ADDRESS_INIT;
	struct outcome o = OUTCOME_INIT;
	bool ok = address_parse(value, &a, &o) == 0 && a.has_domain;

	address_release(&a);
	outcome_release(&o);
	return ok;
}

bool value_check_ip(struct view value)
{
	unsigned char address[sizeof(struct in6_addr)];
	char *text = memory_dup_n(value.p, value.n);
	bool ok = inet_pton(AF_INET, text, address) == 1 ||
		inet_pton(AF_INET6, text, address) == 1;

	free(text);
	return ok;
}

static bool is_hex(char c)
{
	c = text_lower(c);
	return text_is_digit(c) || (c >= 'a' && c <= 'f');
}

/* Hex digits, in pairs where there are colons. */
bool value_check_fingerprint(struct view value)
{
	size_t i, digits = 0;
	bool ok = true;

	for (i = 0; i < value.n; i++) {
		if (is_hex(value.p[i]))
			digits++;
		else if (value.p[i] != ':' || digits % 2)
			ok = false;
	}
	return ok && (digits == 64 || digits == 40 || digits == 32);
}

/* SHA-256 in hex, colons allowed, or in base64. */
static bool is_pin(struct view v)
{
	size_t i;

	if (v.n != 44)
		return v.n >= 64 && value_check_fingerprint(v);
	for (i = 0; i < 43; i++)
		if (!text_is_alpha(v.p[i]) && !text_is_digit(v.p[i]) &&
		    v.p[i] != '+' && v.p[i] != '/')
			return false;
	return v.p[43] == '=';
}

bool value_check_pins(struct view value)
{
	struct view word = view_next_word(&value);

	for (; word.n; word = view_next_word(&value))
		if (!is_pin(word))
			return false;
	return true;
}

/* RFC 5321 4.1.2: esmtp-keyword ["=" esmtp-value]. */
static bool is_parameter(struct view v)
{
	static const char *const ours[] = {"SIZE",  "BODY", "SMTPUTF8",
					   "RET",   "AUTH", "NOTIFY",
					   "ENVID", "ORCPT"};
	struct view keyword;
	size_t i, n = 0;

	while (n < v.n &&
	       (text_is_alpha(v.p[n]) || text_is_digit(v.p[n]) ||
		(n && v.p[n] == '-')))
		n++;
	keyword = view_make(v.p, n);
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (view_equal_nocase(keyword, view_of(ours[i])))
			return false;
	if (!n || n == v.n)
		return n > 0;
	if (v.p[n++] != '=' || n == v.n)
		return false;
	while (n < v.n && v.p[n] > ' ' && v.p[n] < 127 && v.p[n] != '=')
		n++;
	return n == v.n;
}

bool value_check_parameters(struct view value)
{
	struct view word = view_next_word(&value);

	for (; word.n; word = view_next_word(&value))
		if (!is_parameter(word))
			return false;
	return true;
}

/* RFC 2852 4: seconds, over 0 with R, then the mode and perhaps T. */
bool value_check_deliver_by(struct view value)
{
	const char *semicolon = memchr(value.p, ';', value.n);
	size_t n = semicolon ? (size_t)(semicolon - value.p) : value.n;
	struct view number = view_make(value.p, n), mode;
	unsigned long long seconds;
	bool is_late = number.n && number.p[0] == '-';

	mode = view_skip(value, n + 1);
	if (is_late)
		number = view_skip(number, 1);
	if (!text_to_number(number, 999999999, &seconds) || !mode.n)
		return false;
	if (mode.n == 2 && text_lower(mode.p[1]) == 't')
		mode.n = 1;
	if (view_equal_nocase(mode, VIEW("R")))
		return seconds && !is_late;
	return view_equal_nocase(mode, VIEW("N"));
}

/* The next of a list with blanks or commas between; empty at its end. */
static struct view next_item(struct view *list)
{
	struct view item;

	while (list->n && (list->p[0] == ',' || text_is_space(list->p[0])))
		*list = view_skip(*list, 1);
	item = view_make(list->p, 0);
	while (item.n < list->n && list->p[item.n] != ',' &&
	       !text_is_space(list->p[item.n]))
		item.n++;
	*list = view_skip(*list, item.n);
	return item;
}

static void add_upper_case(struct strings *list, struct view name)
{
	struct buf text = BUF_INIT(256);
	size_t i;

	for (i = 0; i < name.n; i++)
		buf_add_char(&text, text_upper(name.p[i]));
	strings_add(list, buf_view(&text));
	buf_release(&text);
}

/* One word of its own, or the names of mechanisms. */
bool value_set_auth(struct account *a, struct view value)
{
	static const struct setting_choice wants[] = {
		{"auto", AUTH_AUTO},
		{"on", AUTH_ON},
		{"off", AUTH_OFF},
	};
	struct strings names = STRINGS_INIT;
	enum auth_want want = AUTH_NAMED;
	struct view word;
	size_t i;

	for (i = 0; i < sizeof(wants) / sizeof(wants[0]); i++)
		if (view_equal_nocase(value, view_of(wants[i].word)))
			want = (enum auth_want)wants[i].value;
	while (want == AUTH_NAMED && (word = next_item(&value)).n) {
		if (!auth_is_known(word)) {
			strings_release(&names);
			return false;
		}
		add_upper_case(&names, word);
	}
	strings_release(&a->auth.mechanisms);
	a->auth.want = want;
	a->auth.mechanisms = names;
	return want != AUTH_NAMED || names.n;
}

void value_print_auth(const struct account *a, struct buf *out)
{
	static const char *const words[] = {
		[AUTH_AUTO] = "auto",
		[AUTH_OFF] = "off",
		[AUTH_ON] = "on",
	};
	const struct strings *names = &a->auth.mechanisms;
	const char *p;
	size_t i;

	if (a->auth.want != AUTH_NAMED)
		buf_add_text(out, words[a->auth.want]);
	for (i = 0; i < names->n; i++) {
		if (i)
			buf_add_char(out, ' ');
		for (p = names->p[i]; *p; p++)
			buf_add_char(out, text_lower(*p));
	}
}

bool value_set_notify(struct account *a, struct view value)
{
	unsigned notify = 0;

	if (value.n && !view_equal_nocase(value, VIEW("off")) &&
	    !envelope_parse_notify(value, &notify))
		return false;
	a->dsn.notify = notify;
	return true;
}

void value_print_notify(const struct account *a, struct buf *out)
{
	if (a->dsn.notify)
		envelope_print_notify(a->dsn.notify, out);
	else
		buf_add_text(out, "off");
}
