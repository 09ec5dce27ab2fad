/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Alias files: entries, members, loops, includes, and what is refused. */
#include "mail/alias.h"

#include "home.h"
#include "mail/envelope.h"

/* What is asked, of which file, and the mailboxes or the failure it gives. */
static const struct {
	const char *file, *name;
	const char *want; /* "!" and what the failure says; NULL: no entry */
} cases[] = {
	{"", "root", NULL},
	{"root: a@x.example\n", "root", "a@x.example"},
	{"root: a@x.example\n", "ROOT", "a@x.example"},
	{"Root : a@x.example", "root", "a@x.example"},
	{"root:a@x.example\r\n", "root", "a@x.example"},
	{"root: a@x.example\n", "roo", NULL},
	{"root: a@x.example\n", "root2", NULL},
	{"root: a@x.example, b@X.Example\n", "root", "a@x.example b@x.example"},
	{"root: a@x.example,\n\tb@x.example\n", "root",
	 "a@x.example b@x.example"},
	{"root: a@x.example\n\n# no end\n  , b@x.example\n", "root",
	 "a@x.example b@x.example"},
	{"root: a@x.example # b@x.example\n", "root", "!f:1: bad address"},
	{"root: ,, a@x.example,,\n", "root", "a@x.example"},
	{"root: Alice <a@x.example>, \"B, C\" <b@x.example>\n", "root",
	 "a@x.example b@x.example"},
	{"root: a@x.example (one, two), b@x.example\n", "root",
	 "a@x.example b@x.example"},
	{"root: \"a b\"@x.example\n", "root", "\"a b\"@x.example"},
	{"\"two words\": a@x.example\n", "\"two words\"", "a@x.example"},
	{"\"a:b\": a@x.example\n", "\"a:b\"", "a@x.example"},
	{"\"root\": a@x.example\n", "root", "a@x.example"},
	{"root: \"bob\"\nbob: b@x.example\n", "root", "b@x.example"},
	/* the first of two counts */
	{"root: a@x.example\nroot: b@x.example\n", "root", "a@x.example"},
	/* names lead to names */
	{"root: bob\n", "root", "bob"},
	{"root: bob\nbob: carol\ncarol: c@x.example\n", "root", "c@x.example"},
	{"root: \\bob\nbob: b@x.example\n", "root", "bob"},
	{"root: root, a@x.example\n", "root", "root a@x.example"},
	{"a: b, b\nb: c, c\nc: c@x.example\n", "a", "c@x.example"},
	/* each mailbox once, whoever names it */
	{"root: a@x.example, a@X.example\n", "root", "a@x.example"},
	{"root: a@x.example, bob\nbob: a@x.example, b@x.example\n", "root",
	 "a@x.example b@x.example"},
	{"root: bob, carol, bob\ncarol: \\bob\n", "root", "bob"},
	{"a: b\nb: a\n", "a", "!f:2: the alias leads back to itself: 'a'"},
	{"a: b\nb: c\nc: b\n", "a", "!f:3: the alias leads back"},
	/* whoever has no entry */
	{"default: a@x.example\n", "root", "a@x.example"},
	{"default: a@x.example\nroot: b@x.example\n", "root", "b@x.example"},
	{"default: bob\n", "root", "bob"},
	{"default: b\nb: c\n", "root", "c"},
	{"root: bob\ndefault: a@x.example\n", "root", "a@x.example"},
	/* what is included */
	{"root: :include:/nowhere/at/all\n", "root",
	 "!f:1: cannot read /nowhere/at/all: No such file"},
	{"root: :include:list\n", "root",
	 "!f:1: the included file's path must begin with /"},
	{"root: :include:/etc\n", "root", "!f:1: /etc is no regular file"},
	{"root: \":include:HOME/list\"\n", "root",
	 "a@x.example b@x.example c@x.example bob"},
	{"root: :INCLUDE: HOME/list , d@x.example\nbob: b@y.example\n", "root",
	 "a@x.example b@x.example c@x.example b@y.example d@x.example"},
	{"root: :include:HOME/itself\n", "root", "a@x.example"},
	{"root: :include:HOME/bad\n", "root", "!HOME/bad:2: bad address"},
	/* what is no mailbox */
	{"root: |/bin/cat\n", "root", "!f:1: no programs are run"},
	{"root: \"|/bin/cat a, b\"\n", "root", "!f:1: no programs are run"},
	{"root: a@x.example, /var/mail/x\n", "root", "!f:1: no mail is put"},
	{"root: \"/var/mail/x\"\n", "root", "!f:1: no mail is put into"},
	{"root: a b@x.example\n", "root", "!f:1: bad address"},
	{"root: <a@x.example\n", "root", "!f:1: bad address"},
	{"root: \"a@x.example\n", "root", "!f:1: bad address"},
	{"root:\n", "root", "!f:1: nobody stands behind the colon: 'root'"},
	{"\n\n x\nroot: a\n", "root", "a"},
	/* what is wrong elsewhere does no harm */
	{"nonsense\n: x\nb: |x\nroot: a@x.example\n", "root", "a@x.example"},
};

