/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_IDENTITY_H
#define NET_IDENTITY_H

#include <gnutls/gnutls.h>

#include "base/outcome.h"
#include "net/tls.h"

/* Load our own certificate and its key, if the policy names one. -1:
 * CAUSE_CONFIG 5.3.5 naming the setting, the file and the fault. */
int identity_load(gnutls_certificate_credentials_t credentials,
		  const struct tls_policy *policy, struct outcome *o);

#endif
