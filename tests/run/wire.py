"""One connection as the scripted peer sees it: bytes, TLS, flights, turns.

What is received is recorded before anything looks at it, so a test can say
what a client sent in clear text and what under TLS.  TLS is done by hand over
memory buffers: that way bytes can be put on the wire in clear text right
behind a STARTTLS reply, and a failed handshake leaves its reason behind.

Turns.  A *flight* is what the client sends without waiting for an answer.
The peer collects its replies and sends none while input is left to look at.
When all input is consumed it waits `quiet` seconds more, so that a flight
which comes in several segments stays one, and then sends the collected
replies at once and waits for the client: that is a *turn*.  In the middle of a
line or of a BDAT chunk the peer has not answered all it got, so it waits much
longer (STALL) before it gives in and counts a turn there.  Waiting with
nothing to say (the client is still sending its message) is no turn, neither is
the answer to a flight that holds QUIT alone.
A submission by STARTTLS, AUTH PLAIN and DATA has seven: the greeting, the
replies to EHLO, STARTTLS, EHLO, AUTH, MAIL+RCPT+DATA, and the message.

Those of the TLS handshake are counted apart (tls_turns): each time the peer
has answered and waits for the client, or lets it wait for the last word (TLS
1.2).  By TLS 1.3 it is one: what the client says behind its Finished comes
with it, and `early` is what had come when the handshake was over.
"""

import asyncio
import socket
import ssl
import struct

STALL = 1.0
TCPI_OPT_SYN_DATA = 0x20    # linux/tcp.h; of struct tcp_info's sixth octet
HIGH_WATER = 4 << 20
RECORD_LIMIT = 64 << 20


class Closed(Exception):
    """The connection is at its end, or is to be ended."""


