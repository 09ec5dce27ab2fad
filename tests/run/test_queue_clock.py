"""The queue and clocks that are set, that stand still, that jump.

The binary gets clocks of its own (../clock/clock.c, in front of the C
library's), so days pass in a moment: each run is at a time that the test says.
"""

import os
import re
import shlex
import signal
import struct
import subprocess
import time
from pathlib import Path

import pytest

from backlog import Backlog, MARK, margin, message, settings
from depot import DROP, Depot
from harness import binary, has_sanitizers, slowness, wrapper

SOURCE = Path(__file__).parent.parent / "clock/clock.c"
MINUTE, HOUR, DAY = 60, 3600, 86400
YEAR = 365 * DAY
SLACK = 5 * slowness()  # seconds that the machine may take for a few runs


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    path = tmp_path_factory.mktemp("clock") / "clock.so"
    subprocess.run([*shlex.split(os.environ.get("CC", "cc")), "-shared",
                    "-fPIC", "-O", "-Wall", "-Werror", "-o", path, SOURCE],
                   check=True)
    return path


class Clock:
    """What the binary takes for the time."""

    def __init__(self, rider, shim, path):
        self.path, self.wall, self.steady = path, 0, 0
        self.set()
        rider.env.update(LD_PRELOAD=shim, CLOCK_FILE=path)
        if has_sanitizers():
            rider.env["ASAN_OPTIONS"] = ":".join(
                [os.environ.get("ASAN_OPTIONS", ""),
                 "verify_asan_link_order=0"])

    def set(self, wall=None, steady=None):
        """Seconds by which they differ from the machine's."""
        self.wall = self.wall if wall is None else wall
        self.steady = self.steady if steady is None else steady
        octets = struct.pack("=qq", round(self.wall), round(self.steady))
        if not self.path.exists():
            self.path.write_bytes(octets)
        with open(self.path, "r+b", buffering=0) as file:
            file.write(octets)

    def forward(self, seconds):
        self.set(self.wall + seconds)

    @property
    def now(self):
        return time.time() + self.wall

    def go_to(self, instant):
        self.set(instant - time.time())


@pytest.fixture
def clock(rider, shim, tmp_path):
    return Clock(rider, shim, tmp_path / "clock")


class Server(Depot):
    """Says no to every recipient, for now; or is dead; or takes them.  Knows
    when it was asked."""

    def __init__(self, clock, mood="later"):
        super().__init__(fault=self._judge)
        self.clock, self.mood = clock, mood
        self.asked, self.called = [], []

    def _judge(self, session, event):
        if event == "connect":
            self.called.append(self.clock.now)
            if self.mood == "dead":
                return DROP
        if event == "rcpt" and "bob@" in session.line:
            self.asked.append(self.clock.now)
            if self.mood == "later":
                return "451 4.7.1 greylisted"
        return None


@pytest.fixture
def server(clock):
    with Server(clock) as server:
        yield server


def next_attempt(backlog, mark=MARK % 0):
    """When it is due, as its file says."""
    return int(backlog.events(backlog.entries()[mark], "attempt")[-1][2])


def created(backlog, mark=MARK % 0):
    block = backlog.entries()[mark].read_bytes()
    return int(re.search(rb"(?m)^created (\d+)$", block)[1])


def attempts(backlog, mark=MARK % 0):
    return backlog.events(backlog.entries()[mark], "attempt")


def run_due(backlog):
    return backlog.run("--queue-run")


def fresh(rider, server, **more):
    backlog = Backlog(rider, server.port, **more)
    backlog.enqueue()
    assert run_due(backlog).code == 0   # a timer's: it waits
    assert len(server.asked) == 1
    return backlog


def test_the_shim_is_at_work(rider, clock, server):
    """Else nothing here would mean anything."""
    clock.set(10 * YEAR)
    backlog = Backlog(rider, server.port)
    backlog.enqueue()
    assert abs(created(backlog) - clock.now) < 60


