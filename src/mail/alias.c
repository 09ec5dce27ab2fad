/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The alias file: entries are cut out when it is read, and their members
 * looked at when a name is asked for. Each entry and each included file is
 * followed once a question, so the work is at most the files' size.
 */
#include "mail/alias.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#define FILE_LIMIT (16u << 20) /* octets of one file */
#define DEPTH_MAX  100u        /* names and files that lead to each other */
#define INCLUDE    VIEW(":include:")

struct alias_entry {
	char *name;        /* without quotes */
	char *value;       /* its lines put together */
	unsigned line;     /* where it begins */
	const char *fault; /* what is wrong with it as a whole; NULL: nothing */
	unsigned seen;     /* by which question */
	bool open;         /* it is being followed */
};

struct aliases {
	char *path;
	struct alias_entry *entries; /* as they are written */
	size_t n;
	size_t cap;
	struct alias_entry **sorted; /* by name, then by line */
	unsigned question;
};

/* All that is wrong is told, each once. */
struct check {
	alias_fault *on_fault;
	void *context;
	void *told; /* the texts, as a tree of tsearch(3) */
	size_t n;
};

/* One question, or one include within it. */
struct walk {
	struct aliases *a;
	struct address_list *list;
	void **known;     /* the list's mailboxes, as a tree of tsearch(3) */
	void **included;  /* paths of files that were followed, the same */
	const char *path; /* where the members at hand are written */
	unsigned line;
	struct alias_entry *entry; /* whose they are */
	unsigned depth;
	struct check *check; /* goes on behind what is wrong; or NULL */
	struct outcome *o;
};

/* ----------------------------------------------------------- reading a file */

static int read_file(const char *path, struct buf *text, struct outcome *o)
{
	struct outcome why = OUTCOME_INIT;
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int rc = -1;

	if (fd < 0)
		return fail_errno(o, CAUSE_CONFIG, "5.3.5", "cannot read %s",
				  path);
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		fail(o, CAUSE_CONFIG, "5.3.5", "%s is no regular file", path);
	else if (file_read_fd(fd, path, text, &why) < 0)
		fail(o, CAUSE_CONFIG, "5.3.5", "%s", why.text);
	else
		rc = 0;
	close(fd);
	outcome_release(&why);
	return rc;
}

static bool is_comment(struct view line)
{
	struct view text = view_trim(line);

	return !text.n || text.p[0] == '#';
}

/* How long a quoted string is, from its quote to the one that ends it. */
static size_t quoted_length(struct view v)
{
	size_t i;

	for (i = 1; i < v.n; i++) {
		if (v.p[i] == '\\')
			i++;
		else if (v.p[i] == '"')
			return i + 1;
	}
	return v.n;
}

/* The text that a quoted string stands for; others stand for themselves. */
static char *unquote(struct view v)
{
	struct buf plain = BUF_INIT(v.n);
	size_t i;

	if (!v.n || v.p[0] != '"' || quoted_length(v) != v.n)
		return memory_dup_n(v.p, v.n);
	for (i = 1; i + 1 < v.n; i++) {
		if (v.p[i] == '\\' && i + 2 < v.n)
			i++;
		buf_add_char(&plain, v.p[i]);
	}
	return buf_detach(&plain);
}

/* -------------------------------------------------------------- the entries */

static struct alias_entry *add_entry(struct aliases *a, unsigned line)
{
	if (a->n == a->cap) {
		a->cap = a->cap * 2 + 16;
		a->entries =
			memory_resize(a->entries, a->cap, sizeof(*a->entries));
	}
	a->entries[a->n] = (struct alias_entry){.line = line};
	return &a->entries[a->n++];
}

