"""mailq, -bp, -bP: what the queue holds, in words and in JSON."""

import json
import os
import subprocess
import time

import pytest

from harness import binary
from spooled import Spool, deferred

EMPTY = "Mail queue is empty\n"


@pytest.fixture
def queue(rider):
    return Spool(rider.home / ".local/state/postrider/queue")


def listed(rider, *arguments, name="mailq", code=0, **more):
    result = rider.run(*arguments, name=name, **more)
    assert result.code == code and result.err == "", result
    return result.out


def told(rider, *arguments):
    """The JSON objects."""
    out = listed(rider, "-bp", "--report=json", *arguments, name=None)
    return [json.loads(line) for line in out.splitlines()]


def only(rider, *arguments):
    objects = told(rider, *arguments)
    assert len(objects) == 1
    return objects[0]


@pytest.mark.parametrize("arguments, name", [
    ([], "mailq"), (["-bp"], "sendmail"), (["-bp"], None),
    (["-bp", "-v"], "sendmail"), (["-v"], "mailq")])
def test_there_is_no_queue(rider, arguments, name):
    assert listed(rider, *arguments, name=name) == EMPTY
    assert not (rider.home / ".local").exists()


def test_an_empty_queue(rider, queue):
    assert listed(rider) == EMPTY
    assert listed(rider, "-bP", name=None) == "0\n"
    assert listed(rider, "-bp", "--report=json", name=None) == ""


def test_one_message(rider, queue):
    entry = queue.add(to=["bob@example.net", "carol@example.net"], age=7300,
                      events=[deferred(1, "451 4.3.0 not now")])
    lines = listed(rider).splitlines()
    assert lines[1].split() == [entry, "66", "B", "2", "h",
                                "alice@example.org"]
    assert lines[2:6] == [
        "    due now", "    bob@example.net", "    carol@example.net",
        "        mx.example said: 451 4.3.0 not now"]
    assert lines[6:] == ["1 message, 66 B"]


def test_who_has_it_is_not_listed(rider, queue):
    queue.add(to=["bob@example.net", "carol@example.net"],
              events=[deferred(0, "250 ok", event="delivered",
                               status="2.0.0", code=250)])
    out = listed(rider)
    assert "carol@example.net" in out and "bob@example.net" not in out


AGES = [(0, "0 s"), (100, "100 s"), (200, "3 min"), (8000, "2 h"),
        (86400, "24 h"), (260000, "3 d")]


@pytest.mark.parametrize("age, words", AGES)
def test_age(rider, queue, age, words):
    queue.add(age=age)
    line = listed(rider).splitlines()[1]
    number, unit = words.split()
    assert line.split()[4] == unit
    assert int(number) <= int(line.split()[3]) <= int(number) + 30


SIZES = [(0, "63 B"), (937, "1000 B"), (961, "1.0 KiB"),
         (100 * 1024, "100 KiB"), (3 << 20, "3.0 MiB")]


@pytest.mark.parametrize("octets, words", SIZES)
def test_size(rider, queue, octets, words):
    queue.add(header=b"Subject: hello\r\nX: " + b"x" * 40 + b"\r\n",
              body=b"x" * (octets and octets - 2) + b"\r\n" * bool(octets))
    assert f"  {words}  " in listed(rider)
    assert listed(rider).splitlines()[-1] == f"1 message, {words}"


def attempted(seconds):
    """One that was tried, and is to be tried again in so many."""
    now = int(time.time())
    return [deferred(0), f"attempt {now} {now + seconds}"]


def test_next_attempt(rider, queue):
    events = attempted(775)
    queue.add(events=events)
    assert "\n    in 12 min (1 attempt so far)\n" in listed(rider)
    found = only(rider)
    assert not found["due"] and found["attempts"] == 1
    assert events[-1].split()[1:] == [
        str(found["last_attempt"]), str(found["next_attempt"])]


