/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef APP_QUEUES_H
#define APP_QUEUES_H

#include "app/cmdline.h"
#include "base/outcome.h"
#include "base/strings.h"
#include "conf/config.h"

/*
 * The paths of all queues that the configuration's accounts have, each once,
 * the usual one among them. `config` may be NULL (there is none, or it is
 * broken): then only the usual one.
 */
void queues_paths(const struct request *r, struct config *config,
		  struct strings *paths);

/* Load the configuration, if there is a whole one, and find the paths. What is
 * wrong with it is said on standard error, and no reason to fail. */
void queues_find(const struct request *r, struct strings *paths);

/*
 * For interactive use: one line on standard error if something has waited in
 * these queues for over a day, or what could not be delivered lies there and
 * nobody could be told. Reads names, and of files the few oldest ones; nothing
 * that is wrong with a queue is said.
 */
void queues_warn_old(const struct strings *paths);

#endif
