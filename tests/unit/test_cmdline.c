/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line: forms, refusals, and what real programs pass. */
#include "app/cmdline.h"

#include "app/options.h"
#include "conf/setting.h"
#include "unit.h"

#define WORDS_MAX 32

/* Words are separated by `|`, since many hold blanks or nothing. */
static int split(const char *line, char *copy, char **words)
{
	int n = 0;
	char *p = copy;

	memcpy(copy, line, strlen(line) + 1);
	words[n++] = p;
	for (; *p; p++) {
		if (*p != '|')
			continue;
		*p = '\0';
		words[n++] = p + 1;
	}
	words[n] = NULL;
	return n;
}

static void add(struct buf *out, const char *name, const char *value)
{
	if (value)
		buf_printf(out, " %s='%s'", name, value);
}

static void add_flag(struct buf *out, const char *name, bool on)
{
	if (on)
		buf_printf(out, " %s", name);
}

static void describe_lists(const struct request *r, struct buf *out)
{
	size_t i;

	for (i = 0; i < r->n_overrides; i++)
		buf_printf(out, " %s:%s", r->overrides[i].name,
			   r->overrides[i].value ? r->overrides[i].value
						 : "(bare)");
	buf_add_text(out, " >");
	for (i = 0; i < r->recipients.n; i++)
		buf_printf(out, " %s", r->recipients.p[i]);
}

static void describe_queue(const struct request *r, struct buf *out)
{
	static const char *const deliveries[] = {
		[DELIVERY_UNSET] = NULL,
		[DELIVERY_NOW] = "now",
		[DELIVERY_BACKGROUND] = "background",
		[DELIVERY_LATER] = "later",
	};
	static const char *const kinds[] = {
		[SELECT_ID] = "id",           [SELECT_RECIPIENT] = "to",
		[SELECT_SENDER] = "from",     [SELECT_ACCOUNT] = "account",
		[SELECT_HELD] = "held",       [SELECT_ALL] = "all",
		[SELECT_EXACT_ID] = "exactly"};
	const struct selectors *list = &r->queue.selectors;
	size_t i;

	add(out, "delivery", deliveries[r->delivery]);
	add(out, "hold", r->hold);
	if (r->queue.interval)
		buf_printf(out, " every=%u", r->queue.interval);
	add_flag(out, "foreground", r->queue.foreground);
	add_flag(out, "due", r->queue.only_due);
	add_flag(out, "all-users", r->queue.all_users);
	for (i = 0; i < list->n; i++)
		buf_printf(out, " %s%s~'%s'", list->p[i].is_inverted ? "!" : "",
			   kinds[list->p[i].by], list->p[i].text);
}

static void describe(const struct request *r, struct buf *out)
{
	static const char *const modes[] = {
		[MODE_SUBMIT] = "submit",
		[MODE_SERVE] = "serve",
		[MODE_VERIFY] = "verify",
		[MODE_ADDRESSES] = "addresses",
		[MODE_ALIASES] = "aliases",
		[MODE_QUEUE_RUN] = "queue-run",
		[MODE_QUEUE_LIST] = "queue",
		[MODE_QUEUE_COUNT] = "queue-size",
		[MODE_QUEUE_SHOW] = "queue-show",
		[MODE_QUEUE_HOLD] = "queue-hold",
		[MODE_QUEUE_RELEASE] = "queue-release",
		[MODE_QUEUE_REMOVE] = "queue-remove",
		[MODE_QUEUE_RETRY] = "queue-retry",
		[MODE_CHECK] = "check",
		[MODE_PROBE] = "probe",
		[MODE_HELP] = "help",
		[MODE_VERSION] = "version",
		[MODE_HOST_STATUS] = "host-status",
		[MODE_LIST_OPTIONS] = "options",
		[MODE_LIST_SETTINGS] = "settings",
		[MODE_LATER] = "later",
	};
	size_t wait;

	buf_add_text(out, modes[r->mode]);
	add_flag(out, "sendmail", r->as_sendmail);
	add(out, "later", r->mode == MODE_LATER ? r->later : NULL);
	add(out, "X", r->traffic_log);
	add(out, "C", r->config_file);
	add(out, "a", r->account);
	add(out, "f", r->sender);
	add(out, "F", r->full_name);
	add(out, "L", r->syslog_tag);
	add(out, "V", r->envid);
	add_flag(out, "t", r->recipients_from_header);
	add_flag(out, "i", r->ignore_dots);
	add_flag(out, "v", r->verbose);
	add_flag(out, "dry", r->dry_run);
	add_flag(out, "header-sender", r->sender_from_header);
	add_flag(out, "json", r->report == REPORT_JSON);
	if (r->notify)
		buf_printf(out, " N=%u", r->notify);
	if (r->ret)
		buf_printf(out, " R=%d", (int)r->ret);
	if (r->body_type)
		buf_printf(out, " B=%d", (int)r->body_type);
	for (wait = 0; wait < WAIT_N; wait++)
		if (r->waits[wait])
			buf_printf(out, " wait%zu=%u", wait, r->waits[wait]);
	describe_queue(r, out);
	describe_lists(r, out);
}

