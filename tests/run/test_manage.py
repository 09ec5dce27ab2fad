"""--queue-show, -hold, -release, -remove, -retry: what becomes of messages."""

import ctypes
import os
import pty
import struct
import subprocess
import threading
import time

import pytest

from harness import binary
from spooled import BODY, HEADER, Spool, deferred

UNAVAILABLE, TEMPORARY, USAGE = 69, 75, 64
NONE = "there is no such message in the queue"
MODES = ["show", "hold", "release", "remove", "retry"]
CHANGES = MODES[1:]
# Of inotify (linux/inotify.h): who opens a file, and closes it.
IN_OPEN, IN_CLOSE = 0x20, 0x18
LOOKS = 5       # at a message, each of them some time after the one before


@pytest.fixture
def queue(rider):
    return Spool(rider.home / ".local/state/postrider/queue")


def manage(rider, mode, *words, before=(), code=0, **more):
    result = rider.run(*before, f"--queue-{mode}", *words, **more)
    assert result.code == code, result
    return result


def noted(queue, entry):
    """The events' names, and the rest without the time."""
    return [(e.split()[0], e.split()[2:]) for e in queue.events(entry)]


def test_hold(rider, queue):
    first, second = queue.add(), queue.add()
    assert manage(rider, "hold", first).out == f"{first} held\n"
    assert noted(queue, first) == [("hold", ["by", "hand"])]
    assert abs(int(queue.events(first)[0].split()[1]) - time.time()) < 30
    assert queue.events(second) == []


def test_hold_with_a_reason(rider, queue):
    entry = queue.add()
    manage(rider, "hold", entry, before=["-Q", "not before Monday"])
    assert noted(queue, entry) == [("hold", ["not", "before", "Monday"])]


def test_hold_twice(rider, queue):
    entry = queue.add(lines=["held first"])
    assert manage(rider, "hold", entry).out == f"{entry} is held already\n"
    assert queue.events(entry) == []
    manage(rider, "hold", entry, before=["-Qother"])
    assert noted(queue, entry) == [("hold", ["other"])]


def test_release(rider, queue):
    entry = queue.add(lines=["held first"])
    assert manage(rider, "release", entry).out == f"{entry} released\n"
    assert noted(queue, entry) == [("release", [])]
    assert manage(rider, "release", entry).out == f"{entry} is not held\n"
    assert noted(queue, entry) == [("release", [])]


def test_release_of_what_failed_for_good(rider, queue):
    """Those who have it do not get it again."""
    entry = queue.add(
        sender="", to=["bob@example.net", "carol@example.net"],
        lines=["report"], events=[
            deferred(0, "250 ok", event="delivered", code=250),
            deferred(1, "550 no", event="refused", status="5.7.1", code=550),
            f"attempt 5 {int(time.time()) + 5000}", "hold 6 failed"])
    assert manage(rider, "release", entry).out == f"{entry} released\n"
    assert [e.split()[:2] for e in queue.events(entry)[4:6]] == [
        ["deferred", "1"], ["retry", queue.events(entry)[5].split()[1]]]
    out = rider.run("-bp").out
    assert "\n    due now (1 attempt so far)\n" in out
    assert "carol@" in out and "bob@" not in out
    assert "said: 550 no" in out


def test_retry(rider, queue):
    entry = queue.add(events=[f"attempt 5 {int(time.time()) + 5000}"])
    assert manage(rider, "retry", entry).out == (
        f"{entry} will be tried with the next run\n")
    assert noted(queue, entry)[1:] == [("retry", [])]
    assert "due now" in rider.run("-bp").out


def test_retry_of_what_is_held(rider, queue):
    entry = queue.add(lines=["held first"])
    assert "is held; --queue-release" in manage(rider, "retry", entry).out
    assert queue.events(entry) == []


