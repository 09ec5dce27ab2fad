"""What a sender is told of a message that was queued."""

import email
import email.policy
import time

import pytest

from conftest import MESSAGE
from spooled import Spool, deferred

USUAL = "PIPELINING,SIZE=10485760,8BITMIME"
BOB, CAROL = "bob@example.net", "carol@example.net"
ALICE, KEEPER = "alice@example.org", "keeper@example.org"
NO = "550 5.1.1 no such user"


@pytest.fixture
def queue(rider):
    """{id: octets} of what is in the usual place."""
    place = rider.home / ".local/state/postrider/queue"

    def entries():
        if not place.exists():
            return {}
        return {p.name: p.read_bytes() for p in sorted(place.iterdir())
                if "." not in p.name}
    return entries


@pytest.fixture
def tell(start, send, rider, queue):
    """Queue a message, run the queue until nothing more is sent: the peer,
    and the reports that it has got."""

    def tell(*arguments, refuse=(BOB,), reply=NO, offers=USUAL + ",DSN",
             faults=None, stdin=MESSAGE, **settings):
        peer = start(capabilities=offers, faults=faults,
                     refuse={name: reply for name in refuse})
        settings.setdefault("queue", "on")
        result = send(peer, "-odq", *arguments, stdin=stdin, **settings)
        assert result.code == 0, result
        for _ in range(3):
            assert rider.run("-q").code in (0, 69, 75)
        assert peer.settle(10)
        return peer, [m for m in peer.messages if m.sender == b""]
    return tell


def parsed(message):
    report = email.message_from_bytes(message.content,
                                      policy=email.policy.SMTP)
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    assert report["Auto-Submitted"] == "auto-replied"
    words, status, returned = report.iter_parts()
    assert all(len(line) <= 998 for line in message.content.split(b"\r\n"))
    return report, words, status, returned


def fields(status):
    """Those of the message, then of each recipient."""
    text = status.get_payload(decode=False)
    if isinstance(text, str):
        text = [email.message_from_string(part, policy=email.policy.default)
                for part in text.strip().split("\n\n")]
    return [{k: str(v) for k, v in block.items()} for block in text]


@pytest.mark.parametrize("offers", [USUAL, USUAL + ",DELIVERBY"])
def test_a_report_has_no_time_that_may_be_over(tell, queue, offers):
    """What failed because it could not be there in time is told whenever that
    can be."""
    peer, [report] = tell(BOB, deliverby="600;R", offers=offers)
    assert [r.address for r in report.recipients] == [ALICE.encode()]
    assert "BY" not in report.params
    assert queue() == {}


@pytest.mark.parametrize("settings, domain", [
    ({}, "example.org"),                # of `from`
    ({"from": "alice@b\u00fccher.example"}, "xn--bcher-kva.example"),
    ({"from": "*@example.net"}, "example.net"),
    ({"from": "alice", "maildomain": "mail.example"}, "mail.example"),
    ({"from": None, "maildomain": "mail.example"}, "mail.example"),
    ({"from": None}, "client.example"),
])
def test_where_it_is_from(tell, settings, domain):
    _, [report] = tell("-f", ALICE, BOB, domain="client.example",
                       allow_from_override="on", **settings)
    message, _, status, _ = parsed(report)
    assert message["From"].addresses[0].addr_spec == f"MAILER-DAEMON@{domain}"
    assert fields(status)[0]["Reporting-MTA"] == "dns; client.example"


@pytest.mark.parametrize("offers", [USUAL, USUAL + ",CHUNKING", "8BITMIME"])
@pytest.mark.parametrize("option", ["-q", "--queue-run", f"-qR{BOB}"])
def test_in_the_same_run(start, send, rider, queue, offers, option):
    peer = start(capabilities=offers, refuse={BOB: NO})
    for name in (BOB, CAROL, BOB):
        assert send(peer, "-odq", name, queue="on").code == 0
    assert rider.run(option).code == 0
    assert len(peer.sessions) == 1
    assert [m.sender for m in peer.messages] ==         [b"alice@example.org"] * ("R" not in option) + [b"", b""]
    assert len(queue()) == ("R" in option)


def test_nobody_to_tell_and_others_wait(start, send, rider, account):
    peer = start(refuse={CAROL: "450 4.2.0 later"})
    rider.config(account(peer, queue="on"))
    spool = Spool(rider.home / ".local/state/postrider/queue")
    entry = spool.add(to=[BOB, CAROL], sender="", events=[
        deferred(0, NO, event="refused", status="5.1.1", code=550)])
    assert rider.run("--queue-run").code == 0
    assert len(peer.sessions) == 1      # and now it waits its time
    assert rider.run("--queue-run").code == 0
    assert len(peer.sessions) == 1
    peer.refuse.clear()
    assert rider.run("-q").code == 0
    assert [r.address.decode() for r in peer.messages[0].recipients] == [CAROL]
    assert "no sender to tell" in spool.events(entry)[-1]


