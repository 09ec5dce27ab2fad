/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef BASE_ENDING_H
#define BASE_ENDING_H

#include <stdbool.h>

/*
 * SIGTERM and SIGHUP, for a process that has things in hand which it should not
 * drop: what was said to a server, and what came of it is not written down yet.
 * With nothing in hand they end the process at once, as ever.
 */

/* From now on; not where they came in ignored. */
void ending_watch(void);

/* One thing more, and one less, in hand. */
void ending_hold(void);
void ending_let_go(void);

/* One came: nothing new is to be begun … */
bool ending_is_asked(void);

/* … and this is the end, if one came. */
void ending_obey(void);

#endif
