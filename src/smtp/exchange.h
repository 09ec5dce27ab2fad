/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_EXCHANGE_H
#define SMTP_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/outcome.h"
#include "smtp/body.h"
#include "smtp/command.h"
#include "smtp/session.h"
#include "smtp/transaction.h"

/* A message up to this size goes out before its recipients are accepted; a
 * larger one waits for them, which is one turn more and never a large message
 * for nothing. */
#define EAGER_LIMIT (1u << 20) /* octets */

/*
 * What one message says to the server, and how its answers are read; for those
 * who put it into flights (transaction.c, batch.c). The commands lie where they
 * want them.
 */
struct exchange {
	struct session *s;
	const struct submission *m;
	const struct transaction_policy *policy;
	struct result *results;
	size_t n;                     /* recipients, so results as well */
	struct command *mail, *rcpts; /* NULL: nothing was prepared */
	struct body body;
	bool chunking;   /* it goes by BDAT */
	bool utf8;       /* addresses and header may hold UTF-8 … */
	bool smtputf8;   /* … and MAIL says so; not to UTF8SMTP (RFC 5336) */
	bool is_untried; /* the conversation failed, nobody was settled */
};

struct exchange exchange_make(struct session *s, const struct submission *m,
			      const struct transaction_policy *policy,
			      struct result *results);

/* What can be known, and done, before a word is said: the content takes its
 * form for this server, or -1, as transaction_run says. */
int exchange_prepare(struct exchange *x, struct outcome *o);

/* ---- Commands: each is written to `c` and what is returned is behind it. ----
 */

/* RSET. If it is refused the session ends: an old transaction may be open, and
 * what follows would go to its recipients as well. */
struct command *exchange_reset(struct command *c);

/* MAIL and every RCPT: 1 + x->n commands. */
struct command *exchange_envelope(struct exchange *x, struct command *c);

/* DATA; after a refusal nothing more is sent. */
struct command *exchange_data(struct command *c);

/* The message, from its first octet: as DATA's 354 asks for it, or by BDAT, in
 * one chunk (RFC 3030 2). */
struct command *exchange_stuffed(struct exchange *x, struct command *c,
				 size_t n_replies);
struct command *exchange_chunk(struct exchange *x, struct command *c,
			       size_t n_replies);

/* ---- Answers ---- */

size_t exchange_accepted(const struct exchange *x); /* recipients */

/* Who is left to get it, by the answers to MAIL and RCPT? 0: somebody; -1: o,
 * or each recipient's own outcome, says why nobody. */
int exchange_find_takers(struct exchange *x, struct outcome *o);

/* The replies behind the content: one for all, or LMTP's one for each accepted
 * recipient (RFC 2033 4.2). Those that did not come leave the fate open. */
void exchange_judge_content(struct exchange *x, const struct command *c);

/*
 * The conversation failed, for the reason in `o`, before the content had all
 * its replies; `o` is uncertain if all of it may have arrived. What was
 * answered until then counts, and is_untried is found out. Returns -1; 0 if the
 * sender was refused, which `o` then says.
 */
int exchange_cut(struct exchange *x, struct outcome *o);

/* Everybody whose fate is open shares the failure in `o`, if it is one. Then as
 * transaction_run: 0 if all were delivered; -1: `o` is the worst failure. */
int exchange_end(struct exchange *x, struct outcome *o);

#endif
