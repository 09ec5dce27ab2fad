"""A SOCKS5 proxy (RFC 1928, RFC 1929) that can do wrong, and remembers what
it was asked.

    with Proxy(peer.port) as proxy:
        ...                                 # proxy.port
        proxy.asked[0].host, .port, .kind   # "mail.example.org", 587, "name"

Whatever host it is asked for, it connects to 127.0.0.1 at the port it was
given.  One thread listens, one serves each connection.
"""

import socket
import struct
import threading
from dataclasses import dataclass, field

KINDS = {1: "ipv4", 3: "name", 4: "ipv6"}


class Hangs(Exception):
    """It is to say no more."""


@dataclass
class Asked:
    """One connection, as far as it came."""
    address: tuple                  # where it came from
    methods: bytes = b""
    user: bytes = None
    password: bytes = None
    kind: str = None
    host: str = None
    port: int = None
    messages: list = field(default_factory=list)    # as one read gives them


class Proxy:
    """
    target      port of 127.0.0.1 that it connects to
    login       (user, password) that it wants; None: nobody's
    code        reply to the request; anything but 0 refuses it
    bound       address in that reply, with its type
    say         what it says in place of its first answer
    most        octets that it says by itself; then it hangs up, or with
                silent=True says no more
    trickle     one octet at a time
    glue        the host's first words go with the reply, in one segment
    """

    def __init__(self, target, *, login=None, code=0,
                 bound=b"\1\x7f\0\0\1\x10\x10", say=None, most=None,
                 silent=False, trickle=False, glue=False, host="127.0.0.1"):
        self.target, self.login, self.code = target, login, code
        self.bound, self.say = bound, say
        self.most, self.silent = most, silent
        self.trickle, self.glue = trickle, glue
        self.asked = []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.socket(family)
        self.listener.bind((host, 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        self.threads = []
        self.open = []

    def __enter__(self):
        self._start(self._listen)
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        for one in self.open:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join()
        for one in [self.listener, *self.open]:
            one.close()

    def _start(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments,
                                  daemon=True)
        self.threads.append(thread)
        thread.start()

    def _listen(self):
        while True:
            try:
                client, address = self.listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.open.append(client)
            self.asked.append(Asked(address))
            self._start(self._serve, client, self.asked[-1])

    def _serve(self, client, asked):
        try:
            Dialogue(self, client, asked).run()
        except (OSError, EOFError):
            pass
        except Hangs:
            if self.silent:
                while client.recv(4096):
                    pass
        finally:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Dialogue:
    def __init__(self, proxy, client, asked):
        self.proxy, self.client, self.asked = proxy, client, asked
        self.said = 0
        self.read = client.makefile("rb", buffering=0)

    def take(self, count):
        data = b""
        while len(data) < count:
            more = self.read.read(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def tell(self, data):
        most = self.proxy.most
        cut = data if most is None else data[:max(0, most - self.said)]
        self.said += len(cut)
        for piece in [cut[i:i + 1] for i in range(len(cut))] \
                if self.proxy.trickle else [cut]:
            self.client.sendall(piece)
        if len(cut) < len(data):
            raise Hangs

    def message(self):
        """All that has come is one message: nothing is sent ahead."""
        self.asked.messages.append(self.client.recv(1024, socket.MSG_PEEK))

    def run(self):
        if not self.greeted():
            return
        self.message()
        version, command, _, kind = self.take(4)
        assert (version, command) == (5, 1)
        self.asked.kind = KINDS[kind]
        if kind == 3:
            self.asked.host = self.take(self.take(1)[0]).decode("ascii")
        else:
            family = socket.AF_INET if kind == 1 else socket.AF_INET6
            self.asked.host = socket.inet_ntop(
                family, self.take(4 if kind == 1 else 16))
        self.asked.port, = struct.unpack(">H", self.take(2))
        if self.proxy.code:
            self.tell(bytes([5, self.proxy.code, 0]) + self.proxy.bound)
            return
        with socket.create_connection(
                ("127.0.0.1", self.proxy.target)) as host:
            host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.proxy.open.append(host)
            first = host.recv(4096) if self.proxy.glue else b""
            self.tell(b"\5\0\0" + self.proxy.bound + first)
            self.proxy._start(self.relay, host, self.client)
            self.relay(self.client, host)

    def greeted(self):
        self.message()
        version, count = self.take(2)
        assert version == 5
        self.asked.methods = self.take(count)
        if self.proxy.say is not None:
            self.tell(self.proxy.say)
            return False
        wanted = 2 if self.proxy.login else 0
        if wanted not in self.asked.methods:
            self.tell(b"\5\xff")
            return False
        self.tell(bytes([5, wanted]))
        return self.logged_in() if wanted else True

    def logged_in(self):
        self.message()
        assert self.take(1) == b"\1"
        self.asked.user = self.take(self.take(1)[0])
        self.asked.password = self.take(self.take(1)[0])
        right = (self.asked.user, self.asked.password) == self.proxy.login
        self.tell(b"\1\0" if right else b"\1\1")
        return right

    @staticmethod
    def relay(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
