"""By a SOCKS5 proxy (socks.py), which alone learns the server's name."""

import os
import re
import socket

import pytest

from conftest import MESSAGE
from harness import slowness
from socks import Proxy
from test_environment import UNSHARE

USAGE, UNAVAILABLE, TEMPFAIL, PROTOCOL, NOPERM, CONFIG = 64, 69, 75, 76, 77, 78
BOB = "bob@example.net"
HOST = "mail.example.org"       # of no resolver, and in the certificate
SECRET = "pr0xy canary"
GREETING = b"\5\1\0"
PLACE = b"\1\x7f\0\0\1\x10\x10"


def request(host, port):
    name = host.encode()
    return b"\5\1\0\3%c%s%s" % (len(name), name, port.to_bytes(2, "big"))


@pytest.fixture
def by_proxy(start, send):
    """by_proxy(proxy={...}, tls="none", ...): sends a message that way.  It
    gives the result, the peer, and the proxy."""

    def by_proxy(proxy=None, peer=None, arguments=(BOB,), **settings):
        server = start(**(peer or {}))
        with Proxy(server.port, **(proxy or {})) as way:
            settings = {"host": HOST, "port": 587, "proxy_host": "127.0.0.1",
                        "proxy_port": way.port, **settings}
            result = send(server, *arguments, **settings)
        return result, server, way
    return by_proxy


def went_well(result, peer):
    assert (result.code, result.err) == (0, ""), str(result)
    assert len(peer.messages) == 1


def failed(result, peer, code, *words):
    """One line, with the host and the proxy; and nothing was sent."""
    assert result.code == code, str(result)
    assert len(result.lines) == 1, result.err
    for word in (*words, f"cannot reach {HOST}:587 by the proxy"):
        assert word in result.err, result.err
    assert not peer.messages and SECRET not in result.err


# Ways through.

@pytest.mark.parametrize("tls", ["starttls", "implicit", "none"])
@pytest.mark.parametrize("manner", [{}, {"trickle": True}], ids=str)
def test_plain(by_proxy, tls, manner):
    peer = {"tls": tls, "mechanisms": ["SCRAM-SHA-256"]}
    result, peer, proxy = by_proxy(manner, peer)
    went_well(result, peer)
    assert len(proxy.asked) == 1
    asked = proxy.asked[0]
    assert (asked.kind, asked.host, asked.port) == ("name", HOST, 587)
    assert asked.messages == [GREETING, request(HOST, 587)]


def test_the_servers_first_words_come_with_the_reply(by_proxy):
    result, peer, _ = by_proxy({"glue": True})
    went_well(result, peer)


@pytest.mark.parametrize("bound", [
    PLACE, b"\4" + bytes(16) + b"\0\1", b"\3\0\0\0", b"\3\1h\0\0",
    b"\3\xff" + b"h" * 255 + b"\0\0"], ids=["ipv4", "ipv6", "", "name", "255"])
def test_what_is_in_the_reply(by_proxy, bound):
    result, peer, _ = by_proxy({"bound": bound, "glue": True})
    went_well(result, peer)


@pytest.mark.parametrize("host, kind, asked", [
    ("127.0.0.1", "ipv4", "127.0.0.1"), ("::1", "ipv6", "::1"),
    ("MAIL.example.org.", "name", "mail.example.org"),
    ("m\u00fcnchen.example", "name", "xn--mnchen-3ya.example")])
def test_hosts(by_proxy, host, kind, asked):
    cert = "idn" if "nchen" in host else "good"
    result, peer, proxy = by_proxy(peer={"cert": cert}, host=host)
    went_well(result, peer)
    assert (proxy.asked[0].kind, proxy.asked[0].host) == (kind, asked)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("cert, word", [
    ("wrong-name", HOST), ("ip", HOST), ("expired", "expired"),
    ("self-signed", "")])
def test_the_certificate_is_the_servers(by_proxy, tls, cert, word):
    """It is the mail host's name that counts, not the proxy's address."""
    result, peer, _ = by_proxy(peer={"cert": cert, "tls": tls})
    assert result.code == TEMPFAIL, str(result)
    assert "certificate" in result.err and word in result.err, result.err
    assert not peer.messages and not peer.session.auth_attempts
    assert peer.session.sni == HOST


