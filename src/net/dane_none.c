/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * In place of net/dane.c where configure did not find libunbound: nothing is
 * ever asked, and who wants DANE is told.
 */
#include "net/dane.h"

int dane_check_policy(const struct tls_policy *policy, const char *host,
		      struct outcome *o)
{
	(void)host;
	if (policy->dane == DANE_OFF)
		return 0;
	return fail(o, CAUSE_CONFIG, "5.3.5",
		    "dane %s: this postrider was built without DANE; build it "
		    "where libunbound is (Debian: libunbound-dev), or set dane "
		    "off",
		    policy->dane == DANE_ONLY ? "only" : "on");
}

int dane_begin(const struct tls_policy *policy, const char *host, unsigned port,
	       struct deadline deadline, struct dane_query **d,
	       struct outcome *o)
{
	(void)port;
	(void)deadline;
	*d = NULL;
	return dane_check_policy(policy, host, o);
}

int dane_await(struct dane_query *d, struct outcome *o)
{
	(void)d;
	(void)o;
	return 0;
}

bool dane_decides(const struct dane_query *d)
{
	(void)d;
	return false;
}

const char *dane_server_name(const struct dane_query *d)
{
	(void)d;
	return NULL;
}

int dane_check(const struct dane_query *d, struct trust *t,
	       gnutls_session_t session, struct outcome *o)
{
	(void)d;
	return trust_check(t, session, o);
}

void dane_free(struct dane_query *d)
{
	(void)d;
}

bool dane_is_built(void)
{
	return false;
}