/* The text with HOME replaced; good until the next call. */
static const char *at_home(const char *text)
{
	static char out[1024];
	const char *found = strstr(text, "HOME");

	if (!found)
		return text;
	snprintf(out, sizeof(out), "%.*s%s%s", (int)(found - text), text, home,
		 found + 4);
	return out;
}

static void check_case(size_t i)
{
	struct address_list list = ADDRESS_LIST_INIT;
	struct outcome o = OUTCOME_INIT;
	struct buf got = BUF_INIT(1000);
	const char *want = cases[i].want;
	struct aliases *a;
	size_t n;
	int rc;

	write_file("f", 0600, at_home(cases[i].file));
	a = aliases_read("f", &o);
	assert_non_null(a);
	rc = aliases_expand(a, view_of(cases[i].name), &list, &o);
	for (n = 0; n < list.n; n++)
		buf_printf(&got, "%s%s", n ? " " : "", list.p[n].mailbox);
	if (rc != (!want ? 0 : *want == '!' ? -1 : 1))
		fail_msg("row %zu: %d, %s", i, rc, o.text ? o.text : got.p);
	if (rc < 0 &&
	    strncmp(o.text, at_home(want + 1), strlen(at_home(want + 1))))
		fail_msg("row %zu: %s", i, o.text);
	if (rc > 0)
		assert_string_equal(got.p, want);
	buf_release(&got);
	outcome_release(&o);
	address_list_release(&list);
	aliases_free(a);
}

static void expands_names(void **state)
{
	size_t i;

	(void)state;
	write_file("list", 0600,
		   "# people\na@x.example\nb@x.example, c@x.example\n\nbob\n");
	write_file("bad", 0600, "a@x.example\na b c\n");
	write_file("itself", 0600,
		   at_home("a@x.example, :include:HOME/itself"));
	for (i = 0; i < N_OF(cases); i++)
		check_case(i);
}

static void add_text(void *context, const char *text)
{
	buf_printf(context, "%s\n", text);
}

/* Every entry is looked at, in the order in which they are written. */
static void finds_all_faults(void **state)
{
	struct outcome o = OUTCOME_INIT;
	struct buf all = BUF_INIT(4000);
	struct aliases *a;

	(void)state;
	write_file("f", 0600,
		   "z: |x\nroot: a@x.example\nnonsense\nb@c: d\n: e\n"
		   "root: b@x.example\nl: m\nm: l\n");
	a = aliases_read("f", &o);
	assert_non_null(a);
	assert_int_equal(aliases_count(a), 8);
	assert_int_equal(aliases_check(a, add_text, &all), 7);
	assert_string_equal(
		all.p,
		"f:1: no programs are run for mail: '|x'\n"
		"f:3: there is no colon behind the name: 'nonsense'\n"
		"f:4: an alias is a name without a domain: 'b@c'\n"
		"f:5: there is no name in front of the colon: ''\n"
		"f:6: 'root' has an entry in line 2, which counts\n"
		"f:8: the alias leads back to itself: 'l'\n"
		"f:7: the alias leads back to itself: 'm'\n");
	buf_release(&all);
	aliases_free(a);
	assert_null(aliases_read("nowhere", &o));
	assert_int_equal(o.cause, CAUSE_CONFIG);
	assert_string_equal(o.status, "5.3.5");
	outcome_release(&o);
}