/* `name: value`, put together from its lines. */
static void add_logical_line(struct aliases *a, struct view text, unsigned line)
{
	struct alias_entry *e = add_entry(a, line);
	size_t n = text.p[0] == '"' ? quoted_length(text) : 0;
	const char *colon = memchr(text.p + n, ':', text.n - n);
	struct view name;

	n = colon ? (size_t)(colon - text.p) : text.n;
	name = view_trim(view_make(text.p, n));
	e->name = unquote(name);
	text = view_trim(view_skip(text, n + 1));
	e->value = memory_dup_n(text.p, text.n);
	if (!colon)
		e->fault = "there is no colon behind the name";
	else if (!*e->name)
		e->fault = "there is no name in front of the colon";
	else if (strchr(e->name, '@'))
		e->fault = "an alias is a name without a domain";
	else if (!text.n)
		e->fault = "nobody stands behind the colon";
}

static void parse_entries(struct aliases *a, struct view text)
{
	struct buf logical = BUF_INIT(FILE_LIMIT);
	unsigned line = 0, began = 0;
	struct view one;

	while (text.n) {
		one = view_next_line(&text);
		line++;
		if (is_comment(one))
			continue;
		if (!text_is_space(one.p[0])) {
			if (logical.n)
				add_logical_line(a, buf_view(&logical), began);
			buf_clear(&logical);
		}
		if (!logical.n)
			began = line;
		else
			buf_add_char(&logical, ' ');
		buf_add_view(&logical, view_trim(one));
	}
	if (logical.n)
		add_logical_line(a, buf_view(&logical), began);
	buf_release(&logical);
}

