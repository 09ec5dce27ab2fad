/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/outcome.h"

/*
 * A mailbox as it may stand in an SMTP command between `<` and `>`: never a
 * control octet, CR, LF or NUL, never an unquoted space or angle bracket.
 */
struct address {
	char *mailbox;  /* local-part@domain, or local-part alone */
	size_t local_n; /* octets of the local-part in it */
	bool has_domain;
	bool needs_utf8;     /* the local-part is not ASCII (RFC 6531) */
	struct view written; /* where it stands in the text that was parsed,
				with its route, without name and brackets */
};

struct address_list {
	struct address *p;
	size_t n;
	size_t cap;
};

#define ADDRESS_INIT      ((struct address){0})
#define ADDRESS_LIST_INIT ((struct address_list){0})

/*
 * One address as the command line and the envelope have it: addr-spec, or
 * `<addr-spec>`, surrounding blanks allowed; RFC 5321 4.1.2 with the limits of
 * 4.5.3.1 (64 and 254 octets) and RFC 6531 3.3. A domain literal is checked
 * (4.1.3); a domain becomes A-labels, lower case. Quoted local-parts keep
 * their quotes unless a dot-string says the same. A source route is dropped.
 * No domain: a local name, has_domain false. Anything else:
 * CAUSE_RECIPIENT 5.1.3, the text names the address and the fault.
 */
int address_parse(struct view text, struct address *a, struct outcome *o);

/*
 * An address-list as header fields have it (RFC 5322 3.4, 4.4, RFC 6532):
 * names, comments, groups, quoted strings, routes, folding, empty members,
 * stray commas and semicolons. Appends each mailbox. Linear time. What
 * cannot be parsed fails as address_parse does; nothing is guessed.
 */
int address_list_parse(struct view body, struct address_list *list,
		       struct outcome *o);

/*
 * Put `domain` behind a local name. -1 as address_parse (limits, syntax).
 */
int address_qualify(struct address *a, const char *domain, struct outcome *o);

/* Same mailbox: local-parts equal octet by octet, domains but for case. */
bool address_equal(const struct address *a, const struct address *b);

void address_release(struct address *a);
void address_list_release(struct address_list *list);

#endif
