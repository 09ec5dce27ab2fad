/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Configuration files: where they are, what is wrong with them, who may read
 * them. Each test has a home of its own. */
#include "conf/config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "home.h"
#include "unit.h"

/* "account: host"; or "! cause why not". */
static char *load(const char *file, const char *name)
{
	struct config_request request = {.file = file};
	struct outcome o = OUTCOME_INIT;
	struct config *c = config_load(&request, &o);
	struct account *a = c ? config_choose(c, name, NULL, &o) : NULL;
	struct buf out = BUF_INIT(8192);

	if (a)
		buf_printf(&out, "%s: %s", a->name, a->dial.host);
	else
		buf_printf(&out, "! %s %s", o.status, o.text);
	config_free(c);
	outcome_release(&o);
	return buf_detach(&out);
}

#define ASSERT_LOADS(file, name, want)          \
	do {                                    \
		char *got = load(file, name);   \
		assert_string_equal(got, want); \
		free(got);                      \
	} while (0)

#define ASSERT_LOADS_WITH(file, name, part)                      \
	do {                                                     \
		char *got = load(file, name);                    \
		if (!strstr(got, part))                          \
			fail_msg("%s\n  not in: %s", part, got); \
		free(got);                                       \
	} while (0)

static void reads_the_file_that_is_named(void **state)
{
	(void)state;
	write_file(".postriderrc", 0600, "host other\n");
	write_file("c", 0644, "host h\n");
	ASSERT_LOADS("c", NULL, "default: h");
	ASSERT_LOADS("nope", NULL,
		     "! 5.3.5 cannot read nope: No such file or directory");
	ASSERT_LOADS_WITH(".", NULL, "! 5.3.5 cannot read .");
	write_file("empty", 0644, "");
	ASSERT_LOADS("empty", NULL,
		     "! 5.3.5 no account 'default'; there are none");
}

static void searches_our_places_in_order(void **state)
{
	(void)state;
	ASSERT_LOADS_WITH(NULL, NULL, "! 5.3.5 no configuration; write one of");
	write_file(".msmtprc", 0600, "account default\nhost msmtp\n");
	ASSERT_LOADS(NULL, NULL, "default: msmtp");
	mkdir(".config", 0700);
	mkdir(".config/msmtp", 0700);
	write_file(".config/msmtp/config", 0600, "account x\nhost xdg\n");
	ASSERT_LOADS(NULL, NULL, "default: msmtp");
	ASSERT_LOADS_WITH(NULL, "x", "! 5.3.5 no account 'x'");
	write_file(".postriderrc", 0600, "host rc\n");
	ASSERT_LOADS(NULL, NULL, "default: rc");
	mkdir(".config/postrider", 0700);
	write_file(".config/postrider/config", 0600, "host config\n");
	ASSERT_LOADS(NULL, NULL, "default: config");
	mkdir("xdg", 0700);
	mkdir("xdg/postrider", 0700);
	write_file("xdg/postrider/config", 0600, "host elsewhere\n");
	setenv("XDG_CONFIG_HOME", "xdg", true);
	ASSERT_LOADS(NULL, NULL, "default: config");
	setenv("XDG_CONFIG_HOME", "/nonexistent", true);
	ASSERT_LOADS(NULL, NULL, "default: rc");
}

static void keeps_msmtps_defaults_for_its_files(void **state)
{
	struct config_request request = {0};
	struct outcome o = OUTCOME_INIT;
	struct config *c;
	struct account *a;

	(void)state;
	write_file(".msmtprc", 0600,
		   "account default\nhost h\nuser u # x\n"
		   "account tls : default\ntls on\ntls_starttls off\n");
	c = config_load(&request, &o);
	assert_non_null(c);
	a = config_choose(c, NULL, NULL, &o);
	assert_non_null(a);
	assert_false(a->tls.on);
	assert_int_equal(a->dial.port, 25);
	assert_int_equal(a->auth.want, AUTH_OFF);
	assert_string_equal(a->auth.user, "u # x");
	assert_string_equal(a->session.domain, "localhost");
	a = config_choose(c, "tls", NULL, &o);
	assert_true(a->tls.on && a->tls.certcheck);
	assert_int_equal(a->dial.port, 465);
	config_free(c);
}

