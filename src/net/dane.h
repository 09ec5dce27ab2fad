/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_DANE_H
#define NET_DANE_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/gnutls.h"
#include "base/outcome.h"
#include "net/tls.h"
#include "net/trust.h"

/*
 * What signed DNS says about a server's certificate (RFC 7671). Optional:
 * net/dane.c where configure finds libunbound, else net/dane_none.c, for which
 * a policy that asks for DANE is an error.
 *
 * The records are those of _PORT._tcp.HOST, where HOST is the host that the
 * user configured, in A-labels; no SRV or MX leads there. Where DNS says,
 * signed all the way, that HOST is an alias (CNAME), the name that it ends at
 * is asked first, and has its say if it has records (RFC 7671 7); it is then
 * what TLS asks the server for, and one more name its certificate may have.
 *
 * No records, and records without a signature, count as none, if that is
 * proved: by a signed denial, or by a signed delegation to a zone that is not
 * signed. All else (a signature that is wrong or missing, a name server that
 * fails or is silent) is a failure for now, and never a weaker check (RFC 7672
 * 2.1.1, 2.2).
 */
struct dane_query; /* a question, and later its answer */

/* Contradictions in what was configured. `host` is NULL where none is connected
 * to by us (a tunnel, a socket, a proxy). -1: CAUSE_CONFIG 5.3.5. */
int dane_check_policy(const struct tls_policy *policy, const char *host,
		      struct outcome *o);

/*
 * Ask in the background. *d stays NULL where there is nothing to ask: `dane`
 * is off, the policy knows the certificate or its key (fingerprint, pin), or
 * the host is an address or NULL. -1: as dane_check_policy; CAUSE_SYSTEM.
 */
int dane_begin(const struct tls_policy *policy, const char *host, unsigned port,
	       struct deadline deadline, struct dane_query **d,
	       struct outcome *o);

/*
 * Wait for the answer, up to the deadline of the beginning. NULL is fine, as it
 * is below. -1: CAUSE_RESOLVE 4.4.3 (no answer), CAUSE_TLS 4.7.5 (an answer
 * that is forged or broken; none with `only`), CAUSE_CONFIG 5.3.5 (libunbound
 * or the root key is not there).
 */
int dane_await(struct dane_query *d, struct outcome *o);

/* Are there records that decide? Known after dane_await. */
bool dane_decides(const struct dane_query *d);

/* The name to ask the server for, where it is another than the host. */
const char *dane_server_name(const struct dane_query *d);

/* Judge what the server has shown: by the records where they decide
 * (tlsa_check), else as ever (trust_check). */
int dane_check(const struct dane_query *d, struct trust *t,
	       gnutls_session_t session, struct outcome *o);

void dane_free(struct dane_query *d);

/* Can this program do it? For --version. */
bool dane_is_built(void);

#endif
