/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_STAGES_H
#define BASE_STAGES_H

#include <stdbool.h>
#include <stdint.h>

/* The stages of a submission, in the order in which they are told. */
enum stage {
	STAGE_NONE = 0,
	STAGE_RESOLVE,  /* the name's addresses, or the proxy's */
	STAGE_CONNECT,  /* to one of them, by the proxy if there is one */
	STAGE_GREETING, /* the greeting and every EHLO */
	STAGE_TLS,      /* trust, STARTTLS, the handshake */
	STAGE_AUTH,     /* the login, and getting the password for it */
	STAGE_MESSAGE,  /* from MAIL to the answer to the last octet */
	STAGE_N,        /* one more than there are */
};

/* A watch for all of them: every moment is one's, or none's. Who enters a stage
 * leaves the one before, so the one in which something fails has its time. */
struct stages {
	int64_t us[STAGE_N]; /* microseconds in it, all visits together */
	bool seen[STAGE_N];  /* it was entered */
	enum stage now;
	int64_t since; /* clock_us(), when `now` was entered */
};

#define STAGES_INIT ((struct stages){0})

const char *stage_name(enum stage stage); /* "resolve" */

/* NULL is fine: nobody wants to know. */
void stages_enter(struct stages *s, enum stage stage);
void stages_leave(struct stages *s); /* whichever it is */

/* Add what `from` has measured, and have it begin anew; none is under way. */
void stages_take(struct stages *s, struct stages *from);

#endif
