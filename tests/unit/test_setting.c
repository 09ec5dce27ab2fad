/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rows: what each takes, what it refuses, how it is printed again. */
#include "conf/setting.h"

#include <unistd.h>

#include "unit.h"

static char *apply(const char *name, const char *value)
{
	struct account a = ACCOUNT_INIT;
	struct outcome o = OUTCOME_INIT;
	struct buf out = BUF_INIT(4096);
	const struct setting *row = setting_find(view_of(name));

	assert_non_null(row);
	if (setting_apply(row, &a, view_of(value), &o) == 0) {
		setting_print(row, &a, &out);
	} else {
		assert_int_equal(o.cause, CAUSE_CONFIG);
		assert_string_equal(o.status, "5.3.5");
		buf_printf(&out, "! %s", o.text);
	}
	outcome_release(&o);
	account_release(&a);
	return buf_detach(&out);
}

static const struct {
	const char *name;
	const char *value;
	const char *printed; /* "!": refused, with this in the text */
} cases[] = {
	{"host", "mail.example.org", "mail.example.org"},
	{"host", "a b", "! host wants a name without blanks, not 'a b'"},
	{"host", "a\r\nRCPT", "! host wants a name"},
	{"port", "1", "1"},
	{"port", "65535", "65535"},
	{"port", "65536", "! port wants a number from 1 to 65535"},
	{"port", "0", "! port wants"},
	{"port", "-1", "! port wants"},
	{"port", "25x", "! port wants"},
	{"queue_lifetime", "0",
	 "! queue_lifetime wants seconds (30, 5m, 1h), at most 365 days, not"},
	{"queue_lifetime", "off", "! queue_lifetime wants seconds"},
	{"queue_lifetime", "366d", "! queue_lifetime wants seconds"},
	{"queue_lifetime", "365d", "31536000"},
	{"queue_warn", "x",
	 "! queue_warn wants seconds (30, 5m, 1h), at most 365 days, or off, "
	 "not 'x'"},
	{"queue_warn", "off", "off"},
	{"timeout", "8d", "! timeout wants seconds (30, 5m, 1h), at most 7 "},
	{"timeout", "off", "off"},
	{"port", "0x19", "! port wants"},
	{"port", "99999999999999999999999", "! port wants"},
	{"port", "", "! port wants an argument: NUMBER"},
	{"host", "", "! host wants an argument: HOST"},
	{"source_ip", "192.0.2.1", "192.0.2.1"},
	{"source_ip", "2001:db8::1", "2001:db8::1"},
	{"source_ip", "192.0.2.256", "! source_ip wants an IPv4 or IPv6"},
	{"source_ip", "", ""},
	{"prefer_family", "ipv6", "ipv6"},
	{"prefer_family", "", "any"},
	{"prefer_family", "ipx", "! prefer_family wants any, ipv4 or ipv6"},
	{"tcp_fast_open", "", "on"},
	{"tcp_fast_open", "off", "off"},
	{"pipe_connect", "", "on"},
	{"pipe_connect", "off", "off"},
	{"timeout", "30", "30"},
	{"timeout", "2m", "120"},
	{"timeout", "off", "off"},
	{"timeout", "", ""},
	{"timeout", "0", "! timeout wants seconds"},
	{"timeout", "-5", "! timeout wants seconds"},
	{"timeout", "9w", "! timeout wants seconds"},
	{"protocol", "lmtp", "lmtp"},
	{"protocol", "SMTP", "smtp"},
	{"protocol", "", "smtp"},
	{"protocol", "uucp", "! protocol wants smtp or lmtp, not 'uucp'"},
	{"domain", "client.example.org", "client.example.org"},
	{"domain", "a\rb", "! domain wants"},
	{"domain", "a b", "! domain wants"},
	{"pipelining", "", "on"},
	{"pipelining", "auto", "auto"},
	{"chunking", "off", "off"},
	{"partial", "", "on"},
	{"auth", "", "on"},
	{"auth", "on", "on"},
	{"auth", "off", "off"},
	{"auth", "auto", "auto"},
	{"auth", "plain", "plain"},
	{"auth", "SCRAM-SHA-256", "scram-sha-256"},
	{"auth", "scram-sha-1, plain", "scram-sha-1 plain"},
	{"auth", "plian", "! auth wants on, off, auto, or mechanisms"},
	{"auth", "plain plian", "! auth wants"},
	{"user", "alice", "alice"},
	{"user", "", ""},
	{"password", "secret", "*"},
	{"password", "", ""},
	{"passwordeval", "pass show mail # work", "pass show mail # work"},
	{"tls", "", "on"},
	{"tls", "on", "on"},
	{"tls", "off", "off"},
	{"tls", "yes", "! tls wants on or off, not 'yes'"},
	{"tls_starttls", "off", "off"},
	{"tls_certcheck", "off", "off"},
	{"tls_trust_file", "system", "system"},
	{"tls_trust_file", "", "system"},
	{"tls_trust_file", "/etc/ca.pem", "/etc/ca.pem"},
	{"tls_min_version", "1.3", "1.3"},
	{"tls_min_version", "1.1", "! tls_min_version wants 1.2 or 1.3"},
	{"tls_min_dh_prime_bits", "1024", "1024"},
	{"tls_fingerprint", "00:11:22:33:44:55:66:77:88:99:aa:BB:cc:dd:ee:ff",
	 "00:11:22:33:44:55:66:77:88:99:aa:BB:cc:dd:ee:ff"},
	{"tls_fingerprint", "00112233445566778899aabbccddeeff00112233",
	 "00112233445566778899aabbccddeeff00112233"},
	{"tls_fingerprint", "0:01122334455667788:99aabbccddeeff",
	 "! tls_fingerprint wants a SHA-256"},
	{"tls_fingerprint", "00:11", "! tls_fingerprint wants"},
	{"tls_fingerprint", "", ""},
	{"from", "*@example.org", "*@example.org"},
	{"allow_from_override", "off", "off"},
	{"auto_from", "", "on"},
	{"set_from_header", "", "on"},
	{"set_from_header", "auto", "auto"},
	{"set_date_header", "", "auto"},
	{"set_date_header", "on", "! set_date_header wants auto or off"},
	{"set_msgid_header", "off", "off"},
	{"set_to_header", "auto", "auto"},
	{"remove_bcc_headers", "off", "off"},
	{"undisclosed_recipients", "", "on"},
	{"dsn_notify", "off", "off"},
	{"dsn_notify", "never", "never"},
	{"dsn_notify", "failure,delay", "failure,delay"},
	{"dsn_notify", "never,delay", "! dsn_notify wants"},
	{"dsn_notify", "often", "! dsn_notify wants"},
	{"dsn_return", "hdrs", "headers"},
	{"dsn_return", "headers", "headers"},
	{"dsn_return", "full", "full"},
	{"dsn_return", "", "off"},
	{"dsn_return", "half", "! dsn_return wants"},
	{"logfile", "-", "-"},
	{"logfile_time_format", "%s", "%s"},
	{"syslog", "", "LOG_USER"},
	{"syslog", "on", "LOG_USER"},
	{"syslog", "off", "off"},
	{"syslog", "log_mail", "LOG_MAIL"},
	{"syslog", "LOG_LOCAL8", "! syslog wants"},
	{"keepbcc", "off", "off"},
	{"add_missing_from_header", "off", "off"},
	{"connect_timeout", "5", "5"},
	{"requiretls", "", "on"},
	{"requiretls", "off", "off"},
	{"smtputf8", "", "on"},
	{"smtputf8", "off", "off"},
	/* RFC 2852 4 */
	{"deliverby", "120;R", "120;R"},
	{"deliverby", "120;n", "120;n"},
	{"deliverby", "120;RT", "120;RT"},
	{"deliverby", "120;nt", "120;nt"},
	{"deliverby", "0;N", "0;N"},
	{"deliverby", "-5;N", "-5;N"},
	{"deliverby", "-0;NT", "-0;NT"},
	{"deliverby", "999999999;R", "999999999;R"},
	{"deliverby", "-999999999;N", "-999999999;N"},
	{"deliverby", "", ""},
	{"deliverby", "0;R", "! deliverby wants"},
	{"deliverby", "-5;R", "! deliverby wants"},
	{"deliverby", "-0;R", "! deliverby wants"},
	{"deliverby", "0;RT", "! deliverby wants"},
	{"deliverby", "120", "! deliverby wants"},
	{"deliverby", "120;", "! deliverby wants"},
	{"deliverby", ";R", "! deliverby wants"},
	{"deliverby", "-;N", "! deliverby wants"},
	{"deliverby", "--5;N", "! deliverby wants"},
	{"deliverby", "+5;N", "! deliverby wants"},
	{"deliverby", "120;X", "! deliverby wants"},
	{"deliverby", "120;T", "! deliverby wants"},
	{"deliverby", "120;TR", "! deliverby wants"},
	{"deliverby", "120;RTT", "! deliverby wants"},
	{"deliverby", "120;R;T", "! deliverby wants"},
	{"deliverby", "120; R", "! deliverby wants"},
	{"deliverby", "120 ;R", "! deliverby wants"},
	{"deliverby", "1000000000;R", "! deliverby wants"},
	{"deliverby", "1h;R", "! deliverby wants"},
	{"deliverby", "120;R SIZE=1", "! deliverby wants"},
	{"deliverby", "120;R\r\nRCPT", "! deliverby wants"},
};

