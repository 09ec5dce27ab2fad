"""Reports to the sender, as Python's email reads them."""

import email
import email.policy
import time

import pytest

NONE = {"none@example.net": "550 5.1.1 no such user here"}
HEAD = b"From: alice@example.org\nTo: none@example.net\n" \
    b"Subject: hello\nMessage-ID: <1@example.org>\n"
MESSAGE = HEAD + b"\nthe body\n.dot\n--=_x\n"


@pytest.fixture
def queue(rider):
    place = rider.home / ".local/state/postrider/queue"

    def entries():
        return {p.name: p.read_bytes() for p in sorted(place.iterdir())
                if "." not in p.name} if place.exists() else {}
    return entries


class Report:
    """What a multipart/report says."""

    def __init__(self, octets):
        self.whole = email.message_from_bytes(octets,
                                              policy=email.policy.SMTP)
        assert self.whole.defects == []
        assert self.whole.get_content_type() == "multipart/report"
        assert self.whole.get_param("report-type") == "delivery-status"
        self.text, self.status, self.returned = self.whole.iter_parts()
        assert self.text.get_content_type() == "text/plain"
        assert self.text.defects == [] and self.status.defects == []
        groups = self.status.get_payload()
        if isinstance(groups, str):     # the global form is no special to it
            groups = [email.message_from_string(g) for g in
                      groups.replace("\r\n", "\n").strip().split("\n\n")]
        self.message, *self.recipients = groups

    @property
    def kind(self):
        return (self.status.get_content_type(),
                self.returned.get_content_type())


def bounce(peer):
    """The last message that the server took."""
    taken = peer.messages[-1]
    assert taken.sender == b"", taken
    return Report(taken.content)


def to(message):
    return [r.address.decode() for r in message.recipients]


def fail(send, rider, peer, *words, stdin=MESSAGE,
         recipients=("none@example.net",), code=0, **settings):
    assert send(peer, "-odq", *words, "--", *recipients, stdin=stdin,
                queue="on", **settings).code == 0
    rider.run("-q")     # it is refused
    return rider.run("-q")


def test_failed(start, send, rider, queue):
    peer = start(refuse=NONE)
    fail(send, rider, peer)
    assert queue() == {}
    assert to(peer.messages[0]) == ["alice@example.org"]
    report = bounce(peer)
    whole = report.whole
    assert whole["To"] == "<alice@example.org>" or "alice" in whole["To"]
    assert "MAILER-DAEMON@" in whole["From"]
    assert whole["Auto-Submitted"] == "auto-replied"
    assert whole["In-Reply-To"] == whole["References"] == "<1@example.org>"
    assert whole["Date"] and whole["Message-ID"]
    assert report.kind == ("message/delivery-status", "message/rfc822")
    assert report.message["Reporting-MTA"].startswith("dns; ")
    assert report.message["Arrival-Date"]
    one, = report.recipients
    assert one["Final-Recipient"] == "rfc822; none@example.net"
    assert one["Action"] == "failed" and one["Status"] == "5.1.1"
    assert one["Remote-MTA"] == "dns; 127.0.0.1"
    assert one["Diagnostic-Code"] == "smtp; 550 5.1.1 no such user here"
    assert one["Last-Attempt-Date"]
    assert "Will-Retry-Until" not in one
    text = report.text.get_content()
    assert "none@example.net" in text and "no such user here" in text
    assert "Subject: hello" in text
    inner = report.returned.get_payload(0)
    assert inner["Message-ID"] == "<1@example.org>"
    assert inner.get_payload() == "the body\r\n.dot\r\n--=_x\r\n"


def test_only_of_those_who_failed(start, send, rider, queue):
    peer = start(refuse=NONE)
    fail(send, rider, peer, recipients=["bob@example.net",
                                        "none@example.net"])
    assert len(peer.messages) == 2 and queue() == {}
    one, = bounce(peer).recipients
    assert one["Final-Recipient"] == "rfc822; none@example.net"


def test_two_in_one(start, send, rider, queue):
    peer = start(refuse={**NONE, "full@example.net": "552 5.2.2 full"})
    fail(send, rider, peer, recipients=["none@example.net",
                                        "full@example.net"])
    assert [r["Status"] for r in bounce(peer).recipients] == ["5.1.1",
                                                              "5.2.2"]


