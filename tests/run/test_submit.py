"""Ordinary dialogues: authentication, parameters, content, ways to a server."""

import os
import re
import socket
import sys
import threading
import time

import pytest

from conftest import MESSAGE, PASSWORD

USAGE, DATAERR, NOUSER, TEMPFAIL = 64, 65, 67, 75
PROTOCOL, NOPERM, CONFIG = 76, 77, 78
BOB = "bob@example.net"
ALL = ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5"]
WAYS = {"DATA": "PIPELINING,SIZE,8BITMIME",
        "BDAT": "PIPELINING,SIZE,8BITMIME,CHUNKING"}


def crlf(data):
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


# Authentication.

# offered, setting: chosen under TLS, chosen without (None: refused with 77)
CHOICES = [
    (ALL, "on", "SCRAM-SHA-256", "SCRAM-SHA-256"),
    (list(reversed(ALL)), "on", "SCRAM-SHA-256", "SCRAM-SHA-256"),
    (ALL[1:], "on", "SCRAM-SHA-1", "SCRAM-SHA-1"),
    (["LOGIN", "PLAIN"], "on", "PLAIN", None),
    (["LOGIN", "PLAIN", "CRAM-MD5"], "on", "CRAM-MD5", None),
    (["CRAM-MD5"], "on", "CRAM-MD5", None),
    (["LOGIN"], "on", "LOGIN", None),
    (["XOAUTH", "FROB", "LOGIN"], "on", "LOGIN", None),
    (["XOAUTH", "FROB"], "on", None, None),
    ([], "on", None, None),
    (ALL, "plain", "PLAIN", None),
    (ALL, "LOGIN", "LOGIN", None),
    (ALL, "cram-md5", "CRAM-MD5", "CRAM-MD5"),
    (ALL, "scram-sha-1", "SCRAM-SHA-1", "SCRAM-SHA-1"),
    (["PLAIN"], "scram-sha-256", None, None),
    (["PLAIN"], "cram-md5", None, None),
]


@pytest.mark.parametrize("tls", ["starttls", "implicit", "none"])
@pytest.mark.parametrize("offered, setting, secure, clear", CHOICES)
def test_mechanisms(start, send, tls, offered, setting, secure, clear):
    peer = start(tls=tls, mechanisms=offered)
    result = send(peer, BOB, auth=setting)
    expected = clear if tls == "none" else secure
    if expected is None:
        assert result.code == NOPERM, str(result)
        assert len(result.lines) == 1
        assert peer.session.auth_attempts == [] and not peer.messages
        assert "MAIL" not in peer.session.verbs
        return
    assert result.code == 0, str(result)
    [attempt] = peer.session.auth_attempts
    assert (attempt["mechanism"], attempt["user"]) == (expected, "alice")
    if expected != "LOGIN":     # LOGIN's may or may not come at once
        assert attempt["initial"] == (expected != "CRAM-MD5")
    assert not attempt["authzid"]
    assert len(peer.messages) == 1


@pytest.mark.parametrize("mechanism", ALL)
def test_wrong_password(start, send, mechanism):
    peer = start(tls="implicit", mechanisms=[mechanism])
    result = send(peer, BOB, password="wrong")
    assert result.code == NOPERM, str(result)
    [line] = result.lines
    assert "535 5.7.8 wrong credentials" in line
    assert len(peer.session.auth_attempts) == 1
    assert "MAIL" not in peer.session.verbs


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_server_that_does_not_know_the_password(start, send, mechanism):
    """SCRAM: the server's signature proves that it knows it too."""
    peer = start(tls="implicit", mechanisms=[mechanism], bad_signature=True)
    result = send(peer, BOB)
    assert result.code in (TEMPFAIL, PROTOCOL, NOPERM), str(result)
    assert len(result.lines) == 1
    assert "MAIL" not in peer.session.verbs


@pytest.mark.parametrize("mechanism", ALL)
@pytest.mark.parametrize("password", [
    "p\u00e4ssw\u00f6rd", "with 'quotes' and \\ and =,", " blanks ", "x" * 500])
def test_odd_passwords(start, rider, account, mechanism, password):
    peer = start(tls="implicit", mechanisms=[mechanism],
                 users={"al=ice,b": password})
    path = rider.config(password + "\n", name="secret")
    rider.config(account(peer, user="al=ice,b", password=None,
                         password_file=path))
    result = rider.run(BOB, stdin=MESSAGE)
    assert result.code == 0, str(result)


def test_auth_is_on_when_there_is_a_user(start, send):
    peer = start(tls="implicit")
    assert send(peer, BOB, auth=None).code == 0
    assert peer.session.auth["user"] == "alice"


def test_auth_off(start, send):
    peer = start(tls="implicit", require_auth=False)
    assert send(peer, BOB, auth="off").code == 0
    assert not peer.session.auth


@pytest.mark.parametrize("offer", ["AUTH=PLAIN", "AUTH PLAIN", "auth plain",
                                   "AUTH=LOGIN PLAIN"])
def test_spellings_of_auth(start, send, offer):
    """Some servers still write it with an equals sign."""
    peer = start(tls="implicit", mechanisms=[], strict=False,
                 capabilities=["PIPELINING", offer], users={"alice": PASSWORD})
    send(peer, BOB)
    [attempt] = peer.session.auth_attempts
    assert attempt["mechanism"] == "PLAIN"


