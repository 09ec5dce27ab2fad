/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_SPOOL_H
#define QUEUE_SPOOL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "base/strings.h"
#include "mail/content.h"
#include "queue/entry.h"

/*
 * The directory with the queue: one file for each message, named by its id (16
 * of 0-9a-z, the first nine tell when, so names sort by age). Files with a dot
 * in their name are no messages. See queue/README for each state that a file
 * can be in, and the instant of commit.
 */
struct spool;

#define SPOOL_ID_LENGTH 16
#define SPOOL_ID_TIME   9      /* of them: milliseconds since 1970, base 36 */
#define SPOOL_TEMPORARY "tmp." /* a file that is being written */

/* `path` as place_path gives it. NULL: as place_open; without `create` NULL
 * with an empty outcome where there is no queue. */
struct spool *spool_open(const char *path, bool create, struct outcome *o);
void spool_close(struct spool *s); /* NULL is fine */

const char *spool_path(const struct spool *s);
int spool_fd(const struct spool *s); /* the directory */

/*
 * Put a message into the queue. When this returns 0 it is on disk under
 * e->id (which is set; a given one is used, and being there already is
 * success: a report has one of its own). Of e the envelope, where it goes, the
 * times and the progress are written; `created` 0 becomes now; what is known
 * of the body comes from the content's message. `header_n`: octets of the
 * content's header without the empty line. -1: nothing is there, unless `o` is
 * uncertain: then it could not be taken back, and may be sent. CAUSE_SYSTEM:
 * 4.3.1 the disk is full …; CAUSE_USAGE as entry_print.
 */
int spool_add(struct spool *s, struct entry *e, struct content *content,
	      size_t header_n, struct outcome *o);

/* Every id, in order of age. -1: CAUSE_SYSTEM. */
int spool_list(const struct spool *s, struct strings *ids, struct outcome *o);

/* The two parts of an id: the time, in milliseconds since 1970, and behind it,
 * with the final NUL, what of a number tells it from others. */
void spool_put_time(char *id, int64_t ms);
void spool_put_number(char *id, uint64_t number);

/* When an id was given out, seconds since 1970; what is no id: -1. */
int64_t spool_time_of(const char *id);

/* Read an entry, but for its header and body, and close its file; nothing is
 * locked. 1; 0: it is gone; -1: CAUSE_SYSTEM, the file can't be read or is none
 * of ours (not this user's, a link, no regular file). e is an ENTRY_INIT, to be
 * released in every case. */
int spool_read(const struct spool *s, const char *id, struct entry *e,
	       struct outcome *o);

/* The same with the message; its file stays open until e is released. */
int spool_read_whole(const struct spool *s, const char *id, struct entry *e,
		     struct outcome *o);

/* That, and lock it as long as it is not released: nobody else sends or
 * changes it. 0 also: another process has it (then e->id is set). */
int spool_take(const struct spool *s, const char *id, struct entry *e,
	       struct outcome *o);

/* Append events to an entry that is taken, durably. A torn end is cut off
 * first. -1: CAUSE_SYSTEM, they are not there; but e itself has changed. */
int spool_append(struct entry *e, struct view lines, struct outcome *o);

/* The same for lines that were gathered; nothing, if there are none. -1 also
 * where the buf has overflown. */
int spool_note(struct entry *e, const struct buf *lines, struct outcome *o);

/* Have room for so many octets of events, as far as the file system can promise
 * it. -1: CAUSE_SYSTEM 4.3.1, there is none. */
int spool_reserve(const struct entry *e, size_t octets, struct outcome *o);

/* An entry that is taken leaves the queue. Being gone is success. */
int spool_remove(const struct spool *s, const struct entry *e,
		 struct outcome *o);

/* Make removals durable (else they may come back with a power failure). */
int spool_sync(const struct spool *s, struct outcome *o);

/* Remove what was left by processes that were ended while they wrote. */
void spool_clean(const struct spool *s);

#endif
