/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rows of options and settings as people and scripts read them.
 */
#include "app/cmdline.h"

#include "app/options.h"
#include "conf/setting.h"

#define COLUMN 29 /* where the explanations begin */

static void pad(struct buf *out, size_t start)
{
	if (out->n - start >= COLUMN) {
		buf_add_char(out, '\n');
		start = out->n;
	}
	while (out->n - start < COLUMN)
		buf_add_char(out, ' ');
}

static void add_argument(const struct option *row, struct buf *out)
{
	const char *between = row->name ? "=" : " ";

	if (!row->metavar)
		return;
	if (row->argument == ARGUMENT_JOINED)
		buf_printf(out, "[%s]", row->metavar);
	else
		buf_printf(out, "%s%s", between, row->metavar);
}

static void add_option(const struct option *row, struct buf *out)
{
	size_t start = out->n;

	buf_add_text(out, "  ");
	option_spell(row, out);
	if (row->letter && row->name)
		buf_printf(out, ", --%s", row->name);
	add_argument(row, out);
	pad(out, start);
	buf_printf(out, "%s\n", row->help);
}

static void add_section(enum option_section section, const char *title,
			struct buf *out)
{
	const struct option *row;

	buf_printf(out, "\n%s\n", title);
	for (row = options; row < options + options_n; row++)
		if (row->section == section)
			add_option(row, out);
}

static void add_dashed(const char *name, struct buf *out)
{
	for (; *name; name++)
		buf_add_char(out, *name == '_' ? '-' : *name);
}

/* Unless an option of the same name has been listed already. */
static bool is_listed(const struct setting *row)
{
	return setting_has_option(row) && !option_find_name(view_of(row->name));
}

static void add_setting_option(const struct setting *row, struct buf *out)
{
	size_t start = out->n;

	buf_add_text(out, "  --");
	add_dashed(row->name, out);
	if (setting_has_bare_form(row))
		buf_printf(out, "[=%s]", row->argument);
	else
		buf_printf(out, "=%s", row->argument);
	pad(out, start);
	buf_printf(out, "%s\n", row->help);
}

static void add_settings(struct buf *out)
{
	const struct setting *row;

	buf_add_text(out,
		     "\nSettings, instead of the account's own "
		     "(see postrider.conf(5)):\n");
	for (row = settings; row < settings + settings_n; row++)
		if (is_listed(row) && !row->instead)
			add_setting_option(row, out);
}

static void add_accepted(struct buf *out)
{
	const struct option *row;

	buf_add_text(out, "\nAccepted, without effect:\n ");
	for (row = options; row < options + options_n; row++) {
		if (row->section != SECTION_ACCEPTED)
			continue;
		buf_add_char(out, ' ');
		option_spell(row, out);
	}
	buf_add_text(out, "\n");
}

void cmdline_print_help(struct buf *out)
{
	buf_add_text(out,
		     "postrider: hand a message to your submission server.\n\n"
		     "  postrider [OPTION]... [--] RECIPIENT... < MESSAGE\n"
		     "  postrider [OPTION]... -t [RECIPIENT...] < MESSAGE\n"
		     "  postrider -q[INTERVAL] | --queue-run | -bp\n"
		     "  postrider --check | --probe | --version\n");
	add_section(SECTION_MESSAGE, "The message:", out);
	add_section(SECTION_ACCOUNT, "The account:", out);
	add_section(SECTION_MODE, "What to do:", out);
	add_section(SECTION_QUEUE, "The queue:", out);
	add_settings(out);
	add_accepted(out);
	add_section(SECTION_LATER, "Not yet in this version (an error):", out);
	buf_add_text(out, "\nThe manual: postrider(1), postrider.conf(5)\n");
}

void cmdline_print_options(struct buf *out)
{
	const struct setting *setting;
	const struct option *row;

	for (row = options; row < options + options_n; row++) {
		if (row->section == SECTION_HIDDEN)
			continue;
		option_spell(row, out);
		buf_add_char(out, '\n');
		if (row->letter && row->name)
			buf_printf(out, "--%s\n", row->name);
	}
	for (setting = settings; setting < settings + settings_n; setting++) {
		if (!is_listed(setting))
			continue;
		buf_add_text(out, "--");
		add_dashed(setting->name, out);
		buf_add_char(out, '\n');
	}
}

void cmdline_print_settings(struct buf *out)
{
	size_t i;

	for (i = 0; i < settings_n; i++)
		buf_printf(out, "%s\n", settings[i].name);
}
