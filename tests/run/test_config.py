"""The configuration: where it is, what it says, what is wrong with it.

Which account was chosen is seen from the name it gives itself in EHLO.
"""

import os
import re

import pytest

from conftest import MESSAGE, PASSWORD
from faults import Drop

BOB = "bob@example.net"
USAGE, NOPERM, CONFIG = 64, 77, 78


@pytest.fixture
def peer(start):
    return start(tls="implicit")


def ok(peer, result):
    assert result.code == 0, str(result)
    assert result.stderr == b""
    assert peer.settle()
    return peer.session.helo[0]


def wrong(result, *words, code=CONFIG):
    assert result.code == code, str(result)
    assert len(result.lines) == 1, result.err
    assert result.lines[0].startswith("postrider: ")
    for word in words:
        assert re.search(word, result.err), result.err


# msmtp's own files, as its manual shows one for a provider.
MSMTPRC = """# Example for a user configuration file
# Set default values for all following accounts.
defaults

# Use the mail submission port instead of the SMTP port 25.
port {port}

# Always use TLS.
tls on
tls_starttls on

# Set a list of trusted CAs for TLS.
tls_trust_file {ca}
logfile ~/.msmtp.log

# A freemail service
account freemail

# Host name of the SMTP server
host localhost

# Envelope-from address
from joe_smith@freemail.example

# Authentication.
auth on
user alice
passwordeval "echo '{password}'"

# A second mail address at the same freemail service
account freemail2 : freemail
from joey@freemail.example

account isp
host mail.isp.example
from smithjoe@isp.example
auth on
user 12345

# Set a default account
account default : freemail
"""


@pytest.mark.parametrize("place", [
    "-C", ".msmtprc", ".config/msmtp/config", "xdg/msmtp/config"])
def test_msmtprc(start, rider, certs, place):
    peer = start(tls="starttls")
    text = MSMTPRC.format(port=peer.port, ca=certs.ca, password=PASSWORD)
    words, env = [], {}
    if place == "-C":
        words = ["-C", rider.config(text, "elsewhere")]
    else:
        rider.config(text, place)
    if place.startswith("xdg"):
        env["XDG_CONFIG_HOME"] = rider.home / "xdg"
    result = rider.run(*words, BOB, stdin=MESSAGE, env=env)
    assert ok(peer, result) == "localhost"
    assert peer.messages[0].sender == b"joe_smith@freemail.example"
    result = rider.run(*words, "-a", "freemail2", BOB, stdin=MESSAGE, env=env)
    ok(peer, result)
    assert peer.messages[1].sender == b"joey@freemail.example"
    result = rider.run(*words, "-f", "joey@freemail.example", BOB,
                       stdin=MESSAGE, env=env)
    ok(peer, result)
    assert peer.messages[2].sender == b"joey@freemail.example"
    assert len((rider.home / ".msmtp.log").read_text().splitlines()) == 3


def test_msmtprc_with_a_number_sign_in_a_word(start, rider, certs):
    """In msmtp's language a comment has a line of its own."""
    peer = start(tls="starttls", users={"alice": "pass#word"})
    text = MSMTPRC.format(port=peer.port, ca=certs.ca, password="")
    rider.config(re.sub("passwordeval.*", "password pass#word", text),
                 ".msmtprc")
    ok(peer, rider.run(BOB, stdin=MESSAGE))


def test_msmtprc_without_tls(start, rider):
    """msmtp's defaults hold there, but no password goes without TLS."""
    peer = start(tls="none")
    rider.config(f"account default\nhost 127.0.0.1\nport {peer.port}\n"
                 "from a@example.org\nauth plain\nuser alice\n"
                 f"password {PASSWORD}\n", ".msmtprc")
    wrong(rider.run(BOB, stdin=MESSAGE), "TLS", code=NOPERM)
    assert peer.settle() and not peer.session.auth_attempts
    peer = start(tls="none", users={})
    rider.config(f"account default\nhost 127.0.0.1\nport {peer.port}\n"
                 "from a@example.org\n", ".msmtprc")
    ok(peer, rider.run(BOB, stdin=MESSAGE))


