/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keeps a session as long as the next message can use it. */
#include "app/link.h"

#include <stdlib.h>
#include <string.h>

#include "app/connect.h"
#include "base/memory.h"

/* The session (version and cipher), by what it was verified, and whether it
 * went on with an earlier one. */
static char *describe_tls(const struct session *s)
{
	struct tls_facts facts = TLS_FACTS_INIT;
	struct buf text = BUF_INIT(1024);

	tls_describe(stream_tls(s->stream), false, &facts);
	buf_printf(&text, "%s %s%s", facts.cipher, facts.verified,
		   facts.is_resumed ? " resumed" : "");
	tls_facts_release(&facts);
	return buf_detach(&text);
}

/* Also of a session that then fails to log in. */
static void note_tls(void *context, const struct session *s, bool secured)
{
	struct link *l = context;

	if (secured)
		l->tls = describe_tls(s);
}

static bool is_same_account(const struct link *l, const struct account *a)
{
	const char *name = a->name ? a->name : "";

	return l->account && !strcmp(l->account, name);
}

bool link_is_open(const struct link *l, const struct account *a)
{
	return l->session && is_same_account(l, a) &&
		session_is_idle(l->session);
}

int link_open(struct link *l, const struct account *a, struct outcome *o)
{
	struct connect_observer observer = {
		.on_capabilities = note_tls,
		.context = l,
		.stages = &l->stages,
		.proof = l->wants_proof ? &l->proof : NULL,
		.secret = l->secret,
	};

	if (link_is_open(l, a)) {
		l->is_reused = true;
		return 0;
	}
	link_close(l);
	l->account = memory_dup(a->name ? a->name : "");
	l->session = connect_account(a, l->trace, &observer, o);
	return l->session ? 0 : -1;
}

void link_close(struct link *l)
{
	session_close(l->session);
	free(l->account);
	free(l->tls);
	free(l->proof);
	*l = (struct link){
		.trace = l->trace,
		.wants_proof = l->wants_proof,
		.secret = l->secret,
	};
}

void link_leave(struct link *l)
{
	if (l->session)
		session_leave(l->session);
	link_close(l);
}