/* The form of the manual of msmtp for a provider, by -C. */
static void reads_a_providers_msmtprc(void **state)
{
	struct config_request request = {.file = "rc"};
	struct outcome o = OUTCOME_INIT;
	struct config *c;
	struct account *a;

	(void)state;
	write_file("rc", 0600,
		   "# all accounts\ndefaults\nport 587\ntls on\n"
		   "#tls_trust_file /etc/ssl/certs/ca-certificates.crt\n\n"
		   "account freemail\nhost smtp.freemail.example\n"
		   "from joe_smith@freemail.example\nauth on\n"
		   "user joe.smith\n"
		   "passwordeval gpg2 --no-tty -q -d ~/.p.gpg\n"
		   "account freemail2 : freemail\n"
		   "from joey@freemail.example\n\n"
		   "account default : freemail\n");
	c = config_load(&request, &o);
	assert_non_null(c);
	a = config_choose(c, NULL, "joey@freemail.example", &o);
	assert_non_null(a);
	assert_string_equal(a->name, "freemail2");
	assert_string_equal(a->dial.host, "smtp.freemail.example");
	assert_int_equal(a->auth.want, AUTH_ON);
	assert_string_equal(a->secret.passwordeval,
			    "gpg2 --no-tty -q -d ~/.p.gpg");
	a = config_choose(c, NULL, NULL, &o);
	assert_string_equal(a->name, "default");
	assert_string_equal(a->identity.from, "joe_smith@freemail.example");
	config_free(c);
}

static void needs_no_file_with_a_host(void **state)
{
	const struct override overrides[] = {{"host", "h"}, {"tls", NULL}};
	struct config_request request = {
		.overrides = overrides,
		.n_overrides = 2,
	};
	struct outcome o = OUTCOME_INIT;
	struct config *c;
	struct account *a;

	(void)state;
	write_file(".postriderrc", 0600,
		   "port 99\nhost x\nuser u\naccount w\nbroken x\n");
	c = config_load(&request, &o);
	assert_non_null(c);
	a = config_choose(c, NULL, NULL, &o);
	assert_non_null(a);
	assert_null(a->name);
	assert_int_equal(a->dial.port, 587);
	assert_null(a->auth.user);
	assert_null(config_choose(c, "w", NULL, &o)); /* now it is read */
	assert_non_null(strstr(o.text, "unknown command 'broken'"));
	config_free(c);
	outcome_release(&o);

	write_file("c", 0600, "account w\nhost x\nuser u\nport 99\n");
	request.file = "c";
	c = config_load(&request, &o);
	a = config_choose(c, "w", NULL, &o);
	assert_string_equal(a->dial.host, "h");
	assert_int_equal(a->dial.port, 99);
	config_free(c);
}

static void refuses_what_is_wrong(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} cases[] = {
		{"hots h\n",
		 "! 5.3.5 c:1: unknown command 'hots'; did you "
		 "mean 'host'?"},
		{"\n\nxyzzy h\n", "! 5.3.5 c:3: unknown command 'xyzzy'"},
		{"host h\nport x\n",
		 "! 5.3.5 c:2: port wants a number from 1 "
		 "to 65535, not 'x'"},
		{"account\n", "! 5.3.5 c:1: account wants a name"},
		{"account a b\n", "! 5.3.5 c:1: account wants a name"},
		{"account a : b\n", "! 5.3.5 c:1: no account 'b' before"},
		{"account a : a\n", "! 5.3.5 c:1: no account 'a' before"},
		{"account a\naccount a\n",
		 "! 5.3.5 c:2: account 'a' is already defined, in line 1"},
		{"account a : b\naccount a : b\n",
		 "! 5.3.5 c:1: no account 'b' before"},
		{"user \"a\n", "! 5.3.5 c:1: the quote in front"},
		{"host\n", "! 5.3.5 c:1: host wants an argument: HOST"},
		{"port # none\n", "! 5.3.5 c:1: port wants an argument"},
		{"defaults x\n", "! 5.3.5 c:1: defaults has no argument"},
		{"include\n", "! 5.3.5 c:1: include wants a file"},
		{"include nope\n",
		 "! 5.3.5 c:1: cannot read nope: No such file"},
		{"include c\n", "files include each other"},
		{"eval exit 3\n", "! 5.3.5 c:1: eval"},
		{"eval echo hots x\n", "! 5.3.5 c:1: unknown command 'hots'"},
		{"eval echo eval echo\n",
		 "! 5.3.5 c:1: eval is possible in a file only"},
		{"eval echo include c\n",
		 "! 5.3.5 c:1: include is possible in a file only"},
		{"host a\x1b[2Jb\n", "not 'a\\x1B[2Jb'"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		write_file("c", 0600, cases[i].text);
		ASSERT_LOADS_WITH("c", NULL, cases[i].want);
	}
}