static void reads_and_prints(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		char *printed = apply(cases[i].name, cases[i].value);
		bool refused = cases[i].printed[0] == '!';

		if (refused ? !strstr(printed, cases[i].printed)
			    : strcmp(printed, cases[i].printed) != 0)
			fail_msg("%s '%s': %s", cases[i].name, cases[i].value,
				 printed);
		free(printed);
	}
}

/* What is printed means the same when it is read. */
static void prints_what_it_reads(void **state)
{
	const struct setting *row;
	char *first, *second;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		row = setting_find(view_of(cases[i].name));
		if (cases[i].printed[0] == '!' || !cases[i].printed[0] ||
		    row->secret)
			continue;
		first = apply(cases[i].name, cases[i].value);
		second = apply(cases[i].name, first);
		assert_string_equal(first, second);
		free(first);
		free(second);
	}
}

static void keeps_a_secret_out_of_words(void **state)
{
	char *printed = apply("password", "hunter2\001");

	(void)state;
	assert_non_null(strstr(printed, "! password wants"));
	assert_null(strstr(printed, "hunter2"));
	free(printed);
}

static void expands_home(void **state)
{
	static const struct {
		const char *value;
		const char *path;
	} paths[] = {
		{"~/ca.pem", "%s/ca.pem"},
		{"$HOME/ca.pem", "%s/ca.pem"},
		{"${HOME}/ca.pem", "%s/ca.pem"},
		{"/a/~/b", "/a/~/b"},
		{"pkcs11:object=x", "pkcs11:object=x"},
	};
	char directory[] = "/tmp/postrider-setting.XXXXXX";
	char want[256];
	char *printed;
	size_t i;

	(void)state;
	assert_non_null(mkdtemp(directory));
	setenv("HOME", directory, true);
	for (i = 0; i < N_OF(paths); i++) {
		struct buf text = BUF_INIT(sizeof(want));
		const char *rest = paths[i].path;

		if (!strncmp(rest, "%s", 2)) {
			buf_add_text(&text, directory);
			rest += 2;
		}
		buf_add_text(&text, rest);
		printed = apply("tls_cert_file", paths[i].value);
		assert_string_equal(printed, text.p);
		free(printed);
		buf_release(&text);
	}
	rmdir(directory);
}

