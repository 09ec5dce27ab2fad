"""The message arrives as it was written, by DATA and by BDAT."""

import email
import re

import pytest

from messages import ALTERNATIVE, EVERY_OCTET, MESSAGES, head

SERVER_TRACE = re.compile(
    rb"Return-Path: .*\nX-Original-To: .*\nDelivered-To: .*\n"
    rb"Received: .*\n(?:[ \t].*\n)+")


def without_trace(stored):
    match = SERVER_TRACE.match(stored)
    assert match, stored[:500]
    return stored[match.end():]


def without_field(text, name):
    """TEXT less the one header field NAME, which must be in it once."""
    header, mark, body = text.partition(b"\n\n")
    if text.startswith(b"\n"):
        header, mark, body = b"", b"", text
    pattern = re.compile(rb"^%s:[ \t].*\n(?:[ \t].*\n)*" % name.encode(),
                         re.MULTILINE)
    left, count = pattern.subn(b"", header + b"\n")
    assert count == 1, (name, header)
    return left + mark[1:] + body


def as_written(stored, message):
    text = without_trace(stored)
    for name in message.adds:
        text = without_field(text, name)
    return text


def difference(got, wanted):
    """Where two long texts part, in words short enough to read."""
    at = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b),
              min(len(got), len(wanted)))
    return "%d octets for %d; at %d %r for %r" % (
        len(got), len(wanted), at, got[at:at + 80], wanted[at:at + 80])


@pytest.mark.parametrize("way", ("data", "bdat"))
@pytest.mark.parametrize("message", MESSAGES, ids=repr)
def test_arrives_as_written(client, mail, box, message, way):
    done = client.send(message.raw, box,
                       chunking="on" if way == "bdat" else "off")
    assert (done.code, done.out, done.err) == (0, "", "")
    got = as_written(mail.wait_for(box)[0], message)
    assert got == message.arrives, difference(got, message.arrives)
    session = client.session()
    assert session[way] >= 1
    assert session["data"] + session["bdat"] == session[way]
    assert mail.delivered(box)[1:] == []


@pytest.mark.parametrize("server", ("smtps", "nochunking", "bare"))
def test_the_same_by_other_services(client, mail, box, server):
    """Implicit TLS; no CHUNKING; no extension at all."""
    raw = head() + b".\n..\nhello\n.\nno newline"
    done = client.send(raw, box, server=server)
    assert (done.code, done.out, done.err) == (0, "", "")
    assert without_trace(mail.wait_for(box)[0]) == raw + b"\n"


def test_pipelining_off(client, mail, box):
    done = client.send(ALTERNATIVE, box, pipelining="off")
    assert done.code == 0, done
    assert without_trace(mail.wait_for(box)[0]) == ALTERNATIVE + b"\n"


def test_the_header_comes_back_in_order(client, mail, box):
    """What is added stands behind what was there."""
    client.send(b"X-Last: 1\nSubject: s\n\nb\n", box)
    text = without_trace(mail.wait_for(box)[0])
    assert text.startswith(b"X-Last: 1\nSubject: s\n")
    assert text.endswith(b"\n\nb\n")


ODD = (
    (head() + b"a\0b\n", "NUL"),
    (head() + b"a\rb\n", "CR"),
    (head() + b"a\r.\r\nb\n", "CR"),
    (head() + b"a\r\r\n", "CR"),
    (head() + b"x" * 70000 + b"\r", "CR"),
)


@pytest.mark.parametrize("raw,what", ODD)
def test_octets_that_no_server_keeps_are_encoded(client, mail, box, raw, what):
    done = client.send(raw, box)
    assert (done.code, done.out, done.err) == (0, "", "")
    got = email.message_from_bytes(without_trace(mail.wait_for(box)[0]))
    assert got["Content-Transfer-Encoding"] == "base64"
    wanted = re.sub(rb"\r?\n", b"\r\n", raw[len(head()):])
    if not raw.endswith(b"\n"):
        wanted += b"\r\n"
    assert got.get_payload(decode=True) == wanted


@pytest.mark.parametrize("raw,what", ODD)
def test_octets_that_no_server_keeps_may_stay_home(client, mail, box, raw,
                                                   what):
    done = client.send(raw, box, reencode="off")
    assert done.code == 65, done
    assert len(done.lines) == 1
    assert what in done.err
    mail.settle()
    assert mail.delivered(box) == []


@pytest.mark.parametrize("raw,what", (
    (head()[:-1] + b"X-A: a\rb\n\nx\n", "CR"),
    (head()[:-1] + b"X-A: a\0b\n\nx\n", "NUL"),
))
def test_a_header_with_them_is_refused(client, mail, box, raw, what):
    done = client.send(raw, box)
    assert done.code == 65, done
    assert len(done.lines) == 1
    assert what in done.err and "X-A" in done.err
    mail.settle()
    assert mail.delivered(box) == []


def test_8bit_data_to_a_server_that_takes_none(client, mail, box):
    done = client.send(head() + EVERY_OCTET + b"\n", box, server="bare")
    assert (done.code, done.out, done.err) == (0, "", "")
    text = without_trace(mail.wait_for(box)[0])
    assert text.isascii()
    got = email.message_from_bytes(text)
    assert got.get_content_charset() == "unknown-8bit"
    assert got.get_payload(decode=True) == EVERY_OCTET + b"\r\n"


def test_8bit_data_that_must_stay_waits_for_another_server(client, mail, box):
    done = client.send(head() + EVERY_OCTET + b"\n", box, server="bare",
                       reencode="off")
    assert done.code == 65, done
    assert len(done.lines) == 1
    client.nothing_sent()
