"""Tokens in place of passwords: OAUTHBEARER and XOAUTH2, judged by Dovecot."""

import base64
import os

import pytest

import tokens
from mailconfig import BEARERS, OPENID
from messages import head

RAW = head() + b"hello\n"

# The form of a token that does, and what Dovecot says of one that does not.
GOOD = {
    "hmac": {},
    "rsa": {"rsa_key": "server"},
    "four-kib": {"pad": "x" * 3000},
    "ten-kib": {"pad": "x" * 6200},
}
BAD = {
    "expired": ({"lasts": -10}, "Token has expired"),
    "of-another": ({"user": "bob"}, "did not match"),
    "forged": ({"secret": b"a guess"}, "Incorrect JWT signature"),
    "forged-rsa": ({"rsa_key": "stranger"}, "Bad signature"),
}


def make(mail, claims):
    claims = dict(claims)
    if "rsa_key" in claims:
        claims["rsa_key"] = "%s/%s.key" % (mail.pki, claims["rsa_key"])
    return tokens.token(**claims)


def send(client, box, token, **changes):
    """The token comes as it does in life: from a program."""
    path = client.config(token + "\n", "token")
    return client.send(RAW, box, password=None,
                       passwordeval="cat %s" % path, **changes)


def came_in(client, mechanism):
    client.mail.wait_log(r"sasl_method=%s, sasl_username=alice\s" % mechanism,
                         client.log_start)


@pytest.mark.parametrize("token", GOOD)
@pytest.mark.parametrize("mechanism", BEARERS)
def test_a_token(client, mail, box, mechanism, token):
    done = send(client, box, make(mail, GOOD[token]), server="bearer",
                auth=mechanism.lower())
    assert (done.code, done.out, done.err) == (0, "", "")
    came_in(client, mechanism)
    mail.wait_for(box)


def test_the_only_ones_offered_are_taken(client, mail, box):
    done = send(client, box, tokens.token(), server="bearer")
    assert (done.code, done.err) == (0, "")
    came_in(client, "OAUTHBEARER")


@pytest.mark.parametrize("server", ("dovecot", "dovecots"))
@pytest.mark.parametrize("mechanism", BEARERS)
def test_dovecots_own_service(client, mail, box, mechanism, server):
    since = os.path.getsize(mail.dovecot_log)
    done = send(client, box, tokens.token(), server=server,
                auth=mechanism.lower())
    assert (done.code, done.out, done.err) == (0, "", "")
    mail.wait_dovecot("Login: user=<alice>, method=%s," % mechanism, since)
    mail.wait_for(box)


def assert_refused(done, token):
    assert done.code == 77, done
    assert len(done.lines) == 1, done
    assert "535" in done.err and "5.7.8" in done.err, done
    # What the server said of the token, which is not in the reply itself.
    assert '"status":' in done.err and OPENID in done.err, done
    assert token not in done.err


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("mechanism", BEARERS)
def test_a_token_that_will_not_do(client, mail, box, mechanism, kind):
    since = os.path.getsize(mail.dovecot_log)
    claims, said = BAD[kind]
    token = make(mail, claims)
    done = send(client, box, token, server="bearer", auth=mechanism.lower())
    assert_refused(done, token)
    mail.wait_dovecot(said, since)
    session = client.session()
    assert session["auth"] == 0 and "mail" not in session
    assert mail.delivered(box) == []


@pytest.mark.parametrize("mechanism", BEARERS)
def test_a_password_is_no_token(client, mail, box, mechanism):
    done = client.send(RAW, box, server="dovecot", password="secret-word",
                       auth=mechanism.lower())
    assert_refused(done, "secret-word")


@pytest.mark.parametrize("token", ("two words", "schlüssel"))
def test_what_can_be_no_token_is_not_sent(client, box, token):
    done = send(client, box, token, server="bearer", auth="oauthbearer")
    assert done.code == 77, done
    assert len(done.lines) == 1 and token not in done.err
    session = client.session()
    assert "auth" not in session and "mail" not in session


def test_a_refused_token_is_not_shown_again(client, mail, box):
    """XOAUTH2 is offered as well, and would show the same."""
    token = tokens.token(lasts=-10)
    done = send(client, box, token, server="bearer")
    assert_refused(done, token)
    client.mail.wait_log("disconnect from .* auth=0/1 ", client.log_start)


@pytest.mark.parametrize("kind", ("good", "expired"))
@pytest.mark.parametrize("mechanism", BEARERS)
def test_the_dialogue_hides_the_token(client, box, mechanism, kind):
    token = tokens.token(lasts=600 if kind == "good" else -10)
    done = send(client, box, token, server="bearer", args=("-v",),
                auth=mechanism.lower())
    assert done.code == (0 if kind == "good" else 77), done
    assert "AUTH " + mechanism in done.err
    seen = done.out + done.err
    assert token[40:80] not in seen
    for start in (40, 41, 42):	# one of them begins a group of base64
        group = token[start:start + 30].encode()
        assert base64.b64encode(group).decode() not in seen
