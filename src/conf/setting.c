/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading and printing one setting by its row. What the rows are is in
 * conf/rows.c; files and accounts are conf/config's.
 */
#include "conf/setting.h"

#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "conf/shield.h"

#define DAY         86400u /* seconds */
#define BEGUN_LEAST 3u     /* letters of a name that are worth a guess */

static const struct setting_choice on_off[] = {
	{"on", true},
	{"off", false},
	{NULL, 0},
};

static char same_letter(char c)
{
	return c == '-' ? '_' : c;
}

static bool is_named(const struct setting *row, struct view name)
{
	size_t i;

	if (strlen(row->name) != name.n)
		return false;
	for (i = 0; i < name.n; i++)
		if (same_letter(name.p[i]) != row->name[i])
			return false;
	return true;
}

const struct setting *setting_find(struct view name)
{
	size_t i;

	for (i = 0; i < settings_n; i++)
		if (is_named(&settings[i], name))
			return &settings[i];
	return NULL;
}

size_t setting_slips(struct view name)
{
	if (name.n < 4)
		return 1;
	return name.n < 9 ? 2 : 3;
}

/* The shortest name that begins so: half a word is no slip. */
static const char *find_begun(struct view name)
{
	const char *found = NULL, *one;
	size_t i;

	for (i = 0; name.n >= BEGUN_LEAST && i < settings_n; i++) {
		one = settings[i].name;
		if (strlen(one) > name.n &&
		    view_equal_nocase(view_make(one, name.n), name) &&
		    (!found || strlen(one) < strlen(found)))
			found = one;
	}
	return found;
}

const char *setting_nearest(struct view name)
{
	size_t most = setting_slips(name);
	const char *nearest = NULL;
	size_t i, distance;

	for (i = 0; i < settings_n; i++) {
		distance = text_distance(name, view_of(settings[i].name), most);
		if (distance > most || (nearest && distance == most))
			continue;
		nearest = settings[i].name;
		most = distance;
	}
	return nearest ? nearest : find_begun(name);
}

bool setting_is_text(const struct setting *row)
{
	return row->type == SETTING_TEXT || row->type == SETTING_PATH ||
		row->type == SETTING_COMMAND;
}

bool setting_has_bare_form(const struct setting *row)
{
	return row->bare && !setting_is_text(row);
}

bool setting_has_option(const struct setting *row)
{
	return !row->secret;
}

static const struct setting_choice *choices_of(const struct setting *row)
{
	return row->choices ? row->choices : on_off;
}

static void add_wanted_words(const struct setting *row, struct buf *out)
{
	const struct setting_choice *choice;

	for (choice = choices_of(row); choice->word; choice++) {
		if (choice != choices_of(row))
			buf_add_text(out, choice[1].word ? ", " : " or ");
		buf_add_text(out, choice->word);
	}
}

static void add_wanted(const struct setting *row, struct buf *out)
{
	if (row->wanted)
		buf_add_text(out, row->wanted);
	else if (row->type == SETTING_NUMBER)
		buf_printf(out, "a number from 1 to %u", row->max);
	else if (row->type == SETTING_SECONDS)
		buf_printf(out, "seconds (30, 5m, 1h), at most %u days%s",
			   row->max / DAY, row->may_be_off ? ", or off" : "");
	else if (row->type == SETTING_BOOL || row->type == SETTING_CHOICE)
		add_wanted_words(row, out);
	else
		buf_add_text(out, "text without control characters");
}

static int refuse(const struct setting *row, struct view value,
		  struct outcome *o)
{
	struct buf wanted = BUF_INIT(1024);

	add_wanted(row, &wanted);
	if (row->secret)
		fail(o, CAUSE_CONFIG, "5.3.5", "%s wants %s", row->name,
		     wanted.p);
	else
		fail(o, CAUSE_CONFIG, "5.3.5", "%s wants %s, not '%.*s'",
		     row->name, wanted.p, value.n < 200 ? (int)value.n : 200,
		     value.p);
	buf_release(&wanted);
	return -1;
}

static void *place_of(const struct setting *row, struct account *a)
{
	return (char *)a + row->offset;
}

static bool set_word(const struct setting *row, struct account *a,
		     struct view value)
{
	const struct setting_choice *choice = choices_of(row);