/* What was understood; or "STATUS: why not". */
static char *parse(const char *line)
{
	char copy[1024];
	char *words[WORDS_MAX];
	struct request r = REQUEST_INIT;
	struct outcome o = OUTCOME_INIT;
	struct buf out = BUF_INIT(4096);
	int n = split(line, copy, words);

	if (cmdline_parse(n, words, &r, &o) == 0)
		describe(&r, &out);
	else
		buf_printf(&out, "%s: %s", cause_name(o.cause), o.text);
	outcome_release(&o);
	cmdline_release(&r);
	return buf_detach(&out);
}

struct parse_case {
	const char *line;
	const char *want;
};

static void check_all(const struct parse_case *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		char *got = parse(p[i].line);

		if (strcmp(got, p[i].want) != 0)
			fail_msg("%s\n  got  %s\n  want %s", p[i].line, got,
				 p[i].want);
		free(got);
	}
}

#define S "/usr/sbin/sendmail|"
#define P "postrider|"

static const struct parse_case real_calls[] = {
	{S "-FCronDaemon|-i|-B8BITMIME|-oem|root",
	 "submit sendmail F='CronDaemon' i B=2 > root"},
	{S "-FAnacron|-odi|anacron@h",
	 "submit sendmail F='Anacron' delivery='now' > anacron@h"},
	{S "-i|lab", "submit sendmail i > lab"},
	{S "-i|-t", "submit sendmail t i >"},
	{S "-i|-t|-f|a@b", "submit sendmail f='a@b' t i >"},
	{S "-i|-t|-v", "submit sendmail t i v >"},
	{S "-oi|-f|a@b|-t", "submit sendmail f='a@b' t i >"},
	{S "-oem|-oi|--|r@x|s@x", "submit sendmail i > r@x s@x"},
	{S "-oem|-oi|-f|a@b|-N|failure,delay|-R|hdrs|--|r@x",
	 "submit sendmail f='a@b' i N=12 R=2 > r@x"},
	{S "-bs|-odb|-oem", "serve sendmail delivery='background' >"},
	{S "-bs|-odb|-oem|-om", "serve sendmail delivery='background' >"},
	{S "-oem|-t|-oi", "submit sendmail t i >"},
	{S "-t|-i", "submit sendmail t i >"},
	{S "-t", "submit sendmail t >"},
	{S "-i|r@x|s@x", "submit sendmail i > r@x s@x"},
	{S "-i|-f|a@b|-i|r@x", "submit sendmail f='a@b' i > r@x"},
	{S "-i|-f|a@b|--|r@x", "submit sendmail f='a@b' i > r@x"},
	{S "-t|-oi|-oem|-fa@b", "submit sendmail f='a@b' t i >"},
	{S "-f|a@b|r@x", "submit sendmail f='a@b' > r@x"},
	{S "-f|lab|--|r@x", "submit sendmail f='lab' > r@x"},
};

