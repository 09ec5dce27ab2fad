/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which entries a person means. */
#include "queue/select.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"

void selectors_add(struct selectors *list, enum select_by by, bool is_inverted,
		   struct view text)
{
	list->p = memory_resize(list->p, list->n + 1, sizeof(*list->p));
	list->p[list->n++] = (struct selector){
		.by = by,
		.is_inverted = is_inverted,
		.text = memory_dup_n(text.p, text.n),
	};
}

void selectors_release(struct selectors *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		free(list->p[i].text);
	free(list->p);
	*list = SELECTORS_INIT;
}

/* ASCII case aside. */
static bool contains(const char *text, const char *part)
{
	struct view v = view_of(text), p = view_of(part);

	for (; v.n >= p.n; v = view_skip(v, 1)) {
		if (view_equal_nocase(view_make(v.p, p.n), p))
			return true;
		if (!v.n)
			break;
	}
	return false;
}

static bool has_recipient(const struct entry *e, const char *part)
{
	size_t i;

	for (i = 0; i < e->envelope.n_recipients; i++)
		if (e->progress[i].standing == STANDING_WAITING &&
		    contains(e->envelope.recipients[i].address.mailbox, part))
			return true;
	return false;
}

static bool fits(const struct selector *s, const struct entry *e)
{
	switch (s->by) {
	case SELECT_ID: return contains(e->id, s->text);
	case SELECT_EXACT_ID: return !strcmp(e->id, s->text);
	case SELECT_RECIPIENT: return has_recipient(e, s->text);
	case SELECT_SENDER:
		return contains(e->envelope.sender.mailbox, s->text);
	case SELECT_ACCOUNT:
		return !strcmp(e->account ? e->account : "", s->text);
	case SELECT_HELD: return e->held && contains(e->held, s->text);
	case SELECT_ALL: return true;
	}
	return false;
}

bool selectors_choose(const struct selectors *list, const struct entry *e)
{
	unsigned asked = 0, fitting = 0, kind; /* a bit for each kind */
	const struct selector *s;

	for (s = list->p; s < list->p + list->n; s++) {
		kind = 1u << s->by;
		asked |= kind;
		if (!(fitting & kind) && fits(s, e) != s->is_inverted)
			fitting |= kind;
	}
	return fitting == asked;
}

bool selectors_name_held(const struct selectors *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->p[i].by == SELECT_HELD)
			return true;
	return false;
}

bool selectors_add_word(struct selectors *list, struct view word)
{
	static const struct {
		const char *name;
		enum select_by by;
	} kinds[] = {
		{"id", SELECT_ID},
		{"recipient", SELECT_RECIPIENT},
		{"sender", SELECT_SENDER},
		{"account", SELECT_ACCOUNT},
	};
	const char *colon = memchr(word.p, ':', word.n);
	struct view name =
		view_make(word.p, colon ? (size_t)(colon - word.p) : word.n);
	size_t i;

	if (colon) {
		for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			if (!view_equal(name, view_of(kinds[i].name)) ||
			    name.n + 1 == word.n) /* nothing is no text */
				continue;
			selectors_add(list, kinds[i].by, false,
				      view_skip(word, name.n + 1));
			return true;
		}
		return false;
	}
	if (view_equal(word, VIEW("all")))
		selectors_add(list, SELECT_ALL, false, VIEW(""));
	else if (view_equal(word, VIEW("held")))
		selectors_add(list, SELECT_HELD, false, VIEW(""));
	else
		return false;
	return true;
}
