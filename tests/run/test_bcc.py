"""Bcc never arrives: neither the field nor anybody in it.

Whatever it is called, however it is folded, and whatever else has to be done
to the message; with -t its people get the message all the same.
"""

import re

import pytest

from arrival import crlf
from conftest import MESSAGE

DATAERR = 65
BOB, EVE = "bob@example.net", "eve@example.net"
OFFERS = {"bare": "", "8bit": "8BITMIME", "BDAT": "8BITMIME,CHUNKING",
          "all": "8BITMIME,CHUNKING,BINARYMIME,SMTPUTF8"}
BEFORE, _, AFTER = MESSAGE.partition(b"Subject:")
AFTER = b"Subject:" + AFTER

# name: what is between To and Subject
FIELDS = {
    "plain": b"Bcc: eve@example.net\n",
    "no blank": b"Bcc:eve@example.net\n",
    "blank ahead of the colon": b"Bcc : eve@example.net\n",
    "many blanks": b"Bcc \t \t: \t eve@example.net \t\n",
    "upper case": b"BCC: eve@example.net\n",
    "lower case": b"bcc: eve@example.net\n",
    "odd case": b"bCC: eve@example.net\n",
    "CRLF": b"Bcc: eve@example.net\r\n",
    "folded": b"Bcc:\n eve@example.net\n",
    "folded by CRLF": b"Bcc:\r\n\teve@example.net\r\n",
    "folded by a tab": b"Bcc:\n\teve@example.net\n",
    "folded in the name": b"Bcc: Eve\n E.\n <eve@example.net>\n",
    "folded in the address": b"Bcc: eve\n @\n example.net\n",
    "folded in a comment": b"Bcc: (her\n name) eve@example.net (is\n\tit)\n",
    "folded with a line of blanks": b"Bcc:\n \n\t\n eve@example.net\n \n",
    "folded with lines like fields": b"Bcc: eve@example.net (\n"
                                     b" To: a@example.net\n\tSubject: x)\n",
    "name": b"Bcc: \"Eve, E.\" <eve@example.net>\n",
    "8-bit name": "Bcc: Évé É <eve@example.net>\n".encode(),
    "latin name": b"Bcc: \xc9v\xe9 <eve@example.net>\n",
    "8-bit comment": "Bcc: eve@example.net (é)\n".encode(),
    "encoded word": b"Bcc: =?utf-8?q?=C3=89?= <eve@example.net>\n",
    "group": b"Bcc: friends: eve@example.net;\n",
    "groups": b"Bcc: none:;, friends:\n Eve <eve@example.net>,\n ;\n",
    "several": b"Bcc: eve@example.net, eve@example.net,\n\teve@example.net\n",
    "repeated": b"Bcc: eve@example.net\nBcc: eve@example.net\n",
    "repeated apart": b"Bcc: eve@example.net\nX-A: b\nbcc:eve@example.net\n",
    "empty and not": b"Bcc:\nBcc: eve@example.net\nBcc: \n\n"[:-1],
    "route": b"Bcc: <@a.example,@b.example:eve@example.net>\n",
    "behind an empty field": b"X-Empty:\nBcc: eve@example.net\n",
    "behind a folded field": b"X-Fold: a\n\tb\n \nBcc: eve@example.net\n",
    "behind a name alone": b"X :y\nBcc: eve@example.net\n",
    "behind odd names": b"!#$%&'*+-/=?^_`{|}~: x\nBcc: eve@example.net\n",
    "behind 8-bit": "X-A: ä\nBcc: eve@example.net\nX-B: ö\n".encode(),
    "behind latin": b"X-A: \xe4\nBcc: eve@example.net\n",
    "behind a long line": b"X-A: " + b"word " * 400 +
                          b"\nBcc: eve@example.net\n",
    "behind an unclosed comment": b"X-A: (\"\nBcc: eve@example.net\n",
    "behind 2000 fields": b"".join(b"X-%d: y\n" % n for n in range(2000)) +
                          b"Bcc: eve@example.net\n",
    "megabytes": b"Bcc: eve@example.net,\n" + b" ,\n" * 700000 + b" ,\n",
    "a line of megabytes": b"Bcc: eve@example.net (" + b"x" * (2 << 20) +
                           b")\n",
}
GONE = re.compile(rb"^[ \t]*(?:resent-)?bcc[ \t]*:|\beve\b", re.I | re.M)
EMPTY = {"empty": b"Bcc:\n", "blank": b"Bcc:  \t\n", "folded": b"Bcc:\n \n",
         "comment": b"Bcc: (nobody)\n", "group": b"Bcc: undisclosed:;\n"}


def kept(text):
    """What is left of such lines: those that are not Bcc."""
    text = crlf(text)
    return re.sub(rb"(?im)^bcc[ \t]*:.*\r\n(?:[ \t].*\r\n)*", b"", text)


def arrived(peer):
    [message] = peer.messages
    return message


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("with_t", [False, True], ids=["args", "-t"])
@pytest.mark.parametrize("kind", FIELDS)
def test_bcc(start, send, kind, with_t, offer):
    blind = FIELDS[kind]
    peer = start(tls="none", users={},
                 capabilities=f"PIPELINING,SIZE,{OFFERS[offer]}")
    result = send(peer, *(["-t"] if with_t else [BOB]),
                  stdin=BEFORE + blind + AFTER)
    assert (result.code, result.err) == (0, ""), result.err[:1000]
    message = arrived(peer)
    assert message.delivered == ([BOB, EVE] if with_t else [BOB])
    assert not GONE.search(message.content), message.content[:1000]
    rest = kept(blind)
    if rest.isascii() and b"word" not in rest:
        assert message.content == crlf(BEFORE) + rest + crlf(AFTER)
    else:
        assert message.content.startswith(crlf(BEFORE))
        assert message.content.endswith(crlf(AFTER))


