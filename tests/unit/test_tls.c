/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS against a GnuTLS server in a process of its own: which certificates pass,
 * what is said of those that do not, and octets in both directions. */
#include "net/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "certs.h"

#include "base/memory.h"
#include "net/certificate.h"
#include "net/stream.h"
#include "unit.h"

#define HOST    "mail.example.org"
#define SECONDS 60 /* a generous deadline */

#define BULK (6u << 20) /* octets in each direction */

enum {
	ROOT,
	MIDDLE,
	STRANGER, /* an authority that nobody trusts */
	GOOD,
	SELF,
	EXPIRED,
	FUTURE,
	OTHER,
	NAMELESS, /* the name only in CN */
	IPV4,
	IPV6,
	IP_AS_NAME,
	WILD,
	WILD_TOP,
	WILD_PART,
	WILD_INNER,
	IDN,
	BELOW_MIDDLE,
	BELOW_STRANGER,
	FOR_CLIENTS,
	WEAK,
	REVOKED,
	N_MADE,
};

#define NOBODY N_MADE

static const struct {
	struct wish wish;
	int issuer; /* NOBODY: itself */
} wishes[N_MADE] = {
	[ROOT] = {{.cn = "Test Root", .is_authority = true}, NOBODY},
	[MIDDLE] = {{.cn = "Test Middle", .is_authority = true}, ROOT},
	[STRANGER] = {{.cn = "Stranger", .is_authority = true}, NOBODY},
	[GOOD] = {{.cn = HOST, .dns = {"www.example.org", HOST}}, ROOT},
	[SELF] = {{.cn = HOST, .dns = {HOST}}, NOBODY},
	[EXPIRED] = {{.cn = HOST, .dns = {HOST}, .begins = -20, .ends = -10},
		     ROOT},
	[FUTURE] = {{.cn = HOST, .dns = {HOST}, .begins = 10, .ends = 20},
		    ROOT},
	[OTHER] = {{.cn = HOST,
		    .dns = {"a.example.net", "b.example.net"},
		    .ip = "192.0.2.7"},
		   ROOT},
	[NAMELESS] = {{.cn = HOST}, ROOT},
	[IPV4] = {{.cn = "v4", .ip = "127.0.0.1"}, ROOT},
	[IPV6] = {{.cn = "v6", .ip = "::1"}, ROOT},
	[IP_AS_NAME] = {{.cn = "127.0.0.1", .dns = {"127.0.0.1"}}, ROOT},
	[WILD] = {{.cn = "wild", .dns = {"*.example.org"}}, ROOT},
	[WILD_TOP] = {{.cn = "top", .dns = {"*.org", "*"}}, ROOT},
	[WILD_PART] = {{.cn = "part", .dns = {"m*.example.org", "*il.a.org"}},
		       ROOT},
	[WILD_INNER] = {{.cn = "inner", .dns = {"mail.*.org"}}, ROOT},
	[IDN] = {{.cn = "idn", .dns = {"xn--bcher-kva.example.org"}}, ROOT},
	[BELOW_MIDDLE] = {{.cn = HOST, .dns = {HOST}}, MIDDLE},
	[BELOW_STRANGER] = {{.cn = HOST, .dns = {HOST}}, STRANGER},
	[FOR_CLIENTS] = {{.cn = "alice", .dns = {HOST}, .for_clients = true},
			 ROOT},
	[WEAK] = {{.cn = HOST, .dns = {HOST}, .rsa_bits = 1024}, ROOT},
	[REVOKED] = {{.cn = HOST, .dns = {HOST}}, ROOT},
};

static struct made made[N_MADE];
static char *root_file, *stranger_file, *self_file, *alice_file,
	*alice_key_file;
static char *crl_file, *old_crl_file, *empty_file;
static char empty_folder[] = "/tmp/postrider-test-XXXXXX";

static int make_all(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < N_MADE; i++)
		certs_make(&made[i], &wishes[i].wish,
			   wishes[i].issuer == NOBODY
				   ? NULL
				   : &made[wishes[i].issuer]);
	root_file = certs_pem(&made[ROOT]);
	stranger_file = certs_pem(&made[STRANGER]);
	self_file = certs_pem(&made[SELF]);
	alice_file = certs_pem(&made[FOR_CLIENTS]);
	alice_key_file = certs_key_pem(&made[FOR_CLIENTS]);
	crl_file = certs_crl(&made[ROOT], &made[REVOKED], 30);
	old_crl_file = certs_crl(&made[ROOT], &made[REVOKED], -1);
	empty_file = certs_file("nothing\n", 8);
	assert_non_null(mkdtemp(empty_folder));
	return 0;
}

static int free_all(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < N_MADE; i++)
		certs_free(&made[i]);
	certs_remove(root_file);
	certs_remove(stranger_file);
	certs_remove(self_file);
	certs_remove(alice_file);
	certs_remove(alice_key_file);
	certs_remove(crl_file);
	certs_remove(old_crl_file);
	certs_remove(empty_file);
	rmdir(empty_folder);
	return 0;
}

/* --------------------------------------------------------------- the server */

#define CHAIN_SIZE 4

/* What the server shows and does. */
struct server {
	int chain[CHAIN_SIZE];  /* ends with NOBODY or the array */
	const char *priorities; /* NULL: NORMAL */
	bool wants_certificate;
	/* After the handshake; its result is the process' exit status. */
	int (*act)(gnutls_session_t session);
	struct view clear; /* no TLS, but these octets */
};

enum { DONE = 0, REFUSED = 1, ODD = 2 };

static int give_up(const char *what, int rc)
{
	fprintf(stderr, "server: %s: %s\n", what, gnutls_strerror(rc));
	return ODD;
}

