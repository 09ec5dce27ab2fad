/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_ENVELOPE_H
#define MAIL_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "mail/address.h"
#include "mail/alias.h"
#include "mail/message.h"

/* RFC 3461 4.1; a set of bits, 0: not asked for. */
enum dsn_notify {
	NOTIFY_NEVER = 1 << 0,
	NOTIFY_SUCCESS = 1 << 1,
	NOTIFY_FAILURE = 1 << 2,
	NOTIFY_DELAY = 1 << 3,
};

/* RFC 3461 4.3. */
enum dsn_return { RETURN_UNSET = 0, RETURN_FULL, RETURN_HEADERS };

/* RFC 6152, RFC 3030: what the caller said the body is. */
enum body_type { BODY_UNSET = 0, BODY_7BIT, BODY_8BITMIME, BODY_BINARYMIME };

struct recipient {
	struct address address;
	struct address original; /* the local name whose alias this is;
				    mailbox NULL: none */
	char *orcpt;     /* ORCPT as it was given, type and xtext; or NULL */
	unsigned notify; /* enum dsn_notify; 0: as the envelope says */
};

struct envelope {
	struct address sender; /* mailbox NULL: not known yet; "": null */
	struct recipient *recipients; /* only envelope_add_… adds some */
	size_t n_recipients;
	size_t recipients_cap;
	void *known;     /* their mailboxes, as a tree of tsearch(3): finds
			   duplicates whoever chose the addresses */
	unsigned notify; /* enum dsn_notify */
	enum dsn_return ret;
	char *envid; /* plain text, at most 100 octets; or NULL */
	enum body_type body_type;
	struct aliases *aliases; /* read when the first name asks for them */
};

#define ENVELOPE_INIT ((struct envelope){0})

/* What gives a local name a home. */
struct local_policy {
	char *maildomain; /* put behind names without a domain; or NULL */
	char *local_to;   /* the mailbox that has their mail instead; or NULL */
	char *aliases;    /* the alias file, which is asked first; or NULL */
};

/* RFC 3461 4.1: "never" or a list of success, failure, delay. False: wrong. */
bool envelope_parse_notify(struct view text, unsigned *notify);
/* The same words, a comma between them; nothing for 0. */
void envelope_print_notify(unsigned notify, struct buf *out);
bool envelope_parse_return(struct view text, enum dsn_return *ret);
bool envelope_parse_body_type(struct view text, enum body_type *type);
/* The words, in lower case; NULL for UNSET. */
const char *envelope_return_word(enum dsn_return ret);
const char *envelope_body_word(enum body_type type);

/* ENVID: 1–100 printable ASCII octets (RFC 3461 4.4), else CAUSE_USAGE. */
int envelope_set_envid(struct envelope *e, struct view text, struct outcome *o);

/* "" and "<>" are the null reverse-path. CAUSE_SENDER 5.1.7. A sender without
 * domain is qualified as local names are; without a home for it, refused. */
int envelope_set_sender(struct envelope *e, struct view text,
			const struct local_policy *local, struct outcome *o);

/* What is wrong with an address is found without knowing whose it is: a
 * CAUSE_RECIPIENT 5.1.3 becomes CAUSE_SENDER 5.1.7. Returns -1. */
int envelope_blame_sender(struct outcome *o);

/*
 * Give a recipient without a domain that has no alias its home: local_to, else
 * maildomain. -1: it has none (CAUSE_RECIPIENT 5.1.3, naming the settings that
 * would give it one), or local_to is no mailbox (CAUSE_CONFIG 5.3.5).
 */
int envelope_settle_local(struct address *a, const struct local_policy *local,
			  struct outcome *o);

/*
 * Add a recipient, or those whom its alias names; the address is taken over.
 * Duplicates are dropped. Local names without an alias are settled as above.
 * -1 also: as aliases_read and aliases_expand. Then nobody has been added.
 */
int envelope_add_recipient(struct envelope *e, struct address *a,
			   const struct local_policy *local, struct outcome *o);

/*
 * The same for one argument of the command line, which may hold a comma-
 * separated list as sendmail allows. CAUSE_RECIPIENT 5.1.3.
 */
int envelope_add_recipients(struct envelope *e, struct view text,
			    const struct local_policy *local,
			    struct outcome *o);

/*
 * Add a recipient as it once left here: a mailbox with its domain, to which no
 * policy applies. -1: it is none (CAUSE_RECIPIENT 5.1.3), or is there already.
 */
int envelope_restore_recipient(struct envelope *e, struct view mailbox,
			       struct outcome *o);

/*
 * -t: add those of To, Cc and Bcc; if the message has Resent- fields, those
 * of the newest (topmost) Resent- block instead (RFC 5322 3.6.6).
 */
int envelope_add_from_header(struct envelope *e, const struct message *m,
			     const struct local_policy *local,
			     struct outcome *o);

/*
 * The address a header gives for the sender: of the topmost Resent- block
 * Resent-Sender or Resent-From, else Sender, else the first of From. Returns
 * 0 with a->mailbox NULL when there is none.
 */
int envelope_sender_from_header(const struct message *m, struct address *a,
				struct outcome *o);

/* What was wished for a recipient: by itself, else for all; 0: nothing. */
unsigned envelope_notify_of(const struct envelope *e, size_t recipient);

/* An address that only SMTPUTF8 can carry, or NULL. */
const char *envelope_utf8_address(const struct envelope *e);

void envelope_release(struct envelope *e);

#endif
