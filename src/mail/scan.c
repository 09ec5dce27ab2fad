/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading addresses, up to the domain. What a header may have besides (names,
 * comments, folding) is read only where it may stand; where something may be
 * a name or a local-part, doubts are noted, and the reader decides later.
 */
#include "mail/scan.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/idna.h"
#include "base/outcome.h"
#include "base/text.h"

void scan_init(struct scan *s, struct view text, bool strict)
{
	*s = (struct scan){.rest = text, .strict = strict};
	s->words.text = BUF_INIT(SCAN_PART_LIMIT);
	s->domain = BUF_INIT(SCAN_PART_LIMIT);
	s->detail = BUF_INIT(SCAN_PART_LIMIT);
}

void scan_release(struct scan *s)
{
	buf_release(&s->words.text);
	buf_release(&s->domain);
	buf_release(&s->detail);
}

bool scan_refuse(struct scan *s, const char *fault)
{
	if (!s->fault)
		s->fault = fault;
	return false;
}

char scan_peek(const struct scan *s)
{
	return s->rest.n ? s->rest.p[0] : '\0';
}

void scan_skip(struct scan *s, size_t n)
{
	s->rest = view_skip(s->rest, n);
}

bool scan_char(struct scan *s, char c)
{
	if (!s->rest.n || s->rest.p[0] != c)
		return false;
	scan_skip(s, 1);
	return true;
}

/* ------------------------------------------------------ characters, blanks */

