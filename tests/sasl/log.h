/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SASL_LOG_H
#define SASL_LOG_H

#include "base/buf.h"
#include "sasl/exchange.h"

/*
 * What happened on one connection, printed as one line of JSON when it is
 * over:
 *
 *   tls           "TLS1.3", or "" in clear
 *   resumed       whether the TLS session was
 *   certificate   the client's common name, if its certificate is believed
 *   commands      the verbs in order, `*` and `.` (a line of an AUTH dialogue)
 *   longest       octets of the longest AUTH line without its CRLF
 *   auth          one object for each AUTH:
 *       mechanism, initial (had a response), authcid, authzid
 *       gs2           the gs2 header as it came
 *       note          PLAIN: the authzid as it came; DIGEST-MD5: the
 *                     digest-uri; OAUTHBEARER: HOST:PORT; NTLM: both domains
 *                     and the version
 *       cancelled     by `*`
 *       ok            whether it was answered with 235
 *       why           for humans, if not
 *   message       octets of the messages taken
 *   violations    what no client may do
 */
struct log {
	struct buf commands, auth, violations;
	size_t longest, message;
};

#define LOG_INIT                                      \
	((struct log){.commands = BUF_INIT(1u << 20), \
		      .auth = BUF_INIT(1u << 20),     \
		      .violations = BUF_INIT(1u << 20)})

void log_release(struct log *log);

void log_command(struct log *log, struct view verb);
void log_violation(struct log *log, const char *what);

struct log_end {
	bool initial, cancelled, ok;
};

void log_exchange(struct log *log, const struct exchange *x,
		  struct log_end end);
void log_print(const struct log *log, const struct wire *w);

#endif
