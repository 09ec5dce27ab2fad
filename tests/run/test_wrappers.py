"""What comes through a web form that calls sendmail.

The caller is a program that passes a stranger's words on: as an option (the
fifth parameter of PHP's mail()), as the sender that a library puts behind -f,
as a recipient, or in the header of a message that is read with -t.  Each row
is an attack that once worked somewhere.  None may run a command, create or
change a file, read one, or reach an address that the caller did not name: it
fails with one line and sends nothing, or it is inert.
"""

import contextlib
import os
import re
import shlex
import signal
import subprocess
import time

import pytest

from conftest import MESSAGE
from harness import Postrider, slowness, wrapper
from peer import Peer

USAGE, DATAERR, CONFIG = 64, 65, 78
ALICE, BOB = "alice@example.org", "bob@example.net"
EVIL = "evil@example.net"
MARKED = b"To: bob@example.net\nSubject: <?php system($_GET[0]); ?>\n\nhi\n"


class Site:
    """A server, and the account of a web server: {dir} in a row is its
    directory, where nothing may change."""

    def __init__(self, directory):
        self.peer = Peer(tls="none", capabilities="PIPELINING,8BITMIME,DSN")
        self.peer.__enter__()
        self.rider = Postrider(directory)
        self.rider.config(f"account default\nhost 127.0.0.1\nport "
                          f"{self.peer.port}\ntls off\nauth off\n"
                          f"from {ALICE}\nset_from_header on\n"
                          "allow_from_override on\n")
        self.directory = self.rider.home / "www"
        self.directory.mkdir()
        (self.directory / "index.php").write_text("<?php ?>")
        (self.directory / "evil.cf").write_text(
            f"account default\nhost 127.0.0.1\nport 1\nfrom {EVIL}\n"
            f'passwordeval "touch {self.directory}/ran"\n')
        self.before = self.look()

    def look(self):
        """Names, sizes, times, modes, content of all files at home."""
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_mode,
                            path.is_file() and path.read_bytes())
                for path in sorted(self.rider.home.rglob("*"))}

    def run(self, words, stdin, name="sendmail"):
        """The result, and what arrived; nothing else may have changed."""
        self.peer.sessions.clear()
        self.peer.messages.clear()
        words = [word.replace("{dir}", str(self.directory)) for word in words]
        result = self.rider.run(*words, stdin=stdin, name=name,
                                cwd=self.directory)
        assert self.peer.settle(10), "the peer still waits"
        after = self.look()
        assert after.keys() == self.before.keys(), str(result)
        assert after == self.before, str(result)
        assert self.peer.violations == [], str(result)
        said = [line for line in result.lines if " warning: " not in line]
        assert len(said) == (result.code != 0), result.err
        assert all(line.isprintable() for line in result.lines), result.err
        assert result.stdout == b"", result.out
        return result, list(self.peer.messages)


@contextlib.contextmanager
def running(program):
    """Finds its processes; they are ended in the end."""
    def find():
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    if os.fsencode(program) in file.read().split(b"\0"):
                        found.append(int(pid))
            except OSError:
                pass
        return found

    # What an earlier test left in the background may still be ending.
    end = time.monotonic() + 30 * slowness()
    while find() and time.monotonic() < end:
        time.sleep(0.05)
    assert find() == []
    try:
        yield find
    finally:
        for pid in find():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    site.peer.__exit__()


def refused(site, words, stdin=MESSAGE, codes=(USAGE,), name="sendmail"):
    result, arrived = site.run(words, stdin, name)
    assert result.code in codes, str(result)
    assert result.err.startswith("postrider: ")
    assert arrived == []
    assert all("MAIL" not in s.verbs for s in site.peer.sessions)


