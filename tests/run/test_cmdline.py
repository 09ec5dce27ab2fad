"""The command line: what is taken, what is refused, what is not there yet."""

import os
import re
import resource
import stat

import pytest

from conftest import MESSAGE, PASSWORD
from harness import limit

BOB = "bob@example.net"
USAGE, DATAERR, NOINPUT, UNAVAILABLE, CONFIG = 64, 65, 66, 69, 78


@pytest.fixture
def peer(start):
    return start(tls="implicit", capabilities="PIPELINING,8BITMIME,DSN,SIZE")


@pytest.fixture
def ready(peer, rider, account):
    rider.config(account(peer))
    return rider


def delivered(peer, result, *recipients):
    assert result.code == 0, str(result)
    assert (result.stdout, result.stderr) == (b"", b"")
    assert peer.messages[-1].delivered == list(recipients or [BOB])


# Options that change nothing here, or nothing that is seen.
TAKEN = [
    "-A c", "-A m", "-Ac", "-Am", "-B 7BIT", "-B7BIT", "-B8BITMIME",
    "-B 8BITMIME", "-bm", "-G", "-m", "-n", "-U", "-x", "-c", "-p smtp",
    "-psmtp:here", "-h 3", "-h3", "-em", "-ep", "-eq", "-i", "-oi", "-oem",
    "-oep", "-oe", "-odi", "-odb", "-om", "-oo", "-o7", "-L tag", "-Ltag",
    "-d", "-d3", "-d0-99.1", "-O DontBlameSendmail=Safe",
    "-OErrorMode=mail", "-N failure", "-Nfailure,delay,success", "-N never",
    "-R full", "-Rhdrs", "-V id", "-Vid", "-F Name", "-FName",
    "-i -oi -oem -odb", "-FCronDaemon -i -B8BITMIME -oem",
    "-FAnacron -odi", "-oem -oi --", "-oem -oi -f a@example.org -N "
    "failure,delay -R hdrs --", "-i -f a@example.org", "-f a@example.org",
    "-imn", "-mi", "-im -oi", "-imfa@example.org", "-imf a@example.org",
]


@pytest.mark.parametrize("words", TAKEN)
@pytest.mark.parametrize("name", ["postrider", "sendmail"])
def test_taken(peer, ready, words, name):
    result = ready.run(*words.split(), BOB, stdin=MESSAGE, name=name)
    delivered(peer, result)


@pytest.mark.parametrize("words", ["-t", "-ti", "-it", "-t -oi -oem", "-i -t",
                                   "-oem -t -oi", "-t -i", "-titi",
                                   "-t -oi -oem -fa@example.org"])
def test_taken_with_t(peer, ready, words):
    delivered(peer, ready.run(*words.split(), stdin=MESSAGE, name="sendmail"))


UNKNOWN = [
    "-Z", "-1", "-iZ", "-tZ", "--frobnicate", "--frob=1", "-bz", "-b", "-qz",
    "-od", "-odz", "--tls=perhaps", "--port=x", "--port=70000",
    "--report=xml", "-B 9BIT", "-B", "-A x", "-N sometimes", "-N", "-R half",
    "-R", "-V", "-f", "-r", "-F", "-L", "-a", "-C", "--account", "--from",
    "-O", "-o", "-p", "-h", "--password=x", "--password", "--help=x",
    "--check=x", "-bd", "--dry-runn", "--=x", "---", "-\x01", "-\xe9",
]


@pytest.mark.parametrize("words", UNKNOWN)
def test_unknown(peer, ready, words):
    """An option, never an address; never 0 without sending."""
    last = words.split()[-1]
    alone = last in ("-B", "-N", "-R", "-V", "-f", "-r", "-F", "-L", "-a",
                     "-C", "-O", "-o", "-p", "-h", "-A", "-b")
    more = [] if alone else [BOB]
    result = ready.run(*words.split(" "), *more, stdin=MESSAGE)
    assert result.code == USAGE, str(result)
    assert len(result.lines) == 1, result.err
    assert result.lines[0].startswith("postrider: ")
    assert result.lines[0].isprintable()
    assert result.stdout == b""
    assert peer.sessions == []