def test_a_refusal(tell, queue):
    peer, reports = tell(BOB, CAROL)
    [message] = reports
    assert message.delivered == [ALICE]
    assert message.recipients[0].params["NOTIFY"] == "NEVER"
    report, words, status, returned = parsed(message)
    assert report["To"].addresses[0].addr_spec == ALICE
    assert report["Subject"] == "Your message could not be delivered"
    assert report["In-Reply-To"] == "<1@example.org>"
    [origin] = report["From"].addresses
    assert (origin.display_name, origin.username) == (
        "Mail Delivery System", "MAILER-DAEMON")
    assert status.get_content_type() == "message/delivery-status"
    whole, bob = fields(status)
    assert whole["Reporting-MTA"].startswith("dns; ")
    assert "Arrival-Date" in whole and "Last-Attempt-Date" in bob
    assert bob["Final-Recipient"] == f"rfc822; {BOB}"
    assert bob["Action"] == "failed" and bob["Status"] == "5.1.1"
    assert bob["Diagnostic-Code"] == f"smtp; {NO}"
    assert bob["Remote-MTA"] == "dns; 127.0.0.1"
    assert returned.get_content_type() == "message/rfc822"
    [inner] = returned.get_payload()
    assert inner["Subject"] == "hello"
    assert inner.get_payload() == "First line\r\n.a dot\r\nlast line\r\n"
    text = words.get_content()
    assert BOB in text and NO in text and CAROL not in text
    assert all(len(line) <= 76 for line in text.splitlines())
    assert queue() == {}
    assert [m.delivered for m in peer.messages if m.sender] == [[CAROL]]


@pytest.mark.parametrize("options, expected", [
    ((), True), (("-N", "failure"), True), (("-N", "failure,success"), True),
    (("-N", "never"), False), (("-N", "success"), False),
    (("-N", "delay"), False),
])
@pytest.mark.parametrize("offers", [USUAL, USUAL + ",DSN"])
def test_whether_failures_are_told(tell, queue, options, expected, offers):
    _, reports = tell(*options, BOB, offers=offers)
    assert len(reports) == expected and queue() == {}


@pytest.mark.parametrize("options, offers, expected", [
    (("-N", "success"), USUAL, True), ((), USUAL, False),
    (("-N", "success"), USUAL + ",DSN", False),
    (("-N", "never"), USUAL, False), (("-N", "failure"), USUAL, False),
])
def test_whether_success_is_told(tell, queue, options, offers, expected):
    peer, reports = tell(*options, CAROL, offers=offers)
    assert len(reports) == expected and queue() == {}
    for message in reports:
        _, _, status, returned = parsed(message)
        carol = fields(status)[1]
        assert carol["Action"] == "relayed" and carol["Status"][0] == "2"
        assert returned.get_content_type() == "text/rfc822-headers"


@pytest.mark.parametrize("ret, kind", [
    (None, "message/rfc822"), ("full", "message/rfc822"),
    ("hdrs", "text/rfc822-headers")])
def test_what_is_returned(tell, ret, kind):
    options = ("-R", ret) if ret else ()
    [message] = tell(*options, "-V", "QQ.42", BOB)[1]
    _, _, status, returned = parsed(message)
    assert returned.get_content_type() == kind
    assert (b"First line" in message.content) == (ret != "hdrs")
    assert fields(status)[0]["Original-Envelope-Id"] == "QQ.42"


def test_aliases(tell, rider):
    aliases = rider.home / "aliases"
    aliases.write_text(f"root: {BOB}\n")
    [message] = tell("root", aliases=aliases)[1]
    bob = fields(parsed(message)[2])[1]
    assert bob["Original-Recipient"] == "rfc822; root"
    assert bob["Final-Recipient"] == f"rfc822; {BOB}"


@pytest.mark.parametrize("reply", [
    NO, "550", "550 5.1.1", "550 5.1.1 " + "x" * 480,
    "550 5.1.1 " + "many words " * 40, "550-5.1.1 one\n550 5.1.1 two",
    "550 5.1.1 n\u00f6", "550 5.1.1 --\t--", "550 5.1.1 a: b (c) \"d\" <e>;",
])
def test_odd_words(tell, reply):
    [message] = tell(BOB, reply=reply)[1]
    bob = fields(parsed(message)[2])[1]
    assert bob["Action"] == "failed" and bob["Status"][0] == "5"
    assert "550" in bob["Diagnostic-Code"]
    assert list(bob)[-1] == "Last-Attempt-Date"


@pytest.mark.parametrize("subject", [
    b"", b"x" * 5000, b"a\r\n folded", b"=?utf-8?B?w7Y=?=", b"n\xc3\xb6",
    b"n\xf6", b"--b", b"\"<>:;\\",
])
@pytest.mark.parametrize("offers", ["", USUAL, USUAL + ",SMTPUTF8"])
def test_odd_subjects(tell, queue, subject, offers):
    text = b"From: alice@example.org\nSubject: " + subject + b"\n\nhello\n"
    [message] = tell(BOB, stdin=text, offers=offers)[1]
    bob = fields(parsed(message)[2])[1]
    assert bob["Final-Recipient"] == f"rfc822; {BOB}" and queue() == {}


