/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one noun that travels back up: what failed, whether it may work later,
 * who said so. It knows nothing of exit codes or of printing; app/ does.
 */
#include "base/outcome.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/text.h"

#define TEXT_LIMIT 4096 /* octets of explanation that anybody reads */

static void set_text(struct outcome *o, const char *format, va_list args)
{
	struct buf printable = BUF_INIT(4 * TEXT_LIMIT);
	char raw[TEXT_LIMIT];

	vsnprintf(raw, sizeof(raw), format, args);
	text_add_printable(&printable, view_of(raw));
	free(o->text);
	o->text = buf_detach(&printable);
}

static void set_failure(struct outcome *o, enum cause cause, const char *status)
{
	outcome_release(o);
	o->cause = cause;
	snprintf(o->status, sizeof(o->status), "%s", status);
}

int fail(struct outcome *o, enum cause cause, const char *status,
	 const char *format, ...)
{
	va_list args;

	set_failure(o, cause, status);
	va_start(args, format);
	set_text(o, format, args);
	va_end(args);
	return -1;
}

static bool is_resource_error(int error)
{
	return error == ENOSPC || error == EDQUOT || error == EMFILE ||
		error == ENFILE || error == ENOMEM || error == ENOBUFS ||
		error == EAGAIN;
}

int fail_errno(struct outcome *o, enum cause cause, const char *status,
	       const char *format, ...)
{
	int error = errno;
	bool exhausted = cause == CAUSE_SYSTEM && is_resource_error(error);
	struct buf text = BUF_INIT(TEXT_LIMIT);
	va_list args;

	set_failure(o, cause, exhausted ? "4.3.1" : status);
	va_start(args, format);
	set_text(o, format, args);
	va_end(args);
	buf_printf(&text, "%s: %s", o->text, strerror(error));
	free(o->text);
	o->text = buf_detach(&text);
	errno = error;
	return -1;
}

void outcome_add_context(struct outcome *o, const char *format, ...)
{
	struct buf text = BUF_INIT(4 * TEXT_LIMIT);
	char *old = o->text;
	va_list args;

	o->text = NULL;
	va_start(args, format);
	set_text(o, format, args);
	va_end(args);
	buf_printf(&text, "%s: %s", o->text, old ? old : "");
	free(o->text);
	free(old);
	o->text = buf_detach(&text);
}

void outcome_set_host(struct outcome *o, const char *host)
{
	char *copy = memory_dup(host);

	free(o->host);
	o->host = copy;
}

void outcome_copy(struct outcome *to, const struct outcome *from)
{
	if (to == from)
		return;
	outcome_release(to);
	*to = *from;
	to->host = memory_dup(from->host);
	to->text = memory_dup(from->text);
}

void outcome_release(struct outcome *o)
{
	free(o->host);
	free(o->text);
	*o = OUTCOME_INIT;
}

bool outcome_is_failure(const struct outcome *o)
{
	return o->cause != CAUSE_NONE;
}

bool outcome_is_temporary(const struct outcome *o)
{
	return o->status[0] == '4';
}

const char *cause_name(enum cause cause)
{
	static const char *const names[] = {
		[CAUSE_NONE] = "none",           [CAUSE_USAGE] = "usage",
		[CAUSE_CONFIG] = "config",       [CAUSE_INPUT] = "input",
		[CAUSE_SYSTEM] = "system",       [CAUSE_RESOLVE] = "resolve",
		[CAUSE_CONNECT] = "connect",     [CAUSE_TLS] = "tls",
		[CAUSE_AUTH] = "auth",           [CAUSE_PROTOCOL] = "protocol",
		[CAUSE_FEATURE] = "feature",     [CAUSE_SENDER] = "sender",
		[CAUSE_RECIPIENT] = "recipient", [CAUSE_CONTENT] = "content",
	};

	return names[cause];
}
