/* The least that a client on GnuTLS can do: it pushes the octets of a message
 * and looks at nothing.
 *
 *     floor port=N tls=none|implicit|starttls via=DATA|BDAT \
 *           [trust=FILE] [user=NAME password=TEXT] [reads=2] <MESSAGE
 *
 * MESSAGE is as it goes over the wire, and is not searched for dots.  Large
 * reads, full records, large writes, one flight where RFC 2920 and 3030 allow
 * it; QUIT goes behind the message and nobody waits for its answer.  The
 * certificate is verified against all of the file, by GnuTLS.  With reads=2 it
 * reads the message once before: as who is to say its SIZE and BODY must. */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 1 << 18, RECORD = 1 << 14 };

static int fd;
static gnutls_session_t session; /* NULL: in clear */
static char out[2 * BLOCK];      /* for the socket */
static size_t pending;
static char in[1 << 14];
static size_t in_length;

static void die(const char *what)
{
	fprintf(stderr, "floor: %s\n", what);
	exit(1);
}

static void write_all(const char *data, size_t length)
{
	while (length) {
		ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);

		if (sent <= 0)
			die("the connection is lost");
		data += sent;
		length -= (size_t)sent;
	}
}

static void flush(void)
{
	write_all(out, pending);
	pending = 0;
}

static ssize_t push(gnutls_transport_ptr_t self, const void *data,
		    size_t length)
{
	(void)self;
	if (pending + length > sizeof(out))
		flush();
	memcpy(out + pending, data, length);
	pending += length;
	return (ssize_t)length;
}

static ssize_t pull(gnutls_transport_ptr_t self, void *data, size_t room)
{
	(void)self;
	flush();
	return recv(fd, data, room, 0);
}

static void say_octets(const char *data, size_t length)
{
	while (session && length) {
		size_t piece = length < RECORD ? length : RECORD;
		ssize_t sent = gnutls_record_send(session, data, piece);

		if (sent <= 0)
			die("cannot encrypt");
		data += sent;
		length -= (size_t)sent;
	}
	if (length && (pending || length < BLOCK))
		push(NULL, data, length);
	else if (length)
		write_all(data, length);
	if (pending >= BLOCK)
		flush();
}

static void say(const char *text)
{
	say_octets(text, strlen(text));
}

static void receive(void)
{
	ssize_t got;

	flush();
	do
		got = session
			? gnutls_record_recv(session, in + in_length,
					     sizeof(in) - in_length)
			: recv(fd, in + in_length, sizeof(in) - in_length, 0);
	while (session && got < 0 && !gnutls_error_is_fatal((int)got));
	if (got <= 0)
		die("the server has gone");
	in_length += (size_t)got;
}

/* One reply, which must begin with this digit. */
static void expect(char digit)
{
	size_t at = 0;
	char *end;

	for (;;) {
		end = memchr(in + at, '\n', in_length - at);
		if (!end) {
			receive();
			continue;
		}
		if (in[at] != digit)
			die("the server refuses");
		if (in[at + 3] == ' ')
			break;
		at = (size_t)(end - in) + 1;
	}
	in_length -= (size_t)(end + 1 - in);
	memmove(in, end + 1, in_length);
}

static void start_tls(const char *trust)
{
	gnutls_certificate_credentials_t who;
	int rc;

	gnutls_certificate_allocate_credentials(&who);
	if (gnutls_certificate_set_x509_trust_file(who, trust,
						   GNUTLS_X509_FMT_PEM) <= 0)
		die("no trust");
	gnutls_init(&session, GNUTLS_CLIENT);
	gnutls_set_default_priority(session);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, who);
	gnutls_session_set_verify_cert(session, "127.0.0.1", 0);
	gnutls_transport_set_ptr(session, NULL);
	gnutls_transport_set_push_function(session, push);
	gnutls_transport_set_pull_function(session, pull);
	do
		rc = gnutls_handshake(session);
	while (rc < 0 && !gnutls_error_is_fatal(rc));
	if (rc < 0)
		die("TLS failed");
}

static void dial(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int on = 1;

	to.sin_port = htons((unsigned short)port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("no server");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void ehlo(void)
{
	say("EHLO client.example.org\r\n");
	expect('2');
}

static void login(const char *user, const char *password)
{
	gnutls_datum_t text, plain;
	char octets[512];
	int length = snprintf(octets, sizeof(octets), "%c%s%c%s", 0, user, 0,
			      password);

	plain.data = (unsigned char *)octets;
	plain.size = (unsigned)length;
	if (gnutls_base64_encode2(&plain, &text) < 0)
		die("base64");
	say("AUTH PLAIN ");
	say_octets((char *)text.data, text.size);
	say("\r\n");
	gnutls_free(text.data);
	expect('2');
}

static void read_before(void)
{
	static char block[BLOCK];

	while (read(0, block, sizeof(block)) > 0)
		;
	if (lseek(0, 0, SEEK_SET) < 0)
		die("the message must be a file");
}

static void send_message(const char *via)
{
	static char block[BLOCK];
	struct stat about;
	char words[64];
	ssize_t got;

	say("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\n");
	if (!strcmp(via, "BDAT")) {
		fstat(0, &about);
		snprintf(words, sizeof(words), "BDAT %lld LAST\r\n",
			 (long long)about.st_size);
		say(words);
	} else {
		say("DATA\r\n");
		expect('2');
		expect('2');
		expect('3');
	}
	while ((got = read(0, block, sizeof(block))) > 0)
		say_octets(block, (size_t)got);
	if (!strcmp(via, "BDAT")) {
		say("QUIT\r\n");
		expect('2');
		expect('2');
	} else {
		say(".\r\nQUIT\r\n");
	}
	expect('2');
}

int main(int argc, char **argv)
{
	const char *tls = "none", *via = "DATA", *trust = NULL, *user = NULL,
		   *password = "";
	int port = 0, reads = 1;

	for (int i = 1; i < argc; i++) {
		char *value = argv[i], *name = strsep(&value, "=");

		if (!value)
			return 64;
		else if (!strcmp(name, "port"))
			port = atoi(value);
		else if (!strcmp(name, "reads"))
			reads = atoi(value);
		else if (!strcmp(name, "tls"))
			tls = value;
		else if (!strcmp(name, "via"))
			via = value;
		else if (!strcmp(name, "trust"))
			trust = value;
		else if (!strcmp(name, "user"))
			user = value;
		else if (!strcmp(name, "password"))
			password = value;
		else
			return 64;
	}
	if (reads == 2)
		read_before();
	dial(port);
	if (!strcmp(tls, "implicit"))
		start_tls(trust);
	expect('2');
	ehlo();
	if (!strcmp(tls, "starttls")) {
		say("STARTTLS\r\n");
		expect('2');
		start_tls(trust);
		ehlo();
	}
	if (user)
		login(user, password);
	send_message(via);
	if (session)
		gnutls_bye(session, GNUTLS_SHUT_WR);
	flush();
	close(fd);
	return 0;
}
