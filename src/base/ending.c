/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Signals that wait for what is in hand. */
#include "base/ending.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t in_hand, asked_by; /* a signal; 0: none */

/* Inside the handler it is blocked, and comes when that returns. */
static void end(void)
{
	int number = asked_by;

	signal(number, SIG_DFL);
	raise(number);
}

static void on_signal(int number)
{
	asked_by = number;
	if (!in_hand)
		end();
}

static void watch(int number)
{
	struct sigaction before, action = {.sa_handler = on_signal};

	action.sa_flags = SA_RESTART;
	sigemptyset(&action.sa_mask);
	if (sigaction(number, NULL, &before) == 0 &&
	    before.sa_handler != SIG_IGN)
		sigaction(number, &action, NULL);
}

void ending_watch(void)
{
	watch(SIGTERM);
	watch(SIGHUP);
}

void ending_hold(void)
{
	in_hand++;
}

void ending_let_go(void)
{
	in_hand--;
}

bool ending_is_asked(void)
{
	return asked_by != 0;
}

void ending_obey(void)
{
	if (asked_by)
		end();
}