static int serve_tls(const struct server *s, int fd)
{
	gnutls_certificate_credentials_t credentials;
	gnutls_x509_crt_t list[CHAIN_SIZE];
	gnutls_session_t session;
	int rc, n;

	for (n = 0; n < CHAIN_SIZE; n++) {
		if (n && s->chain[n] == 0)
			break;
		list[n] = made[s->chain[n]].certificate;
	}
	gnutls_certificate_allocate_credentials(&credentials);
	rc = gnutls_certificate_set_x509_key(credentials, list, n,
					     made[s->chain[0]].key);
	if (rc < 0)
		return give_up("certificate", rc);
	gnutls_certificate_set_x509_trust_file(credentials, root_file,
					       GNUTLS_X509_FMT_PEM);
	gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NO_SIGNAL);
	rc = gnutls_priority_set_direct(
		session, s->priorities ? s->priorities : "NORMAL", NULL);
	if (rc < 0)
		return give_up("priorities", rc);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	if (s->wants_certificate)
		gnutls_certificate_server_set_request(session,
						      GNUTLS_CERT_REQUIRE);
	gnutls_transport_set_int(session, fd);
	do
		rc = gnutls_handshake(session);
	while (rc < 0 && !gnutls_error_is_fatal(rc));
	if (rc < 0) {
		gnutls_alert_send_appropriate(session, rc);
		return REFUSED;
	}
	rc = s->act ? s->act(session) : DONE;
	gnutls_deinit(session);
	gnutls_certificate_free_credentials(credentials);
	return rc;
}

static int serve(const struct server *s, int fd)
{
	char c;

	if (!s->clear.p)
		return serve_tls(s, fd);
	if (send(fd, s->clear.p, s->clear.n, MSG_NOSIGNAL) < 0)
		return ODD;
	shutdown(fd, SHUT_WR);
	while (recv(fd, &c, 1, 0) > 0)
		;
	return DONE;
}

/* Our end of a connection to it. */
static int start(const struct server *s, pid_t *pid)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	*pid = fork();
	assert_true(*pid >= 0);
	if (*pid == 0) {
		close(fds[0]);
		alarm(2 * SECONDS);
		_exit(serve(s, fds[1]));
	}
	close(fds[1]);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	return fds[0];
}

static int finish(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static struct deadline soon(void)
{
	return deadline_in(SECONDS);
}

static struct tls_policy policy_for_root(void)
{
	return (struct tls_policy){
		.on = true,
		.certcheck = true,
		.trust_file = root_file,
	};
}

/* ------------------------------------------------------ who passes, who not */

/* words: what the message must hold; NULL: the handshake succeeds. */
static const struct {
	const char *host;
	int chain[CHAIN_SIZE];
	const char *words[4];
} verdicts[] = {
	{HOST, {GOOD}, {NULL}},
	{"MAIL.Example.ORG.", {GOOD}, {NULL}},
	{"www.example.org", {GOOD}, {NULL}},
	{HOST, {SELF}, {"self-signed", "CN=" HOST, "tls_fingerprint "}},
	{HOST, {EXPIRED}, {"expired on 20", HOST}},
	{HOST, {FUTURE}, {"not yet valid", "it begins on 20", HOST}},
	{HOST,
	 {OTHER},
	 {"not for the name " HOST, "a.example.net, b.example.net, 192.0.2.7"}},
	{"example.org", {GOOD}, {"not for the name example.org"}},
	{"x." HOST, {GOOD}, {"not for the name x." HOST}},
	{HOST, {NAMELESS}, {"name " HOST, "subjectAltName", "CN"}},
	{"127.0.0.1", {IPV4}, {NULL}},
	{"127.0.0.2", {IPV4}, {"not for the name 127.0.0.2", "127.0.0.1"}},
	{"::1", {IPV4}, {"not for the name ::1", "127.0.0.1"}},
	{"::1", {IPV6}, {NULL}},
	{"0:0:0::1", {IPV6}, {NULL}},
	{"::1%lo", {IPV6}, {NULL}},
	{"::2", {IPV6}, {"not for the name ::2", "for: ::1"}},
	{"127.0.0.1", {IP_AS_NAME}, {"not for the name 127.0.0.1"}},
	{HOST, {WILD}, {NULL}},
	{"xn--bcher-kva.example.org", {WILD}, {NULL}},
	{"a.b.example.org", {WILD}, {"not for the name", "*.example.org"}},
	{"example.org", {WILD}, {"not for the name", "*.example.org"}},
	{"example.org", {WILD_TOP}, {"not for the name", "*.org"}},
	{"localhost", {WILD_TOP}, {"not for the name", "*.org"}},
	{HOST, {WILD_PART}, {"not for the name", "m*.example.org"}},
	{"mail.a.org", {WILD_PART}, {"not for the name", "*il.a.org"}},
	{HOST, {WILD_INNER}, {"not for the name", "mail.*.org"}},
	{"b\xc3\xbc"
	 "cher.example.org",
	 {IDN},
	 {NULL}},
	{"B\xc3\x9c"
	 "CHER.example.org",
	 {IDN},
	 {NULL}},
	{"bucher.example.org", {IDN}, {"not for the name"}},
	{HOST, {BELOW_MIDDLE, MIDDLE}, {NULL}},
	{HOST,
	 {BELOW_MIDDLE},
	 {"issuer CN=Test Middle", "unknown", "intermediate"}},
	{HOST, {BELOW_STRANGER}, {"issuer CN=Stranger", "unknown"}},
	{HOST,
	 {BELOW_STRANGER, STRANGER},
	 {"issuer CN=Stranger", "not among the trusted", "tls_trust_file"}},
	{HOST, {FOR_CLIENTS}, {"not meant for a server"}},
	{HOST, {WEAK}, {"too weak", "1024"}},
};

static void assert_words(const struct outcome *o, const char *const words[4])
{
	size_t i;

	assert_int_equal(o->cause, CAUSE_TLS);
	assert_string_equal(o->status, "4.7.5");
	assert_non_null(o->host);
	assert_null(strchr(o->text, '\n'));
	for (i = 0; i < 4 && words[i]; i++)
		if (!strstr(o->text, words[i]))
			fail_msg("no \"%s\" in: %s", words[i], o->text);
}

static void judges_certificates(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < N_OF(verdicts); i++) {
		struct tls_policy policy = policy_for_root();
		struct outcome o = OUTCOME_INIT;
		struct server server = {0};
		struct tls *t;
		pid_t pid;
		int fd, rc;

		for (k = 0; k < CHAIN_SIZE; k++)
			server.chain[k] = verdicts[i].chain[k];
		fd = start(&server, &pid);
		t = tls_new(&policy, verdicts[i].host, NULL, &o);
		assert_non_null(t);
		rc = tls_handshake(t, fd, soon(), &o);
		if (!verdicts[i].words[0] && rc < 0)
			fail_msg("%zu: %s", i, o.text);
		if (verdicts[i].words[0]) {
			if (rc == 0)
				fail_msg("%zu passed", i);
			assert_words(&o, verdicts[i].words);
		}
		tls_bye(t);
		tls_free(t);
		close(fd);
		assert_int_equal(finish(pid), rc < 0 ? REFUSED : DONE);
		outcome_release(&o);
	}
}

