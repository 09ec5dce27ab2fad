/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SASL_MD4_H
#define SASL_MD4_H

#include <stddef.h>

/* RFC 1320, for at most 247 octets: a password in UTF-16. false: longer. */
_Bool md4(const unsigned char *data, size_t n, unsigned char digest[16]);

#endif
