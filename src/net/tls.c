/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One TLS session over GnuTLS: priorities, handshake, records. Whom to trust is
 * net/trust's, and asked in the middle of the handshake, so that a server that
 * is refused gets nothing from us, not even our own certificate. When to wait
 * for the descriptor after the handshake is net/stream's.
 */
#include "net/tls.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/gnutls.h"
#include "base/memory.h"
#include "net/certificate.h"
#include "net/dane.h"
#include "net/resume.h"
#include "net/trust.h"
#include "net/wire.h"

/*
 * Keys below 112 bits of strength (RSA 2048) are refused. DHE-PSK, without such
 * keys, means for GnuTLS: a session that goes on with another has a fresh key
 * exchange, and what is said in it stays secret from who gets the ticket later
 * (psk_dhe_ke alone, RFC 8446 4.2.9).
 */
#define PRIORITIES_1_2                                         \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:+DHE-PSK:" \
	"%PROFILE_MEDIUM"
#define PRIORITIES_1_3                                    \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:-KX-ALL:+DHE-PSK:" \
	"%PROFILE_MEDIUM"

#define BATCH (64u << 10) /* octets encrypted for one write; four records */

struct tls {
	gnutls_session_t session;
	struct trust trust;
	struct resume resume;
	struct tls_owner *owner; /* until the handshake is over; or NULL */
	bool starttls;           /* for words: the server speaks SMTP as well */
	enum tls_version min_version;
	struct wire wire;
	bool is_checked;        /* the certificate passed, now or before */
	struct outcome refusal; /* why it did not */
	size_t in_wire; /* octets of the user's that wait there, encrypted */
	char *error;    /* what broke the session; NULL: nothing */
	bool has_begun; /* ClientHello waits, or is on its way */
	int fault;      /* GnuTLS's, in making it; or 0 */

	struct dane_query *dane; /* what signed DNS says; NULL: not asked */
};

bool tls_is_verified(const struct tls_policy *policy)
{
	return policy->certcheck || policy->fingerprint || policy->pin;
}

/* ------------------------------------------------------------------- set up */

static const char *version_name(enum tls_version version)
{
	return version == TLS_1_3 ? "TLS 1.3" : "TLS 1.2";
}

static const char *server(const struct tls *t)
{
	return t->trust.host[0] ? t->trust.host : "the server";
}

static int set_priorities(struct tls *t, const struct tls_policy *policy,
			  struct outcome *o)
{
	const char *priorities = policy->priorities;
	const char *fault = NULL;

	if (!priorities)
		priorities = policy->min_version == TLS_1_3 ? PRIORITIES_1_3
							    : PRIORITIES_1_2;
	if (gnutls_priority_set_direct(t->session, priorities, &fault) == 0)
		return 0;
	return fail(
		o, CAUSE_CONFIG, "5.3.5",
		"tls_priorities %s: GnuTLS does not understand it from \"%s\" "
		"on",
		priorities, fault ? fault : "");
}

/* Here `min_version` holds against the user's priorities. */
static bool is_version_right(struct tls *t)
{
	gnutls_protocol_t version = gnutls_protocol_get_version(t->session);
	gnutls_protocol_t least = t->min_version == TLS_1_3 ? GNUTLS_TLS1_3
							    : GNUTLS_TLS1_2;

	if (version >= least)
		return true;
	fail(&t->refusal, CAUSE_TLS, "4.7.5",
	     "%s speaks %s; %s or later is asked for (tls_min_version)",
	     server(t), gnutls_protocol_get_name(version),
	     version_name(t->min_version));
	return false;
}

/* Called by GnuTLS when the server's certificate is there, before ours leaves.
 * In a session that goes on with another there is none. */
