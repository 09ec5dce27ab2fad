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
from strike import SENDER, Spool, entries, shape
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
    lacks: str = ""             # what the file system can't do: strike -x


LONG = MESSAGE + b"".join(b"%060d\n" % i for i in range(100))
CASES = {
    "enqueue": Case(["-odq", BOB], MESSAGE),
    "enqueue-first": Case(["-odq", BOB], MESSAGE, fresh=True),
    "deferred": Case([BOB], MESSAGE, faults={"rcpt": LATER}),
    "large": Case(["-odq", BOB], LONG),
    "by-name": Case(["-odq", BOB], LONG, lacks="tmpfile=95"),
    "by-name-linked": Case(["-odq", BOB], LONG,
                           lacks="tmpfile=95,renameat2=22"),
    "by-name-renamed": Case(["-odq", BOB], LONG,
                            lacks="tmpfile=95,renameat2=22,linkat=1"),
    "not-linked": Case(["-odq", BOB], LONG, lacks="linkat=2"),
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
        """Run it; what was there, and what it did, step by step."""
        case, spool = self.case, self.spool
        words = case.words
        if case.queued:
            assert spool.run(case.queued, MESSAGE).code == 0
            name, = entries(spool.take())
            words = [name if w == "ID" else w for w in words]
        elif not case.fresh:
            spool.queue.mkdir(mode=0o700, parents=True)
        spool.peer.faults = dict(case.faults)
        before, files, steps = self.watch(words)
        spool.peer.faults = {}
        return before, files, steps

    def watch(self, words, which=None):
        """What is there, and what it does; which: {name: file} where the files
        are known by other names than their identities."""
        before, files = tree_of(self.spool)
        run = self.spool.strike(
            ["count"], words, self.case.stdin,
            ["-d", os.path.realpath(self.disk), "-x", self.case.lacks])
        assert run.code in self.case.code, run
        which = which or {n: DIRECTORY if d == DIRECTORY else files[n]
                          for n, d in before.items()}
        return before, files, operations(run.calls, self.disk, which, files)

    def put(self, tree, modes={}):
        """These files, (name, octets), as after a start of the machine."""
        shutil.rmtree(self.disk)
        self.disk.mkdir()
        for name, data in sorted(tree):
            path = self.disk / name
            if data == DIRECTORY:
                path.mkdir()
                path.chmod(modes.get(name, 0o700))
            else:
                path.write_bytes(data)
                path.chmod(0o600)

    def count(self, tree, done):
        """How often each recipient gets it from these files; whole messages
        only.  And what to say where that is wrong."""
        spool = self.spool
        self.put(tree)
        spool.forget()
        listed = spool.run(["-bp"])
        assert listed.code == 0, (listed, tree)
        if self.case.words[0] == "--queue-hold":
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
        return times, where

    def judge(self, tree, done, is_over):
        """done: the steps that were done; is_over: 0 was returned."""
        case = self.case
        if case.words[0] == "--queue-hold" and is_over:
            self.put(tree)
            self.spool.forget()
            self.spool.run(["-q"])
            assert self.spool.got == [], f"it was held: {tree}"
        times, where = self.count(tree, done)
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
    every = -(-len(seen) // (PART if takes_part() else MOST))
    for (tree, is_over, _), n in itertools.islice(
            seen.items(), 0, None, every):
        trial.judge(tree, steps[:n], is_over)
    kinds = {s.kind for s in steps}
    assert "sync" in kinds or "syncdir" in kinds, kinds
    assert (trial.case.heard or 0) <= sum(s.kind == "heard" for s in steps)
    print(f"{len(steps)} steps, {len(seen)} trees, every {every}. tried")


@pytest.mark.parametrize("lacks", ["", "tmpfile=95"])
def test_power_after_a_crash(tmp_path, lacks):
    """The first message was on its way into a queue that had to be made when
    its program was killed; a second one is accepted; then the power fails."""
    case = Case(["-odq", BOB], MESSAGE, fresh=True, lacks=lacks)
    with Trial(tmp_path, case) as trial:
        before, files, steps = trial.record()
        assert sum(s.file == DIRECTORY for s in steps) > 3
        seen = set()
        for n in range(len(steps) + 1):
            disk = Disk(before, files)
            for step in steps[:n]:
                disk.do(step)
            now = tuple(sorted(disk.now().items()))
            trial.put(now, disk.modes)
            *_, more = trial.watch(["-odq", CAROL], disk.which())
            for step in more:
                disk.do(step)
            for tree in disk.trees():
                key = now, shape(dict(tree))
                if key not in seen:
                    seen.add(key)
                    times, where = trial.count(tree, steps[:n] + more)
                    assert times.get(CAROL) == 1, where
        print(f"{len(steps)} steps, {len(seen)} trees")
