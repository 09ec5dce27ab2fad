"""The program is killed at every system call, or every one of them fails.

One run a call, and behind it a run that finishes.  What must be true then:

  * what 0 was returned for is queued, or the server has it: once
  * the server has accepted whole messages only, octet by octet
  * a message that was queued before is never lost; it arrives twice only where
    the server had accepted it and the program could not know, or not note it
  * nothing is left in the queue

A call that a process is killed before is one that it was killed behind of the
one before it, as nothing happens in between that another process could see; so
each place is tried once.  Under the sanitizers there are many more calls; there
only those count that have to do with files and connections.
"""

import email
import email.policy
import re
from collections import Counter
from dataclasses import dataclass, field

import pytest
from harness import has_sanitizers, takes_part
from strike import ERRORS, SENDER, Spool, entries, number, shape

MESSAGE = b"""From: alice@example.org
To: bob@example.net
Subject: hello
Date: Sun, 22 Nov 2026 12:00:00 +0000
Message-ID: <1@example.org>

First line
.a dot
last line
"""
WIRE = MESSAGE.replace(b"\n", b"\r\n")
BOB, CAROL = "bob@example.net", "carol@example.net"
LATER = "451 4.7.1 come back later"
NEVER = "550 5.1.1 nobody of that name"
COUNTED = ",".join(sorted(ERRORS))      # of the calls, where they are many
BREAKS = "poll", "ppoll", "mmap", "mremap"
NOTES = "pwrite64", "fdatasync", "fstat", "newfstatat", "ftruncate"
MOST = 2000                             # calls of a run


@dataclass
class Case:
    """What is done to a queue, and what is right afterwards."""

    words: list                 # the arguments; ID is that of the message
    stdin: bytes = b""
    queued: list = field(default_factory=list)  # arguments of what is queued
    faults: dict = field(default_factory=dict)  # the server's, meanwhile
    refuse: dict = field(default_factory=dict)  # and always
    settings: dict = field(default_factory=dict)
    to: tuple = (BOB,)          # who gets the message in the end
    reports: tuple = ()         # and the sender, one of each action
    is_removal: bool = False
    is_held: bool = False       # if 0 was returned it has to be released
    is_release: bool = False    # if not, it may still be held
    lacks: str = ""             # what the file system can't do: strike -x
    codes: tuple = (0,)         # of a run that nothing happens to


CASES = {
    "enqueue": Case(["-odq", BOB], MESSAGE),
    "enqueue-held": Case(["-Q", "wait", BOB], MESSAGE, is_held=True),
    "enqueue-by-name": Case(["-odq", BOB], MESSAGE, lacks="tmpfile=95"),
    "enqueue-linked": Case(["-odq", BOB], MESSAGE,
                           lacks="tmpfile=95,renameat2=22"),
    "enqueue-renamed": Case(["-odq", BOB], MESSAGE,
                            lacks="tmpfile=95,renameat2=22,linkat=1"),
    "deferred": Case([BOB], MESSAGE, faults={"rcpt": LATER}),
    "no-server": Case([BOB], MESSAGE, faults={"greeting": "421 4.3.2 busy"}),
    "run": Case(["-q"], queued=["-odq", BOB]),
    "run-deferred": Case(["-q"], queued=["-odq", BOB],
                         faults={"rcpt": LATER}, codes=(0, 75)),
    "run-partly": Case(["-q"], queued=["-odq", BOB, CAROL],
                       refuse={CAROL: NEVER}, reports=("failed",),
                       codes=(0, 67, 69, 75)),
    "run-two-reports": Case(["-q"], reports=("failed", "relayed"),
                            queued=["-odq", "-N", "success,failure", BOB,
                                    CAROL],
                            refuse={CAROL: NEVER}, codes=(0, 67, 69, 75)),
    "run-refused": Case(["-q"], queued=["-odq", BOB], refuse={BOB: NEVER},
                        to=(), reports=("failed",), codes=(0, 67, 69)),
    "remove": Case(["--queue-remove", "ID"], queued=["-odq", BOB],
                   is_removal=True),
    "hold": Case(["--queue-hold", "ID"], queued=["-odq", BOB], is_held=True),
    "release": Case(["--queue-release", "ID"],
                    queued=["-Q", "wait", BOB], is_release=True),
}


