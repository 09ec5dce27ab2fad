/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads configuration files into definitions: sections, inheritance, include,
 * eval, and whether a file that holds a password is private. A value is
 * checked where it stands, so that an error has its line; what it does is
 * decided later, for the one account that is used.
 */
#include "conf/reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "conf/language.h"
#include "conf/places.h"
#include "conf/shield.h"

#define FILE_LIMIT    (16u << 20) /* octets of a file */
#define LINE_LIMIT    (64u << 10) /* octets that eval may print */
#define INCLUDE_DEPTH 16
#define FINDING_LIMIT 4096u
#define NAME_MOST     64u /* octets of a command that is not known */

#define NO_ACCOUNT SIZE_MAX

struct reader {
	struct definition_list *list;
	const struct reader_policy *policy;
	struct definition defaults;
	size_t first;     /* this file's first account in the list */
	size_t current;   /* the account being defined, or NO_ACCOUNT: the
			   defaults are */
	const char *file; /* being read; in list->files */
	unsigned line;
	unsigned depth;  /* of includes */
	bool is_text;    /* no file: neither include nor eval */
	bool is_private; /* nobody else can read the file */
	bool in_eval;    /* the line was printed by a command */
	struct outcome *o;
};

/* ---------------------------------------------------------------- findings */

void reader_tell(const struct config_request *request, bool is_error,
		 const char *format, ...)
{
	struct buf text = BUF_INIT(4 * FINDING_LIMIT);
	char raw[FINDING_LIMIT];
	va_list args;

	if (!request->on_finding)
		return;
	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	text_add_printable(&text, view_of(raw));
	request->on_finding(request->context, is_error, text.p);
	buf_release(&text);
}

/* r->o says what is wrong with this line. 0: go on all the same. */
static int found_error(struct reader *r)
{
	outcome_add_context(r->o, "%s:%u", r->file, r->line);
	if (!r->policy->request->on_finding)
		return -1;
	reader_tell(r->policy->request, true, "%s", r->o->text);
	outcome_release(r->o);
	return 0;
}

