/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_TERMINAL_H
#define CONF_TERMINAL_H

#include "base/buf.h"
#include "base/outcome.h"

/*
 * Ask the person at the controlling terminal, without echo; whatever standard
 * input is. 1: `answer` (a secret buf) has the line, without its end; 0: there
 * is no terminal, or we are in its background; -1: nobody answered within
 * five minutes, or the terminal went away. A signal that ends or stops the
 * program does so with the terminal as it was.
 */
int terminal_ask(const char *prompt, struct buf *answer, struct outcome *o);

#endif
