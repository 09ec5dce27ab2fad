/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A configuration file's text: read, checked, and each of its accounts
 * chosen. From text nothing is included and no command is run; what the
 * substitutions stand for is given, so no name is looked up either.
 */
#include <stdint.h>
#include <stdlib.h>

#include "conf/config.h"
#include "conf/setting.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct pattern_facts facts = {
	.user = "alice",
	.host = "box",
	.canonical = "box.example.org",
	.mailname = "example.org",
	.full_name = "Alice",
};

static void ignore_finding(void *context, bool is_error, const char *text)
{
	(void)context;
	(void)is_error;
	if (!text)
		abort();
}

/* What is printed can be read again. */
static void print(const struct account *a)
{
	struct account copy = ACCOUNT_INIT;
	struct outcome o = OUTCOME_INIT;
	struct buf text = BUF_INIT(1u << 20);
	size_t i;

	for (i = 0; i < settings_n; i++) {
		buf_clear(&text);
		setting_print(&settings[i], a, &text);
		if (text.n && !settings[i].instead &&
		    setting_apply(&settings[i], &copy, buf_view(&text), &o) < 0)
			abort();
	}
	buf_release(&text);
	outcome_release(&o);
	account_release(&copy);
}

static void choose_all(struct config *c)
{
	struct strings names = STRINGS_INIT;
	struct outcome o = OUTCOME_INIT;
	const struct account *a;
	size_t i;

	config_names(c, &names);
	for (i = 0; i < names.n; i++) {
		a = config_choose(c, names.p[i], NULL, &o);
		if (a)
			print(a);
	}
	config_choose(c, NULL, "alice+list@example.org", &o);
	strings_release(&names);
	outcome_release(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_request request = {.facts = &facts};
	struct view text = view_make((const char *)data, size);
	struct outcome o = OUTCOME_INIT;
	struct config *c;

	c = config_parse(text, "fuzz", &request, &o);
	if (c)
		choose_all(c);
	config_free(c);
	request.on_finding = ignore_finding;
	c = config_parse(text, "fuzz", &request, &o);
	if (c)
		choose_all(c);
	config_free(c);
	outcome_release(&o);
	return 0;
}
