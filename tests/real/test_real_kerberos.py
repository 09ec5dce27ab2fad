"""Tickets in place of passwords: GSSAPI by Dovecot, GS2-KRB5 by GNU SASL, and
a Kerberos realm with a KDC of its own."""

import pytest

from gsaslserver import GsaslServer
from kerberos import NOKEY, OTHER_REALM, Realm
from messages import head

RAW = head() + b"hello\n"
KINIT = "kinit gets one"


@pytest.fixture(scope="module")
def realm(mail):
    realm = Realm(mail)
    realm.start()
    return realm


@pytest.fixture(scope="module")
def expired(realm):
    return realm.expired()


@pytest.fixture
def ticket(realm, client):
    """Makes this test's client the owner of a ticket, alice's at first."""
    def give(cache=None, **who):
        client.env.update(realm.variables(cache or realm.kinit(**who)))
    give()
    return give


@pytest.fixture
def no_ticket(realm, client):
    client.env.update(realm.variables("FILE:" + realm.path("none")))


def send(client, box, server="kerberos", **changes):
    """With neither user nor password, unless they are given."""
    changes = {"host": "localhost", "auth": "gssapi", "user": None,
               "password": None, **changes}
    return client.send(RAW, box, server=server, **changes)


def by_tunnel(client, box, host, **changes):
    """To a host that only Kerberos knows: the way there is a program."""
    path = client.config(TUNNEL, "tunnel.py")
    port = client.mail.server("kerberos").port
    return send(client, box, host=host, tls_host_override="localhost",
                tunnel="/usr/bin/python3 %s %d" % (path, port), **changes)


TUNNEL = """
import os, select, socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
while True:
    for fd in select.select([0, s], [], [])[0]:
        try:
            data = os.read(0, 65536) if fd == 0 else s.recv(65536)
            if data:
                s.sendall(data) if fd == 0 else os.write(1, data)
        except ConnectionError:     # nobody waits for the answer to QUIT
            sys.exit()
        if not data:
            sys.exit()
"""


def came_in(client, user, mechanism="GSSAPI"):
    client.mail.wait_log(r"sasl_method=%s, sasl_username=%s\s" %
                         (mechanism, user), client.log_start)


def assert_nothing_said(client, done, *words):
    """77, one line, and the server has not heard of AUTH."""
    assert done.code == 77, done
    assert len(done.lines) == 1, done
    for word in words:
        assert word in done.err, done
    session = client.session()
    assert "auth" not in session and "mail" not in session, session


@pytest.mark.parametrize("changes, name", (
    ({}, "alice@example.org"),	# the ticket's own name
    ({"user": "alice"}, "alice@example.org"),
    ({"auth": "on", "user": "alice"}, "alice")))
def test_a_ticket(client, mail, box, ticket, changes, name):
    done = send(client, box, **changes)
    assert (done.code, done.out, done.err) == (0, "", "")
    came_in(client, name)
    mail.wait_for(box)


def test_the_ticket_of_another(client, box, ticket):
    """It is not for whom the account names, so it is of no use here."""
    ticket(user="bob")
    done = send(client, box, auth="on", user="alice")
    assert done.code == 77, done
    assert "auth plain takes the password" in done.err


def test_as_a_user(client, mail, box, ticket):
    done = send(client, box, authzid="alice")
    assert (done.code, done.out, done.err) == (0, "", "")
    came_in(client, "alice")


def test_not_as_another(client, mail, box, ticket):
    done = send(client, box, authzid="bob")
    assert done.code == 77, done
    assert "535" in done.err and "mail" not in client.session()


def test_by_starttls_and_dovecots_own_service(client, mail, box, ticket):
    for server in ("dovecot", "dovecots"):
        done = send(client, box, server=server, authzid="alice")
        assert (done.code, done.out, done.err) == (0, "", "")
    mail.wait_for(box, 2)


def test_another_ticket(client, mail, box, realm, ticket):
    ticket(user="bob")
    done = send(client, box, authzid="bob", from_="any@example.org")
    assert (done.code, done.err) == (0, "")
    came_in(client, "bob")


def test_a_keytab_of_the_clients_own(client, box, realm, no_ticket):
    """The library gets the ticket when it is needed: for those with no one
    to ask for a password."""
    client.env.update(realm.variables("MEMORY:"),
                      KRB5_CLIENT_KTNAME=realm.path("alice.keytab"))
    done = send(client, box)
    assert (done.code, done.err) == (0, "")
    came_in(client, "alice@example.org")


