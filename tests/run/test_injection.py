"""No word of a user's can become a command of the dialogue.

Whatever comes by option, header field or configuration and holds a line end,
a NUL, or a space or angle bracket out of place is refused before anything of
it is sent: 64, 65 or 78, and no MAIL.
"""

import base64
import re

import pytest

from conftest import MESSAGE

USAGE, DATAERR, CONFIG = 64, 65, 78
EVIL = b"evil@example.net"

BAD_ADDRESSES = [
    "a@b>\r\nRCPT TO:<evil@example.net",
    "a@b>\nRCPT TO:<evil@example.net",
    "a@b>\rRCPT TO:<evil@example.net",
    "a@b.example\r\n",
    "a@b.example\n",
    "a@b.example\r",
    "\na@b.example",
    "a@b> SIZE=1",
    "a@b.example SIZE=1",
    "a@b.example> NOTIFY=NEVER",
    "a b@b.example",
    "a@b example",
    "a@<b.example>",
    "<a@b.example",
    "a@b.example>",
    "a\tb@b.example",
    "a@b.example\x0b",
    "a\x7f@b.example",
    "\"a\r\nRCPT TO:<evil@example.net>\r\n\"@b.example",
    "\"a\nb\"@b.example",
    "a" * 65 + "@b.example",
    "a@" + ".".join(["b" * 60] * 5) + ".example",
    "a@" + "b" * 64 + ".example",
    "a@b..example",
    "a@.example",
    "a..b@b.example",
    ".a@b.example",
    "a@",
    "@b.example",
    "a@b@c.example",
    "a@[127.0.0.1",
    "a@[127.0.0.1\r\n]",
    "a@b.example,c@d.example\r\n",
]


def sends_nothing(peer, result, *codes):
    assert result.code in codes, str(result)
    assert result.err.startswith("postrider: ")
    assert len(result.lines) == 1, result.err
    assert result.err.rstrip("\n").isprintable()
    assert peer.messages == []
    for session in peer.sessions:
        assert "MAIL" not in session.verbs
        assert b"evil" not in session.clear + session.plain
    assert peer.violations == []


@pytest.fixture
def peer(start):
    return start(tls="implicit",
                 capabilities="PIPELINING,DSN,SIZE,8BITMIME,SMTPUTF8")


@pytest.mark.parametrize("option", ["-f", "-r", "--from"])
@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_sender(peer, send, option, address):
    words = [f"--from={address}"] if option == "--from" else [option, address]
    codes = [USAGE, DATAERR] if option == "--from" else [DATAERR]
    sends_nothing(peer, send(peer, *words, "bob@example.net"), *codes)


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_sender_setting(peer, rider, account, address):
    """In the file a line end can't be; the rest is a mistake to be told."""
    if set(address) & set("\r\n") or address != address.strip():
        address = address.replace("\n", "\x01").replace("\r", "\x01")
        address = address.strip() + "\x01"
    quoted = address.replace('"', '\\"')
    rider.config(account(peer, **{"from": f'"{quoted}"'}))
    sends_nothing(peer, rider.run("bob@example.net", stdin=MESSAGE),
                  DATAERR, CONFIG)


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_recipient(peer, send, address):
    sends_nothing(peer, send(peer, "--", "bob@example.net", address), DATAERR)


# Header fields are taken apart by RFC 5322, where a line end may be folding
# and a comma a separator; these stay wrong.
BAD_FIELDS = [
    "a@b> SIZE=1", "a b@b.example", "a@b example", "a\x7f@b.example",
    "<a@b.example", "a@b.example>", "a@<b.example>",
    "<a@b.example> SIZE=1", "<a@b.example\r>", "<a\x01@b.example>",
    "<a@b.example\x0bRCPT TO:<evil@example.net>>",
    "<a@b>\rRCPT TO:<evil@example.net>",
    "<" + "a" * 65 + "@b.example>",
]


@pytest.mark.parametrize("field", ["To", "Cc", "Bcc", "Resent-To"])
@pytest.mark.parametrize("value", BAD_FIELDS)
def test_recipients_from_the_header(peer, send, field, value):
    message = f"{field}: {value}\nSubject: x\n\nhello\n".encode("latin-1")
    result = send(peer, "-t", "-f", "alice@example.org", stdin=message)
    sends_nothing(peer, result, DATAERR)


def test_header_lines_do_not_run_on(peer, send):
    """A bare CR in a field is refused, whatever it would have become."""
    message = b"To: bob@example.net\r" + b"Bcc: " + EVIL + b"\n\nhello\n"
    sends_nothing(peer, send(peer, "-t", stdin=message), DATAERR)


@pytest.mark.parametrize("value", [
    "a@b> SIZE=1", "<a@b>\rRCPT TO:<evil@example.net>",
    "<a\x01@b.example>", "a@<b.example>"])
def test_sender_from_the_header(peer, send, value):
    """Where the From field is the sender."""
    message = f"From: {value}\nTo: bob@example.net\n\nhello\n".encode()
    result = send(peer, "-t", "--read-envelope-from", stdin=message,
                  **{"from": None})
    sends_nothing(peer, result, USAGE, DATAERR)


@pytest.mark.parametrize("envid", [
    "id\r", "id\n", "id\r\nRCPT TO:<evil@example.net>", "x" * 101, "\r\n",
    "\nid"])
def test_envid(peer, send, envid):
    sends_nothing(peer, send(peer, "-V", envid, "bob@example.net"),
                  USAGE, DATAERR)


