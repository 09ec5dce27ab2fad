"""A client of a server on standard input and output.

    with Serve.rider(rider, "-bs") as talk:
        talk.reply()                            # the greeting
        talk.ask("EHLO client.example.org")     # a Reply
        talk.ask("QUIT")
        ended = talk.end()                      # exit code, standard error

It is strict: what is no well-formed reply fails the test, and so does a server
that does not answer, or that is still there when it should not be.
"""

import os
import re
import select
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass

from dialogues import HELLO, is_as, octets
from harness import SANITIZER_WORDS, binary, slowness, wrapper

PATIENCE = 20.0         # seconds for anything that is waited for
MOST = 64 << 20         # octets that it may say to its end
LINE = re.compile(rb"([2345]\d\d)([ -])([\t -~]*)\r\n")
STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?: |$)")
# "pipes"; "socket": one for both; "inetd": one for standard error as well
PLUMBING = ("pipes", "socket", "inetd")


@dataclass
class Reply:
    code: int
    lines: list         # texts behind the code

    @property
    def status(self):
        """The enhanced status code, or None."""
        match = STATUS.match(self.lines[0])
        return match and match[1]

    @property
    def text(self):
        return "\n".join(self.lines)

    def __str__(self):
        return f"{self.code} {' / '.join(self.lines)}"


def cut_reply(data, at=0):
    """The reply that begins at an offset, and where it ends; None: it is not
    all there."""
    lines, codes = [], set()
    while True:
        end = data.find(b"\n", at) + 1
        if not end:
            return None, at
        match = LINE.fullmatch(data, at, end)
        assert match, f"no reply: {bytes(data[at:end])!r:.500}"
        assert end - at <= 512, f"{end - at} octets in a reply's line"
        codes.add(int(match[1]))
        lines.append(match[3].decode())
        at = end
        if match[2] == b" ":
            assert len(codes) == 1, f"a reply of several codes: {lines}"
            return agrees(Reply(codes.pop(), lines)), at


def agrees(reply):
    """RFC 2034 4: the enhanced status is of the code's class, and stands in
    each line."""
    if reply.status:
        assert reply.status[0] == str(reply.code)[0], str(reply)
        assert all(line.startswith(reply.status) for line in reply.lines)
    return reply


def all_replies(data):
    """Whatever a server said, to its last octet."""
    replies, at = [], 0
    while at < len(data):
        reply, at = cut_reply(data, at)
        assert reply, f"half a reply at its end: {data[-500:]!r}"
        replies.append(reply)
    return replies


@dataclass
class Ended:
    code: int
    rest: bytes         # what it said and nobody took
    stderr: bytes

    @property
    def err(self):
        return self.stderr.decode("utf-8", "replace")


