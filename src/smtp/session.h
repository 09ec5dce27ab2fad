/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H

#include <limits.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/outcome.h"
#include "base/stages.h"
#include "base/trace.h"
#include "net/stream.h"
#include "net/tls.h"
#include "smtp/auth.h"
#include "smtp/capability.h"
#include "smtp/pipeline.h"
#include "smtp/reply.h"

/* Values of session_policy.timeout besides seconds. */
#define TIMEOUT_BY_RFC 0u /* RFC 5321 4.5.3.2, each step its own */
#define TIMEOUT_NONE   UINT_MAX

enum pipelining { PIPELINING_AUTO = 0, PIPELINING_ON, PIPELINING_OFF };

/* The steps that RFC 5321 4.5.3.2 gives a time to. */
enum wait {
	WAIT_CONNECT,    /* 30 s: connecting, all addresses together; ours */
	WAIT_GREETING,   /* 5 min, also for EHLO, AUTH and STARTTLS */
	WAIT_MAIL,       /* 5 min */
	WAIT_RCPT,       /* 5 min */
	WAIT_DATA_INIT,  /* 2 min */
	WAIT_DATA_BLOCK, /* 3 min */
	WAIT_DATA_END,   /* 10 min */
	WAIT_N,          /* how many there are */
};

/* How to speak with the server. */
struct session_policy {
	char *domain;     /* EHLO name; NULL: this machine's */
	bool lmtp;        /* RFC 2033 */
	unsigned timeout; /* seconds for every single wait, or TIMEOUT_… */
	unsigned waits[WAIT_N];     /* the same for one step; TIMEOUT_BY_RFC:
				   `timeout` says */
	enum pipelining pipelining; /* on: even where not announced */
	bool pipe_connect; /* EHLO may go before the greeting, to a server that
			      is known to take it so */
};

struct deadline session_deadline(const struct session_policy *policy,
				 enum wait wait);

/* A conversation with a server: greeted, secured, authenticated. */
struct session {
	struct stream *stream;
	const struct session_policy *policy;
	const struct trace *trace;
	struct stages *stages; /* where the time goes; NULL: not wanted */
	struct capabilities capabilities; /* of the last EHLO */
	char *host;                       /* the name the user configured */
	unsigned port;                    /* its port; 0: not known */
	char *greeting;         /* what the server said first; printable */
	const char *mechanism;  /* SASL mechanism that authenticated; or NULL */
	bool is_direct;         /* no proxy, tunnel or socket leads there */
	bool has_certificate;   /* TLS has one of ours to show */
	bool had_auth_in_clear; /* AUTH was offered before STARTTLS */
	bool takes_early; /* PIPECONNECT is offered, before STARTTLS as well */
	struct buf secrets; /* texts of session_hide, each with its NUL */
	bool ended;         /* 421, a lost connection or QUIT: nothing more
				   may be said */
	bool left;  /* it ended because we had to go, in the middle of DATA */
	bool dirty; /* a transaction is open: RSET comes first */
};

/* PIPECONNECT, which a server must have offered in an earlier session. */
struct session_early {
	bool is_wanted;  /* EHLO goes before the greeting */
	bool has_failed; /* it did, and no 250 came of it: as nothing else was
			    said, it may be tried without */
};

/* Everything session_open needs besides the stream. */
struct session_request {
	const struct session_policy *policy;
	const struct tls_policy *tls;
	const struct auth_policy *auth;
	const struct auth_secret *secret;
	const struct trace *trace;
	struct stages *stages; /* GREETING, TLS, AUTH; NULL: not wanted */
	unsigned port;         /* the server's, for OAUTHBEARER; 0: not known */
	bool is_direct;        /* no proxy, tunnel or socket leads there */
	struct session_early *early; /* NULL: not wanted */
	/* The probe looks at what is offered before TLS; NULL: nobody does. */
	void (*on_capabilities)(void *context, const struct session *s,
				bool secured);
	void *context;
};

/*
 * Greeting, EHLO (LHLO; HELO where EHLO is rejected), STARTTLS, EHLO again,
 * AUTH: whatever the request asks for, in the order of RFC 5321 3.1, RFC 3207
 * 4, RFC 4954 4. Takes over stream and tls (NULL when TLS is off), also on
 * failure. NULL: the outcome says which step failed; the server was told QUIT
 * where that is still possible.
 */
struct session *session_open(struct stream *stream, struct tls *tls,
			     const struct session_request *request,
			     struct outcome *o);

/* Can it go on with another message? A server that has something to say before
 * that has had enough of waiting (421), or has gone. */
bool session_is_idle(struct session *s);

/* May several commands be in flight (RFC 2920)? */
bool session_pipelines(const struct session *s);

/* Say one line (without its CRLF) and wait for the reply. Returns -1 only if
 * the conversation fails; a refusal is the caller's to judge. `verb` is the
 * command's name in messages. */
int session_ask(struct session *s, const char *verb, const char *line,
		enum step step, struct reply *reply, struct outcome *o);

/* The same in AUTH: a trace shows `shown` instead of the line. */
int session_ask_secret(struct session *s, const char *verb, struct view line,
		       const char *shown, struct reply *reply,
		       struct outcome *o);

/* A secret that the server has or will have seen: a reply that repeats it is
 * not told, neither in a trace nor in an outcome. Short ones (under eight
 * octets) may be words of any reply, and are not looked for. */
#define SESSION_HIDDEN "(not shown: it repeats a secret)"
void session_hide(struct session *s, struct view secret);
bool session_is_hidden(const struct session *s, struct view said);
void session_forget_hidden(struct session *s); /* once the login is over */

/* The name for EHLO: the policy's, else this machine's. Allocated. */
char *session_own_name(const struct session_policy *policy);

/* Say QUIT, do not wait for its answer (RFC 5321 4.1.1.10), close, free. */
void session_close(struct session *s); /* NULL is fine */

/* After a fork, where the other process goes on with it: nothing more is said
 * here. It is still to be closed. */
void session_leave(struct session *s);

#endif