def test_near_words_are_named(ready):
    assert "--dry-run" in ready.run("--dry-rum", BOB, stdin=MESSAGE).err
    assert "--account" in ready.run("--acount=x", BOB, stdin=MESSAGE).err


LATER = [
    "-bs", "-bp", "-bP", "-bi", "-I", "-bv bob@example.net", "-bt", "-q",
    "-q30m", "-qf", "-qp", "-qI x", "-qIx", "-qR x", "-qS x", "-q!R x",
    "-qG x", "-qQ", "-Q why", "-Qwhy", "-bd -q30m", "-bD -q1h",
    "-X /nonexistent/log", "-O RequireTLS=true", "-O Timeout.connect=3",
    "-O DeliverBy=120", "--setup", "-bs -odb -oem",
    "-O Timeout.mail=1m bob@example.net",
]


@pytest.mark.parametrize("words", LATER)
def test_later(peer, ready, words):
    result = ready.run(*words.split(), *([] if "-b" in words else [BOB]),
                       stdin=MESSAGE)
    assert result.code == UNAVAILABLE, str(result)
    assert len(result.lines) == 1
    assert "not yet in this version" in result.err
    assert peer.sessions == []


@pytest.mark.parametrize("name", ["mailq", "newaliases"])
def test_later_names(peer, ready, name):
    result = ready.run(name=name)
    assert result.code == UNAVAILABLE, str(result)
    assert "not yet in this version" in result.err


@pytest.mark.parametrize("option", ["-odq", "-odd"])
def test_no_queue(peer, ready, option):
    result = ready.run(option, BOB, stdin=MESSAGE)
    assert result.code == CONFIG, str(result)
    assert "queue" in result.err and peer.sessions == []


@pytest.mark.parametrize("option", ["-bh", "-bH"])
def test_host_status(ready, option):
    result = ready.run(option)
    assert result.code == 0 and result.out.count("\n") == 1


# What a web form's caller may not do with sendmail.
REFUSED = [
    "-C /etc/passwd", "-C/etc/passwd", "-D /tmp/x", "-oA/etc/passwd",
    "-oA /etc/passwd", "-O QueueDirectory=/tmp", "-OAliasFile=/etc/passwd",
    "--file=/etc/passwd", "--host=evil.example", "--passwordeval=touch\tran",
    "--tunnel=touch\tran", "--check", "--help", "--version", "--dry-run",
    "--probe", "--account=x", "--from=x@example.org", "--report=json",
    "--logfile=x",
]


@pytest.mark.parametrize("name", ["sendmail", "mailq", "newaliases"])
@pytest.mark.parametrize("words", REFUSED)
def test_refused_as_sendmail(peer, ready, words, name):
    result = ready.run(*words.split(" "), BOB, stdin=MESSAGE, name=name)
    assert result.code == USAGE, str(result)
    assert len(result.lines) == 1
    assert "configure" in result.err or not words.startswith(("-C", "-O"))
    assert peer.sessions == []
    assert os.listdir(ready.home) == [".postriderrc"]


def test_traffic_log_as_sendmail(peer, ready):
    result = ready.run("-X", "trace", BOB, stdin=MESSAGE, name="sendmail")
    assert result.code == 0, str(result)
    assert len(result.lines) == 1 and "-X" in result.err
    assert peer.messages and not (ready.home / "trace").exists()


# No permutation: behind the first argument nothing is an option; what looks
# like one is no recipient either, unless -- says so.
@pytest.mark.parametrize("words, code", [
    ([BOB, "-C/etc/passwd"], USAGE), ([BOB, "-v"], USAGE),
    ([BOB, "-f", "evil@example.net"], USAGE), ([BOB, "--dry-run"], USAGE),
    (["--", "-t"], DATAERR), (["--", "-v", BOB], DATAERR),
    (["--", "--"], DATAERR)])
def test_no_permutation(peer, ready, words, code):
    result = ready.run(*words, stdin=MESSAGE)
    assert result.code == code, str(result)
    assert len(result.lines) == 1
    assert peer.sessions == []