def test_utf8(tell, queue):
    [message] = tell("b\u00f6b@example.net", BOB, refuse=(
        BOB, "b\u00c3\u00b6b@example.net"),
        offers=USUAL + ",SMTPUTF8")[1]
    assert b"Content-Type: message/global-delivery-status" in message.content
    assert "utf-8; b\u00f6b@example.net".encode() in message.content
    assert queue() == {}


def test_utf8_where_the_server_has_none(tell, queue):
    [message] = tell("b\u00f6b@example.net", refuse=(), offers="")[1]
    assert b"5.6.7" in message.content and queue() == {}
    assert b"First line" in message.content


def test_what_can_not_go_is_told(tell, queue):
    text = MESSAGE + b"caf\xc3\xa9\n"
    [message] = tell(BOB, refuse=(), offers="", stdin=text,
                     reencode="off")[1]
    returned = parsed(message)[3]
    assert returned.get_content_type() == "text/rfc822-headers"
    assert queue() == {}


def test_bounce_to(tell, queue):
    [message] = tell(BOB, bounce_to=KEEPER)[1]
    assert message.delivered == [KEEPER] and queue() == {}


def test_bounce_to_of_the_null_sender(tell, queue):
    """It may be a report of others, about one of ours."""
    peer, _ = tell("-f", "<>", BOB, bounce_to=KEEPER)
    assert not [m for m in peer.messages if m.delivered]
    [left] = queue().values()
    assert b"\nhold " in left


def test_no_sender_to_tell(tell, queue):
    peer, _ = tell("-f", "<>", BOB)
    [(_, text)] = queue().items()
    assert b"\nhold " in text and not any(m.delivered for m in peer.messages)


@pytest.mark.parametrize("settings", [{}, {"bounce_to": KEEPER}])
def test_a_report_that_is_refused(tell, queue, rider, settings):
    peer, _ = tell(BOB, refuse=(BOB, ALICE, KEEPER), **settings)
    [(name, text)] = queue().items()
    assert b"\nreport" in text and b"\nhold " in text
    assert not any(m.delivered for m in peer.messages)
    assert name in rider.run("-bp").out
    before = len(peer.messages)
    assert rider.run("-q").code == 0
    assert len(peer.messages) == before and list(queue()) == [name]


def test_accounts_that_bounce_to_each_other(start, rider, account, queue):
    peers = [start(refuse={BOB: NO, ALICE: NO, KEEPER: NO})
             for _ in range(2)]
    rider.config(account(peers[0], name="default", queue="on",
                         bounce_to=KEEPER) +
                 account(peers[1], name="other", queue="on",
                         bounce_to=ALICE, **{"from": KEEPER}))
    for name in ("default", "other"):
        assert rider.run("-a", name, "-odq", BOB, stdin=MESSAGE).code == 0
    for _ in range(5):
        rider.run("-q")
    entries = queue()
    assert len(entries) == 2
    assert all(b"\nreport" in text and b"\nhold " in text
               for text in entries.values())


def test_given_up(start, send, rider, queue):
    peer = start(refuse={BOB: "450 4.2.0 grey"})
    assert send(peer, "-odq", BOB, queue="on", queue_lifetime="1s").code == 0
    time.sleep(1.1)
    for _ in range(3):
        rider.run("-q")
    assert peer.settle(10)
    [message] = [m for m in peer.messages if m.sender == b""]
    bob = fields(parsed(message)[2])[1]
    assert (bob["Action"], bob["Status"]) == ("failed", "5.4.7")
    assert bob["Diagnostic-Code"] == "smtp; 450 4.2.0 grey"
    assert queue() == {}


def test_late(start, send, rider, queue):
    peer = start(refuse={BOB: "450 4.2.0 grey"})
    assert send(peer, "-odq", BOB, queue="on", queue_warn="1s").code == 0
    time.sleep(1.1)
    for _ in range(4):
        rider.run("-q")
    assert peer.settle(10)
    [message] = [m for m in peer.messages if m.sender == b""]
    _, words, status, returned = parsed(message)
    bob = fields(status)[1]
    assert (bob["Action"], bob["Status"]) == ("delayed", "4.2.0")
    assert "Will-Retry-Until" in bob
    assert returned.get_content_type() == "text/rfc822-headers"
    [text] = queue().values()
    assert text.count(b"\ntold 0 ") == 1


def test_late_without_a_server(start, send, rider, account, queue):
    peer = start()
    text = account(peer, queue="on", queue_warn="1s")
    rider.config(text.replace(f"port {peer.port}", "port 1"))
    assert rider.run("-odq", BOB, stdin=MESSAGE).code == 0
    time.sleep(1.1)
    for _ in range(3):
        rider.run("-q")
    reports = [t for t in queue().values() if b"\nreport" in t]
    assert len(reports) == 1
    assert b"Remote-MTA" not in reports[0]
    assert b"Action: delayed" in reports[0]
