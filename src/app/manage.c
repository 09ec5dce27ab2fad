/* SPDX-License-Identifier: GPL-3.0-or-later */
/* To be filled. */
#include "app/manage.h"

#include <sysexits.h>

int manage_show(const struct request *r)
{
	(void)r;
	return EX_UNAVAILABLE;
}

int manage_hold(const struct request *r)
{
	(void)r;
	return EX_UNAVAILABLE;
}

int manage_release(const struct request *r)
{
	(void)r;
	return EX_UNAVAILABLE;
}

int manage_remove(const struct request *r)
{
	(void)r;
	return EX_UNAVAILABLE;
}

int manage_retry(const struct request *r)
{
	(void)r;
	return EX_UNAVAILABLE;
}
