"""TLS to Postfix: whom we trust, what we say when we do not."""

import pytest

from messages import head

RAW = head() + b"hello\n"


def assert_refused(client, done, *words):
    """75, one line with the reason, nothing of ours behind STARTTLS."""
    assert done.code == 75, done
    assert len(done.lines) == 1, done
    for word in words:
        assert word in done.err.lower(), done
    session = client.session()
    assert session["ehlo"] <= 1, session
    assert "auth" not in session and "mail" not in session, session


@pytest.mark.parametrize("host", ("127.0.0.1", "localhost"))
@pytest.mark.parametrize("server", ("submission", "smtps"))
def test_a_name_and_an_address(client, mail, box, server, host):
    done = client.send(RAW, box, server=server, host=host)
    assert (done.code, done.out, done.err) == (0, "", "")
    mail.wait_log(r"TLS connection established from .*TLSv1\.3",
                  client.log_start)
    mail.wait_for(box)


def test_tls_1_2(client, mail, box):
    done = client.send(RAW, box, server="tls12")
    assert (done.code, done.err) == (0, "")
    mail.wait_log(r"TLS connection established from .*TLSv1\.2",
                  client.log_start)


def test_tls_1_1_is_too_old(client, box):
    assert_refused(client, client.send(RAW, box, server="tls11"))


@pytest.mark.parametrize("server,word", (
    ("stranger", "trust"), ("expired", "expired"),
    ("othername", "127.0.0.1")))
def test_a_bad_certificate(client, box, server, word):
    done = client.send(RAW, box, server=server)
    assert_refused(client, done, "certificate", word)


def test_the_systems_authorities_do_not_know_ours(client, box):
    done = client.send(RAW, box, tls_trust_file=None)
    assert_refused(client, done, "certificate")


def test_the_systems_authorities_do_not_know_ours_on_smtps(client, box):
    done = client.send(RAW, box, server="smtps", tls_trust_file=None)
    assert_refused(client, done, "certificate")


@pytest.mark.parametrize("server", ("stranger", "othername", "expired"))
def test_certcheck_off_takes_any(client, box, server):
    done = client.send(RAW, box, server=server, tls_certcheck="off",
                       tls_trust_file=None)
    assert done.code == 0, done


def test_the_name_can_be_another(client, box):
    done = client.send(RAW, box, server="othername",
                       tls_host_override="elsewhere.example.net")
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("server,certificate", (
    ("submission", "server"), ("smtps", "server"), ("stranger", "stranger")))
def test_the_right_fingerprint(client, mail, box, server, certificate):
    done = client.send(RAW, box, server=server, tls_trust_file=None,
                       tls_fingerprint=mail.fingerprint(certificate))
    assert (done.code, done.err) == (0, "")


def test_the_wrong_fingerprint(client, mail, box):
    done = client.send(RAW, box, tls_trust_file=None,
                       tls_fingerprint=mail.fingerprint("stranger"))
    assert_refused(client, done, "fingerprint")


def test_starttls_is_not_offered(client, box):
    done = client.send(RAW, box, server="cleartext")
    assert done.code == 77, done
    assert len(done.lines) == 1
    session = client.session()
    assert "auth" not in session and "mail" not in session


def test_tls_spoken_to_a_server_that_waits_for_starttls(client, box):
    done = client.send(RAW, box, tls_starttls="off")
    assert done.code == 75, done
    assert len(done.lines) == 1
    session = client.session()
    assert "auth" not in session and "mail" not in session


def test_starttls_wanted_of_a_server_that_waits_for_tls(client, box):
    done = client.send(RAW, box, server="smtps", tls_starttls="on",
                       timeout=1)
    assert done.code == 75, done
    assert len(done.lines) == 1


def test_a_clients_certificate(client, mail, box):
    done = client.send(RAW, box, server="clientcert",
                       tls_key_file=mail.pki + "/client.key",
                       tls_cert_file=mail.pki + "/client.crt")
    assert (done.code, done.err) == (0, "")
    mail.wait_log(r"Trusted TLS connection established", client.log_start)


def test_a_clients_certificate_is_missing(client, mail, box):
    done = client.send(RAW, box, server="clientcert")
    assert done.code == 75, done
    assert len(done.lines) == 1
    assert "mail" not in client.session()
