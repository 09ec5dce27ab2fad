"""How often the server has to wait for the client, counted by the server.

What a turn is, is said in wire.py.  The table is the promise of the design: as
few round trips as the protocol allows.  It is told, with its reasons, in
../bench/README, from where it is taken; TCP's turn and TLS's count as well.
"""

import pathlib
import re
import time

import pytest

from conftest import PASSWORD
from faults import NORMAL, Delay
from harness import slowness

ESMTP = "SIZE,8BITMIME,DSN,ENHANCEDSTATUSCODES"
OFFERS = {
    "DATA": ESMTP + ",PIPELINING",
    "CHUNKING": ESMTP + ",PIPELINING,CHUNKING",
}
ALONE = ESMTP                           # neither PIPELINING nor CHUNKING
QUIET = 0.02
TCP = 1
README = pathlib.Path(__file__).parent.parent / "bench" / "README"
COUNTS = (1, 20)
MECHANISMS = {"PLAIN": 1, "SCRAM-SHA-256": 3, "OAUTHBEARER": 1}     # turns
SECRET = "correct.horse-battery_staple"     # may be a token
SECURED = {"implicit": 0, "starttls": 2}    # turns more than implicit TLS


def table():
    """(tls, offer, mechanism, recipients): turns, as the README tells them."""
    row = re.compile(r"\| (\w+) \| (DATA|CHUNKING) \| ([\w-]+) \| "
                     r"(\d+) \| (\d+) \|")
    rows = [row.fullmatch(line) for line in README.read_text().splitlines()]
    return {(match[1], match[2], match[3], count): int(match[3 + n])
            for match in rows if match
            for n, count in enumerate(COUNTS, 1)}


TURNS = table()


def recipients(count):
    return [f"user{n}@example.net" for n in range(count)]


def all_turns(session):
    return TCP + session.wire.tls_turns + session.turns


@pytest.fixture
def count(start, send):
    """Sends one message; how many turns there were, and which."""

    def count(tls, offer, mechanism, recipients, secret=SECRET, **settings):
        peer = start(tls=tls, capabilities=OFFERS[offer],
                     quiet=QUIET * slowness(), mechanisms=[mechanism],
                     users={"alice": secret})
        result = send(peer, *recipients, password=f'"{secret}"', auth=mechanism,
                      **settings)
        assert result.code == 0, str(result)
        assert peer.messages[0].delivered == recipients
        assert peer.messages[0].via == \
            ("BDAT" if offer == "CHUNKING" else "DATA")
        assert peer.session.wire.ssl.version() == "TLSv1.3"
        return all_turns(peer.session), peer.session.wire.turn_log
    return count


def test_the_table_is_whole():
    """And is the sum of its parts."""
    assert len(TURNS) == 24
    for (tls, offer, mechanism, n), turns in TURNS.items():
        handshakes = TCP + 1 + SECURED[tls] + len(["GREETING", "EHLO"])
        login = MECHANISMS[mechanism]
        message = 1 if offer == "CHUNKING" and n == 1 else 2
        assert turns == handshakes + login + message


@pytest.mark.parametrize("tls, offer, mechanism, n", TURNS)
def test_turns(count, tls, offer, mechanism, n):
    """Not one more, and not one that the protocol does not allow."""
    turns, log = count(tls, offer, mechanism, recipients(n))
    assert turns == TURNS[tls, offer, mechanism, n], log


@pytest.mark.parametrize("tls", SECURED)
@pytest.mark.parametrize("offer", OFFERS)
def test_turns_where_each_stands_alone(count, tls, offer):
    """With `partial on` twenty are as fast as one: no refusal stops others."""
    turns, log = count(tls, offer, "PLAIN", recipients(20), partial="on")
    assert turns == TURNS[tls, offer, "PLAIN", 1], log


def test_a_token_that_is_too_long_for_the_line(count):
    """RFC 4954 4: then it can't go with AUTH."""
    turns, _ = count("implicit", "CHUNKING", "OAUTHBEARER", recipients(1),
                     secret="x" * 600)
    assert turns == TURNS["implicit", "CHUNKING", "OAUTHBEARER", 1] + 1