static const struct parse_case forms[] = {
	{"postrider", "submit >"},
	{P "r@x", "submit > r@x"},
	{P "-tioem", "submit t i >"},
	{P "-tvi", "submit t i v >"},
	{P "-tfa@b", "submit f='a@b' t >"},
	{P "-tf|a@b|r@x", "submit f='a@b' t > r@x"},
	{P "-f||r@x", "submit f='' > r@x"},
	{P "-f|<>|r@x", "submit f='<>' > r@x"},
	{P "--from=|r@x", "submit f='' > r@x"},
	{P "-f|-t|r@x", "submit f='-t' > r@x"},
	{P "-ra@b|r@x", "submit f='a@b' > r@x"},
	{P "-f|a@b|-f|c@d|r@x", "submit f='c@d' > r@x"},
	{P "r@x|-t@x", "submit > r@x -t@x"},
	{P "r@x|-t|-C|/x",
	 "usage: '-t' stands behind a recipient: options go "
	 "in front; put -- before the recipients if it is one"},
	{P "--|r@x|-t", "submit > r@x -t"},
	{P "--|-t", "submit > -t"},
	{P "-t|--|--tls", "submit t > --tls"},
	{P "-|r@x", "submit > - r@x"},
	{P "|r@x", "submit >  r@x"},
	{P "-F|A B|-Ltag|-V|id1|r@x", "submit F='A B' L='tag' V='id1' > r@x"},
	{P "-B|7bit|r@x", "submit B=1 > r@x"},
	{P "-BBINARYMIME|r@x", "submit B=3 > r@x"},
	{P "-Nnever|-Rfull|r@x", "submit N=1 R=1 > r@x"},
	{P "-N|off|-R|headers|r@x", "submit R=2 > r@x"},
	{P "-Ac|-A|m|-G|-m|-U|-x|-c|-em|-e|q|-h5|-h|5|-pTCP|-p|TCP|r@x",
	 "submit > r@x"},
	{P "-n|r@x", "submit aliases:off > r@x"},
	{P "-o|i|r@x", "submit i > r@x"},
	{P "-oi|-om|-oee|-o7|-odi|-odb|-oT3d|r@x",
	 "submit i delivery='background' > r@x"},
	{P "-O|ErrorMode=m|-OLogLevel=9|r@x", "submit > r@x"},
	{P "-d|-d7|-d0-5.2|r@x", "submit > r@x"},
	{P "-bm|r@x", "submit > r@x"},
	{P "-b|m|r@x", "submit > r@x"},
	{P "-bs|-bm|r@x", "submit > r@x"},
	{P "-a|work|-C|/etc/x|r@x", "submit C='/etc/x' a='work' > r@x"},
	{P "-awork|-C/etc/x|r@x", "submit C='/etc/x' a='work' > r@x"},
	{P "--account|work|--file=/etc/x|r@x",
	 "submit C='/etc/x' a='work' > r@x"},
	{P "--read-recipients|--read-envelope-from",
	 "submit t header-sender >"},
	{P "--report=json|r@x", "submit json > r@x"},
	{P "--report|text|r@x", "submit > r@x"},
	{P "--debug|-P|r@x", "submit v dry > r@x"},
	{P "--pretend|r@x", "submit dry > r@x"},
	{P "--dry-run|r@x", "submit dry > r@x"},
	{P "-S", "probe >"},
	{P "--serverinfo|--host=h", "probe host:h >"},
	{P "--probe|-a|work", "probe a='work' >"},
	{P "-bC", "check >"},
	{P "--check|-C|x", "check C='x' >"},
	{P "--help", "help >"},
	{P "--help|--version", "help >"},
	{P "--version", "version >"},
	{P "-d0.1|-bv|root", "version > root"},
	{P "-bh", "host-status >"},
	{P "-bH", "host-status >"},
	{P "--list-options", "options >"},
	{P "--list-settings", "settings >"},
};

static const struct parse_case overrides[] = {
	{P "--tls|r@x", "submit tls:(bare) > r@x"},
	{P "--tls=off|r@x", "submit tls:off > r@x"},
	{P "--tls-starttls=off|r@x", "submit tls_starttls:off > r@x"},
	{P "--tls_starttls=off|r@x", "submit tls_starttls:off > r@x"},
	{P "--host|h|--port=26|r@x", "submit host:h port:26 > r@x"},
	{P "--user=|r@x", "submit user: > r@x"},
	{P "--host=|r@x", "usage: --host: host wants an argument: HOST"},
	{P "--auth|--user=a|r@x", "submit auth:(bare) user:a > r@x"},
	{P "--auth=login|r@x", "submit auth:login > r@x"},
	{P "--passwordeval=echo x|r@x", "submit passwordeval:echo x > r@x"},
	{P "--syslog|--logfile=-|r@x", "submit syslog:(bare) logfile:- > r@x"},
	{P "--tls=maybe|r@x", "usage: --tls: tls wants on or off, not 'maybe'"},
	{P "--port|x|r@x",
	 "usage: --port: port wants a number from 1 to 65535, not 'x'"},
	{P "--domain=a\rb|r@x",
	 "usage: --domain: domain wants a name without blanks, not 'a\\x0Db'"},
	{P "--host", "usage: --host wants an argument: HOST"},
	{P "--password=x|r@x",
	 "usage: --password is not taken from the command line, where others "
	 "can read it; use passwordeval or password_file"},
	{P "--keepbcc|r@x", "submit keepbcc:(bare) > r@x"},
};