static int check_server(gnutls_session_t session)
{
	struct tls *t = gnutls_session_get_ptr(session);

	if (is_version_right(t) &&
	    dane_check(t->dane, &t->trust, session, &t->refusal) == 0)
		t->is_checked = true;
	return t->is_checked ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

static int set_up(struct tls *t, const struct tls_policy *policy,
		  struct outcome *o)
{
	/* One key share, of the group that every server has (RFC 8446 9.1). */
	unsigned flags = GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_KEY_SHARE_TOP;
	const char *sni = t->trust.name.dns;
	int rc;

	if (policy->cert_file)
		flags |= GNUTLS_FORCE_CLIENT_CERT;
	if (!t->resume.is_wanted)
		flags |= GNUTLS_NO_TICKETS;
	rc = gnutls_init(&t->session, flags);
	if (rc == 0)
		rc = gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE,
					    t->trust.credentials);
	if (rc == 0 && sni)
		rc = gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, sni,
					    strlen(sni));
	if (rc < 0)
		return fail(o, CAUSE_SYSTEM, "4.3.0", "cannot set up TLS: %s",
			    gnutls_strerror(rc));
	if (policy->min_dh_bits)
		gnutls_dh_set_prime_bits(t->session, policy->min_dh_bits);
	gnutls_session_set_ptr(t->session, t);
	gnutls_session_set_verify_function(t->session, check_server);
	wire_attach(&t->wire, t->session);
	return set_priorities(t, policy, o);
}

struct tls *tls_new(const struct tls_policy *policy, const char *host,
		    struct tls_owner *owner, struct outcome *o)
{
	struct tls *t;

	if (library_load_gnutls(o) < 0)
		return NULL;
	t = memory_alloc(sizeof(*t));
	wire_init(&t->wire);
	t->trust = TRUST_INIT;
	t->resume = RESUME_INIT;
	t->owner = owner;
	t->starttls = policy->starttls;
	t->min_version = policy->min_version;
	resume_plan(&t->resume, policy, host, owner ? owner->peer : NULL);
	t->trust.is_put_off = resume_is_likely(&t->resume);
	if (trust_load(&t->trust, policy, host, owner, o) == 0 &&
	    set_up(t, policy, o) == 0)
		return t;
	tls_free(t);
	return NULL;
}

void tls_use_dane(struct tls *t, struct dane_query *d)
{
	t->dane = d;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	if (t->session)
		gnutls_deinit(t->session);
	dane_free(t->dane);
	trust_release(&t->trust);
	resume_release(&t->resume);
	outcome_release(&t->refusal);
	wire_release(&t->wire);
	free(t->error);
	free(t);
}

/* ---------------------------------------------------------------- handshake */

/* RFC 8446 5.1: every record begins with one of these. */
static bool is_record_type(unsigned char octet)
{
	return octet >= 20 && octet <= 23;
}

static int fail_lost(const struct tls *t, const char *why, struct outcome *o)
{
	return fail(o, CAUSE_CONNECT, "4.4.2",
		    "lost the connection to %s in the TLS handshake: %s",
		    server(t), why);
}

static int fail_plain(const struct tls *t, struct outcome *o)
{
	if (t->starttls)
		return fail(
			o, CAUSE_TLS, "4.7.5",
			"%s agreed to STARTTLS, but does not speak TLS then",
			server(t));
	return fail(
		o, CAUSE_TLS, "4.7.5",
		"%s does not speak TLS on this port; perhaps tls_starttls on "
		"is meant",
		server(t));
}

static int fail_version(const struct tls *t, struct outcome *o)
{
	return fail(
		o, CAUSE_TLS, "4.7.5",
		"%s does not speak a TLS version that we accept; %s or later "
		"is asked for",
		server(t), version_name(t->min_version));
}

