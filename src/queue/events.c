/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What has happened to a message: one line each, behind the message. Whoever
 * notes an event makes its line and then takes it in as a reader would, so what
 * is in memory is what the file says.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/encode.h"
#include "base/memory.h"
#include "base/text.h"
#include "queue/entry.h"

#define TEXT_MAX   8192u /* octets of a server's words that are kept */
#define HOST_MAX   1024u
#define LINE_LIMIT (64u << 10) /* more than any line that is written */

/* ----------------------------------------------------------------- reading */

struct event {
	const char *name;
	bool (*take)(struct entry *e, const struct event *event,
		     struct view rest);
	unsigned value; /* enum standing */
};

static bool next_number(struct view *rest, unsigned long long max,
			unsigned long long *number)
{
	return text_to_number(view_next_word(rest), max, number);
}

static bool next_time(struct view *rest, int64_t *time)
{
	unsigned long long number;

	if (!next_number(rest, INT64_MAX, &number))
		return false;
	*time = (int64_t)number;
	return true;
}

/* When it happened. */
static bool next_moment(struct entry *e, struct view *rest, int64_t *at)
{
	if (!next_time(rest, at))
		return false;
	if (*at >= ENTRY_OLDEST && (!e->seen || *at < e->seen))
		e->seen = *at;
	return true;
}

/* The recipient whose number is next; NULL: there is none such. */
static struct progress *next_recipient(struct entry *e, struct view *rest)
{
	unsigned long long number;

	if (!next_number(rest, SIZE_MAX, &number) ||
	    number >= e->envelope.n_recipients)
		return NULL;
	return &e->progress[number];
}

/* Words have no blanks; "-" is none. False: it is none that could be. */
static bool next_text(struct view *rest, char **text)
{
	struct view word = view_next_word(rest);
	struct buf plain = BUF_INIT(LINE_LIMIT);
	bool ok = word.n > 0;

	if (ok && !view_equal(word, VIEW("-")))
		ok = decode_xtext(&plain, word) &&
			!view_has_control(buf_view(&plain));
	if (ok && plain.n)
		*text = buf_detach(&plain);
	buf_release(&plain);
	return ok;
}

static bool next_cause(struct view *rest, enum cause *cause)
{
	struct view word = view_next_word(rest);
	int i;

	for (i = CAUSE_NONE; i <= CAUSE_CONTENT; i++)
		if (view_equal(view_of(cause_name((enum cause)i)), word)) {
			*cause = (enum cause)i;
			return true;
		}
	return false;
}

/* "-", or a status of RFC 3463. */
static bool next_status(struct view *rest, struct outcome *answer)
{
	struct view word = view_next_word(rest);
	size_t i;

	if (view_equal(word, VIEW("-")))
		return true;
	if (!word.n || word.n >= sizeof(answer->status))
		return false;
	for (i = 0; i < word.n; i++)
		if (!text_is_digit(word.p[i]) && word.p[i] != '.')
			return false;
	memcpy(answer->status, word.p, word.n);
	return true;
}

/* CAUSE STATUS CODE HOST FLAGS TEXT */
static bool next_answer(struct view rest, struct progress *p)
{
	struct outcome *answer = &p->answer;
	unsigned long long code;
	struct view flags;

	if (!next_cause(&rest, &answer->cause) || !next_status(&rest, answer) ||
	    !next_number(&rest, 999, &code) || !next_text(&rest, &answer->host))
		return false;
	answer->reply_code = (int)code;
	flags = view_next_word(&rest);
	answer->uncertain = memchr(flags.p, 'u', flags.n);
	p->server_tells = memchr(flags.p, 't', flags.n);
	rest = view_trim(rest);
	if (rest.n)
		answer->text = memory_dup_n(rest.p, rest.n);
	return flags.n > 0;
}

/* delivered | deferred | refused RECIPIENT TIME, and the answer. */
static bool take_answer(struct entry *e, const struct event *event,
			struct view rest)
{
	struct progress *p = next_recipient(e, &rest);
	struct progress new = {.standing = (enum standing)event->value};