class Wire(asyncio.Protocol):
    def __init__(self, serve, quiet=0.0, trickle=False, sockbuf=None):
        self.serve = serve          # coroutine function, given this wire
        self.quiet = quiet          # seconds
        self.trickle = trickle      # replies go out in single bytes
        self.sockbuf = sockbuf      # octets, or None for the system's choice
        self.high = sockbuf or HIGH_WATER   # read no further than this ahead
        self.transport = None
        self.task = None
        self.buffer = bytearray()   # received, decrypted, not yet consumed
        self.out = bytearray()      # replies not yet sent
        self.flight = []            # what the replies in `out` answer
        self.turn_log = []          # one list of words per turn
        self.clear = bytearray()    # all that came in clear text
        self.plain = bytearray()    # all that came under TLS, decrypted
        self.tls_turns = 0          # of the handshake
        self.early = b""            # what came in one piece with its end
        self.with_syn = False       # octets came with TCP's first segment
        self.handshake_bytes = 0    # TLS octets that came
        self.hello = bytearray()    # the first of them, as they came
        self.sent = bytearray()     # all that was said, decrypted
        self.received = 0           # octets, decrypted
        self.secure = False
        self.tls_error = None       # why TLS failed, in OpenSSL's words
        self.eof = False
        self.lost = False
        self.ssl = None
        self._in = self._out = None
        self._wake = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()

    # What asyncio calls.

    def connection_made(self, transport):
        self.transport = transport
        sock = transport.get_extra_info("socket")
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 64)
            self.with_syn = bool(info[5] & TCPI_OPT_SYN_DATA)
        if self.sockbuf:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.sockbuf)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.sockbuf)
            transport.set_write_buffer_limits(high=self.sockbuf)
        self.task = asyncio.get_running_loop().create_task(self.serve(self))

    def data_received(self, data):
        if self._in is None:
            self._take(data, self.clear)
        else:
            self.handshake_bytes += len(data)
            if not self.secure and len(self.hello) < 1 << 14:
                self.hello += data
            self._in.write(data)
            if self.secure:
                self._decrypt()
        self._wake.set()
        if len(self.buffer) > self.high:
            self.transport.pause_reading()

    def eof_received(self):
        self.eof = True
        self._wake.set()
        return True

    def connection_lost(self, exc):
        self.eof = self.lost = True
        self._wake.set()
        self._writable.set()

    def pause_writing(self):
        self._writable.clear()

    def resume_writing(self):
        self._writable.set()

    # Reading.

    def _take(self, data, record):
        self.buffer += data
        self.received += len(data)
        if len(record) < RECORD_LIMIT:
            record += data

    def _decrypt(self):
        while not self.eof:
            try:
                data = self.ssl.read(1 << 16)
            except ssl.SSLWantReadError:
                return
            except ssl.SSLError as error:
                self.tls_error = error.reason or str(error)
                self.eof = True
            else:
                self._take(data, self.plain)
                self.eof = not data     # the client's close_notify

    def _mark(self):
        return self.received, self.handshake_bytes

    async def _event(self, seconds, mark):
        """True if bytes came since the mark was taken, or the end, or if one
        of them comes within the time (seconds; None: no limit)."""
        if seconds == 0:
            await asyncio.sleep(0)
            return self.eof or self._mark() != mark
        try:
            async with asyncio.timeout(seconds):
                while not self.eof and self._mark() == mark:
                    self._wake.clear()
                    await self._wake.wait()
        except TimeoutError:
            return False
        return True

    async def pause(self):
        """Wait the time that ends a flight.  True if the client did more."""
        return await self._event(self.quiet, self._mark())

    async def wait_input(self, seconds):
        """True if something came within the time."""
        return await self._event(seconds, self._mark())

    async def more(self, boundary):
        """Wait for more input, answering the flight when it is over."""
        mark = self._mark()
        if self.out:
            wait = self.quiet if boundary else max(STALL, self.quiet)
            if await self._event(wait, mark):
                if self.eof and self._mark() == mark:
                    await self.flush()
                    raise Closed
                return
            await self.end_flight()
        if self.eof and self._mark() == mark:
            raise Closed
        await self._event(None, mark)

    async def line(self, limit=1 << 20):
        """The next line with its line end."""
        start = 0
        while True:
            at = self.buffer.find(b"\n", start)
            if at >= 0:
                return self.take(at + 1)
            start = len(self.buffer)
            if start > limit:
                raise Closed
            await self.more(boundary=not self.buffer)

    def take(self, count):
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        if len(self.buffer) <= self.high and not self.lost:
            self.transport.resume_reading()
        return data

    # Writing.

    def say(self, data, word):
        """Put a reply to `word` behind the ones not yet sent."""
        self.out += data
        self.flight.append(word)

    async def end_flight(self):
        """Send what is to be said and count the turn."""
        if self.flight and self.flight != ["QUIT"]:
            self.turn_log.append(self.flight)
        self.flight = []
        await self.flush()

    async def flush(self):
        data = bytes(self.out)
        self.out.clear()
        if self.trickle:
            for byte in data:
                await self.send(bytes([byte]))
                await asyncio.sleep(0)
        else:
            await self.send(data)

    async def send(self, data):
        """Put bytes on the wire at once."""
        if not data:
            return
        if self.lost:
            raise Closed
        if len(self.sent) < RECORD_LIMIT:
            self.sent += data
        if self.secure:
            try:
                self.ssl.write(data)
            except ssl.SSLError as error:
                self.tls_error = error.reason or str(error)
                raise Closed from None
            self._push()
        else:
            self.transport.write(data)
        await self._writable.wait()

    def _push(self):
        """Send what TLS has to say.  Was there anything?"""
        data = self._out.read()
        if data and not self.lost:
            self.transport.write(data)
        return bool(data)

    # TLS.

    def expect_tls(self, context):
        """From here on what arrives is TLS; what is sent is still clear."""
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl = context.wrap_bio(self._in, self._out, server_side=True)

    async def handshake(self):
        while True:
            mark = self._mark()
            try:
                self.ssl.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.tls_turns += self._push()
                if self.eof:
                    self.tls_error = "EOF"
                    raise Closed from None
                await self._event(None, mark)
            except ssl.SSLError as error:
                self._push()
                self.tls_error = error.reason or str(error)
                raise Closed from None
        self.tls_turns += self._push() and self.ssl.version() != "TLSv1.3"
        self.secure = True
        self._decrypt()
        self.early = bytes(self.buffer)

    # Endings, and not reading.

    def stop_reading(self):
        self.transport.pause_reading()

    def resume_reading(self):
        if not self.lost:
            self.transport.resume_reading()

    async def wait_eof(self, seconds=None):
        """Read on, without an answer, until the client goes away."""
        loop = asyncio.get_running_loop()
        end = None if seconds is None else loop.time() + seconds
        while not self.eof:
            left = None if end is None else end - loop.time()
            if left is not None and left <= 0:
                return
            await self._event(left, self._mark())
            if end is None:
                self.take(len(self.buffer))

    def close(self, reset=False):
        if self.lost:
            return
        if reset:
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
            self.transport.abort()
            return
        if self.secure:
            try:
                self.ssl.unwrap()
            except ssl.SSLError:
                pass
            self._push()
        self.transport.close()
