/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_COMMAND_H
#define SMTP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "mail/envelope.h"
#include "mail/plan.h"
#include "smtp/body.h"
#include "smtp/capability.h"
#include "smtp/reply.h"

/* One thing said to the server, and what comes back. */
struct command {
	char *line;       /* with its CRLF; NULL: only a payload */
	const char *verb; /* for messages: "RCPT TO", never a secret */
	char *shown;      /* what a trace shows; NULL: the line */
	enum step step;
	struct body *payload;  /* octets that follow the line; not owned */
	struct reply *replies; /* the answers, in order */
	size_t n_replies;      /* how many are expected */
	size_t n_answered;     /* how many have come */
	bool barrier;          /* what follows waits for its replies */
	bool ahead;            /* it waits for nobody's, even so */
	bool essential;        /* once refused, nothing more is sent */
	bool vital;            /* once it is not accepted the session ends */
	/* It has all its replies, and none of them is 421; NULL: nobody asks */
	void (*on_answer)(void *context);
	void *context;
	/* Set by the pipeline: */
	uint64_t end;  /* octets of the flight until it is over */
	bool has_left; /* the conversation broke without all its replies, but
			  it may have arrived as a whole */
};

#define COMMAND_INIT ((struct command){0})

/* Facts of the message that MAIL's parameters tell the server. */
struct mail_facts {
	uint64_t size;       /* octets on the wire (RFC 1870) */
	enum body_form form; /* header and body together */
	bool use_smtputf8;
	bool by_bdat;           /* as BODY=BINARYMIME must go (RFC 3030 3) */
	bool require_tls;       /* RFC 8689 */
	const char *deliver_by; /* RFC 2852 by-value; NULL: none */
	const char *parameters; /* to be put behind ours; NULL: none */
};

/*
 * MAIL FROM with the parameters that the capabilities allow: SIZE, BODY,
 * SMTPUTF8, REQUIRETLS, BY, RET and ENVID (RFC 5321 4.1.1.2). The addresses
 * were validated; the line cannot hold anything that ends it.
 */
void command_mail(struct command *c, const struct envelope *e,
		  const struct mail_facts *facts,
		  const struct capabilities *server);

/* RCPT TO with NOTIFY and ORCPT (RFC 3461 4.1, 4.2), and the given parameters
 * (NULL: none) behind them. */
void command_rcpt(struct command *c, const struct envelope *e,
		  const struct recipient *r, const struct capabilities *server,
		  const char *parameters);

/* A line without its CRLF ("DATA", "EHLO me.example"); one reply, a barrier. */
void command_line(struct command *c, const char *verb, const char *line,
		  enum step step);

/* The payload that DATA's 354 asks for; n_replies: 1, or LMTP's one for each
 * accepted recipient. */
void command_body(struct command *c, struct body *body, size_t n_replies);

/* BDAT (RFC 3030 2): `size` octets of body follow. */
void command_bdat(struct command *c, struct body *body, uint64_t size,
		  bool last, size_t n_replies);

/* Was it answered, and with what class (2, 3, 4, 5)? 0: not yet. */
int command_class(const struct command *c);

void command_release(struct command *c);

#endif
