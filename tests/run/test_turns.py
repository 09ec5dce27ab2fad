"""How often the server has to wait for the client, counted by the server.

What a turn is, is said in wire.py.  The table is the promise of the design: as
few round trips as the protocol allows.
"""

import time

import pytest

from conftest import PASSWORD
from faults import NORMAL, Delay
from harness import slowness

ESMTP = "SIZE,8BITMIME,DSN,ENHANCEDSTATUSCODES"
OFFERS = {
    "DATA": ESMTP,                      # neither PIPELINING nor CHUNKING
    "PIPELINING": ESMTP + ",PIPELINING",
    "CHUNKING": ESMTP + ",PIPELINING,CHUNKING",
}
QUIET = 0.02

# (tls, what is offered): turns for one recipient's message with AUTH PLAIN
TURNS = {
    ("starttls", "PIPELINING"): 7,
    ("starttls", "CHUNKING"): 6,
    ("implicit", "PIPELINING"): 5,
    ("implicit", "CHUNKING"): 4,
}


def recipients(count):
    return [f"user{n}@example.net" for n in range(count)]


def allowed(turns, count, partial):
    """One turn more for many recipients with `partial off`: the message, or
    the DATA that can't be taken back, must not go before their replies are
    known."""
    return turns + (count > 1 and partial == "off")


@pytest.mark.parametrize("partial", ["on", "off"])
@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize("tls, offer", TURNS)
def test_turns(start, send, tls, offer, count, partial):
    peer = start(tls=tls, capabilities=OFFERS[offer],
                 quiet=QUIET * slowness())
    result = send(peer, *recipients(count), partial=partial)
    assert result.code == 0, str(result)
    assert peer.messages[0].delivered == recipients(count)
    assert peer.messages[0].via == \
        ("BDAT" if offer == "CHUNKING" else "DATA")
    log = peer.session.wire.turn_log
    most = allowed(TURNS[tls, offer], count, partial)
    assert TURNS[tls, offer] <= peer.session.turns <= most, log


def test_the_seven_turns(start, send):
    """The words of the promise, turn by turn."""
    peer = start(quiet=QUIET * slowness(), capabilities=OFFERS["PIPELINING"])
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
                 capabilities=OFFERS["DATA"])
    assert send(peer, *recipients(count)).code == 0
    assert peer.session.turns == 3 + 1 + count + 1 + 1


def test_chunking_without_pipelining(start, send):
    peer = start(tls="implicit", quiet=QUIET * slowness(),
                 capabilities=OFFERS["DATA"] + ",CHUNKING")
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
    peer = start(tls=tls, faults={"quit": [Delay(30), NORMAL]})
    begun = time.monotonic()
    result = send(peer, "bob@example.net", timeout=10, settle=5)
    assert result.code == 0
    assert peer.session.verbs[-1] == "QUIT"
    assert time.monotonic() - begun < 5 * slowness()


def test_password_is_not_sent_in_clear(start, send):
    peer = start()
    assert send(peer, "bob@example.net").code == 0
    assert PASSWORD.encode() not in peer.session.clear
    assert peer.session.clear.count(b"\r\n") == 2