@pytest.mark.parametrize("with_t", [False, True], ids=["args", "-t"])
@pytest.mark.parametrize("kind", EMPTY)
def test_empty(start, send, kind, with_t):
    peer = start(tls="none", users={})
    result = send(peer, *(["-t"] if with_t else [BOB]),
                  stdin=BEFORE + EMPTY[kind] + AFTER)
    assert result.code == 0, str(result)
    assert arrived(peer).delivered == [BOB]
    assert arrived(peer).content == crlf(BEFORE + AFTER)


RESENT = b"Resent-From: carol@example.org\nResent-To: dave@example.net\n" \
         b"Resent-Date: Sun, 22 Nov 2026 12:00:01 +0000\n" \
         b"Resent-Message-ID: <2@example.org>\n"


@pytest.mark.parametrize("with_t", [False, True], ids=["args", "-t"])
@pytest.mark.parametrize("kind", [
    k for k in FIELDS if not re.search("behind|apart|and not", k)])
def test_resent_bcc(start, send, kind, with_t):
    """-t means the newest block's people, and no other Bcc's; both fields go.
    """
    blind = re.sub(rb"(?im)^bcc", b"Resent-bCC", FIELDS[kind])
    text = RESENT + blind + BEFORE + b"Bcc: mallory@example.net\n" + AFTER
    peer = start(tls="none", users={})
    result = send(peer, *(["-t"] if with_t else [BOB]), stdin=text)
    assert result.code == 0, result.err[:1000]
    message = arrived(peer)
    assert message.delivered == (["dave@example.net", EVE] if with_t
                                 else [BOB])
    assert message.content == crlf(RESENT + BEFORE + AFTER)


@pytest.mark.parametrize("place", ["first", "last", "alone", "no body"])
@pytest.mark.parametrize("kind", ["plain", "folded", "repeated", "upper case"])
def test_places(start, send, place, kind):
    blind = FIELDS[kind]
    header, _, body = MESSAGE.partition(b"\n\n")
    text = {"first": blind + MESSAGE,
            "last": header + b"\n" + blind + b"\n" + body,
            "alone": blind + b"\n" + body,
            "no body": blind[:-1]}[place]
    peer = start(tls="none", users={})
    result = send(peer, "-t", BOB, stdin=text)
    assert result.code == 0, str(result)
    assert set(arrived(peer).delivered) == {BOB, EVE}
    assert not GONE.search(arrived(peer).content)
    if place in ("first", "last"):
        assert arrived(peer).content == crlf(MESSAGE)


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("body", [
    b"", b"\nplain\n", "\nschön\n".encode(), b"\na\0b\n", b"\na\rb\n",
    b"\n" + b"x" * 2000 + b"\n", b"no empty line\n"],
    ids=["none", "plain", "8bit", "NUL", "CR", "long", "unmarked"])
def test_whatever_becomes_of_the_body(start, send, body, offer):
    peer = start(tls="none", users={},
                 capabilities=f"PIPELINING,SIZE,{OFFERS[offer]}")
    result = send(peer, "-t", stdin=b"To: bob@example.net\nSubject: \xc3\xa4\n"
                  b"BCC : \xc3\xa4 <eve@example.net>\n" + body)
    assert result.code == 0, str(result)
    message = arrived(peer)
    assert message.delivered == [BOB, EVE]
    header = message.content.partition(b"\r\n\r\n")[0]
    assert not GONE.search(header)
    assert b"eve" not in message.content.lower()


# A line that is no field, ahead of Bcc, would make text of it.
NO_FIELD = {
    "NUL in a field": b"X-A: a\0b\n", "NUL in a name": b"X\0A: b\n",
    "NUL alone": b"\0\n", "NUL ahead": b"\0X-A: b\n",
    "NUL behind a fold": b"X-A: b\n \0\n", "NUL in no field": b"no field\0\n",
    "NUL at the end": b"X-A: b\0\n", "many NULs": b"X-A: " + b"\0" * 70000 +
    b"\n", "CR in a field": b"X-A: a\rb\n", "CR at the end": b"X-A: b\r\r\n",
    "NUL and CR": b"X-A: \r\0\n",
}


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("with_t", [False, True], ids=["args", "-t"])
@pytest.mark.parametrize("kind", NO_FIELD)
def test_refused_ahead_of_bcc(start, send, kind, with_t, offer):
    peer = start(tls="none", users={},
                 capabilities=f"PIPELINING,SIZE,{OFFERS[offer]}")
    result = send(peer, *(["-t"] if with_t else [BOB]),
                  stdin=BEFORE + NO_FIELD[kind] + FIELDS["plain"] + AFTER)
    assert result.code == DATAERR, str(result)
    [line] = result.lines
    assert "5.6.0" in line
    if "field" in kind and "no" not in kind or "end" in kind:
        assert "X-A" in line
    assert not peer.messages
    assert not any("MAIL" in s.verbs for s in peer.sessions)


@pytest.mark.parametrize("name", [
    b"X-Bcc", b"Bccc", b"Bc", b"Bcc-X", b"Resent-Bccs", b"Resent-X-Bcc"])
def test_other_fields_stay(start, send, name):
    text = BEFORE + name + b": somebody@example.net\n" + AFTER
    peer = start(tls="none", users={})
    assert send(peer, BOB, stdin=text).code == 0
    assert arrived(peer).content == crlf(text)


def test_text_stays(start, send):
    text = MESSAGE + b"\nBcc: not a field\n"
    peer = start(tls="none", users={})
    assert send(peer, BOB, stdin=text).code == 0
    assert arrived(peer).content == crlf(text)