def test_twice_as_long_each_time_up_to_four_hours(rider, clock, server):
    backlog = Backlog(rider, server.port, queue_warn="off")
    for i in range(8):
        backlog.enqueue(MARK % i)
    assert run_due(backlog).code == 0   # a timer's: it waits
    waits = []
    for turn in range(12):
        expected = min(MINUTE << turn, 4 * HOUR)
        due = {mark: int(backlog.events(path, "attempt")[-1][2])
               for mark, path in backlog.entries().items()}
        asked = {mark: int(backlog.events(path, "attempt")[-1][1])
                 for mark, path in backlog.entries().items()}
        assert len(due) == 8
        for mark in due:
            wait = due[mark] - asked[mark]
            assert 0.74 * expected - 1 <= wait <= 1.26 * expected + 1
            waits.append(wait / expected)
        # Before the first is due nobody is asked; when all are, all are.
        before = len(server.asked)
        if min(due.values()) - clock.now > 2 * SLACK:
            clock.go_to(min(due.values()) - SLACK)
            run_due(backlog)
            assert len(server.asked) == before
        clock.go_to(max(due.values()) + 1)
        run_due(backlog)
        assert len(server.asked) == before + 8
    assert len({round(wait, 2) for wait in waits}) > 10     # jitter
    assert min(waits) < 0.95 and max(waits) > 1.05


def test_a_run_by_hand_does_not_wait(rider, clock, server):
    backlog = fresh(rider, server)
    for _ in range(3):
        backlog.run("-q")
    assert len(server.asked) == 4


@pytest.mark.parametrize("attempts_before", [1, 6])
@pytest.mark.parametrize("back", [HOUR, YEAR, 30 * YEAR])
def test_a_clock_that_is_set_back(rider, clock, server, back, attempts_before):
    """It is tried at once, or after no more than the usual time; it is not
    given up, and there is no storm."""
    backlog = fresh(rider, server)
    for _ in range(attempts_before - 1):
        clock.go_to(next_attempt(backlog) + 1)
        run_due(backlog)
    asked = len(server.asked)
    assert asked == attempts_before
    clock.forward(-back)
    most = 1.26 * min(MINUTE << asked, 4 * HOUR)
    for _ in range(20):
        run_due(backlog)
    assert asked <= len(server.asked) <= asked + 1
    clock.forward(most + 2)
    run_due(backlog)
    assert asked < len(server.asked) <= asked + 2
    server.mood = "willing"
    clock.forward(2 * most + 2)
    assert run_due(backlog).code == 0
    assert server.marks() == [MARK % 0] and not backlog.paths()


@pytest.mark.parametrize("mood", ["later", "dead"])
@pytest.mark.parametrize("year", [1970, 2019, 2099])
def test_what_came_by_a_wrong_clock(rider, clock, server, mood, year):
    """What came before the time was known has all the time of others, and no
    more."""
    clock.go_to((year - 1970) * YEAR + 100)
    server.mood = mood
    backlog = Backlog(rider, server.port, queue_warn="4h", queue_lifetime="5d")
    assert backlog.run("bob@example.net", stdin=message(MARK % 0)).code == 0
    clock.set(0)

    def run(times):     # each with an attempt
        for _ in range(times):
            clock.forward(4 * HOUR + 600)
            backlog.run("-q")
        return MARK % 0 in backlog.entries()
    assert run(30)      # five days and a bit
    assert not run(8)
    server.mood = "willing"
    backlog.run("-q")
    # that it is late, which is given up with it where nothing goes; and its end
    assert [(letter.sender, letter.recipients) for letter in server.letters] \
        == [("", ["alice@example.org"])] * (1 + (mood == "later"))


def test_a_server_that_takes_only_so_many_recipients(rider, clock):
    """The others get it soon, however many they are (RFC 5321 4.5.3.1.10):
    nobody is given up who was never looked at."""
    def fault(session, event):
        if event == "rcpt" and len(session.letter.recipients) > 2:
            return "452 4.5.3 too many recipients"

    people = [f"person{i}@example.net" for i in range(24)]
    with Depot(fault=fault) as depot:
        backlog = Backlog(rider, depot.port)
        backlog.enqueue(to=people)
        for _ in range(12):
            assert backlog.paths()
            run_due(backlog)
            clock.forward(90)
        assert depot.settle()
    assert not backlog.paths()
    assert [letter.recipients for letter in depot.letters] == [
        people[i:i + 2] for i in range(0, 24, 2)]


