/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_VERDICT_H
#define NET_VERDICT_H

#include "base/gnutls.h"
#include "base/outcome.h"
#include "net/trust.h"

/*
 * Judge what the server has shown by the certificates of `t`: signatures,
 * dates, purpose, revocation by tls_crl_file and by what the server has
 * stapled (RFC 6066 8; what has to be stapled, RFC 7633), and then the name.
 * -1: CAUSE_TLS 4.7.5 with the words for the first check that failed.
 */
int verdict_by_store(const struct trust *t, gnutls_session_t session,
		     struct outcome *o);

#endif
