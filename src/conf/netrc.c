/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The form of ftp's ~/.netrc and of Emacs' ~/.authinfo: words, the known ones
 * followed by a value. A value may be in double quotes, with \" and \\ in it.
 * `macdef` runs to the next empty line.
 */
#include "conf/netrc.h"

#include "base/text.h"

#define WORD_LIMIT (64u << 10)

/* What is known of the entry that is being read. */
struct netrc_entry {
	bool is_ours; /* this machine, or default */
	bool login_differs;
	bool port_differs;
	bool has_password;
};

enum netrc_item {
	ITEM_NONE, /* no word of ours */
	ITEM_MACHINE,
	ITEM_DEFAULT,
	ITEM_LOGIN,
	ITEM_PORT,
	ITEM_PASSWORD,
	ITEM_ACCOUNT,
	ITEM_MACRO,
};

/* The words of ftp, and those that Emacs takes for the same. */
static const struct {
	const char *word;
	enum netrc_item item;
} items[] = {
	{"machine", ITEM_MACHINE}, {"host", ITEM_MACHINE},
	{"default", ITEM_DEFAULT}, {"login", ITEM_LOGIN},
	{"user", ITEM_LOGIN},      {"port", ITEM_PORT},
	{"protocol", ITEM_PORT},   {"password", ITEM_PASSWORD},
	{"account", ITEM_ACCOUNT}, {"macdef", ITEM_MACRO},
};

/* As IANA and /etc/services name them. */
static const struct {
	const char *name;
	unsigned port;
} services[] = {
	{"smtp", 25},         {"mail", 25},   {"lmtp", 24},
	{"submission", 587},  {"smtps", 465}, {"ssmtp", 465},
	{"submissions", 465}, {"urd", 465},
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

static enum netrc_item item_of(struct view word)
{
	size_t i;

	for (i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		if (view_equal(word, view_of(items[i].word)))
			return items[i].item;
	return ITEM_NONE;
}

static bool is_port(struct view text, unsigned port)
{
	unsigned long long n;
	size_t i;

	if (text_to_number(text, 65535, &n))
		return port && n == port;
	for (i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (view_equal_nocase(text, view_of(services[i].name)))
			return services[i].port == port;
	return false;
}

static bool is_found(const struct netrc_entry *e)
{
	return e->is_ours && !e->login_differs && !e->port_differs &&
		e->has_password;
}

static void read_password(const struct buf *value, struct netrc_entry *e,
			  struct buf *password)
{
	e->has_password = true;
	if (!e->is_ours)
		return;
	buf_clear(password);
	buf_add_view(password, buf_view(value));
	password->overflow = password->overflow || value->overflow;
}

/* An item that is followed by a value, as all but `default` are. */
static void read_value(enum netrc_item item, const struct buf *word,
		       const struct netrc_query *query, struct netrc_entry *e,
		       struct buf *password)
{
	struct view value = buf_view(word);

	switch (item) {
	case ITEM_MACHINE:
		*e = (struct netrc_entry){
			.is_ours = view_equal_nocase(value,
						     view_of(query->machine))};
		break;
	case ITEM_LOGIN:
		e->login_differs = !view_equal(value, view_of(query->login));
		break;
	case ITEM_PORT: e->port_differs = !is_port(value, query->port); break;
	case ITEM_PASSWORD: read_password(word, e, password); break;
	default: break;
	}
}

bool netrc_find(struct view text, const struct netrc_query *query,
		struct buf *password)
{
	struct buf word = BUF_INIT_SECRET(WORD_LIMIT);
	struct netrc_entry e = {0};
	enum netrc_item item;
	bool found = false;

	while (!found && next_word(&text, false, &word)) {
		item = item_of(buf_view(&word));
		if (item == ITEM_MACHINE || item == ITEM_DEFAULT)
			found = is_found(&e); /* that one is complete */
		if (found || item == ITEM_NONE)
			continue;
		if (item == ITEM_DEFAULT)
			e = (struct netrc_entry){.is_ours = true};
		else if (item == ITEM_MACRO)
			skip_macro(&text);
		else if (next_word(&text, true, &word))
			read_value(item, &word, query, &e, password);
		else if (item == ITEM_MACHINE)
			e = (struct netrc_entry){0};
	}
	found = found || is_found(&e);
	if (!found)
		buf_clear(password);
	buf_release(&word);
	return found;
}