def test_due_again(rider, queue):
    now = int(time.time())
    queue.add(events=[f"attempt {now - 900} {now - 800}",
                      f"attempt {now - 700} {now - 1}"])
    assert "\n    due now (2 attempts so far)\n" in listed(rider)
    assert only(rider)["due"]


def test_held(rider, queue):
    entry = queue.add()
    queue.note(entry, f"hold {int(time.time())} until Monday")
    queue.add()
    out = listed(rider)
    assert "\n    held: until Monday\n" in out
    assert out.endswith("2 messages, 132 B, 1 held\n")
    first, second = told(rider)
    assert first["held"] == "until Monday" and first["next_attempt"] is None
    assert second["held"] is None and second["due"] and not first["due"]


def test_released(rider, queue):
    queue.add(lines=["held first"], events=["release 5"])
    assert "held" not in listed(rider)


@pytest.mark.parametrize("lines", [["report"], []])
def test_failed_for_good(rider, queue, lines):
    queue.add(sender="", lines=lines, events=[
        deferred(0, "550 5.1.1 unknown", event="refused", status="5.1.1",
                 code=550),
        "hold 9 nobody to tell"])
    out = listed(rider)
    assert "\n    failed for good, held: nobody to tell\n" in out
    assert "\n        mx.example said: 550 5.1.1 unknown\n" in out
    assert ("<> (a delivery report)\n" in out) == bool(lines)
    found = only(rider)
    assert found["undeliverable"] and found["is_report"] == bool(lines)
    assert found["recipients"][0]["standing"] == "refused"


def test_a_held_report_is_no_failure(rider, queue):
    queue.add(sender="", lines=["report", "held by hand"])
    assert "\n    held: by hand\n" in listed(rider)
    assert not only(rider)["undeliverable"]


def test_json(rider, queue):
    config = rider.home / "other"
    entry = queue.add(to=["bob@example.net", '"q\\"x"@example.net'], age=60,
                      lines=[f"config {config}", "account work"],
                      events=[deferred(0, at=1764398429)])
    out = listed(rider, "-bp", "--report=json", name=None)
    assert out.count("\n") == 1
    found = json.loads(out)
    queued = found.pop("queued_at")
    assert abs(time.time() - 60 - queued) < 30
    next_attempt = found.pop("next_attempt")
    assert abs(time.time() - next_attempt) < 30
    assert found == {
        "id": entry, "queue": str(queue.path), "account": "work",
        "config_file": str(config), "size": 66,
        "sender": "alice@example.org", "is_report": False, "held": None,
        "undeliverable": False, "attempts": 0, "last_attempt": None,
        "due": True, "server": None,
        "recipients": [
            {"recipient": "bob@example.net", "standing": "waiting",
             "at": 1764398429, "status": "4.2.1", "reply_code": 450,
             "host": "mx.example", "text": "450 4.2.1 try later"},
            {"recipient": '"q\\"x"@example.net', "standing": "waiting",
             "at": None, "status": None, "reply_code": 0, "host": None,
             "text": None}]}


SELECTED = [("-qR net", "ab"), ("-qR BOB@", "a"), ("-qRbob", "a"),
            ("-qS work", "b"), ("-qG work", "b"), ("-qQ", "b"),
            ("-qQfriday", "b"), ("-q!R bob", "b"), ("-q!Q", "a"),
            ("-qQnever", ""), ("-qR bob -qG work", ""),
            ("-qR bob -qR carol", "ab")]


@pytest.mark.parametrize("words, chosen", SELECTED)
def test_selectors(rider, queue, words, chosen):
    ids = {"a": queue.add(),
           "b": queue.add(to=["carol@example.net"], sender="me@work.example",
                          lines=["account work", "held until Friday"])}
    words = words.split()
    found = told(rider, *words)
    assert [f["id"] for f in found] == [ids[c] for c in chosen]
    assert listed(rider, "-bP", *words, name=None) == f"{len(chosen)}\n"
    total = listed(rider, *words).splitlines()[-1]
    assert total.startswith(f"{len(chosen)} message{'s' * (len(chosen) != 1)}")
    assert total.endswith(", of 2 in the queue") == (len(chosen) < 2)


