/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_APART_H
#define BASE_APART_H

#include "base/outcome.h"

/*
 * Go on in a process of its own, for what nobody waits for: a session without a
 * terminal, descriptors 0 to 2 on /dev/null, and none of those that came in.
 * 1: this is it, 0: this is the caller, -1 with CAUSE_SYSTEM. What is in
 * stdio's buffers has been written.
 */
int apart_start(struct outcome *o);

#endif
