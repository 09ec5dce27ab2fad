/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POSTRIDER_BASE_LIBRARY_H
#define POSTRIDER_BASE_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outcome;

/* Shared libraries that are loaded when they are needed, and stay. */

struct library {
	const char *soname;
	const char *const *names; /* of what is used of it */
	size_t n_names;
	void *calls; /* a struct of only their addresses, in that order */
	bool is_loaded;
};

/* Loads it and fills its calls, if that was not done: NULL, or why not
 * (dlerror(3)'s words, until dlopen and the like are called again). */
const char *library_open(struct library *l);

/* The same: 0, or -1 with CAUSE_SYSTEM and 4.3.1. */
int library_load(struct library *l, struct outcome *o);

/* The same; ends the program with EX_OSERR if it can't be loaded, as ld.so does
 * with a library that it loads at the start. */
void library_need(struct library *l);

/*
 * Tells packagers' tools that the library is loaded by dlopen(3): a note in the
 * program, as the specification has it, whose owner is "FDO".
 * https://systemd.io/ELF_DLOPEN_METADATA
 */
#define LIBRARY_NOTE_TYPE 0x407c0c0au
#define LIBRARY_NOTE_TEXT(feature, words, priority, soname)      \
	"[{\"feature\":\"" feature "\",\"description\":\"" words \
	"\",\"priority\":\"" priority "\",\"soname\":[\"" soname "\"]}]"
#define LIBRARY_NOTE(feature, words, priority, soname)                         \
	__attribute__((used, section(".note.dlopen"),                          \
		       aligned(4))) static const struct {                      \
		uint32_t owner_size, text_size, type;                          \
		char owner[sizeof("FDO")];                                     \
		_Alignas(4) char text[sizeof(                                  \
			LIBRARY_NOTE_TEXT(feature, words, priority, soname))]; \
	} library_note = {                                                     \
		sizeof("FDO"),                                                 \
		sizeof(LIBRARY_NOTE_TEXT(feature, words, priority, soname)),   \
		LIBRARY_NOTE_TYPE,                                             \
		"FDO",                                                         \
		LIBRARY_NOTE_TEXT(feature, words, priority, soname),           \
	}

#endif