# Capabilities.

def rcpt_params(message):
    """Without ORCPT, which may be there and then says the address, as xtext
    (RFC 3461 4)."""
    found = []
    for recipient in message.recipients:
        params = dict(recipient.params)
        original = recipient.address.decode().replace("+", "+2B")
        original = original.replace("=", "+3D")
        assert params.pop("ORCPT", f"rfc822;{original}") == \
            f"rfc822;{original}"
        found.append(params)
    return found


def test_what_was_offered_before_tls_is_forgotten(start, send):
    peer = start(capabilities_clear="SIZE=1,DSN,SMTPUTF8,CHUNKING,PIPELINING",
                 capabilities_tls="", mechanisms_clear=["LOGIN"])
    result = send(peer, "-N", "success", BOB)
    assert result.code == 0, str(result)
    assert peer.messages[0].params == {}
    assert peer.messages[0].via == "DATA"
    assert peer.session.auth["mechanism"] == "PLAIN"


def test_what_is_offered_under_tls_counts(start, send):
    peer = start(capabilities_clear="",
                 capabilities_tls="SIZE=1000000,DSN,CHUNKING,PIPELINING")
    result = send(peer, "-N", "success", BOB)
    assert result.code == 0, str(result)
    assert "SIZE" in peer.messages[0].params
    assert rcpt_params(peer.messages[0]) == [{"NOTIFY": "SUCCESS"}]
    assert peer.messages[0].via == "BDAT"


def test_auth_offered_only_before_tls(start, send):
    peer = start(mechanisms=[], mechanisms_clear=["PLAIN"])
    result = send(peer, BOB)
    assert result.code == NOPERM
    assert peer.session.auth_attempts == []


@pytest.mark.parametrize("caps", [
    ["SIZE", "8bitmime", "Pipelining", "XVERP=Courier"],
    ["size 0", "8BITMIME", "PIPELINING", "AUTH=", "X"],
    ["SIZE 99999999999999999999999", "8BITMIME", "PIPELINING"],
    ["", "8BITMIME ", "PIPELINING  x  y"]])
def test_odd_capabilities(start, send, caps):
    peer = start(tls="implicit", capabilities=caps, strict=False)
    assert send(peer, BOB).code == 0


@pytest.mark.parametrize("reply", ["500 what?", "502 5.5.1 what?", "550 no"])
@pytest.mark.parametrize("tls", ["implicit", "none"])
def test_helo(start, send, tls, reply):
    peer = start(tls=tls, users={}, faults={"ehlo": reply})
    result = send(peer, BOB, stdin=MESSAGE)
    assert result.code == 0, str(result)
    assert peer.session.verbs[:2] == ["EHLO", "HELO"]
    assert peer.session.helo[0] == peer.session.helo[1]
    assert peer.messages[0].params == {}


def test_helo_refused_too(start, send):
    peer = start(tls="none", users={},
                 faults={"ehlo": "502 no", "helo": "550 5.7.1 go away"})
    result = send(peer, BOB)
    assert result.code == NOPERM
    assert "550 5.7.1 go away" in result.err


def test_ehlo_name(start, send):
    peer = start()
    assert send(peer, BOB, domain="client.example.org").code == 0
    assert peer.session.helo == ["client.example.org"] * 2
    peer = start()
    assert send(peer, BOB).code == 0
    name = socket.getfqdn() if "." in socket.getfqdn() else "localhost"
    assert peer.session.helo[0] in (name, "localhost", os.uname().nodename)


# Parameters.  offered, options, 8-bit body?: MAIL's without SIZE, RCPT's
EIGHT = MESSAGE + b"caf\xc3\xa9\n"
PARAMETERS = [
    ("", [], MESSAGE, {}, {}),
    ("", ["-N", "failure,delay", "-R", "hdrs", "-V", "id7"], MESSAGE, {}, {}),
    ("8BITMIME", [], EIGHT, {"BODY": "8BITMIME"}, {}),
    ("8BITMIME", ["-B7BIT"], EIGHT, {"BODY": "8BITMIME"}, {}),
    ("8BITMIME", ["-B", "8BITMIME"], EIGHT, {"BODY": "8BITMIME"}, {}),
    ("8BITMIME,SMTPUTF8", [], EIGHT, {"BODY": "8BITMIME"}, {}),
    ("", ["-B8BITMIME"], MESSAGE, {}, {}),
    ("DSN", ["-N", "failure,delay"], MESSAGE, {},
     {"NOTIFY": "FAILURE,DELAY"}),
    ("DSN", ["-Nsuccess"], MESSAGE, {}, {"NOTIFY": "SUCCESS"}),
    ("DSN", ["-N", "never"], MESSAGE, {}, {"NOTIFY": "NEVER"}),
    ("DSN", ["-R", "hdrs"], MESSAGE, {"RET": "HDRS"}, {}),
    ("DSN", ["-Rfull"], MESSAGE, {"RET": "FULL"}, {}),
    ("DSN", ["-V", "abc+1"], MESSAGE, {"ENVID": "abc+2B1"}, {}),
    ("DSN,SIZE", ["-V", "x" * 100], MESSAGE, {"ENVID": "x" * 100}, {}),
]