def test_remove(rider, queue):
    ids = [queue.add() for _ in range(3)]
    out = manage(rider, "remove", ids[0], ids[2]).out
    assert out == (f"{ids[0]} removed\n{ids[2]} removed\n"
                   "2 messages removed\n")
    assert queue.ids() == [ids[1]]
    assert manage(rider, "remove", "all").out.endswith("1 message removed\n")
    assert queue.ids() == []


def test_a_torn_end(rider, queue):
    """It is no front of the new line."""
    entry = queue.add(events=["attempt 5 6"])
    with open(queue.path / entry, "a") as file:
        file.write("refused 0 5 recip")
    manage(rider, "hold", entry)
    assert [e[0] for e in noted(queue, entry)] == ["attempt", "hold"]


# ------------------------------------------------------------- which are meant

MEANT = [
    ("{a}", "a"), ("{a} {c}", "ac"), ("all", "abc"), ("held", "b"),
    ("recipient:BOB@", "a"), ("recipient:example", "abc"),
    ("sender:work", "bc"), ("account:work", "b"), ("id:{tail}", "c"),
    ("recipient:bob recipient:carol", "ab"), ("{a} {b} sender:work", "b"),
    ("sender:work held", "b"), ("all held", "b"),
]


@pytest.fixture
def three(queue):
    work = "me@work.example"
    return {"a": queue.add(to=["bob@example.net"]),
            "b": queue.add(to=["carol@example.net"], sender=work,
                           lines=["account work", "held until Friday"]),
            "c": queue.add(to=["dave@example.net"], sender=work)}


@pytest.mark.parametrize("words, meant", MEANT)
def test_words(rider, queue, three, words, meant):
    words = words.format(**three, tail=three["c"][-5:]).split()
    result = rider.run("--queue-remove", *words)
    assert queue.ids() == [i for n, i in three.items() if n not in meant]
    named = {n for n in "abc" if three[n] in words}
    assert result.code == (UNAVAILABLE if named - set(meant) else 0)


@pytest.mark.parametrize("before, words, meant", [
    ("-qS work", "all", "bc"), ("-qS work", "{a} {b}", "b"),
    ("-qQ", "sender:work", "b"), ("-q!Q", "sender:work", "c")])
def test_selectors_go_with_words(rider, queue, three, before, words, meant):
    rider.run(*before.split(), "--queue-remove",
              *words.format(**three).split())
    assert queue.ids() == [i for n, i in three.items() if n not in meant]


@pytest.mark.parametrize("mode", MODES)
def test_an_id_that_is_none_of_ours(rider, queue, three, mode):
    missing = "0" * 16
    result = manage(rider, mode, missing, three["b"], code=UNAVAILABLE)
    assert result.err == f"postrider: {missing}: {NONE}\n"
    assert three["b"] in result.out and three["a"] not in result.out


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_like_that(rider, queue, three, mode):
    result = manage(rider, mode, "sender:nobody", code=UNAVAILABLE)
    assert result.err == "postrider: nothing in the queue is like that\n"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("word", [
    "nonsense", "to:bob", "../x", "", "ALL", "0" * 15, "0" * 17,
    "0mx1hog8alxwtriA"])
def test_a_word_that_is_none(rider, queue, three, mode, word):
    result = manage(rider, mode, "all", word, code=USAGE)
    assert len(result.lines) == 1 and f"'{word}'" in result.err
    assert result.out == "" and queue.ids() == sorted(three.values())


@pytest.mark.parametrize("mode", MODES)
def test_there_is_no_queue(rider, mode):
    result = manage(rider, mode, "all", code=UNAVAILABLE)
    assert "nothing in the queue" in result.err
    assert not (rider.home / ".local").exists()


@pytest.mark.parametrize("mode", MODES)
def test_it_wants_a_word(rider, mode):
    assert "wants an argument" in manage(rider, mode, code=USAGE).err


