"""Every class of reply at every step: the exit code and the one line.

The first table says, per step, which replies of the classes 2xx, 4xx and 5xx
the server gives there and what follows from them; what follows from the other
classes does not depend on the step.  Whatever happens, the exit code is 0
exactly if the server accepted the message for every recipient.
"""

import json
import re

import pytest

from conftest import MESSAGE
from faults import (NORMAL, Drop, EndlessReply, LongLine, MidBody, Raw, Reply,
                    Silent)
from harness import slowness

OK, DATAERR, NOUSER, UNAVAILABLE, TEMPFAIL, PROTOCOL, NOPERM = \
    0, 65, 67, 69, 75, 76, 77

# step: {reply: (exit code, words on standard error)}.  "" as the words: the
# reply itself.
BY_REPLY = {
    "greeting": {
        "220 other.example.org ESMTP": (OK, None),
        "220-two\n220 lines": (OK, None),
        "421 4.3.2 shutting down": (TEMPFAIL, ""),
        "450 4.3.2 try later": (TEMPFAIL, ""),
        "554 no service": (UNAVAILABLE, ""),
        "554 5.7.1 you are listed": (NOPERM, ""),
        "354 go ahead": (PROTOCOL, "354"),
    },
    "ehlo@clear": {
        "421 4.3.2 shutting down": (TEMPFAIL, ""),
        "450 4.3.2 try later": (TEMPFAIL, ""),
        "502 what?": (NOPERM, "STARTTLS"),      # HELO offers no STARTTLS
        "550 5.7.1 go away": (NOPERM, "STARTTLS"),
        "354 go ahead": (PROTOCOL, "354"),
    },
    "starttls": {
        "421 4.3.2 shutting down": (TEMPFAIL, ""),
        "454 4.7.0 not now": (TEMPFAIL, ""),
        "454 not now": (TEMPFAIL, ""),
        "502 5.5.1 not today": (PROTOCOL, ""),
        "554 5.7.3 no": (NOPERM, ""),
        "334 go ahead": (PROTOCOL, "334"),
    },
    "ehlo@tls": {
        "421 4.3.2 shutting down": (TEMPFAIL, ""),
        "451 4.3.0 try later": (TEMPFAIL, ""),
        "502 5.5.1 what?": (NOPERM, "AUTH|[Aa]uthentication"),
        "354 go ahead": (PROTOCOL, "354"),
    },
    "auth": {
        "235 2.7.0 welcome": (OK, None),
        "235 welcome": (OK, None),
        "421 4.3.2 shutting down": (TEMPFAIL, ""),
        "454 4.7.0 backend down": (TEMPFAIL, ""),
        "432 4.7.12 a password change is needed": (TEMPFAIL, ""),
        "535 5.7.8 wrong": (NOPERM, ""),
        "535 wrong": (NOPERM, ""),
        "534 5.7.9 too weak": (NOPERM, ""),
        "530 no": (NOPERM, ""),
        "504 5.5.4 no such mechanism": (PROTOCOL, ""),
        "354 go ahead": (PROTOCOL, "354"),
    },
    "mail": {
        "250 ok": (OK, None),
        "250-2.1.0 two\n250 2.1.0 lines": (OK, None),
        "421 4.3.2 shutting down": (TEMPFAIL, ""),
        "451 4.7.1 greylisted": (TEMPFAIL, ""),
        "452 no room": (TEMPFAIL, ""),
        "550 5.7.1 not you": (NOPERM, ""),
        "550 not you": (NOPERM, ""),
        "530 5.7.0 who are you?": (NOPERM, ""),
        "552 too large": (DATAERR, ""),
        "553 bad sender": (DATAERR, ""),
        "550 5.1.8 bad sender domain": (DATAERR, ""),
        "501 5.1.7 bad sender": (DATAERR, ""),
        "555 which parameter?": (PROTOCOL, ""),
        "503 out of turn": (PROTOCOL, ""),
        "354 go ahead": (PROTOCOL, "354"),
    },
    "rcpt": {
        "250 ok": (OK, None),
        "251 2.1.5 forwarded": (OK, None),
        "252 can't tell": (OK, None),
        "421 4.3.2 shutting down": (TEMPFAIL, ""),
        "450 4.2.1 busy": (TEMPFAIL, ""),
        "452 4.5.3 too many": (TEMPFAIL, ""),
        "550 5.1.1 no such user": (NOUSER, ""),
        "550 no such user": (NOUSER, ""),
        "550 5.2.1 disabled": (NOUSER, ""),
        "551 moved": (NOUSER, ""),
        "556 null MX": (NOUSER, ""),
        "550 5.1.10 null MX": (NOUSER, ""),
        "550 5.1.2 no such domain": (68, ""),
        "553 bad mailbox": (DATAERR, ""),
        "550 5.2.3 too long for him": (DATAERR, ""),
        "552 mailbox full": (UNAVAILABLE, ""),
        "550 5.2.2 mailbox full": (UNAVAILABLE, ""),
        "554 5.7.1 relay access denied": (NOPERM, ""),
        "554 no": (UNAVAILABLE, ""),
        "550 5.5.0 odd": (PROTOCOL, ""),
        "550 5.3.5 their configuration": (78, ""),
        # the reply code's class is the one that counts
        "450 5.1.1 odd": (TEMPFAIL, "bob@example.net: .* 450 [45].1.1 odd"),
        "550 4.1.1 odd": (NOUSER, "bob@example.net: .* 550 [45].1.1 odd"),
        "550 2.1.1 odd": (NOUSER, "bob@example.net: .* 550 [25].1.1 odd"),
        "354 go ahead": (PROTOCOL, "354"),
    },
    "data": {
        "354 ": (OK, None),
        "354-two\n354 lines": (OK, None),
        "250 ok": (PROTOCOL, "250"),
        "421 4.3.2 shutting down": (TEMPFAIL, ""),
        "451 4.3.0 not now": (TEMPFAIL, ""),
        "550 5.7.1 policy": (NOPERM, ""),
        "550 policy": (NOPERM, ""),
        "554 no": (UNAVAILABLE, ""),
        "503 5.5.1 out of turn": (PROTOCOL, ""),
    },
    "body": {
        "250 ok": (OK, None),
        "250-2.0.0 two\n250 2.0.0 lines": (OK, None),
        "421 4.3.2 shutting down": (TEMPFAIL, ""),
        "451 4.3.0 not now": (TEMPFAIL, ""),
        "452 4.3.1 disk full": (TEMPFAIL, ""),
        "550 5.7.1 spam": (NOPERM, ""),
        "550 spam": (NOPERM, ""),
        "552 5.3.4 too large": (DATAERR, ""),
        "552 too large": (DATAERR, ""),
        "554 5.6.0 malformed": (DATAERR, ""),
        "554 no": (UNAVAILABLE, ""),
        "354 go ahead": (PROTOCOL, "354"),
    },
}