/* A certificate and a policy that is not the plain one. */
static const struct {
	struct tls_policy policy;
	char **trust; /* NULL: the root's */
	char **crl;
	int certificate;
	const char *words[4];
} policies[] = {
	{{.certcheck = true, .host_override = (char *)"a.example.net"},
	 NULL,
	 NULL,
	 OTHER,
	 {NULL}},
	{{.certcheck = true, .host_override = (char *)"a.example.net"},
	 NULL,
	 NULL,
	 GOOD,
	 {"not for the name a.example.net"}},
	{{.certcheck = true}, &self_file, NULL, SELF, {NULL}},
	{{.certcheck = true},
	 &stranger_file,
	 NULL,
	 GOOD,
	 {"issuer CN=Test Root", "unknown"}},
	{{.certcheck = true}, NULL, &crl_file, GOOD, {NULL}},
	{{.certcheck = true}, NULL, &crl_file, REVOKED, {"revoked"}},
	{{.certcheck = true}, NULL, &old_crl_file, REVOKED, {"revoked"}},
	{{.certcheck = false}, NULL, NULL, SELF, {NULL}},
	{{.certcheck = false}, NULL, NULL, EXPIRED, {NULL}},
	{{.certcheck = false}, NULL, NULL, OTHER, {NULL}},
	{{.certcheck = true,
	  .fingerprint = (char *)"00:11:22:33:44:55:66:77:"
				 "88:99:AA:BB:CC:DD:EE:FF:00:11:22:33"},
	 NULL,
	 NULL,
	 GOOD,
	 {"does not match tls_fingerprint", "SHA-256"}},
	{{.certcheck = false,
	  .fingerprint = (char *)"00112233445566778899aabbccddeeff"},
	 NULL,
	 NULL,
	 GOOD,
	 {"does not match tls_fingerprint", "SHA-256"}},
};

static void obeys_the_policy(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(policies); i++) {
		struct tls_policy policy = policies[i].policy;
		struct server server = {.chain = {policies[i].certificate}};
		struct outcome o = OUTCOME_INIT;
		struct tls *t;
		pid_t pid;
		int fd, rc;

		policy.trust_file = policies[i].trust ? *policies[i].trust
						      : root_file;
		policy.crl_file = policies[i].crl ? *policies[i].crl : NULL;
		fd = start(&server, &pid);
		t = tls_new(&policy, HOST, NULL, &o);
		assert_non_null(t);
		rc = tls_handshake(t, fd, soon(), &o);
		if (!policies[i].words[0] && rc < 0)
			fail_msg("%zu: %s", i, o.text);
		if (policies[i].words[0]) {
			if (rc == 0)
				fail_msg("%zu passed", i);
			assert_words(&o, policies[i].words);
		}
		tls_bye(t);
		tls_free(t);
		close(fd);
		finish(pid);
		outcome_release(&o);
	}
}

/* The certificate's fingerprint in three lengths, written in three ways. */
static void takes_fingerprints(void **state)
{
	static const gnutls_digest_algorithm_t algorithms[] = {
		GNUTLS_DIG_SHA256, GNUTLS_DIG_SHA1, GNUTLS_DIG_MD5};
	gnutls_datum_t der;
	size_t i, k, n;

	(void)state;
	MUST(gnutls_x509_crt_export2(made[SELF].certificate,
				     GNUTLS_X509_FMT_DER, &der));
	for (i = 0; i < N_OF(algorithms); i++) {
		char *print = certificate_fingerprint(&der, algorithms[i]);
		struct tls_policy policy = {.fingerprint = print};
		struct server server = {.chain = {SELF}};
		struct tls_facts facts = TLS_FACTS_INIT;
		struct outcome o = OUTCOME_INIT;
		struct tls *t;
		pid_t pid;
		int fd;

		if (i == 1) {
			for (k = n = 0; print[k]; k++)
				if (print[k] != ':')
					print[n++] = print[k];
			print[n] = '\0';
		}
		for (k = 0; i == 2 && print[k]; k++)
			if (print[k] >= 'A')
				print[k] = (char)(print[k] - 'A' + 'a');
		fd = start(&server, &pid);
		t = tls_new(&policy, "any.name.test", NULL, &o);
		assert_non_null(t);
		if (tls_handshake(t, fd, soon(), &o) < 0)
			fail_msg("%s: %s", print, o.text);
		tls_describe(t, false, &facts);
		assert_string_equal(facts.verified, "fingerprint");
		tls_facts_release(&facts);
		tls_bye(t);
		tls_free(t);
		close(fd);
		assert_int_equal(finish(pid), DONE);
		free(print);
	}
	gnutls_free(der.data);
}

