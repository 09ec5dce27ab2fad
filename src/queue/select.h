/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_SELECT_H
#define QUEUE_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "queue/entry.h"

/* What of an entry is looked at. */
enum select_by {
	SELECT_ID = 1,    /* -qI: the text is in the id */
	SELECT_RECIPIENT, /* -qR: … in a recipient that waits, ASCII case
			     aside */
	SELECT_SENDER,    /* -qS: … in the sender */
	SELECT_ACCOUNT,   /* -qG: the text is the account's name */
	SELECT_HELD,      /* -qQ: it is held; any text is in the reason */
	SELECT_ALL,       /* everything */
	SELECT_EXACT_ID,  /* the text is the id */
};

struct selector {
	enum select_by by;
	bool is_inverted; /* -q! */
	char *text;
};

struct selectors {
	struct selector *p;
	size_t n;
};

#define SELECTORS_INIT ((struct selectors){0})

void selectors_add(struct selectors *list, enum select_by by, bool is_inverted,
		   struct view text);
void selectors_release(struct selectors *list);

/* An entry is chosen if for every kind among the selectors one of that kind
 * fits. */
bool selectors_choose(const struct selectors *list, const struct entry *e);

/* Does one of them ask for what is held, or for what is not? */
bool selectors_name_held(const struct selectors *list);

/* What a person calls entries by, other than an id: "all", "held",
 * "recipient:TEXT", "sender:TEXT", "account:NAME", "id:TEXT". False: it reads
 * as none of these. */
bool selectors_add_word(struct selectors *list, struct view word);

#endif