def test_several_queues(rider, queue):
    other = Spool(rider.home / "elsewhere")
    rider.config(f"account a\nhost x.example\nqueue_dir {other.path}\n")
    ids = [queue.add(), other.add()]
    out = manage(rider, "hold", *ids).out
    assert sorted(out.splitlines()) == sorted(f"{i} held" for i in ids)
    assert noted(other, ids[1]) == [("hold", ["by", "hand"])]


# ----------------------------------------------------------- while it is sent

@pytest.mark.parametrize("mode", CHANGES)
def test_it_is_being_sent(rider, queue, mode):
    busy, free = queue.add(), queue.add()
    with queue.busy(busy):
        result = manage(rider, mode, "all", code=TEMPORARY)
        assert queue.events(busy) == []
    assert result.err.count("\n") == 1
    assert f"message {busy} is being sent right now" in result.err
    assert free in result.out and busy not in result.out
    assert busy in queue.ids()


def when_it_waits(path, act):
    """Calls act() when somebody else has looked at the file over and over."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(os.O_CLOEXEC)
    assert watch >= 0, os.strerror(ctypes.get_errno())
    added = libc.inotify_add_watch(watch, os.fsencode(path),
                                   IN_OPEN | IN_CLOSE)
    assert added >= 0, os.strerror(ctypes.get_errno())

    def look():
        looks = 0
        while looks < LOOKS:
            looks += sum(bool(mask & IN_OPEN) for _, mask, _, _ in
                         struct.iter_unpack("iIII", os.read(watch, 4096)))
        os.close(watch)
        act()
    threading.Thread(target=look, daemon=True).start()


@pytest.mark.parametrize("by_id", [True, False])
def test_it_has_been_sent_meanwhile(rider, queue, by_id):
    """It waits for who sends it; then it is gone. Who named it hears that by
    the exit status as well."""
    entry = queue.add()
    with queue.busy(entry):
        when_it_waits(queue.path / entry, (queue.path / entry).unlink)
        result = manage(rider, "hold", entry if by_id else "all",
                        code=UNAVAILABLE if by_id else 0)
    assert result.out == ""
    assert f"message {entry} was sent meanwhile" in result.err


def test_it_is_let_go_in_time(rider, queue):
    entry = queue.add()
    busy = queue.busy(entry)
    busy.__enter__()
    when_it_waits(queue.path / entry,
                  lambda: busy.__exit__(None, None, None))
    assert manage(rider, "hold", entry).out == f"{entry} held\n"


def test_show_does_not_wait(rider, queue):
    entry = queue.add()
    with queue.busy(entry):
        assert "First line" in manage(rider, "show", entry).out


# ---------------------------------------------------------------------- a look

def test_show(rider, queue):
    entry = queue.add(
        to=["bob@example.net", "carol@example.net"], age=60,
        lines=["config /etc/x", "account work", "set host x.example",
               "held why"],
        events=[deferred(0, "250 fine", event="delivered", code=250,
                         at=1764398429),
                "told 0 5 relayed", "attempt 1764398430 1764398490"])
    result = manage(rider, "show", entry)
    head, _, message = result.out.partition("\n\n")
    assert message.encode() == (HEADER + b"\r\n" + BODY).replace(
        b"\r\n", b"\n")
    lines = head.splitlines()
    assert lines[0] == f"id: {entry}" and lines[1].startswith("queued: 20")
    assert lines[2:] == [
        "size: 66", "account: work", "configuration: /etc/x",
        "setting: host x.example", "held: why", "attempts: 1",
        "last attempt: 2025-11-29 06:40:30 +0000",
        "next attempt: 2025-11-29 06:41:30 +0000",
        "sender: alice@example.org",
        "recipient: bob@example.net: delivered since 2025-11-29 06:40:29 "
        "+0000; its delivery is dealt with: mx.example said: 250 fine",
        "recipient: carol@example.net: waiting"]
    assert queue.events(entry)[-1].startswith("attempt")


def test_show_several(rider, queue):
    ids = [queue.add(), queue.add()]
    out = manage(rider, "show", *ids).out
    assert out.count("\nFirst line\nlast line\n") == 2
    assert out.count("\nid: ") == 1 and out.startswith("id: ")


BODIES = [b"", b"\r\n", b"x" * 600000 + b"\r\n",
          b"".join(b"%d\r\n" % n for n in range(40000)),
          (b"y" * 32766 + b"\r\n") * 9, b"a\rb\r\n\r\n..\r\n",
          b"\xc3\xa9\xff\x00\x1b[2J\r\n", b"no end"]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_the_octets_shown(rider, queue, body):
    entry = queue.add(body=body)
    out = manage(rider, "show", entry).stdout
    assert out.split(b"\n\n", 2)[2] == body.replace(b"\r\n", b"\n")


def test_a_terminal_is_not_taken_over(rider, queue):
    entry = queue.add(header=b"Subject: \x1b]0;x\x07\r\n",
                      body=b"\x1b[2J\xc3\xa9\r\n")
    main, side = pty.openpty()
    child = os.fork()
    if not child:
        os.dup2(side, 1)
        os.execve(binary(), [binary(), "--queue-show", entry],
                  rider.environment())
    os.close(side)
    shown = b""
    while True:
        try:
            piece = os.read(main, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(main)
    assert os.waitpid(child, 0)[1] == 0
    assert b"\x1b" not in shown and b"\x07" not in shown
    assert b"\\x1B[2J\xc3\xa9\r\n" in shown


def test_no_word_is_lost(rider, queue):
    queue.add(body=BODY * 9000)
    with open("/dev/full", "wb") as full:
        run = subprocess.run([binary(), "--queue-show", "all"], stdout=full,
                             stderr=subprocess.PIPE, env=rider.environment())
    assert run.returncode and b"standard output" in run.stderr


# What can't be read.

def spoil(queue, entry, kind):
    path = queue.path / entry
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "garbage":
        path.write_bytes(b"\0" * 5000)
    elif kind == "torn":
        path.write_bytes(path.read_bytes()[:-20])
    elif kind == "open to others":
        path.chmod(0o666)
    elif kind == "a link":
        path.unlink()
        path.symlink_to("/etc/passwd")


SPOILED = ["empty", "garbage", "torn", "open to others", "a link"]


@pytest.mark.parametrize("kind", SPOILED)
def test_what_is_damaged_is_removed_by_its_id(rider, queue, kind):
    entry, other = queue.add(), queue.add()
    spoil(queue, entry, kind)
    advice = f"; postrider --queue-remove {entry} removes it"
    for words in (["-bp"], ["--queue-show", entry], ["--queue-hold", "all"],
                  ["--queue-remove", "recipient:nobody"],
                  ["-qRbob", "--queue-remove", entry]):
        result = rider.run(*words)
        assert result.code and advice in result.err, result
    assert queue.ids() == sorted([entry, other])
    result = manage(rider, "remove", entry)
    assert result.out == (f"{entry} removed; it could not be read\n"
                          "1 message removed\n")
    assert result.err == "" and queue.ids() == [other]
    assert os.path.getsize("/etc/passwd")
    assert rider.run("-bp").code == 0


def test_all_leaves_what_is_damaged(rider, queue):
    entry, other = queue.add(), queue.add()
    spoil(queue, entry, "garbage")
    result = rider.run("--queue-remove", "all")
    assert result.code and "removes it" in result.err
    assert f"{other} removed\n1 message removed\n" in result.out
    assert queue.ids() == [entry]


def test_another_version_is_not_damaged(rider, queue):
    entry = queue.add()
    path = queue.path / entry
    path.write_bytes(path.read_bytes().replace(b"postrider 1", b"postrider 2"))
    result = rider.run("-bp")
    assert "another version" in result.err and "removes" not in result.err
    assert result.code
