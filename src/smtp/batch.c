/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One message after the other. */
#include "smtp/batch.h"

int batch_run(struct session *s, const struct batch *b,
	      const struct transaction_policy *policy, struct outcome *o)
{
	struct delivery *d;

	while ((d = b->next(b->context))) {
		transaction_run(s, &d->submission, policy, d->results,
				&d->outcome);
		if (s->ended)
			outcome_copy(o, &d->outcome);
		b->settled(b->context, d);
		if (s->ended)
			return -1;
	}
	return 0;
}
