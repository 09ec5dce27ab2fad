/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bearer tokens of OAuth 2.0. A refusal has two parts in both mechanisms: the
 * reasons as JSON in a challenge, then the client's word that it has seen them.
 */
#include "sasl/exchange.h"

#include <string.h>

#include "base/text.h"

#define DEFAULT_JSON "{\"status\":\"invalid_token\"}"

/* Up to the next ^A, which is taken too. */
static struct view next_pair(struct view *rest)
{
	const char *end = memchr(rest->p, 1, rest->n);
	struct view pair = *rest;

	if (end)
		pair.n = (size_t)(end - rest->p);
	*rest = view_skip(*rest, pair.n + 1);
	return pair;
}

static bool take_key(struct view *pair, const char *key)
{
	struct view k = view_of(key);

	if (!view_starts_nocase(*pair, k))
		return false;
	*pair = view_skip(*pair, k.n);
	return true;
}

static bool is_token(const struct exchange *x, struct view token)
{
	return x->options->token &&
		view_equal(token, view_of(x->options->token));
}

static enum verdict explain(struct exchange *x, struct buf *out)
{
	x->is_wrong = true;
	buf_add_text(out, x->options->json ? x->options->json : DEFAULT_JSON);
	return VERDICT_MORE;
}

static enum verdict acknowledged(struct exchange *x, struct view in,
				 struct view wanted)
{
	if (!view_equal(in, wanted))
		return exchange_refuse(x, VERDICT_VIOLATED,
				       "the error was not acknowledged");
	return exchange_refuse(x, VERDICT_REFUSED, "wrong token or user");
}

/* A name in a gs2 header: `=2C` and `=3D` (RFC 5801 4). */
static void add_name(struct buf *out, struct view v)
{
	for (; v.n; v = view_skip(v, 1)) {
		if (*v.p != '=') {
			buf_add_char(out, *v.p);
			continue;
		}
		buf_add_char(out,
			     view_starts_nocase(v, VIEW("=2C")) ? ',' : '=');
		v = view_skip(v, 2);
	}
}

/* `n,a=NAME,`; false: it is no gs2 header. */
static bool take_gs2(struct exchange *x, struct view head)
{
	const char *comma = memchr(head.p, ',', head.n);
	struct view name;

	buf_add_view(&x->gs2, head);
	if (!comma || head.p[head.n - 1] != ',')
		return false;
	name = view_skip(head, (size_t)(comma - head.p) + 1);
	if (!name.n)
		return false;
	name.n--;
	if (name.n && !take_key(&name, "a="))
		return false;
	add_name(&x->authzid, name);
	return true;
}

/* RFC 7628 3.1. `note` is HOST:PORT as the client says them. */
static enum verdict read_bearer(struct exchange *x, struct view in,
				struct buf *out)
{
	struct view pair = next_pair(&in), host = VIEW(""), port = VIEW("");
	const char *end = in.n >= 2 ? in.p + in.n - 2 : NULL;
	bool is_right = false;

	if (!take_gs2(x, pair) || !end || memcmp(end, "\1\1", 2) != 0)
		return exchange_refuse(x, VERDICT_VIOLATED, "malformed");
	while (in.n > 1) {
		pair = next_pair(&in);
		if (take_key(&pair, "host="))
			host = pair;
		else if (take_key(&pair, "port="))
			port = pair;
		else if (take_key(&pair, "auth=Bearer "))
			is_right = is_token(x, pair);
		else
			return exchange_refuse(x, VERDICT_VIOLATED, "unknown");
	}
	buf_printf(&x->note, "%.*s:%.*s", (int)host.n, host.p, (int)port.n,
		   port.p);
	if (is_right && x->options->user &&
	    exchange_may_act_for(x, x->options->user, x->authzid.p))
		return VERDICT_DONE;
	return explain(x, out);
}

enum verdict bearer_step(struct exchange *x, struct view in, struct buf *out)
{
	if (x->is_wrong)
		return acknowledged(x, in, VIEW("\1"));
	return read_bearer(x, in, out);
}

enum verdict xoauth2_step(struct exchange *x, struct view in, struct buf *out)
{
	struct view user, token;

	if (x->is_wrong)
		return acknowledged(x, in, VIEW(""));
	user = next_pair(&in);
	token = next_pair(&in);
	if (!take_key(&user, "user=") || !take_key(&token, "auth=Bearer ") ||
	    !view_equal(in, VIEW("\1")))
		return exchange_refuse(x, VERDICT_VIOLATED, "malformed");
	buf_add_view(&x->authcid, user);
	if (is_token(x, token) && x->options->user &&
	    view_equal(user, view_of(x->options->user)))
		return VERDICT_DONE;
	return explain(x, out);
}
