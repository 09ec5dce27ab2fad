"""A server whose every octet is a test's: for attacks that no server of good
will can be told to do (peer.py is that).

    def script(talk):
        talk.say(b"220 evil ESMTP\\r\\n")
        talk.line()                         # the client's EHLO
        ...
        talk.obey()                         # take what else it may say

    with Rogue(script) as rogue:
        ...                                 # run the client against rogue.port
    rogue.clear, rogue.plain                # what came, without and under TLS

obey() is the trap: it agrees to everything, so that a client which has fallen
for the attack goes on to hand over its password and its message, and the test
sees them.  A client that goes away ends the script, wherever it is.

GnuTLS is a server's side of TLS by GnuTLS, which the program needs
anyway: it can do what Python's ssl cannot (ask for new keys, renegotiate, send
alerts).
"""

import ctypes
import select
import socket
import ssl
import struct
import threading
import time

from harness import slowness

SECONDS = 15 * slowness()   # that anything may take before a script gives up


class Gone(Exception):
    """The client is not there any more."""


class Talk:
    """One connection."""

    def __init__(self, sock):
        self.sock = sock
        sock.settimeout(SECONDS)
        self.clear = bytearray()    # came in clear text, TLS's records as well
        self.plain = bytearray()    # came under TLS, decrypted
        self.buffer = bytearray()   # not yet looked at
        self.ssl = self._in = self._out = None

    # Octets.

    def raw(self, data):
        """Past TLS, if there is any."""
        try:
            self.sock.sendall(data)
        except OSError:
            raise Gone from None

    def say(self, data):
        if self.ssl is None:
            self.raw(data)
        else:
            self.ssl.write(data)
            self.raw(self._out.read())

    def receive(self):
        """What comes next, as it is on the wire; nothing at the end."""
        try:
            data = self.sock.recv(1 << 16)
        except OSError:
            raise Gone from None
        if self.ssl is None:
            self.clear += data
        return data

    def more(self):
        data = self.receive()
        if not data:
            raise Gone
        if self.ssl is None:
            self.buffer += data
        else:
            self._in.write(data)
            self._decrypt()

    def _decrypt(self):
        try:
            while data := self.ssl.read(1 << 16):
                self.plain += data
                self.buffer += data
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError:
            pass
        raise Gone

    def line(self):
        while b"\n" not in self.buffer:
            self.more()
        line, _, rest = bytes(self.buffer).partition(b"\n")
        self.buffer[:] = rest
        return line.rstrip(b"\r")

    def record(self):
        """A TLS record, whole."""
        while len(self.buffer) < 5 or \
                len(self.buffer) < 5 + int.from_bytes(self.buffer[3:5], "big"):
            self.more()
        size = 5 + int.from_bytes(self.buffer[3:5], "big")
        record = bytes(self.buffer[:size])
        del self.buffer[:size]
        return record

    def is_silent(self, seconds=0.3):
        """Does nothing more come?"""
        return not self.buffer and \
            not select.select([self.sock], [], [], seconds)[0]

    def rest(self):
        """Take in all that comes until the client goes away."""
        while True:
            self.more()

    def cut(self):
        """The end of TCP, and none of TLS."""
        self.sock.shutdown(socket.SHUT_WR)

    def bye(self):
        """TLS's goodbye (close_notify); TCP goes on."""
        try:
            self.ssl.unwrap()
        except ssl.SSLError:
            pass
        self.raw(self._out.read())

    # TLS.

    def secure(self, context, meddle=lambda flight: flight):
        """The handshake.  meddle: what becomes of each flight of ours."""
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = context.wrap_bio(self._in, self._out, server_side=True)
        self._in.write(bytes(self.buffer))
        self.buffer.clear()
        while True:
            try:
                session.do_handshake()
                break
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                self.raw(self._out.read())
                raise Gone from None
            if flight := self._out.read():
                self.raw(meddle(flight))
            data = self.receive()
            if not data:
                raise Gone
            self._in.write(data)
        self.raw(meddle(self._out.read()))
        self.ssl = session
        self._decrypt()

    # SMTP.

    def starttls(self, greeting=b"220 mail.example.org ESMTP\r\n", more=b""):
        """Up to STARTTLS's 220, with octets behind it in the same segment."""
        self.say(greeting)
        self.hello(b"STARTTLS")
        self.expect(b"STARTTLS")
        self.say(b"220 2.0.0 go ahead\r\n" + more)

    def expect(self, verb):
        line = self.line()
        assert line.upper().startswith(verb), line
        return line

    def hello(self, *offers):
        """EHLO or LHLO, and its reply."""
        line = self.line()
        assert line[:5] in (b"EHLO ", b"LHLO "), line
        lines = [b"mail.example.org hello", *offers]
        self.say(b"".join(b"250-%s\r\n" % one for one in lines[:-1]) +
                 b"250 %s\r\n" % lines[-1])

    def obey(self):
        while True:
            verb = self.line()[:4].upper()
            if verb in (b"EHLO", b"LHLO"):
                self.say(b"250-mail.example.org\r\n250-8BITMIME\r\n"
                         b"250 AUTH PLAIN LOGIN\r\n")
            elif verb == b"AUTH":
                self.say(b"235 2.7.0 welcome\r\n")
            elif verb == b"DATA":
                self.say(b"354 go ahead\r\n")
                while self.line() != b".":
                    pass
                self.say(b"250 2.0.0 taken\r\n")
            else:
                self.say(b"250 2.0.0 ok\r\n")


