"""--probe: what it says of Postfix is what Postfix is."""

import re

import pytest

from mailconfig import MECHANISMS


def probe(client, server, **changes):
    client.log_start = client.mail.log_size()
    return client.run("-C", client.account(server, **changes), "--probe")


def parts(done):
    """What it prints of the time before TLS and of the time after."""
    before, mark, after = done.out.partition("\nTLS:\n")
    assert mark, done
    return before, after


def test_before_and_after_starttls(client):
    done = probe(client, "submission")
    assert (done.code, done.err) == (0, "")
    before, after = parts(done)
    for word in ("STARTTLS", "PIPELINING", "8BITMIME", "50000000", "DSN",
                 "SMTPUTF8", "CHUNKING", "ENHANCEDSTATUSCODES"):
        assert word in before, (word, done)
    for word in MECHANISMS:
        assert not re.search(r"\b%s\b(?!-)" % word, before), (word, done)
        assert re.search(r"\b%s\b(?!-)" % word, after), (word, done)
    for word in ("PIPELINING", "8BITMIME", "50000000", "DSN", "CHUNKING"):
        assert word in after, (word, done)


def test_implicit_tls(client):
    done = probe(client, "smtps")
    assert (done.code, done.err) == (0, "")
    for word in MECHANISMS + ("CHUNKING", "50000000"):
        assert word in done.out, (word, done)
    assert "STARTTLS" not in done.out


@pytest.mark.parametrize("server", ("submission", "smtps"))
def test_the_certificate(client, mail, server):
    done = probe(client, server)
    assert mail.fingerprint("server") in done.out.upper()
    assert re.search(r"TLS ?v?1\.3", done.out)
    assert "CN=server" in done.out and "CN=Test ca" in done.out


def test_another_version_of_tls(client):
    done = probe(client, "tls12")
    assert done.code == 0, done
    assert re.search(r"TLS ?v?1\.2", done.out)


def test_what_is_not_offered_is_not_listed(client):
    done = probe(client, "bare")
    assert done.code == 0, done
    for word in ("PIPELINING", "CHUNKING", "DSN", "SMTPUTF8", "8BITMIME"):
        assert not re.search(r"^\s*(250[- ])?%s\b" % word, done.out,
                             re.MULTILINE), (word, done)


def test_one_mechanism(client):
    done = probe(client, "only-cram-md5")
    assert "CRAM-MD5" in done.out
    assert "SCRAM-SHA-256" not in done.out


def test_it_says_nothing_of_ours(client):
    """No AUTH, no MAIL: a probe is not a submission."""
    probe(client, "submission")
    session = client.session()
    assert session["ehlo"] == 2 and session["starttls"] == 1
    assert "auth" not in session and "mail" not in session


@pytest.mark.parametrize("server", ("stranger", "expired", "othername"))
def test_a_bad_certificate(client, mail, server):
    """It is shown, so that one can see what is wrong, and not trusted."""
    done = probe(client, server)
    assert mail.fingerprint(server) in (done.out + done.err).upper(), done
    assert done.code == 75, done