static int fail_alert(const struct tls *t, struct outcome *o)
{
	gnutls_alert_description_t alert = gnutls_alert_get(t->session);
	const char *hint = "";

	if (alert == GNUTLS_A_PROTOCOL_VERSION)
		return fail_version(t, o);
	if (alert == GNUTLS_A_CERTIFICATE_REQUIRED ||
	    alert == GNUTLS_A_BAD_CERTIFICATE || alert == GNUTLS_A_UNKNOWN_CA)
		hint = "; it may want another certificate of ours "
		       "(tls_cert_file)";
	if (alert == GNUTLS_A_UNRECOGNIZED_NAME)
		hint = "; it does not know that name (tls_host_override)";
	return fail(o, CAUSE_TLS, "4.7.5", "%s refused the TLS handshake: %s%s",
		    server(t), gnutls_alert_get_name(alert), hint);
}

static int fail_handshake(struct tls *t, int rc, struct outcome *o)
{
	if (t->wire.has_heard && !is_record_type(t->wire.first))
		return fail_plain(t, o);
	switch (rc) {
	case GNUTLS_E_PREMATURE_TERMINATION:
		return fail_lost(t, "the server closed it", o);
	case GNUTLS_E_PULL_ERROR:
	case GNUTLS_E_PUSH_ERROR:
		return fail_lost(t, strerror(t->wire.error), o);
	case GNUTLS_E_FATAL_ALERT_RECEIVED: return fail_alert(t, o);
	case GNUTLS_E_UNSUPPORTED_VERSION_PACKET: return fail_version(t, o);
	case GNUTLS_E_DH_PRIME_UNACCEPTABLE:
		return fail(
			o, CAUSE_TLS, "4.7.5",
			"%s offers a Diffie-Hellman prime that is too small "
			"(tls_min_dh_prime_bits)",
			server(t));
	case GNUTLS_E_KEY_USAGE_VIOLATION:
		return fail(
			o, CAUSE_TLS, "4.7.5",
			"the certificate of %s is not meant for this, as its "
			"key usage says; whoever runs the server must get one "
			"for digital signatures",
			server(t));
	default:
		return fail(o, CAUSE_TLS, "4.7.5",
			    "the TLS handshake with %s failed: %s", server(t),
			    gnutls_strerror(rc));
	}
}

static int await(const struct tls *t, struct deadline deadline,
		 struct outcome *o)
{
	struct pollfd wait = {
		.fd = t->wire.fd,
		.events = tls_wants_write(t) ? POLLOUT : POLLIN,
	};
	int rc = -1;

	while (rc < 0 && !deadline_passed(deadline)) {
		rc = poll(&wait, 1, deadline_left(deadline));
		if (rc < 0 && errno != EINTR)
			return fail_errno(o, CAUSE_SYSTEM, "4.3.0",
					  "waiting for TLS");
	}
	return rc > 0 ? 0 : fail_lost(t, "timed out", o);
}

/* Tell a server that speaks TLS why we leave, if that needs no waiting. */
static void send_alert(struct tls *t, int rc)
{
	if (t->wire.has_heard && is_record_type(t->wire.first))
		gnutls_alert_send_appropriate(t->session, rc);
	wire_send(&t->wire);
}

/* One step of it: 1 when all is done, 0 to wait for the descriptor, -1. */
static int advance(struct tls *t, struct outcome *o)
{
	int rc = t->fault ? t->fault : gnutls_handshake(t->session);

	if (rc < 0 && gnutls_error_is_fatal(rc)) {
		send_alert(t, rc);
		if (!outcome_is_failure(&t->refusal)) {
			if (t->resume.has_offered)
				t->owner->is_ticket_bad = true;
			return fail_handshake(t, rc, o);
		}
		outcome_copy(o, &t->refusal);
		return -1;
	}
	if (rc == 0) /* our last words wait for the first octets */
		return 1;
	wire_send(&t->wire); /* if that fails, reading tells more */
	return 0;
}

/* One that goes on with a session that we have shown a ticket of is as good as
 * that was. */
