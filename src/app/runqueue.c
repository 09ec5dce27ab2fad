/* SPDX-License-Identifier: GPL-3.0-or-later */
/* To be filled. */
#include "app/runqueue.h"

#include <sysexits.h>

int runqueue(const struct request *r)
{
	(void)r;
	return EX_UNAVAILABLE;
}