	if (!p || !next_moment(e, &rest, &new.at) || !next_answer(rest, &new)) {
		outcome_release(&new.answer);
		return false;
	}
	new.told = p->told;
	outcome_release(&p->answer);
	*p = new;
	return true;
}

/* attempt TIME NEXT */
static bool take_attempt(struct entry *e, const struct event *event,
			 struct view rest)
{
	int64_t at, next;

	(void)event;
	if (!next_moment(e, &rest, &at) || !next_time(&rest, &next))
		return false;
	e->attempts += e->attempts < UINT_MAX;
	e->last_attempt = at;
	e->next_attempt = next;
	return true;
}

static const struct {
	enum told bit;
	const char *text;
} told_words[] = {
	{TOLD_FAILED, "failed"},
	{TOLD_DELAYED, "delayed"},
	{TOLD_RELAYED, "relayed"},
};

/* told RECIPIENT TIME WORDS */
static bool take_told(struct entry *e, const struct event *event,
		      struct view rest)
{
	struct progress *p = next_recipient(e, &rest);
	struct view word;
	int64_t at;
	size_t i;

	(void)event;
	if (!p || !next_moment(e, &rest, &at))
		return false;
	while ((word = view_next_word(&rest)).n)
		for (i = 0; i < sizeof(told_words) / sizeof(*told_words); i++)
			if (view_equal(view_of(told_words[i].text), word))
				p->told |= told_words[i].bit;
	return true;
}

/* hold TIME REASON */
static bool take_hold(struct entry *e, const struct event *event,
		      struct view rest)
{
	int64_t at;

	(void)event;
	if (!next_moment(e, &rest, &at))
		return false;
	rest = view_trim(rest);
	free(e->held);
	e->held = memory_dup_n(rest.p, rest.n);
	return true;
}

/* release TIME */
static bool take_release(struct entry *e, const struct event *event,
			 struct view rest)
{
	int64_t at;

	(void)event;
	if (!next_moment(e, &rest, &at))
		return false;
	free(e->held);
	e->held = NULL;
	return true;
}

/* retry TIME */
static bool take_retry(struct entry *e, const struct event *event,
		       struct view rest)
{
	int64_t at;

	(void)event;
	if (!next_moment(e, &rest, &at))
		return false;
	e->next_attempt = 0;
	return true;
}

/* seen TIME */
static bool take_seen(struct entry *e, const struct event *event,
		      struct view rest)
{
	int64_t at;

	(void)event;
	return next_moment(e, &rest, &at);
}

static const struct event events[] = {
	{"deferred", take_answer, STANDING_WAITING},
	{"delivered", take_answer, STANDING_DELIVERED},
	{"refused", take_answer, STANDING_REFUSED},
	{"attempt", take_attempt, 0},
	{"told", take_told, 0},
	{"hold", take_hold, 0},
	{"release", take_release, 0},
	{"retry", take_retry, 0},
	{"seen", take_seen, 0},
};