@pytest.mark.parametrize("way", ["PIPELINING", "PIPELINING,CHUNKING"])
@pytest.mark.parametrize("offer, options, message, mail, rcpt", PARAMETERS)
def test_parameters(start, send, way, offer, options, message, mail, rcpt):
    peer = start(tls="implicit", capabilities=f"{way},{offer}")
    result = send(peer, *options, BOB, "carol@example.net", stdin=message)
    assert result.code == 0, str(result)
    params = dict(peer.messages[0].params)
    assert ("SIZE" in params) == ("SIZE" in offer)
    params.pop("SIZE", None)
    if message is MESSAGE:      # 7BIT, 8BITMIME: true both, needed neither
        params.pop("BODY", None)
    assert params == mail
    assert rcpt_params(peer.messages[0]) == [rcpt, rcpt]


@pytest.mark.parametrize("address", [
    "bob+tag@example.net", "a=b@example.net", '"a b"@example.net'])
def test_dsn_with_odd_addresses(start, send, address):
    peer = start(tls="implicit", capabilities="DSN,PIPELINING")
    assert send(peer, "-N", "never", address).code == 0
    [recipient] = peer.messages[0].recipients
    assert recipient.address == address.encode()
    assert recipient.params["NOTIFY"] == "NEVER"
    if " " not in address:
        assert rcpt_params(peer.messages[0]) == [{"NOTIFY": "NEVER"}]


def test_dsn_settings(start, send):
    peer = start(tls="implicit", capabilities="DSN,PIPELINING")
    assert send(peer, BOB, dsn_notify="failure,success",
                dsn_return="headers").code == 0
    [message] = peer.messages
    assert message.params == {"RET": "HDRS"}
    assert message.recipients[0].params["NOTIFY"] in (
        "FAILURE,SUCCESS", "SUCCESS,FAILURE")


@pytest.mark.parametrize("way", WAYS)
def test_size(start, send, way):
    """What is declared is what comes; the peer compares."""
    peer = start(tls="implicit", capabilities=WAYS[way])
    assert send(peer, BOB, stdin=MESSAGE + b"." * 3 + b"\n.\n").code == 0
    assert int(peer.messages[0].params["SIZE"]) == \
        len(peer.messages[0].content)


@pytest.mark.parametrize("limit, code", [(100, DATAERR), (10000, 0), (0, 0)])
def test_size_limit(start, send, limit, code):
    peer = start(tls="implicit", capabilities=f"SIZE={limit},PIPELINING")
    result = send(peer, BOB)
    assert result.code == code, str(result)
    assert ("MAIL" in peer.session.verbs) == (code == 0)
    if code:
        assert re.search("100|large|size", result.err)


def test_eight_bit_not_offered(start, send):
    """It is encoded; if it must not be, nothing is sent."""
    peer = start(tls="implicit", capabilities="PIPELINING,SIZE")
    assert send(peer, BOB, stdin=EIGHT).code == 0
    [message] = peer.messages
    header, body = fields(message.content)
    assert header["content-transfer-encoding"] == ["quoted-printable"]
    assert header["content-type"] == ["text/plain; charset=utf-8"]
    assert header["mime-version"] == ["1.0"]
    assert b"caf=C3=A9\r\n" in body
    assert int(message.params["SIZE"]) == len(message.content)
    peer = start(tls="implicit", capabilities="PIPELINING")
    result = send(peer, BOB, stdin=EIGHT, reencode="off")
    assert result.code == DATAERR, str(result)
    assert "8-bit" in result.err and "reencode" in result.err
    assert "MAIL" not in peer.session.verbs


SIGNED = b"""Subject: x
From: a@example.org
Date: Sun, 22 Nov 2026 12:00:00 +0000
Message-ID: <1@example.org>
Content-Type: multipart/signed; boundary=b

--b

one cup of caf\xc3\xa9
--b
Content-Type: application/pgp-signature

x
--b--
"""


def test_signed(start, send):
    """A signature is not broken unless the user says so."""
    peer = start(tls="implicit", capabilities="PIPELINING")
    result = send(peer, BOB, stdin=SIGNED)
    assert result.code == DATAERR, str(result)
    assert "signed" in result.err and "reencode on" in result.err
    assert "MAIL" not in peer.session.verbs
    assert send(peer, BOB, stdin=SIGNED, reencode="on").code == 0
    assert b"caf=C3=A9\r\n--b" in peer.messages[0].content
    peer = start(tls="implicit", capabilities="8BITMIME")
    assert send(peer, BOB, stdin=SIGNED).code == 0
    assert SIGNED.replace(b"\n", b"\r\n") == peer.messages[0].content


def test_size_limit_counts_what_is_sent(start, send):
    """Base64 is larger than what is in it."""
    body = b"\0" * 3000
    for limit, code in (4000, DATAERR), (5000, 0):
        peer = start(tls="implicit", capabilities=f"SIZE={limit}")
        result = send(peer, BOB, stdin=HEAD + b"\n" + body)
        assert result.code == code, str(result)
        assert ("MAIL" in peer.session.verbs) == (code == 0)
        assert code == 0 or "5.3.4" in result.err