def test_the_default_port_is_1080(rider):
    """Whoever listens there, if anybody does."""
    rider.config(f"account default\nhost {HOST}\nauth off\n"
                 "from a@example.org\nproxy_host 127.0.0.77\n")
    result = rider.run(BOB, stdin=MESSAGE)
    assert result.code == TEMPFAIL, str(result)
    assert "127.0.0.77:1080" in result.err


def test_the_proxy_by_a_name(by_proxy):
    """And it is the proxy to which prefer_family is applied."""
    result, peer, proxy = by_proxy(proxy_host="localhost",
                                   prefer_family="ipv4")
    went_well(result, peer)


def test_the_proxy_on_ipv6(by_proxy):
    result, peer, _ = by_proxy({"host": "::1"}, proxy_host="::1",
                               prefer_family="ipv4")
    went_well(result, peer)


def test_source_address(by_proxy):
    result, peer, proxy = by_proxy(source_ip="127.0.0.9")
    went_well(result, peer)
    assert proxy.asked[0].address[0] == "127.0.0.9"


def test_socket_and_tunnel_need_no_proxy(start, send, tmp_path):
    peer = start(unix=str(tmp_path / "smtp"))
    with Proxy(1) as proxy:
        result = send(peer, BOB, proxy_host="127.0.0.1", tls="on",
                      proxy_port=proxy.port)
        went_well(result, peer)
        assert proxy.asked == []


def test_lmtp(by_proxy):
    result, peer, proxy = by_proxy(peer={"lmtp": True})
    went_well(result, peer)


def test_an_msmtprc(start, rider, certs, account):
    """proxy_host and proxy_port as msmtp's users have written them."""
    peer = start()
    with Proxy(peer.port) as proxy:
        rider.config(
            "defaults\nauth plain\ntls on\n"
            f"tls_trust_file {certs.ca}\nlogfile ~/log\n"
            f"account a\nhost {HOST}\nport 587\nfrom alice@example.org\n"
            "user alice\npassword \"correct horse/battery+staple\"\n"
            f"proxy_host 127.0.0.1\nproxy_port {proxy.port}\n"
            "account default : a\n", name=".msmtprc")
        result = rider.run(BOB, stdin=MESSAGE)
        assert peer.settle()
    went_well(result, peer)
    assert (proxy.asked[0].host, proxy.asked[0].port) == (HOST, 587)


def test_proxy_host_alone_takes_it_back(start, send):
    peer = start()
    went_well(send(peer, "--proxy-host=", BOB, proxy_host="127.0.0.1",
                   proxy_port=1), peer)


# Logins.

USERS = [("alice", SECRET), ("j\u00fcrgen", "p\u00e4ss w\u00f6rd"),
         ("u" * 255, "p" * 255), ("u", "p")]


@pytest.mark.parametrize("user, password", USERS, ids=range(len(USERS)))
def test_login(by_proxy, user, password):
    login = (user.encode(), password.encode())
    result, peer, proxy = by_proxy({"login": login}, proxy_user=user,
                                   proxy_password=f'"{password}"')
    went_well(result, peer)
    asked = proxy.asked[0]
    assert (asked.user, asked.password) == login
    assert asked.methods == b"\0\2" and len(asked.messages) == 3


def test_a_login_that_nobody_asks_for(by_proxy):
    """The proxy chooses, and does not get to see it."""
    result, peer, proxy = by_proxy(proxy_user="alice",
                                   proxy_password=f'"{SECRET}"')
    went_well(result, peer)
    assert proxy.asked[0].user is None
    assert not any(b"alice" in m for m in proxy.asked[0].messages)


@pytest.mark.parametrize("user, password", [("alice", SECRET + "x"),
                                            ("mallory", SECRET)])
def test_a_wrong_login(by_proxy, user, password):
    result, peer, proxy = by_proxy(
        {"login": (b"alice", SECRET.encode())}, proxy_user=user,
        proxy_password=f'"{password}"')
    failed(result, peer, NOPERM, "refuses proxy_user")
    assert proxy.asked[0].host is None and not peer.sessions


def test_a_login_that_is_missing(by_proxy):
    result, peer, proxy = by_proxy({"login": (b"alice", b"x")})
    failed(result, peer, NOPERM, "wants a login: set proxy_user")
    assert proxy.asked[0].methods == b"\0"


