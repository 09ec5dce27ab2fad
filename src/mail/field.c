/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Header fields: where one ends, what it is called, what it is for. The table
 * is the only place that knows names; everybody else asks for ids and roles.
 * What is in a field's body is for others.
 */
#include "mail/field.h"

#include <string.h>

#include "base/text.h"

struct row {
	const char *name; /* as it is usually written */
	unsigned roles;   /* enum field_role */
};

static const struct row rows[] = {
	[FIELD_OTHER] = {"", 0},
	[FIELD_FROM] = {"From", ROLE_ORIGIN | ROLE_ADDRESS},
	[FIELD_SENDER] = {"Sender", ROLE_ORIGIN | ROLE_ADDRESS},
	[FIELD_TO] = {"To", ROLE_RECIPIENT | ROLE_ADDRESS},
	[FIELD_CC] = {"Cc", ROLE_RECIPIENT | ROLE_ADDRESS},
	[FIELD_BCC] = {"Bcc", ROLE_RECIPIENT | ROLE_ADDRESS | ROLE_BLIND},
	[FIELD_DATE] = {"Date", ROLE_TOKENS},
	[FIELD_MESSAGE_ID] = {"Message-ID", ROLE_TOKENS},
	[FIELD_RESENT_FROM] = {"Resent-From",
			       ROLE_RESENT | ROLE_ORIGIN | ROLE_ADDRESS},
	[FIELD_RESENT_SENDER] = {"Resent-Sender",
				 ROLE_RESENT | ROLE_ORIGIN | ROLE_ADDRESS},
	[FIELD_RESENT_TO] = {"Resent-To",
			     ROLE_RESENT | ROLE_RECIPIENT | ROLE_ADDRESS},
	[FIELD_RESENT_CC] = {"Resent-Cc",
			     ROLE_RESENT | ROLE_RECIPIENT | ROLE_ADDRESS},
	[FIELD_RESENT_BCC] = {"Resent-Bcc",
			      ROLE_RESENT | ROLE_RECIPIENT | ROLE_ADDRESS |
				      ROLE_BLIND},
	[FIELD_RESENT_DATE] = {"Resent-Date", ROLE_RESENT | ROLE_TOKENS},
	[FIELD_RESENT_MESSAGE_ID] = {"Resent-Message-ID",
				     ROLE_RESENT | ROLE_TOKENS},
	[FIELD_RETURN_PATH] = {"Return-Path", ROLE_TRACE | ROLE_TOKENS},
	[FIELD_RECEIVED] = {"Received", ROLE_TRACE | ROLE_TOKENS},
	[FIELD_MIME_VERSION] = {"MIME-Version", ROLE_MIME | ROLE_TOKENS},
	[FIELD_CONTENT_TYPE] = {"Content-Type", ROLE_MIME | ROLE_PARAMETERS},
	[FIELD_CONTENT_TRANSFER_ENCODING] = {"Content-Transfer-Encoding",
					     ROLE_MIME | ROLE_TOKENS},
	[FIELD_CONTENT_DISPOSITION] = {"Content-Disposition",
				       ROLE_MIME | ROLE_PARAMETERS},
	[FIELD_REPLY_TO] = {"Reply-To", ROLE_ADDRESS},
	[FIELD_MAIL_REPLY_TO] = {"Mail-Reply-To", ROLE_ADDRESS},
	[FIELD_MAIL_FOLLOWUP_TO] = {"Mail-Followup-To", ROLE_ADDRESS},
	[FIELD_DISPOSITION_NOTIFICATION_TO] = {"Disposition-Notification-To",
					       ROLE_ADDRESS},
	[FIELD_RETURN_RECEIPT_TO] = {"Return-Receipt-To", ROLE_ADDRESS},
	[FIELD_ERRORS_TO] = {"Errors-To", ROLE_ADDRESS},
};

_Static_assert(FIELD_IDS <= 32, "sets of ids are kept in 32 bits");

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

/* RFC 5322 3.6.8: ftext. */
static bool is_name_octet(char c)
{
	return c > ' ' && c < 127 && c != ':';
}

/* Offset of the colon behind a name; 0: there is none. */
static size_t find_colon(struct view line, size_t *name_n)
{
	size_t n = 0;

	if (line.n > FIELD_NAME_LIMIT)
		line.n = FIELD_NAME_LIMIT;
	while (n < line.n && is_name_octet(line.p[n]))
		n++;
	*name_n = n;
	while (n < line.n && text_is_space(line.p[n]))
		n++;
	return *name_n && n < line.n && line.p[n] == ':' ? n : 0;
}

bool field_begins(struct view line)
{
	size_t name_n;

	return find_colon(line, &name_n) > 0;
}

/* Octets up to the end of the last line that is folded onto the first. */
static size_t field_length(struct view header)
{
	const char *lf;
	size_t n = 0;

	do {
		lf = memchr(header.p + n, '\n', header.n - n);
		if (!lf)
			return header.n;
		n = (size_t)(lf - header.p) + 1;
	} while (n < header.n && text_is_space(header.p[n]));
	return n;
}

static void identify(struct field *f)
{
	size_t i;

	f->id = FIELD_OTHER;
	f->roles = view_starts_nocase(f->name, VIEW("Resent-")) ? ROLE_RESENT
								: 0;
	for (i = FIELD_OTHER + 1; i < N_ROWS; i++) {
		if (view_equal_nocase(f->name, view_of(rows[i].name))) {
			f->id = (enum field_id)i;
			f->roles = rows[i].roles;
			return;
		}
	}
}

static struct view without_line_end(struct view v)
{
	if (v.n && v.p[v.n - 1] == '\n')
		v.n--;
	if (v.n && v.p[v.n - 1] == '\r')
		v.n--;
	return v;
}

bool field_cut(struct view header, struct field *f)
{
	size_t name_n, colon = find_colon(header, &name_n);

	if (!colon)
		return false;
	f->raw = view_make(header.p, field_length(header));
	f->name = view_make(header.p, name_n);
	f->body = without_line_end(view_skip(f->raw, colon + 1));
	identify(f);
	return true;
}

bool field_find(struct view header, struct view name, struct field *f)
{
	for (; field_cut(header, f); header = view_skip(header, f->raw.n))
		if (view_equal_nocase(f->name, name))
			return true;
	return false;
}

const char *field_name(enum field_id id)
{
	return rows[id].name;
}