static void take_line(struct entry *e, struct view line)
{
	struct view name, rest = line;
	size_t i;

	if (view_has_control(line))
		return;
	name = view_next_word(&rest);
	for (i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (view_equal(view_of(events[i].name), name))
			events[i].take(e, &events[i], rest);
}

size_t entry_take_events(struct entry *e, struct view text)
{
	struct view rest = text;
	const char *end;

	while ((end = memchr(rest.p, '\n', rest.n))) {
		take_line(e, view_make(rest.p, (size_t)(end - rest.p)));
		rest = view_skip(rest, (size_t)(end - rest.p) + 1);
	}
	return text.n - rest.n;
}

/* ----------------------------------------------------------------- writing */

/* One line, whatever the words hold. */
static void add_words(struct buf *line, const char *words)
{
	struct view v = view_of(words);

	if (!v.n)
		return;
	buf_add_char(line, ' ');
	text_add_printable(line,
			   view_make(v.p, v.n < TEXT_MAX ? v.n : TEXT_MAX));
}

static void add_host(struct buf *line, const char *host)
{
	struct view v = view_of(host);

	buf_add_char(line, ' ');
	if (v.n)
		encode_xtext(line,
			     view_make(v.p, v.n < HOST_MAX ? v.n : HOST_MAX));
	else
		buf_add_char(line, '-');
}

/* The line is complete but for its end: it has happened. */
static void note(struct entry *e, struct buf *line, struct buf *out)
{
	take_line(e, buf_view(line));
	buf_add_char(line, '\n');
	buf_add_view(out, buf_view(line));
	buf_release(line);
}

static void print_answer(size_t recipient, const struct progress *p,
			 struct buf *line)
{
	const struct outcome *a = &p->answer;
	size_t i;

	for (i = 0; events[i].value != p->standing; i++)
		;
	buf_printf(line, "%s %zu %" PRId64 " %s %s %d", events[i].name,
		   recipient, p->at, cause_name(a->cause),
		   a->status[0] ? a->status : "-", a->reply_code);
	add_host(line, a->host);
	buf_printf(line, " -%s%s", a->uncertain ? "u" : "",
		   p->server_tells ? "t" : "");
	add_words(line, a->text);
}

void entry_note_answer(struct entry *e, size_t recipient,
		       const struct progress *p, struct buf *line)
{
	struct buf own = BUF_INIT(LINE_LIMIT);

	print_answer(recipient, p, &own);
	note(e, &own, line);
}

void entry_note_attempt(struct entry *e, int64_t now, int64_t next,
			struct buf *line)
{
	struct buf own = BUF_INIT(LINE_LIMIT);

	buf_printf(&own, "attempt %" PRId64 " %" PRId64, now, next);
	note(e, &own, line);
}

static void print_told(size_t recipient, unsigned what, int64_t at,
		       struct buf *line)
{
	size_t i;

	buf_printf(line, "told %zu %" PRId64, recipient, at);
	for (i = 0; i < sizeof(told_words) / sizeof(*told_words); i++)
		if (what & told_words[i].bit)
			buf_printf(line, " %s", told_words[i].text);
}

void entry_note_told(struct entry *e, size_t recipient, enum told what,
		     int64_t now, struct buf *line)
{
	struct buf own = BUF_INIT(LINE_LIMIT);

	print_told(recipient, what, now, &own);
	note(e, &own, line);
}

void entry_note_hold(struct entry *e, const char *reason, int64_t now,
		     struct buf *line)
{
	struct buf own = BUF_INIT(LINE_LIMIT);

	buf_printf(&own, "hold %" PRId64, now);
	add_words(&own, reason);
	note(e, &own, line);
}

static void note_moment(struct entry *e, const char *event, int64_t now,
			struct buf *line)
{
	struct buf own = BUF_INIT(LINE_LIMIT);

	buf_printf(&own, "%s %" PRId64, event, now);
	note(e, &own, line);
}

void entry_note_release(struct entry *e, int64_t now, struct buf *line)
{
	note_moment(e, "release", now, line);
}

void entry_note_retry(struct entry *e, int64_t now, struct buf *line)
{
	note_moment(e, "retry", now, line);
}

void entry_note_seen(struct entry *e, int64_t now, struct buf *line)
{
	note_moment(e, "seen", now, line);
}

void entry_print_state(const struct entry *e, struct buf *lines)
{
	const struct progress *p = e->progress;
	unsigned attempts;
	size_t i;

	for (i = 0; p && i < e->envelope.n_recipients; i++) {
		if (p[i].at || p[i].standing != STANDING_WAITING) {
			print_answer(i, &p[i], lines);
			buf_add_char(lines, '\n');
		}
		if (p[i].told) {
			print_told(i, p[i].told, p[i].at, lines);
			buf_add_char(lines, '\n');
		}
	}
	for (attempts = 0; attempts < e->attempts; attempts++)
		buf_printf(lines, "attempt %" PRId64 " %" PRId64 "\n",
			   e->last_attempt, e->next_attempt);
}
