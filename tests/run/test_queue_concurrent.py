"""Many at one queue: who enqueues, who sends, who holds, releases, removes.

What goes in comes out once: at the server, by removal, or it is still there.
With POSTRIDER_TABLES=whole the crowd is at it for a minute, else for a few
seconds.
"""

import fcntl
import mmap
import os
import pty
import random
import re
import select
import shutil
import subprocess
import tempfile
import termios
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from backlog import Backlog, MARK, mark_of, message, settings
from depot import DROP, Depot
from harness import binary, slowness, takes_part
from quick import Quick
from rogue import Rogue

SECONDS = 60 if os.environ.get("POSTRIDER_TABLES") == "whole" else \
    4 if takes_part() else 8
MOST = 60       # seconds more, until everything has happened
CROWD = 64
RUNNERS = 4
AHEAD = 10      # messages
MEDDLING = ["hold", "release", "remove"]


class Crowd:
    """Processes that call the binary over and over, and note what came of it:
    a line each, a word and the rest.  All go on until their time is over, each
    word of MEDDLING was done once, and a message has arrived."""

    def __init__(self, backlog, seconds):
        self.backlog, self.seconds = backlog, seconds
        self.notes, self.held = [], []
        self.acts = []
        self.done = mmap.mmap(-1, len(MEDDLING) + 1)    # of all processes

    def add(self, act, *arguments):
        self.acts.append((act, arguments))

    def is_over(self, end):
        late = time.monotonic() - end
        return late > 0 and (all(self.done[:]) or late > MOST * slowness())

    def go(self):
        end = time.monotonic() + self.seconds
        self.files = [tempfile.TemporaryFile("w+") for _ in self.acts]
        pids = [self._fork(file, end, *act)
                for file, act in zip(self.files, self.acts)]
        codes = [os.waitpid(pid, 0)[1] for pid in pids]
        for file in self.files:
            file.seek(0)
            self.notes += file.read().splitlines()
            file.close()
        assert set(codes) == {0}, self.of("failed")

    def of(self, word):
        return [note.partition(" ")[2] for note in self.notes
                if note.startswith(word + " ")]

    def _fork(self, file, end, act, arguments):
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            if act != self.meddle:
                os.nice(19)     # who tests something else gets his share
            quick = Quick(self.backlog.rider.home)
            turn = 0
            while not turn or not self.is_over(end):
                act(quick, file, turn, *arguments)
                turn += 1
            code = 0
        except BaseException as error:
            print("failed", repr(error), file=file)
        finally:
            file.flush()
            os._exit(code)

    def enqueue(self, quick, file, turn, number):
        mark = f"{number}.{turn}@example.org"
        code, said, _ = quick.run(["-odq", "bob@example.net"], message(mark))
        assert code == 0, said
        print("queued", mark, file=file)

    def send(self, quick, file, turn):
        code, said, _ = quick.run(["-q"], b"")
        assert code == 0, said
        print("sent", turn, file=file)

    def meddle(self, quick, file, turn, chance):
        """Hold, release or remove one that is there just now."""
        paths = self.backlog.paths()
        if not paths:
            time.sleep(0.01)
            return
        word = chance.choice(["hold", *MEDDLING])
        path = chance.choice(paths)
        if word == "release":
            path = self.held.pop() if self.held else path
        try:
            mark = mark_of(path.read_bytes())
        except FileNotFoundError:
            return
        code, said, _ = quick.run([f"--queue-{word}", path.name], b"")
        # It may be gone, or just being sent.
        assert code in (0, 69, 75), (word, code, said)
        done = {"hold": "held"}.get(word, word + "d")
        if f"{path.name} {done}\n" in said:
            print(word, mark, file=file)
            self.done[MEDDLING.index(word)] = 1
            self.held += [path] * (word == "hold")


    def arrive(self, _, event):
        if event == "accept":
            self.done[len(MEDDLING)] = 1


