"""What may be on the disk after a power failure: a model of a file system.

The tracer lists what a program did below a directory (strike.py); operations()
makes of it a list of Operation, and Disk.trees() every tree of files that may
be found when the power fails behind those that were done.

The disk keeps only what POSIX promises.  What fsync or fdatasync was called for
is there.  Of the rest:

  * each page of 4 KiB that was written may be there or not, whatever became of
    the others; where it is not there is what was there before, or zeros
  * the size of the file may be any that it has had since; its last octets may
    also be there up to any of them (only those places are looked at where
    something ends or begins)
  * each name that was made or removed in a directory may be there or not,
    whatever became of the others; so a rename may give both names, or none
"""

import itertools
import os
from dataclasses import dataclass, field

PAGE = 4096
PIECES = 6          # unsynced pages of which every subset is looked at
O_TMPFILE = 0o20000000
O_CREAT, O_TRUNC = os.O_CREAT, os.O_TRUNC
WRITES = ("write", "writev", "pwrite64", "pwritev", "copy_file_range",
          "sendfile", "splice")
HEARS = ("read", "recvfrom", "recvmsg", "readv")
DIRECTORY = "directory"


@dataclass
class Operation:
    """kind: make write cut sync syncdir enter leave mode heard."""
    kind: str
    file: str = None        # which; DIRECTORY: what a name is
    name: str = None        # path below the root
    at: int = 0             # octet; the mode of a directory
    data: bytes = b""


class Reader:
    """Follows the calls of all processes."""

    made = itertools.count()

    def __init__(self, root, before, files):
        self.root = os.path.realpath(root)
        self.names = dict(before)       # what each name is at this moment
        self.which = {files[n]: file for n, file in before.items()}
        self.open = {}                  # (pid, descriptor): file
        self.found = []

    def make(self, identity):
        """A new file; its inode may have been another's until now."""
        self.which[identity] = f"made {next(self.made)}"
        self.add("make", self.which[identity])

    def file(self, call):
        return self.which.get(call["file"], call["file"])

    def below(self, path):
        """The path below the root; None: it is elsewhere."""
        path = path.removesuffix(" (deleted)")
        if path == self.root:
            return ""
        return path[len(self.root) + 1:] \
            if path.startswith(self.root + "/") else None

    def full(self, call, i):
        """The i-th name of a call, below the root or None."""
        path = call["paths"][i]
        if not path.startswith("/"):
            fds = call["fds"]
            path = os.path.normpath(os.path.join(
                fds[i] if i < len(fds) else os.getcwd(), path))
        return self.below(path)

    def add(self, *args, **kwargs):
        self.found.append(Operation(*args, **kwargs))

    def enter(self, name, file, mode=0):
        self.names[name] = file
        self.add("enter", file, name, at=mode)

    def leave(self, name):
        self.names.pop(name, None)
        self.add("leave", None, name)

    def take(self, call):
        name = call["name"]
        if call["result"] < 0:
            return
        if name in WRITES:
            if "data" in call:
                self.add("write", self.file(call), at=call["at"],
                         data=bytes.fromhex(call["data"]))
        elif name in HEARS:
            if call["fds"][0].startswith("socket:") and call["result"]:
                self.add("heard")
        elif getattr(self, "on_" + name, None):
            getattr(self, "on_" + name)(call)

    def on_openat(self, call, flags=2):
        path, flags = self.full(call, 0), call["args"][flags]
        if path is None or "file" not in call:
            self.open.pop((call["pid"], call["result"]), None)
            return
        if flags & O_TMPFILE == O_TMPFILE:
            self.make(call["file"])
        elif flags & O_CREAT and path not in self.names:
            self.make(call["file"])
            self.enter(path, self.file(call))
        elif flags & O_TRUNC:
            self.add("cut", self.file(call), at=0)
        self.open[call["pid"], call["result"]] = self.file(call)

    def on_open(self, call):
        self.on_openat(call, 1)

    def on_ftruncate(self, call):
        if self.below(call["fds"][0]) is not None:
            self.add("cut", self.file(call), at=call["args"][1])

    def on_fsync(self, call):
        path = self.below(call["fds"][0])
        if path is None:
            return
        if call["is_directory"]:
            self.add("syncdir", name=path)
        else:
            self.add("sync", self.file(call))

    on_fdatasync = on_fsync

    def on_linkat(self, call):
        new, old = self.full(call, 1), call["paths"][0]
        if new is None:
            return
        if old.startswith("/proc/self/fd/"):
            file = self.open[call["pid"], int(old.rsplit("/", 1)[1])]
        elif not old:
            file = self.file(call)
        else:
            file = self.names[self.full(call, 0)]
        self.enter(new, file)

    def on_renameat(self, call):
        old, new = self.full(call, 0), self.full(call, 1)
        if old is not None and new is not None:
            file = self.names[old]
            self.leave(old)
            self.enter(new, file)

    on_renameat2 = on_rename = on_renameat

    def on_link(self, call):
        if self.full(call, 1) is not None:
            self.enter(self.full(call, 1), self.names[self.full(call, 0)])

    def on_unlinkat(self, call):
        if self.full(call, 0) is not None:
            self.leave(self.full(call, 0))

    on_unlink = on_rmdir = on_unlinkat

    def on_mkdirat(self, call, mode=2):
        if self.full(call, 0) is not None:
            self.enter(self.full(call, 0), DIRECTORY, call["args"][mode])

    def on_mkdir(self, call):
        self.on_mkdirat(call, 1)

    def on_fchmod(self, call):
        path = self.below(call["fds"][0])
        if path is not None and call["is_directory"]:
            self.add("mode", DIRECTORY, path, call["args"][1])


