/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which account it is, and what it comes to. */
#include "conf/config.h"

#include "conf/setting.h"
#include "unit.h"

static const char text[] = "defaults\n"
			   "host mail.example.org\n"
			   "account work\n"
			   "from alice@work.example\n"
			   "account list\n"
			   "from *-bounces@lists.example\n"
			   "account own\n"
			   "from %U@%M\n"
			   "account work2\n"
			   "from alice@work.example\n"
			   "account default : list\n"
			   "from me@home.example\n";

static const struct pattern_facts facts = {
	.user = "alice",
	.host = "box",
	.canonical = "box.example.org",
	.mailname = "own.example",
	.full_name = "Alice",
};

/* The account's name; or "! why not". */
static char *choose(const char *configuration, const char *name,
		    const char *from)
{
	struct config_request request = {.facts = &facts};
	struct outcome o = OUTCOME_INIT;
	struct config *c =
		config_parse(view_of(configuration), "test", &request, &o);
	struct account *a;
	struct buf out = BUF_INIT(4096);

	if (!c)
		fail_msg("%s", o.text);
	a = config_choose(c, name, from, &o);
	if (a)
		buf_add_text(&out, a->name);
	else
		buf_printf(&out, "! %s %s", o.status, o.text);
	config_free(c);
	outcome_release(&o);
	return buf_detach(&out);
}

static void chooses(void **state)
{
	static const struct {
		const char *text;
		const char *name;
		const char *from;
		const char *want;
	} cases[] = {
		{text, NULL, NULL, "default"},
		{text, NULL, "", "default"},
		{text, "work", NULL, "work"},
		{text, "list", "alice@work.example", "list"},
		{text, NULL, "alice@work.example", "work"},
		{text, NULL, "Alice@WORK.example", "work"},
		{text, NULL, "alice+x@work.example", "work"},
		{text, NULL, "a-bounces@lists.example", "list"},
		{text, NULL, "alice@own.example", "own"},
		{text, NULL, "bob@own.example", "default"},
		{text, NULL, "me@home.example", "default"},
		{text, NULL, "stranger@x.example", "default"},
		{text, "wrk", NULL,
		 "! 5.3.5 no account 'wrk'; there are work, list, own, "
		 "work2, default"},
		{"account a\nhost h\n", NULL, NULL, "a"},
		{"account a\nhost h\nfrom a@b\n", NULL, "c@d", "a"},
		{"account a\nhost h\naccount b\nhost h\n", NULL, NULL,
		 "! 5.3.5 no account 'default'; there are a, b"},
		{"host h\n", NULL, NULL, "default"},
		{"host h\n", "default", NULL, "default"},
		{"account a\nhost h\n", "b", NULL,
		 "! 5.3.5 no account 'b'; there is a"},
		{"", NULL, NULL,
		 "! 5.3.5 no account 'default'; there are none"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		char *got = choose(cases[i].text, cases[i].name, cases[i].from);

		if (strcmp(got, cases[i].want) != 0)
			fail_msg("%s, %s: %s",
				 cases[i].name ? cases[i].name : "-",
				 cases[i].from ? cases[i].from : "-", got);
		free(got);
	}
}

/* What an account comes to, a setting at a time. */
static const struct {
	const char *text;
	const char *override; /* "name=value", NULL: none */
	const char *setting;
	const char *want;
} values[] = {
	{"host h\n", NULL, "port", "587"},
	{"host h\ntls_starttls off\n", NULL, "port", "465"},
	{"host h\ntls off\n", NULL, "port", "587"},
	{"host h\nport 26\n", NULL, "port", "26"},
	{"host h\n", "tls_starttls=off", "port", "465"},
	{"host h\nport 26\n", "port=27", "port", "27"},
	{"host h\ntls off\n", "tls", "tls", "on"},
	{"host h\n", "host=other", "host", "other"},
	{"socket /run/s\n", NULL, "tls", "off"},
	{"socket /run/s\nhost h\ntls on\n", NULL, "tls", "on"},
	{"socket /run/s\nhost h\n", "tls=on", "tls", "on"},
	{"tunnel ssh x\nhost h\n", NULL, "tls", "on"},
	{"host h\nfrom %U@%M\n", NULL, "from", "alice@own.example"},
	{"host h\nfrom_full_name %F of %H\n", NULL, "from_full_name",
	 "Alice of box"},
	{"host h\ndomain %C\n", NULL, "domain", "box.example.org"},
	{"host h\ndomain b\xc3\xbc"
	 "cher.example\n",
	 NULL, "domain", "xn--bcher-kva.example"},
	{"host h\nmaildomain %M\n", NULL, "maildomain", "own.example"},
	{"host h\nauto_from on\nmaildomain x.org\n", NULL, "from",
	 "alice@x.org"},
	{"host h\nauto_from on\n", NULL, "from", "alice"},
	{"host h\naliases\n", NULL, "aliases", ""},
	{"host h\naliases off\n", NULL, "aliases", ""},
	{"host h\n", NULL, "aliases", "/etc/aliases"},
	{"host h\naliases /x\n", NULL, "aliases", "/x"},
	{"host h\naliases /x\n", "aliases=", "aliases", ""},
	{"host h\naliases /x\n", "aliases=off", "aliases", ""},
	{"host h\nproxy_host p\nproxy_host\n", NULL, "proxy_host", ""},
	{"account a\nhost h\nport 1\naccount b\nport 2\ntimeout 9\n"
	 "account default : a, b\n",
	 NULL, "port", "2"},
	{"account a\nhost h\nport 1\naccount b\nport 2\n"
	 "account default : b, a\n",
	 NULL, "port", "1"},
	{"defaults\nport 5\naccount a\nhost h\ndefaults\nport 6\n"
	 "account default\nhost h\n",
	 NULL, "port", "6"},
	{"defaults\nport 5\naccount a\nhost h\naccount default : a\nport 7\n",
	 NULL, "port", "7"},
	{"host h\nkeepbcc on\nremove_bcc_headers on\n", NULL,
	 "remove_bcc_headers", "on"},
	{"host h\nremove_bcc_headers on\nkeepbcc on\n", NULL,
	 "remove_bcc_headers", "off"},
	{"\xef\xbb\xbfhost h\r\nport 3\r\n", NULL, "port", "3"},
};

static void split_override(const char *given, char *name,
			   struct override *override)
{
	char *equals;

	memcpy(name, given, strlen(given) + 1);
	equals = strchr(name, '=');
	if (equals)
		*equals = '\0';
	*override = (struct override){name, equals ? equals + 1 : NULL};
}

static char *value_of(const char *configuration, const char *given,
		      const char *setting)
{
	char name[64];
	struct override override = {0};
	struct config_request request = {.facts = &facts};
	struct outcome o = OUTCOME_INIT;
	struct buf out = BUF_INIT(4096);
	struct config *c;
	struct account *a;

	if (given) {
		split_override(given, name, &override);
		request.overrides = &override;
		request.n_overrides = 1;
	}
	c = config_parse(view_of(configuration), "test", &request, &o);
	if (!c)
		fail_msg("%s", o.text);
	a = config_choose(c, NULL, NULL, &o);
	if (a)
		setting_print(setting_find(view_of(setting)), a, &out);
	else
		buf_printf(&out, "! %s %s", o.status, o.text);
	config_free(c);
	outcome_release(&o);
	return buf_detach(&out);
}

static void derives_values(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(values); i++) {
		char *got = value_of(values[i].text, values[i].override,
				     values[i].setting);

		if (strcmp(got, values[i].want) != 0)
			fail_msg("%s (%s): %s %s", values[i].text,
				 values[i].override ? values[i].override : "-",
				 values[i].setting, got);
		free(got);
	}
}