# Where it is looked for.

PLACES = ["xdg/postrider/config", ".postriderrc", ".msmtprc",
          "xdg/msmtp/config"]


@pytest.mark.parametrize("first", range(len(PLACES)))
def test_places(peer, rider, account, first):
    """The first of them counts; the later ones may be as they like."""
    for place in PLACES[first + 1:]:
        rider.config("nonsense\n", place)
    rider.config(account(peer, domain=f"place{first}"), PLACES[first])
    result = rider.run(BOB, stdin=MESSAGE,
                       env={"XDG_CONFIG_HOME": rider.home / "xdg"})
    assert ok(peer, result) == f"place{first}"


def test_named_file_alone_counts(peer, rider, account):
    rider.config("nonsense\n")
    path = rider.config(account(peer, domain="named"), "mine")
    assert ok(peer, rider.run("-C", path, BOB, stdin=MESSAGE)) == "named"
    result = rider.run(f"--file={path}", BOB, stdin=MESSAGE)
    assert ok(peer, result) == "named"


def test_nothing_there(rider):
    wrong(rider.run(BOB, stdin=MESSAGE), "config", "postrider")
    wrong(rider.run("-C", "/nonexistent/rc", BOB, stdin=MESSAGE),
          "/nonexistent/rc")


# Accounts.

def accounts(account, peer, *definitions):
    """Several accounts for one peer; each has its own name for EHLO."""
    text = "defaults\n" + account(peer, **{"from": None}).split("\n", 1)[1]
    for name, sender in definitions:
        text += f"account {name}\ndomain {name}\n"
        if sender:
            text += f"from {sender}\n"
    return text


DEFINED = [("home", "alice@home.example"), ("work", "*@work.example"),
           ("club", "alice+?@club.example"), ("other", None)]


@pytest.mark.parametrize("words, chosen", [
    (["-a", "work", "-f", "x@example.org"], "work"),
    (["-awork", "-f", "x@example.org"], "work"),
    (["--account=other", "-f", "alice@home.example"], "other"),
    (["-f", "alice@home.example"], "home"),
    (["-f", "ALICE@Home.Example"], "home"),
    (["-f", "anyone@work.example"], "work"),
    (["-f", "alice+1@club.example"], "club"),
    (["-f", "alice+12@club.example"], "default"),
    (["-f", "nobody@example.org"], "default"),
    (["-f", ""], "default"),
])
def test_choice(peer, rider, account, words, chosen):
    text = accounts(account, peer, *DEFINED)
    text += "account default : other\ndomain default\nfrom d@example.org\n"
    rider.config(text)
    assert ok(peer, rider.run(*words, BOB, stdin=MESSAGE)) == chosen


@pytest.mark.parametrize("sender, chosen", [
    ("alice@home.example", "home"), ("x@work.example", "work"),
    ('"Alice" <alice@home.example>', "home"),
    ("nobody@example.org", "default")])
def test_choice_by_from(peer, rider, account, sender, chosen):
    """Without -f the From field tells."""
    text = accounts(account, peer, *DEFINED)
    text += "account default : other\ndomain default\nfrom d@example.org\n"
    rider.config(text)
    message = f"From: {sender}\nTo: {BOB}\n\nhi\n".encode()
    assert ok(peer, rider.run("-t", stdin=message)) == chosen


def test_default_names_another(peer, rider, account):
    text = accounts(account, peer, ("one", "a@one.example"),
                    ("two", "a@two.example"))
    rider.config(text + "account default : two\n")
    assert ok(peer, rider.run(BOB, stdin=MESSAGE)) == "two"
    assert peer.messages[0].sender == b"a@two.example"


def test_the_only_account_is_the_default(peer, rider, account):
    rider.config(accounts(account, peer, ("solo", "a@solo.example")))
    assert ok(peer, rider.run(BOB, stdin=MESSAGE)) == "solo"


