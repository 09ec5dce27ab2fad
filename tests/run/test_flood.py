"""Peers that stop reading, or that never stop talking.

No deadlock, no growth without bound, and an end: the client stops talking to
such a peer in the time and with the memory that were set for it.
"""

import pytest

from conftest import MESSAGE
from faults import (NORMAL, Delay, EndlessReply, Flood, LongLine, MidBody,
                    StopReading)
from harness import has_sanitizers, slowness

NOUSER, UNAVAILABLE, TEMPFAIL, PROTOCOL, NOPERM = 67, 69, 75, 76, 77
COUNT = 20000
# So long that a client's socket cannot hold all commands: one that writes them
# all before it reads stands still.
DOMAIN = ".".join(["a-department-with-a-very-long-name"] * 4 + ["example.net"])
MANY = [f"recipient-with-a-long-name-and-number-{n}@{DOMAIN}"
        for n in range(COUNT)]
TO_MANY = b"Bcc: " + ",\n ".join(MANY).encode() + b"\n" + \
    MESSAGE.replace(b"To: bob@example.net\n", b"")
BIG = MESSAGE + (b"x" * 70 + b"\n") * 60000
OFFERS = {"DATA": "PIPELINING,SIZE", "BDAT": "PIPELINING,SIZE,CHUNKING"}
SMALL = 32768           # octets in the peer's socket buffers
GROWTH = 16 << 10       # KiB over a usual run
if has_sanitizers():
    GROWTH *= 16
SWALLOWED = 64 << 20    # octets of a flood
PATIENCE = round(2 + slowness())    # seconds; of a client that is to lose it
LONG = 12 * slowness()


PEAKS = {}


def usual_peak(start, rider, account, stdin):
    if stdin not in PEAKS:
        peer = start(tls="implicit")
        rider.config(account(peer, timeout=30))
        result = rider.run("-t", stdin=stdin, timeout=60)
        assert result.code == 0, result.err[:2000]
        PEAKS[stdin] = result.peak
    return PEAKS[stdin]


@pytest.fixture
def usual(start, rider, account):
    """The memory of an ordinary submission, KiB."""
    return usual_peak(start, rider, account, MESSAGE)


@pytest.fixture
def usual_many(start, rider, account):
    """The same with all the recipients."""
    return usual_peak(start, rider, account, TO_MANY)


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("partial", ["on", "off"])
def test_many_recipients(start, send, offer, partial):
    peer = start(tls="implicit", capabilities=OFFERS[offer])
    result = send(peer, "-t", stdin=TO_MANY, partial=partial, timeout=60,
                  patience=30,
                  settle=30)
    assert result.code == 0, str(result)
    assert peer.messages[0].delivered == MANY


@pytest.mark.parametrize("tls", ["implicit", "none"])
@pytest.mark.parametrize("offer", OFFERS)
def test_stops_reading_for_ever(start, send, usual_many, tls, offer):
    peer = start(tls=tls, capabilities=OFFERS[offer], sockbuf=SMALL,
                 users={}, faults={"rcpt:100": StopReading()})
    result = send(peer, "-t", stdin=TO_MANY, settle=5, patience=PATIENCE)
    assert result.code == TEMPFAIL, result.err[:2000]
    assert "time" in result.err or "second" in result.err
    assert result.seconds < LONG
    assert result.peak - usual_many < GROWTH
    assert not peer.messages


@pytest.mark.parametrize("tls", ["implicit", "none"])
@pytest.mark.parametrize("offer", OFFERS)
def test_stops_reading_for_a_time(start, send, tls, offer):
    peer = start(tls=tls, capabilities=OFFERS[offer], sockbuf=SMALL, users={},
                 hold=4096, faults={"rcpt:100": [StopReading(1), NORMAL],
                                    "rcpt:15000": [StopReading(0.5), NORMAL]})
    result = send(peer, "-t", stdin=TO_MANY, timeout=60,
                  patience=30, settle=30)
    assert result.code == 0, result.err[:2000]
    assert peer.messages[0].delivered == MANY


