"""A queue full of messages, and what is in one.

    backlog = Backlog(rider, depot)     # writes the configuration
    backlog.enqueue("first@example.org")
    backlog.fill(10000)         # as many copies of what -odq writes
    backlog.entries()           # {mark: Path} of what waits
    backlog.run("-q")

A message is known by its mark, what Message-ID holds.  Copies are exact but for
that, and for their names, which are ids of the same moment.
"""

import re
import time

from harness import has_sanitizers

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
MARK = "mark%08d@example.org"


def message(mark, body="hello\n", sender="alice@example.org"):
    return (f"From: {sender}\nTo: bob@example.net\nSubject: hello\n"
            "Date: Sun, 22 Nov 2026 12:00:00 +0000\n"
            f"Message-ID: <{mark}>\n\n{body}").encode()


def mark_of(octets):
    found = re.search(rb"(?im)^message-id:\s*<([^>]*)>", octets)
    return found[1].decode() if found else ""


def digits(number, length):
    result = ""
    for _ in range(length):
        number, digit = divmod(number, 36)
        result = DIGITS[digit] + result
    return result


def settings(port, name="default", **more):
    """An account without TLS and login; what is None is left out."""
    values = {"host": "127.0.0.1", "port": port, "timeout": 20, "tls": "off",
              "auth": "off", "from": "alice@example.org", "queue": "on"}
    values.update(more)
    return "".join([f"account {name}\n"] + [
        f"{key} {value}\n" for key, value in values.items()
        if value is not None])


def margin(kib):
    """Memory that may be used beyond what is counted: a build with sanitizers
    keeps what was freed for a while."""
    return kib + (600 << 10) * has_sanitizers()


class Backlog:
    def __init__(self, rider, port, **more):
        self.rider = rider
        self.folder = rider.home / ".local/state/postrider/queue"
        rider.config(settings(port, **more))

    def run(self, *arguments, stdin=b"", timeout=120, **more):
        return self.rider.run(*arguments, stdin=stdin, timeout=timeout, **more)

    def enqueue(self, mark=MARK % 0, *options, to=("bob@example.net",), **more):
        result = self.run("-odq", *options, *to, stdin=message(mark, **more))
        assert result.code == 0, result
        return mark

    def fill(self, count, first=0, keep=False):
        """So many copies of one that -odq has written."""
        before = set(self.paths())
        self.enqueue(MARK % first)
        [path] = set(self.paths()) - before
        octets, now = path.read_bytes(), int(time.time() * 1000) - count
        path.unlink()
        known = (MARK % first).encode()
        assert known in octets
        for i in range(count):
            copy = path.with_name(digits(now + i, 9) + digits(first + i, 7))
            copy.write_bytes(octets.replace(known,
                                            (MARK % (first + i)).encode()))
            copy.chmod(0o600)
        return [MARK % (first + i) for i in range(count)]

    def paths(self):
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir()
                      if "." not in path.name)

    def entries(self):
        found = {}
        for path in self.paths():
            try:
                found[mark_of(path.read_bytes())] = path
            except FileNotFoundError:
                pass
        return found

    def events(self, path, word):
        """The words of each such line behind the message."""
        tail = path.read_bytes().rpartition(b"\r\n")[2].decode("utf-8",
                                                               "replace")
        return [line.split() for line in tail.splitlines()
                if line.split(" ")[0] == word]