def identity(path):
    status = os.stat(path)
    return f"{status.st_dev}:{status.st_ino}"


def operations(calls, root, before, files):
    """before: {name: file} as the tree was; files: {name: identity}, as what
    the tracer tells each.  What is made is told from all that ever was."""
    reader = Reader(root, before, files)
    for call in calls:
        reader.take(call)
    return reader.found


@dataclass
class File:
    kept: bytes = b""                           # as it is on the disk
    done: list = field(default_factory=list)    # since then, unsynced

    def now(self):
        data = bytearray(self.kept)
        for operation in self.done:
            change(data, operation)
        return bytes(data)

    def contents(self):
        """Each that may be found."""
        if not self.done:
            return {self.kept}
        pieces, sizes = [], {len(self.kept)}
        data = bytearray(self.kept)
        for operation in self.done:
            if operation.kind == "cut":
                pieces.append(operation)
            else:
                pieces += split(operation)
            change(data, operation)
            sizes.add(len(data))
        sizes |= edges(len(self.kept), bytes(data))
        found = set()
        for chosen in subsets(pieces):
            data = bytearray(self.kept)
            for piece in chosen:
                change(data, piece)
            for size in sizes:
                found.add(bytes(data[:size]).ljust(size, b"\0"))
        return found


def change(data, operation):
    if operation.kind == "cut":
        del data[operation.at:]
        data.extend(bytes(operation.at - len(data)))
        return
    end = operation.at + len(operation.data)
    data.extend(bytes(max(0, end - len(data))))
    data[operation.at:end] = operation.data


def split(operation):
    """A write, page by page."""
    at, data = operation.at, operation.data
    while data:
        n = PAGE - at % PAGE
        yield Operation("write", operation.file, at=at, data=data[:n])
        at, data = at + n, data[n:]


def subsets(pieces):
    if len(pieces) <= PIECES:
        for n in range(len(pieces) + 1):
            yield from itertools.combinations(pieces, n)
        return
    for i in range(len(pieces) + 1):        # a prefix; all but one; only one
        yield pieces[:i]
        yield pieces[:i] + pieces[i + 1:]
        yield pieces[i:i + 1]


def edges(start, data):
    """Sizes at which something that was appended may be torn: at and beside
    the first and last few ends of lines, and in the middle."""
    ends, at = [], data.find(b"\n", start)
    while at >= 0:
        ends.append(at + 1)
        at = data.find(b"\n", at + 1)
    places = {start + 1, (start + len(data)) // 2, len(data) - 1}
    for end in ends[:3] + ends[-3:]:
        places |= {end - 1, end, end + 1}
    return {p for p in places if 0 <= p <= len(data)}


class Disk:
    """before: {name: octets}, or DIRECTORY for a directory; all of it is on the
    disk.  `files` tells which file a name is."""

    def __init__(self, before, files):
        self.files = {files[name]: File(data) for name, data in before.items()
                      if data != DIRECTORY}
        self.names = {name: [DIRECTORY if data == DIRECTORY else files[name]]
                      for name, data in before.items()}
        self.modes = {}         # of directories that were made or changed

    def do(self, o):
        if o.kind == "make":
            self.files[o.file] = File()
        elif o.kind in ("write", "cut"):
            self.files[o.file].done.append(o)
        elif o.kind == "sync":
            self.files[o.file] = File(self.files[o.file].now())
        elif o.kind == "syncdir":
            for name in self.names:
                if os.path.dirname(name) == o.name:
                    self.names[name] = self.names[name][-1:]
        elif o.kind in ("enter", "leave"):
            # what it was on the disk, then what it has been since
            self.names.setdefault(o.name, [None]).append(o.file)
        if o.file == DIRECTORY:
            self.modes[o.name] = o.at

    def now(self):
        """What a program sees as long as the power does not fail."""
        return {name: DIRECTORY if file == DIRECTORY
                else self.files[file].now()
                for name, file in self.which().items()}

    def which(self):
        """{name: file}, as a program sees it."""
        return {name: was[-1] for name, was in self.names.items() if was[-1]}

    def trees(self):
        """Each that may be found, as a frozenset of (name, octets)."""
        names = sorted(self.names)
        found = set()
        for chosen in itertools.product(
                *(dict.fromkeys(self.names[n]) for n in names)):
            is_what = {n: w for n, w in zip(names, chosen) if w}
            there = {n: w for n, w in is_what.items()
                     if has_way(n, is_what)}
            files = sorted({w for w in there.values() if w != DIRECTORY})
            for contents in itertools.product(
                    *(sorted(self.files[f].contents()) for f in files)):
                data = dict(zip(files, contents))
                found.add(frozenset(
                    (n, data.get(w, DIRECTORY)) for n, w in there.items()))
        return found


def has_way(name, is_what):
    parent = os.path.dirname(name)
    while parent:
        if is_what.get(parent) != DIRECTORY:
            return False
        parent = os.path.dirname(parent)
    return True
