"""TCP Fast Open (RFC 7413) in a network that nobody else has.

    python3 fastopen.py SCENARIO DIRECTORY CERTIFICATE KEY CA

is run by test_fast_open.py in network and mount namespaces of its own, as who
may take data with SYN, and which cookies are right, is the network's setting.
It starts peers, sends one message after another, and prints a JSON list: for
each the exit status, what was said on standard error, whether it was delivered,
and whether its ClientHello came with the SYN.
"""

import contextlib
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

from conftest import MESSAGE
from harness import Postrider
from peer import Peer

PORT = 4650
TAKES = 16              # so many may wait
SETTINGS = Path("/proc/sys/net/ipv4")
IFF_UP, SIOCSIFFLAGS = 1, 0x8914
HOSTS = "127.0.0.1 two.test\n127.0.0.2 two.test\n"


class Place:
    """The network, and who sends in it."""

    def __init__(self, directory, certificate, key, ca):
        self.peer = {"cert": certificate, "key": key, "port": PORT,
                     "fast_open": TAKES}
        self.ca, self.directory = ca, Path(directory)
        self.rider = Postrider(directory)
        self.told = []

    def set_up(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, SIOCSIFFLAGS,
                        struct.pack("16sH14x", b"lo", IFF_UP))
        self.serve_fast(True)
        hosts = self.directory / "hosts"
        hosts.write_text(HOSTS)
        subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)

    def serve_fast(self, is_on):
        (SETTINGS / "tcp_fastopen").write_text("3" if is_on else "1")

    def forget_cookies(self):
        """The server's: those that it has given are wrong from now on."""
        (SETTINGS / "tcp_fastopen_key").write_text(
            "-".join(os.urandom(4).hex() for _ in range(4)))

    @contextlib.contextmanager
    def listens(self, tls="implicit", **settings):
        with Peer(tls=tls, **{**self.peer, **settings}) as peer:
            yield peer

    def send(self, peer=None, host="127.0.0.1", **settings):
        values = {"host": host, "port": PORT, "tls_trust_file": self.ca,
                  "tls_host_override": "mail.example.org", "tls_starttls":
                  "off", "tcp_fast_open": "on", "auth": "off", "timeout": 5,
                  "from": "alice@example.org", **settings}
        self.rider.config("account default\n" + "".join(
            f"{name} {value}\n" for name, value in values.items()))
        before = len(peer.messages) if peer else 0
        result = self.rider.run("bob@example.net", stdin=MESSAGE)
        if peer:
            peer.settle()
        self.told.append({
            "code": result.code, "err": result.err,
            "messages": len(peer.messages) - before if peer else 0,
            "sessions": len(peer.sessions) if peer else 0,
            "with_syn": peer is not None and peer.sessions and
            peer.session.wire.with_syn})


def again_and_again(place):
    with place.listens() as peer:
        for _ in range(3):
            place.send(peer)


def not_asked_for(place):
    with place.listens() as peer:
        for setting in ("on", "off"):
            place.send(peer, tcp_fast_open=setting)


def where_the_server_speaks_first(place):
    with place.listens() as peer:
        place.send(peer)
    for tls in ("starttls", "none"):
        with place.listens(tls) as peer:
            place.send(peer, tls="off" if tls == "none" else "on",
                       tls_starttls="on")


def a_wrong_cookie(place):
    with place.listens() as peer:
        place.send(peer)
        place.forget_cookies()
        for _ in range(2):
            place.send(peer)


def no_longer_taken(place):
    with place.listens() as peer:
        place.send(peer)
        place.serve_fast(False)
        place.send(peer)


def nobody_is_there(place):
    with place.listens() as peer:
        place.send(peer)
    place.send()


def another_address(place):
    """The first of two gave a cookie once, and has gone."""
    with place.listens() as peer:
        for _ in range(2):
            place.send(peer, "two.test")
    with place.listens(host="127.0.0.2") as peer:
        place.send(peer, "two.test")


def main(scenario, *where):
    place = Place(*where)
    place.set_up()
    globals()[scenario](place)
    print(json.dumps(place.told))


if __name__ == "__main__":
    main(*sys.argv[1:])
