"""As people and their programs use it: msmtp's files, -t, Bcc, at once."""

import subprocess
import tempfile

import pytest

from client import ended, full
from messages import CRON, PATCH, as_stored, head

RAW = head() + b"hello\n"

# The shape of the example in msmtp's manual: defaults, a first provider, a
# second address there, another provider, and which of them is the default.
MSMTPRC = """\
# Set default values for all following accounts.
defaults

# Use TLS on the mail submission port.
port {port}
tls on
tls_starttls {starttls}
tls_trust_file {ca}

logfile ~/.msmtp.log

# A freemail service
account freemail

# Host name of the SMTP server
host localhost

# Envelope-from address
from bob@example.org

# Authentication. The password is given by an external program, see below.
auth on
user bob@example.org
password {bob}

# A second mail address at the same freemail service
account freemail2 : freemail
from {second}

# The SMTP server of your ISP
account isp
host 127.0.0.1
from alice@example.org
auth on
user alice
passwordeval "cat ~/.msmtp-password"

# Set a default account
account default : isp
"""

PLACES = (".msmtprc", ".config/msmtp/config", "given")


def write_msmtprc(client, place, server="submission", second="x@example.org"):
    at = client.mail.server(server)
    client.config("secret\n", ".msmtp-password")
    path = client.config(MSMTPRC.format(
        port=at.port, ca=client.mail.ca, second=second, bob="p@ss:word",
        starttls="off" if server == "smtps" else "on"), place)
    return ("-C", str(path)) if place == "given" else ()


@pytest.mark.parametrize("server", ("submission", "smtps"))
@pytest.mark.parametrize("place", PLACES)
def test_msmtprc(client, mail, box, place, server):
    args = write_msmtprc(client, place, server)
    done = client.run(*args, full(box), stdin=RAW)
    assert (done.code, done.out, done.err) == (0, "", "")
    stored = mail.wait_for(box)[0]
    assert stored.startswith(b"Return-Path: <alice@example.org>\n")
    assert stored.endswith(b"\n" + RAW)
    with open(client.home / ".msmtp.log") as f:
        log = f.read()
    assert log.count("\n") == 1
    for word in ("host=127.0.0.1", "from=alice@example.org", full(box)):
        assert word in log


@pytest.mark.parametrize("args,user,sender", (
    (("-a", "freemail"), "bob@example.org", "bob@example.org"),
    (("--account=freemail2",), "bob@example.org", "SECOND"),
    (("-f", "bob@example.org"), "bob@example.org", "bob@example.org"),
    (("-a", "isp"), "alice", "alice@example.org"),
))
def test_msmtprc_and_its_accounts(client, mail, box, args, user, sender):
    second = full(mail.new_mailbox())
    write_msmtprc(client, ".msmtprc", second=second)
    start = mail.log_size()
    done = client.run(*args, full(box), stdin=RAW)
    assert (done.code, done.err) == (0, "")
    mail.wait_log(r"sasl_username=%s\b" % user, start)
    sender = sender.replace("SECOND", second)
    assert mail.wait_for(box)[0].startswith(
        b"Return-Path: <%s>\n" % sender.encode())


@pytest.mark.parametrize("args,raw", (
    (("-FCronDaemon", "-i", "-B8BITMIME", "-oem"), CRON),
    (("-oi", "-f", "alice@example.org", "-oem"), RAW),
    (("-i",), PATCH),
    (("-oem", "-oi", "-f", "alice@example.org", "-N", "failure,delay",
      "-R", "hdrs"), RAW),
))
def test_as_sendmail(client, mail, box, args, raw):
    """By the name that programs know, with msmtp's file in its place."""
    write_msmtprc(client, ".msmtprc")
    done = client.run(*args, "--", full(box), stdin=raw, name="sendmail")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert raw.partition(b"\n\n")[2] in mail.wait_for(box)[0]


# -t and Bcc

def to_all(client, raw, *args, **changes):
    return client.run("-C", client.account(**changes), "-t", *args, stdin=raw)


