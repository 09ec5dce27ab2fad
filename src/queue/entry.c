/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A message in the queue, and the block of text that its file begins with: one
 * line for each thing that is known when the message is queued. The lines that
 * follow the message are events.c's, the file itself is spool.c's.
 */
#include "queue/entry.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/memory.h"
#include "base/text.h"

#define FORM       "postrider 1\n"
#define FORM_NAME  "postrider "
#define SIZE_LIMIT ((uint64_t)INT64_MAX / 4) /* sums of a few do not overflow */
#define LANE_LIMIT (16u << 20)
#define SHOWN      60 /* octets of a bad line in messages */

/* ------------------------------------------------------- the block, written */

struct writing {
	struct buf *out;
	struct outcome *o;
	bool failed;
};

/* NULL: there is no such line. */
static void put(struct writing *w, const char *key, const char *value)
{
	if (!value || w->failed)
		return;
	if (view_has_control(view_of(value))) {
		w->failed = true;
		fail(w->o, CAUSE_USAGE, "5.5.4",
		     "it can't be queued: there is a control character in the "
		     "value of%s%s, \"%s\"",
		     *key == ' ' ? "" : " ", key, value);
		return;
	}
	buf_add_text(w->out, key);
	buf_add_text(w->out, *value ? " " : "");
	buf_add_text(w->out, value);
	buf_add_char(w->out, '\n');
}

static void put_number(struct writing *w, const char *key, uint64_t number)
{
	buf_printf(w->out, "%s %" PRIu64 "\n", key, number);
}

static void put_time(struct writing *w, const char *key, int64_t time)
{
	if (time > 0)
		put_number(w, key, (uint64_t)time);
}

static void put_notify(struct writing *w, const char *key, unsigned notify)
{
	struct buf list = BUF_INIT(64);

	envelope_print_notify(notify, &list);
	put(w, key, list.n ? list.p : NULL);
	buf_release(&list);
}

static void put_recipient(struct writing *w, const struct recipient *r)
{
	put(w, "to", r->address.mailbox);
	put_notify(w, " notify", r->notify);
	put(w, " orcpt", r->orcpt);
	put(w, " original", r->original.mailbox);
}

static void put_envelope(struct writing *w, const struct envelope *e)
{
	size_t i;

	put(w, "from", e->sender.mailbox ? e->sender.mailbox : "");
	put_notify(w, "notify", e->notify);
	put(w, "ret", envelope_return_word(e->ret));
	put(w, "envid", e->envid);
	put(w, "body-type", envelope_body_word(e->body_type));
	for (i = 0; i < e->n_recipients; i++)
		put_recipient(w, &e->recipients[i]);
}

/* What is 0 is not written. */
static void put_facts(struct writing *w, const struct message *m)
{
	const struct {
		const char *key;
		uint64_t value;
	} facts[] = {
		{"8bit", m->body_8bit},
		{"nul-line", m->nul_line},
		{"bare-cr-line", m->bare_cr_line},
		{"bare-lf-line", m->bare_lf_line},
		{"longest-line", m->longest_line},
	};
	size_t i;

	for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (facts[i].value)
			put_number(w, facts[i].key, facts[i].value);
}

int entry_print(const struct entry *e, size_t header_n, struct buf *out,
		struct outcome *o)
{
	struct writing w = {.out = out, .o = o};
	size_t i;

	buf_add_text(out, FORM);
	put_time(&w, "created", e->created);
	put_time(&w, "next", e->next_attempt);
	put(&w, "config", e->config_file);
	put(&w, "account", e->account);
	for (i = 0; i < e->settings.n; i++)
		put(&w, "set", e->settings.p[i]);
	put(&w, "report", e->is_report ? "" : NULL);
	put(&w, "held", e->held);
	put_envelope(&w, &e->envelope);
	put_facts(&w, &e->message);
	put_number(&w, "header", header_n);
	put_number(&w, "size", e->size);
	buf_add_char(out, '\n');
	if (!w.failed && out->overflow)
		return fail(o, CAUSE_USAGE, "5.5.3",
			    "it can't be queued: there are too many "
			    "recipients");
	return w.failed ? -1 : 0;
}

/* ---------------------------------------------------------- the block, read */

struct reading {
	struct entry *e;
	struct view value;
	struct outcome *o;
	uint64_t header_n;
	bool has_size;
};

/* Each returns false for a value that can't be. */

static bool to_number(struct view v, uint64_t *number)
{
	unsigned long long value;

	if (!text_to_number(v, SIZE_LIMIT, &value))
		return false;
	*number = value;
	return true;
}

static bool to_time(struct view v, int64_t *time)
{
	uint64_t number;

	if (!to_number(v, &number))
		return false;
	*time = (int64_t)number;
	return true;
}