static int take_on(struct tls *t, struct outcome *o)
{
	if (!t->is_checked && t->resume.has_offered &&
	    gnutls_session_is_resumed(t->session))
		t->is_checked = is_version_right(t);
	if (t->is_checked)
		return 0;
	if (!outcome_is_failure(&t->refusal))
		return fail(o, CAUSE_TLS, "4.7.5",
			    "%s has shown no certificate", server(t));
	outcome_copy(o, &t->refusal);
	return -1;
}

static int shake_hands(struct tls *t, struct deadline deadline,
		       struct outcome *o)
{
	int rc;

	while ((rc = advance(t, o)) == 0) {
		if (!tls_wants_write(t) && wire_has_input(&t->wire))
			continue;
		trust_prepare(&t->trust);
		if (await(t, deadline, o) < 0)
			return -1;
	}
	return rc < 0 ? -1 : take_on(t, o);
}

/* Signed DNS may know the server by another name. */
static int await_dane(struct tls *t, struct outcome *o)
{
	const char *name;

	if (dane_await(t->dane, o) < 0)
		return -1;
	name = dane_server_name(t->dane);
	if (name)
		gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, name,
				       strlen(name));
	return 0;
}

struct view tls_first_words(struct tls *t)
{
	int rc;

	if (t->dane)
		return view_make(NULL, 0);
	resume_offer(&t->resume, t->session);
	rc = gnutls_handshake(t->session); /* and there is no answer yet */
	if (rc < 0 && gnutls_error_is_fatal(rc))
		t->fault = rc;
	t->has_begun = true;
	return buf_view(&t->wire.records);
}

void tls_was_said(struct tls *t, size_t n)
{
	t->wire.sent = n;
}

int tls_handshake(struct tls *t, int fd, struct deadline deadline,
		  struct outcome *o)
{
	int rc;

	t->wire.fd = fd;
	if (!t->has_begun)
		resume_offer(&t->resume, t->session);
	rc = await_dane(t, o);
	if (rc == 0)
		rc = shake_hands(t, deadline, o);
	t->owner = NULL;
	if (rc < 0)
		outcome_set_host(o, server(t));
	return rc;
}

/* ------------------------------------------------------------------ records */

static int note_error(struct tls *t, ptrdiff_t rc)
{
	struct buf words = BUF_INIT(1024);

	switch (rc) {
	case GNUTLS_E_PREMATURE_TERMINATION:
		buf_add_text(&words, "it was closed without TLS's goodbye");
		break;
	case GNUTLS_E_PULL_ERROR:
	case GNUTLS_E_PUSH_ERROR:
		buf_add_text(&words, strerror(t->wire.error));
		break;
	case GNUTLS_E_FATAL_ALERT_RECEIVED:
		buf_printf(&words, "TLS alert: %s",
			   gnutls_alert_get_name(gnutls_alert_get(t->session)));
		break;
	default: buf_printf(&words, "TLS: %s", gnutls_strerror((int)rc));
	}
	free(t->error);
	t->error = buf_detach(&words);
	errno = EPIPE;
	return -1;
}

/* What is not fatal (a warning, a wish to negotiate again, which RFC 5246
 * 7.4.1.1 lets us ignore) counts as nothing read; session tickets and key
 * updates GnuTLS handles within. */
ptrdiff_t tls_read(struct tls *t, void *bytes, size_t n)
{
	ssize_t rc;

	wire_send(&t->wire); /* if that fails, reading tells more */
	do
		rc = gnutls_record_recv(t->session, bytes, n);
	while (rc < 0 && !gnutls_error_is_fatal((int)rc) &&
	       wire_has_input(&t->wire));
	if (rc >= 0)
		return rc;
	if (gnutls_error_is_fatal((int)rc))
		return note_error(t, rc);
	errno = EAGAIN;
	return -1;
}

/* Encrypt a batch into `wire`. */
static int encrypt(struct tls *t, const char *bytes, size_t n)
{
	ssize_t rc;

	if (n > BATCH)
		n = BATCH;
	while (t->in_wire < n) {
		rc = gnutls_record_send(t->session, bytes + t->in_wire,
					n - t->in_wire);
		if (rc < 0)
			return note_error(t, rc);
		t->in_wire += (size_t)rc;
	}
	return 0;
}