class Trial:
    """One case, run over and over."""

    def __init__(self, directory, case):
        self.case = case
        self.spool = Spool(directory, refuse=case.refuse, **case.settings)
        self.options = ["-x", case.lacks]
        self.options += ["-c", COUNTED] if takes_part() else []
        self.seen = set()       # states that were looked at already
        self.tries = self.states = 0

    def __enter__(self):
        self.spool.__enter__()
        self.before, self.words = {}, self.case.words
        if self.case.queued:
            self.spool.put({})
            run = self.spool.run(self.case.queued, MESSAGE)
            assert run.code == 0, run
            self.before = self.spool.take()
            assert len(entries(self.before)) == 1
            self.words = [entries(self.before)[0] if w == "ID" else w
                          for w in self.words]
        return self

    def __exit__(self, *_):
        self.spool.__exit__()

    def attempt(self, deed, options=()):
        """One run; None if it was over before the call was reached."""
        spool = self.spool
        spool.put(self.before)
        spool.forget()
        spool.peer.faults = dict(self.case.faults)
        run = spool.strike(deed, self.words, self.case.stdin,
                           [*self.options, *options])
        spool.peer.faults = {}
        self.tries += 1
        # Could it not know, or not note, that the server had accepted it?
        self.is_doubt = bool(run.struck and spool.got)
        self.is_onward = "-w" in options
        key = (shape(spool.take()), tuple(spool.got), run.code,
               run.struck is None, "may have been" in run.said)
        if key not in self.seen:
            self.seen.add(key)
            self.states += 1
            self.judge(run)
        return run

    # What is right.

    def finish(self):
        """What a later run makes of the queue."""
        for _ in range(2):      # a report that is queued meanwhile is next
            self.spool.age()
            last = self.spool.run(["-q"])
        return last

    def judge(self, run):
        case, spool = self.case, self.spool
        assert run.code in (137, *range(64, 79), *case.codes), run
        left = spool.take()
        if case.is_held and run.code == 0:
            self.finish()
            assert spool.got == [], f"it was held, and is sent\n{run}"
        if case.is_held or (case.is_release and run.code != 0):
            spool.run(["--queue-release", "all"])
        last = self.finish()
        assert not spool.peer.violations, (run, spool.peer.violations)
        assert spool.take() == {}, f"{run}\nthen {last}\nof {left}"
        times = self.count(run)
        if run.struck is None:
            assert run.code in case.codes, run
        for recipient in case.to:
            self.judge_times(run, times.get(recipient, 0))
        assert set(times) <= set(case.to) | set(case.reports), times
        for action in case.reports:
            most = 2 if self.may_be_sent_again(run) else 1
            assert 1 <= times.get(action, 0) <= most, (run, times)

    def judge_times(self, run, n):
        case = self.case
        if case.is_removal:
            # killed or not: it is there, or it is gone
            most, least = (0, 0) if run.code == 0 else (1, 0)
        elif self.before:
            most, least = (2 if self.may_be_sent_again(run) else 1), 1
        elif run.code == 0:
            most, least = 1, 1
        else:
            # who is told of a failure sends it again; one whose end nobody
            # has seen is in the queue, or is not
            most, least = (1 if self.may_be_queued(run) else 0), 0
        assert least <= n <= most, f"{n} times\n{run}"

    def may_be_sent_again(self, run):
        """The server had accepted something, and the program did not live to
        note it, lost the connection or its memory, or had no way to note."""
        name, on = run.struck["name"] if run.struck else "", \
            "".join(run.struck["fds"]) if run.struck else ""
        return self.is_doubt and (
            run.code == 137 or self.is_onward or "socket:" in on or
            name in BREAKS or len(self.case.to) + len(self.case.reports) > 1 and
            name in NOTES)

    def may_be_queued(self, run):
        if run.code == 137:
            return True
        # It is in the queue, or has been accepted, but that was not to be
        # learned: the words say that.
        return "may have been" in run.said or self.is_doubt

    def count(self, run):
        """How often each recipient got it, whole messages only; and the sender
        a report of each action."""
        times = Counter()
        for recipients, octets in self.spool.got:
            if SENDER in recipients:
                times[judge_report(octets)] += 1
            else:
                assert octets == WIRE, f"{run}\n{octets!r}"
                times.update(recipients)
        return times


def judge_report(octets):
    """Is it whole?  Returns its action."""
    report = email.message_from_bytes(octets, policy=email.policy.default)
    assert report.get_content_type() == "multipart/report"
    assert not report.defects
    boundary = report.get_boundary().encode()
    assert re.search(rb"\r\n--%s--\r\n\Z" % re.escape(boundary), octets)
    parts = list(report.iter_parts())
    assert len(parts) == 3 and not any(p.defects for p in parts)
    action = re.search(rb"\r\nAction: (\w+)\r\n", octets)[1].decode()
    # RFC 3461 4.3: of what was delivered the header is enough
    wanted = WIRE.split(b"\r\n\r\n")[0] if action == "relayed" else WIRE
    assert octets.count(wanted.rstrip()) == 1, "the message is not whole"
    return action


@pytest.fixture(params=CASES)
def trial(request, tmp_path):
    with Trial(tmp_path, CASES[request.param]) as trial:
        yield trial


def test_kill(trial):
    for n in range(1, MOST):
        run = trial.attempt(["kill", str(n)])
        if run.struck is None:
            break
        assert run.code == 137, run
    assert n > 20, "it was never killed"
    print(f"{trial.tries} runs, {trial.states} states")


def test_fail(trial):
    whole = trial.attempt(["count"])
    assert whole.code in trial.case.codes, whole
    hits = 0
    names = {call["name"] for call in whole.calls} & set(ERRORS)
    if has_sanitizers():    # their own memory ends the program, and says so
        names -= {"mmap", "mremap"}
    for name in sorted(names):
        for error in ERRORS[name]:
            for n in range(1, MOST):
                run = trial.attempt(["fail", str(n), number(error)],
                                    ["-c", name])
                if run.struck is None:
                    break
                hits += 1
    assert hits > 50, "nothing failed"
    print(f"{trial.tries} runs, {trial.states} states")