static int wrong(struct reader *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int wrong(struct reader *r, const char *format, ...)
{
	char raw[FINDING_LIMIT];
	va_list args;

	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	fail(r->o, CAUSE_CONFIG, "5.3.5", "%s", raw);
	return found_error(r);
}

static void warn_old_name(const struct reader *r, const struct setting *row)
{
	reader_tell(r->policy->request, false,
		    "%s:%u: %s is an old name; write %s", r->file, r->line,
		    row->name, row->instead);
}

/* ------------------------------------------------------ sections, settings */

static struct definition *section(struct reader *r)
{
	if (r->current == NO_ACCOUNT)
		return &r->defaults;
	return &r->list->p[r->current];
}

static int read_setting(struct reader *r, const struct setting *row,
			struct view value)
{
	struct account scratch = ACCOUNT_INIT;
	struct definition_entry entry = {
		.row = row,
		.file = r->file,
		.line = r->line,
	};
	int rc;

	rc = setting_apply(row, &scratch, value, r->o);
	account_release(&scratch);
	if (rc < 0)
		return found_error(r);
	if (row->secret && value.n && !r->is_private && !r->in_eval)
		return wrong(
			r,
			"the file holds a password, so it must belong to you "
			"or to root and be readable by nobody else: chmod 600 "
			"%s, or chown it",
			r->file);
	if (row->instead)
		warn_old_name(r, row);
	entry.value = row->secret ? shield_close(value)
				  : memory_dup_n(value.p, value.n);
	definition_set(section(r), &entry);
	memory_free_secret(entry.value);
	return 0;
}

static int check_parents(struct reader *r, const struct strings *parents)
{
	size_t i;

	for (i = 0; i < parents->n; i++)
		if (!definition_find(r->list, r->first,
				     view_of(parents->p[i])) &&
		    wrong(r, "no account '%s' before this line",
			  parents->p[i]) < 0)
			return -1;
	return 0;
}

static int check_name(struct reader *r, struct view name)
{
	const struct definition *d = definition_find(r->list, r->first, name);

	if (!d)
		return 0;
	return wrong(r, "account '%s' is already defined, in line %u", d->name,
		     d->line);
}

static int begin_account(struct reader *r, struct view name,
			 const struct strings *parents)
{
	size_t i, n = r->list->n;
	struct definition *d, *parent;

	if (check_parents(r, parents) < 0 || check_name(r, name) < 0)
		return -1;
	d = definition_add(r->list, memory_dup_n(name.p, name.n));
	d->file = r->file;
	d->line = r->line;
	d->as_msmtp = r->policy->as_msmtp;
	r->current = n;
	definition_merge(d, &r->defaults);
	for (i = 0; i < parents->n; i++) {
		parent = definition_find(r->list, r->first,
					 view_of(parents->p[i]));
		if (parent && parent != d)
			definition_merge(d, parent);
	}
	return 0;
}

static int read_account(struct reader *r, struct view argument)
{
	struct strings parents = STRINGS_INIT;
	struct view name;
	int rc;

	if (language_account(argument, &name, &parents))
		rc = begin_account(r, name, &parents);
	else
		rc = wrong(r,
			   "account wants a name without blanks, and maybe a "
			   "colon and those to inherit from");
	strings_release(&parents);
	return rc;
}

static int read_defaults(struct reader *r, struct view argument)
{
	if (argument.n)
		return wrong(r, "defaults has no argument");
	r->current = NO_ACCOUNT;
	return 0;
}

/* ------------------------------------------------------------ include, eval */

static int read_file(struct reader *r, const char *path);
static int read_line(struct reader *r, const struct language *l,
		     const struct command_line *c);

/* A relative path begins where the file is that has it. */
static char *included_path(const struct reader *r, struct view argument)
{
	char *path = file_expand(argument);
	const char *slash = strrchr(r->file, '/');
	struct buf joined = BUF_INIT(65536);

	if (path[0] == '/' || !slash)
		return path;
	buf_add(&joined, r->file, (size_t)(slash - r->file) + 1);
	buf_add_text(&joined, path);
	free(path);
	return buf_detach(&joined);
}

static int read_include(struct reader *r, struct view argument)
{
	struct reader outer = *r;
	char *path;
	int rc;

	if (!argument.n)
		return wrong(r, "include wants a file");
	if (r->is_text || r->in_eval)
		return wrong(r, "include is possible in a file only");
	if (r->depth == INCLUDE_DEPTH)
		return wrong(r, "%u files include each other; is it a circle?",
			     INCLUDE_DEPTH);
	path = included_path(r, argument);
	r->depth++;
	rc = read_file(r, path);
	r->depth--;
	r->file = outer.file;
	r->line = outer.line;
	r->is_private = outer.is_private;
	if (rc > 0)
		rc = wrong(r, "cannot read %s: %s", path, strerror(rc));
	free(path);
	return rc;
}

/* The first line that the command prints takes the place of this one. */
static int read_eval(struct reader *r, struct view argument)
{
	struct buf printed = BUF_INIT_SECRET(LINE_LIMIT);
	struct language l = {.as_msmtp = r->policy->as_msmtp};
	struct command_line c;
	char *command = NULL;
	int rc = 0;

	if (r->is_text || r->in_eval)
		return wrong(r, "eval is possible in a file only");
	command = memory_dup_n(argument.p, argument.n);
	if (child_capture("eval", command, &printed, r->o) < 0) {
		rc = found_error(r);
		goto done;
	}
	l.rest = view_make(printed.p, strcspn(printed.p, "\n"));
	r->in_eval = true;
	if (language_next(&l, &c))
		rc = read_line(r, &l, &c);
	r->in_eval = false;
done:
	memory_free_secret(command);
	buf_release(&printed);
	return rc;
}

/* ------------------------------------------------------------ lines, files */

/* The setting that is a secret and that the word begins with, or NULL. */
static const struct setting *find_secret(struct view word)
{
	const struct setting *row = settings + settings_n;

	while (row-- > settings)
		if (row->secret && view_starts_nocase(word, view_of(row->name)))
			return row;
	return NULL;
}

/* Only what looks like the name of a command is told: the rest of the line, or
 * all of it, may be a password that stands in the wrong place. */
static int read_unknown(struct reader *r, const struct command_line *c)
{
	const struct setting *secret = find_secret(c->command);
	struct view word = view_make(c->command.p, 0);
	const char *near;
	bool is_whole;

	while (word.n < c->command.n && word.n < NAME_MOST &&
	       (text_is_alpha(word.p[word.n]) || word.p[word.n] == '_' ||
		word.p[word.n] == '-'))
		word.n++;
	is_whole = word.n == c->command.n;
	near = setting_nearest(word);
	if (secret && (!near || setting_find(view_of(near))->secret))
		return wrong(r, "unknown command; a blank goes behind '%s'",
			     secret->name);
	if (near)
		return wrong(r, "unknown command '%.*s%s'; did you mean '%s'?",
			     (int)word.n, word.p, is_whole ? "" : "...", near);
	if (is_whole && c->rest.n)
		return wrong(r, "unknown command '%.*s'", (int)word.n, word.p);
	return wrong(r, "unknown command, not shown as it may be a secret");
}

/* What is not a setting. */
static const struct {
	const char *word;
	bool is_shell; /* the argument is for the shell */
	int (*read)(struct reader *r, struct view argument);
} commands[] = {
	{"account", false, read_account},
	{"defaults", false, read_defaults},
	{"include", false, read_include},
	{"eval", true, read_eval},
};

static int read_line(struct reader *r, const struct language *l,
		     const struct command_line *c)
{
	const size_t n = sizeof(commands) / sizeof(commands[0]);
	const struct setting *row = setting_find(c->command);
	struct view argument;
	size_t i;

	for (i = 0; i < n; i++)
		if (view_equal(c->command, view_of(commands[i].word)))
			break;
	if (i == n && !row)
		return read_unknown(r, c);
	if (i < n ? commands[i].is_shell : row->type == SETTING_COMMAND)
		argument = language_shell_argument(c);
	else if (!language_argument(l, c, &argument))
		return wrong(r,
			     "the quote in front of the argument is not "
			     "closed");
	if (i < n)
		return commands[i].read(r, argument);
	return read_setting(r, row, argument);
}

static unsigned line_of(struct view text, const char *place)
{
	unsigned line = 1;
	const char *p;

	for (p = text.p; p < place; p++)
		if (*p == '\n')
			line++;
	return line;
}

static int read_lines(struct reader *r, struct view text)
{
	static const struct view mark = VIEW("\xef\xbb\xbf");
	struct language l = {.as_msmtp = r->policy->as_msmtp};
	const char *nul = memchr(text.p, '\0', text.n);
	struct command_line c;

	if (nul) {
		r->line = line_of(text, nul);
		return wrong(r, "a NUL octet; this is no text file");
	}
	if (view_starts_nocase(text, mark)) /* as some editors write it */
		text = view_skip(text, mark.n);
	l.rest = text;
	while (language_next(&l, &c)) {
		r->line = l.line;
		if (read_line(r, &l, &c) < 0)
			return -1;
	}
	return 0;
}

static const char *remember_file(struct reader *r, const char *path)
{
	strings_add(&r->list->files, view_of(path));
	return r->list->files.p[r->list->files.n - 1];
}

/* 0; -1: r->o says why; an errno: it could not be opened or read. */
static int read_file(struct reader *r, const char *path)
{
	struct buf text = BUF_INIT_SECRET(FILE_LIMIT);
	int fd = places_open(path, &r->is_private);
	int rc;

	if (fd < 0)
		return errno;
	r->file = remember_file(r, path);
	r->line = 0;
	rc = places_read(fd, path, &text, r->o);
	if (rc == 0 && places_is_anybodys(fd))
		rc = wrong(r,
			   "anybody can change this file, and it can name "
			   "commands: chmod o-w %s",
			   path);
	close(fd);
	if (rc == 0)
		rc = read_lines(r, buf_view(&text));
	buf_release(&text);
	return rc;
}

/* A file of settings alone defines the account "default". */
static void end_file(struct reader *r)
{
	const struct definition *defaults = &r->defaults;
	struct definition *d;

	if (r->list->n > r->first)
		return;
	if (!definition_get(defaults, "host") &&
	    !definition_get(defaults, "socket") &&
	    !definition_get(defaults, "tunnel"))
		return;
	d = definition_add(r->list, memory_dup("default"));
	d->file = defaults->p[0].file;
	d->line = defaults->p[0].line;
	d->as_msmtp = r->policy->as_msmtp;
	definition_merge(d, defaults);
}

int reader_read_file(struct definition_list *list, const char *path,
		     const struct reader_policy *policy, struct outcome *o)
{
	struct reader r = {
		.list = list,
		.policy = policy,
		.first = list->n,
		.current = NO_ACCOUNT,
		.o = o,
	};
	int rc = read_file(&r, path);

	if (rc > 0 && !policy->must_exist && places_is_absent(rc))
		return 0;
	if (rc > 0) {
		errno = rc;
		return fail_errno(o, CAUSE_CONFIG, "5.3.5", "cannot read %s",
				  path);
	}
	if (rc == 0)
		end_file(&r);
	definition_release(&r.defaults);
	return rc < 0 ? -1 : 1;
}

int reader_read_text(struct definition_list *list, struct view text,
		     const char *name, const struct reader_policy *policy,
		     struct outcome *o)
{
	struct reader r = {
		.list = list,
		.policy = policy,
		.first = list->n,
		.current = NO_ACCOUNT,
		.is_text = true,
		.is_private = true,
		.o = o,
	};
	int rc;

	r.file = remember_file(&r, name);
	rc = read_lines(&r, text);
	if (rc == 0)
		end_file(&r);
	definition_release(&r.defaults);
	return rc;
}
