"""ESMTP parameters as Postfix understands them: SIZE, DSN, SMTPUTF8."""

import email
import re

import pytest

from messages import as_stored, head

RAW = head("the subject") + b"the body\n"


def of_size(wire):
    """A message of WIRE octets as the server counts them."""
    text = head()
    size = wire - len(text) - text.count(b"\n")
    lines, rest = divmod(size, 66)
    body = b"x" * 64 + b"\n"
    if rest < 2:
        lines, rest = lines - 1, rest + 66
    return text + body * lines + b"y" * (rest - 2) + b"\n"


def test_of_size():
    for wire in range(2000, 2200):
        raw = of_size(wire)
        assert len(raw) + raw.count(b"\n") == wire


# SIZE

@pytest.mark.parametrize("way", ("on", "off"))
def test_size_at_the_limit(client, mail, box, way):
    done = client.send(of_size(4000), box, server="small", chunking=way)
    assert (done.code, done.err) == (0, "")
    mail.wait_for(box)


@pytest.mark.parametrize("way", ("on", "off"))
@pytest.mark.parametrize("size", (4001, 5000, 3 << 20))
def test_size_over_the_limit(client, mail, box, size, way):
    """The server's SIZE says enough; not even MAIL is sent."""
    done = client.send(of_size(size), box, server="small", chunking=way)
    assert done.code == 65, done
    assert len(done.lines) == 1, done
    assert "4000" in done.err, done
    assert "mail" not in client.session()
    assert mail.delivered(box) == []


@pytest.mark.parametrize("way", ("on", "off"))
@pytest.mark.parametrize("size", (5000, 3 << 20))
def test_a_limit_that_is_not_announced(client, mail, box, size, way):
    """552 5.3.4 behind the data."""
    done = client.send(of_size(size), box, server="smallsecret",
                       chunking=way)
    assert done.code == 65, done
    assert len(done.lines) == 1, done
    assert "552 5.3.4" in done.err, done
    mail.settle()
    assert mail.delivered(box) == []


def test_size_is_declared(client, box):
    done = client.send(RAW, box, args=("-v",))
    wire = len(RAW) + RAW.count(b"\n")
    assert re.search(r"--> MAIL FROM:<alice@example\.org>.* SIZE=%d\b" % wire,
                     done.err), done


# DSN

def arriving(mail, name):
    """The report in mailbox NAME, and its text."""
    stored = mail.wait_for(name)[0]
    report = email.message_from_bytes(stored)
    assert report.get_content_type() == "multipart/report", stored.decode()
    return report, stored.decode()


def test_success_and_envid(client, mail, box):
    sender = mail.new_mailbox()
    done = client.send(RAW, box, args=(
        "-f", sender + "@example.org", "-N", "success", "-R", "hdrs",
        "-V", "QQ314159+=/x"))
    assert (done.code, done.err) == (0, "")
    mail.wait_for(box)
    _, text = arriving(mail, sender)
    assert "Original-Envelope-Id: QQ314159+=/x\n" in text
    assert "Final-Recipient: rfc822; %s@example.org\n" % box in text
    assert "Action: delivered\n" in text


@pytest.mark.parametrize("ret", ("full", "hdrs"))
def test_failure_and_what_comes_back(client, mail, ret):
    sender = mail.new_mailbox()
    done = client.send(RAW, "bounces", args=(
        "-f", sender + "@example.org", "-N", "failure,delay", "-R", ret,
        "-V", "envelope-7"))
    assert (done.code, done.err) == (0, "")
    report, text = arriving(mail, sender)
    assert "Original-Envelope-Id: envelope-7\n" in text
    assert "Action: failed\n" in text
    assert "Status: 5.1.1\n" in text
    returned = report.get_payload()[2]
    assert returned.get_content_type() == (
        "message/rfc822" if ret == "full" else "text/rfc822-headers")
    assert "the subject" in returned.as_string()
    assert ("the body" in returned.as_string()) == (ret == "full")


def test_settings_instead_of_options(client, mail):
    sender = mail.new_mailbox()
    done = client.send(RAW, "bounces", from_=sender + "@example.org",
                       dsn_notify="failure", dsn_return="hdrs")
    assert (done.code, done.err) == (0, "")
    report, _ = arriving(mail, sender)
    assert (report.get_payload()[2].get_content_type() ==
            "text/rfc822-headers")


@pytest.mark.parametrize("notify,count", (
    ("never", 0), ("success", 0), ("failure", 1)))