class Rogue:
    """tls, lmtp: what the client's account is to say; users, unix: as in
    Peer, for who writes that account."""

    def __init__(self, script, tls="starttls", lmtp=False):
        self.script, self.tls, self.lmtp = script, tls, lmtp
        self.users, self.unix = True, None
        self.talks = []
        self.error = None
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(2 * SECONDS)
        self.socket.close()
        if kind is None and self.error:
            raise self.error

    def _serve(self):
        while True:
            try:
                sock, _ = self.socket.accept()
            except OSError:
                return
            talk = Talk(sock)
            self.talks.append(talk)
            try:
                self.script(talk)
            except Gone:
                pass
            except Exception as error:          # the test is to see it
                self.error = self.error or error
            finally:
                sock.close()

    @property
    def clear(self):
        return b"".join(bytes(talk.clear) for talk in self.talks)

    @property
    def plain(self):
        return b"".join(bytes(talk.plain) for talk in self.talks)


# GnuTLS, as far as it is needed (gnutls/gnutls.h).

SERVER, CERTIFICATE, PEM, WARNING, KEY_UPDATE_PEER = 1, 1, 1, 1, 1
AGAIN = -28         # GNUTLS_E_AGAIN: nothing for the user, or not in time


class GnuTLS:
    """A server's session over the connection; what came is in talk.plain."""

    def __init__(self, talk, chain, key, priorities):
        self.talk, self.library = talk, ctypes.CDLL("libgnutls.so.30")
        self.session = ctypes.c_void_p()
        self.credentials = ctypes.c_void_p()
        call = self.call
        call("certificate_allocate_credentials",
             ctypes.byref(self.credentials))
        call("certificate_set_x509_key_file", self.credentials,
             str(chain).encode(), str(key).encode(), PEM)
        call("init", ctypes.byref(self.session), SERVER)
        call("priority_set_direct", self.session, priorities.encode(), None)
        call("credentials_set", self.session, CERTIFICATE, self.credentials)
        call("transport_set_int2", self.session, talk.sock.fileno(),
             talk.sock.fileno())
        talk.sock.setblocking(True)
        talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO,
                             struct.pack("ll", round(SECONDS), 0))
        call("handshake", self.session)

    def call(self, name, *arguments):
        function = getattr(self.library, f"gnutls_{name}")
        function.restype = ctypes.c_ssize_t if name.startswith("record") \
            else ctypes.c_int
        end = time.monotonic() + SECONDS
        while True:
            result = function(*arguments)
            if result >= 0:
                return result
            if result == AGAIN and time.monotonic() < end:
                continue
            if result == AGAIN or self.library.gnutls_error_is_fatal(
                    ctypes.c_int(result)):
                raise Gone

    def say(self, data):
        self.call("record_send", self.session, data,
                  ctypes.c_size_t(len(data)))

    def line(self):
        buffer = self.talk.buffer
        room = ctypes.create_string_buffer(1 << 14)
        while b"\n" not in buffer:
            size = self.call("record_recv", self.session, room,
                             ctypes.c_size_t(len(room)))
            if not size:
                raise Gone
            self.talk.plain += room.raw[:size]
            buffer += room.raw[:size]
        line, _, rest = bytes(buffer).partition(b"\n")
        buffer[:] = rest
        return line.rstrip(b"\r")

    hello, obey, expect = Talk.hello, Talk.obey, Talk.expect

    def update_keys(self):
        self.call("session_key_update", self.session, KEY_UPDATE_PEER)

    def warn(self, description):
        self.call("alert_send", self.session, WARNING, description)

    def ask_again(self):
        """A HelloRequest (RFC 5246 7.4.1.1)."""
        self.call("rehandshake", self.session)
