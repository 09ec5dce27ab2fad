/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What would be submitted, without a word to any server. */
#include "app/dryrun.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/connect.h"
#include "app/report.h"
#include "smtp/auth.h"

static const char *tls_words(const struct tls_policy *tls)
{
	if (!tls->on)
		return "no TLS";
	return tls->starttls ? "STARTTLS" : "TLS from the start";
}

static void print_login(const struct auth_policy *auth)
{
	size_t i;

	if (auth->want != AUTH_NAMED)
		printf("strongest offered");
	for (i = 0; i < auth->mechanisms.n; i++)
		printf("%s%s", i ? " or " : "", auth->mechanisms.p[i]);
	if (auth->user)
		printf(" as %s\n", auth->user);
	else
		printf("%s\n",
		       auth_needs_user(auth) ? " as (no user set)" : "");
}

static void print_server(const struct account *a)
{
	printf("account: %s\n", a->name ? a->name : "(command line)");
	printf("server: %s", connect_name(a));
	if (!a->dial.tunnel && !a->dial.socket)
		printf(" port %u", a->dial.port);
	printf(", %s\n", tls_words(&a->tls));
	connect_print_proxy(a, "proxy: ", "\n");
	printf("authentication: ");
	if (!auth_is_wanted(&a->auth))
		printf("none\n");
	else
		print_login(&a->auth);
}

static void print_envelope(const struct envelope *e)
{
	size_t i;

	printf("from: <%s>\n", e->sender.mailbox);
	for (i = 0; i < e->n_recipients; i++)
		printf("to: <%s>\n", e->recipients[i].address.mailbox);
}

/* The content without the CR of each CRLF; there is no other CR in it. */
static void print_without_cr(struct view piece)
{
	const char *cr;
	size_t n;

	while (piece.n) {
		cr = memchr(piece.p, '\r', piece.n);
		n = cr ? (size_t)(cr - piece.p) : piece.n;
		fwrite(piece.p, 1, n, stdout);
		piece = view_skip(piece, n + 1);
	}
}

/* No server is asked: one is thought of that has what every server should. */
static int fit_content(const struct account *a, const struct envelope *e,
		       struct content *content, struct outcome *o)
{
	const struct carriage way = {
		.eightbit = true,
		.utf8 = envelope_utf8_address(e) ||
			content_utf8_address(content),
	};

	return content_fit(content, &way, a->transaction.reencode, o);
}

int dryrun_print(const struct account *a, const struct envelope *e,
		 struct content *content, struct outcome *o)
{
	struct view piece;
	int rc;

	if (fit_content(a, e, content, o) < 0)
		return -1;
	print_server(a);
	print_envelope(e);
	printf("size: %" PRIu64 "\n\n", content_size(content));
	do {
		rc = content_next(content, UINT64_MAX, &piece, o);
		if (rc > 0)
			print_without_cr(piece);
	} while (rc > 0);
	if (rc == 0)
		rc = report_flush(o);
	return rc;
}