@pytest.mark.parametrize("bcc", (
    "Bcc: {0}, {1}\n",
    "bcc: {0},\n {1}\n",
    "BCC:{0}\nBcc: Carol <{1}>\n",
    "Bcc: the group: {0}, {1};\n",
    'Bcc: =?UTF-8?Q?J=C3=BCrgen?= <{0}>,\n\t"x, y" <{1}>\n',
))
@pytest.mark.parametrize("where", ("first", "middle", "last"))
def test_bcc_never_arrives_but_its_people_get_it(client, mail, bcc, where):
    to, cc, one, two = (mail.new_mailbox() for _ in range(4))
    fields = ["From: alice@example.org\n", "To: %s\n" % full(to),
              "Cc: %s\n" % full(cc), "Subject: s\n",
              "Date: Sat, 01 Mar 2025 10:20:30 +0100\n",
              "Message-ID: <1@example.org>\n"]
    at = {"first": 0, "middle": 3, "last": len(fields)}[where]
    fields.insert(at, bcc.format(full(one), full(two)))
    done = to_all(client, "".join(fields).encode() + b"\nBcc: body\n")
    assert (done.code, done.out, done.err) == (0, "", "")
    del fields[at]
    for name in (to, cc, one, two):
        stored = mail.wait_for(name)
        assert len(stored) == 1
        assert stored[0].endswith("".join(fields).encode() +
                                  b"\nBcc: body\n"), stored[0].decode()
        for other in {one, two} - {name}:
            assert full(other).encode() not in stored[0]


def test_bcc_goes_without_t_too(client, mail, box):
    other = mail.new_mailbox()
    raw = RAW.replace(b"Subject:", b"Bcc: %s\nSubject:" %
                      full(other).encode())
    done = client.send(raw, box)
    assert (done.code, done.err) == (0, "")
    assert mail.wait_for(box)[0].endswith(b"\n" + RAW)
    mail.settle()
    assert mail.delivered(other) == []


def test_bcc_stays_if_told_so(client, mail, box):
    raw = RAW.replace(b"Subject:", b"Bcc: x@example.org\nSubject:")
    done = client.send(raw, box, remove_bcc_headers="off")
    assert (done.code, done.err) == (0, "")
    assert mail.wait_for(box)[0].endswith(b"\n" + raw)


def test_t_and_the_command_line(client, mail):
    to, more = mail.new_mailbox(), mail.new_mailbox()
    raw = b"From: alice@example.org\nTo: %s\n\nx\n" % full(to).encode()
    done = to_all(client, raw, full(more))
    assert (done.code, done.err) == (0, "")
    mail.wait_for(to)
    mail.wait_for(more)


def test_resent(client, mail):
    """The Resent- fields say who; To and Cc are history."""
    to, cc, bcc, old = (mail.new_mailbox() for _ in range(4))
    resent = ("Resent-From: alice@example.org\nResent-To: %s\n"
              "Resent-Cc: %s\n" % (full(to), full(cc)))
    rest = ("From: bob@example.org\nTo: %s\n"
            "Date: Sat, 01 Mar 2025 10:20:30 +0100\n"
            "Message-ID: <1@example.org>\n\nx\n" % full(old))
    done = to_all(client, (resent + "Resent-Bcc: %s\n" % full(bcc) +
                           rest).encode())
    assert (done.code, done.err) == (0, "")
    for name in (to, cc, bcc):
        stored = mail.wait_for(name)[0]
        assert b"resent-bcc" not in stored.lower()
        assert resent.encode() in stored and rest.encode() in stored
    mail.settle()
    assert mail.delivered(old) == []


def test_two_addresses_once_each(client, mail, box):
    raw = ("From: alice@example.org\nTo: {0}, {0}\nCc: {0}\n\nx\n"
           .format(full(box)).encode())
    done = to_all(client, raw)
    assert (done.code, done.err) == (0, "")
    mail.wait_for(box)
    mail.settle()
    assert len(mail.delivered(box)) == 1


# At once

@pytest.mark.parametrize("server", ("submission", "smtps"))
def test_two_submissions_at_once(client, mail, server):
    both = []
    account = client.account(server)
    for i in range(2):
        raw = head() + b"%d\n" % i * 200000
        name = mail.new_mailbox()
        with tempfile.TemporaryFile() as stdin:
            stdin.write(raw)
            stdin.seek(0)
            both.append((client.start("-C", account, full(name),
                                      stdin=stdin), name, raw))
    for process, name, raw in both:
        assert ended(process) == (0, b"", b"")
        assert mail.wait_for(name)[0].endswith(b"\n" + raw)


def test_a_slow_writer_holds_no_connection(client, mail, box):
    """Nothing is said to the server before the message is whole."""
    start = mail.log_size()
    process = client.start("-C", client.account(), full(box))
    process.stdin.write(RAW[:20])
    process.stdin.flush()
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.5)
    with open(mail.log) as f:
        f.seek(start)
        assert " connect from" not in f.read()
    process.stdin.write(RAW[20:])
    assert ended(process) == (0, b"", b"")
    assert mail.wait_for(box)[0].endswith(as_stored(b"\n" + RAW))
