/* SPDX-License-Identifier: GPL-3.0-or-later */
/* To be filled. */
#include "app/mailq.h"

#include <sysexits.h>

int mailq(const struct request *r)
{
	(void)r;
	return EX_UNAVAILABLE;
}

int mailq_count(const struct request *r)
{
	(void)r;
	return EX_UNAVAILABLE;
}