def test_a_year_forward_and_back(rider, clock, server):
    """An attempt in a wrong year gives nothing up, and the schedule goes on
    when the clock is right again."""
    backlog = fresh(rider, server, queue_warn="off")
    clock.forward(YEAR)
    for _ in range(20):
        run_due(backlog)
    assert len(server.asked) == 2
    clock.forward(-YEAR)
    for _ in range(20):
        run_due(backlog)
    assert len(server.asked) <= 3
    clock.forward(5 * MINUTE)
    server.mood = "willing"
    assert run_due(backlog).code == 0
    assert server.marks() == [MARK % 0] and not backlog.paths()


def test_the_server_is_left_alone_by_the_right_clock(rider, clock, server):
    """What is remembered of a dead server outlives no set clock."""
    server.mood = "dead"
    backlog = Backlog(rider, server.port, queue_warn="off")
    backlog.enqueue()
    run_due(backlog)
    called = len(server.called)
    for _ in range(5):
        run_due(backlog)
    assert len(server.called) == called == 1
    clock.forward(-YEAR)
    for _ in range(20):
        run_due(backlog)
    assert len(server.called) <= called + 1
    clock.forward(40 * MINUTE)
    run_due(backlog)
    assert len(server.called) > called
    clock.forward(2 * YEAR)
    called = len(server.called)
    for _ in range(20):
        run_due(backlog)
    assert len(server.called) == called + 1
    clock.forward(-2 * YEAR)
    server.mood = "willing"
    clock.forward(40 * MINUTE)
    assert run_due(backlog).code == 0
    assert server.marks() == [MARK % 0]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago",
                                  "nonsense", "", "<+99>-24"])
def test_time_zones_are_of_no_concern(rider, clock, server, zone):
    backlog = fresh(rider, server)
    rider.env["TZ"] = zone
    run_due(backlog)
    assert len(server.asked) == 1
    clock.go_to(next_attempt(backlog) + 1)
    rider.env["TZ"] = "Asia/Kathmandu"
    run_due(backlog)
    assert len(server.asked) == 2


@pytest.mark.parametrize("moment", [
    1774746000,     # 2026-03-29 01:00 UTC: summer begins in Berlin
    1792890000,     # 2026-10-25 01:00 UTC: it ends
])
def test_the_hour_that_is_missing_and_the_one_that_comes_twice(
        rider, clock, server, moment):
    rider.env["TZ"] = "Europe/Berlin"
    clock.go_to(moment - 20)
    backlog = fresh(rider, server)
    wait = next_attempt(backlog) - clock.now
    assert 0 < wait <= 76
    clock.go_to(moment + 5)
    run_due(backlog)
    assert len(server.asked) == 1
    clock.go_to(next_attempt(backlog) + 1)
    run_due(backlog)
    assert len(server.asked) == 2


def reports(server, kind):
    return [letter for letter in server.letters if not letter.sender and
            re.search(rb"(?im)^Action: " + kind, letter.content)]


def test_late_is_told_once_and_failed_after_two_attempts(rider, clock, server):
    backlog = fresh(rider, server)
    start = clock.now
    over = created(backlog) + 5 * DAY
    seen = []
    while MARK % 0 in backlog.entries():
        assert clock.now < start + 7 * DAY
        due = next_attempt(backlog)
        clock.go_to(due + 1)
        run_due(backlog)
        backlog.run("-q!R", "bob@")     # the reports, at once
        seen.append((clock.now - start, len(reports(server, b"delayed")),
                     len(reports(server, b"failed"))))
    assert backlog.run("-q").code == 0
    assert not backlog.paths()
    for at, delayed, failed in seen[:-1]:
        assert delayed == (at >= 4 * HOUR) or at < 4 * HOUR + SLACK, at
        assert failed == 0
    [late], [last] = reports(server, b"delayed"), reports(server, b"failed")
    for letter in (late, last):
        assert letter.recipients == ["alice@example.org"]
    # One attempt may be before the end, the last two are after it.
    assert sum(at > over + SLACK for at in server.asked) <= 2
    assert sum(at > over - SLACK for at in server.asked) >= 2
    assert 25 < len(server.asked) < 60


