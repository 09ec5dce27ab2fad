"""The queue's files, as src/queue/README has their form, made by hand: so what
the program says of a queue is told apart from how it fills one.

    queue = Spool(rider.home / ".local/state/postrider/queue")
    entry = queue.add(to=["bob@example.net"], age=7200)
    queue.note(entry, "hold 1764398429 by hand")
    queue.events(entry)             # the lines behind the message
    with queue.busy(entry): ...     # as if it were being sent
"""

import contextlib
import fcntl
import itertools
import time

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
HEADER = b"From: alice@example.org\r\nSubject: hello\r\n"
BODY = b"First line\r\nlast line\r\n"
counter = itertools.count()


def base36(number, width):
    text = ""
    while number or len(text) < width:
        number, digit = divmod(number, 36)
        text = DIGITS[digit] + text
    return text


COARSE = 5      # CLOCK_REALTIME_COARSE: time(2) is behind the other by a tick


def deferred(recipient, words="450 4.2.1 try later", host="mx.example",
             at=None, event="deferred", status="4.2.1", code=450):
    return (f"{event} {recipient} {at or int(time.time())} recipient {status}"
            f" {code} {host} - {words}")


class Spool:
    def __init__(self, path):
        self.path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Every missing parent is made by the umask, which is not ours.
        path.chmod(0o700)

    def add(self, to=("bob@example.net",), sender="alice@example.org", age=0,
            header=HEADER, body=BODY, lines=(), events=()):
        """A message queued `age` seconds ago; its id."""
        now = time.clock_gettime(COARSE) - age
        entry = base36(int(now * 1000), 9) + base36(next(counter), 7)
        block = ["postrider 1", f"created {int(now)}", *lines,
                 f"from {sender}" if sender else "from",
                 *(f"to {address}" for address in to),
                 f"longest-line {max(map(len, body.splitlines()), default=0)}",
                 f"header {len(header)}",
                 f"size {len(header) + 2 + len(body)}", "", ""]
        path = self.path / entry
        path.write_bytes("\n".join(block).encode() + header + b"\r\n" + body +
                         "".join(e + "\n" for e in events).encode())
        path.chmod(0o600)
        return entry

    def ids(self):
        return sorted(p.name for p in self.path.iterdir()
                      if "." not in p.name)

    def note(self, entry, event):
        with open(self.path / entry, "a") as file:
            file.write(event + "\n")

    def events(self, entry):
        """The last lines, of which the message has none like them."""
        text = (self.path / entry).read_bytes()
        return text[text.rindex(b"\r\n") + 2:].decode().splitlines()

    @contextlib.contextmanager
    def busy(self, entry):
        with open(self.path / entry, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