# class: (fault, exit code, words on standard error)
BY_CLASS = {
    "garbage": (Raw(b"\x80\x04\0\xff\x1b[2Jgarbage\r\n"), PROTOCOL,
                "repl|answer"),
    "no number": (Raw(b"hello there\r\n"), PROTOCOL, "repl|answer"),
    "a number too short": (Raw(b"25 ok\r\n"), PROTOCOL, "repl|answer"),
    "a number too long": (Raw(b"2500 ok\r\n"), PROTOCOL, "repl|answer"),
    "a number too high": (Raw(b"999 ok\r\n"), PROTOCOL, "repl|answer|999"),
    "two numbers": (Raw(b"250-ok\r\n550 no\r\n"), PROTOCOL, "repl|answer"),
    "an over-long line": (LongLine(), PROTOCOL, "long|large|limit|over"),
    "a reply without end": (EndlessReply(), PROTOCOL,
                            "long|large|many|limit|over"),
    "dropped": (Drop(), TEMPFAIL, "clos|lost|hung up|ended|reset"),
    "reset": (Drop(reset=True), TEMPFAIL, "clos|lost|hung up|ended|reset"),
    "silent": (Silent(), TEMPFAIL, "time|second|silent|no answer"),
    "half a line": ([Raw(b"250 o"), Silent()], TEMPFAIL, "time|second|silent"),
    "cut in a line": ([Raw(b"250 o"), Drop()], TEMPFAIL,
                      "clos|lost|hung up|ended|reset"),
}