bool scan_is_atext(char c)
{
	return text_is_alpha(c) || text_is_digit(c) ||
		(unsigned char)c >= 128 ||
		(c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* Octets of a line end that folds (a blank or the end is behind it), or 0. */
static size_t fold_length(struct view v)
{
	size_t n = v.n && v.p[0] == '\r' ? 1 : 0;

	if (v.n <= n || v.p[n] != '\n')
		return 0;
	n++;
	return v.n == n || text_is_space(v.p[n]) ? n : 0;
}

/* RFC 5322 3.2.2; counts the nesting, so that depth costs nothing. */
static bool skip_comment(struct scan *s)
{
	size_t depth = 0;
	char c;

	while (s->rest.n) {
		c = s->rest.p[0];
		scan_skip(s, c == '\\' ? 2 : 1);
		if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			return true;
	}
	return scan_refuse(s, "a comment does not end");
}

bool scan_cfws(struct scan *s)
{
	size_t n;

	while (!s->strict && s->rest.n) {
		n = text_is_space(s->rest.p[0]) ? 1 : fold_length(s->rest);
		if (n)
			scan_skip(s, n);
		else if (s->rest.p[0] != '(')
			break;
		else if (!skip_comment(s))
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------- words */

static void words_clear(struct words *w)
{
	buf_clear(&w->text);
	w->n = 0;
	w->after_dot = w->quoted = false;
	w->fault = w->begin = w->end = NULL;
}

static void doubt(struct words *w, const char *fault)
{
	if (!w->fault)
		w->fault = fault;
}

static void begin_word(struct words *w)
{
	if (w->n && !w->after_dot)
		doubt(w, "there is a blank outside quotes");
	w->n++;
	w->after_dot = false;
}

static void add_dot(struct words *w)
{
	if (!w->n || w->after_dot)
		doubt(w, "there is a dot too many");
	buf_add_char(&w->text, '.');
	w->after_dot = true;
}

/* RFC 2047 2 token: atext less what is special there. */
static size_t token_length(struct view v)
{
	size_t n = 0;

	while (n < v.n && scan_is_atext(v.p[n]) && v.p[n] != '=' &&
	       v.p[n] != '?')
		n++;
	return n;
}

size_t scan_encoded_word(struct view v)
{
	size_t n = token_length(view_skip(v, 2)) + 2;

	if (n == 2 || memcmp(v.p, "=?", 2) || v.n - n < 3 || v.p[n] != '?' ||
	    !v.p[n + 1] || !strchr("bBqQ", v.p[n + 1]) || v.p[n + 2] != '?')
		return 0;
	for (n += 3; n + 1 < v.n; n++) {
		if (v.p[n] == ' ' || text_is_control(v.p[n]))
			return 0;
		if (v.p[n] == '?')
			return v.p[n + 1] == '=' ? n + 2 : 0;
	}
	return 0;
}

static void scan_atom(struct scan *s)
{
	size_t n = scan_encoded_word(s->rest);

	begin_word(&s->words);
	if (n)
		doubt(&s->words, "an encoded word is no address");
	else
		while (n < s->rest.n && scan_is_atext(s->rest.p[n]))
			n++;
	buf_add(&s->words.text, s->rest.p, n);
	scan_skip(s, n);
}

static bool scan_quoted(struct scan *s)
{
	size_t fold;

	begin_word(&s->words);
	s->words.quoted = true;
	scan_skip(s, 1);
	while (s->rest.n) {
		fold = s->strict ? 0 : fold_length(s->rest);
		if (fold) {
			scan_skip(s, fold);
			continue;
		}
		if (scan_char(s, '"'))
			return true;
		if (scan_char(s, '\\') && !s->rest.n)
			break;
		buf_add_char(&s->words.text, s->rest.p[0]);
		scan_skip(s, 1);
	}
	return scan_refuse(s, "a quoted string does not end");
}

/* What no word can hold: tolerated in a name, where people write it. */
static bool scan_other(struct scan *s)
{
	char c = scan_peek(s);

	if (text_is_control(c) && c != '\t')
		return scan_refuse(s, "there is a control character in it");
	doubt(&s->words,
	      text_is_space(c) ? "there is a blank outside quotes"
			       : "there is a character that must be quoted");
	scan_skip(s, 1);
	return true;
}

bool scan_words(struct scan *s)
{
	char c;

	words_clear(&s->words);
	while (scan_cfws(s) && s->rest.n) {
		c = scan_peek(s);
		if (c && strchr(",;:<>@", c))
			return true;
		if (!s->words.begin)
			s->words.begin = s->rest.p;
		if (scan_is_atext(c)) {
			scan_atom(s);
		} else if (c == '.') {
			add_dot(&s->words);
			scan_skip(s, 1);
		} else if (c == '"') {
			if (!scan_quoted(s))
				return false;
		} else if (!scan_other(s)) {
			return false;
		}
		s->words.end = s->rest.p;
	}
	return !s->fault;
}

/* ----------------------------------------------------------------- domains */

/* RFC 5321 4.1.3. IPv6 is the only tag that was ever registered. The address
 * leaves in one form, so that equal ones look equal. */
static bool check_literal(struct scan *s)
{
	struct view tag = VIEW("IPv6:"), text = buf_view(&s->domain);
	char plain[INET6_ADDRSTRLEN];
	struct in6_addr address;
	bool is_ipv6 = view_starts_nocase(text, tag);
	const char *number = text.p + (is_ipv6 ? tag.n : 0);
	int family = is_ipv6 ? AF_INET6 : AF_INET;

	if (s->domain.overflow || inet_pton(family, number, &address) != 1)
		return scan_refuse(s, "there is no IP address in the brackets");
	inet_ntop(family, &address, plain, sizeof(plain));
	buf_clear(&s->domain);
	buf_printf(&s->domain, "[%s%s]", is_ipv6 ? tag.p : "", plain);
	return true;
}

static bool scan_literal(struct scan *s)
{
	char c;

	scan_skip(s, 1);
	while (scan_cfws(s) && s->rest.n) {
		c = scan_peek(s);
		scan_skip(s, 1);
		if (c == ']') {
			s->domain_end = s->rest.p;
			return check_literal(s);
		}
		if (c <= ' ' || c >= 127)
			break;
		buf_add_char(&s->domain, c);
	}
	return scan_refuse(s, "a domain literal does not end");
}

static bool check_domain(struct scan *s)
{
	struct outcome why = OUTCOME_INIT;
	char *ascii;

	if (s->domain.overflow)
		return scan_refuse(s, "it is too long");
	ascii = idna_to_ascii(buf_view(&s->domain), &why);
	if (!ascii) {
		buf_clear(&s->detail);
		buf_add_text(&s->detail, why.text);
		outcome_release(&why);
		return scan_refuse(s, s->detail.p);
	}
	buf_clear(&s->domain);
	buf_add_text(&s->domain, ascii);
	free(ascii);
	return true;
}

bool scan_domain(struct scan *s)
{
	bool after_atom = false;
	size_t n;

	buf_clear(&s->domain);
	if (!scan_cfws(s))
		return false;
	if (scan_peek(s) == '[')
		return scan_literal(s);
	while (s->rest.n) {
		for (n = 0; n < s->rest.n && scan_is_atext(s->rest.p[n]); n++)
			;
		if (n ? after_atom : scan_peek(s) != '.')
			break;
		after_atom = n > 0;
		n += !n; /* the dot */
		buf_add(&s->domain, s->rest.p, n);
		scan_skip(s, n);
		s->domain_end = s->rest.p;
		if (!scan_cfws(s))
			return false;
	}
	if (!s->domain.n && !s->domain.overflow)
		return scan_refuse(s, "there is no domain behind the @");
	return check_domain(s);
}
