/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POSTRIDER_SMTP_GSASL_H
#define POSTRIDER_SMTP_GSASL_H

#include <gsasl.h>

/*
 * GNU SASL, loaded when the first of its functions is called, as base/gnutls.h
 * says it of GnuTLS: only a login needs it.
 */

struct outcome;

/* clang-format off */
#define GSASL_CALLS(X) \
	X(gsasl_callback_hook_get) \
	X(gsasl_callback_hook_set) \
	X(gsasl_callback_set) \
	X(gsasl_check_version) \
	X(gsasl_client_start) \
	X(gsasl_client_support_p) \
	X(gsasl_done) \
	X(gsasl_finish) \
	X(gsasl_free) \
	X(gsasl_init) \
	X(gsasl_property_fast) \
	X(gsasl_property_set) \
	X(gsasl_saslprep) \
	X(gsasl_step) \
	X(gsasl_strerror)

struct gsasl_calls {
#define POSTRIDER_CALL(name) __typeof__(&name) name;
	GSASL_CALLS(POSTRIDER_CALL)
#undef POSTRIDER_CALL
};

/* As library_load_gnutls(). */
int library_load_gsasl(struct outcome *o);

const struct gsasl_calls *library_gsasl(void);

#define gsasl_callback_hook_get (*library_gsasl()->gsasl_callback_hook_get)
#define gsasl_callback_hook_set (*library_gsasl()->gsasl_callback_hook_set)
#define gsasl_callback_set (*library_gsasl()->gsasl_callback_set)
#define gsasl_check_version (*library_gsasl()->gsasl_check_version)
#define gsasl_client_start (*library_gsasl()->gsasl_client_start)
#define gsasl_client_support_p (*library_gsasl()->gsasl_client_support_p)
#define gsasl_done (*library_gsasl()->gsasl_done)
#define gsasl_finish (*library_gsasl()->gsasl_finish)
#define gsasl_free (*library_gsasl()->gsasl_free)
#define gsasl_init (*library_gsasl()->gsasl_init)
#define gsasl_property_fast (*library_gsasl()->gsasl_property_fast)
#define gsasl_property_set (*library_gsasl()->gsasl_property_set)
#define gsasl_saslprep (*library_gsasl()->gsasl_saslprep)
#define gsasl_step (*library_gsasl()->gsasl_step)
#define gsasl_strerror (*library_gsasl()->gsasl_strerror)
/* clang-format on */

#endif