static bool to_text(struct view v, char **text)
{
	free(*text);
	*text = memory_dup_n(v.p, v.n);
	return true;
}

static bool take_created(struct reading *r)
{
	return to_time(r->value, &r->e->created);
}

static bool take_next(struct reading *r)
{
	return to_time(r->value, &r->e->next_attempt);
}

static bool take_config(struct reading *r)
{
	return to_text(r->value, &r->e->config_file);
}

static bool take_account(struct reading *r)
{
	return to_text(r->value, &r->e->account);
}

static bool take_set(struct reading *r)
{
	strings_add(&r->e->settings, r->value);
	return true;
}

static bool take_report(struct reading *r)
{
	r->e->is_report = true;
	return true;
}

static bool take_held(struct reading *r)
{
	return to_text(r->value, &r->e->held);
}

static bool take_from(struct reading *r)
{
	return envelope_set_sender(&r->e->envelope, r->value, NULL, r->o) == 0;
}

static bool take_to(struct reading *r)
{
	return envelope_restore_recipient(&r->e->envelope, r->value, r->o) == 0;
}

static bool take_notify(struct reading *r)
{
	return envelope_parse_notify(r->value, &r->e->envelope.notify);
}

static bool take_ret(struct reading *r)
{
	return envelope_parse_return(r->value, &r->e->envelope.ret);
}

static bool take_envid(struct reading *r)
{
	return envelope_set_envid(&r->e->envelope, r->value, r->o) == 0;
}

static bool take_body_type(struct reading *r)
{
	return envelope_parse_body_type(r->value, &r->e->envelope.body_type);
}

static bool take_8bit(struct reading *r)
{
	r->e->message.body_8bit = true;
	return true;
}

static bool take_nul_line(struct reading *r)
{
	return to_number(r->value, &r->e->message.nul_line);
}

static bool take_bare_cr_line(struct reading *r)
{
	return to_number(r->value, &r->e->message.bare_cr_line);
}

static bool take_bare_lf_line(struct reading *r)
{
	return to_number(r->value, &r->e->message.bare_lf_line);
}

static bool take_longest_line(struct reading *r)
{
	return to_number(r->value, &r->e->message.longest_line);
}

static bool take_header(struct reading *r)
{
	return to_number(r->value, &r->header_n) &&
		r->header_n <= MESSAGE_HEADER_LIMIT;
}

static bool take_size(struct reading *r)
{
	r->has_size = true;
	return to_number(r->value, &r->e->size);
}

/* Lines that begin with a blank are about the recipient above them. */

static struct recipient *last_recipient(struct reading *r)
{
	struct envelope *e = &r->e->envelope;

	return e->n_recipients ? &e->recipients[e->n_recipients - 1] : NULL;
}

static bool take_own_notify(struct reading *r)
{
	struct recipient *to = last_recipient(r);

	return to && envelope_parse_notify(r->value, &to->notify);
}

static bool take_orcpt(struct reading *r)
{
	struct recipient *to = last_recipient(r);

	/* it becomes a parameter of RCPT: one word */
	return to && r->value.n && !memchr(r->value.p, ' ', r->value.n) &&
		!memchr(r->value.p, '\t', r->value.n) &&
		to_text(r->value, &to->orcpt);
}

static bool take_original(struct reading *r)
{
	struct recipient *to = last_recipient(r);

	if (!to)
		return false;
	address_release(&to->original);
	return address_parse(r->value, &to->original, r->o) == 0;
}

static const struct {
	const char *name;
	bool (*take)(struct reading *r);
} keys[] = {
	{"to", take_to},
	{" notify", take_own_notify},
	{" orcpt", take_orcpt},
	{" original", take_original},
	{"created", take_created},
	{"next", take_next},
	{"config", take_config},
	{"account", take_account},
	{"set", take_set},
	{"report", take_report},
	{"held", take_held},
	{"from", take_from},
	{"notify", take_notify},
	{"ret", take_ret},
	{"envid", take_envid},
	{"body-type", take_body_type},
	{"8bit", take_8bit},
	{"nul-line", take_nul_line},
	{"bare-cr-line", take_bare_cr_line},
	{"bare-lf-line", take_bare_lf_line},
	{"longest-line", take_longest_line},
	{"header", take_header},
	{"size", take_size},
};