def test_the_name_is_that_of_the_host(client, mail, box, ticket):
    """And not that of the certificate."""
    done = by_tunnel(client, box, "mail.example.org")
    assert (done.code, done.err) == (0, "")
    came_in(client, "alice@example.org")
    done = send(client, box, host="127.0.0.1",
                tls_host_override="mail.example.org")
    assert_nothing_said(client, done, "127.0.0.1", "GSSAPI")


def test_the_server_has_not_the_key(client, box, ticket):
    done = by_tunnel(client, box, NOKEY.partition("/")[2])
    assert done.code == 77, done
    assert "535" in done.err and len(done.lines) == 1
    assert "mail" not in client.session()


def test_the_realm_knows_no_such_server(client, box, ticket):
    done = by_tunnel(client, box, "unknown.example.org")
    assert_nothing_said(client, done, "GSSAPI")


def test_another_realm(client, box, ticket):
    ticket(realm=OTHER_REALM)
    assert_nothing_said(client, send(client, box), "GSSAPI", KINIT)


def test_no_ticket(client, box, no_ticket):
    assert_nothing_said(client, send(client, box), "GSSAPI", KINIT)


def test_an_expired_ticket(client, box, ticket, expired):
    ticket(expired)
    assert_nothing_said(client, send(client, box), "GSSAPI", KINIT)


def test_kerberos_is_not_set_up(client, box):
    client.env.update(KRB5_CONFIG="/nonexistent", KRB5CCNAME="FILE:/none")
    assert_nothing_said(client, send(client, box), "GSSAPI", KINIT)


def test_no_ticket_but_a_password(client, mail, box, no_ticket):
    done = send(client, box, server="kerberos-plain", auth="on",
                user="alice", password="secret")
    assert (done.code, done.err) == (0, "")
    came_in(client, "alice", "PLAIN")
    mail.wait_for(box)


def test_a_ticket_and_a_password(client, box, ticket):
    done = send(client, box, server="kerberos-plain", auth="on",
                user="alice", password="secret")
    assert (done.code, done.err) == (0, "")
    came_in(client, "alice")


def test_a_refused_ticket_and_no_password_shown(client, box, ticket):
    """Who poses as the server can't get the password by saying no."""
    done = send(client, box, server="kerberos-plain", auth="on",
                user="alice", password="secret", authzid="bob")
    assert done.code == 77, done
    client.mail.wait_log("disconnect from .* auth=0/1 ", client.log_start)


def test_a_list(client, box, no_ticket):
    done = send(client, box, server="kerberos-plain", auth="gssapi, plain",
                user="alice", password="secret")
    assert (done.code, done.err) == (0, "")
    came_in(client, "alice", "PLAIN")


# What no mail server of Debian's offers: GNU SASL's own program answers.

@pytest.fixture
def gsasl(mail, realm):
    with GsaslServer(mail, realm.path("keytab")) as server:
        yield server


def to_gsasl(client, gsasl, **changes):
    return client.run("-C", client.config("\n".join((
        "account default", "host localhost", "port %d" % gsasl.port,
        "tls off", "from alice@example.org", "timeout 10",
        *("%s %s" % row for row in changes.items()), "")), name="account"),
        "--", "bob@example.org", stdin=RAW)


def test_gs2(client, gsasl, ticket):
    done = to_gsasl(client, gsasl, auth="gs2-krb5")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert gsasl.who == "alice@EXAMPLE.ORG"
    assert gsasl.message.endswith(b"\r\nhello\r\n")


def test_gs2_is_taken_unasked(client, gsasl, ticket):
    done = to_gsasl(client, gsasl, auth="on", user="alice")
    assert (done.code, done.err) == (0, "")
    assert gsasl.who == "alice@EXAMPLE.ORG"


def test_gs2_for_another(client, gsasl, ticket):
    gsasl.answer = "n"
    done = to_gsasl(client, gsasl, auth="gs2-krb5", authzid="bob")
    assert done.code == 77, done
    assert "535" in done.err and len(done.lines) == 1
    assert gsasl.authzid == "bob" and gsasl.message is None


def test_gs2_without_a_ticket(client, gsasl, no_ticket):
    done = to_gsasl(client, gsasl, auth="gs2-krb5")
    assert done.code == 77, done
    assert "GS2-KRB5" in done.err and KINIT in done.err
    assert len(done.lines) == 1
    assert "AUTH" not in gsasl.verbs