/* Behind what is wrong, too, and nothing twice. */
static void finds_each_fault_once(void **state)
{
	struct outcome o = OUTCOME_INIT;
	struct buf all = BUF_INIT(4000);
	struct aliases *a;

	(void)state;
	write_file("f", 0600,
		   "team: a@x.example, |prog\nlead: team\ntwo: |x, b@x, /y\n"
		   "two: |z\n");
	a = aliases_read("f", &o);
	assert_non_null(a);
	assert_int_equal(aliases_check(a, add_text, &all), 5);
	assert_string_equal(all.p,
			    "f:1: no programs are run for mail: '|prog'\n"
			    "f:3: no programs are run for mail: '|x'\n"
			    "f:3: no mail is put into files: '/y'\n"
			    "f:4: 'two' has an entry in line 3, which counts\n"
			    "f:4: no programs are run for mail: '|z'\n");
	buf_release(&all);
	aliases_free(a);
}

/* Nobody is added by an alias of which one has no home. */
static void adds_all_or_nobody(void **state)
{
	static char file[] = "f";
	const struct local_policy local = {.aliases = file};
	struct envelope e = ENVELOPE_INIT;
	struct outcome o = OUTCOME_INIT;

	(void)state;
	write_file("f", 0600, "team: a@x.example, bob\n");
	assert_int_equal(envelope_add_recipients(&e, VIEW("team"), &local, &o),
			 -1);
	assert_int_equal(e.n_recipients, 0);
	outcome_release(&o);
	envelope_release(&e);
}

/* A chain is followed as long as somebody may have written it. */
static void ends_long_chains(void **state)
{
	struct address_list list = ADDRESS_LIST_INIT;
	struct outcome o = OUTCOME_INIT;
	struct buf text = BUF_INIT(100000);
	struct aliases *a;
	unsigned i;

	(void)state;
	for (i = 0; i < 1000; i++)
		buf_printf(&text, "a%u: a%u\n", i, i + 1);
	write_file("f", 0600, text.p);
	a = aliases_read("f", &o);
	assert_non_null(a);
	assert_int_equal(aliases_expand(a, VIEW("a0"), &list, &o), -1);
	assert_string_equal(o.status, "5.4.6");
	outcome_release(&o);
	assert_int_equal(aliases_expand(a, VIEW("a901"), &list, &o), 1);
	assert_string_equal(list.p[0].mailbox, "a1000");
	address_list_release(&list);
	aliases_free(a);
	buf_release(&text);
}

/* In the envelope: each mailbox once, with the name it came from. */
static void fills_the_envelope(void **state)
{
	static char domain[] = "home.example", file[] = "f";
	const struct local_policy local = {.maildomain = domain,
					   .aliases = file};
	struct envelope e = ENVELOPE_INIT;
	struct outcome o = OUTCOME_INIT;
	struct buf got = BUF_INIT(1000);
	size_t i;

	(void)state;
	write_file("f", 0600,
		   "root: a@x.example, bob\nbob: bob, a@x.example\n");
	assert_int_equal(
		envelope_add_recipients(&e, VIEW("b@y.example, root, lab, bob"),
					&local, &o),
		0);
	for (i = 0; i < e.n_recipients; i++)
		buf_printf(&got, "%s<%s ", e.recipients[i].address.mailbox,
			   e.recipients[i].original.mailbox
				   ? e.recipients[i].original.mailbox
				   : "");
	assert_string_equal(got.p,
			    "b@y.example< a@x.example<root@home.example "
			    "bob@home.example<root@home.example "
			    "lab@home.example< ");
	buf_release(&got);
	envelope_release(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(expands_names, make_home,
						remove_home),
		cmocka_unit_test_setup_teardown(finds_all_faults, make_home,
						remove_home),
		cmocka_unit_test_setup_teardown(finds_each_fault_once,
						make_home, remove_home),
		cmocka_unit_test_setup_teardown(adds_all_or_nobody, make_home,
						remove_home),
		cmocka_unit_test_setup_teardown(ends_long_chains, make_home,
						remove_home),
		cmocka_unit_test_setup_teardown(fills_the_envelope, make_home,
						remove_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