/* ----------------------------------------------------- handshakes that fail */

#define OLD_ONLY                                                           \
	"NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0:%VERIFY_ALLOW_BROKEN:" \
	"+SHA1:+SIGN-ALL"
#define ONLY_1_2 "NORMAL:-VERS-ALL:+VERS-TLS1.2"

static const struct {
	struct server server;
	struct tls_policy policy;
	enum cause cause;
	const char *words;
} handshakes[] = {
	{{.chain = {GOOD}, .priorities = OLD_ONLY},
	 {0},
	 CAUSE_TLS,
	 "does not speak a TLS version that we accept; TLS 1.2 or"},
	{{.chain = {GOOD}, .priorities = OLD_ONLY},
	 {.priorities = (char *)"NORMAL:-VERS-ALL:+VERS-TLS1.1:+SHA1"},
	 CAUSE_TLS,
	 "speaks TLS1.1; TLS 1.2 or later is asked for"},
	{{.chain = {GOOD}, .priorities = ONLY_1_2},
	 {.min_version = TLS_1_3},
	 CAUSE_TLS,
	 "refused the TLS handshake"},
	{{.clear = VIEW("\x15\x03\x03\x00\x02\x02\x46")},
	 {.min_version = TLS_1_3},
	 CAUSE_TLS,
	 "does not speak a TLS version that we accept; TLS 1.3 or"},
	{{.chain = {GOOD}, .priorities = ONLY_1_2},
	 {.min_version = TLS_1_3, .priorities = (char *)"NORMAL"},
	 CAUSE_TLS,
	 "speaks TLS1.2; TLS 1.3 or later is asked for"},
	{{.clear = VIEW("220 mail.example.org ESMTP\r\n")},
	 {0},
	 CAUSE_TLS,
	 "does not speak TLS on this port; perhaps tls_starttls on"},
	{{.clear = VIEW("2")},
	 {0},
	 CAUSE_TLS,
	 "perhaps tls_starttls on is meant"},
	{{.clear = VIEW("454 no\r\n")},
	 {.starttls = true},
	 CAUSE_TLS,
	 "agreed to STARTTLS, but does not speak TLS then"},
	{{.clear = VIEW("")}, {0}, CAUSE_CONNECT, "the server closed it"},
	{{.clear = VIEW("\x15\x03\x03\x00\x02\x02\x28")},
	 {0},
	 CAUSE_TLS,
	 "refused the TLS handshake: Handshake failed"},
	{{.chain = {GOOD}, .priorities = "NORMAL:-CIPHER-ALL:+AES-128-GCM"},
	 {.priorities = (char *)"NORMAL:-CIPHER-ALL:+AES-256-GCM"},
	 CAUSE_TLS,
	 "refused the TLS handshake"},
};

static void says_why_a_handshake_failed(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(handshakes); i++) {
		struct tls_policy policy = handshakes[i].policy;
		struct outcome o = OUTCOME_INIT;
		struct tls *t;
		pid_t pid;
		int fd;

		policy.certcheck = true;
		policy.trust_file = root_file;
		fd = start(&handshakes[i].server, &pid);
		t = tls_new(&policy, HOST, NULL, &o);
		if (!t)
			fail_msg("%zu: %s", i, o.text);
		assert_int_equal(tls_handshake(t, fd, soon(), &o), -1);
		if (!strstr(o.text, handshakes[i].words))
			fail_msg("%zu: %s", i, o.text);
		assert_int_equal(o.cause, handshakes[i].cause);
		assert_string_equal(o.status,
				    o.cause == CAUSE_TLS ? "4.7.5" : "4.4.2");
		assert_string_equal(o.host, HOST);
		tls_free(t);
		close(fd);
		assert_int_not_equal(finish(pid), ODD);
		outcome_release(&o);
	}
}

static void keeps_the_deadline(void **state)
{
	struct tls_policy policy = policy_for_root();
	struct outcome o = OUTCOME_INIT;
	int64_t begin = clock_ms();
	struct tls *t;
	int fds[2];

	(void)state;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	t = tls_new(&policy, HOST, NULL, &o);
	assert_int_equal(tls_handshake(t, fds[0], deadline_in_ms(100), &o), -1);
	assert_int_equal(o.cause, CAUSE_CONNECT);
	assert_string_equal(o.status, "4.4.2");
	assert_non_null(strstr(o.text, "timed out"));
	assert_true(clock_ms() - begin >= 100);
	assert_true(clock_ms() - begin < SECONDS * 1000);
	tls_free(t);
	close(fds[0]);
	close(fds[1]);
	outcome_release(&o);
}

/* ----------------------------------------------------- what can't be loaded */