def test_no_account_fits(peer, rider, account):
    rider.config(accounts(account, peer, ("one", "a@one.example"),
                          ("two", "a@two.example")))
    wrong(rider.run("-f", "x@example.org", BOB, stdin=MESSAGE), "one", "two")
    wrong(rider.run("-a", "three", BOB, stdin=MESSAGE), "three", "one")
    assert peer.sessions == []


def test_inheritance(peer, rider, account):
    text = account(peer, name="base", domain="base", partial="on")
    text += "account second\ndomain second\nfrom second@example.org\n"
    text += "account third : base, second\n"
    text += "account fourth : base\ndomain fourth\n"
    rider.config(text)
    assert ok(peer, rider.run("-a", "third", BOB, stdin=MESSAGE)) == "second"
    assert peer.messages[0].sender == b"second@example.org"
    assert ok(peer, rider.run("-a", "fourth", BOB, stdin=MESSAGE)) == "fourth"
    assert peer.messages[1].sender == b"alice@example.org"


def test_defaults_hold_from_there_on(peer, rider, account):
    base = account(peer).split("\n", 1)[1]
    rider.config("defaults\n" + base + "domain early\n"
                 "account one\n"
                 "defaults\ndomain late\n"
                 "account two\naccount three\ndomain three\n")
    for name, domain in (("one", "early"), ("two", "late"),
                         ("three", "three")):
        result = rider.run("-a", name, BOB, stdin=MESSAGE)
        assert ok(peer, result) == domain


def test_command_line_over_file(peer, rider, account):
    rider.config(account(peer, domain="file", port=1, timeout="off"))
    result = rider.run(f"--port={peer.port}", "--domain=line", "--timeout=3",
                       BOB, stdin=MESSAGE)
    assert ok(peer, result) == "line"


def test_command_line_without_a_file(start, rider, certs):
    peer = start(tls="starttls", users={})
    result = rider.run("--host=127.0.0.1", f"--port={peer.port}", "--tls",
                       f"--tls-trust-file={certs.ca}", "--auth=off",
                       "--from=me@example.org", BOB, stdin=MESSAGE)
    ok(peer, result)
    assert peer.messages[0].sender == b"me@example.org"


# The sender.

def test_allow_from_override(peer, rider, account):
    rider.config(account(peer, allow_from_override="off"))
    ok(peer, rider.run("-f", "x@example.org", BOB, stdin=MESSAGE))
    assert peer.messages[0].sender == b"alice@example.org"


@pytest.mark.parametrize("words,settings,sender", (
    (["-f", "root"], {}, "alice@example.org"),
    (["-f", "root"], {"from": "alice"}, None),
    (["-f", "root"], {"from": None}, None),
    (["-f", "root"], {"maildomain": "home.example"}, "root@home.example"),
    (["-f", "root@box.example"], {}, "root@box.example"),
    (["-f", "<>"], {}, ""), (["-f", ""], {}, "")))
def test_a_sender_without_a_domain(peer, rider, account, words, settings,
                                   sender):
    """As cron names root: it is the account's own, where there is one."""
    rider.config(account(peer, **settings))
    result = rider.run(*words, BOB, stdin=MESSAGE)
    if sender is None:
        assert result.code == 65 and "set from or maildomain" in result.err
        assert peer.messages == []
    else:
        ok(peer, result)
        assert peer.messages[0].sender.decode() == sender


def test_patterns(peer, rider, account):
    """%U, %H and the like in `from`."""
    name = os.uname().nodename
    rider.config(account(peer, **{"from": "%U@%H.example.org"}))
    ok(peer, rider.run(BOB, stdin=MESSAGE, env={"USER": None}))
    assert re.fullmatch(rf"[a-z0-9_-]+@{re.escape(name)}.*\.example\.org",
                        peer.messages[0].sender.decode())


# The language.

def test_include(peer, rider, account):
    rider.config("tls_certcheck on\ndomain included\n", "more/part")
    rider.config(account(peer) + "include ~/more/part\n")
    assert ok(peer, rider.run(BOB, stdin=MESSAGE)) == "included"