@pytest.mark.parametrize("offer, body, declared", [
    ("CHUNKING,BINARYMIME,8BITMIME", b"a\0b\rc\n", "BINARYMIME"),
    ("CHUNKING,BINARYMIME", b"\xff\n", "BINARYMIME"),
    ("CHUNKING,BINARYMIME,8BITMIME", b"x" * 5000 + b"\n", "BINARYMIME"),
    ("CHUNKING,BINARYMIME,8BITMIME", b"\xff\n", "8BITMIME"),
    ("CHUNKING,BINARYMIME,8BITMIME", b"x\n", None)])
def test_binary(start, send, offer, body, declared):
    """Where the way takes any octets, it gets them as they are."""
    peer = start(tls="implicit", capabilities=offer)
    assert send(peer, BOB, stdin=HEAD + b"\n" + body).code == 0
    [message] = peer.messages
    assert message.params.get("BODY") == declared
    assert message.content == \
        (HEAD + b"\n" + body).replace(b"\n", b"\r\n")
    # Only BDAT carries such octets (RFC 3030 3).
    peer = start(tls="implicit", capabilities=offer)
    assert send(peer, BOB, stdin=HEAD + b"\n" + body,
                chunking="off").code == 0
    assert peer.messages[0].params.get("BODY") != "BINARYMIME"


@pytest.mark.parametrize("settings, mail, rcpt", [
    ({"mail_parameter": "XA"}, {"XA": ""}, {}),
    ({"mail_parameter": "XA X-B=c+2B"}, {"XA": "", "X-B": "c+2B"}, {}),
    ({"rcpt_parameter": "XVERP=q"}, {}, {"XVERP": "q"})])
def test_parameters_of_other_extensions(start, send, settings, mail, rcpt):
    peer = start(tls="implicit", capabilities="XA,X-B,XVERP,PIPELINING",
                 strict=False)
    assert send(peer, BOB, "carol@example.net", **settings).code == 0
    assert peer.messages[0].params == mail
    assert rcpt_params(peer.messages[0]) == [rcpt, rcpt]


@pytest.mark.parametrize("value", [
    "SIZE=1", "body=8BITMIME", "SMTPUTF8", "RET=FULL", "AUTH=<>", "XA=",
    "XA=b=c", "=", "X_A", "XA=\x07", "-X", "XA,XB"])
@pytest.mark.parametrize("setting", ["mail_parameter", "rcpt_parameter"])
def test_parameters_that_may_not_be(start, send, setting, value):
    peer = start(tls="implicit")
    result = send(peer, BOB, **{setting: value})
    assert result.code == CONFIG, str(result)
    assert peer.sessions == []


def test_a_name_where_an_address_belongs(start, send):
    """It is no address, so none needs SMTPUTF8."""
    peer = start(tls="implicit")
    message = "Reply-To: Jörg\n".encode() + MESSAGE
    assert send(peer, BOB, stdin=message).code == 0
    assert b"Reply-To: =?utf-8?B?SsO2cmc=?=\r\n" in peer.messages[0].content


def test_utf8smtp(start, send):
    """The obsolete extension (RFC 5336) is used in its own way."""
    peer = start(tls="implicit", capabilities="8BITMIME,UTF8SMTP")
    message = "To: Jörg <jörg@example.net>\n".encode() + MESSAGE
    assert send(peer, "jörg@example.net", stdin=message).code == 0
    [got] = peer.messages
    assert got.delivered == ["jörg@example.net"]
    assert "SMTPUTF8" not in got.params
    assert "To: Jörg <jörg@example.net>\r\n".encode() in got.content


@pytest.mark.parametrize("address, sent, utf8", [
    ("j\u00f6rg@example.net", "j\u00f6rg@example.net", True),
    ("bob@m\u00fcnchen.example", "bob@xn--mnchen-3ya.example", False),
    ("j\u00f6rg@m\u00fcnchen.example", None, True)])
@pytest.mark.parametrize("offered", [True, False])
def test_international_addresses(start, send, address, sent, utf8, offered):
    offer = "PIPELINING,8BITMIME" + (",SMTPUTF8" if offered else "")
    peer = start(tls="implicit", capabilities=offer)
    result = send(peer, address)
    if utf8 and not offered:
        assert result.code == DATAERR, str(result)
        assert "SMTPUTF8" in result.err
        assert "MAIL" not in peer.session.verbs
        return
    assert result.code == 0, str(result)
    [message] = peer.messages
    assert ("SMTPUTF8" in message.params) == utf8
    [got] = message.delivered
    assert got == sent or (sent is None and got in (
        address, "j\u00f6rg@xn--mnchen-3ya.example"))


def test_international_sender(start, send):
    peer = start(tls="implicit", capabilities="PIPELINING,8BITMIME,SMTPUTF8")
    assert send(peer, "-f", "j\u00f6rg@example.org", BOB).code == 0
    assert peer.messages[0].sender == "j\u00f6rg@example.org".encode()


# The content.

HEAD = b"From: a@example.org\nDate: Sun, 22 Nov 2026 12:00:00 +0000\n" \
       b"Message-ID: <1@example.org>\n"