static const struct parse_case refusals[] = {
	{P "-k", "usage: unknown option -k"},
	{P "-tk", "usage: unknown option -k"},
	{P "--", "submit >"},
	{P "--acount=x",
	 "usage: unknown option --acount; did you mean "
	 "--account?"},
	{P "--tls-certchek",
	 "usage: unknown option --tls-certchek; did you "
	 "mean --tls-certcheck?"},
	{P "--zzzzzzzz", "usage: unknown option --zzzzzzzz"},
	{P "--help=x", "usage: --help takes no argument"},
	{P "-f", "usage: -f wants an argument: ADDRESS"},
	{P "--account", "usage: --account wants an argument: NAME"},
	{P "-b", "usage: -b wants an argument: a letter"},
	{P "-bz", "usage: unknown option -bz"},
	{P "-bmx", "usage: unknown option -bmx"},
	{P "-od|i", "usage: -od wants a letter behind it"},
	{P "-odz", "usage: unknown option -odz"},
	{P "-odii", "usage: unknown option -odii"},
	{P "-o", "usage: -o wants an argument: a letter"},
	{P "-Ax", "usage: -A wants c or m, not 'x'"},
	{P "-B8BIT",
	 "usage: -B wants 7BIT, 8BITMIME or BINARYMIME, not "
	 "'8BIT'"},
	{P "-Nsometimes",
	 "usage: -N wants never, or a list of success, "
	 "failure and delay, not 'sometimes'"},
	{P "-Rhalf", "usage: -R wants full or hdrs, not 'half'"},
	{P "--report=xml", "usage: --report wants json or text, not 'xml'"},
	{P "-O|=x", "usage: -O wants OPTION=VALUE"},
	{P "--check|r@x",
	 "usage: nothing is sent, so there are no "
	 "recipients: 'r@x'"},
	{P "--probe|h",
	 "usage: nothing is sent, so there are no recipients: "
	 "'h'"},
};

static const struct parse_case modes[] = {
	{P "-bs", "serve >"},
	{P "-bp", "queue >"},
	{P "-bP", "queue-size >"},
	{P "-bi", "aliases >"},
	{P "-I", "aliases >"},
	{P "-bv|root", "verify > root"},
	{P "-bt", "addresses >"},
	{P "-bs|--help", "help >"},
	{P "-bp|-q", "queue >"},
	{P "--setup", "later later='--setup' >"},
	{P "--configure=a@b", "later later='--configure' >"},
	{"mailq", "queue sendmail >"},
	{"/usr/bin/mailq|-v", "queue sendmail v >"},
	{"newaliases", "aliases sendmail >"},
	{P "-bs|r@x", "usage: the recipients come by SMTP, not here: 'r@x'"},
	{P "-bs|-P", "usage: -bs submits for real, so --dry-run is not for it"},
	{P "--aliases|/x|r@x", "submit aliases:/x > r@x"},
	{P "--aliases=off|r@x", "submit aliases:off > r@x"},
	{P "-bt|r@x",
	 "usage: nothing is sent, so there are no recipients: 'r@x'"},
};

/* What is asked of the queue. `|` parts words, so one that holds it (as the
 * metavar ID|SELECTOR) is only in what is said. */