static const struct {
	struct tls_policy policy;
	const char *host;
	const char *words[2];
} faults[] = {
	{{.certcheck = true, .trust_file = (char *)"/nowhere/ca.pem"},
	 HOST,
	 {"tls_trust_file /nowhere/ca.pem", "No such file"}},
	{{.certcheck = true, .trust_file = (char *)"EMPTY"},
	 HOST,
	 {"tls_trust_file", ": "}},
	{{.certcheck = true, .trust_file = empty_folder},
	 HOST,
	 {"tls_trust_file /tmp/", "no certificate"}},
	{{.certcheck = true,
	  .trust_file = (char *)"ROOT",
	  .crl_file = (char *)"/nowhere/crl.pem"},
	 HOST,
	 {"tls_crl_file /nowhere/crl.pem", "No such file"}},
	{{.certcheck = true,
	  .trust_file = (char *)"ROOT",
	  .crl_file = (char *)"EMPTY"},
	 HOST,
	 {"tls_crl_file", ": "}},
	{{.cert_file = (char *)"/nowhere/me.pem"},
	 HOST,
	 {"tls_cert_file /nowhere/me.pem", "No such file"}},
	{{.cert_file = (char *)"ROOT"}, HOST, {"tls_key_file", ": "}},
	{{.cert_file = (char *)"ROOT", .key_file = (char *)"/nowhere/k"},
	 HOST,
	 {"tls_key_file /nowhere/k", "No such file"}},
	{{.key_file = (char *)"ROOT"}, HOST, {"no tls_cert_file", ""}},
	{{.fingerprint = (char *)"AA:BB"}, HOST, {"tls_fingerprint", "64"}},
	{{.fingerprint = (char *)"zz"}, HOST, {"tls_fingerprint", "64"}},
	{{.fingerprint = (char *)"0011223344556677889900112233445566778899"
				 "0011223344556677889900112233445566778899"},
	 HOST,
	 {"tls_fingerprint", "64"}},
	{{.priorities = (char *)"NORMAL:+NONSENSE"},
	 HOST,
	 {"tls_priorities", "NONSENSE"}},
	{{.certcheck = true, .trust_file = (char *)"ROOT"},
	 NULL,
	 {"set host or tls_host_override", ""}},
	{{.certcheck = true, .trust_file = (char *)"ROOT"},
	 "a..b",
	 {"a..b", ""}},
};

static char *file_of(char *path)
{
	if (path && !strcmp(path, "ROOT"))
		return root_file;
	return path && !strcmp(path, "EMPTY") ? empty_file : path;
}

static void names_what_it_cannot_load(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(faults); i++) {
		struct tls_policy policy = faults[i].policy;
		struct outcome o = OUTCOME_INIT;

		policy.trust_file = file_of(policy.trust_file);
		policy.crl_file = file_of(policy.crl_file);
		policy.cert_file = file_of(policy.cert_file);
		policy.key_file = file_of(policy.key_file);
		assert_null(tls_new(&policy, faults[i].host, NULL, &o));
		if (!strstr(o.text, faults[i].words[0]) ||
		    !strstr(o.text, faults[i].words[1]))
			fail_msg("%zu: %s", i, o.text);
		assert_int_equal(o.cause, CAUSE_CONFIG);
		assert_string_equal(o.status, "5.3.5");
		outcome_release(&o);
	}
}

static void needs_no_name_for_a_fingerprint(void **state)
{
	struct tls_policy policy = {
		.fingerprint = (char *)"00112233445566778899aabbccddeeff"};
	struct outcome o = OUTCOME_INIT;
	struct tls *t = tls_new(&policy, NULL, NULL, &o);

	(void)state;
	assert_non_null(t);
	tls_free(t);
}

/* ----------------------------------------------------------------- after it */

/* A session over a stream, to be talked with. */
static struct stream *open_stream(const struct server *server, pid_t *pid,
				  struct tls_policy policy)
{
	struct connection c = CONNECTION_INIT;
	struct outcome o = OUTCOME_INIT;
	struct stream *s;

	c.fd = start(server, pid);
	s = stream_new(&c, HOST);
	if (stream_start_tls(s, tls_new(&policy, HOST, NULL, &o), soon(), &o) <
	    0)
		fail_msg("%s", o.text);
	return s;
}

/* Says what identifies the channel: length, type by type. */
static int tell_bindings(gnutls_session_t session)
{
	gnutls_datum_t exporter = {NULL, 0}, unique = {NULL, 0};

	gnutls_session_channel_binding(session, GNUTLS_CB_TLS_EXPORTER,
				       &exporter);
	if (gnutls_protocol_get_version(session) == GNUTLS_TLS1_2)
		gnutls_session_channel_binding(session, GNUTLS_CB_TLS_UNIQUE,
					       &unique);
	gnutls_record_send(session, exporter.data, exporter.size);
	if (unique.size)
		gnutls_record_send(session, unique.data, unique.size);
	gnutls_free(exporter.data);
	gnutls_free(unique.data);
	return gnutls_bye(session, GNUTLS_SHUT_WR) < 0 ? ODD : DONE;
}

static void take_all(struct stream *s)
{
	struct outcome o = OUTCOME_INIT;
	int rc;

	do
		rc = stream_progress(s, 0, soon(), &o);
	while (rc > 0);
	if (rc < 0)
		fail_msg("%s", o.text);
}

static void binds_to_the_channel(void **state)
{
	static const char *const priorities[] = {
		ONLY_1_2, "NORMAL:-VERS-ALL:+VERS-TLS1.3"};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(priorities); i++) {
		struct server server = {
			.chain = {GOOD},
			.priorities = priorities[i],
			.act = tell_bindings,
		};
		struct buf ours = BUF_INIT(1024);
		struct view theirs;
		struct stream *s;
		bool has_unique;
		pid_t pid;

		s = open_stream(&server, &pid, policy_for_root());
		take_all(s);
		theirs = stream_input(s);
		assert_true(tls_channel_binding(stream_tls(s), "tls-exporter",
						&ours));
		assert_int_equal(ours.n, 32);
		has_unique =
			tls_channel_binding(stream_tls(s), "tls-unique", &ours);
		assert_int_equal(has_unique, i == 0);
		assert_int_equal(ours.n, theirs.n);
		assert_memory_equal(ours.p, theirs.p, ours.n);
		assert_false(tls_channel_binding(stream_tls(s), "tls-nonsense",
						 &ours));
		buf_release(&ours);
		stream_free(s);
		assert_int_equal(finish(pid), DONE);
	}
}

