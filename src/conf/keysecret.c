/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the password of our own key is looked for. */
#include "conf/keysecret.h"

#include <string.h>

#include "base/child.h"
#include "base/text.h"
#include "conf/terminal.h"

#define EVAL "tls_key_passwordeval"

static int from_command(const struct account *a, struct buf *out,
			struct outcome *o)
{
	struct view text, line;

	if (child_capture(EVAL, a->secret.key_passwordeval, out, o) < 0)
		return -1;
	text = buf_view(out);
	line = view_next_line(&text);
	buf_truncate(out, line.n);
	if (!line.n)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    EVAL ": the first line is empty");
	if (out->overflow || memchr(out->p, '\0', out->n))
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    EVAL ": this is no password");
	return 0;
}

static int from_terminal(const char *what, struct buf *out, struct outcome *o)
{
	struct buf prompt = BUF_INIT(4096);
	int rc;

	buf_add_text(&prompt, "postrider: ");
	text_add_printable(&prompt, view_of(what));
	buf_add_text(&prompt, ": ");
	rc = terminal_ask(prompt.p, out, o);
	buf_release(&prompt);
	if (rc < 0 || (rc > 0 && out->n))
		return rc < 0 ? -1 : 0;
	return fail(o, CAUSE_AUTH, "5.7.8",
		    "%s is needed, and nobody is there to be asked: set " EVAL,
		    what);
}

int keysecret_get(const struct account *a, const char *what, struct buf *out,
		  struct outcome *o)
{
	buf_clear(out);
	return a->secret.key_passwordeval ? from_command(a, out, o)
					  : from_terminal(what, out, o);
}
