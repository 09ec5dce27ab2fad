"""A peer that hangs up at random: what comes twice, and that nothing is lost.

A message may come twice only where the peer had taken it and its answer got
lost; the log then has a line for that attempt with uncertain=yes.
"""

import random
import signal
import subprocess
import sys
import threading
from collections import Counter

import pytest

from backlog import Backlog, message
from delay import Delay
from depot import DROP, LOSE, Depot
from harness import binary, slowness, takes_part, wrapper

COUNT = 100


class Moody:
    """Hangs up with some chance at each step, often without saying that it
    has kept a message.  The tenth it keeps so, whatever chance says: what comes
    of that depends on who is how fast, too."""

    def __init__(self, seed, chance):
        self.chance, self.random = chance, random.Random(seed)
        self.accepted = 0

    def __call__(self, session, event):
        self.accepted += event == "accept"
        if event == "accept" and self.accepted == 10:
            return LOSE
        if self.random.random() >= self.chance:
            return None
        if event == "accept" and self.random.random() < 0.7:
            return LOSE
        return DROP


def uncertain(log):
    return [line for line in log.splitlines() if "uncertain=yes" in line]


@pytest.mark.parametrize("chunking", [True, False], ids=["bdat", "data"])
@pytest.mark.parametrize("seed", range(2 if takes_part() else 6))
def test_twice_only_where_the_answer_was_lost(rider, seed, chunking):
    moody = Moody(seed, 0.02)
    log = rider.home / "log"
    with Depot(chunking, fault=moody) as depot, \
            Delay(depot.port, 0.001) as line:
        backlog = Backlog(rider, line.port, logfile=log)
        marks = backlog.fill(COUNT)
        for _ in range(200):
            if not backlog.paths():
                break
            backlog.run("-q")
        assert depot.settle()
    assert not backlog.paths()
    came = Counter(depot.marks())
    assert set(came) == set(marks)                  # nothing is lost
    twice = Counter({mark: n - 1 for mark, n in came.items() if n > 1})
    assert not twice - depot.unheard, (twice, depot.unheard)
    assert twice                                    # else nothing was tried
    assert len(uncertain(log.read_text())) >= sum(twice.values())
    for letter in depot.letters:
        assert letter.content.endswith(b"\r\nhello\r\n")


def test_an_orderly_peer_gets_each_once(rider):
    log = rider.home / "log"
    with Depot() as depot:
        backlog = Backlog(rider, depot.port, logfile=log)
        marks = backlog.fill(COUNT)
        assert backlog.run("-q").code == 0
        assert depot.settle()
    assert depot.marks() == marks
    assert not uncertain(log.read_text())


class Late:
    """Says that it has a message only once it may; others hear of the first
    that waits for that."""

    def __init__(self, name):
        self.name = name
        self.waits, self.may_go = threading.Event(), threading.Event()

    def __call__(self, session, event):
        if event == "accept" and self.name in session.letter.recipients:
            self.waits.set()
            self.may_go.wait(30 * slowness())


@pytest.mark.parametrize("chunking", [True, False], ids=["bdat", "data"])
@pytest.mark.parametrize("connections, number", [
    (1, signal.SIGTERM), (2, signal.SIGTERM), (1, signal.SIGHUP)])
def test_a_run_that_is_told_to_end(rider, chunking, connections, number):
    """What was said is waited for, and noted; nothing more is begun."""
    late = Late("bob@example.net")
    with Depot(chunking, fault=late) as depot:
        backlog = Backlog(rider, depot.port, queue_connections=connections)
        marks = backlog.fill(300)
        child = subprocess.Popen(
            [*wrapper(), binary(), "-q"], cwd=rider.home,
            env=rider.environment(),    # who runs this may ignore it
            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
        assert late.waits.wait(30 * slowness())
        child.send_signal(number)
        late.may_go.set()
        assert child.wait(30 * slowness()) == -number
        assert depot.settle()
        left = list(backlog.entries())
        assert not depot.unheard and len(left) < 300
        assert left or connections > 1  # the other one hears of it later
        assert sorted(depot.marks() + left) == marks


# What a service manager does: once the process that it has started has ended,
# it ends those that this one has left.
MANAGER = """
import ctypes, os, signal, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)         # PR_SET_CHILD_SUBREAPER
code = subprocess.run(sys.argv[2:], stdin=open(sys.argv[1])).returncode
sys.stdin.read(1)
left = open(f"/proc/self/task/{os.getpid()}/children").read().split()
for pid in left:
    os.kill(int(pid), signal.SIGTERM)
print(code, len(left), flush=True)
for pid in left:
    os.waitpid(int(pid), 0)
"""


@pytest.mark.parametrize("chunking", [True, False], ids=["bdat", "data"])
def test_what_a_service_leaves_behind_is_ended(rider, chunking):
    """A message that is sent takes along what is due, in the background."""
    late = Late("bob@example.net")
    with Depot(chunking, fault=late) as depot:
        backlog = Backlog(rider, depot.port)
        backlog.enqueue("old@example.org")
        letter = rider.home / "letter"
        letter.write_bytes(message("new@example.org"))
        manager = subprocess.Popen(
            [sys.executable, "-c", MANAGER, str(letter), *wrapper(), binary(),
             "carol@example.net"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, cwd=rider.home, env=rider.environment())
        assert late.waits.wait(30 * slowness())
        manager.stdin.write(b"\n")
        manager.stdin.close()
        assert manager.stdout.readline() == b"0 1\n"
        late.may_go.set()
        assert manager.wait(30 * slowness()) == 0
        manager.stdout.close()
        assert depot.settle()
    assert sorted(depot.marks()) == ["new@example.org", "old@example.org"]
    assert backlog.paths() == []
