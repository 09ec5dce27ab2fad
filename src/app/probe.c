/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a server is like, seen through the same session that submits. */
#include "app/probe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/connect.h"
#include "app/exitcode.h"
#include "app/report.h"
#include "app/traffic.h"
#include "base/text.h"
#include "conf/config.h"

/* Print what came from outside, printable and on one line. */
static void print_text(const char *indent, const char *name, struct view v)
{
	struct buf line = BUF_INIT(REPLY_LIMIT * 4);

	text_add_printable(&line, v);
	printf("%s%s%s\n", indent, name, line.p);
	buf_release(&line);
}

static void print_lines(const char *title, const struct strings *lines)
{
	size_t i;

	printf("%s:\n", title);
	for (i = 0; i < lines->n; i++)
		print_text("    ", "", view_of(lines->p[i]));
	if (!lines->n)
		printf("    (nothing)\n");
}

static void print_certificate(size_t number, const struct tls_certificate *c)
{
	printf("  certificate %zu:\n", number);
	print_text("    ", "subject: ", view_of(c->subject));
	print_text("    ", "issuer: ", view_of(c->issuer));
	print_text("    ", "names: ", view_of(c->names));
	print_text("    ", "valid from: ", view_of(c->valid_from));
	print_text("    ", "valid until: ", view_of(c->valid_until));
	print_text("    ", "SHA-256 fingerprint: ", view_of(c->sha256));
	print_text("    ", "pin: ", view_of(c->pin));
	print_text("    ", "SHA-1 fingerprint: ", view_of(c->sha1));
}

static void print_tls(const struct session *s, bool refused)
{
	struct tls_facts facts = TLS_FACTS_INIT;
	size_t i;

	tls_describe(stream_tls(s->stream), true, &facts);
	printf("TLS:\n");
	print_text("  ", "version: ", view_of(facts.version));
	print_text("  ", "cipher: ", view_of(facts.cipher));
	print_text("  ", "verified: ",
		   refused ? VIEW("no") : view_of(facts.verified));
	print_text("  ",
		   "resumed: ", facts.is_resumed ? VIEW("yes") : VIEW("no"));
	for (i = 0; i < facts.n_chain; i++)
		print_certificate(i + 1, &facts.chain[i]);
	tls_facts_release(&facts);
}

static void print_mechanisms(const struct capabilities *c)
{
	size_t i;

	printf("authentication:%s\n", c->mechanisms.n ? "" : " not offered");
	for (i = 0; i < c->mechanisms.n; i++) {
		struct view name = view_of(c->mechanisms.p[i]);

		print_text("    ", auth_is_known(name) ? "" : "(not ours) ",
			   name);
	}
}

static void print_limits(const struct capabilities *c)
{
	if (c->size_limit)
		printf("largest message: %" PRIu64 " octets\n", c->size_limit);
	else
		printf("largest message: not said\n");
}

/* What was printed already: a second connection repeats the first steps. */
struct printed {
	bool refused; /* the certificate did not verify */
	bool greeting;
	bool clear; /* what is offered without TLS */
};

/* Called once in clear and once with TLS, or only once of the two. */
static void print_offer(void *context, const struct session *s, bool secured)
{
	struct printed *printed = context;

	if (!printed->greeting)
		print_text("", "greeting: ", view_of(s->greeting));
	printed->greeting = true;
	if (!secured && printed->clear)
		return;
	if (secured)
		print_tls(s, printed->refused);
	else
		printed->clear = true;
	print_lines(secured ? "offered with TLS" : "offered without TLS",
		    &s->capabilities.lines);
}

/* Connect, tell, leave. */
static int probe_account(const struct account *a, const struct trace *trace,
			 struct printed *printed, struct outcome *o)
{
	struct connect_observer observer = {
		.on_capabilities = print_offer,
		.context = printed,
	};
	struct session *s = connect_account(a, trace, &observer, o);

	if (!s)
		return -1;
	print_mechanisms(&s->capabilities);
	print_limits(&s->capabilities);
	session_close(s);
	return 0;
}

static void forget(char **text)
{
	free(*text);
	*text = NULL;
}

static bool is_anything_checked(const struct tls_policy *tls)
{
	return tls_is_verified(tls) || tls->dane != DANE_OFF;
}

/* Nobody logs in. A certificate that does not verify is shown all the same, so
 * that its fingerprint can be compared and pinned; the failure stays one. The
 * account is changed. */
static void run_probe(struct account *a, const struct trace *trace,
		      struct outcome *o)
{
	struct outcome second = OUTCOME_INIT;
	struct printed printed = {0};

	a->auth.want = AUTH_OFF;
	a->tls.resume = false; /* the certificates are what is to be seen */
	printf("server: %s port %u\n", connect_name(a), a->dial.port);
	connect_print_proxy(a, "proxy: ", "\n");
	if (probe_account(a, trace, &printed, o) == 0)
		return;
	report_failure(NULL, o);
	if (o->cause != CAUSE_TLS || !is_anything_checked(&a->tls))
		return;
	printed.refused = true;
	a->tls.certcheck = false;
	a->tls.dane = DANE_OFF;
	forget(&a->tls.fingerprint);
	forget(&a->tls.pin);
	forget(&a->tls.cert_file); /* not for a server that is not known */
	forget(&a->tls.key_file);
	probe_account(a, trace, &printed, &second);
	outcome_release(&second);
}

int probe(const struct request *r)
{
	struct traffic traffic;
	struct outcome o = OUTCOME_INIT;
	struct config *c = NULL;
	struct account *a = NULL;
	int code;

	if (traffic_open(&traffic, r, &o) == 0)
		c = cmdline_load_config(r, &o);
	if (c)
		a = cmdline_choose_account(r, c, r->sender, &o);
	if (a)
		run_probe(a, traffic_trace(&traffic), &o);
	else
		report_failure(NULL, &o);
	if (!outcome_is_failure(&o) && report_flush(&o) < 0)
		report_failure(NULL, &o);
	code = exitcode_of(&o);
	outcome_release(&o);
	traffic_close(&traffic);
	config_free(c);
	return code;
}
