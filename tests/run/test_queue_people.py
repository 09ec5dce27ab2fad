"""What a person sees of the queue: the bar of a long run, the warning of what
has waited for long, and why a server is not asked."""

import json
import os
import pty
import re
import select
import subprocess
import time

import pytest

from conftest import MESSAGE
from faults import NORMAL, Delay
from harness import binary, slowness, wrapper
from spooled import Spool, deferred

BOB = "bob@example.net"
DAY = 86400
HINT = "see mailq (postrider -bp)"
MANY = 8
SLOW = {"body": [Delay(0.4), NORMAL]}       # MANY of them: some seconds
BAR = r"\[([#.]*)\] (\d+) of (\d+)"


@pytest.fixture
def queue(rider):
    return Spool(rider.home / ".local/state/postrider/queue")


@pytest.fixture
def look(rider):
    """Runs it with standard error at a terminal, or elsewhere; what was said
    there: look(words, is_terminal)."""
    def look(words, is_terminal, code=0):
        if not is_terminal:
            result = rider.run(*words, stdin=MESSAGE)
            assert result.code == code, str(result)
            return result.err
        ours, theirs = pty.openpty()
        message = rider.config(MESSAGE, "message")
        with open(message, "rb") as stdin:
            child = subprocess.Popen(
                [*wrapper(), binary(), *words], stdin=stdin, stderr=theirs,
                stdout=subprocess.DEVNULL, cwd=rider.home,
                env=rider.environment(), start_new_session=True)
        said = b""
        end = time.monotonic() + 20 * slowness()
        is_over = False         # once it is, what was said is there
        while not is_over or select.select([ours], [], [], 0)[0]:
            is_over = is_over or child.poll() is not None
            assert time.monotonic() < end, said
            if select.select([ours], [], [], 0.02)[0]:
                said += os.read(ours, 4096)
        os.close(theirs)        # what is left might go with the last one
        os.close(ours)
        assert child.wait() == code, said
        return said.decode()
    return look


def screen(said):
    """The lines that stand there in the end; a bar fits in 80 columns."""
    lines = []
    for line in said.replace("\r\n", "\n").split("\n"):
        shown = ""
        for part in line.split("\r"):
            shown = part + shown[len(part):]
            assert len(part) < 80 or not re.match(BAR, part), part
        lines.append(shown.rstrip())
    return [line for line in lines if line]


# The bar.

def test_a_long_run_shows_how_far_it_is(start, account, rider, queue, look):
    peer = start(faults=SLOW, capabilities="8BITMIME")
    rider.config(account(peer, queue="on"))
    for _ in range(MANY):
        queue.add()
    said = look(["-q"], True)
    bars = re.findall(BAR, said)
    assert bars and {int(of) for _, _, of in bars} == {MANY}
    done = [int(n) for _, n, _ in bars]
    assert done == sorted(done) and done[-1] > done[0] > 0
    for bar, n, of in bars:
        assert bar.count("#") == len(bar) * int(n) // int(of)
    assert screen(said) == []
    assert len(peer.messages) == MANY and queue.ids() == []


def test_elsewhere_there_is_no_bar(start, account, rider, queue, look):
    peer = start(faults=SLOW, capabilities="8BITMIME")
    rider.config(account(peer, queue="on"))
    for _ in range(MANY):
        queue.add()
    assert look(["-q"], False) == ""
    assert len(peer.messages) == MANY


def test_a_short_run_shows_none(start, account, rider, queue, look):
    peer = start(tls="none", users={})
    rider.config(account(peer, queue="on"))
    queue.add()
    begun = time.monotonic()
    said = look(["-q"], True)
    assert said == "" or time.monotonic() - begun > 1   # it was none
    assert len(peer.messages) == 1


def test_what_is_said_stands_alone(start, account, rider, queue, look):
    """The bar is gone from the line in which a failure is told."""
    peer = start(capabilities="8BITMIME", faults={
        "body": [Delay(0.4), NORMAL], f"rcpt:{MANY}": "450 4.2.0 grey"})
    rider.config(account(peer, queue="on"))
    for _ in range(MANY):
        queue.add()
    said = look(["-q"], True, code=75)
    assert re.search(BAR, said)
    assert all(line.startswith("postrider: ") for line in screen(said))


# The warning.