@pytest.mark.parametrize("tls", ["implicit", "none"])
def test_reads_only_what_it_has_answered(start, send, tls):
    """The peer does not read on while its answers are not taken: a client
    that writes all before it reads would wait for ever."""
    long = f"250-2.1.5 {'so many words ' * 5}\n" * 2 + "250 ok"
    peer = start(tls=tls, capabilities=OFFERS["DATA"], sockbuf=SMALL, users={},
                 hold=0, faults={"rcpt": long})
    result = send(peer, "-t", stdin=TO_MANY, timeout=60,
                  patience=30, settle=30)
    assert result.code == 0, result.err[:2000]
    assert peer.messages[0].delivered == MANY


@pytest.mark.parametrize("tls", ["implicit", "none"])
@pytest.mark.parametrize("offer", OFFERS)
def test_stops_reading_in_the_message(start, send, tls, offer):
    peer = start(tls=tls, capabilities=OFFERS[offer], sockbuf=SMALL, users={},
                 faults={"midbody": MidBody(100000, StopReading())})
    result = send(peer, "bob@example.net", stdin=BIG, settle=5,
                  patience=PATIENCE)
    assert result.code == TEMPFAIL, str(result)
    assert result.seconds < LONG
    assert not peer.messages


FLOODS = {
    "replies": Flood(b"250 2.0.0 ok\r\n"),
    "failures": Flood(b"550 5.1.1 no\r\n"),
    "short lines": Flood(b"\r\n"),
    "octets": Flood(b"\0\xff" * 50),
    "one line": LongLine(),
    "one reply": EndlessReply(),
    "replies behind the right one": [NORMAL, Flood(b"250 2.0.0 ok\r\n")],
}


@pytest.mark.parametrize("kind", FLOODS)
@pytest.mark.parametrize("step", ["greeting", "ehlo", "auth", "mail"])
def test_floods(start, send, usual, step, kind):
    peer = start(tls="implicit", faults={step: FLOODS[kind]})
    result = send(peer, "bob@example.net")
    # what is a flood and what an answer is told apart by its first line
    assert result.code in (UNAVAILABLE, TEMPFAIL, PROTOCOL, NOPERM, NOUSER)
    if kind not in ("replies", "failures", "replies behind the right one"):
        assert result.code == PROTOCOL, str(result)
    bounded(peer, result, usual)


def bounded(peer, result, usual):
    assert result.code != 0
    assert result.seconds < LONG
    assert result.peak - usual < GROWTH
    assert peer.session.flooded < SWALLOWED
    assert not peer.messages


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("kind", FLOODS)
def test_floods_among_recipients(start, send, usual_many, kind, offer):
    peer = start(tls="implicit", capabilities=OFFERS[offer], sockbuf=SMALL,
                 strict=False, faults={"rcpt:100": FLOODS[kind]})
    result = send(peer, "-t", stdin=TO_MANY, timeout=30, settle=30)
    bounded(peer, result, usual_many)


@pytest.mark.parametrize("offer", OFFERS)
@pytest.mark.parametrize("kind", ["replies", "failures", "one line",
                                  "one reply", "octets"])
def test_floods_in_the_message(start, send, usual, kind, offer):
    peer = start(tls="implicit", capabilities=OFFERS[offer], sockbuf=SMALL,
                 faults={"midbody": MidBody(100000, FLOODS[kind])})
    result = send(peer, "bob@example.net", stdin=BIG, timeout=30, settle=10)
    assert result.code != 0, str(result)
    assert result.seconds < LONG
    assert result.peak - usual < GROWTH
    assert peer.session.flooded < SWALLOWED
    assert not peer.messages


@pytest.mark.parametrize("step", ["greeting", "mail", "body"])
def test_an_answer_drop_by_drop(start, send, step):
    """Each octet comes in time, the line never ends: an end comes with it."""
    class Drops:
        async def run(self, session, step, normal):
            wire = session.wire
            await wire.end_flight()
            while not wire.eof:
                await wire.send(b"2")
                await Delay(0.2).run(session, step, normal)
    peer = start(tls="implicit", strict=False, faults={step: Drops()})
    result = send(peer, "bob@example.net", timeout=30)
    assert result.code in (TEMPFAIL, PROTOCOL)
    assert result.seconds < LONG
    assert not peer.messages
