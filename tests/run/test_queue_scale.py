"""Ten thousand messages in the queue: what is looked at, kept and said.

Times are compared with those of a small program that reads the same files in
the same run; turns, sessions, messages and octets are counted.
"""

import socket
import subprocess
import sys
import time

import pytest

from backlog import Backlog, MARK, margin, message
from delay import Delay
from depot import Depot
from harness import Postrider, has_sanitizers, slowness, takes_part

MANY = 10_000
FEW = 100
LOOKS = 100
READER = """
import os, sys
for name in sorted(os.listdir(sys.argv[1])):
    with open(os.path.join(sys.argv[1], name), "rb") as file:
        os.fstat(file.fileno())
        data = file.read()
        data.partition(b"\\n\\n")[0].split(b"\\n")
        data.rpartition(b"\\r\\n")
"""
MULTIPLE = 4        # of the time that the reader takes
BUSY = "421 4.3.2 come back later"


def fastest(action, times=3):
    def once():
        start = time.perf_counter()
        action()
        return time.perf_counter() - start
    return min(once() for _ in range(times))


def reading(backlog):
    """Seconds that reading the queue's files takes anybody."""
    return fastest(lambda: subprocess.run(
        [sys.executable, "-I", "-S", "-c", READER, backlog.folder],
        check=True))


def allowed(backlog):
    return reading(backlog) * MULTIPLE * slowness()


@pytest.fixture
def full(rider):
    """A queue with MANY in it, for a server that nobody has called yet."""
    with Depot() as depot:
        backlog = Backlog(rider, depot.port)
        backlog.marks = backlog.fill(MANY)
        backlog.depot = depot
        yield backlog


def test_the_list_is_read_as_fast_as_the_files_are(full):
    said = []
    seconds = fastest(lambda: said.append(full.run("-bp")))
    assert all(one.code == 0 for one in said), said[0]
    assert said[0].out.count("bob@example.net") == MANY
    assert seconds <= allowed(full)


def test_a_run_begins_as_fast_as_the_files_are_read(full):
    called = []

    def fault(session, event):
        called.append(time.perf_counter())
        return BUSY

    full.depot.fault = fault

    def begin():
        called.clear()
        start = time.perf_counter()
        full.run("-q")
        assert len(called) == 1     # a server that is busy is left alone
        return called[0] - start

    assert min(begin() for _ in range(3)) <= allowed(full)
    assert len(full.paths()) == MANY


@pytest.mark.parametrize("words", [("-bp",), ("-q",)])
def test_memory_does_not_grow_with_the_queue(rider, tmp_path, words):
    """What few need is over so quickly that it is seldom seen in time where
    the machine has other work: then it is looked at again."""
    with Depot() as depot:
        backlog = Backlog(rider, depot.port)
        backlog.fill(MANY)
        much = backlog.run(*words)
        assert much.code == 0, much
        backlog, little = Backlog(Postrider(tmp_path / "few"), depot.port), 0
        for _ in range(LOOKS):
            if not backlog.paths():
                backlog.fill(FEW)
            result = backlog.run(*words)
            assert result.code == 0, result
            little = max(little, result.peak)
            if much.peak - little <= margin(4 << 10):
                break
    assert much.peak - little <= margin(4 << 10)


@pytest.mark.parametrize("chunking", [True, False], ids=["bdat", "data"])
def test_one_session_carries_them_all(rider, chunking):
    """As many turns as the protocol needs, and each octet of each message at
    the server once."""
    count = MANY if chunking or not takes_part() else FEW
    count = count if chunking else min(count, 2000)
    delay = 0.025 if chunking else 0.001
    with Depot(chunking) as depot, Delay(depot.port, delay) as line:
        backlog = Backlog(rider, line.port)
        marks = backlog.fill(count)
        result = backlog.run("-q", timeout=300)
        assert depot.settle()
    assert result.code == 0 and result.err == "", result
    assert depot.sessions == line.sessions == 1
    assert depot.violations == []
    assert depot.marks() == marks       # each once, the oldest first
    for letter in depot.letters:
        assert letter.sender == "alice@example.org"
        assert letter.recipients == ["bob@example.net"]
        assert letter.content == message(letter.mark).replace(b"\n", b"\r\n")
    if chunking:
        assert line.turns * 100 <= count
    else:
        assert line.turns <= 1.05 * count + 10
    assert backlog.paths() == []


def test_messages_of_every_length_follow_each_other(rider):
    """… and of every way in which a line may begin and end."""
    bodies = ["", ".\n", "..\n", "no line end", "\n\n",
              ("x" * 76 + "\n") * 2000,
              "y" * 998 + "\n", "MAIL FROM:<mallory@example.org>\n",
              ".\nMAIL FROM:<mallory@example.org>\n", "é\n" * 300_000]
    for chunking in (True, False):
        with Depot(chunking) as depot, Delay(depot.port, 0.002) as line:
            backlog = Backlog(rider, line.port)
            for i, body in enumerate(bodies * 3):
                backlog.enqueue(MARK % i, body=body)
            stored = {mark: path.read_bytes() for mark, path in
                      backlog.entries().items()}
            result = backlog.run("-q")
            assert depot.settle()
        assert result.code == 0, result
        assert depot.sessions == 1 and depot.violations == []
        assert depot.marks() == [MARK % i for i in range(3 * len(bodies))]
        for letter in depot.letters:
            assert letter.content in stored[letter.mark]
            body = letter.content.partition(b"\r\n\r\n")[2]
            wanted = bodies[int(letter.mark[4:12]) % len(bodies)].encode()
            assert body.replace(b"\r\n", b"\n").rstrip(b"\n") == \
                wanted.rstrip(b"\n")


def test_the_line_counts_turns():
    """The measure itself: a client that waits each time, and one that does
    not."""
    count = 50 if has_sanitizers() else 200
    for waits in (True, False):
        with Depot() as depot, Delay(depot.port, 0.002) as line, \
                socket.create_connection(("127.0.0.1", line.port)) as sock, \
                sock.makefile("rwb") as file:
            def answers(n):
                for _ in range(n):
                    while file.readline()[3:4] == b"-":
                        pass
            answers(1)
            file.write(b"EHLO client\r\n")
            file.flush()
            answers(1)
            text = message("1@x").replace(b"\n", b"\r\n")
            one = b"MAIL FROM:<a@example.org>\r\n" \
                b"RCPT TO:<b@example.org>\r\n" \
                b"BDAT %d LAST\r\n" % len(text) + text
            for _ in range(count if waits else 1):
                sock.sendall(one if waits else one * count)
                answers(3 if waits else 3 * count)
            if waits:
                assert line.turns == 2 + count
            else:       # who is held up while he sends has waited as well
                assert 3 <= line.turns <= 3 + count // 10
            assert len(depot.letters) == count and depot.violations == []