def test_envid_with_harmless_octets_is_encoded(peer, send):
    """xtext, RFC 3461 4: what is not plain goes as +XX."""
    result = send(peer, "-V", "a b+c=d SIZE=1>", "bob@example.net")
    assert result.code == 0, str(result)
    assert peer.messages[0].params["ENVID"] == "a+20b+2Bc+3Dd+20SIZE+3D1>"


@pytest.mark.parametrize("name", [
    "me\r", "me\n", "me\r\nMAIL FROM:<evil@example.net>", "me\rRSET",
    "me SIZE=1", "me\x7f", "m\x01e", "m\u00e9 me"])
def test_ehlo_name(peer, send, name):
    result = send(peer, f"--domain={name}", "bob@example.net")
    sends_nothing(peer, result, USAGE, DATAERR, CONFIG)
    assert all(s.verbs == [] for s in peer.sessions)


@pytest.mark.parametrize("name", [
    "me SIZE=1", "me\rRSET", "m\x01e", "me\x7f"])
def test_ehlo_name_setting(peer, rider, account, name):
    rider.config(account(peer, domain=f'"{name}"'))
    result = rider.run("bob@example.net", stdin=MESSAGE)
    sends_nothing(peer, result, USAGE, DATAERR, CONFIG)


@pytest.mark.parametrize("option", [
    ["-N", "success\r\nRCPT TO:<evil@example.net>"], ["-N", "failure,\n"],
    ["-N", "never,failure"], ["-N", "sometimes"], ["-N", ""],
    ["-R", "full\r\n"], ["-R", "some"], ["-R", ""],
    ["-B", "8BITMIME\r\n"], ["-B", "8BITMIME SIZE=1"], ["-B", "9BIT"]])
def test_parameters(peer, send, option):
    sends_nothing(peer, send(peer, *option, "bob@example.net"), USAGE)


@pytest.mark.parametrize("name", [
    "Evil\r\nBcc: evil@example.net", "Evil\nX: y", "Evil\r", "Evil\n",
    "Evil\r\n\r\nbody"])
def test_full_name(start, send, name):
    """It can't become a header field: refused, or no line of its own."""
    peer = start(tls="implicit")
    result = send(peer, "-F", name, "bob@example.net",
                  stdin=b"Subject: x\n\nhello\n")
    if result.code == 0:
        header = peer.messages[0].content.split(b"\r\n\r\n")[0]
        names = [line.split(b":")[0].lower()
                 for line in header.split(b"\r\n") if line[:1] not in b" \t"]
        assert sorted(names) == [b"date", b"from", b"message-id", b"subject"]
        assert peer.messages[0].content.endswith(b"\r\n\r\nhello\r\n")
        assert peer.messages[0].delivered == ["bob@example.net"]
    else:
        sends_nothing(peer, result, USAGE, DATAERR)


@pytest.mark.parametrize("setting, value", [
    ("user", "alice\r\nMAIL FROM:<evil@example.net>"), ("user", "al\0ice")])
def test_login(start, rider, account, setting, value):
    """Names and passwords go as base64 or not at all."""
    peer = start(tls="implicit", mechanisms=["PLAIN", "LOGIN"])
    text = account(peer, user=None).encode()
    rider.config(text)
    words = [f"--{setting}={value}"] if "\0" not in value else []
    if not words:
        rider.config(text + b"user " + value.encode() + b"\n")
    result = rider.run(*words, "bob@example.net", stdin=MESSAGE)
    assert result.code in (USAGE, DATAERR, 77, CONFIG), str(result)
    assert b"evil" not in b"".join(s.plain for s in peer.sessions)
    assert peer.messages == []


# The end of the data can't be smuggled (RFC 5321 4.1.1.4 knows one end only).
SMUGGLED = [b"\n.\r\n", b"\r.\r\n", b"\n.\n", b"\r.\r", b"\r\n.\r", b"\r\n.\n",
            b"\r\n.\r\n", b"\n.\r", b"\r\n\0.\r\n", b"\r\r\n.\r\n"]


@pytest.mark.parametrize("offer", ["PIPELINING", "PIPELINING,CHUNKING",
                                   "PIPELINING,CHUNKING,BINARYMIME"])
@pytest.mark.parametrize("end", SMUGGLED)
def test_end_of_data(start, send, end, offer):
    peer = start(tls="implicit", capabilities=offer)
    tail = b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<evil@example.net>\r\n"
    result = send(peer, "bob@example.net", stdin=MESSAGE + end + tail)
    assert peer.violations == []
    assert result.code == 0, str(result)
    [message] = peer.messages
    assert peer.session.verbs.count("MAIL") == 1
    header, _, body = message.content.partition(b"\r\n\r\n")
    is_odd = b"\0" in end or b"\r" in end.replace(b"\r\n", b"")
    if is_odd and "BINARYMIME" not in offer:
        assert b"base64" in header
        body = base64.b64decode(body)
    assert (message.params.get("BODY") == "BINARYMIME") == \
        (is_odd and "BINARYMIME" in offer)
    sent = re.sub(rb"\r?\n", b"\r\n", MESSAGE + end + tail)
    assert body == sent.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("offer", ["PIPELINING", "PIPELINING,CHUNKING"])
@pytest.mark.parametrize("end", SMUGGLED)
def test_end_of_data_as_it_is(start, send, end, offer):
    """With reencode off what has no place on the wire does not get there."""
    peer = start(tls="implicit", capabilities=offer)
    result = send(peer, "bob@example.net", stdin=MESSAGE + end, reencode="off")
    if b"\0" in end or b"\r" in end.replace(b"\r\n", b""):
        sends_nothing(peer, result, DATAERR)
        return
    assert result.code == 0, str(result)
    assert peer.messages[0].content == \
        re.sub(rb"\r?\n", b"\r\n", MESSAGE + end)
