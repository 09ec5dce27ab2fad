"""Where secrets must not turn up: what can be seen without root.

Every mode, and every way in which one may fail, with secrets like no others
(../canary.py); then standard output, standard error, the log, the file of -X
and whatever else lies in the home and in the directory for temporary files are
searched for them: as they are, in base64 wherever they begin, in hexadecimal,
in UTF-16.  Memory, core dumps, /proc and syslog are for root: tests/real.
"""

import base64
import os
import pty
import re
import select
import ssl
import time

import pytest

import canary
from conftest import MESSAGE
from faults import Cut, Drop, Raw, Silent
from harness import binary, slowness, wrapper
from rogue import Rogue

OK, USAGE, TEMPFAIL, PROTOCOL, NOPERM, CONFIG = 0, 64, 75, 76, 77, 78
BOB = "bob@example.net"
BIG = MESSAGE + (b"y" * 70 + b"\n") * 20000     # it needs a temporary file
SOURCES = ["setting", "eval", "file", "netrc", "authinfo", "credential"]
MECHANISMS = ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]


class Sweep:
    """A home with secrets in it, and the places to look for them."""

    def __init__(self, rider):
        self.rider = rider
        self.password = canary.make("pass")
        self.proxy = canary.make("proxy")
        self.secrets = {"password": self.password, "proxy": self.proxy}
        self.given = set()      # files that may hold them
        self.temporary = rider.home.parent / "tmp"
        self.temporary.mkdir()
        rider.env["TMPDIR"] = self.temporary
        self.traffic = rider.home / "traffic"

    def give(self, name, text, mode=0o600):
        self.given.add(self.rider.config(text, name, mode))

    def source(self, kind):
        """The settings of one place where the password is."""
        if kind in ("netrc", "authinfo"):
            self.give("." + kind, "machine 127.0.0.1 login alice password "
                      f"{self.password}\n")
            return {"password": None}
        if kind == "credential":
            self.give("credentials/mail", self.password + "\n")
            self.rider.env["CREDENTIALS_DIRECTORY"] = \
                self.rider.home / "credentials"
            return {"password": None, "password_credential": "mail"}
        self.give("hidden", f"{self.password}\nsecond line\n")
        return {"setting": {"password": self.password},
                "eval": {"password": None, "passwordeval": "cat ~/hidden"},
                "file": {"password": None, "password_file": "~/hidden"}}[kind]

    def run(self, text, *arguments, **more):
        """text: the configuration, if it is to be another."""
        if text is not None:
            self.give(".postriderrc", text)
        result = self.rider.run(*arguments, **more)
        self.look(result)
        return result

    def look(self, result):
        self.is_clean(result.stdout, "standard output")
        self.is_clean(result.stderr, "standard error")
        for root in (self.rider.home, self.temporary):
            for path in root.rglob("*"):
                self.is_clean(os.fsencode(path), "a name")
                if path.is_file() and path not in self.given:
                    self.is_clean(path.read_bytes(), path)

    def is_clean(self, data, where):
        for name, secret in self.secrets.items():
            assert canary.found(secret, data) == [], \
                f"{name} in {where}: {data[-2000:]!r}"


@pytest.fixture
def sweep(rider):
    return Sweep(rider)


@pytest.fixture
def server(start, sweep):
    """A peer that knows the password."""
    return lambda **settings: start(**{
        "users": {"alice": sweep.password}, "strict": False, **settings})


@pytest.fixture
def text(account, sweep):
    """The configuration, with a log."""
    def text(peer, source="setting", **settings):
        return account(peer, **{
            **sweep.source(source), "logfile": "~/log",
            "proxy_password": sweep.proxy, **settings})
    return text


def dialogue(rest=b""):
    return (b"EHLO client.example.org\r\nMAIL FROM:<alice@example.org>\r\n"
            b"RCPT TO:<bob@example.net>\r\nDATA\r\n" +
            MESSAGE.replace(b"\n", b"\r\n") + b".\r\n" + rest + b"QUIT\r\n")


# Modes.

