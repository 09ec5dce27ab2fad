"""What the scripted peer can be told to do instead of the right thing.

A fault is put at a step, for example faults={"rcpt:2": "550 5.1.1 no"}.  The
steps are greeting ehlo helo lhlo starttls auth auth-next mail rcpt data body
(the answer to the end of the message, by DATA or by BDAT; in LMTP one for each
recipient) bdat (a chunk that is not the last) rset noop quit unknown, and
midbody (when the first octets of the message have come).  `auth` is the answer
to the AUTH command, `auth-next` one to a later line of that dialogue.
A step may be narrowed: "ehlo@tls" and "ehlo@clear" by what protects the
connection, "rcpt:2" to the second of the connection.

A fault is a string (a reply without its CRLF; lines are separated by a line
feed), one of the objects below, or a list of them done one after the other.
NORMAL in a list is what the peer would have done without a fault.
"""

import asyncio
import threading
import time
from dataclasses import dataclass

from wire import Closed

EARLY = 0.1             # seconds that a client has to speak before its turn


class Normal:
    async def run(self, session, step, normal):
        await normal()


NORMAL = Normal()


@dataclass
class Reply:
    """Another reply.  Its effect is the right one's if the first digit is."""

    text: str

    async def run(self, session, step, normal):
        await normal(self.text)
        if self.text.startswith("421"):
            await session.wire.end_flight()
            raise Closed


@dataclass
class Raw:
    """Any octets, at once, with what was collected before them."""

    data: bytes

    async def run(self, session, step, normal):
        session.wire.say(self.data, step)
        await session.wire.end_flight()


@dataclass
class Delay:
    """Nothing for so many seconds, or until the client goes away."""

    seconds: float

    async def run(self, session, step, normal):
        await session.wire.flush()
        await session.wire.wait_eof(self.seconds)


class Until:
    """Nothing before come() was called, by the test; and an end to that."""

    def __init__(self, seconds=60):
        self.seconds, self.event = seconds, threading.Event()

    def come(self):
        self.event.set()

    async def run(self, session, step, normal):
        await session.wire.flush()
        end = time.monotonic() + self.seconds
        while not self.event.is_set() and time.monotonic() < end:
            await asyncio.sleep(0.01)


class Silent:
    """Nothing for ever; what comes is read and forgotten."""

    async def run(self, session, step, normal):
        await session.wire.end_flight()
        await session.wire.wait_eof()
        raise Closed


@dataclass
class Heed:
    """For the greeting: what the client says before so many seconds are over
    is answered together with it."""

    seconds: float = EARLY

    async def run(self, session, step, normal):
        if not session.wire.buffer:
            await session.wire.wait_input(self.seconds)
        await normal()


@dataclass
class InTurn:
    """For the greeting: a client that has spoken before hears `reply` and the
    end (None: only the end), or what it said is thrown away ("").  It learns
    from that, so who comes next is not waited for as long."""

    reply: str = "554 5.5.0 you must wait"
    seconds: float = EARLY

    async def run(self, session, step, normal):
        wire = session.wire
        if not wire.buffer:
            await wire.wait_input(self.seconds)
        if wire.buffer:
            self.seconds = min(self.seconds, EARLY)
        if wire.buffer and self.reply != "":
            if self.reply:
                await normal(self.reply)
            await wire.end_flight()
            raise Closed
        wire.take(len(wire.buffer))
        await normal()


@dataclass
class Drop:
    """The end of the connection."""

    reset: bool = False

    async def run(self, session, step, normal):
        await session.wire.end_flight()
        session.wire.close(self.reset)
        raise Closed


@dataclass
class Cut:
    """The end of TCP without TLS's goodbye, behind some octets."""

    data: bytes = b""

    async def run(self, session, step, normal):
        session.wire.say(self.data, step)
        await session.wire.end_flight()
        session.wire.transport.close()
        raise Closed


@dataclass
class Flood:
    """The same octets over and over, at most so many times.  How many octets
    were got rid of is in the session's `flooded`."""

    data: bytes = b"250 ok\r\n"
    count: int = 1 << 22
    first: bytes = b""

    async def run(self, session, step, normal):
        wire = session.wire
        await wire.end_flight()
        await wire.send(self.first)
        times = max(1, 16384 // len(self.data))
        for _ in range(0, self.count, times):
            if wire.eof:
                raise Closed
            await wire.send(self.data * times)
            session.flooded += times * len(self.data)
            await asyncio.sleep(0)
        await wire.wait_eof()
        raise Closed


def LongLine(start=b"250 ", size=1 << 30):
    """A line without an end."""
    return Flood(b"x" * 1024, size >> 10, first=start)


def EndlessReply(line=b"250-and so on\r\n"):
    """A multi-line reply without a last line."""
    return Flood(line)


@dataclass
class StopReading:
    """Nothing is taken from the socket any more; with seconds, for a time.
    A client that gives up is not noticed: its end is behind what is unread."""

    seconds: float = None

    async def run(self, session, step, normal):
        wire = session.wire
        await wire.flush()
        wire.stop_reading()
        session.deaf = self.seconds is None
        await asyncio.sleep(self.seconds or 3600)
        wire.resume_reading()


@dataclass
class Inject:
    """Octets in clear text in the same segment as STARTTLS's 220; then the
    handshake, as if nothing were."""

    data: bytes

    async def run(self, session, step, normal):
        await normal(inject=self.data)


@dataclass
class MidBody:
    """For the step midbody: the fault, once so many octets have come."""

    octets: int
    fault: object


def as_list(fault):
    faults = fault if isinstance(fault, (list, tuple)) else [fault]
    return [Reply(f) if isinstance(f, str) else f for f in faults]
