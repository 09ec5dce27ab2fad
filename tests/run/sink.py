"""A server that takes very large messages over TLS and forgets them.

The scripted peer keeps all it gets; this one counts, and takes a CRC-32 of the
content, and another of what the body decodes to if its header says that it is
encoded.  Blocking sockets, one connection, no faults, no authentication.
"""

import binascii
import re
import socket
import ssl
import threading
import zlib

BLOCK = 1 << 18


class Decoder:
    """A message whose body is base64 or quoted-printable, bit by bit."""

    def __init__(self):
        self.header, self.rest = b"", b""
        self.encoding = None        # known when the header is over
        self.octets = self.crc = self.longest = 0
        self.is_ascii = True

    def feed(self, data):
        self.is_ascii = self.is_ascii and data.isascii()
        if self.encoding is None:
            self.header += data
            header, end, data = self.header.partition(b"\r\n\r\n")
            if not end:
                return
            found = re.search(rb"(?im)^content-transfer-encoding:[ \t]*(\S+)",
                              header)
            self.header = header
            self.encoding = found[1].lower() if found else b"none"
        data = self.rest + data
        end = data.rfind(b"\r\n") + 2 if b"\r\n" in data else 0
        data, self.rest = data[:end], data[end:]
        if not data:
            return
        self.longest = max(self.longest, data.find(b"\r\n"))
        if self.encoding == b"base64":
            data = binascii.a2b_base64(data)
        elif self.encoding == b"quoted-printable":
            data = binascii.a2b_qp(data)
        self.octets += len(data)
        self.crc = zlib.crc32(data, self.crc)


class Sink:
    """with Sink(chain, key, chunking=True) as sink: ... sink.octets"""

    tls = "implicit"
    users = unix = None
    lmtp = False

    def __init__(self, chain, key, chunking, look=None, decoder=None):
        self.chunking = chunking
        self.decoder = decoder      # then 8BITMIME is not offered
        self.look = look            # is called before the last answer
        self.octets = 0
        self.crc = 0
        self.accepted = False
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.thread.join(5)

    def _serve(self):
        try:
            plain, _ = self.listener.accept()
            with self.context.wrap_socket(plain, server_side=True) as sock:
                self.sock, self.buffer = sock, b""
                self._talk()
        except OSError:
            pass

    def _say(self, text):
        self.sock.sendall(text.encode() + b"\r\n")

    def _more(self):
        data = self.sock.recv(BLOCK)
        if not data:
            raise ConnectionError
        return data

    def _line(self):
        while b"\n" not in self.buffer:
            self.buffer += self._more()
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode("latin-1").strip()

    def _talk(self):
        self._say("220 sink ESMTP")
        while True:
            line = self._line()
            verb = line.split()[0].upper()
            if verb == "EHLO":
                extra = "250-CHUNKING\r\n" if self.chunking else ""
                if not self.decoder:
                    extra += "250-8BITMIME\r\n"
                self._say(f"250-sink\r\n{extra}250 PIPELINING")
            elif verb == "DATA":
                self._say("354 go ahead")
                self._dotted()
                self._done()
            elif verb == "BDAT":
                match = re.fullmatch(r"BDAT (\d+)( LAST)?", line)
                self._chunk(int(match[1]))
                self._done() if match[2] else self._say("250 ok")
            elif verb == "QUIT":
                return
            else:
                self._say("250 ok")

    def _done(self):
        if self.look is not None:
            self.look()
        self.accepted = True
        self._say("250 accepted")

    def _count(self, data):
        self.octets += len(data)
        self.crc = zlib.crc32(data, self.crc)
        if self.decoder:
            self.decoder.feed(data)

    def _dotted(self):
        kept, self.buffer = self.buffer, b""
        while not kept.endswith(b"\r\n.\r\n"):
            self._count(kept[:-5])
            kept = kept[-5:] + self._more()
        self._count(kept[:-3])

    def _chunk(self, left):
        while left:
            data = self.buffer or self._more()
            self.buffer = data[left:]
            data = data[:left]
            self._count(data)
            left -= len(data)