static int compare_names(struct view a, struct view b)
{
	size_t i;

	for (i = 0; i < a.n && i < b.n; i++)
		if (text_lower(a.p[i]) != text_lower(b.p[i]))
			return text_lower(a.p[i]) < text_lower(b.p[i]) ? -1 : 1;
	return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

static int compare_entries(const void *one, const void *other)
{
	const struct alias_entry *a = *(struct alias_entry *const *)one;
	const struct alias_entry *b = *(struct alias_entry *const *)other;
	int order = compare_names(view_of(a->name), view_of(b->name));

	return order ? order : a->line < b->line ? -1 : 1;
}

static void sort_entries(struct aliases *a)
{
	size_t i;

	a->sorted = memory_resize(NULL, a->n + 1, sizeof(struct alias_entry *));
	for (i = 0; i < a->n; i++)
		a->sorted[i] = &a->entries[i];
	qsort(a->sorted, a->n, sizeof(struct alias_entry *), compare_entries);
}

/* The first entry of that name, or NULL. */
static struct alias_entry *find(const struct aliases *a, struct view name)
{
	size_t low = 0, high = a->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (compare_names(view_of(a->sorted[middle]->name), name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < a->n &&
	    compare_names(view_of(a->sorted[low]->name), name) == 0)
		return a->sorted[low];
	return NULL;
}

struct aliases *aliases_read(const char *path, struct outcome *o)
{
	struct buf text = BUF_INIT(FILE_LIMIT);
	struct aliases *a = memory_alloc(sizeof(*a));
	bool is_absent = !strcmp(path, ALIAS_FILE) && access(path, F_OK) < 0 &&
		errno == ENOENT;
	int rc = is_absent ? 0 : read_file(path, &text, o);

	a->path = memory_dup(path);
	parse_entries(a, buf_view(&text));
	sort_entries(a);
	buf_release(&text);
	if (rc == 0)
		return a;
	aliases_free(a);
	return NULL;
}

void aliases_free(struct aliases *a)
{
	size_t i;

	if (!a)
		return;
	for (i = 0; i < a->n; i++) {
		free(a->entries[i].name);
		free(a->entries[i].value);
	}
	free(a->entries);
	free(a->sorted);
	free(a->path);
	free(a);
}

size_t aliases_count(const struct aliases *a)
{
	return a->n;
}

/* -------------------------------------------------------------- the members */

/* -1: the text says where. */
static int refuse(const struct walk *w, const char *status, const char *why,
		  struct view member)
{
	return fail(w->o, CAUSE_CONFIG, status, "%s:%u: %s: '%.*s'", w->path,
		    w->line, why, member.n < 200 ? (int)member.n : 200,
		    member.p);
}

/* How long a member is: up to a comma outside of quotes, comments and angle
 * brackets. */
static size_t member_length(struct view v)
{
	size_t i, depth = 0;

	for (i = 0; i < v.n; i++) {
		switch (v.p[i]) {
		case '"': i += quoted_length(view_skip(v, i)) - 1; break;
		case '\\': i++; break;
		case '(':
		case '<': depth++; break;
		case ')':
		case '>': depth -= depth > 0; break;
		case ',':
			if (!depth)
				return i;
		}
	}
	return v.n;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Is it the first like that? Then the tree has it; else it is freed. */
static bool is_new(void **tree, char *text)
{
	char **known = tsearch(text, tree, compare_texts);

	if (known && *known == text)
		return true;
	free(text);
	return false;
}

/* Takes the address over, unless it is in the list. */
static void push(struct walk *w, struct address *address)
{
	struct address_list *list = w->list;
	char **known = tsearch(address->mailbox, w->known, compare_texts);

	if (known && *known != address->mailbox)
		return;
	if (list->n == list->cap) {
		list->cap = list->cap * 2 + 4;
		list->p = memory_resize(list->p, list->cap, sizeof(*list->p));
	}
	address->written = VIEW("");
	list->p[list->n++] = *address;
	*address = ADDRESS_INIT;
}

static int follow_members(struct walk *w, struct view text);

static int follow_entry(const struct walk *from, struct alias_entry *e)
{
	struct walk w = *from;
	int rc;

	w.path = w.a->path;
	w.line = e->line;
	w.entry = e;
	w.depth++;
	if (e->fault)
		return refuse(&w, "5.3.5", e->fault, view_of(e->name));
	if (w.depth > DEPTH_MAX)
		return refuse(&w, "5.4.6", "too many aliases lead to this one",
			      view_of(e->name));
	e->open = true;
	rc = follow_members(&w, view_of(e->value));
	e->open = false;
	e->seen = w.a->question;
	return rc;
}

/* Takes the address over if it is a mailbox by itself. */
static int follow_name(struct walk *w, struct address *address)
{
	char *name = unquote(view_of(address->mailbox));
	struct alias_entry *e = find(w->a, view_of(name));
	struct alias_entry *rest = find(w->a, VIEW("default"));
	int rc = 0;

	if (!e && rest && !rest->open)
		e = rest;
	if (!e || (e == w->entry && e->open))
		push(w, address);
	else if (e->open)
		rc = refuse(w, "5.4.6", "the alias leads back to itself",
			    view_of(name));
	else if (e->seen != w->a->question)
		rc = follow_entry(w, e);
	free(name);
	return rc;
}

static int follow_address(struct walk *w, struct view member, bool is_final)
{
	struct address_list found = ADDRESS_LIST_INIT;
	struct outcome why = OUTCOME_INIT;
	int rc = address_list_parse(member, &found, &why);
	size_t i;

	if (rc < 0)
		fail(w->o, CAUSE_CONFIG, "5.3.5", "%s:%u: %s", w->path, w->line,
		     why.text);
	for (i = 0; rc == 0 && i < found.n; i++) {
		if (found.p[i].has_domain || is_final)
			push(w, &found.p[i]);
		else
			rc = follow_name(w, &found.p[i]);
	}
	address_list_release(&found);
	outcome_release(&why);
	return rc;
}

/* Lines of members, `#` before comments. */
static int follow_included(const struct walk *from, const char *path,
			   struct view text)
{
	struct walk w = *from;
	struct view line;
	int rc = 0;

	w.path = path;
	w.line = 0;
	w.depth++;
	while (rc == 0 && text.n) {
		line = view_next_line(&text);
		w.line++;
		if (!is_comment(line))
			rc = follow_members(&w, line);
	}
	return rc;
}

static int follow_include(struct walk *w, struct view name)
{
	struct view trimmed = view_trim(name);
	char *path = memory_dup_n(trimmed.p, trimmed.n);
	struct buf text = BUF_INIT(FILE_LIMIT);
	int rc = 0;

	if (*path != '/') {
		rc = refuse(w, "5.3.5",
			    "the included file's path must begin "
			    "with /",
			    trimmed);
	} else if (w->depth > DEPTH_MAX) {
		rc = refuse(w, "5.4.6", "too many files include each other",
			    trimmed);
	} else if (is_new(w->included, memory_dup(path))) {
		rc = read_file(path, &text, w->o);
		if (rc < 0)
			outcome_add_context(w->o, "%s:%u", w->path, w->line);
		else
			rc = follow_included(w, path, buf_view(&text));
	}
	buf_release(&text);
	free(path);
	return rc;
}

static int follow_member(struct walk *w, struct view member)
{
	char *plain = unquote(member);
	int rc;

	if (*plain == '|')
		rc = refuse(w, "5.3.5", "no programs are run for mail", member);
	else if (*plain == '/')
		rc = refuse(w, "5.3.5", "no mail is put into files", member);
	else if (view_starts_nocase(view_of(plain), INCLUDE))
		rc = follow_include(w, view_skip(view_of(plain), INCLUDE.n));
	else if (*plain == '\\')
		rc = follow_address(w, view_of(plain + 1), true);
	else
		rc = follow_address(w, member, false);
	free(plain);
	return rc;
}

static void tell(struct check *check, struct outcome *o)
{
	char *text = memory_dup(o->text);

	if (is_new(&check->told, text)) {
		check->on_fault(check->context, text);
		check->n++;
	}
	outcome_release(o);
}

static int follow_members(struct walk *w, struct view text)
{
	struct view member;
	size_t n;
	int rc = 0;

	while (rc == 0 && text.n) {
		n = member_length(text);
		member = view_trim(view_make(text.p, n));
		text = view_skip(text, n + 1);
		if (member.n)
			rc = follow_member(w, member);
		if (rc < 0 && w->check) {
			tell(w->check, w->o);
			rc = 0;
		}
	}
	return rc;
}

/* ---------------------------------------------------------------- questions */

/* The tree's keys belong to the list. */
static void keep_key(void *key)
{
	(void)key;
}

static int ask(struct aliases *a, struct alias_entry *e, struct check *check,
	       struct address_list *list, struct outcome *o)
{
	void *known = NULL, *included = NULL;
	struct walk w = {
		.a = a,
		.list = list,
		.known = &known,
		.included = &included,
		.check = check,
		.o = o,
	};
	int rc;

	a->question++;
	rc = follow_entry(&w, e);
	tdestroy(included, free);
	tdestroy(known, keep_key);
	return rc;
}

int aliases_expand(struct aliases *a, struct view name,
		   struct address_list *list, struct outcome *o)
{
	char *plain = unquote(name);
	struct alias_entry *e = find(a, view_of(plain));

	free(plain);
	if (!e)
		e = find(a, VIEW("default"));
	if (!e)
		return 0;
	return ask(a, e, NULL, list, o) < 0 ? -1 : 1;
}

static void check_entry(struct aliases *a, struct alias_entry *e,
			struct check *check)
{
	const struct alias_entry *first = find(a, view_of(e->name));
	struct address_list list = ADDRESS_LIST_INIT;
	struct outcome o = OUTCOME_INIT;

	if (first != e && !e->fault) {
		fail(&o, CAUSE_CONFIG, "5.3.5",
		     "%s:%u: '%s' has an entry in line %u, which counts",
		     a->path, e->line, e->name, first->line);
		tell(check, &o);
	}
	if (ask(a, e, check, &list, &o) < 0)
		tell(check, &o);
	address_list_release(&list);
}

size_t aliases_check(struct aliases *a, alias_fault *on_fault, void *context)
{
	struct check check = {.on_fault = on_fault, .context = context};
	size_t i;

	for (i = 0; i < a->n; i++)
		check_entry(a, &a->entries[i], &check);
	tdestroy(check.told, free);
	return check.n;
}