def inert(site, words, stdin=MESSAGE, to=(BOB,), sender=ALICE, name="sendmail"):
    """It goes where it would have gone, with at most a warning."""
    result, [message] = site.run(words, stdin, name)
    assert result.code == 0, str(result)
    assert result.stderr == b"" or "warning: " in result.err
    assert message.delivered == list(to)
    assert message.sender.decode() == sender
    return message


# The fifth parameter, behind `sendmail -t -i`.
REFUSED = [
    # Read a file, and have its lines told in the errors, or run what it says.
    "-C{dir}/evil.cf", "-C {dir}/evil.cf", "-C/etc/passwd", "-C /etc/shadow",
    "-tC{dir}/evil.cf", "-iC{dir}/evil.cf -X{dir}/x.php",
    "-OAliasFile={dir}/evil.cf", "-O AliasFile=/etc/passwd", "-oA{dir}/evil.cf",
    "-oA/etc/passwd", "-bi -oA{dir}/x.php", "-bi -OAliasFile={dir}/x.php",
    "-I -oA{dir}/x", "-OHelpFile=/etc/passwd", "-oH/etc/passwd -bs",
    "-OForwardPath=/etc", "-OServiceSwitchFile=/etc/passwd",
    "-OUserDatabaseSpec={dir}/x", "-OCACertFile={dir}/x",
    # Write one.
    "-oQ/tmp", "-oQ{dir} -X{dir}/x.php", "-OQueueDirectory=/tmp",
    "-O QueueDirectory={dir} -X {dir}/x.php", "-OQueueDirectory={dir}",
    "-OqueueDIRECTORY={dir} -X{dir}/x.php", "-oS{dir}/x.php",
    "-OStatusFile={dir}/x.php", "-OHostStatusDirectory={dir}",
    "-OPidFile={dir}/x.php", "-OControlSocketName={dir}/x",
    "-ODeadLetterDrop={dir}/x.php", "-D{dir}/x.php", "-D {dir}/x.php -d8.99",
    "-iD{dir}/x.php", "-d8.99 -D {dir}/x.php",
    # Run a command.
    "--passwordeval=touch${IFS}{dir}/ran", "--passwordeval 'touch {dir}/ran'",
    "--tunnel='touch {dir}/ran'", "--eval=x", "--host=evil.example",
    "--port=1", "--proxy-host=evil.example", "--socket={dir}/x",
    # Weaken what protects the account, or have it write.
    "--tls-trust-file={dir}/evil.cf", "--tls-certcheck=off", "--tls=off",
    "--tls-fingerprint=00", "--logfile={dir}/x.php", "--file={dir}/evil.cf",
    "--aliases={dir}/evil.cf", "--password-file=/etc/passwd",
    "--account=default", "--from=evil@example.net", "--debug",
    "--mail-parameter=BODY=7BIT", "--rcpt-parameter=x",
    # Look around.
    "--check", "--dry-run", "--probe", "--version", "--help", "-P", "-S",
    "--list-settings", "--report=json", "--serverinfo", "--setup",
    "--configure=a@evil.example", "--rmqs=evil.example",
    # Exim's and Postfix's own.
    "-be '${run{/bin/touch${substr{10}{1}{$tod_log}}{dir}/ran}}'",
    "-be ${run{touch}}", "-be", "-bem {dir}/index.php", "-bf {dir}/evil.cf",
    "-bF {dir}/evil.cf", "-bV", "-bpc", "-bw", "-bI:help",
    "-bdf", "-bmalware {dir}/index.php", "-brw x", "-bhc 127.0.0.1",
    "-Mvb 1", "-Mc 1", "-MC a b", "-Mset 1", "-Tqt x", "-tls-on-connect",
    "-Ex", "-Jx", "-Ka", "-Sx", "-tai -Z", "-psmtp:x -Z",
    # Be a daemon, work on the queue.
    "-bd", "-bD", "-bd -X{dir}/x.php", "-bD -X {dir}/x.php", "-bd -q",
    "-q {dir}/x.php", "-q15m root", "-qRx root", "-q1s{dir}", "-q/bin/sh",
    "--queue-run", "--queue-remove all", "--queue-show=all", "--all-users -q",
    "--queue-dir={dir}", "--queue-hold all", "--queue-release=all",
    "--queue-retry=all", "--queue=only", "--queue-lifetime=1s",
    "--bounce-to=evil@example.net",
]
# These are for a queue, which the account does not have.
QUEUED = ["-odq -X{dir}/x.php", "-odd", "-Qheld", "-Q {dir}/x.php"]
# These run the user's own queue, as anybody may have it run: it is empty.
RUNS = ["-q", "-q -X{dir}/x.php", "-qf", "-qp", "-qR{dir}", "-qG{dir}/x.php",
        "-qI ../../x", "-qQ{dir}", "-q!I x", "-qS $(touch${IFS}{dir}/ran)"]