def test_include_that_is_not_there_or_endless(peer, rider, account):
    rider.config(account(peer) + "include ~/none\n")
    wrong(rider.run(BOB, stdin=MESSAGE), r"\.postriderrc:\d+", "none")
    rider.config(account(peer) + "include ~/.postriderrc\n")
    wrong(rider.run(BOB, stdin=MESSAGE), r"\.postriderrc:\d+")


def test_eval(peer, rider, account):
    text = account(peer, host=None, domain=None)
    rider.config(text + "eval echo host 127.0.0.1\n"
                 "eval printf 'domain evaluated\\nport 1\\n'\n")
    assert ok(peer, rider.run(BOB, stdin=MESSAGE)) == "evaluated"


def test_eval_that_fails(peer, rider, account):
    rider.config(account(peer) + "eval exit 3\n")
    wrong(rider.run(BOB, stdin=MESSAGE), r"\.postriderrc:\d+")


@pytest.mark.parametrize("line", [
    "domain   spaced  ", "\tdomain\tspaced", "domain spaced # a comment",
    'domain "spaced"', "domain spaced\r", "#" + "x" * 100000 +
    "\ndomain spaced", "  # comment\n\n   \ndomain spaced"])
def test_ways_to_write(peer, rider, account, line):
    rider.config(account(peer) + line + "\n")
    assert ok(peer, rider.run(BOB, stdin=MESSAGE)) == "spaced"


def test_no_newline_at_the_end(peer, rider, account):
    rider.config(account(peer) + "domain last")
    assert ok(peer, rider.run(BOB, stdin=MESSAGE)) == "last"


@pytest.mark.parametrize("path", ["~/ca.pem", "$HOME/ca.pem", '"~/ca.pem"'])
def test_home_in_paths(peer, rider, account, certs, path):
    (rider.home / "ca.pem").write_bytes(certs.ca.read_bytes())
    rider.config(account(peer, tls_trust_file=path))
    ok(peer, rider.run(BOB, stdin=MESSAGE))


def test_a_switch_without_an_argument_is_on(peer, rider, account):
    rider.config(account(peer, tls=None, auth=None) + "tls\nauth\n")
    ok(peer, rider.run(BOB, stdin=MESSAGE))


# Mistakes.  line: words of the message; {n} is its line number
MISTAKES = [
    ("tls_startls on", ["{n}", "tls_startls", "tls_starttls"]),
    ("hots 127.0.0.1", ["{n}", "hots", "host"]),
    ("pasword x", ["{n}", "pasword", "password"]),
    ("from_fullname x", ["{n}", "from_fullname", "from_full_name"]),
    ("xyzzy on", ["{n}", "xyzzy"]),
    ("port 99999", ["{n}", "port|99999"]),
    ("port 0", ["{n}", "port"]),
    ("port http", ["{n}", "http"]),
    ("port 25x", ["{n}", "25x"]),
    ("tls perhaps", ["{n}", "perhaps"]),
    ("timeout -1", ["{n}", "-1"]),
    ("timeout soon", ["{n}", "soon"]),
    ("protocol pop3", ["{n}", "pop3"]),
    ("auth frobnicate", ["{n}", "frobnicate"]),
    ("partial maybe", ["{n}", "maybe"]),
    ("dsn_notify often", ["{n}", "often"]),
    ("dsn_return nothing", ["{n}", "nothing"]),
    ("tls_fingerprint 12:34", ["{n}", "12:34|fingerprint"]),
    ("source_ip here", ["{n}", "here"]),
    ("host", [r"\.postriderrc:\d+", "host"]),
    ("account", ["{n}", "account"]),
    ("account second : none", ["{n}", "none"]),
    ("account default : second", ["{n}", "second|default"]),
    ("account default", ["{n}", "default"]),
    ("include", ["{n}", "include"]),
    ("prefer_family ipx", ["{n}", "ipx"]),
    ("tls_min_version 1.0", ["{n}", "1.0"]),
    ("\x00", ["{n}"]),
]