LOUD = ["-v", "-X", "traffic", "--report=json"]
MODES = {
    "quiet": [BOB], "-v": ["-v", BOB], "--debug": ["--debug", BOB],
    "-d": ["-d9.9", BOB], "-d0.1": ["-d0.1", BOB], "-X": ["-X", "t", BOB],
    "--report=json": ["--report=json", BOB],
    "--report=text": ["--report=text", BOB], "-t": ["-t", "-v"],
    "--dry-run": ["--dry-run", BOB], "--pretend -v": ["-P", "-v", BOB],
    "--probe": ["--probe"], "--probe -v": ["--probe", "-v", "-X", "t"],
    "--check": ["--check"], "--check -v": ["--check", "-v"],
    "-bv": ["-bv", BOB], "-bv -v": ["-bv", "-v", BOB], "-bt": ["-bt"],
    "-bp": ["-bp"], "-bP": ["-bP"], "-bi": ["-bi"], "-bh": ["-bh"],
    "--help": ["--help"], "--version": ["--version"],
    "--list-options": ["--list-options"],
    "--list-settings": ["--list-settings"],
    "-q": ["-q"], "-odq": ["-odq", BOB], "--setup": ["--setup"],
    "--configure": ["--configure", BOB], "--rmqs": ["--rmqs", "x"],
    "no recipients": [], "no such option": ["--frobnicate", BOB],
    "no such account": ["-a", "nobody", BOB], "-L": ["-L", "tag", "-v", BOB],
    "all at once": [*LOUD, BOB],
}


@pytest.mark.parametrize("source", ["setting", "eval"])
@pytest.mark.parametrize("mode", MODES)
def test_modes(server, sweep, text, mode, source):
    sweep.run(text(server(), source), *MODES[mode], stdin=MESSAGE)


@pytest.mark.parametrize("source", SOURCES)
def test_modes_do_something(server, sweep, text, source):
    """So the sweep has something to look at."""
    result = sweep.run(text(server(), source), *LOUD, BOB, stdin=MESSAGE)
    assert result.code == OK and "AUTH PLAIN *" in result.err
    assert "AUTH PLAIN *" in sweep.traffic.read_text()
    assert "auth=PLAIN" in (sweep.rider.home / "log").read_text()
    assert '"mechanism"' in result.out or "status" in result.out


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_serve(server, sweep, text, mechanism, source):
    """-bs, two messages in one session, with all there is to tell."""
    peer = server(mechanisms=[mechanism])
    again = dialogue().partition(b"\r\n")[2]
    result = sweep.run(text(peer, source), "-bs", "-v", "-X", "traffic",
                       stdin=dialogue(again).replace(b"QUIT\r\n", b"", 1))
    assert result.code == OK, str(result)
    assert len(peer.messages) == 2 and b"AUTH" in sweep.traffic.read_bytes()


@pytest.mark.parametrize("settings", [
    {"users": {"alice": "another"}}, {"cert": "self-signed"},
    {"faults": {"auth": "454 4.7.0 later"}}], ids=str)
def test_serve_that_fails(server, sweep, text, settings):
    result = sweep.run(text(server(**settings)), "-bs", "-v", "-X", "traffic",
                       stdin=dialogue())
    assert b"354" not in result.stdout or b"\r\n5" in result.stdout or \
        b"\r\n4" in result.stdout


def test_a_message_with_a_temporary_file(server, sweep, text):
    peer = server()
    assert sweep.run(text(peer), *LOUD, BOB, stdin=BIG).code == OK
    assert len(peer.messages) == 1


# Tokens.

def good(certs):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs.chain("good"), certs.key("good"))
    return context


