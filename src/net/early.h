/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_EARLY_H
#define NET_EARLY_H

#include <stdbool.h>

#include "net/ticket.h"

/*
 * Which servers take EHLO before they greet (PIPECONNECT), kept between runs:
 * of each an empty file beside the tickets, by the time of which it is known
 * when the server has last said so; or one with something in it, if it said so
 * and then did not take it. The name is a digest of the server and of
 * all that trust in it rests on (resume_name): what one server says is not
 * believed of another, nor what was said without proof.
 *
 * That is all that is remembered. What a server offers besides is asked anew
 * each time, so no password is ever said because of what is in a file.
 */
#define EARLY_LASTS (7 * 86400) /* seconds */

bool early_is_known(const char name[TICKET_NAME_SIZE]);

/* Note what it offers now; of one that did not take it, nothing. A comfort: if
 * that fails nothing is known. */
void early_note(const char name[TICKET_NAME_SIZE], bool is_offered);

/* It did not take it: it is not believed again for EARLY_LASTS. */
void early_distrust(const char name[TICKET_NAME_SIZE]);

#endif