def test_by_id(rider, queue):
    queue.add()
    second = queue.add()
    assert only(rider, "-qI", second[-4:])["id"] == second


def test_several_queues(rider, queue):
    other = Spool(rider.home / "elsewhere")
    rider.config(f"account a\nhost x.example\nqueue_dir {other.path}\n"
                 "account b\nhost x.example\nqueue_dir ~/missing\n"
                 "account c : a\n")
    ids = [queue.add(), other.add(), other.add()]
    out = listed(rider)
    assert out.count(f"In {queue.path}:\n") == 1
    assert out.count(f"In {other.path}:\n") == 1
    assert [line.split()[0] for line in out.splitlines()
            if line[:1] in "0123456789" and "message" not in line] == ids
    assert out.endswith("3 messages, 198 B\n")
    assert listed(rider, "-bP", name=None) == "3\n"
    assert [f["queue"] for f in told(rider)] == [
        str(p) for p in (queue.path, other.path, other.path)]
    assert not (rider.home / "missing").exists()


def test_a_queue_of_the_command_line(rider, queue):
    other = Spool(rider.home / "elsewhere")
    entry = other.add()
    assert [f["id"] for f in told(rider, f"--queue-dir={other.path}")] == [
        entry]


def test_a_broken_configuration(rider, queue):
    entry = queue.add()
    rider.config("nonsense\n")
    result = rider.run("-bp", "--report=json")
    assert json.loads(result.out)["id"] == entry
    assert ".postriderrc:1: unknown command" in result.err


def test_what_comes_from_elsewhere_is_printable(rider, queue):
    nasty = "\N{RIGHT-TO-LEFT OVERRIDE}\\x1b"
    entry = queue.add(
        sender="\N{RIGHT-TO-LEFT OVERRIDE}a@example.org",
        to=["\N{RIGHT-TO-LEFT OVERRIDE}b@example.net"],
        lines=["held " + nasty], events=[deferred(0, nasty)])
    assert queue.ids() == [entry]
    out = listed(rider)
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in out
    assert out.count("\\xE2\\x80\\xAE") == 4


def test_a_file_that_is_none(rider, queue):
    bad = queue.add()
    good = queue.add()
    (queue.path / bad).write_text("what is this?\n")
    result = rider.run(name="mailq")
    assert result.code in (69, 74, 75), result
    assert good in result.out and len(result.lines) == 1
    assert bad in result.err


def test_a_link_is_not_followed(rider, queue):
    entry = queue.add()
    target = queue.path / entry
    target.rename(rider.home / "message")
    target.symlink_to(rider.home / "message")
    result = rider.run(name="mailq")
    assert result.code and "link" in result.err


def test_what_is_no_message_is_not_listed(rider, queue):
    (queue.path / "server.0123").write_text("failures 1\n")
    (queue.path / "tmp.123").write_text("half\n")
    assert listed(rider) == EMPTY
    assert listed(rider, "-bP", name=None) == "0\n"


def test_nothing_is_changed(rider, queue):
    entry = queue.add(events=["attempt 1 2", "attem"])
    before = (queue.path / entry).read_bytes()
    listed(rider)
    assert (queue.path / entry).read_bytes() == before
    assert os.listdir(queue.path) == [entry]


def test_while_it_is_being_sent(rider, queue):
    entry = queue.add()
    with queue.busy(entry):
        assert only(rider)["id"] == entry


@pytest.mark.parametrize("arguments", [[], ["--report=json"], ["-bP"]])
def test_output_that_is_full(rider, queue, arguments):
    for _ in range(200):
        queue.add()
    with open("/dev/full", "wb") as full:
        run = subprocess.run([binary(), "-bp", *arguments], stdout=full,
                             stderr=subprocess.PIPE,
                             env=rider.environment(), stdin=subprocess.DEVNULL)
    assert run.returncode == 74 or run.returncode == 69, run
    assert b"cannot write to standard output" in run.stderr