CHUNKING = "PIPELINING,CHUNKING,SIZE,8BITMIME,ENHANCEDSTATUSCODES"
PIPELINING = "PIPELINING,SIZE,8BITMIME,ENHANCEDSTATUSCODES"

DIALOGUES = [("greeting", "starttls", PIPELINING),
             ("ehlo@clear", "starttls", PIPELINING),
             ("starttls", "starttls", PIPELINING),
             ("ehlo@tls", "starttls", PIPELINING),
             ("auth", "implicit", PIPELINING),
             ("mail", "implicit", PIPELINING), ("mail", "implicit", CHUNKING),
             ("rcpt", "implicit", PIPELINING), ("rcpt", "implicit", CHUNKING),
             ("rcpt", "implicit", ""),
             ("data", "implicit", PIPELINING), ("data", "implicit", ""),
             ("body", "implicit", PIPELINING), ("body", "implicit", CHUNKING)]


def patience(kind, step):
    """The client's, in seconds: little where it must run out, and more where
    the whole dialogue has to be over before."""
    if kind not in ("silent", "half a line"):
        return round(5 * slowness())
    return 1 if step != "body" else max(2, round(slowness()))


AFTER = {"greeting": {"MAIL", "AUTH", "EHLO"}, "ehlo": {"MAIL", "AUTH"},
         "starttls": {"MAIL", "AUTH"}, "auth": {"MAIL"}}


def check(peer, result, code, words, step):
    assert result.code == code, str(result)
    accepted = [m.delivered for m in peer.messages] == [["bob@example.net"]]
    assert (result.code == 0) == accepted
    assert result.stdout == b""
    if code == 0:
        assert result.stderr == b""
        return
    assert len(result.lines) == 1, result.err
    assert result.lines[0].startswith("postrider: ")
    assert re.search(words, result.lines[0]), result.err
    assert result.err.rstrip("\n").isprintable()
    forbidden = AFTER.get(step.partition("@")[0], set())
    assert not forbidden & set(peer.session.verbs), peer.session.verbs


@pytest.mark.parametrize("step, tls, offer, reply", [
    (step, tls, offer, reply) for step, tls, offer in DIALOGUES
    for reply in BY_REPLY[step]])
def test_replies(start, send, step, tls, offer, reply):
    code, words = BY_REPLY[step][reply]
    fault = [Reply(reply)] if reply.startswith("421") else reply
    peer = start(tls=tls, capabilities=offer, faults={step: fault})
    result = send(peer, "bob@example.net", timeout=10)
    if words == "":
        words = "127.0.0.1.*" + re.escape(reply)
        if step == "rcpt" and not reply.startswith("421"):
            words = "bob@example.net: 127.0.0.1 said: " + re.escape(reply)
    if step == "ehlo@tls" and reply.startswith("502"):
        assert "HELO" in peer.session.verbs
    check(peer, result, code, words, step)


@pytest.mark.parametrize("step, tls, offer, kind", [
    (step, tls, offer, kind) for step, tls, offer in DIALOGUES
    for kind in BY_CLASS])
def test_broken_replies(start, rider, account, step, tls, offer, kind):
    fault, code, words = BY_CLASS[kind]
    peer = start(tls=tls, capabilities=offer, faults={step: fault})
    rider.config(account(peer, timeout=patience(kind, step)))
    result = rider.run("bob@example.net", stdin=MESSAGE, timeout=10)
    if step == "body" and code == TEMPFAIL:
        words = "may have been delivered"
    check(peer, result, code, words, step)
    assert peer.settle(5 * slowness())


@pytest.mark.parametrize("step", [
    "greeting", "ehlo@clear", "ehlo@tls", "auth", "mail", "rcpt", "data"])
def test_unsolicited_replies(start, send, step):
    peer = start(capabilities=PIPELINING, faults={
        step: [NORMAL, Raw(b"250 2.0.0 one more\r\n")],
        "body": "554 5.6.0 malformed"})
    result = send(peer, "bob@example.net")
    check(peer, result, PROTOCOL, "repl|answer|250", step)


