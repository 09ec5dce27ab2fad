"""The power fails at every point of what is done to a queue.

What one run does to the files is recorded; power.py tells each tree of files
that the disk may hold when the power fails behind any of these steps; each is
put in place, listed and sent.  What must be true then is what test_crash.py
says, and: whoever was told 0 has the message in the queue, or the server has
it, whatever was not synced.
"""

import itertools
import os
import shutil
from dataclasses import dataclass, field

import pytest
from harness import takes_part
from power import DIRECTORY, Disk, identity, operations
from strike import SENDER, Spool, entries
from test_crash import BOB, CAROL, LATER, MESSAGE, NEVER, WIRE, judge_report

MOST = 400      # trees of one case that are tried; more: every so many
PART = 60


@dataclass
class Case:
    words: list                 # as in test_crash.py
    stdin: bytes = b""
    queued: list = field(default_factory=list)
    faults: dict = field(default_factory=dict)
    refuse: dict = field(default_factory=dict)
    to: tuple = (BOB,)
    report: bool = False
    is_removal: bool = False
    code: tuple = (0,)
    heard: int = None           # replies until the server has accepted it
    fresh: bool = False         # there is no queue before
    strike: tuple = ()          # what the file system can't do, see strike.py


NO_TMPFILE = ("fail", "1", "95", "openat", "queue")     # EOPNOTSUPP
CASES = {
    "enqueue": Case(["-odq", BOB], MESSAGE),
    "enqueue-first": Case(["-odq", BOB], MESSAGE, fresh=True),
    "deferred": Case([BOB], MESSAGE, faults={"rcpt": LATER}),
    "large": Case(["-odq", BOB],
                  MESSAGE + b"x" * 70 + b"\n" * 3 + b"y" * 6000 + b"\n"),
    "run": Case(["-q"], queued=["-odq", BOB], heard=4),
    "run-deferred": Case(["-q"], queued=["-odq", BOB],
                         faults={"rcpt": LATER}, code=(0, 75)),
    "run-partly": Case(["-q"], queued=["-odq", BOB, CAROL], heard=4,
                       refuse={CAROL: NEVER}, report=True,
                       code=(0, 67, 69, 75)),
    "run-refused": Case(["-q"], queued=["-odq", BOB], refuse={BOB: NEVER},
                        to=(), report=True, code=(0, 67, 69)),
    "remove": Case(["--queue-remove", "ID"], queued=["-odq", BOB],
                   is_removal=True),
    "hold": Case(["--queue-hold", "ID"], queued=["-odq", BOB]),
}


def tree_of(spool):
    """{name: octets} on the disk, and which file each is."""
    tree, files = {}, {}
    disk = spool.directory / "disk"
    for at, folders, names in os.walk(disk):
        for name in folders + names:
            path = os.path.join(at, name)
            short = os.path.relpath(path, disk)
            is_folder = os.path.isdir(path)
            with open(path, "rb") if not is_folder else \
                    open(os.devnull, "rb") as file:
                tree[short] = DIRECTORY if is_folder else file.read()
            files[short] = identity(path)
    return tree, files


class Trial:
    """A queue in a directory `disk` that nothing else is in."""

    def __init__(self, directory, case):
        self.case = case
        self.disk = directory / "disk"
        self.disk.mkdir()
        self.spool = Spool(directory, refuse=case.refuse,
                           queue_dir=self.disk / "deep" / "queue")
        self.spool.queue = self.disk / "deep" / "queue"
        self.wire = case.stdin.replace(b"\n", b"\r\n") or WIRE

    def __enter__(self):
        self.spool.__enter__()
        return self

    def __exit__(self, *_):
        self.spool.__exit__()

    def record(self):
        """Run it; what it did, step by step."""
        case, spool = self.case, self.spool
        words = case.words
        if case.queued:
            assert spool.run(case.queued, MESSAGE).code == 0
            name, = entries(spool.take())
            words = [name if w == "ID" else w for w in words]
        elif not case.fresh:
            spool.queue.mkdir(mode=0o700, parents=True)
        before, files = tree_of(spool)
        spool.forget()
        spool.peer.faults = dict(case.faults)
        run = spool.strike(["count"], words, case.stdin,
                           ["-d", os.path.realpath(self.disk)])
        spool.peer.faults = {}
        assert run.code in case.code, run
        spool.forget()
        return before, files, operations(
            run.calls, self.disk,
            {n: DIRECTORY if d == DIRECTORY else files[n]
             for n, d in before.items()})

    def put(self, tree):
        """These files, as after a start of the machine."""
        shutil.rmtree(self.disk)
        self.disk.mkdir()
        for name, data in sorted(tree):
            path = self.disk / name
            if data == DIRECTORY:
                path.mkdir(mode=0o700)
            else:
                path.write_bytes(data)
                path.chmod(0o600)

    def judge(self, tree, done, is_over):
        """done: the steps that were done; is_over: 0 was returned."""
        case, spool = self.case, self.spool
        self.put(tree)
        spool.forget()
        listed = spool.run(["-bp"])
        assert listed.code == 0, (listed, tree)
        if case.words[0] == "--queue-hold":
            spool.run(["--queue-release", "all"])
        for _ in range(2):
            spool.age()
            last = spool.run(["-q"])
        where = f"behind {done[-1] if done else 'nothing'}: {tree}\n{last}"
        assert spool.take() == {}, where
        times = {}
        for recipients, octets in spool.got:
            if SENDER in recipients:
                judge_report(octets)
            else:
                assert octets == self.wire, where
            for recipient in recipients:
                times[recipient] = times.get(recipient, 0) + 1
        heard = sum(step.kind == "heard" for step in done)
        accepted = case.heard and heard >= case.heard
        for recipient in case.to:
            n = times.get(recipient, 0)
            assert n <= 1, where
            if case.is_removal:
                # what was removed may come back until the removal is synced
                assert n == 0 or not is_over, where
            elif case.queued:
                assert n == 1 or accepted, where
            elif is_over:
                assert n == 1, where
        if case.report and not is_over:
            assert times.get(SENDER, 0) in (0, 1), where
        return times


@pytest.fixture(params=CASES)
def trial(request, tmp_path):
    with Trial(tmp_path, CASES[request.param]) as trial:
        yield trial


def test_power(trial):
    before, files, steps = trial.record()
    disk, seen = Disk(before, files), {}
    for n in range(len(steps) + 1):
        if n:
            disk.do(steps[n - 1])
        for tree in disk.trees():
            # what is asked of a tree depends on how far it had come
            key = (tree, n == len(steps),
                   sum(s.kind == "heard" for s in steps[:n]))
            seen.setdefault(key, n)
    most = PART if takes_part() else MOST
    every = -(-len(seen) // most)
    for (tree, is_over, _), n in itertools.islice(
            seen.items(), 0, None, every):
        trial.judge(tree, steps[:n], is_over)
    kinds = {s.kind for s in steps}
    assert "sync" in kinds or "syncdir" in kinds, kinds
    print(f"{len(steps)} steps, {len(seen)} trees, every {every}. tried")
