/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_REPORT_H
#define APP_REPORT_H

#include <stddef.h>

#include "base/outcome.h"
#include "base/stages.h"
#include "base/trace.h"
#include "mail/envelope.h"
#include "smtp/transaction.h"

/* The one voice on stderr: every line begins with this. */
#define REPORT_NAME "postrider: "

/* Say one line of our own on stderr. */
void report_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One failure as one line: who, what, why, and whether to try again.
 * `who`: the recipient, or NULL when it concerns the whole message. */
void report_failure(const char *who, const struct outcome *o);

/* The recipients' results: failures only; what all of them share is said once.
 * Nothing when everybody got it. */
void report_results(const struct envelope *e, const struct result *results);

/* --report=json: one object a recipient and line on standard output (schema in
 * postrider(1)). `host`: the server. -1: standard output could not be
 * written. */
int report_json(const struct envelope *e, const struct result *results,
		const char *host, const struct stages *stages,
		struct outcome *o);

/* Standard output is complete; -1 (CAUSE_SYSTEM 5.3.0) if not all of it could
 * be written. */
int report_flush(struct outcome *o);

/* One line of the dialogue with its end, printable; at most this long. */
#define REPORT_LINE_LIMIT (256u << 10) /* octets */
void report_add_dialogue(struct buf *out, enum trace_kind kind,
			 struct view line);

#endif