CONTENTS = {
    "plain": HEAD + b"\nhello\n",
    "CRLF": crlf(HEAD + b"\nhello\nthere\n"),
    "php's": crlf(HEAD) + b"\r\nbody\nin LF\n",
    "mixed": HEAD + b"\none\r\ntwo\nthree\r\n",
    "dots": HEAD + b"\n.\n..\n...\n.x\nx.\n. \n.\n",
    "ends with a dot": HEAD + b"\nhello\n.\n",
    "begins with a dot": HEAD + b"\n.\nhello\n",
    "lone dots in CRLF": crlf(HEAD + b"\n.\n.\n"),
    "blank lines": HEAD + b"\n\n\n\nhello\n\n\n",
    "no body but a blank line": HEAD + b"\n",
    "8-bit": HEAD + b"\n\xff\xfe\xe9 latin and broken\n",
    "folded, odd and long": HEAD + b"Subject: a\n b\n\tc\nX-Long: " +
    b"word " * 190 + b"\nreceived: by x\nRETURN-PATH: <x>\nX-Empty:\n\nhi\n",
    "blanks at the ends": HEAD + b"Subject: x  \n\nline  \n\t\n \n",
    "From in the body": HEAD + b"\nFrom me\n>From you\nFrom us\n",
    "control octets": HEAD + b"\n\x01\x02\x0b\x0c\x1b[31m\x7f\x08\n",
    "colons in the body": HEAD + b"\nBcc: not a field\nTo: neither\n",
    "a large one": HEAD + b"\n" + b".0123456789\n" * 100000,
    "a line of 998": HEAD + b"\n" + b"x" * 998 + b"\n",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", CONTENTS)
def test_content_arrives_as_it_was_written(start, send, kind, way):
    peer = start(tls="implicit", capabilities=WAYS[way])
    result = send(peer, BOB, stdin=CONTENTS[kind])
    assert result.code == 0, str(result)
    assert peer.messages[0].content == crlf(CONTENTS[kind])
    assert peer.messages[0].via == way


@pytest.mark.parametrize("way", WAYS)
def test_no_newline_at_the_end(start, send, way):
    for text in (b"\nhello", b"\nhello\n.", b"\nhello\n.."):
        peer = start(tls="implicit", capabilities=WAYS[way])
        assert send(peer, BOB, stdin=HEAD + text).code == 0
        assert peer.messages[0].content == crlf(HEAD + text + b"\n")


@pytest.mark.parametrize("way", WAYS)
def test_header_only(start, send, way):
    peer = start(tls="implicit", capabilities=WAYS[way])
    assert send(peer, BOB, stdin=HEAD).code == 0
    assert peer.messages[0].content in (crlf(HEAD), crlf(HEAD + b"\n"))


@pytest.mark.parametrize("way", WAYS)
def test_empty(start, send, way):
    peer = start(tls="implicit", capabilities=WAYS[way])
    assert send(peer, BOB, stdin=b"").code == 0
    header, body = fields(peer.messages[0].content)
    assert set(header) == {"from", "date", "message-id"}
    assert body == b""


@pytest.mark.parametrize("text", [b"Just text.\n", b"\nJust text.\n"])
def test_no_header(start, send, text):
    peer = start(tls="implicit")
    assert send(peer, BOB, stdin=text).code == 0
    header, body = fields(peer.messages[0].content)
    assert set(header) == {"from", "date", "message-id"}
    assert body == b"Just text.\r\n"


@pytest.mark.parametrize("bad, words", [
    (b"a\rb", "CR|carriage"), (b"a\0b", "NUL"), (b"\r\r\n", "CR|carriage"),
    (b"end\r", "CR|carriage")])
@pytest.mark.parametrize("where", ["header", "body"])
def test_octets_that_may_not_be(start, send, bad, words, where):
    """In the header never, in the body not without encoding."""
    message = HEAD + b"\n" + bad + b"\n" if where == "body" else \
        HEAD + b"X: " + bad + b"\n\nhello\n"
    if bad.endswith(b"\r"):
        message = message.rstrip(b"\n") if where == "body" else \
            HEAD + b"X: " + bad + b" x\n\n"
    peer = start(tls="implicit")
    for reencode in ["off"] if where == "body" else ["off", "auto", "on"]:
        result = send(peer, BOB, stdin=message, reencode=reencode)
        assert result.code == DATAERR, str(result)
        assert re.search(words, result.err)
        assert where == "body" or "header field X " in result.err
    assert not any("MAIL" in s.verbs for s in peer.sessions)


def fields(content):
    """{lower case name: [values]}, body."""
    header, _, body = content.partition(b"\r\n\r\n")
    found = {}
    for line in re.split(rb"\r\n(?![ \t])", header):
        name, _, value = line.partition(b":")
        found.setdefault(name.decode().lower(), []).append(
            value.strip().decode("utf-8", "replace"))
    return found, body


def test_missing_fields_are_added(start, send):
    peer = start(tls="implicit")
    assert send(peer, BOB, stdin=b"Subject: x\n\nhello\n").code == 0
    content = peer.messages[0].content
    header, body = fields(content)
    assert body == b"hello\r\n"
    assert content.startswith(b"Subject: x\r\n")
    assert set(header) == {"subject", "from", "date", "message-id"}
    assert header["from"] == ["alice@example.org"]
    assert re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d? \w{3} 20\d\d "
                        r"\d\d:\d\d:\d\d [+-]\d{4}", header["date"][0])
    assert re.fullmatch(r"<[^<>@ ]{8,}@example\.org>",
                        header["message-id"][0])


