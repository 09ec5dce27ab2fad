/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SIGTERM that waits for what is in hand. */
#include "base/ending.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t in_hand, is_asked;

/* Inside the handler it is blocked, and comes when that returns. */
static void end(void)
{
	signal(SIGTERM, SIG_DFL);
	raise(SIGTERM);
}

static void on_signal(int number)
{
	(void)number;
	is_asked = 1;
	if (!in_hand)
		end();
}

void ending_watch(void)
{
	struct sigaction action =
				 {
					 .sa_handler = on_signal,
					 .sa_flags = SA_RESTART,
				 },
			 before;

	sigemptyset(&action.sa_mask);
	if (sigaction(SIGTERM, NULL, &before) == 0 &&
	    before.sa_handler != SIG_IGN)
		sigaction(SIGTERM, &action, NULL);
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
	return is_asked;
}

void ending_obey(void)
{
	if (is_asked)
		end();
}
