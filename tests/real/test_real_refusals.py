"""What Postfix refuses, and what our exit code and words make of it."""

import json

import pytest

from client import full
from messages import head

RAW = head() + b"hello\n"

# Name at example.org, exit code, what Postfix's answer has in it.
RECIPIENTS = (
    ("nobody", 67, "550 5.1.1"),
    ("moved", 67, "551 5.1.6"),
    ("closed", 67, "550 5.2.1"),
    ("grey", 75, "450 4.2.0"),
    ("full", 75, "452 4.2.2"),
    ("plain450", 75, "450 4.7.1"),
    ("shutdown", 75, "421 4.3.2"),
    ("overfull", 69, "552 5.2.2"),
    ("policy", 77, "554 5.7.1"),
    ("plain550", 77, "550 5.7.1"),
)
SENDERS = (
    ("refused", 65, "550 5.1.8"),
    ("forbidden", 77, "554 5.7.1"),
    ("later", 75, "450 4.1.8"),
    ("busy", 75, "451 4.3.0"),
    ("ceo", 77, "553 5.7.1"),		# another user's address
)


def report(done):
    """--report=json: what became of each recipient."""
    rows = [json.loads(line) for line in done.out.splitlines()]
    return {row["recipient"]: row for row in rows}


@pytest.mark.parametrize("partial", ("off", "on"))
@pytest.mark.parametrize("name,code,words", RECIPIENTS)
def test_a_recipient(client, name, code, words, partial):
    done = client.send(RAW, name, partial=partial)
    assert (done.code, done.out) == (code, ""), done
    assert len(done.lines) == 1, done
    assert done.err.startswith("postrider: %s: " % full(name)), done
    assert words in done.err and "127.0.0.1" in done.err, done
    client.nothing_sent()


@pytest.mark.parametrize("name,code,words", RECIPIENTS)
@pytest.mark.parametrize("order,way", (("first", "on"), ("last", "off")))
def test_one_among_good_ones_stops_all(client, mail, name, code, words,
                                       order, way):
    good = [mail.new_mailbox(), mail.new_mailbox()]
    names = [name] + good if order == "first" else good + [name]
    done = client.send(RAW, *names, partial="off", chunking=way)
    assert done.code == code, done
    assert words in done.err, done
    assert full(name) in done.lines[0], done
    client.nothing_sent()
    mail.settle()
    assert [mail.delivered(box) for box in good] == [[], []]


@pytest.mark.parametrize("way", ("on", "off"))
def test_the_withheld_are_told(client, mail, box, way):
    done = client.send(RAW, box, "nobody", partial="off", chunking=way,
                       args=("--report=json",))
    assert done.code == 67, done
    assert len(done.lines) == 2, done
    assert "partial" in done.lines[1], done
    rows = report(done)
    assert rows[full(box)]["result"] == "withheld", done
    gone = rows["nobody@example.org"]
    assert gone["result"] == "failed"
    assert (gone["status"], gone["reply_code"]) == ("5.1.1", 550)
    assert gone["exit_code"] == 67
    assert gone["uncertain"] is False
    client.nothing_sent()


@pytest.mark.parametrize("name,code,words",
                         [row for row in RECIPIENTS if row[0] != "shutdown"])
@pytest.mark.parametrize("order,way", (("first", "off"), ("last", "on")))
def test_the_others_get_it(client, mail, box, name, code, words, order, way):
    names = [name, box] if order == "first" else [box, name]
    done = client.send(RAW, *names, partial="on", chunking=way,
                       args=("--report=json",))
    assert done.code == code, done
    assert len(done.lines) == 1, done
    assert words in done.err and full(name) in done.err, done
    rows = report(done)
    assert rows[full(box)]["result"] == "delivered"
    assert rows[full(box)]["exit_code"] == 0
    assert rows[full(name)]["result"] == "failed"
    assert rows[full(name)]["exit_code"] == code
    assert mail.wait_for(box)[0].endswith(b"\n\nhello\n")


def test_the_worst_decides(client, mail, box):
    done = client.send(RAW, "grey", "nobody", box, "full", partial="on")
    assert done.code == 67, done
    assert len(done.lines) == 3, done
    mail.wait_for(box)


@pytest.mark.parametrize("partial", ("off", "on"))
def test_the_server_loses_patience(client, mail, box, partial):
    """421 4.7.0 too many errors, in the middle of the recipients."""
    names = ["nobody%d" % i for i in range(10)]
    done = client.send(RAW, box, *names, server="strict", partial=partial,
                       args=("--report=json",))
    assert done.code == 67, done
    rows = report(done)
    assert rows[full("nobody0")]["status"] == "5.1.1"
    assert rows[full("nobody9")]["reply_code"] in (0, 421)
    assert rows[full("nobody9")]["exit_code"] == 75
    assert rows[full(box)]["result"] != "delivered"
    assert rows[full(box)]["uncertain"] is False
    client.nothing_sent()
    assert mail.delivered(box) == []


def test_nobody_is_left(client):
    """DATA with no recipient gets 554 5.5.1 from Postfix: not our answer."""
    done = client.send(RAW, "grey", "full", partial="on")
    assert done.code == 75, done
    assert len(done.lines) == 2, done
    client.nothing_sent()


@pytest.mark.parametrize("server,partial", (
    ("submission", "off"), ("eager", "off"), ("eager", "on")))
@pytest.mark.parametrize("name,code,words", SENDERS)
def test_a_sender(client, mail, box, name, code, words, server, partial):
    """Said at RCPT by the one service and at MAIL by the other."""
    done = client.send(RAW, box, server=server, partial=partial,
                       args=("-f", full(name)))
    assert done.code == code, done
    assert len(done.lines) == 1, done
    assert words in done.err, done
    client.nothing_sent()
    assert mail.delivered(box) == []


@pytest.mark.parametrize("server,code,words", (
    ("shut", 77, "554 5.7.1"), ("away", 75, "450 4.3.2")))
def test_the_greeting(client, box, server, code, words):
    done = client.send(RAW, box, server=server)
    assert done.code == code, done
    assert len(done.lines) == 1, done
    assert words in done.err, done


def test_nobody_listens(client, box):
    done = client.send(RAW, box, port=1)
    assert done.code == 75, done
    assert len(done.lines) == 1, done