	while (choice->word && !view_equal_nocase(view_of(choice->word), value))
		choice++;
	if (!choice->word)
		return false;
	if (row->type == SETTING_BOOL)
		*(bool *)place_of(row, a) = choice->value != 0;
	else
		memcpy(place_of(row, a), &choice->value, sizeof(int));
	return true;
}

static bool set_number(const struct setting *row, struct account *a,
		       struct view value)
{
	unsigned *place = place_of(row, a);
	unsigned long long n = 0;

	if (value.n && (!text_to_number(value, row->max, &n) || n == 0))
		return false;
	*place = (unsigned)n;
	return true;
}

static bool set_seconds(const struct setting *row, struct account *a,
			struct view value)
{
	unsigned *place = place_of(row, a);
	unsigned long long n = 0;

	if (row->may_be_off && view_equal_nocase(value, VIEW("off")))
		n = TIMEOUT_NONE;
	else if (value.n && (!text_to_seconds(value, row->max, &n) || n == 0))
		return false;
	*place = (unsigned)n;
	return true;
}

static bool set_text(const struct setting *row, struct account *a,
		     struct view value)
{
	char **place = place_of(row, a);

	if (view_has_control(value))
		return false;
	if (row->may_be_off && view_equal_nocase(value, VIEW("off")))
		value = VIEW("");
	if (value.n && row->check && !row->check(value))
		return false;
	memory_free_secret(*place);
	if (!value.n)
		*place = NULL;
	else if (row->type == SETTING_PATH)
		*place = file_expand(value);
	else if (row->shielded)
		*place = shield_close(value);
	else if (row->secret)
		*place = memory_dup_secret(value.p, value.n);
	else
		*place = memory_dup_n(value.p, value.n);
	return true;
}

static bool set_value(const struct setting *row, struct account *a,
		      struct view value)
{
	switch (row->type) {
	case SETTING_BOOL:
	case SETTING_CHOICE: return set_word(row, a, value);
	case SETTING_NUMBER: return set_number(row, a, value);
	case SETTING_SECONDS: return set_seconds(row, a, value);
	case SETTING_SPECIAL: return row->set(a, value);
	default: return set_text(row, a, value);
	}
}

int setting_apply(const struct setting *row, struct account *a,
		  struct view value, struct outcome *o)
{
	if (!value.n && row->needs_value)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "%s wants an argument: %s", row->name,
			    row->argument);
	if (!value.n && row->bare)
		value = view_of(row->bare);
	else if (!value.n && row->fallback)
		value = view_of(row->fallback);
	return set_value(row, a, value) ? 0 : refuse(row, value, o);
}

void setting_apply_defaults(struct account *a, bool as_msmtp)
{
	const struct setting *row;
	const char *value;

	for (row = settings; row < settings + settings_n; row++) {
		value = row->fallback;
		if (as_msmtp && row->msmtp_fallback)
			value = row->msmtp_fallback;
		if (value && !row->instead)
			set_value(row, a, view_of(value));
	}
}

static void print_word(const struct setting *row, const struct account *a,
		       struct buf *out)
{
	const void *place = (const char *)a + row->offset;
	const struct setting_choice *choice = choices_of(row);
	int value;

	if (row->type == SETTING_BOOL)
		value = *(const bool *)place;
	else
		memcpy(&value, place, sizeof(value));
	for (; choice->word; choice++) {
		if (choice->value == value) {
			buf_add_text(out, choice->word);
			return;
		}
	}
}

static void print_number(const struct setting *row, const struct account *a,
			 struct buf *out)
{
	const unsigned *place = (const void *)((const char *)a + row->offset);

	if (row->type == SETTING_SECONDS && *place == TIMEOUT_NONE)
		buf_add_text(out, "off");
	else if (*place)
		buf_printf(out, "%u", *place);
}

static void print_text(const struct setting *row, const struct account *a,
		       struct buf *out)
{
	char *const *place = (const void *)((const char *)a + row->offset);

	if (*place && row->secret)
		buf_add_char(out, '*');
	else if (*place)
		text_add_printable(out, view_of(*place));
}

void setting_print(const struct setting *row, const struct account *a,
		   struct buf *out)
{
	switch (row->type) {
	case SETTING_BOOL:
	case SETTING_CHOICE: print_word(row, a, out); break;
	case SETTING_NUMBER:
	case SETTING_SECONDS: print_number(row, a, out); break;
	case SETTING_SPECIAL:
		if (row->print)
			row->print(a, out);
		break;
	default: print_text(row, a, out);
	}
}