static void refuses_what_makes_no_sense(void **state)
{
	static const struct {
		const char *text;
		const char *override;
		const char *want;
	} cases[] = {
		{"account default\nuser a\n", NULL,
		 "! 5.3.5 test:1: account 'default' has no host"},
		{"account default\nsocket /s\ntls on\n", NULL,
		 "! 5.3.5 test:3: account 'default' uses TLS and has no name"},
		{"tunnel x\n", NULL,
		 "! 5.3.5 test:1: account 'default' uses TLS and has no name"},
		{"host h\nprotocol lmtp\n", NULL,
		 "! 5.3.5 test:2: account 'default' speaks LMTP"},
		{"host h\nauth on\n", NULL,
		 "! 5.3.5 test:2: account 'default' is to authenticate"},
		{"host h\ntls_key_file /k\n", NULL,
		 "! 5.3.5 test:2: account 'default' has tls_key_file"},
		{"host h\ndomain a%H\xc3\x28\n", NULL,
		 "! 5.3.5 test:2: domain"},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		char *got = value_of(cases[i].text, cases[i].override, "host");

		if (strncmp(got, cases[i].want, strlen(cases[i].want)) != 0)
			fail_msg("%s: %s", cases[i].text, got);
		free(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses),
		cmocka_unit_test(derives_values),
		cmocka_unit_test(refuses_what_makes_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
