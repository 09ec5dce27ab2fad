/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who we are for the server, if it asks: our certificate and its key. */
#include "net/identity.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int fail_file(const char *setting, const char *path, int rc,
		     struct outcome *o)
{
	const char *why = gnutls_strerror(rc);

	if (access(path, R_OK) < 0)
		why = strerror(errno);
	return fail(o, CAUSE_CONFIG, "5.3.5", "%s %s: %s", setting, path, why);
}

int identity_load(gnutls_certificate_credentials_t credentials,
		  const struct tls_policy *policy, struct outcome *o)
{
	const char *key = policy->key_file;
	int rc;

	if (!policy->cert_file && !key)
		return 0;
	if (!policy->cert_file)
		return fail(o, CAUSE_CONFIG, "5.3.5",
			    "tls_key_file is set, but no tls_cert_file");
	if (!key)
		key = policy->cert_file;
	rc = gnutls_certificate_set_x509_key_file2(credentials,
						   policy->cert_file, key,
						   GNUTLS_X509_FMT_PEM, NULL,
						   0);
	if (rc >= 0)
		return 0;
	if (access(policy->cert_file, R_OK) < 0)
		return fail_file("tls_cert_file", policy->cert_file, rc, o);
	return fail_file("tls_key_file", key, rc, o);
}