static void describes_the_session(void **state)
{
	struct server server = {.chain = {BELOW_MIDDLE, MIDDLE}};
	struct tls_facts f = TLS_FACTS_INIT;
	struct tls_certificate *c;
	struct stream *s;
	pid_t pid;

	(void)state;
	s = open_stream(&server, &pid, policy_for_root());
	tls_describe(stream_tls(s), true, &f);
	assert_string_equal(f.version, "TLS1.3");
	assert_non_null(strstr(f.cipher, "TLS1.3"));
	assert_string_equal(f.verified, root_file);
	assert_int_equal(f.n_chain, 2);
	c = f.chain;
	assert_string_equal(c->subject, "CN=" HOST);
	assert_string_equal(c->issuer, "CN=Test Middle");
	assert_string_equal(c->names, HOST);
	assert_int_equal(strlen(c->valid_from), 20);
	assert_int_equal(c->valid_until[19], 'Z');
	assert_int_equal(strlen(c->sha256), 95);
	assert_int_equal(strlen(c->sha1), 59);
	assert_string_equal(f.chain[1].subject, "CN=Test Middle");
	assert_string_equal(f.chain[1].names, "");
	tls_facts_release(&f);
	tls_describe(stream_tls(s), false, &f);
	assert_int_equal(f.n_chain, 0);
	tls_facts_release(&f);
	stream_close(s);
	stream_free(s);
	assert_int_equal(finish(pid), DONE);
}

/* Tells whose certificate we have shown. */
static int tell_subject(gnutls_session_t session)
{
	unsigned n = 0;
	const gnutls_datum_t *sent = gnutls_certificate_get_peers(session, &n);
	gnutls_x509_crt_t c;
	gnutls_datum_t dn;

	if (!sent || gnutls_x509_crt_init(&c) < 0 ||
	    gnutls_x509_crt_import(c, sent, GNUTLS_X509_FMT_DER) < 0 ||
	    gnutls_x509_crt_get_dn3(c, &dn, 0) < 0)
		return ODD;
	gnutls_record_send(session, dn.data, dn.size);
	gnutls_free(dn.data);
	gnutls_x509_crt_deinit(c);
	return gnutls_bye(session, GNUTLS_SHUT_WR) < 0 ? ODD : DONE;
}

static void shows_its_own_certificate(void **state)
{
	struct tls_policy policy = policy_for_root();
	struct server server = {
		.chain = {GOOD},
		.wants_certificate = true,
		.act = tell_subject,
	};
	struct view said;
	struct stream *s;
	pid_t pid;

	(void)state;
	policy.cert_file = alice_file;
	policy.key_file = alice_key_file;
	s = open_stream(&server, &pid, policy);
	take_all(s);
	said = stream_input(s);
	assert_int_equal(said.n, 8);
	assert_memory_equal(said.p, "CN=alice", 8);
	stream_free(s);
	assert_int_equal(finish(pid), DONE);
}

/* -------------------------------------------------------------- many octets */

static char octet_at(size_t i)
{
	return (char)(i * 31 + (i >> 12));
}

/*
 * First says BULK octets without reading any, asking for new keys on the way;
 * then reads BULK octets: a client that wrote without reading would hang.
 */
static int flood(gnutls_session_t session)
{
	char piece[10000];
	size_t done = 0, n, i;
	ssize_t rc;

	while (done < BULK) {
		n = BULK - done < sizeof(piece) ? BULK - done : sizeof(piece);
		for (i = 0; i < n; i++)
			piece[i] = octet_at(done + i);
		rc = gnutls_record_send(session, piece, n);
		if (rc < 0)
			return give_up("send", (int)rc);
		done += (size_t)rc;
		if (done % 2000000 == 0 &&
		    gnutls_protocol_get_version(session) == GNUTLS_TLS1_3) {
			rc = gnutls_session_key_update(session, GNUTLS_KU_PEER);
			if (rc < 0)
				return give_up("key update", (int)rc);
		}
	}
	for (done = 0; done < BULK; done += (size_t)rc) {
		do /* new keys of the client's count as nothing */
			rc = gnutls_record_recv(session, piece, sizeof(piece));
		while (rc == GNUTLS_E_AGAIN);
		if (rc <= 0)
			return give_up("receive", (int)rc);
		for (i = 0; i < (size_t)rc; i++)
			if (piece[i] != octet_at(done + i))
				return ODD;
	}
	return gnutls_bye(session, GNUTLS_SHUT_WR) < 0 ? ODD : DONE;
}

static void fill(struct stream *s, size_t *put)
{
	char piece[7777];
	size_t n, i;

	while (*put < BULK && stream_unsent(s) < 65536) {
		n = BULK - *put < sizeof(piece) ? BULK - *put : sizeof(piece);
		for (i = 0; i < n; i++)
			piece[i] = octet_at(*put + i);
		stream_put(s, view_make(piece, n));
		*put += n;
	}
}

static size_t drain(struct stream *s, size_t taken)
{
	struct view in = stream_input(s);
	size_t i;

	for (i = 0; i < in.n; i++)
		if (in.p[i] != octet_at(taken + i))
			fail_msg("octet %zu differs", taken + i);
	stream_consume(s, in.n);
	return in.n;
}