static const struct parse_case queue_forms[] = {
	{P "-odi|r@x", "submit delivery='now' > r@x"},
	{P "-odb|r@x", "submit delivery='background' > r@x"},
	{P "-odq|r@x", "submit delivery='later' > r@x"},
	{P "-odd|r@x", "submit delivery='later' > r@x"},
	{P "-o|di|r@x", "submit delivery='now' > r@x"},
	{P "-o|db|r@x", "submit delivery='background' > r@x"},
	{P "-o|dq|r@x", "submit delivery='later' > r@x"},
	{P "-o|dd|r@x", "submit delivery='later' > r@x"},
	{P "-odi|-odq|r@x", "submit delivery='later' > r@x"},
	{P "-odq|-odi|r@x", "submit delivery='now' > r@x"},
	{P "-iodq|-t", "submit t i delivery='later' >"},
	{P "-todd", "submit t delivery='later' >"},
	{P "-oi|r@x", "submit i > r@x"},
	{P "-od|q", "usage: -od wants a letter behind it"},
	{P "-odqx|r@x", "usage: unknown option -odqx"},
	{P "-Qwhy|r@x", "submit hold='why' > r@x"},
	{P "-Q|why|r@x", "submit hold='why' > r@x"},
	{P "-iQ|until Monday|-t", "submit t i hold='until Monday' >"},
	{P "-Q|r@x", "submit hold='r@x' >"},
	{P "-Q||r@x", "submit hold='' > r@x"},
	{P "-Q", "usage: -Q wants an argument: REASON"},
	{P "-bs|-Qwhy", "serve hold='why' >"},
	{P "-q", "queue-run >"},
	{P "-q30s", "queue-run every=30 >"},
	{P "-q30", "queue-run every=1800 >"},
	{P "-q15m", "queue-run every=900 >"},
	{P "-q2h", "queue-run every=7200 >"},
	{P "-q1d", "queue-run every=86400 >"},
	{P "-q1h30m", "queue-run every=5400 >"},
	{P "-qp", "queue-run >"},
	{P "-qp5m", "queue-run every=300 >"},
	{P "-qf", "queue-run foreground >"},
	{P "-qf15m", "queue-run every=900 foreground >"},
	{P "-q30d", "queue-run every=2592000 >"},
	{P "-vq", "queue-run v >"},
	{P "-vq15m", "queue-run v every=900 >"},
	{P "-q15m|-q1h", "queue-run every=3600 >"},
	{P "-q|15m",
	 "usage: nothing is sent, so there are no recipients: '15m'"},
	{P "-q|r@x",
	 "usage: nothing is sent, so there are no recipients: 'r@x'"},
	{P "-qf|r@x",
	 "usage: nothing is sent, so there are no recipients: 'r@x'"},
	{P "-q15m|r@x",
	 "usage: nothing is sent, so there are no recipients: 'r@x'"},
	{P "-qIx|r@x",
	 "usage: nothing is sent, so there are no recipients: 'r@x'"},
	{P "-bp|-q", "queue >"},
	{P "-q|-bp", "queue >"},
	{P "-bP|-q", "queue-size >"},
	{P "-qz", "usage: -q does not know 'z'"},
	{P "-q!", "usage: -q does not know '!'"},
	{P "-q!z", "usage: -q does not know '!z'"},
	{P "-q!f", "usage: -q does not know '!f'"},
	{P "-q!p", "usage: -q does not know '!p'"},
	{P "-q=30m", "usage: -q does not know '=30m'"},
	{P "-q-1", "usage: -q does not know '-1'"},
	{P "-q!15m", "usage: -q does not know '!15m'"},
	{P "-q!!Ix", "usage: -q does not know '!!Ix'"},
	{P "-q0", "usage: -q wants a time (30s, 15m, 2h), not '0'"},
	{P "-q30x", "usage: -q wants a time (30s, 15m, 2h), not '30x'"},
	{P "-q1.5h", "usage: -q wants a time (30s, 15m, 2h), not '1.5h'"},
	{P "-q31d", "usage: -q wants a time (30s, 15m, 2h), not '31d'"},
	{P "-q0m", "usage: -q wants a time (30s, 15m, 2h), not '0m'"},
	{P "-qf0", "usage: -qf wants a time (30s, 15m, 2h), not '0'"},
	{P "-qfx", "usage: -qf wants a time (30s, 15m, 2h), not 'x'"},
	{P "-qp=5", "usage: -qp does not know '=5'"},
	{P "-qIabc", "queue-run id~'abc' >"},
	{P "-qI|abc", "queue-run id~'abc' >"},
	{P "-q!Iabc", "queue-run !id~'abc' >"},
	{P "-q!I|abc", "queue-run !id~'abc' >"},
	{P "-qI", "usage: -qI wants an argument: TEXT"},
	{P "-qI|", "usage: -qI wants an argument: TEXT"},
	{P "-q!I", "usage: -q!I wants an argument: TEXT"},
	{P "-qRabc", "queue-run to~'abc' >"},
	{P "-qR|abc", "queue-run to~'abc' >"},
	{P "-q!Rabc", "queue-run !to~'abc' >"},
	{P "-q!R|abc", "queue-run !to~'abc' >"},
	{P "-qR", "usage: -qR wants an argument: TEXT"},
	{P "-qR|", "usage: -qR wants an argument: TEXT"},
	{P "-q!R", "usage: -q!R wants an argument: TEXT"},
	{P "-qSabc", "queue-run from~'abc' >"},
	{P "-qS|abc", "queue-run from~'abc' >"},
	{P "-q!Sabc", "queue-run !from~'abc' >"},
	{P "-q!S|abc", "queue-run !from~'abc' >"},
	{P "-qS", "usage: -qS wants an argument: TEXT"},
	{P "-qS|", "usage: -qS wants an argument: TEXT"},
	{P "-q!S", "usage: -q!S wants an argument: TEXT"},
	{P "-qGabc", "queue-run account~'abc' >"},
	{P "-qG|abc", "queue-run account~'abc' >"},
	{P "-q!Gabc", "queue-run !account~'abc' >"},
	{P "-q!G|abc", "queue-run !account~'abc' >"},
	{P "-qG", "usage: -qG wants an argument: NAME"},
	{P "-qG|", "usage: -qG wants an argument: NAME"},
	{P "-q!G", "usage: -q!G wants an argument: NAME"},
	{P "-qQ", "queue-run held~'' >"},
	{P "-qQwhy", "queue-run held~'why' >"},
	{P "-q!Q", "queue-run !held~'' >"},
	{P "-q!Qwhy", "queue-run !held~'why' >"},
	{P "-qQ|why",
	 "usage: nothing is sent, so there are no recipients: 'why'"},
	{P "-qR|r@x", "queue-run to~'r@x' >"},
	{P "-qR|-v", "queue-run to~'-v' >"},
	{P "-qRa|-q!Sb|-qf15m",
	 "queue-run every=900 foreground to~'a' !from~'b' >"},
	{P "-qIa|-qIb|-v", "queue-run v id~'a' id~'b' >"},
	{P "-vqRa", "queue-run v to~'a' >"},
	{P "-qfRa", "usage: -qf wants a time (30s, 15m, 2h), not 'Ra'"},
	{P "-bp|-qRa", "queue to~'a' >"},
	{P "-bp|-q!Q|-v", "queue v !held~'' >"},
	{P "-bP|-qQ", "queue-size held~'' >"},
	{P "-bd",
	 "usage: -bd: this is no server; with -q INTERVAL it means to run the "
	 "queue"},
	{P "-bD",
	 "usage: -bD: this is no server; with -q INTERVAL it means to run the "
	 "queue"},
	{P "-bd|-q",
	 "usage: -bd: this is no server; with -q INTERVAL it means to run the "
	 "queue"},
	{P "-qf|-bD",
	 "usage: -bD: this is no server; with -q INTERVAL it means to run the "
	 "queue"},
	{P "-bd|-qRa",
	 "usage: -bd: this is no server; with -q INTERVAL it means to run the "
	 "queue"},
	{P "-bd|--queue-run",
	 "usage: -bd: this is no server; with -q INTERVAL it means to run the "
	 "queue"},
	{P "-bd|r@x",
	 "usage: -bd: this is no server; with -q INTERVAL it means to run the "
	 "queue"},
	{P "-bd|-q30m", "queue-run every=1800 >"},
	{P "-q30m|-bd", "queue-run every=1800 >"},
	{P "-b|d|-q30m", "queue-run every=1800 >"},
	{P "-bD|-q1h", "queue-run every=3600 foreground >"},
	{P "-q1h|-bD", "queue-run every=3600 foreground >"},
	{P "-bd|-qf1h", "queue-run every=3600 foreground >"},
	{P "-bd|-q1h|-qG|work", "queue-run every=3600 account~'work' >"},
	{P "-bd|-q30m|r@x",
	 "usage: nothing is sent, so there are no recipients: 'r@x'"},
	{P "-bdx", "usage: unknown option -bdx"},
	{P "--queue-run", "queue-run due >"},
	{P "--queue-run|-q15m", "queue-run every=900 due >"},
	{P "--queue-run|-qRa", "queue-run due to~'a' >"},
	{P "--queue-run=1", "usage: --queue-run takes no argument"},
	{P "--queue-run|r@x",
	 "usage: nothing is sent, so there are no recipients: 'r@x'"},
	{P "--queue-run|--all-users", "queue-run due all-users >"},
	{P "--all-users|-q", "queue-run all-users >"},
	{P "-qf15m|--all-users", "queue-run every=900 foreground all-users >"},
	{P "--all-users", "usage: --all-users goes with -q or --queue-run"},
	{P "--all-users|r@x", "usage: --all-users goes with -q or --queue-run"},
	{P "-bp|--all-users", "usage: --all-users goes with -q or --queue-run"},
	{P "-bp|-q|--all-users",
	 "usage: --all-users goes with -q or --queue-run"},
	{P "--all-users|--queue-hold|all",
	 "usage: --all-users goes with -q or --queue-run"},
	{P "-bs|--all-users", "usage: --all-users goes with -q or --queue-run"},
	{P "--queue-show|abc", "queue-show > abc"},
	{P "--queue-show=abc|def|held", "queue-show > abc def held"},
	{P "--queue-show",
	 "usage: --queue-show wants an argument: ID|SELECTOR"},
	{P "--queue-hold|abc", "queue-hold > abc"},
	{P "--queue-hold=abc|def|held", "queue-hold > abc def held"},
	{P "--queue-hold",
	 "usage: --queue-hold wants an argument: ID|SELECTOR"},
	{P "--queue-release|abc", "queue-release > abc"},
	{P "--queue-release=abc|def|held", "queue-release > abc def held"},
	{P "--queue-release",
	 "usage: --queue-release wants an argument: ID|SELECTOR"},
	{P "--queue-remove|abc", "queue-remove > abc"},
	{P "--queue-remove=abc|def|held", "queue-remove > abc def held"},
	{P "--queue-remove",
	 "usage: --queue-remove wants an argument: ID|SELECTOR"},
	{P "--queue-retry|abc", "queue-retry > abc"},
	{P "--queue-retry=abc|def|held", "queue-retry > abc def held"},
	{P "--queue-retry",
	 "usage: --queue-retry wants an argument: ID|SELECTOR"},
	{P "--queue-hold|a|--queue-hold|b|c", "queue-hold > a b c"},
	{P "--queue-hold|recipient:r@x|--|-x", "queue-hold > recipient:r@x -x"},
	{P "--queue-hold|a|b|-v",
	 "usage: '-v' stands behind a recipient: options go in front; put -- "
	 "before the recipients if it is one"},
	{P "--queue-hold|a|--queue-remove|b",
	 "usage: --queue-remove does not go with another of its kind: call "
	 "postrider once for each"},
	{P "--queue-hold|-q", "queue-hold > -q"},
	{P "-q|--queue-hold|a", "queue-hold > a"},
};

