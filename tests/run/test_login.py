"""What a login that fails comes to, where more than one mechanism is tried, and
what is not tried at all.  The mechanisms themselves are in test_sasl.py."""

import base64
import ssl

import pytest

from conftest import MESSAGE
from rogue import Rogue

TEMPFAIL, NOPERM = 75, 77
BOB = "bob@example.net"
SCRAM = [b"AUTH SCRAM-SHA-256 PLAIN", b"535 5.7.8 no scram for you\r\n"]


def good(certs):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs.chain("good"), certs.key("good"))
    return context


@pytest.fixture
def log_in(rider, certs):
    """Runs a login against a server that offers `offer` and gives these
    answers to AUTH: the result, and the AUTH lines that were said."""
    def log_in(offer, *answers, context=None, env=None, **settings):
        said = []

        def script(talk):
            talk.secure(context or good(certs))
            talk.say(b"220 mail.example.org ESMTP\r\n")
            talk.hello(*offer)
            for answer in answers:
                said.append(talk.expect(b"AUTH").decode())
                talk.say(answer)
                if answer.startswith(b"334"):
                    talk.line()
                    talk.say(b"535 5.7.8 no\r\n")
            talk.obey()

        with Rogue(script, "implicit") as rogue:
            values = {"host": "127.0.0.1", "port": rogue.port, "timeout": 5,
                      "tls_starttls": "off", "tls_trust_file": certs.ca,
                      "user": "alice", "password": "correct-horse",
                      "auth": "on", "from": "alice@example.org"} | settings
            rider.config("account default\n" + "".join(
                f"{key} {value}\n" for key, value in values.items()))
            result = rider.run(BOB, stdin=MESSAGE, env=env)
        return result, [line.split()[1] for line in said]
    return log_in


@pytest.mark.parametrize("second, code, words", [
    (b"454 4.7.0 the passwords are away\r\n", TEMPFAIL, "454 4.7.0"),
    (b"421 4.3.2 closing\r\n", TEMPFAIL, "421 4.3.2"),
    (b"535 5.7.8 no plain either\r\n", NOPERM, "no scram for you"),
])
def test_of_a_list(log_in, second, code, words):
    """The first refusal is told, unless what came then may be over later."""
    result, tried = log_in([SCRAM[0]], SCRAM[1], second,
                           auth="scram-sha-256 plain")
    assert (result.code, tried) == (code, ["SCRAM-SHA-256", "PLAIN"])
    assert words in result.err and len(result.lines) == 1


@pytest.mark.parametrize("answer, code, words", [
    (b"454 4.7.0 the passwords are away\r\n", TEMPFAIL, "454 4.7.0"),
    (b"535 5.7.8 wrong\r\n", NOPERM, "535 5.7.8 wrong"),
])
def test_without_a_ticket(log_in, tmp_path, answer, code, words):
    """That Kerberos has no ticket is of no matter then."""
    result, tried = log_in([b"AUTH GSSAPI PLAIN"], answer,
                           env={"KRB5CCNAME": tmp_path / "none",
                                "KRB5_CONFIG": "/dev/null"})
    assert (result.code, tried) == (code, ["PLAIN"])
    assert words in result.err and "Kerberos" not in result.err


def test_a_ticket_is_not_looked_for(log_in, tmp_path):
    """Not where there is no sign of one: Kerberos would ask the DNS."""
    result, tried = log_in([b"AUTH GSSAPI"],
                           env={"KRB5_CONFIG": tmp_path / "none"})
    assert result.code == NOPERM and tried == []
    assert "the server offers GSSAPI" in result.err


def test_the_password_cannot_be_had(log_in):
    result, tried = log_in([b"AUTH PLAIN LOGIN"], passwordeval="exit 3")
    assert result.code == 78 and tried == []
    assert "exit status 3" in result.err


def old_tls(certs):
    """TLS 1.2 without what binds a session to one channel (RFC 7627)."""
    context = good(certs)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.options |= 1        # SSL_OP_NO_EXTENDED_MASTER_SECRET
    return context


@pytest.mark.parametrize("auth, tried", [
    ("on", []), ("scram-sha-256", ["SCRAM-SHA-256"]), ("plain", ["PLAIN"]),
    ("scram-sha-256-plus", []),
])
def test_nothing_to_bind_to(log_in, certs, auth, tried):
    """The server would bind, the session cannot: only who names it goes on."""
    answers = [b"535 5.7.8 no\r\n"] * len(tried)
    result, said = log_in([b"AUTH SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN"],
                          *answers, context=old_tls(certs), auth=auth)
    assert (result.code, said) == (NOPERM, tried), str(result)
    if auth == "on":
        assert "in the middle" in result.err


@pytest.mark.parametrize("changed", ["pªcorrect", "correct-horse"])
def test_what_was_prepared_is_hidden_too(log_in, changed):
    """A server that repeats the password repeats it in the form it got."""
    heard = changed.replace("ª", "a").encode()
    result, _ = log_in([b"AUTH PLAIN"], b"535 5.7.8 not " + heard + b"\r\n",
                       password=changed)
    assert result.code == NOPERM
    assert heard.decode() not in result.err and "not shown" in result.err


def test_tokens_that_are_complained_of(log_in):
    """The complaint is decoded for people, but not with the token in it."""
    token = "tok-canary-0123456789"
    told = base64.b64encode(b'{"status":"401","token":"%s"}' % token.encode())
    result, _ = log_in([b"AUTH XOAUTH2"], b"334 " + told + b"\r\n",
                       password=token)
    assert result.code == NOPERM
    assert token not in result.err
