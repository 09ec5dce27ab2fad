"""A peer that hangs up at random: what comes twice, and that nothing is lost.

A message may come twice only where the peer had taken it and its answer got
lost; the log then has a line for that attempt with uncertain=yes.
"""

import random
from collections import Counter

import pytest

from backlog import Backlog
from delay import Delay
from depot import DROP, LOSE, Depot
from harness import takes_part

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
