/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Modes whose whole work is a text on standard output. */
#include "app/words.h"

#include <stdio.h>
#include <string.h>

#include "app/exitcode.h"
#include "app/report.h"
#include "base/gnutls.h"
#include "base/idna.h"
#include "net/dane.h"
#include "smtp/gsasl.h"

#define WORDS_LIMIT (256u << 10) /* octets */

static int print(struct buf *text)
{
	struct outcome o = OUTCOME_INIT;
	int code;

	fwrite(text->p, 1, text->n, stdout);
	if (report_flush(&o) < 0)
		report_failure(NULL, &o);
	code = exitcode_of(&o);
	outcome_release(&o);
	buf_release(text);
	return code;
}

int words_help(const struct request *r)
{
	struct buf text = BUF_INIT(WORDS_LIMIT);

	(void)r;
	cmdline_print_help(&text);
	return print(&text);
}

int words_version(const struct request *r)
{
	struct buf text = BUF_INIT(WORDS_LIMIT);

	(void)r;
	buf_printf(&text, "postrider %s\n", PACKAGE_VERSION);
	buf_printf(&text, "GnuTLS %s, GNU SASL %s, GNU IDN2 %s\n",
		   gnutls_check_version(NULL), gsasl_check_version(NULL),
		   idna_version());
	buf_printf(&text, "DANE: %s\n", dane_is_built() ? "yes" : "no");
	buf_printf(&text, "system configuration: %s/postrider.conf\n",
		   SYSCONFDIR);
	buf_add_text(&text,
		     "License GPL-3.0-or-later; there is no warranty.\n");
	return print(&text);
}

int words_host_status(const struct request *r)
{
	struct buf text = BUF_INIT(WORDS_LIMIT);

	(void)r;
	buf_add_text(&text, "no host status is kept\n");
	return print(&text);
}

int words_options(const struct request *r)
{
	struct buf text = BUF_INIT(WORDS_LIMIT);

	(void)r;
	cmdline_print_options(&text);
	return print(&text);
}

int words_settings(const struct request *r)
{
	struct buf text = BUF_INIT(WORDS_LIMIT);

	(void)r;
	cmdline_print_settings(&text);
	return print(&text);
}
