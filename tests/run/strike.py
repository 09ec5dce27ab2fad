"""Runs the binary under the tracer tests/crash/strike, many times over.

STRIKE names the tracer if it is not in tests/crash of the build directory that
the binary is in.

    with Spool(directory, faults={...}, queue="on") as spool:
        spool.put({})                       # the queue's files, before
        run = spool.strike(["kill", "17"], ["-q"])
        run.code, run.said, run.struck, run.calls
        spool.take()                        # the queue's files, after
        spool.run(["-q"])                   # without the tracer

ERRORS says which errors a system call may return that a program has to live
with, one of each kind.  (brk is none of them: it fails without an error.)
"""

import errno
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from harness import binary, has_sanitizers
from peer import Peer
from quick import Quick

SENDER = "alice@example.org"
ABANDONED = 7200        # seconds after which a temporary file is nobody's
REPORT = 3              # the descriptor that the tracer writes to

ERRORS = {
    "openat": ("EMFILE", "EIO", "ENOSPC", "EACCES", "EINTR"),
    "write": ("EIO", "ENOSPC", "EINTR"),
    "writev": ("EIO", "ENOSPC", "EINTR"),
    "pwrite64": ("EIO", "ENOSPC", "EINTR"),
    "pwritev": ("EIO", "ENOSPC", "EINTR"),
    "copy_file_range": ("EIO", "ENOSPC", "EINTR", "EXDEV", "ENOSYS"),
    "sendfile": ("EIO", "EINTR", "ENOMEM"),
    "fsync": ("EIO", "ENOSPC", "EINTR"),
    "fdatasync": ("EIO", "ENOSPC", "EINTR"),
    "ftruncate": ("EIO", "EINTR"),
    "fallocate": ("EIO", "ENOSPC", "EINTR", "EOPNOTSUPP"),
    "linkat": ("EIO", "ENOSPC", "EPERM", "EXDEV", "EMLINK", "ENOENT"),
    "renameat": ("EIO", "ENOSPC", "EROFS"),
    "renameat2": ("EIO", "ENOSPC", "EROFS", "EINVAL"),
    "rename": ("EIO", "ENOSPC", "EROFS"),
    "unlinkat": ("EIO", "EROFS"),
    "unlink": ("EIO", "EROFS"),
    "mkdirat": ("EIO", "ENOSPC", "EACCES"),
    "mkdir": ("EIO", "ENOSPC", "EACCES"),
    "flock": ("EINTR", "ENOLCK", "EWOULDBLOCK"),
    "fchmod": ("EIO", "EROFS", "EPERM"),
    "fstat": ("EIO",),
    "newfstatat": ("EIO", "EACCES"),
    "statx": ("EIO", "EACCES"),
    "getdents64": ("EIO", "ENOENT"),
    "read": ("EIO", "EINTR"),
    "pread64": ("EIO", "EINTR"),
    "lseek": ("EIO",),
    "close": ("EIO", "EINTR"),
    "dup": ("EMFILE",),
    "fcntl": ("EMFILE", "EINTR", "ENOLCK"),
    "socket": ("EMFILE", "ENOBUFS"),
    "connect": ("ECONNREFUSED", "EAGAIN", "EINTR"),
    "sendto": ("EPIPE", "EINTR", "ENOBUFS"),
    "sendmsg": ("EPIPE", "EINTR", "ENOBUFS"),
    "recvfrom": ("ECONNRESET", "EINTR"),
    "recvmsg": ("ECONNRESET", "EINTR"),
    "getsockopt": ("ENOBUFS",),
    "poll": ("EINTR", "ENOMEM"),
    "ppoll": ("EINTR", "ENOMEM"),
    "pipe2": ("EMFILE",),
    "clone": ("EAGAIN", "ENOMEM"),
    "clone3": ("EAGAIN", "ENOMEM"),
    "fork": ("EAGAIN", "ENOMEM"),
    "mmap": ("ENOMEM",),
    "mremap": ("ENOMEM",),
    "getrandom": ("EINTR",),
    "memfd_create": ("EMFILE", "ENOMEM"),
}


def tracer():
    path = os.environ.get("STRIKE") or \
        Path(binary()).parent.parent / "tests" / "crash" / "strike"
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"{path} cannot be run: make tests/crash/strike, "
                           "or set STRIKE")
    return str(path)


@dataclass
class Run:
    code: int           # 137: killed
    said: str
    struck: dict        # the call that was hit; None: there were fewer
    calls: list         # of `count`: all of them

    def __str__(self):
        return f"exit {self.code}, struck {self.struck}\n{self.said}"