OLD = {
    "nothing": ([], ""),
    "young": ([{"age": DAY - 3600}], ""),
    "old": ([{"age": DAY + 60}],
            "1 message is in the queue for over a day, since .+; "),
    "two old, one young": (
        [{"age": DAY + 60}, {"age": 9 * DAY}, {"age": 60}],
        "2 messages are in the queue for over a day, since .+; "),
    "more than are read": (
        [{"age": 2 * DAY}] * 30 + [{"age": 60}],
        "30 messages are in the queue for over a day, since .+; "),
    "old, held": ([{"age": 2 * DAY, "lines": ["held by hand"]}], ""),
    "by a wrong clock": ([{"age": time.time() - 1000}], ""),
    "by a wrong clock, but old": (
        [{"age": time.time() - 1000,
          "events": [f"seen {int(time.time()) - 2 * DAY}"]}],
        "1 message is in the queue for over a day, since .+; "),
    "undeliverable": (
        [{"age": 60, "sender": "", "lines": ["report"], "events": [
            deferred(0, "550 5.1.1 no", event="refused", status="5.1.1",
                     code=550), "hold 9 nobody to tell"]}],
        "1 message could not be delivered, and nobody could be told; "),
    "both": (
        [{"age": 3 * DAY, "sender": "", "lines": ["report"], "events": [
            deferred(0, "550 5.1.1 no", event="refused", status="5.1.1",
                     code=550), "hold 9 nobody to tell"]},
         {"age": 2 * DAY}],
        "1 message is in the queue for over a day, since .+; "
        "1 message could not be delivered, and nobody could be told; "),
}


@pytest.mark.parametrize("case", OLD)
@pytest.mark.parametrize("is_terminal", [True, False])
def test_what_is_old_is_worth_a_line(rider, queue, look, case, is_terminal):
    entries, words = OLD[case]
    for entry in entries:
        queue.add(**entry)
    rider.config("account default\nhost localhost\nport 1\ntls off\n"
                 "auth off\nfrom alice@example.org\nqueue only\n")
    lines = screen(look([BOB], is_terminal))
    lines = [line for line in lines if " queued" not in line]
    if words and is_terminal:
        [line] = lines
        assert re.fullmatch("postrider: (warning: )?" + words +
                            re.escape(HINT), line), line
    else:
        assert lines == []
    assert len(queue.ids()) == len(entries) + 1


def test_without_a_queue_nobody_is_warned(start, account, rider, queue, look):
    queue.add(age=2 * DAY)
    peer = start()
    rider.config(account(peer))
    assert look([BOB], True) == ""
    assert len(peer.messages) == 1


# Servers.

def mailq(rider):
    text = rider.run(name="mailq")
    told = rider.run("-bp", "--report=json")
    assert text.code == told.code == 0 and text.err == told.err == ""
    return text.out, [json.loads(line) for line in told.out.splitlines()]


def test_a_server_that_refuses_the_login(start, account, rider):
    """It is asked once; what waits for it is stopped until the login would be
    another one, or a person has the queue run."""
    peer = start(faults={"auth": "535 5.7.8 wrong"}, strict=False)
    rider.config(account(peer, queue="on"))
    assert rider.run(BOB, stdin=MESSAGE).code == 0
    for _ in range(2):
        text, [entry] = mailq(rider)
        assert "    stopped, login refused: " in text
        assert "535 5.7.8 wrong" in text
        assert "due now" not in text and not entry["due"]
        assert entry["server"]["stopped"]
        rider.run("--queue-run")
    assert len(peer.sessions) == 1
    rider.run("-q")
    assert len(peer.sessions) == 2
    peer.faults.clear()
    rider.config(account(peer, queue="on", timeout=6))  # it is another account
    assert rider.run("--queue-run").code == 0
    assert len(peer.messages) == 1
    assert mailq(rider) == ("Mail queue is empty\n", [])


def test_a_server_that_is_away(start, account, rider):
    """One attempt a run; then it is waited for."""
    peer = start(faults={"greeting": "421 4.3.2 not now"}, strict=False)
    rider.config(account(peer, queue="on"))
    for _ in range(3):
        assert rider.run("-odq", BOB, stdin=MESSAGE).code == 0
    assert rider.run("-q").code == 75
    assert len(peer.sessions) == 1
    text, entries = mailq(rider)
    assert len(re.findall(r"(?m)^    in \d+ (s|m|seconds?|minutes?)\b.*"
                          r"421 4\.3\.2 not now", text)) == 3, text
    for entry in entries:
        assert not entry["due"] and not entry["server"]["stopped"]
        assert entry["server"]["failures"] == 1
        assert entry["next_attempt"] > time.time() - 5
    rider.run("--queue-run")
    assert len(peer.sessions) == 1
    assert rider.run("-q").code == 75
    assert len(peer.sessions) == 2
    # within a minute, so it counts as one
    assert {e["server"]["failures"] for e in mailq(rider)[1]} == {1}