def test_message_ids_differ(start, send):
    seen = set()
    for _ in range(3):
        peer = start(tls="implicit")
        send(peer, BOB, stdin=b"\n")
        seen.add(fields(peer.messages[0].content)[0]["message-id"][0])
    assert len(seen) == 3


@pytest.mark.parametrize("present", [
    b"date: whenever\n", b"MESSAGE-ID: <2@x>\n", b"from : bob@example.net\n",
    b"From:\n carol@example.net\n"])
def test_present_fields_are_left(start, send, present):
    peer = start(tls="implicit")
    assert send(peer, BOB, stdin=present + b"\nhello\n").code == 0
    header, _ = fields(peer.messages[0].content)
    assert sorted(k.strip() for k in header) == ["date", "from", "message-id"]
    assert all(len(v) == 1 for v in header.values())
    assert peer.messages[0].content.startswith(crlf(present))


@pytest.mark.parametrize("name, expected", [
    ("Alice Liddell", "Alice Liddell <alice@example.org>"),
    ("CronDaemon", "CronDaemon <alice@example.org>"),
    ("Liddell, A. \"Al\"", '"Liddell, A. \\"Al\\"" <alice@example.org>'),
    ("Al\u00edce", None)])
def test_full_name(start, send, name, expected):
    peer = start(tls="implicit")
    assert send(peer, f"-F{name}", BOB, stdin=b"\nhi\n").code == 0
    [value] = fields(peer.messages[0].content)[0]["from"]
    if expected:
        assert value == expected
    else:
        assert re.fullmatch(r"=\?[Uu][Tt][Ff]-8\?[QBqb]\?[^?]+\?= "
                            r"<alice@example\.org>", value)


def test_settings_for_fields(start, send):
    peer = start(tls="implicit")
    assert send(peer, BOB, stdin=b"Subject: x\n\nhi\n",
                set_from_header="off", set_date_header="off",
                set_msgid_header="off").code == 0
    assert peer.messages[0].content == b"Subject: x\r\n\r\nhi\r\n"


def test_from_is_replaced(start, send):
    peer = start(tls="implicit")
    assert send(peer, BOB, set_from_header="on").code == 0
    assert send(peer, BOB, set_from_header="on", stdin=b"From: x@y.example\n"
                b"\n").code == 0
    header, _ = fields(peer.messages[1].content)
    assert header["from"] == ["alice@example.org"]


@pytest.mark.parametrize("separator", [b"From alice Sun Nov 22 12:00:00 2026",
                                       b"From  "])
def test_mbox_separator_is_dropped(start, send, separator):
    for end in (b"\n", b"\r\n"):
        peer = start(tls="implicit")
        assert send(peer, BOB, stdin=separator + end + MESSAGE).code == 0
        assert peer.messages[0].content == crlf(MESSAGE)


BLIND = [
    b"Bcc: eve@example.net\n", b"BCC: eve@example.net\n",
    b"bcc: eve@example.net,\n\tmallory@example.net\n",
    b"Bcc: eve@example.net\nBcc: mallory@example.net\n",
    b"Resent-Bcc: eve@example.net\n", b"Bcc:\n", b"Bcc :eve@example.net\n",
]


@pytest.mark.parametrize("options", [["-t"], []])
@pytest.mark.parametrize("blind", BLIND)
def test_bcc_is_removed(start, send, blind, options):
    before, after = HEAD + b"To: bob@example.net\n", b"Subject: x\n\nBcc: y\n"
    if blind.startswith(b"Resent") and options:
        before = before.replace(b"To:", b"Resent-To:")
    peer = start(tls="implicit")
    result = send(peer, *options, *([] if options else [BOB]),
                  stdin=before + blind + after)
    assert result.code == 0, str(result)
    assert peer.messages[0].content == crlf(before + after)
    found = peer.messages[0].delivered
    assert set(found) == {BOB} | ({
        word for word in ("eve@example.net", "mallory@example.net")
        if word.encode() in blind} if options else set())


def test_bcc_is_kept(start, send):
    message = HEAD + b"Bcc: eve@example.net\n\nhi\n"
    peer = start(tls="implicit")
    assert send(peer, BOB, stdin=message, remove_bcc_headers="off").code == 0
    assert peer.messages[0].content == crlf(message)


# Envelopes.

@pytest.mark.parametrize("options, sender", [
    ([], b"alice@example.org"),
    (["-f", "carol@example.org"], b"carol@example.org"),
    (["-fcarol@example.org"], b"carol@example.org"),
    (["-r", "carol@example.org"], b"carol@example.org"),
    (["-f", "<carol@example.org>"], b"carol@example.org"),
    (["-f", ""], b""), (["-f", "<>"], b""),
    (["-f", '"odd name"@example.org'], b'"odd name"@example.org'),
    (["-f", "carol@[192.0.2.1]"], b"carol@[192.0.2.1]"),
])
def test_sender(start, send, options, sender):
    peer = start(tls="implicit")
    result = send(peer, *options, BOB)
    assert result.code == 0, str(result)
    assert peer.messages[0].sender == sender


