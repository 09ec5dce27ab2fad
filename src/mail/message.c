/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A message that was read. How it came to be is mail/intake's. */
#include "mail/message.h"

#include <stdlib.h>

const struct field *message_field(const struct message *m, enum field_id id)
{
	size_t i;

	for (i = 0; i < m->n_fields; i++)
		if (m->fields[i].id == id)
			return &m->fields[i];
	return NULL;
}

void message_release(struct message *m)
{
	buf_release(&m->header);
	free(m->fields);
	store_free(m->body);
	*m = MESSAGE_INIT;
}