def test_nothing_is_lost_in_a_crowd(rider):
    with Depot() as depot:
        backlog = Backlog(rider, depot.port)
        crowd = Crowd(backlog, SECONDS)
        depot.fault = crowd.arrive
        crowd.add(crowd.meddle, random.Random(1))
        for number in range(RUNNERS):
            crowd.add(crowd.send)
        for number in range(CROWD):
            crowd.add(crowd.enqueue, number)
        crowd.go()
        assert depot.settle()
    left = list(backlog.entries())
    assert len(left) == len(backlog.paths())
    delivered = depot.marks()
    assert Counter(crowd.of("queued")) == \
        Counter(delivered + left + crowd.of("remove"))
    assert delivered and len(crowd.of("sent")) >= RUNNERS
    for word in MEDDLING:
        assert crowd.of(word), word
    # What is left is whole, and goes out when it may.
    with Depot() as depot:
        rider.config(settings(depot.port))
        if left:
            backlog.run("--queue-release", "all")
        assert backlog.run("-q").code == 0
        assert depot.settle()
    assert sorted(depot.marks()) == sorted(left)
    assert backlog.paths() == []
    for letter in depot.letters:
        assert letter.content == message(letter.mark).replace(b"\n", b"\r\n")


def run_together(backlog, times, *words):
    results = [None] * times

    def one(i):
        results[i] = backlog.run(*words)
    threads = [threading.Thread(target=one, args=(i,)) for i in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("chunking", [True, False], ids=["bdat", "data"])
def test_two_runs_at_once_share_the_work(rider, chunking):
    def fault(session, event):      # long enough for the other to look
        if event == "mail":
            time.sleep(0.001)

    with Depot(chunking, fault=fault) as depot:
        backlog = Backlog(rider, depot.port)
        marks = backlog.fill(500)
        results = run_together(backlog, 3, "-q")
        assert depot.settle()
    assert [result.code for result in results] == [0, 0, 0], results
    assert sorted(depot.marks()) == marks
    assert backlog.paths() == []


@pytest.mark.parametrize("connections", [1, 4])
def test_sessions_side_by_side(rider, connections):
    """queue_connections, and each of them has work: none of them begins before
    all are there, nor gets ahead of the others by much."""
    here, end = [], time.monotonic() + 30 * slowness()

    def is_fair(session):
        return len(here) == connections and session.taken <= AHEAD + min(
            one.taken for one in here if one is session or not one.is_over)

    def fault(session, event):
        if event == "connect":
            here.append(session)
        while event == "mail" and not is_fair(session) and \
                time.monotonic() < end:
            time.sleep(0.002)

    with Depot(fault=fault) as depot:
        backlog = Backlog(rider, depot.port, queue_connections=connections)
        marks = backlog.fill(200)
        result = backlog.run("-q")
        assert depot.settle()
    assert result.code == 0, result
    assert depot.sessions == depot.most_open == connections
    assert sorted(depot.marks()) == marks
    shares = Counter(letter.session for letter in depot.letters)
    assert len(shares) == connections and min(shares.values()) >= 20
    assert backlog.paths() == []


def test_a_server_without_room_for_so_many(rider):
    """Who has no session leaves it all to the first, who has one: nothing is
    wrong, and nothing is known of the server afterwards."""
    here = []

    def fault(session, event):
        if event == "connect":
            here.append(session)
            if session.number > 1:
                return "421 4.7.0 too many connections"
        if event == "mail" and session.taken == 1:
            end = time.monotonic() + 30 * slowness()
            while len(here) < 4 and time.monotonic() < end:
                time.sleep(0.002)       # so that all of them have tried

    with Depot(fault=fault) as depot:
        backlog = Backlog(rider, depot.port, queue_connections=4)
        marks = backlog.fill(20)
        result = backlog.run("-q")
        assert depot.settle()
    assert (result.code, result.err) == (0, ""), result
    assert depot.sessions == 4
    assert sorted(depot.marks()) == marks
    assert list(backlog.folder.iterdir()) == []


def test_what_is_in_the_way_of_all_is_found_once(rider, start, account):
    """A login that is refused, and a file that is no message."""
    peer = start(strict=False, users={"alice": "another one"})
    backlog = Backlog(rider, 1)
    rider.config(account(peer, queue="on", queue_connections=4))
    for i in range(8):
        backlog.enqueue(MARK % i)
    odd = backlog.folder / ("0" * 16)
    odd.write_bytes(b"nothing\n")
    odd.chmod(0o600)
    result = backlog.run("-q")
    assert peer.settle(5)
    assert result.code and len(result.err.splitlines()) == 1, result
    assert len(peer.sessions) == 1


def test_a_connection_more_than_messages_is_not_made(rider):
    with Depot() as depot:
        backlog = Backlog(rider, depot.port, queue_connections=4)
        backlog.enqueue()
        assert backlog.run("-q").code == 0
        assert depot.settle()
    assert depot.sessions == 1 and len(depot.letters) == 1


def test_each_account_has_its_session(rider):
    with Depot() as one, Depot() as two:
        backlog = Backlog(rider, one.port)
        rider.config(settings(one.port, "one") + settings(two.port, "two") +
                     "account default : one\n")
        for i in range(20):
            backlog.enqueue(MARK % i, "-a", "two" if i % 2 else "one")
        result = backlog.run("-q")
        assert one.settle() and two.settle()
    assert result.code == 0, result
    assert (one.sessions, two.sessions) == (1, 1)
    assert one.marks() == [MARK % i for i in range(0, 20, 2)]
    assert two.marks() == [MARK % i for i in range(1, 20, 2)]


def test_what_servers_do_hides_nothing_of_our_own(rider, start, account):
    """A timer's run is silent of a login that is refused, but not of the
    account that is gone, whichever is found first."""
    peer = start(strict=False, users={"alice": "another one"})
    one = account(peer, "one", queue="on")
    backlog = Backlog(rider, 1)
    rider.config(one + account(peer, "two", queue="on"))
    for i, name in enumerate(["one", "two", "one"]):
        backlog.enqueue(MARK % i, "-a", name)
    rider.config(one)
    for _ in range(2):
        result = backlog.run("--queue-run")
        assert result.code == 78 and "'two'" in result.err, result
        assert len(result.err.splitlines()) == 1, result
    backlog.entries()[MARK % 1].unlink()
    result = backlog.run("--queue-run")
    assert (result.code, result.err) == (0, ""), result


def test_a_dead_server_is_no_obstacle_for_the_other(rider):
    """One attempt for 500 messages, and only those wait."""
    dead = Depot(fault=lambda session, event: DROP)
    with Depot() as alive, dead:
        backlog = Backlog(rider, dead.port)
        backlog.fill(500)
        rider.config(settings(dead.port) + settings(alive.port, "alive"))
        backlog.enqueue("other@example.org", "-a", "alive")
        result = backlog.run("-q")
        assert alive.settle() and dead.settle()
        assert dead.sessions == 1
        assert result.code == 75, result
        assert alive.marks() == ["other@example.org"]
        assert len(backlog.paths()) == 500
        # It is not even called before its time, unless somebody says so.
        assert backlog.run("--queue-run").code in (0, 75)
        assert dead.sessions == 1
        assert backlog.run("-q").code == 75
        assert dead.sessions == 2
    for path in backlog.paths()[:20]:   # nothing was said about the message
        assert backlog.events(path, "attempt") == []


@pytest.mark.parametrize("chunking", [True, False], ids=["bdat", "data"])
@pytest.mark.parametrize("limit", [1, 7, 100])
def test_a_server_that_takes_only_so_many_at_a_time(rider, limit, chunking):
    """It says 421 to the next MAIL; then another session goes on."""
    def fault(session, event):
        if event == "mail" and session.taken >= limit:
            return "421 4.7.0 enough for this session"

    count = 30 * limit if limit < 30 else 250
    with Depot(chunking, fault=fault) as depot:
        backlog = Backlog(rider, depot.port)
        marks = backlog.fill(count)
        result = backlog.run("-q")
        assert depot.settle()
    assert result.code == 0, result
    assert sorted(depot.marks()) == marks
    assert -(-count // limit) <= depot.sessions <= -(-count // limit) + 1
    assert backlog.paths() == []


@pytest.mark.parametrize("chunking", [True, False], ids=["bdat", "data"])
@pytest.mark.parametrize("event", ["mail", "rcpt", "accept"])
def test_a_message_that_kills_every_session_blocks_no_other(rider, event,
                                                           chunking):
    fatal = MARK % 10

    def fault(session, what):
        letter = session.letter
        if what == "accept" and event == what and letter.mark == fatal or \
                what == event and "poison" in session.line:
            session.flush()         # what was accepted is known
            return DROP

    with Depot(chunking, fault=fault) as depot:
        backlog = Backlog(rider, depot.port)
        for i in range(30):
            extra = {"to": ("poison@example.net",)} if i == 10 and \
                event == "rcpt" else {}
            options = ("-f", "poison@example.org") if i == 10 and \
                event == "mail" else ()
            backlog.enqueue(MARK % i, *options, **extra)
        results = []
        for _ in range(3):
            results.append(backlog.run("-q"))
        assert depot.settle()
    others = [MARK % i for i in range(30) if i != 10]
    assert sorted(depot.marks()) == others
    assert list(backlog.entries()) == [fatal]
    assert results[-1].code == 75, results[-1]
    assert depot.sessions <= 12


@pytest.mark.parametrize("chunking", [True, False], ids=["bdat", "data"])
def test_a_server_that_bears_only_so_many_refusals(rider, chunking):
    """Who was refused is not named again, so the others get it."""
    refused = Counter()

    def fault(session, event):
        if event == "rcpt" and refused[session.number] == 2:
            return "421 4.7.0 too many errors"
        if event == "rcpt" and "nobody" in session.line:
            refused[session.number] += 1
            return "550 5.1.1 no such user"

    people = [f"nobody{i}@example.net" for i in range(5)]
    with Depot(chunking, fault=fault) as depot:
        backlog = Backlog(rider, depot.port)
        backlog.enqueue(MARK % 0, to=[*people, "bob@example.net"])
        for _ in range(3):
            backlog.run("-q")
        assert depot.settle()
    came = [letter for letter in depot.letters
            if letter.recipients == ["bob@example.net"]]
    assert [letter.mark for letter in came] == [MARK % 0]
    told = b"".join(letter.content for letter in depot.letters
                    if letter.sender == "")
    assert all(told.count(b"rfc822; %s\r\n" % one.encode()) == 1
               for one in people), told
    assert backlog.paths() == []


@pytest.mark.parametrize("chunking", [True, False], ids=["bdat", "data"])
def test_a_server_that_takes_so_many_recipients(rider, chunking):
    """And ends the session when it has refused too many more, so that nobody
    gets the message: it is sent to fewer at a time, in the same run."""
    def fault(session, event):
        if event == "rcpt" and len(session.letter.recipients) > 200:
            refused[session.number] += 1
            if refused[session.number] > 50:
                return "421 4.7.0 too many errors"
            return "452 4.5.3 too many recipients"

    refused = Counter()
    people = [f"p{i}@example.net" for i in range(450)]
    with Depot(chunking, fault=fault) as depot:
        backlog = Backlog(rider, depot.port)
        backlog.enqueue(MARK % 0, to=people)
        first = backlog.run("-q")
        assert first.code == 75 and not depot.letters, first
        sessions = depot.sessions
        last = backlog.run("-q")
        assert depot.settle()
    assert (last.code, last.err) == (0, ""), last
    assert backlog.paths() == []
    assert depot.sessions == sessions + 1
    got = [one for letter in depot.letters for one in letter.recipients]
    assert sorted(got) == sorted(people)
    assert max(len(letter.recipients) for letter in depot.letters) <= 100


def test_each_of_so_many_has_a_turn(rider):
    """The first are refused for now, again and again: they are in nobody's
    way."""
    def fault(session, event):
        if event != "rcpt":
            return None
        asked[session.number, session.taken] += 1
        if asked[session.number, session.taken] > 150:
            return "421 4.7.0 too many recipients"
        if "<busy" in session.line:
            return "450 4.2.1 busy"
        return None

    asked = Counter()
    busy = [f"busy{i}@example.net" for i in range(120)]
    others = [f"p{i}@example.net" for i in range(150)]
    with Depot(fault=fault) as depot:
        backlog = Backlog(rider, depot.port)
        backlog.enqueue(MARK % 0, to=busy + others)
        for _ in range(4):
            assert backlog.run("-q").code == 75
        assert depot.settle()
    got = [one for letter in depot.letters for one in letter.recipients]
    assert sorted(got) == sorted(others)


def test_a_reply_too_many_does_not_lose_a_message(rider):
    """RCPT is answered twice, and the first message refused: the 250 that its
    BDAT seems to get is none."""
    came = []

    def script(talk):
        talk.say(b"220 rogue ESMTP\r\n")
        talk.hello(b"PIPELINING", b"CHUNKING")
        is_first = len(rogue.talks) == 1
        while True:
            line = talk.line()
            answer = b"250 2.0.0 ok\r\n"
            if line.startswith(b"BDAT"):
                size = int(line.split()[1])
                while len(talk.buffer) < size:
                    talk.more()
                letter = bytes(talk.buffer[:size])
                del talk.buffer[:size]
                if is_first:
                    answer = b"452 4.3.1 full\r\n"
                else:
                    came.append(mark_of(letter))
            elif line.startswith(b"RCPT") and is_first:
                answer *= 2
            talk.say(answer)

    with Rogue(script, "none") as rogue:
        backlog = Backlog(rider, rogue.port)
        marks = [backlog.enqueue(MARK % i) for i in range(3)]
        for _ in range(3):
            backlog.run("-q")
    assert sorted(came) == marks
    assert backlog.paths() == []


@pytest.mark.parametrize("event, reply", [
    ("data", "250 2.0.0 ok"), ("rcpt", "354 go ahead"),
    ("mail", "354 go ahead"), ("accept", "354 go ahead")])
def test_what_is_no_answer_judges_no_message(rider, event, reply):
    """It can't be told what it was said of, so nothing is given up for it."""
    said = []

    def fault(session, what):
        if what == event and not said:
            said.append(reply)
            return reply

    with Depot(False, fault=fault) as depot:
        backlog = Backlog(rider, depot.port)
        marks = backlog.fill(3)
        for _ in range(2):
            backlog.run("-q")
        assert depot.settle()
    assert said and not backlog.paths()
    assert sorted(depot.marks()) == marks   # and no report


def test_a_refused_login_stops_the_account(rider, start, account):
    """… until the secret is another one, or somebody asks for it."""
    peer = start(strict=False, users={"alice": "another one"})
    backlog = Backlog(rider, 1)
    text = account(peer, queue="on")
    rider.config(text)
    for i in range(20):
        backlog.enqueue(MARK % i)
    first = backlog.run("--queue-run")
    assert peer.settle(5)
    sessions = len(peer.sessions)
    assert sessions == 1, first
    for _ in range(3):
        backlog.run("--queue-run")
    assert len(peer.sessions) == sessions
    backlog.run("-q")
    assert len(peer.sessions) == sessions + 1
    rider.config(re.sub(r'password ".*"', 'password "another one"', text))
    last = backlog.run("--queue-run")
    assert peer.settle(5)
    assert last.code == 0, last
    assert len(peer.sessions) == sessions + 2
    assert backlog.paths() == []


@pytest.fixture
def users(rider):
    """Some with a home of their own, in a passwd file of this test's own mount
    namespace: users(name, configuration) is the home, users.run(…) runs."""
    folder = Path(tempfile.mkdtemp(prefix="postrider-users-"))
    yield Users(rider, folder)
    shutil.rmtree(folder)


class Users:
    def __init__(self, rider, folder):
        self.rider, self.folder = rider, folder
        self.uids = {"root": 0}
        self.program = folder / "postrider"
        shutil.copy(binary(), self.program)
        folder.chmod(0o755)
        self.passwd = folder / "passwd"
        self.passwd.write_text(Path("/etc/passwd").read_text())

    def __call__(self, name, text):
        uid = self.uids[name] = 70000 + len(self.uids)
        home = self.folder / name
        with open(self.passwd, "a", encoding="ascii") as file:
            file.write(f"{name}:x:{uid}:{uid}::{home}:/bin/sh\n")
        home.mkdir()
        config = home / ".postriderrc"
        config.write_text(text)
        config.chmod(0o600)
        for path in (home, config):
            os.chown(path, uid, uid)
        return home

    def run(self, name, *words, stdin=b"", **more):
        uid = self.uids[name]
        home = self.folder / name if uid else self.rider.home
        return subprocess.run(
            ["unshare", "-m", "--propagation", "private", "sh", "-c",
             'mount --bind "$1" /etc/passwd; shift; exec "$@"', "sh",
             self.passwd, "setpriv", f"--reuid={uid}", f"--regid={uid}",
             "--clear-groups", self.program, *words], input=stdin,
            env=self.rider.environment({"HOME": home}),
            timeout=60 * slowness(), **(more or {"capture_output": True}))


def test_root_sends_for_every_user(users):
    """-q --all-users: each queue by its owner, with the owner's
    configuration."""
    names = [f"user{i}" for i in range(3)]
    with ExitStack() as stack:
        depots = {}
        for name in names:
            depots[name] = stack.enter_context(Depot())
            users(name, settings(depots[name].port))
            for i in range(3):
                result = users.run(name, "-odq", "bob@example.net",
                                   stdin=message(f"{name}.{i}@example.org"))
                assert result.returncode == 0, result
        result = users.run("root", "-q", "--all-users")
        assert result.returncode == 0, result
        for name, depot in depots.items():
            assert depot.settle()
            assert depot.sessions == 1
            assert sorted(depot.marks()) == [
                f"{name}.{i}@example.org" for i in range(3)]
    # Not root: refused, and it says so.
    result = users.run("user0", "-q", "--all-users")
    assert result.returncode != 0 and result.stderr, result


INTRUDER = """
import fcntl, os, termios
print("terminal", os.isatty(2), file=log)
for path in "/dev/tty", "/proc/self/fd/2":
    try:
        os.open(path, os.O_RDWR | os.O_NOCTTY)
        print("opened", path, file=log)
    except OSError:
        pass
if fcntl.fcntl(2, fcntl.F_GETFL) & os.O_ACCMODE != os.O_WRONLY:
    print("readable", file=log)
try:
    fcntl.ioctl(2, termios.TIOCSTI, b"x")
    print("typed", file=log)
except OSError:
    pass
"""


def test_a_user_s_command_does_not_get_root_s_terminal(users):
    """Who runs it by hand has a terminal, at which a command of a user's
    configuration could type for root; what went wrong is still said there."""
    home = users("user0", settings(None, host=None, tunnel="python3 ~/x"))
    log = home / "log"
    (home / "x").write_text(f"log = open({str(log)!r}, 'w')\n" + INTRUDER)
    result = users.run("user0", "-odq", "bob@example.net",
                       stdin=message(MARK % 0))
    assert result.returncode == 0, result
    ours, theirs = pty.openpty()

    def prepare():
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    result = users.run("root", "-q", "--all-users", stdin=None, stdout=theirs,
                       stderr=theirs, preexec_fn=prepare)
    said = b""
    while select.select([ours], [], [], 0)[0]:
        try:
            said += os.read(ours, 4096)
        except OSError:         # its session is over
            break
    os.close(theirs)
    os.close(ours)
    assert result.returncode == 75 and b"tunnel" in said, said
    assert log.read_text() == "terminal True\n"