# -t: header, more on the command line: recipients
FROM_HEADER = [
    (b"To: bob@example.net\n", [], ["bob@example.net"]),
    (b"To: bob@example.net\nCc: c@example.net\nBcc: d@example.net\n", [],
     ["bob@example.net", "c@example.net", "d@example.net"]),
    (b"to: bob@example.net\ncc: c@example.net\n", [],
     ["bob@example.net", "c@example.net"]),
    (b"To: bob@example.net\n", ["x@example.net"],
     ["x@example.net", "bob@example.net"]),
    (b"Subject: none\n", ["x@example.net"], ["x@example.net"]),
    (b"To: a@example.net, b@example.net,\n\tc@example.net\n", [],
     ["a@example.net", "b@example.net", "c@example.net"]),
    (b"To: a@example.net\nCc: a@example.net\n", ["a@example.net"],
     ["a@example.net"]),
    (b"To: team: a@example.net, \"B\" <b@example.net>;\n", [],
     ["a@example.net", "b@example.net"]),
    (b"To: undisclosed-recipients:;\nBcc: b@example.net\n", [],
     ["b@example.net"]),
    (b"To: =?utf-8?q?J=C3=B6rg=2C?= <a@example.net>, \"x, y\" <b@example.net>"
     b"\n", [], ["a@example.net", "b@example.net"]),
    (b"To: a@example.net (Anna (the first)), <b@example.net> (x)\n", [],
     ["a@example.net", "b@example.net"]),
    (b"To: Raw \xc3\xa9 <a@example.net>,, b@example.net,\n", [],
     ["a@example.net", "b@example.net"]),
    (b"To: <@relay.example:a@example.net>\n", [], ["a@example.net"]),
    (b"To: a@example.net\nTo: b@example.net\n", [],
     ["a@example.net", "b@example.net"]),
    (b"To: \"odd name\"@example.net\n", [], ['"odd name"@example.net']),
    (b"Resent-To: r@example.net\nResent-Cc: s@example.net\n"
     b"To: a@example.net\nCc: b@example.net\n", [],
     ["r@example.net", "s@example.net"]),
    (b"Resent-Bcc: r@example.net\nTo: a@example.net\n", [],
     ["r@example.net"]),
]


@pytest.mark.parametrize("header, more, expected", FROM_HEADER)
def test_recipients_from_the_header(start, send, header, more, expected):
    peer = start(tls="implicit")
    result = send(peer, "-t", "--", *more, stdin=HEAD + header + b"\nhi\n")
    assert result.code == 0, str(result)
    assert sorted(peer.messages[0].delivered) == sorted(expected)


@pytest.mark.parametrize("header", [b"", b"Subject: x\n", b"To:\n",
                                    b"To: undisclosed-recipients:;\n"])
def test_no_recipients(start, send, header):
    peer = start(tls="implicit")
    result = send(peer, "-t", stdin=HEAD + header + b"\nTo: bob@x.example\n")
    assert result.code == USAGE, str(result)
    assert peer.sessions == []


@pytest.mark.parametrize("words, expected", [
    (["a@example.net", "a@example.net"], ["a@example.net"]),
    (["a@example.net,b@example.net"], ["a@example.net", "b@example.net"]),
    (["<a@example.net>"], ["a@example.net"]),
    (["Anna <a@example.net>"], ["a@example.net"]),
    (["a@example.net", "-f@example.net"], ["a@example.net",
                                           "-f@example.net"]),
])
def test_recipients(start, send, words, expected):
    peer = start(tls="implicit")
    result = send(peer, *words)
    assert result.code == 0, str(result)
    assert peer.messages[0].delivered == expected


def test_local_names(start, send):
    peer = start(tls="implicit")
    result = send(peer, "root", maildomain="example.com")
    assert result.code == 0, str(result)
    assert peer.messages[0].delivered == ["root@example.com"]
    peer = start(tls="implicit")
    result = send(peer, "root")
    assert result.code == DATAERR, str(result)
    assert "maildomain" in result.err and "local_to" in result.err
    assert peer.sessions == []


CRON = b"""From: root (Cron Daemon)
To: root, lab <lab>, "x" <a@example.net>
Cc: friends: root, b@example.net;
Reply-To: lab
Subject: Cron <root@host> true

"""


@pytest.mark.parametrize("settings, delivered, header", [
    ({"local_to": "me@example.org"}, ["me@example.org"], CRON),
    ({"local_to": "me", "maildomain": "example.com"}, ["me@example.com"],
     CRON),
    ({"local_to": "me@example.org", "rewrite_header": "on"},
     ["me@example.org"],
     b"""From: alice@example.org (Cron Daemon)
To: me@example.org, lab <me@example.org>, "x" <a@example.net>
Cc: friends: me@example.org, b@example.net;
Reply-To: me@example.org
Subject: Cron <root@host> true

"""),
    ({"maildomain": "example.com", "rewrite_header": "on"},
     ["root@example.com"],
     b"""From: root@example.com (Cron Daemon)
To: root@example.com, lab <lab@example.com>, "x" <a@example.net>
Cc: friends: root@example.com, b@example.net;
Reply-To: lab@example.com
Subject: Cron <root@host> true

"""),
    ({"local_to": "me@example.org", "maildomain": "example.com",
      "rewrite_header": "on"}, ["me@example.org"],
     b"""From: root@example.com (Cron Daemon)
To: me@example.org, lab <me@example.org>, "x" <a@example.net>
Cc: friends: me@example.org, b@example.net;
Reply-To: me@example.org
Subject: Cron <root@host> true

"""),
])
def test_local_names_in_the_header(start, send, settings, delivered, header):
    peer = start(tls="implicit")
    result = send(peer, "root", stdin=CRON, **settings)
    assert result.code == 0, str(result)
    [message] = peer.messages
    assert message.delivered == delivered
    lines = header.rstrip(b"\n").replace(b"\n", b"\r\n") + b"\r\n"
    assert message.content.startswith(lines)


