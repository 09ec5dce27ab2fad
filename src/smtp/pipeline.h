/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_PIPELINE_H
#define SMTP_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/outcome.h"
#include "smtp/command.h"

struct session;

/*
 * Send commands in order and collect their replies: as one flight where the
 * server pipelines (RFC 2920), one by one otherwise; nothing passes a barrier
 * before its replies are in. Replies are taken in while sending, so neither
 * side can block the other and memory stays bounded.
 *
 * Returns 0 when every command has its replies; a 4xx or 5xx is an answer, not
 * a failure. Returns -1 when the conversation fails (lost, silent, garbage,
 * 421): commands answered until then keep their replies (n_answered), the
 * outcome says what happened at which verb, and the session is ended. A 421
 * answers one command and ends the conversation for the rest.
 */
int pipeline_run(struct session *s, struct command *commands, size_t n,
		 struct outcome *o);

#endif
