"""`postrider -bs`: SMTP on standard input and output.

The table of dialogues is in ../dialogues.py.  Here are what it is not for:
the client that goes away at every octet, that does not read, or smuggles; the
server behind it that fails; sessions, accounts, aliases, sizes, exit codes.
"""

import email.utils
import json
import os
import re
import threading
import time
import zlib

import pytest

from arrival import Way, cut, fields, from_base64
from conftest import PASSWORD
from dialogues import (BOB, BOTH, CAROL, DATA, DIALOGUES, ENVELOPE, HEAD,
                       HELLO, MAIL, OTHER, QUIT, RCPT, RSET, SENDER, SPEECH,
                       TEXT, by_data, chunk, chunks, compare, flight, is_as,
                       octets, stuffed)
from faults import NORMAL, Delay, Drop, Raw, Silent, as_list
from harness import (binary, has_sanitizers, high_water, slowness,
                     wrapper)
from post import Post
from serve import PLUMBING, Serve, all_replies
from sink import Sink

USAGE, DATAERR, NOUSER, TEMPFAIL, NOPERM, CONFIG = 64, 65, 67, 75, 77, 78
FULL = Way(["8BITMIME", "SMTPUTF8", "CHUNKING", "BINARYMIME", "DSN",
            "ENHANCEDSTATUSCODES"])
