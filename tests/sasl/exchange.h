/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SASL_EXCHANGE_H
#define SASL_EXCHANGE_H

#include <gsasl.h>
#include <stdbool.h>

#include "base/buf.h"
#include "sasl/options.h"
#include "sasl/wire.h"

/* One AUTH command, seen from the mechanism: octets in, octets out. */
struct exchange {
	const struct options *options;
	const struct wire *wire;
	char mechanism[64];
	const struct by_hand *by_hand; /* else GNU SASL does it */
	Gsasl *library;
	Gsasl_session *sasl;
	int round;
	bool is_wrong; /* decided, though there is still something to say */
	/* for the log */
	struct buf authcid, authzid, gs2, why, note;
};

enum verdict {
	VERDICT_MORE,     /* `out` is a challenge */
	VERDICT_DONE,     /* who it says; `out` may be our own proof */
	VERDICT_REFUSED,  /* `why` */
	VERDICT_VIOLATED, /* `why`: no client may say this */
};

typedef enum verdict exchange_step_fn(struct exchange *x, struct view in,
				      struct buf *out);

/* The mechanisms GNU SASL has no server of. */
struct by_hand {
	const char *name;
	bool client_first;
	exchange_step_fn *step;
};

exchange_step_fn bearer_step;  /* OAUTHBEARER, RFC 7628 */
exchange_step_fn xoauth2_step; /* XOAUTH2, as Google describes it */
exchange_step_fn ntlm_step;    /* NTLM, [MS-NLMP] */

void exchange_init(struct exchange *x, const struct options *o,
		   const struct wire *w, struct view mechanism);
void exchange_release(struct exchange *x);

/* Does the client speak first? */
bool exchange_is_client_first(const struct exchange *x);

enum verdict exchange_step(struct exchange *x, struct view in, struct buf *out);

/* For the mechanisms by hand. */
enum verdict exchange_refuse(struct exchange *x, enum verdict verdict,
			     const char *why);
bool exchange_may_act_for(const struct exchange *x, const char *authcid,
			  const char *authzid);

#endif