# … and they do so every so often.
RUNS_OFTEN = ["-q1s -X{dir}/x.php", "-q1s", "-bd -q1s", "-bD -q1s", "-qf1s"]
INERT = [
    "-X{dir}/x.php", "-X {dir}/x.php", "-X/etc/x.php", "-X../x.php", "-Xx.php",
    "-X {dir}/index.php", "-iX{dir}/x.php", "-OLogLevel=99 -X{dir}/x.php",
    "-ORunAsUser=root", "-ODontBlameSendmail=ForwardFileInUnsafeDirPath",
    "-OTrustedUser=evil", "-oMs/bin/sh", "-oW{dir}/x", "-oPevil@example.net",
    "-OPostmasterCopy=evil@example.net", "-ODoubleBounceAddress=evil@x.org",
    "-odb", "-oem", "-d99.99", "-d0-99.99", "-Lx{dir}", "-L ../../../etc/x",
    "-h-1", "-p../../x", "-ox{dir}/x", "-G", "-U",
    "-OMaxHopCount=0", "-OTimeout.queuereturn=1s", "-OErrorMode=w",
]


@pytest.mark.parametrize("words", REFUSED)
def test_parameters_that_are_refused(site, words):
    refused(site, ["-t", "-i", *shlex.split(words)], MARKED)


@pytest.mark.parametrize("words", QUEUED)
def test_parameters_for_a_queue(site, words):
    refused(site, ["-t", "-i", *shlex.split(words)], MARKED, codes=(CONFIG,))


@pytest.mark.parametrize("words", RUNS)
def test_parameters_that_run_the_queue(site, words):
    """The message on standard input is not sent, nor is it queued."""
    result, arrived = site.run(["-t", "-i", *shlex.split(words)], MARKED)
    assert result.code == 0, str(result)
    assert result.stderr == b"" or "warning: " in result.err
    assert arrived == [] and site.peer.sessions == []