@pytest.mark.parametrize("settings", [
    {"proxy_user": "u"}, {"proxy_user": "u", "proxy_password": "p" * 256},
    {"proxy_user": "u" * 256, "proxy_password": "p"}],
    ids=["none", "long", "long user"])
def test_a_login_that_cannot_be_said(by_proxy, rider, settings):
    result, peer, proxy = by_proxy(**settings)
    assert result.code == CONFIG, str(result)
    assert "proxy_" in result.err and "pppp" not in result.err
    assert proxy.asked == []
    result = rider.run("--check")
    assert result.code == CONFIG and "proxy_" in result.err, str(result)


def test_the_password_is_nobodys_business(by_proxy, rider, tmp_path):
    """Not in the dialogue, not in the file of -X, not in what is printed."""
    result, peer, _ = by_proxy(
        {"login": (b"alice", SECRET.encode())}, proxy_user="alice",
        proxy_password=f'"{SECRET}"',
        arguments=("-v", "-X", tmp_path / "traffic", BOB))
    assert result.code == 0, str(result)
    seen = result.out + result.err + (tmp_path / "traffic").read_text()
    assert f"{HOST}:587 by the proxy 127.0.0.1:" in seen
    for args in (["--dry-run", BOB], ["--check"], ["-bv", BOB], ["--probe"]):
        result = rider.run(*args, stdin=MESSAGE)
        seen += result.out + result.err
    assert SECRET not in seen and SECRET.encode().hex() not in seen


# Ways that are barred.

REPLIES = {
    1: (TEMPFAIL, "general failure"), 2: (NOPERM, "rules forbid it"),
    3: (TEMPFAIL, "network unreachable"), 4: (TEMPFAIL, "host unreachable"),
    5: (TEMPFAIL, "connection refused"), 6: (TEMPFAIL, "TTL expired"),
    7: (UNAVAILABLE, "not supported"), 8: (UNAVAILABLE, "kind of address"),
    9: (TEMPFAIL, "code 9"), 255: (TEMPFAIL, "code 255")}


@pytest.mark.parametrize("code", REPLIES)
def test_each_reply(by_proxy, code):
    result, peer, proxy = by_proxy({"code": code})
    exit_code, words = REPLIES[code]
    failed(result, peer, exit_code, words, f"proxy 127.0.0.1:{proxy.port}:")
    assert len(proxy.asked) == 1    # and it is not tried again


# Its own words: two octets, two for the login, ten for the request.
SPOKEN = 2 + 2 + 10
LOGIN = {"proxy_user": "alice", "proxy_password": f'"{SECRET}"'}


def awaited(most):
    return "greeting" if most < 2 else "login" if most < 4 else "request"


@pytest.mark.parametrize("most", range(SPOKEN))
def test_it_hangs_up_after(by_proxy, most):
    result, peer, _ = by_proxy(
        {"login": (b"alice", SECRET.encode()), "most": most}, **LOGIN)
    failed(result, peer, TEMPFAIL, "closed the connection", awaited(most))


@pytest.mark.parametrize("most", [0, 1, 2, 3, 4, SPOKEN - 1])
def test_it_is_silent_after(by_proxy, most):
    result, peer, _ = by_proxy(
        {"login": (b"alice", SECRET.encode()), "most": most, "silent": True},
        patience=1 if most < 2 else max(2, round(slowness())), **LOGIN)
    failed(result, peer, TEMPFAIL, "timed out", awaited(most))


@pytest.mark.parametrize("say, word", [
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", "an HTTP proxy"),
    (b"\0\x5b\0\0\0\0\0\0", "SOCKS4"), (b"220 hello\r\n", "a mail server"),
    (b"SSH-2.0-x\r\n", "SSH"), (b"\xff" * 70000, "SOCKS5"),
    (b"\5\1", "method 1"), (b"\5\2", "method 2")],
    ids=["http", "socks4", "smtp", "ssh", "much", "gssapi", "login"])
def test_what_is_no_socks5(by_proxy, say, word):
    result, peer, _ = by_proxy({"say": say})
    failed(result, peer, PROTOCOL, word)


