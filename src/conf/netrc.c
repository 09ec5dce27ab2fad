/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The form of ftp's ~/.netrc: words, the known ones followed by a value. A
 * value may be in double quotes, with \" and \\ in it. `macdef` runs to the
 * next empty line.
 */
#include "conf/netrc.h"

#include "base/text.h"

#define WORD_LIMIT (64u << 10)

struct netrc_entry {
	bool is_ours; /* this machine, or default */
	bool login_differs;
	bool has_password;
};

static bool is_blank(char c)
{
	return text_is_space(c) || c == '\n' || c == '\r';
}

static void skip_line(struct view *v)
{
	while (v->n && v->p[0] != '\n')
		*v = view_skip(*v, 1);
}

/* Blanks, line ends, and comments where a word could begin. */
static void skip_blanks(struct view *v)
{
	for (;;) {
		while (v->n && is_blank(v->p[0]))
			*v = view_skip(*v, 1);
		if (!v->n || v->p[0] != '#')
			return;
		skip_line(v);
	}
}

static void add_quoted(struct view *v, struct buf *word)
{
	while (v->n && v->p[0] != '"') {
		if (v->p[0] == '\\' && v->n > 1)
			*v = view_skip(*v, 1);
		buf_add_char(word, v->p[0]);
		*v = view_skip(*v, 1);
	}
	*v = view_skip(*v, 1);
}

/* The next word; false at the end. In a value `#` is a plain character. */
static bool next_word(struct view *v, bool is_value, struct buf *word)
{
	buf_clear(word);
	if (is_value)
		while (v->n && is_blank(v->p[0]))
			*v = view_skip(*v, 1);
	else
		skip_blanks(v);
	if (!v->n)
		return false;
	if (v->p[0] == '"') {
		*v = view_skip(*v, 1);
		add_quoted(v, word);
		return true;
	}
	while (v->n && !is_blank(v->p[0])) {
		buf_add_char(word, v->p[0]);
		*v = view_skip(*v, 1);
	}
	return true;
}

static void skip_macro(struct view *v)
{
	while (v->n) {
		skip_line(v);
		*v = view_skip(*v, 1);
		if (!v->n || v->p[0] == '\n' || v->p[0] == '\r')
			return;
	}
}

static bool is_word(const struct buf *word, const char *text)
{
	return view_equal(buf_view(word), view_of(text));
}

static bool is_found(const struct netrc_entry *e)
{
	return e->is_ours && !e->login_differs && e->has_password;
}

/* A word that begins an entry; the one before it is complete. */
static bool begins_entry(struct view *v, const struct buf *word,
			 const char *machine, struct netrc_entry *e)
{
	struct buf name = BUF_INIT(WORD_LIMIT);

	if (is_word(word, "machine")) {
		*e = (struct netrc_entry){0};
		if (next_word(v, true, &name))
			e->is_ours = view_equal_nocase(buf_view(&name),
						       view_of(machine));
	} else if (is_word(word, "default")) {
		*e = (struct netrc_entry){.is_ours = true};
	} else {
		return false;
	}
	buf_release(&name);
	return true;
}

static void read_value(struct view *v, const struct buf *word,
		       const char *login, struct netrc_entry *e,
		       struct buf *password)
{
	struct buf value = BUF_INIT_SECRET(WORD_LIMIT);

	if (is_word(word, "macdef")) {
		skip_macro(v);
	} else if (is_word(word, "login")) {
		if (next_word(v, true, &value))
			e->login_differs =
				!view_equal(buf_view(&value), view_of(login));
	} else if (is_word(word, "account")) {
		next_word(v, true, &value);
	} else if (is_word(word, "password") && next_word(v, true, &value)) {
		if (e->is_ours) {
			buf_clear(password);
			buf_add_view(password, buf_view(&value));
		}
		e->has_password = true;
	}
	buf_release(&value);
}

bool netrc_find(struct view text, const char *machine, const char *login,
		struct buf *password)
{
	struct buf word = BUF_INIT_SECRET(WORD_LIMIT);
	struct netrc_entry e = {0};
	struct netrc_entry before;
	bool found = false;

	while (!found && next_word(&text, false, &word)) {
		before = e;
		if (begins_entry(&text, &word, machine, &e))
			found = is_found(&before);
		else
			read_value(&text, &word, login, &e, password);
	}
	found = found || is_found(&e);
	if (!found)
		buf_clear(password);
	buf_release(&word);
	return found;
}