@pytest.mark.parametrize("tls", SECURED)
def test_what_comes_with_the_end_of_the_handshake(start, send, tls):
    """By STARTTLS nobody speaks first again, so EHLO is in one segment with
    Finished; a server that greets is listened to before."""
    peer = start(tls=tls, capabilities=OFFERS["CHUNKING"])
    assert send(peer, "bob@example.net").code == 0
    assert peer.session.wire.early.startswith(
        b"EHLO " if tls == "starttls" else b"")
    assert bool(peer.session.wire.early) == (tls == "starttls")


def test_the_seven_turns(start, send):
    """The words of the promise, turn by turn."""
    peer = start(quiet=QUIET * slowness(), capabilities=OFFERS["DATA"])
    assert send(peer, "bob@example.net").code == 0
    assert peer.session.wire.turn_log == [
        ["GREETING"], ["EHLO"], ["STARTTLS"], ["EHLO"], ["AUTH"],
        ["MAIL", "RCPT", "DATA"], ["BODY"]]
    assert peer.session.verbs[-1] == "QUIT"


def test_the_message_goes_with_its_envelope(start, send):
    peer = start(tls="implicit", quiet=QUIET * slowness(),
                 capabilities=OFFERS["CHUNKING"])
    assert send(peer, "bob@example.net").code == 0
    assert peer.session.wire.turn_log == [
        ["GREETING"], ["EHLO"], ["AUTH"], ["MAIL", "RCPT", "BODY"]]


@pytest.mark.parametrize("count", [1, 3])
def test_without_pipelining_each_command_waits(start, send, count):
    """The peer would have noted input ahead of a reply."""
    peer = start(tls="implicit", quiet=QUIET * slowness(),
                 capabilities=ALONE)
    assert send(peer, *recipients(count)).code == 0
    assert peer.session.turns == 3 + 1 + count + 1 + 1


def test_chunking_without_pipelining(start, send):
    peer = start(tls="implicit", quiet=QUIET * slowness(),
                 capabilities=ALONE + ",CHUNKING")
    assert send(peer, "bob@example.net").code == 0
    assert peer.session.wire.turn_log == [
        ["GREETING"], ["EHLO"], ["AUTH"], ["MAIL"], ["RCPT"], ["BODY"]]


def test_pipelining_can_be_turned_off(start, send):
    peer = start(tls="implicit", quiet=QUIET * slowness(),
                 capabilities=OFFERS["CHUNKING"])
    result = send(peer, "bob@example.net", pipelining="off", chunking="off")
    assert result.code == 0, str(result)
    assert peer.session.wire.turn_log == [
        ["GREETING"], ["EHLO"], ["AUTH"], ["MAIL"], ["RCPT"], ["DATA"],
        ["BODY"]]
    assert peer.messages[0].via == "DATA"


@pytest.mark.parametrize("mechanism, turns", [
    ("PLAIN", 1), ("LOGIN", 3), ("CRAM-MD5", 2), ("SCRAM-SHA-256", 3)])
def test_turns_of_the_mechanisms(start, send, mechanism, turns):
    peer = start(tls="implicit", quiet=QUIET * slowness(),
                 capabilities=OFFERS["CHUNKING"], mechanisms=[mechanism])
    assert send(peer, "bob@example.net").code == 0
    words = [flight[0] for flight in peer.session.wire.turn_log]
    assert words == ["GREETING", "EHLO"] + ["AUTH"] * turns + ["MAIL"]


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_quit_is_not_waited_for(start, send, tls):
    peer = start(tls=tls, faults={"quit": [Delay(120 * slowness()), NORMAL]})
    begun = time.monotonic()
    result = send(peer, "bob@example.net", timeout=90, settle=90,
                  patience=round(60 * slowness()))
    assert result.code == 0
    assert peer.session.verbs[-1] == "QUIT"
    assert time.monotonic() - begun < 30 * slowness()


def test_password_is_not_sent_in_clear(start, send):
    peer = start()
    assert send(peer, "bob@example.net").code == 0
    assert PASSWORD.encode() not in peer.session.clear
    assert peer.session.clear.count(b"\r\n") == 2