/* What has no place of its own in the request's description. */
static const struct parse_case long_options[] = {
	{P "-X|/tmp/x|r@x", "submit X='/tmp/x' > r@x"},
	{P "-D/tmp/x|r@x", "submit > r@x"},
	{P "-ORequireTLS|r@x", "submit requiretls:on > r@x"},
	{P "-O|requiretls=false|r@x", "submit requiretls:off > r@x"},
	{P "-ORequireTLS=off|r@x", "submit requiretls:off > r@x"},
	{P "-OSMTPUTF8=On|r@x", "submit smtputf8:on > r@x"},
	{P "-OSMTPUTF8=No|r@x", "submit smtputf8:off > r@x"},
	{P "-ODeliverBy=120;RT|r@x", "submit deliverby:120;RT > r@x"},
	{P "-ODeliverBy=-5;n|r@x", "submit deliverby:-5;n > r@x"},
	{P "-ODeliverBy=0;R|r@x",
	 "usage: -O DeliverBy wants seconds and mode (120;R), not '0;R'"},
	{P "-ODeliverBy=120|r@x",
	 "usage: -O DeliverBy wants seconds and mode (120;R), not '120'"},
	{P "-O|Timeout.connect=1m|r@x", "submit wait0=60 > r@x"},
	{P "-OTimeout.mail=5|-OTimeout.datafinal=1h30m|r@x",
	 "submit wait2=300 wait6=5400 > r@x"},
	{P "-OTimeout.rcpt=5s|r@x", "submit wait3=5 > r@x"},
	{P "-OTimeout.queuereturn=30d|r@x", "submit > r@x"},
	{P "-OTimeout.initial=0|r@x", "submit wait1=4294967295 > r@x"},
	{P "-OTimeout.queuereturn.normal=5d|r@x", "submit > r@x"},
	{P "-OTimeout.mail=soon|r@x",
	 "usage: -O Timeout.mail wants a time (30s, 5m, 1h), not 'soon'"},
	{P "-OTimeout.tea=5m|r@x", "usage: -O does not know Timeout.tea"},
	{P "-OTimeout|r@x", "usage: -O does not know Timeout"},
	{P "-OErrorMode=mail|r@x", "submit > r@x"},
	{P "-OQueueDirectory=/x|r@x", "submit > r@x"},
};

