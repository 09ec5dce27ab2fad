/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_PARAMETER_H
#define MAIL_PARAMETER_H

#include <stdbool.h>

#include "base/buf.h"
#include "mail/field.h"

/*
 * Append the body of a field with parameters (RFC 2045 5.1) in ASCII: values
 * with octets over 127 are written as RFC 2231 has it. The field is written
 * anew from what was read of it, so that a reader finds the same parameters as
 * before, however badly they were written. False, and nothing appended: it has
 * no type.
 */
bool parameter_write_ascii(enum field_id id, struct view body, struct buf *out);

#endif
