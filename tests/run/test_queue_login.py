"""A login that was refused is not tried again, whoever hands over a message,
until it is another one or a person wants it."""

import os
import pty
import resource
import select
import subprocess
import time

import pytest

from conftest import MESSAGE, PASSWORD
from harness import binary, slowness, wrapper
from spooled import Spool

BOB = "bob@example.net"
SERVED = (b"EHLO me\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<%s>\r\nDATA\r\n"
          b"Subject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n" % BOB.encode())


class Stopped:
    """One message waits, as its login was refused."""

    def __init__(self, rider, peer, account):
        self.rider, self.peer, self.account = rider, peer, account
        self.queue = Spool(rider.home / ".local/state/postrider/queue")
        self.configure()
        assert self.submit().code == 0
        assert (self.sessions(), self.waiting()) == (1, 1)

    def configure(self, **settings):
        settings.setdefault("queue", "on")
        self.rider.config(self.account(self.peer, **settings))

    def submit(self, *options):
        return self.rider.run(*options, BOB, stdin=MESSAGE)

    def sessions(self):
        return len(self.peer.sessions)

    def waiting(self):
        return len(self.queue.ids())

    def notes(self):
        return [path.read_text() for path in self.queue.path.glob("server.*")]

    def becomes(self, question):
        end = time.monotonic() + 10 * slowness()
        while not question():
            assert time.monotonic() < end, "it did not come to that"
            time.sleep(0.02)
        return True


@pytest.fixture
def stopped(start, rider, account):
    return Stopped(rider, start(faults={"auth": "535 5.7.8 wrong"},
                                strict=False), account)


def test_a_message_is_queued_at_once(stopped):
    for n in range(2, 5):
        result = stopped.submit()
        assert (result.code, result.err) == (0, "")
        assert (stopped.sessions(), stopped.waiting()) == (1, n)
    [note] = stopped.notes()
    assert note.startswith("failures 1\n")


def test_by_smtp_as_well(stopped, rider):
    result = rider.run("-bs", stdin=SERVED)
    assert result.code == 0 and "250 2.0.0 queued as " in result.out
    assert (stopped.sessions(), stopped.waiting()) == (1, 2)


def test_in_the_background_as_well(stopped):
    assert stopped.submit("-odb").code == 0
    time.sleep(1)
    assert (stopped.sessions(), stopped.waiting()) == (1, 2)
    stopped.peer.faults.clear()     # and once it is another one it goes
    stopped.configure(timeout=6)
    assert stopped.submit("-odb").code == 0
    stopped.becomes(lambda: len(stopped.peer.messages) == 1)


def test_a_terminal_hears_why(stopped, rider):
    ours, theirs = pty.openpty()
    message = rider.config(MESSAGE, "message")
    with open(message, "rb") as stdin:
        child = subprocess.run([*wrapper(), binary(), BOB], stdin=stdin,
                               stderr=theirs, cwd=rider.home,
                               env=rider.environment(), check=False)
    said = b""      # select has the kernel hand over all that was written
    while select.select([ours], [], [], 0)[0]:
        said += os.read(ours, 4096)
    said = said.decode()
    os.close(theirs)
    os.close(ours)
    assert child.returncode == 0
    assert "queued as " in said and "refused before" in said
    assert "535 5.7.8 wrong" in said and "-q" in said
    assert said.count("\n") == 1


def test_another_login_is_tried(stopped):
    stopped.configure(timeout=6)
    assert stopped.submit().code == 0
    assert (stopped.sessions(), stopped.waiting()) == (2, 2)
    assert stopped.submit().code == 0 and stopped.sessions() == 2
    stopped.configure()     # only the last one that was refused is known
    stopped.peer.faults.clear()
    assert stopped.submit().code == 0
    stopped.becomes(lambda: not stopped.waiting())
    assert len(stopped.peer.messages) == 4 and stopped.notes() == []


def test_a_login_that_works_ends_it(stopped):
    """Also if the message is then refused."""
    stopped.configure(timeout=6)
    stopped.peer.faults.clear()
    stopped.peer.faults["rcpt"] = "550 5.1.1 none"
    assert stopped.submit().code == 67
    assert stopped.sessions() == 2 and stopped.notes() == []


@pytest.mark.parametrize("option", ["-q", "-odi"])
def test_who_orders_it_has_it_tried(stopped, option):
    def order():
        return stopped.rider.run(option, *[BOB] * (option == "-odi"),
                                 stdin=MESSAGE)
    order()
    assert stopped.sessions() == 2
    assert stopped.submit().code == 0 and stopped.sessions() == 2
    stopped.peer.faults.clear()
    assert order().code == 0
    stopped.becomes(lambda: not stopped.waiting())
    assert stopped.notes() == []


def test_retry_has_it_tried(stopped, rider):
    assert rider.run("--queue-retry", "all").code == 0
    assert stopped.submit().code == 0
    assert stopped.sessions() == 2


def test_without_a_queue_nothing_is_remembered(stopped):
    stopped.configure(queue="off")
    for n in range(2, 4):
        assert stopped.submit().code == 77
        assert stopped.sessions() == n


def test_another_secret_is_fetched_once(stopped, tmp_path):
    """It may be a person who is asked for it."""
    times, word = tmp_path / "times", tmp_path / "word"
    word.write_text("wrong")
    stopped.configure(password=None,
                      passwordeval=f"echo x >>{times}; cat {word}")
    assert stopped.submit().code == 0 and stopped.sessions() == 2
    word.write_text(PASSWORD)
    stopped.peer.faults.clear()
    times.write_text("")
    assert stopped.submit("-v").code == 0
    stopped.becomes(lambda: len(stopped.peer.messages) >= 1)
    assert times.read_text() == "x\n"


def test_what_can_not_be_queued_fails(stopped):
    """The exit status is that of the refusal."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    result = stopped.rider.run(BOB, stdin=MESSAGE + b"x\n" * 2000,
                               preexec=limit)
    assert result.code == 77 and "could not be queued" in result.err
    assert "535 5.7.8 wrong" in result.err
    assert (stopped.sessions(), stopped.waiting()) == (1, 1)
