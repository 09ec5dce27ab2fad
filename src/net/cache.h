/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_CACHE_H
#define NET_CACHE_H

#include <stdbool.h>
#include <sys/stat.h>

/*
 * The folder for comforts that are kept between runs: postrider in
 * $XDG_CACHE_HOME if that is this user's, else in ~/.cache. A descriptor; -1:
 * there is none, or others can write to it. `make`: where it is missing.
 */
int cache_open(bool make);

/* Is it this user's, and has nobody else one of these permissions? */
bool cache_is_own(const struct stat *st, mode_t others);

#endif