@pytest.mark.parametrize("ret, kind", [
    ("full", "message/rfc822"), ("hdrs", "text/rfc822-headers"),
    (None, "message/rfc822")])
def test_what_returns(start, send, rider, ret, kind):
    peer = start(refuse=NONE)
    fail(send, rider, peer, *(("-R", ret) if ret else ()))
    report = bounce(peer)
    assert report.kind[1] == kind
    if kind == "text/rfc822-headers":
        assert "Message-ID: <1@example.org>" in report.returned.get_payload()
        assert "the body" not in peer.messages[-1].content.decode()


def test_too_large_to_return(start, send, rider):
    peer = start(refuse=NONE)
    fail(send, rider, peer, stdin=HEAD + b"\n" + b"x" * 70 * 8000 + b"\n")
    assert bounce(peer).kind[1] == "text/rfc822-headers"


def test_envid_and_orcpt(start, send, rider):
    peer = start(refuse=NONE)
    rider.config("nobody: none@example.net\n", "aliases")
    fail(send, rider, peer, "-V", "a b+c", recipients=["nobody"],
         aliases=rider.home / "aliases", maildomain="example.org")
    report = bounce(peer)
    assert report.message["Original-Envelope-Id"] == "a b+c"
    assert report.recipients[0]["Original-Recipient"] == \
        "rfc822; nobody@example.org"


@pytest.mark.parametrize("notify, told", [
    (None, True), ("failure", True), ("never", False), ("success", False),
    ("delay", False), ("success,failure", True)])
def test_notify(start, send, rider, queue, notify, told):
    peer = start(refuse=NONE)
    fail(send, rider, peer, *(("-N", notify) if notify else ()))
    assert len(peer.messages) == told and queue() == {}


@pytest.mark.parametrize("notify", [None, "success", "failure"])
@pytest.mark.parametrize("offers", ["DSN", "8BITMIME"])
def test_success(start, send, rider, queue, notify, offers):
    """Only where it was asked for, and the server does not tell itself."""
    peer = start(capabilities=["PIPELINING", offers])
    fail(send, rider, peer, *(("-N", notify) if notify else ()),
         recipients=["bob@example.net"])
    told = notify == "success" and offers != "DSN"
    assert len(peer.messages) == 1 + told and queue() == {}
    if told:
        report = bounce(peer)
        one, = report.recipients
        assert one["Action"] == "relayed" and one["Status"][0] == "2"
        assert report.kind[1] == "text/rfc822-headers"


def test_bounce_to(start, send, rider, queue):
    peer = start(refuse=NONE)
    fail(send, rider, peer, bounce_to="boss@example.org")
    assert to(peer.messages[0]) == ["boss@example.org"]
    fail(send, rider, peer, "-f", "", bounce_to="boss@example.org")
    assert to(peer.messages[1]) == ["boss@example.org"]
    assert queue() == {}


def test_nobody_to_tell(start, send, rider, queue):
    """The null reverse-path: it stays, for people to see."""
    peer = start(refuse=NONE)
    fail(send, rider, peer, "-f", "<>")
    assert peer.messages == [] and len(queue()) == 1
    shown = rider.run("-bp").out
    assert "none@example.net" in shown and "held" in shown
    assert rider.run("-q").code == 0 and len(queue()) == 1


def test_a_report_that_is_refused(start, send, rider, queue):
    """It is kept, shown, and causes no other."""
    peer = start(refuse={**NONE, "alice@example.org": "550 5.7.1 no"})
    fail(send, rider, peer)
    for _ in range(3):
        rider.run("-q")
    assert peer.messages == [] and len(queue()) == 1
    octets, = queue().values()
    assert b"\nreport" in octets and b"multipart/report" in octets
    shown = rider.run("-bp").out
    assert "alice@example.org" in shown and "no" in shown


def test_two_accounts_do_not_loop(start, rider, account, queue):
    """Each one's mail is refused by the other's server."""
    peer = start(refuse={"a@example.org": "550 5.1.1 no",
                         "b@example.net": "550 5.1.1 no"})
    rider.config("".join(
        account(peer, name=name, **{"from": own, "queue": "on"})
        for name, own in (("one", "a@example.org"),
                          ("two", "b@example.net"))))
    for name, other in (("one", "b@example.net"), ("two", "a@example.org")):
        assert rider.run("-a", name, "-odq", other,
                         stdin=MESSAGE).code == 0
    for _ in range(5):
        rider.run("-q")
    assert peer.messages == [] and len(queue()) == 2
    assert all(b"\nreport" in octets for octets in queue().values())


