"""Who we are: every mechanism of Dovecot's, right and wrong passwords."""

import base64
import re

import pytest

from mailconfig import MASTERS, MECHANISMS, PASSWORDS, SCRAM_SHA_1_ONLY
from messages import head

RAW = head() + b"hello\n"

# RFC 2831 2.1.2.1: what can be written in Latin-1 is hashed as that.  Dovecot
# hashes it as UTF-8, so that such a user has no way in by DIGEST-MD5.
LATIN_1 = ("jürgen", "latin")


def came_in(client, mechanism, user="alice"):
    client.mail.wait_log(r"sasl_method=%s, sasl_username=%s\s" %
                         (mechanism, user), client.log_start)


def tried(client):
    """The mechanisms that Postfix refused in the client's connection."""
    client.session()
    with open(client.mail.log) as f:
        f.seek(client.log_start)
        return re.findall(r"SASL (\S+) authentication failed", f.read())


@pytest.mark.parametrize("server", ("submission", "smtps", "tls12",
                                    "tls12-smtps"))
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


@pytest.mark.parametrize("server", ("submission", "smtps", "everything"))
def test_the_strongest_is_taken(client, box, server):
    """Of "everything" too, where tokens and tickets would do."""
    assert client.send(RAW, box, server=server).code == 0
    came_in(client, "SCRAM-SHA-256")


@pytest.mark.parametrize("named,server,taken", (
    ("scram-sha-256, plain", "submission", "SCRAM-SHA-256"),
    ("scram-sha-256, plain", "only-plain", "PLAIN"),
    ("plain scram-sha-256", "submission", "PLAIN"),
    ("digest-md5 login", "only-login", "LOGIN"),
    ("scram-sha-1 digest-md5", "only-digest-md5", "DIGEST-MD5")))
def test_the_first_of_a_list_is_taken(client, box, named, server, taken):
    done = client.send(RAW, box, server=server, auth=named)
    assert (done.code, done.err) == (0, "")
    came_in(client, taken)


def test_nothing_of_a_list_is_offered(client, box):
    done = client.send(RAW, box, server="only-plain",
                       auth="scram-sha-256, scram-sha-1, login")
    assert done.code == 77, done
    assert len(done.lines) == 1 and "PLAIN" in done.err
    assert "auth" not in client.session()


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("user", PASSWORDS)
def test_passwords_of_every_kind(client, box, user, mechanism):
    if mechanism == "DIGEST-MD5" and user in LATIN_1:
        return latin_1_by_digest_md5(client, box, user)
    secret = client.config(PASSWORDS[user] + "\nnot this\n", "secret")
    done = client.send(RAW, box, user=user, password=None,
                       passwordeval="cat %s" % secret,
                       auth=mechanism.lower(), from_="any@example.org")
    assert (done.code, done.out, done.err) == (0, "", "")
    came_in(client, mechanism, user)


def latin_1_by_digest_md5(client, box, user):
    done = client.send(RAW, box, user=user, password=PASSWORDS[user],
                       auth="digest-md5")
    assert done.code == 77, done
    assert "535" in done.err and "auth plain" in done.err
    assert "mail" not in client.session()


@pytest.mark.parametrize("named,refused,taken", (
    ("on", ["SCRAM-SHA-256"], "SCRAM-SHA-1"),
    ("scram-sha-1", [], "SCRAM-SHA-1"),
    ("scram-sha-256, cram-md5, plain", ["SCRAM-SHA-256", "CRAM-MD5"],
     "PLAIN")))
def test_the_server_keeps_another_form(client, mail, box, named, refused,
                                       taken):
    """What it offers it can't do for everyone: the next one can."""
    (user, password), = SCRAM_SHA_1_ONLY.items()
    done = client.send(RAW, box, user=user, password=password, auth=named,
                       from_="any@example.org")
    assert (done.code, done.out, done.err) == (0, "", "")
    came_in(client, taken, user)
    assert tried(client) == refused
    mail.wait_for(box)


def test_the_server_keeps_no_form_of_the_one_named(client, box):
    (user, password), = SCRAM_SHA_1_ONLY.items()
    done = client.send(RAW, box, user=user, password=password,
                       auth="scram-sha-256")
    assert done.code == 77, done
    assert "535" in done.err and "auth plain" in done.err
    assert tried(client) == ["SCRAM-SHA-256"]


def test_a_wrong_password_is_never_shown(client, box):
    """The next one is as strong, or there is none."""
    done = client.send(RAW, box, password="Wr0ng-one")
    assert done.code == 77, done
    assert len(done.lines) == 1
    assert tried(client) == ["SCRAM-SHA-256", "SCRAM-SHA-1"]


def test_down_a_list_a_password_is_shown_once(client, box):
    done = client.send(RAW, box, password="Wr0ng-one",
                       auth="scram-sha-1 plain login")
    assert done.code == 77, done
    assert tried(client) == ["SCRAM-SHA-1", "PLAIN"]


@pytest.mark.parametrize("mechanism", (
    "PLAIN", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"))
def test_in_anothers_name(client, mail, box, mechanism):
    """Dovecot's master users: who says the password is not who sends."""
    (user, password), = MASTERS.items()
    done = client.send(RAW, box, user=user, password='"%s"' % password,
                       authzid="alice", auth=mechanism.lower())
    assert (done.code, done.out, done.err) == (0, "", "")
    came_in(client, mechanism, "alice")
    mail.wait_for(box)


@pytest.mark.parametrize("changes", (
    {"user": "warden", "password": "nothing", "authzid": "alice"},
    {"user": "warden", "password": '"all the keys"'},
    {"authzid": "bob@example.org"}))
def test_not_in_anothers_name(client, box, changes):
    """A wrong password; no name of one's own; no right to it."""
    done = client.send(RAW, box, auth="plain", **changes)
    assert done.code == 77, done
    assert "535" in done.err
    assert "mail" not in client.session()


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