@pytest.mark.parametrize("size", [40, 4000])
@pytest.mark.parametrize("answer", ["235", "complaint", "echo", "535", "lost"])
@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
def test_tokens(certs, sweep, text, mechanism, answer, size):
    """Short ones go with the command, long ones after it."""
    sweep.password = sweep.secrets["password"] = canary.make("ya29.", size)

    token = sweep.password.encode()

    def script(talk):
        talk.secure(good(certs))
        talk.say(b"220 mail.example.org ESMTP\r\n")
        talk.hello(b"AUTH " + mechanism.encode())
        if len(talk.expect(b"AUTH").split()) == 2:
            talk.say(b"334 \r\n")
            talk.line()
        if answer == "complaint":
            talk.say(b"334 " + base64.b64encode(b'{"status":"401"}') + b"\r\n")
            talk.line()
        if answer == "echo":
            talk.say(b"334 " + base64.b64encode(
                b'{"x":"%s","token":"%s"}' % (b"x" * 1000, token)) + b"\r\n")
            talk.line()
        if answer == "235":
            talk.say(b"235 2.7.0 ok\r\n")
            talk.obey()
        elif answer != "lost":
            talk.say(b"535 5.7.8 no\r\n")
            talk.rest()
    with Rogue(script, "implicit") as rogue:
        result = sweep.run(text(rogue, "eval", auth=mechanism), *LOUD, BOB,
                           stdin=MESSAGE)
    codes = {"235": OK, "lost": TEMPFAIL}
    if size > 1000:     # the line is too long then
        codes["echo"] = PROTOCOL
    assert result.code == codes.get(answer, NOPERM), str(result)
    seen = sweep.password.encode() in base64.b64decode(
        re.search(rb"[A-Za-z0-9+/=]{50,}", rogue.plain)[0])
    assert seen and ('"401"' in result.err) == (answer == "complaint")


# Failures.

FAILURES = {
    "another password": {"users": {"alice": "another"}},
    "no such user": {"users": {"bob": "another"}},
    "refused": {"faults": {"auth": "535 5.7.8 no", "auth-next": "535 no"}},
    "later": {"faults": {"auth": "454 4.7.0 later", "auth-next": "454 no"}},
    "lost": {"faults": {"auth": Drop(), "auth-next": Drop()}},
    "cut": {"faults": {"auth": Cut(b"334 "), "auth-next": Cut(b"235")}},
    "silent": {"faults": {"auth": Silent()}},
    "silent later": {"faults": {"auth-next": Silent(), "mail": Silent()}},
    "garbage": {"faults": {"auth": Raw(b"\xff\0garbage\r\n")}},
    "bad base64": {"faults": {"auth": "334 no base64!",
                              "auth-next": "501 what?"}},
    "asked without end": {"faults": {"auth": "334 YWJj",
                                     "auth-next": "334 YWJj"}},
    "accepted at once": {"faults": {"auth": "235 2.7.0 ok"}},
    "no mechanism": {"mechanisms": ["FROB"]},
    "certificate": {"cert": "expired"},
    "STARTTLS": {"offer_starttls": False},
    "greeting": {"faults": {"greeting": Drop()}},
    "sender": {"faults": {"mail": "550 5.7.1 not you"}},
    "recipient": {"faults": {"rcpt": "550 5.1.1 nobody"}},
    "message": {"faults": {"body": "554 5.6.0 no"}},
    "message lost": {"faults": {"body": Drop()}},
}


# These a server may do to who has said all that there is to say.
LOGIN_IS_OVER = ["accepted at once", "cut", "lost", "silent later"]
# For these it does not matter how.
BY_ANY = ["no mechanism", "certificate", "STARTTLS", "greeting", "sender",
          "recipient", "message", "message lost", "silent", "silent later"]


@pytest.mark.parametrize("kind, mechanism", [
    (kind, mechanism) for kind in FAILURES for mechanism in MECHANISMS
    if kind not in BY_ANY or mechanism == "LOGIN"])
def test_failures(server, sweep, text, kind, mechanism):
    settings = {"mechanisms": [mechanism], **FAILURES[kind]}
    patience = {"timeout": 1} if kind.startswith("silent") else {}
    result = sweep.run(text(server(**settings), **patience), *LOUD, BOB,
                       stdin=MESSAGE)
    accepted = kind in LOGIN_IS_OVER and mechanism in ("PLAIN", "LOGIN")
    assert accepted or result.code != OK, str(result)
    assert sweep.traffic.exists() and (sweep.rider.home / "log").exists()


@pytest.mark.parametrize("mechanism", [b"PLAIN", b"LOGIN"])
@pytest.mark.parametrize("changed", ["as it was", "decoded"])
@pytest.mark.parametrize("words", [b"501 5.5.4 what is %b?\r\n",
                                   b"what is %b?\r\n"], ids=["501", "garbage"])