def test_given_up(start, send, rider, queue):
    """The lifetime's end, and the second attempt behind it."""
    peer = start(refuse={"none@example.net": "450 4.2.0 grey"})
    assert send(peer, "-odq", "none@example.net", queue="on",
                queue_lifetime="1s").code == 0
    time.sleep(1.1)
    rider.run("-q")
    assert len(queue()) == 1 and peer.messages == []
    rider.run("-q")
    rider.run("-q")
    assert queue() == {}
    one, = bounce(peer).recipients
    assert one["Action"] == "failed" and one["Status"] == "5.4.7"
    assert "grey" in one["Diagnostic-Code"]


def test_late(start, send, rider, queue):
    peer = start(refuse={"none@example.net": "450 4.2.0 grey"})
    assert send(peer, "-odq", "none@example.net", queue="on",
                queue_warn="1s").code == 0
    time.sleep(1.1)
    for _ in range(4):
        rider.run("-q")
    assert len(queue()) == 1 and len(peer.messages) == 1
    one, = bounce(peer).recipients
    assert one["Action"] == "delayed" and one["Status"] == "4.2.0"
    assert one["Will-Retry-Until"]


def test_late_as_the_server_is_away(start, send, rider, queue):
    peer = start()
    assert send(peer, "-odq", "none@example.net", queue="on", queue_warn="1s",
                port=1).code == 0
    time.sleep(1.1)
    for _ in range(3):
        rider.run("-q")
    assert len(queue()) == 2    # the message, and one report that waits too


@pytest.mark.parametrize("words", [
    "550 5.1.1 " + "long " * 90, "550 5.1.1 " + "x" * 480,
    "550-5.1.1 one\n550-5.1.1 two\n550 5.1.1 --=_three",
    "550 5.1.1 gr\u00fc\u00dfe", "550 5.1.1 \t tabs\tand: colons",
    "550 5.1.1"])
def test_odd_words_of_a_server(start, send, rider, words):
    peer = start(refuse={"none@example.net": words}, strict=False)
    fail(send, rider, peer)
    one, = bounce(peer).recipients
    assert one["Status"] == "5.1.1"
    assert one["Diagnostic-Code"].startswith("smtp; 550")
    assert max(map(len, peer.messages[-1].content.split(b"\r\n"))) < 998


@pytest.mark.parametrize("subject", [
    b"", b"=?utf-8?q?gr=C3=BC=C3=9Fe?=", b"a" * 900, b"x\n\ty\n z",
    b"--boundary--", "gr\u00fc\u00dfe".encode()])
def test_odd_subjects(start, send, rider, subject):
    peer = start(refuse=NONE, capabilities="PIPELINING,8BITMIME,DSN",
                 strict=False)
    fail(send, rider, peer, stdin=b"Subject: " + subject + b"\n" + MESSAGE)
    bounce(peer)


@pytest.mark.parametrize("offers", ["8BITMIME", "SIZE=1000000"])
def test_eight_bits_within(start, send, rider, offers):
    """Also to a server that does not take them as they are."""
    peer = start(refuse=NONE, capabilities=["PIPELINING", offers])
    fail(send, rider, peer, stdin=HEAD + "\ngr\u00fc\u00dfe\n".encode())
    report = bounce(peer)
    assert report.recipients[0]["Status"] == "5.1.1"


def test_utf8_addresses(start, send, rider):
    """RFC 6533: the global forms, and addresses as they are."""
    peer = start(faults={"rcpt": "550 5.1.1 no"},
                 capabilities="PIPELINING,8BITMIME,SMTPUTF8")
    assert send(peer, "-odq", "\u00fcser@example.net", stdin=MESSAGE,
                queue="on").code == 0
    rider.run("-q")
    peer.faults.clear()
    rider.run("-q")
    report = bounce(peer)
    assert report.kind == ("message/global-delivery-status",
                           "message/global")
    raw = peer.messages[-1].content.decode()
    assert "Final-Recipient: utf-8; \u00fcser@example.net" in raw