def test_replies_after_the_last_are_not_waited_for(start, send):
    peer = start(capabilities=PIPELINING, faults={
        "body": [NORMAL, Raw(b"554 5.0.0 too late\r\n")]})
    assert send(peer, "bob@example.net").code == 0


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("offer", [CHUNKING, PIPELINING, ""])
def test_single_bytes(start, send, tls, offer):
    """Replies that come octet by octet are the same replies."""
    peer = start(tls=tls, capabilities=offer, trickle=True)
    check(peer, send(peer, "bob@example.net"), OK, None, "body")


@pytest.mark.parametrize("quit", [
    "421 bye", "500 what?", Drop(reset=True), Raw(b"\0\r\n"), LongLine(),
    Silent()])
def test_the_answer_to_quit_changes_nothing(start, send, quit):
    peer = start(faults={"quit": quit})
    check(peer, send(peer, "bob@example.net"), OK, None, "body")


BIG = MESSAGE + (b"x" * 70 + b"\n") * 120000

IN_THE_MESSAGE = {
    "dropped": (Drop(reset=True), "clos|lost|hung up|ended|reset"),
    "closed": (Drop(), "clos|lost|hung up|ended|reset"),
    "421": ([Reply("421 4.3.2 shutting down"), Drop()],
            "421 4.3.2 shutting down|clos|lost|hung up|ended|reset"),
}


@pytest.mark.parametrize("offer", [CHUNKING, PIPELINING])
@pytest.mark.parametrize("kind", IN_THE_MESSAGE)
def test_lost_in_the_message(start, rider, account, kind, offer):
    """Before the last octet went there is nothing uncertain."""
    fault, words = IN_THE_MESSAGE[kind]
    peer = start(tls="implicit", capabilities=offer, sockbuf=8192,
                 faults={"midbody": MidBody(100000, fault)})
    rider.config(account(peer))
    result = rider.run("--report=json", "bob@example.net", stdin=BIG)
    assert result.code == TEMPFAIL, str(result)
    assert not peer.messages
    assert "may have been delivered" not in result.err
    assert re.search(words, result.err)
    [line] = result.out.splitlines()
    assert json.loads(line)["uncertain"] is False


@pytest.mark.parametrize("offer", [CHUNKING, PIPELINING])
@pytest.mark.parametrize("kind", ["dropped", "reset", "silent"])
def test_lost_after_the_message(start, rider, account, kind, offer):
    fault, code, _ = BY_CLASS[kind]
    peer = start(tls="implicit", capabilities=offer, faults={"body": fault})
    rider.config(account(peer, timeout=patience(kind, "body")))
    result = rider.run("--report=json", "bob@example.net", stdin=MESSAGE)
    assert result.code == code, str(result)
    assert "may have been delivered" in result.err
    line = json.loads(result.out)
    assert (line["uncertain"], line["status"]) == (True, "4.4.2")


# Several recipients.  who is refused: (exit code with partial off, with on)
THREE = ["ann@example.net", "bob@example.net", "cid@example.net"]
REFUSED = {
    "none": ({}, 0),
    "one": ({"bob@example.net": "550 5.1.1 no bob"}, NOUSER),
    "the last": ({"cid@example.net": "550 5.1.1 no cid"}, NOUSER),
    "one for now": ({"bob@example.net": "450 4.2.1 no bob yet"}, TEMPFAIL),
    "one for now, one for good": (
        {"ann@example.net": "450 4.2.1 no ann yet",
         "cid@example.net": "554 5.7.1 no cid"}, NOPERM),
    "all": ({who: "550 5.1.1 no" for who in THREE}, NOUSER),
    "all for now": ({who: "450 4.2.0 no" for who in THREE}, TEMPFAIL),
}