@pytest.mark.parametrize("line, words", MISTAKES)
def test_mistakes(peer, rider, account, line, words):
    text = account(peer)
    rider.config(text + "# more\n" + line + "\n# the end\n")
    number = text.count("\n") + 2
    wrong(rider.run(BOB, stdin=MESSAGE),
          *(word.replace("{n}", rf"\.postriderrc:{number}\b")
            for word in words))
    assert peer.sessions == []


def test_account_without_a_host(rider):
    rider.config("account default\nfrom a@example.org\n")
    wrong(rider.run(BOB, stdin=MESSAGE), "host")


def test_hostile_file(rider):
    """Control octets in a mistake do not reach the terminal."""
    rider.config(b"account default\n\x1b[2J\x07\xff host\n")
    result = rider.run(BOB, stdin=MESSAGE)
    wrong(result)
    assert result.lines[0].isprintable()


# Permissions.

@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o602])
def test_password_in_a_file_that_others_can_read(peer, rider, account, mode):
    path = rider.config(account(peer), mode=mode)
    wrong(rider.run(BOB, stdin=MESSAGE), re.escape(str(path)),
          "password|read|mode|chmod|permission")
    wrong(rider.run("-C", path, BOB, stdin=MESSAGE), re.escape(str(path)))
    assert peer.sessions == []


@pytest.mark.parametrize("mode", [0o640, 0o440, 0o660, 0o644])
def test_a_group_may_read_what_root_lets_it(peer, rider, account, tmp_path,
                                            mode):
    """Outside of the home a file of root's is the administrator's."""
    path = tmp_path / "relay.conf"
    path.write_text(account(peer), encoding="utf-8")
    path.chmod(mode)
    result = rider.run("-C", path, BOB, stdin=MESSAGE)
    if os.geteuid() == 0 and mode & 0o027 == 0:
        ok(peer, result)
    else:
        wrong(result, re.escape(str(path)))
        assert peer.sessions == []


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_password_in_a_private_file(peer, rider, account, mode):
    rider.config(account(peer), mode=mode)
    ok(peer, rider.run(BOB, stdin=MESSAGE))


def test_no_password_in_a_public_file(peer, rider, account):
    secret = rider.config(PASSWORD + "\n", "secret")
    rider.config(account(peer, password=None, password_file=secret),
                 mode=0o644)
    ok(peer, rider.run(BOB, stdin=MESSAGE))


# Passwords.

@pytest.mark.parametrize("command", [
    f"echo '{PASSWORD}'", f"printf '{PASSWORD}\\nsecond line\\n'",
    f"printf '{PASSWORD}'", f"cat; echo '{PASSWORD}'",
    f"\"echo '{PASSWORD}'\"", f"echo '{PASSWORD}'; echo noise >&2"])
def test_passwordeval(peer, rider, account, command):
    """Its first line; its standard input is empty."""
    rider.config(account(peer, password=None, passwordeval=command),
                 mode=0o644)
    result = rider.run(BOB, stdin=MESSAGE)
    assert result.code == 0, str(result)
    assert peer.messages[0].content.endswith(b"last line\r\n")


@pytest.mark.parametrize("command, words", [
    (f"echo '{PASSWORD}'; exit 3", "3"), ("exit 1", "1"),
    ("/nonexistent/command", "nonexistent|127"), ("kill -9 $$", "9|kill"),
    ("true", "nothing|empty|no password|printed"), ("echo", "")])
def test_passwordeval_that_fails(peer, rider, account, command, words):
    rider.config(account(peer, password=None, passwordeval=command))
    result = rider.run(BOB, stdin=MESSAGE)
    assert result.code == CONFIG, str(result)
    line = result.lines[-1]
    assert "passwordeval" in line and re.search(words, line)
    assert PASSWORD not in result.err
    peer.settle()
    assert not peer.session.auth_attempts