OFFERED = ["PIPELINING", "SIZE", "8BITMIME", "BINARYMIME", "CHUNKING",
           "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "HELP"]
MIB = 1 << 20
GREETING = (b"", "220")


# The table, in three ways.

@pytest.fixture(scope="module")
def posts(tmp_path_factory):
    """posts(settings): a server, and an account there with these settings."""
    made = {}

    def post(settings):
        key = json.dumps(settings)
        if key not in made:
            made[key] = Post(tmp_path_factory.mktemp("post"), FULL, **settings)
            made[key].__enter__()
        post = made[key]
        post.peer.sessions.clear()
        post.peer.messages.clear()
        return post
    yield post
    for post in made.values():
        post.__exit__()


def serve(post, plumbing="pipes"):
    return Serve(post.quick.command + ["-bs"], post.quick.env, "/", plumbing)


def by_turns(post, dialogue):
    with serve(post) as talk:
        talk.must(GREETING, *((turn.sent, *turn.replies)
                              for turn in dialogue.turns))
        ended = talk.end()
    return ended.code, ended.rest, ended.err


def by_drops(post, dialogue):
    """Octet by octet, or in a thousand pieces, whoever may say what."""
    sent = dialogue.sent
    step = max(1, len(sent) // 1000)
    with serve(post, "socket") as talk:
        talk.must(GREETING)
        for at in range(0, len(sent), step):
            talk.send(sent[at:at + step])
        for reply in dialogue.replies:
            talk.must((b"", reply))
        ended = talk.end()
    return ended.code, ended.rest, ended.err


def at_once(post, dialogue):
    """From a file; what it says on standard error would be no reply."""
    code, said, _ = post.quick.run(["-bs"], dialogue.sent)
    replies = all_replies(said.encode())
    wanted = ["220", *dialogue.replies]
    assert len(replies) == len(wanted), said
    for pattern, reply in zip(wanted, replies):
        assert is_as(pattern, reply.code, reply.status), \
            f"{pattern} was wanted, and {reply} came:\n{said}"
    return code, b"", ""


def said_of(recipient):
    """Its parameters, without an ORCPT that says nothing new."""
    itself = "rfc822;" + recipient.address.decode()
    return {name: value for name, value in recipient.params.items()
            if (name, value) != ("ORCPT", itself)}


def has_arrived(transaction, wanted):
    """A message that the peer has is what the dialogue says."""
    assert transaction.sender.decode() == wanted.sender
    assert transaction.delivered == list(wanted.to)
    params = {name: value for name, value in transaction.params.items()
              if name not in ("SIZE", "BODY")}
    assert params == wanted.mail
    assert [said_of(r) for r in transaction.recipients] == \
        [wanted.rcpt] * len(wanted.to)
    assert wanted.body in (None, transaction.body)
    added = compare(transaction.content, wanted.content)
    assert added.count(b"received") == 1
    assert transaction.content.startswith(b"Received: ")


@pytest.mark.parametrize("way", [by_turns, by_drops, at_once],
                         ids=lambda way: way.__name__)
@pytest.mark.parametrize("dialogue", DIALOGUES, ids=repr)
def test_dialogues(posts, dialogue, way):
    post = posts(dialogue.settings)
    assert way(post, dialogue) == (dialogue.exit, b"", "")
    assert post.peer.settle(60)
    assert post.peer.violations == []
    assert len(post.peer.messages) == len(dialogue.arrives)
    for transaction, wanted in zip(post.peer.messages, dialogue.arrives):
        has_arrived(transaction, wanted)
    assert len(post.peer.sessions) == bool(dialogue.arrives)


# What it says of itself, and Received.

@pytest.fixture
def talk_to(rider, account):
    """talk_to(peer, "-a", "x", plumbing="pipes", partial="on") begins a
    dialogue with the binary, its greeting and EHLO's answer taken."""
    talks = []

    def talk_to(peer, *arguments, plumbing="pipes", greet=True, **settings):
        rider.config(account(peer, **settings))
        talks.append(Serve.rider(rider, *arguments, "-bs", plumbing=plumbing))
        if greet:
            talks[-1].hello()
        return talks[-1]
    yield talk_to
    for talk in talks:
        talk.__exit__()


@pytest.fixture
def plain(start):
    """A peer without TLS and AUTH, which offers everything."""
    def plain(offers=FULL.offers, **settings):
        return start(tls="none", users={},
                     capabilities=["PIPELINING", *sorted(offers)], **settings)
    return plain


def test_greeting_and_offers(plain, talk_to):
    talk = talk_to(plain(), greet=False)
    greeting = talk.must(GREETING)
    match = re.fullmatch(r"([A-Za-z0-9.:\[\]-]+) ESMTP postrider",
                         greeting.text)
    assert match, greeting
    for _ in range(2):
        answer = talk.must(HELLO)
        assert answer.lines[0].split()[0] == match[1]
        assert answer.lines[1:] == OFFERED
    helo = talk.must(("HELO client.example.org", "250"))
    assert helo.text.split()[0] == match[1] and len(helo.lines) == 1


@pytest.mark.parametrize("plumbing", PLUMBING)
def test_nothing_but_replies(plain, talk_to, plumbing):
    """By any plumbing; the upstream is not called before there is a message,
    and is left politely."""
    peer = plain()
    talk = talk_to(peer, plumbing=plumbing)
    talk.must(*ENVELOPE, DATA, (TEXT,))
    assert peer.sessions == []
    talk.must((b".\r\n", "250 2.0.0"), QUIT)
    assert (talk.end().rest, talk.child.returncode) == (b"", 0)
    assert peer.settle() and peer.session.quit


@pytest.mark.parametrize("hello, name", [
    ("EHLO client.example.org", "client.example.org"),
    ("HELO client.example.org", "client.example.org"),
    ("EHLO [127.0.0.1]", "[127.0.0.1]"),
    ("EHLO localhost", "localhost"),
    (None, None),
    # None of this may do harm in a header field.
    ("EHLO a.example; b", None), ("EHLO (a", None), ("EHLO a) by b", None),
    (b"EHLO a\x01\x7f\r\n", None), (b"EHLO \xe4\xff\r\n", None),
    (b"EHLO a\rX-Injected: x\r\n", None), ("EHLO " + "a" * 2000, None),
    ("EHLO jürgen.example", None), ("EHLO a;b", None), ("EHLO <a@b>", None),
])
def test_received(plain, talk_to, hello, name):
    peer = plain()
    talk = talk_to(peer, greet=False)
    own = talk.must(GREETING).text.split()[0]
    if hello:
        assert talk.ask(hello).code in ([250] if name else [250, 501])
    talk.must(*ENVELOPE, *by_data(), QUIT)
    talk.end()
    content = peer.messages[0].content
    field_name, field = fields(cut(content)[0])[0]
    assert field_name == b"received" and field.isascii()
    assert not re.search(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]", field)
    assert max(map(len, field.split(b"\r\n"))) <= 998
    text = field.decode().replace("\r\n", "")
    match = re.fullmatch(r"Received: from (\S+)[ \t].*?\bby (\S+)[ \t].*?"
                         r"\bwith (?:UTF8)?E?SMTP\b.*;\s*([^;]+)", text)
    assert match, text
    assert match[2] == own
    assert name in (None, match[1])
    when = email.utils.parsedate_to_datetime(match[3])
    assert abs(when.timestamp() - time.time()) < 3600
    assert compare(content, TEXT) == [b"received"]


def test_quit_is_the_end(plain, talk_to):
    peer = plain()
    talk = talk_to(peer)
    talk.send(b"QUIT\r\nNOOP\r\n" + b"".join(
        octets(sent) for sent, *_ in ENVELOPE))
    assert talk.reply().code == 221
    assert (talk.end().rest, talk.child.returncode) == (b"", 0)
    assert peer.sessions == []


# Clients that go away.

def offsets(*turns):
    """The octets of the turns, and where each of them ends."""
    data, ends = b"", []
    for sent, *_ in turns:
        data += octets(sent)
        ends.append(len(data))
    return data, ends


CUT = {
    "DATA": (HELLO, *ENVELOPE, *by_data(HEAD + b"\r\n.\r\nx\r\n"), QUIT),
    "BDAT": (HELLO, *ENVELOPE, chunk(TEXT[:60]), chunk(TEXT[60:], last=True),
             QUIT),
    "BDAT 0 LAST": (HELLO, *ENVELOPE, chunk(TEXT), chunk(b"", last=True), QUIT),
}


@pytest.mark.parametrize("kind", CUT)
def test_the_client_goes_away(posts, kind):
    """Nothing of a message that is not whole is handed over.  It is cut at
    every octet near an end, and at some of each line."""
    post, wrong = posts({}), []
    data, ends = offsets(*CUT[kind])
    mail, whole = ends[1], ends[-2]
    cuts = set(range(0, len(data), 20 if has_sanitizers() else 5))
    cuts |= {end - n for end in ends for n in range(-1, 7)}
    for n in sorted(cut for cut in cuts if cut <= len(data)):
        post.peer.sessions.clear()
        post.peer.messages.clear()
        code, said, _ = post.quick.run(["-bs"], data[:n])
        all_replies(said.encode())
        assert post.peer.settle(60)
        found = (code, len(post.peer.messages), len(post.peer.sessions))
        if found != (TEMPFAIL if mail <= n < whole else 0,
                     n >= whole, n >= whole):
            wrong.append((data[max(0, n - 20):n], found))
    assert wrong == []


@pytest.mark.parametrize("plumbing", ["pipes", "socket"])
@pytest.mark.parametrize("turns", range(len(SPEECH)))
def test_the_client_is_gone_both_ways(plain, talk_to, turns, plumbing):
    """Its replies find nobody; it does not die of that."""
    peer = plain()
    talk = talk_to(peer, plumbing=plumbing)
    talk.must(*SPEECH[1:turns + 1])
    talk.send(SPEECH[-2][0] + "\r\n" if turns == 3 else "NOOP")
    talk.stop_writing()
    talk.stop_reading()
    assert talk.wait() == (0 if turns in (0, 4) else TEMPFAIL)
    assert peer.settle(10 * slowness())
    assert len(peer.messages) == (turns == 4)


def test_rset_leaves_no_transaction_open(posts):
    for last in ("RSET", "EHLO again.example.org"):
        code, _, _ = posts({}).quick.run(
            ["-bs"], offsets(HELLO, *ENVELOPE, (last,))[0])
        assert code == 0, last


def test_a_refused_alias_adds_nobody(rider, plain, talk_to):
    """Also not those of its members who have a home."""
    peer = plain()
    aliases = rider.config("team: ann@example.org, nobody-here\n", "aliases")
    talk = talk_to(peer, aliases=aliases)
    talk.must(HELLO, MAIL, ("RCPT TO:<team>", "501 5.1.3"),
              ("DATA", "503 5.5.1"), RCPT, *by_data(), QUIT)
    assert talk.end().code == 0
    [message] = peer.messages
    assert message.delivered == [BOB]


def test_what_is_refused_is_logged(rider, plain, talk_to):
    peer = plain()
    log = rider.home / "log"
    talk = talk_to(peer, logfile=log)
    talk.must(HELLO, *ENVELOPE, DATA,
              (b"A: b\r\nC\0: d\r\n\r\n.\r\n", "554 5.6.0"),
              *ENVELOPE, ("DATA", "354"))
    talk.stop_writing()
    assert talk.end().code != 0
    lines = log.read_text().splitlines()
    assert [re.search("status=(\\S+)", line)[1] for line in lines] == \
        ["5.6.0", "4.4.2"]


def test_the_command_line_does_not_say_how_content_comes(plain, talk_to):
    """-B BINARYMIME there does not make DATA an error."""
    peer = plain()
    talk = talk_to(peer, "-B", "BINARYMIME")
    talk.must(HELLO, *ENVELOPE, *by_data(), QUIT)
    assert len(peer.messages) == 1


@pytest.mark.parametrize("line", [
    "GET / HTTP/1.1", "post /form HTTP/1.1", "PUT / HTTP/1.0",
    "CONNECT mail.example.org:25 HTTP/1.1"])
def test_a_browser_is_not_listened_to(posts, line):
    """What somebody made it send may hold commands."""
    post = posts({})
    sent = f"{line}\r\nHost: localhost:25\r\n\r\n".encode() + \
        offsets(HELLO, *ENVELOPE, *by_data(), QUIT)[0]
    _, said, _ = post.quick.run(["-bs"], sent)
    assert [line[:4] for line in said.splitlines()] == ["220 ", "421 "]
    assert post.peer.settle(60)
    assert post.peer.sessions == []


def test_no_account(rider):
    """One reply says so, its two codes agree, and that is the end."""
    result = rider.run("-bs", stdin=b"EHLO client.example.org\r\nQUIT\r\n")
    assert result.code == CONFIG
    [reply] = all_replies(result.stdout)
    assert reply.code in (421, 554)
    assert reply.status in ("4.3.5", "5.3.5")


def test_nobody_says_anything(rider, plain, account):
    rider.config(account(plain()))
    result = rider.run("-bs")
    assert result.code == 0 and result.err == ""
    assert [reply.code for reply in all_replies(result.stdout)] == [220]


# Clients that do not read, or err without end.

GROWTH = 64 << 10 if has_sanitizers() else 4 << 10     # KiB


@pytest.mark.parametrize("plumbing", ["pipes", "socket"])
@pytest.mark.parametrize("line", [b"NOOP\r\n", b"FROB\r\n", b"HELP\r\n"],
                         ids=["noop", "error", "help"])
def test_the_client_does_not_read(plain, talk_to, line, plumbing):
    """It stops taking commands until its replies are taken; none is lost."""
    talk = talk_to(plain(), plumbing=plumbing)
    before = high_water(talk.child.pid)
    taken = talk.push(line * (8 * MIB // len(line)), 0.3 * slowness())
    assert taken < 8 * MIB
    assert high_water(talk.child.pid) - before < GROWTH
    replies = all_replies(talk.end().rest)
    codes = {reply.code for reply in replies}
    if codes == {500, 421}:     # it had enough
        assert replies[-1].code == 421
    else:
        assert len(codes) == 1 and len(replies) == taken // len(line)


@pytest.mark.parametrize("plumbing", ["pipes", "socket"])
def test_the_client_never_reads(plain, talk_to, plumbing):
    talk = talk_to(plain(), plumbing=plumbing)
    talk.push(b"NOOP\r\n" * MIB, 0.3 * slowness())
    talk.stop_reading()
    talk.stop_writing()
    talk.wait()


def test_a_thousand_errors(posts):
    post = posts({})
    data, _ = offsets(HELLO, *[("FROB",)] * 1000, *ENVELOPE, *by_data(), QUIT)
    code, said, _ = post.quick.run(["-bs"], data)
    assert code == 0
    codes = [reply.code for reply in all_replies(said.encode())]
    if codes[-1] == 421:
        assert set(codes[2:-1]) == {500} and not post.peer.messages
    else:
        assert codes == [220, 250, *[500] * 1000, 250, 250, 354, 250, 221]
        assert len(post.peer.messages) == 1


ENDLESS = {
    "line": (b"NOOP ", b"x" * MIB, b"\r\n", "500 5.5.2"),
    "chunk": (b"BDAT %d LAST\r\n" % (32 * MIB), b"QUIT\r\n" * (MIB // 6) +
              b"QUIT", b"", "503 5.5.1"),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_thrown_away(plain, talk_to, kind):
    """32 MiB of a line, or of a chunk that is out of place, leave no trace."""
    first, block, last, reply = ENDLESS[kind]
    peer = plain()
    talk = talk_to(peer)
    before = high_water(talk.child.pid)
    talk.send(first)
    for _ in range(32):
        talk.send(block)
    talk.must((last, reply), *ENVELOPE)
    assert high_water(talk.child.pid) - before < GROWTH
    talk.must(*by_data(), QUIT)
    assert talk.end().code == 0
    compare(peer.messages[0].content, TEXT)


def test_a_count_beyond_all_bounds(posts):
    """It cannot be counted, so it cannot be skipped: nothing is sent, and the
    dialogue may end there."""
    for count in (b"9" * 19, b"9" * 20, b"9" * 1000, b"18446744073709551617"):
        post = posts({})
        data = offsets(HELLO, *ENVELOPE)[0] + b"BDAT " + count + b" LAST\r\n" \
            + TEXT
        code, said, _ = post.quick.run(["-bs"], data)
        assert code == TEMPFAIL
        codes = [reply.code for reply in all_replies(said.encode())]
        assert codes[:4] == [220, 250, 250, 250]
        assert all(code >= 400 for code in codes[4:])
        assert post.peer.sessions == []


# Nothing can be smuggled.

INNER = b"MAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.org>\r\n" \
    b"DATA\r\nSubject: smuggled\r\n\r\nx\r\n"
NO_ENDS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r",
           b"\n.\r", b"\r.\n", b"\r\n.\r\r\n", b"\r\n.\0\r\n", b"\0\n.\r\n",
           b"\r\n\x00.\r\n", b"\n\n.\n\n", b"\r\n. \r\n", b"\r\n.\x0b\r\n",
           b"\r\r\n.\n", b"\n\r.\r\n", b"\r\n..\n.\n"]


@pytest.mark.parametrize("binary", [True, False], ids=["encode", "refuse"])
@pytest.mark.parametrize("end", NO_ENDS, ids=repr)
def test_smuggling(posts, end, binary):
    """Only CRLF.CRLF ends a message that began with DATA and CRLF."""
    post = posts({} if binary else {"reencode": "off", "chunking": "off"})
    data = offsets(HELLO, *ENVELOPE, DATA)[0] + HEAD + b"\r\nbefore" + end + \
        INNER + b".\r\nQUIT\r\n"
    code, said, _ = post.quick.run(["-bs"], data)
    assert post.peer.settle(60)
    codes = [reply.code for reply in all_replies(said.encode())]
    assert codes[:5] + codes[6:] == [220, 250, 250, 250, 354, 221], said
    sent = [line for session in post.peer.sessions
            for verb in ("MAIL", "RCPT") for line in session.lines(verb)]
    assert not any(b"evil" in line or b"victim" in line for line in sent)
    assert post.peer.violations == []
    if codes[5] != 250:
        assert codes[5] in (550, 554) and post.peer.messages == []
        return
    [message] = post.peer.messages
    body = cut(message.content)[1]
    if b"base64" in cut(message.content)[0]:
        body = from_base64(body)
    assert b"Subject: smuggled" in body
    if b"\r" not in end.replace(b"\r\n", b"") and b"\0" not in end:
        unstuffed = end.replace(b"\r\n.", b"\r\n")
        assert body == b"before" + unstuffed.replace(b"\r\n", b"\n").replace(
            b"\n", b"\r\n") + INNER


@pytest.mark.parametrize("cut_at", [100, 300, len(TEXT) - 1])
def test_the_dot_of_a_chunk_is_no_end(posts, cut_at):
    """A chunk is counted, whatever is in it, and one that is thrown away is
    not looked at."""
    post = posts({})
    evil = b"\r\n.\r\n" + INNER + b".\r\n"
    data, _ = offsets(
        HELLO, chunk(evil), chunk(evil, last=True), RSET, *ENVELOPE,
        chunk(TEXT[:cut_at]), chunk(TEXT[cut_at:] + evil, last=True), QUIT)
    code, said, _ = post.quick.run(["-bs"], data)
    codes = [reply.code for reply in all_replies(said.encode())]
    assert codes == [220, 250, 503, 503, 250, 250, 250, 250, 250, 221]
    [message] = post.peer.messages
    compare(message.content, TEXT + evil)


# Large ones, and many recipients.

class Body:
    """Counts what is behind the header (a decoder for the Sink)."""

    def __init__(self):
        self.header, self.octets, self.crc = b"", 0, 0
        self.inside = False

    def feed(self, data):
        if not self.inside:
            self.header, end, data = (self.header + data).partition(
                b"\r\n\r\n")
            self.inside = bool(end)
        self.octets += len(data)
        self.crc = zlib.crc32(data, self.crc)


ALLOWED = 2048      # KiB
BLOCK = ((b"0123456789abcdef" * 4)[:62] + b"\r\n") * (MIB // 64)


def large(talk, mebibytes, by_bdat):
    """A message of that size by DATA, or in chunks of 100,000 octets."""
    talk.must(*ENVELOPE)
    if not by_bdat:
        talk.must(DATA)
        talk.send(HEAD + b"\r\n")
        for _ in range(mebibytes):
            talk.send(BLOCK)
        talk.must((b".\r\n", "250"))
        return
    talk.must(chunk(HEAD + b"\r\n"))
    for _ in range(mebibytes):
        for at in range(0, MIB, 100000):
            talk.must(chunk(BLOCK[at:at + 100000]))
    talk.must((chunk(b"", last=True)[0], "250"))


@pytest.mark.parametrize("by_bdat", [False, True], ids=["DATA", "BDAT"])
def test_memory(rider, talk_to, certs, by_bdat):
    """A large message needs no more of it than a small one."""
    rider.env["TMPDIR"] = str(rider.home.parent)
    if has_sanitizers():    # or freed memory is kept to watch over it
        rider.env["ASAN_OPTIONS"] = \
            os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
    peaks = []
    for mebibytes in (1, 64):
        body = Body()
        with Sink(certs.chain("good"), certs.key("good"), by_bdat,
                  decoder=body) as sink:
            talk = talk_to(sink, timeout=60)
            large(talk, mebibytes, by_bdat)
            peaks.append(high_water(talk.child.pid))
            talk.must(QUIT)
            assert talk.end().code == 0
        crc = 0
        for _ in range(mebibytes):
            crc = zlib.crc32(BLOCK, crc)
        assert (body.octets, body.crc) == (mebibytes * MIB, crc)
        assert sink.accepted and body.header.startswith(b"Received: ")
    assert peaks[0] > 0 and peaks[1] - peaks[0] <= ALLOWED, peaks


@pytest.mark.parametrize("at_once", [False, True], ids=["turns", "flight"])
def test_a_thousand_recipients(plain, talk_to, at_once):
    peer = plain()
    people = [f"person-{n}@example.net" for n in range(1000)]
    turns = [(f"RCPT TO:<{person}>", "250 2.") for person in people]
    talk = talk_to(peer)
    if at_once:
        talk.must(flight(MAIL, *turns, DATA), by_data()[1])
    else:
        talk.must(MAIL, *turns, *by_data())
    assert peer.messages[0].delivered == people


# What the server behind it says is what the client hears.

class Once:
    """A fault in the first session or message only."""

    def __init__(self, fault):
        self.left = [fault]

    async def run(self, session, step, normal):
        fault = self.left.pop() if self.left else NORMAL
        for action in as_list(fault):
            await action.run(session, step, normal)


LONG = "so many words " * 150
# step, fault, reply (code, enhanced status, text), exit code
UPSTREAM = [
    ("greeting", "421 4.3.2 shutting down", r"4\d\d 4\.3\.2 .*shutting down",
     TEMPFAIL),
    ("greeting", "554 5.7.1 you are listed", r"554 5\.7\.1 .*you are listed",
     NOPERM),
    ("greeting", Drop(), r"451 4\.4\.2 ", TEMPFAIL),
    ("greeting", Silent(), r"451 4\.4\.\d ", TEMPFAIL),
    ("greeting", Raw(b"what\r\n"), r"[45]\d\d [45]\.5\.\d ", 76),
    ("ehlo", Drop(), r"451 4\.4\.2 ", TEMPFAIL),
    ("auth", "535 5.7.8 wrong", r"535 5\.7\.8 .*wrong", NOPERM),
    ("auth", "454 4.7.0 not now", r"454 4\.7\.0 .*not now", TEMPFAIL),
    ("auth", "535 wrong", r"535 5\.7\.8 .*wrong", NOPERM),
    ("auth", Drop(), r"451 4\.4\.2 ", TEMPFAIL),
    ("mail", "550 5.7.1 not you", r"550 5\.7\.1 .*not you", NOPERM),
    ("mail", "451 4.7.1 greylisted", r"451 4\.7\.1 .*greylisted", TEMPFAIL),
    ("mail", "452 no room", r"452 4\.\d\.\d .*no room", TEMPFAIL),
    ("mail", "421 4.3.2 going down", r"4(?!21)\d\d 4\.3\.2 .*going down",
     TEMPFAIL),
    ("mail", Drop(), r"451 4\.4\.2 ", TEMPFAIL),
    ("rcpt", "550 5.1.1 no such user", r"550 5\.1\.1 .*no such user", NOUSER),
    ("rcpt", "450 4.2.1 busy", r"450 4\.2\.1 .*busy", TEMPFAIL),
    ("rcpt", "551 moved", r"551 5\.\d\.\d .*moved", NOUSER),
    ("data", "554 5.7.1 policy", r"554 5\.7\.1 .*policy", NOPERM),
    ("data", "451 4.3.0 not now", r"451 4\.3\.0 .*not now", TEMPFAIL),
    ("data", Drop(), r"451 4\.4\.2 ", TEMPFAIL),
    ("body", "554 5.6.0 malformed", r"554 5\.6\.0 .*malformed", DATAERR),
    ("body", "550-5.7.1 spam,\n550 5.7.1 says the filter",
     r"550 5\.7\.1 (.|\n)*spam,(.|\n)*says the filter", NOPERM),
    ("body", "452 4.3.1 disk full", r"452 4\.3\.1 .*disk full", TEMPFAIL),
    ("body", "421 4.3.2 going down", r"4(?!21)\d\d 4\.3\.2 .*going down",
     TEMPFAIL),
    ("body", "552 too large", r"552 5\.3\.4 .*too large", DATAERR),
    ("body", f"554 5.7.1 {LONG}", r"554 5\.7\.1 (.|\n)*so many words", NOPERM),
    ("body", "\n".join(["554-5.7.1 one of many"] * 99 + ["554 5.7.1 end"]),
     r"554 5\.7\.1 (.|\n)*one of many", NOPERM),
    ("body", Raw(b"554 5.7.1 n\xf6t \x1b[31m\x07 \r\n"), r"554 5\.7\.1 ",
     NOPERM),
    ("body", Drop(), r"451 4\.4\.2 (.|\n)*may have been delivered", TEMPFAIL),
    ("body", Silent(), r"451 4\.4\.\d (.|\n)*may have been delivered",
     TEMPFAIL),
    ("body", "250 2.6.0 queued as 42", r"250 2\.6\.0 .*queued as 42", 0),
    ("body", "250 queued as 42", r"250 2\.\d\.\d .*queued as 42", 0),
    ("body", "250-2.0.0 two\n250 2.0.0 lines", r"250 2\.0\.0 .*two", 0),
]


def named(value):
    return value[:30] if isinstance(value, str) else None


@pytest.mark.parametrize("step, fault, reply, code", UPSTREAM, ids=named)
def test_the_reply_is_the_upstreams(start, talk_to, step, fault, reply, code):
    """Then the dialogue goes on, the next message is no worse for it, and the
    end of the input tells of the failure once more."""
    peer = start(tls="implicit", faults={step: Once(fault)})
    patience = 2 if isinstance(fault, Silent) else 20
    talk = talk_to(peer, plumbing="inetd",
                   timeout=round(patience * slowness()))
    talk.must(*ENVELOPE, DATA)
    said = str(talk.ask(stuffed(TEXT))).replace(" / ", "\n")
    assert re.match(reply, said), said
    assert bool(peer.messages) == (code == 0)
    talk.must(("NOOP", "250 2."), *ENVELOPE, *by_data(OTHER))
    compare(peer.messages[-1].content, OTHER)
    assert len(peer.messages) == 1 + (code == 0)
    ended = talk.end()
    assert (ended.code, ended.rest) == (code, b"")


@pytest.mark.parametrize("settings, reply, code", [
    ({"port": 1}, r"451 4\.4\.1 ", TEMPFAIL),
    ({"tls_host_override": "other.example"}, r"4\d\d 4\.7\.5 ", TEMPFAIL),
    ({"passwordeval": "false", "password": None}, r"[45]\d\d [45]\.3\.5 ",
     CONFIG),
    ({"auth": "cram-md5"}, r"5\d\d 5\.7\.\d ", NOPERM),
])
def test_no_session(start, talk_to, settings, reply, code):
    """Each message is told so, and the dialogue goes on."""
    peer = start(tls="implicit")
    talk = talk_to(peer, plumbing="inetd", **settings)
    for turns in (by_data(), (chunk(TEXT, last=True),)):
        talk.must(*ENVELOPE)
        for sent, *_ in turns:
            said = talk.ask(sent)
        assert re.match(reply, str(said)), said
    ended = talk.end()
    assert (ended.code, ended.rest, peer.messages) == (code, b"", [])


# recipients, partial, their replies: what the client hears, who gets it
SOME = [
    ((BOB, CAROL), "off", {CAROL: "550 5.1.1 no carol"},
     r"550 5\.1\.1 .*no carol", []),
    ((BOB, CAROL), "off", {BOB: "450 4.2.1 busy"}, r"450 4\.2\.1 .*busy", []),
    ((BOB, CAROL), "on", {CAROL: "550 5.1.1 no carol"},
     r"550 5\.1\.1 .*no carol", [BOB]),
    ((BOB, CAROL), "on", {BOB: "450 4.2.1 busy"}, r"450 4\.2\.1 .*busy",
     [CAROL]),
    ((BOB, CAROL), "on", {BOB: "550 5.1.1 no", CAROL: "550 5.1.1 no"},
     r"550 5\.1\.1 .*no", []),
    ((BOB, CAROL), "on", {}, r"250 2\.0\.0 ", [BOB, CAROL]),
]


@pytest.mark.parametrize("by_bdat", [False, True], ids=["DATA", "BDAT"])
@pytest.mark.parametrize("to, partial, refuse, reply, reached", SOME)
def test_refused_recipients(plain, talk_to, to, partial, refuse, reply,
                            reached, by_bdat):
    peer = plain(refuse=refuse)
    talk = talk_to(peer, partial=partial)
    talk.must(MAIL, *((f"RCPT TO:<{who}>", "250 2.") for who in to))
    if not by_bdat:
        talk.must(DATA)
    said = talk.ask(chunk(TEXT, last=True)[0] if by_bdat else stuffed(TEXT))
    assert re.match(reply, str(said)), said
    assert [m.delivered for m in peer.messages] == ([reached] if reached
                                                    else [])
    talk.must(MAIL, ("RCPT TO:<dave@example.org>", "250 2."),
              *by_data(OTHER), QUIT)
    talk.end()
    assert peer.messages[-1].delivered == ["dave@example.org"]
    assert len(peer.sessions) == 1


def test_a_server_of_lmtp_and_a_queue(start, talk_to, rider):
    """Bob has it in any case; so alice gets a report on carol."""
    peer = start(tls="none", users={}, lmtp=True,
                 faults={"body:2": "550 5.2.1 no carol"})
    talk = talk_to(peer, queue="on")
    talk.must(MAIL, (f"RCPT TO:<{BOB}>", "250 2."),
              (f"RCPT TO:<{CAROL}>", "250 2."), DATA, (stuffed(OTHER), "250 2"),
              QUIT)
    talk.end()
    # It goes in the background, or by -q.
    deadline = time.monotonic() + 20 * slowness()
    while len(peer.messages) < 2 and time.monotonic() < deadline:
        assert rider.run("-q").code == 0
    first, report = peer.messages
    assert first.delivered == [BOB]
    assert report.sender == b"" and b"no carol" in report.content


def test_a_session_that_we_left(start, talk_to):
    """In the middle of DATA: the message was judged, so it is not tried again;
    the next one needs another session."""
    peer = start(tls="none", users={}, capabilities="PIPELINING",
                 refuse={CAROL: "450 4.2.1 busy"})
    talk = talk_to(peer)
    talk.must(*ENVELOPE, *by_data(), *ENVELOPE,
              (f"RCPT TO:<{CAROL}>", "250 2."), DATA,
              (stuffed(OTHER), "450 4.2.1"))
    assert len(peer.sessions) == 1
    talk.must(*ENVELOPE, *by_data(OTHER), QUIT)
    talk.end()
    assert [m.delivered for m in peer.messages] == [[BOB], [BOB]]
    assert len(peer.sessions) == 2


def test_a_server_of_lmtp(start, talk_to):
    peer = start(tls="none", users={}, lmtp=True, refuse={
        CAROL: "550 5.1.1 no carol"})
    talk = talk_to(peer)
    talk.must(*ENVELOPE, *by_data(), *ENVELOPE,
              (f"RCPT TO:<{CAROL}>", "250 2."), DATA,
              (stuffed(OTHER), "550 5.1.1"), QUIT)
    talk.end()
    assert [m.delivered for m in peer.messages] == [[BOB]]


# Sessions are kept, and lost.

def test_one_session_for_all(start, talk_to):
    peer = start(tls="starttls")
    talk = talk_to(peer)
    for n in range(5):
        talk.must(*ENVELOPE, *by_data(TEXT + b"%d\r\n" % n))
    talk.must(*ENVELOPE, RSET, ("NOOP", "250 2."), HELLO, *ENVELOPE,
              *chunks(OTHER[:30], OTHER[30:]), QUIT)
    assert talk.end().code == 0
    assert peer.settle() and len(peer.sessions) == 1
    assert len(peer.messages) == 6 and peer.session.quit
    assert len(peer.session.auth_attempts) == 1
    for n in range(5):
        compare(peer.messages[n].content, TEXT + b"%d\r\n" % n)


GONE = {
    "closed": {"body:1": Once([NORMAL, Drop()])},
    "reset": {"body:1": Once([NORMAL, Delay(0.05), Drop(reset=True)])},
    "421 and closed": {"body:1": Once(
        [NORMAL, Delay(0.05), Raw(b"421 4.4.2 idle too long\r\n"), Drop()])},
    "421 to MAIL": {"mail:2": "421 4.4.2 idle too long"},
    "closed at MAIL": {"mail:2": Drop()},
}


@pytest.mark.parametrize("kind", GONE)
def test_a_session_that_ended_meanwhile(start, talk_to, kind):
    """The next message makes another one, and the client hears nothing."""
    peer = start(tls="implicit", faults=GONE[kind])
    talk = talk_to(peer)
    talk.must(*ENVELOPE, *by_data())
    peer.settle(0.2)
    talk.must(*ENVELOPE, *by_data(OTHER), QUIT)
    assert talk.end().code == 0
    assert len(peer.sessions) == 2
    for message, arrival in zip(peer.messages, BOTH):
        has_arrived(message, arrival)
    assert len(peer.messages) == 2


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("chunking", ["on", "off"])
def test_a_session_that_ended_behind_a_message(start, talk_to, chunking,
                                               reset):
    """The server may have it, so it is not said to another session."""
    peer = start(tls="implicit", faults={"body:2": Drop(reset)},
                 capabilities="PIPELINING,SIZE,8BITMIME,CHUNKING")
    talk = talk_to(peer, f"--chunking={chunking}")
    talk.must(*ENVELOPE, *by_data(), *ENVELOPE, DATA,
              (stuffed(OTHER), "451 4.4.2"), QUIT)
    assert talk.end().code == TEMPFAIL
    assert len(peer.sessions) == 1


def test_a_session_that_ended_between_two_answers(start, talk_to):
    """Bob has it, so it is not said again for carol."""
    peer = start(tls="none", users={}, lmtp=True, faults={
        "body:3": [Raw(b"421 4.3.2 bye\r\n"), Drop()]})
    talk = talk_to(peer)
    talk.must(*ENVELOPE, *by_data(), *ENVELOPE,
              (f"RCPT TO:<{CAROL}>", "250 2."), DATA,
              (stuffed(OTHER), "451 4.3.2"), QUIT)
    assert talk.end().code == TEMPFAIL
    assert len(peer.sessions) == 1


@pytest.mark.parametrize("step", ["mail:1", "rcpt:1", "data:1", "body:1"])
def test_a_refusal_does_not_end_the_session(start, talk_to, step):
    peer = start(tls="implicit", faults={step: "550 5.7.1 no"})
    talk = talk_to(peer)
    talk.must(*ENVELOPE, DATA, (stuffed(TEXT), "550 5.7.1"), *ENVELOPE,
              *by_data(OTHER), QUIT)
    talk.end()
    assert len(peer.sessions) == 1 and len(peer.messages) == 1


def two_accounts(rider, account, *peers):
    text = ""
    for name, peer in zip(("work", "home"), peers):
        text += account(peer, name, **{"from": f"*@{name}.example"})
    return rider.config(text + "account default : work\n")


def say_and_send(talk, sender):
    talk.must((f"MAIL FROM:<{sender}>", "250 2."), RCPT, *by_data())


def test_two_accounts(rider, account, start):
    """The sender chooses one, each with its own server."""
    work, home = start(tls="implicit"), start(tls="implicit")
    two_accounts(rider, account, work, home)
    with Serve.rider(rider, "-bs") as talk:
        talk.hello()
        for name in ("work", "home", "home", "work"):
            say_and_send(talk, f"me@{name}.example")
        talk.must(QUIT)
        assert talk.end().code == 0
    for peer, name in ((work, "work"), (home, "home")):
        assert [m.sender.decode() for m in peer.messages] == \
            [f"me@{name}.example"] * 2
    assert len(home.sessions) == 1 and len(work.sessions) <= 2


def test_an_account_by_option(rider, account, start):
    work, home = start(tls="implicit"), start(tls="implicit")
    path = two_accounts(rider, account, work, home)
    other = path.rename(path.with_name("other"))
    with Serve.rider(rider, "-C", other, "-a", "home", "-bs") as talk:
        talk.hello()
        for name in ("work", "home"):
            say_and_send(talk, f"me@{name}.example")
        talk.must(QUIT)
        assert talk.end().code == 0
    assert work.sessions == [] and len(home.sessions) == 1
    assert [m.sender.decode() for m in home.messages] == \
        ["me@work.example", "me@home.example"]


def test_the_password_command_has_another_input(rider, start, account):
    """What a client has sent ahead is not the command's to read."""
    peer = start(tls="implicit")
    rider.config(PASSWORD + "\n", "secret")
    rider.config(account(peer, password=None, passwordeval="cat; cat "
                         f"{rider.home}/secret"))
    data, _ = offsets(*SPEECH, *ENVELOPE, *by_data(OTHER), QUIT)
    result = rider.run("-bs", stdin=data)
    assert result.code == 0, str(result)
    assert [r.code for r in all_replies(result.stdout)] == \
        [220, 250, 250, 250, 354, 250, 250, 250, 354, 250, 221]
    assert len(peer.messages) == 2


def test_a_server_that_says_no_goodbye(start, talk_to):
    """Once the client has left nobody waits for it."""
    talk = talk_to(start(tls="implicit", faults={"quit": Silent()}),
                   timeout=3600)
    talk.must(*ENVELOPE, *by_data(), QUIT)
    assert talk.end().code == 0


def test_the_client_has_time(plain, talk_to):
    """`timeout` is for the server; whoever types may think."""
    peer, patience = plain(), max(2, round(slowness()))
    talk = talk_to(peer, timeout=patience)
    for _ in range(2):
        time.sleep(1.1 * patience)
        talk.must(*ENVELOPE, *by_data())
    assert len(peer.messages) == 2


@pytest.mark.parametrize("by_bdat", [False, True], ids=["DATA", "BDAT"])
def test_no_room(rider, plain, account, by_bdat):
    """A message that cannot be kept is refused when it is over, not before,
    and a smaller one is taken."""
    peer = plain()
    rider.config(account(peer))
    with Serve(["prlimit", f"--fsize={MIB}", *wrapper(), binary(), "-bs"],
               rider.environment(), rider.home) as talk:
        talk.hello()
        talk.must(*ENVELOPE)
        content = HEAD + b"\r\n" + BLOCK * 8
        if by_bdat:
            talk.must((chunk(content, last=True)[0], "451|452 4.3."))
        else:
            talk.must(DATA, (stuffed(content), "451|452 4.3."))
        talk.must(*ENVELOPE, *by_data(), QUIT)
        assert talk.end().code != 0
    assert len(peer.messages) == 1


def test_each_message_is_logged(rider, plain, talk_to):
    peer = plain(faults={"body:2": "554 5.6.0 no"})
    log = rider.home / "log"
    talk = talk_to(peer, logfile=log)
    talk.must(*ENVELOPE, *by_data(), *ENVELOPE, DATA,
              (stuffed(OTHER), "554 5.6.0"), *ENVELOPE, RSET, QUIT)
    talk.end()
    first, second = log.read_text().splitlines()
    assert "exitcode=0" in first or "exitcode=EX_OK" in first
    assert "5.6.0" in second and BOB in second


# Parameters that the server behind does not take.

def test_notify_of_each_recipient(plain, talk_to):
    peer = plain()
    talk = talk_to(peer)
    talk.must(MAIL, (f"RCPT TO:<{BOB}> NOTIFY=NEVER", "250 2."),
              (f"RCPT TO:<{CAROL}> NOTIFY=SUCCESS,DELAY "
               "ORCPT=rfc822;c@example.org", "250 2."),
              ("RCPT TO:<dave@example.org>", "250 2."), *by_data())
    assert [said_of(r) for r in peer.messages[0].recipients] == [
        {"NOTIFY": "NEVER"},
        {"NOTIFY": "SUCCESS,DELAY", "ORCPT": "rfc822;c@example.org"}, {}]


def test_without_dsn_it_goes_all_the_same(plain, talk_to):
    peer = plain(offers=())
    talk = talk_to(peer)
    talk.must((f"MAIL FROM:<{SENDER}> RET=HDRS ENVID=x SIZE=9", "250 2."),
              (f"RCPT TO:<{BOB}> NOTIFY=NEVER ORCPT=rfc822;x@example.org",
               "250 2."), *by_data())
    [message] = peer.messages
    assert message.params == {} and message.recipients[0].params == {}


def test_size_is_told_anew(plain, talk_to):
    peer = plain(offers=[*FULL.offers, "SIZE 1000"])
    talk = talk_to(peer)
    talk.must((f"MAIL FROM:<{SENDER}> SIZE=7", "250 2."), RCPT, *by_data(),
              *ENVELOPE, DATA,
              (stuffed(TEXT + b"x" * 900 + b"\r\n"), "552 5.3.4"), QUIT)
    talk.end()
    [message] = peer.messages
    assert message.params["SIZE"] == str(len(message.content))


@pytest.mark.parametrize("turns", [
    [("MAIL FROM:<jürgen@example.org> SMTPUTF8", "250 2."), RCPT],
    [(f"MAIL FROM:<{SENDER}> SMTPUTF8", "250 2."),
     ("RCPT TO:<jürgen@example.org>", "250 2.")],
], ids=["sender", "recipient"])
def test_without_smtputf8(plain, talk_to, turns):
    """It cannot be told there, and the next message can."""
    peer = plain(offers=["8BITMIME"])
    talk = talk_to(peer)
    talk.must(HELLO, *turns, DATA, (stuffed(TEXT), "550|553|554 5.6.7"),
              *ENVELOPE, *by_data(OTHER), QUIT)
    assert talk.end().code in (0, DATAERR)
    [message] = peer.messages
    compare(message.content, OTHER)


@pytest.mark.parametrize("offers", [[], ["8BITMIME"], ["CHUNKING"]], ids=str)
def test_what_must_be_encoded(plain, talk_to, offers):
    """BINARYMIME taken here is base64 where it is not taken."""
    peer = plain(offers=offers)
    talk = talk_to(peer)
    octets = bytes(range(256)) * 20
    header = HEAD + b"MIME-Version: 1.0\r\nContent-Type: image/x\r\n" \
        b"Content-Transfer-Encoding: binary\r\n"
    content = header + b"\r\n" + octets
    talk.must((f"MAIL FROM:<{SENDER}> BODY=BINARYMIME", "250 2."), RCPT,
              *chunks(content[:700], content[700:]))
    got, body = cut(peer.messages[0].content)
    assert b"base64" in got
    assert from_base64(body).removesuffix(b"\r\n") == octets


# Aliases.

ALIASES = """\
# who is who
root: ops@example.org
Staff: ann@example.org, bob@example.org,
    carol@example.org
all: staff, root
"two words": ann@example.org
postmaster: root
program: |/bin/cat
file: /var/mail/x
loop: pool
pool: loop
"""
# name, who gets it
ALIASED = [
    ("root", ["ops@example.org"]),
    ("ROOT", ["ops@example.org"]),
    ("Postmaster", ["ops@example.org"]),
    ("staff", ["ann@example.org", BOB, CAROL]),
    ("all", ["ann@example.org", BOB, CAROL, "ops@example.org"]),
    ('"two words"', ["ann@example.org"]),
    ("nobody", ["nobody@home.example"]),
    ("root@example.org", ["root@example.org"]),
]


@pytest.fixture
def with_aliases(rider, plain, talk_to):
    def with_aliases(**settings):
        rider.config(ALIASES, "aliases")
        peer = plain()
        return peer, talk_to(peer, aliases=rider.home / "aliases", **settings)
    return with_aliases


@pytest.mark.parametrize("name, people", ALIASED)
def test_aliases(with_aliases, name, people):
    """Whoever gets it by an alias has it as what it was sent to."""
    peer, talk = with_aliases(maildomain="home.example")
    talk.must(MAIL, (f"RCPT TO:<{name}> NOTIFY=FAILURE", "250 2."), *by_data())
    assert peer.messages[0].delivered == people
    for recipient in peer.messages[0].recipients:
        assert recipient.params["NOTIFY"] == "FAILURE"
        if not name.startswith("nobody") and "@" not in name:
            assert recipient.params["ORCPT"].lower().startswith("rfc822;")


def test_nobody_gets_it_twice(with_aliases):
    peer, talk = with_aliases()
    talk.must(MAIL, RCPT, ("RCPT TO:<staff>", "250 2."),
              ("RCPT TO:<all>", "250 2."), ("RCPT TO:<root>", "250 2."),
              *by_data())
    assert sorted(peer.messages[0].delivered) == sorted(
        ["ann@example.org", BOB, CAROL, "ops@example.org"])


def test_aliases_that_lead_nowhere(with_aliases):
    """They are refused, and the others get it."""
    peer, talk = with_aliases()
    talk.must(MAIL)
    for name in ("program", "file", "loop"):
        assert talk.ask(f"RCPT TO:<{name}>").code in (451, 550, 553, 554)
    talk.must(("RCPT TO:<nobody>", "501|550|553 5.1.3"), RCPT, *by_data())
    assert peer.messages[0].delivered == [BOB]


def test_expn(with_aliases):
    _, talk = with_aliases(maildomain="home.example")
    for name in ("staff", "STAFF"):
        answer = talk.must((f"EXPN {name}", "250 2."))
        assert [re.search(r"[\w.]+@[\w.]+", line)[0]
                for line in answer.lines] == ["ann@example.org", BOB, CAROL]
    assert "ops@example.org" in talk.must(("EXPN root", "250 2.")).text
    talk.must(("EXPN nobody", "550 5.1.1"),
              ("EXPN", "501 5."), (f"EXPN {BOB}", "252|550"),
              ("EXPN loop", "451|550|554"), ("EXPN program", "451|550|554"))


# The command line.

@pytest.mark.parametrize("arguments", [
    ["-bs", "-odb", "-oem", "-om"], ["-bs", "-odb", "-oem"], ["-odi", "-bs"],
    ["-i", "-bs"], ["-bs"]], ids=str)
@pytest.mark.parametrize("name", ["sendmail", None])
def test_as_sendmail(rider, account, plain, arguments, name):
    peer = plain()
    rider.config(account(peer))
    with Serve.rider(rider, *arguments, name=name) as talk:
        talk.hello()
        talk.must(*ENVELOPE, *by_data(), QUIT)
        ended = talk.end()
    assert (ended.code, ended.rest, ended.err) == (0, b"", "")
    has_arrived(peer.messages[0], BOTH[0])


@pytest.mark.parametrize("arguments", [
    ["-bs", BOB], ["-bs", "--", BOB], ["-bs", "-oem", "bob"]], ids=str)
@pytest.mark.parametrize("name", ["sendmail", None])
def test_recipients_are_said_in_the_dialogue(rider, account, plain, arguments,
                                             name):
    peer = plain()
    rider.config(account(peer))
    result = rider.run(*arguments, stdin=offsets(*SPEECH, QUIT)[0], name=name)
    assert (result.code, result.out) == (USAGE, "")
    assert len(result.lines) == 1
    assert peer.sessions == []


def test_several_at_once(posts):
    """Each process has a dialogue of its own."""
    post, failures = posts({}), []

    def one():
        try:
            with serve(post) as talk:
                talk.must(GREETING, *SPEECH, *ENVELOPE, *by_data(OTHER), QUIT)
                assert talk.end().code == 0
        except AssertionError as error:
            failures.append(error)
    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(post.peer.messages) == 16 and len(post.peer.sessions) == 8