def test_servers_that_repeat_it(certs, sweep, text, words, mechanism, changed):
    """Some servers quote the line that they do not understand, be it in an
    answer or in what is none."""
    def script(talk):
        talk.secure(good(certs))
        talk.say(b"220 mail.example.org ESMTP\r\n")
        talk.hello(b"AUTH " + mechanism)
        said = talk.line()
        if mechanism == b"LOGIN":
            for word in (b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n"):
                talk.say(word)
                said = talk.line()
        if changed == "decoded":
            said = base64.b64decode(said.split()[-1]).replace(b"\0", b"?")
        talk.say(words % said)
        talk.rest()
    with Rogue(script, "implicit") as rogue:
        result = sweep.run(text(rogue), *LOUD, BOB, stdin=MESSAGE)
    assert result.code == 76, str(result)


# Mistakes in the configuration.

MISTAKES = [        # {} is the secret
    "pasword {}", "PASSWORD {}\nbogus", "password {} and more\nbogus",
    'password "{}', "password {}\x01", "password {}\nhost",
    "password {}\nport none", "proxy_pasword {}", "user alice password {}x\n"
    "port x", "set password {}", "password : {}\nbogus", "password = {}\nx y",
    "smtp_password {}", "pass {}", "passwd {}", "password\u00a0x {}",
    "eval echo pasword {}", "eval echo 'password {}'; exit 3",
    "eval echo 'password {}\nbogus {}'", "include ~/included",
    # the secret is in the word that is not known
    "password={}", "password:{}", "password='{}'", "passwordeval={}",
    "proxy_password={}", "eval echo password={}", "password{}", "user x\n{}",
    "include ~/equals",
]


@pytest.mark.parametrize("lines", MISTAKES)
@pytest.mark.parametrize("mode", [["--check"], [BOB], ["--dry-run", BOB]],
                         ids=lambda mode: mode[0])
def test_mistakes(sweep, lines, mode):
    sweep.give("included", f"pasword {sweep.password}\n")
    sweep.give("equals", f"password={sweep.password}\n")
    text = "account default\nhost 127.0.0.1\nport 9\nfrom a@example.org\n" \
        "auth on\nuser alice\nlogfile ~/log\n" + \
        lines.replace("{}", sweep.password) + "\n"
    result = sweep.run(text, *mode, stdin=MESSAGE)
    assert result.code != OK or mode == ["--check"], str(result)


@pytest.mark.parametrize("words", [
    ["--password={}"], ["--password", "{}"], ["--passwordeval=exit 1 {}"],
    ["--proxy-password={}"], ["--user=alice", "--password={}"], ["-O", "p={}"],
    ["--user", "alice:{}", "--host=::"]])
@pytest.mark.parametrize("mode", [[BOB], ["--check"]], ids=lambda one: one[0])
def test_mistakes_on_the_command_line(sweep, words, mode):
    """It is in the list of processes then, but not on in logs and in mail."""
    sweep.run("account default\nhost 127.0.0.1\nport 9\nfrom a@example.org\n"
              "logfile ~/log\n", *[word.format(sweep.password)
                                   for word in words], *mode, stdin=MESSAGE)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
@pytest.mark.parametrize("source", ["setting", "file", "netrc"])
def test_files_that_are_not_private(server, sweep, text, source, mode):
    peer = server()
    made = text(peer, source)
    for path in sweep.given:
        path.chmod(mode)
    sweep.give(".postriderrc", made, mode if source == "setting" else 0o600)
    result = sweep.run(None, *LOUD, BOB, stdin=MESSAGE)
    assert result.code in (CONFIG, NOPERM), str(result)
    assert peer.messages == []


def test_files_that_cannot_be_read(server, sweep, text):
    for name in (".netrc", "hidden"):
        made = text(server(), "netrc" if name == ".netrc" else "file")
        path = sweep.rider.home / name
        path.unlink()
        path.mkdir()
        sweep.given.discard(path)
        assert sweep.run(made, *LOUD, BOB, stdin=MESSAGE).code != OK
        path.rmdir()


NETRC = ["machine 127.0.0.1 login alice password",
         "machine 127.0.0.1 login alice pasword {}",
         "machine 127.0.0.1 login alice password {} {}",
         "machine login alice password {}", "machin 127.0.0.1 password {}",
         "password {}", 'machine 127.0.0.1 login alice password "{}',
         "machine 127.0.0.1\npassword {}", "{}"]


@pytest.mark.parametrize("lines", NETRC)
def test_mistakes_in_netrc(server, sweep, text, lines):
    made = text(server(), "netrc")
    sweep.give(".netrc", lines.replace("{}", sweep.password) + "\n")
    for mode in ([*LOUD, BOB], ["--check"]):
        sweep.run(made, *mode, stdin=MESSAGE)


COMMANDS = [        # its standard error is the user's own
    "cat ~/hidden; exit 3", "cat ~/hidden; kill -9 $$",
    "tail -n 1 ~/hidden; cat ~/hidden", "printf '\\n'; cat ~/hidden",
    "cat ~/hidden ~/hidden", "printf '\\0'; cat ~/hidden",
    "yes $(cat ~/hidden) | head -c 1000000", "cat ~/hidden; sleep 0.1; false",
    "cat ~/hidden /nonexistent 2>/dev/null", "sleep 9 & cat ~/hidden"]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(server, sweep, text, command):
    peer = server()
    sweep.run(text(peer, "eval", passwordeval=command), *LOUD, BOB,
              stdin=MESSAGE)
    assert not any("exit" in line or "kill" in line
                   for line in [command] if peer.messages)


def test_a_command_that_talks(server, sweep, text):
    """What it says on standard error is not put into files."""
    sweep.give(".postriderrc", text(server(), "eval", passwordeval="cat "
                                    "~/hidden >&2; exit 1"))
    result = sweep.rider.run(*LOUD, BOB, stdin=MESSAGE)
    assert result.code == CONFIG
    said = result.stderr.replace(sweep.password.encode(), b"", 1)
    sweep.is_clean(said + result.stdout, "what is said")
    for name in ("traffic", "log"):
        path = sweep.rider.home / name
        sweep.is_clean(path.read_bytes() if path.exists() else b"", name)


# The user's terminal.

def at_a_terminal(rider, arguments, typed):
    """Run it with a terminal of its own; the message is in a file."""
    message = rider.config(MESSAGE, "message")
    pid, terminal = pty.fork()
    if pid == 0:
        os.dup2(os.open(message, os.O_RDONLY), 0)
        os.chdir(rider.home)
        os.execve((wrapper() + [binary()])[0], wrapper() + [binary()] +
                  arguments, rider.environment())
    said, end = b"", time.monotonic() + 20 * slowness()
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            data = os.read(terminal, 4096)
        except OSError:         # nobody has it open any more
            break
        said += data
        if typed and re.search(rb"password for .*: ?$", said):
            os.write(terminal, typed.encode() + b"\n")
            typed = None
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said


@pytest.mark.parametrize("right", [True, False])
def test_terminal(server, sweep, text, right):
    """What is typed is not shown."""
    peer = server(users={"alice": sweep.password if right else "another"})
    sweep.give(".postriderrc", text(peer, "file", password_file=None))
    code, said = at_a_terminal(sweep.rider, [*LOUD, BOB], sweep.password)
    assert code == (OK if right else NOPERM), said
    assert b"password for" in said
    sweep.is_clean(said, "the terminal")
    for name in ("traffic", "log"):
        sweep.is_clean((sweep.rider.home / name).read_bytes(), name)


# The list of processes, where everybody may look.

def test_arguments_of_its_children(server, sweep, text):
    """Of the command's and its own."""
    peer = server()
    command = "cat ~/hidden; cat /proc/$PPID/cmdline /proc/self/cmdline " \
        "/proc/$$/cmdline > ~/seen"
    result = sweep.run(text(peer, "eval", passwordeval=command), BOB,
                       stdin=MESSAGE)
    assert result.code == OK, str(result)
    assert b"postrider" in (sweep.rider.home / "seen").read_bytes()