def test_passwordeval_inherits_no_descriptor(peer, rider, account):
    rider.config(account(peer, password=None, passwordeval=(
        f"ls -l /proc/self/fd > ~/fds; echo '{PASSWORD}'")))
    ok(peer, rider.run(BOB, stdin=MESSAGE))
    seen = (rider.home / "fds").read_text()
    assert "socket:" not in seen
    assert "/dev/null" in seen
    # ls's own directory is the fourth
    assert len(re.findall(r" -> ", seen)) == 4, seen


def test_passwordeval_runs_only_when_it_is_needed(start, rider, account):
    for settings in ({"mechanisms": ["FROB"]}, {"faults": {"ehlo": Drop()}},
                     {"cert": "expired"}):
        peer = start(tls="implicit", **settings)
        rider.config(account(peer, password=None,
                             passwordeval="touch ~/ran; echo x"))
        assert rider.run(BOB, stdin=MESSAGE).code != 0
        assert not (rider.home / "ran").exists()
    rider.config(account(start(tls="implicit"), password=None,
                         passwordeval="touch ~/ran; echo x"))
    assert rider.run("--check").code == 0
    assert rider.run("--dry-run", BOB, stdin=MESSAGE).code == 0
    assert not (rider.home / "ran").exists()


@pytest.mark.parametrize("content", [PASSWORD, PASSWORD + "\n",
                                     PASSWORD + "\nmore\n"])
def test_password_file(peer, rider, account, content):
    rider.config(content, "secret")
    rider.config(account(peer, password=None, password_file="~/secret"))
    ok(peer, rider.run(BOB, stdin=MESSAGE))


def test_password_file_that_others_can_read(peer, rider, account):
    rider.config(PASSWORD, "secret", mode=0o644)
    rider.config(account(peer, password=None, password_file="~/secret"))
    wrong(rider.run(BOB, stdin=MESSAGE), "secret")


def test_password_file_that_is_not_there(peer, rider, account):
    rider.config(account(peer, password=None, password_file="~/secret"))
    wrong(rider.run(BOB, stdin=MESSAGE), "secret")


NETRC = [
    f'machine 127.0.0.1 login alice password "{PASSWORD}"\n',
    f'machine other login alice password x\nmachine 127.0.0.1\n\tlogin alice'
    f'\n\tpassword "{PASSWORD}"\n',
    f'machine 127.0.0.1 login bob password x\n'
    f'machine 127.0.0.1 login alice password "{PASSWORD}"\n',
    f'default login alice password "{PASSWORD}"\n',
]


@pytest.mark.parametrize("text", NETRC)
def test_netrc(peer, rider, account, text):
    rider.config(text, ".netrc")
    rider.config(account(peer, password=None))
    ok(peer, rider.run(BOB, stdin=MESSAGE))


@pytest.mark.parametrize("text", ["", "machine other login alice password x\n",
                                  "machine 127.0.0.1 login bob password x\n"])
def test_no_password(peer, rider, account, text):
    """No terminal, nothing in netrc."""
    rider.config(text, ".netrc")
    rider.config(account(peer, password=None))
    wrong(rider.run(BOB, stdin=MESSAGE), "password", code=NOPERM)
    peer.settle()
    assert not any(s.auth_attempts for s in peer.sessions)


def test_passwords_are_not_for_the_command_line(peer, rider, account):
    rider.config(account(peer))
    wrong(rider.run("--password=x", BOB, stdin=MESSAGE), "password",
          code=USAGE)


def test_secrets_are_not_in_the_environment_or_arguments(peer, rider, account):
    rider.config(account(peer, password=None, passwordeval=(
        # its own, as ours can't be read by this user
        f"tr '\\0' '\\n' < /proc/$$/environ > ~/env;"
        f"tr '\\0' '\\n' < /proc/$PPID/cmdline > ~/args; echo '{PASSWORD}'")))
    ok(peer, rider.run(BOB, stdin=MESSAGE))
    for name in ("env", "args"):
        assert PASSWORD not in (rider.home / name).read_text()


# --check and --dry-run.