def test_words_that_are_not_options(peer, ready):
    delivered(peer, ready.run("--", BOB, stdin=MESSAGE))
    delivered(peer, ready.run("--", "-x@example.net", stdin=MESSAGE),
              "-x@example.net")


# Every setting is a long option, with - for _.
SETTINGS = [
    "host=127.0.0.1", "port=1", "source-ip=127.0.0.1", "socket=/run/x",
    "timeout=3", "timeout=off", "protocol=lmtp", "domain=me.example",
    "auth=on", "auth=plain", "user=x", "passwordeval=true", "tls=off",
    "tls=on", "tls", "tls-starttls=off", "tls-starttls",
    "tls-trust-file=/dev/null", "tls-crl-file=/dev/null",
    "tls-fingerprint=" + ":".join(["AB"] * 32),
    "tls-key-file=/x --tls-cert-file=/y", "tls-certcheck",
    "tls-certcheck=off",
    "tls-priorities=NORMAL", "tls-host-override=x.example",
    "tls-min-dh-prime-bits=2048", "from=x@example.org",
    "from-full-name=Some Name", "allow-from-override=on",
    "set-from-header=auto", "set-date-header=off", "set-msgid-header=auto",
    "set-to-header=off", "remove-bcc-headers=on",
    "undisclosed-recipients=off", "dsn-notify=failure", "dsn-notify=off",
    "dsn-return=headers", "dsn-return=off", "logfile=/tmp/x",
    "logfile-time-format=%s", "syslog=off", "syslog=LOG_MAIL",
    "maildomain=example.org", "auto-from=off", "partial=on", "partial",
    "chunking=off", "pipelining=off", "password-file=/dev/null",
    "tls-min-version=1.3", "prefer-family=ipv6", "read-recipients",
    "read-envelope-from", "add-missing-date-header=on",
]


@pytest.mark.parametrize("words", SETTINGS)
def test_settings(peer, ready, words):
    result = ready.run("--dry-run", *re.split(" (?=--)", f"--{words}"), BOB,
                       stdin=MESSAGE)
    assert result.code == 0, str(result)
    assert peer.sessions == []


def test_settings_do_what_they_say(peer, ready):
    result = ready.run("--domain=me.example", "--set-date-header=off", "-f",
                       "x@example.org", BOB, stdin=b"Subject: x\n\nhi\n")
    delivered(peer, result)
    assert peer.session.helo == ["me.example"]
    assert b"\r\nDate:" not in peer.messages[0].content


# Information.

def test_help(ready):
    result = ready.run("--help")
    assert result.code == 0 and result.stderr == b""
    for word in ("--account", "--tls-trust-file", "-t", "-f", "--report",
                 "--dry-run", "--partial"):
        assert word in result.out
    assert max(map(len, result.out.splitlines())) <= 80


@pytest.mark.parametrize("option", ["--version", "-d0.1"])
def test_version(ready, option):
    result = ready.run(option)
    assert result.code == 0 and result.stderr == b""
    assert re.search(r"postrider \d+\.\d+", result.out)
    for library in ("GnuTLS", "SASL", "IDN2"):
        assert library in result.out


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("option", ["--probe", "--serverinfo", "-S"])
def test_probe(start, rider, account, certs, tls, option):
    peer = start(tls=tls, mechanisms=["SCRAM-SHA-256", "PLAIN"],
                 capabilities_clear="SIZE=1,FROB",
                 capabilities_tls="SIZE=12345,DSN,CHUNKING")
    rider.config(account(peer))
    result = rider.run(option)
    assert result.code == 0, str(result)
    words = ["TLS1.3", "SCRAM-SHA-256", "PLAIN", "12345", "DSN", "CHUNKING",
             certs.fingerprint("good", "sha256")]
    words += ["FROB", "STARTTLS"] if tls == "starttls" else []
    for word in words:
        assert word.lower() in result.out.lower(), result.out
    assert "MAIL" not in peer.session.verbs
    assert PASSWORD not in result.out


# Odd circumstances.