/* What another version writes is passed over. */
static int take_line(struct reading *r, struct view line)
{
	struct view rest = view_skip(line, line.n && *line.p == ' ');
	const char *space = memchr(rest.p, ' ', rest.n);
	const char *end = space ? space : line.p + line.n;
	struct view key = view_make(line.p, (size_t)(end - line.p));
	struct view value = view_skip(line, key.n + 1);
	bool ok = !view_has_control(line);
	size_t i;

	r->value = value;
	for (i = 0; ok && i < sizeof(keys) / sizeof(keys[0]); i++)
		if (view_equal(view_of(keys[i].name), key)) {
			ok = keys[i].take(r);
			break;
		}
	if (ok)
		return 0;
	return fail(r->o, CAUSE_SYSTEM, "5.3.0",
		    "there is no sense in its line \"%.*s\"",
		    (int)(line.n < SHOWN ? line.n : SHOWN), line.p);
}

static int check_whole(const struct reading *r)
{
	const char *lacks = NULL;

	if (!r->e->envelope.sender.mailbox)
		lacks = "a sender";
	else if (!r->e->envelope.n_recipients)
		lacks = "recipients";
	else if (!r->has_size || r->header_n == UINT64_MAX ||
		 r->header_n + 2 > r->e->size)
		lacks = "the size of its message";
	return lacks ? fail(r->o, CAUSE_SYSTEM, "5.3.0", "it lacks %s", lacks)
		     : 0;
}

/* 1: as it must be, 0: not all there, -1. */
static int check_form(struct view text, struct outcome *o)
{
	struct view form = VIEW(FORM), name = VIEW(FORM_NAME);
	size_t n = text.n < form.n ? text.n : form.n;

	if (view_equal(view_make(text.p, n), view_make(form.p, n)))
		return text.n >= form.n;
	if (text.n >= name.n && view_equal(view_make(text.p, name.n), name))
		return fail(o, CAUSE_SYSTEM, "5.3.3",
			    "it is of another version of postrider");
	return fail(o, CAUSE_SYSTEM, "5.3.0", "it is no message of the queue");
}

ptrdiff_t entry_parse(struct view text, struct entry *e, size_t *header_n,
		      struct outcome *o)
{
	struct reading r = {.e = e, .o = o, .header_n = UINT64_MAX};
	int rc = check_form(text, o);
	const char *end, *next;
	struct view rest;

	if (rc <= 0)
		return rc;
	end = memmem(text.p, text.n, "\n\n", 2);
	if (!end)
		return 0;
	rest = view_make(text.p, (size_t)(end - text.p) + 1);
	for (rest = view_skip(rest, strlen(FORM)); rest.n;
	     rest = view_skip(rest, (size_t)(next - rest.p) + 1)) {
		next = memchr(rest.p, '\n', rest.n);
		if (take_line(&r, view_make(rest.p, (size_t)(next - rest.p))) <
		    0)
			return -1;
	}
	if (check_whole(&r) < 0)
		return -1;
	e->progress =
		memory_alloc(e->envelope.n_recipients * sizeof(*e->progress));
	*header_n = (size_t)r.header_n;
	return end + 2 - text.p;
}

/* ---------------------------------------------------------------- the rest */

size_t entry_waiting(const struct entry *e)
{
	size_t i, n = 0;

	for (i = 0; i < e->envelope.n_recipients; i++)
		n += !e->progress ||
			e->progress[i].standing == STANDING_WAITING;
	return n;
}

bool entry_has_untold(const struct entry *e)
{
	size_t i;

	if (e->is_report || !e->envelope.sender.mailbox[0])
		return false;
	for (i = 0; e->progress && i < e->envelope.n_recipients; i++)
		if (e->progress[i].standing == STANDING_REFUSED &&
		    !(e->progress[i].told & TOLD_FAILED))
			return true;
	return false;
}

/* Words without blanks, so that no two lanes read the same. */
static void add_word(struct buf *out, char mark, const char *value)
{
	if (!value)
		return;
	if (out->n)
		buf_add_char(out, ' ');
	buf_add_char(out, mark);
	buf_add_char(out, ':');
	encode_xtext(out, view_of(value));
}

char *entry_lane(const struct entry *e)
{
	struct buf out = BUF_INIT(LANE_LIMIT);
	size_t i;

	add_word(&out, 'c', e->config_file);
	add_word(&out, 'a', e->account);
	for (i = 0; i < e->settings.n; i++)
		add_word(&out, 's', e->settings.p[i]);
	return buf_detach(&out);
}

void entry_release(struct entry *e)
{
	size_t i;

	for (i = 0; e->progress && i < e->envelope.n_recipients; i++)
		outcome_release(&e->progress[i].answer);
	free(e->progress);
	free(e->id);
	free(e->config_file);
	free(e->account);
	free(e->held);
	strings_release(&e->settings);
	envelope_release(&e->envelope);
	message_release(&e->message);
	if (e->fd >= 0)
		close(e->fd);
	*e = ENTRY_INIT;
}