class Serve:
    def __init__(self, command, env, cwd, plumbing="pipes"):
        self.buffer, self.eof, self.said = bytearray(), False, []
        self.errors = tempfile.TemporaryFile()
        self.limit = PATIENCE * slowness()
        if plumbing == "pipes":
            stdin, self.writer = os.pipe()
            self.reader, stdout = os.pipe()
            self.socket = None
        else:
            self.socket, theirs = socket.socketpair()
            self.reader = self.writer = self.socket.fileno()
            stdin = stdout = theirs.detach()
        self.child = subprocess.Popen(
            command, stdin=stdin, stdout=stdout, cwd=cwd, env=env,
            stderr=stdout if plumbing == "inetd" else self.errors,
            start_new_session=True)
        for descriptor in {stdin, stdout}:
            os.close(descriptor)
        for descriptor in {self.reader, self.writer}:
            os.set_blocking(descriptor, False)

    @classmethod
    def rider(cls, rider, *arguments, name=None, plumbing="pipes"):
        """`rider` is a harness.Postrider; name: the binary's other name."""
        program = rider.link(name) if name else binary()
        return cls(wrapper() + [program, *map(os.fsencode, arguments)],
                   rider.environment(), rider.home, plumbing)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        self.stop_writing()
        self.stop_reading()
        if self.socket:
            self.socket.close()
        self.errors.close()

    # What goes to it and what comes from it.

    def _wait(self, write, until):
        """What may be done: (read, write).  Fails when the time is up."""
        poll = select.poll()
        poll.register(self.reader, 0 if self.eof else select.POLLIN)
        if write:
            poll.register(self.writer, select.POLLOUT | (
                select.POLLIN if self.socket and not self.eof else 0))
        ready = dict(poll.poll(max(0, until - time.monotonic()) * 1000))
        assert ready, f"it waits and waits; so far it said {self.transcript()}"
        flags = ready.get(self.reader, 0)
        return (not self.eof and flags & ~select.POLLOUT,
                write and ready.get(self.writer, 0) & ~select.POLLIN)

    def _take(self):
        try:
            data = os.read(self.reader, 1 << 18)
        except ConnectionResetError:    # a socket, with octets it did not read
            data = b""
        self.eof = not data
        self.buffer += data

    def send(self, data):
        """Octets, or a line of text.  What it says meanwhile is kept."""
        view, until = memoryview(octets(data)), time.monotonic() + self.limit
        while view:
            can_read, can_write = self._wait(True, until)
            if can_read:
                self._take()
            if can_write:
                view = view[os.write(self.writer, view[:1 << 16]):]
                until = time.monotonic() + self.limit

    def push(self, data, seconds):
        """Send without reading, until it has taken nothing for that time;
        returns how many octets it took."""
        view, until = memoryview(data), time.monotonic() + seconds
        while view and time.monotonic() < until:
            try:
                view = view[os.write(self.writer, view[:1 << 16]):]
                until = time.monotonic() + seconds
            except BlockingIOError:
                time.sleep(0.01)
        return len(data) - len(view)

    def reply(self):
        until = time.monotonic() + self.limit
        while True:
            reply, end = cut_reply(self.buffer)
            if reply:
                del self.buffer[:end]
                self.said.append(reply)
                return reply
            assert not self.eof, f"it is gone: {self.transcript()}"
            self._wait(False, until)
            self._take()

    def ask(self, line):
        self.send(line)
        return self.reply()

    def must(self, *turns):
        """Each turn is what is sent and the replies that must come of it, as
        in dialogues.py.  Returns the last reply, if there is one."""
        reply = None
        for sent, *patterns in turns:
            self.send(sent)
            for pattern in patterns:
                reply = self.reply()
                assert is_as(pattern, reply.code, reply.status), \
                    f"{pattern} was wanted, and {reply} came of " \
                    f"{sent!r:.200}\n{self.transcript()}"
        return reply

    def hello(self):
        """The greeting and EHLO's answer are taken."""
        return self.must((b"", "220"), HELLO)

    def transcript(self):
        said = "\n".join(str(reply) for reply in self.said[-20:])
        return f"…\n{said}\n{bytes(self.buffer[-500:])!r}\n{self.heard()}"

    # Its end.

    def stop_writing(self):
        if self.socket:
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:     # it is gone
                pass
        elif self.writer is not None:
            os.close(self.writer)
            self.writer = None

    def stop_reading(self):
        """It has nobody to speak to any more."""
        if self.socket:
            self.socket.close()
        elif self.reader is not None:
            os.close(self.reader)
            self.reader = None

    def heard(self):
        """Its standard error so far."""
        said = os.pread(self.errors.fileno(), 1 << 20, 0)
        return said.decode("utf-8", "replace")

    def wait(self):
        """Its exit code."""
        try:
            code = self.child.wait(self.limit)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"it does not end: {self.transcript()}") from None
        assert code >= 0, f"ended by signal {-code}: {self.heard()}"
        return code

    def end(self):
        """No more input; all that it still says, and its end."""
        self.stop_writing()
        until = time.monotonic() + self.limit
        while not self.eof:
            self._wait(False, until)
            self._take()
            assert len(self.buffer) < MOST, "it speaks without end"
            until = time.monotonic() + self.limit
        code = self.wait()
        stderr = self.heard().encode()
        for word in SANITIZER_WORDS:
            assert word not in stderr + self.buffer, stderr
        return Ended(code, bytes(self.buffer), stderr)
