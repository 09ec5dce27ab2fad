"""The command line: names, settings, words about itself, surroundings.

Options with a letter are in test_options.py, what is odd around the process is
in test_environment.py."""

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


# Those with a letter are in test_options.py.
UNKNOWN = [
    "--frobnicate", "--frob=1", "--tls=perhaps", "--port=x", "--port=70000",
    "--report=xml", "--account", "--from", "--password=x", "--password",
    "--help=x", "--check=x", "--dry-runn", "--=x", "---",
]


@pytest.mark.parametrize("words", UNKNOWN)
def test_unknown(peer, ready, words):
    """An option, never an address; never 0 without sending."""
    more = [] if words in ("--account", "--from") else [BOB]
    result = ready.run(words, *more, stdin=MESSAGE)
    assert result.code == USAGE, str(result)
    assert len(result.lines) == 1, result.err
    assert result.lines[0].startswith("postrider: ")
    assert result.lines[0].isprintable()
    assert result.stdout == b""
    assert peer.sessions == []


def test_near_words_are_named(ready):
    assert "--dry-run" in ready.run("--dry-rum", BOB, stdin=MESSAGE).err
    assert "--account" in ready.run("--acount=x", BOB, stdin=MESSAGE).err


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


def test_no_files_left_behind(peer, ready, tmp_path):
    folder = tmp_path / "tmp"
    folder.mkdir()
    big = MESSAGE + b"x" * 78 + b"\n" + (b"y" * 78 + b"\n") * 200000
    result = ready.run(BOB, stdin=big, env={"TMPDIR": folder}, piped=True)
    delivered(peer, result)
    assert os.listdir(folder) == []


def test_no_room_for_the_message(peer, ready):
    """A file that may not grow: 7x, nothing sent."""
    big = MESSAGE + (b"y" * 78 + b"\n") * 400000
    result = ready.run(BOB, stdin=big, piped=True,
                       preexec=limit(resource.RLIMIT_FSIZE, 1 << 20))
    assert result.code in (71, 73, 74, 75), str(result)
    assert len(result.lines) == 1
    assert not peer.messages