static const struct parse_case as_sendmail[] = {
	{S "-C|x|r@x",
	 "usage: -C is refused under the name sendmail; "
	 "configure it instead, or call postrider"},
	{S "-D/x|r@x",
	 "usage: -D is refused under the name sendmail; "
	 "configure it instead, or call postrider"},
	{S "-tC/x",
	 "usage: -C is refused under the name sendmail; configure "
	 "it instead, or call postrider"},
	{S "-oA/x|r@x",
	 "usage: -oA is refused under the name sendmail; "
	 "configure it instead, or call postrider"},
	{S "-OQueueDirectory=/x|r@x",
	 "usage: -O QueueDirectory is refused under the name sendmail: "
	 "configure it instead"},
	{S "-O|AliasFile=/x|r@x",
	 "usage: -O AliasFile is refused under the name sendmail: configure "
	 "it instead"},
	{S "--tls|r@x",
	 "usage: --tls is refused under the name sendmail: "
	 "long options belong to the name postrider"},
	{S "--help",
	 "usage: --help is refused under the name sendmail: long "
	 "options belong to the name postrider"},
	{"mailq|--host=h",
	 "usage: --host is refused under the name mailq: "
	 "long options belong to the name postrider"},
	{S "-X|/x|-f|a@b|r@x", "submit sendmail f='a@b' > r@x"},
	{S "-a|work|r@x", "submit sendmail a='work' > r@x"},
	{S "-z|r@x", "usage: unknown option -z"},
	{S "--|--tls", "submit sendmail > --tls"},
	{"/usr/lib/sendmail|r@x", "submit sendmail > r@x"},
	{"./sendmail.postrider|r@x", "submit > r@x"},
	{S "-q15m", "queue-run sendmail every=900 >"},
	{S "-bd|-q15m", "queue-run sendmail every=900 >"},
	{S "-qf|-qR|r@x", "queue-run sendmail foreground to~'r@x' >"},
	{S "-odq|-Qwhy|r@x",
	 "submit sendmail delivery='later' hold='why' > r@x"},
	{S "--queue-run",
	 "usage: --queue-run is refused under the name sendmail: long options "
	 "belong to the name postrider"},
	{"mailq|-q", "queue sendmail >"},
	{"mailq|-qRa", "queue sendmail to~'a' >"},
	{"mailq|--queue-remove|all",
	 "usage: --queue-remove is refused under the name mailq: long options "
	 "belong to the name postrider"},
};

