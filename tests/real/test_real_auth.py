"""Who we are: every mechanism of Dovecot's, right and wrong passwords."""

import base64

import pytest

from mailconfig import MECHANISMS, PASSWORDS
from messages import head

RAW = head() + b"hello\n"


def came_in(client, mechanism, user="alice"):
    client.mail.wait_log(r"sasl_method=%s, sasl_username=%s\b" %
                         (mechanism, user), client.log_start)


@pytest.mark.parametrize("server", ("submission", "smtps"))
@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_by_name(client, mail, box, mechanism, server):
    done = client.send(RAW, box, server=server, auth=mechanism.lower())
    assert (done.code, done.out, done.err) == (0, "", "")
    came_in(client, mechanism)
    mail.wait_for(box)


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_only_one_offered_is_taken(client, mail, box, mechanism):
    done = client.send(RAW, box, server="only-" + mechanism.lower())
    assert (done.code, done.out, done.err) == (0, "", "")
    came_in(client, mechanism)


def test_the_strongest_is_taken(client, box):
    assert client.send(RAW, box).code == 0
    came_in(client, "SCRAM-SHA-256")


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("user", PASSWORDS)
def test_passwords_of_every_kind(client, box, user, mechanism):
    secret = client.config(PASSWORDS[user] + "\nnot this\n", "secret")
    done = client.send(RAW, box, user=user, password=None,
                       passwordeval="cat %s" % secret,
                       auth=mechanism.lower(), from_="any@example.org")
    assert (done.code, done.out, done.err) == (0, "", "")
    came_in(client, mechanism, user)


@pytest.mark.parametrize("written", ('" two  words "', "two"))
def test_a_password_in_quotes(client, box, written):
    done = client.send(RAW, box, user="spaces", password=written,
                       from_="any@example.org")
    assert done.code == (0 if written[0] == '"' else 77), done


def test_a_password_file(client, box):
    secret = client.config("secret\n", "secret")
    done = client.send(RAW, box, password=None, password_file=secret)
    assert (done.code, done.err) == (0, "")


def test_netrc(client, box):
    client.config("machine 127.0.0.1\nlogin alice\npassword secret\n",
                        ".netrc")
    done = client.send(RAW, box, password=None)
    assert (done.code, done.err) == (0, "")


# Dovecot takes half a second for each no.
@pytest.mark.parametrize("mechanism,server", (
    *((name, "submission") for name in MECHANISMS), ("PLAIN", "smtps")))
def test_a_wrong_password(client, mail, box, mechanism, server):
    done = client.send(RAW, box, server=server, auth=mechanism.lower(),
                       password="Wr0ng-one")
    assert done.code == 77, done
    assert len(done.lines) == 1
    assert done.err.startswith("postrider: ")
    assert "535" in done.err and "5.7.8" in done.err
    assert "authentication failed" in done.err	# Postfix's words
    assert "Wr0ng-one" not in done.err
    assert "mail" not in client.session()
    assert mail.delivered(box) == []


@pytest.mark.parametrize("mechanism", ("PLAIN", "SCRAM-SHA-256"))
def test_an_unknown_user(client, box, mechanism):
    done = client.send(RAW, box, user="mallory", auth=mechanism.lower())
    assert done.code == 77, done
    assert "535" in done.err
    assert "mail" not in client.session()


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("password", ("secret", "Wr0ng-one"))
def test_the_dialogue_hides_the_password(client, box, mechanism, password):
    done = client.send(RAW, box, args=("-v",), password=password,
                       auth=mechanism.lower())
    assert done.code == (0 if password == "secret" else 77), done
    assert "AUTH " + mechanism in done.err
    seen = done.out + done.err
    for word in (password, "\0alice\0" + password):
        assert word not in seen
        assert base64.b64encode(word.encode()).decode() not in seen


def test_a_mechanism_that_is_not_offered(client, box):
    done = client.send(RAW, box, server="only-plain", auth="scram-sha-256")
    assert done.code == 77, done
    assert len(done.lines) == 1
    session = client.session()
    assert "auth" not in session and "mail" not in session


def test_auth_is_not_offered(client, box):
    done = client.send(RAW, box, server="open")
    assert done.code == 77, done
    assert "mail" not in client.session()


def test_auth_is_not_wanted(client, mail, box):
    done = client.send(RAW, box, server="open", auth="off", user=None,
                       password=None)
    assert (done.code, done.err) == (0, "")
    mail.wait_for(box)


def test_auth_is_forgotten(client, mail, box):
    """Postfix says so at RCPT: 554 5.7.1."""
    done = client.send(RAW, box, auth="off", user=None, password=None)
    assert done.code == 77, done
    assert "5.7.1" in done.err
    client.nothing_sent()


@pytest.mark.parametrize("mechanism", ("plain", "login"))
def test_no_password_without_tls(client, box, mechanism):
    done = client.send(RAW, box, server="cleartext", tls="off",
                       tls_starttls=None, auth=mechanism)
    assert done.code == 77, done
    assert len(done.lines) == 1
    session = client.session()
    assert "auth" not in session and "mail" not in session


def test_no_password(client, box):
    done = client.send(RAW, box, password=None)
    assert done.code == 77, done
    assert len(done.lines) == 1


def test_passwordeval_fails(client, box):
    done = client.send(RAW, box, password=None,
                       passwordeval="echo secret; exit 3")
    assert done.code == 78, done
    assert len(done.lines) == 1