@pytest.mark.parametrize("words", RUNS_OFTEN)
def test_parameters_that_run_it_every_so_often(site, words):
    """One process goes on, and does nothing but that."""
    words = [word.replace("{dir}", str(site.directory))
             for word in ["-t", "-i", *shlex.split(words)]]
    command = [*wrapper(), site.rider.link("sendmail"), *words]
    site.peer.sessions.clear()
    with running(site.rider.link("sendmail")) as find:
        child = subprocess.Popen(
            command, cwd=site.directory, env=site.rider.environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        time.sleep(2.5 * slowness())        # it has run more than once
        assert find() and child.poll() in (None, 0)
        assert site.look() == site.before
    child.wait()
    assert site.peer.sessions == []


@pytest.mark.parametrize("words", INERT)
def test_parameters_without_effect(site, words):
    message = inert(site, ["-t", "-i", *shlex.split(words)], MARKED)
    assert message.content.count(b"<?php") == 1


@pytest.mark.parametrize("name", ["mailq", "newaliases"])
@pytest.mark.parametrize("words", [
    "-C{dir}/evil.cf", "-oA{dir}/x.php", "-OAliasFile={dir}/x.php",
    "-oQ{dir}", "-OQueueDirectory={dir}", "-D{dir}/x.php", "--help",
    "--passwordeval=touch\t{dir}/ran", "--logfile={dir}/x.php"])
def test_the_other_names(site, words, name):
    refused(site, [words], name=name)


# What a library put behind -f, quoted as it saw fit, and as the shell then
# splits it.  The first is PHPMailer's (its escaping of the quotes undid the
# shell's), the others are SwiftMailer's, Zend's and Roundcube's variants.
SPLIT = [
    r'''-f"attacker\" -oQ/tmp/ -X{dir}/x.php  some"@email.com''',
    r"""-f'\"attacker\\'\\'' -oQ/tmp/ -X{dir}/x.php  some\"@email.com\'""",
    r'''-fattacker\" -oQ/tmp/ -X{dir}/x.php \"@email.com''',
    r"""-f'"a'\\\\'' -oQ{dir} -X{dir}/x.php '\\\\''b"@email.com'""",
    r'''-f"\"attacker\\\" -oQ/tmp/ -X{dir}/x.php  some\"@email.com"''',
    '''-f'"a b" -X{dir}/x.php @email.com' ''',
    "-f'a@b.com -X{dir}/x.php'",
    "-f'a@b.com -OQueueDirectory={dir} -X{dir}/x.php'",
    "-f a -X{dir}/x.php -C{dir}/evil.cf @email.com",
    "-fa@b.com -be ${run{touch}}",
    "-fa@b.com -oQ/tmp -X{dir}/x.php",
    "-f -X{dir}/x.php",
    "-r 'a@b.com -X{dir}/x.php'",
    "-f '<a@b.com> -X{dir}/x.php'",
    "-f 'a@b.com>' -D{dir}/x.php",
]


@pytest.mark.parametrize("words", SPLIT)
def test_senders_that_fall_apart(site, words):
    refused(site, ["-t", "-i", *shlex.split(words)], MARKED,
            codes=(USAGE, DATAERR))


# The same in one argument, where it is a valid address, is that address.
@pytest.mark.parametrize("sender", [
    '"attacker -oQ/tmp/ -X/w/x.php some"@email.com',
    '"attacker\\" -oQ/tmp/ -X/w/x.php some"@email.com',
    '"-X /w/x.php"@email.com', "-Xx.php@email.com", "-be@email.com",
    "${touch${IFS}ran}@email.com",
    "`touch`@email.com", "a|touch@email.com", "a&touch@email.com",
    "$HOME@email.com", "!touch@email.com", "a'b@email.com", "*@email.com",
    "/etc/passwd@email.com", '"a;touch ran"@email.com', '"a b"@email.com'])
def test_odd_senders_are_senders(site, sender):
    message = inert(site, ["-t", "-i", "-f", sender], MARKED, sender=sender)
    assert message.params == {}


BREAKS = ["\r\n", "\n", "\r", "\r\n.\r\n", "\n\n", "\x0b", "\x0c", "\x1b[2J",
          "\x85"]
AFTER = ["RCPT TO:<evil@example.net>", "Bcc: evil@example.net", "DATA", ""]


@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("end", BREAKS, ids=repr)
def test_line_ends_in_senders(site, end, after):
    refused(site, [f"-fa@b.com{end}{after}", BOB], codes=(DATAERR,))
    refused(site, ["-r", f"a@b.com>{end}{after}", BOB], codes=(DATAERR,))


@pytest.mark.parametrize("option", ["-V", "-N", "-R", "-B", "-A"])
@pytest.mark.parametrize("end", BREAKS[:5], ids=repr)
def test_line_ends_in_options(site, option, end):
    good = {"-V": "id", "-N": "never", "-R": "full", "-B": "8BITMIME",
            "-A": "c"}[option]
    refused(site, [option, f"{good}{end}RCPT TO:<{EVIL}>", BOB],
            codes=(USAGE, DATAERR))
    result, arrived = site.run([option, good + end, BOB], MESSAGE)
    assert result.code in (0, USAGE, DATAERR), str(result)
    assert [m.delivered for m in arrived] == [[BOB]] * (result.code == 0)


@pytest.mark.parametrize("after", [f"Bcc: {EVIL}", "", "\r\nbody", "."])
@pytest.mark.parametrize("end", BREAKS[:5], ids=repr)
def test_line_ends_in_names(site, end, after):
    """-F becomes a header field: one field, or nothing."""
    result, arrived = site.run(
        ["-F", f"Evil{end}{after}", BOB], b"Subject: x\n\nhello\n")
    if result.code != 0:
        assert result.code in (USAGE, DATAERR) and arrived == []
        return
    [message] = arrived
    header, _, body = message.content.partition(b"\r\n\r\n")
    names = re.findall(rb"(?m)^([^\s:]+):", header)
    assert sorted(n.lower() for n in names) == \
        [b"date", b"from", b"message-id", b"subject"]
    assert body == b"hello\r\n" and message.delivered == [BOB]


@pytest.mark.parametrize("tag", [
    "x\nfake", "x\r\nfake: exit 0", "%s%n%s%n", "%99999d", "/etc/passwd",
    "x" * 5000, "\x1b[2J"])
def test_tags_of_the_log(site, tag):
    inert(site, ["-L", tag, BOB])


# Recipients, as a form passes them behind the options.
@pytest.mark.parametrize("recipient", [
    "-X{dir}/x.php", "-C{dir}/evil.cf", "-oQ{dir}", "-be", "-t", "-v", "--help",
    "--passwordeval=touch\t{dir}/ran", "-bs", "-D{dir}/x.php"])
def test_recipients_that_look_like_options(site, recipient):
    """Behind a recipient nothing is an option, and behind -- nothing at all;
    without an @ it is no address either."""
    refused(site, ["-i", BOB, recipient])
    refused(site, ["-i", "--", recipient], codes=(DATAERR,))
    refused(site, ["-i", "--", BOB, recipient], codes=(DATAERR,))


@pytest.mark.parametrize("recipient", [
    "-X/w/x.php@example.net", "-C/etc/passwd@example.net", "-t@example.net",
    "-fevil@example.net"])
def test_recipients_with_a_dash(site, recipient):
    """Behind -- these are addresses."""
    result, arrived = site.run(["-i", "--", recipient], MESSAGE)
    assert result.code == 0, str(result)
    assert [m.delivered for m in arrived] == [[recipient]]


@pytest.mark.parametrize("recipient", [
    "|touch {dir}/ran", "|/bin/touch@example.net -x", '"|touch {dir}/ran"',
    "/{dir}/x.php", "{dir}/x.php", ":include:/etc/passwd",
    ":include:{dir}/evil.cf", "$(touch {dir}/ran)", "`touch {dir}/ran`",
    "; touch {dir}/ran", "${run{touch}}", "a@b.com; touch {dir}/ran",
    "bob@example.net\nevil@example.net", "bob@example.net\r\nDATA",
    "bob@example.net> NOTIFY=NEVER", "<bob@example.net", "a b@example.net",
    "@", "@example.net", "bob@", "bob@example.net\x01"])
def test_recipients_that_are_none(site, recipient):
    refused(site, ["-i", "--", recipient], codes=(DATAERR,))


@pytest.mark.parametrize("recipient", [
    '"|touch ran"@example.net', '"/etc/a b"@example.net',
    '":include:/etc/passwd"@example.net', "`touch`@example.net",
    "${run}@example.net", "a'b@example.net",
    '"a b"@example.net', '"a@b"@example.net', '"<evil>"@example.net',
    '"a\\" evil"@example.net', "user%evil.net@example.net", "a!b@example.net"])
def test_odd_recipients_are_recipients(site, recipient):
    inert(site, ["-i", "--", recipient], to=(recipient,))


# A header that a form puts together, read with -t.  The message is what the
# caller said it is, so a field more is a recipient more: that is the form's
# fault.  But no line end other than a header's makes one.
@pytest.mark.parametrize("field", ["Subject", "To", "From", "Cc", "X-Form"])
@pytest.mark.parametrize("end", [b"\r", b"\r\r", b"\x0b", b"\x0c", b"\0",
                                 b"\x85", b"\xe2\x80\xa8"], ids=repr)
def test_lines_that_are_none(site, field, end):
    value = b"bob@example.net" if field != "Subject" else b"hi"
    message = b"".join([
        b"" if field == "To" else b"To: bob@example.net\n", field.encode(),
        b": ", value, end, b"Bcc: evil@example.net\n\nhello\n"])
    result, arrived = site.run(["-t", "-i"], message)
    assert result.code in (0, DATAERR), str(result)
    assert all(EVIL not in m.addresses for m in arrived)
    for session in site.peer.sessions:
        assert b"RCPT TO:<evil" not in session.clear
    assert (result.code == 0) == (len(arrived) == 1)


@pytest.mark.parametrize("value", [
    "bob@example.net,\n -oQ/tmp@x -X{dir}/x.php", "-X{dir}/x.php",
    "bob@example.net -X{dir}/x.php", "|touch {dir}/ran", "{dir}/x.php",
    ":include:/etc/passwd", "<bob@example.net> SIZE=1"])
def test_recipients_of_the_header(site, value):
    value = value.replace("{dir}", str(site.directory))
    refused(site, ["-t", "-i"], f"To: {value}\n\nhello\n".encode(),
            codes=(DATAERR,))


@pytest.mark.parametrize("to, got", [
    ('"a -X/w/x.php"@example.net', ('"a -X/w/x.php"@example.net',)),
    ("-X/w/x.php@example.net", ("-X/w/x.php@example.net",)),
    ('"evil@example.net" <bob@example.net>', (BOB,)),
    ("evil@example.net (bob) <bob@example.net>", None),
    ("(evil@example.net) bob@example.net", (BOB,)),
    ("=?utf-8?q?evil=40example.net=2C?= <bob@example.net>", (BOB,)),
    ("=?utf-8?q?=0D=0ABcc:_evil=40example.net?= <bob@example.net>", (BOB,)),
])
def test_who_is_meant(site, to, got):
    message = f"To: {to}\nSubject: x\n\nhello\n".encode()
    if got is None:
        refused(site, ["-t", "-i"], message, codes=(DATAERR,))
    else:
        inert(site, ["-t", "-i"], message, to=got)


def test_an_injected_field_is_told_apart_from_the_body(site):
    """What follows the first empty line is body, whatever it looks like."""
    message = b"To: bob@example.net\nSubject: x\n\nBcc: evil@example.net\n" \
              b"\n.\nMAIL FROM:<evil@example.net>\n"
    got = inert(site, ["-t", "-i"], message)
    assert got.content.endswith(b"\r\nMAIL FROM:<evil@example.net>\r\n")


# The environment is not the stranger's, but CGI passes words of his in it.
@pytest.mark.parametrize("variable, value", [
    ("HTTP_PROXY", "http://evil.example"), ("HTTP_X", "() { :;}; touch ran"),
    ("QUERY_STRING", "-X/w/x.php"), ("MAILRC", "/etc/passwd"),
    ("POSTRIDER", "-X/w/x.php"), ("MAIL_CONFIG", "/tmp"),
    ("IFS", "/"), ("ENV", "/etc/passwd"), ("BASH_ENV", "/etc/passwd")])
def test_variables(site, variable, value):
    site.rider.env = {variable: value}
    try:
        inert(site, ["-i", BOB])
    finally:
        site.rider.env = {}
    assert os.listdir(site.directory)