#define CHECK(name, table)                     \
	static void name(void **state)         \
	{                                      \
		(void)state;                   \
		check_all(table, N_OF(table)); \
	}

CHECK(takes_what_real_programs_pass, real_calls)
CHECK(takes_every_form, forms)
CHECK(takes_settings, overrides)
CHECK(refuses_what_is_wrong, refusals)
CHECK(knows_modes, modes)
CHECK(takes_what_is_asked_of_the_queue, queue_forms)
CHECK(takes_long_options, long_options)
CHECK(keeps_sendmail_narrow, as_sendmail)

static void warns_about_a_traffic_log(void **state)
{
	char *words[] = {"sendmail", "-X", "/x", "r@x", NULL};
	struct request r = REQUEST_INIT;
	struct outcome o = OUTCOME_INIT;

	(void)state;
	assert_int_equal(cmdline_parse(4, words, &r, &o), 0);
	assert_int_equal(r.warnings.n, 1);
	assert_string_equal(r.warnings.p[0],
			    "-X is ignored under the name sendmail");
	cmdline_release(&r);
}

static void works_without_arguments(void **state)
{
	char *words[] = {NULL};
	struct request r = REQUEST_INIT;
	struct outcome o = OUTCOME_INIT;

	(void)state;
	assert_int_equal(cmdline_parse(0, words, &r, &o), 0);
	assert_int_equal(r.mode, MODE_SUBMIT);
	assert_int_equal(r.recipients.n, 0);
	cmdline_release(&r);
}

static bool has_line(const struct buf *text, const char *line)
{
	const char *p = text->p;
	size_t n = strlen(line);

	for (; (p = strstr(p, line)); p += n)
		if ((p == text->p || p[-1] == '\n') && p[n] == '\n')
			return true;
	return false;
}

static void lists_every_option_once(void **state)
{
	static const char *const some[] = {
		"-f",        "--from", "-bs",
		"-oi",       "-odq",   "-q",
		"-qI",       "--tls",  "--tls-starttls",
		"--account", "-bC",    "--check",
		"--report"};
	struct buf text = BUF_INIT(65536);
	struct buf line = BUF_INIT(256);
	const char *p, *end;
	size_t i;

	(void)state;
	cmdline_print_options(&text);
	for (i = 0; i < N_OF(some); i++)
		if (!has_line(&text, some[i]))
			fail_msg("%s is not listed", some[i]);
	assert_false(has_line(&text, "--password"));
	for (p = text.p; (end = strchr(p, '\n')); p = end + 1) {
		buf_clear(&line);
		buf_printf(&line, "\n%.*s\n", (int)(end - p), p);
		if (strstr(end, line.p))
			fail_msg("twice:%s", line.p);
	}
	buf_release(&text);
	buf_release(&line);
}

static void lists_every_setting(void **state)
{
	struct buf text = BUF_INIT(65536);
	size_t i;

	(void)state;
	cmdline_print_settings(&text);
	for (i = 0; i < settings_n; i++)
		assert_true(has_line(&text, settings[i].name));
	buf_release(&text);
}

static void helps_within_80_columns(void **state)
{
	struct buf text = BUF_INIT(65536);
	const char *p, *end;

	(void)state;
	cmdline_print_help(&text);
	for (p = text.p; (end = strchr(p, '\n')); p = end + 1)
		if (end - p > 80)
			fail_msg("%.*s", (int)(end - p), p);
	assert_non_null(strstr(text.p, "--partial"));
	buf_release(&text);
}

/* Two rows with one spelling: the second would never be found. */
static void has_each_spelling_once(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < options_n; i++) {
		const struct option *row = &options[i];
		const char *group = row->group ? row->group : "";

		if (row->letter)
			assert_ptr_equal(option_find(group, row->letter), row);
		if (row->name)
			assert_ptr_equal(option_find_name(view_of(row->name)),
					 row);
		if (row->argument == ARGUMENT_REQUIRED)
			assert_non_null(row->metavar);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_real_programs_pass),
		cmocka_unit_test(takes_every_form),
		cmocka_unit_test(takes_settings),
		cmocka_unit_test(refuses_what_is_wrong),
		cmocka_unit_test(knows_modes),
		cmocka_unit_test(takes_what_is_asked_of_the_queue),
		cmocka_unit_test(takes_long_options),
		cmocka_unit_test(keeps_sendmail_narrow),
		cmocka_unit_test(warns_about_a_traffic_log),
		cmocka_unit_test(works_without_arguments),
		cmocka_unit_test(lists_every_option_once),
		cmocka_unit_test(lists_every_setting),
		cmocka_unit_test(helps_within_80_columns),
		cmocka_unit_test(has_each_spelling_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