def test_a_mail_server_itself(start, send):
    peer = start(strict=False)
    result = send(peer, BOB, host=HOST, port=587, proxy_host="127.0.0.1",
                  proxy_port=peer.port)
    failed(result, peer, PROTOCOL, "a mail server")


def test_no_proxy_there(start, send):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        peer = start()
        result = send(peer, BOB, host=HOST, port=587, proxy_host="127.0.0.1",
                      proxy_port=port)
    failed(result, peer, TEMPFAIL,
           f"cannot connect to 127.0.0.1:{port}: connection refused")


# Nobody else is asked.

TRAP = """
for file in /etc/hosts /etc/resolv.conf; do mount --bind "$FIFO" $file; done
exec "$@"
"""


@pytest.mark.parametrize("words", [[BOB], ["--probe"], ["-bv", BOB],
                                   ["--dry-run", BOB], ["--check"]], ids=str)
@pytest.mark.parametrize("with_proxy", [True, False])
def test_the_resolver_is_not_asked(start, rider, account, monkeypatch,
                                   tmp_path, words, with_proxy):
    """Whoever looks up a name here waits for ever: what the resolver reads
    first never ends.  Without a proxy that is what happens."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    peer = start()
    with Proxy(peer.port) as proxy:
        rider.config(account(
            peer, host=HOST, port=587, timeout=20 if with_proxy else 2,
            proxy_port=proxy.port,
            proxy_host="127.0.0.1" if with_proxy else None))
        wrap = " ".join(UNSHARE) + f" env FIFO={fifo} sh {tmp_path}/trap"
        (tmp_path / "trap").write_text(TRAP)
        monkeypatch.setenv("POSTRIDER_SLOW", "4")
        monkeypatch.setenv("POSTRIDER_WRAP", wrap)
        result = rider.run(*words, stdin=MESSAGE)
        assert peer.settle()
    if with_proxy or words[0] not in (BOB, "--probe"):
        assert result.code == 0, str(result)
    else:
        assert result.code == TEMPFAIL, str(result)
        assert "cannot look up" in result.err, result.err
    asked = [one.host for one in proxy.asked]
    assert asked == ([HOST] if with_proxy and words[0] in (BOB, "--probe")
                     else [])


# What is said about it.

@pytest.mark.parametrize("words, line", [
    (["--dry-run", BOB], r"server: mail\.example\.org port 587, STARTTLS\n"
     r"proxy: 127\.0\.0\.1:{port}\n"),
    (["--probe"], r"server: mail\.example\.org port 587\n"
     r"proxy: 127\.0\.0\.1:{port}\n"),
    (["-bv", BOB], r"account default, mail\.example\.org:587 by the proxy "
     r"127\.0\.0\.1:{port}\n"),
    (["--check"], r"proxy of account default: 127\.0\.0\.1:{port}\n")],
    ids=["dry-run", "probe", "bv", "check"])
def test_every_mode_names_it(by_proxy, rider, account, words, line):
    result, peer, proxy = by_proxy(arguments=words)
    assert result.code == 0, str(result)
    assert re.search(line.format(port=proxy.port), result.out), result.out
    rider.config(account(peer))
    assert "proxy" not in rider.run(*words, stdin=MESSAGE).out


@pytest.mark.parametrize("rows, words", [
    ("proxy_host p.example\nsocket /run/x\n", "no proxy is used"),
    ("proxy_host p.example\ntunnel exit\n", "no proxy is used"),
    ("source_ip 127.0.0.1\nprefer_family ipv6\n", "the other family only"),
    ("source_ip ::1\nprefer_family ipv4\n", "the other family only"),
    ("source_ip ::1\nprefer_family ipv6\n", None),
    ("source_ip 127.0.0.1\nprefer_family ipv4\n", None),
    ("source_ip 127.0.0.1\n", None), ("prefer_family ipv6\n", None),
    ("proxy_host p.example\n", None)])
def test_settings_that_do_not_go_together(rider, rows, words):
    rider.config("account default\nhost h.example\nauth off\n"
                 "from a@example.org\n" + rows)
    result = rider.run("--check")
    assert result.code == 0, str(result)
    if words:
        assert len(result.lines) == 1 and words in result.err, result.err
    else:
        assert result.err == ""
