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

/* The words, printable. They are made before an outcome is changed, so that
 * its own text may be among the arguments. */
static char *make_text(const char *format, va_list args)
{
	struct buf printable = BUF_INIT(4 * TEXT_LIMIT);
	char raw[TEXT_LIMIT];

	vsnprintf(raw, sizeof(raw), format, args);
	text_add_printable(&printable, view_of(raw));
	return buf_detach(&printable);
}

/* "first", mark, "second", in place of the first, which is freed. */
static char *join(char *first, const char *mark, const char *second)
{
	struct buf text = BUF_INIT(8 * TEXT_LIMIT);

	buf_printf(&text, "%s%s%s", first, mark, second);
	free(first);
	return buf_detach(&text);
}

static void set_failure(struct outcome *o, enum cause cause, const char *status,
			char *text)
{
	char kept[sizeof(o->status)];

	snprintf(kept, sizeof(kept), "%s", status);
	outcome_release(o);
	o->cause = cause;
	memcpy(o->status, kept, sizeof(kept));
	o->text = text;
}

int fail(struct outcome *o, enum cause cause, const char *status,
	 const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = make_text(format, args);
	va_end(args);
	set_failure(o, cause, status, text);
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
	va_list args;
	char *text;

	va_start(args, format);
	text = make_text(format, args);
	va_end(args);
	set_failure(o, cause, exhausted ? "4.3.1" : status,
		    join(text, ": ", strerror(error)));
	errno = error;
	return -1;
}

void outcome_add_context(struct outcome *o, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = make_text(format, args);
	va_end(args);
	text = join(text, ": ", o->text ? o->text : "");
	free(o->text);
	o->text = text;
}

void outcome_add_hint(struct outcome *o, const char *hint)
{
	o->text = join(o->text, "; ", hint);
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

void outcome_make_temporary(struct outcome *o)
{
	o->status[0] = '4';
}

bool outcome_is_worse(const struct outcome *o, const struct outcome *than)
{
	return outcome_is_temporary(than) && !outcome_is_temporary(o);
}

void outcome_keep_worst(struct outcome *worst, const struct outcome *o)
{
	if (!outcome_is_failure(worst) || outcome_is_worse(o, worst))
		outcome_copy(worst, o);
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
