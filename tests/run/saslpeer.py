"""Runs tests/sasl/peer, a server made of GNU SASL and GnuTLS.

    with SaslPeer("--clear", mechanisms="PLAIN", user="alice") as peer:
        ... peer.port ...
        log = peer.log()        # of the next connection, see tests/sasl/log.h

The environment variable SASL_PEER names the program; without it, it is where
`make check` builds it, seen from the binary under test.
"""

import json
import os
import select
import subprocess
from pathlib import Path

from harness import binary, slowness


def program():
    path = Path(os.environ.get("SASL_PEER") or
                Path(binary()).parent.parent / "tests/sasl/peer")
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"{path} is not there: make tests/sasl/peer, or "
                           "set SASL_PEER")
    return str(path)


class SaslPeer:
    def __init__(self, *flags, **settings):
        """mechanisms="PLAIN" is --mechanisms PLAIN; True a flag, a list the
        same option several times; None and False are left out."""
        self.command = [program(), *flags]
        for name, value in settings.items():
            option = "--" + name.replace("_", "-")
            if value is True:
                self.command.append(option)
            elif value is not None and value is not False:
                for one in value if isinstance(value, list) else [value]:
                    self.command += [option, one if isinstance(one, bytes)
                                     else str(one)]

    def __enter__(self):
        self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE)
        self.rest = b""
        self.port = int(self._line())
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        self.child.stdout.close()

    def _line(self):
        """The next line it prints."""
        while b"\n" not in self.rest:
            ready, _, _ = select.select([self.child.stdout], [], [],
                                        30 * slowness())
            octets = os.read(self.child.stdout.fileno(), 1 << 16) \
                if ready else b""
            assert octets, f"the peer says nothing more: {self.command}"
            self.rest += octets
        line, _, self.rest = self.rest.partition(b"\n")
        return line

    def log(self):
        """What the next connection did that has not been asked for."""
        return json.loads(self._line(), object_hook=Log)

    def is_quiet(self):
        """Nobody else has come."""
        return not self.rest and not select.select(
            [self.child.stdout], [], [], 0.02)[0]


class Log(dict):
    """log.auth[0].mechanism"""

    __getattr__ = dict.__getitem__