def test_a_machine_that_slept_through_the_lifetime(rider, clock, server):
    """It tries twice before it gives up, and takes its time between."""
    backlog = fresh(rider, server)
    clock.forward(20 * DAY)
    for _ in range(5):
        run_due(backlog)
    assert len(server.asked) == 2
    assert MARK % 0 in backlog.entries()
    assert reports(server, b"failed") == []
    clock.go_to(next_attempt(backlog) + 1)
    run_due(backlog)
    assert len(server.asked) == 3
    assert MARK % 0 not in backlog.entries()
    backlog.run("-q")
    assert len(reports(server, b"failed")) == 1


def test_who_slept_may_still_succeed(rider, clock, server):
    backlog = fresh(rider, server)
    clock.forward(20 * DAY)
    server.mood = "willing"
    assert run_due(backlog).code == 0
    assert MARK % 0 in server.marks()
    backlog.run("-q")
    assert reports(server, b"failed") == [] and not backlog.paths()


def test_a_dead_server_and_the_lifetime(rider, clock, server):
    """Messages whose server can't be reached are given up as well, by the same
    rule."""
    server.mood = "dead"
    backlog = Backlog(rider, server.port)
    backlog.enqueue()
    run_due(backlog)
    clock.forward(20 * DAY)
    run_due(backlog)
    assert MARK % 0 in backlog.entries()
    clock.forward(HOUR)
    run_due(backlog)
    assert MARK % 0 not in backlog.entries()
    assert len(server.called) == 3
    server.mood = "willing"
    assert backlog.run("-q").code == 0
    assert len(reports(server, b"failed")) == 1, server.letters
    assert not backlog.paths()


class Daemon:
    """The binary in the foreground, for as long as the block lasts."""

    def __init__(self, rider, *words):
        self.rider, self.words = rider, words

    def __enter__(self):
        self.child = subprocess.Popen(
            [*wrapper(), binary(), *self.words], cwd=self.rider.home,
            env=self.rider.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            start_new_session=True)
        return self

    def __exit__(self, *_):
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(10 * slowness())
        finally:
            self.child.kill()
            self.child.wait()
            self.child.stderr.close()


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds * slowness()
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)


@pytest.mark.parametrize("steady", [0, 7 * DAY], ids=["stands", "jumps"])
def test_no_storm_after_a_week_of_sleep(rider, clock, server, steady):
    """A process that waits for the next run, while the machine sleeps: the
    monotonic clock stands still (Linux) or has gone on as well."""
    backlog = Backlog(rider, server.port, queue_warn="off")
    for i in range(20):
        backlog.enqueue(MARK % i)
    with Daemon(rider, "-qf1s"):
        wait_for(lambda: len(server.asked) == 20)
        time.sleep(2.5)
        assert len(server.asked) == 20 and len(server.called) == 1
        clock.set(7 * DAY, steady)
        wait_for(lambda: len(server.asked) >= 40)
        time.sleep(2.5)
        assert len(server.asked) == 40 and len(server.called) == 2
        server.mood = "dead"
        clock.set(8 * DAY)
        wait_for(lambda: len(server.called) >= 3)
        time.sleep(2.5)
        assert len(server.called) == 3
        clock.set(-YEAR)                    # and set back while it runs
        server.mood = "willing"
        clock.set(-YEAR + HOUR)
        wait_for(lambda: len(server.letters) == 20)
    assert sorted(server.marks()) == [MARK % i for i in range(20)]


def test_an_id_is_no_promise_of_order(rider, clock, server):
    """Messages of a clock that went back have other names, and none is lost
    for it."""
    backlog = Backlog(rider, server.port)
    for i, wall in enumerate((0, -YEAR, YEAR, -50 * YEAR, 0)):
        clock.set(wall)
        backlog.enqueue(MARK % i)
    server.mood = "willing"
    clock.set(0)
    assert backlog.run("-q").code == 0
    assert sorted(server.marks()) == [MARK % i for i in range(5)]