static void has_two_sets_of_defaults(void **state)
{
	struct account ours = ACCOUNT_INIT, msmtps = ACCOUNT_INIT;

	(void)state;
	setting_apply_defaults(&ours, false);
	setting_apply_defaults(&msmtps, true);
	assert_true(ours.tls.on && ours.tls.starttls && ours.tls.certcheck);
	assert_int_equal(ours.auth.want, AUTH_AUTO);
	assert_true(ours.edit.remove_bcc && ours.transaction.chunking);
	assert_false(ours.transaction.partial);
	assert_int_equal(ours.edit.set_from, EDIT_AUTO);
	assert_int_equal(ours.edit.set_to, EDIT_OFF);
	assert_int_equal(ours.session.timeout, TIMEOUT_BY_RFC);
	assert_true(ours.identity.allow_from_override);
	assert_null(ours.session.domain);
	assert_false(msmtps.tls.on);
	assert_true(msmtps.tls.starttls && msmtps.tls.certcheck);
	assert_int_equal(msmtps.auth.want, AUTH_OFF);
	assert_string_equal(msmtps.session.domain, "localhost");
	account_release(&ours);
	account_release(&msmtps);
}

/* An old name says the same as the new one, the other way round if need be. */
static void knows_old_names(void **state)
{
	struct account a = ACCOUNT_INIT;
	struct outcome o = OUTCOME_INIT;

	(void)state;
	setting_apply_defaults(&a, false);
	setting_apply(setting_find(VIEW("keepbcc")), &a, VIEW(""), &o);
	assert_false(a.edit.remove_bcc);
	setting_apply(setting_find(VIEW("keepbcc")), &a, VIEW("off"), &o);
	assert_true(a.edit.remove_bcc);
	setting_apply(setting_find(VIEW("add_missing_date_header")), &a,
		      VIEW("off"), &o);
	assert_int_equal(a.edit.set_date, EDIT_OFF);
	setting_apply(setting_find(VIEW("add_missing_date_header")), &a,
		      VIEW("on"), &o);
	assert_int_equal(a.edit.set_date, EDIT_AUTO);
	account_release(&a);
}

