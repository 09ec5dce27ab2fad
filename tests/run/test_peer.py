"""The scripted peer itself, looked at with Python's own SMTP client."""

import base64
import hashlib
import hmac
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import PASSWORD
from faults import (NORMAL, Delay, Drop, EndlessReply, Inject, LongLine,
                    MidBody, Raw, Silent)

BODY = b"Subject: x\r\n\r\n.dot\r\n..two\r\nlast\r\n"


def trusting(certs):
    return ssl.create_default_context(cafile=str(certs.ca))


def client(peer, certs):
    if peer.tls == "implicit":
        return smtplib.SMTP_SSL("127.0.0.1", peer.port,
                                context=trusting(certs))
    smtp = smtplib.SMTP("127.0.0.1", peer.port)
    if peer.tls == "starttls":
        smtp.starttls(context=trusting(certs))
    return smtp


@pytest.mark.parametrize("tls", ["starttls", "implicit", "none"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_dialogue(start, certs, tls, mechanism):
    peer = start(tls=tls, mechanisms=[mechanism])
    with client(peer, certs) as smtp:
        smtp.login("alice", PASSWORD)
        smtp.sendmail("a@example.org", ["b@example.org"], BODY)
    assert peer.settle()
    [message] = peer.messages
    assert message.content == BODY
    assert message.delivered == ["b@example.org"]
    assert peer.session.auth["mechanism"] == mechanism
    assert bool(peer.session.tls_version) == (tls != "none")
    if tls == "starttls":
        assert peer.session.clear.endswith(b"STARTTLS\r\n")
        assert b"AUTH" in peer.session.plain


def test_wrong_password(start, certs):
    peer = start()
    with client(peer, certs) as smtp:
        with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            smtp.login("alice", "wrong")
    assert caught.value.smtp_code == 535


def test_turns(start, certs):
    """smtplib does no pipelining and waits for QUIT's answer."""
    peer = start(quiet=0.02)
    with client(peer, certs) as smtp:
        smtp.login("alice", PASSWORD)
        smtp.sendmail("a@example.org", ["b@example.org"], BODY)
    assert peer.settle()
    assert peer.session.wire.turn_log == [[word] for word in (
        "GREETING", "EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA",
        "BODY")]


class Talk:
    """A client that sends exactly what it is told to."""

    def __init__(self, peer):
        self.sock = socket.create_connection(("127.0.0.1", peer.port), 20)
        self.file = self.sock.makefile("rb")
        self.reply()

    def reply(self):
        while True:
            line = self.file.readline()
            if line[3:4] != b"-":
                return line.rstrip().decode()

    def __call__(self, text, replies=1):
        self.sock.sendall(text.encode() if isinstance(text, str) else text)
        return [self.reply() for _ in range(replies)][-1]


def plain(start, **settings):
    settings.setdefault("users", {})
    return start(tls="none", **settings)


def test_flights(start):
    """One flight in several segments is one turn."""
    peer = plain(start, quiet=0.5)      # which no segment may take
    talk = Talk(peer)
    talk("EHLO me\r\n")
    for part in ("MAIL FROM:<a@b>\r\n", "RCPT TO:", "<c@d>\r\n"):
        talk.sock.sendall(part.encode())
        time.sleep(0.005)
    talk("DATA\r\n", 3)
    talk("hello\r\n.\r\n")
    talk.sock.sendall(b"QUIT\r\n")
    talk.sock.close()
    talk.file.close()
    assert peer.settle()
    assert peer.session.wire.turn_log == [
        ["GREETING"], ["EHLO"], ["MAIL", "RCPT", "DATA"], ["BODY"]]


def test_chunks(start):
    peer = plain(start, capabilities="CHUNKING,PIPELINING")
    talk = Talk(peer)
    talk("EHLO me\r\n")
    assert talk("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 7\r\n.\r\nab\r\n"
                "BDAT 3 LAST\r\nc\r\n", 4) == "250 2.0.0 accepted"
    assert peer.messages[0].content == b".\r\nab\r\nc\r\n"
    assert peer.messages[0].chunks == [7, 3]


@pytest.mark.parametrize("caps, text, replies, words", [
    ("", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n", 2, "PIPELINING"),
    ("PIPELINING", "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\r\n.\r\n", 4,
     "ahead of the reply to DATA"),
    ("PIPELINING", "NOOP\r\nNOOP\r\n", 2, "ahead of the reply to NOOP"),
    ("", "MAIL FROM:<a@b> SIZE=3\r\n", 1, "SIZE was not offered"),
    ("", "MAIL FROM: <a@b>\r\n", 1, "malformed"),
    ("", "MAIL FROM:<a@b>\n", 1, "bare LF"),
    ("", "FROB\r\n", 1, "unknown command"),
    ("", "RCPT TO:<a@b>\r\n", 1, "out of turn"),
    ("", "MAIL FROM:<\xe9@b>\r\n", 1, "without SMTPUTF8"),
    ("", "MAIL FROM:<" + "a" * 520 + ">\r\n", 1, "octets in a line"),
    ("SIZE,PIPELINING", "MAIL FROM:<a@b> SIZE=4\r\nRCPT TO:<c@d>\r\nDATA\r\n",
     3, None),
    ("8BITMIME", "MAIL FROM:<a@b> BODY=BINARYMIME\r\n", 1,
     "BODY=BINARYMIME was not offered"),
    ("BINARYMIME", "MAIL FROM:<a@b> BODY=BINARYMIME\r\n", 1,
     "BODY=BINARYMIME was not offered"),
    ("BINARYMIME,CHUNKING", "MAIL FROM:<a@b> BODY=BINARYMIME\r\n", 1, None),
    ("BINARYMIME,CHUNKING", "MAIL FROM:<a@b> BODY=8BITMIME\r\n", 1,
     "BODY=8BITMIME was not offered"),
    ("8BITMIME", "MAIL FROM:<a@b> BODY=9BIT\r\n", 1, "was not offered"),
    ("UTF8SMTP", "MAIL FROM:<\xe9@b>\r\n", 1, None),
    ("UTF8SMTP", "MAIL FROM:<\xe9@b> SMTPUTF8\r\n", 1,
     "SMTPUTF8 was not offered"),
    ("BINARYMIME,CHUNKING,PIPELINING", "MAIL FROM:<a@b> BODY=BINARYMIME\r\n"
     "RCPT TO:<c@d>\r\nDATA\r\n", 3, "DATA with BODY=BINARYMIME"),
])
def test_violations(start, caps, text, replies, words):
    peer = plain(start, strict=False, capabilities=caps)
    talk = Talk(peer)
    talk("EHLO me\r\n")
    talk(text, replies)
    found = peer.session.violations
    assert found == [] if words is None else words in found[0]


@pytest.mark.parametrize("content, words", [
    (b"a\nb\r\n.\r\n", "bare LF"), (b"a\rb\r\n.\r\n", "bare CR"),
    (b"a\0\r\n.\r\n", "NUL"), (b".a\r\n.\r\n", "not stuffed"),
    (b"\xc3\xa9\r\n.\r\n", "8-bit"),
    (b"A: b\r\n\r\n\xc3\xa9\r\n.\r\n", "8-bit message"),
    (b"\r\n\xc3\xa9\r\n.\r\n", "8-bit message"),
])
def test_content_violations(start, content, words):
    peer = plain(start, strict=False)
    talk = Talk(peer)
    for line in ("EHLO me", "MAIL FROM:<a@b>", "RCPT TO:<c@d>", "DATA"):
        talk(line + "\r\n")
    talk(content)
    assert words in peer.session.violations[0]


EIGHTBIT_HEADER = b"A: \xc3\xa9\r\n\r\nb\r\n"
BINARY = b"A: b\r\n\r\nb\xff\0\r\n.\n\r\r"


@pytest.mark.parametrize("params, content, raw_header, words", [
    ("", EIGHTBIT_HEADER, False, "without SMTPUTF8"),
    (" BODY=8BITMIME", EIGHTBIT_HEADER, False, "without SMTPUTF8"),
    (" BODY=BINARYMIME", EIGHTBIT_HEADER, False, "without SMTPUTF8"),
    (" SMTPUTF8", EIGHTBIT_HEADER, False, None),
    ("", EIGHTBIT_HEADER, True, "without BODY=8BITMIME"),
    (" BODY=8BITMIME", EIGHTBIT_HEADER, True, None),
    (" SMTPUTF8", EIGHTBIT_HEADER + b"\xc3\xa9\r\n", False, "8-bit message"),
    (" BODY=BINARYMIME", BINARY, False, None),
    (" BODY=BINARYMIME", b"A\rB: b\r\n\r\n", False, "bare CR"),
    (" BODY=BINARYMIME", b"A: b\nB: c\r\n\r\n", False, "bare LF"),
    (" BODY=BINARYMIME", b"A: \0\r\n\r\n", False, "NUL"),
    (" BODY=8BITMIME", BINARY, False, "bare CR"),
])
def test_forms(start, params, content, raw_header, words):
    """8-bit data, in header and body; binary data."""
    peer = plain(start, strict=False, raw_header=raw_header,
                 capabilities="CHUNKING,8BITMIME,BINARYMIME,SMTPUTF8")
    talk = Talk(peer)
    talk("EHLO me\r\n")
    talk(f"MAIL FROM:<a@b>{params}\r\n")
    talk("RCPT TO:<c@d>\r\n")
    talk(b"BDAT %d LAST\r\n%b" % (len(content), content))
    assert peer.messages[0].content == content
    found = peer.session.violations
    assert found == [] if words is None else words in found[0]


def scram(talk, name, password):
    """RFC 5802's client, short; returns the last reply."""
    hash_name = name.split("-", 1)[1].lower().replace("-", "")
    bare = b"n=alice,r=abc"
    first = base64.b64encode(b"n,," + bare).decode()
    reply = talk(f"AUTH {name} {first}\r\n")
    server_first = base64.b64decode(reply[4:])
    fields = dict(f.split(b"=", 1) for f in server_first.split(b","))
    salted = hashlib.pbkdf2_hmac(hash_name, password,
                                 base64.b64decode(fields[b"s"]),
                                 int(fields[b"i"]))
    without = b"c=biws,r=" + fields[b"r"]
    message = b",".join((bare, server_first, without))
    key = hmac.new(salted, b"Client Key", hash_name).digest()
    stored = hashlib.new(hash_name, key).digest()
    signature = hmac.new(stored, message, hash_name).digest()
    proof = bytes(a ^ b for a, b in zip(key, signature))
    final = without + b",p=" + base64.b64encode(proof)
    reply = talk(base64.b64encode(final).decode() + "\r\n")
    if reply.startswith("334"):
        server = hmac.new(salted, b"Server Key", hash_name).digest()
        expected = hmac.new(server, message, hash_name).digest()
        assert base64.b64decode(reply[4:]) == \
            b"v=" + base64.b64encode(expected)
        reply = talk("\r\n")
    return reply


@pytest.mark.parametrize("name", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_scram(start, name):
    peer = plain(start, users={"alice": "pencil"}, mechanisms=[name])
    talk = Talk(peer)
    talk("EHLO me\r\n")
    assert scram(talk, name, b"wrong").startswith("535")
    assert scram(talk, name, b"pencil").startswith("235")


@pytest.mark.parametrize("fault, expected", [
    ("250-a\n250 b", b"250-a\r\n250 b\r\n"),
    (Raw(b"\0\xff\n"), b"\0\xff\n"),
    ([NORMAL, Raw(b"250 more\r\n")], b"250 2.0.0 ok\r\n250 more\r\n"),
    ([Delay(0.2), NORMAL], b"250 2.0.0 ok\r\n"),
    ([NORMAL, Drop()], b"250 2.0.0 ok\r\n"),
    (Drop(), b""), ("421 bye", b"421 bye\r\n"),
])
def test_faults(start, fault, expected):
    peer = plain(start, strict=False, faults={"noop": fault})
    talk = Talk(peer)
    begun = time.monotonic()
    talk.sock.sendall(b"NOOP\r\n")
    got = b""
    while len(got) < len(expected):
        got += talk.file.read1(100)
    assert got == expected
    delayed = isinstance(fault, list) and isinstance(fault[0], Delay)
    assert time.monotonic() - begun > 0.2 or not delayed
    if "421" in str(fault) or "Drop" in str(fault):
        assert talk.file.read1(1) == b""


@pytest.mark.parametrize("fault, start_with", [
    (EndlessReply(), b"250-and so on\r\n250-and"), (LongLine(), b"250 xxxx"),
    (Silent(), b"")])
def test_endless_faults(start, fault, start_with):
    peer = plain(start, strict=False, faults={"noop": fault})
    talk = Talk(peer)
    talk.sock.sendall(b"NOOP\r\n")
    if start_with:
        assert talk.file.read(1 << 20).startswith(start_with)
    else:
        talk.sock.settimeout(0.2)
        with pytest.raises(OSError):
            talk.file.read1(1)
    assert not peer.settle(0.05)
    talk.file.close()
    talk.sock.close()
    assert peer.settle()


def test_injected_bytes_come_with_the_220(start):
    peer = start(faults={"starttls": Inject(b"250 evil\r\n")})
    talk = Talk(peer)
    talk("EHLO me\r\n")
    talk.sock.sendall(b"STARTTLS\r\n")
    assert talk.sock.recv(1000) == b"220 2.0.0 go ahead\r\n250 evil\r\n"
    talk.file.close()
    talk.sock.close()


def test_drop_in_the_message(start):
    peer = plain(start, faults={"midbody": MidBody(1000, Drop(reset=True))})
    talk = Talk(peer)
    for line in ("EHLO me", "MAIL FROM:<a@b>", "RCPT TO:<c@d>", "DATA"):
        talk(line + "\r\n")
    with pytest.raises(OSError):
        for _ in range(10000):
            talk.sock.sendall(b"x" * 98 + b"\r\n")
            time.sleep(0.001)
    assert not peer.messages


def test_lmtp(start):
    peer = plain(start, lmtp=True, faults={"body:2": "452 4.2.2 full"})
    talk = Talk(peer)
    for line in ("LHLO me", "MAIL FROM:<a@b>", "RCPT TO:<c@d>",
                 "RCPT TO:<e@f>", "DATA"):
        talk(line + "\r\n")
    assert talk("x\r\n.\r\n", 2) == "452 4.2.2 full"
    assert peer.messages[0].delivered == ["c@d"]


def test_command_line(certs, tmp_path):
    """What the demonstration uses."""
    mail = tmp_path / "mail"
    server = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("peer.py"), "serve",
         "--port", "0", "--cert", certs.chain("good"),
         "--key", certs.key("good"), "--user", "alice",
         "--password", PASSWORD, "--mechanisms", "PLAIN",
         "--capabilities", "PIPELINING,SIZE=1000,8BITMIME",
         "--starttls", "--deliver", mail, "--refuse-rcpt", "no@example.net"],
        stdout=subprocess.PIPE)
    try:
        line = server.stdout.readline().decode()
        assert line.startswith("listening on 127.0.0.1:")
        smtp = smtplib.SMTP("127.0.0.1", int(line.split(":")[1]))
        smtp.starttls(context=trusting(certs))
        smtp.ehlo()
        assert smtp.esmtp_features["size"] == "1000"
        smtp.login("alice", PASSWORD)
        refused = smtp.sendmail(
            "a@example.org", ["no@example.net", "b@example.net"], BODY,
            mail_options=["BODY=8BITMIME"])
        assert refused == {"no@example.net": (550, b"5.1.1 no such user")}
        smtp.quit()
    finally:
        server.send_signal(signal.SIGTERM)
    assert server.wait(60) == 0
    assert sorted(os.listdir(mail)) == ["1.eml", "1.envelope"]
    assert (mail / "1.eml").read_bytes() == BODY
    envelope = (mail / "1.envelope").read_text()
    assert envelope.startswith(
        f"from: <a@example.org> SIZE={len(BODY)} BODY=8BITMIME\n"
        "to: <b@example.net>\nauth: PLAIN alice\ntls: TLSv1.3 ")
    assert "via: DATA\nturns: 10\n" in envelope