def test_local_to_is_an_address(start, send):
    peer = start(tls="implicit")
    result = send(peer, "root", local_to="a b@c")
    assert result.code == CONFIG, str(result)
    assert "local_to" in result.err
    assert peer.sessions == []


# LMTP.

@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("faults, code, delivered", [
    ({}, 0, ["a@x", "b@x", "c@x"]),
    ({"body:2": "550 5.2.1 disabled"}, NOUSER, ["a@x", "c@x"]),
    ({"body:2": "452 4.2.2 full"}, TEMPFAIL, ["a@x", "c@x"]),
    ({"body:1": "452 4.2.2 full", "body:3": "550 5.7.1 no"}, NOPERM, ["b@x"]),
    ({"body": "550 5.7.1 no"}, NOPERM, []),
    ({"rcpt:2": "550 5.1.1 no"}, NOUSER, []),
])
def test_lmtp(start, send, way, faults, code, delivered):
    who = ["a@x.example", "b@x.example", "c@x.example"]
    peer = start(tls="none", users={}, lmtp=True, capabilities=WAYS[way],
                 faults=faults)
    result = send(peer, *who)
    assert result.code == code, str(result)
    assert peer.session.verbs[0] == "LHLO"
    found = [r for m in peer.messages for r in m.delivered]
    assert found == [d + ".example" for d in delivered]
    if "body:2" in faults:
        [line] = result.lines
        assert line.startswith("postrider: b@x.example: 127.0.0.1 said: "
                               + faults["body:2"])


def test_lmtp_over_a_socket(start, send, tmp_path):
    path = tmp_path / "lmtp"
    peer = start(tls="none", users={}, lmtp=True, unix=str(path))
    result = send(peer, BOB)
    assert result.code == 0, str(result)
    assert peer.messages[0].content == crlf(MESSAGE)


# Ways to a server.

def test_unix_socket(start, send, tmp_path):
    peer = start(tls="starttls", unix=str(tmp_path / "smtp"))
    result = send(peer, BOB)
    assert result.code == 0, str(result)


RELAY = """
import os, select, socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
ends = {0: s.fileno(), s.fileno(): 1}
while True:
    for fd in select.select(list(ends), [], [])[0]:
        data = os.read(fd, 65536)
        if not data:
            sys.exit(0)
        while data:
            data = data[os.write(ends[fd], data):]
"""


@pytest.mark.parametrize("tls", ["starttls", "implicit", "none"])
def test_tunnel(start, send, tmp_path, tls):
    script = tmp_path / "relay.py"
    script.write_text(RELAY)
    mechanisms = ["SCRAM-SHA-256"] if tls == "none" else ["PLAIN"]
    peer = start(tls=tls, mechanisms=mechanisms)
    result = send(peer, BOB, tunnel=f"{sys.executable} {script} {peer.port}",
                  port=1, host="mail.example.org")
    assert result.code == 0, str(result)
    assert peer.messages[0].content == crlf(MESSAGE)


def test_tunnel_that_fails(start, send):
    peer = start(tls="none", users={})
    result = send(peer, BOB, tunnel="exit 3")
    assert result.code == TEMPFAIL, str(result)
    assert len(result.lines) == 1


def test_source_address(start, send):
    peer = start()
    assert send(peer, BOB, source_ip="127.0.0.9").code == 0
    assert peer.session.address[0] == "127.0.0.9"


def test_connection_refused(start, send):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        peer = start()
        result = send(peer, BOB, port=unused.getsockname()[1])
    assert result.code == TEMPFAIL, str(result)
    assert len(result.lines) == 1
    assert "127.0.0.1" in result.err and "refused" in result.err


def test_socket_that_is_not_there(start, send, tmp_path):
    result = send(start(), BOB, socket=str(tmp_path / "none"))
    assert result.code == TEMPFAIL, str(result)
    assert str(tmp_path / "none") in result.err


def test_silent_before_the_greeting_of_a_full_server(rider, account, start):
    """A listening socket that nobody accepts from."""
    peer = start()
    with socket.create_server(("127.0.0.1", 0)) as server:
        rider.config(account(peer, port=server.getsockname()[1], timeout=1))
        result = rider.run(BOB, stdin=MESSAGE)
    assert result.code == TEMPFAIL, str(result)
    assert "time" in result.err


def test_input_is_read_before_the_server_is_contacted(start, rider, account):
    peer = start()
    rider.config(account(peer))
    reading, writing = os.pipe()
    seen = []

    def feed():
        os.write(writing, MESSAGE)
        time.sleep(0.3)
        seen.append(len(peer.sessions))
        os.close(writing)
    feeder = threading.Thread(target=feed)
    feeder.start()
    with os.fdopen(reading, "rb") as stdin:
        result = rider.run(BOB, stdin=stdin)
    feeder.join()
    assert result.code == 0, str(result)
    assert seen == [0] and len(peer.sessions) == 1
