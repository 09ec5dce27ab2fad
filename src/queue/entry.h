/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_ENTRY_H
#define QUEUE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/outcome.h"
#include "base/strings.h"
#include "mail/envelope.h"
#include "mail/message.h"

/* How a recipient stands. */
enum standing {
	STANDING_WAITING = 0, /* to be tried, or tried again */
	STANDING_DELIVERED,   /* the server has taken the message for it */
	STANDING_REFUSED,     /* for good, or given up */
};

/* What the sender has been told of a recipient; a set of bits. */
enum told {
	TOLD_FAILED = 1 << 0,
	TOLD_DELAYED = 1 << 1,
	TOLD_RELAYED = 1 << 2,
};

/* What became of one recipient so far. */
struct progress {
	enum standing standing;
	unsigned told;         /* enum told; also set where nobody is to be
				  told */
	int64_t at;            /* when it was answered last; 0: never */
	bool server_tells;     /* delivered, and the server does DSN */
	struct outcome answer; /* waiting or refused: the last failure; of a
				  delivered one host, status, reply_code and
				  text of the server's last word, no cause */
};

/*
 * One message in the queue: what its file says. The file is text (queue/README
 * has its form): the envelope, an empty line, the message as it goes on the
 * wire, then one line for each event. Times are seconds since 1970, by the
 * wall clock.
 */
struct entry {
	char *id;
	int64_t created;
	int64_t seen;      /* the earliest event of a time that is not before
			 ENTRY_OLDEST; 0: none */
	char *config_file; /* -C, absolute; NULL: the usual files */
	char *account;     /* its name; NULL: what `settings` say */
	struct strings settings; /* "name value", or "name": from the command
				    line */
	struct envelope envelope;
	struct progress *progress; /* one for each of the envelope's recipients
				    */
	bool is_report;       /* one of our delivery reports: causes no other */
	char *held;           /* why it is held; NULL: it is not */
	unsigned attempts;    /* in which its server was asked about it */
	int64_t last_attempt; /* 0: none */
	int64_t next_attempt; /* 0: at once */
	uint64_t size;        /* octets of the message on the wire */
	struct message message; /* header as it goes on the wire; the body stays
				   in the file, and lasts as long as fd */
	int fd;                 /* the open file; -1: none */
	uint64_t end;           /* octets of the file that are whole: behind its
				   last complete line */
};

/* 2025-01-01: nothing of this form is older, so a clock that showed less was
 * wrong, as those are that begin with 1970 at each start. */
#define ENTRY_OLDEST INT64_C(1735689600)

#define ENTRY_INIT ((struct entry){.message = MESSAGE_INIT, .fd = -1})

/* The envelope block for a new file, with its empty line: all but progress,
 * attempts and last_attempt; of the message what is known of its body. `size`:
 * octets of the message, of which `header_n` are its header without the empty
 * line. -1: CAUSE_USAGE 5.5.4, a value holds a control character. */
int entry_print(const struct entry *e, size_t header_n, struct buf *out,
		struct outcome *o);

/*
 * Read the envelope block at the start of `text` into an ENTRY_INIT. Returns
 * the octets that it takes, 0 if it is not complete, -1 if it is none of ours
 * (CAUSE_SYSTEM 5.3.0, saying what is wrong with it; 5.3.3: of another version,
 * which is not). `header_n` is then the
 * octets of the header.
 */
ptrdiff_t entry_parse(struct view text, struct entry *e, size_t *header_n,
		      struct outcome *o);

/* Take in what stands behind the message. Returns the octets of complete
 * lines; a torn last line is left out, lines that say nothing known change
 * nothing. May be called again with what has been appended. */
size_t entry_take_events(struct entry *e, struct view text);

/* Is there a refusal that its sender, if there is one, has not been told of? */
bool entry_has_untold(const struct entry *e);

/* The lines for what has happened already to a message that is new in the
 * queue: answers, who was told, attempts. `progress` may be NULL: nothing. */
void entry_print_state(const struct entry *e, struct buf *lines);

/* ---- Events: each appends one line, and changes the entry as reading it
 * back would: words become one printable line. `now` is when it happened. ----
 */

/* The recipient's fate; `answer` as in struct progress. */
void entry_note_answer(struct entry *e, size_t recipient,
		       const struct progress *p, struct buf *line);
/* Its server was asked; it is tried again from `next` on. */
void entry_note_attempt(struct entry *e, int64_t now, int64_t next,
			struct buf *line);
void entry_note_told(struct entry *e, size_t recipient, enum told what,
		     int64_t now, struct buf *line);
void entry_note_hold(struct entry *e, const char *reason, int64_t now,
		     struct buf *line);
void entry_note_release(struct entry *e, int64_t now, struct buf *line);
/* Is to be tried at once, whatever the schedule says. */
void entry_note_retry(struct entry *e, int64_t now, struct buf *line);

/* That it was there then: for one whose `created` says nothing. */
void entry_note_seen(struct entry *e, int64_t now, struct buf *line);

/* How many recipients wait. */
size_t entry_waiting(const struct entry *e);

/* Which sessions can carry it: entries with the same text go by the same one.
 * Configuration, account and settings, on one line. Allocated. */
char *entry_lane(const struct entry *e);

void entry_release(struct entry *e); /* closes the file, so its lock ends */

#endif