ptrdiff_t tls_write(struct tls *t, const void *bytes, size_t n)
{
	size_t done;

	if (!t->in_wire && encrypt(t, bytes, n) < 0)
		return -1;
	if (wire_send(&t->wire) < 0)
		return errno == EAGAIN ? -1
				       : note_error(t, GNUTLS_E_PUSH_ERROR);
	done = t->in_wire;
	t->in_wire = 0;
	return (ptrdiff_t)done;
}

const char *tls_error(const struct tls *t)
{
	return t->error ? t->error : "no error";
}

bool tls_wants_write(const struct tls *t)
{
	return wire_wants_write(&t->wire);
}

void tls_bye(struct tls *t)
{
	if (t->is_checked)
		resume_keep(&t->resume, t->session, &t->trust);
	gnutls_bye(t->session, GNUTLS_SHUT_WR);
	wire_send(&t->wire);
}

/* -------------------------------------------------------------------- facts */

/* A session that goes on is as good as the first was. */
static const char *verified_by(const struct tls *t)
{
	if (gnutls_session_is_resumed(t->session))
		return t->resume.ticket.verified;
	return dane_decides(t->dane) ? "dane" : trust_words(&t->trust);
}

void tls_describe(const struct tls *t, bool with_chain, struct tls_facts *f)
{
	gnutls_protocol_t version = gnutls_protocol_get_version(t->session);
	char *cipher = gnutls_session_get_desc(t->session);

	*f = (struct tls_facts){
		.version = memory_dup(gnutls_protocol_get_name(version)),
		.cipher = memory_dup(cipher ? cipher : ""),
		.verified = memory_dup(verified_by(t)),
		.is_resumed = gnutls_session_is_resumed(t->session),
	};
	gnutls_free(cipher);
	if (with_chain)
		f->chain = chain_describe(t->session, &f->n_chain);
}

void tls_facts_release(struct tls_facts *f)
{
	size_t i;

	for (i = 0; i < f->n_chain; i++)
		certificate_release(&f->chain[i]);
	free(f->chain);
	free(f->version);
	free(f->cipher);
	free(f->verified);
	*f = TLS_FACTS_INIT;
}

/* RFC 9266 2: a context of no octets, which before TLS 1.3 is another thing
 * than no context. Not gnutls_session_channel_binding, which has it only since
 * 3.7.2. */
static bool add_exporter(const struct tls *t, struct buf *out)
{
	static const char label[] = "EXPORTER-Channel-Binding";
	char octets[32];

	if (gnutls_prf_rfc5705(t->session, sizeof(label) - 1, label, 0, "",
			       sizeof(octets), octets) < 0)
		return false;
	buf_add(out, octets, sizeof(octets));
	return true;
}

static bool add_unique(const struct tls *t, struct buf *out)
{
	gnutls_datum_t octets = {NULL, 0};

	if (gnutls_session_channel_binding(t->session, GNUTLS_CB_TLS_UNIQUE,
					   &octets) < 0)
		return false;
	buf_add(out, octets.data, octets.size);
	gnutls_free(octets.data);
	return true;
}

/* Before TLS 1.3 only sessions with the extended master secret (RFC 7627) bind
 * to one channel; from there on there is no tls-unique. */
bool tls_channel_binding(const struct tls *t, const char *type, struct buf *out)
{
	bool is_1_3 = gnutls_protocol_get_version(t->session) >= GNUTLS_TLS1_3;

	if (!is_1_3 && !gnutls_session_ext_master_secret_status(t->session))
		return false;
	if (!strcmp(type, "tls-exporter"))
		return add_exporter(t, out);
	if (!strcmp(type, "tls-unique") && !is_1_3)
		return add_unique(t, out);
	return false;
}
