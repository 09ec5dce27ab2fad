/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON, by hand. */
#include "sasl/log.h"

#include <stdio.h>

#include "base/encode.h"

void log_release(struct log *log)
{
	buf_release(&log->commands);
	buf_release(&log->auth);
	buf_release(&log->violations);
}

static void add_item(struct buf *list, struct view v)
{
	if (list->n)
		buf_add_char(list, ',');
	encode_json(list, v);
}

void log_command(struct log *log, struct view verb)
{
	add_item(&log->commands, verb);
}

void log_violation(struct log *log, const char *what)
{
	add_item(&log->violations, view_of(what));
}

static void add_text(struct buf *out, const char *name, struct view v)
{
	buf_printf(out, ",\"%s\":", name);
	encode_json(out, v);
}

static void add_bool(struct buf *out, const char *name, bool value)
{
	buf_printf(out, ",\"%s\":%s", name, value ? "true" : "false");
}

void log_exchange(struct log *log, const struct exchange *x, struct log_end end)
{
	struct buf *out = &log->auth;

	buf_printf(out, "%s{\"mechanism\":", out->n ? "," : "");
	encode_json(out, view_of(x->mechanism));
	add_bool(out, "initial", end.initial);
	add_bool(out, "cancelled", end.cancelled);
	add_bool(out, "ok", end.ok);
	add_text(out, "authcid", buf_view(&x->authcid));
	add_text(out, "authzid", buf_view(&x->authzid));
	add_text(out, "gs2", buf_view(&x->gs2));
	add_text(out, "note", buf_view(&x->note));
	add_text(out, "why", buf_view(&x->why));
	buf_add_char(out, '}');
}

void log_print(const struct log *log, const struct wire *w)
{
	struct buf out = BUF_INIT(4u << 20), name = BUF_INIT(1024);
	const char *version = "";

	if (w->tls)
		version = gnutls_protocol_get_name(
			gnutls_protocol_get_version(w->tls));
	wire_client_name(w, &name);
	buf_printf(&out, "{\"tls\":\"%s\"", version);
	add_bool(&out, "resumed", w->tls && gnutls_session_is_resumed(w->tls));
	add_text(&out, "certificate", buf_view(&name));
	buf_printf(&out, ",\"longest\":%zu,\"message\":%zu", log->longest,
		   log->message);
	buf_printf(&out,
		   ",\"commands\":[%s],\"auth\":[%s],\"violations\":[%s]}",
		   log->commands.p, log->auth.p, log->violations.p);
	puts(out.p);
	fflush(stdout);
	buf_release(&out);
	buf_release(&name);
}
