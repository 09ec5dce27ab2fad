/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_ENDING_H
#define BASE_ENDING_H

#include <stdbool.h>

/*
 * SIGTERM, for a process that has things in hand which it should not drop: what
 * was said to a server, and what came of it is not written down yet. With
 * nothing in hand it ends the process at once, as ever.
 */

/* From now on; not where SIGTERM came in ignored. */
void ending_watch(void);

/* One thing more, and one less, in hand. */
void ending_hold(void);
void ending_let_go(void);

/* It came: nothing new is to be begun … */
bool ending_is_asked(void);

/* … and this is the end, if it came. */
void ending_obey(void);

#endif