class Struck(Quick):
    """The binary, behind the tracer."""

    def __init__(self, directory, config):
        super().__init__(directory, config)
        self.plain = self.command
        self.report = os.memfd_create("report")
        if has_sanitizers():    # LeakSanitizer cannot trace what is traced
            self.env["ASAN_OPTIONS"] = ":".join(
                [self.env.get("ASAN_OPTIONS", ""), "detect_leaks=0"])

    def close(self):
        super().close()
        os.close(self.report)

    def strike(self, deed, arguments, stdin=b"", options=()):
        """deed: the tracer's words, ["kill", "7"]."""
        os.ftruncate(self.report, 0)
        os.lseek(self.report, 0, os.SEEK_SET)
        self.command = [tracer(), "-m", "-o", str(REPORT), *options,
                        *deed, "--", *self.plain]
        try:
            code, said, _ = self.run(arguments, stdin)
        finally:
            self.command = self.plain
        lines = [json.loads(line) for line in
                 os.pread(self.report, 1 << 26, 0).splitlines()]
        assert lines and lines[-1]["what"] == "end", said
        struck = [line for line in lines if line["what"] == "struck"]
        return Run(code, said, struck[0] if struck else None,
                   [line for line in lines if line["what"] == "done"])

    def actions(self):
        return [(os.POSIX_SPAWN_DUP2, self.report, REPORT)]


def number(name):
    return str(getattr(errno, name))


class Spool:
    """A queue directory, a server and a configuration."""

    def __init__(self, directory, way=(), faults=None, refuse=None,
                 **settings):
        self.directory = Path(directory)
        self.queue = self.directory / "queue"
        self.peer = Peer(tls="none", unix=str(self.directory / "socket"),
                         faults=faults, refuse=refuse, capabilities=[
                             "PIPELINING", "SIZE 50000000", "8BITMIME",
                             "ENHANCEDSTATUSCODES", *way])
        values = {"host": "localhost", "socket": self.peer.unix,
                  "tls": "off", "auth": "off", "timeout": 20, "from": SENDER,
                  "domain": "client.example.org", "queue": "on",
                  "queue_dir": self.queue, **settings}
        self.quick = Struck(self.directory, "account default\n" + "".join(
            f"{k} {v}\n" for k, v in values.items() if v is not None))

    def __enter__(self):
        self.peer.__enter__()
        return self

    def __exit__(self, *_):
        self.peer.__exit__()
        self.quick.close()

    # The queue's files.

    def put(self, files):
        """Nothing but these: {name: octets}; None: no directory."""
        shutil.rmtree(self.queue, ignore_errors=True)
        if files is None:
            return
        self.queue.mkdir(mode=0o700)
        for name, data in files.items():
            path = self.queue / name
            path.write_bytes(data)
            path.chmod(0o600)

    def take(self):
        """What is there: {name: octets}."""
        if not self.queue.exists():
            return {}
        return {p.name: p.read_bytes() for p in self.queue.iterdir()}

    def age(self):
        """Whoever has left temporary files is long gone."""
        for path in self.queue.glob("tmp.*"):
            status = path.stat()
            os.utime(path, (status.st_atime - ABANDONED,
                            status.st_mtime - ABANDONED))

    # Runs.

    def strike(self, deed, arguments, stdin=b"", options=()):
        run = self.quick.strike(deed, arguments, stdin, options)
        self.settle()
        return run

    def run(self, arguments, stdin=b""):
        code, said, _ = self.quick.run(arguments, stdin)
        self.settle()
        return Run(code, said, None, [])

    def settle(self):
        assert self.peer.settle(30), "the peer still waits"

    def forget(self):
        self.peer.sessions.clear()
        self.peer.messages.clear()

    @property
    def got(self):
        """[(recipients, octets)] that the server has accepted."""
        return [(tuple(m.delivered), m.content) for m in self.peer.messages]


def entries(files):
    """The names of messages among a queue's files."""
    return sorted(name for name in files if "." not in name)


def shape(files):
    """The same for queues that differ only in time and names."""
    def plain(name, data):
        if isinstance(data, str):
            return data         # a directory, see power.py
        for i, known in enumerate(entries(files)):
            data = data.replace(known.encode(), b"ID%d" % i)
        return re.sub(rb"\d{9,}", b"N", data)
    return tuple(sorted(
        (re.sub(r"[0-9a-z]{16}$", "ID", name), str(plain(name, data)))
        for name, data in files.items()))