static void moves_octets_both_ways(void **state)
{
	static const char *const priorities[] = {
		ONLY_1_2, "NORMAL:-VERS-ALL:+VERS-TLS1.3"};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(priorities); i++) {
		struct server server = {
			.chain = {GOOD},
			.priorities = priorities[i],
			.act = flood,
		};
		struct outcome o = OUTCOME_INIT;
		size_t put = 0, taken = 0;
		struct stream *s;
		pid_t pid;
		int rc = 1;

		s = open_stream(&server, &pid, policy_for_root());
		while (rc > 0) {
			fill(s, &put);
			rc = stream_progress(s, put < BULK ? 32768 : 0, soon(),
					     &o);
			taken += drain(s, taken);
		}
		if (rc == 0 && stream_unsent(s))
			stream_lost(s, &o);
		if (outcome_is_failure(&o))
			fail_msg("%zu: %s", taken, o.text);
		assert_int_equal(taken, BULK);
		assert_int_equal(stream_unsent(s), 0);
		assert_int_equal(stream_lost(s, &o), -1);
		assert_string_equal(o.text, HOST " closed the connection");
		outcome_release(&o);
		stream_free(s);
		assert_int_equal(finish(pid), DONE);
	}
}

/* Leaves in the middle of things, without a word. */
static int vanish(gnutls_session_t session)
{
	gnutls_record_send(session, "221 x\r\n", 7);
	return DONE;
}

static int scream(gnutls_session_t session)
{
	gnutls_alert_send(session, GNUTLS_AL_FATAL, GNUTLS_A_INTERNAL_ERROR);
	return DONE;
}

static const struct {
	int (*act)(gnutls_session_t session);
	const char *said;
	const char *words;
} ends[] = {
	{vanish, "221 x\r\n", "without TLS's goodbye"},
	{scream, "", "TLS alert: Internal error"},
};

static void tells_ends_apart(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(ends); i++) {
		struct server server = {.chain = {GOOD}, .act = ends[i].act};
		struct outcome o = OUTCOME_INIT;
		struct view in;
		struct stream *s;
		pid_t pid;

		s = open_stream(&server, &pid, policy_for_root());
		take_all(s);
		in = stream_input(s);
		assert_int_equal(in.n, strlen(ends[i].said));
		assert_memory_equal(in.p, ends[i].said, in.n);
		stream_lost(s, &o);
		if (!strstr(o.text, ends[i].words))
			fail_msg("%zu: %s", i, o.text);
		assert_string_equal(o.status, "4.4.2");
		stream_put(s, VIEW("QUIT\r\n"));
		stream_close(s);
		stream_free(s);
		assert_int_equal(finish(pid), DONE);
		outcome_release(&o);
	}
}

/* Asks to negotiate again, many times, among what it has to say. */
static int ask_again(gnutls_session_t session)
{
	int i, k;

	for (i = 0; i < 100; i++) {
		for (k = 0; k < i; k++)
			if (gnutls_rehandshake(session) < 0)
				return ODD;
		if (gnutls_record_send(session, "250 ok\r\n", 8) != 8)
			return ODD;
	}
	return gnutls_bye(session, GNUTLS_SHUT_WR) < 0 ? ODD : DONE;
}

/* RFC 5246 7.4.1.1: it may be ignored. What is said around it arrives. */
static void negotiates_once(void **state)
{
	struct server server = {
		.chain = {GOOD}, .priorities = ONLY_1_2, .act = ask_again};
	struct stream *s;
	pid_t pid;

	(void)state;
	s = open_stream(&server, &pid, policy_for_root());
	take_all(s);
	assert_int_equal(stream_input(s).n, 800);
	stream_free(s);
	assert_int_equal(finish(pid), DONE);
}

static int leave(gnutls_session_t session)
{
	(void)session;
	return DONE;
}

static int told[2]; /* a pipe, to who waits to be told */

static int leave_when_told(gnutls_session_t session)
{
	char c;

	(void)session;
	return read(told[0], &c, 1) == 1 ? DONE : ODD;
}

/* Writing to one who is gone is an end, not a SIGPIPE. */
static void survives_a_server_that_is_gone(void **state)
{
	struct server server = {.chain = {GOOD}, .act = leave_when_told};
	struct outcome o = OUTCOME_INIT;
	struct stream *s;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(told), 0);
	s = open_stream(&server, &pid, policy_for_root());
	assert_true(stream_is_quiet(s)); /* and has ended the handshake */
	assert_int_equal(write(told[1], "", 1), 1);
	assert_int_equal(finish(pid), DONE);
	stream_put(s, VIEW("NOOP\r\n"));
	assert_int_equal(stream_progress(s, 0, soon(), &o), 0);
	assert_int_equal(stream_unsent(s), 6);
	assert_int_equal(stream_lost(s, &o), -1);
	assert_non_null(strstr(o.text, "Broken pipe"));
	close(told[0]);
	close(told[1]);
	stream_free(s);
	outcome_release(&o);
}

/* Wants to hear a line and a proper goodbye. */
static int hear_quit(gnutls_session_t session)
{
	char line[64];

	if (gnutls_record_recv(session, line, sizeof(line)) != 6 ||
	    memcmp(line, "QUIT\r\n", 6) != 0)
		return ODD;
	return gnutls_record_recv(session, line, sizeof(line)) ? ODD : DONE;
}

/* What ends the handshake leaves with the first octets; in TLS 1.2 the server
 * has the last word of it, so nothing waits. */
