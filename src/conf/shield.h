/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_SHIELD_H
#define CONF_SHIELD_H

#include "base/buf.h"

/*
 * How a password of a configuration file is kept until it is needed, which may
 * be again, for another connection: mixed with octets drawn at random for this
 * process, so that nowhere in memory it can be read. Against one who has all
 * of the memory and our code it is no protection.
 */

/* Allocated, for memory_free_secret; a text as long as the other. */
char *shield_close(struct view plain);

/* Adds the plain text to a secret buf. */
void shield_open(const char *shielded, struct buf *plain);

#endif