static void refuses_a_nul(void **state)
{
	static const char text[] = "host h\nport\0 5\n";
	int fd = open("c", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_int_equal(file_write_all(fd, text, sizeof(text) - 1), 0);
	close(fd);
	ASSERT_LOADS("c", NULL,
		     "! 5.3.5 c:2: a NUL octet; this is no text file");
}

static void includes_and_evaluates(void **state)
{
	(void)state;
	mkdir("d", 0700);
	write_file("c", 0644, "include d/one\naccount default : base\n");
	write_file("d/one", 0644, "include two\n"); /* beside this file */
	write_file("d/two", 0644, "account base\neval echo host $((40+2)).x\n");
	ASSERT_LOADS("c", NULL, "default: 42.x");
	write_file("c", 0644, "include ~/d/two\naccount default : base\n");
	ASSERT_LOADS("c", NULL, "default: 42.x");
	write_file("c", 0644, "eval printf 'host h\\nport x\\n' # comment\n");
	ASSERT_LOADS("c", NULL, "default: h");
	write_file("d/two", 0644, "\nhots x\n");
	write_file("c", 0644, "include d/two\n");
	ASSERT_LOADS_WITH("c", NULL, "! 5.3.5 d/two:2: unknown command");
}

static void wants_a_private_file_for_a_password(void **state)
{
	(void)state;
	write_file("c", 0600, "host h\nuser u\npassword p\n");
	ASSERT_LOADS("c", NULL, "default: h");
	chmod("c", 0400);
	ASSERT_LOADS("c", NULL, "default: h");
	chmod("c", 0640);
	ASSERT_LOADS_WITH("c", NULL, "! 5.3.5 c:3: the file holds a password");
	chmod("c", 0604);
	ASSERT_LOADS_WITH("c", NULL, "! 5.3.5 c:3: the file holds a password");
	write_file("c", 0644, "host h\nuser u\npassword\n");
	ASSERT_LOADS("c", NULL, "default: h");
	write_file("c", 0644, "host h\nuser u\npasswordeval echo p\n");
	ASSERT_LOADS("c", NULL, "default: h");
	write_file("c", 0644, "host h\nuser u\neval echo password p\n");
	ASSERT_LOADS("c", NULL, "default: h");
	write_file("s", 0644, "password p\n");
	write_file("c", 0600, "host h\nuser u\ninclude s\n");
	ASSERT_LOADS_WITH("c", NULL, "! 5.3.5 s:1: the file holds a password");
	write_file("s", 0600, "user u\n");
	write_file("c", 0644, "host h\ninclude s\npassword p\n");
	ASSERT_LOADS_WITH("c", NULL, "! 5.3.5 c:3: the file holds a password");
}

/* cron: the home of another user, which we cannot look into. */
static void takes_a_file_out_of_reach_as_absent(void **state)
{
	(void)state;
	mkdir(".config", 0700);
	write_file(".config/postrider", 0600, "no directory\n");
	write_file(".postriderrc", 0600, "host rc\n");
	ASSERT_LOADS(NULL, NULL, "default: rc");
	if (geteuid() == 0) /* root can read everything: become somebody */
		assert_int_equal(
			setegid(65534) | chmod(home, 0755) | seteuid(65534), 0);
	chmod(".postriderrc", 0);
	setenv("XDG_CONFIG_HOME", "/root/.config", true);
	ASSERT_LOADS_WITH(NULL, NULL, "! 5.3.5 no configuration");
	ASSERT_LOADS_WITH(".postriderrc", NULL,
			  "! 5.3.5 cannot read .postriderrc: Permission");
	if (getuid() == 0)
		assert_int_equal(seteuid(0) | setegid(0), 0);
}

/* ------------------------------------------------------------------- check */

static void note_finding(void *context, bool is_error, const char *text)
{
	buf_printf(context, "%s %s\n", is_error ? "E" : "W", text);
}

static void finds_everything_at_once(void **state)
{
	struct buf found = BUF_INIT(8192);
	struct config_request request = {
		.file = "c",
		.on_finding = note_finding,
		.context = &found,
	};
	struct outcome o = OUTCOME_INIT;
	struct strings names = STRINGS_INIT;
	struct config *c;

	(void)state;
	write_file("c", 0644,
		   "defaults\nhots h\naccount a\nhost h\nport 0\nkeepbcc\n"
		   "account b\nhost h\nuser u\npassword p\n"
		   "tls_certcheck off\naccount c : x\naccount a\nhost h\n"
		   "account d\nhost h\ntls_key_file p\n"
		   "account e\nhost h\ntls off\nuser u\n"
		   "account f\nhost h\nauth on\n");
	c = config_load(&request, &o);
	assert_non_null(c);
	assert_false(outcome_is_failure(&o));
	assert_string_equal(
		found.p,
		"E c:2: unknown command 'hots'; did you mean 'host'?\n"
		"E c:5: port wants a number from 1 to 65535, not '0'\n"
		"W c:6: keepbcc is an old name; write remove_bcc_headers\n"
		"E c:10: the file holds a password, so it must belong to you "
		"or to root and be "
		"readable by nobody else: chmod 600 c, or chown it\n"
		"E c:12: no account 'x' before this line\n"
		"E c:13: account 'a' is already defined, in line 3\n"
		"W c:7: account 'b' has tls_certcheck off: anyone may pose as "
		"the server\n"
		"W c:12: account 'c' has no host\n"
		"W c:13: account 'a' is hidden by another of that name\n"
		"E c:17: account 'd' has tls_key_file without tls_cert_file\n"
		"W c:18: account 'e' authenticates without TLS, so only by a "
		"mechanism that hides the password\n"
		"E c:24: account 'f' is to authenticate and has no user\n");
	config_names(c, &names);
	assert_int_equal(names.n, 6);
	assert_string_equal(names.p[0], "a");
	assert_int_equal(config_files(c)->n, 1);
	assert_string_equal(config_files(c)->p[0], "c");
	strings_release(&names);
	buf_release(&found);
	config_free(c);
}

static void finds_nothing_in_a_good_file(void **state)
{
	struct buf found = BUF_INIT(8192);
	struct config_request request = {
		.file = "c",
		.on_finding = note_finding,
		.context = &found,
	};
	struct outcome o = OUTCOME_INIT;
	struct config *c;

	(void)state;
	write_file("c", 0644,
		   "host h\nuser u\npasswordeval echo\n"
		   "from %U@%C\ndomain %C\n");
	c = config_load(&request, &o);
	assert_non_null(c);
	assert_string_equal(found.p, "");
	config_free(c);
	request.file = "nope";
	assert_null(config_load(&request, &o));
	assert_string_equal(found.p, "");
	assert_string_equal(o.text,
			    "cannot read nope: No such file or directory");
	outcome_release(&o);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, make_home, remove_home)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_the_file_that_is_named),
		TEST(searches_our_places_in_order),
		TEST(keeps_msmtps_defaults_for_its_files),
		TEST(reads_a_providers_msmtprc),
		TEST(needs_no_file_with_a_host),
		TEST(refuses_what_is_wrong),
		TEST(refuses_a_nul),
		TEST(includes_and_evaluates),
		TEST(wants_a_private_file_for_a_password),
		TEST(takes_a_file_out_of_reach_as_absent),
		TEST(finds_everything_at_once),
		TEST(finds_nothing_in_a_good_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