def test_who_hears_of_a_bounce(client, mail, notify, count):
    sender = mail.new_mailbox()
    done = client.send(RAW, "bounces", args=(
        "-f", sender + "@example.org", "-N", notify))
    assert (done.code, done.err) == (0, "")
    mail.wait_log(r"status=bounced[^\n]*\n(.*\n)*.* removed",
                  client.log_start)
    mail.settle()
    assert len(mail.delivered(sender)) == count


def test_without_dsn_it_goes_all_the_same(client, mail, box):
    done = client.send(RAW, box, server="bare", args=(
        "-N", "success", "-R", "full", "-V", "x"))
    assert done.code == 0, done
    mail.wait_for(box)


def test_the_null_sender(client, mail, box):
    done = client.send(RAW, box, args=("-f", "<>"))
    assert (done.code, done.err) == (0, "")
    assert mail.wait_for(box)[0].startswith(b"Return-Path: <>\n")


# SMTPUTF8

def test_smtputf8_recipient(client, mail):
    before = len(mail.delivered("jürgen"))
    done = client.send(RAW, "jürgen")
    assert (done.code, done.err) == (0, "")
    assert len(mail.wait_for("jürgen", before + 1)) == before + 1


def test_smtputf8_sender(client, mail, box):
    done = client.send(RAW, box, args=("-f", "jürgen@example.org"))
    assert (done.code, done.err) == (0, "")
    assert mail.wait_for(box)[0].startswith(
        "Return-Path: <jürgen@example.org>\n".encode())


def test_smtputf8_from_the_header(client, mail):
    before = len(mail.delivered("jürgen"))
    raw = "From: alice@example.org\nTo: Jürgen <jürgen@example.org>\n" \
        "Subject: ü\n\nü\n".encode()
    done = client.run("-C", client.account(), "-t", stdin=raw)
    assert (done.code, done.err) == (0, "")
    mail.wait_for("jürgen", before + 1)


@pytest.mark.parametrize("args,to", (
    ((), "jürgen@example.org"), (("-f", "jürgen@example.org"), "box0")))
def test_smtputf8_is_missing(client, args, to):
    done = client.send(RAW, to, server="bare", args=args)
    assert done.code == 65, done
    assert len(done.lines) == 1, done
    assert "mail" not in client.session()


@pytest.mark.parametrize("server", ("submission", "bare"))
def test_an_international_domain_needs_no_smtputf8(client, mail, server):
    before = len(mail.delivered("idn"))
    done = client.send(RAW, "idn@bücher.example.org", server=server)
    assert (done.code, done.err) == (0, "")
    stored = mail.wait_for("idn", before + 1)[-1]
    assert b"\nDelivered-To: idn@xn--bcher-kva.example.org\n" in stored


# Addresses as they are, not as they are often guessed

@pytest.mark.parametrize("address,where", (
    ("O'Brien@example.org", "o'brien"),
    ("user+tag@example.org", "user+tag"),
    ('"dots..inside"@example.org', "dots"),
    ('"with space"@example.org', "space"),
))
def test_local_parts(client, mail, address, where):
    done = client.send(RAW, address)
    assert (done.code, done.err) == (0, "")
    mail.wait_for(where)


# Many

@pytest.mark.parametrize("partial", ("off", "on"))
@pytest.mark.parametrize("way", ("on", "off"))
def test_fifty_recipients(client, mail, partial, way):
    boxes = [mail.new_mailbox() for _ in range(50)]
    done = client.send(RAW, *boxes, partial=partial, chunking=way)
    assert (done.code, done.err) == (0, "")
    for name in boxes:
        stored = mail.wait_for(name)
        assert len(stored) == 1
        assert stored[0].endswith(as_stored(RAW))
    assert client.session()["mail"] == 1	# one message for all


def test_a_thousand_in_flight(client, mail):
    """Postfix takes a thousand recipients in one message, and no more."""
    names = ["box%d" % i for i in range(700)] + ["nobody%d" % i
                                                for i in range(300)]
    done = client.send(RAW, *names, partial="off")
    assert done.code == 67, done
    assert len(done.lines) == 301, done.err[-500:]
    client.nothing_sent()


# BODY

@pytest.mark.parametrize("raw,wanted", (
    (RAW, False), (RAW + b"\xff\n", True), (RAW + "ü\n".encode(), True)))
def test_8bitmime_is_declared_where_it_is_true(client, box, raw, wanted):
    done = client.send(raw, box, args=("-v",))
    assert done.code == 0, done
    mail_from = re.search(r"--> MAIL FROM.*", done.err).group()
    assert ("BODY=8BITMIME" in mail_from) == wanted, mail_from
    assert "SMTPUTF8" not in mail_from
