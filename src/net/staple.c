/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words of an OCSP response that came with the handshake. */
#include "net/staple.h"

#include "base/gnutls.h"

/* RFC 5280 5.3.1; what says nothing has no word. */
static const char *reason_words(unsigned reason)
{
	switch (reason) {
	case GNUTLS_X509_CRLREASON_KEYCOMPROMISE:
		return "its key was compromised";
	case GNUTLS_X509_CRLREASON_CACOMPROMISE:
	case GNUTLS_X509_CRLREASON_AACOMPROMISE:
		return "its issuer was compromised";
	case GNUTLS_X509_CRLREASON_AFFILIATIONCHANGED:
		return "its owner has changed";
	case GNUTLS_X509_CRLREASON_SUPERSEDED:
		return "it was replaced by another";
	case GNUTLS_X509_CRLREASON_CESSATIONOFOPERATION:
		return "it is no longer needed";
	case GNUTLS_X509_CRLREASON_CERTIFICATEHOLD: return "it is on hold";
	case GNUTLS_X509_CRLREASON_PRIVILEGEWITHDRAWN:
		return "a privilege was withdrawn";
	default: return NULL;
	}
}

/* One response in it is about this certificate, and the first, as GnuTLS has
 * looked at no other. */
static void read_words(const gnutls_datum_t *der, struct staple *s)
{
	gnutls_ocsp_resp_t response;
	unsigned status = 0, reason = 0;

	if (gnutls_ocsp_resp_init(&response) < 0)
		return;
	if (gnutls_ocsp_resp_import(response, der) == 0 &&
	    gnutls_ocsp_resp_get_single(response, 0, NULL, NULL, NULL, NULL,
					&status, &s->made, &s->ends,
					&s->revoked, &reason) >= 0) {
		s->is_there = true;
		s->is_revoked = status == GNUTLS_OCSP_CERT_REVOKED;
		s->is_unknown = status == GNUTLS_OCSP_CERT_UNKNOWN;
		s->reason = s->is_revoked ? reason_words(reason) : NULL;
	}
	gnutls_ocsp_resp_deinit(response);
}

void staple_get(gnutls_session_t session, size_t i, struct staple *s)
{
	gnutls_datum_t der = {NULL, 0};

	*s = (struct staple){
		.made = (time_t)-1, .ends = (time_t)-1, .revoked = (time_t)-1};
	if (gnutls_ocsp_status_request_get2(session, (unsigned)i, &der) == 0 &&
	    der.size)
		read_words(&der, s);
}