static void ends_the_handshake_with_its_first_words(void **state)
{
	static const char *const versions[] = {NULL, ONLY_1_2};
	struct tls_policy policy = policy_for_root();
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(versions); i++) {
		struct server server = {.chain = {GOOD},
					.priorities = versions[i],
					.act = hear_quit};
		struct outcome o = OUTCOME_INIT;
		struct tls *t = tls_new(&policy, HOST, NULL, &o);
		pid_t pid;
		int fd = start(&server, &pid);

		assert_int_equal(tls_handshake(t, fd, soon(), &o), 0);
		assert_true(tls_wants_write(t) == !versions[i]);
		assert_int_equal(tls_write(t, "QUIT\r\n", 6), 6);
		assert_false(tls_wants_write(t));
		tls_bye(t);
		tls_free(t);
		close(fd);
		assert_int_equal(finish(pid), DONE);
	}
}

/* And where the server has to speak first, before that is waited for. */
static void ends_the_handshake_before_it_listens(void **state)
{
	struct server server = {.chain = {GOOD}, .act = leave};
	struct outcome o = OUTCOME_INIT;
	struct stream *s;
	pid_t pid;

	(void)state;
	s = open_stream(&server, &pid, policy_for_root());
	assert_true(tls_wants_write(stream_tls(s)));
	assert_int_equal(stream_progress(s, 0, soon(), &o), 0);
	assert_int_equal(finish(pid), DONE);
	stream_free(s);
	outcome_release(&o);
}

/* ClientHello, of which so much was sent before there was a session. */
static void goes_on_with_its_first_words(void **state)
{
	struct tls_policy policy = policy_for_root();
	size_t part;

	(void)state;
	for (part = 0; part < 4; part++) {
		struct server server = {.chain = {GOOD}, .act = hear_quit};
		struct outcome o = OUTCOME_INIT;
		struct tls *t = tls_new(&policy, HOST, NULL, &o);
		struct view first = tls_first_words(t);
		size_t n = first.n * part / 3;
		pid_t pid;
		int fd = start(&server, &pid);

		assert_true(first.n > 100 && first.p[0] == 22);
		assert_int_equal(send(fd, first.p, n, 0), n);
		tls_was_said(t, n);
		if (tls_handshake(t, fd, soon(), &o) < 0)
			fail_msg("%zu: %s", n, o.text);
		assert_int_equal(tls_write(t, "QUIT\r\n", 6), 6);
		tls_bye(t);
		tls_free(t);
		close(fd);
		assert_int_equal(finish(pid), DONE);
	}
}

/* If there are none that can be said the handshake tells why. */
static void has_no_first_words(void **state)
{
	struct server server = {.chain = {GOOD}};
	struct tls_policy policy = policy_for_root();
	struct outcome o[2] = {OUTCOME_INIT, OUTCOME_INIT};
	size_t i;

	(void)state;
	policy.priorities = (char[]){"NORMAL:-VERS-ALL:+VERS-DTLS1.2"};
	for (i = 0; i < 2; i++) {
		struct tls *t = tls_new(&policy, HOST, NULL, &o[i]);
		pid_t pid;
		int fd = start(&server, &pid);

		if (i)
			assert_int_equal(tls_first_words(t).n, 0);
		assert_int_equal(tls_handshake(t, fd, soon(), &o[i]), -1);
		tls_free(t);
		close(fd);
		assert_int_equal(finish(pid), REFUSED);
	}
	assert_string_equal(o[0].text, o[1].text);
	outcome_release(&o[0]);
	outcome_release(&o[1]);
}

static void says_goodbye(void **state)
{
	struct server server = {.chain = {GOOD}, .act = hear_quit};
	struct stream *s;
	pid_t pid;

	(void)state;
	s = open_stream(&server, &pid, policy_for_root());
	stream_put(s, VIEW("QUIT\r\n"));
	stream_close(s);
	stream_free(s);
	assert_int_equal(finish(pid), DONE);
}

/* After a refusal the stream carries nothing more, in clear or otherwise. */
static void says_nothing_after_a_refusal(void **state)
{
	struct server server = {.chain = {SELF}};
	struct tls_policy policy = policy_for_root();
	struct connection c = CONNECTION_INIT;
	struct outcome o = OUTCOME_INIT;
	struct stream *s;
	pid_t pid;

	(void)state;
	c.fd = start(&server, &pid);
	s = stream_new(&c, HOST);
	assert_int_equal(stream_start_tls(s, tls_new(&policy, HOST, NULL, &o),
					  soon(), &o),
			 -1);
	assert_string_equal(o.status, "4.7.5");
	stream_put(s, VIEW("MAIL FROM:<alice@example.org>\r\n"));
	assert_int_equal(stream_progress(s, 0, soon(), &o), 0);
	assert_int_equal(stream_unsent(s), 31);
	stream_close(s);
	stream_free(s);
	assert_int_equal(finish(pid), REFUSED);
	outcome_release(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_certificates),
		cmocka_unit_test(obeys_the_policy),
		cmocka_unit_test(takes_fingerprints),
		cmocka_unit_test(says_why_a_handshake_failed),
		cmocka_unit_test(keeps_the_deadline),
		cmocka_unit_test(names_what_it_cannot_load),
		cmocka_unit_test(needs_no_name_for_a_fingerprint),
		cmocka_unit_test(binds_to_the_channel),
		cmocka_unit_test(describes_the_session),
		cmocka_unit_test(shows_its_own_certificate),
		cmocka_unit_test(moves_octets_both_ways),
		cmocka_unit_test(tells_ends_apart),
		cmocka_unit_test(negotiates_once),
		cmocka_unit_test(survives_a_server_that_is_gone),
		cmocka_unit_test(ends_the_handshake_with_its_first_words),
		cmocka_unit_test(ends_the_handshake_before_it_listens),
		cmocka_unit_test(goes_on_with_its_first_words),
		cmocka_unit_test(has_no_first_words),
		cmocka_unit_test(says_goodbye),
		cmocka_unit_test(says_nothing_after_a_refusal),
	};

	return cmocka_run_group_tests(tests, make_all, free_all);
}
