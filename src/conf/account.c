/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an account owns is what the rows of the settings point at.
 */
#include "conf/account.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "conf/setting.h"

void account_release(struct account *a)
{
	char **text;
	size_t i;

	for (i = 0; i < settings_n; i++) {
		if (!setting_is_text(&settings[i]))
			continue;
		text = (char **)((char *)a + settings[i].offset);
		memory_free_secret(*text);
		*text = NULL;
	}
	strings_release(&a->auth.mechanisms);
	free(a->name);
	*a = ACCOUNT_INIT;
}

bool account_from_is_pattern(const struct account *a)
{
	return a->identity.from && strpbrk(a->identity.from, "*?");
}