@pytest.mark.parametrize("closed", [[1], [2], [1, 2]])
def test_closed_output(peer, ready, closed):
    """The connection must not become standard output."""
    def close():
        for descriptor in closed:
            os.close(descriptor)
    result = ready.run("-v", BOB, stdin=MESSAGE, preexec=close)
    assert result.code == 0, str(result)
    assert peer.messages[-1].content.endswith(b"last line\r\n")


@pytest.mark.parametrize("closed", [[0], [0, 1, 2], [0, 2]])
def test_closed_input(peer, ready, closed):
    def close():
        for descriptor in closed:
            os.close(descriptor)
    result = ready.run(BOB, stdin=MESSAGE, preexec=close)
    assert result.code == NOINPUT, str(result)
    assert not peer.messages


def test_closed_output_of_a_failure(peer, ready):
    def close():
        os.close(1)
        os.close(2)
    assert ready.run("-Z", BOB, stdin=MESSAGE, preexec=close).code == USAGE
    assert ready.run("a b@c", stdin=MESSAGE, preexec=close).code == DATAERR


def test_input_that_is_a_directory(peer, ready):
    descriptor = os.open("/", os.O_RDONLY)
    try:
        result = ready.run(BOB, stdin=descriptor)
    finally:
        os.close(descriptor)
    assert result.code == NOINPUT, str(result)
    assert len(result.lines) == 1 and peer.sessions == []


def test_input_that_cannot_be_read(peer, ready):
    with open(os.devnull, "wb") as file:
        result = ready.run(BOB, stdin=file)
    assert result.code == NOINPUT, str(result)
    assert peer.sessions == []


@pytest.mark.parametrize("argv", [[], [""]])
def test_no_arguments_at_all(peer, ready, argv):
    """argc may be 0."""
    result = ready.run(stdin=MESSAGE, argv=argv)
    assert result.code == USAGE, str(result)
    assert peer.sessions == []


def test_no_recipients(peer, ready):
    result = ready.run(stdin=MESSAGE)
    assert result.code == USAGE, str(result)
    assert len(result.lines) == 1 and "-t" in result.err


def test_home_unset(peer, ready):
    path = ready.home / ".postriderrc"
    for home in (None, "", "/nonexistent", "relative"):
        result = ready.run("-C", path, BOB, stdin=MESSAGE, env={"HOME": home})
        delivered(peer, result)


def test_cron_like_surroundings(peer, ready):
    """No USER, no LOGNAME, another directory, umask 077."""
    result = ready.run("-FCronDaemon", "-i", "-B8BITMIME", "-oem", BOB,
                       stdin=MESSAGE, cwd="/", name="sendmail",
                       preexec=lambda: os.umask(0o77))
    delivered(peer, result)


@pytest.mark.parametrize("name", ["/usr/sbin/sendmail", "-sendmail",
                                  "sendmail"])
def test_name_is_the_last_part(peer, ready, name):
    result = ready.run(stdin=MESSAGE, argv=[name, "--check"])
    assert result.code == (USAGE if name[0] != "-" else result.code)


def test_log_is_private(peer, ready):
    delivered(peer, ready.run("--logfile=~/log", BOB, stdin=MESSAGE,
                              preexec=lambda: os.umask(0)))
    assert stat.S_IMODE((ready.home / "log").stat().st_mode) == 0o600


def test_no_files_left_behind(peer, ready, tmp_path):
    folder = tmp_path / "tmp"
    folder.mkdir()
    big = MESSAGE + b"x" * 78 + b"\n" + (b"y" * 78 + b"\n") * 200000
    result = ready.run(BOB, stdin=big, env={"TMPDIR": folder})
    delivered(peer, result)
    assert os.listdir(folder) == []


def test_no_room_for_the_message(peer, ready):
    """A file that may not grow: 7x, nothing sent."""
    big = MESSAGE + (b"y" * 78 + b"\n") * 400000
    result = ready.run(BOB, stdin=big,
                       preexec=limit(resource.RLIMIT_FSIZE, 1 << 20))
    assert result.code in (71, 73, 74, 75), str(result)
    assert len(result.lines) == 1
    assert not peer.messages