@pytest.mark.parametrize("offer", [CHUNKING, PIPELINING, "CHUNKING", ""])
@pytest.mark.parametrize("partial", ["off", "on"])
@pytest.mark.parametrize("kind", REFUSED)
def test_some_refused(start, send, kind, partial, offer):
    refuse, code = REFUSED[kind]
    if partial == "off" and "PIPELINING" not in offer and refuse:
        # the first is enough to know that nothing will be sent
        first = min(refuse)
        refuse = {first: refuse[first]}
        code = TEMPFAIL if refuse[first].startswith("4") else code
    peer = start(tls="implicit", capabilities=offer, refuse=refuse)
    result = send(peer, "--report=json", *THREE, partial=partial)
    assert result.code == code, str(result)
    reached = [who for who in THREE if who not in refuse]
    if partial == "off" and refuse:
        reached = []
    delivered = [who for m in peer.messages for who in m.delivered]
    assert delivered == reached
    lines = result.lines
    for who, reply in refuse.items():
        assert lines.pop(0).startswith(
            f"postrider: {who}: 127.0.0.1 said: {reply}")
    withheld = set(THREE) - set(refuse) - set(reached)
    if withheld:
        assert "partial" in lines.pop(0)
    assert lines == []
    report = {r["recipient"]: r for r in
              map(json.loads, result.out.splitlines())}
    assert list(report) == THREE
    for who in THREE:
        expected = "failed" if who in refuse else \
            "withheld" if who in withheld else "delivered"
        assert report[who]["result"] == expected
        if who in refuse:
            assert report[who]["reply_code"] == int(refuse[who][:3])
            assert report[who]["status"] == refuse[who][4:9]


@pytest.mark.parametrize("partial", ["off", "on"])
def test_data_accepted_without_recipients(start, send, partial):
    """Some servers answer DATA with 354 when no recipient is left."""
    peer = start(tls="implicit", capabilities=PIPELINING, data_always=True,
                 refuse={"bob@example.net": "550 5.1.1 no"},
                 faults={"body": "554 5.5.1 no valid recipients"})
    result = send(peer, "bob@example.net", partial=partial)
    assert result.code == NOUSER, str(result)
    [line] = result.lines
    assert line.startswith(
        "postrider: bob@example.net: 127.0.0.1 said: 550 5.1.1 no")
    assert not any(t.content for t in peer.session.transactions)


@pytest.mark.parametrize("reply, code", [
    ("550 5.1.1 no bob", NOUSER), ("450 4.2.1 no bob yet", TEMPFAIL)])
def test_data_accepted_with_one_too_few(start, send, reply, code):
    """354, and the others must not get anything: not a word more is said."""
    peer = start(tls="implicit", capabilities=PIPELINING,
                 refuse={"bob@example.net": reply})
    result = send(peer, *THREE)
    assert result.code == code, str(result)
    assert len(peer.sessions) == 1 and not peer.messages
    assert peer.session.plain.endswith(b"DATA\r\n")
    assert not any(t.ended for t in peer.session.transactions)


@pytest.mark.parametrize("partial", ["off", "on"])
def test_421_between_recipients(start, send, partial):
    """It answers one command and ends the conversation for the rest."""
    peer = start(tls="implicit", capabilities=PIPELINING, faults={
        "rcpt:2": [Reply("421 4.3.2 shutting down")]})
    result = send(peer, *THREE, partial=partial)
    assert result.code == TEMPFAIL, str(result)
    assert "421 4.3.2 shutting down" in result.err
    assert not peer.messages


@pytest.mark.parametrize("partial", ["off", "on"])
def test_refused_then_lost(start, send, partial):
    """Permanent is worse than temporary."""
    peer = start(tls="implicit", capabilities=PIPELINING,
                 refuse={"ann@example.net": "550 5.1.1 no"},
                 faults={"data": Drop()})
    result = send(peer, *THREE, partial=partial)
    assert result.code == NOUSER, str(result)
    assert not peer.messages


@pytest.mark.parametrize("text", [
    "550 5.1.1 \x1b[31mred\x1b[0m \x07bell", "550 5.1.1 \x9b31m \x85 c1",
    "550 5.1.1 \u202e turned round", "550 5.1.1 two\u2028lines",
    "550-5.1.1 one\n550-5.1.1 two\n550 5.1.1 three",
    "550 5.1.1 " + "long " * 90])
def test_hostile_words_are_made_printable(start, send, text):
    peer = start(tls="implicit", faults={"rcpt": text})
    result = send(peer, "bob@example.net")
    assert result.code == NOUSER
    [line] = result.lines
    assert line.startswith("postrider: bob@example.net: 127.0.0.1 said: 550 ")
    assert line.isprintable()
