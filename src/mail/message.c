/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message that was read. How it came to be is mail/intake's. */
#include "mail/message.h"

#include <stdlib.h>

#include "base/memory.h"

const struct field *message_field(const struct message *m, enum field_id id)
{
	size_t i;

	for (i = 0; i < m->n_fields; i++)
		if (m->fields[i].id == id)
			return &m->fields[i];
	return NULL;
}

bool message_index(struct message *m)
{
	struct view rest = buf_view(&m->header);
	size_t cap = 0;
	struct field f;

	for (; field_cut(rest, &f); rest = view_skip(rest, f.raw.n)) {
		if (m->n_fields == MESSAGE_FIELDS_LIMIT)
			return false;
		if (m->n_fields == cap) {
			cap = cap ? cap * 2 : 16;
			m->fields = memory_resize(m->fields, cap,
						  sizeof(*m->fields));
		}
		m->fields[m->n_fields++] = f;
	}
	return true;
}

void message_release(struct message *m)
{
	buf_release(&m->header);
	free(m->fields);
	store_free(m->body);
	*m = MESSAGE_INIT;
}