def test_check(peer, rider, account):
    rider.config(account(peer, password=None, passwordeval="echo x"))
    for option in ("--check", "-bC"):
        result = rider.run(option)
        assert result.code == 0, str(result)
        assert result.stderr == b""
    assert peer.sessions == []


def test_check_tells_everything(peer, rider, account):
    text = account(peer)
    rider.config(text + "tls_startls on\nport x\nadd_missing_date_header on\n")
    result = rider.run("--check")
    assert result.code == CONFIG
    number = text.count("\n")
    said = result.err + result.out
    for offset, word in ((1, "tls_starttls"), (2, "port"),
                         (3, "set_date_header")):
        assert re.search(rf"\.postriderrc:{number + offset}\b.*{word}", said)


@pytest.mark.parametrize("lines, words", [
    ("host h\ntls_trust_file /nowhere/ca.pem", "tls_trust_file /nowhere"),
    ("host h\ntls_priorities FOO", "tls_priorities FOO"),
    ("host h\ntls_cert_file /nowhere/c.pem", "tls_cert_file"),
    ("host h\nuser u\npassword_file /nowhere/p", "password_file /nowhere"),
    ("host h\nfrom \"a b@c\"", "a b@c"),
    ("host h\nqueue on\nqueue_dir /etc/passwd/queue", "passwd is no direct"),
    ("host h\nqueue only\nqueue_dir /etc", "queue /etc "),
    ("timeout 10", "host"), ("", "host"),
])
def test_check_finds_what_only_shows_in_use(rider, lines, words):
    rider.config(lines + "\n")
    result = rider.run("--check")
    assert result.code == CONFIG, str(result)
    assert "error" in result.err and words in result.err


def test_check_makes_no_queue(rider):
    """It could be made, or is not wanted."""
    rider.config(f"host h\nqueue on\nqueue_dir {rider.home}/a/b\naccount b\n"
                 "host h\nqueue off\nqueue_dir /etc/passwd/queue\n")
    result = rider.run("--check")
    assert result.code == 0 and "0 warnings" in result.out, result
    assert not (rider.home / "a").exists()


@pytest.mark.parametrize("lines, words", [
    ("host h\nport 465", "tls_starttls off"),
    ("host h\nport 587\ntls_starttls off", "tls_starttls on"),
])
def test_check_warns_of_the_other_port(rider, lines, words):
    rider.config(lines + "\n")
    result = rider.run("--check")
    assert result.code == 0, str(result)
    assert "warning" in result.err and words in result.err


def test_check_tells_of_a_file_that_is_not_read(rider):
    rider.config("host h\n")
    (rider.home / ".msmtprc").write_text("host other\n")
    result = rider.run("--check")
    assert result.code == 0, str(result)
    assert ".msmtprc is not read" in result.err


def test_a_file_that_anybody_can_change(peer, rider, account):
    rider.config(account(peer))
    os.chmod(rider.home / ".postriderrc", 0o602)
    wrong(rider.run(BOB, stdin=MESSAGE), "anybody can change", "chmod o-w")
    assert peer.sessions == []


def test_check_without_a_configuration(rider):
    assert rider.run("--check").code == CONFIG


@pytest.mark.parametrize("option", ["--dry-run", "--pretend", "-P"])
def test_dry_run(peer, rider, account, option):
    rider.config(account(peer))
    result = rider.run(option, "-f", "carol@example.org", BOB,
                       "dave@example.net", stdin=MESSAGE)
    assert result.code == 0, str(result)
    for word in ("carol@example.org", BOB, "dave@example.net", "127.0.0.1",
                 str(peer.port), "First line"):
        assert word in result.out
    assert PASSWORD not in result.out + result.err
    assert peer.sessions == []


@pytest.mark.parametrize("words, code", [
    ([], USAGE), (["-f", "a b@c", BOB], 65), (["a b@c"], 65),
    (["-a", "none", BOB], CONFIG)])
def test_dry_run_finds_what_is_wrong(peer, rider, account, words, code):
    rider.config(account(peer))
    assert rider.run("--dry-run", *words, stdin=MESSAGE).code == code
