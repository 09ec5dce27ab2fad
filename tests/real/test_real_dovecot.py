"""Dovecot's own submission service, which logs in by itself and hands on."""

import os

import pytest

from mailconfig import MECHANISMS
from messages import head

RAW = head() + b"hello\n"
SERVERS = ("dovecot", "dovecots")


@pytest.fixture
def logged_in(mail):
    """Waits for what Dovecot says of a login of this test."""
    since = os.path.getsize(mail.dovecot_log)
    return lambda mechanism: mail.wait_dovecot(
        "Login: user=<alice>, method=%s,.* TLS" % mechanism, since)


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_by_name(client, mail, box, logged_in, mechanism, server):
    done = client.send(RAW, box, server=server, auth=mechanism.lower())
    assert (done.code, done.out, done.err) == (0, "", "")
    logged_in(mechanism)
    assert mail.wait_for(box)[0].endswith(b"\nhello\n")


@pytest.mark.parametrize("server", SERVERS)
def test_the_strongest_is_taken(client, mail, box, logged_in, server):
    assert client.send(RAW, box, server=server).code == 0
    logged_in("SCRAM-SHA-256")


@pytest.mark.parametrize("mechanism", (*MECHANISMS, "on"))
def test_a_wrong_password(client, mail, box, mechanism):
    done = client.send(RAW, box, server="dovecots", password="Wr0ng-one",
                       auth=mechanism.lower())
    assert done.code == 77, done
    assert len(done.lines) == 1
    assert "535 5.7.8" in done.err and "Wr0ng-one" not in done.err
    assert mail.delivered(box) == []


def test_several_recipients_and_a_long_body(client, mail):
    boxes = [mail.new_mailbox() for _ in range(3)]
    body = b"".join(b".%d grow\n" % n for n in range(20000))
    done = client.send(head() + body, *boxes, server="dovecot")
    assert (done.code, done.err) == (0, "")
    for name in boxes:
        assert mail.wait_for(name)[0].endswith(b"\n\n" + body)