static void finds_names(void **state)
{
	static const struct {
		const char *word;
		const char *nearest;
	} words[] = {
		{"hots", "host"},
		{"prot", "port"},
		{"usr", "user"},
		{"tls_startls", "tls_starttls"},
		{"pasword", "password"},
		{"Host", "host"},
		{"xyzzy", NULL},
		{"", NULL},
		{"que", "queue"},
		{"QUE", "queue"},
		{"tls_trust_f", "tls_trust_file"},
		{"qu", NULL},
		{"a", NULL},
		{"completely_other", NULL},
	};
	size_t i;

	(void)state;
	assert_ptr_equal(setting_find(VIEW("tls_starttls")),
			 setting_find(VIEW("tls-starttls")));
	assert_null(setting_find(VIEW("TLS")));
	assert_null(setting_find(VIEW("")));
	for (i = 0; i < N_OF(words); i++) {
		const char *nearest = setting_nearest(view_of(words[i].word));

		if (!words[i].nearest)
			assert_null(nearest);
		else if (!nearest || strcmp(nearest, words[i].nearest) != 0)
			fail_msg("%s: %s", words[i].word,
				 nearest ? nearest : "none");
	}
}

/* The table itself: one row a name, a fallback that the row takes, words for
 * people. */
static void has_whole_rows(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < settings_n; i++) {
		const struct setting *row = &settings[i];
		struct account a = ACCOUNT_INIT;
		struct outcome o = OUTCOME_INIT;

		for (k = 0; k < i; k++)
			assert_string_not_equal(row->name, settings[k].name);
		assert_true(row->help && row->argument);
		assert_true(row->type != SETTING_SPECIAL || row->set);
		assert_int_equal(setting_apply(row, &a, VIEW(""), &o),
				 row->needs_value ? -1 : 0);
		outcome_release(&o);
		if (row->fallback)
			assert_int_equal(setting_apply(row, &a,
						       view_of(row->fallback),
						       &o),
					 0);
		account_release(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_and_prints),
		cmocka_unit_test(prints_what_it_reads),
		cmocka_unit_test(keeps_a_secret_out_of_words),
		cmocka_unit_test(expands_home),
		cmocka_unit_test(has_two_sets_of_defaults),
		cmocka_unit_test(knows_old_names),
		cmocka_unit_test(finds_names),
		cmocka_unit_test(has_whole_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
